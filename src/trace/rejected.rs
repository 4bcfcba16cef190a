//! Groups rejections without a queue id by SMTP session, and equal sessions into one with a count.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::note::{pid, step};
use super::query::TraceQuery;
use crate::catalog::Catalog;
use crate::catalog::classify::Classification;
use crate::messages::key::PrehashedState;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::timestamp::LogTime;
use crate::parse::unwrap::OpenedLine;
use crate::pipeline::sink::LineOffset;
use crate::report::trace::{StepKind, Story, StoryHop, StoryKind, StoryState, StoryStep};
use crate::smtp::event::{Event, Mta};

/// One command of a client that the server rejected.
pub(crate) struct RejectedCommand {
    /// A hash of the process that wrote the line. `None`: the line does not show it.
    process: Option<u64>,
    mta: Mta,
    host: Option<String>,
    instance: Option<String>,
    helo: Option<String>,
    user: Option<String>,
    sender: Option<String>,
    step: StoryStep,
    moment: Option<LogTime>,
    place: LineOffset,
    raw: Vec<u8>,
}

/// A log line with its time and place.
pub(crate) type KeptLine = (Option<LogTime>, LineOffset, Vec<u8>);

/// The rejections of one client in one session.
pub(crate) struct RejectedSession {
    /// The first rejection.
    first: RejectedCommand,
    /// Each distinct rejection once, with its count.
    steps: Vec<StoryStep>,
    /// The place in `steps` by the hash of the rejection. Empty: they are few, so that a search is cheaper.
    places: HashMap<u64, usize, PrehashedState>,
    /// The time and place of the last line.
    last: (Option<LogTime>, LineOffset),
    /// The number of sessions with the same rejections.
    count: u64,
    /// Empty: lines are not wanted.
    pub lines: Vec<KeptLine>,
    /// The memory of its steps and lines behind the first, in bytes.
    bytes: usize,
}

/// The longest pause within a session, in microseconds; after it, a process has another client.
const MAX_PAUSE: i64 = 300_000_000;

/// The number of sessions that are kept if fewer, or all, are wanted.
const LEAST_LIMIT: usize = 1 << 15;

/// No more are kept, however many are wanted.
const LIMIT: usize = 1 << 16;

/// The memory for steps and lines behind the first of each session, in bytes; beyond it, they are counted and dropped.
const MEMORY_LIMIT: usize = 64 << 20;

impl RejectedCommand {
    /// `whole` is the line as it stands in its file, if lines are wanted; `opened` the line inside its wrapper.
    pub(crate) fn read(
        event: &Event,
        classification: Option<Classification>,
        opened: &OpenedLine,
        (moment, place): (Option<LogTime>, LineOffset),
        whole: &[u8],
        hasher: &RandomState,
        context: (&TraceQuery, &Catalog),
    ) -> Self {
        let OpenedLine { raw, line, times } = opened;
        let step = step(event, classification, moment, line.text, context);
        Self {
            process: process(line, raw, hasher),
            mta: event.mta,
            host: LogText(line.named_host()).non_empty(),
            instance: LogText(line.instance()).non_empty(),
            helo: mta::helo(event.mta, line.text).map(LogText::string),
            user: mta::login(event, line).map(LogText::string),
            sender: event.sender.map(LogText::string),
            step: StoryStep { count: u64::from(*times), ..step },
            moment,
            place,
            raw: whole.to_vec(),
        }
    }

    /// Where its line begins.
    pub(crate) fn place(&self) -> LineOffset {
        self.place
    }

    /// The memory that it takes, in bytes.
    pub(crate) fn held(&self) -> usize {
        size_of::<Self>() + self.step.text.len() + 64 + self.raw.len()
    }

    /// Both may belong to one session.
    fn is_of(&self, other: &Self) -> bool {
        let gap = self.moment.zip(other.moment).map_or(0, |(a, b)| (a.micros - b.micros).abs());
        let client =
            |rejection: &Self| rejection.step.peer_ip.clone().or_else(|| rejection.step.peer_host.clone());
        client(self) == client(other) && self.sender == other.sender && gap < MAX_PAUSE
    }
}

/// A hash of host, program and process id. `None`: the line shows no process id.
pub(crate) fn process(line: &LogLine, raw: &[u8], hasher: &RandomState) -> Option<u64> {
    pid(line, raw).map(|pid| hasher.hash_one((line.host, line.program, pid)))
}

/// With more distinct rejections, a session has a table of them.
const SEARCHED_STEPS: usize = 16;

/// The memory of a step's other fields, and its place in the table, in bytes.
const OTHER_BYTES: usize = 200;

/// Everything of a rejection but its time, for comparison and hashing.
fn step_key(step: &StoryStep) -> impl Hash + PartialEq + '_ {
    let text = step.reason.is_none().then_some(step.text.as_str());
    (step.what, step.code, step.enhanced, step.stage, step.reason, step.recipient.as_deref(), text)
}

/// Both are the same but for their time.
fn is_same_step(a: &StoryStep, b: &StoryStep) -> bool {
    step_key(a) == step_key(b)
}

/// All rejected sessions, in bounded memory.
pub(crate) struct RejectedSessions {
    /// The session that each process is in.
    open: HashMap<u64, RejectedSession>,
    /// Finished sessions, by a hash of what makes two of them equal.
    closed: HashMap<u64, Vec<RejectedSession>>,
    count: usize,
    limit: usize,
    /// Equal sessions become one; otherwise each is kept with its lines.
    folded: bool,
    hasher: RandomState,
    /// The number of earlier sessions that were dropped.
    forgotten: u64,
    /// The memory of the steps and lines behind the first of each session, in bytes.
    bytes: usize,
    /// The number of rejections that were dropped because of the memory limit.
    pub left_out: u64,
}

impl RejectedSessions {
    /// `top` is the number of sessions wanted, the latest ones; 0: all.
    pub(crate) fn new(top: usize, folded: bool, hasher: RandomState) -> Self {
        let limit = top.clamp(LEAST_LIMIT, LIMIT);
        let (open, closed) = (HashMap::new(), HashMap::new());
        Self { open, closed, count: 0, limit, folded, hasher, forgotten: 0, bytes: 0, left_out: 0 }
    }

    /// Adds a rejection; they must come in the order of the lines.
    pub(crate) fn add(&mut self, mut rejection: RejectedCommand) {
        let line = (rejection.moment, rejection.place, std::mem::take(&mut rejection.raw));
        let process = rejection.process;
        if let Some(session) = process.and_then(|process| self.open.get_mut(&process))
            && session.first.is_of(&rejection)
        {
            session.last = (rejection.moment, rejection.place);
            let is_full = self.bytes > MEMORY_LIMIT;
            let before = session.bytes;
            let is_kept = if self.folded {
                session.count_step(rejection.step, is_full, &self.hasher)
            } else {
                session.add_line(line, is_full)
            };
            self.bytes += session.bytes - before;
            self.left_out += u64::from(!is_kept);
            return;
        }
        let steps = vec![rejection.step.clone()];
        let last = (rejection.moment, rejection.place);
        let session = RejectedSession {
            first: rejection,
            steps,
            places: HashMap::default(),
            last,
            count: 1,
            lines: if self.folded { Vec::new() } else { vec![line] },
            bytes: 0,
        };
        match process {
            Some(process) => {
                if let Some(done) = self.open.insert(process, session) {
                    self.close(done);
                }
                if self.open.len() > LEAST_LIMIT {
                    self.close_oldest();
                }
            }
            None => self.close(session),
        }
    }

    /// Closes the half of the open sessions that is silent the longest.
    fn close_oldest(&mut self) {
        let mut lasts: Vec<LineOffset> = self.open.values().map(|session| session.last.1).collect();
        let middle = lasts.len() / 2;
        let (_, &mut until, _) = lasts.select_nth_unstable(middle);
        let mut done: Vec<RejectedSession> =
            self.open.extract_if(|_, session| session.last.1 < until).map(|(_, session)| session).collect();
        done.sort_by_key(|session| session.first.place);
        for session in done {
            self.close(session);
        }
    }

    /// Adds a finished session.
    fn close(&mut self, session: RejectedSession) {
        if self.folded {
            let key = session.hash(&self.hasher);
            let sessions = self.closed.entry(key).or_default();
            if let Some(equal) = sessions.iter_mut().find(|other| other.is_equal(&session)) {
                equal.count += 1;
                equal.last = session.last.max(equal.last);
                self.bytes -= session.bytes;
                return;
            }
            sessions.push(session);
        } else {
            let key = self.hasher.hash_one((session.first.place.file, session.first.place.offset));
            self.closed.insert(key, vec![session]);
        }
        self.count += 1;
        if self.count > 2 * self.limit {
            self.forget();
        }
    }

    /// Drops all but the latest sessions.
    fn forget(&mut self) {
        let mut lasts: Vec<_> = self.closed.values().flatten().map(RejectedSession::last).collect();
        lasts.sort_unstable();
        let Some(&oldest) = lasts.get(lasts.len().saturating_sub(self.limit)) else { return };
        self.closed.retain(|_, sessions| {
            sessions.retain(|session| session.last() >= oldest);
            !sessions.is_empty()
        });
        let open = self.open.values().map(|session| session.bytes).sum::<usize>();
        self.bytes = open + self.closed.values().flatten().map(|session| session.bytes).sum::<usize>();
        let kept: usize = self.closed.values().map(Vec::len).sum();
        self.forgotten += (self.count - kept) as u64;
        self.count = kept;
    }

    /// The sessions in the order of their last lines, and the number of those dropped.
    pub(crate) fn finish(mut self) -> (Vec<RejectedSession>, u64) {
        // Sessions are closed in the order of their lines, since the order of a hash table is random.
        let mut open: Vec<RejectedSession> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|session| session.first.place);
        for session in open {
            self.close(session);
        }
        let mut sessions: Vec<RejectedSession> = self.closed.into_values().flatten().collect();
        sessions.sort_by_key(RejectedSession::last);
        (sessions, self.forgotten)
    }
}

impl RejectedSession {
    /// The time of its last line, in microseconds since 1970, and the place.
    pub(crate) fn last(&self) -> (Option<i64>, LineOffset) {
        (self.last.0.map(|moment| moment.micros), self.last.1)
    }

    /// A hash of the process. `None`: unknown.
    pub(crate) fn process(&self) -> Option<u64> {
        self.first.process
    }

    /// The place of its first line.
    pub(crate) fn first_place(&self) -> LineOffset {
        self.first.place
    }

    /// Keeps a line. `is_full`: there is no memory for it. Returns whether it was kept.
    fn add_line(&mut self, line: KeptLine, is_full: bool) -> bool {
        if !is_full {
            self.bytes += size_of::<KeptLine>() + line.2.len();
            self.lines.push(line);
        }
        !is_full
    }

    /// Counts a rejection of the session. `is_full`: there is no memory for another one than those that it has. Returns
    /// whether it was counted.
    fn count_step(&mut self, step: StoryStep, is_full: bool, hasher: &RandomState) -> bool {
        let hash = |step: &StoryStep| hasher.hash_one(step_key(step));
        if self.steps.len() >= SEARCHED_STEPS && self.places.is_empty() {
            self.places = self.steps.iter().enumerate().map(|(place, step)| (hash(step), place)).collect();
        }
        let next = self.steps.len();
        let place = if self.places.is_empty() {
            self.steps.iter().position(|other| is_same_step(other, &step)).unwrap_or(next)
        } else if is_full {
            self.places.get(&hash(&step)).copied().unwrap_or(next)
        } else {
            *self.places.entry(hash(&step)).or_insert(next)
        };
        match self.steps.get_mut(place) {
            Some(same) => same.count += step.count,
            None if is_full => return false,
            None => {
                let recipient = step.recipient.as_ref().map_or(0, String::len);
                self.bytes += size_of::<StoryStep>() + step.text.len() + recipient + OTHER_BYTES;
                self.steps.push(step);
            }
        }
        true
    }

    /// A hash of the client, the sender and the rejections.
    fn hash(&self, hasher: &RandomState) -> u64 {
        let mut state = hasher.build_hasher();
        let first = &self.first;
        (&first.host, &first.step.peer_ip, &first.step.peer_host, &first.sender).hash(&mut state);
        for step in &self.steps {
            (step_key(step), step.count).hash(&mut state);
        }
        state.finish()
    }

    /// Both have the same client, sender and rejections.
    fn is_equal(&self, other: &Self) -> bool {
        let by = |session: &Self| {
            let first = &session.first;
            (
                first.host.clone(),
                first.step.peer_ip.clone(),
                first.step.peer_host.clone(),
                first.sender.clone(),
            )
        };
        let steps = self.steps.iter().zip(&other.steps);
        by(self) == by(other)
            && self.steps.len() == other.steps.len()
            && steps.into_iter().all(|(a, b)| a.count == b.count && is_same_step(a, b))
    }

    pub(crate) fn story(self) -> Story {
        let Self { first, steps, last, count, .. } = self;
        let moments = first.moment.zip(last.0);
        let seconds = moments.map(|(first, last)| (last.micros - first.micros).max(0) as u64 / 1_000_000);
        let (client_host, client_ip) = (first.step.peer_host.clone(), first.step.peer_ip.clone());
        let is_rejected = |step: &StoryStep| step.what == StepKind::Rejected;
        let state = if steps.iter().any(is_rejected) { StoryState::Rejected } else { StoryState::Unknown };
        let hop = StoryHop {
            queue_id: None,
            mta: first.mta,
            host: first.host,
            instance: first.instance,
            state,
            notification: false,
            received: None,
            client_host,
            client_ip,
            helo: first.helo,
            user: first.user,
            sender: first.sender,
            size: None,
            message_id: None,
            steps,
        };
        Story {
            kind: StoryKind::Refusal,
            state,
            first: first.moment.and_then(LogTime::rfc3339),
            last: last.0.and_then(LogTime::rfc3339),
            seconds,
            count,
            recipients: Vec::new(),
            hops: vec![hop],
        }
    }
}
