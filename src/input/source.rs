//! Defines a source: a file, a pipe or the journal, described before it is opened.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::error::InputError;
use super::journal::{JournalBounds, JournalCursor};

/// One file of the set, or what is read like one.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as it was named; `-` is standard input, `journal` the journal.
    pub path: PathBuf,
    pub origin: SourceOrigin,
    /// Upper bound on the time of its lines: the earliest of the modification time, the time in a gzip header and the end of
    /// the day in the name, since a copy may be made long after. Now, for a pipe and the journal.
    pub newest: SystemTime,
    /// Sources with the same number are parts of one log; they are adjacent, the oldest first.
    pub series: usize,
    /// The half-open range of bytes of the text in which the wanted lines begin. For a stream only the start is used: the
    /// text before it is skipped. `None`: all lines.
    pub within: Option<(u64, u64)>,
    /// The number of lines before these, for line numbers.
    pub lines_before: u64,
    /// The path of the log that it is a part of: without what rotation put behind the name.
    pub log: PathBuf,
    /// Whether it is the part that is being written, by its name.
    pub current: bool,
    /// Nobody named the file or its folder: it was found beside another part of its log.
    pub beside: bool,
    /// The open file, so that renaming it does not matter. `None`: it is opened when it is read.
    pub file: Option<Arc<File>>,
    /// The host of the lines that name none. It begins with a zero byte if it is only assumed, so that logs are told apart.
    /// `None`: unknown.
    pub host: Option<Arc<[u8]>>,
    /// For the journal: where to begin, and how far it was read. `None`: its time range says where to begin.
    pub cursor: Option<JournalCursor>,
}

impl Source {
    /// A source that is read whole, and is not a part of a series.
    pub fn new(path: PathBuf, origin: SourceOrigin, newest: SystemTime) -> Self {
        let (within, lines_before, host, file, cursor) = (None, 0, None, None, None);
        let (series, log, current, beside) = (0, path.clone(), false, false);
        Self { path, origin, newest, series, within, lines_before, log, current, beside, file, host, cursor }
    }

    /// The error of a source that cannot be opened, or, if it is followed, read.
    pub fn cannot_open(&self, source: io::Error) -> InputError {
        match self.origin {
            SourceOrigin::Journal(_) => InputError::Journal { source },
            SourceOrigin::Stdin | SourceOrigin::Pipe | SourceOrigin::File(_) => {
                InputError::open(&self.path)(source)
            }
        }
    }

    /// The error of a source whose reading failed at `offset`, in bytes of its text.
    pub fn cannot_read(&self, compressed: bool, offset: u64, source: io::Error) -> InputError {
        let path = self.path.clone();
        match self.origin {
            SourceOrigin::Journal(_) => self.cannot_open(source),
            _ if compressed => InputError::Decompress { path, offset, source },
            SourceOrigin::Stdin | SourceOrigin::Pipe | SourceOrigin::File(_) => {
                InputError::Read { path, offset, source }
            }
        }
    }

    /// Whether it is a file, not a pipe or the journal.
    pub fn can_be_read_again(&self) -> bool {
        matches!(self.origin, SourceOrigin::File(_))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceOrigin {
    Stdin,
    Journal(JournalBounds),
    /// A fifo or a device.
    Pipe,
    File(FileId),
}

/// Device and inode, which a file keeps when it is renamed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
