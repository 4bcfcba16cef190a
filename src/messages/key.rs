//! Hashes host, instance and queue id to the key of the message that a line is about.

use std::hash::BuildHasher;
use std::num::NonZeroU64;

use foldhash::fast::RandomState;

use super::placed_id::{IdHash, placed};
use crate::collections::hash_secret::HashSecret;
use crate::collections::interner::to_lowercase;
use crate::collections::stable_hash::{PART_SEED, StableHash};
use crate::collections::text_hash::hash_text;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::simd::bytes_eq;
use crate::smtp::event::Mta;

/// Takes keys that are hashes as they are.
pub(crate) type PrehashedState = foldhash::fast::FixedState;

/// The hash of a recipient's domain, regardless of case; never 0. It is the same in each run, so that of several recipients
/// with the same failure the same one counts for a message.
pub(crate) fn domain_hash(domain: &[u8]) -> u64 {
    to_lowercase(domain, |domain| StableHash::new(PART_SEED).text(domain).finish()).max(1)
}

/// Hashes texts: for one run, or for parts that other runs merge.
#[derive(Clone)]
enum TextHasher {
    /// With a seed that nobody can guess.
    OneRun(RandomState),
    /// The same in each run.
    Parts,
}

impl TextHasher {
    #[inline]
    fn text(&self, text: &[u8]) -> u64 {
        match self {
            Self::OneRun(state) => hash_text(state, text),
            Self::Parts => StableHash::new(PART_SEED).text(text).finish(),
        }
    }

    fn queue(&self, host: &[u8], queue: &[u8]) -> u64 {
        match self {
            Self::OneRun(state) => state.hash_one((host, queue)),
            Self::Parts => StableHash::new(PART_SEED).text(host).text(queue).finish(),
        }
    }
}

/// Computes the keys of messages. It caches the last queue, which seldom changes from line to line.
pub struct KeyHasher {
    hasher: TextHasher,
    host: Vec<u8>,
    queue: Vec<u8>,
    hash: u64,
    /// The hash of the host alone.
    host_hash: u64,
    /// See [`Self::host_tag`].
    tag: u8,
    /// Hashes names and recipients. None: nothing is redacted.
    secret: Option<HashSecret>,
}

impl KeyHasher {
    /// `hasher` is the same for all threads of a run.
    pub fn new(hasher: RandomState) -> Self {
        Self::with(TextHasher::OneRun(hasher))
    }

    /// Keys that are the same in each run.
    pub(crate) fn for_parts() -> Self {
        Self::with(TextHasher::Parts)
    }

    fn with(hasher: TextHasher) -> Self {
        let hash = hasher.queue(b"", b"");
        let host_hash = hasher.text(b"");
        Self { hasher, host: Vec::new(), queue: Vec::new(), hash, host_hash, tag: 0, secret: None }
    }

    /// With a secret, nobody can test names against their hashes.
    #[must_use]
    pub(crate) fn with_secret(self, secret: Option<HashSecret>) -> Self {
        Self { secret, ..self }
    }

    pub fn key(&mut self, mta: Mta, line: &LogLine, queue_id: &[u8]) -> u64 {
        self.key_and_id(mta, line, queue_id).0
    }

    /// The key of the message, and the hash of the queue id alone.
    pub fn key_and_id(&mut self, mta: Mta, line: &LogLine, queue_id: &[u8]) -> (u64, NonZeroU64) {
        if !bytes_eq(&self.host, line.host) || !mta::is_in_queue_scope(mta, line.program, &self.queue) {
            let queue = mta::queue_scope(mta, line.program);
            self.hash = self.hasher.queue(line.host, queue);
            self.host_hash = self.hasher.text(line.host);
            self.tag = self.host_tag(line.host);
            self.host.clear();
            self.host.extend_from_slice(line.host);
            self.queue.clear();
            self.queue.extend_from_slice(queue);
        }
        let id = self.id(mta::message_part(mta, queue_id));
        (id.get() ^ self.hash, id)
    }

    /// The key of the message whichever instance wrote the line. Daemons of one queue may log under several names (Postfix:
    /// `-o syslog_name=postfix-out` in master.cf). Two instances have the same queue id at the same time so seldom that
    /// statistics may ignore it.
    pub fn key_on_host(&mut self, mta: Mta, line: &LogLine, queue_id: &[u8]) -> u64 {
        let (_, id) = self.key_and_id(mta, line, queue_id);
        id.get() ^ self.host_hash
    }

    /// The key of the message, and the hash of the queue id with the host and the time of the line, in seconds since 1970.
    pub(crate) fn key_and_placed_id(
        &mut self,
        mta: Mta,
        line: &LogLine,
        queue_id: &[u8],
        at: Option<i64>,
    ) -> (u64, IdHash) {
        let (key, id) = self.key_and_id(mta, line, queue_id);
        (key, placed(id, self.tag, at))
    }

    /// The hash of a queue id that a hand-off names. `host`: the host of the message, if only that host can have it.
    pub(crate) fn copy_id(&self, queue_id: &[u8], host: Option<&[u8]>, at: Option<i64>) -> IdHash {
        placed(self.id(queue_id), host.map_or(0, |host| self.host_tag(host)), at)
    }

    /// Eight bits that tell hosts apart; 0: the line names no host.
    fn host_tag(&self, host: &[u8]) -> u8 {
        if host.is_empty() { 0 } else { (self.hash(host) % 255 + 1) as u8 }
    }

    /// The hash of a host.
    pub(crate) fn host(&self, host: &[u8]) -> u64 {
        self.hash(host)
    }

    /// The hash of the host of the line whose key was computed last.
    pub(crate) fn last_host(&self) -> u64 {
        self.host_hash
    }

    /// The hash of a queue id alone. Replies name queue ids without a host.
    pub fn id(&self, queue_id: &[u8]) -> NonZeroU64 {
        NonZeroU64::new(self.hash(queue_id)).unwrap_or(NonZeroU64::MIN)
    }

    /// The hash of a sender, client or login in lower case; never 0. Its lowest bit is always 0, so tables can use
    /// that bit as a mark.
    pub fn name(&self, name: &[u8]) -> u64 {
        (self.hash_of_person(name) & !1).max(2)
    }

    /// The hash of a recipient. 0 for None.
    pub fn recipient(&self, recipient: Option<&[u8]>) -> u64 {
        recipient.map_or(0, |recipient| self.hash_of_person(recipient))
    }

    fn hash_of_person(&self, text: &[u8]) -> u64 {
        self.secret.map_or_else(|| self.hash(text), |secret| secret.text(text))
    }

    fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn share_a_queue(a: &str, b: &str, wanted: bool) {
        let mut keys = KeyHasher::new(RandomState::default());
        let line = |front: &str| format!("Nov 22 02:50:16 {front}[7]: 4jXCsJ3c7Hz7j9M: removed").into_bytes();
        let [a, b] = [a, b].map(line);
        let [a, b] = [&a, &b].map(|raw| keys.key(Mta::Postfix, &LogLine::read(raw), b"4jXCsJ3c7Hz7j9M"));
        assert_eq!(a == b, wanted);
    }

    #[test]
    fn every_byte_of_a_name_makes_a_difference() {
        let keys = KeyHasher::new(RandomState::default());
        for length in 0..80 {
            let name: Vec<u8> = (b'0'..=b'z').cycle().take(length).collect();
            assert_ne!(keys.name(&name), keys.name(&[&name[..], b"0"].concat()), "of {length} bytes");
            for at in 0..length {
                let mut other = name.clone();
                other[at] ^= 0x80;
                assert_ne!(keys.name(&name), keys.name(&other), "byte {at} of {length}");
            }
        }
    }

    #[test]
    fn daemons_of_one_instance_share_a_queue() {
        share_a_queue("mx1 postfix/smtp", "mx1 postfix/qmgr", true);
        share_a_queue("mx1 postfix/submission/smtpd", "mx1 postfix/qmgr", true);
        share_a_queue("mx1 postfix-out/smtp", "mx1 postfix-out/qmgr", true);
        share_a_queue("mx1 postfix-out/smtp", "mx1 postfix/qmgr", false);
        share_a_queue("mx1 postfix/smtp", "mx2 postfix/smtp", false);
    }
}
