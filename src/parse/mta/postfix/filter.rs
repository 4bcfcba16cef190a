//! Parses lines of filters that take messages from Postfix and give them back under another queue id: MailScanner and the
//! filter of Proxmox Mail Gateway. Only the lines that name both ids say something; the others are of another program.

use crate::parse::mta::parsed::{ParsedLine, split_once};
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::parse::mta::related_id::{Relation, id};
use crate::smtp::event::Mta;

/// Parses a line of MailScanner: `Requeue: F2A59DC171.A6C7B to 4B0E4A06F9` (MailScanner Postfix.pm). The message leaves the
/// hold queue, and goes on under the second id.
pub(crate) fn mail_scanner(text: &[u8]) -> ParsedLine<'_> {
    match requeue(text) {
        Some((queue_id, rest)) => record(queue_id, QueueStep::Requeued, rest),
        None => ParsedLine::Foreign,
    }
}

/// Splits `Requeue: F2A59DC171.A6C7B to 4B0E4A06F9` into the old id, and the text behind it.
pub(crate) fn requeue(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"Requeue: ")?;
    let queue_id = id(rest)?;
    let rest = rest.get(queue_id.len()..)?;
    rest.starts_with(b".").then_some((queue_id, rest))
}

/// Parses a line of pmg-smtp-filter: `205A163E4E1F4: accept mail to <a@example.org> (8B6E2120A5) (rule: default-accept)`
/// (pmg-smtp-filter, PMG::RuleDB::Accept). The first id is the filter's own; its reply to Postfix names it.
pub(crate) fn pmg(text: &[u8]) -> ParsedLine<'_> {
    match accepted_by_pmg(text) {
        Some((own_id, rest)) => record(own_id, QueueStep::PassedOn, rest),
        None => ParsedLine::Foreign,
    }
}

/// Splits `205A163E4E1F4: accept mail to <a@example.org> (8B6E2120A5) …` into the filter's id, and the text behind it.
pub(crate) fn accepted_by_pmg(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let own_id = id(text)?;
    let rest = text.get(own_id.len()..)?.strip_prefix(b": ")?;
    rest.starts_with(b"accept mail to <").then_some((own_id, rest))
}

fn record<'a>(queue_id: &'a [u8], step: QueueStep, text: &'a [u8]) -> ParsedLine<'a> {
    ParsedLine::QueueRecord(QueueRecord { mta: Mta::Postfix, queue_id, step, text, login: None })
}

/// The message that a line of a filter names: `.A6C7B to 4B0E4A06F9`, `accept mail to <a@example.org> (8B6E2120A5) …`.
pub(crate) fn related_queue_id(text: &[u8]) -> Option<(Relation, &[u8])> {
    let named = match text.first()? {
        b'.' => split_once(text, b" to ")?.1,
        _ => split_once(text.strip_prefix(b"accept mail to <")?, b"> (")?.1,
    };
    id(named).map(|id| (Relation::ForwardedTo, id))
}

/// The id of the message that the filter of Proxmox Mail Gateway took: `250 2.5.0 OK (205A163E4E1F4)`.
pub(crate) fn taken_by_pmg(reply: &[u8]) -> Option<&[u8]> {
    reply.strip_prefix(b"250 2.5.0 OK (")
}
