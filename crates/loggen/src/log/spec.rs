//! Describes the log to generate: server, size, seed, formats and time span.

use clap::ValueEnum;
use jiff::civil::Date;

/// The mail server whose log is imitated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Mta {
    Postfix,
    Exim,
}

/// Format of the time at the start of a line, always in UTC.
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
    /// Size of the log. It ends after the step that reaches this size, so it may be a few lines longer.
    pub bytes: u64,
    pub seed: u64,
    /// Exim supports all three, Postfix all but `Exim`.
    pub stamp: Stamp,
    /// For Postfix, `enable_long_queue_ids`; for Exim, ids of the form 6-11-4 (6-6-2, as before 4.97, if unset).
    pub long_ids: bool,
    /// The log starts shortly after midnight of this day.
    pub start: Date,
    /// Number of days over which the traffic is spread, whatever the size.
    pub days: u32,
}

impl Spec {
    /// One week from Monday 2 March 2026, with the default stamps and ids of the server.
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
