//! Explains an enhanced code: its meaning in the IANA registry, the reply codes that come with it, and the advice.

use super::advice::{advice_sources, assumed_side, fixes, short_steps, sides};
use super::phrases::{capitalize, finding, named_code, sender_does, variant_meaning};
use super::query::QueryContext;
use super::sources::CitedSources;
use crate::catalog::classify::{MatchedOn, Reason};
use crate::catalog::{Catalog, EnhancedPattern, EnhancedRow, codes, enhanced_codes, find_enhanced_detail};
use crate::report::explain::{AdviceStep, Entry, EntryKind, Fix, NamedCode, Variant, VariantSource};
use crate::smtp::event::Direction;
use crate::smtp::reply::{Class, EnhancedCode};

/// The entry of an enhanced code. None: neither the registry nor a rule has it.
pub(crate) fn enhanced_entry(input: &str, asked: EnhancedPattern, context: &QueryContext) -> Option<Entry> {
    let Some(row) = find_enhanced_detail(asked.subject, asked.first) else {
        return provider_entry(input, asked, context);
    };
    let class = class_of(asked);
    let good = matches!(class, Some(Class::Positive));
    let variants = codes_with(asked);
    let reasons = possible_reasons(row, &variants);
    let label = enhanced_label(asked);
    let mut sources = CitedSources::default();
    sources.add(&row.reference);
    for &reason in &reasons {
        advice_sources(reason, context, &mut sources);
    }
    let only = row.reason.filter(|_| !good);
    let side = |direction| Fix {
        direction,
        side: assumed_side(direction),
        steps: steps(&reasons, direction, class, context),
    };
    Some(Entry {
        input: input.to_owned(),
        kind: EntryKind::Enhanced,
        name: row.name.clone(),
        code: None,
        enhanced: Some(label.clone()),
        class,
        verdict: only.map(|reason| finding(reason, class, MatchedOn::Enhanced)),
        description: vec![row.meaning.clone(), class_sentence(class).to_owned()],
        sender_does: class.map(sender_does).unwrap_or_default().to_owned(),
        stages: Vec::new(),
        when: vec![VariantSource { mta: None, text: enhanced_when(&variants) }],
        fixes: match only {
            Some(reason) => fixes(reason, class, context),
            None => sides(context).into_iter().map(side).collect(),
        },
        variants,
        unlike: other_classes(asked),
        related: neighbours(asked),
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: sources.list(),
        label,
    })
}

/// None: the pattern is of any class, `x.2.2`.
pub(crate) fn class_of(pattern: EnhancedPattern) -> Option<Class> {
    let digit = pattern.class?;
    EnhancedCode::new(digit, pattern.subject, pattern.first).map(EnhancedCode::class)
}

/// The pattern as text: `4.2.2`, `x.2.2`.
pub(crate) fn enhanced_label(pattern: EnhancedPattern) -> String {
    let digit = pattern.class.map_or_else(|| "x".to_owned(), |digit| digit.to_string());
    format!("{digit}.{}.{}", pattern.subject, pattern.first)
}

/// The sentence on the first digit.
fn class_sentence(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::Positive) => "The 2 in front says that it is no failure.",
        Some(Class::Intermediate) | None => "The first digit says for now (4) or for good (5).",
        Some(Class::Transient) => "The 4 in front says for now; the same with a 5 is for good.",
        Some(Class::Permanent) => "The 5 in front says for good; the same with a 4 is for now.",
    }
}

/// Where one sees the enhanced code, with the reply codes before it.
fn enhanced_when(variants: &[Variant]) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for variant in variants {
        let code = variant.label.split(' ').next().unwrap_or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if codes.is_empty() {
        "Directly behind the reply code (RFC 2034), or as Postfix's dsn=.".to_owned()
    } else {
        format!("Directly behind the reply code, mostly {}; or as Postfix's dsn=.", codes.join(", "))
    }
}

/// The variants of reply codes that have this enhanced code.
pub(crate) fn codes_with(asked: EnhancedPattern) -> Vec<Variant> {
    let mut found = Vec::new();
    for row in codes() {
        for variant in &row.variants {
            let fits = EnhancedCode::read(variant.code.as_bytes()).is_some_and(|(code, _)| asked.fits(code));
            if fits {
                let text = variant_meaning(&variant.words, variant.reason);
                let label = format!("{} {}", row.code, variant.code);
                found.push(Variant { label, reason: variant.reason, text });
            }
        }
    }
    found
}

/// The reason of the registry's row, else those of the variants.
pub(crate) fn possible_reasons(row: &EnhancedRow, variants: &[Variant]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = row.reason.into_iter().collect();
    for reason in variants.iter().filter_map(|variant| variant.reason) {
        if row.reason.is_none() && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// The steps in one direction: a first line, then the line of each reason.
fn steps(
    reasons: &[Reason],
    direction: Direction,
    class: Option<Class>,
    context: &QueryContext,
) -> Vec<AdviceStep> {
    let good = class == Some(Class::Positive);
    let line = match (good, reasons.is_empty()) {
        (true, _) => "Do nothing: it is no failure.",
        (false, true) => "Read the words of the reply; this code alone says too little.",
        (false, false) => "Read the words first; then, by what they say:",
    };
    let first = AdviceStep { line: line.to_owned(), ..AdviceStep::default() };
    let rest = reasons
        .iter()
        .filter(|_| !good)
        .flat_map(|&reason| short_steps(reason, direction, class, context.mta));
    std::iter::once(first).chain(rest).collect()
}

/// The same enhanced code with another first digit, for "not to be confused with".
fn other_classes(asked: EnhancedPattern) -> Vec<NamedCode> {
    let with = |digit| enhanced_label(EnhancedPattern { class: Some(digit), ..asked });
    match asked.class {
        Some(4) => vec![named_code(with(5), "the same for good: the message comes back at once")],
        Some(5) => vec![named_code(with(4), "the same for now: the message stays in the queue")],
        Some(_) | None => {
            vec![named_code("dsn=", "Postfix writes its own there; the one in the reply may differ")]
        }
    }
}

/// The four nearest enhanced codes of the same subject.
fn neighbours(asked: EnhancedPattern) -> Vec<NamedCode> {
    // The neighbours of a 2.x.x need not be successes, so they are shown as x.x.x.
    let class = asked.class.filter(|&digit| digit != 2);
    let mut rows: Vec<&EnhancedRow> = enhanced_codes().iter().collect();
    rows.retain(|row| {
        row.code.subject == asked.subject && row.code.first != asked.first && row.code.first > 0
    });
    rows.sort_by_key(|row| row.code.first.abs_diff(asked.first));
    rows.truncate(4);
    rows.sort_by_key(|row| row.code.first);
    rows.into_iter()
        .map(|row| named_code(enhanced_label(EnhancedPattern { class, ..row.code }), row.name.as_str()))
        .collect()
}

/// The entry of an enhanced code that only a rule has, such as Microsoft's `5.7.606`. None: no rule has it.
fn provider_entry(input: &str, asked: EnhancedPattern, context: &QueryContext) -> Option<Entry> {
    let code = EnhancedCode::new(asked.class.unwrap_or(5), asked.subject, asked.first)?;
    let catalog = Catalog::built_in();
    let has_code = |patterns: &[EnhancedPattern]| patterns.iter().any(|pattern| pattern.fits(code));
    let (_, rule) = catalog.rules.all().find(|(_, rule)| has_code(&rule.enhanced))?;
    let class = class_of(asked);
    // A rule for numbers that only one provider uses has no provider condition, but an id that begins with the provider's.
    let named_after = || catalog.providers.find(rule.id.split('-').next().unwrap_or_default());
    let provider = rule.providers.first().copied().or_else(named_after);
    let provider = provider.and_then(|provider| catalog.providers.row(provider));
    let by = provider.map_or_else(|| "some servers".to_owned(), |row| row.name.clone());
    let mut verdict = finding(rule.reason, class, rule.matched_on());
    verdict.rule = Some(rule.id.to_string());
    verdict.provider = provider.map(|row| row.id.clone());
    verdict.provider_name = provider.map(|row| row.name.clone());
    let mut sources = CitedSources::default();
    sources.add(&rule.source);
    advice_sources(rule.reason, context, &mut sources);
    Some(Entry {
        input: input.to_owned(),
        kind: EntryKind::Enhanced,
        label: enhanced_label(asked),
        name: capitalize(&verdict.title),
        code: None,
        enhanced: Some(enhanced_label(asked)),
        class,
        description: vec![
            verdict.meaning.clone(),
            format!("Not in the IANA registry; {by} uses it so."),
            class_sentence(class).to_owned(),
        ],
        sender_does: class.map(sender_does).unwrap_or_default().to_owned(),
        stages: Vec::new(),
        when: vec![VariantSource { mta: None, text: format!("In replies of {by}.") }],
        variants: Vec::new(),
        fixes: fixes(rule.reason, class, context),
        unlike: other_classes(asked),
        related: neighbours(asked),
        nearest: Vec::new(),
        phrase: None,
        assumed: false,
        sources: sources.list(),
        verdict: Some(verdict),
    })
}
