//! Bursts: what a walk tells of each minute comes in; storms with their cause go out.
//!
//! A walk keeps exact counts for each minute and each kind of event, and a few events of each as a sample, chosen by a
//! hash of where they stand: so any threads and any blocks give the same. All else is made of these at the end.

pub mod answer;
pub mod burst;
pub mod cause;
pub mod collector;
pub mod commands;
pub mod course;
pub mod field;
pub mod gather;
pub mod inbound;
pub mod join;
pub mod known;
pub mod look;
pub mod outbound;
pub mod page;
pub mod pattern;
pub mod points;
pub mod series;
pub mod silence;
pub mod usual;
pub mod words;
