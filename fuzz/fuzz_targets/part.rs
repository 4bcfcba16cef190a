//! Runs the property `part`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::part::check(bytes));
