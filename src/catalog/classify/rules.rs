//! Finds the first rule that fits what is known of a reply.

use clap::ValueEnum;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::phrases::{Phrase, Phrases};
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::reason::{EnhancedPattern, Reason, Retry};
use crate::smtp::event::{Direction, Mta, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// A rule as written. What is left out does not matter to it; of what is there, all must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    pub id: String,
    pub reason: Reason,
    /// What helps, where it is not what helps against the reason as a rule.
    pub retry: Option<Retry>,
    /// Phrases, any of them. They are whole words; `*` stands for any few words, or at a phrase's end for the rest
    /// of a word.
    #[serde(default)]
    pub words: Vec<String>,
    /// And any of these too.
    #[serde(default)]
    pub and: Vec<String>,
    /// But none of these.
    #[serde(default)]
    pub unless: Vec<String>,
    /// A regular expression over the masked words.
    pub pattern: Option<String>,
    /// Provider ids, any of them. Such a rule reads what the provider said to us, never what we said to it.
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
    /// Where it is written that the words mean this.
    #[serde(default)]
    pub source: String,
    /// A reply that this rule and none before it fits.
    #[serde(default)]
    pub example: String,
}

/// A rule of the book, by place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId(u16);

/// What a rule rests on, the surest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MatchedOn {
    /// Words that this provider explains.
    Provider,
    Text,
    Enhanced,
    Stage,
    Code,
    /// Nothing; the reason is unknown.
    Nothing,
}

/// A rule ready for use.
pub struct Rule {
    pub id: String,
    pub reason: Reason,
    pub retry: Option<Retry>,
    pub sure: MatchedOn,
    pub source: String,
    pub example: String,
    pub providers: Vec<Provider>,
    pub codes: Vec<Code>,
    pub enhanced: Vec<EnhancedPattern>,
    pub stages: Vec<Stage>,
    pub directions: Vec<Direction>,
    pub classes: Vec<Class>,
    pub mtas: Vec<Mta>,
    /// Which of the three lists of phrases it has: bits of [`WORDS`], [`AND`], [`UNLESS`].
    wants: u8,
    pattern: Option<Regex>,
}

/// All that is known of a reply.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Masked.
    pub text: &'a [u8],
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub class: Option<Class>,
    pub stage: Option<Stage>,
    pub direction: Direction,
    pub mta: Mta,
    pub provider: Option<Provider>,
}

const WORDS: u8 = 1;
const AND: u8 = 2;
const UNLESS: u8 = 4;

/// Rules in order, and the phrases of all.
pub struct Rules {
    rules: Vec<Rule>,
    phrases: Phrases<Owner>,
}

/// Whose phrase it is.
#[derive(Clone, Copy)]
enum Owner {
    /// A rule's, by place, and which of its lists: [`WORDS`], [`AND`] or [`UNLESS`].
    Rule(u16, u8),
    Provider(Provider),
}

/// What is wrong with which row: its place in the rows, and in words.
pub(crate) type RuleFault = (usize, String);

impl Rules {
    pub fn compile(rows: Vec<RuleRow>, providers: &Providers) -> Result<Self, RuleFault> {
        let mut rules = Vec::with_capacity(rows.len());
        let mut phrases = Vec::with_capacity(rows.len() * 8);
        for (provider, row) in providers.all() {
            for token in &row.tokens {
                phrases
                    .push(Phrase::read(token, Owner::Provider(provider)).map_err(|what| (usize::MAX, what))?);
            }
        }
        for (at, row) in rows.into_iter().enumerate() {
            for (part, list) in [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)] {
                for phrase in list {
                    phrases
                        .push(Phrase::read(phrase, Owner::Rule(at as u16, part)).map_err(|what| (at, what))?);
                }
            }
            rules.push(Rule::read(row, providers).map_err(|what| (at, what))?);
        }
        Ok(Self { rules, phrases: Phrases::new(phrases) })
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(usize::from(id.0))
    }

    pub fn all(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.rules.iter().enumerate().map(|(at, rule)| (RuleId(at as u16), rule))
    }

    /// The first rule that fits, and the provider, by its words where the clues name none. `marks` is scratch.
    pub fn find(&self, mut clues: Features, marks: &mut Vec<u8>) -> (Option<RuleId>, Option<Provider>) {
        marks.clear();
        marks.resize(self.rules.len(), 0);
        self.phrases.find(clues.text, |owner| match owner {
            Owner::Rule(rule, part) => {
                if let Some(mark) = marks.get_mut(usize::from(rule)) {
                    *mark |= part;
                }
            }
            Owner::Provider(provider) if clues.direction == Direction::Outbound => {
                clues.provider = clues.provider.or(Some(provider));
            }
            Owner::Provider(_) => {}
        });
        let mut marked = self.all().zip(marks.iter());
        let found = marked.find(|((_, rule), mark)| rule.fits(&clues, **mark));
        (found.map(|((id, _), _)| id), clues.provider)
    }
}

impl Rule {
    fn read(row: RuleRow, providers: &Providers) -> Result<Self, String> {
        let lists = [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)];
        let wants =
            lists.iter().filter(|(_, list)| !list.is_empty()).fold(0, |wants, (part, _)| wants | part);
        let pattern = row.pattern.as_deref().map(|pattern| {
            RegexBuilder::new(pattern).unicode(false).build().map_err(|cause| cause.to_string())
        });
        let codes =
            row.code.iter().map(|&code| Code::new(code).ok_or_else(|| format!("{code} is no reply code")));
        let classes = row.class.iter().map(|class| Class::from_str(class, false));
        let provider =
            |id: &String| providers.find(id).ok_or_else(|| format!("no provider is called '{id}'"));
        let mut rule = Self {
            sure: MatchedOn::Nothing,
            wants,
            pattern: pattern.transpose()?,
            codes: codes.collect::<Result<_, _>>()?,
            classes: classes.collect::<Result<_, _>>()?,
            providers: row.provider.iter().map(provider).collect::<Result<_, _>>()?,
            id: row.id,
            reason: row.reason,
            retry: row.retry,
            source: row.source,
            example: row.example,
            enhanced: row.enhanced,
            stages: row.stage,
            directions: row.direction,
            mtas: row.mta,
        };
        rule.sure = rule.rests_on();
        Ok(rule)
    }

    fn rests_on(&self) -> MatchedOn {
        if self.reason == Reason::Unknown {
            MatchedOn::Nothing
        } else if !self.providers.is_empty() {
            MatchedOn::Provider
        } else if self.wants & WORDS != 0 || self.pattern.is_some() {
            MatchedOn::Text
        } else if !self.enhanced.is_empty() {
            MatchedOn::Enhanced
        } else if !self.stages.is_empty() {
            MatchedOn::Stage
        } else {
            MatchedOn::Code
        }
    }

    fn fits(&self, clues: &Features, mark: u8) -> bool {
        mark == self.wants & !UNLESS
            && holds(&self.codes, clues.code)
            && holds(&self.classes, clues.class)
            && holds(&self.stages, clues.stage)
            && holds(&self.directions, Some(clues.direction))
            && holds(&self.mtas, Some(clues.mta))
            && (self.providers.is_empty()
                || clues.direction == Direction::Outbound && holds(&self.providers, clues.provider))
            && (self.enhanced.is_empty()
                || clues.enhanced.is_some_and(|code| self.enhanced.iter().any(|pattern| pattern.fits(code))))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(clues.text))
    }
}

/// An empty list takes anything.
fn holds<T: PartialEq>(list: &[T], clue: Option<T>) -> bool {
    list.is_empty() || clue.is_some_and(|clue| list.contains(&clue))
}
