//! Classifies many inputs for a program, each in a few fields.

use super::enhanced::{class_of, written};
use super::phrases::retry;
use super::query::{Query, QueryContext, opened, read};
use crate::catalog::classify::{Classifier, Reason};
use crate::catalog::{Catalog, advice_line, find_code, find_enhanced_detail};
use crate::report::explain::Brief;
use crate::smtp::event::{Direction, Event, Mta};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Classifies replies: why the mail failed, whether a retry helps, and what to do.
///
/// It holds the built-in rules, which take some milliseconds to load: make one and keep it.
pub struct ReplyClassifier {
    book: Catalog,
}

impl Default for ReplyClassifier {
    fn default() -> Self {
        Self { book: Catalog::built_in() }
    }
}

impl ReplyClassifier {
    /// Loads the rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Classifies what `smtplog explain` takes: a reply with or without its code (`550 5.1.1 No such user`), a code, an
    /// enhanced code, a class (`4xx`), a reason (`mailbox-full`), or a log line. It never fails: a reply that no rule
    /// matches has the reason [`Reason::Unknown`].
    pub fn classify(&self, reply: &str, context: &QueryContext) -> Brief {
        BriefExplainer::new(&self.book).brief(reply, context).0
    }
}

/// Reads the book once for all lines.
pub(crate) struct BriefExplainer<'b> {
    book: &'b Catalog,
    judge: Classifier<'b>,
}

impl<'b> BriefExplainer<'b> {
    pub(crate) fn new(book: &'b Catalog) -> Self {
        Self { book, judge: Classifier::new(book) }
    }

    /// Also: whether the input is something the book knows.
    pub(crate) fn brief(&mut self, input: &str, context: &QueryContext) -> (Brief, bool) {
        let none = Brief {
            input: input.to_owned(),
            code: None,
            enhanced: None,
            class: None,
            reason: None,
            retryable: None,
            provider: None,
            rule: None,
            advice: None,
        };
        let mta = context.mta;
        let direction = context.direction.unwrap_or(Direction::Outbound);
        let input = &opened(input);
        match read(input, context) {
            Query::Code(code, _) => {
                let event = Self::bare(input, context);
                let known = find_code(code).is_some();
                (self.judged(&event, mta, none), known)
            }
            Query::Enhanced(pattern) => {
                let event = Self::bare(input, context);
                let known = find_enhanced_detail(pattern.subject, pattern.first).is_some();
                let brief = self.judged(&event, mta, none);
                let known = known || brief.rule.is_some();
                (Brief { enhanced: Some(written(pattern)), class: class_of(pattern), ..brief }, known)
            }
            Query::Class(class) => (Brief { class: Some(class), ..none }, true),
            Query::Reason(reason) => (Self::with_reason(reason, None, direction, mta, none), true),
            Query::Reply(event) => (self.judged(&event, mta, none), true),
            Query::Line(event) => (self.judged(&event, Some(mta.unwrap_or(event.mta)), none), true),
            Query::Routine => (none, true),
            Query::Word(_) if input.trim().is_empty() => (none, true),
            Query::Word(event) => {
                let brief = self.judged(&event, mta, none);
                let known = brief.reason.is_some_and(|reason| reason != Reason::Unknown);
                (brief, known)
            }
        }
    }

    /// A number alone is a reply without words.
    fn bare<'a>(input: &'a str, context: &'a QueryContext) -> Event<'a> {
        let text = input.trim().as_bytes();
        let (code, rest) =
            Code::read(text).map_or((None, text), |(code, rest)| (Some(code), rest.trim_ascii()));
        let enhanced = EnhancedCode::read(rest).map(|(code, _)| code);
        Event { code, enhanced, ..super::query::bare(input, context) }
    }

    fn judged(&mut self, event: &Event, mta: Option<Mta>, none: Brief) -> Brief {
        let class = event.class();
        let numbers = Brief {
            code: event.code,
            enhanced: event.enhanced.map(|enhanced| enhanced.to_string()),
            class,
            ..none
        };
        let Some(verdict) = self.judge.verdict(event) else { return numbers };
        let provider = verdict.provider.and_then(|provider| self.book.providers.row(provider));
        let rule = verdict.rule.and_then(|rule| self.book.rules.rule(rule));
        let usual = Self::with_reason(verdict.reason, class, event.direction, mta, numbers);
        Brief {
            provider: provider.map(|row| row.id.clone()),
            rule: rule.map(|rule| rule.id.clone()),
            retryable: verdict.retry.or(usual.retryable),
            ..usual
        }
    }

    fn with_reason(
        reason: Reason,
        class: Option<Class>,
        direction: Direction,
        mta: Option<Mta>,
        none: Brief,
    ) -> Brief {
        Brief {
            reason: Some(reason),
            retryable: Some(retry(reason, class)),
            advice: advice_line(reason, direction, class, mta),
            ..none
        }
    }
}
