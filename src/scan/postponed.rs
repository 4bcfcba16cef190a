//! Keeps lines that wait for the merger, because another line states the sender of their message.

use crate::catalog::classify::Classification;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::timestamp::LogTime;
use crate::pipeline::session_peer::OwnedPeer;
use crate::pipeline::sink::{LineOffset, LoggedEvent, LoggedQueueRecord};

/// Lines that wait for the merger, in their order.
#[derive(Default)]
pub(super) struct PostponedLines {
    /// The lines without separators.
    pub(super) text: Vec<u8>,
    pub(super) lines: Vec<PostponedLine>,
    /// The host of the lines that name none; all are of one file.
    pub(super) host: Option<Box<[u8]>>,
    /// Heap bytes of the peers and logins in `lines`.
    pub(super) peer_bytes: usize,
}

pub(super) struct PostponedLine {
    /// Where the line ends in the text.
    pub(super) end: usize,
    pub(super) place: LineOffset,
    pub(super) line_kind: PostponedKind,
}

pub(super) enum PostponedKind {
    /// A queue record, with its minute, and with what another line says of it.
    Fact { minute: Option<i64>, step: QueueStep, login: Option<Box<[u8]>> },
    Event {
        /// Which event of its line it is.
        part: u32,
        /// The peer, if another line shows it.
        peer: Option<Box<OwnedPeer>>,
        moment: Option<LogTime>,
        verdict: Option<Classification>,
        /// The filter admits the event, apart from its sender.
        wanted: bool,
    },
}

impl PostponedLines {
    /// The memory that the lines take, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.text.capacity() + self.peer_bytes + self.lines.capacity() * size_of::<PostponedLine>()
    }

    pub(super) fn add(&mut self, raw: &[u8], place: LineOffset, line_kind: PostponedKind) {
        self.text.extend_from_slice(raw);
        self.lines.push(PostponedLine { end: self.text.len(), place, line_kind });
    }

    pub(super) fn note_host(&mut self, raw: &[u8], line: &LogLine) {
        if self.host.is_none() {
            self.host = line.host_outside(raw).map(Box::from);
        }
    }

    pub(super) fn record(&mut self, logged: &LoggedQueueRecord) {
        let login: Option<Box<[u8]>> = logged.record.login.map(Box::from);
        self.peer_bytes += login.as_ref().map_or(0, |login| login.len());
        self.note_host(logged.raw, logged.line);
        let (minute, step) = (logged.minute, logged.record.step);
        self.add(logged.raw, logged.place, PostponedKind::Fact { minute, step, login });
    }

    pub(super) fn event(&mut self, logged: &LoggedEvent, wanted: bool) {
        let LoggedEvent { part, moment, verdict, .. } = *logged;
        let event = logged.event;
        let peer = mta::may_lack_peer(event).then(|| Box::new(OwnedPeer::of(&event.peer)));
        self.peer_bytes += peer.as_ref().map_or(0, |peer| peer.held_bytes());
        self.note_host(logged.raw, logged.line);
        self.add(logged.raw, logged.place, PostponedKind::Event { part, peer, moment, verdict, wanted });
    }
}
