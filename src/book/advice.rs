//! Holds what to do about a reason on each side of SMTP, and the rule by which a 4xx softens it.

use std::borrow::Cow;

use serde::Deserialize;

use super::words::Reason;
use crate::event::{Direction, Mta};
use crate::reply::Class;

/// What to do about a reason, for one or more sides of SMTP.
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
    /// The advice for every server and the advice for this one, joined.
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

/// What to do about a reason on one side after a reply of this class. Every command takes its advice from here.
///
/// A 4xx never takes an address off a list, whatever its reason: the first digit decides, and the server may yet find
/// the mailbox (RFC 5321 §4.2.1).
pub fn advice_for(
    rows: &[AdviceRow],
    reason: Reason,
    direction: Direction,
    class: Option<Class>,
) -> Option<Cow<'_, AdviceRow>> {
    let row = find_advice(rows, reason, direction)?;
    if !is_softened(reason, direction, class) {
        return Some(Cow::Borrowed(row));
    }
    let all = Advice {
        line: SOFTENED_LINE.to_owned(),
        act: Vec::new(),
        stop: "when the queue gives up; the number says that it may pass".to_owned(),
        ..row.all.clone()
    };
    let own = |advice: &Advice| Advice { line: String::new(), stop: String::new(), ..advice.clone() };
    let (postfix, exim) = (own(&row.postfix), own(&row.exim));
    Some(Cow::Owned(AdviceRow { all, postfix, exim, reason, direction: row.direction.clone() }))
}

/// The line of advice where a 4xx keeps the address on the lists.
pub const SOFTENED_LINE: &str = "Let it retry; take the address off your lists only after a 5xx";

/// The advice after a 4xx differs from that after a 5xx.
pub fn is_softened(reason: Reason, direction: Direction, class: Option<Class>) -> bool {
    reason.is_gone() && direction == Direction::Outbound && class == Some(Class::Transient)
}

/// The row as the table has it, out of [`super::advice`].
pub fn find_advice(rows: &[AdviceRow], reason: Reason, direction: Direction) -> Option<&AdviceRow> {
    rows.iter().find(|row| row.reason == reason && row.direction.contains(&direction))
}
