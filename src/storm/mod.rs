//! Bursts: what a walk tells of each minute comes in; storms with their cause go out.
//!
//! A walk keeps exact counts for each minute and each kind of event, and a few events of each as a sample, chosen by a
//! hash of where they stand: so any threads and any blocks give the same. All else is made of these at the end.

pub(crate) mod detect;
pub(crate) mod diagnose;
pub(crate) mod sample;
