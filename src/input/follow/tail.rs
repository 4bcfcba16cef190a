//! Follows a log by its name while it is written, over rotations, and passes on its lines as they come.
//!
//! The file is polled, which works on every file system; notifications do not work on network file systems.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::line_buffer::LineBuffer;
use super::siblings::{newer_parts, older_parts};
use crate::input::read::block::Block;
use crate::input::read::compression::first_bytes;
use crate::input::source::FileId;

/// How many first bytes tell a file from another of the same name; they hold the timestamp of its first line.
const HEAD: usize = 256;

/// Bytes read at once.
const ROOM: usize = 256 << 10;

/// A file that is followed by its name.
pub struct FileTail {
    path: PathBuf,
    /// Its number in the set.
    number: usize,
    /// `None`: no file has had the name so far.
    open: Option<TailedFile>,
    /// Where to begin in the first file, in bytes.
    from: u64,
    pending: LineBuffer,
    room: Vec<u8>,
}

struct TailedFile {
    file: File,
    id: FileId,
    /// The next byte to be read.
    at: u64,
    head: Vec<u8>,
}

impl FileTail {
    /// `from` is where a line begins in the file that has the name now.
    pub fn new(path: PathBuf, number: usize, from: u64) -> Self {
        Self { path, number, open: None, from, pending: LineBuffer::new(from), room: vec![0; ROOM] }
    }

    /// Passes on the lines that have come, about `limit` bytes of them. `false`: there are no more for now.
    pub fn poll(&mut self, limit: usize, on_block: &mut dyn FnMut(&Block)) -> io::Result<bool> {
        // Ask before reading: a program that writes to a new file has written its last line to the old one.
        let named = match fs::metadata(&self.path) {
            Ok(metadata) => Some((FileId::of(&metadata), metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(mut open) = self.open.take() else {
            if named.is_some() {
                self.open = Some(TailedFile::new(&self.path, self.from)?);
                self.from = 0;
                return self.poll(limit, on_block);
            }
            return Ok(false);
        };
        // Whatever fails, the next call continues where this one ended.
        let more = self.read_on(&mut open, named, limit, on_block);
        self.open = Some(open);
        more
    }

    /// `named` is the file that had the name before, and its size.
    fn read_on(
        &mut self,
        open: &mut TailedFile,
        named: Option<(FileId, u64)>,
        limit: usize,
        on_block: &mut dyn FnMut(&Block),
    ) -> io::Result<bool> {
        if open.was_truncated()? {
            self.rest_of_copy(open, on_block);
            self.pending.end(self.number, on_block);
            (open.at, open.head) = (0, Vec::new());
        }
        let mut budget = limit;
        while budget > 0 {
            let count = open.read(&mut self.room)?;
            if count == 0 {
                break;
            }
            self.pending.add(self.room.get(..count).unwrap_or_default(), self.number, on_block);
            budget = budget.saturating_sub(count);
        }
        let Some((_, size)) = named.filter(|(id, _)| budget > 0 && *id != open.id) else {
            return Ok(budget == 0);
        };
        let newer = newer_parts(&self.path, open.id);
        // A new file is empty at first, and the old one is written to until then.
        if size == 0 && newer.is_empty() {
            return Ok(false);
        }
        // Open it first: we may not be allowed to read it yet, and then nothing must have been passed on.
        let next = TailedFile::new(&self.path, 0)?;
        self.pending.end(self.number, on_block);
        for path in newer {
            self.read_part(&path, 0, on_block);
            self.pending.end(self.number, on_block);
        }
        *open = next;
        Ok(true)
    }

    /// Reads the lines that were written between the last call and the copy that was made before the log was truncated
    /// (logrotate's `copytruncate`).
    fn rest_of_copy(&mut self, open: &TailedFile, on_block: &mut dyn FnMut(&Block)) {
        let is_copy = |path: &PathBuf| {
            let Ok(file) = File::open(path) else { return false };
            let is_long = file.metadata().is_ok_and(|metadata| metadata.len() >= open.at);
            is_long
                && !open.head.is_empty()
                && first_bytes(&file, open.head.len()).is_ok_and(|h| h == open.head)
        };
        if let Some(path) = older_parts(&self.path).into_iter().rev().find(is_copy) {
            self.read_part(&path, open.at, on_block);
        }
    }

    /// Reads another part from `from` on, as far as it can be read. There is no second try: lines passed on twice would
    /// count twice.
    fn read_part(&mut self, path: &Path, from: u64, on_block: &mut dyn FnMut(&Block)) {
        let Ok(mut open) = TailedFile::new(path, from) else { return };
        while let Ok(count @ 1..) = open.read(&mut self.room) {
            self.pending.add(self.room.get(..count).unwrap_or_default(), self.number, on_block);
        }
    }
}

impl TailedFile {
    fn new(path: &Path, at: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let head = first_bytes(&file, HEAD.min(at as usize))?;
        Ok(Self { id: FileId::of(&metadata), file, at, head })
    }

    /// The file is shorter than what was read of it, or begins with other bytes.
    fn was_truncated(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() < self.at || first_bytes(&self.file, self.head.len())? != self.head)
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.file.read_at(room, self.at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.at += count as u64;
        if self.head.len() < HEAD && count > 0 {
            self.head = first_bytes(&self.file, HEAD.min(self.at as usize))?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    struct TestLog {
        folder: tempfile::TempDir,
        tail: FileTail,
        read: String,
    }

    impl TestLog {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let tail = FileTail::new(folder.path().join("mail.log"), 0, 0);
            Self { folder, tail, read: String::new() }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let mut file = OpenOptions::new().create(true).append(true).open(self.at(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn look(&mut self) {
            let mut on_block = |block: &Block| self.read.push_str(std::str::from_utf8(block.lines).unwrap());
            while self.tail.poll(1, &mut on_block).unwrap() {}
        }
    }

    #[test]
    fn waits_for_the_file_and_for_the_end_of_each_line() {
        let mut log = TestLog::new();
        log.look();
        log.write("mail.log", "one\ntw");
        log.look();
        assert_eq!(log.read, "one\n");
        log.write("mail.log", "o\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\n");
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\n");
        log.look();
        fs::rename(log.at("mail.log"), log.at("mail.log.1")).unwrap();
        log.look();
        log.write("mail.log.1", "two\n");
        log.write("mail.log", "");
        log.look();
        log.write("mail.log.1", "thr");
        log.write("mail.log.1", "ee");
        log.write("mail.log", "four\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\nthreefour\n");
    }

    #[test]
    fn nothing_is_lost_of_a_log_that_was_rotated_twice_between_two_looks() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\n");
        log.look();
        log.write("mail.log", "two\n");
        fs::rename(log.at("mail.log"), log.at("mail.log.2")).unwrap();
        log.write("mail.log.1", "three\n");
        log.write("mail.log", "four\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn a_log_cut_to_nothing_begins_anew_and_its_copy_tells_the_rest() {
        for after in ["four\n", "a line that is longer than all that stood there before\n"] {
            let mut log = TestLog::new();
            log.write("mail.log", "one\n");
            log.look();
            log.write("mail.log", "two\nthree\n");
            fs::copy(log.at("mail.log"), log.at("mail.log.1")).unwrap();
            File::create(log.at("mail.log")).unwrap();
            log.write("mail.log", after);
            log.look();
            assert_eq!(log.read, format!("one\ntwo\nthree\n{after}"));
        }
    }

    #[test]
    fn what_cannot_be_opened_yet_is_waited_for_and_nothing_is_told_twice() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\n");
        log.look();
        fs::rename(log.at("mail.log"), log.at("mail.log.2")).unwrap();
        log.write("mail.log.1", "two\n");
        // Nobody can read a folder as a file, whoever runs this.
        fs::create_dir(log.at("mail.log")).unwrap();
        for _ in 0..3 {
            assert!(log.tail.poll(1000, &mut |_| panic!("told too early")).is_err());
        }
        fs::remove_dir(log.at("mail.log")).unwrap();
        log.write("mail.log", "three\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_log_cut_without_a_copy_goes_on_with_what_is_there() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\ntwo");
        log.look();
        File::create(log.at("mail.log")).unwrap();
        log.write("mail.log", "new\n");
        log.look();
        assert_eq!(log.read, "one\ntwonew\n");
    }
}
