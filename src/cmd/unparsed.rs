//! Writes the lines that were not understood to a file, or sanitized to standard error.

use std::fs::File;
use std::io::{BufWriter, Seek, Write, stderr};
use std::path::{Path, PathBuf};

use crate::cmd::place::is_input;
use crate::error::Error;
use crate::output::printable::printable;
use crate::redact::Redactor;

pub enum Unparsed {
    Unwanted,
    File {
        path: PathBuf,
        file: Lines,
    },
    /// Kept until the end, since a second reading of the log may know better.
    Stderr(Vec<u8>, Option<Redactor>),
}

/// A file of lines, each made unreadable if that is asked for. What is written to it are whole lines.
pub struct Lines {
    file: BufWriter<File>,
    redactor: Option<Redactor>,
}

impl Write for Lines {
    fn write(&mut self, lines: &[u8]) -> std::io::Result<usize> {
        match self.redactor {
            None => self.file.write_all(lines)?,
            Some(redactor) => {
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    let line = String::from_utf8_lossy(line);
                    writeln!(self.file, "{}", redactor.line(line.trim_end_matches('\n')))?;
                }
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Unparsed {
    /// `inputs` are the logs; none of them is emptied for this.
    pub fn new(path: Option<&Path>, inputs: &[PathBuf], redactor: Option<Redactor>) -> Result<Self, Error> {
        match path {
            None => Ok(Self::Unwanted),
            Some(path) if path == Path::new("-") => Ok(Self::Stderr(Vec::new(), redactor)),
            Some(path) if is_input(path, inputs) => Err(Error::OutputIsInput { path: path.to_owned() }),
            Some(path) => {
                let file = File::create(path).map_err(|source| failed(path, source))?;
                let file = Lines { file: BufWriter::new(file), redactor };
                Ok(Self::File { path: path.to_owned(), file })
            }
        }
    }

    pub fn writer(&mut self) -> Option<&mut (dyn Write + Send)> {
        match self {
            Self::Unwanted => None,
            Self::File { file, .. } => Some(file),
            Self::Stderr(lines, _) => Some(lines),
        }
    }

    /// Forgets what was written: the log is read once more.
    pub fn again(&mut self) -> Result<(), Error> {
        match self {
            Self::Unwanted => Ok(()),
            Self::File { path, file } => {
                let rewound = file.file.rewind().and_then(|()| file.file.get_mut().set_len(0));
                rewound.map_err(|source| failed(path, source))
            }
            Self::Stderr(lines, _) => {
                lines.clear();
                Ok(())
            }
        }
    }

    pub fn finish(self) -> Result<(), Error> {
        match self {
            Self::Unwanted => Ok(()),
            Self::File { path, mut file } => file.flush().map_err(|source| failed(&path, source)),
            Self::Stderr(lines, redactor) => {
                let mut out = stderr().lock();
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    let line = String::from_utf8_lossy(line);
                    let line = line.trim_end_matches('\n');
                    let line = redactor.map_or_else(|| line.to_owned(), |redactor| redactor.line(line));
                    writeln!(out, "{}", printable(&line))
                        .map_err(|source| failed(Path::new("standard error"), source))?;
                }
                Ok(())
            }
        }
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Save { path: path.to_owned(), source }
}
