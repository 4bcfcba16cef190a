//! Follows messages: finds the log lines of the messages that match a query, and tells the story of each.
//!
//! The logs are read twice. The first walk parses only lines that contain a part of the query, and notes which queue ids
//! name each other; it is repeated if it showed other years than were assumed. The second collects the lines of the ids that
//! belong together.
//!
//! Promises: memory for the stories that are shown, 16 bytes for each link and 40 for each id that matches.
//! May use: every folder below it (messages, pipeline, report and lower), never scan, storm or events.

pub(crate) mod collect;
pub(crate) mod lifetime;
pub(crate) mod linked_ids;
pub(crate) mod note;
pub(crate) mod query;
pub(crate) mod recipients;
pub(crate) mod rejected;
pub(crate) mod search;
pub(crate) mod state;
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
use crate::pipeline::assumed_hosts::{UnnamedSpan, assume_hosts, on_hosts};
use crate::pipeline::calendar::{Calendar, WALKS, YearResolver};
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::WalkTask;
use crate::report::trace::Story;

/// What to trace, and how much of it.
pub(crate) struct TraceRequest<'a> {
    pub query: &'a TraceQuery,
    /// At least one event of a message must match it.
    pub filter: &'a Filter,
    /// The number of stories wanted, the latest ones; 0: all.
    pub top: usize,
    /// The log lines are wanted instead of the stories.
    pub raw: bool,
}

/// The stories, or the lines, of the messages that match.
pub(crate) struct TraceResult {
    /// The number of messages and rejected sessions that match.
    pub found: u64,
    /// The latest of them, in the order of their last lines. Empty: lines were wanted.
    pub stories: Vec<Story>,
    /// The log lines of each, in order. Empty: stories were wanted.
    pub lines: Vec<Vec<Vec<u8>>>,
    /// The number of lines that were read.
    pub read: u64,
    /// The first and the last minute of the logs, since 1970-01-01T00:00Z.
    pub minutes: Option<(i64, i64)>,
    pub notes: Vec<String>,
    pub problems: Vec<InputError>,
    /// The calendar, corrected by the order of the lines.
    pub calendar: Calendar,
}

/// A message or a rejected session, and the time and place of its last line.
struct PlacedStory {
    last: (i64, LineOffset),
    item: TraceItem,
}

enum TraceItem {
    /// The lifetimes of one message, each under its own queue id.
    Message(Vec<MessageLifetime>),
    Rejection(Box<RejectedSession>),
}

/// Traces the messages of a request. The filter is that of the request; the task's filter is ignored.
pub(crate) fn trace(request: &TraceRequest, task: &WalkTask) -> Result<TraceResult, InputError> {
    let TraceRequest { filter, top, raw, .. } = *request;
    let seed = seed();
    let (first, calendar, problems) = first_reading(request, task, &seed)?;
    let FirstReading { links, rejections, lines: read, minutes, unnamed, .. } = first;
    let mut sources = task.sources.to_vec();
    let is_assumed = assume_hosts(&mut sources, &unnamed);
    let task = &WalkTask { sources: &sources, ..*task };
    let mut notes = Vec::new();
    notes.extend(is_assumed.then(|| on_hosts(&sources)).flatten());
    if links.is_full {
        notes.push(
            "there are more links between queue ids than are kept: some messages are told in parts"
                .to_owned(),
        );
    }
    let families = links.families();
    if rejections.left_out > 0 {
        let left_out = rejections.left_out;
        notes
            .push(format!("there are more rejections than are kept: {left_out} are left out; ask for fewer"));
    }
    let (mut sessions, forgotten) = rejections.finish();
    // A filter may hide messages, so that how many are needed is known only after the second reading.
    let is_limited = top > 0 && filter.is_empty();
    let (earlier, latest) =
        families.split_at(if is_limited { families.len().saturating_sub(top) } else { 0 });
    let mut found = forgotten + sessions.len() as u64 + earlier.len() as u64;
    let ids: HashSet<u64, PrehashedState> =
        latest.iter().flat_map(|family| family.ids.iter().copied()).collect();
    let mut lifetimes = Vec::new();
    if !ids.is_empty() || raw && !sessions.is_empty() {
        let task = WalkTask { calendar: &calendar, ..*task };
        lifetimes = second_reading(request, &task, &ids, &mut sessions, (&seed, &mut notes))?;
    }
    let mut placed = messages(lifetimes, filter);
    found += placed.len() as u64;
    placed.extend(sessions.into_iter().map(|session| {
        let (micros, place) = session.last();
        PlacedStory {
            last: (micros.unwrap_or(i64::MIN), place),
            item: TraceItem::Rejection(Box::new(session)),
        }
    }));
    placed.sort_by_key(|placed| placed.last);
    let shown = placed.split_off(if top == 0 { 0 } else { placed.len().saturating_sub(top) });
    let end = minutes.map(|(_, last)| last * 60_000_000);
    let (mut stories, mut lines) = (Vec::new(), Vec::new());
    for PlacedStory { item, .. } in shown {
        match item {
            item if raw => lines.push(lines_of(item)),
            TraceItem::Message(lifetimes) => stories.push(story::story(&lifetimes, end)),
            TraceItem::Rejection(session) => stories.push(session.story()),
        }
    }
    add_titles(&mut stories);
    Ok(TraceResult { found, stories, lines, read, minutes, notes, problems, calendar })
}

/// Reads for the first time, and again until the dates agree with the order of the lines: the latest messages are wanted.
fn first_reading(
    request: &TraceRequest,
    task: &WalkTask,
    seed: &RandomState,
) -> Result<(FirstReading, Calendar, Vec<InputError>), InputError> {
    let mut calendar = task.calendar.clone();
    for _ in 1..WALKS {
        let task = WalkTask { calendar: &calendar, ..*task };
        let (mut first, problems) = FirstReading::read(request, &task, seed)?;
        let resolution = std::mem::take(&mut first.years).resolve(task.sources, task.calendar);
        if resolution == calendar.resolution {
            return Ok((first, calendar, problems));
        }
        calendar.resolution = resolution;
    }
    let (first, problems) = FirstReading::read(request, &WalkTask { calendar: &calendar, ..*task }, seed)?;
    Ok((first, calendar, problems))
}

/// The result of the first reading.
struct FirstReading {
    links: LinkGraph,
    rejections: RejectedSessions,
    years: YearResolver,
    /// The number of lines that were read.
    lines: u64,
    /// The first and the last minute of the logs.
    minutes: Option<(i64, i64)>,
    /// For each source, the first and the last second of the lines that name no host.
    unnamed: Vec<UnnamedSpan>,
}

impl FirstReading {
    fn read(
        request: &TraceRequest,
        task: &WalkTask,
        seed: &RandomState,
    ) -> Result<(Self, Vec<InputError>), InputError> {
        let TraceRequest { query, filter, top, raw } = *request;
        let marks = marks();
        let mut reading = Self {
            links: LinkGraph::default(),
            rejections: RejectedSessions::new(top, !raw, seed.clone()),
            years: YearResolver::default(),
            lines: 0,
            minutes: None,
            unnamed: vec![None; task.sources.len()],
        };
        let fold = |block: ScannedBlock| reading.add(block, task);
        let new = || LinkScanner::new(*task, query, filter, &marks, seed.clone(), raw);
        let read = each_block(task.sources, task.options, task.progress, new, LinkScanner::block, fold)?;
        Ok((reading, read.problems))
    }

    fn add(&mut self, mut block: ScannedBlock, task: &WalkTask) {
        self.years.add(block.file, std::mem::take(&mut block.stamps), task.sources);
        self.lines += block.lines;
        if let Some((first, last)) = block.minutes {
            self.minutes = Some(self.minutes.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        if let (Some(span), Some((first, last))) = (self.unnamed.get_mut(block.file), block.unnamed) {
            *span = Some(span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        self.links.add(&mut block);
        block.rejections.into_iter().for_each(|rejection| self.rejections.add(rejection));
    }
}

/// The lifetimes of the messages with these queue ids. For lines, adds to `sessions` those around the rejections.
fn second_reading(
    request: &TraceRequest,
    task: &WalkTask,
    ids: &HashSet<u64, PrehashedState>,
    sessions: &mut [RejectedSession],
    (seed, notes): (&RandomState, &mut Vec<String>),
) -> Result<Vec<MessageLifetime>, InputError> {
    let TraceRequest { query, filter, raw, .. } = *request;
    let filter = filter.without_sender();
    let mut builder = LifetimeBuilder::new(sessions);
    let task = WalkTask { filter: &filter, ..*task };
    let wanted = WantedIds { ids, query, filter: &filter, raw };
    let new = || NoteCollector::new(task, wanted, seed.clone());
    let fold = |collected: CollectedNotes| builder.add(collected, sessions);
    each_block(task.sources, task.options, task.progress, new, NoteCollector::block, fold)?;
    if builder.forgotten > 0 {
        let lines = builder.forgotten;
        notes
            .push(format!("the messages have more lines than are kept: {lines} are left out; ask for fewer"));
    }
    Ok(builder.finish(sessions))
}

/// Groups the lifetimes by message, and keeps the messages that match.
fn messages(lifetimes: Vec<MessageLifetime>, filter: &Filter) -> Vec<PlacedStory> {
    let roots = groups(&lifetimes);
    let mut messages: HashMap<usize, Vec<MessageLifetime>> = HashMap::new();
    for (lifetime, root) in lifetimes.into_iter().zip(roots) {
        messages.entry(root).or_default().push(lifetime);
    }
    let matches = |lifetimes: &Vec<MessageLifetime>| {
        lifetimes.iter().any(|lifetime| lifetime.matches)
            && lifetimes.iter().any(|lifetime| lifetime.is_admitted(filter))
    };
    let last = |lifetimes: &[MessageLifetime]| {
        let notes = lifetimes.iter().flat_map(|lifetime| &lifetime.notes);
        let places = notes.map(|note| (micros(note.moment).unwrap_or(i64::MIN), note.place));
        places.max().unwrap_or((i64::MIN, LineOffset { file: 0, offset: 0 }))
    };
    let placed = |lifetimes: Vec<MessageLifetime>| PlacedStory {
        last: last(&lifetimes),
        item: TraceItem::Message(lifetimes),
    };
    messages.into_values().filter(matches).map(placed).collect()
}

/// The log lines of a message or a rejected session, in the order of time.
fn lines_of(item: TraceItem) -> Vec<Vec<u8>> {
    let mut lines: Vec<KeptLine> = match item {
        TraceItem::Message(lifetimes) => {
            let notes = lifetimes.into_iter().flat_map(|lifetime| lifetime.notes);
            notes
                .flat_map(|note| note.session.into_iter().chain([(note.moment, note.place, note.raw)]))
                .collect()
        }
        TraceItem::Rejection(session) => session.lines,
    };
    lines.sort_by_key(|(moment, place, _)| (micros(*moment), *place));
    // Two messages of one session have the same first and last line of the session.
    lines.dedup_by_key(|(_, place, _)| *place);
    lines.into_iter().map(|(_, _, line)| line).collect()
}

/// Fills in the titles of the reasons.
fn add_titles(stories: &mut [Story]) {
    if stories.is_empty() {
        return;
    }
    let steps = stories.iter_mut().flat_map(|story| &mut story.hops).flat_map(|hop| &mut hop.steps);
    for step in steps {
        step.title = step.reason.map(|reason| reason_row(reason).title.clone());
    }
}
