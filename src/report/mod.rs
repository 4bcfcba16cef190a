//! Defines the documents of the commands as plain data, in the shape of their JSON.
//!
//! Promises: public fields, no logic that reads a log, and JSON names that are only added to.
//! May use: catalog, parse (enums only) and smtp.

pub(crate) mod delay_row;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod host_row;
pub(crate) mod name_row;
pub(crate) mod row;
pub(crate) mod section;
pub(crate) mod storm;
pub(crate) mod time;
pub(crate) mod totals;
pub(crate) mod trace;
pub(crate) mod verdict;
pub(crate) mod warning_row;

use clap::ValueEnum;
use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::delay_row::{DelayRow, PhaseRow};
pub use self::host_row::{HostDifference, HostRow};
pub use self::name_row::{NameRow, NameTotals, Remainder, Remainders};
pub use self::row::Row;
pub use self::row::{Change, GroupKey, GroupRow, GroupTable, NameCount, StageCount};
pub use self::section::{
    ActionSection, CodeCount, DirectionTotals, DomainFault, FailingDomain, FaultRow, FaultTotals, LastDay,
    MainPlace, PlaceKind, SenderCount, TrendAxis,
};
pub use self::time::Range;
use self::time::{date_time, maybe_rfc3339, rfc3339};
pub use self::totals::{
    DeliveredLater, ExpiredAfter, Hour, HourRefused, HourSent, Messages, Refused, Sent, Totals,
};
pub use self::verdict::{Compared, MetCondition, MissingRow, Verdict, VerdictFinding, VerdictState};
pub use self::warning_row::WarningRow;
use crate::catalog::Cause;
use crate::catalog::classify::Reason;

/// The whole report. Fields are added within a schema, never renamed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog report")]
pub struct Report {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// Null: no mail line has a timestamp.
    pub range: Option<Range>,
    /// The hosts that wrote the lines, most lines first.
    pub hosts: Vec<String>,
    pub input: Input,
    pub totals: Totals,
    /// Failed messages by who must act, the most urgent first. Each failed message is in one row of one section.
    pub sections: Vec<ActionSection>,
    /// What the trends of these rows count; null: no mail line has a timestamp.
    pub trend: Option<TrendAxis>,
    /// Most attempts first.
    pub rows: Vec<Row>,
    /// The groups of `--by`; absent without that option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupTable>,
    /// Envelope senders, named by any line of the message; `<>` is the null sender. Like all tables of names, this one
    /// lists the 50 names with the most failures and the 50 with the most mail, the most failures first.
    pub senders: Vec<NameRow>,
    /// Login names of clients, named by any line of the message.
    pub users: Vec<NameRow>,
    /// IP addresses of clients that sent messages or were rejected.
    pub clients: Vec<NameRow>,
    /// Recipient domains.
    pub domains: Vec<NameRow>,
    /// Why deliveries to the domains with the most failures failed: the first 20 of `domains` that have failures.
    pub failing_domains: Vec<FailingDomain>,
    /// Providers that run the other server.
    pub providers: Vec<NameRow>,
    /// Servers that replied to us.
    pub relays: Vec<NameRow>,
    /// Parts of the mail servers that wrote the lines, such as `postfix-out`.
    pub instances: Vec<NameRow>,
    /// The hosts that wrote the lines, with their mail: those that differ from the others first, then most messages first;
    /// absent: there is only one host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_host: Vec<HostRow>,
    /// What is not in any row of these tables.
    pub rest: Remainders,
    /// The servers' own warnings: those that need attention first, then the most frequent; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningRow>,
    /// How long delivered mail took, most deliveries first; absent without `--delays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Vec<DelayRow>>,
    /// Hours with at least one event, the earliest first.
    pub timeline: Vec<Hour>,
    /// The complete advice for each reason; absent without `--advice full`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full_advice: Vec<Full>,
    /// The comparison with `--baseline`; absent without that option or with fewer than three earlier periods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Compared>,
    /// The conditions of `--fail-on` that are true; absent without that option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<MetCondition>>,
    /// Bursts of failures and silences, the most important first; absent: nobody asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storms: Option<Vec<StormLine>>,
    /// The longest spans without lines of any kind where many are usual; for the verdict.
    #[serde(skip)]
    pub holes: Vec<Hole>,
    /// Whether all is well; absent only in a report of the library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Limits of the numbers, in English.
    pub notes: Vec<String>,
    /// How many of the notes, from the first, are about tables that the first screen of the text does not show.
    #[serde(skip)]
    pub table_notes: usize,
}

pub(crate) const SCHEMA: &str = "smtplog.report/1";

/// A span in which a log has no line of any kind, although many are usual.
#[derive(Clone, Debug)]
pub struct Hole {
    /// The first minute without a line.
    pub start: Zoned,
    /// The first minute with one again.
    pub end: Zoned,
}

/// The summary of a storm; `smtplog storm` prints the rest.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StormLine {
    /// The id of its pattern.
    pub pattern: String,
    /// The pattern in words.
    pub title: String,
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    /// Null: it is not over at the end of the log.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schemars(extend("format" = "date-time"), with = "Option<String>")]
    pub end: Option<Zoned>,
    pub attempts: u64,
    /// Mean rate ÷ usual rate; below 1 for a silence.
    pub times: f64,
    /// What most of its events have in common: `user anna@example.org`. Null: nothing stands out.
    pub factor: Option<String>,
    /// What to do, in one line.
    pub advice: String,
    /// Its pattern is a guess.
    #[serde(skip)]
    pub is_unsure: bool,
    /// Mail may be missing only because it is a weekend.
    #[serde(skip)]
    pub is_doubtful: bool,
}

/// What was read: lines = mail + other, mail = understood + `not_understood`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Input {
    /// In the order in which they were read.
    pub files: Vec<String>,
    /// Bytes of text, decompressed.
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
    /// Events among the understood lines that the filters hid; they are not counted below.
    pub filtered: u64,
}

/// Filters that select events by their result. What they leave of a message is one result, whatever became of it.
const BY_RESULT: [&str; 4] = ["--outcome ", "--code ", "--class ", "--reason "];

/// Other filters that admit no refusal of a client, or not all.
const BESIDE_CLIENTS: [&str; 3] = ["--direction ", "--relay ", "--provider "];

impl Input {
    fn has_filter(&self, options: &[&str]) -> bool {
        self.filter.iter().any(|word| options.iter().any(|option| word.starts_with(option)))
    }

    /// Whether a filter selects events by their result, so that shares of results mean nothing.
    pub(crate) fn selects_results(&self) -> bool {
        self.has_filter(&BY_RESULT)
    }

    /// Whether a filter may hide that clients were refused.
    pub(crate) fn may_hide_refusals(&self) -> bool {
        self.has_filter(&BY_RESULT) || self.has_filter(&BESIDE_CLIENTS)
    }
}

/// How much of a report is asked for. What is not asked for is neither counted nor built.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ReportExtent {
    /// What the first screen of the text shows. It has no rows, no tables of domains, providers, relays and instances, and
    /// nothing about single domains and the senders of failed messages.
    FirstScreen,
    #[default]
    Whole,
}

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SortBy {
    /// Most failures first, or most events if there are no failures.
    Count,
    /// The latest first.
    Recent,
    /// By code, or by name.
    Name,
}

/// The complete advice for one reason, for one side of the connection.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Full {
    pub reason: Reason,
    /// Null: not known.
    pub cause: Option<Cause>,
    pub title: String,
    /// Which side sent the reply, in words.
    pub side: &'static str,
    pub meaning: String,
    pub line: String,
    /// What to look at; these commands change nothing.
    pub check: Vec<String>,
    /// What to type or set; what can be undone comes first.
    #[serde(rename = "do")]
    pub act: Vec<String>,
    /// When to stop trying.
    pub stop: String,
    pub sources: Vec<String>,
}
