//! What is to be read, before it is opened.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::journal::{Bounds, Cursor};
use crate::error::InputError;

/// One file of the set, or what is read like one.
#[derive(Clone, Debug)]
pub struct Source {
    /// As it was named; `-` is standard input, `journal` the journal.
    pub path: PathBuf,
    pub origin: Origin,
    /// No line of it can be later: the least of when it was last written, of what a gzip header says of that, and of
    /// the end of the day in its name, since a copy may have been made long after. Now, for a pipe and the journal.
    pub newest: SystemTime,
    /// Sources with the same number are parts of one log; they stand together, the oldest first.
    pub series: usize,
    /// Only the lines that begin in these bytes of its text, from the first up to and without the second. Of what can
    /// only be read from its beginning the first counts alone: what stands before it is passed over.
    pub within: Option<(u64, u64)>,
    /// How many lines stand before these; for who numbers them.
    pub lines_before: u64,
    /// The log that it is a part of: where it lies, and the name without what rotation put behind it.
    pub log: PathBuf,
    /// It is the part that is being written, by its name.
    pub current: bool,
    /// Nobody named it or its folder: it lies beside another part of its log.
    pub beside: bool,
    /// Opened already, so that nothing that happens to its name matters. None: it is opened when its turn comes.
    pub file: Option<Arc<File>>,
    /// Of the journal: where to begin, and how far it was read. None: it begins where its bounds say.
    pub cursor: Option<Cursor>,
}

impl Source {
    /// All of it, from its beginning.
    pub fn new(path: PathBuf, origin: Origin, newest: SystemTime) -> Self {
        let (within, lines_before, file, cursor) = (None, 0, None, None);
        let (series, log, current, beside) = (0, path.clone(), false, false);
        Self { path, origin, newest, series, within, lines_before, log, current, beside, file, cursor }
    }

    /// It could not be opened, or, if it is followed, read.
    pub fn cannot_open(&self, source: io::Error) -> InputError {
        match self.origin {
            Origin::Journal(_) => InputError::Journal { source },
            Origin::Stdin | Origin::Pipe | Origin::File(_) => InputError::open(&self.path)(source),
        }
    }

    /// Reading ended at `offset`, in bytes of its text, before its end.
    pub fn broke_off(&self, compressed: bool, offset: u64, source: io::Error) -> InputError {
        let path = self.path.clone();
        match self.origin {
            Origin::Journal(_) => self.cannot_open(source),
            _ if compressed => InputError::Decompress { path, offset, source },
            Origin::Stdin | Origin::Pipe | Origin::File(_) => InputError::Read { path, offset, source },
        }
    }

    /// It is a file, not a pipe or the journal.
    pub fn can_be_read_again(&self) -> bool {
        matches!(self.origin, Origin::File(_))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Stdin,
    Journal(Bounds),
    /// A fifo or a device.
    Pipe,
    File(FileId),
}

/// Device and inode: what a file keeps when it is renamed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
