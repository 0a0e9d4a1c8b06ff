//! What joins calls to customers: the customer's number, or that and whose customer it is. Tenants are written as
//! numbers or as texts, in columns of one type or another.

use proptest::prelude::*;

use super::Layout;

/// Whose a customer is, as a statement writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tenant {
    Null,
    Number,
    Digit,
    Word,
    Loud,
    Empty,
}

use Tenant::{Digit, Empty, Loud, Null, Number, Word};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct On {
    /// Whether the tenant must be the same.
    several: bool,
    /// Whether the tenant's pair is written first.
    tenant_first: bool,
    /// Whether case and blanks at both ends of the tenant count, for calls and for customers.
    folded: [bool; 2],
    /// How the column is declared, for calls and for customers.
    pub(super) types: [&'static str; 2],
}

impl Tenant {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Null => "NULL",
            Number => "1",
            Digit => "'1'",
            Word => "'x'",
            Loud => "' X'",
            Empty => "''",
        }
    }

    /// As a column of a type holds it, or as an affinity makes it.
    fn of(self, affinity: &str) -> Tenant {
        match (affinity, self) {
            ("TEXT", Number) => Digit,
            ("INTEGER", Digit) => Number,
            _ => self,
        }
    }

    fn folded(self) -> Tenant {
        match self {
            Loud => Word,
            other => other.of("TEXT"),
        }
    }
}

impl On {
    pub(super) fn toml(self) -> String {
        let side = |is_folded| if is_folded { "lower(trim(tenant))" } else { "tenant" };
        let tenant = format!("\"{} = {}\"", side(self.folded[0]), side(self.folded[1]));
        match (self.several, self.tenant_first) {
            (false, _) => "\"customer = id\"".to_owned(),
            (true, true) => format!("[{tenant}, \"customer = id\"]"),
            (true, false) => format!("[\"customer = id\", {tenant}]"),
        }
    }

    /// Whether a call of one tenant belongs to a customer of another, where their numbers say so.
    pub(super) fn is_equal(self, theirs: Tenant, ours: Tenant, layout: Layout) -> bool {
        if !self.several {
            return true;
        }
        if theirs == Null || ours == Null {
            return false;
        }
        let fold = |tenant: Tenant, is_folded| if is_folded { tenant.folded() } else { tenant };
        if layout != Layout::Together {
            // Texts, of which an empty one says nothing.
            let [theirs, ours] =
                [fold(theirs.of("TEXT"), self.folded[0]), fold(ours.of("TEXT"), self.folded[1])];
            return theirs == ours && theirs != Empty;
        }
        // What is compared with a function of theirs is made a text.
        let is_made_text = self.folded[0] && !self.folded[1];
        let theirs_column = (!self.folded[0]).then_some(self.types[0]);
        let ours_column = (!self.folded[1] && !is_made_text).then_some(self.types[1]);
        let theirs = fold(theirs.of(self.types[0]), self.folded[0]);
        let ours = fold(ours.of(self.types[1]), self.folded[1]);
        let ours = if is_made_text { ours.of("TEXT") } else { ours };
        // Of two columns only numbers convert; what is made of a column is converted as its counterpart is.
        let common = match (theirs_column, ours_column) {
            (Some(theirs), Some(ours)) if [theirs, ours].contains(&"INTEGER") => "INTEGER",
            (Some(_), Some(_)) | (None, None) => "",
            (Some(column), None) | (None, Some(column)) => column,
        };
        theirs.of(common) == ours.of(common)
    }
}

pub(super) fn any_tenant() -> impl Strategy<Value = Tenant> {
    prop_oneof![
        1 => Just(Null), 3 => Just(Number), 3 => Just(Digit), 3 => Just(Word), 1 => Just(Loud), 1 => Just(Empty)
    ]
}

pub(super) fn any_on() -> impl Strategy<Value = On> {
    let kind = || prop_oneof![2 => Just("TEXT"), 2 => Just("INTEGER"), 1 => Just("")];
    let folded = proptest::array::uniform2(proptest::bool::weighted(0.3));
    (proptest::bool::weighted(0.7), any::<bool>(), folded, [kind(), kind()])
        .prop_map(|(several, tenant_first, folded, types)| On { several, tenant_first, folded, types })
}
