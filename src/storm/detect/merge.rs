//! Which storms are one: storms as they were found come in; those of one cause are put together.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::dataset::{Cluster, Dataset};
use super::profile::Profile;
use crate::catalog::classify::Reason;
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, reason_of};

/// Retries of deferred mail come back after at most so many minutes (Postfix: maximal_backoff_time, 4000 s).
const ECHO: i32 = 70;

/// Storms that are one: of the same cause at the same time, or the retries of what failed before.
pub(crate) fn joined(field: &Dataset, mut found: Vec<Cluster>) -> Vec<Cluster> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.first.cmp(&b.first)).then(a.view.cmp(&b.view)));
    let mut storms: Vec<Cluster> = Vec::new();
    loop {
        let before = found.len();
        for next in found {
            let look = field.look(&next.members, next.way);
            let same = storms.iter_mut().find(|storm| {
                let other = field.look(&storm.members, storm.way);
                is_same(field, storm, &other, &next, &look)
            });
            match same {
                Some(storm) => storm.join(next),
                None => storms.push(next),
            }
        }
        if storms.len() == before {
            return storms;
        }
        found = std::mem::take(&mut storms);
    }
}

impl Cluster {
    fn join(&mut self, other: Self) {
        self.members.extend(other.members);
        self.members.sort_unstable();
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

fn is_same(field: &Dataset, a: &Cluster, a_look: &Profile, b: &Cluster, b_look: &Profile) -> bool {
    let gap = (b.first - a.last).max(a.first - b.last);
    if gap > ECHO {
        return false;
    }
    let names = [
        Dimension::User,
        Dimension::Sender,
        Dimension::Client,
        Dimension::Recipient,
        Dimension::Domain,
        Dimension::Relay,
        Dimension::Provider,
    ];
    let shares_name = names.into_iter().any(|dimension| {
        let (Some(a), Some(b)) = (a_look.top(dimension), b_look.top(dimension)) else { return false };
        a.value == b.value && a.inside >= 0.6 && b.inside >= 0.6 && a.stands_out() && b.stands_out()
    });
    if shares_name && gap <= 15 || gap > 0 && is_echo(field, a, b) {
        return true;
    }
    if a.way != b.way || gap > 5 {
        return false;
    }
    let kin = |look: &Profile| look.top(Dimension::Reason).and_then(|share| kin(share.value));
    let named = |look: &Profile| names.into_iter().any(|dimension| look.strength(dimension) >= 0.6);
    kin(a_look).is_some() && kin(a_look) == kin(b_look) && named(a_look) == named(b_look) && !named(a_look)
}

/// Most messages of the later one failed in the earlier one already.
fn is_echo(field: &Dataset, a: &Cluster, b: &Cluster) -> bool {
    let (early, late) = if a.first <= b.first { (a, b) } else { (b, a) };
    let message =
        |at: &usize| field.points.get(*at).map(|point| point.sample.message).filter(|&key| key != 0);
    let seen: HashSet<u64, FixedState> = early.members.iter().filter_map(message).collect();
    let of_late: Vec<u64> = late.members.iter().filter_map(message).collect();
    let again = of_late.iter().filter(|key| seen.contains(*key)).count();
    again * 3 >= late.members.len() && again > 0
}

/// Reasons that one trouble of ours brings about together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RelatedStorms {
    Network,
    Listing,
    Dead,
    Space,
}

fn kin(value: FactorValue) -> Option<RelatedStorms> {
    let reason = reason_of(value)?;
    if reason.is_network() {
        Some(RelatedStorms::Network)
    } else if reason.is_reputation() {
        Some(RelatedStorms::Listing)
    } else if reason.has_no_recipient() {
        Some(RelatedStorms::Dead)
    } else {
        (reason == Reason::SystemFull).then_some(RelatedStorms::Space)
    }
}
