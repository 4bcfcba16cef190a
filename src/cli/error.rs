//! Declares the errors of a command: of its options, configuration and output, and of the layers below.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::hangup::is_hung_up;
use crate::catalog::CatalogError;
use crate::input::error::{InputError, permission_hint, shown, why};
use crate::part::error::PartError;
use crate::pipeline::time_range;
use crate::scan::baseline::BaselineError;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// An error of clap about the command line; `--help` and `--version` are such errors too.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Baseline(#[from] BaselineError),

    /// Line numbers count from 1.
    #[error("cannot use {path}, line {line}: {what}", path = shown(.path))]
    Config { path: PathBuf, line: usize, what: String },
    #[error("cannot use the environment variable {name}: {what}")]
    Environment { name: String, what: String },
    /// A file that an option names; not a log.
    #[error("cannot open {path}: {why}{hint}", path = shown(.path), why = why(.source),
        hint = permission_hint(.path, .source))]
    OpenFile { path: PathBuf, source: io::Error },

    /// A word that is neither a file nor a subcommand, near the subcommand `right`.
    #[error("{word:?} is neither a subcommand nor a file; did you mean {right}? Type: {line}")]
    Mistyped { word: String, right: String, line: String },
    /// A word that is no file, and the command line in which it makes sense.
    #[error("there is no file {word:?}; try: {line}")]
    NotAFile { word: String, line: String },
    /// `trace` got a log, and nothing to trace.
    #[error("say first what to trace, then the log; try: {line}")]
    NothingToTrace { line: String },
    #[error("cannot trace {what:?}: {why}")]
    Untraceable { what: String, why: String },

    #[error("no mail log found (looked for {})\n  {}", .looked_at.join(", "), if *.journal {
        "this machine has a journal; try: smtplog scan --journal"
    } else {
        "name a file or a directory, or - for standard input"
    })]
    NoLog { looked_at: Vec<String>, journal: bool },
    #[error("cannot read standard input: {source}")]
    ReadStdin { source: io::Error },
    #[error(
        "cannot copy the input to a temporary file, so that it can be read twice: {0}; set TMPDIR to a directory \
        with enough space"
    )]
    TempCopy(io::Error),
    #[error("unknown time zone {name:?}; use a name like Europe/Berlin")]
    Zone { name: String },
    #[error("{option} {text:?} is not a time; use {}", time_range::FORMS)]
    When { option: &'static str, text: String },
    #[error("the time range is empty: --since {since} is not before --until {until}")]
    TimeRange { since: String, until: String },
    #[error("unknown provider {name:?}; known ones include {}", .known.join(", "))]
    Provider { name: String, known: Vec<String> },
    #[error("cannot use the key for --redact: {what}; create one with `openssl rand -hex 32`")]
    RedactKey { what: String },

    #[error("cannot write the output: {0}")]
    Write(#[from] io::Error),
    #[error("cannot write {path}: {why}", path = shown(.path), why = why(.source))]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: it is one of the input logs; choose another file", path = shown(.path))]
    OutputIsInput { path: PathBuf },
    #[error("cannot write {path}: it is {what}; choose another file", path = shown(.path))]
    OutputIsUsed { path: PathBuf, what: &'static str },
    #[error(
        "cannot keep the events in a temporary file until all logs are read: {0}; set TMPDIR to a directory with \
        enough space, or use --output"
    )]
    TempOutput(io::Error),
    #[error("cannot tell the output format from the name {path}: use --format, or a name that ends in {}",
        .known.join(" "), path = shown(.path))]
    Suffix { path: PathBuf, known: Vec<String> },
    #[error("--mail-headers needs --format text or html")]
    MailFormat,
    #[error("--for customer needs --format text, markdown or html")]
    CustomerFormat,
    #[error("cannot make a part {what}")]
    NoPart { what: &'static str },
    #[error("cannot merge {name}: {why}")]
    Part { name: String, why: PartError },
    /// A part that was made although not everything could be read.
    #[error("{name} lacks lines: {what}")]
    IncompletePart { name: String, what: String },
    #[error("no part to merge: {why}")]
    NoParts { why: &'static str },
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
}

impl CliError {
    /// For `map_err` when a file that an option names cannot be read.
    pub fn open_file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        |source| Self::OpenFile { path, source }
    }

    /// For `map_err` when a file cannot be written.
    pub fn write_file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::WriteFile { path: path.clone(), source }
    }

    pub fn environment(name: &str, what: impl Into<String>) -> Self {
        Self::Environment { name: name.to_owned(), what: what.into() }
    }

    pub fn config(path: &Path, line: usize, what: String) -> Self {
        Self::Config { path: path.to_owned(), line, what }
    }

    /// Whether the reader of the output has gone: `smtplog … | head`, or the terminal was closed.
    pub fn is_closed_pipe(&self) -> bool {
        let Self::Write(source) = self else { return false };
        let is_closed_terminal = source.raw_os_error() == Some(Errno::IO.raw_os_error()) && is_hung_up();
        source.kind() == io::ErrorKind::BrokenPipe || is_closed_terminal
    }
}
