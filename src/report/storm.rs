//! The document of `smtplog storm`: each storm, its likely cause, and what to do.

use clap::ValueEnum;
use jiff::Zoned;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::classify::Reason;
use crate::catalog::value_name;
use crate::report::time::{Range, date_time, maybe_rfc3339, rfc3339};
use crate::report::{Input, StormLine};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

pub(crate) const STORMS_SCHEMA: &str = "smtplog.storms/1";

/// What `smtplog storm` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog storms")]
pub(crate) struct StormReport {
    #[schemars(extend("const" = STORMS_SCHEMA))]
    pub schema: &'static str,
    pub range: Option<Range>,
    pub input: Input,
    /// The most important first.
    pub storms: Vec<Storm>,
    /// Limits of the result, in English.
    pub notes: Vec<String>,
    /// What the text says instead of "nothing came more often than usual"; a note in the other formats.
    #[serde(skip)]
    pub steady: Option<String>,
}

/// A burst of failures with one cause, or a silence.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Storm {
    /// The minute in which it began.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    /// The minute with the most events.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub peak: Zoned,
    /// Its last minute; null: it is not over at the end of the log.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schemars(extend("format" = "date-time"), with = "Option<String>")]
    pub end: Option<Zoned>,
    /// From the start to the end, or to the end of the log.
    pub duration_seconds: u64,
    pub pattern: StormPattern,
    /// The pattern in a few words.
    pub title: String,
    /// Evidence for the pattern.
    pub because: Vec<String>,
    /// Patterns that were considered and rejected.
    pub not: Vec<NotSo>,
    pub confidence: Confidence,
    /// Number of its events; for a silence, of the events that still came.
    pub attempts: u64,
    /// Distinct pairs of queue id and recipient; an estimate if only a sample was kept.
    pub recipients: u64,
    /// Distinct queue ids; an estimate if only a sample was kept.
    pub messages: u64,
    pub rate_per_minute: Rate,
    pub usual_per_minute: UsualRate,
    /// Mean rate ÷ usual rate; below 1 for a silence.
    pub times: f64,
    pub trend: Trend,
    /// Values that its events share and other events do not; the main one first.
    pub factors: Vec<Factor>,
    /// Its events by kind, most first.
    pub series: Vec<SeriesCount>,
    /// Commands to type, those that only read first. None of them was run.
    pub commands: Vec<StormCommand>,
    /// What to do and what not to do, in one line.
    pub advice: String,
    /// One log line of the storm.
    pub example: Option<String>,
    /// A silence that may be one only because it is a weekend.
    #[serde(skip)]
    pub is_doubtful: bool,
}

/// The likely cause of a storm.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Pattern")]
pub enum StormPattern {
    StolenAccount,
    DeadList,
    Backscatter,
    ListedIp,
    ProviderOutage,
    RateLimit,
    OwnNetwork,
    DiskFull,
    Tls,
    FullMailbox,
    DictionaryAttack,
    PasswordGuessing,
    Loop,
    DeadDownstream,
    Silence,
    Unknown,
    /// Other servers reject this server's mail because SPF, DKIM, DMARC, PTR or HELO is wrong.
    AuthenticationBroken,
    /// Other servers slow this server down because of its reputation.
    Reputation,
    /// The server through which all mail leaves does not take it.
    RelayhostDown,
    /// Other servers greylist; told only on request.
    Greylisting,
}

/// The words in the title of a silence that stand for the host, instance or direction that is silent.
const SILENT_PART: &str = "mail through a part of the server";

/// `no mail through instance postfix/smtpd`, `no outbound mail`: the title of a silence with the name of what is silent.
/// `None`: the title names no part.
pub(crate) fn title_of_part(title: &str, factor: &str) -> Option<String> {
    let start = title.strip_suffix(SILENT_PART)?;
    Some(match factor.strip_prefix("direction ") {
        Some(direction) => format!("{start}{direction} mail"),
        None => format!("{start}mail through {factor}"),
    })
}

impl StormLine {
    /// The title of a silence of one host, instance or direction, with its name. `None`: it is not such a silence.
    pub(crate) fn title_of_part(&self) -> Option<String> {
        title_of_part(&self.title, self.factor.as_deref()?)
    }

    /// Mail is missing; the others are bursts.
    pub(crate) fn is_silence(&self) -> bool {
        self.pattern == value_name(StormPattern::Silence)
    }
}

/// A pattern that was rejected, and why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotSo {
    pub pattern: StormPattern,
    pub because: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Sure,
    Likely,
    Unsure,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Rate {
    /// Events in the minute with the most.
    pub peak: f64,
    pub mean: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct UsualRate {
    /// Events per minute of the same kind at this time of day without a storm.
    pub rate: f64,
    pub by: UsualBy,
}

/// How the usual rate was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UsualBy {
    /// From the same hour of other days, scaled by the amount of mail.
    DayHour,
    /// From the quieter part of the log, scaled by the amount of mail.
    Median,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trend {
    Growing,
    Steady,
    Falling,
    Over,
}

/// A property that the events of a storm can share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    Provider,
    /// The domain of the recipient.
    Domain,
    Recipient,
    /// The server that replied.
    Relay,
    Instance,
    /// The host that wrote the lines.
    Host,
    /// `<>` is the null sender.
    Sender,
    /// The login name that the client used or tried.
    User,
    /// The client that sent the mail or tried to.
    Client,
    Reason,
    /// The reply code, a space, and the enhanced code.
    Code,
    Direction,
    Stage,
}

/// A value that the events of a storm share.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Factor {
    pub dimension: Dimension,
    pub value: String,
    /// Its share of the storm, from 0 to 1.
    pub inside: f64,
    /// Its share of the same kind of events outside the storm.
    pub outside: f64,
    /// Approximate number of events of the storm that have it.
    pub count: u64,
}

/// The number of events of one kind in a storm.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SeriesCount {
    pub direction: Direction,
    pub outcome: Outcome,
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
    pub provider: Option<String>,
    pub attempts: u64,
}

/// A command to type. Values from the log are quoted for a POSIX shell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Command")]
pub struct StormCommand {
    pub shell: String,
    pub why: String,
    /// The command changes something.
    pub changes: bool,
    /// The command that undoes the change; null: nothing was changed, or the change cannot be undone.
    pub undo: Option<String>,
}
