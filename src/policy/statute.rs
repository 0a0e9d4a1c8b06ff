//! Laws that say how long data is kept, as data, with their sources.

/// A law's demand on a retention period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statute {
    /// What a policy writes in `law`.
    pub id: &'static str,
    /// The law and its paragraph.
    pub title: &'static str,
    /// The least it demands, in months.
    pub at_least: Option<u32>,
    /// The most it allows, in months.
    pub at_most: Option<u32>,
    /// Whether its period is counted from the end of the financial year.
    pub from_financial_year: bool,
}

/// The catalogue.
pub const STATUTES: [Statute; 2] = [
    // Lov om bogføring (lov nr. 700 af 24/05/2022) § 12, stk. 1: accounting material is kept for
    // 5 years from the end of the financial year that it concerns.
    Statute {
        id: "dk:bogfoeringsloven-12",
        title: "the Danish bookkeeping act, section 12",
        at_least: Some(60),
        at_most: None,
        from_financial_year: true,
    },
    // Hvidvaskloven § 30: kept for 5 years after the relationship ended, then deleted.
    Statute {
        id: "dk:hvidvaskloven-30",
        title: "the Danish anti-money-laundering act, section 30",
        at_least: Some(60),
        at_most: Some(60),
        from_financial_year: false,
    },
];

/// The catalogue's entry for an id.
pub fn find(id: &str) -> Option<&'static Statute> {
    STATUTES.iter().find(|statute| statute.id == id)
}

/// Whether a text has the form of an id of the catalogue: a country, a colon, a name.
pub fn looks_like_an_id(law: &str) -> bool {
    law.split_once(':').is_some_and(|(country, name)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_lowercase())
            && !name.is_empty()
            && !name.contains(char::is_whitespace)
    })
}
