//! Who a message is of, and how often it was tried: acts come in, hashes and counts go out.

use super::act::Act;

/// Hashes of the names that a message is known by. 0: no line that was read says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Origin {
    pub sender: u64,
    pub client: u64,
    pub user: u64,
}

/// Attempts of one message: delivered, deferred, bounced and expired.
pub type Attempts = [u32; 4];

impl Origin {
    /// What the newer of the lines counts that say who it is of; a line of a delivery may say what none of them does.
    pub fn learn(&mut self, newer: Self, act: Act) {
        let tells = matches!(act, Act::Came | Act::Arrived(_) | Act::Notice { .. } | Act::Queued { .. });
        for (mine, theirs) in
            [(&mut self.sender, newer.sender), (&mut self.client, newer.client), (&mut self.user, newer.user)]
        {
            if theirs != 0 && (tells || *mine == 0) {
                *mine = theirs;
            }
        }
    }
}

/// Counts the attempt of an act.
pub fn attempted(attempts: &mut Attempts, act: Act) {
    let at = match act {
        Act::Delivered | Act::HandedOn(_) => 0,
        Act::Deferred => 1,
        Act::Bounced => 2,
        Act::Expired { .. } => 3,
        Act::Came
        | Act::Arrived(_)
        | Act::Named
        | Act::Notice { .. }
        | Act::Queued { .. }
        | Act::Held
        | Act::Released
        | Act::Deleted
        | Act::Returned
        | Act::Renamed
        | Act::Gone
        | Act::Discarded
        | Act::Refused
        | Act::ThrownAway
        | Act::Probe => return,
    };
    if let Some(count) = attempts.get_mut(at) {
        *count = count.saturating_add(1);
    }
}
