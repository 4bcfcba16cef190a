//! Compares two codes, classes or reasons: by the comparison written for the two, else by the row of each.

use super::compare_side::{ComparedSide, side};
use super::lookup::unknown;
use super::phrases::sender_does;
use super::sources::CitedSources;
use crate::catalog::{catalogue_date, find_pair, reason_row};
use crate::report::explain::{Entry, PAIR, Pair, PairRow, class_words};
use crate::smtp::reply::Class;

/// A text that is unknown gets an entry in `Pair::unknown`.
pub(crate) fn compare(texts: [&str; 2]) -> Pair {
    let [a, b] = texts.map(side);
    match (a, b) {
        (Some(a), Some(b)) => compare_sides(&a, &b),
        (a, b) => {
            let missing = [(a, texts[0]), (b, texts[1])].into_iter().filter(|(side, _)| side.is_none());
            let unknown: Vec<Entry> = missing.map(|(_, text)| unknown(text, text.trim())).collect();
            Pair {
                schema: PAIR,
                catalogue: catalogue_date(),
                labels: texts.map(str::to_owned),
                names: [String::new(), String::new()],
                rows: Vec::new(),
                differences: Vec::new(),
                rule_of_thumb: String::new(),
                catch: Vec::new(),
                sources: Vec::new(),
                unknown,
            }
        }
    }
}

/// Compares two sides that the catalogue has.
fn compare_sides(a: &ComparedSide, b: &ComparedSide) -> Pair {
    let written = a.code.zip(b.code).and_then(|(a, b)| find_pair(a, b));
    let mut sources = CitedSources::default();
    let (differences, rule_of_thumb, catch) = match written {
        Some(row) => {
            sources.add_all(&row.sources);
            (row.differences.clone(), row.thumb.clone(), vec![row.catch.clone()])
        }
        None if a.label == b.label => {
            (vec!["They are the same.".to_owned()], format!("{} = {}.", a.label, a.thumb), catches(a, a))
        }
        None => (differences(a, b), rule_of_thumb(a, b), catches(a, b)),
    };
    sources.add_all(a.sources.iter().chain(&b.sources));
    Pair {
        schema: PAIR,
        catalogue: catalogue_date(),
        labels: [a.label.clone(), b.label.clone()],
        names: [a.name.clone(), b.name.clone()],
        rows: rows(a, b),
        differences,
        rule_of_thumb,
        catch,
        sources: sources.list(),
        unknown: Vec::new(),
    }
}

/// The rows of the table of both sides.
fn rows(a: &ComparedSide, b: &ComparedSide) -> Vec<PairRow> {
    let class = |side: &ComparedSide| side.class.map_or("the number decides", class_words).to_owned();
    let commands = |side: &ComparedSide| match side.stages.as_slice() {
        [] => "any command".to_owned(),
        [one] if one == "any" => "any command".to_owned(),
        stages => stages.join(", ").replace("connect, any", "connect, any command"),
    };
    let row = |title, cell: &dyn Fn(&ComparedSide) -> String| PairRow { title, cells: [cell(a), cell(b)] };
    let no_codes = a.code.is_none() && b.code.is_none();
    let mut rows = vec![
        row("class", &class),
        row("sender does", &|side| side.sender.clone()),
        row("means", &|side| side.means.clone()),
        row("you see it", &|side| side.when.clone()),
    ];
    if !a.stages.is_empty() || !b.stages.is_empty() {
        rows.push(row("comes at", &commands));
    }
    rows.push(row(if no_codes { "usual codes" } else { "usual x.y.z" }, &|side| side.usual.join("; ")));
    rows.push(row("they said it", &|side| side.they.clone()));
    rows.push(row("we said it", &|side| side.we.clone()));
    for (mta, _) in a.own.iter() {
        rows.push(row(mta.display_name(), &|side| side.own.get(mta).cloned().unwrap_or_default()));
    }
    rows
}

/// The rule of thumb for two sides; equal ones are told apart by their class.
fn rule_of_thumb(a: &ComparedSide, b: &ComparedSide) -> String {
    let alike = a.thumb == b.thumb;
    let one = |side: &ComparedSide| {
        let end = match side.class {
            Some(Class::Transient) if alike => ", for now",
            Some(Class::Permanent) if alike => ", for good",
            Some(_) | None => "",
        };
        format!("{} = {}{end}.", side.label, side.thumb)
    };
    format!("{} {}", one(a), one(b))
}

/// What misleads about the two sides, in one sentence if it is the same.
fn catches(a: &ComparedSide, b: &ComparedSide) -> Vec<String> {
    if a.catch == b.catch {
        let labels =
            if a.label == b.label { a.label.clone() } else { format!("{} and {}", a.label, b.label) };
        return vec![format!("{labels}: {}", a.catch)];
    }
    [a, b].iter().map(|side| format!("{}: {}", side.label, side.catch)).collect()
}

/// Sentences on the differences, without a full stop: the class, the subject, the end of the session, the commands.
fn differences(a: &ComparedSide, b: &ComparedSide) -> Vec<String> {
    let mut told = vec![class_difference(a, b)];
    if a.thumb == b.thumb {
        told.push(format!("Behind both stands the same: {}", a.thumb));
    } else if a.code.is_none() || b.code.is_none() {
        told.push(format!("{}: {}; {}: {}", a.label, a.thumb, b.label, b.thumb));
    } else if a.about == b.about {
        told.push(format!("Both are about {}", a.about));
    } else {
        told.push(format!("{} is about {}; {} is about {}", a.label, a.about, b.label, b.about));
    }
    match (a.ends, b.ends) {
        (true, true) => told.push("Both end the session".to_owned()),
        (true, false) => told.push(format!("{} ends the session; after {} it goes on", a.label, b.label)),
        (false, true) => told.push(format!("{} ends the session; after {} it goes on", b.label, a.label)),
        (false, false) => {}
    }
    if !a.stages.is_empty() && !b.stages.is_empty() && a.stages != b.stages {
        told.push(format!("{} {}; {} {}", a.label, stage_phrase(a), b.label, stage_phrase(b)));
    }
    told.extend(common_reasons(a, b));
    told
}

/// More commands than these are not listed in a sentence.
const MANY: usize = 6;

/// Says at which commands the code comes; completes "452 …".
fn stage_phrase(side: &ComparedSide) -> String {
    let has = |stage: &str| side.stages.iter().any(|known| known == stage);
    if has("any") {
        "may come at any point of the session".to_owned()
    } else if has("queue") {
        "is written by the sending side itself, from its queue".to_owned()
    } else if side.stages.len() > MANY {
        "comes after most commands".to_owned()
    } else {
        format!("comes at {}", side.stages.join(", "))
    }
}

fn is_failure(class: Class) -> bool {
    matches!(class, Class::Transient | Class::Permanent)
}

/// What follows from the code, by its own row if that differs from its class; completes "452 …".
fn consequence(class: Class, side: &ComparedSide) -> String {
    let own = side.sender != sender_does(class);
    match class {
        Class::Positive => "is a success: nothing needs to be fixed".to_owned(),
        Class::Intermediate => "is a step on the way: the server waits for more".to_owned(),
        Class::Transient if own => format!("is temporary: the sender {}", side.sender),
        Class::Permanent if own => format!("is permanent: the sender {}", side.sender),
        Class::Transient => "is temporary: the sender keeps the mail and tries again".to_owned(),
        Class::Permanent => "is permanent: the author gets the mail back at once".to_owned(),
    }
}

/// The sentence on the classes of the two sides.
fn class_difference(a: &ComparedSide, b: &ComparedSide) -> String {
    match (a.class, b.class) {
        (Some(x), Some(y)) if x == y && (!is_failure(x) || a.sender == b.sender) => match x {
            Class::Positive => "Both are successes: nothing needs to be fixed".to_owned(),
            Class::Intermediate => "Both are steps on the way: the server waits for more".to_owned(),
            Class::Transient => "Both are temporary: the sender keeps the mail and tries again".to_owned(),
            Class::Permanent => "Both are permanent: the author gets the mail back at once".to_owned(),
        },
        (Some(x), Some(y)) if is_failure(x) == is_failure(y) || is_failure(x) && is_failure(y) => {
            format!("{} {}. {} {}", a.label, consequence(x, a), b.label, consequence(y, b))
        }
        (Some(x), Some(y)) => {
            let (good, bad) = if is_failure(x) { (b, a) } else { (a, b) };
            let (fine, worse) = if is_failure(x) { (y, x) } else { (x, y) };
            let (fine, worse) = (consequence(fine, good), consequence(worse, bad));
            format!("{} {fine}. {} {worse}", good.label, bad.label)
        }
        (None, None) if a.reason.is_some() && b.reason.is_some() => {
            "Both are causes, not numbers: the first digit of the reply tells whether the mail is still in the queue".to_owned()
        }
        (None, Some(_)) => open_and_fixed(a, b),
        (Some(_), None) => open_and_fixed(b, a),
        (None, None) => "The first digit of each tells whether the mail is still in the queue".to_owned(),
    }
}

/// The sentence on a side without a class (a reason or `x.2.2`) beside one with a class.
fn open_and_fixed(open: &ComparedSide, closed: &ComparedSide) -> String {
    let Some(reason) = open.reason else {
        return format!("{} leaves the first digit open; {} fixes it", open.label, closed.label);
    };
    if closed.reasons.contains(&reason) {
        format!("{} is a cause, {} a number, and one of those that it comes with", open.label, closed.label)
    } else {
        format!("{} is a cause, {} a number; the two do not usually meet", open.label, closed.label)
    }
}

/// The sentence on up to three reasons that both codes can have. None: there are none, or a side is a reason.
fn common_reasons(a: &ComparedSide, b: &ComparedSide) -> Option<String> {
    if a.reason.is_some() || b.reason.is_some() {
        return None;
    }
    let common: Vec<String> = a
        .reasons
        .iter()
        .filter(|reason| b.reasons.contains(reason))
        .take(3)
        .map(|&reason| reason_row(reason).title.clone())
        .collect();
    if common.is_empty() {
        return None;
    }
    let end = if a.class == b.class {
        "the words decide, not the number"
    } else {
        "the cause is the same, and only the retry differs"
    };
    Some(format!("Both may mean: {}; then {end}", common.join(", ")))
}
