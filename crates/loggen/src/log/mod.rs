//! Generates the log of a busy Postfix or Exim server, and the counts that a correct parser must find in it.
//!
//! A discrete-event simulation runs sessions, deliveries, retries and bounces message by message. Every line is counted
//! when it is written, so the totals depend on no parser. Memory grows with the simulated queue, not with the log.

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
mod writer;

pub use check::check;
pub use spec::{Mta, Spec, Stamp};
pub use totals::{DomainTotals, LineKinds, LogTotals, MessageTotals};
pub use week::write;
