//! Writes the lines that were not understood to a file, or sanitized to standard error.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write, stderr};
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output::not_an_input;
use crate::input::atomic_file::{AtomicFile, StagedFile, USUAL_MODE};
use crate::parse::log_text::LogText;
use crate::pipeline::sink::UnreadLines;
use crate::redact::Redactor;
use crate::render::sanitize::printable;

/// The output of `--unparsed`.
pub(crate) enum Unparsed {
    Off,
    File {
        path: PathBuf,
        file: Box<UnparsedWriter>,
    },
    /// Kept until the end, because the logs may be walked again.
    Stderr(Vec<u8>, Option<Redactor>),
}

/// Where the lines go until the run succeeds.
enum UnparsedFile {
    Regular(Box<AtomicFile>),
    /// A pipe or a device, which must not be replaced by a file.
    Special(BufWriter<File>),
}

/// The file, whose lines are redacted with `--redact`.
pub(crate) struct UnparsedWriter {
    file: UnparsedFile,
    redactor: Option<Redactor>,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
}

impl UnparsedWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let file: &mut dyn Write = match &mut self.file {
            UnparsedFile::Regular(file) => &mut **file,
            UnparsedFile::Special(file) => file,
        };
        let Some(redactor) = self.redactor else { return file.write_all(lines) };
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let line = LogText(line).to_str();
            writeln!(file, "{}", redactor.line(line.trim_end_matches('\n')))?;
        }
        Ok(())
    }

    /// Writes everything that is buffered; returns the first error. `None`: there is no file to put into its place.
    fn finish(mut self) -> io::Result<Option<StagedFile>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match self.file {
            UnparsedFile::Regular(file) => file.stage().map(Some),
            UnparsedFile::Special(mut file) => file.flush().map(|()| None),
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match &mut self.file {
            UnparsedFile::Regular(file) => file.clear(),
            // What a device or a pipe has taken is gone.
            UnparsedFile::Special(_) => Ok(()),
        }
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
                let is_special = fs::metadata(path).is_ok_and(|file| !file.is_file() && !file.is_dir());
                let file = if is_special {
                    let file = File::options().write(true).open(path).map_err(CliError::write_file(path))?;
                    UnparsedFile::Special(BufWriter::new(file))
                } else {
                    let file = AtomicFile::create(path, USUAL_MODE).map_err(CliError::write_file(path))?;
                    UnparsedFile::Regular(Box::new(file))
                };
                let file = Box::new(UnparsedWriter { file, redactor, failed: None });
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

    /// Ends the output. The file must still be put into its place.
    pub(crate) fn finish(self) -> Result<Option<StagedFile>, CliError> {
        match self {
            Self::Off => Ok(None),
            Self::File { path, file } => file.finish().map_err(CliError::write_file(&path)),
            Self::Stderr(lines, redactor) => {
                let mut out = stderr().lock();
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    let line = LogText(line).to_str();
                    let line = line.trim_end_matches('\n');
                    let line = redactor.map_or_else(|| line.to_owned(), |redactor| redactor.line(line));
                    writeln!(out, "{}", printable(&line))
                        .map_err(CliError::write_file(Path::new("standard error")))?;
                }
                Ok(None)
            }
        }
    }
}
