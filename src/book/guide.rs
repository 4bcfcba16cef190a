//! Single rows of the book: a code, a reason or a pair comes in, its row goes out, and no other row is read. A whole
//! table takes milliseconds to read, and `explain 452` has ten.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::advice::AdviceRow;
use super::texts::{CodeRow, EnhancedRow, ReasonRow};
use super::words::{Reason, slug};
use crate::reply::Code;

/// What to do about a code, beyond what its row in the table of codes says.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuideRow {
    pub code: u16,
    /// Completes "452 is about …".
    pub about: String,
    pub when: String,
    /// When Postfix says it, and by which parameter. Empty: never by itself.
    #[serde(default)]
    pub postfix: String,
    #[serde(default)]
    pub exim: String,
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
    pub unlike: Vec<UnlikeRow>,
    /// The code in a few words, as one would say it aloud.
    pub thumb: String,
    /// What misleads. Empty: what the code's note says.
    #[serde(default)]
    pub catch: String,
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

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlikeRow {
    pub what: String,
    pub why: String,
}

/// Two codes side by side, in words written for these two.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRow {
    pub of: [u16; 2],
    pub differences: Vec<String>,
    pub thumb: String,
    pub catch: String,
    pub sources: Vec<String>,
}

/// A reason in a few words, and those it is mistaken for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KinRow {
    pub reason: Reason,
    pub thumb: String,
    pub unlike: Vec<UnlikeRow>,
}

const CODES: &str = include_str!("codes.toml");
const ENHANCED: &str = include_str!("enhanced.toml");
const REASONS: &str = include_str!("reasons.toml");
const ADVICE: &str = include_str!("advice.toml");
const GUIDE: &str = include_str!("guide.toml");
const KIN: &str = include_str!("kin.toml");
const PAIRS: &str = include_str!("pairs.toml");

pub fn code(code: Code) -> Option<CodeRow> {
    pick(CODES, "code", &format!("code = {code}")).pop()
}

/// The row that covers x.SUBJECT.DETAIL.
pub fn enhanced(subject: u16, detail: u16) -> Option<EnhancedRow> {
    let rows: Vec<EnhancedRow> = pick(ENHANCED, "enhanced", &format!("code = \"x.{subject}.{detail}\""));
    rows.into_iter().next()
}

pub fn reason(reason: Reason) -> Option<ReasonRow> {
    pick(REASONS, "reason", &format!("id = \"{}\"", slug(reason))).pop()
}

/// One row for each side on which there is something to say.
pub fn advice_on(reason: Reason) -> Vec<AdviceRow> {
    pick(ADVICE, "advice", &format!("reason = \"{}\"", slug(reason)))
}

pub fn guide(code: Code) -> Option<GuideRow> {
    pick(GUIDE, "guide", &format!("code = {code}")).pop()
}

pub fn kin(reason: Reason) -> Option<KinRow> {
    pick(KIN, "kin", &format!("reason = \"{}\"", slug(reason))).pop()
}

/// In the order of the numbers.
pub fn guides() -> Vec<GuideRow> {
    pick(GUIDE, "guide", "")
}

/// In any order.
pub fn pair(a: Code, b: Code) -> Option<PairRow> {
    let (low, high) = (a.min(b), a.max(b));
    pick(PAIRS, "pair", &format!("of = [{low}, {high}]")).pop()
}

/// When the catalogue of codes was last looked through: `2026-11`.
pub fn catalogue_date() -> &'static str {
    let value = CODES.lines().find_map(|line| line.strip_prefix("catalogue = "));
    value.unwrap_or_default().trim_matches('"')
}

/// The rows of the array `name` that begin with this line; with all rows where it is empty.
fn pick<Row: DeserializeOwned>(table: &str, name: &str, line: &str) -> Vec<Row> {
    let head = format!("\n[[{name}]]\n");
    let rows = table.split(head.as_str()).skip(1);
    // On its own a row has no array above it: `[advice.postfix]` is then `[postfix]`.
    let inner = format!("\n[{name}.");
    rows.filter(|row| line.is_empty() || row.lines().next() == Some(line))
        .map(|row| toml::from_str(&row.replace(&inner, "\n[")).expect("the table is tested"))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::book::{advice, codes, enhanced_codes, reasons};
    use crate::reply::EnhancedCode;

    #[test]
    fn a_picked_row_is_the_row_of_the_whole_table() {
        for row in codes() {
            assert_eq!(code(row.code).as_ref(), Some(&row));
        }
        for row in enhanced_codes() {
            assert_eq!(enhanced(row.code.subject, row.code.first).as_ref(), Some(&row));
        }
        for row in reasons() {
            assert_eq!(reason(row.id).as_ref(), Some(&row));
        }
        for id in Reason::value_variants() {
            let all: Vec<AdviceRow> = advice().into_iter().filter(|row| row.reason == *id).collect();
            assert_eq!(advice_on(*id), all);
        }
    }

    #[test]
    fn every_reason_has_its_kin() {
        for id in Reason::value_variants() {
            let row = kin(*id).expect("a row for each reason");
            assert!(!row.unlike.is_empty(), "{id:?}");
            for unlike in row.unlike {
                let other = Reason::from_str(&unlike.what, false);
                assert!(other.is_ok_and(|other| other != *id), "{id:?}: {}", unlike.what);
            }
        }
    }

    #[test]
    fn every_code_has_its_guide_in_the_same_order() {
        let codes: Vec<u16> = codes().iter().map(|row| row.code.number()).collect();
        let guides = guides();
        assert_eq!(guides.iter().map(|row| row.code).collect::<Vec<_>>(), codes);
        for row in &guides {
            let known = |what: &u16| codes.contains(what);
            assert!(row.related.iter().all(known), "{}: related codes are not in the table", row.code);
            assert!(!row.related.is_empty() && !row.unlike.is_empty(), "{}: nothing beside it", row.code);
            for unlike in &row.unlike {
                assert!(unlike.what.parse().is_ok_and(|what| known(&what)), "{}: {unlike:?}", row.code);
            }
        }
    }

    #[test]
    fn a_variant_has_the_class_of_its_code() {
        for row in guides() {
            for variant in row.variants {
                let enhanced = EnhancedCode::read(variant.code.as_bytes()).map(|(code, _)| code.class());
                let code = Code::new(row.code).map(Code::class);
                assert!(variant.code.is_empty() || enhanced == code, "{}: {variant:?}", row.code);
                assert!(variant.reason.is_some() || !variant.words.is_empty(), "{}: {variant:?}", row.code);
            }
        }
    }

    #[test]
    fn pairs_are_sorted_and_of_known_codes() {
        let pairs: Vec<PairRow> = pick(PAIRS, "pair", "");
        assert!(pairs.is_sorted_by(|a, b| a.of < b.of));
        for row in pairs {
            assert!(row.of[0] < row.of[1], "{:?}", row.of);
            let known = |number: u16| Code::new(number).and_then(code).is_some();
            assert!(row.of.into_iter().all(known), "{:?}", row.of);
            assert!(!row.differences.is_empty() && !row.sources.is_empty(), "{:?}", row.of);
        }
    }

    #[test]
    fn the_catalogue_has_a_date() {
        assert_eq!(catalogue_date().len(), "2026-11".len());
    }
}
