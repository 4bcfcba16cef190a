//! Any bytes as one line: what is read from a line lies within the line.

use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;
use smtplog::internals::parse::unwrap::unwrap_line;

/// Every value that is cut from a line is a part of it.
pub fn check(raw: &[u8]) {
    let mut inside = Vec::new();
    let raw = unwrap_line(raw, &mut inside);
    let line = LogLine::read(raw);
    let within = |part: &[u8]| {
        let (whole, part) = (raw.as_ptr_range(), part.as_ptr_range());
        part.is_empty() || whole.start <= part.start && part.end <= whole.end
    };
    match mta::read(&line) {
        ParsedLine::QueueRecord(fact) => {
            let context = mta::message_fields(&fact);
            assert!([context.sender, context.client, context.user].into_iter().flatten().all(within));
        }
        ParsedLine::Event(event) => {
            assert!(within(event.text));
            assert!([event.queue_id, event.sender, event.recipient].into_iter().flatten().all(within));
        }
        ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {}
    }
}
