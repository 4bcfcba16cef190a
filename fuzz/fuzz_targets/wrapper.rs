//! Runs the property `wrapper`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::wrapper::check(bytes));
