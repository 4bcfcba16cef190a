//! The fields of an event that `smtplog events` prints. Their names are an interface.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::classify::Reason;
use crate::pipeline::walk::LoggedEvent;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// One event; what the line does not say is null. The file and the line number come before these fields.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub(crate) struct Record {
    #[schemars(extend("format" = "date-time"))]
    pub time: Option<String>,
    pub mta: Mta,
    pub host: Option<String>,
    pub program: Option<String>,
    pub instance: Option<String>,
    pub queue_id: Option<String>,
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub dsn: Option<EnhancedCode>,
    pub class: Option<Class>,
    pub stage: Option<Stage>,
    /// Null for delivered mail.
    pub reason: Option<Reason>,
    /// The id of the rule that matched; null: none did.
    pub rule: Option<String>,
    pub provider: Option<String>,
    /// The envelope sender; the null sender is empty. If this line names none, it comes from other lines of the message.
    pub sender: Option<String>,
    pub recipient: Option<String>,
    pub peer_host: Option<String>,
    pub peer_ip: Option<String>,
    pub peer_port: Option<u16>,
    pub suspended: bool,
    pub text: String,
}

/// What other lines say about the message; null if no line does.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub(crate) struct RecordContext {
    /// Size of the message in bytes, as the mail server counts them.
    pub size: Option<u64>,
    /// The client that sent the message: its IP address, or its name if no line has the address.
    pub client: Option<String>,
    /// Login name of the client.
    pub user: Option<String>,
    pub message_id: Option<String>,
    /// The number of this delivery attempt for this message and recipient, from 1 in these logs; null: not an attempt.
    pub attempt_no: Option<u32>,
    /// A hand-off to a content filter or an inner relay whose message is in these logs under another queue id; an earlier
    /// line shows that. `scan` counts that message instead.
    pub hop: bool,
}

/// A line of `smtplog events`: a delivery result or a rejection. What the log does not say is null.
#[expect(dead_code, reason = "only for the schema: events are formatted before their line number is known")]
#[derive(JsonSchema)]
#[schemars(title = "smtplog event")]
pub(crate) struct Listed {
    /// The name of the log as given; `-` is standard input.
    pub file: String,
    /// The line number, from 1.
    #[schemars(range(min = 1))]
    pub line: u64,
    #[schemars(flatten)]
    pub record: Record,
    #[schemars(flatten)]
    pub context: RecordContext,
}

impl Record {
    pub(crate) fn new(told: &LoggedEvent) -> Self {
        let (line, event, verdict, book) = (told.line, told.event, told.verdict, told.book);
        let rule = verdict.and_then(|verdict| book.rules.rule(verdict.rule?)).map(|rule| rule.id.clone());
        let provider =
            verdict.and_then(|verdict| book.providers.row(verdict.provider?)).map(|row| row.id.clone());
        Self {
            time: told.moment.and_then(crate::parse::timestamp::LogTime::rfc3339),
            mta: event.mta,
            host: named(line.host),
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
}

fn named(name: &[u8]) -> Option<String> {
    (!name.is_empty()).then(|| text(name))
}

/// What is not UTF-8 is shown as U+FFFD.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
