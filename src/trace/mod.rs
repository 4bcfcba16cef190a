//! Follows messages: finds the log lines of the messages that match a query, and tells the story of each.
//!
//! The logs are read twice. The first walk parses only lines that contain a part of the query, and notes which queue ids
//! name each other; the second collects the lines of the ids that belong together.
//!
//! Promises: memory for the stories that are shown, 16 bytes for each link and 40 for each id that matches.
//! May use: every folder below it (messages, pipeline, report and lower), never scan, storm or events.

pub(crate) mod collect;
pub(crate) mod lifetime;
pub(crate) mod linked_ids;
pub(crate) mod note;
pub(crate) mod query;
pub(crate) mod rejected;
pub(crate) mod search;
pub(crate) mod story;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use self::collect::{CollectedNotes, NoteCollector, WantedIds};
use self::lifetime::{LifetimeBuilder, MessageLifetime, groups};
use self::linked_ids::LinkGraph;
use self::query::TraceQuery;
use self::rejected::{KeptLine, RejectedSession, RejectedSessions};
use self::search::{LinkScanner, ScannedBlock, marks, micros};
use crate::catalog::reason_row;
use crate::collections::seed::seed;
use crate::input::error::InputError;
use crate::input::read::each_block;
use crate::messages::key::PrehashedState;
use crate::pipeline::calendar::{Calendar, YearResolver};
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::WalkTask;
use crate::report::trace::Story;

/// What is asked.
pub(crate) struct TraceRequest<'a> {
    pub sought: &'a TraceQuery,
    /// An event of a message must fit it.
    pub filter: &'a Filter,
    /// So many stories, the latest; 0 is all.
    pub top: usize,
    /// The lines are wanted, not the stories.
    pub raw: bool,
}

/// What was found.
pub(crate) struct TraceResult {
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
struct PlacedStory {
    when: (i64, LineOffset),
    told: TraceItem,
}

enum TraceItem {
    Message(Vec<MessageLifetime>),
    Refusal(Box<RejectedSession>),
}

impl TraceItem {
    /// `end` is when the logs end, in microseconds since 1970. `None`: no line has a time.
    fn story(self, end: Option<i64>) -> Story {
        match self {
            Self::Message(lives) => story::story(&lives, end),
            Self::Refusal(session) => session.story(),
        }
    }
}

/// Asks the filter of the question, not that of the task.
pub(crate) fn trace(question: &TraceRequest, task: &WalkTask) -> Result<TraceResult, InputError> {
    let TraceRequest { sought, filter, top, raw } = *question;
    let seed = seed();
    let marks = marks();
    let mut kin = LinkGraph::default();
    let mut refusals = RejectedSessions::new(top, !raw, seed.clone());
    let (mut order, mut read, mut minutes) = (YearResolver::default(), 0, None::<(i64, i64)>);
    let fold = |mut sighted: ScannedBlock| {
        order.add(sighted.file, std::mem::take(&mut sighted.seen), task.sources);
        read += sighted.lines;
        if let Some((first, last)) = sighted.minutes {
            minutes = Some(minutes.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        kin.add(&mut sighted);
        sighted.refusals.into_iter().for_each(|refusal| refusals.add(refusal));
    };
    let new = || LinkScanner::new(*task, sought, filter, &marks, seed.clone(), raw);
    let problems =
        each_block(task.sources, task.options, task.progress, new, LinkScanner::block, fold)?.problems;
    let calendar =
        Calendar { resolution: order.resolve(task.sources, task.calendar), ..task.calendar.clone() };

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
    let ids: HashSet<u64, PrehashedState> =
        chosen.iter().flat_map(|family| family.ids.iter().copied()).collect();
    let mut lives = Vec::new();
    if !ids.is_empty() || raw && !sessions.is_empty() {
        let of_any = filter.without_sender();
        let second = WalkTask { calendar: &calendar, filter: &of_any, ..*task };
        let wanted = WantedIds { ids: &ids, sought, filter: &of_any, raw };
        lives = lifetimes(&second, wanted, &seed, &mut sessions, &mut notes)?;
    }
    let mut placed = messages(lives, filter);
    found += placed.len() as u64;
    placed.extend(sessions.into_iter().map(|session| {
        let (at, place) = session.when();
        PlacedStory { when: (at.unwrap_or(i64::MIN), place), told: TraceItem::Refusal(Box::new(session)) }
    }));
    placed.sort_by_key(|placed| placed.when);
    let shown = placed.split_off(if top == 0 { 0 } else { placed.len().saturating_sub(top) });
    let end = minutes.map(|(_, last)| last * 60_000_000);
    let (mut stories, mut lines) = (Vec::new(), Vec::new());
    for PlacedStory { told, .. } in shown {
        if raw {
            lines.push(lines_of(told));
        } else {
            stories.push(told.story(end));
        }
    }
    add_titles(&mut stories);
    Ok(TraceResult { found, stories, lines, read, minutes, notes, problems, calendar })
}

/// The second reading: the lives of the messages with these ids. Lines of rejected sessions are added to them.
fn lifetimes(
    task: &WalkTask,
    wanted: WantedIds,
    seed: &RandomState,
    sessions: &mut [RejectedSession],
    notes: &mut Vec<String>,
) -> Result<Vec<MessageLifetime>, InputError> {
    let mut gathering = LifetimeBuilder::new(sessions);
    let new = || NoteCollector::new(*task, wanted, seed.clone());
    let fold = |gathered: CollectedNotes| gathering.add(gathered, sessions);
    each_block(task.sources, task.options, task.progress, new, NoteCollector::block, fold)?;
    if gathering.forgotten > 0 {
        let lines = gathering.forgotten;
        notes
            .push(format!("the messages have more lines than are kept: {lines} are left out; ask for fewer"));
    }
    Ok(gathering.finish(sessions))
}

/// Lives that belong together and match, as one.
fn messages(lives: Vec<MessageLifetime>, filter: &Filter) -> Vec<PlacedStory> {
    let roots = groups(&lives);
    let mut messages: HashMap<usize, Vec<MessageLifetime>> = HashMap::new();
    for (life, root) in lives.into_iter().zip(roots) {
        messages.entry(root).or_default().push(life);
    }
    let matches = |lives: &Vec<MessageLifetime>| {
        lives.iter().any(|life| life.fits) && lives.iter().any(|life| life.is_admitted(filter))
    };
    let when = |lives: &[MessageLifetime]| {
        let notes = lives.iter().flat_map(|life| &life.notes);
        let whens = notes.map(|note| (micros(note.moment).unwrap_or(i64::MIN), note.place));
        whens.max().unwrap_or((i64::MIN, LineOffset { file: 0, offset: 0 }))
    };
    let matching = messages.into_values().filter(matches);
    matching.map(|lives| PlacedStory { when: when(&lives), told: TraceItem::Message(lives) }).collect()
}

fn lines_of(told: TraceItem) -> Vec<Vec<u8>> {
    let mut lines: Vec<KeptLine> = match told {
        TraceItem::Message(lives) => {
            let notes = lives.into_iter().flat_map(|life| life.notes);
            notes
                .flat_map(|note| note.session.into_iter().chain([(note.moment, note.place, note.raw)]))
                .collect()
        }
        TraceItem::Refusal(session) => session.lines,
    };
    lines.sort_by_key(|(moment, place, _)| (micros(*moment), *place));
    // Two messages of one session share its ends.
    lines.dedup_by_key(|(_, place, _)| *place);
    lines.into_iter().map(|(_, _, line)| line).collect()
}

/// Puts the reasons' names beside them.
fn add_titles(stories: &mut [Story]) {
    if stories.is_empty() {
        return;
    }
    let steps = stories.iter_mut().flat_map(|story| &mut story.hops).flat_map(|hop| &mut hop.steps);
    for step in steps {
        step.title = step.reason.map(|reason| reason_row(reason).title.clone());
    }
}
