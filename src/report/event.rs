//! An event as the world sees it: the fields of `smtplog events`, which are an interface.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::classify::Reason;
use crate::parse::log_text::LogText;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// One event; what the line does not say is null. File and line number stand before these.
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
    /// The rule that told the reason; null where none did.
    pub rule: Option<String>,
    pub provider: Option<String>,
    /// The null sender is empty. Where this line names none, the message's, from its other lines.
    pub sender: Option<String>,
    pub recipient: Option<String>,
    pub peer_host: Option<String>,
    pub peer_ip: Option<String>,
    pub peer_port: Option<u16>,
    pub suspended: bool,
    pub text: String,
}

/// What other lines say of the message; null where no line that was read does.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub(crate) struct RecordContext {
    /// Of the message, in bytes, as the mail server counts them.
    pub size: Option<u64>,
    /// Who handed the message over: its address, else its name.
    pub client: Option<String>,
    /// As whom the client logged in.
    pub user: Option<String>,
    pub message_id: Option<String>,
    /// 1 for the first attempt of this recipient that the logs show, for this message; null for what is no attempt.
    pub attempt_no: Option<u32>,
    /// A hand-over to who gives the message back, of which a line before this one tells: `scan` counts that message.
    pub hop: bool,
}

/// A line of `smtplog events`: a delivery result or a refusal. What the log does not say is null.
#[expect(
    dead_code,
    reason = "only the schema needs it whole: events are written before their line number is known"
)]
#[derive(JsonSchema)]
#[schemars(title = "smtplog event")]
pub(crate) struct Listed {
    /// The log, as it was named; `-` is standard input.
    pub file: String,
    /// Counted from 1.
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
            host: LogText(line.host).non_empty(),
            program: LogText(line.program).non_empty(),
            instance: LogText(line.instance()).non_empty(),
            queue_id: event.queue_id.map(LogText::string),
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
            sender: event.sender.map(LogText::string),
            recipient: event.recipient.map(LogText::string),
            peer_host: event.peer.host.map(LogText::string),
            peer_ip: event.peer.ip.map(LogText::string),
            peer_port: event.peer.port,
            suspended: event.suspended,
            text: LogText::string(event.text),
        }
    }
}
