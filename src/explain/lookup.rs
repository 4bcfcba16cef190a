//! Explains an argument. An argument that nothing matches gets an entry that says so.

use std::cell::OnceCell;

use super::code::{class_entry, code_entry};
use super::enhanced::{enhanced_entry, written};
use super::query::{Query, QueryContext, opened, read};
use super::reason::{reason_entry, reply_entry};
use super::suggest::nearest;
use crate::catalog::Catalog;
use crate::catalog::classify::{Classifier, Reason};
use crate::report::explain::{Entry, EntryKind};
use crate::smtp::event::Event;
use crate::smtp::reply::Class;

/// The rules are read when a text has to be judged, and only once.
#[derive(Default)]
pub(crate) struct Explainer {
    book: OnceCell<Catalog>,
}

impl Explainer {
    /// With the user's own rules.
    pub(crate) fn of(book: Catalog) -> Self {
        Self { book: OnceCell::from(book) }
    }

    pub(crate) fn book(&self) -> &Catalog {
        self.book.get_or_init(Catalog::built_in)
    }

    pub(crate) fn entry(&self, input: &str, context: &QueryContext) -> Entry {
        let input = &opened(input);
        match read(input, context) {
            Query::Code(code, enhanced) => code_entry(input, code, enhanced, context)
                .unwrap_or_else(|| unknown(input, &code.to_string())),
            Query::Enhanced(pattern) => {
                enhanced_entry(input, pattern, context).unwrap_or_else(|| unknown(input, &written(pattern)))
            }
            Query::Class(class) => class_entry(input, class, context),
            Query::Reason(reason) => reason_entry(input, reason, context),
            Query::Reply(event) => self.judged(input, EntryKind::Reply, &event, context),
            Query::Line(event) => {
                let context = QueryContext {
                    direction: Some(context.direction.unwrap_or(event.direction)),
                    mta: Some(context.mta.unwrap_or(event.mta)),
                    ..context.clone()
                };
                self.judged(input, EntryKind::Line, &event, &context)
            }
            Query::Routine => routine(input),
            Query::Word(event) => {
                let numbered = event.code.is_some();
                let known = || {
                    let verdict = Classifier::new(self.book()).verdict(&event);
                    verdict.is_some_and(|verdict| verdict.reason != Reason::Unknown)
                };
                let word = input.trim();
                let word_like = word.chars().any(char::is_alphabetic);
                if word_like && (numbered || known()) {
                    self.judged(input, EntryKind::Reply, &event, context)
                } else {
                    unknown(input, word)
                }
            }
        }
    }

    /// A reply that is no failure is explained by its code.
    fn judged(&self, input: &str, kind: EntryKind, event: &Event, context: &QueryContext) -> Entry {
        match Classifier::new(self.book()).verdict(event) {
            Some(verdict) => reply_entry(input, kind, event, &verdict, self.book(), context),
            None => {
                let by_code = event.code.and_then(|code| code_entry(input, code, None, context));
                let entry = by_code.unwrap_or_else(|| class_entry(input, Class::Positive, context));
                Entry { kind, ..entry }
            }
        }
    }
}

pub(crate) fn unknown(input: &str, asked: &str) -> Entry {
    Entry { nearest: nearest(asked), ..empty(input, EntryKind::Unknown, "unknown") }
}

fn routine(input: &str) -> Entry {
    let description = vec![
        "A mail server's line that reports neither a delivery nor a refusal. There is nothing to explain."
            .to_owned(),
        "Give the line of the same queue id that says status= (Postfix), or =>, ==, ** (Exim).".to_owned(),
    ];
    Entry {
        description,
        name: "No result in this line".to_owned(),
        ..empty(input, EntryKind::Line, "routine")
    }
}

fn empty(input: &str, kind: EntryKind, label: &str) -> Entry {
    Entry {
        input: input.to_owned(),
        kind,
        label: label.to_owned(),
        name: String::new(),
        code: None,
        enhanced: None,
        class: None,
        verdict: None,
        description: Vec::new(),
        sender_does: String::new(),
        stages: Vec::new(),
        when: Vec::new(),
        variants: Vec::new(),
        fixes: Vec::new(),
        unlike: Vec::new(),
        related: Vec::new(),
        nearest: Vec::new(),
        sources: Vec::new(),
    }
}
