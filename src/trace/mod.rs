//! Follows messages: what is looked for comes in, the stories of the messages it fits go out, in two readings of the logs.
//!
//! The first looks only at lines in which a part of what is looked for stands, and notes which queue ids name each
//! other; the second takes the lines of the ids that belong together. Only the latest are gathered, so that the memory
//! is that of what is shown, but for 16 bytes a link and 40 an id that matches.

pub mod collect;
pub mod lifetime;
pub mod linked_ids;
pub mod note;
pub mod query;
pub mod rejected;
pub mod search;
pub mod story;

use hashbrown::{HashMap, HashSet};

use self::collect::{Gathered, Gatherer, Wanted};
use self::lifetime::{Life, Lives, groups};
use self::linked_ids::Kin;
use self::query::Sought;
use self::rejected::{Kept, Refusals, Session};
use self::search::{Finder, Sighted, marks, micros};
use crate::catalog::reason_row;
use crate::input::error::InputError;
use crate::input::read::each_block;
use crate::messages::key::Plain;
use crate::pipeline::calendar::{Calendar, Order};
use crate::pipeline::filter::Filter;
use crate::pipeline::walk::{Place, Task};
use crate::report::trace::Story;

/// What is asked.
pub struct Question<'a> {
    pub sought: &'a Sought,
    /// An event of a message must fit it.
    pub filter: &'a Filter,
    /// So many stories, the latest; 0 is all.
    pub top: usize,
    /// The lines are wanted, not the stories.
    pub raw: bool,
}

/// What was found.
pub struct Traced {
    /// Messages and refusals that match.
    pub found: u64,
    /// The latest of them, in the order of their last lines.
    pub stories: Vec<Story>,
    /// The lines of each, in order; empty unless they were asked for.
    pub lines: Vec<Vec<Vec<u8>>>,
    /// The lines that were read.
    pub read: u64,
    /// The first and the last minute of them.
    pub minutes: Option<(i64, i64)>,
    pub notes: Vec<String>,
    pub problems: Vec<InputError>,
    /// With what the order of the lines says of their stamps.
    pub calendar: Calendar,
}

/// A story with what it is put in order by.
struct Placed {
    when: (i64, Place),
    told: Told,
}

enum Told {
    Message(Vec<Life>),
    Refusal(Box<Session>),
}

/// Asks the filter of the question, not that of the task.
pub fn trace(question: &Question, task: &Task) -> Result<Traced, InputError> {
    let Question { sought, filter, top, raw } = *question;
    let seed = crate::scan::summary::seed();
    let marks = marks();
    let mut kin = Kin::default();
    let mut refusals = Refusals::new(top, !raw, seed.clone());
    let (mut order, mut read, mut minutes) = (Order::default(), 0, None::<(i64, i64)>);
    let fold = |mut sighted: Sighted| {
        order.add(sighted.file, std::mem::take(&mut sighted.seen), task.sources);
        read += sighted.lines;
        if let Some((first, last)) = sighted.minutes {
            minutes = Some(minutes.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        kin.add(&mut sighted);
        sighted.refusals.into_iter().for_each(|refusal| refusals.add(refusal));
    };
    let new = || Finder::new(*task, sought, filter, &marks, seed.clone(), raw);
    let problems = each_block(task.sources, task.manner, task.progress, new, Finder::block, fold)?.problems;
    let calendar = Calendar { turns: order.turns(task.sources, task.calendar), ..task.calendar.clone() };

    let mut notes = Vec::new();
    if kin.is_full {
        notes.push(
            "there are more links between queue ids than are kept: some messages are told in parts"
                .to_owned(),
        );
    }
    let families = kin.families();
    let (mut sessions, forgotten) = refusals.finish();
    let latest = |count: usize| if top == 0 || !filter.is_empty() { 0 } else { count.saturating_sub(top) };
    let (early, chosen) = families.split_at(latest(families.len()));
    let mut found = forgotten + sessions.len() as u64 + early.len() as u64;
    let ids: HashSet<u64, Plain> = chosen.iter().flat_map(|family| family.ids.iter().copied()).collect();
    let mut lives = Vec::new();
    if !ids.is_empty() || raw && !sessions.is_empty() {
        let of_any = filter.without_sender();
        let mut gathering = Lives::new(&sessions);
        let second = Task { calendar: &calendar, filter: &of_any, ..*task };
        let wanted = Wanted { ids: &ids, sought, filter: &of_any, raw };
        let new = || Gatherer::new(second, wanted, seed.clone());
        let fold = |gathered: Gathered| gathering.add(gathered, &mut sessions);
        each_block(task.sources, task.manner, task.progress, new, Gatherer::block, fold)?;
        if gathering.forgotten > 0 {
            let lines = gathering.forgotten;
            notes.push(format!(
                "the messages have more lines than are kept: {lines} are left out; ask for fewer"
            ));
        }
        lives = gathering.finish(&mut sessions);
    }
    let mut placed = messages(lives, filter);
    found += placed.len() as u64;
    placed.extend(sessions.into_iter().map(|session| {
        let (at, place) = session.when();
        Placed { when: (at.unwrap_or(i64::MIN), place), told: Told::Refusal(Box::new(session)) }
    }));
    placed.sort_by_key(|placed| placed.when);
    let shown = placed.split_off(if top == 0 { 0 } else { placed.len().saturating_sub(top) });
    let end = minutes.map(|(_, last)| last * 60_000_000);
    let (mut stories, mut lines) = (Vec::new(), Vec::new());
    for Placed { told, .. } in shown {
        if raw {
            lines.push(lines_of(told));
        } else {
            stories.push(match told {
                Told::Message(lives) => story::story(&lives, end),
                Told::Refusal(session) => session.story(),
            });
        }
    }
    entitle(&mut stories);
    Ok(Traced { found, stories, lines, read, minutes, notes, problems, calendar })
}

/// Lives that belong together and match, as one.
fn messages(lives: Vec<Life>, filter: &Filter) -> Vec<Placed> {
    let roots = groups(&lives);
    let mut messages: HashMap<usize, Vec<Life>> = HashMap::new();
    for (life, root) in lives.into_iter().zip(roots) {
        messages.entry(root).or_default().push(life);
    }
    let matches = |lives: &Vec<Life>| {
        lives.iter().any(|life| life.fits) && lives.iter().any(|life| life.is_admitted(filter))
    };
    let when = |lives: &[Life]| {
        let notes = lives.iter().flat_map(|life| &life.notes);
        let whens = notes.map(|note| (micros(note.moment).unwrap_or(i64::MIN), note.place));
        whens.max().unwrap_or((i64::MIN, Place { file: 0, offset: 0 }))
    };
    let matching = messages.into_values().filter(matches);
    matching.map(|lives| Placed { when: when(&lives), told: Told::Message(lives) }).collect()
}

fn lines_of(told: Told) -> Vec<Vec<u8>> {
    let mut lines: Vec<Kept> = match told {
        Told::Message(lives) => {
            let notes = lives.into_iter().flat_map(|life| life.notes);
            notes
                .flat_map(|note| note.session.into_iter().chain([(note.moment, note.place, note.raw)]))
                .collect()
        }
        Told::Refusal(session) => session.lines,
    };
    lines.sort_by_key(|(moment, place, _)| (micros(*moment), *place));
    // Two messages of one session share its ends.
    lines.dedup_by_key(|(_, place, _)| *place);
    lines.into_iter().map(|(_, _, line)| line).collect()
}

/// Puts the reasons' names beside them.
fn entitle(stories: &mut [Story]) {
    if stories.is_empty() {
        return;
    }
    let steps = stories.iter_mut().flat_map(|story| &mut story.hops).flat_map(|hop| &mut hop.steps);
    for step in steps {
        step.title = step.reason.map(|reason| reason_row(reason).title.clone());
    }
}
