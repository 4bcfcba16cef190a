//! Explains a reply code or a class, with the advice on each reason that it can have.

use super::advice::{advice_sources, assumed_side, fixes, short_steps, sides};
use super::phrases::{capitalize, contrast, finding, named_code, sender_does, variant_meaning};
use super::query::QueryContext;
use super::sources::CitedSources;
use crate::catalog::classify::{MatchedOn, Reason};
use crate::catalog::{CodeRow, VariantRow, codes, find_code, find_enhanced_detail};
use crate::report::explain::{AdviceStep, Entry, EntryKind, Fix, NamedCode, Variant, VariantSource};
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// The entry of a reply code, alone or with an enhanced code. None: the catalogue does not have the code.
pub(crate) fn code_entry(
    input: &str,
    code: Code,
    enhanced: Option<EnhancedCode>,
    context: &QueryContext,
) -> Option<Entry> {
    let row = find_code(code)?;
    let subset = enhanced.map(|enhanced| variants_of(row, enhanced));
    let variants = subset.as_ref().unwrap_or(&row.variants);
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in variants.iter().filter_map(|variant| variant.reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let only = reasons.first().copied().filter(|_| enhanced.is_some() && reasons.len() == 1);
    let mut description = description(row);
    let mut sources = CitedSources::default();
    sources.add(&row.source);
    if let Some(enhanced) = enhanced {
        match find_enhanced_detail(enhanced.subject, enhanced.detail) {
            Some(known) => {
                description.insert(0, format!("{enhanced}: {}", known.meaning));
                sources.add(&known.reference);
            }
            None => {
                description.insert(0, format!("{enhanced} is not in the IANA registry; the words decide."));
            }
        }
    }
    sources.add_all(&row.sources);
    for &reason in &reasons {
        advice_sources(reason, context, &mut sources);
    }
    Some(Entry {
        input: input.to_owned(),
        kind: EntryKind::Code,
        label: enhanced.map_or_else(|| code.to_string(), |enhanced| format!("{code} {enhanced}")),
        name: row.name.clone(),
        code: Some(code),
        enhanced: enhanced.map(|enhanced| enhanced.to_string()),
        class: Some(code.class()),
        verdict: only.map(|reason| finding(reason, Some(code.class()), MatchedOn::Enhanced)),
        description,
        sender_does: sender(row, code.class()),
        stages: row.stages.clone(),
        when: code_when(row, context.mta),
        variants: variants.iter().map(|variant| variant_entry(code, variant)).collect(),
        fixes: match only {
            Some(reason) => fixes(reason, Some(code.class()), context),
            None => {
                sides(context).into_iter().map(|side| code_fix(row, &reasons, side, context.mta)).collect()
            }
        },
        unlike: row.unlike.iter().map(|unlike| contrast(&unlike.what, &unlike.why)).collect(),
        related: row.related.iter().filter_map(|&related| related_code(related)).collect(),
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: sources.list(),
    })
}

/// The variants with this enhanced code. If the row has none: the reason of the enhanced code by the registry, else all
/// variants.
fn variants_of(row: &CodeRow, enhanced: EnhancedCode) -> Vec<VariantRow> {
    let code = enhanced.to_string();
    let own: Vec<VariantRow> = row.variants.iter().filter(|variant| variant.code == code).cloned().collect();
    let known = find_enhanced_detail(enhanced.subject, enhanced.detail);
    match known {
        _ if !own.is_empty() => own,
        Some(known) if known.reason.is_some() => {
            vec![VariantRow { code, reason: known.reason, words: String::new() }]
        }
        Some(_) | None => row.variants.clone(),
    }
}

/// The meaning, the note and the catch of a code; those that are empty are left out.
fn description(row: &CodeRow) -> Vec<String> {
    let catch = (!row.catch.is_empty()).then(|| row.catch.clone());
    let mut description = vec![row.meaning.clone()];
    description.extend(row.note.clone());
    description.extend(catch);
    description
}

/// What the sending server does after this code.
pub(crate) fn sender(row: &CodeRow, class: Class) -> String {
    if row.sender.is_empty() { sender_does(class).to_owned() } else { row.sender.clone() }
}

/// When one sees the code, and when Postfix and Exim send it; only the server that was asked for, if one was.
fn code_when(row: &CodeRow, mta: Option<Mta>) -> Vec<VariantSource> {
    let mut when = vec![VariantSource { mta: None, text: row.when.clone() }];
    for (server, text) in row.own.iter() {
        if !text.is_empty() && mta.is_none_or(|mta| mta == server) {
            when.push(VariantSource { mta: Some(server), text: text.clone() });
        }
    }
    when
}

fn variant_entry(code: Code, variant: &VariantRow) -> Variant {
    Variant {
        label: if variant.code.is_empty() { code.to_string() } else { format!("{code} {}", variant.code) },
        reason: variant.reason,
        text: variant_meaning(&variant.words, variant.reason),
    }
}

/// The advice on a code in one direction: first the steps for every variant, then a line for each reason.
fn code_fix(row: &CodeRow, reasons: &[Reason], direction: Direction, mta: Option<Mta>) -> Fix {
    let (first, general) = match direction {
        // With a single reason, the line of the reason says the same.
        Direction::Outbound if reasons.len() > 1 => (Some(format!("{}.", capitalize(&row.you))), &row.they),
        Direction::Outbound => (None, &row.they),
        Direction::Inbound | Direction::Local => (None, &row.we),
    };
    let general = first.into_iter().chain(general.iter().cloned());
    let general = general.map(|line| AdviceStep { line, ..AdviceStep::default() });
    let class = Some(row.code.class());
    let by_reason = reasons.iter().flat_map(|&reason| short_steps(reason, direction, class, mta));
    Fix { direction, side: assumed_side(direction), steps: general.chain(by_reason).collect() }
}

/// None: the catalogue does not have the code.
pub(crate) fn related_code(number: u16) -> Option<NamedCode> {
    let row = find_code(Code::new(number)?)?;
    Some(named_code(row.code.to_string(), row.name.as_str()))
}

/// The entry of a class, `4xx`: what the first digit means, and the codes that begin with it.
pub(crate) fn class_entry(input: &str, asked: Class, context: &QueryContext) -> Entry {
    let (digit, other, why) = match asked {
        Class::Positive => (2, "4xx", "not now: the message is not taken yet"),
        Class::Intermediate => (3, "2xx", "done: the server waits for nothing more"),
        Class::Transient => (4, "5xx", "for good: the message comes back at once"),
        Class::Permanent => (5, "4xx", "for now: the message stays in the queue"),
    };
    let (description, when, they, we) = class_texts(asked);
    let side = |direction| {
        let line = match direction {
            Direction::Outbound => they,
            Direction::Inbound | Direction::Local => we,
        };
        let steps = vec![AdviceStep { line: line.to_owned(), ..AdviceStep::default() }];
        Fix { direction, side: assumed_side(direction), steps }
    };
    let rows = codes().iter().filter(|row| row.code.class() == asked);
    let mut others = ["2xx", "3xx", "4xx", "5xx"].map(|class| named_code(class, "")).to_vec();
    others.retain(|other| !other.label.starts_with(char::from(b'0' + digit)));
    Entry {
        input: input.to_owned(),
        kind: EntryKind::Class,
        label: format!("{digit}xx"),
        name: description.to_owned(),
        code: None,
        enhanced: None,
        class: Some(asked),
        verdict: None,
        description: vec![
            "The first digit decides what the sending server does; the words decide what you do.".to_owned(),
        ],
        sender_does: sender_does(asked).to_owned(),
        stages: vec!["any".to_owned()],
        when: vec![VariantSource { mta: None, text: when.to_owned() }],
        variants: rows
            .map(|row| Variant { label: row.code.to_string(), reason: None, text: row.name.clone() })
            .collect(),
        fixes: sides(context).into_iter().map(side).collect(),
        unlike: vec![named_code(other, why)],
        related: others,
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: vec!["RFC 5321 §4.2.1".to_owned(), "RFC 5321 §4.5.4.1".to_owned()],
    }
}

/// The name of a class, when one sees it, the advice if another server sent it, and the advice if we sent it.
fn class_texts(asked: Class) -> (&'static str, &'static str, &'static str, &'static str) {
    match asked {
        Class::Positive => (
            "Done",
            "After every command that was carried out.",
            "Do nothing; only the 2xx after the final dot is a delivery.",
            "Do nothing; after the final dot your server answers for the message.",
        ),
        Class::Intermediate => (
            "Go on",
            "In the middle of a login, and before the message itself.",
            "Do nothing; the result is the reply after it.",
            "Do nothing; if clients stop here, look at the network.",
        ),
        Class::Transient => (
            "Not now",
            "Greylisting, limits, full disks and mailboxes, faults.",
            "Let the queue retry; look only when one site defers for hours, or when it grows.",
            "See whether good senders come back and pass; a 4xx of yours that never ends is a lost message.",
        ),
        Class::Permanent => (
            "No",
            "Unknown users, block lists, spam, refused relays, messages that are too large.",
            "Read the words before you act: a minority of them are dead addresses.",
            "See whether a good sender is among those refused; the rule is named in your own words.",
        ),
    }
}
