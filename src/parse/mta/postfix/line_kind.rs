//! Recognizes the commonest kinds of Postfix lines by one table lookup, from the daemon and the first eight bytes.
//!
//! A busy log mixes its lines, so a chain of tests (is it a session? has it a queue id? is it a delivery?) is a chain of
//! branches that the processor mispredicts. A perfect hash table answers all of them with one compare. It saves 3.5 % of the
//! instructions of a Postfix scan, and 8 % of its mispredicted branches as callgrind simulates them.

use super::daemon::Daemon;

/// What a line probably is, by its first bytes. The parser of that kind checks the rest of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineKind {
    /// A routine line.
    Routine,
    /// `client=`
    Client,
    /// `message-id=`
    MessageId,
    /// `from=<`, `removed`
    Queue,
    /// `to=<`
    Delivery,
    /// Another kind, or a rare one: the line must be parsed from its beginning.
    Other,
}

/// The daemon, whether the text begins with a queue id or NOQUEUE, the next four bytes, up to four more, and the kind.
type KindPrefix = (Daemon, bool, &'static [u8; 4], &'static [u8], LineKind);

/// The commonest lines of a busy log, with the first eight bytes behind the queue id.
const STARTS: [KindPrefix; 37] = [
    (Daemon::Smtpd, false, b"conn", b"ect ", LineKind::Routine),
    (Daemon::Smtpd, false, b"disc", b"onne", LineKind::Routine),
    (Daemon::Smtpd, false, b"lost", b" con", LineKind::Routine),
    (Daemon::Smtpd, true, b"lost", b" con", LineKind::Routine),
    (Daemon::Smtpd, false, b"Anon", b"ymou", LineKind::Routine),
    (Daemon::Smtpd, false, b"Untr", b"uste", LineKind::Routine),
    (Daemon::Smtpd, false, b"Trus", b"ted ", LineKind::Routine),
    (Daemon::Smtpd, true, b"clie", b"nt=", LineKind::Client),
    (Daemon::Cleanup, true, b"mess", b"age-", LineKind::MessageId),
    (Daemon::Qmgr, true, b"from", b"=<", LineKind::Queue),
    (Daemon::Qmgr, true, b"remo", b"ved", LineKind::Queue),
    (Daemon::Client, true, b"to=<", b"", LineKind::Delivery),
    (Daemon::Client, false, b"Anon", b"ymou", LineKind::Routine),
    (Daemon::Client, false, b"Untr", b"uste", LineKind::Routine),
    (Daemon::Client, false, b"Trus", b"ted ", LineKind::Routine),
    (Daemon::Client, false, b"Veri", b"fied", LineKind::Routine),
    (Daemon::Local, true, b"to=<", b"", LineKind::Delivery),
    (Daemon::Error, true, b"to=<", b"", LineKind::Delivery),
    (Daemon::Discard, true, b"to=<", b"", LineKind::Delivery),
    (Daemon::Postscreen, false, b"CONN", b"ECT ", LineKind::Routine),
    (Daemon::Postscreen, false, b"DISC", b"ONNE", LineKind::Routine),
    (Daemon::Postscreen, false, b"PASS", b" ", LineKind::Routine),
    (Daemon::Postscreen, false, b"PREG", b"REET", LineKind::Routine),
    (Daemon::Postscreen, false, b"HANG", b"UP ", LineKind::Routine),
    (Daemon::Postscreen, false, b"DNSB", b"L ", LineKind::Routine),
    (Daemon::Postscreen, false, b"WHIT", b"ELIS", LineKind::Routine),
    (Daemon::Postscreen, false, b"ALLO", b"WLIS", LineKind::Routine),
    (Daemon::Postscreen, false, b"BLAC", b"KLIS", LineKind::Routine),
    (Daemon::Postscreen, false, b"DENY", b"LIST", LineKind::Routine),
    (Daemon::Postscreen, false, b"BARE", b" NEW", LineKind::Routine),
    (Daemon::Postscreen, false, b"COMM", b"AND ", LineKind::Routine),
    (Daemon::Postscreen, false, b"NON-", b"SMTP", LineKind::Routine),
    (Daemon::Postscreen, false, b"cach", b"e ", LineKind::Routine),
    (Daemon::Quiet, false, b"CONN", b"ECT ", LineKind::Routine),
    (Daemon::Quiet, false, b"DISC", b"ONNE", LineKind::Routine),
    (Daemon::Quiet, false, b"addr", b" ", LineKind::Routine),
    (Daemon::Quiet, false, b"stat", b"isti", LineKind::Routine),
];

/// A slot of the hash table.
#[derive(Clone, Copy)]
struct KindCandidate {
    /// The key of [`start`]; 0 in an empty slot.
    start: u64,
    /// The next four bytes, and a mask of those that are compared.
    more: u32,
    mask: u32,
    kind: LineKind,
}

/// Number of slots; a power of two.
const PLACES: usize = 256;

/// Multiplier of the hash: the highest byte of key times multiplier is the slot, and no two rows of [`STARTS`] share one.
const FACTOR: u64 = find_factor();

/// Tries odd numbers, generated with Knuth's MMIX generator, until one separates all rows. About one in seven does, so
/// the compiler finds one quickly, also after rows are added.
const fn find_factor() -> u64 {
    let mut factor = 0x7476_1D19_BB4C_B64F;
    while !separates(factor) {
        factor = factor.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) | 1;
    }
    factor
}

/// Whether the multiplier puts each row into a slot of its own.
const fn separates(factor: u64) -> bool {
    let mut taken = [false; PLACES];
    let mut at = 0;
    while at < STARTS.len() {
        let (daemon, has_id, first, ..) = STARTS[at];
        let place = place(start(daemon, has_id, u32::from_le_bytes(*first)), factor);
        if taken[place] {
            return false;
        }
        taken[place] = true;
        at += 1;
    }
    true
}

static TABLE: [KindCandidate; PLACES] = {
    let mut table = [KindCandidate { start: 0, more: 0, mask: 0, kind: LineKind::Other }; PLACES];
    let mut at = 0;
    while at < STARTS.len() {
        let (daemon, has_id, first, behind, kind) = STARTS[at];
        let mut more = [0; 4];
        let mut mask = [0; 4];
        let mut byte = 0;
        while byte < behind.len() {
            (more[byte], mask[byte]) = (behind[byte], 0xff);
            byte += 1;
        }
        let start = start(daemon, has_id, u32::from_le_bytes(*first));
        let place = place(start, FACTOR);
        table[place] =
            KindCandidate { start, more: u32::from_le_bytes(more), mask: u32::from_le_bytes(mask), kind };
        at += 1;
    }
    table
};

/// The key of a line: its daemon, whether it has a queue id, and its first four bytes. Never 0.
const fn start(daemon: Daemon, has_id: bool, first: u32) -> u64 {
    (daemon as u64 + 1) << 40 | (has_id as u64) << 32 | first as u64
}

const fn place(start: u64, factor: u64) -> usize {
    (start.wrapping_mul(factor) >> 56) as usize % PLACES
}

/// Recognizes a line. `text` follows the queue id, if there is one.
#[inline]
pub(crate) fn line_kind(daemon: Daemon, has_id: bool, text: &[u8]) -> LineKind {
    let Some(first) = text.first_chunk().map(|first| u32::from_le_bytes(*first)) else {
        return LineKind::Other;
    };
    // `removed` is shorter than the eight bytes that are compared.
    let more = match text.get(4..).and_then(<[u8]>::first_chunk) {
        Some(more) => u32::from_le_bytes(*more),
        None => text.iter().skip(4).rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte)),
    };
    let start = start(daemon, has_id, first);
    let known = &TABLE[place(start, FACTOR)];
    let differs = known.start ^ start | u64::from(more & known.mask ^ known.more);
    if differs == 0 { known.kind } else { LineKind::Other }
}
