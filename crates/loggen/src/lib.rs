//! Generates mail logs whose contents are known, for the tests and benchmarks of smtplog.
//!
//! [`log`] writes a log of a given size and counts every line while it writes it. [`storm`] writes days of normal mail
//! with storms (a stolen account, a full disk) and scores what `smtplog storm` says about them. Neither depends on
//! smtplog, so a mistake in its parsers cannot hide in the expected numbers. The same seed gives the same bytes on any
//! machine.

pub mod log;
pub mod storm;
