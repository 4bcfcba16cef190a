//! The options of filters come in, a filter goes out.

use std::cmp::Reverse;

use strsim::jaro_winkler;

use crate::book::{Book, slug};
use crate::cli::FilterArgs;
use crate::cmd::counter::Plan;
use crate::error::Error;
use crate::event::By;
use crate::filter::Filter;
use crate::grouped::table;
use crate::redact::Redactor;
use crate::report::{GroupRow, Key, SortBy};
use crate::summary::seed;
use crate::walk::{Task, walk};

pub fn filter(args: &FilterArgs, book: &Book) -> Result<Filter, Error> {
    let provider = |name: &String| {
        let id = name.to_ascii_lowercase();
        let known = || {
            let mut ids: Vec<String> = book.providers.all().map(|(_, row)| row.id.clone()).collect();
            // The most alike first.
            ids.sort_by(|a, b| jaro_winkler(b, &id).total_cmp(&jaro_winkler(a, &id)));
            ids.truncate(SHOWN);
            ids
        };
        book.providers.find(&id).ok_or_else(|| Error::Provider { name: name.clone(), known: known() })
    };
    let mut words = Vec::new();
    let mut note = |option: &str, values: Vec<String>| {
        let quoted = |value: &String| if value.is_empty() { "\"\"".to_owned() } else { value.clone() };
        words.extend(values.iter().map(|value| format!("--{option} {}", quoted(value))));
    };
    note("code", args.code.iter().map(ToString::to_string).collect());
    note("class", args.class.iter().copied().map(slug).collect());
    note("reason", args.reason.iter().copied().map(slug).collect());
    note("direction", args.direction.iter().copied().map(slug).collect());
    note("outcome", args.outcome.iter().copied().map(slug).collect());
    note("mta", args.mta.iter().copied().map(slug).collect());
    note("provider", args.provider.clone());
    for (option, patterns) in [
        ("to", &args.to),
        ("from", &args.from),
        ("domain", &args.domain),
        ("relay", &args.relay),
        ("client", &args.client),
        ("instance", &args.instance),
    ] {
        note(option, patterns.iter().map(ToString::to_string).collect());
    }
    Ok(Filter {
        codes: args.code.clone(),
        classes: args.class.clone(),
        reasons: args.reason.clone(),
        directions: args.direction.clone(),
        outcomes: args.outcome.clone(),
        mtas: args.mta.clone(),
        providers: args.provider.iter().map(provider).collect::<Result<_, _>>()?,
        recipients: args.to.clone(),
        senders: args.from.clone(),
        domains: args.domain.clone(),
        relays: args.relay.clone(),
        clients: args.client.clone(),
        instances: args.instance.clone(),
        words,
    })
}

/// What the log has of each kind that a filter asked for, when nothing in it fitted.
pub fn what_there_was(task: &Task, filter: &Filter, redactor: Option<Redactor>) -> Result<String, Error> {
    let listed = filter.kinds().into_iter().map(|by| there_was(task, by, redactor));
    let listed = listed.collect::<Result<Vec<_>, _>>()?;
    let words = filter
        .words
        .iter()
        .map(|words| redactor.map_or_else(|| words.clone(), |redactor| redactor.option(words)));
    Ok(format!("no event fits {}; there were {}", words.collect::<Vec<_>>().join(" "), listed.join("; ")))
}

/// Values named of each kind.
const SHOWN: usize = 6;

/// `code: 250 (33), 550 (27) and 9 more`
fn there_was(task: &Task, by: By, redactor: Option<Redactor>) -> Result<String, Error> {
    let (zone, hasher) = (&task.calendar.zone, &seed());
    let plan = Plan {
        by: &[by],
        examples: 0,
        hourly: false,
        delays: false,
        hops: true,
        zone,
        filter: task.filter,
        book: task.book,
        hasher,
    };
    let mut folder = plan.folder();
    let listeners = walk(task, || plan.counter(), |handed| folder.fold(handed), None)?.listeners;
    let (tally, _) = folder.close(listeners);
    let groups = tally.groups.into_iter();
    let rows = groups.flat_map(|groups| table(groups, &task.book.providers, SortBy::Count, false).rows);
    // What the lines do not say comes last.
    let none = |row: &GroupRow| row.keys.iter().all(|key| key.value.is_none());
    let mut rows: Vec<GroupRow> = rows.collect();
    rows.sort_by_key(|row| (none(row), Reverse(row.events)));
    let more = rows.len().saturating_sub(SHOWN);
    let shown = rows.iter().take(SHOWN).map(|row| format!("{} ({})", value(row, redactor), row.events));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!("{}: {}{more}", slug(by), shown.collect::<Vec<_>>().join(", ")))
}

fn value(row: &GroupRow, redactor: Option<Redactor>) -> String {
    let shown = |key: &Key| {
        let value = key.value.as_ref()?;
        Some(redactor.map_or_else(|| value.clone(), |redactor| redactor.key(key.by, value)))
    };
    row.keys.iter().map(|key| shown(key).unwrap_or_else(|| "none".to_owned())).collect()
}
