//! Names of months, of weekdays and of the halves of a day in the languages that a pattern can be read in.
//!
//! Short names are those of the Unicode CLDR, of glibc and of Windows, which differ: each is read, with or
//! without the dot that some write behind it. No name of one month is the beginning of another's.

use crate::calendar::format::pattern::Part;

/// The language of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// `March`, `Mar`.
    #[default]
    English,
    /// `marts`, `mar.`
    Danish,
    /// `März`, `Mär.`
    German,
}

/// The spellings of one name; none begins one behind it.
type Spellings = &'static [&'static str];

impl Locale {
    /// The languages by their tags in BCP 47.
    pub(crate) const TAGGED: [(&str, Locale); 3] =
        [("en", Locale::English), ("da", Locale::Danish), ("de", Locale::German)];

    fn all(self) -> &'static Names {
        match self {
            Locale::English => &ENGLISH,
            Locale::Danish => &DANISH,
            Locale::German => &GERMAN,
        }
    }

    /// The names of a part, in full or short; none where it has no names.
    fn names(self, part: Part, is_short: bool) -> &'static [Spellings] {
        let names = self.all();
        match (part, is_short) {
            (Part::Month, false) => &names.months,
            (Part::Month, true) => &names.short_months,
            (Part::Weekday, false) => &names.weekdays,
            (Part::Weekday, true) => &names.short_weekdays,
            (Part::HalfOfDay, _) => &[&["AM"], &["PM"]],
            _ => &[],
        }
    }
}

/// The names of one language, from January and from Monday on.
struct Names {
    months: [Spellings; 12],
    short_months: [Spellings; 12],
    weekdays: [Spellings; 7],
    short_weekdays: [Spellings; 7],
}

static ENGLISH: Names = Names {
    months: [
        &["January"],
        &["February"],
        &["March"],
        &["April"],
        &["May"],
        &["June"],
        &["July"],
        &["August"],
        &["September"],
        &["October"],
        &["November"],
        &["December"],
    ],
    short_months: [
        &["Jan"],
        &["Feb"],
        &["Mar"],
        &["Apr"],
        &["May"],
        &["Jun"],
        &["Jul"],
        &["Aug"],
        &["Sep"],
        &["Oct"],
        &["Nov"],
        &["Dec"],
    ],
    weekdays: [
        &["Monday"],
        &["Tuesday"],
        &["Wednesday"],
        &["Thursday"],
        &["Friday"],
        &["Saturday"],
        &["Sunday"],
    ],
    short_weekdays: [&["Mon"], &["Tue"], &["Wed"], &["Thu"], &["Fri"], &["Sat"], &["Sun"]],
};

static DANISH: Names = Names {
    months: [
        &["januar"],
        &["februar"],
        &["marts"],
        &["april"],
        &["maj"],
        &["juni"],
        &["juli"],
        &["august"],
        &["september"],
        &["oktober"],
        &["november"],
        &["december"],
    ],
    short_months: [
        &["jan"],
        &["feb"],
        &["marts", "mar"],
        &["apr"],
        &["maj"],
        &["juni", "jun"],
        &["juli", "jul"],
        &["aug"],
        &["sept", "sep"],
        &["okt"],
        &["nov"],
        &["dec"],
    ],
    weekdays: [&["mandag"], &["tirsdag"], &["onsdag"], &["torsdag"], &["fredag"], &["lørdag"], &["søndag"]],
    short_weekdays: [
        &["man", "ma"],
        &["tirs", "tir", "ti"],
        &["ons", "on"],
        &["tors", "tor", "to"],
        &["fre", "fr"],
        &["lør", "lø"],
        &["søn", "sø"],
    ],
};

static GERMAN: Names = Names {
    months: [
        &["Januar", "Jänner"],
        &["Februar"],
        &["März"],
        &["April"],
        &["Mai"],
        &["Juni"],
        &["Juli"],
        &["August"],
        &["September"],
        &["Oktober"],
        &["November"],
        &["Dezember"],
    ],
    short_months: [
        &["Jan", "Jän"],
        &["Feb"],
        &["März", "Mär", "Mrz"],
        &["Apr"],
        &["Mai"],
        &["Juni", "Jun"],
        &["Juli", "Jul"],
        &["Aug"],
        &["Sept", "Sep"],
        &["Okt"],
        &["Nov"],
        &["Dez"],
    ],
    weekdays: [
        &["Montag"],
        &["Dienstag"],
        &["Mittwoch"],
        &["Donnerstag"],
        &["Freitag"],
        &["Sonnabend", "Samstag"],
        &["Sonntag"],
    ],
    short_weekdays: [
        &["Mon", "Mo"],
        &["Die", "Di"],
        &["Mit", "Mi"],
        &["Don", "Do"],
        &["Fre", "Fr"],
        &["Sam", "Sa"],
        &["Son", "So"],
    ],
};

/// A field that is written as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) part: Part,
    is_short: bool,
    locale: Locale,
    /// Whether a dot behind it belongs to it. Where the pattern goes on with one, it belongs to the pattern.
    pub(crate) takes_dot: bool,
}

impl Name {
    pub(crate) fn new(part: Part, is_short: bool, locale: Locale) -> Name {
        let takes_dot = is_short && part != Part::HalfOfDay && locale != Locale::English;
        Name { part, is_short, locale, takes_dot }
    }

    /// Whether it is written otherwise in other languages.
    pub(crate) fn is_of_a_language(self) -> bool {
        self.part != Part::HalfOfDay
    }

    /// Splits one of the names off, in any case, as its number: months count from 1, all else from 0.
    pub(crate) fn split(self, text: &[u8]) -> Option<(i64, &[u8])> {
        let (number, _, rest) = self.found(text)?;
        let rest = if self.takes_dot { rest.strip_prefix(b".").unwrap_or(rest) } else { rest };
        Some((number as i64 + i64::from(self.part == Part::Month), rest))
    }

    /// The place of the name that a text begins with, and of its spelling.
    fn found(self, text: &[u8]) -> Option<(usize, usize, &[u8])> {
        let names = self.locale.names(self.part, self.is_short);
        names.iter().enumerate().find_map(|(number, spellings)| {
            let mut spelt = spellings.iter().enumerate();
            spelt.find_map(|(place, name)| Some((number, place, without_name(text, name)?)))
        })
    }

    /// The name of another number, spelt as `before` was.
    pub(crate) fn written(self, before: &[u8], number: usize) -> Vec<u8> {
        let Some((_, place, rest)) = self.found(before) else { return before.to_vec() };
        let spellings = self.locale.names(self.part, self.is_short)[number];
        let name = spellings[place.min(spellings.len() - 1)];
        let mut made = in_the_case_of(&before[..before.len() - rest.len()], name).into_bytes();
        made.extend_from_slice(rest);
        made
    }
}

/// What follows a name in a text that begins with it, in any case.
fn without_name<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let (start, rest) = text.split_at_checked(name.len())?;
    if start.eq_ignore_ascii_case(name.as_bytes()) {
        return Some(rest);
    }
    let is_beyond_ascii =
        !name.is_ascii() && std::str::from_utf8(start).ok()?.to_lowercase() == name.to_lowercase();
    is_beyond_ascii.then_some(rest)
}

fn in_the_case_of(before: &[u8], name: &str) -> String {
    let Ok(before) = std::str::from_utf8(before) else { return name.to_owned() };
    let mut letters = before.chars();
    let (first, others) = (letters.next(), letters.as_str());
    if before == before.to_lowercase() {
        name.to_lowercase()
    } else if before == before.to_uppercase() {
        name.to_uppercase()
    } else if first.is_some_and(char::is_uppercase) && others == others.to_lowercase() {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALES: [Locale; 3] = [Locale::English, Locale::Danish, Locale::German];

    #[test]
    fn every_name_is_read_as_its_number_and_as_no_other() {
        for (locale, part, is_short) in LOCALES.into_iter().flat_map(|locale| {
            [Part::Month, Part::Weekday]
                .into_iter()
                .flat_map(move |part| [(locale, part, true), (locale, part, false)])
        }) {
            let names = locale.names(part, is_short);
            assert_eq!(names.len(), if part == Part::Month { 12 } else { 7 });
            for (number, spellings) in names.iter().enumerate() {
                assert!(spellings.windows(2).all(|pair| !pair[1].starts_with(pair[0])), "{spellings:?}");
                for text in spellings
                    .iter()
                    .flat_map(|name| [name.to_string(), name.to_uppercase(), name.to_lowercase()])
                {
                    let name = Name::new(part, is_short, locale);
                    let first = i64::from(part == Part::Month);
                    assert_eq!(
                        name.split(text.as_bytes()),
                        Some((number as i64 + first, &b""[..])),
                        "{text}"
                    );
                    assert_eq!(name.written(text.as_bytes(), number), text.as_bytes());
                }
            }
        }
    }

    #[test]
    fn no_name_begins_another_one_s() {
        for locale in LOCALES {
            for (part, is_short) in
                [(Part::Month, true), (Part::Month, false), (Part::Weekday, true), (Part::Weekday, false)]
            {
                let names = locale.names(part, is_short);
                for (number, name) in names
                    .iter()
                    .enumerate()
                    .flat_map(|(number, all)| all.iter().map(move |name| (number, name)))
                {
                    for (other, another) in names
                        .iter()
                        .enumerate()
                        .flat_map(|(other, all)| all.iter().map(move |name| (other, name)))
                    {
                        assert!(number == other || !another.starts_with(name), "{name} begins {another}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_dot_belongs_to_a_short_name_of_languages_that_write_one() {
        let split = |locale, text: &'static str| Name::new(Part::Month, true, locale).split(text.as_bytes());
        assert_eq!(split(Locale::Danish, "okt. 2024"), Some((10, &b" 2024"[..])));
        assert_eq!(split(Locale::Danish, "okt 2024"), Some((10, &b" 2024"[..])));
        assert_eq!(split(Locale::English, "Oct. 2024"), Some((10, &b". 2024"[..])));
        assert_eq!(Name::new(Part::Month, true, Locale::Danish).written(b"sept.", 0), b"jan.");
        assert_eq!(Name::new(Part::Month, true, Locale::German).written(b"M\xc3\x84R", 0), "JÄN".as_bytes());
    }
}
