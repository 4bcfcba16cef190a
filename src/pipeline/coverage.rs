//! Counts what kinds of lines were read, and how much of a log was understood.

use std::collections::{BTreeMap, BTreeSet};

use super::sink::LineOffset;

/// Counts of lines by kind: lines = mail + foreign, mail = event + routine + unread.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage {
    pub lines: u64,
    /// Bytes of decompressed text, also outside the time range; of a line that is too long, only the beginning counts.
    pub bytes: u64,
    pub event: u64,
    /// Events beyond the first of their line: `message repeated 9 times: [ … ]` is one line with nine events.
    pub repeats: u64,
    /// Events of lines that name several recipients, beyond the first of each line.
    pub more_events: u64,
    pub routine: u64,
    pub unread: u64,
    pub foreign: u64,
    /// Events that the filter did not admit; they are included in `event`, `repeats` and `more_events`.
    pub filtered: u64,
    /// Lines without a time, if a time range is set; no other count includes them.
    pub undated: u64,
    /// The first and the last minute of the lines outside the time range.
    pub outside: Option<(i64, i64)>,
    /// The first lines that could not be read, in order, cut to 400 bytes.
    pub unread_lines: Vec<(LineOffset, Vec<u8>)>,
    /// The first lines of other programs, likewise, as they stand in the log.
    pub foreign_lines: Vec<(LineOffset, Vec<u8>)>,
    /// The numbers of the files that have timestamps without a year.
    pub without_year: BTreeSet<usize>,
    /// The first and the last minute of the mail lines that have a timestamp.
    pub minutes: Option<(i64, i64)>,
    /// What was read of each file, by its number. Empty, if the counts are those of parts.
    pub files: BTreeMap<usize, FileCoverage>,
}

/// What was read of one file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FileCoverage {
    pub lines: u64,
    /// At least one of them was understood, or is outside the time range.
    pub is_known: bool,
}

impl FileCoverage {
    pub(crate) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.is_known |= other.is_known;
    }
}

const UNREAD_KEPT: usize = 3;

impl Coverage {
    /// The time range that was asked for has lines, but none of a mail server. Beside it, the log may have mail, so the log is not
    /// the wrong one: a time without mail is a matter of the verdict.
    pub(crate) fn is_quiet_time(&self) -> bool {
        self.lines > 0 && self.mail() == 0 && self.outside.is_some()
    }

    /// Lines of mail servers.
    pub fn mail(&self) -> u64 {
        self.event + self.routine + self.unread
    }

    /// Lines that were understood.
    pub(crate) fn understood(&self) -> u64 {
        self.event + self.routine
    }

    /// Events of all lines, with their repetitions.
    pub fn events(&self) -> u64 {
        self.event + self.repeats + self.more_events
    }

    /// Adds the counts of `other`, and keeps the earliest unread lines of both.
    pub fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.event += other.event;
        self.repeats += other.repeats;
        self.more_events += other.more_events;
        self.routine += other.routine;
        self.unread += other.unread;
        self.foreign += other.foreign;
        self.filtered += other.filtered;
        self.undated += other.undated;
        self.without_year.extend(other.without_year);
        for (file, theirs) in other.files {
            self.files.entry(file).or_default().merge(theirs);
        }
        for (mine, theirs) in
            [(&mut self.unread_lines, other.unread_lines), (&mut self.foreign_lines, other.foreign_lines)]
        {
            mine.extend(theirs);
            mine.sort();
            mine.truncate(UNREAD_KEPT);
        }
        for (mine, theirs) in [(&mut self.minutes, other.minutes), (&mut self.outside, other.outside)] {
            if let Some((first, last)) = theirs {
                extend(mine, first);
                extend(mine, last);
            }
        }
    }

    /// Counts a line that could not be parsed, and keeps it if it is one of the first.
    pub(crate) fn unread(&mut self, place: LineOffset, raw: &[u8]) {
        self.unread += 1;
        keep_first(&mut self.unread_lines, place, raw);
    }

    /// Counts a line of another program, and keeps it if it is one of the first.
    #[inline]
    pub(crate) fn foreign(&mut self, place: LineOffset, rest: &[u8]) {
        self.foreign += 1;
        if self.foreign_lines.last().is_none_or(|last| place < last.0)
            || self.foreign_lines.len() < UNREAD_KEPT
        {
            let end = memchr::memchr(b'\n', rest.get(..400).unwrap_or(rest)).unwrap_or(rest.len());
            keep_first(&mut self.foreign_lines, place, rest.get(..end).unwrap_or_default());
        }
    }
}

/// Keeps the line if it is one of the first, cut to 400 bytes.
fn keep_first(kept: &mut Vec<(LineOffset, Vec<u8>)>, place: LineOffset, raw: &[u8]) {
    if kept.len() < UNREAD_KEPT || kept.last().is_some_and(|last| place < last.0) {
        kept.push((place, raw.get(..400).unwrap_or(raw).to_vec()));
        kept.sort();
        kept.truncate(UNREAD_KEPT);
    }
}

/// Extends the span so that it holds the minute.
pub(crate) fn extend(span: &mut Option<(i64, i64)>, minute: i64) {
    let (first, last) = span.unwrap_or((minute, minute));
    *span = Some((first.min(minute), last.max(minute)));
}
