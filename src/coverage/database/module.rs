//! Virtual tables: what keeps them, and the tables in which it does so.

use crate::source::sqlite::sql::{Token, tokens};

/// The module of a virtual table, and where its content stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its name in small letters.
    pub(super) name: String,
    /// Where the content of a full-text table stands.
    pub(super) content: Content,
}

/// Where the content of a full-text table stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// In the table itself.
    Own,
    /// Nowhere: there is only an index.
    Nowhere,
    /// In another table.
    Of(String),
}

/// Modules that show what stands elsewhere.
const WITHOUT_DATA: [&str; 4] = ["fts5vocab", "fts4aux", "fts3tokenize", "dbstat"];

impl Module {
    /// Reads the SQL of a virtual table.
    pub(super) fn read(sql: &str) -> Option<Module> {
        let tokens = tokens(sql);
        let using = tokens.iter().position(|token| token.is("USING"))?;
        let name = tokens.get(using + 1)?.name()?.to_lowercase();
        Some(Module { name, content: content(&tokens[using + 2..]) })
    }

    /// Whether it is a full-text index.
    pub(super) fn is_full_text(&self) -> bool {
        matches!(self.name.as_str(), "fts3" | "fts4" | "fts5")
    }

    /// Whether it holds any data.
    pub(super) fn holds_data(&self) -> bool {
        !WITHOUT_DATA.contains(&self.name.as_str())
    }

    /// Whether a table beside the virtual one is part of it, by the end of its name.
    fn owns(&self, end: &str) -> bool {
        match (self.name.as_str(), end) {
            ("fts3" | "fts4" | "fts5", "content") => self.content == Content::Own,
            ("fts3" | "fts4", "segments" | "segdir" | "docsize" | "stat") => true,
            ("fts5", "data" | "idx" | "docsize" | "config") => true,
            ("rtree" | "rtree_i32" | "geopoly", "node" | "rowid" | "parent") => true,
            _ => false,
        }
    }
}

/// The value of `content`, which names a table, or none where it is empty.
fn content(arguments: &[Token]) -> Content {
    let named = arguments.windows(4).find_map(|window| match window {
        [Token::Symbol('(' | ','), key, Token::Symbol('='), value] if key.is("content") => value.name(),
        _ => None,
    });
    match named {
        None => Content::Own,
        Some("") => Content::Nowhere,
        Some(table) => Content::Of(table.to_string()),
    }
}

/// Whether a table is where a virtual table keeps its data.
pub(super) fn is_part_of(table: &str, virtual_table: &str, module: &Module) -> bool {
    let beginning = table.get(..virtual_table.len());
    let is_beside = beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(virtual_table));
    let end = is_beside.then(|| table[virtual_table.len()..].strip_prefix('_')).flatten();
    end.is_some_and(|end| module.owns(&end.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(arguments: &str) -> Module {
        Module::read(&format!("CREATE VIRTUAL TABLE \"using\" USING {arguments}")).unwrap()
    }

    #[test]
    fn the_content_of_a_full_text_table_is_found_however_it_is_written() {
        let content = |arguments: &str| module(arguments).content;
        let of = |table: &str| Content::Of(table.to_string());
        assert_eq!(content("fts5(a, b)"), Content::Own);
        assert_eq!(content("fts5(a, content='docs', content_rowid='id')"), of("docs"));
        assert_eq!(content("FTS5(content = \"my docs\", a)"), of("my docs"));
        assert_eq!(content("fts4(content=docs, a)"), of("docs"));
        assert_eq!(content("fts5(a, content='')"), Content::Nowhere);
        assert_eq!(content("fts5(content, b)"), Content::Own, "a column of that name");
        assert_eq!(content("fts3"), Content::Own);
    }

    #[test]
    fn a_module_is_known_by_its_name_alone() {
        assert!(module("FTS5(a)").is_full_text());
        assert!(!module("rtree(a, b, c)").is_full_text());
        assert!(!module("fts5vocab(docs, 'row')").holds_data());
        assert!(module("unknown(fts5vocab)").holds_data());
        assert_eq!(Module::read("CREATE TABLE x (a)"), None);
        assert_eq!(Module::read("CREATE VIRTUAL TABLE x USING"), None);
    }

    #[test]
    fn tables_of_a_virtual_table_are_its_parts_and_neighbours_are_not() {
        let part = |table: &str, arguments: &str| is_part_of(table, "docs", &module(arguments));
        for end in ["data", "idx", "content", "docsize", "config"] {
            assert!(part(&format!("docs_{end}"), "fts5(a)"), "{end}");
        }
        for end in ["segments", "segdir", "content", "docsize", "stat"] {
            assert!(part(&format!("Docs_{end}"), "fts4(a)"), "{end}");
        }
        assert!(part("docs_node", "rtree(a, b, c)"));
        assert!(!part("docs_archive", "fts5(a)"));
        assert!(!part("docs", "fts5(a)"));
        assert!(!part("do", "fts5(a)"));
        assert!(!part("docs_content", "fts5(a, content='docs_content')"), "it is the data");
        assert!(!part("docs_node", "unknown(a)"));
        assert!(!part("dæcs_data", "fts5(a)"), "no character is cut");
    }
}
