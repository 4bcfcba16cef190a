//! Reads the tables of the catalogue, each when it is first asked for: codes, enhanced codes, reasons, pairs.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::by_server::ByServer;
use super::reason::{EnhancedPattern, Reason, Retry};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// The tables as build.rs has packed them: each with its name and its text, JSON.
mod packed {
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

/// A reply code: what it means, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRow {
    #[serde(deserialize_with = "code_number")]
    pub code: Code,
    pub name: String,
    pub meaning: String,
    pub stages: Vec<String>,
    /// An RFC with its section, or `de facto: …`.
    pub source: String,
    /// What the meaning leaves out and an administrator should know.
    pub note: Option<String>,
    /// Completes "452 is about …".
    pub about: String,
    pub when: String,
    /// When the mail server sends it, and by which parameter. Empty: never by itself.
    #[serde(flatten)]
    pub own: ByServer<String>,
    /// What the sending side does about it, in one line.
    pub you: String,
    /// What to do when a server said it to us, before what its variants advise.
    pub they: Vec<String>,
    /// What to do when we said it to a client, before what its variants advise.
    pub we: Vec<String>,
    /// The server hangs up after it.
    #[serde(default)]
    pub ends: bool,
    /// What the sending server does. Empty: what its class says.
    #[serde(default)]
    pub sender: String,
    #[serde(default)]
    pub variants: Vec<VariantRow>,
    pub related: Vec<u16>,
    pub unlike: Vec<ContrastRow>,
    /// The code in a few words, as one would say it aloud.
    pub thumb: String,
    /// What misleads. Empty: what the note says.
    #[serde(default)]
    pub catch: String,
    /// Where the advice comes from.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// One of the things a code can mean.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRow {
    /// Empty: no enhanced code tells it.
    #[serde(default)]
    pub code: String,
    /// None: it is no failure.
    pub reason: Option<Reason>,
    /// Empty: the reason's title says it.
    #[serde(default)]
    pub words: String,
}

/// A code or a reason that is mistaken for this one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastRow {
    pub what: String,
    pub why: String,
}

/// A comparison written for two codes.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePairRow {
    pub of: [u16; 2],
    pub differences: Vec<String>,
    pub thumb: String,
    pub catch: String,
    pub sources: Vec<String>,
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
    /// The reason in a few words, as one would say it aloud.
    pub thumb: String,
    pub unlike: Vec<ContrastRow>,
}

impl ReasonRow {
    /// What a retry is worth. Without a number the mail is taken to be still in the queue.
    pub fn retry(&self, class: Option<Class>) -> Retry {
        if class == Some(Class::Permanent) { self.retry_permanent } else { self.retry_transient }
    }
}

#[derive(Deserialize)]
struct CodeTable {
    catalogue: String,
    code: Vec<CodeRow>,
}

#[derive(Deserialize)]
struct EnhancedTable {
    enhanced: Vec<EnhancedRow>,
}

#[derive(Deserialize)]
struct ReasonTable {
    reason: Vec<ReasonRow>,
}

#[derive(Deserialize)]
struct PairTable {
    pair: Vec<CodePairRow>,
}

static CODES: LazyLock<CodeTable> = LazyLock::new(|| table("codes"));
static ENHANCED: LazyLock<EnhancedTable> = LazyLock::new(|| table("enhanced"));
static REASONS: LazyLock<ReasonTable> = LazyLock::new(|| table("reasons"));
static PAIRS: LazyLock<PairTable> = LazyLock::new(|| table("pairs"));

/// A table of ours. It must exist, and a test reads each: what users write is TOML, and may be wrong.
pub(crate) fn table<T: DeserializeOwned>(name: &str) -> T {
    find_table(name).expect("the tables are tested")
}

/// None: there is no such table.
pub(crate) fn find_table<T: DeserializeOwned>(name: &str) -> Option<T> {
    let (_, text) = packed::TABLES.iter().find(|(known, _)| *known == name)?;
    Some(serde_json::from_str(text).expect("the tables are tested"))
}

/// The names of the tables under this folder: `tr` for `lang/tr`.
pub fn tables_under(folder: &str) -> impl Iterator<Item = &'static str> {
    packed::TABLES.iter().filter_map(move |(name, _)| name.strip_prefix(folder)?.strip_prefix('/'))
}

/// In the order of the numbers.
pub fn codes() -> &'static [CodeRow] {
    &CODES.code
}

/// In the order of the numbers.
pub fn enhanced_codes() -> &'static [EnhancedRow] {
    &ENHANCED.enhanced
}

/// In the order of [`Reason`].
pub fn reasons() -> &'static [ReasonRow] {
    &REASONS.reason
}

/// In the order of the numbers.
pub(crate) fn pairs() -> &'static [CodePairRow] {
    &PAIRS.pair
}

/// When the catalogue of codes was last checked against its sources: `2026-11`.
pub(crate) fn catalogue_date() -> &'static str {
    &CODES.catalogue
}

pub fn find_code(code: Code) -> Option<&'static CodeRow> {
    codes().iter().find(|row| row.code == code)
}

pub(crate) fn reason_row(reason: Reason) -> &'static ReasonRow {
    reasons().iter().find(|row| row.id == reason).expect("a test finds a row for each reason")
}

/// In any order.
pub fn find_pair(a: Code, b: Code) -> Option<&'static CodePairRow> {
    let of = [a.min(b).number(), a.max(b).number()];
    pairs().iter().find(|row| row.of == of)
}

/// The row that covers an enhanced code, whatever its class.
pub fn find_enhanced(code: EnhancedCode) -> Option<&'static EnhancedRow> {
    enhanced_codes().iter().find(|row| row.code.fits(code))
}

/// The row of x.SUBJECT.DETAIL.
pub(crate) fn find_enhanced_detail(subject: u16, detail: u16) -> Option<&'static EnhancedRow> {
    let is_it =
        |code: EnhancedPattern| code.subject == subject && code.first == detail && code.last == detail;
    enhanced_codes().iter().find(|row| is_it(row.code))
}

fn code_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    let number = u16::deserialize(deserializer)?;
    Code::new(number).ok_or_else(|| de::Error::custom(format!("{number} is no reply code")))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_reason_is_mistaken_for_other_reasons() {
        for row in reasons() {
            assert!(!row.unlike.is_empty(), "{:?}", row.id);
            for unlike in &row.unlike {
                let other = Reason::from_str(&unlike.what, false);
                assert!(other.is_ok_and(|other| other != row.id), "{:?}: {}", row.id, unlike.what);
            }
        }
    }

    #[test]
    fn every_code_names_other_codes_of_the_table() {
        let is_known = |number: &u16| Code::new(*number).and_then(find_code).is_some();
        for row in codes() {
            assert!(row.related.iter().all(is_known), "{}: related codes are not in the table", row.code);
            assert!(!row.related.is_empty() && !row.unlike.is_empty(), "{}: nothing beside it", row.code);
            for unlike in &row.unlike {
                assert!(unlike.what.parse().is_ok_and(|what| is_known(&what)), "{}: {unlike:?}", row.code);
            }
        }
    }

    #[test]
    fn a_variant_has_the_class_of_its_code() {
        for row in codes() {
            for variant in &row.variants {
                let enhanced = EnhancedCode::read(variant.code.as_bytes()).map(|(code, _)| code.class());
                assert!(
                    variant.code.is_empty() || enhanced == Some(row.code.class()),
                    "{}: {variant:?}",
                    row.code
                );
                assert!(variant.reason.is_some() || !variant.words.is_empty(), "{}: {variant:?}", row.code);
            }
        }
    }

    #[test]
    fn pairs_are_sorted_and_of_known_codes() {
        assert!(pairs().is_sorted_by(|a, b| a.of < b.of));
        for row in pairs() {
            assert!(row.of[0] < row.of[1], "{:?}", row.of);
            let is_known = |number: u16| Code::new(number).and_then(find_code).is_some();
            assert!(row.of.into_iter().all(is_known), "{:?}", row.of);
            assert!(!row.differences.is_empty() && !row.sources.is_empty(), "{:?}", row.of);
        }
    }

    #[test]
    fn the_catalogue_has_a_date() {
        assert_eq!(catalogue_date().len(), "2026-11".len());
    }
}
