//! Holds what to do about a reason on each side of SMTP, and the rule by which a 4xx softens it.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::Deserialize;

use super::by_server::ByServer;
use super::reason::Reason;
use super::tables::table;
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::Class;

/// What to do about a reason, for one or more sides of SMTP.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdviceRow {
    pub reason: Reason,
    pub direction: Vec<Direction>,
    /// The advice for every mail server.
    #[serde(flatten)]
    pub all: Advice,
    /// What replaces or extends it for a mail server.
    #[serde(flatten)]
    pub own: ByServer<Advice>,
}

/// The parts of a piece of advice. A part is empty if there is nothing to say.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(default)]
pub struct Advice {
    /// One imperative line of at most 90 characters; it names who must act.
    pub line: String,
    /// What to look at; none of it changes anything.
    pub check: Vec<String>,
    /// What to type or set, what can be undone first.
    #[serde(rename = "do")]
    pub act: Vec<String>,
    /// When to stop trying.
    pub stop: String,
    pub sources: Vec<String>,
}

impl AdviceRow {
    /// Joins the advice for this server with that for every server; its own line wins, and its own lists come first.
    pub fn for_mta(&self, mta: Mta) -> Advice {
        let Some(own) = self.own.get(mta) else { return self.all.clone() };
        let own_or_all = |own: &String, all: &String| if own.is_empty() { all.clone() } else { own.clone() };
        Advice {
            line: own_or_all(&own.line, &self.all.line),
            check: [own.check.as_slice(), &self.all.check].concat(),
            act: [own.act.as_slice(), &self.all.act].concat(),
            stop: own_or_all(&own.stop, &self.all.stop),
            sources: [own.sources.as_slice(), &self.all.sources].concat(),
        }
    }
}

#[derive(Deserialize)]
struct AdviceTable {
    advice: Vec<AdviceRow>,
}

static ADVICE: LazyLock<AdviceTable> = LazyLock::new(|| table("advice"));

/// Every row of the table.
pub fn advice() -> &'static [AdviceRow] {
    &ADVICE.advice
}

/// What to do about a reason on one side after a reply of this class. Every command takes its advice from here.
///
/// A 4xx never takes an address off a list, whatever its reason: the first digit decides, and the server may yet find
/// the mailbox (RFC 5321 §4.2.1).
pub(crate) fn advice_for(
    reason: Reason,
    direction: Direction,
    class: Option<Class>,
) -> Option<Cow<'static, AdviceRow>> {
    let row = find_advice(reason, direction)?;
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
    let own = row.own.map(own);
    Some(Cow::Owned(AdviceRow { all, own, reason, direction: row.direction.clone() }))
}

/// The line that replaces "take the address off your lists" after a 4xx.
pub(crate) const SOFTENED_LINE: &str = "Let it retry; take the address off your lists only after a 5xx";

/// Whether [`advice_for`] replaces the advice because the reply was a 4xx.
pub(crate) fn is_softened(reason: Reason, direction: Direction, class: Option<Class>) -> bool {
    reason.is_gone() && direction == Direction::Outbound && class == Some(Class::Transient)
}

/// The row of the table, without the rule for a 4xx. None: there is nothing to say on this side.
pub fn find_advice(reason: Reason, direction: Direction) -> Option<&'static AdviceRow> {
    advice_on(reason).find(|row| row.direction.contains(&direction))
}

/// The rows of a reason: one for each side on which there is something to say.
pub(crate) fn advice_on(reason: Reason) -> impl Iterator<Item = &'static AdviceRow> {
    advice().iter().filter(move |row| row.reason == reason)
}

/// The line of advice for one mail server. If the server is unknown, the line for every server, else that for Postfix.
/// None: there is nothing to say.
pub(crate) fn advice_line(
    reason: Reason,
    direction: Direction,
    class: Option<Class>,
    mta: Option<Mta>,
) -> Option<String> {
    let row = advice_for(reason, direction, class)?;
    let line = match mta {
        Some(mta) => row.for_mta(mta).line,
        None if row.all.line.is_empty() => row.for_mta(Mta::default()).line,
        None => row.all.line.clone(),
    };
    (!line.is_empty()).then_some(line)
}
