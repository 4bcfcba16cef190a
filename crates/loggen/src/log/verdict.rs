//! The dice say what becomes of one recipient in one attempt; both servers ask here.

use super::message::{Message, Pending};
use super::provider::{Provider, drawn};
use super::reply::{Row, Stage};
use super::site::Site;

#[derive(Clone, Copy)]
pub enum Verdict {
    Delivered(&'static Row),
    Deferred(Why),
    Bounced(Why),
}

#[derive(Clone, Copy)]
pub enum Why {
    Reply(&'static Row),
    /// No host could be reached.
    Unreachable,
    /// The connection broke while it was in use.
    Lost,
    /// The DNS gave no host.
    Nowhere,
    /// Not tried: a delivery to the same place failed just before.
    Suspended,
}

/// In a thousand: delivered, deferred, bounced.
const FIRST_REMOTE: [u64; 3] = [834, 90, 76];
const LATER_REMOTE: [u64; 3] = [600, 350, 50];
const FIRST_LOCAL: [u64; 3] = [985, 8, 7];
const LATER_LOCAL: [u64; 3] = [700, 280, 20];

pub fn draw(site: &mut Site, message: &Message, pending: &Pending) -> Verdict {
    let provider = Provider::of(pending.to.domain);
    let chances = match (pending.to.domain.is_local(), message.tries) {
        (false, 0) => FIRST_REMOTE,
        (false, _) => LATER_REMOTE,
        (true, 0) => FIRST_LOCAL,
        (true, _) => LATER_LOCAL,
    };
    match (message.stuck, site.rng.weighted(&chances)) {
        (false, 0) => Verdict::Delivered(drawn(&mut site.rng, provider.delivered())),
        (false, 2) => Verdict::Bounced(permanent(site, provider)),
        _ => Verdict::Deferred(transient(site, provider, pending, message.tries)),
    }
}

fn permanent(site: &mut Site, provider: Provider) -> Why {
    if provider != Provider::Mailbox && site.rng.chance(60) {
        return Why::Nowhere;
    }
    Why::Reply(drawn(&mut site.rng, provider.permanent()))
}

fn transient(site: &mut Site, provider: Provider, pending: &Pending, tries: u32) -> Why {
    if provider != Provider::Mailbox {
        let repeats = if tries == 0 { 20 } else { 90 };
        match site.rng.weighted(&[80, 40, 30, repeats, 770]) {
            0 => return Why::Unreachable,
            1 => return Why::Lost,
            2 => return Why::Nowhere,
            3 => return Why::Suspended,
            _ => {}
        }
    }
    match pending.last {
        Some(row) if site.rng.chance(850) => Why::Reply(row),
        _ => Why::Reply(drawn(&mut site.rng, provider.transient())),
    }
}

/// A row of this provider that is said before any command: what suspends a whole destination.
pub fn greeting(site: &mut Site, provider: Provider) -> Option<&'static Row> {
    let rows = provider.transient();
    let from = site.rng.below(rows.len() as u64) as usize;
    rows.iter().cycle().skip(from).take(rows.len()).find(|row| row.2 == Stage::Greeting)
}
