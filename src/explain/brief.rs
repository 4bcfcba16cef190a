//! Classifies the inputs of `explain --format ndjson`, each in a few fields.

use super::advice::bare_situation;
use super::enhanced::{class_of, enhanced_label};
use super::phrases::retry;
use super::query::{Query, QueryContext, parse_query, unwrap_input};
use crate::catalog::classify::{Classifier, Reason};
use crate::catalog::{Catalog, Situation, advise, find_code, find_enhanced_detail};
use crate::report::explain::Brief;
use crate::smtp::event::{Direction, Event, Mta};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Classifies replies: why the mail failed, whether a retry helps, and what to do.
///
/// It holds the built-in rules, which take some milliseconds to load: make one and keep it.
pub struct ReplyClassifier {
    catalog: Catalog,
}

impl Default for ReplyClassifier {
    fn default() -> Self {
        Self { catalog: Catalog::built_in() }
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
        BriefExplainer::new(&self.catalog).brief(reply, context).0
    }
}

/// Explains inputs one by one with one catalogue and one cache.
pub(crate) struct BriefExplainer<'c> {
    catalog: &'c Catalog,
    classifier: Classifier<'c>,
}

impl<'c> BriefExplainer<'c> {
    pub(crate) fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, classifier: Classifier::new(catalog) }
    }

    /// The fields of an input, and whether the catalogue knows it.
    pub(crate) fn brief(&mut self, input: &str, context: &QueryContext) -> (Brief, bool) {
        let none = Brief {
            input: input.to_owned(),
            code: None,
            enhanced: None,
            class: None,
            reason: None,
            cause: None,
            retryable: None,
            provider: None,
            rule: None,
            advice: None,
        };
        let mta = context.mta;
        let direction = context.direction.unwrap_or(Direction::Outbound);
        let input = &unwrap_input(input);
        match parse_query(input, context) {
            Query::Code(code, _) => {
                let event = Self::number_event(input, context);
                let known = find_code(code).is_some();
                (self.classify_reply(&event, false, mta, none), known)
            }
            Query::Enhanced(pattern) => {
                let event = Self::number_event(input, context);
                let known = find_enhanced_detail(pattern.subject, pattern.first).is_some();
                let brief = self.classify_reply(&event, false, mta, none);
                let known = known || brief.rule.is_some();
                (Brief { enhanced: Some(enhanced_label(pattern)), class: class_of(pattern), ..brief }, known)
            }
            Query::Class(class) => (Brief { class: Some(class), ..none }, true),
            Query::Reason(reason, cause) => {
                let found = Situation { cause, ..bare_situation(reason, None, direction) };
                (Self::with_situation(&found, None, mta, none), true)
            }
            Query::Reply(event) => (self.classify_reply(&event, false, mta, none), true),
            Query::Line(event) => {
                (self.classify_reply(&event, true, Some(mta.unwrap_or(event.mta)), none), true)
            }
            Query::Routine => (none, true),
            Query::Word(_) if input.trim().is_empty() => (none, true),
            Query::Word(event) => {
                let brief = self.classify_reply(&event, false, mta, none);
                let known = brief.reason.is_some_and(|reason| reason != Reason::Unknown);
                (brief, known)
            }
        }
    }

    /// The event of an input that is a code, an enhanced code or both: a reply without words.
    fn number_event<'a>(input: &'a str, context: &'a QueryContext) -> Event<'a> {
        let text = input.trim().as_bytes();
        let (code, rest) =
            Code::read(text).map_or((None, text), |(code, rest)| (Some(code), rest.trim_ascii()));
        let enhanced = EnhancedCode::read(rest).map(|(code, _)| code);
        Event { code, enhanced, ..super::query::bare_event(input, context) }
    }

    /// Fills the fields of an event in `none`, which has only the input.
    fn classify_reply(&mut self, event: &Event, is_line: bool, mta: Option<Mta>, none: Brief) -> Brief {
        let class = event.class();
        let numbers = Brief {
            code: event.code,
            enhanced: event.enhanced.map(|enhanced| enhanced.to_string()),
            class,
            ..none
        };
        let Some(verdict) = self.classifier.classify(event) else { return numbers };
        let provider = verdict.provider.and_then(|provider| self.catalog.providers.row(provider));
        let rule = verdict.rule.and_then(|rule| self.catalog.rules.rule(rule));
        let found = Situation::of_event(event, &verdict, is_line, &self.catalog.providers);
        let usual = Self::with_situation(&found, class, mta, numbers);
        Brief {
            cause: verdict.cause,
            provider: provider.map(|row| row.id.clone()),
            rule: rule.map(|rule| rule.id.to_string()),
            retryable: verdict.retry.or(usual.retryable),
            ..usual
        }
    }

    /// Fills the fields that follow from the situation.
    fn with_situation(found: &Situation, class: Option<Class>, mta: Option<Mta>, none: Brief) -> Brief {
        Brief {
            reason: Some(found.reason),
            retryable: Some(retry(found.reason, class)),
            advice: advise(found, mta).map(|advice| advice.line),
            ..none
        }
    }
}
