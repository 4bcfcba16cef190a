//! Holds the sentences that several entries share: what a sender does, how sure a reason is, whether a retry helps.

use crate::catalog::classify::{MatchedOn, Reason, Retry};
use crate::catalog::reason_row;
use crate::report::explain::{NamedCode, ReasonFinding};
use crate::smtp::reply::Class;

/// What the sending server does, by the class alone (RFC 5321 §4.2.1, §4.5.4.1).
pub(crate) fn sender_does(class: Class) -> &'static str {
    match class {
        Class::Positive => "goes on",
        Class::Intermediate => "sends what is asked for",
        Class::Transient => "keeps the message and tries again; nobody is told until the queue lifetime ends",
        Class::Permanent => "gives up at once and returns the message to its author",
    }
}

/// How certain a reason is, as a word for JSON and as a sentence.
pub(crate) fn certainty(matched_on: MatchedOn) -> (&'static str, &'static str) {
    match matched_on {
        MatchedOn::Provider => ("provider", "sure: the provider itself explains these words so"),
        MatchedOn::Text => ("text", "sure: the words say it"),
        MatchedOn::Enhanced => ("enhanced", "likely: by the enhanced code"),
        MatchedOn::Stage => ("stage", "a guess: by the command that it answers"),
        MatchedOn::Code => ("code", "a guess: by the reply code alone"),
        MatchedOn::Guess => {
            ("guess", "a guess: no rule knows these words, they resemble those of this reason")
        }
        MatchedOn::Nothing => ("nothing", "not known: neither words nor numbers tell the reason"),
    }
}

/// The answer to "Does a retry help?".
pub(crate) fn retry_helps(retry: Retry) -> &'static str {
    match retry {
        Retry::Retry => "yes, the queue's own retries will do",
        Retry::SlowDown => "yes, with fewer connections and messages at a time",
        Retry::Suppress => "no; send no more to this address",
        Retry::FixOurs => "no, not before the sending side is fixed",
        Retry::ChangeMessage => "no, not for the same message; a changed one may pass",
        Retry::Ask => "no, not before a person on the other side has acted",
        Retry::Wait => "yes; leave it alone, it passes",
    }
}

/// Whether a retry helps, by the table of reasons.
pub(crate) fn retry(reason: Reason, class: Option<Class>) -> Retry {
    reason_row(reason).retry(class)
}

/// A finding without a rule and without a provider.
pub(crate) fn finding(reason: Reason, class: Option<Class>, how: MatchedOn) -> ReasonFinding {
    let row = reason_row(reason);
    let retryable = row.retry(class);
    let (sure, why_sure) = certainty(how);
    ReasonFinding {
        reason,
        title: row.title.clone(),
        meaning: row.meaning.clone(),
        cause: None,
        cause_title: None,
        cause_meaning: None,
        sure,
        why_sure,
        decided_by: Vec::new(),
        rule: None,
        provider: None,
        provider_name: None,
        provider_page: None,
        retryable,
        retry_helps: retry_helps(retryable).to_owned(),
    }
}

/// The meaning of a variant: its own words, else the meaning of its reason.
pub(crate) fn variant_meaning(words: &str, reason: Option<Reason>) -> String {
    if !words.is_empty() {
        return words.to_owned();
    }
    let meaning = reason.map_or("", |reason| &reason_row(reason).meaning);
    uncapitalize(meaning.trim_end_matches('.'))
}

pub(crate) fn named_code(label: impl Into<String>, text: impl Into<String>) -> NamedCode {
    NamedCode { label: label.into(), text: text.into() }
}

/// Removes the label from the start of a text: `552` and `552 refuses for good` → `refuses for good`.
pub(crate) fn contrast(label: &str, text: &str) -> NamedCode {
    let rest = text.strip_prefix(label).map(|rest| rest.trim_start_matches([':', ' ']));
    named_code(label, rest.unwrap_or(text))
}

/// The text with a capital at its start.
pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `Mailbox full` → `mailbox full`; `TLS …` stays. A first word of one letter is changed, too.
pub(crate) fn uncapitalize(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next();
    match (first, chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        (Some(_) | None, _) => name.to_owned(),
    }
}
