//! The rows of a report and its groups of `--by`, as the JSON prints them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::catalog::classify::{Reason, Retry};
use crate::smtp::event::{By, Direction, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

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
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    pub stages: Vec<StageCount>,
    pub providers: Vec<NameCount>,
    /// Recipient domains, for refusals client addresses; the most frequent ones.
    #[serde(rename = "where")]
    pub wheres: Vec<NameCount>,
    /// How many there are in all.
    pub where_count: u64,
    pub advice: Option<String>,
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
    pub fn failures(&self) -> u64 {
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
