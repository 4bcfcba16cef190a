//! Runs the property `sanitize`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::sanitize::check(bytes));
