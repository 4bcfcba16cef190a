//! Gives advice: what to do about a failure, by its reason and cause, who said it, and what became of the message.
//!
//! Every command takes its advice from [`advise`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::by_server::ByServer;
use super::cause::{Cause, one_or_more};
use super::reason::{Reason, Retry};
use super::tables::table;
use crate::smtp::event::{Direction, Mta, Outcome};
use crate::smtp::reply::Class;
use crate::smtp::side::Side;

/// What advice depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Situation<'a> {
    pub reason: Reason,
    pub cause: Option<Cause>,
    pub direction: Direction,
    pub side: Side,
    pub fate: Fate,
    /// The id of the provider of the other side.
    pub provider: Option<&'a str>,
}

/// What became of the message, as far as advice depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// It is in the queue and will be tried again.
    Kept,
    /// It went back to its sender.
    Returned,
    /// It went back to its sender, and it is doubtful whether the recipient is gone: the address stays on the lists.
    Doubtful,
    /// It went back to its sender because the queue lifetime ran out.
    Expired,
    /// Not known, or the client's matter.
    Open,
}

impl Fate {
    /// `outcome` decides; without one, the class of the reply. `None` for both: not known. `retry` is what the classifier
    /// says beside the reason.
    pub fn of(
        direction: Direction,
        class: Option<Class>,
        outcome: Option<Outcome>,
        retry: Option<Retry>,
    ) -> Self {
        match Self::of_outcome(direction, class, outcome) {
            Self::Returned if retry.is_some_and(|retry| retry != Retry::Suppress) => Self::Doubtful,
            fate => fate,
        }
    }

    fn of_outcome(direction: Direction, class: Option<Class>, outcome: Option<Outcome>) -> Self {
        let by_class = match class {
            Some(Class::Transient) => Self::Kept,
            Some(Class::Permanent) => Self::Returned,
            Some(Class::Positive | Class::Intermediate) | None => Self::Open,
        };
        match outcome {
            _ if direction == Direction::Inbound => Self::Open,
            // After the reply of one host, another host or the next try decides.
            Some(Outcome::Deferred | Outcome::Attempt) => Self::Kept,
            Some(Outcome::Bounced) => Self::Returned,
            Some(Outcome::Expired) => Self::Expired,
            Some(
                Outcome::Delivered
                | Outcome::Rejected
                | Outcome::Warned
                | Outcome::Held
                | Outcome::Discarded
                | Outcome::Probe,
            )
            | None => by_class,
        }
    }
}

/// What to do about one or more reasons, for one or more sides of SMTP.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct AdviceRow {
    #[serde(deserialize_with = "one_or_more")]
    pub reason: Vec<Reason>,
    /// Empty: any cause, or none.
    #[serde(default, deserialize_with = "one_or_more")]
    pub cause: Vec<Cause>,
    pub direction: Vec<Direction>,
    /// Empty: any side.
    #[serde(default, deserialize_with = "one_or_more")]
    pub side: Vec<Side>,
    /// Ids of providers. Empty: any provider, or none.
    #[serde(default, deserialize_with = "one_or_more")]
    pub provider: Vec<String>,
    /// The month in which the provider's form or page was looked up, `2026-11`. Empty: the row names none.
    #[serde(default)]
    pub looked_up: String,
    /// The advice for every mail server.
    #[serde(flatten)]
    pub all: AdviceText,
    /// What replaces or extends it for a mail server.
    #[serde(flatten)]
    pub own: ByServer<AdviceText>,
}

/// The texts of a row of advice. A part is empty if there is nothing to say.
///
/// An entry of `check` and `act` that begins with `kept: ` or `returned: ` is for such a message only, and one with `gone: `
/// for a returned one whose recipient is gone for good.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(default)]
pub struct AdviceText {
    /// One imperative line of at most 100 characters; it names who must act.
    pub line: String,
    /// Replaces the line for a message that stays in the queue.
    pub kept: String,
    /// Replaces the line for a message that went back to its sender.
    pub returned: String,
    /// Replaces the line for such a message if it is doubtful whether the recipient is gone.
    pub doubtful: String,
    /// What to look at; none of it changes anything.
    pub check: Vec<String>,
    /// What to type or set, what can be undone first.
    #[serde(rename = "do")]
    pub act: Vec<String>,
    /// When to stop trying.
    pub stop: String,
    pub kept_stop: String,
    pub returned_stop: String,
    pub sources: Vec<String>,
}

/// A piece of advice for one situation and one mail server.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Advice {
    pub line: String,
    pub check: Vec<String>,
    pub act: Vec<String>,
    pub stop: String,
    pub sources: Vec<String>,
}

/// A row of the table of advice, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AdviceId(u16);

impl AdviceId {
    pub fn row(self) -> &'static AdviceRow {
        advice().get(usize::from(self.0)).expect("an id is a position in the table")
    }
}

impl AdviceText {
    /// The lines of the text for each fate, as far as it has any.
    pub fn lines(&self) -> impl Iterator<Item = &String> {
        [&self.line, &self.kept, &self.returned, &self.doubtful].into_iter().filter(|line| !line.is_empty())
    }

    fn line_for(&self, fate: Fate) -> &str {
        by_fate(fate, [&self.line, &self.kept, &self.returned, &self.doubtful])
    }

    fn stop_for(&self, fate: Fate) -> &str {
        by_fate(fate, [&self.stop, &self.kept_stop, &self.returned_stop, ""])
    }

    /// The text alone, without that for every server.
    fn for_fate(&self, fate: Fate) -> Advice {
        Advice {
            line: self.line_for(fate).to_owned(),
            check: entries(&self.check, fate),
            act: entries(&self.act, fate),
            stop: self.stop_for(fate).to_owned(),
            sources: self.sources.clone(),
        }
    }
}

/// The text for a fate, else the one for any.
fn by_fate(fate: Fate, [any, kept, returned, doubtful]: [&str; 4]) -> &str {
    let own = match fate {
        Fate::Kept => kept,
        Fate::Returned | Fate::Expired => returned,
        Fate::Doubtful if doubtful.is_empty() => returned,
        Fate::Doubtful => doubtful,
        Fate::Open => any,
    };
    if own.is_empty() { any } else { own }
}

/// The entries for a fate. If the fate is not known, each says when it holds.
fn entries(all: &[String], fate: Fate) -> Vec<String> {
    let is_returned = matches!(fate, Fate::Returned | Fate::Doubtful | Fate::Expired);
    let is_open = fate == Fate::Open;
    let cases = [
        ("kept: ", "while it is deferred: ", fate == Fate::Kept),
        ("returned: ", "after a bounce: ", is_returned),
        ("gone: ", "after a bounce: ", fate == Fate::Returned),
    ];
    let shown = |entry: &String| {
        let case =
            cases.iter().find_map(|(mark, words, fits)| Some((entry.strip_prefix(mark)?, words, fits)));
        match case {
            None => Some(entry.clone()),
            Some((rest, _, true)) => Some(rest.to_owned()),
            Some((rest, words, false)) if is_open => Some(format!("{words}{rest}")),
            Some((_, _, false)) => None,
        }
    };
    all.iter().filter_map(shown).collect()
}

impl AdviceRow {
    /// Joins the advice for this server with that for every server; its own line wins, and its own lists come first.
    pub fn for_mta(&self, mta: Mta, fate: Fate) -> Advice {
        let all = self.all.for_fate(fate);
        let Some(own) = self.own.get(mta) else { return all };
        let own = own.for_fate(fate);
        let own_or_all = |own: String, all: String| if own.is_empty() { all } else { own };
        Advice {
            line: own_or_all(own.line, all.line),
            check: [own.check, all.check].concat(),
            act: [own.act, all.act].concat(),
            stop: own_or_all(own.stop, all.stop),
            sources: [own.sources, all.sources].concat(),
        }
    }

    /// The line of [`Self::for_mta`] alone.
    pub fn line_for_mta(&self, mta: Mta, fate: Fate) -> &str {
        let own = self.own.get(mta).map_or("", |own| own.line_for(fate));
        if own.is_empty() { self.all.line_for(fate) } else { own }
    }

    /// The advice for every server alone, then what each server adds.
    pub(crate) fn by_server(&self, fate: Fate) -> (Advice, Vec<(Mta, Advice)>) {
        let own = self.own.iter().map(|(mta, own)| (mta, own.for_fate(fate))).collect();
        (self.all.for_fate(fate), own)
    }

    /// How specific the row is for a situation. `None`: it is not for it.
    fn fit(&self, situation: &Situation) -> Option<u8> {
        let is_among = |cause: &[Cause]| situation.cause.is_some_and(|own| cause.contains(&own));
        let is_provider = || self.provider.iter().any(|id| situation.provider == Some(id));
        let fits = self.reason.contains(&situation.reason)
            && self.direction.contains(&situation.direction)
            && (self.cause.is_empty() || is_among(&self.cause))
            && (self.side.is_empty() || self.side.contains(&situation.side))
            && (self.provider.is_empty() || is_provider());
        let weight = |narrows: bool, weight: u8| if narrows { weight } else { 0 };
        fits.then(|| {
            weight(!self.cause.is_empty(), 4)
                + weight(!self.provider.is_empty(), 2)
                + weight(!self.side.is_empty(), 1)
        })
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

/// The most specific row for a situation: the advice on a cause comes before a provider's own, and that before the advice
/// on the reason. `None`: there is nothing to do.
pub fn find_advice(situation: &Situation) -> Option<AdviceId> {
    static BY_REASON: LazyLock<BTreeMap<Reason, Vec<u16>>> = LazyLock::new(|| {
        let mut rows: BTreeMap<Reason, Vec<u16>> = BTreeMap::new();
        for (at, row) in (0..).zip(advice()) {
            for reason in &row.reason {
                rows.entry(*reason).or_default().push(at);
            }
        }
        rows
    });
    let of_reason = BY_REASON.get(&situation.reason).into_iter().flatten();
    let rows = of_reason.filter_map(|&at| Some((at, advice().get(usize::from(at))?)));
    let fits = rows.filter_map(|(at, row)| Some((row.fit(situation)?, AdviceId(at))));
    // Of rows that are equally specific the first one counts.
    fits.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, id)| id)
}

/// What to do in a situation, for one mail server. If the server is not known, its line is that for every server, else that
/// for Postfix. `None`: there is nothing to do.
pub fn advise(situation: &Situation, mta: Option<Mta>) -> Option<Advice> {
    let row = find_advice(situation)?.row();
    let fate = situation.fate;
    let advice = match mta {
        Some(mta) => row.for_mta(mta, fate),
        None if row.all.line.is_empty() => row.for_mta(Mta::default(), fate),
        None => row.all.for_fate(fate),
    };
    (!advice.line.is_empty()).then_some(advice)
}
