//! Follows a log by its name while it is written, over rotations, and passes on its lines as they come.
//!
//! The file is polled, which works on every file system; notifications do not work on network file systems.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::line_buffer::LineBuffer;
use super::siblings::{begins_with, newer_parts, older_parts, open_part};
use super::tailed_file::TailedFile;
use crate::input::read::block::Block;
use crate::input::source::FileId;

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
}

impl FileTail {
    /// `from` is where a line begins in the file that has the name now.
    pub fn new(path: PathBuf, number: usize, from: u64) -> Self {
        Self { path, number, open: None, from, pending: LineBuffer::new(from) }
    }

    /// Passes on the lines that have come, about `limit` bytes of them. `room` is where they are read into. `false`: there
    /// are no more for now.
    pub fn poll(
        &mut self,
        limit: usize,
        room: &mut [u8],
        on_block: &mut dyn FnMut(&Block),
    ) -> io::Result<bool> {
        // Ask before reading: a program that writes to a new file has written its last line to the old one.
        let named = match fs::metadata(&self.path) {
            Ok(metadata) => Some((FileId::of(&metadata), metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut open = match self.open.take() {
            Some(open) => open,
            None if named.is_none() => return Ok(false),
            None => {
                let open = TailedFile::new(&self.path, self.from, &[])?;
                self.from = 0;
                open
            }
        };
        // Whatever fails, the next call continues where this one ended.
        let more = self.read_on(&mut open, named, limit, room, on_block);
        self.open = Some(open);
        more
    }

    /// `named` is the file that had the name before, and its size.
    fn read_on(
        &mut self,
        open: &mut TailedFile,
        named: Option<(FileId, u64)>,
        limit: usize,
        room: &mut [u8],
        on_block: &mut dyn FnMut(&Block),
    ) -> io::Result<bool> {
        let repeated = open.copy_of_repeated_text(&self.path)?;
        if repeated.is_some() || open.was_truncated()? {
            self.rest_of_copy(open, repeated, room, on_block);
        }
        let mut budget = limit;
        while budget > 0 {
            let count = open.peek(room)?;
            if count == 0 {
                break;
            }
            // Truncated since it was looked at: what was read may be the middle of a new text.
            if open.was_truncated()? {
                return Ok(true);
            }
            let new = room.get(..count).unwrap_or_default();
            self.pending.add(new, self.number, on_block);
            open.advance(new);
            budget = budget.saturating_sub(count);
        }
        let Some((_, size)) = named.filter(|(id, _)| budget > 0 && *id != open.id) else {
            return Ok(budget == 0);
        };
        let older = older_parts(&self.path);
        let newer = newer_parts(&older, open.id, &open.head, open.at);
        // A new file is empty at first, and the old one is written to until then.
        if size == 0 && newer.is_empty() {
            return Ok(false);
        }
        // Open it first: we may not be allowed to read it yet, and then nothing must have been passed on.
        let next = TailedFile::new(&self.path, 0, &older)?;
        self.pending.end(self.number, on_block);
        for path in newer {
            self.read_part(path, 0, room, on_block);
            self.pending.end(self.number, on_block);
        }
        *open = next;
        Ok(true)
    }

    /// Reads the lines that were written between the last call and the copy that was made before the log was truncated
    /// (logrotate's `copytruncate`), and starts the log again. `copy`: where they are, if that is known.
    fn rest_of_copy(
        &mut self,
        open: &mut TailedFile,
        copy: Option<PathBuf>,
        room: &mut [u8],
        on_block: &mut dyn FnMut(&Block),
    ) {
        let mut older = older_parts(&self.path);
        let find = |older: &[PathBuf]| {
            older.iter().rev().find(|path| begins_with(path, &open.head, open.at)).cloned()
        };
        let copy = copy.or_else(|| find(&older)).or_else(|| {
            // A second look: the copy was compressed in the meantime, and has another name.
            older = older_parts(&self.path);
            find(&older)
        });
        if let Some(path) = copy {
            self.read_part(&path, open.at, room, on_block);
        }
        self.pending.end(self.number, on_block);
        open.restart(&older);
    }

    /// Reads another part from `from` on, in bytes of its text, as far as it can be read. There is no second try: lines
    /// passed on twice would count twice.
    fn read_part(&mut self, path: &Path, from: u64, room: &mut [u8], on_block: &mut dyn FnMut(&Block)) {
        let Ok(mut part) = open_part(path) else { return };
        if io::copy(&mut part.by_ref().take(from), &mut io::sink()).is_err() {
            return;
        }
        loop {
            match part.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count @ 1..) => {
                    self.pending.add(room.get(..count).unwrap_or_default(), self.number, on_block);
                }
                Ok(0) | Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
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
            let mut room = [0; 100];
            while self.tail.poll(1, &mut room, &mut on_block).unwrap() {}
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
            assert!(log.tail.poll(1000, &mut [0; 100], &mut |_| panic!("told too early")).is_err());
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

    #[test]
    fn a_log_cut_to_nothing_that_begins_with_the_same_lines_is_read_again() {
        let same = "Nov 22 03:04:05 mx1 sm-mta[7]: low on space\n";
        for after in [same.to_owned(), same.repeat(3)] {
            let mut log = TestLog::new();
            log.write("mail.log", same);
            log.look();
            fs::copy(log.at("mail.log"), log.at("mail.log.1")).unwrap();
            // The copy is not newer than the log by the clock of the file system, which ticks every few milliseconds.
            std::thread::sleep(std::time::Duration::from_millis(20));
            File::create(log.at("mail.log")).unwrap();
            log.write("mail.log", &after);
            log.look();
            log.look();
            log.write("mail.log", "two\n");
            log.look();
            assert_eq!(log.read, format!("{same}{after}two\n"));
        }
    }

    #[test]
    fn a_copy_that_was_compressed_at_once_tells_the_rest_too() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\n");
        log.look();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"one\ntwo\n").unwrap();
        fs::write(log.at("mail.log.1.gz"), packed.finish().unwrap()).unwrap();
        File::create(log.at("mail.log")).unwrap();
        log.write("mail.log", "three\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_log_that_became_a_fifo_is_an_error_and_blocks_nothing() {
        let mut log = TestLog::new();
        log.write("mail.log", "one\n");
        log.look();
        fs::rename(log.at("mail.log"), log.at("mail.log.1")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(log.at("mail.log")).status();
        assert!(made.unwrap().success());
        log.write("mail.log.1", "two\n");
        log.look();
        log.write("mail.log.0", "x\n");
        assert!(log.tail.poll(1000, &mut [0; 100], &mut |_| panic!("nothing is new")).is_err());
        fs::remove_file(log.at("mail.log")).unwrap();
        fs::remove_file(log.at("mail.log.0")).unwrap();
        log.write("mail.log", "three\n");
        log.look();
        assert_eq!(log.read, "one\ntwo\nthree\n");
    }
}
