//! The options of filters come in, a filter goes out.

use std::cmp::Reverse;

use strsim::jaro_winkler;

use crate::book::{Book, slug};
use crate::cli::FilterArgs;
use crate::error::Error;
use crate::filter::Filter;
use crate::group::Groups;
use crate::grouped::table;
use crate::report::{GroupRow, SortBy};
use crate::summary::seed;
use crate::walk::{Listener, Task, Told, walk};

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
pub fn what_there_was(task: &Task, filter: &Filter) -> Result<String, Error> {
    let by = filter.kinds();
    let seed = seed();
    let new = || {
        Kinds(by.iter().map(|&by| Groups::new(&[by], 0, task.calendar.zone.clone(), seed.clone())).collect())
    };
    let mut kinds = new();
    for other in walk(task, new, |()| {}, None)?.listeners {
        kinds.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| mine.merge(theirs));
    }
    let listed = kinds.0.iter().map(|groups| {
        let table = table(groups, &task.book.providers, SortBy::Count, false);
        let name = by_name(groups);
        // What the lines do not say comes last.
        let none = |row: &GroupRow| row.keys.iter().all(|key| key.value.is_none());
        let mut rows: Vec<&GroupRow> = table.rows.iter().collect();
        rows.sort_by_key(|row| (none(row), Reverse(row.events)));
        let values: Vec<(u64, String)> = rows.iter().map(|row| (row.events, value(row))).collect();
        let more = values.len().saturating_sub(SHOWN);
        let shown: Vec<String> =
            values.iter().take(SHOWN).map(|(count, value)| format!("{value} ({count})")).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{name}: {}{more}", shown.join(", "))
    });
    let listed: Vec<String> = listed.collect();
    Ok(format!("no event fits {}; there were {}", filter.words.join(" "), listed.join("; ")))
}

/// Values named of each kind.
const SHOWN: usize = 6;

fn by_name(groups: &Groups) -> String {
    groups.by.iter().map(|&by| slug(by)).collect::<Vec<_>>().join(",")
}

fn value(row: &GroupRow) -> String {
    row.keys.iter().map(|key| key.value.clone().unwrap_or_else(|| "none".to_owned())).collect()
}

/// Groups by one kind each.
struct Kinds(Vec<Groups>);

impl Listener for Kinds {
    type Handover = ();

    fn event(&mut self, told: &Told) {
        self.0.iter_mut().for_each(|groups| groups.count(told));
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) {}
}
