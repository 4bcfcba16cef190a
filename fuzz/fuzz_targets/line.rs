//! Runs the property `line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::line::check(bytes));
