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

pub(crate) fn sure(sure: MatchedOn) -> (&'static str, &'static str) {
    match sure {
        MatchedOn::Provider => ("provider", "sure: the provider itself explains these words so"),
        MatchedOn::Text => ("text", "sure: the words say it"),
        MatchedOn::Enhanced => ("enhanced", "likely: by the enhanced code, the words say nothing"),
        MatchedOn::Stage => ("stage", "a guess: by the command that it answers"),
        MatchedOn::Code => ("code", "a guess: by the reply code alone"),
        MatchedOn::Nothing => ("nothing", "not known: neither words nor numbers tell the reason"),
    }
}

pub(crate) fn retry_helps(retry: Retry) -> &'static str {
    match retry {
        Retry::Retry => "yes, the queue's own retries will do",
        Retry::SlowDown => "yes, with fewer connections and messages at a time",
        Retry::Suppress => "no; send no more to this address",
        Retry::FixOurs => "no, not before the sending side is mended",
        Retry::ChangeMessage => "no, not for the same message; a changed one may pass",
        Retry::Ask => "no, not before a person on the other side has acted",
        Retry::Wait => "yes; leave it alone, it passes",
    }
}

/// What a retry is worth, as its row in the table of reasons says.
pub(crate) fn retry(reason: Reason, class: Option<Class>) -> Retry {
    reason_row(reason).retry(class)
}

/// A finding without a rule and without a provider.
pub(crate) fn finding(reason: Reason, class: Option<Class>, how: MatchedOn) -> ReasonFinding {
    let row = reason_row(reason);
    let retryable = row.retry(class);
    let (sure, why_sure) = sure(how);
    ReasonFinding {
        reason,
        title: row.title.clone(),
        meaning: row.meaning.clone(),
        sure,
        why_sure,
        rule: None,
        provider: None,
        provider_name: None,
        provider_page: None,
        retryable,
        retry_helps: retry_helps(retryable).to_owned(),
    }
}

/// What a variant means: its own words, else those of its reason.
pub(crate) fn sense(words: &str, reason: Option<Reason>) -> String {
    if !words.is_empty() {
        return words.to_owned();
    }
    let meaning = reason.map_or("", |reason| &reason_row(reason).meaning);
    lower(meaning.trim_end_matches('.'))
}

pub(crate) fn named(label: impl Into<String>, text: impl Into<String>) -> NamedCode {
    NamedCode { label: label.into(), text: text.into() }
}

/// `552` and `552 refuses for good`: the label stands there already.
pub(crate) fn contrast(label: &str, text: &str) -> NamedCode {
    let rest = text.strip_prefix(label).map(|rest| rest.trim_start_matches([':', ' ']));
    named(label, rest.unwrap_or(text))
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `Mailbox full` → `mailbox full`; `TLS …` stays.
pub(crate) fn lower(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next();
    match (first, chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => name.to_owned(),
    }
}
