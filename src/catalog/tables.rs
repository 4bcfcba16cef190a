//! Reads the built-in tables, each at its first use: codes, enhanced codes, reasons, pairs.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::by_server::ByServer;
use super::reason::{EnhancedPattern, Reason, Retry};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// The tables that build.rs packed, as pairs of a name and JSON text, and the names of the codes.
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
    /// The phrase of the RFC for it. `None`: it has none.
    pub phrase: Option<String>,
    pub stages: Vec<String>,
    /// An RFC with its section, or `de facto: …`.
    pub source: String,
    /// What the meaning leaves out and an administrator should know.
    pub note: Option<String>,
    /// Completes "452 is about …".
    pub about: String,
    /// The situation in which one sees the code.
    pub when: String,
    /// When a mail server sends it, and the parameter that decides. Empty: the server never sends it by itself.
    #[serde(flatten)]
    pub own: ByServer<String>,
    /// What the administrator of the sending side does about it, in one line.
    pub you: String,
    /// What to do when another server sent it to us, for every variant.
    pub they: Vec<String>,
    /// What to do when our server sent it to a client, for every variant.
    pub we: Vec<String>,
    /// The server closes the connection after it.
    #[serde(default)]
    pub ends: bool,
    /// What the sending server does, if it differs from the class; else empty.
    #[serde(default)]
    pub sender: String,
    #[serde(default)]
    pub variants: Vec<VariantRow>,
    /// Codes to read next.
    pub related: Vec<u16>,
    /// Codes that are mistaken for this one.
    pub unlike: Vec<ContrastRow>,
    /// The rule of thumb: the meaning in a few words.
    pub thumb: String,
    /// What misleads about it. Empty: `note` says it.
    #[serde(default)]
    pub catch: String,
    /// The documents behind the advice.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// One of the meanings of a code.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRow {
    /// The enhanced code of the variant, `5.2.2`; empty if it has none.
    #[serde(default)]
    pub code: String,
    /// None: the variant is no failure.
    pub reason: Option<Reason>,
    /// The meaning in words. Empty: that of the reason.
    #[serde(default)]
    pub words: String,
}

/// A code or a reason that is mistaken for this one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastRow {
    /// The code or the reason.
    pub what: String,
    /// The difference.
    pub why: String,
}

/// A comparison of two codes, written by hand.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePairRow {
    /// The two codes, the smaller first.
    pub of: [u16; 2],
    pub differences: Vec<String>,
    /// The rule of thumb for the two.
    pub thumb: String,
    /// What misleads about the two.
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
    /// The RFC with its section.
    pub reference: String,
    /// The reason of a reply whose words say nothing. None: only the words can tell.
    pub reason: Option<Reason>,
}

/// The texts of a reason.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRow {
    pub id: Reason,
    /// At most 30 characters, for a row of a report.
    pub title: String,
    pub meaning: String,
    /// Whether a retry helps after a 4xx.
    pub retry_transient: Retry,
    /// Whether a retry helps after a 5xx.
    pub retry_permanent: Retry,
    /// The rule of thumb: the reason in a few words.
    pub thumb: String,
    /// Reasons that are mistaken for this one.
    pub unlike: Vec<ContrastRow>,
}

impl ReasonRow {
    /// Whether a retry helps. Without a class the mail is taken to be still in the queue, as after a 4xx.
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

/// A built-in table, `rules` or `lang/tr`. It must exist; tests read every table.
pub(crate) fn table<T: DeserializeOwned>(name: &str) -> T {
    find_table(name).expect("tests read every built-in table")
}

/// A built-in table. None: there is none of this name.
pub(crate) fn find_table<T: DeserializeOwned>(name: &str) -> Option<T> {
    let (_, text) = packed::TABLES.iter().find(|(known, _)| *known == name)?;
    Some(serde_json::from_str(text).expect("tests read every built-in table"))
}

/// The text of a built-in table, as it is embedded. None: there is none of this name.
pub(crate) fn table_text(name: &str) -> Option<&'static str> {
    packed::TABLES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the tables in a folder: `tr` for `lang/tr`.
pub fn tables_under(folder: &str) -> impl Iterator<Item = &'static str> {
    packed::TABLES.iter().filter_map(move |(name, _)| name.strip_prefix(folder)?.strip_prefix('/'))
}

/// All reply codes, in ascending order.
pub fn codes() -> &'static [CodeRow] {
    &CODES.code
}

/// All enhanced codes, in ascending order.
pub fn enhanced_codes() -> &'static [EnhancedRow] {
    &ENHANCED.enhanced
}

/// All reasons, in the order of [`Reason`].
pub fn reasons() -> &'static [ReasonRow] {
    &REASONS.reason
}

/// All comparisons that are written by hand, in ascending order.
pub(crate) fn pairs() -> &'static [CodePairRow] {
    &PAIRS.pair
}

/// The month in which the codes were last checked against their sources: `2026-11`.
pub(crate) fn catalogue_date() -> &'static str {
    &CODES.catalogue
}

pub fn find_code(code: Code) -> Option<&'static CodeRow> {
    codes().iter().find(|row| row.code == code)
}

/// The name of a code. It does not read the table, which takes 1.6 million instructions.
pub(crate) fn code_name(code: Code) -> Option<&'static str> {
    packed::CODE_NAMES.iter().find(|(number, _)| *number == code.number()).map(|(_, name)| *name)
}

/// The row of a reason; every reason has one.
pub fn reason_row(reason: Reason) -> &'static ReasonRow {
    reasons().iter().find(|row| row.id == reason).expect("a test finds a row for each reason")
}

/// The comparison of two codes, given in either order. None: there is none written by hand.
pub fn find_pair(a: Code, b: Code) -> Option<&'static CodePairRow> {
    let of = [a.min(b).number(), a.max(b).number()];
    pairs().iter().find(|row| row.of == of)
}

/// The row that covers an enhanced code, also one with a range of details.
pub fn find_enhanced(code: EnhancedCode) -> Option<&'static EnhancedRow> {
    enhanced_codes().iter().find(|row| row.code.fits(code))
}

/// The row of x.SUBJECT.DETAIL; never one with a range of details.
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
    fn every_reason_names_others_that_it_is_mistaken_for() {
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
