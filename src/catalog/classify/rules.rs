//! Compiles the rules and finds the first one that matches a reply.

use std::borrow::Cow;
use std::sync::OnceLock;

use clap::ValueEnum;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::built_in;
use super::phrases::{PhraseBuilder, Phrases};
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
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: Cow<'static, str>,
    pub reason: Reason,
    pub cause: Option<Cause>,
    pub retry: Option<Retry>,
    pub reply: Option<bool>,
    pub guess: bool,
    pub source: Cow<'static, str>,
    pub example: Cow<'static, str>,
    pub providers: Cow<'static, [Provider]>,
    pub codes: Cow<'static, [Code]>,
    pub enhanced: Cow<'static, [EnhancedPattern]>,
    pub stages: Cow<'static, [Stage]>,
    pub directions: Cow<'static, [Direction]>,
    pub classes: Cow<'static, [Class]>,
    pub mtas: Cow<'static, [Mta]>,
    /// The lists of phrases that the rule has: bits [`WORDS`], [`AND`], [`UNLESS`].
    pub(super) phrase_lists: u8,
    pub(super) pattern: Option<Pattern>,
}

/// A regular expression that is compiled when it is first needed.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Cow<'static, str>,
    compiled: OnceLock<Regex>,
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
pub(super) const WORDS: u8 = 1;
/// Bit of [`RuleRow::and`].
pub(super) const AND: u8 = 2;
/// Bit of [`RuleRow::unless`].
pub(super) const UNLESS: u8 = 4;

/// All rules and their phrases. The user's rules are tried before the built-in ones.
pub struct Rules {
    own: RuleSet,
    built_in: RuleSet,
    /// A bit for each rule that needs no phrase, 64 in each number.
    wordless: Vec<u64>,
}

/// What the phrases of a text say about the rules; scratch space of [`Rules::find`].
#[derive(Default)]
pub struct RuleMarks {
    /// For each rule, the bits of its lists that have a phrase in the text, and behind them a mark if the text has a phrase of
    /// `data/doubts.toml`.
    lists: Vec<u8>,
    /// A bit for each rule that may fit: it needs no phrase, or the text has one of its phrases.
    candidates: Vec<u64>,
}

impl RuleMarks {
    fn mark(&mut self, rule: usize, list: u8) {
        if let (Some(lists), Some(candidates)) =
            (self.lists.get_mut(rule), self.candidates.get_mut(rule / 64))
        {
            *lists |= list;
            *candidates |= 1 << (rule % 64);
        }
    }

    /// The candidates from a position on, in their order, with their marks.
    fn candidates(&self, from: usize) -> impl Iterator<Item = (usize, u8)> {
        let numbers = self.candidates.iter().enumerate().skip(from / 64);
        let positions = numbers.flat_map(|(at, &bits)| {
            let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|rest| *rest != 0);
            let first = Some(bits).filter(|bits| *bits != 0);
            std::iter::successors(first, rest).map(move |bits| at * 64 + bits.trailing_zeros() as usize)
        });
        positions.skip_while(move |&at| at < from).filter_map(|at| Some((at, self.lists.get(at).copied()?)))
    }

    /// Whether the text has a phrase of `data/doubts.toml`.
    pub(super) fn is_doubtful(&self) -> bool {
        self.lists.last().is_some_and(|mark| *mark != 0)
    }
}

/// Rules in the order in which they are tried, and their phrases.
pub(super) struct RuleSet {
    /// The rules for reasons, then those for causes.
    pub rules: Cow<'static, [Rule]>,
    /// The number of rules for reasons.
    pub reasons: usize,
    pub phrases: Phrases<PhraseOwner>,
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
pub(super) enum PhraseOwner {
    /// The position of a rule, and the bit of one of its lists: [`WORDS`], [`AND`] or [`UNLESS`]. The position behind the
    /// last built-in rule stands for those of `data/doubts.toml`.
    Rule(u16, u8),
    Provider(Provider),
}

/// The position of the invalid row, and what is wrong with it. The position `usize::MAX` is a provider.
pub(crate) type RuleFault = (usize, String);

impl Rules {
    /// `own` are the users' rules. The position in an error is that of one of them, or `usize::MAX` for a provider.
    pub fn compile(own: &[RuleRow], providers: &Providers) -> Result<Self, RuleFault> {
        let mut rules = Self {
            own: RuleSet::compile(own, providers)?,
            built_in: RuleSet::built_in(providers),
            wordless: Vec::new(),
        };
        let mut wordless = vec![0; (rules.own.rules.len() + rules.built_in.rules.len()) / 64 + 1];
        for (RuleId(at), rule) in rules.numbered() {
            if let Some(bits) = wordless.get_mut(usize::from(at / 64)) {
                *bits |= u64::from(rule.phrase_lists & !UNLESS == 0) << (at % 64);
            }
        }
        rules.wordless = wordless;
        Ok(rules)
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        let at = usize::from(id.0);
        let built_in = || self.built_in.rules.get(at.checked_sub(self.own.rules.len())?);
        self.own.rules.get(at).or_else(built_in)
    }

    /// The rules for reasons.
    pub fn all(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.numbered().take(self.reasons())
    }

    /// The rules for causes.
    pub fn causes(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.numbered().skip(self.reasons())
    }

    /// The number of rules for reasons.
    fn reasons(&self) -> usize {
        self.own.rules.len() + self.built_in.reasons
    }

    fn numbered(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        let rules = self.own.rules.iter().chain(&*self.built_in.rules);
        rules.enumerate().map(|(at, rule)| (RuleId(at as u16), rule))
    }

    /// The first rule that matches, the first rule for a cause of its reason, and the provider: that of the features, else
    /// the one whose tokens the text has.
    pub fn find(&self, mut features: Features, marks: &mut RuleMarks) -> Found {
        let own = self.own.rules.len();
        marks.lists.clear();
        marks.lists.resize(own + self.built_in.rules.len() + 1, 0);
        marks.candidates.clone_from(&self.wordless);
        let mut provider = features.provider;
        for (set, first) in [(&self.own, 0), (&self.built_in, own)] {
            set.phrases.find(features.text, |owner| match owner {
                PhraseOwner::Rule(rule, list) => marks.mark(first + usize::from(rule), list),
                PhraseOwner::Provider(named) if features.direction == Direction::Outbound => {
                    provider = provider.or(Some(named));
                }
                PhraseOwner::Provider(_) => {}
            });
        }
        features.provider = provider;
        let reasons = self.reasons();
        let candidate = |(at, mark): (usize, u8)| {
            let id = RuleId(at as u16);
            let rule = self.rule(id)?;
            rule.fits(&features, mark).then_some((id, rule))
        };
        let found = marks.candidates(0).take_while(|(at, _)| *at < reasons).find_map(candidate);
        let cause_rule = found.filter(|(_, rule)| rule.cause.is_none()).and_then(|(_, named)| {
            let same_reason =
                |at: usize| self.rule(RuleId(at as u16)).is_some_and(|rule| rule.reason == named.reason);
            marks.candidates(reasons).filter(|(at, _)| same_reason(*at)).find_map(candidate)
        });
        Found {
            rule: found.map(|(id, _)| id),
            cause_rule: cause_rule.map(|(id, _)| id),
            provider: features.provider,
        }
    }
}

impl RuleSet {
    /// The users' rules, and the phrases of the providers that users added or extended.
    fn compile(rows: &[RuleRow], providers: &Providers) -> Result<Self, RuleFault> {
        let mut phrases = PhraseBuilder::new();
        for (provider, token) in providers.own_tokens() {
            phrases.add(token, PhraseOwner::Provider(provider)).map_err(|what| (usize::MAX, what))?;
        }
        let mut rules = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            if !row.has_condition() {
                return Err((
                    at,
                    format!(
                        "the rule {:?} has no condition, so it would match every failure; add words, pattern, code, enhanced, \
                     stage, direction, class, mta, provider or reply",
                        row.id
                    ),
                ));
            }
            for (part, list) in [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)] {
                for phrase in list {
                    let owner = PhraseOwner::Rule(at as u16, part);
                    phrases.add(phrase, owner).map_err(|what| (at, what))?;
                }
            }
            rules.push(Rule::read(row.clone(), providers).map_err(|what| (at, what))?);
        }
        Ok(Self { reasons: rules.len(), rules: rules.into(), phrases: phrases.finish() })
    }

    /// The built-in rules, as build.rs compiled them.
    fn built_in(providers: &Providers) -> Self {
        let mut rules = built_in::rules();
        // build.rs numbers the built-in providers alone.
        if let Some(numbers) = providers.numbers_of_built_in() {
            let numbered = |provider: Provider| numbers.get(provider.index()).copied().unwrap_or(provider);
            for rule in rules.rules.to_mut() {
                rule.providers = rule.providers.iter().map(|provider| numbered(*provider)).collect();
            }
            for owner in rules.phrases.owners.to_mut() {
                if let PhraseOwner::Provider(provider) = owner {
                    *provider = numbered(*provider);
                }
            }
        }
        rules
    }
}

impl Pattern {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), compiled: OnceLock::new() }
    }

    /// `Err` says what is wrong with the expression.
    fn compile(text: &str) -> Result<Regex, String> {
        RegexBuilder::new(text).unicode(false).build().map_err(|cause| cause.to_string())
    }

    fn is_match(&self, text: &[u8]) -> bool {
        let compile = || {
            Self::compile(&self.text).expect("a user's pattern is compiled at once, and a test the others")
        };
        self.compiled.get_or_init(compile).is_match(text)
    }
}

impl Rule {
    fn read(row: RuleRow, providers: &Providers) -> Result<Self, String> {
        let lists = [(WORDS, &row.words), (AND, &row.and), (UNLESS, &row.unless)];
        let phrase_lists = lists
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .fold(0, |phrase_lists, (part, _)| phrase_lists | part);
        let pattern = row.pattern.map(|text| {
            let compiled = Pattern::compile(&text)?.into();
            Ok::<_, String>(Pattern { text: text.into(), compiled })
        });
        let codes =
            row.code.iter().map(|&code| Code::new(code).ok_or_else(|| format!("{code} is no reply code")));
        let classes = row.class.iter().map(|class| Class::from_str(class, false));
        let provider =
            |id: &String| providers.find(id).ok_or_else(|| format!("no provider is called '{id}'"));
        Ok(Self {
            phrase_lists,
            pattern: pattern.transpose()?,
            codes: codes.collect::<Result<_, _>>()?,
            classes: classes.collect::<Result<_, _>>()?,
            providers: row.provider.iter().map(provider).collect::<Result<_, _>>()?,
            id: row.id.into(),
            reason: row.reason,
            cause: row.cause,
            retry: row.retry,
            reply: row.reply,
            guess: row.guess,
            source: row.source.into(),
            example: row.example.into(),
            enhanced: row.enhanced.into(),
            stages: row.stage.into(),
            directions: row.direction.into(),
            mtas: row.mta.into(),
        })
    }

    /// The most certain evidence that the rule asks for.
    pub fn matched_on(&self) -> MatchedOn {
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
