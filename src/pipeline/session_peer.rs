//! Finds the peer of an event whose line shows only its session, on the line with which the session began.

use memchr::memmem;

use crate::input::read::block::{Block, CONTEXT};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::unwrap;
use crate::smtp::event::{Event, Peer};

/// The event with its peer, from the nearest earlier line that begins its session. `inside` is the buffer for that line, if it
/// is wrapped. `None`: the event's line shows its peer itself, or the session began too long ago.
///
/// It searches the last [`CONTEXT`] bytes before the line and no more, so that the answer is the same however a file is cut
/// into blocks.
pub(crate) fn with_peer<'b>(
    event: &Event<'b>,
    line: &LogLine,
    block: &Block<'b>,
    at: usize,
    inside: &'b mut Vec<u8>,
) -> Option<Event<'b>> {
    let session = mta::session(event, line)?;
    let (earlier, near) = block.text_before(at, CONTEXT);
    let raw = beginning(near, session).or_else(|| beginning(earlier, session))?;
    let peer = mta::session_peer(&LogLine::read(unwrap::unwrap_line(raw, inside)), session)?;
    Some(Event { peer, ..*event })
}

/// The last line of the text that begins the session.
fn beginning<'b>(text: &'b [u8], session: &[u8]) -> Option<&'b [u8]> {
    memmem::FinderRev::new(session).rfind_iter(text).find_map(|found| {
        let start = memchr::memrchr(b'\n', text.get(..found)?).map_or(0, |newline| newline + 1);
        let rest = text.get(start..)?;
        let raw = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let mut inside = Vec::new();
        let line = LogLine::read(unwrap::unwrap_line(raw, &mut inside));
        mta::session_peer(&line, session).map(|_| raw)
    })
}

/// A peer that outlives the line that shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OwnedPeer {
    host: Option<Box<[u8]>>,
    ip: Option<Box<[u8]>>,
    port: Option<u16>,
}

impl OwnedPeer {
    pub(crate) fn of(peer: &Peer) -> Self {
        Self { host: peer.host.map(Box::from), ip: peer.ip.map(Box::from), port: peer.port }
    }

    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer { host: self.host.as_deref(), ip: self.ip.as_deref(), port: self.port }
    }

    /// The memory that it takes on the heap, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + [&self.host, &self.ip].into_iter().flatten().map(|name| name.len()).sum::<usize>()
    }
}
