//! Writes the lines that were not understood to a file, or sanitized to standard error.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write, stderr};
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output::not_an_input;
use crate::parse::log_text::LogText;
use crate::pipeline::sink::UnreadLines;
use crate::redact::Redactor;
use crate::render::sanitize::printable;

/// The output of `--unparsed`.
pub(crate) enum Unparsed {
    Off,
    File {
        path: PathBuf,
        file: UnparsedWriter,
    },
    /// Kept until the end, because the logs may be walked again.
    Stderr(Vec<u8>, Option<Redactor>),
}

/// The file, whose lines are redacted with `--redact`.
pub(crate) struct UnparsedWriter {
    file: BufWriter<File>,
    redactor: Option<Redactor>,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
}

impl UnparsedWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(redactor) = self.redactor else { return self.file.write_all(lines) };
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let line = LogText(line).to_str();
            writeln!(self.file, "{}", redactor.line(line.trim_end_matches('\n')))?;
        }
        Ok(())
    }

    /// Writes everything that is buffered; returns the first error.
    fn flush(&mut self) -> io::Result<()> {
        self.failed.take().map_or_else(|| self.file.flush(), Err)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.rewind()?;
        self.file.get_mut().set_len(0)
    }
}

impl UnreadLines for Unparsed {
    fn add(&mut self, lines: &[u8]) {
        match self {
            Self::Off => {}
            Self::File { file, .. } if file.failed.is_some() => {}
            Self::File { file, .. } => file.failed = file.write(lines).err(),
            Self::Stderr(all, _) => all.extend_from_slice(lines),
        }
    }
}

impl Unparsed {
    /// `inputs` are the logs, none of which can be the file.
    pub(crate) fn new(
        path: Option<&Path>,
        inputs: &[PathBuf],
        redactor: Option<Redactor>,
    ) -> Result<Self, CliError> {
        match path {
            None => Ok(Self::Off),
            Some(path) if path == Path::new("-") => Ok(Self::Stderr(Vec::new(), redactor)),
            Some(path) => {
                not_an_input(path, inputs)?;
                let file = File::create(path).map_err(CliError::write_file(path))?;
                let file = UnparsedWriter { file: BufWriter::new(file), redactor, failed: None };
                Ok(Self::File { path: path.to_owned(), file })
            }
        }
    }

    /// `None`: the option is not set.
    pub(crate) fn writer(&mut self) -> Option<&mut dyn UnreadLines> {
        match self {
            Self::Off => None,
            Self::File { .. } | Self::Stderr(..) => Some(self),
        }
    }

    /// Discards what was written: the logs are read again.
    pub(crate) fn restart(&mut self) -> Result<(), CliError> {
        match self {
            Self::Off => Ok(()),
            Self::File { path, file } => file.clear().map_err(CliError::write_file(path)),
            Self::Stderr(lines, _) => {
                lines.clear();
                Ok(())
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(), CliError> {
        match self {
            Self::Off => Ok(()),
            Self::File { path, mut file } => file.flush().map_err(CliError::write_file(&path)),
            Self::Stderr(lines, redactor) => {
                let mut out = stderr().lock();
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    let line = LogText(line).to_str();
                    let line = line.trim_end_matches('\n');
                    let line = redactor.map_or_else(|| line.to_owned(), |redactor| redactor.line(line));
                    writeln!(out, "{}", printable(&line))
                        .map_err(CliError::write_file(Path::new("standard error")))?;
                }
                Ok(())
            }
        }
    }
}
