//! Where the lines that were not understood go: nowhere, into a file as they are, or onto stderr, made harmless.

use std::fs::File;
use std::io::{BufWriter, Seek, Write, stderr};
use std::path::{Path, PathBuf};

use crate::cmd::place::is_input;
use crate::error::Error;
use crate::output::printable::printable;

pub enum Unparsed {
    Unwanted,
    File {
        path: PathBuf,
        file: BufWriter<File>,
    },
    /// Kept until the end, since a second reading of the log may know better.
    Stderr(Vec<u8>),
}

impl Unparsed {
    /// `inputs` are the logs; none of them is emptied for this.
    pub fn new(path: Option<&Path>, inputs: &[PathBuf]) -> Result<Self, Error> {
        match path {
            None => Ok(Self::Unwanted),
            Some(path) if path == Path::new("-") => Ok(Self::Stderr(Vec::new())),
            Some(path) if is_input(path, inputs) => Err(Error::OutputIsInput { path: path.to_owned() }),
            Some(path) => {
                let file = File::create(path).map_err(|source| failed(path, source))?;
                Ok(Self::File { path: path.to_owned(), file: BufWriter::new(file) })
            }
        }
    }

    pub fn writer(&mut self) -> Option<&mut (dyn Write + Send)> {
        match self {
            Self::Unwanted => None,
            Self::File { file, .. } => Some(file),
            Self::Stderr(lines) => Some(lines),
        }
    }

    /// Forgets what was written: the log is read once more.
    pub fn again(&mut self) -> Result<(), Error> {
        match self {
            Self::Unwanted => Ok(()),
            Self::File { path, file } => {
                let rewound = file.rewind().and_then(|()| file.get_mut().set_len(0));
                rewound.map_err(|source| failed(path, source))
            }
            Self::Stderr(lines) => {
                lines.clear();
                Ok(())
            }
        }
    }

    pub fn finish(self) -> Result<(), Error> {
        match self {
            Self::Unwanted => Ok(()),
            Self::File { path, mut file } => file.flush().map_err(|source| failed(&path, source)),
            Self::Stderr(lines) => {
                let mut out = stderr().lock();
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    let line = String::from_utf8_lossy(line);
                    writeln!(out, "{}", printable(line.trim_end_matches('\n')))
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
