//! What keeps a record, as the number that travels through the engine.

use crate::verdict::Keeper;

/// More rules on one table than anybody writes.
const STRIDE: i64 = 1 << 20;

/// A foreign key, by its number, and what keeps the row that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: usize,
    pub(super) keeper: Keeper,
}

impl Code {
    /// The number of the key alone, to which that of the keeper is added.
    pub(super) fn base(self) -> i64 {
        i64::try_from(self.number).unwrap_or_default() * STRIDE
    }

    pub(super) fn to_cell(self) -> i64 {
        self.base() + keeper_to_cell(self.keeper)
    }

    pub(super) fn from_cell(cell: i64) -> Code {
        let number = usize::try_from(cell / STRIDE).unwrap_or(usize::MAX);
        Code { number, keeper: keeper_from_cell(cell % STRIDE) }
    }
}

/// 0 where nothing keeps the row.
pub(super) fn keeper_to_cell(keeper: Keeper) -> i64 {
    match keeper {
        Keeper::Goes(_) => 0,
        Keeper::NoRule => 1,
        Keeper::Referred => 2,
        Keeper::Rule(rule) => i64::try_from(rule).map_or(1, |rule| (rule + 3).min(STRIDE - 1)),
    }
}

pub(super) fn keeper_from_cell(cell: i64) -> Keeper {
    match cell {
        2 => Keeper::Referred,
        3.. => Keeper::Rule(usize::try_from(cell - 3).unwrap_or(usize::MAX)),
        _ => Keeper::NoRule,
    }
}

/// The rows of a table that keep a record, in words; the names are those of the rules on them.
pub(super) fn keeping_rows(table: &str, keeper: Keeper, rules: &[String]) -> String {
    let who = match keeper {
        Keeper::Rule(rule) => format!("that rule `{}` keeps", rules.get(rule).map_or("", String::as_str)),
        Keeper::Referred => "that others keep in turn".to_string(),
        Keeper::NoRule | Keeper::Goes(_) => "that no rule means".to_string(),
    };
    format!("rows of `{table}` {who}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_after_its_way_through_the_engine() {
        for keeper in [Keeper::NoRule, Keeper::Referred, Keeper::Rule(0), Keeper::Rule(7)] {
            for number in [0, 1, 99] {
                let code = Code { number, keeper };
                assert_ne!(code.to_cell(), 0, "0 means that nothing keeps the record");
                assert_eq!(Code::from_cell(code.to_cell()), code);
                assert_eq!(code.base() + keeper_to_cell(keeper), code.to_cell());
            }
        }
        assert_eq!(keeper_to_cell(Keeper::Goes(3)), 0);
    }
}
