//! Identifiers in SQL text.

/// An identifier in double quotes: no name in a policy or a schema can become SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name for other rows in a query about a table, so that neither hides the other.
pub(super) fn alias_beside(table: &str, base: &str) -> String {
    let mut alias = base.to_string();
    while alias.eq_ignore_ascii_case(table) {
        alias.push('_');
    }
    alias
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_a_name_are_doubled() {
        assert_eq!(quoted("order"), "\"order\"");
        assert_eq!(quoted("a\"; drop table b; --"), "\"a\"\"; drop table b; --\"");
    }

    #[test]
    fn an_alias_is_never_the_tables_own_name() {
        assert_eq!(alias_beside("log", "child"), "child");
        assert_eq!(alias_beside("Child", "child"), "child_");
    }
}
