//! Why a row stays that a rule deletes: the nearest row that stays on its own account, by whatever way.

use crate::evaluate::Keeper;

/// More rules on one table than anybody writes.
const RULES: i64 = 1 << 20;
/// Marks what only rows keep that share it.
const SHARED: i64 = 1 << 40;

/// Why a row stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The edge by which the row that stays on its own account keeps the next one; none for that row itself.
    pub(crate) edge: Option<u16>,
    /// What keeps that row.
    pub(crate) keeper: Keeper,
    /// Whether it stays for as long as another speaks for it.
    pub(crate) is_spared: bool,
    /// Whether only rows keep it that share it, so that it blocks nothing that would take it along.
    pub(crate) is_shared: bool,
}

impl Reason {
    /// That of a row which stays on its own account.
    pub(crate) fn of(keeper: Keeper) -> Reason {
        Reason { edge: None, keeper, is_spared: false, is_shared: false }
    }

    /// That of a row which such a one keeps.
    pub(crate) fn by(self, edge: u16, is_spared: bool) -> Reason {
        Reason { edge: self.edge.or(Some(edge)), is_spared, ..self }
    }

    /// As the number that travels through an engine: below zero where it spares, and never zero.
    pub(crate) fn to_cell(self) -> i64 {
        let edge = self.edge.map_or(0, |edge| i64::from(edge) + 1);
        let cell = edge * RULES + keeper_to_cell(self.keeper) + SHARED * i64::from(self.is_shared);
        if self.is_spared { -cell } else { cell }
    }

    /// Back from that number.
    pub(crate) fn from_cell(cell: i64) -> Reason {
        let number = cell.saturating_abs();
        let edge = u16::try_from(number % SHARED / RULES - 1).ok();
        let keeper = keeper_from_cell(number % RULES);
        Reason { edge, keeper, is_spared: cell < 0, is_shared: number >= SHARED }
    }
}

/// 0 where nothing keeps the row.
pub(crate) fn keeper_to_cell(keeper: Keeper) -> i64 {
    match keeper {
        Keeper::Goes(_) => 0,
        Keeper::NoRule => 1,
        Keeper::Referred => 2,
        Keeper::Rule(rule) => i64::try_from(rule).map_or(1, |rule| (rule + 3).min(RULES - 1)),
    }
}

/// Back from that number.
pub(crate) fn keeper_from_cell(cell: i64) -> Keeper {
    match cell {
        2 => Keeper::Referred,
        3.. => Keeper::Rule(usize::try_from(cell - 3).unwrap_or(usize::MAX)),
        _ => Keeper::NoRule,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_reason_comes_back_from_the_engine(
            edge in proptest::option::of(0..u16::MAX), rule in 0..1_000_000_usize, is_spared: bool, is_shared: bool,
            which in 0..3_usize,
        ) {
            let keeper = [Keeper::NoRule, Keeper::Referred, Keeper::Rule(rule)][which];
            let reason = Reason { edge, keeper, is_spared, is_shared };
            prop_assert_eq!(Reason::from_cell(reason.to_cell()), reason);
            prop_assert_ne!(reason.to_cell(), 0);
        }
    }
}
