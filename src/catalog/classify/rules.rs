//! Compiles the rules and finds the first one that matches a reply.

use clap::ValueEnum;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::phrases::{Phrase, Phrases};
use crate::catalog::cause::Cause;
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::reason::{EnhancedPattern, Reason, Retry};
use crate::smtp::event::{Direction, Mta, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// A rule as written in a table. A condition that is left out always holds; all that are given must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    pub id: String,
    pub reason: Reason,
    /// Which one of the things that the reason stands for. `None`: the table of causes decides.
    pub cause: Option<Cause>,
    /// Whether a retry helps, if it differs from the row of the reason.
    pub retry: Option<Retry>,
    /// True: only replies, which have a code. False: only failures without a reply. `None`: both.
    pub reply: Option<bool>,
    /// The rule finds no clue in the words, so the model of words may guess another reason.
    #[serde(default)]
    pub guess: bool,
    /// Phrases, of which one must occur. A phrase matches whole words; a `*` between words stands for up to 80 bytes, a
    /// `*` next to a letter for the rest of the word.
    #[serde(default)]
    pub words: Vec<String>,
    /// More phrases, of which one must occur, too.
    #[serde(default)]
    pub and: Vec<String>,
    /// Phrases that must not occur.
    #[serde(default)]
    pub unless: Vec<String>,
    /// A regular expression for the normalized text.
    pub pattern: Option<String>,
    /// Provider ids, of which one must be the other side. Such a rule matches only outbound events: what the provider
    /// replied to us.
    #[serde(default)]
    pub provider: Vec<String>,
    #[serde(default)]
    pub code: Vec<u16>,
    #[serde(default)]
    pub enhanced: Vec<EnhancedPattern>,
    #[serde(default)]
    pub stage: Vec<Stage>,
    #[serde(default)]
    pub direction: Vec<Direction>,
    #[serde(default)]
    pub class: Vec<String>,
    #[serde(default)]
    pub mta: Vec<Mta>,
    /// The document or source file that gives the words this meaning.
    #[serde(default)]
    pub source: String,
    /// A reply that this rule matches, and no rule before it.
    #[serde(default)]
    pub example: String,
}

impl RuleRow {
    /// Whether some replies do not match. Phrases that must not occur are no condition of their own.
    fn has_condition(&self) -> bool {
        self.reply.is_some()
            || self.pattern.is_some()
            || [&self.words, &self.and, &self.provider, &self.class].iter().any(|list| !list.is_empty())
            || !self.code.is_empty()
            || !self.enhanced.is_empty()
            || !self.stage.is_empty()
            || !self.direction.is_empty()
            || !self.mta.is_empty()
    }
}

/// A rule, by its position in the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId(u16);

/// The evidence of a rule, the most certain first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MatchedOn {
    /// Words that the provider itself documents.
    Provider,
    /// Words of the reply.
    Text,
    /// The enhanced code alone.
    Enhanced,
    /// The SMTP command that was answered.
    Stage,
    /// The reply code, the class, the direction or the mail server alone.
    Code,
    /// No rule knows the words; a model of words took them for those of this reason.
    Guess,
    /// No rule gives a reason; it is unknown.
    Nothing,
}

/// A compiled rule. An empty list of codes, stages and so on means any.
pub struct Rule {
    pub id: String,
    pub reason: Reason,
    pub cause: Option<Cause>,
    pub retry: Option<Retry>,
    pub reply: Option<bool>,
    pub guess: bool,
    pub matched_on: MatchedOn,
    pub source: String,
    pub example: String,
    pub providers: Vec<Provider>,
    pub codes: Vec<Code>,
    pub enhanced: Vec<EnhancedPattern>,
    pub stages: Vec<Stage>,
    pub directions: Vec<Direction>,
    pub classes: Vec<Class>,
    pub mtas: Vec<Mta>,
    /// The lists of phrases that the rule has: bits [`WORDS`], [`AND`], [`UNLESS`].
    phrase_lists: u8,
    pattern: Option<Regex>,
}

/// All that the rules look at in a reply.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Normalized, except in the key of the cache of raw texts.
    pub text: &'a [u8],
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub class: Option<Class>,
    pub stage: Option<Stage>,
    pub direction: Direction,
    pub mta: Mta,
    pub provider: Option<Provider>,
}

/// Bit of [`RuleRow::words`].
const WORDS: u8 = 1;
/// Bit of [`RuleRow::and`].
const AND: u8 = 2;
/// Bit of [`RuleRow::unless`].
const UNLESS: u8 = 4;

/// Phrases by which a reply that speaks of a missing recipient shows that something else is wrong: the sender, the client,
/// a policy, DNS, or a state that passes. Such a reply never removes an address.
pub(crate) const DOUBTS: [&str; 33] = [
    "polic*",
    "access denied",
    "spam*",
    "listed",
    "blacklist*",
    "blocklist*",
    "reputation",
    "rate limit*",
    "too many",
    "sender*",
    "mail from",
    "from address",
    "return path",
    "helo",
    "client host",
    "your ip",
    "your host",
    "your server",
    "dns*",
    "lookup fail*",
    "lookup error*",
    "temporar*",
    "try again",
    "try later",
    "relaying",
    "relay access",
    "spf",
    "dkim",
    "dmarc",
    "authenticat*",
    "password*",
    "login*",
    "log in",
];

/// All rules in the order in which they are tried, and their phrases.
pub struct Rules {
    /// The rules for reasons, then those for causes.
    rules: Vec<Rule>,
    /// The number of rules for reasons.
    reasons: usize,
    /// Each phrase with its owners: a range of `owners`.
    phrases: Phrases<OwnerRange>,
    owners: Vec<PhraseOwner>,
}

/// `from..to` in [`Rules::owners`].
#[derive(Clone, Copy)]
struct OwnerRange {
    from: u32,
    to: u32,
}

/// Phrases and their owners, while they are collected. A phrase that several rules have is read once.
struct OwnedPhrases<'a> {
    phrases: Vec<Phrase<OwnerRange>>,
    /// The positions of the phrases in `phrases`.
    positions: HashMap<&'a str, u32, FixedState>,
    /// With the position of the phrase.
    owners: Vec<(u32, PhraseOwner)>,
}

impl<'a> OwnedPhrases<'a> {
    fn with_capacity(count: usize) -> Self {
        Self {
            phrases: Vec::with_capacity(count),
            positions: HashMap::with_capacity_and_hasher(count, FixedState::default()),
            owners: Vec::with_capacity(count),
        }
    }

    fn add(&mut self, text: &'a str, owner: PhraseOwner) -> Result<(), String> {
        let next = self.phrases.len() as u32;
        let position = *self.positions.entry(text).or_insert(next);
        if position == next {
            self.phrases.push(Phrase::read(text, OwnerRange { from: 0, to: 0 })?);
        }
        self.owners.push((position, owner));
        Ok(())
    }

    /// Sorts the owners by phrase, by counting them.
    fn finish(mut self) -> (Phrases<OwnerRange>, Vec<PhraseOwner>) {
        for (position, _) in &self.owners {
            if let Some(phrase) = self.phrases.get_mut(*position as usize) {
                phrase.owner_mut().to += 1;
            }
        }
        let mut end = 0;
        for phrase in &mut self.phrases {
            let range = phrase.owner_mut();
            let count = range.to;
            *range = OwnerRange { from: end, to: end };
            end += count;
        }
        let mut sorted = vec![PhraseOwner::Rule(0, 0); self.owners.len()];
        for (position, owner) in self.owners {
            let Some(phrase) = self.phrases.get_mut(position as usize) else { continue };
            let range = phrase.owner_mut();
            if let Some(place) = sorted.get_mut(range.to as usize) {
                *place = owner;
            }
            range.to += 1;
        }
        (Phrases::new(self.phrases), sorted)
    }
}

/// What the rules find in a reply.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Found {
    /// The rule for the reason.
    pub rule: Option<RuleId>,
    /// The rule for the cause. `None`: the rule for the reason names the cause, or none is known.
    pub cause_rule: Option<RuleId>,
    pub provider: Option<Provider>,
}

/// The rule or provider that a phrase belongs to.
#[derive(Clone, Copy)]
enum PhraseOwner {
    /// The position of a rule, and the bit of one of its lists: [`WORDS`], [`AND`] or [`UNLESS`]. The position behind the
    /// last rule stands for the [`DOUBTS`].
    Rule(u16, u8),
    Provider(Provider),
}

/// The position of the invalid row, and what is wrong with it. The position `usize::MAX` is a provider.
pub(crate) type RuleFault = (usize, String);

impl Rules {
    /// `causes` are rules that give a cause to a reply whose reason is known.
    pub fn compile(
        mut rows: Vec<RuleRow>,
        own: usize,
        causes: Vec<RuleRow>,
        providers: &Providers,
    ) -> Result<Self, RuleFault> {
        let reasons = rows.len();
        rows.extend(causes);
        let count = rows.iter().map(|row| row.words.len() + row.and.len() + row.unless.len()).sum();
        let mut phrases = OwnedPhrases::with_capacity(count);
        for (provider, row) in providers.all() {
            for token in &row.tokens {
                phrases.add(token, PhraseOwner::Provider(provider)).map_err(|what| (usize::MAX, what))?;
            }
        }
        for (at, row) in rows.iter().enumerate() {
            if at < own && !row.has_condition() {
                return Err((at, format!(
                    "the rule {:?} has no condition, so it would match every failure; add words, pattern, code, enhanced, \
                     stage, direction, class, mta, provider or reply",
                    row.id
                )));
            }
            for (part, list) in [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)] {
                for phrase in list {
                    let owner = PhraseOwner::Rule(at as u16, part);
                    phrases.add(phrase, owner).map_err(|what| (at, what))?;
                }
            }
        }
        let doubt = PhraseOwner::Rule(rows.len() as u16, WORDS);
        for phrase in DOUBTS {
            phrases.add(phrase, doubt).map_err(|what| (usize::MAX, what))?;
        }
        let (phrases, owners) = phrases.finish();
        let mut rules = Vec::with_capacity(rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            rules.push(Rule::read(row, providers).map_err(|what| (at, what))?);
        }
        Ok(Self { rules, reasons, phrases, owners })
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(usize::from(id.0))
    }

    /// The rules for reasons.
    pub fn all(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.numbered().take(self.reasons)
    }

    /// The rules for causes.
    pub fn causes(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.numbered().skip(self.reasons)
    }

    fn numbered(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.rules.iter().enumerate().map(|(at, rule)| (RuleId(at as u16), rule))
    }

    /// The first rule that matches, the first rule for a cause of its reason, and the provider: that of the features, else
    /// the one whose tokens the text has.
    /// `marks` is scratch space: for each rule, the bits of its lists that have a phrase in the text, and behind them a
    /// mark if the text has one of the [`DOUBTS`].
    pub fn find(&self, mut features: Features, marks: &mut Vec<u8>) -> Found {
        marks.clear();
        marks.resize(self.rules.len() + 1, 0);
        self.phrases.find(features.text, |OwnerRange { from, to }| {
            let owners = self.owners.get(from as usize..to as usize).unwrap_or_default();
            for owner in owners {
                match *owner {
                    PhraseOwner::Rule(rule, part) => {
                        if let Some(mark) = marks.get_mut(usize::from(rule)) {
                            *mark |= part;
                        }
                    }
                    PhraseOwner::Provider(provider) if features.direction == Direction::Outbound => {
                        features.provider = features.provider.or(Some(provider));
                    }
                    PhraseOwner::Provider(_) => {}
                }
            }
        });
        let mut marked = self.numbered().zip(marks.iter()).take(self.reasons);
        let found =
            marked.find(|((_, rule), mark)| rule.fits(&features, **mark)).map(|(numbered, _)| numbered);
        let cause_rule = found.filter(|(_, rule)| rule.cause.is_none()).and_then(|(_, named)| {
            let mut marked = self.numbered().zip(marks.iter()).skip(self.reasons);
            let fits = |rule: &Rule, mark| rule.reason == named.reason && rule.fits(&features, mark);
            marked.find(|((_, rule), mark)| fits(rule, **mark)).map(|((id, _), _)| id)
        });
        Found { rule: found.map(|(id, _)| id), cause_rule, provider: features.provider }
    }
}

impl Rule {
    fn read(row: RuleRow, providers: &Providers) -> Result<Self, String> {
        let lists = [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)];
        let phrase_lists = lists
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .fold(0, |phrase_lists, (part, _)| phrase_lists | part);
        let pattern = row.pattern.as_deref().map(|pattern| {
            RegexBuilder::new(pattern).unicode(false).build().map_err(|cause| cause.to_string())
        });
        let codes =
            row.code.iter().map(|&code| Code::new(code).ok_or_else(|| format!("{code} is no reply code")));
        let classes = row.class.iter().map(|class| Class::from_str(class, false));
        let provider =
            |id: &String| providers.find(id).ok_or_else(|| format!("no provider is called '{id}'"));
        let mut rule = Self {
            matched_on: MatchedOn::Nothing,
            phrase_lists,
            pattern: pattern.transpose()?,
            codes: codes.collect::<Result<_, _>>()?,
            classes: classes.collect::<Result<_, _>>()?,
            providers: row.provider.iter().map(provider).collect::<Result<_, _>>()?,
            id: row.id,
            reason: row.reason,
            cause: row.cause,
            retry: row.retry,
            reply: row.reply,
            guess: row.guess,
            source: row.source,
            example: row.example,
            enhanced: row.enhanced,
            stages: row.stage,
            directions: row.direction,
            mtas: row.mta,
        };
        rule.matched_on = rule.evidence();
        Ok(rule)
    }

    fn evidence(&self) -> MatchedOn {
        if self.reason == Reason::Unknown {
            MatchedOn::Nothing
        } else if !self.providers.is_empty() {
            MatchedOn::Provider
        } else if self.phrase_lists & WORDS != 0 || self.pattern.is_some() {
            MatchedOn::Text
        } else if !self.enhanced.is_empty() {
            MatchedOn::Enhanced
        } else if !self.stages.is_empty() {
            MatchedOn::Stage
        } else {
            MatchedOn::Code
        }
    }

    fn fits(&self, features: &Features, mark: u8) -> bool {
        mark == self.phrase_lists & !UNLESS
            && self.reply.is_none_or(|reply| reply == features.code.is_some())
            && accepts(&self.codes, features.code)
            && accepts(&self.classes, features.class)
            && accepts(&self.stages, features.stage)
            && accepts(&self.directions, Some(features.direction))
            && accepts(&self.mtas, Some(features.mta))
            && (self.providers.is_empty()
                || features.direction == Direction::Outbound && accepts(&self.providers, features.provider))
            && (self.enhanced.is_empty()
                || features
                    .enhanced
                    .is_some_and(|code| self.enhanced.iter().any(|pattern| pattern.fits(code))))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(features.text))
    }
}

/// An empty list accepts anything, also `None`.
fn accepts<T: PartialEq>(list: &[T], feature: Option<T>) -> bool {
    list.is_empty() || feature.is_some_and(|feature| list.contains(&feature))
}
