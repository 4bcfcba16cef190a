//! Runs the property `decompress`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtplog_fuzz::decompress::check(bytes));
