//! The formats of each command.

use std::path::PathBuf;

use clap::ValueEnum;

/// The formats of one command.
pub trait OutputFormat: ValueEnum + Copy + PartialEq + Send + Sync + 'static {
    /// That for people.
    const TEXT: Self;

    /// Whether every account is to read the file, whatever the umask says: a collector of metrics is another one.
    fn is_world_readable(self) -> bool {
        false
    }
}

/// How output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The records of --list, one a line.
    Csv,
    /// Metrics, for the textfile collector of Prometheus' node exporter.
    Prometheus,
}

/// How a purge is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PurgeFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Metrics, for the textfile collector of Prometheus' node exporter.
    Prometheus,
}

/// How the findings of a check are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people, with the lines that are meant.
    Text,
    /// One line for each finding.
    Concise,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for what shows tests.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

impl OutputFormat for Format {
    const TEXT: Format = Format::Text;
}

impl OutputFormat for ReportFormat {
    const TEXT: ReportFormat = ReportFormat::Text;

    fn is_world_readable(self) -> bool {
        self == ReportFormat::Prometheus
    }
}

impl OutputFormat for PurgeFormat {
    const TEXT: PurgeFormat = PurgeFormat::Text;

    fn is_world_readable(self) -> bool {
        self == PurgeFormat::Prometheus
    }
}

impl OutputFormat for CheckFormat {
    const TEXT: CheckFormat = CheckFormat::Text;
}

impl From<PurgeFormat> for ReportFormat {
    fn from(format: PurgeFormat) -> ReportFormat {
        match format {
            PurgeFormat::Text => ReportFormat::Text,
            PurgeFormat::Json => ReportFormat::Json,
            PurgeFormat::Prometheus => ReportFormat::Prometheus,
        }
    }
}

/// Reads `FORMAT=PATH`.
pub(super) fn output_file<F: OutputFormat>(text: &str) -> Result<(F, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("write it as FORMAT=PATH, such as json=report.json")?;
    let known: Vec<String> = F::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|one| one.get_name().to_string())
        .collect();
    let unknown = |_| format!("`{format}` is not one of {}", known.join(", "));
    let format = F::from_str(format, false).map_err(unknown)?;
    if path.is_empty() { Err("the path is empty".to_string()) } else { Ok((format, PathBuf::from(path))) }
}
