//! The rows of a report and its groups of `--by`, as the JSON prints them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::catalog::Cause;
use crate::catalog::classify::{Reason, Retry};
use crate::smtp::event::{By, Direction, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Events with the same direction, outcome, class, code, enhanced code and reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub class: Option<Class>,
    /// Null: delivered.
    pub reason: Option<Reason>,
    /// Which one of the things that the reason stands for; null: not known.
    pub cause: Option<Cause>,
    /// The cause, else the reason, in at most 30 characters, or the name of the code if the reason is not known.
    pub title: String,
    /// Whether a retry helps; null: delivered.
    pub retryable: Option<Retry>,
    /// How the code contradicts the advice; null: it does not.
    pub conflict: Option<&'static str>,
    pub attempts: u64,
    /// Distinct pairs of queue id and recipient; for rejections without a queue id, distinct triples of client, sender and
    /// recipient. 0 for delivered mail.
    pub recipients: u64,
    /// False: `recipients` is an estimate because there are too many to keep; the error is below 2 % in 95 % of cases.
    pub recipients_exact: bool,
    /// Time of the first event; null: no event has a valid timestamp.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    /// Time of the last event.
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// The SMTP commands that were answered, as far as the lines say.
    pub stages: Vec<StageCount>,
    /// Providers that run the other server: at most three, the most frequent first.
    pub providers: Vec<NameCount>,
    /// Recipient domains, or client addresses for rejections; the most frequent ones.
    #[serde(rename = "where")]
    pub wheres: Vec<NameCount>,
    /// The number of different ones, including those that `where` leaves out.
    pub where_count: u64,
    /// What to do, in one line; null: nothing.
    pub advice: Option<String>,
    /// The latest log line of the row.
    pub example: Option<String>,
    /// The latest log lines of this row, in their order, at most as many as `--examples` says; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// The change against `--baseline`; absent: nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// The usual count at these hours, and how far the count is from it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The median of earlier days.
    pub usual: f64,
    /// The change in percent, rounded; null: the usual count is 0.
    pub percent: Option<i64>,
    /// The difference is too large to be chance.
    pub unusual: bool,
}

/// The groups of events that `--by` asks for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupTable {
    pub by: Vec<By>,
    pub rows: Vec<GroupRow>,
    /// Events of groups that are not listed because there are too many groups to keep.
    pub others: u64,
}

/// The events of one group, without address probes and attempts at MX hosts after which another MX was tried.
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
    /// Like `recipients` of a row; delivered mail is not counted.
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

/// One key of a group and its value; `None`: the lines do not name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GroupKey {
    pub by: By,
    pub value: Option<String>,
}

/// Serializes the keys as one object: `{"domain": "example.org", "code": "552"}`.
fn keyed<S: Serializer>(keys: &[GroupKey], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(keys.iter().map(|key| (key.by, &key.value)))
}

/// The JSON Schema of what [`keyed`] writes.
fn by_key(generator: &mut SchemaGenerator) -> Schema {
    let by = generator.subschema_for::<By>();
    json_schema!({"type": "object", "propertyNames": by, "additionalProperties": {"type": ["string", "null"]}})
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
