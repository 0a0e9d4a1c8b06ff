//! Columns that look personal and that an anonymise rule leaves as they are.
//!
//! A name is taken apart into its words, `customerEmail` and `kunde_mail` alike, and a word is
//! compared as a whole: `ip` is an address, `shipping` is none.

use super::names::Few;
use super::{Coverage, Named};
use crate::calendar::Timestamp;
use crate::diagnostic::{Code, Finding};
use crate::policy::{CsvFiles, Rule};
use crate::source::csv::{columns, files};
use crate::source::request::{TableQuery, requests};

/// Words that mean something personal, in English and Danish, as [`words`] spells them.
const WORDS: [&str; 76] = [
    "name",
    "names",
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "forename",
    "username",
    "nickname",
    "navn",
    "fornavn",
    "efternavn",
    "mellemnavn",
    "brugernavn",
    "kaldenavn",
    "kundenavn",
    "kontaktperson",
    "email",
    "emails",
    "mail",
    "mails",
    "epost",
    "emailadresse",
    "mailadresse",
    "phone",
    "phones",
    "phonenumber",
    "telephone",
    "mobile",
    "tel",
    "fax",
    "msisdn",
    "telefon",
    "telefonnummer",
    "telefonnr",
    "tlf",
    "tlfnr",
    "mobil",
    "mobilnummer",
    "mobilnr",
    "address",
    "addresses",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "postalcode",
    "adresse",
    "adresser",
    "vej",
    "vejnavn",
    "gade",
    "husnr",
    "postnr",
    "postnummer",
    "ssn",
    "cpr",
    "cprnr",
    "cprnummer",
    "personnummer",
    "personnr",
    "passport",
    "pasnummer",
    "ip",
    "ipaddress",
    "ipadresse",
    "ipaddr",
    "ipv4",
    "ipv6",
    "birth",
    "birthday",
    "birthdate",
    "born",
    "dob",
    "foedt",
    "foedselsdato",
];

/// The same in two words, behind one another.
const PAIRS: [(&str, &str); 6] = [
    ("first", "name"),
    ("e", "mail"),
    ("e", "post"),
    ("foedsels", "dato"),
    ("foedsels", "dag"),
    ("post", "nr"),
];

/// Words beside `name` that make it the name of a thing.
const THINGS: [&str; 20] = [
    "file", "table", "column", "host", "domain", "class", "type", "product", "item", "event", "field", "job",
    "queue", "service", "server", "fil", "vare", "produkt", "plan", "brand",
];

/// Looks at the columns of one table, or of the lines of a source.
pub(super) fn check(
    named: &Named<'_>,
    request: &TableQuery<'_>,
    columns: &[String],
    coverage: &mut Coverage,
) {
    for rule in request.rules.iter().filter(|rule| !rule.deletes()) {
        let mut left = Few::default();
        let is_left = |column: &&String| is_personal(column) && !is_seen_to(named, request, rule, column);
        columns.iter().filter(is_left).for_each(|column| left.add(column.clone()));
        coverage.findings.extend(finding(rule, &left).map(|finding| (named.at, finding)));
    }
}

/// Looks at the header of a source's first file; what cannot be read is told by those who read the
/// records.
pub(super) fn of_files(named: &Named<'_>, source: &CsvFiles, now: Timestamp, coverage: &mut Coverage) {
    let found = files::find(source).unwrap_or_default();
    let Some(file) = found.files.first() else { return };
    let names = files::content(&file.path).and_then(|input| columns::names(input, &file.path, source));
    let Ok(names) = names else { return };
    for request in requests(named.policy, named.source, now, |_| true) {
        check(named, &request, &names, coverage);
    }
}

/// Whether some anonymise rule on the data sets the column, or it names the record or its subject:
/// then somebody has looked at it.
fn is_seen_to(named: &Named<'_>, request: &TableQuery<'_>, rule: &Rule, column: &str) -> bool {
    let settings = named.source.settings(&rule.table);
    let names = settings.key.iter().chain(settings.subject.iter().map(|(_, subject)| subject));
    let mut set = request.rules.iter().flat_map(|rule| rule.then.settings()).map(|setting| &setting.column);
    let mut read = rule.start.own_parts().map(|own| &own.column);
    names.into_iter().any(|name| name == column)
        || set.any(|set| set == column)
        || read.any(|read| read == column)
}

fn finding(rule: &Rule, left: &Few) -> Option<Finding> {
    let (columns, stay) = match left.count() {
        0 => return None,
        1 => ("a column that looks personal", "stays"),
        _ => ("columns that look personal", "stay"),
    };
    let message =
        format!("rule `{}` leaves {columns} as they are: {left} {stay} in {}", rule.name, rule.data());
    let message = if left.count() == 1 { message.replace("as they are", "as it is") } else { message };
    let span = rule.then.settings().first().map(|setting| setting.span.clone()).unwrap_or_default();
    let help =
        "say in `set` what becomes of them; columns of the source's `key` or `subject` are passed over";
    Some(Finding::warning(Code::PersonalColumn, message, span).help(help))
}

/// Whether a column's name says that it holds something personal.
fn is_personal(column: &str) -> bool {
    let words = words(column);
    let is_thing = words.iter().any(|word| THINGS.contains(&word.as_str()));
    let is_word = |word: &String| WORDS.contains(&word.as_str()) && !(is_thing && is_name(word));
    let is_pair = |pair: &[String]| PAIRS.contains(&(pair[0].as_str(), pair[1].as_str()));
    words.iter().any(is_word) || words.windows(2).any(is_pair)
}

fn is_name(word: &str) -> bool {
    matches!(word, "name" | "names" | "navn")
}

/// The words of a name in small letters, with `ae`, `oe` and `aa` for Danish letters.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word, mut was_small) = (Vec::new(), String::new(), false);
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_small) {
            words.push(std::mem::take(&mut word));
        }
        was_small = letter.is_lowercase();
        for small in letter.to_lowercase().filter(|small| small.is_alphanumeric()) {
            match small {
                'æ' => word.push_str("ae"),
                'ø' => word.push_str("oe"),
                'å' => word.push_str("aa"),
                other => word.push(other),
            }
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_columns_are_known_by_their_words() {
        for column in [
            "name",
            "customer_name",
            "firstName",
            "LastName",
            "navn",
            "Fornavn",
            "kunde_navn",
            "username",
            "email",
            "customerEmail",
            "e-mail",
            "e_post",
            "mail",
            "phone",
            "Telefon",
            "tlf",
            "mobil_nr",
            "mobilePhone",
            "address",
            "adresse",
            "street_1",
            "postnr",
            "post-nr",
            "gade",
            "vej",
            "cpr",
            "CPR",
            "cpr_nr",
            "personnummer",
            "ip",
            "client_ip",
            "IP",
            "ipAddress",
            "født",
            "foedt",
            "fødselsdato",
            "foedselsdato",
            "FødselsDag",
            "birth_date",
            "dateOfBirth",
            "born",
            "dob",
            "ssn",
        ] {
            assert!(is_personal(column), "{column}");
        }
    }

    #[test]
    fn other_columns_only_look_like_them() {
        for column in [
            "id",
            "filename",
            "file_name",
            "hostname",
            "host_name",
            "shipping",
            "ship_date",
            "tip",
            "description",
            "mailbox_size",
            "emailed",
            "renamed",
            "surnamed",
            "phoneme",
            "gadget",
            "vejr",
            "zipped",
            "table_name",
            "product_name",
            "produkt_navn",
            "typeName",
            "telemetry",
            "mobility",
            "borne",
            "status",
            "created_at",
            "amount",
            "note",
            "",
            "__",
            "æøå",
        ] {
            assert!(!is_personal(column), "{column}");
        }
    }
}
