//! Which field of a file is which column, and the values of a record's fields.

use std::cell::OnceCell;
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

use super::Dialect;
use super::chunks::{Chunk, Chunks};
use super::files::cannot_read;
use super::index::Record;
use crate::diagnostic::Code;
use crate::evaluate::{CommonCase, CommonTally, Evaluator, Tally};
use crate::policy::CsvFiles;
use crate::source::Problem;
use crate::source::request::TableQuery;
use crate::value::Value;

/// The fields that a request's rules read, in the order of their book's columns.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    places: Vec<usize>,
    /// Between the fields of the file.
    pub(crate) delimiter: u8,
    quote: Option<u8>,
    encoding: Option<&'static Encoding>,
    common: Option<CommonCase>,
}

/// A file behind its header. None of its records are to be judged where it has no header at all,
/// for then it is empty.
pub(crate) struct Opened<R> {
    pub(crate) chunks: Chunks<R>,
    pub(crate) columns: Option<Columns>,
    /// The header as it is written, with what stands before it.
    pub(crate) header: Vec<u8>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a file's header and finds the columns of a request.
pub(crate) fn open<R: Read>(
    input: R,
    path: &Path,
    source: &CsvFiles,
    request: &TableQuery<'_>,
) -> Result<Opened<R>, Problem> {
    open_with(input, path, source, (request, &[]))
}

/// The same with further columns behind those of the book.
pub(crate) fn open_with<R: Read>(
    input: R,
    path: &Path,
    source: &CsvFiles,
    (request, also): (&TableQuery<'_>, &[String]),
) -> Result<Opened<R>, Problem> {
    let mut opened = open_for(input, path, source, &[request.book.columns(), also].concat())?;
    // A quote that such a time may hold would be doubled there.
    let is_clear = source.quote.is_none_or(|quote| !b"0123456789-:TZ ".contains(&quote));
    if let Some(columns) = &mut opened.columns {
        columns.common = request.book.common_case().filter(|_| is_clear);
    }
    Ok(opened)
}

/// Reads a file's header and finds some columns.
pub(super) fn open_for<R: Read>(
    input: R,
    path: &Path,
    source: &CsvFiles,
    wanted: &[String],
) -> Result<Opened<R>, Problem> {
    let (mut chunks, mut header) = begin(input, path, source)?;
    let names = match &source.columns {
        Some(names) => names.iter().map(|name| name.clone().into_bytes()).collect(),
        None => match read_header(&mut chunks, path, source, &mut header)? {
            Some(names) => names,
            None => return Ok(Opened { chunks, columns: None, header }),
        },
    };
    chunks.expect(u32::try_from(names.len()).unwrap_or(u32::MAX));
    let columns = Some(Columns::find(&names, path, source, chunks.dialect(), wanted)?);
    Ok(Opened { chunks, columns, header })
}

/// The names of a file's columns, as text.
pub(crate) fn names<R: Read>(input: R, path: &Path, source: &CsvFiles) -> Result<Vec<String>, Problem> {
    if let Some(names) = &source.columns {
        return Ok(names.clone());
    }
    let (mut chunks, mut header) = begin(input, path, source)?;
    let names = read_header(&mut chunks, path, source, &mut header)?.unwrap_or_default();
    Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// A file behind all that stands before its header, and that as it is written.
fn begin<R: Read>(input: R, path: &Path, source: &CsvFiles) -> Result<(Chunks<R>, Vec<u8>), Problem> {
    let dialect = Dialect { delimiter: source.delimiter, quote: source.quote, width: None };
    let mut chunks = Chunks::new(input, dialect);
    let explain = |error| cannot_read(path, &error);
    let beginning = chunks.beginning(BYTE_ORDER_MARK.len()).map_err(explain)?;
    if [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| beginning.starts_with(*mark)) {
        let message = format!(
            "{} is UTF-16, which frist does not read: convert it, as `iconv -f utf-16 -t utf-8` does",
            path.display()
        );
        return Err(Problem::new(Code::Utf16, message));
    }
    let mut before = Vec::new();
    if beginning == BYTE_ORDER_MARK {
        if let Some(encoding) = source.encoding {
            let message = format!(
                "{} begins with the mark of UTF-8, and the policy says `encoding = \"{}\"`; make it a source of its own",
                path.display(),
                encoding.name()
            );
            return Err(Problem::new(Code::BadHeader, message));
        }
        chunks.skip(BYTE_ORDER_MARK.len());
        before.extend_from_slice(BYTE_ORDER_MARK);
    }
    titles(&mut chunks, path, source, &mut before)?;
    Ok((chunks, before))
}

/// Passes over the lines before the header. The first of all may say the delimiter.
fn titles<R: Read>(
    chunks: &mut Chunks<R>,
    path: &Path,
    source: &CsvFiles,
    before: &mut Vec<u8>,
) -> Result<(), Problem> {
    let explain = |error| cannot_read(path, &error);
    let mut left = source.skip_lines;
    let said = said_delimiter(chunks.beginning(SEPARATOR_LINE).map_err(explain)?);
    if let Some(delimiter) = said {
        if source.says_delimiter && delimiter != source.delimiter || Some(delimiter) == source.quote {
            return Err(no_header(path, "its first line, `sep=`, says another delimiter than the policy"));
        }
        chunks.separate_by(delimiter);
        left = left.max(1);
    }
    let mut is_empty = before.is_empty();
    for _ in 0..left {
        match chunks.line().map_err(explain)? {
            Some(line) => before.extend_from_slice(&line),
            None if is_empty => return Ok(()),
            None => return Err(no_header(path, "it ends before the lines that `skip-lines` passes over")),
        }
        is_empty = false;
    }
    Ok(())
}

/// How long the line `sep=;` is at most.
const SEPARATOR_LINE: usize = b"sep=;\r\n".len();

/// What the line `sep=;`, which spreadsheets write and read, says.
fn said_delimiter(beginning: &[u8]) -> Option<u8> {
    match beginning.strip_prefix(b"sep=")? {
        [delimiter, b'\n', ..] | [delimiter, b'\r', b'\n', ..] if delimiter.is_ascii() => Some(*delimiter),
        _ => None,
    }
}

/// A text as UTF-8, where the encoding has all its characters; else its bytes.
fn decoded(text: Vec<u8>, encoding: Option<&'static Encoding>) -> Vec<u8> {
    let known =
        encoding.and_then(|encoding| encoding.decode_without_bom_handling_and_without_replacement(&text));
    match known {
        Some(known) => known.into_owned().into_bytes(),
        None => text,
    }
}

/// The names in the first line that is not blank; none where there is no such line.
fn read_header<R: Read>(
    chunks: &mut Chunks<R>,
    path: &Path,
    source: &CsvFiles,
    header: &mut Vec<u8>,
) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let quote = chunks.dialect().quote;
    let mut chunk = Chunk::default();
    while chunks.first(&mut chunk).map_err(|error| cannot_read(path, &error))? {
        header.extend_from_slice(chunk.bytes());
        let Some(record) = chunk.records().next() else {
            return Err(no_header(path, "its first record does not end"));
        };
        if has_bare_return(record.bytes()) {
            return Err(no_header(path, BARE_RETURN));
        }
        if let Some(fault) = record.fault {
            return Err(no_header(path, fault.text()));
        }
        if !record.is_blank() {
            let names =
                (0..record.width()).map(|place| decoded(text(record.field(place), quote), source.encoding));
            return Ok(Some(names.collect()));
        }
    }
    if source.skip_lines > 0 && !header.is_empty() {
        return Err(no_header(path, "nothing follows the lines that `skip-lines` passes over"));
    }
    Ok(None)
}

const BARE_RETURN: &str = "it holds a bare carriage return, and programs of today end lines with a line feed: convert \
                           the file, as `tr '\\r' '\\n'` does";

/// Whether some bytes hold a carriage return that no line feed follows.
pub(super) fn has_bare_return(bytes: &[u8]) -> bool {
    memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
}

fn no_header(path: &Path, why: &str) -> Problem {
    let message = format!(
        "the header of {} cannot be read: {why}; correct it, or say in the policy how the file is written \
         (`delimiter`, `quote`, `header`)",
        path.display()
    );
    Problem::new(Code::BadHeader, message)
}

impl Columns {
    fn find(
        names: &[Vec<u8>],
        path: &Path,
        source: &CsvFiles,
        dialect: &Dialect,
        wanted: &[String],
    ) -> Result<Columns, Problem> {
        let place_of = |column: &String| {
            let mut places = (0..names.len()).filter(|place| names[*place] == column.as_bytes());
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(ambiguous(column, path)),
                (None, _) => Err(super::missing::column(column, names, path, dialect)),
            }
        };
        let places: Result<Vec<usize>, Problem> = wanted.iter().map(place_of).collect();
        Ok(Columns {
            places: places?,
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            encoding: source.encoding,
            common: None,
        })
    }

    /// A text as the file writes it; none where its encoding cannot.
    pub(crate) fn encoded(&self, made: Vec<u8>) -> Option<Vec<u8>> {
        let Some(encoding) = self.encoding.filter(|_| !made.is_ascii()) else { return Some(made) };
        let (bytes, _, is_replaced) = encoding.encode(std::str::from_utf8(&made).ok()?);
        (!is_replaced).then(|| bytes.into_owned())
    }

    /// The place in the file of one of the book's columns.
    pub(crate) fn place(&self, column: usize) -> usize {
        self.places[column]
    }

    /// Whether a carriage return stands in a record where it can only be meant to end it.
    pub(super) fn has_bare_return(&self, record: Record<'_>) -> bool {
        let is_bare = |field: &[u8]| !self.is_quoted(field) && has_bare_return(field);
        has_bare_return(record.bytes()) && (0..record.width()).any(|place| is_bare(record.field(place)))
    }

    /// A proper record as a row of values.
    #[inline]
    pub(crate) fn row<'r>(&'r self, record: Record<'r>) -> Row<'r> {
        Row { columns: self, record, texts: OnceCell::new() }
    }

    /// Whether a record is due under one rule. One that is not proper never is.
    #[inline]
    pub(crate) fn is_due(&self, record: Record<'_>, book: &Evaluator, rule: usize) -> bool {
        if record.fault.is_some() || record.is_blank() {
            return false;
        }
        let common = self.common.and_then(|case| case.is_due(self.unquoted(record, case.column)));
        common.unwrap_or_else(|| {
            let row = self.row(record);
            book.is_due(rule, &|column| row.value(column))
        })
    }

    /// Counts a proper record by every rule of the book.
    #[inline(always)]
    pub(crate) fn count(
        &self,
        record: Record<'_>,
        book: &Evaluator,
        tallies: &mut [Tally],
        common: &mut Option<CommonTally>,
    ) {
        if let (Some(case), Some(tally)) = (&self.common, common)
            && tally.count(self.unquoted(record, case.column))
        {
            return;
        }
        let row = self.row(record);
        Tally::count(tallies, book, &|column| row.value(column));
    }

    /// What can be counted without asking the book.
    pub(crate) fn common_tally(&self) -> Option<CommonTally> {
        self.common.map(CommonTally::new)
    }

    /// What a field holds between its quotes, doubled ones as they are.
    #[inline(always)]
    fn unquoted<'r>(&self, record: Record<'r>, column: usize) -> &'r [u8] {
        let field = record.field(self.places[column]);
        if self.is_quoted(field) { &field[1..field.len() - 1] } else { field }
    }

    #[inline]
    fn is_quoted(&self, field: &[u8]) -> bool {
        field.first().is_some_and(|first| Some(*first) == self.quote)
    }
}

/// The values of one record.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    columns: &'r Columns,
    record: Record<'r>,
    /// What the fields say, once one was met that holds doubled quotes.
    texts: OnceCell<Vec<Vec<u8>>>,
}

impl Row<'_> {
    /// The value of one of the book's columns.
    #[inline(always)]
    pub(crate) fn value(&self, column: usize) -> Value<'_> {
        let field = self.record.field(self.columns.places[column]);
        if self.columns.encoding.is_some() && !field.is_ascii() {
            return value_of(&self.texts()[column]);
        }
        if !self.columns.is_quoted(field) {
            return value_of(field);
        }
        let inner = &field[1..field.len() - 1];
        if memchr(field[0], inner).is_none() { value_of(inner) } else { value_of(&self.texts()[column]) }
    }

    #[cold]
    fn texts(&self) -> &[Vec<u8>] {
        let Columns { places, quote, encoding, .. } = self.columns;
        let read = |place: &usize| decoded(text(self.record.field(*place), *quote), *encoding);
        self.texts.get_or_init(|| places.iter().map(read).collect())
    }
}

#[inline]
fn value_of(text: &[u8]) -> Value<'_> {
    if text.is_empty() { Value::Null } else { Value::Text(text) }
}

/// What a proper field says, without its quotes.
fn text(field: &[u8], quote: Option<u8>) -> Vec<u8> {
    let Some(quote) = quote.filter(|quote| field.first() == Some(quote)) else { return field.to_vec() };
    let mut text = Vec::with_capacity(field.len());
    let mut rest = &field[1..field.len() - 1];
    while let Some(at) = memchr(quote, rest) {
        text.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    text
}

fn ambiguous(column: &str, path: &Path) -> Problem {
    let message = format!("two columns of {} are called `{column}`; rename one of them", path.display());
    Problem::new(Code::AmbiguousColumn, message)
}
