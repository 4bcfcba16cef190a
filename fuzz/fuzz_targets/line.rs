//! Any bytes as one line: reading it must not panic, and what it says must lie within the line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smtplog::internals::parse::unwrap;
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;

fuzz_target!(|raw: &[u8]| {
    let mut inside = Vec::new();
    let raw = unwrap::unwrap_line(raw, &mut inside);
    let line = LogLine::read(raw);
    let within = |part: &[u8]| part.is_empty() || raw.as_ptr_range().contains(&part.as_ptr());
    let reading = mta::read(&line);
    if let ParsedLine::Fact(fact) = reading {
        let context = mta::context(&fact);
        assert!([context.sender, context.client, context.user].into_iter().flatten().all(within));
    }
    if let ParsedLine::Event(event) = reading {
        assert!(within(event.text));
        assert!([event.queue_id, event.sender, event.recipient].into_iter().flatten().all(within));
    }
});
