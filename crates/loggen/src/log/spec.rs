//! What log is wanted: which server, how much of it, from when to when.

use clap::ValueEnum;
use jiff::civil::Date;

/// The mail server whose log is imitated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Mta {
    Postfix,
    Exim,
}

/// How a line says when it was written. Every stamp is in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Stamp {
    /// `Mar  2 09:15:04`, which names no year (RFC 3164).
    Bsd,
    /// `2026-03-02T09:15:04.120416+00:00`.
    Rfc3339,
    /// `2026-03-02 09:15:04`, without host and program: Exim's own mainlog.
    Exim,
}

/// The same spec gives the same bytes, on any machine.
#[derive(Clone, Debug)]
pub struct Spec {
    pub mta: Mta,
    /// The log ends with the step that reaches this size, a few lines past it at most.
    pub bytes: u64,
    pub seed: u64,
    /// Exim takes all three; Postfix has no `Exim` stamp.
    pub stamp: Stamp,
    /// Postfix's `enable_long_queue_ids`; Exim's 6-11-4, without it 6-6-2 as before 4.97.
    pub long_ids: bool,
    /// The first line is written shortly after this day's midnight.
    pub start: Date,
    /// The traffic is spread over so many days, whatever the size.
    pub days: u32,
}

impl Spec {
    /// A week from Monday 2 March 2026, with the stamps and ids the server has by default.
    pub const fn new(mta: Mta, bytes: u64) -> Self {
        let stamp = match mta {
            Mta::Postfix => Stamp::Bsd,
            Mta::Exim => Stamp::Exim,
        };
        Self {
            mta,
            bytes,
            seed: 1,
            stamp,
            long_ids: matches!(mta, Mta::Exim),
            start: Date::constant(2026, 3, 2),
            days: 7,
        }
    }
}
