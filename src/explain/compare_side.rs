//! Collects the texts that a comparison shows for one of its two sides.

use super::advice::{advice_sources, bare_situation, short_steps};
use super::code::{class_entry, sender};
use super::enhanced::{class_of, codes_with, enhanced_label, possible_reasons};
use super::phrases::{capitalize, retry, retry_helps, sender_does, uncapitalize};
use super::query::{Query, QueryContext, parse_short};
use super::reason::{codes_of_reason, unlike};
use super::sources::CitedSources;
use crate::catalog::by_server::{ByServer, ENHANCED_CODE_PLACES};
use crate::catalog::classify::Reason;
use crate::catalog::{
    AdviceId, CodeRow, EnhancedPattern, VariantRow, find_advice, find_code, find_enhanced_detail, reason_row,
    value_name,
};
use crate::report::explain::class_words;
use crate::smtp::event::Direction;
use crate::smtp::reply::{Class, Code};

/// One side of a comparison: a code, an enhanced code, a class or a reason.
pub(crate) struct ComparedSide {
    pub label: String,
    pub name: String,
    /// Only a reply code without an enhanced code has it.
    pub code: Option<Code>,
    /// Only a reason has it.
    pub reason: Option<Reason>,
    /// None: a reason, or an enhanced code of any class (`x.2.2`).
    pub class: Option<Class>,
    /// Completes "452 is about …".
    pub about: String,
    /// What the sending server does.
    pub sender: String,
    pub means: String,
    /// When one sees it.
    pub when: String,
    /// The commands at which it comes; empty if no row says it.
    pub stages: Vec<String>,
    /// Enhanced codes and reasons that come with it: `4.3.1 system-full`.
    pub usual: Vec<String>,
    /// When each mail server sends it.
    pub own: ByServer<String>,
    /// The advice if another server sent it to us.
    pub they: String,
    /// The advice if our server sent it to a client.
    pub we: String,
    /// The reasons that it can have.
    pub reasons: Vec<Reason>,
    /// The server closes the connection after it.
    pub ends: bool,
    /// The rule of thumb: the meaning in a few words.
    pub thumb: String,
    /// What misleads about it.
    pub catch: String,
    pub sources: Vec<String>,
}

/// Stands where a mail server never sends the code by itself.
const NEVER: &str = "never by itself";

/// The side that a text names. None: the catalogue does not have it.
pub(crate) fn side(text: &str) -> Option<ComparedSide> {
    match parse_short(text)? {
        Query::Code(code, None) => code_side(code),
        Query::Code(code, Some(enhanced)) => {
            let pattern = EnhancedPattern::read(&enhanced.to_string())?;
            let (whole, part) = (code_side(code)?, enhanced_side(pattern)?);
            Some(ComparedSide {
                label: format!("{code} {enhanced}"),
                code: None,
                class: whole.class,
                sender: whole.sender,
                own: whole.own,
                stages: whole.stages,
                ..part
            })
        }
        Query::Enhanced(pattern) => enhanced_side(pattern),
        Query::Reason(reason, _) => Some(reason_side(reason)),
        Query::Class(class) => Some(class_side(class)),
        Query::Reply(_) | Query::Line(_) | Query::Routine | Query::Word(_) => None,
    }
}

fn code_side(code: Code) -> Option<ComparedSide> {
    let row = find_code(code)?;
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in row.variants.iter().filter_map(|variant| variant.reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let or_never = |text: &String| if text.is_empty() { NEVER.to_owned() } else { text.clone() };
    let mut sources = CitedSources::default();
    sources.add(&row.source);
    sources.add_all(&row.sources);
    Some(ComparedSide {
        label: code.to_string(),
        name: row.name.clone(),
        code: Some(code),
        reason: None,
        class: Some(code.class()),
        about: row.about.clone(),
        sender: sender(row, code.class()),
        means: row.meaning.clone(),
        when: row.when.clone(),
        stages: row.stages.clone(),
        usual: usual_codes(row),
        own: row.own.map(or_never),
        they: capitalize(&row.you),
        we: inbound_advice(row, &reasons),
        reasons,
        ends: row.ends,
        thumb: row.thumb.clone(),
        catch: if row.catch.is_empty() { row.note.clone().unwrap_or_default() } else { row.catch.clone() },
        sources: sources.list(),
    })
}

/// The first four variants of a code; `explain` shows all.
fn usual_codes(row: &CodeRow) -> Vec<String> {
    let named = |variant: &VariantRow| {
        let what = variant.reason.map_or_else(|| variant.words.clone(), value_name);
        if variant.code.is_empty() { what } else { format!("{} {what}", variant.code) }
    };
    let mut usual: Vec<String> = row.variants.iter().take(4).map(named).collect();
    if row.variants.len() > usual.len() {
        usual.push("and more".to_owned());
    }
    if usual.is_empty() {
        usual.push("none".to_owned());
    }
    usual
}

/// The inbound advice of the code's row, else that on its first reason.
fn inbound_advice(row: &CodeRow, reasons: &[Reason]) -> String {
    match reasons.first() {
        Some(&reason) if row.we.is_empty() => advice_for_all(reason, Direction::Inbound),
        Some(_) | None => row.we.join(" "),
    }
}

/// The line of advice for every mail server, else that for Postfix. Empty: there is none.
fn advice_for_all(reason: Reason, direction: Direction) -> String {
    let row = find_advice(&bare_situation(reason, None, direction)).map(AdviceId::row);
    let shared = row.map(|row| row.all.line.clone()).unwrap_or_default();
    if shared.is_empty() {
        let steps = short_steps(reason, direction, None, None);
        steps.first().map(|step| step.line.clone()).unwrap_or_default()
    } else {
        shared
    }
}

fn enhanced_side(pattern: EnhancedPattern) -> Option<ComparedSide> {
    let row = find_enhanced_detail(pattern.subject, pattern.first)?;
    let class = class_of(pattern);
    let variants = codes_with(pattern);
    let reasons = possible_reasons(row, &variants);
    let good = class == Some(Class::Positive);
    let codes: Vec<String> = variants.iter().map(|variant| variant.label.clone()).collect();
    let mut all_sources = CitedSources::default();
    all_sources.add(&row.reference);
    let advice = |direction| match reasons.first() {
        _ if good => "Nothing: it is no failure".to_owned(),
        Some(&reason) => advice_for_all(reason, direction),
        None => "Read the words of the reply".to_owned(),
    };
    if let Some(&reason) = reasons.first() {
        advice_sources(reason, &QueryContext::default(), &mut all_sources);
    }
    Some(ComparedSide {
        label: enhanced_label(pattern),
        code: None,
        reason: None,
        class,
        about: uncapitalize(&row.name),
        sender: class.map_or("the first digit decides", sender_does).to_owned(),
        when: if codes.is_empty() {
            "Behind any reply code that fits its first digit.".to_owned()
        } else {
            format!("Behind the reply code: {}.", first_codes(&codes))
        },
        stages: Vec::new(),
        usual: if codes.is_empty() { vec!["none of its own".to_owned()] } else { first_four(&codes) },
        own: ENHANCED_CODE_PLACES.map(|place| (*place).to_owned()),
        they: advice(Direction::Outbound),
        we: advice(Direction::Inbound),
        thumb: row.meaning.trim_end_matches('.').to_lowercase(),
        catch: match row.reason {
            Some(_) => {
                "The words of a reply beat it: servers put wrong codes in front of right words.".to_owned()
            }
            None => "It says too little by itself; the words must decide.".to_owned(),
        },
        reasons,
        ends: false,
        means: row.meaning.clone(),
        name: row.name.clone(),
        sources: all_sources.list(),
    })
}

fn reason_side(reason: Reason) -> ComparedSide {
    let row = reason_row(reason);
    let mut sources = CitedSources::default();
    advice_sources(reason, &QueryContext::default(), &mut sources);
    let codes: Vec<String> = codes_of_reason(reason).into_iter().map(|variant| variant.label).collect();
    let (later, never) = (
        retry_helps(retry(reason, Some(Class::Transient))),
        retry_helps(retry(reason, Some(Class::Permanent))),
    );
    let sender = if later == never {
        format!("what the number says. Does a retry help? {}", capitalize(later))
    } else {
        format!("what the number says. Does a retry help? After 4xx: {later}; after 5xx: {never}")
    };
    let mistaken = unlike(reason).into_iter().next();
    let line = |mta| {
        let step = short_steps(reason, Direction::Inbound, None, Some(mta));
        step.into_iter().next().map(|step| step.line).unwrap_or_default()
    };
    ComparedSide {
        label: value_name(reason),
        code: None,
        reason: Some(reason),
        class: None,
        about: row.title.clone(),
        sender,
        when: if codes.is_empty() {
            "Where the words or the mail server's own log say so; no number is its own.".to_owned()
        } else {
            format!("Mostly behind {}.", first_codes(&codes))
        },
        stages: Vec::new(),
        usual: if codes.is_empty() { vec!["no number of its own".to_owned()] } else { first_four(&codes) },
        own: ByServer::from_fn(line),
        they: advice_for_all(reason, Direction::Outbound),
        we: advice_for_all(reason, Direction::Inbound),
        reasons: vec![reason],
        ends: false,
        thumb: row.thumb.clone(),
        catch: mistaken
            .map(|other| format!("Not to be mistaken for {}: {}.", other.label, other.text))
            .unwrap_or_default(),
        name: capitalize(&row.title),
        means: row.meaning.clone(),
        sources: sources.list(),
    }
}

fn class_side(class: Class) -> ComparedSide {
    let entry = class_entry("", class, &QueryContext::default());
    let line = |at: usize| {
        let steps = entry.fixes.get(at).map(|fix| fix.steps.as_slice()).unwrap_or_default();
        steps.first().map(|step| step.line.clone()).unwrap_or_default()
    };
    ComparedSide {
        code: None,
        reason: None,
        class: Some(class),
        about: class_words(class).to_owned(),
        sender: sender_does(class).to_owned(),
        means: entry.description.join(" "),
        when: entry.when.first().map(|said| said.text.clone()).unwrap_or_default(),
        stages: Vec::new(),
        usual: vec!["any with the same first digit".to_owned()],
        own: ByServer::from_fn(|_| "in every dialogue".to_owned()),
        they: line(0),
        we: line(1),
        reasons: Vec::new(),
        ends: false,
        thumb: entry.name.to_lowercase(),
        catch: "The digit decides only about the retry; never take an address off a list for it.".to_owned(),
        sources: entry.sources.clone(),
        label: entry.label,
        name: entry.name,
    }
}

fn first_codes(codes: &[String]) -> String {
    first_four(codes).join(", ")
}

/// The first four, and "and more" if there are more.
fn first_four(codes: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = codes.iter().take(4).cloned().collect();
    if codes.len() > shown.len() {
        shown.push("and more".to_owned());
    }
    shown
}
