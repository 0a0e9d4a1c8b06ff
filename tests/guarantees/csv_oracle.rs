//! Which bytes of a CSV file stay: slow, obvious, one byte after the other, and written from the
//! sentences of the language alone.

use super::support::OLD;

/// A record longer than this, and all behind it, is not judged.
const LONGEST: usize = 8 * 1024 * 1024;

/// A record: where it begins and ends, its fields' texts, and whether it is a proper one.
struct Record {
    start: usize,
    end: usize,
    fields: Vec<Vec<u8>>,
    is_proper: bool,
}

/// The bytes that stay of a file in which records with `at` = `OLD` are due, and how many are.
pub(crate) fn expected(bytes: &[u8], delimiter: u8, quote: Option<u8>) -> (Vec<u8>, u64) {
    let unchanged = (bytes.to_vec(), 0);
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let records = records(bytes, mark, delimiter, quote);
    let is_blank = |record: &Record| matches!(&bytes[record.start..record.end], b"\n" | b"\r\n");
    let Some(header) = records.iter().position(|record| !is_blank(record)) else { return unchanged };
    let names = &records[header].fields;
    let columns: Vec<usize> = (0..names.len()).filter(|column| names[*column] == b"at").collect();
    let ([column], true) = (&columns[..], records[header].is_proper) else { return unchanged };
    let (mut left, mut due) = (bytes[..records[header].end].to_vec(), 0);
    for record in &records[header + 1..] {
        let is_due = record.is_proper
            && !is_blank(record)
            && record.fields.len() == names.len()
            && record.fields[*column] == OLD.as_bytes();
        if is_due {
            due += 1;
        } else {
            left.extend_from_slice(&bytes[record.start..record.end]);
        }
    }
    (left, due)
}

/// Whether anything in a usual file is due.
pub(crate) fn is_due(bytes: &[u8]) -> bool {
    expected(bytes, b',', Some(b'"')).1 > 0
}

fn records(bytes: &[u8], from: usize, delimiter: u8, quote: Option<u8>) -> Vec<Record> {
    let (mut records, mut at) = (Vec::new(), from);
    while at < bytes.len() {
        let mut record = record(bytes, at, delimiter, quote);
        if record.end - record.start > LONGEST {
            record = Record { start: at, end: bytes.len(), fields: Vec::new(), is_proper: false };
        }
        at = record.end;
        records.push(record);
    }
    records
}

fn record(bytes: &[u8], start: usize, delimiter: u8, quote: Option<u8>) -> Record {
    let mut record = Record { start, end: start, fields: Vec::new(), is_proper: true };
    let mut at = start;
    loop {
        let mut text = Vec::new();
        let is_quoted = quote.is_some() && bytes.get(at) == quote.as_ref();
        if is_quoted {
            at += 1;
            loop {
                match (bytes.get(at), bytes.get(at + 1)) {
                    (None, _) => {
                        record.is_proper = false;
                        break;
                    }
                    (Some(byte), Some(next)) if Some(*byte) == quote && Some(*next) == quote => {
                        text.push(*byte);
                        at += 2;
                    }
                    (Some(byte), _) if Some(*byte) == quote => {
                        at += 1;
                        break;
                    }
                    (Some(byte), _) => {
                        text.push(*byte);
                        at += 1;
                    }
                }
            }
        }
        let behind = at;
        while bytes.get(at).is_some_and(|byte| *byte != delimiter && *byte != b'\n') {
            at += 1;
        }
        let mut rest = &bytes[behind..at];
        if bytes.get(at) == Some(&b'\n') {
            rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        }
        record.is_proper &= !is_quoted || rest.is_empty();
        text.extend_from_slice(rest);
        record.fields.push(text);
        let is_last = bytes.get(at) != Some(&delimiter);
        at = bytes.len().min(at + 1);
        if is_last {
            record.end = at;
            return record;
        }
    }
}
