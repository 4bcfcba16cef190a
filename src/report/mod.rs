//! Documents that the program prints, as data: the report of `scan` here, those of other subcommands in files of their own.
//!
//! The names of the fields are the names in JSON. Rendering is left to `render`.

pub(crate) mod delay_row;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod name_row;
pub(crate) mod row;
pub(crate) mod storm;
pub(crate) mod time;
pub(crate) mod totals;
pub(crate) mod trace;
pub(crate) mod verdict;

use clap::ValueEnum;
use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::delay_row::{DelayRow, PhaseRow};
pub(crate) use self::name_row::{NameRow, NameTotals, Remainder, Remainders};
pub use self::row::Row;
pub(crate) use self::row::{Change, GroupKey, GroupRow, GroupTable, NameCount, StageCount};
pub(crate) use self::time::Range;
use self::time::{date_time, maybe_rfc3339, rfc3339};
pub(crate) use self::totals::{DeliveredLater, Hour, HourRefused, HourSent, Messages, Refused, Sent, Totals};
pub(crate) use self::verdict::{Compared, MetCondition, MissingRow, Verdict, VerdictFinding, VerdictState};
use crate::catalog::classify::Reason;

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
    pub relays: Vec<NameRow>,
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

/// What was read. lines = mail + other, mail = understood + `not_understood`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Input {
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
