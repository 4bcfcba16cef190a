//! Logs as a busy Postfix or Exim would write them, and what a right reading of them must count.
//!
//! A week of mail is played through, message by message: sessions, queue ids, deliveries, retries, bounces. Every
//! line is counted when it is written, so the totals do not depend on any parser. Memory grows with the mail that
//! waits in the queue, not with the log.

#![allow(dead_code, reason = "each bench and each test uses a part of this")]

mod agenda;
mod background;
mod clock;
mod delivered;
mod delivery;
mod id;
mod log;
mod message;
mod names;
mod permanent;
mod postfix;
mod provider;
mod refusal;
mod reply;
mod rng;
mod session;
mod site;
mod spec;
mod totals;
mod transient;
mod verdict;

use std::io::{self, Write};

pub use spec::{Mta, Spec, Stamp};
pub use totals::{DomainTotals, Kinds, Messages, Totals};

/// Writes the whole log; what must be counted in it comes back.
pub fn write(spec: &Spec, out: &mut impl Write) -> io::Result<Totals> {
    let log = log::Log::new(spec, out);
    match (spec.mta, spec.stamp) {
        (Mta::Postfix, Stamp::Exim) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "postfix has no stamp of exim's kind"))
        }
        (Mta::Postfix, Stamp::Bsd | Stamp::Rfc3339) => postfix::write(spec, log),
        (Mta::Exim, _) => todo!(),
    }
}
