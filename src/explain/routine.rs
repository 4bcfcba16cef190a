//! Explains a log line that reports neither a delivery nor a refusal: what it is, and which line says more.

use crate::catalog::warning::WarningTable;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::Program;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::server_warning::{ServerWarning, server_warning};
use crate::parse::mta::writer::writer;
use crate::report::explain::{Entry, EntryKind};

/// The words before the text of a line in which a mail server reports trouble of its own, the gravest first.
const SEVERITIES: [&str; 4] = ["panic", "fatal", "error", "warning"];

/// The entry of such a line.
pub(crate) fn routine_entry(input: &str) -> Entry {
    let line = LogLine::read(input.trim().as_bytes());
    let server = writer(&line).map_or("mail server", |mta| mta.display_name());
    let daemon = line.program.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let daemon = LogText::string(daemon);
    let known = server_warning(Program::of(&line), &line);
    let known = known.and_then(|warning| Some((warning.severity, cause(&warning)?)));
    let (name, description) = match (known, severity(&line), mta::read(&line)) {
        (Some((severity, description)), _, _) => (format!("{server} {severity}"), description),
        (None, Some(severity), _) => {
            let name = format!("{server} {severity}");
            (name, trouble(server, &daemon, severity))
        }
        (None, None, ParsedLine::QueueRecord(record)) => {
            (format!("{server} queue record"), vec![step(record.step).to_owned(), next(&line)])
        }
        (
            None,
            None,
            ParsedLine::Routine | ParsedLine::Event(_) | ParsedLine::Unread | ParsedLine::Foreign,
        ) => {
            let what = format!(
                "A routine line of {server}{}: it reports neither a delivery nor a refusal.",
                if daemon.is_empty() { String::new() } else { format!(" ({daemon})") }
            );
            (format!("{server}: no result in this line"), vec![what, next(&line)])
        }
    };
    Entry { name, description, ..Entry::empty(input, EntryKind::Line, "routine") }
}

/// The severity with which the text begins, behind a queue id if there is one.
fn severity(line: &LogLine) -> Option<&'static str> {
    let text = mta::queue_id(line).map_or(line.text, |(_, _, rest)| rest);
    let starts = |text: &[u8], severity: &str| {
        text.strip_prefix(severity.as_bytes()).is_some_and(|rest| rest.starts_with(b": "))
    };
    SEVERITIES.into_iter().find(|severity| starts(text, severity) || starts(line.text, severity))
}

/// What is known about a warning: its cause, what to do, and what to look at. `None`: nothing is.
fn cause(warning: &ServerWarning) -> Option<Vec<String>> {
    let table = WarningTable::built_in();
    let row = table.find(warning.mta, warning.text)?;
    let mut description =
        vec![format!("The server warns of its own trouble: {}.", row.title), format!("{}.", row.line)];
    if !row.check.is_empty() {
        description.push(format!("Check: {}", row.check.join("; ")));
    }
    Some(description)
}

/// What a line of trouble is.
fn trouble(server: &str, daemon: &str, severity: &str) -> Vec<String> {
    let by = if daemon.is_empty() { server.to_owned() } else { format!("{server}'s {daemon}") };
    let weight = match severity {
        "panic" | "fatal" => "The program stops after it and is started again.",
        "error" => "The program goes on; something it needs does not work.",
        _ => "The program goes on; mail may be refused or deferred because of it.",
    };
    vec![
        format!("{by} reports trouble of its own: a setting, a file, a service or DNS. {weight}"),
        "Its words name what is wrong; the reply to the client or the deferral just after it is the effect."
            .to_owned(),
    ]
}

/// What the step of a message means.
fn step(step: QueueStep) -> &'static str {
    match step {
        QueueStep::Received => "A message arrived: the line says from whom.",
        QueueStep::MessageIdAssigned => "The line names the Message-ID of a message in the queue.",
        QueueStep::Notice => {
            "The server wrote a notification (bounce, delay or success) about another message."
        }
        QueueStep::Queued => "The message is in the active queue and will be delivered now.",
        QueueStep::Held => "The message is on hold: it stays in the queue until somebody releases it.",
        QueueStep::Released => "The message is no longer on hold.",
        QueueStep::Deleted => "An administrator deleted the message from the queue.",
        QueueStep::Returned => "An administrator gave the message up, and it was returned to its sender.",
        QueueStep::Requeued => "The message goes on under another queue id.",
        QueueStep::PassedOn => "A filter passed the message on under another queue id.",
        QueueStep::Canceled => "The message was given up before it was in the queue; the client keeps it.",
        QueueStep::Dropped => "The message was discarded, although the client was told that it was accepted.",
        QueueStep::Removed => "The message has left the queue: everything about it is done.",
    }
}

/// Which line says what became of the message.
fn next(line: &LogLine) -> String {
    match mta::queue_id(line) {
        Some((_, id, _)) => format!("Its deliveries: smtplog trace {}", LogText::string(id)),
        None => "The result stands in the line of the same message that says status= (Postfix), or =>, ==, ** (Exim)."
            .to_owned(),
    }
}
