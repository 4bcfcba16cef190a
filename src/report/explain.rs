//! What `explain`, `compare` and `codes` found, before it has a look. The fields are what their JSON says.

use serde::Serialize;

use crate::catalog::classify::{Reason, Retry};
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::{Class, Code};

/// The entries of one call, in the order in which they were asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entries {
    pub schema: &'static str,
    /// When the catalogue of codes was last looked through.
    pub catalogue: &'static str,
    pub entries: Vec<Entry>,
}

pub(crate) const ENTRIES: &str = "smtplog.entries/1";
pub(crate) const PAIR: &str = "smtplog.pair/1";
pub(crate) const CODES: &str = "smtplog.codes/1";

/// What was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    /// `452`, also `452 4.3.1`.
    Code,
    /// `4.2.2`, `x.2.2`.
    Enhanced,
    /// `4xx`.
    Class,
    /// `mailbox-full`.
    Reason,
    /// A reply with its words.
    Reply,
    /// A line of a log.
    Line,
    /// Nothing that the book has.
    Unknown,
}

/// What a class says, in a word or two (RFC 5321 §4.2.1).
pub(crate) fn class_words(class: Class) -> &'static str {
    match class {
        Class::Positive => "success",
        Class::Intermediate => "go on",
        Class::Transient => "temporary",
        Class::Permanent => "permanent",
    }
}

/// All there is to say about one thing. What is empty has nothing to be said.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub input: String,
    pub kind: EntryKind,
    /// What it is called in a heading: `452`, `4.2.2`, `mailbox-full`.
    pub label: String,
    pub name: String,
    pub code: Option<Code>,
    /// `4.2.2` or `x.2.2`.
    pub enhanced: Option<String>,
    pub class: Option<Class>,
    /// Why the mail failed, where the input tells it.
    pub verdict: Option<ReasonFinding>,
    pub description: Vec<String>,
    /// What the sending server does with the message.
    pub sender_does: String,
    /// The commands it answers.
    pub stages: Vec<String>,
    pub when: Vec<VariantSource>,
    pub variants: Vec<Variant>,
    pub fixes: Vec<Fix>,
    pub unlike: Vec<NamedCode>,
    pub related: Vec<NamedCode>,
    /// What comes nearest to an input that is not known.
    pub nearest: Vec<NamedCode>,
    pub sources: Vec<String>,
}

/// A reason, and what it rests on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReasonFinding {
    pub reason: Reason,
    pub title: String,
    pub meaning: String,
    /// `provider`, `text`, `enhanced`, `stage`, `code` or `nothing`.
    pub sure: &'static str,
    pub why_sure: &'static str,
    pub rule: Option<String>,
    pub provider: Option<String>,
    pub provider_name: Option<String>,
    /// Where the provider explains its replies.
    pub provider_page: Option<String>,
    pub retryable: Retry,
    pub retry_helps: String,
}

/// Which server says it, and when. None: any.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct VariantSource {
    pub mta: Option<Mta>,
    pub text: String,
}

/// One of the things that it can mean.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Variant {
    /// `452 4.3.1`
    pub label: String,
    pub reason: Option<Reason>,
    pub text: String,
}

/// What to do on one side.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fix {
    pub direction: Direction,
    pub steps: Vec<AdviceStep>,
}

#[derive(Clone, Default, Debug, Serialize)]
pub(crate) struct AdviceStep {
    /// In which case: `4.3.1`, or a reason. Empty: in every case.
    pub label: String,
    /// None: with any server.
    pub mta: Option<Mta>,
    pub line: String,
    pub check: Vec<String>,
    #[serde(rename = "do")]
    pub act: Vec<String>,
    pub stop: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct NamedCode {
    pub label: String,
    pub text: String,
}

/// The answer about one reply, code, class or reason, in a few fields. `None`: the input does not say, or there is nothing
/// to say.
#[derive(Clone, Debug, Serialize)]
pub struct Brief {
    /// The input as it was given.
    pub input: String,
    pub code: Option<Code>,
    /// `4.2.2`, or `x.2.2` if that was asked for.
    pub enhanced: Option<String>,
    /// The class of the code, else of the enhanced code.
    pub class: Option<Class>,
    /// Why the mail failed; [`Reason::Unknown`] if no rule matches. `None`: it is no failure.
    pub reason: Option<Reason>,
    pub retryable: Option<Retry>,
    /// The id of the provider that words its replies so, or runs the host that was named.
    pub provider: Option<String>,
    /// The id of the rule that gave the reason.
    pub rule: Option<String>,
    /// What to do, in one line of at most 90 characters.
    pub advice: Option<String>,
}

/// Two things side by side.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pair {
    pub schema: &'static str,
    pub catalogue: &'static str,
    pub labels: [String; 2],
    pub names: [String; 2],
    pub rows: Vec<PairRow>,
    pub differences: Vec<String>,
    pub rule_of_thumb: String,
    pub catch: Vec<String>,
    pub sources: Vec<String>,
    /// Inputs that the book does not have, with what comes nearest to each. Then all else is empty.
    pub unknown: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct PairRow {
    pub title: &'static str,
    pub cells: [String; 2],
}

/// The catalogue of reply codes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Codes {
    pub schema: &'static str,
    pub catalogue: &'static str,
    pub codes: Vec<CodeLine>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct CodeLine {
    pub code: Code,
    pub class: Class,
    pub name: String,
    pub meaning: String,
    pub stages: Vec<String>,
    /// An RFC with its section, or `de facto: …`.
    pub source: String,
    pub note: Option<String>,
}
