//! Explains one argument of `explain`; an unknown one gets an entry with the nearest suggestions.

use std::cell::OnceCell;

use super::code::{class_entry, code_entry};
use super::enhanced::{enhanced_entry, enhanced_label};
use super::query::{Query, QueryContext, parse_query, unwrap_input};
use super::reason::{reason_entry, reply_entry};
use super::routine::routine_entry;
use super::suggest::nearest;
use crate::catalog::classify::{Classification, Classifier, MatchedOn, Reason};
use crate::catalog::{Catalog, find_code};
use crate::parse::mta::writer::guess;
use crate::report::explain::{Entry, EntryKind};
use crate::smtp::event::Event;
use crate::smtp::reply::Class;

/// Explains arguments with one catalogue, which is compiled when the first reply has to be classified.
#[derive(Default)]
pub(crate) struct Explainer {
    catalog: OnceCell<Catalog>,
}

impl Explainer {
    /// Uses a catalogue with the user's own rules.
    pub(crate) fn of(catalog: Catalog) -> Self {
        Self { catalog: OnceCell::from(catalog) }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(Catalog::built_in)
    }

    pub(crate) fn entry(&self, input: &str, context: &QueryContext) -> Entry {
        let entry = self.known_entry(&unwrap_input(input), context);
        Entry {
            phrase: entry.code.and_then(find_code).and_then(|row| row.phrase.clone()),
            assumed: context.direction.is_none() && entry.kind != EntryKind::Line,
            ..entry
        }
    }

    fn known_entry(&self, input: &str, context: &QueryContext) -> Entry {
        match parse_query(input, context) {
            Query::Code(code, enhanced) => code_entry(input, code, enhanced, context)
                .unwrap_or_else(|| unknown(input, &code.to_string())),
            Query::Enhanced(pattern) => enhanced_entry(input, pattern, context)
                .unwrap_or_else(|| unknown(input, &enhanced_label(pattern))),
            Query::Class(class) => class_entry(input, class, context),
            Query::Reason(reason, cause) => reason_entry(input, reason, cause, context),
            Query::Reply(event) => {
                let context = QueryContext { mta: context.mta.or_else(|| guess(input)), ..context.clone() };
                self.explain_reply(input, EntryKind::Reply, &event, &context)
            }
            Query::Line(event) => {
                let context = QueryContext {
                    direction: Some(context.direction.unwrap_or(event.direction)),
                    mta: Some(context.mta.unwrap_or(event.mta)),
                    ..context.clone()
                };
                self.explain_reply(input, EntryKind::Line, &event, &context)
            }
            Query::Routine => routine_entry(input),
            Query::Word(event) => {
                let numbered = event.code.is_some();
                let word = input.trim();
                let word_like = word.chars().any(char::is_alphabetic);
                if word_like && (numbered || self.knows(&event)) {
                    self.explain_reply(input, EntryKind::Reply, &event, context)
                } else {
                    unknown(input, word)
                }
            }
        }
    }

    /// Whether a rule knows the words. What a single word resembles is no clue: it may be a typing error in a reason.
    fn knows(&self, event: &Event) -> bool {
        let verdict = Classifier::new(self.catalog()).classify(event);
        verdict.is_some_and(|verdict| {
            verdict.reason != Reason::Unknown && verdict.matched_on != MatchedOn::Guess
        })
    }

    /// Explains a reply by its reason, or by its code if it is no failure.
    fn explain_reply(&self, input: &str, kind: EntryKind, event: &Event, context: &QueryContext) -> Entry {
        let is_bare = event.code.is_none() && event.enhanced.is_none();
        match Classifier::new(self.catalog()).classify(event) {
            // What words without a code resemble is no clue: they may be no reply at all.
            Some(verdict) if is_bare && verdict.matched_on == MatchedOn::Guess => {
                let matched_on = MatchedOn::Nothing;
                let verdict = Classification {
                    reason: Reason::Unknown,
                    cause: None,
                    rule: None,
                    matched_on,
                    ..verdict
                };
                reply_entry(input, kind, event, &verdict, self.catalog(), context)
            }
            Some(verdict) => reply_entry(input, kind, event, &verdict, self.catalog(), context),
            None => {
                let by_code = event.code.and_then(|code| code_entry(input, code, None, context));
                let entry = by_code.unwrap_or_else(|| class_entry(input, Class::Positive, context));
                Entry { kind, ..entry }
            }
        }
    }
}

/// The entry of something unknown, with the nearest suggestions for `asked`.
pub(crate) fn unknown(input: &str, asked: &str) -> Entry {
    Entry { nearest: nearest(asked), ..Entry::empty(input, EntryKind::Unknown, "unknown") }
}
