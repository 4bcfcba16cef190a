//! Finds storms, which are bursts of failures, silences and mail loops, and names their likely causes.
//!
//! A walk counts each kind of event in each minute, and keeps a few events of each as a sample, chosen by a hash of their
//! message and recipient. It does so beside whatever else the walk counts. Everything else is computed from these at the end.
//!
//! Promises: the same storms for any number of threads, any block size and any split into files, in bounded memory.
//! May use: every folder below it (messages, pipeline, report and lower), never scan, trace or events.

pub(crate) mod detect;
pub(crate) mod diagnose;
pub(crate) mod sample;
