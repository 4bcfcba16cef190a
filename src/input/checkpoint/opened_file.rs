//! Defines a file that is read from an offset on, and the checkpoint after reading it.

use std::io;
use std::path::Path;

use super::fingerprint::FingerprintedFile;
use super::known_lines::KnownLines;
use crate::input::checkpoint::{Checkpoint, TextHash};
use crate::input::error::InputError;
use crate::input::source::Source;

/// A file, and from where it is read.
pub(crate) struct OpenedFile {
    /// The log that it is a part of.
    pub log: String,
    pub text: FingerprintedFile,
    pub current: bool,
    from: u64,
    /// The earlier checkpoint. `None`: the file is new.
    pub before: Option<Checkpoint>,
    plain: Option<UncompressedFile>,
    /// Hash of the bytes before `from`. `None`: nothing was read before, or the file is compressed.
    begin: Option<TextHash>,
}

/// The end of an uncompressed file, found before it is read.
#[derive(Clone, Copy)]
struct UncompressedFile {
    end: u64,
    tail: TextHash,
}

/// How much was read of one source.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ReadPosition {
    pub lines: u64,
    /// Where reading ended, in bytes of the decompressed text.
    pub end: u64,
}

impl OpenedFile {
    /// Finds the end of the last complete line. `from` is in bytes of the text; `before` is the earlier checkpoint.
    pub(crate) fn new(
        source: &Source,
        text: FingerprintedFile,
        log: &str,
        from: u64,
        before: Option<Checkpoint>,
    ) -> Result<Self, InputError> {
        let current = source.current;
        let known = before.as_ref().filter(|mark| mark.offset == Some(from)).and_then(|mark| mark.tail);
        let begin = match known {
            _ if text.packed || from == 0 => None,
            Some(known) => Some(known),
            None => Some(text.tail(from).map_err(|error| source.cannot_open(error))?),
        };
        let plain = if text.packed {
            None
        } else {
            let found = text
                .last_line_end(from, current)
                .and_then(|end| Ok(UncompressedFile { end, tail: text.tail(end)? }));
            Some(found.map_err(|error| source.cannot_open(error))?)
        };
        Ok(Self { log: log.to_owned(), text, current, from, before, plain, begin })
    }

    /// Which bytes of the text are read. `None`: all.
    pub(crate) fn within(&self) -> Option<(u64, u64)> {
        match &self.plain {
            Some(plain) => Some((self.from, plain.end)),
            None => (self.from > 0).then_some((self.from, u64::MAX)),
        }
    }

    /// How many bytes of the file on disk are read.
    pub(crate) fn bytes(&self) -> u64 {
        self.plain.as_ref().map_or(self.text.size, |plain| plain.end - self.from)
    }

    /// The file no longer holds the text that was to be read: it was truncated, and maybe written again, since it was compared
    /// with its checkpoint; or it is a compressed file that was incomplete. `path` is its name.
    pub(crate) fn is_changed(&self, path: &Path) -> bool {
        let text = match self.text.reopened(path) {
            Ok(text) => text,
            // It was renamed or removed, and nobody truncates it then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            Err(_) => return true,
        };
        let Some(UncompressedFile { end, tail }) = self.plain else {
            return text.is_resized().unwrap_or(true);
        };
        let is_same = |at: u64, known: TextHash| text.tail(at).is_ok_and(|now| now == known);
        let begins_the_same = self.begin.is_none_or(|begin| is_same(self.from, begin));
        !(begins_the_same && is_same(end, tail) && text.begins_as_before().unwrap_or(false))
    }

    /// The log, and the checkpoint after reading this far. `None`: nothing was read, so whatever the file will hold is new.
    pub(crate) fn checkpoint(self, reached: ReadPosition, damaged: bool) -> (String, Option<Checkpoint>) {
        let Self { log, text, current, from, before, plain, .. } = self;
        let offset = plain.as_ref().map_or(from.max(reached.end), |plain| plain.end);
        let short_tail = text.short_tail(offset);
        let mark = Checkpoint {
            device: text.id.device,
            inode: text.id.inode,
            // A size that no file has makes the next run look again.
            size: if damaged { 0 } else { text.size },
            written: text.written,
            offset: Some(offset),
            lines: before.map_or(0, |mark| mark.lines) + reached.lines,
            heads: text.heads_until(offset),
            known_lines: if current && plain.is_some() {
                // Without them a cut log is read from its beginning.
                text.known_lines(offset).unwrap_or_default()
            } else {
                KnownLines::default()
            },
            tail: plain.map(|plain| plain.tail).or(short_tail),
            current,
        };
        (log, (offset > 0).then_some(mark))
    }
}
