//! Merges clusters that have one cause, or of which one holds the retries of the other.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::dataset::{Cluster, Dataset};
use super::ongoing::Fault;
use super::profile::Profile;
use super::view::ViewDimension;
use crate::catalog::ReasonKin;
use crate::catalog::classify::Reason;
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, reason_of};

/// Deferred mail is tried again after at most this many minutes (Postfix: maximal_backoff_time, 4000 s).
const RETRY_MINUTES: i32 = 70;

/// Failures of different kins without a common name have one cause if they begin within this time, or follow all failures within
/// it.
const TOGETHER_MINUTES: i32 = 3;

/// Merges each cluster with an earlier one of the same storm, until nothing changes.
pub(crate) fn merge_clusters(dataset: &Dataset, mut clusters: Vec<Cluster>) -> Vec<Cluster> {
    clusters
        .sort_by(|a, b| b.score.total_cmp(&a.score).then(a.first.cmp(&b.first)).then(a.view.cmp(&b.view)));
    let mut storms: Vec<Cluster> = Vec::new();
    loop {
        let before = clusters.len();
        for next in clusters {
            let profile = dataset.profile(&next.members, next.flow);
            let same = storms.iter_mut().find(|storm| {
                let other = dataset.profile(&storm.members, storm.flow);
                is_same_storm(dataset, (storm, &other), (&next, &profile))
            });
            match same {
                Some(storm) => storm.join(next),
                None => storms.push(next),
            }
        }
        if storms.len() == before {
            return storms;
        }
        clusters = std::mem::take(&mut storms);
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

fn is_same_storm(
    dataset: &Dataset,
    (a, a_profile): (&Cluster, &Profile),
    (b, b_profile): (&Cluster, &Profile),
) -> bool {
    let gap = (b.first - a.last).max(a.first - b.last);
    if is_same_fault(dataset, (a, a_profile), (b, b_profile)) {
        return true;
    }
    if gap > RETRY_MINUTES {
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
        let (Some(a), Some(b)) = (a_profile.top(dimension), b_profile.top(dimension)) else { return false };
        a.value == b.value && a.inside >= 0.6 && b.inside >= 0.6 && a.stands_out() && b.stands_out()
    });
    if shares_name && gap <= 15 || gap > 0 && holds_retries(dataset, a, b) {
        return true;
    }
    if a.flow != b.flow || gap > 5 {
        return false;
    }
    let is_of = |storm: &Cluster, dimension| storm.view.dimension == dimension;
    let is_kin = |storm| is_of(storm, ViewDimension::Kin);
    let begin_together = (a.first - b.first).abs() <= TOGETHER_MINUTES;
    let follows_all = is_of(a, ViewDimension::All) || is_of(b, ViewDimension::All);
    if is_kin(a) && is_kin(b) && begin_together
        || follows_all && (is_kin(a) || is_kin(b)) && (1..=TOGETHER_MINUTES).contains(&gap)
    {
        return true;
    }
    let cause = |profile: &Profile| profile.top(Dimension::Reason).and_then(|top| shared_cause(top.value));
    let has_name = |profile: &Profile| names.into_iter().any(|dimension| profile.strength(dimension) >= 0.6);
    cause(a_profile).is_some()
        && cause(a_profile) == cause(b_profile)
        && !has_name(a_profile)
        && !has_name(b_profile)
}

/// Both are failures by one fault of this server, and nothing shows that it was over in between.
fn is_same_fault(
    dataset: &Dataset,
    (a, a_profile): (&Cluster, &Profile),
    (b, b_profile): (&Cluster, &Profile),
) -> bool {
    let fault = |cluster, profile| {
        let fault = Fault::of(dataset, cluster, profile).filter(|fault| stays(fault.kin))?;
        let has_author =
            [Dimension::User, Dimension::Sender].into_iter().any(|of| profile.strength(of) >= 0.6);
        (!has_author).then_some(fault)
    };
    if a.flow != b.flow {
        return false;
    }
    let (Some(of_a), Some(of_b)) = (fault(a, a_profile), fault(b, b_profile)) else { return false };
    let (early, of_early, late, of_late) =
        if a.first <= b.first { (a, of_a, b, of_b) } else { (b, of_b, a, of_a) };
    of_early.is_cause_of(&of_late) && !of_early.ends(dataset.points, early, late.first)
}

/// A fault with these failures is there until somebody ends it, whether mail shows it or not.
fn stays(kin: ReasonKin) -> bool {
    match kin {
        ReasonKin::Listing | ReasonKin::OwnIdentity | ReasonKin::FullDisk | ReasonKin::Tls => true,
        ReasonKin::DeadAddress
        | ReasonKin::FullMailbox
        | ReasonKin::Network
        | ReasonKin::Dns
        | ReasonKin::ServerTrouble
        | ReasonKin::Unclear
        | ReasonKin::Limit
        | ReasonKin::Loop
        | ReasonKin::Content
        | ReasonKin::Login
        | ReasonKin::Greylisting => false,
    }
}

/// A third of the later cluster's events are of messages that failed in the earlier one.
fn holds_retries(dataset: &Dataset, a: &Cluster, b: &Cluster) -> bool {
    let (early, late) = if a.first <= b.first { (a, b) } else { (b, a) };
    let message =
        |at: &usize| dataset.points.get(*at).map(|point| point.sample.message).filter(|&key| key != 0);
    let seen: HashSet<u64, FixedState> = early.members.iter().filter_map(message).collect();
    let of_late: Vec<u64> = late.members.iter().filter_map(message).collect();
    let again = of_late.iter().filter(|key| seen.contains(*key)).count();
    again * 3 >= late.members.len() && again > 0
}

/// A fault of this server that causes failures with several reasons at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum SharedCause {
    Network,
    Listing,
    DeadAddresses,
    DiskFull,
}

/// The fault that a reason, given as its value, points to. `None`: the reason stands alone.
fn shared_cause(value: FactorValue) -> Option<SharedCause> {
    let reason = reason_of(value)?;
    if reason.is_network() {
        Some(SharedCause::Network)
    } else if reason.is_reputation() {
        Some(SharedCause::Listing)
    } else if reason.has_no_recipient() {
        Some(SharedCause::DeadAddresses)
    } else {
        (reason == Reason::SystemFull).then_some(SharedCause::DiskFull)
    }
}
