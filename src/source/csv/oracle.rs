//! CSV read once more, byte by byte and field by field, to compare with.

use std::fs;

use proptest::prelude::*;

use super::chunks::{Chunk, Chunks, LONGEST};
use super::{Dialect, Fault};

/// A record: its bytes, its fields as written, and what is wrong with it.
type Plain = (Vec<u8>, Vec<Vec<u8>>, Option<Fault>);

#[derive(Clone, Copy, PartialEq)]
enum At {
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote inside of quotes: it closes, or is the first of two.
    MaybeClosed,
    Junk,
}

fn plainly(bytes: &[u8], dialect: &Dialect) -> Vec<Plain> {
    let mut records = Vec::new();
    let (mut record, mut fields, mut field) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut fault) = (At::FieldStart, None);
    for (place, &byte) in bytes.iter().enumerate() {
        record.push(byte);
        let is_quote = dialect.quote == Some(byte);
        let ends = at != At::Quoted && (byte == dialect.delimiter || byte == b'\n');
        if ends {
            let mut done = std::mem::take(&mut field);
            if byte == b'\n' && done.last() == Some(&b'\r') {
                done.pop();
            }
            fields.push(done);
            at = At::FieldStart;
            if byte == b'\n' {
                finish(&mut records, &mut record, &mut fields, &mut fault, dialect);
            }
            continue;
        }
        field.push(byte);
        at = match at {
            At::FieldStart if is_quote => At::Quoted,
            At::FieldStart | At::Unquoted => At::Unquoted,
            At::Quoted if is_quote => At::MaybeClosed,
            At::Quoted => At::Quoted,
            At::MaybeClosed if is_quote => At::Quoted,
            At::MaybeClosed if byte == b'\r' && bytes.get(place + 1) == Some(&b'\n') => At::MaybeClosed,
            At::MaybeClosed | At::Junk => {
                fault = fault.or(Some(Fault::BehindQuote));
                At::Junk
            }
        };
    }
    if !record.is_empty() {
        if at == At::Quoted {
            fault = Some(Fault::Unclosed);
            fields.clear();
        } else {
            fields.push(field);
        }
        finish(&mut records, &mut record, &mut fields, &mut fault, dialect);
    }
    records
}

fn finish(
    records: &mut Vec<Plain>,
    record: &mut Vec<u8>,
    fields: &mut Vec<Vec<u8>>,
    fault: &mut Option<Fault>,
    dialect: &Dialect,
) {
    let fields = std::mem::take(fields);
    let ragged = dialect.width.is_some_and(|width| width as usize != fields.len());
    let fault = fault.take().or(ragged.then_some(Fault::Ragged));
    records.push((std::mem::take(record), fields, fault));
}

/// The same by the reader, with a buffer of this size.
fn by_chunks(bytes: &[u8], dialect: &Dialect, buffer: usize, one_first: bool) -> Vec<Plain> {
    let mut chunks = Chunks::with_buffer(bytes, dialect.clone(), buffer);
    let (mut records, mut offset) = (Vec::new(), 0);
    let (mut is_first, mut chunk) = (one_first, Chunk::default());
    loop {
        let more = if is_first { chunks.first(&mut chunk) } else { chunks.next(&mut chunk) };
        if !more.unwrap() {
            break;
        }
        assert_eq!(chunk.offset, offset, "chunks follow each other");
        assert_eq!(chunk.part, None);
        let before = records.len();
        for record in chunk.records() {
            // Nobody asks for the fields of what does not end.
            let width = if record.fault == Some(Fault::Unclosed) { 0 } else { record.width() };
            let fields = (0..width).map(|place| record.field(place).to_vec()).collect();
            records.push((record.bytes().to_vec(), fields, record.fault));
        }
        assert!(!is_first || records.len() == before + 1, "the header comes alone");
        let covered: usize = records[before..].iter().map(|record| record.0.len()).sum();
        assert_eq!(covered, chunk.bytes().len(), "records cover their chunk");
        offset += chunk.bytes().len() as u64;
        is_first = false;
    }
    assert_eq!(offset, bytes.len() as u64, "no byte is left out");
    records
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let quote = prop_oneof![4 => Just(Some(b'"')), 1 => Just(Some(b'\'')), 1 => Just(None)];
    let delimiter = prop_oneof![3 => Just(b','), 1 => Just(b';')];
    let width = prop_oneof![Just(None), (1_u32..4).prop_map(Some)];
    (quote, delimiter, width).prop_map(|(quote, delimiter, width)| Dialect { delimiter, quote, width })
}

/// Bytes in which everything that matters is frequent.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::sample::select(&b"\"\"\",,;'\n\n\ra\0\xff"[..]).prop_map(|byte| vec![byte]),
        2 => Just(b"\"a,b\"".to_vec()),
        2 => Just(b"\"a\"\"b\n\"".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        2 => Just(b"\"x\"\r\n".to_vec()),
        2 => (1_usize..80).prop_map(|length| vec![b'z'; length]),
        1 => Just(b"2020-01-01,\"paid\",7\n".to_vec()),
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// Proper records, in which the fast way is never left.
fn regular() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just(""),
        Just("a"),
        Just("\"\""),
        Just("\"q\"\"q\""),
        Just("\"1,\n2\""),
        Just("2020-01-01T00:00:00Z")
    ];
    let line = (proptest::collection::vec(field, 1..5), prop_oneof![Just("\n"), Just("\r\n")]);
    proptest::collection::vec(line, 0..60).prop_map(|lines| {
        lines.into_iter().map(|(fields, end)| fields.join(",") + end).collect::<String>().into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::depth::cases(600), ..ProptestConfig::default() })]

    #[test]
    fn hostile_bytes_read_as_the_plain_reader_reads_them(
        bytes in hostile(), dialect in dialect(), buffer in 1_usize..400, one_first: bool,
    ) {
        prop_assert_eq!(by_chunks(&bytes, &dialect, buffer, one_first), plainly(&bytes, &dialect));
    }

    #[test]
    fn regular_bytes_read_as_the_plain_reader_reads_them(
        bytes in regular(), width in prop_oneof![Just(None), (1_u32..5).prop_map(Some)], buffer in 1_usize..400,
    ) {
        let dialect = Dialect { delimiter: b',', quote: Some(b'"'), width };
        prop_assert_eq!(by_chunks(&bytes, &dialect, buffer, false), plainly(&bytes, &dialect));
    }
}

#[test]
fn a_quote_that_is_never_closed_keeps_what_follows_without_reading_it_into_memory() {
    let mut bytes = b"a,b\n1,2\n\"".to_vec();
    bytes.resize(3 * LONGEST, b'x');
    let dialect = Dialect { delimiter: b',', quote: Some(b'"'), width: None };
    let mut chunks = Chunks::new(&bytes[..], dialect);
    let (mut covered, mut parts) = (0, 0);
    let mut chunk = Chunk::default();
    while chunks.next(&mut chunk).unwrap() {
        covered += chunk.bytes().len();
        parts += usize::from(chunk.part.is_some());
    }
    assert_eq!(covered, bytes.len());
    assert!(parts >= 2);
}

#[test]
fn a_record_is_too_long_wherever_the_blocks_end() {
    let dialect = Dialect { delimiter: b',', quote: Some(b'"'), width: None };
    for (length, is_judged) in [(LONGEST, true), (LONGEST + 1, false), (LONGEST + 100_000, false)] {
        let mut bytes = b"a,b\n".to_vec();
        bytes.resize(4 + length - 1, b'x');
        bytes.extend_from_slice(b"\nc,d\n");
        let mut chunks = Chunks::new(&bytes[..], dialect.clone());
        let (mut chunk, mut parts) = (Chunk::default(), 0);
        let mut covered = 0;
        while chunks.next(&mut chunk).unwrap() {
            covered += chunk.bytes().len();
            parts += usize::from(chunk.part.is_some());
        }
        assert_eq!((covered, parts == 0), (bytes.len(), is_judged), "{length}");
    }
}

#[test]
fn every_short_text_of_hostile_bytes_reads_the_same() {
    let dialect = Dialect { delimiter: b',', quote: Some(b'"'), width: Some(2) };
    let alphabet = b"\",\n\ra";
    for length in 0..7_u32 {
        for number in 0..alphabet.len().pow(length) {
            let mut rest = number;
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    let byte = alphabet[rest % alphabet.len()];
                    rest /= alphabet.len();
                    byte
                })
                .collect();
            assert_eq!(by_chunks(&bytes, &dialect, 3, false), plainly(&bytes, &dialect), "{bytes:?}");
        }
    }
}

#[test]
fn faults_of_the_file_are_not_hidden_by_the_end_of_a_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let line = b"2020-01-01,\"a \"\"b\"\"\",x\r\n";
    fs::write(&path, line.repeat(40_000)).unwrap();
    let dialect = Dialect { delimiter: b',', quote: Some(b'"'), width: Some(3) };
    let mut chunks = Chunks::new(fs::File::open(&path).unwrap(), dialect);
    let mut proper = 0;
    let mut chunk = Chunk::default();
    while chunks.next(&mut chunk).unwrap() {
        proper += chunk.records().filter(|record| record.fault.is_none() && record.field(2) == b"x").count();
    }
    assert_eq!(proper, 40_000);
}
