//! Makes the owned record of an event from its line.

use crate::catalog::classify::find_provider;
use crate::parse::log_text::LogText;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LoggedEvent;
use crate::report::event::Record;

/// Copies what the line of an event says out of the line.
pub(crate) fn record(logged: &LoggedEvent) -> Record {
    let (line, event, verdict, book) = (logged.line, logged.event, logged.verdict, logged.book);
    let rule = verdict.and_then(|verdict| book.rules.rule(verdict.rule?)).map(|rule| rule.id.to_string());
    // Delivered mail has no verdict.
    let provider = verdict.map_or_else(|| find_provider(event, book), |verdict| verdict.provider);
    let provider = provider.and_then(|provider| book.providers.row(provider)).map(|row| row.id.clone());
    Record {
        time: logged.moment.and_then(LogTime::rfc3339),
        mta: event.mta,
        host: named(line.named_host()),
        program: named(line.program),
        instance: named(line.instance()),
        queue_id: event.queue_id.map(text),
        direction: event.direction,
        outcome: event.outcome,
        code: event.code,
        enhanced: event.enhanced,
        dsn: event.dsn,
        class: event.class(),
        stage: event.stage,
        reason: verdict.map(|verdict| verdict.reason),
        cause: verdict.and_then(|verdict| verdict.cause),
        rule,
        provider,
        sender: event.sender.map(text),
        recipient: event.recipient.map(text),
        peer_host: event.peer.host.map(text),
        peer_ip: event.peer.ip.map(text),
        peer_port: event.peer.port,
        suspended: event.suspended,
        text: text(event.text),
    }
}

fn named(name: &[u8]) -> Option<String> {
    (!name.is_empty()).then(|| text(name))
}

/// What is not UTF-8 is shown as U+FFFD.
fn text(bytes: &[u8]) -> String {
    LogText::string(bytes)
}
