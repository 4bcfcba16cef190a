//! Declares the options about output, once for all subcommands, and chooses the format.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::catalog::translation::Language;
use crate::cli::error::CliError;
use crate::events::format::EventsFormat;
use crate::render::{Format, format_names, suffixes};

/// Headings in the help texts.
pub(crate) const REPORT: &str = "Report";
pub(crate) const OUTPUT: &str = "Output";

/// The formats of a subcommand; each has the name of a row of `render::FORMATS`.
pub trait OutputFormat: ValueEnum + Clone + Send + Sync + 'static {
    /// The kind of document, for the help.
    const WHAT: &'static str;
    /// The name of the default format, for the help.
    const DEFAULT: &'static str;
}

impl OutputFormat for Format {
    const WHAT: &'static str = "the report";
    const DEFAULT: &'static str = "text";
}

impl OutputFormat for DocumentFormat {
    const WHAT: &'static str = "the result";
    const DEFAULT: &'static str = "text";
}

impl OutputFormat for EventsFormat {
    const WHAT: &'static str = "the events";
    const DEFAULT: &'static str = "ndjson";
}

/// The format of the output, and the file to write.
#[derive(Clone, Args, Debug)]
pub struct OutputArgs<F: OutputFormat> {
    #[arg(
        long, value_enum, hide_possible_values = true, help_heading = OUTPUT,
        help = format_help::<F>(false), long_help = format_help::<F>(true)
    )]
    pub format: Option<F>,
    #[arg(
        short, long, value_name = "FILE", help_heading = OUTPUT,
        help = output_help::<F>(false), long_help = output_help::<F>(true)
    )]
    pub output: Option<PathBuf>,
}

fn format_help<F: OutputFormat>(is_long: bool) -> String {
    let names = format!("Output format: {}", listed(&format_names::<F>()));
    if is_long {
        format!("{names}.\n\n[default: that of the --output file's suffix, else {}]", F::DEFAULT)
    } else {
        names
    }
}

fn output_help<F: OutputFormat>(is_long: bool) -> String {
    let short = format!("Write {} to FILE; its suffix chooses the format", F::WHAT);
    let ends: Vec<String> = suffixes::<F>().map(|(suffix, _)| format!(".{suffix}")).collect();
    let ends = listed(&ends);
    if is_long {
        format!(
            "{short}.\n\nThe suffix is {ends}; --format overrides it. FILE is replaced only when everything is written; - is standard \
             output."
        )
    } else {
        short
    }
}

fn language_help(is_long: bool) -> String {
    let short = format!("Language of human-readable output: {}", listed(&format_names::<Language>()));
    if is_long {
        format!(
            "{short}.\n\nMachine-readable formats are always English. [default: that of the locale, else English]"
        )
    } else {
        short
    }
}

/// `text, json or ndjson`
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

impl<F: OutputFormat> OutputArgs<F> {
    /// The file to write. `None`: standard output.
    pub fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// The format of `--format`, else the one that the name of the file ends in, else `default`.
    pub fn format(&self, default: F) -> Result<F, CliError> {
        let (None, Some(path)) = (&self.format, self.file()) else {
            return Ok(self.format.clone().unwrap_or(default));
        };
        let suffix = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = suffixes::<F>().find(|(known, _)| *known == suffix).map(|(_, format)| format);
        format.ok_or_else(|| CliError::Suffix {
            path: path.to_owned(),
            known: suffixes::<F>().map(|(known, _)| format!(".{known}")).collect(),
        })
    }
}

/// The style of output for people.
#[derive(Clone, Args, Debug)]
pub struct StyleArgs {
    /// Colour the output: auto, always or never.
    ///
    /// auto: only on a terminal, and only if NO_COLOR is not set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[arg(
        long, value_enum, hide_possible_values = true, value_name = "LANGUAGE", help_heading = OUTPUT,
        help = language_help(false), long_help = language_help(true)
    )]
    pub lang: Option<Language>,
}

impl StyleArgs {
    /// `color` for output that goes to a file: `auto` colours only a terminal.
    pub fn color_for(&self, to_file: bool) -> ColorChoice {
        if to_file && self.color == ColorChoice::Auto { ColorChoice::Never } else { self.color }
    }
}

/// The formats of a subcommand that prints one document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DocumentFormat {
    Text,
    Json,
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}
