//! Defines the rules: as they are written in a table, and compiled.

use std::borrow::Cow;
use std::sync::OnceLock;

use clap::ValueEnum;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::phrases::Phrases;
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

/// Rules in the order in which they are tried, and their phrases.
pub(super) struct RuleSet {
    /// The rules for reasons, then those for causes.
    pub rules: Cow<'static, [Rule]>,
    /// The number of rules for reasons.
    pub reasons: usize,
    pub phrases: Phrases<PhraseOwner>,
}

/// The rule or provider that a phrase belongs to.
#[derive(Clone, Copy)]
pub(super) enum PhraseOwner {
    /// The position of a rule, and the bit of one of its lists: [`WORDS`], [`AND`] or [`UNLESS`]. The position behind the
    /// last built-in rule stands for those of `data/doubts.toml`.
    Rule(u16, u8),
    Provider(Provider),
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
    pub(super) fn read(row: RuleRow, providers: &Providers) -> Result<Self, String> {
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

    pub(super) fn fits(&self, features: &Features, mark: u8) -> bool {
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
