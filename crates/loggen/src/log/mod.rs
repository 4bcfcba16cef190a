//! Logs as a busy Postfix or Exim would write them, and what a right reading of them must count.
//!
//! A week of mail is played through, message by message: sessions, queue ids, deliveries, retries, bounces. Every
//! line is counted when it is written, so the totals do not depend on any parser. Memory grows with the mail that
//! waits in the queue, not with the log.

mod agenda;
mod background;
mod check;
mod clock;
mod delivered;
mod delivery;
mod exim;
mod exim_delivery;
mod exim_refusal;
pub(crate) mod id;
mod log;
mod message;
mod names;
mod permanent;
mod postfix;
mod provider;
mod refusal;
mod remote;
mod reply;
pub(crate) mod rng;
mod session;
mod site;
mod spec;
mod status;
mod totals;
mod transient;
mod verdict;
mod week;

pub use check::check;
pub use spec::{Mta, Spec, Stamp};
pub use totals::{DomainTotals, LineKinds, LogTotals, MessageTotals};
pub use week::write;
