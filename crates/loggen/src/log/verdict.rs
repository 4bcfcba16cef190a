//! Draws the result of one delivery attempt to one recipient, for Postfix and Exim alike.

use super::message::{PendingRecipient, QueuedMessage};
use super::provider::{ServerKind, draw_row};
use super::reply::{ReplyRow, ReplyStage};
use super::site::Simulation;

#[derive(Clone, Copy)]
pub(crate) enum AttemptResult {
    Delivered(&'static ReplyRow),
    Deferred(FailureCause),
    Bounced(FailureCause),
}

#[derive(Clone, Copy)]
pub(crate) enum FailureCause {
    Reply(&'static ReplyRow),
    /// No host could be reached.
    Unreachable,
    /// The connection was lost during the session.
    Lost,
    /// The DNS lookup failed.
    Nowhere,
    /// Not tried, because a delivery to the same destination has just failed.
    Suspended,
}

/// Probabilities per thousand: delivered, deferred, bounced.
const FIRST_REMOTE: [u64; 3] = [834, 90, 76];
const LATER_REMOTE: [u64; 3] = [600, 350, 50];
const FIRST_LOCAL: [u64; 3] = [985, 8, 7];
const LATER_LOCAL: [u64; 3] = [700, 280, 20];

pub(crate) fn draw(
    sim: &mut Simulation,
    message: &QueuedMessage,
    pending: &PendingRecipient,
) -> AttemptResult {
    let provider = ServerKind::of(pending.to.domain);
    let chances = match (pending.to.domain.is_local(), message.tries) {
        (false, 0) => FIRST_REMOTE,
        (false, _) => LATER_REMOTE,
        (true, 0) => FIRST_LOCAL,
        (true, _) => LATER_LOCAL,
    };
    match (message.stuck, sim.rng.weighted(&chances)) {
        (false, 0) => AttemptResult::Delivered(draw_row(&mut sim.rng, provider.delivered())),
        (false, 2) => AttemptResult::Bounced(permanent(sim, provider)),
        _ => AttemptResult::Deferred(transient(sim, provider, pending, message.tries)),
    }
}

fn permanent(sim: &mut Simulation, provider: ServerKind) -> FailureCause {
    if provider != ServerKind::Mailbox && sim.rng.chance(60) {
        return FailureCause::Nowhere;
    }
    FailureCause::Reply(draw_row(&mut sim.rng, provider.permanent()))
}

fn transient(
    sim: &mut Simulation,
    provider: ServerKind,
    pending: &PendingRecipient,
    tries: u32,
) -> FailureCause {
    if provider != ServerKind::Mailbox {
        let repeats = if tries == 0 { 20 } else { 90 };
        match sim.rng.weighted(&[80, 40, 30, repeats, 770]) {
            0 => return FailureCause::Unreachable,
            1 => return FailureCause::Lost,
            2 => return FailureCause::Nowhere,
            3 => return FailureCause::Suspended,
            _ => {}
        }
    }
    match pending.last {
        Some(row) if sim.rng.chance(850) => FailureCause::Reply(row),
        _ => FailureCause::Reply(draw_row(&mut sim.rng, provider.transient())),
    }
}

/// A reply in place of the greeting, which makes Postfix suspend the whole destination.
pub(crate) fn greeting(sim: &mut Simulation, provider: ServerKind) -> Option<&'static ReplyRow> {
    let rows = provider.transient();
    let from = sim.rng.below(rows.len() as u64) as usize;
    rows.iter().cycle().skip(from).take(rows.len()).find(|row| row.2 == ReplyStage::Greeting)
}
