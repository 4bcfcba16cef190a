//! Storms before they have a look: what `smtplog storm` found, and what to do about each.

use clap::ValueEnum;
use jiff::Zoned;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::classify::Reason;
use crate::report::Input;
use crate::report::time::{Range, date_time, maybe_rfc3339, rfc3339};
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
    /// What matters most now comes first.
    pub storms: Vec<Storm>,
    /// What limits the answer.
    pub notes: Vec<String>,
}

/// A burst of failures of one cause, or a silence.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Storm {
    /// The minute it began.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    /// The minute with the most of it.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub peak: Zoned,
    /// The last minute of it; null: it is not over where the log ends.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schemars(extend("format" = "date-time"), with = "Option<String>")]
    pub end: Option<Zoned>,
    /// From the start to the end, or to where the log ends.
    pub duration_seconds: u64,
    pub pattern: StormPattern,
    /// The pattern in a few words.
    pub title: String,
    /// What speaks for the pattern.
    pub because: Vec<String>,
    /// What it looks like and is not.
    pub not: Vec<NotSo>,
    pub confidence: Confidence,
    /// Lines that tell of it. Of a silence: lines in its time.
    pub attempts: u64,
    /// Distinct queue ids and recipients; an estimate where a sample was kept.
    pub recipients: u64,
    /// Distinct queue ids; an estimate where a sample was kept.
    pub messages: u64,
    pub rate_per_minute: Rate,
    pub usual_per_minute: UsualRate,
    /// Mean rate ÷ usual rate; of a silence below 1.
    pub times: f64,
    pub trend: Trend,
    /// What its events have in common and others have not; the main one first.
    pub factors: Vec<Factor>,
    /// The kinds of events that make it up, most first.
    pub series: Vec<SeriesCount>,
    /// Read-only ones first. Nothing of it was run.
    pub commands: Vec<StormCommand>,
    /// One line: what to do, and what not.
    pub advice: String,
    /// A line of the log.
    pub example: Option<String>,
}

/// What a storm looks like.
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
}

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
    /// Of the minute with the most.
    pub peak: f64,
    pub mean: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct UsualRate {
    /// What the same kind of event has at this time when there is no storm.
    pub rate: f64,
    pub by: UsualBy,
}

/// How the usual rate was got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UsualBy {
    /// From the same hour of other days, and from how much mail there is.
    DayHour,
    /// From the quieter part of the log, and from how much mail there is.
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

/// What can be common to the events of a storm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    Provider,
    /// The recipient's.
    Domain,
    Recipient,
    /// The server that answered us.
    Relay,
    Instance,
    /// The host that wrote the lines.
    Host,
    /// `<>` is the null sender.
    Sender,
    /// As whom the client logged in, or tried to.
    User,
    /// Who handed the mail over, or tried to.
    Client,
    Reason,
    /// The reply code, and the enhanced code behind a blank.
    Code,
    Direction,
    Stage,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Factor {
    pub dimension: Dimension,
    pub value: String,
    /// Its share of the storm, from 0 to 1.
    pub inside: f64,
    /// Its share of the same kind of events outside the storm.
    pub outside: f64,
    /// Events of the storm that have it, about.
    pub count: u64,
}

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
    /// It changes something.
    pub changes: bool,
    /// What takes the change back; null: there is nothing to take back, or no way.
    pub undo: Option<String>,
}
