//! Decides whether a fault is over where its failures have become rare: the evening has little mail, and little mail shows no
//! failures. Only mail that should have failed too, and did not, proves an end.

use std::collections::BTreeMap;

use super::dataset::{Cluster, Dataset};
use super::profile::Profile;
use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
use crate::smtp::event::Direction;
use crate::storm::sample::points::{FactorValue, WeightedEvent};

/// A site with this share of a storm is what the storm is about.
const SITE_SHARE: f64 = 0.8;
/// How much likelier the mail after the storm must be without the fault than with it, in nats: that for the same site, and that
/// for all sites.
const PROOF: f64 = 2.5;
const GENERAL_PROOF: f64 = 4.0;
/// The same where the fault is about one site and only mail for others came: by night, nobody may write to it.
const PROOF_OF_OTHERS: f64 = 8.0;
/// The share of all mail that the site of a fault has, at least.
const LEAST_SITE: f64 = 0.03;
/// The shares of failing mail that are taken for possible while a fault lasts.
const SHARES: (f64, f64) = (0.01, 0.99);
/// Where no mail ever succeeds, a fault goes on if its last failure is at most this many minutes before the end of the log:
/// deferred mail is tried again within them (Postfix: maximal_backoff_time, 4000 s).
const RETRY_MINUTES: i32 = 70;

/// What most failures of a storm have in common, as far as one fault causes them.
pub(crate) struct Fault {
    pub kin: ReasonKin,
    direction: Direction,
    /// Where the mail goes, the most specific value first. Empty: to many sites.
    sites: Vec<(Dimension, FactorValue)>,
}

/// The weight of what failed and of what was served.
#[derive(Default)]
struct Counts {
    failed: f64,
    served: f64,
}

impl Counts {
    fn share(&self) -> f64 {
        self.failed / (self.failed + self.served).max(1e-9)
    }
}

impl Fault {
    /// `None`: its failures have no reason in common.
    pub(crate) fn of(dataset: &Dataset, cluster: &Cluster, profile: &Profile) -> Option<Self> {
        let members = || cluster.members.iter().filter_map(|&at| dataset.points.get(at));
        let kin = heaviest(members().filter_map(|point| Some((point.kin?, point.weight))))?;
        let direction = heaviest(members().map(|point| (point.sample.series.direction, point.weight)))?;
        let sites = [Dimension::Recipient, Dimension::Relay, Dimension::Domain, Dimension::Provider];
        let tops = sites.into_iter().filter_map(|dimension| profile.top(dimension));
        let sites = tops.filter(|share| share.inside >= SITE_SHARE);
        Some(Self { kin, direction, sites: sites.map(|share| (share.dimension, share.value)).collect() })
    }

    /// Whether failures by another fault may be by this one: the same kind of failures, and the mail goes to the same site, or that
    /// of this one goes to many.
    pub(crate) fn is_cause_of(&self, other: &Self) -> bool {
        self.kin == other.kin
            && self.direction == other.direction
            && self.site().is_none_or(|site| other.sites.contains(&site))
    }

    /// Where the mail goes. `None`: to many sites.
    fn site(&self) -> Option<(Dimension, FactorValue)> {
        self.sites.first().copied()
    }

    fn causes(&self, point: &WeightedEvent) -> bool {
        point.is_failure
            && point.kin == Some(self.kin)
            && point.sample.series.direction == self.direction
            && self.site().is_none_or(|(dimension, value)| point.value(dimension) == value)
    }

    /// Whether an event is a failure by the fault. `None`: it tells nothing about mail for `site`, or of any site.
    fn fails(&self, site: Option<(Dimension, FactorValue)>, point: &WeightedEvent) -> Option<bool> {
        let is_inside = point.sample.series.direction == self.direction
            && site.is_none_or(|(dimension, value)| point.value(dimension) == value);
        let is_failure = self.causes(point);
        (is_inside && (is_failure || point.sample.series.is_served())).then_some(is_failure)
    }

    fn counts(&self, site: Option<(Dimension, FactorValue)>, points: &[WeightedEvent]) -> Counts {
        let mut counts = Counts::default();
        for point in points {
            match self.fails(site, point) {
                Some(true) => counts.failed += point.weight,
                Some(false) => counts.served += point.weight,
                None => {}
            }
        }
        counts
    }

    /// Whether mail for the same site between the storm and minute `until` proves an end; mail for all sites if there is none.
    pub(crate) fn ends(&self, points: &[WeightedEvent], cluster: &Cluster, until: i32) -> bool {
        if self.sites.is_empty() {
            return self.evidence(None, points, cluster, until) >= GENERAL_PROOF;
        }
        self.sites.iter().any(|&site| self.evidence(Some(site), points, cluster, until) >= PROOF)
    }

    /// How much likelier it is that mail for `site` did not fail any more, in nats; `None` stands for all sites.
    fn evidence(
        &self,
        site: Option<(Dimension, FactorValue)>,
        points: &[WeightedEvent],
        cluster: &Cluster,
        until: i32,
    ) -> f64 {
        let at = |minute: i32| points.partition_point(|point| point.sample.minute < minute);
        let (first, after) = (at(cluster.first), at(cluster.last + 1));
        let part = |from: usize, to: usize| points.get(from..to).unwrap_or_default();
        let share = self.counts(site, part(first, after)).share().clamp(SHARES.0, SHARES.1);
        let usual = self.counts(site, part(0, first)).share().clamp(share / 10.0, share / 2.0);
        self.sum(site, part(after, at(until)), (usual, share))
    }

    /// The same for mail of all sites, where the fault is about one. It may have had much more mail in the storm than it usually
    /// has, so that counts which it has outside of the storm, if any.
    fn general_evidence(&self, points: &[WeightedEvent], cluster: &Cluster, until: i32) -> f64 {
        let at = |minute: i32| points.partition_point(|point| point.sample.minute < minute);
        let (first, after) = (at(cluster.first), at(cluster.last + 1));
        let part = |from: usize, to: usize| points.get(from..to).unwrap_or_default();
        let outside = |site| {
            let parts = [part(0, first), part(after, points.len())].map(|points| self.counts(site, points));
            parts.iter().map(|counts| counts.failed + counts.served).sum::<f64>()
        };
        let inside = |site| self.counts(site, part(first, after)).share();
        let mut share = inside(None);
        let of_site = outside(self.site());
        if of_site > 0.0 {
            share = share.min(inside(self.site()) * (of_site / outside(None)).max(LEAST_SITE));
        }
        let share = share.clamp(SHARES.0, SHARES.1);
        self.sum(None, part(after, at(until)), (share / 10.0, share))
    }

    /// The largest log likelihood ratio of these points from some time on, if this share of them usually fails, and this one by
    /// the fault (cumulative sum: Page 1954, backwards).
    fn sum(
        &self,
        site: Option<(Dimension, FactorValue)>,
        points: &[WeightedEvent],
        (usual, share): (f64, f64),
    ) -> f64 {
        let (served, failed) = (((1.0 - usual) / (1.0 - share)).ln(), (usual / share).ln());
        let (mut sum, mut most) = (0.0_f64, 0.0_f64);
        for point in points.iter().rev() {
            let fails = self.fails(site, point);
            sum += fails.map_or(0.0, |fails| point.weight * if fails { failed } else { served });
            most = most.max(sum);
        }
        most
    }

    /// Whether nothing proves that the fault is over at `last`, the last minute of the log.
    pub(crate) fn goes_on(&self, points: &[WeightedEvent], cluster: &Cluster, last: i32) -> bool {
        let until = last + 1;
        // Where no mail comes for the site any more, that for all sites tells whether some should have come.
        if self.ends(points, cluster, until)
            || self.general_evidence(points, cluster, until) >= PROOF_OF_OTHERS
        {
            return false;
        }
        let until = points.iter().rev().find(|point| self.causes(point)).map(|point| point.sample.minute);
        self.counts(None, points).served > 0.0 || last - until.unwrap_or(cluster.last) <= RETRY_MINUTES
    }
}

/// The key with the largest sum of weights, the smallest of equal ones.
pub(crate) fn heaviest<K: Ord + Copy>(weighted: impl Iterator<Item = (K, f64)>) -> Option<K> {
    let mut sums: BTreeMap<K, f64> = BTreeMap::new();
    weighted.for_each(|(key, weight)| *sums.entry(key).or_default() += weight);
    sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(key, _)| key)
}
