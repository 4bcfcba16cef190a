//! Explains a reason, or a reply by its reason, with the full advice.

use super::advice::{add_sources, advice_sources, bare_situation, fix, fixes, sides};
use super::code::{code_entry, related_code, sender};
use super::phrases::{capitalize, finding, named_code, retry_helps, sender_does, variant_meaning};
use super::query::QueryContext;
use super::sources::CitedSources;
use crate::catalog::classify::guess::deciding_words;
use crate::catalog::classify::{Classification, MatchedOn, Reason};
use crate::catalog::provider::ProviderRow;
use crate::catalog::{
    Catalog, Cause, CodeRow, Situation, cause_row, codes, enhanced_codes, find_code, reason_row, value_name,
};
use crate::report::explain::{Entry, EntryKind, Fix, NamedCode, ReasonFinding, Variant, VariantSource};
use crate::smtp::event::{Direction, Event, Outcome};
use crate::smtp::reply::Class;

/// The entry of a reason, or of one of its causes.
pub(crate) fn reason_entry(
    input: &str,
    reason: Reason,
    cause: Option<Cause>,
    context: &QueryContext,
) -> Entry {
    let row = reason_row(reason);
    let cause_row = cause.map(cause_row);
    let of_cause = cause_row.map(|cause| cause.meaning.clone());
    let fixes = match cause {
        Some(_) => fixes_of(cause, reason, context),
        None => fixes(reason, None, context),
    };
    let variants = codes_of_reason(reason);
    let mut labels: Vec<&str> = variants.iter().map(|variant| variant.label.as_str()).collect();
    labels.dedup();
    let when = match labels.as_slice() {
        [] => "Without a number of its own: the words, or the mail server's own log, tell it.".to_owned(),
        labels => format!("Mostly behind {}.", labels.join(", ")),
    };
    let retry = |class| finding(reason, Some(class), MatchedOn::Nothing).retry_helps;
    let (later, never) = (retry(Class::Transient), retry(Class::Permanent));
    let helps = if later == never {
        format!("Does a retry help? {}.", capitalize(&later))
    } else {
        format!("Does a retry help? After a 4xx: {later}. After a 5xx: {never}.")
    };
    Entry {
        input: input.to_owned(),
        kind: EntryKind::Reason,
        label: cause.map_or_else(|| value_name(reason), value_name),
        name: capitalize(cause_row.map_or(&row.title, |cause| &cause.title)),
        code: None,
        enhanced: None,
        class: None,
        verdict: None,
        description: of_cause.into_iter().chain([row.meaning.clone(), helps]).collect(),
        sender_does: String::new(),
        stages: Vec::new(),
        when: vec![VariantSource { mta: None, text: when }],
        variants,
        fixes,
        unlike: unlike(reason),
        related: related(reason),
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: reason_sources(reason, context),
    }
}

/// The advice on a reason with this cause, for each direction.
fn fixes_of(cause: Option<Cause>, reason: Reason, context: &QueryContext) -> Vec<Fix> {
    let of = |direction| {
        let situation = Situation { cause, ..bare_situation(reason, None, direction) };
        fix(&situation, context.mta)
    };
    sides(context).into_iter().filter_map(of).collect()
}

/// The reasons that are mistaken for this one.
pub(crate) fn unlike(reason: Reason) -> Vec<NamedCode> {
    let rows = &reason_row(reason).unlike;
    rows.iter().map(|unlike| named_code(unlike.what.as_str(), unlike.why.as_str())).collect()
}

/// The codes that come with a reason, each once.
pub(crate) fn codes_of_reason(reason: Reason) -> Vec<Variant> {
    let mut found: Vec<Variant> = Vec::new();
    for row in codes() {
        for variant in row.variants.iter().filter(|variant| variant.reason == Some(reason)) {
            let label = if variant.code.is_empty() {
                row.code.to_string()
            } else {
                format!("{} {}", row.code, variant.code)
            };
            if found.iter().all(|found| found.label != label) {
                let text = variant_meaning(&variant.words, variant.reason);
                found.push(Variant { label, reason: None, text });
            }
        }
    }
    found
}

/// Up to six reply codes that come with a reason.
fn related(reason: Reason) -> Vec<NamedCode> {
    let codes = codes_of_reason(reason).into_iter().map(|variant| variant.label);
    let mut related: Vec<NamedCode> = Vec::new();
    for code in codes {
        let code = code.split(' ').next().unwrap_or_default();
        let row = code.parse().ok().and_then(related_code);
        related.extend(row.filter(|row| !related.contains(row)));
    }
    related.truncate(6);
    related
}

/// A classification in words.
pub(crate) fn classified_finding(
    verdict: &Classification,
    class: Option<Class>,
    catalog: &Catalog,
) -> ReasonFinding {
    let rule = verdict.rule.and_then(|rule| catalog.rules.rule(rule));
    let provider = verdict.provider.and_then(|provider| catalog.providers.row(provider));
    let page = provider.map(|row| row.postmaster.clone()).filter(|page| !page.is_empty());
    let usual = finding(verdict.reason, class, verdict.matched_on);
    let retryable = verdict.retry.unwrap_or(usual.retryable);
    let cause = verdict.cause.map(cause_row);
    ReasonFinding {
        cause: verdict.cause,
        cause_title: cause.map(|row| row.title.clone()),
        cause_meaning: cause.map(|row| row.meaning.clone()),
        rule: rule.map(|rule| rule.id.to_string()).filter(|id| is_named_after(id, provider, catalog)),
        provider: provider.map(|row| row.id.clone()),
        provider_name: provider.map(|row| row.name.clone()),
        provider_page: page,
        retryable,
        retry_helps: retry_helps(retryable).to_owned(),
        ..usual
    }
}

/// Whether a rule's id names no provider, or this one: a rule for words that several providers use keeps the name of the
/// first, and would mislead.
fn is_named_after(id: &str, provider: Option<&ProviderRow>, catalog: &Catalog) -> bool {
    let named = catalog.providers.all().map(|(_, row)| row.id.as_str());
    let named = named.filter(|name| id.strip_prefix(*name).is_some_and(|rest| rest.starts_with('-')));
    let named: Vec<&str> = named.collect();
    named.is_empty() || provider.is_some_and(|row| named.contains(&row.id.as_str()))
}

/// The entry of a reply or a log line: the reason, the meaning of the code, and the whole advice.
pub(crate) fn reply_entry(
    input: &str,
    kind: EntryKind,
    event: &Event,
    verdict: &Classification,
    catalog: &Catalog,
    context: &QueryContext,
) -> Entry {
    let class = event.class();
    let mut finding = classified_finding(verdict, class, catalog);
    if verdict.matched_on == MatchedOn::Guess {
        finding.decided_by = deciding_words(event);
    }
    let reason = verdict.reason;
    let situation = Situation::of_event(event, verdict, kind == EntryKind::Line, &catalog.providers);
    let of_code = event.code.and_then(|code| code_entry(input, code, None, context));
    let row = event.code.and_then(find_code);
    let mut description = vec![finding.cause_meaning.clone().unwrap_or_else(|| finding.meaning.clone())];
    if let Some(of_code) = &of_code {
        description
            .extend(of_code.description.first().map(|text| format!("{} by itself: {text}", of_code.label)));
    }
    description.extend(contradiction(class, reason));
    Entry {
        input: input.to_owned(),
        kind,
        label: reply_label(event, reason),
        name: match &of_code {
            Some(of_code) if reason == Reason::Unknown => of_code.name.clone(),
            Some(_) | None => capitalize(finding.cause_title.as_ref().unwrap_or(&finding.title)),
        },
        code: event.code,
        enhanced: event.enhanced.map(|enhanced| enhanced.to_string()),
        class,
        sender_does: match (row, class) {
            _ if kind == EntryKind::Line && event.direction != Direction::Inbound => {
                outcome_words(event.outcome, class)
            }
            (Some(row), Some(class)) => sender(row, class),
            (None, Some(class)) => sender_does(class).to_owned(),
            (_, None) => String::new(),
        },
        stages: event.stage.map(value_name).into_iter().collect(),
        when: Vec::new(),
        variants: Vec::new(),
        fixes: reply_fixes(&situation, context),
        unlike: unlike(reason),
        related: of_code.map(|entry| named_code(&entry.label, entry.name)).into_iter().collect(),
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: reply_sources(verdict, row, &finding, catalog, &situation, context),
        description,
        verdict: Some(finding),
    }
}

/// What the sending server did with the message, by its own line; the class may say otherwise.
fn outcome_words(outcome: Outcome, class: Option<Class>) -> String {
    let words = match (outcome, class) {
        (Outcome::Deferred, Some(Class::Permanent)) => {
            "kept the message all the same, although the reply is a 5xx, and tries again"
        }
        (Outcome::Deferred, _) => sender_does(Class::Transient),
        (Outcome::Bounced, Some(Class::Transient)) => {
            "gave up all the same, although the reply is a 4xx, and returned the message to its author"
        }
        (Outcome::Bounced, _) => "gave up and returned the message to its author",
        (Outcome::Expired, _) => "gave up after the queue lifetime and returned the message to its author",
        (Outcome::Attempt, _) => "tries another host, or tries again later",
        (
            Outcome::Delivered
            | Outcome::Rejected
            | Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Probe,
            class,
        ) => class.map(sender_does).unwrap_or_default(),
    };
    words.to_owned()
}

/// The codes of the reply, `552 5.2.2`, else the reason.
fn reply_label(event: &Event, reason: Reason) -> String {
    match (event.code, event.enhanced.or(event.dsn)) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => enhanced.to_string(),
        (None, None) => value_name(reason),
    }
}

/// The documents behind the rule, the provider's page, the code and the advice.
fn reply_sources(
    verdict: &Classification,
    row: Option<&CodeRow>,
    finding: &ReasonFinding,
    catalog: &Catalog,
    situation: &Situation,
    context: &QueryContext,
) -> Vec<String> {
    let mut sources = CitedSources::default();
    let rule = verdict.rule.and_then(|rule| catalog.rules.rule(rule));
    if let Some(rule) = rule.filter(|rule| rule.reason != Reason::Unknown) {
        sources.add(&rule.source);
    }
    sources.add_all(&finding.provider_page);
    if let Some(row) = row {
        sources.add(&row.source);
    }
    for direction in sides(context) {
        add_sources(&in_direction(situation, direction), context.mta, &mut sources);
    }
    sources.list()
}

/// The advice on a reply in each direction that is asked for; if there is none, that for an unknown reason.
fn reply_fixes(situation: &Situation, context: &QueryContext) -> Vec<Fix> {
    let in_directions = |situation: &Situation| -> Vec<Fix> {
        let asked = sides(context).into_iter();
        asked.filter_map(|direction| fix(&in_direction(situation, direction), context.mta)).collect()
    };
    let found = in_directions(situation);
    if found.is_empty() && situation.reason != Reason::Unknown {
        in_directions(&Situation { reason: Reason::Unknown, cause: None, ..*situation })
    } else {
        found
    }
}

/// The situation if the reply was said in another direction than the one assumed.
fn in_direction<'c>(situation: &Situation<'c>, direction: Direction) -> Situation<'c> {
    if situation.direction == direction {
        return *situation;
    }
    let bare = bare_situation(situation.reason, None, direction);
    Situation { cause: situation.cause, ..bare }
}

/// The sentence for a code that contradicts the reason. None: they agree.
fn contradiction(class: Option<Class>, reason: Reason) -> Option<String> {
    match class? {
        Class::Permanent if reason.passes() => {
            Some("The number says for good, the reason passes: send it again later.".to_owned())
        }
        Class::Transient if reason.lasts() => {
            Some("The number says for now, but it does not pass by waiting.".to_owned())
        }
        Class::Positive | Class::Intermediate | Class::Transient | Class::Permanent => None,
    }
}

/// The documents behind two of the enhanced codes and behind the advice.
fn reason_sources(reason: Reason, context: &QueryContext) -> Vec<String> {
    let mut sources = CitedSources::default();
    for row in enhanced_codes().iter().filter(|row| row.reason == Some(reason)).take(2) {
        sources.add(&row.reference);
    }
    advice_sources(reason, context, &mut sources);
    sources.list()
}
