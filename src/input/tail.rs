//! A log that is being written: its name comes in, its lines go out as they come, over rotations.
//!
//! It is looked at again and again, which works on every file system; notifications do not on those of other machines.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::block::Block;
use super::packing::{MAGIC, Packing};
use super::pending::Pending;
use super::rotation::{Age, Part};
use super::source::FileId;

/// A file is told from another of its name by so many of its first bytes: the stamp of its first line is among them.
const HEAD: usize = 256;

/// Read at once, in bytes.
const ROOM: usize = 256 << 10;

/// A file that is followed by its name.
pub struct Tail {
    path: PathBuf,
    /// Its number in the set.
    number: usize,
    /// None: there is none so far.
    open: Option<Opened>,
    /// Where to begin in the first file, in bytes.
    from: u64,
    pending: Pending,
    room: Vec<u8>,
}

struct Opened {
    file: File,
    id: FileId,
    /// The next byte to be read.
    at: u64,
    head: Vec<u8>,
}

impl Tail {
    /// `from` is where a line begins in the file that has the name now.
    pub fn new(path: PathBuf, number: usize, from: u64) -> Self {
        Self { path, number, open: None, from, pending: Pending::new(from), room: vec![0; ROOM] }
    }

    /// Tells the lines that have come, some `limit` bytes of them; false: there are no more for now.
    pub fn poll(&mut self, limit: usize, tell: &mut dyn FnMut(&Block)) -> io::Result<bool> {
        // Before the reading: who writes to a new file has written its last line to the old one.
        let named = match fs::metadata(&self.path) {
            Ok(metadata) => Some((FileId::of(&metadata), metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(mut open) = self.open.take() else {
            if named.is_some() {
                self.open = Some(Opened::new(&self.path, self.from)?);
                self.from = 0;
                return self.poll(limit, tell);
            }
            return Ok(false);
        };
        // Whatever fails, the next look goes on where this one ended.
        let more = self.read_on(&mut open, named, limit, tell);
        self.open = Some(open);
        more
    }

    /// `named` is the file that had the name before, and its size.
    fn read_on(
        &mut self,
        open: &mut Opened,
        named: Option<(FileId, u64)>,
        limit: usize,
        tell: &mut dyn FnMut(&Block),
    ) -> io::Result<bool> {
        if open.was_truncated()? {
            self.rest_of_copy(open, tell);
            self.pending.end(self.number, tell);
            (open.at, open.head) = (0, Vec::new());
        }
        let mut budget = limit;
        while budget > 0 {
            let count = open.read(&mut self.room)?;
            if count == 0 {
                break;
            }
            self.pending.add(self.room.get(..count).unwrap_or_default(), self.number, tell);
            budget = budget.saturating_sub(count);
        }
        let Some((_, size)) = named.filter(|(id, _)| budget > 0 && *id != open.id) else {
            return Ok(budget == 0);
        };
        let newer = self.newer_parts(open.id);
        // An empty one is there before anybody writes to it, and the old one is written to until then.
        if size == 0 && newer.is_empty() {
            return Ok(false);
        }
        // First of all, since it may not be ours to read yet.
        let next = Opened::new(&self.path, 0)?;
        self.pending.end(self.number, tell);
        for path in newer {
            self.whole(&path, 0, tell);
            self.pending.end(self.number, tell);
        }
        *open = next;
        Ok(true)
    }

    /// The other parts of the log that lie beside it, the oldest first; those that are compressed are left out.
    fn parts(&self) -> Vec<PathBuf> {
        let part = |path: &Path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let part = Part::read(&name);
            Some((part.log(), part.age))
        };
        let Some((log, _)) = part(&self.path) else { return Vec::new() };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let mut parts: Vec<(Age, PathBuf)> = paths
            .filter_map(|path| {
                let (other, age) = part(&path)?;
                (other == log && age != Age::Current && path.is_file()).then_some((age, path))
            })
            .filter(|(_, path)| !is_packed(path))
            .collect();
        parts.sort();
        parts.into_iter().map(|(_, path)| path).collect()
    }

    /// Of a log that was rotated twice since it was looked at.
    fn newer_parts(&self, id: FileId) -> Vec<PathBuf> {
        let mut parts = self.parts();
        let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| FileId::of(&metadata) == id);
        match parts.iter().position(is_it) {
            Some(at) => parts.split_off(at + 1),
            None => Vec::new(),
        }
    }

    /// What came between the last look and the copy that was made before the log was cut to nothing.
    fn rest_of_copy(&mut self, open: &Opened, tell: &mut dyn FnMut(&Block)) {
        let is_copy = |path: &PathBuf| {
            let Ok(file) = File::open(path) else { return false };
            let is_long = file.metadata().is_ok_and(|metadata| metadata.len() >= open.at);
            is_long && !open.head.is_empty() && head(&file, open.head.len()).is_ok_and(|h| h == open.head)
        };
        if let Some(path) = self.parts().into_iter().rev().find(is_copy) {
            self.whole(&path, open.at, tell);
        }
    }

    /// As much of another part as can be read: it is read once, and what is told twice would count twice.
    fn whole(&mut self, path: &Path, from: u64, tell: &mut dyn FnMut(&Block)) {
        let Ok(mut open) = Opened::new(path, from) else { return };
        while let Ok(count @ 1..) = open.read(&mut self.room) {
            self.pending.add(self.room.get(..count).unwrap_or_default(), self.number, tell);
        }
    }
}

impl Opened {
    fn new(path: &Path, at: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let head = head(&file, HEAD.min(at as usize))?;
        Ok(Self { id: FileId::of(&metadata), file, at, head })
    }

    /// It is shorter than what was read, or begins with something else.
    fn was_truncated(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() < self.at || head(&self.file, self.head.len())? != self.head)
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
            self.head = head(&self.file, HEAD.min(self.at as usize))?;
        }
        Ok(count)
    }
}

/// The first bytes of a file, so many of them at most.
fn head(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(head.get_mut(filled..).unwrap_or_default(), filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}

/// What is compressed is written once.
pub fn is_packed(path: &Path) -> bool {
    File::open(path).and_then(|file| head(&file, MAGIC)).is_ok_and(|first| Packing::of(&first).is_some())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    struct Log {
        folder: tempfile::TempDir,
        tail: Tail,
        read: String,
    }

    impl Log {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let tail = Tail::new(folder.path().join("mail.log"), 0, 0);
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
            let mut tell = |block: &Block| self.read.push_str(std::str::from_utf8(block.lines).unwrap());
            while self.tail.poll(1, &mut tell).unwrap() {}
        }
    }

    #[test]
    fn waits_for_the_file_and_for_the_end_of_each_line() {
        let mut log = Log::new();
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
        let mut log = Log::new();
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
        let mut log = Log::new();
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
            let mut log = Log::new();
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
        let mut log = Log::new();
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
        let mut log = Log::new();
        log.write("mail.log", "one\ntwo");
        log.look();
        File::create(log.at("mail.log")).unwrap();
        log.write("mail.log", "new\n");
        log.look();
        assert_eq!(log.read, "one\ntwonew\n");
    }
}
