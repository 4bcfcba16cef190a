//! The book's texts: codes, enhanced codes, reasons and advice, each read when it is asked for.

use serde::{Deserialize, Deserializer, de};

use super::advice::AdviceRow;
use super::packed::packed;
use super::words::{EnhancedPattern, Reason, Retry};
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

/// The row that covers an enhanced code, out of [`enhanced_codes`].
pub fn find_enhanced(rows: &[EnhancedRow], code: EnhancedCode) -> Option<&EnhancedRow> {
    rows.iter().find(|row| row.code.fits(code))
}

fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    let number = u16::deserialize(deserializer)?;
    Code::new(number).ok_or_else(|| de::Error::custom(format!("{number} is no reply code")))
}
