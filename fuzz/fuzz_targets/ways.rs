//! Runs the property `ways`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::ways::check(bytes));
