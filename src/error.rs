//! What can go wrong, on what, and why. Only `main.rs` prints it.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open {path}: {why}", path = shown(.path), why = why(.source))]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {path}: {why} (what came before byte {offset} is in the report)",
        path = shown(.path), why = why(.source))]
    Read { path: PathBuf, offset: u64, source: io::Error },
    #[error("cannot decompress {path}: {source} (what came before byte {offset} of its text is in the report)",
        path = shown(.path))]
    Decompress { path: PathBuf, offset: u64, source: io::Error },
    #[error("{path} shrank while it was read: {missing} bytes are missing from the report", path = shown(.path))]
    Shrank { path: PathBuf, missing: u64 },
    #[error("no mail log in {path}: no file there is called as one of {looked_for}, or as an older part of it; \
        name the files", path = shown(.path))]
    NoMailLog { path: PathBuf, looked_for: String },
    #[error("cannot follow {path}: it is compressed, so nothing more is written to it; try: smtplog scan",
        path = shown(.path))]
    Packed { path: PathBuf },
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
    #[error("cannot read the journal: {}", escaped(&.source.to_string()))]
    Journal { source: io::Error },
    #[error("no log found: there is no {}\n  {}", .looked_at.join(", no "), if *.journal {
        "this machine has a journal; try: smtplog scan --journal"
    } else {
        "name a file or a folder, or - for standard input"
    })]
    NoLog { looked_at: Vec<String>, journal: bool },
    #[error("cannot read on from a place in {path}: it is no file; --state is for files and --journal", path = shown(.path))]
    NoPlace { path: PathBuf },
    #[error("cannot use the state {path}: {why}", path = shown(.path), why = why(.source))]
    State { path: PathBuf, source: io::Error },
    #[error("cannot use the state {path}: {}; nothing was read, and the file is as it was. To begin anew, remove it",
        escaped(.what), path = shown(.path))]
    Unknown { path: PathBuf, what: String },
    #[error("cannot read standard input: {source}")]
    Stdin { source: io::Error },
    #[error("cannot keep what can be read only once, to read it twice: {0}; TMPDIR says where")]
    Spool(io::Error),
    #[error(transparent)]
    Book(#[from] crate::book::BookError),
    #[error("cannot write the answer: {0}")]
    Write(#[from] io::Error),
    #[error("cannot write {path}: {why}", path = shown(.path), why = why(.source))]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: it is one of the logs to be read", path = shown(.path))]
    OutputIsInput { path: PathBuf },
    #[error("cannot write {path}: it is the --state file", path = shown(.path))]
    OutputIsState { path: PathBuf },
    #[error("cannot tell the form of {path} by its name: name --format, or a file that ends in {}",
        .known.join(" "), path = shown(.path))]
    Suffix { path: PathBuf, known: Vec<String> },
    #[error("cannot start {threads} threads: {source}")]
    Threads { threads: usize, source: rayon::ThreadPoolBuildError },
    #[error("no time zone is named {name:?}")]
    Zone { name: String },
    #[error("{option} {text:?} is no time; write {}", crate::when::FORMS)]
    When { option: &'static str, text: String },
    #[error("no line can lie between: --since {since} is not before --until {until}")]
    Window { since: String, until: String },
    #[error("no provider is named {name:?}; there are {} and others", .known.join(", "))]
    Provider { name: String, known: Vec<String> },
    /// What clap says of the command line; `--help` and `--version` come this way too.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// Line numbers count from 1.
    #[error("cannot use {path}, line {line}: {what}", path = shown(.path))]
    Config { path: PathBuf, line: usize, what: String },
    #[error("cannot use the baseline {path}: {what}", path = shown(.path), what = escaped(.what))]
    Baseline { path: PathBuf, what: String },
    #[error("cannot use the key of --redact: {what}; `openssl rand -hex 32` makes one")]
    RedactKey { what: String },
    #[error("cannot mail this format: --mail-headers goes with --format text or html")]
    MailForm,
    #[error("cannot use {name} of the environment: {what}")]
    Environment { name: String, what: String },
    #[error("cannot write {path}: {why}", path = shown(.path), why = why(.source))]
    Save { path: PathBuf, source: io::Error },
}

impl Error {
    /// The file that was not read as far as it goes, and is whole, or may be: another run can do better.
    pub fn unread(&self) -> Option<&Path> {
        if let Self::Open { path, .. } | Self::Read { path, .. } | Self::Shrank { path, .. } = self {
            return Some(path);
        }
        matches!(self, Self::Journal { .. }).then_some(Path::new("journal"))
    }

    /// The file that was read up to where it is damaged.
    pub fn damaged(&self) -> Option<&Path> {
        if let Self::Decompress { path, .. } = self { Some(path) } else { None }
    }

    /// A file is not there, or not any more.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Open { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// The reader went away: `smtplog … | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The system's words without its numbers.
fn why(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => source.to_string(),
    }
}

/// A name may come from a stranger too: control characters are escaped.
pub fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
