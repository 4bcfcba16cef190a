//! Refusals without a queue id come in, one by one; the sessions in which they were said go out, equal ones as one.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::note::{pid, step};
use crate::catalog::classify::Classification;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::report::trace::{StepKind, Story, StoryHop, StoryKind, StoryState, StoryStep};
use crate::smtp::event::{Event, Mta};

/// What a client was told, and by whom.
pub(crate) struct RejectedCommand {
    /// A hash; None: the line does not show it.
    process: Option<u64>,
    mta: Mta,
    host: Option<String>,
    instance: Option<String>,
    helo: Option<String>,
    sender: Option<String>,
    step: StoryStep,
    moment: Option<LogTime>,
    place: LineOffset,
    raw: Vec<u8>,
}

/// A line with when and where it stands.
pub(crate) type KeptLine = (Option<LogTime>, LineOffset, Vec<u8>);

/// What one client was told in one session.
pub(crate) struct RejectedSession {
    /// The first of it.
    first: RejectedCommand,
    /// Each other thing that was said, once.
    steps: Vec<StoryStep>,
    last: (Option<LogTime>, LineOffset),
    /// So many sessions were told the same.
    count: u64,
    /// Empty: nobody wants them.
    pub lines: Vec<KeptLine>,
}

/// In microseconds: a process has another client after so long.
const SESSION: i64 = 300_000_000;

/// So many sessions are kept at least, and four times as many if all are wanted.
const KEPT: usize = 1 << 16;

impl RejectedCommand {
    /// `whole` is the line as it stands in its file, if it is wanted; `raw` the line inside its envelope.
    pub(crate) fn read(
        event: &Event,
        verdict: Option<Classification>,
        line: &LogLine,
        raw: &[u8],
        (moment, place): (Option<LogTime>, LineOffset),
        whole: &[u8],
        hasher: &RandomState,
    ) -> Self {
        Self {
            process: process(line, raw, hasher),
            mta: event.mta,
            host: LogText(line.host).non_empty(),
            instance: LogText(line.instance()).non_empty(),
            helo: mta::helo(event.mta, line.text).map(LogText::string),
            sender: event.sender.map(LogText::string),
            step: step(event, verdict, moment, line.text),
            moment,
            place,
            raw: whole.to_vec(),
        }
    }

    /// For who counts memory, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.step.text.len() + 64 + self.raw.len()
    }

    fn is_of(&self, other: &Self) -> bool {
        let gap = self.moment.zip(other.moment).map_or(0, |(a, b)| (a.micros - b.micros).abs());
        let client = |refusal: &Self| refusal.step.peer_ip.clone().or_else(|| refusal.step.peer_host.clone());
        client(self) == client(other) && self.sender == other.sender && gap < SESSION
    }
}

/// Whose line it is: host, program and number. None: the line shows no number.
pub(crate) fn process(line: &LogLine, raw: &[u8], hasher: &RandomState) -> Option<u64> {
    pid(line, raw).map(|pid| hasher.hash_one((line.host, line.program, pid)))
}

/// Without what differs each time: when.
fn is_same(a: &StoryStep, b: &StoryStep) -> bool {
    let said = |step: &StoryStep| (step.what, step.code, step.enhanced, step.stage, step.reason);
    said(a) == said(b) && a.recipient == b.recipient && (a.reason.is_some() || a.text == b.text)
}

/// All that was refused, in bounded memory.
pub(crate) struct RejectedSessions {
    /// The session that each process is at.
    open: HashMap<u64, RejectedSession>,
    /// By what was said to whom.
    told: HashMap<u64, Vec<RejectedSession>>,
    kept: usize,
    limit: usize,
    /// Equal sessions are one; else each keeps its lines.
    folded: bool,
    hasher: RandomState,
    /// Earlier ones that were not kept.
    pub forgotten: u64,
}

impl RejectedSessions {
    /// `top` are wanted, the latest; 0 is all.
    pub(crate) fn new(top: usize, folded: bool, hasher: RandomState) -> Self {
        let limit = if top == 0 { 4 * KEPT } else { top.max(KEPT) };
        let (open, told) = (HashMap::new(), HashMap::new());
        Self { open, told, kept: 0, limit, folded, hasher, forgotten: 0 }
    }

    /// To be told in the order of the lines.
    pub(crate) fn add(&mut self, mut refusal: RejectedCommand) {
        let line = (refusal.moment, refusal.place, std::mem::take(&mut refusal.raw));
        let process = refusal.process;
        if let Some(session) = process.and_then(|process| self.open.get_mut(&process))
            && session.first.is_of(&refusal)
        {
            session.last = (refusal.moment, refusal.place);
            session.lines.push(line);
            match session.steps.iter_mut().find(|known| is_same(known, &refusal.step)) {
                Some(known) => known.count += 1,
                None => session.steps.push(refusal.step),
            }
            return;
        }
        let steps = vec![refusal.step.clone()];
        let last = (refusal.moment, refusal.place);
        let session = RejectedSession { first: refusal, steps, last, count: 1, lines: vec![line] };
        match process {
            Some(process) => {
                if let Some(done) = self.open.insert(process, session) {
                    self.close(done);
                }
            }
            None => self.close(session),
        }
    }

    fn close(&mut self, mut session: RejectedSession) {
        if self.folded {
            session.lines.clear();
            let first = &session.first;
            let key = self.hasher.hash_one((&first.host, &first.step.peer_ip, &first.sender));
            let said = self.told.entry(key).or_default();
            if let Some(known) = said.iter_mut().find(|known| known.is_same(&session)) {
                known.count += 1;
                known.last = session.last.max(known.last);
                return;
            }
            said.push(session);
        } else {
            let key = self.hasher.hash_one((session.first.place.file, session.first.place.offset));
            self.told.insert(key, vec![session]);
        }
        self.kept += 1;
        if self.kept > 2 * self.limit {
            self.forget();
        }
    }

    /// All but the latest.
    fn forget(&mut self) {
        let mut lasts: Vec<_> = self.told.values().flatten().map(RejectedSession::when).collect();
        lasts.sort_unstable();
        let Some(&oldest) = lasts.get(lasts.len().saturating_sub(self.limit)) else { return };
        self.told.retain(|_, said| {
            said.retain(|session| session.when() >= oldest);
            !said.is_empty()
        });
        let kept: usize = self.told.values().map(Vec::len).sum();
        self.forgotten += (self.kept - kept) as u64;
        self.kept = kept;
    }

    /// In the order of their last lines.
    pub(crate) fn finish(mut self) -> (Vec<RejectedSession>, u64) {
        // What is equal is put together in the order of the lines, whatever the table's order is.
        let mut open: Vec<RejectedSession> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|session| session.first.place);
        for session in open {
            self.close(session);
        }
        let mut sessions: Vec<RejectedSession> = self.told.into_values().flatten().collect();
        sessions.sort_by_key(RejectedSession::when);
        (sessions, self.forgotten)
    }
}

impl RejectedSession {
    pub(crate) fn when(&self) -> (Option<i64>, LineOffset) {
        (self.last.0.map(|moment| moment.micros), self.last.1)
    }

    pub(crate) fn process(&self) -> Option<u64> {
        self.first.process
    }

    /// From its first line to its last, in the files.
    pub(crate) fn places(&self) -> (LineOffset, LineOffset) {
        (self.first.place, self.last.1)
    }

    fn is_same(&self, other: &Self) -> bool {
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
            && steps.into_iter().all(|(a, b)| a.count == b.count && is_same(a, b))
    }

    pub(crate) fn story(self) -> Story {
        let Self { first, steps, last, count, .. } = self;
        let moments = first.moment.zip(last.0);
        let seconds = moments.map(|(first, last)| (last.micros - first.micros).max(0) as u64 / 1_000_000);
        let (client_host, client_ip) = (first.step.peer_host.clone(), first.step.peer_ip.clone());
        let refused = |step: &StoryStep| step.what == StepKind::Rejected;
        let state = if steps.iter().any(refused) { StoryState::Rejected } else { StoryState::Unknown };
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
            user: None,
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
            hops: vec![hop],
        }
    }
}
