//! The book's texts: codes, enhanced codes, reasons and advice, each read when it is asked for.

use serde::{Deserialize, Deserializer, de};

use super::packed::packed;
use super::words::{EnhancedPattern, Reason, Retry};
use crate::event::{Direction, Mta};
use crate::reply::{Class, Code, EnhancedCode};

/// A reply code.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRow {
    #[serde(deserialize_with = "code")]
    pub code: Code,
    pub name: String,
    pub meaning: String,
    pub stages: Vec<String>,
    /// An RFC with its section, or `de facto: …`.
    pub source: String,
    /// What the meaning leaves out and an administrator should know.
    pub note: Option<String>,
}

/// An enhanced code of the IANA registry.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnhancedRow {
    pub code: EnhancedPattern,
    pub name: String,
    pub meaning: String,
    pub reference: String,
    /// What it means where the words say nothing. None: the words must decide.
    pub reason: Option<Reason>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRow {
    pub id: Reason,
    /// At most 30 characters, for a row of a report.
    pub title: String,
    pub meaning: String,
    /// What helps after a 4xx.
    pub retry_transient: Retry,
    /// What helps after a 5xx.
    pub retry_permanent: Retry,
}

impl ReasonRow {
    /// What a retry is worth. Without a number the mail is taken to be still in the queue.
    pub fn retry(&self, class: Option<Class>) -> Retry {
        if class == Some(Class::Permanent) { self.retry_permanent } else { self.retry_transient }
    }
}

/// What to do about a reason, seen from one side.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdviceRow {
    pub reason: Reason,
    pub direction: Vec<Direction>,
    /// For every mail server.
    #[serde(flatten)]
    pub all: Advice,
    #[serde(default)]
    pub postfix: Advice,
    #[serde(default)]
    pub exim: Advice,
}

/// Empty where there is nothing to say.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(default)]
pub struct Advice {
    /// One imperative line of at most 90 characters; it names who must act.
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

impl AdviceRow {
    /// What is good for every server and what is good for this one, in one piece.
    pub fn for_mta(&self, mta: Mta) -> Advice {
        let none = Advice::default();
        let own = match mta {
            Mta::Postfix => &self.postfix,
            Mta::Exim => &self.exim,
            Mta::Sendmail | Mta::Opensmtpd => &none,
        };
        let one = |own: &String, all: &String| if own.is_empty() { all.clone() } else { own.clone() };
        Advice {
            line: one(&own.line, &self.all.line),
            check: [own.check.as_slice(), &self.all.check].concat(),
            act: [own.act.as_slice(), &self.all.act].concat(),
            stop: one(&own.stop, &self.all.stop),
            sources: [own.sources.as_slice(), &self.all.sources].concat(),
        }
    }
}

/// In the order of the numbers.
pub fn codes() -> Vec<CodeRow> {
    #[derive(Deserialize)]
    struct File {
        code: Vec<CodeRow>,
    }
    let file: File = packed(include_str!(concat!(env!("OUT_DIR"), "/codes.json")));
    file.code
}

/// In the order of the numbers.
pub fn enhanced_codes() -> Vec<EnhancedRow> {
    #[derive(Deserialize)]
    struct File {
        enhanced: Vec<EnhancedRow>,
    }
    let file: File = packed(include_str!(concat!(env!("OUT_DIR"), "/enhanced.json")));
    file.enhanced
}

/// In the order of [`Reason`].
pub fn reasons() -> Vec<ReasonRow> {
    #[derive(Deserialize)]
    struct File {
        reason: Vec<ReasonRow>,
    }
    let file: File = packed(include_str!(concat!(env!("OUT_DIR"), "/reasons.json")));
    file.reason
}

pub fn advice() -> Vec<AdviceRow> {
    #[derive(Deserialize)]
    struct File {
        advice: Vec<AdviceRow>,
    }
    let file: File = packed(include_str!(concat!(env!("OUT_DIR"), "/advice.json")));
    file.advice
}

/// The row of a reason and a direction, out of [`advice`].
pub fn find_advice(rows: &[AdviceRow], reason: Reason, direction: Direction) -> Option<&AdviceRow> {
    rows.iter().find(|row| row.reason == reason && row.direction.contains(&direction))
}

/// The row that covers an enhanced code, out of [`enhanced_codes`].
pub fn find_enhanced(rows: &[EnhancedRow], code: EnhancedCode) -> Option<&EnhancedRow> {
    rows.iter().find(|row| row.code.fits(code))
}

fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    let number = u16::deserialize(deserializer)?;
    Code::new(number).ok_or_else(|| de::Error::custom(format!("{number} is no reply code")))
}
