//! Finds storms, which are bursts of failures, silences and mail loops, and names their likely causes.
//!
//! A walk counts each minute and each kind of event exactly, and keeps a few events of each as a sample, chosen by a hash
//! of their offsets. Everything else is computed from these at the end.
//!
//! Promises: the same storms for any number of threads and any block size, in bounded memory.
//! May use: every folder below it (messages, pipeline, report and lower), never scan, trace or events.

pub(crate) mod detect;
pub(crate) mod diagnose;
pub(crate) mod sample;
