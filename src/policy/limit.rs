//! `limit`: how much one run may delete before somebody has to look.

use std::fmt;

use super::section::{Complaint, Section};
use crate::diagnostic::Code;

/// A share of a dataset, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// The default of the language for a rule: a quarter.
    pub const QUARTER: Share = Share(2_500);
    /// The default of the language for a dataset, whatever rules it loses records by: half.
    pub const HALF: Share = Share(5_000);

    const WHOLE: u32 = 10_000;

    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Share::WHOLE)
    }

    /// Whether `part` of `total` is more than this share.
    pub fn is_exceeded_by(self, part: u64, total: u64) -> bool {
        u128::from(part) * u128::from(Share::WHOLE) > u128::from(total) * u128::from(self.0)
    }

    /// The most of `total` that does not exceed this share.
    fn of(self, total: u64) -> u64 {
        let most = u128::from(total) * u128::from(self.0) / u128::from(Share::WHOLE);
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// The size from which a dataset can lose `part` records within this share.
    pub fn smallest_total_for(self, part: u64) -> u64 {
        if self.0 == 0 {
            return u64::MAX;
        }
        let needed = (u128::from(part) * u128::from(Share::WHOLE)).div_ceil(u128::from(self.0));
        u64::try_from(needed).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => write!(f, "{whole}%"),
            tenths if tenths % 10 == 0 => write!(f, "{whole}.{}%", tenths / 10),
            _ => write!(f, "{whole}.{hundredths:02}%"),
        }
    }
}

/// The limits of a rule. What is not written takes the default of the language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// The most records of one run.
    pub records: Option<u64>,
    /// The largest share of the dataset.
    pub share: Option<Share>,
}

/// How a limit is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Breach {
    /// More records than allowed.
    Records {
        /// The due records.
        value: u64,
        /// The most allowed.
        allowed: u64,
    },
    /// A larger share of the dataset than allowed.
    Share {
        /// The due share.
        value: f64,
        /// The largest allowed.
        allowed: Share,
    },
    /// The whole dataset.
    Whole {
        /// The due records, which are all there are.
        records: u64,
    },
}

impl Limit {
    /// From this size on the default share applies.
    const LARGE: u64 = 100;

    /// A rule's limit, with the policy's for what the rule does not write.
    pub fn or(self, policy: Limit) -> Limit {
        Limit { records: self.records.or(policy.records), share: self.share.or(policy.share) }
    }

    /// Whether deleting `due` of `total` records breaks a rule's limit.
    pub fn breach(self, due: u64, total: u64) -> Option<Breach> {
        self.breach_beyond(Share::QUARTER, due, total)
    }

    /// Whether `gone` of `total` records that leave a dataset, by whatever rules, break its limit.
    pub fn breach_of_dataset(self, gone: u64, total: u64) -> Option<Breach> {
        self.breach_beyond(Share::HALF, gone, total)
    }

    fn breach_beyond(self, default: Share, due: u64, total: u64) -> Option<Breach> {
        if due == 0 {
            return None;
        }
        if let Some(allowed) = self.records.filter(|allowed| due > *allowed) {
            return Some(Breach::Records { value: due, allowed });
        }
        let value = due as f64 / total.max(1) as f64;
        match self.share {
            Some(allowed) => allowed.is_exceeded_by(due, total).then_some(Breach::Share { value, allowed }),
            None if total >= 2 && due >= total => Some(Breach::Whole { records: due }),
            None => {
                let broken = total >= Limit::LARGE && default.is_exceeded_by(due, total);
                broken.then_some(Breach::Share { value, allowed: default })
            }
        }
    }

    /// The most of `total` records that may be deleted without breaking the limit.
    pub fn most(self, total: u64) -> u64 {
        let share = match self.share {
            Some(share) => share.of(total),
            None if total >= Limit::LARGE => Share::QUARTER.of(total),
            None if total >= 2 => total - 1,
            None => total,
        };
        share.min(self.records.unwrap_or(u64::MAX))
    }

    /// Counting a dataset this far is enough to answer [`Limit::breach`].
    pub fn enough_to_count(self, due: u64) -> u64 {
        self.enough_beyond(Share::QUARTER, due)
    }

    /// Counting a dataset this far is enough to answer [`Limit::breach_of_dataset`].
    pub fn enough_to_count_of_dataset(self, gone: u64) -> u64 {
        self.enough_beyond(Share::HALF, gone)
    }

    fn enough_beyond(self, default: Share, due: u64) -> u64 {
        let share = self.share.unwrap_or(default);
        share.smallest_total_for(due).max(Limit::LARGE).max(due.saturating_add(1))
    }
}

/// Reads `limit`, on a rule or under `[policy]`.
pub(super) fn read(section: &mut Section<'_>) -> Limit {
    let title = format!("`limit` of {}", section.title());
    let Some(mut inner) = section.section("limit", title) else { return Limit::default() };
    let limit = Limit {
        records: inner.whole_number("records").map(|records| records.value),
        share: inner.parsed("share", parse_share).map(|share| share.value),
    };
    inner.finish();
    limit
}

fn parse_share(text: &str) -> Result<Share, Complaint> {
    hundredths(text).filter(|share| (1..=Share::WHOLE).contains(share)).map(Share).ok_or_else(|| {
        let help = "write a percentage above 0 and up to 100, such as \"25%\"".to_string();
        Complaint::new(Code::BadValue, format!("`{text}` is not a share"), Some(help))
    })
}

fn hundredths(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let scale = if fraction.len() == 1 { 10 } else { 1 };
    Some(whole.parse::<u32>().ok()? * 100 + fraction.parse::<u32>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Option<Share> {
        parse_share(text).ok()
    }

    #[test]
    fn a_share_is_a_percentage_above_zero_and_up_to_a_hundred() {
        assert_eq!(share("25%"), Some(Share(2_500)));
        assert_eq!(share("0.5%"), Some(Share(50)));
        assert_eq!(share("12.25%"), Some(Share(1_225)));
        assert_eq!(share("100%"), Some(Share(10_000)));
        for wrong in ["25", "0%", "101%", "-1%", "1.234%", "%", ".%", "1,5%", " 5%", "5 %", "99999999999%"] {
            assert_eq!(share(wrong), None, "{wrong}");
        }
        assert_eq!(Share(50).to_string(), "0.5%");
        assert_eq!(Share(1_225).to_string(), "12.25%");
        assert_eq!(Share(2_500).to_string(), "25%");
    }

    #[test]
    fn the_default_limit_is_a_quarter_of_a_hundred_and_never_the_whole() {
        let limit = Limit::default();
        assert_eq!(limit.breach(0, 0), None);
        assert_eq!(limit.breach(1, 1), None, "a single record may go");
        assert_eq!(limit.breach(2, 2), Some(Breach::Whole { records: 2 }));
        assert_eq!(limit.breach(98, 99), None, "a small dataset may lose most");
        assert_eq!(limit.breach(99, 99), Some(Breach::Whole { records: 99 }));
        assert_eq!(limit.breach(25, 100), None);
        assert!(matches!(limit.breach(26, 100), Some(Breach::Share { .. })));
        assert_eq!(limit.breach(100, 100), Some(Breach::Whole { records: 100 }));
    }

    #[test]
    fn a_dataset_may_lose_half_of_a_hundred_and_never_the_whole() {
        let limit = Limit::default();
        assert_eq!(limit.breach_of_dataset(1, 1), None);
        assert_eq!(limit.breach_of_dataset(98, 99), None);
        assert_eq!(limit.breach_of_dataset(2, 2), Some(Breach::Whole { records: 2 }));
        assert_eq!(limit.breach_of_dataset(50, 100), None);
        assert!(matches!(limit.breach_of_dataset(51, 100), Some(Breach::Share { .. })));
        let ten = Limit { share: None, records: Some(10) };
        assert_eq!(ten.breach_of_dataset(11, 1_000), Some(Breach::Records { value: 11, allowed: 10 }));
        for gone in [1, 50, 51, 99, 100, 101, 5_000] {
            let bound = limit.enough_to_count_of_dataset(gone);
            for total in (gone..gone + 500).chain([2 * gone - 1, 2 * gone, 2 * gone + 1]) {
                let counted = total.min(bound);
                let (one, other) =
                    (limit.breach_of_dataset(gone, total), limit.breach_of_dataset(gone, counted));
                assert_eq!(one.is_some(), other.is_some(), "{gone} of {total}");
            }
        }
    }

    #[test]
    fn a_written_key_replaces_its_default() {
        let all = Limit { share: Some(Share(10_000)), records: None };
        assert_eq!(all.breach(200, 200), None);
        let half = Limit { share: Some(Share(5_000)), records: None };
        assert!(half.breach(6, 10).is_some(), "a written share holds for small datasets too");
        assert_eq!(half.breach(5, 10), None);
        let ten = Limit { share: None, records: Some(10) };
        assert_eq!(ten.breach(11, 1_000), Some(Breach::Records { value: 11, allowed: 10 }));
        assert!(ten.breach(10, 20).is_none());
        assert_eq!(ten.or(half), Limit { records: Some(10), share: Some(Share(5_000)) });
    }

    #[test]
    fn the_most_that_may_go_is_the_last_number_that_breaks_nothing() {
        for share in [None, Some(Share(1)), Some(Share(2_500)), Some(Share(3_333)), Some(Share(10_000))] {
            for records in [None, Some(0), Some(7)] {
                let limit = Limit { records, share };
                for total in (0..300).chain([10_007]) {
                    let most = limit.most(total);
                    assert_eq!(limit.breach(most, total), None, "{limit:?} {total}");
                    assert!(most >= total || limit.breach(most + 1, total).is_some(), "{limit:?} {total}");
                }
            }
        }
    }

    #[test]
    fn counting_up_to_the_bound_gives_the_same_answer_as_counting_all() {
        let shares = [None, Some(Share(1)), Some(Share(2_500)), Some(Share(3_333)), Some(Share(10_000))];
        for share in shares {
            let limit = Limit { records: None, share };
            for due in [0, 1, 2, 24, 25, 26, 33, 99, 100, 101] {
                let bound = limit.enough_to_count(due);
                for total in (due..due + 500).chain([bound.saturating_sub(1), bound, bound.saturating_add(1)])
                {
                    if total >= due {
                        let counted = total.min(bound);
                        assert_eq!(limit.breach(due, total).is_some(), limit.breach(due, counted).is_some());
                    }
                }
            }
        }
    }
}
