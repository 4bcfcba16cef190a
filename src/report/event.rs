//! Defines the fields of one event as `smtplog events` prints them; their names are an interface.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::Cause;
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
    /// Which one of the things that the reason stands for; null: not known.
    pub cause: Option<Cause>,
    /// The id of the rule that matched; null: none did.
    pub rule: Option<String>,
    /// The id of the provider of the other side.
    pub provider: Option<String>,
    /// The envelope sender; the null sender is empty. If this line names none, it comes from other lines of the message.
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

/// What other lines say about the message of an event; null if no line does.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct RecordContext {
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog event")]
pub struct ListedEvent {
    /// The name of the log as given; `-` is standard input.
    pub file: String,
    /// The line number, from 1.
    #[schemars(range(min = 1))]
    pub line: u64,
    #[serde(flatten)]
    pub record: Record,
    #[serde(flatten)]
    pub context: RecordContext,
}
