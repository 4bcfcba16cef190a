//! What is to be read, before it is opened.

use std::path::PathBuf;
use std::time::SystemTime;

use super::journal::Bounds;

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
    /// Only the lines that begin in these bytes, from the first up to and without the second. It is for plain files;
    /// what can only be read from its beginning is read whole.
    pub within: Option<(u64, u64)>,
}

impl Source {
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
    device: u64,
    inode: u64,
}

impl FileId {
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
