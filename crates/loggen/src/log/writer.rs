//! Writes log lines in blocks and counts each line as it is written.

use std::fmt::Arguments;
use std::io::{self, Write};

use super::clock::Stamps;
use super::names::HERE;
use super::spec::{Spec, Stamp};
use super::totals::{EventKey, LogTotals, RunningTotals};

const BLOCK_SIZE: usize = 256 * 1024;

/// Program name and process id at the start of a syslog line.
#[derive(Clone, Copy)]
pub(crate) struct ProgramTag {
    pub program: &'static str,
    /// 0 if the program logs no process id.
    pub pid: u32,
}

pub(crate) const fn tag(program: &'static str, pid: u32) -> ProgramTag {
    ProgramTag { program, pid }
}

/// Buffers lines and writes them in blocks; lines must be added in the order of time.
pub(crate) struct LogWriter<'w> {
    out: &'w mut dyn Write,
    block: Vec<u8>,
    written: u64,
    wanted: u64,
    bare: bool,
    stamps: Stamps,
    first: Option<u64>,
    last: u64,
    pub counts: RunningTotals,
}

impl<'w> LogWriter<'w> {
    pub(crate) fn new(spec: &Spec, out: &'w mut dyn Write) -> Self {
        Self {
            out,
            block: Vec::with_capacity(BLOCK_SIZE + 16 * 1024),
            written: 0,
            wanted: spec.bytes,
            bare: spec.stamp == Stamp::Exim,
            stamps: Stamps::new(spec.stamp, spec.start),
            first: None,
            last: 0,
            counts: RunningTotals::default(),
        }
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.written + self.block.len() as u64
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.bytes() >= self.wanted
    }

    pub(crate) fn second_of(&self, at: u64) -> u64 {
        self.stamps.second_of(at) as u64
    }

    pub(crate) fn event(&mut self, at: u64, by: ProgramTag, key: EventKey, text: Arguments) {
        self.counts.event(key);
        self.write(at, by, text);
    }

    pub(crate) fn routine(&mut self, at: u64, by: ProgramTag, text: Arguments) {
        self.counts.kinds.routine += 1;
        self.write(at, by, text);
    }

    pub(crate) fn foreign(&mut self, at: u64, by: ProgramTag, text: Arguments) {
        self.counts.kinds.foreign += 1;
        self.write(at, by, text);
    }

    fn write(&mut self, at: u64, by: ProgramTag, text: Arguments) {
        self.first.get_or_insert(at);
        self.last = at;
        let block = &mut self.block;
        self.stamps.write(at, block);
        match (self.bare, by.pid) {
            (true, _) => block.push(b' '),
            (false, 0) => write!(block, " {HERE} {}: ", by.program).expect("a Vec takes all"),
            (false, pid) => write!(block, " {HERE} {}[{pid}]: ", by.program).expect("a Vec takes all"),
        }
        block.write_fmt(text).expect("a Vec takes all");
        block.push(b'\n');
    }

    /// Writes the buffered block if it is full; called after each step.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.block.len() >= BLOCK_SIZE { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.out.write_all(&self.block)?;
        self.written += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<LogTotals> {
        self.hand_over()?;
        self.out.flush()?;
        let first_minute = self.first.map(|at| self.stamps.minute(at)).unwrap_or_default();
        let last_minute = self.first.map(|_| self.stamps.minute(self.last)).unwrap_or_default();
        Ok(LogTotals { bytes: self.written, first_minute, last_minute, ..self.counts.totals() })
    }
}
