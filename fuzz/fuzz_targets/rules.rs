//! Runs the property `rules`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::rules::check(bytes));
