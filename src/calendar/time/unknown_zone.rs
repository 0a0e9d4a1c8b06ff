//! Names that are no zone, and what was meant.

use chrono_tz::TZ_VARIANTS;
use thiserror::Error;

use crate::calendar::spelling;

/// A name that is no IANA time zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no IANA time zone{}", spelling::did_you_mean(.suggestion))]
pub struct UnknownZone {
    /// The name as it was written.
    pub name: String,
    /// The zone that was probably meant.
    pub suggestion: Option<String>,
}

impl UnknownZone {
    pub(crate) fn new(name: &str) -> UnknownZone {
        let zones = TZ_VARIANTS.iter().map(|zone| zone.name());
        let suggestion = zones
            .clone()
            .find(|zone| zone.eq_ignore_ascii_case(name))
            .or_else(|| zones.clone().find(|zone| city(zone).eq_ignore_ascii_case(name)))
            .or_else(|| spelling::nearest(name, zones));
        UnknownZone { name: name.to_owned(), suggestion: suggestion.map(str::to_owned) }
    }
}

/// The part of a name that people remember.
fn city(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

#[cfg(test)]
mod tests {
    use crate::calendar::Zone;

    #[test]
    fn unknown_zones_are_met_with_a_suggestion() {
        let suggestion = |name| Zone::parse(name).unwrap_err().suggestion;
        assert_eq!(suggestion("europe/copenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("Europe/Kopenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("Copenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("utc").as_deref(), Some("UTC"));
        assert_eq!(suggestion(""), None);
        assert_eq!(suggestion(&"x".repeat(1000)), None);
        let message = Zone::parse("Europe/Kopenhagen").unwrap_err().to_string();
        assert!(message.ends_with("did you mean `Europe/Copenhagen`?"), "{message}");
    }
}
