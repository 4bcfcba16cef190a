//! Defines the answers of the commands as plain data, in the shape of their JSON.
//!
//! Promises: public fields, no logic that reads a log, and JSON names that are only added to.
//! May use: catalog, parse (enums only) and smtp.

pub(crate) mod delay_row;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod name_row;
pub(crate) mod storm;
pub(crate) mod trace;

use clap::ValueEnum;
use jiff::Zoned;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::catalog::classify::{Reason, Retry};
use crate::smtp::event::{By, Direction, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

pub use self::delay_row::{DelayRow, PhaseRow};
pub use self::name_row::{NameRow, NameTotals, Remainder, Remainders};

/// The whole report. Fields are added within a schema, never renamed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog report")]
pub struct Report {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// None: no mail line has a stamp.
    pub range: Option<Range>,
    /// The hosts that wrote the lines, most lines first.
    pub hosts: Vec<String>,
    pub input: Input,
    pub totals: Totals,
    /// Most attempts first.
    pub rows: Vec<Row>,
    /// What `--by` asked for; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupTable>,
    /// Envelope senders, by any line of the message; `<>` is the null sender. As in all tables of names, the 50 with
    /// most failures and the 50 with most mail stand here, those with most failures first.
    pub senders: Vec<NameRow>,
    /// As whom clients logged in, by any line of the message.
    pub users: Vec<NameRow>,
    /// Addresses that messages came from, and those that were refused.
    pub clients: Vec<NameRow>,
    /// Recipient domains.
    pub domains: Vec<NameRow>,
    /// Who runs the other side.
    pub providers: Vec<NameRow>,
    /// Servers that answered us.
    pub relays: Vec<NameRow>,
    /// Parts of the mail servers that wrote the lines, such as `postfix-out`.
    pub instances: Vec<NameRow>,
    /// What is in no row of these tables.
    pub rest: Remainders,
    /// How long delivered mail took, most deliveries first; absent unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Vec<DelayRow>>,
    /// Hours in which something was counted, the earliest first.
    pub timeline: Vec<Hour>,
    /// Everything to do about each reason, once; empty unless it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full_advice: Vec<Full>,
    /// What the report was compared with; absent: nothing, or there is too little history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Compared>,
    /// The conditions of `--fail-on` that are true; absent: nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<MetCondition>>,
    /// Bursts of failures and silences, what matters most now first; absent: nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storms: Option<Vec<StormLine>>,
    /// Whether all is well; absent: nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What a reader should know about how far the numbers go.
    pub notes: Vec<String>,
}

pub(crate) const SCHEMA: &str = "smtplog.report/1";

/// A storm in a line; `smtplog storm` says all of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StormLine {
    /// What it looks like, as an id and in words.
    pub pattern: String,
    pub title: String,
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    /// Null: it is not over where the log ends.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schemars(extend("format" = "date-time"), with = "Option<String>")]
    pub end: Option<Zoned>,
    pub attempts: u64,
    /// Its mean rate ÷ the usual one; of a silence below 1.
    pub times: f64,
    /// What most of it has in common: `user anna@example.org`. Null: nothing stands out.
    pub factor: Option<String>,
}

/// From the first to the last minute of the mail lines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Range {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub first: Zoned,
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub last: Zoned,
}

pub(crate) fn rfc3339<S: Serializer>(moment: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&moment.strftime("%Y-%m-%dT%H:%M:%S%:z"))
}

// serde gives a reference to the field as it is.
#[allow(clippy::ref_option)]
pub(crate) fn maybe_rfc3339<S: Serializer>(moment: &Option<Zoned>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => rfc3339(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// How the schema says what [`rfc3339`] writes.
pub(crate) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// What was read. lines = mail + other, mail = understood + `not_understood`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Input {
    /// In the order in which they were read.
    pub files: Vec<String>,
    /// Of text that was read, decompressed.
    pub bytes: u64,
    pub lines: u64,
    pub mail: u64,
    pub other: u64,
    pub understood: u64,
    pub not_understood: u64,
    /// The first few lines that were not understood.
    pub not_understood_lines: Vec<String>,
    /// The filters in force, as options; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Events among the understood lines that no filter admitted; they are in nothing below.
    pub filtered: u64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Totals {
    pub outbound: Sent,
    pub local: Sent,
    pub inbound: Refused,
    /// Answers of single hosts before another host was tried; in no other sum.
    pub host_attempts: u64,
    /// Addresses verified; in no other sum.
    pub probes: u64,
    /// Hand-overs to a content filter or an inner relay, whose message is counted where it comes back; in no other sum.
    /// 0 with `--hops`, which counts them as deliveries.
    pub hops: u64,
    pub messages: Messages,
}

/// Messages, each once, however many lines and recipients it has, as far as the logs show what became of them.
/// messages = delivered + deferred + bounced + expired + discarded + held + waiting.
#[derive(Clone, Default, Debug, Serialize, JsonSchema)]
pub struct Messages {
    pub messages: u64,
    /// Of these, the ones that came from outside, from a client or a program, in the time of the logs.
    pub received: u64,
    /// Of these, the ones that this server wrote itself to say what became of others: bounces and the like.
    pub notices: u64,
    /// Every recipient was served.
    pub delivered: u64,
    /// Still in the queue, with a recipient that was put off.
    pub deferred: u64,
    /// Given up for a recipient at least, for none because of its age.
    pub bounced: u64,
    /// Given up for a recipient at least because of its age.
    pub expired: u64,
    pub discarded: u64,
    /// Still in the queue, on hold or frozen.
    pub held: u64,
    /// Still in the queue, with recipients that were not tried yet.
    pub waiting: u64,
    /// deferred + held + waiting, where the logs end.
    pub in_queue: u64,
    /// For how long the oldest of these has been seen; None: there is none, or none with a date.
    pub oldest_seconds: Option<u64>,
    /// Given to a content filter or an inner relay, or forwarded, as another message that is in the logs: counted there alone.
    pub handed_on: u64,
    /// In none of these sums: they came when as many were open as are kept.
    pub forgotten: u64,
    /// Recipients that were put off first and served later, by the reason of their first deferral; most first.
    pub delivered_later: Vec<DeliveredLater>,
}

/// How long it took from the first deferral to the delivery; the error is less than one hundredth.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveredLater {
    pub reason: Option<Reason>,
    pub title: String,
    /// Distinct pairs of queue id and recipient.
    pub recipients: u64,
    pub median_seconds: u64,
    /// 95 of 100 took no longer.
    pub p95_seconds: u64,
}

/// attempts = delivered + deferred + bounced + expired = replies of each class + `no_reply`.
#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct Sent {
    pub attempts: u64,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    /// Thrown away on purpose; not an attempt.
    pub discarded: u64,
    pub positive: u64,
    pub intermediate: u64,
    pub transient: u64,
    pub permanent: u64,
    /// The line shows no reply code.
    pub no_reply: u64,
}

/// refused = transient + permanent + unspecified.
#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct Refused {
    pub refused: u64,
    pub transient: u64,
    pub permanent: u64,
    /// Refused, and the line does not say whether for good.
    pub unspecified: u64,
    pub warned: u64,
    pub held: u64,
    pub discarded: u64,
}

/// One hour, from a full hour of UTC on. An event without a time is in none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Hour {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    pub outbound: HourSent,
    pub local: HourSent,
    pub inbound: HourRefused,
}

#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct HourSent {
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
}

#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct HourRefused {
    pub transient: u64,
    pub permanent: u64,
    /// Refused, and the line does not say whether for good.
    pub unspecified: u64,
}

/// Events alike in direction, outcome, class, code, enhanced code and reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub class: Option<Class>,
    /// None: delivered.
    pub reason: Option<Reason>,
    /// The reason in at most 30 characters; where it is not known, the name of the code.
    pub title: String,
    /// What helps; None: delivered.
    pub retryable: Option<Retry>,
    /// Where the number says one thing and what is to be done another.
    pub conflict: Option<&'static str>,
    pub attempts: u64,
    /// Distinct pairs of queue id and recipient; for refusals without a queue id, of client, sender and recipient.
    /// 0 for delivered mail.
    pub recipients: u64,
    /// False: there are more than are kept, and their number is estimated; it is off by less than 2 in 100, 95 times of 100.
    pub recipients_exact: bool,
    /// Time of the first event; None: no event has a valid timestamp.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    /// Time of the last event.
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// The commands that were answered, as far as the lines say.
    pub stages: Vec<StageCount>,
    /// Who runs the other side, at most three, the most frequent first.
    pub providers: Vec<NameCount>,
    /// Recipient domains, for refusals client addresses; the most frequent ones.
    #[serde(rename = "where")]
    pub wheres: Vec<NameCount>,
    /// How many there are in all.
    pub where_count: u64,
    /// What to do, in one line; None: nothing.
    pub advice: Option<String>,
    /// The first log line of its kind.
    pub example: Option<String>,
    /// The first lines of its kind, as many as `--examples` asked for; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Against the usual of `--baseline`; absent: nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What is usual at these hours, and how far it is from that.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The median of earlier days.
    pub usual: f64,
    /// Rounded; null: there usually is none at all.
    pub percent: Option<i64>,
    /// Far outside of what chance makes of the usual.
    pub unusual: bool,
}

/// What a report was compared with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// Earlier stretches of time that the usual rests on; each is as long as what was read.
    pub samples: usize,
    /// They lie whole weeks back; false: whole days, since there are too few weeks yet.
    pub same_weekday: bool,
    pub delivered: Change,
    pub deferred: Change,
    pub bounced: Change,
    pub expired: Change,
    pub refused: Change,
    /// What usually comes ten times or more and did not come at all.
    pub gone: Vec<MissingRow>,
}

/// A kind of row that is missing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MissingRow {
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
    pub usual: f64,
}

/// A condition that is true.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MetCondition {
    pub condition: String,
    /// What it came to: a count, a percentage, a count in an hour, or seconds.
    pub value: f64,
    /// The same in words: `37.6%`, `2 h`.
    pub shown: String,
}

/// How things are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictState {
    Ok,
    Watch,
    Bad,
}

/// How things are, and why. The worst finding is the state.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict {
    pub state: VerdictState,
    /// The worst first; empty: all is well.
    pub findings: Vec<VerdictFinding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerdictFinding {
    pub state: VerdictState,
    /// `421 4.7.28 rate limited`, `bounced>2%`.
    pub what: String,
    /// How much of it there is: `18,204`, `3.1%`.
    pub value: String,
    /// What is usual, in the same words; null: nobody knows.
    pub usual: Option<String>,
    /// Its place among `rows`; null: it is no row.
    pub row: Option<usize>,
}

/// Events alike in the keys of `--by`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupTable {
    pub by: Vec<By>,
    pub rows: Vec<GroupRow>,
    /// Events of groups that came when no more could be kept.
    pub others: u64,
}

/// The events of one group; attempts of single hosts and probes are left out, as they are of every sum.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupRow {
    /// In the order of `by`.
    #[serde(serialize_with = "keyed")]
    #[schemars(schema_with = "by_key")]
    pub keys: Vec<GroupKey>,
    /// The sum of the outcomes.
    pub events: u64,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    pub rejected: u64,
    pub warned: u64,
    pub held: u64,
    pub discarded: u64,
    /// As in a row; delivered mail is left out.
    pub recipients: u64,
    pub recipients_exact: bool,
    pub first: Option<String>,
    pub last: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

impl GroupRow {
    pub(crate) fn failures(&self) -> u64 {
        self.deferred + self.bounced + self.expired + self.rejected
    }
}

/// One key of a group and its value; None: the lines do not say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GroupKey {
    pub by: By,
    pub value: Option<String>,
}

/// `{"domain": "example.org", "code": "552"}`
fn keyed<S: Serializer>(keys: &[GroupKey], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(keys.iter().map(|key| (key.by, &key.value)))
}

/// How the schema says what [`keyed`] writes.
fn by_key(generator: &mut SchemaGenerator) -> Schema {
    let by = generator.subschema_for::<By>();
    json_schema!({"type": "object", "propertyNames": by, "additionalProperties": {"type": ["string", "null"]}})
}

/// What comes first in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SortBy {
    /// What is most: failures where there are any.
    Count,
    /// What happened last.
    Recent,
    /// By code, or by name.
    Name,
}

/// All the advice on one reason, seen from one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Full {
    pub reason: Reason,
    pub title: String,
    /// Who said it.
    pub side: &'static str,
    pub meaning: String,
    pub line: String,
    /// What to look at; changes nothing.
    pub check: Vec<String>,
    /// What to type or set, the reversible first.
    #[serde(rename = "do")]
    pub act: Vec<String>,
    /// When to stop trying.
    pub stop: String,
    pub sources: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NameCount {
    pub name: String,
    pub attempts: u64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StageCount {
    pub stage: Stage,
    pub attempts: u64,
}
