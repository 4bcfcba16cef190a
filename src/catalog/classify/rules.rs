//! Compiles the rules and finds the first one that matches a reply.

use super::built_in;
use super::phrases::PhraseBuilder;
use super::rule::{AND, Features, PhraseOwner, Rule, RuleRow, RuleSet, UNLESS, WORDS};
use crate::catalog::provider::{Provider, Providers};
use crate::smtp::event::Direction;

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

/// What the rules find in a reply.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Found {
    /// The rule for the reason.
    pub rule: Option<RuleId>,
    /// The rule for the cause. `None`: the rule for the reason names the cause, or none is known.
    pub cause_rule: Option<RuleId>,
    pub provider: Option<Provider>,
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
