//! Defines the fields of one event as `smtplog events` prints them; their names are an interface.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::classify::Reason;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// What the line of one event says; what it does not say is null. Text is as logged, with U+FFFD for bytes that are not
/// UTF-8.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Record {
    /// RFC 3339, with as many digits of a second as the line shows.
    #[schemars(extend("format" = "date-time"))]
    pub time: Option<String>,
    pub mta: Mta,
    /// The host that wrote the line.
    pub host: Option<String>,
    pub program: Option<String>,
    /// The part of the mail server that wrote the line, such as `postfix-out` or `postfix/submission`.
    pub instance: Option<String>,
    pub queue_id: Option<String>,
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    /// The code that the mail server itself gave the result: Postfix's `dsn=`.
    pub dsn: Option<EnhancedCode>,
    /// The class of the code, else of the enhanced code, else of `dsn`, else what the words of the server say.
    pub class: Option<Class>,
    pub stage: Option<Stage>,
    /// Null for delivered mail.
    pub reason: Option<Reason>,
    /// The rule that told the reason; null where none did.
    pub rule: Option<String>,
    /// The id of the provider of the other side.
    pub provider: Option<String>,
    /// The null sender is empty. Where this line names none, the message's, from its other lines.
    pub sender: Option<String>,
    pub recipient: Option<String>,
    pub peer_host: Option<String>,
    pub peer_ip: Option<String>,
    pub peer_port: Option<u16>,
    /// The line repeats an answer that was given to an earlier delivery.
    pub suspended: bool,
    /// The whole reply; for a failure without a reply, what the server wrote about it.
    pub text: String,
}

/// What other lines say of the message of an event; null where no line that was read does.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct RecordContext {
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog event")]
pub struct ListedEvent {
    /// The log, as it was named; `-` is standard input.
    pub file: String,
    /// Counted from 1.
    #[schemars(range(min = 1))]
    pub line: u64,
    #[serde(flatten)]
    pub record: Record,
    #[serde(flatten)]
    pub context: RecordContext,
}
