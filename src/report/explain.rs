//! The documents of `explain`, `compare` and `codes`. The names of the fields are those in JSON.

use serde::Serialize;

use crate::catalog::Cause;
use crate::catalog::classify::{Reason, Retry};
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::{Class, Code};
use crate::smtp::side::Side;

/// The entries of one call of `explain`, in the order of the inputs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entries {
    pub schema: &'static str,
    /// The date of the last review of the catalogue.
    pub catalogue: &'static str,
    pub entries: Vec<Entry>,
}

pub(crate) const ENTRIES: &str = "smtplog.entries/1";
pub(crate) const PAIR: &str = "smtplog.pair/1";
pub(crate) const CODES: &str = "smtplog.codes/1";

/// What an input is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    /// `452` or `452 4.3.1`.
    Code,
    /// `4.2.2` or `x.2.2`.
    Enhanced,
    /// `4xx`.
    Class,
    /// `mailbox-full`.
    Reason,
    /// A reply with its text.
    Reply,
    /// A line of a log.
    Line,
    /// Not in the catalogue.
    Unknown,
}

/// The meaning of a class in a word or two (RFC 5321 §4.2.1).
pub(crate) fn class_words(class: Class) -> &'static str {
    match class {
        Class::Positive => "success",
        Class::Intermediate => "go on",
        Class::Transient => "temporary",
        Class::Permanent => "permanent",
    }
}

/// The explanation of one input. A field that does not apply is empty or null.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub input: String,
    pub kind: EntryKind,
    /// Its short name: `452`, `4.2.2`, `mailbox-full`.
    pub label: String,
    pub name: String,
    pub code: Option<Code>,
    /// `4.2.2` or `x.2.2`.
    pub enhanced: Option<String>,
    pub class: Option<Class>,
    /// The phrase of the code in its RFC; null: the RFC has none, or the input has no code.
    pub phrase: Option<String>,
    /// Who said it is assumed: neither the input nor an option gives it.
    pub assumed: bool,
    /// Why the mail failed; null: the input does not say.
    pub verdict: Option<ReasonFinding>,
    pub description: Vec<String>,
    /// What the sending server does with the message.
    pub sender_does: String,
    /// The SMTP commands that it answers.
    pub stages: Vec<String>,
    /// When mail servers send it.
    pub when: Vec<VariantSource>,
    /// What it can mean.
    pub variants: Vec<Variant>,
    pub fixes: Vec<Fix>,
    /// Codes that are easily confused with it.
    pub unlike: Vec<NamedCode>,
    pub related: Vec<NamedCode>,
    /// The most similar entries, if the input is not known.
    pub nearest: Vec<NamedCode>,
    pub sources: Vec<String>,
}

impl Entry {
    /// An entry without texts.
    pub(crate) fn empty(input: &str, kind: EntryKind, label: &str) -> Self {
        Self {
            input: input.to_owned(),
            kind,
            label: label.to_owned(),
            name: String::new(),
            code: None,
            enhanced: None,
            class: None,
            verdict: None,
            description: Vec::new(),
            sender_does: String::new(),
            stages: Vec::new(),
            when: Vec::new(),
            variants: Vec::new(),
            fixes: Vec::new(),
            unlike: Vec::new(),
            related: Vec::new(),
            nearest: Vec::new(),
            phrase: None,
            assumed: false,
            sources: Vec::new(),
        }
    }
}

/// A reason, and how it was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReasonFinding {
    pub reason: Reason,
    pub title: String,
    pub meaning: String,
    /// Which one of the things that the reason stands for; null: not known.
    pub cause: Option<Cause>,
    pub cause_title: Option<String>,
    pub cause_meaning: Option<String>,
    /// The part of the reply that decided: `provider`, `text`, `enhanced`, `stage`, `code`, `guess` or `nothing`.
    pub sure: &'static str,
    pub why_sure: &'static str,
    /// The words by which a guess was made; empty: it is no guess.
    pub decided_by: Vec<String>,
    pub rule: Option<String>,
    pub provider: Option<String>,
    pub provider_name: Option<String>,
    /// The page on which the provider explains its replies.
    pub provider_page: Option<String>,
    pub retryable: Retry,
    pub retry_helps: String,
}

/// When a mail server sends it. `mta` is null: any server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct VariantSource {
    pub mta: Option<Mta>,
    pub text: String,
}

/// One possible meaning.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Variant {
    /// `452 4.3.1`
    pub label: String,
    pub reason: Option<Reason>,
    pub text: String,
}

/// What to do on one side of the connection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fix {
    pub direction: Direction,
    /// Where the other side is taken to be.
    pub side: Side,
    pub steps: Vec<AdviceStep>,
}

/// Advice for one case.
#[derive(Clone, Default, Debug, Serialize)]
pub(crate) struct AdviceStep {
    /// The case: `4.3.1` or a reason. Empty: every case.
    pub label: String,
    /// Null: any server.
    pub mta: Option<Mta>,
    pub line: String,
    pub check: Vec<String>,
    #[serde(rename = "do")]
    pub act: Vec<String>,
    pub stop: String,
}

/// A code or a reason, and what it means.
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
    /// Which one of the things that the reason stands for. `None`: not known.
    pub cause: Option<Cause>,
    pub retryable: Option<Retry>,
    /// The id of the provider that words its replies so, or runs the host that was named.
    pub provider: Option<String>,
    /// The id of the rule that gave the reason.
    pub rule: Option<String>,
    /// What to do, in one line of at most 100 characters.
    pub advice: Option<String>,
}

/// A comparison of two codes or reasons.
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
    /// Inputs that are not in the catalogue, with the most similar entries. If there are any, all other fields are empty.
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
