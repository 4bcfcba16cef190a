//! Runs the property `state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::state::check(bytes));
