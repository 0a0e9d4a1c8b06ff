//! Compressed files, which are read and written as what they hold.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::growing::GrowingFile;

/// How a file's bytes are stored, which the end of its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
    Zstd,
}

impl Coding {
    pub(crate) fn of(path: &Path) -> Coding {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Coding::Gzip,
            Some("zst") => Coding::Zstd,
            _ => Coding::Plain,
        }
    }

    /// What the file holds. Several compressed parts, one behind the other, are read as one.
    pub(crate) fn decoded(self, file: File) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Coding::Plain => Box::new(GrowingFile::of(file)),
            Coding::Gzip => Box::new(MultiGzDecoder::new(io::BufReader::new(file))),
            Coding::Zstd => Box::new(zstd::Decoder::new(file)?),
        })
    }

    /// A writer into the file.
    pub(crate) fn encoder(self, file: File) -> io::Result<Encoder> {
        Ok(match self {
            Coding::Plain => Encoder::Plain(file),
            Coding::Gzip => Encoder::Gzip(GzEncoder::new(file, Compression::default())),
            Coding::Zstd => Encoder::Zstd(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        })
    }
}

/// Writes a file as it is stored.
pub(crate) enum Encoder {
    Plain(File),
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Encoder::Plain(file) => file.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Encoder::Plain(file) => file.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstd(encoder) => encoder.flush(),
        }
    }
}

impl Encoder {
    /// Writes what a compressed file ends with; nothing can follow it.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self {
            Encoder::Plain(_) => Ok(()),
            Encoder::Gzip(encoder) => encoder.try_finish(),
            Encoder::Zstd(encoder) => encoder.do_finish(),
        }
    }
}
