//! Joins storms of single senders and sites that are one: the address of this server is on a block list, and the mail of all
//! is refused.
//!
//! A listing may last too long to be a window of all refusals, while those of one busy login or site are a window. Such a
//! login is no stolen account: it sends what it always sends, and others are refused as often.

use std::ops::RangeInclusive;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use super::dataset::{Cluster, Dataset, UsualCount};
use super::view::{ViewDimension, ViewKey};
use super::volume::is_trial;
use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// Others are hit too if their mail is refused at least at this share of the rate of the storm's own.
const SAME_RATE: f64 = 0.5;
/// The refusals of others that show it, at least, and the largest share of them that a single sender may have.
const LEAST_OTHERS: f64 = 5.0;
const LARGEST_OTHER: f64 = 0.6;
/// Other sites that show it, at least.
const LEAST_SITES: usize = 3;
/// The refusals of other sites must be this many times as frequent as before the storm, or after it.
const SITES_RISE: f64 = 3.0;
/// The mail of an account rose if it is this many times as much as its usual share of all mail.
const MAIL_RISE: f64 = 2.0;
/// A value with this share of a storm names it.
const NAME_SHARE: f64 = 0.6;
/// A host with this share of a storm is the one whose address is listed.
const HOST_SHARE: f64 = 0.8;
/// Storms this many minutes apart are one listing.
const APART: i32 = 70;
/// A listing goes on if it does so in one of these numbers of minutes after its end; and before its start.
const AFTER: [i32; 2] = [60, 180];
const BEFORE: [i32; 1] = [15];

/// Refusals that must be missing after the last one before a listing is over.
const UNSEEN: f64 = 3.0;

/// First handlings and refusals, as weights.
#[derive(Clone, Copy, Default)]
struct RefusalSums {
    mail: f64,
    refused: f64,
}

impl RefusalSums {
    fn add(&mut self, point: &WeightedEvent) {
        if is_trial(point) {
            self.mail += point.weight;
            self.refused += if is_refusal(point) { point.weight } else { 0.0 };
        }
    }

    fn rate(self) -> f64 {
        self.refused / self.mail.max(1.0)
    }
}

/// The span of a listing, in minutes, and the host whose address is listed. `host` 0: any.
#[derive(Clone)]
struct ListedSpan {
    span: RangeInclusive<i32>,
    host: FactorValue,
    score: f64,
}

/// The first refusal of a recipient of a message because of the address of this server.
fn is_refusal(point: &WeightedEvent) -> bool {
    point.is_unit && is_of_listing(point)
}

fn is_of_listing(point: &WeightedEvent) -> bool {
    point.flow == MailFlow::Out && point.kin == Some(ReasonKin::Listing)
}

/// The storms, where all that come from one listing are one of them.
pub(crate) fn join_listings(dataset: &Dataset, clusters: Vec<Cluster>) -> Vec<Cluster> {
    let (mut parts, mut others): (Vec<Cluster>, Vec<Cluster>) =
        clusters.into_iter().partition(|cluster| hits_all(dataset, cluster));
    if parts.is_empty() {
        return others;
    }
    parts.sort_by_key(|part| (host(dataset, part), part.first));
    let mut listings: Vec<ListedSpan> = Vec::new();
    for part in &parts {
        let (host, score) = (host(dataset, part), part.score);
        match listings.last_mut().filter(|last| last.host == host && part.first <= last.span.end() + APART) {
            Some(last) => {
                last.span = *last.span.start()..=part.last.max(*last.span.end());
                last.score = last.score.max(score);
            }
            None => listings.push(ListedSpan { span: part.first..=part.last, host, score }),
        }
    }
    for listing in &mut listings {
        listing.span = widened(dataset, listing);
    }
    let is_part = |cluster: &Cluster| {
        listings.iter().any(|of| cluster.first <= *of.span.end() && *of.span.start() <= cluster.last)
            && is_mostly_of_listing(dataset, cluster)
            && (cluster.view.dimension == ViewDimension::Kin || is_of_site(dataset, cluster))
    };
    others.retain(|cluster| !is_part(cluster));
    let mut taken: HashSet<usize, FixedState> =
        others.iter().flat_map(|cluster| cluster.members.iter().copied()).collect();
    for listing in listings {
        let cluster = cluster(dataset, &listing, &taken);
        taken.extend(cluster.members.iter().copied());
        others.extend((!cluster.members.is_empty()).then_some(cluster));
    }
    others
}

/// The storm of a listing: all refusals in its span that no other storm has.
fn cluster(dataset: &Dataset, listing: &ListedSpan, taken: &HashSet<usize, FixedState>) -> Cluster {
    let is_of_host = |point: &WeightedEvent| is_of(point, Dimension::Host, listing.host);
    let is_member = |(at, point): &(usize, &WeightedEvent)| {
        listing.span.contains(&point.sample.minute)
            && is_of_listing(point)
            && (point.is_unit || point.is_retry)
            && is_of_host(point)
            && !taken.contains(at)
    };
    let members: Vec<usize> = dataset.points.iter().enumerate().filter(is_member).map(|(at, _)| at).collect();
    let outside = dataset.points.iter().filter(|point| {
        !listing.span.contains(&point.sample.minute) && is_refusal(point) && is_of_host(point)
    });
    let outside: f64 = outside.map(|point| point.weight).sum();
    let (first, last) = listing.span.clone().into_inner();
    let all = dataset.living.total();
    let minutes = (all - dataset.living.between(first, last + 1)).max(1.0);
    Cluster {
        flow: MailFlow::Out,
        members,
        first,
        last,
        usual: UsualCount { per_minute: outside / minutes, is_by_day: all >= 2.0 * 1440.0 },
        score: listing.score,
        view: ViewKey {
            flow: MailFlow::Out,
            dimension: ViewDimension::Kin,
            value: 1,
            kin: Some(ReasonKin::Listing),
        },
    }
}

/// Whether the refusals of a sender or site are a part of those that hit all.
fn hits_all(dataset: &Dataset, cluster: &Cluster) -> bool {
    let key = cluster.view;
    let Some(dimension) = key.dimension.of_values().filter(|_| is_mostly_of_listing(dataset, cluster)) else {
        return false;
    };
    if key.dimension.is_author() {
        return hits_other_authors(dataset, cluster, (dimension, key.value));
    }
    is_of_site(dataset, cluster) && hits_other_sites(dataset, cluster, (dimension, key.value))
}

/// Half of a storm is refusals because of the address of this server.
fn is_mostly_of_listing(dataset: &Dataset, cluster: &Cluster) -> bool {
    let weight = |is_counted: fn(&WeightedEvent) -> bool| -> f64 {
        let members = cluster.members.iter().filter_map(|&at| dataset.points.get(at));
        members.filter(|point| is_counted(point)).map(|point| point.weight).sum()
    };
    cluster.flow == MailFlow::Out && weight(is_of_listing) * 2.0 >= weight(|_| true)
}

/// A storm was found at one site, and no author has most of it.
fn is_of_site(dataset: &Dataset, cluster: &Cluster) -> bool {
    let dimension = cluster.view.dimension.of_values();
    let profile = dataset.profile(&cluster.members, cluster.flow);
    let has_author =
        [Dimension::User, Dimension::Sender].into_iter().any(|of| profile.strength(of) >= NAME_SHARE);
    matches!(dimension, Some(Dimension::Provider | Dimension::Domain | Dimension::Relay)) && !has_author
}

/// The mail of others to the same sites is refused as often, and the author does not send more than usual.
fn hits_other_authors(
    dataset: &Dataset,
    cluster: &Cluster,
    (dimension, value): (Dimension, FactorValue),
) -> bool {
    let (span, host) = (cluster.first..=cluster.last, host(dataset, cluster));
    let of_host = || dataset.points.iter().filter(|point| is_of(point, Dimension::Host, host));
    let inside = || of_host().filter(|point| span.contains(&point.sample.minute));
    let refusing: HashSet<FactorValue, FixedState> =
        inside().filter(|point| is_refusal(point)).map(|point| point.value(Dimension::Domain)).collect();
    let (mut own, mut others) = (RefusalSums::default(), RefusalSums::default());
    for point in inside().filter(|point| refusing.contains(&point.value(Dimension::Domain))) {
        if point.value(dimension) == value { own.add(point) } else { others.add(point) }
    }
    let are_hit = others.refused >= LEAST_OTHERS
        && others.rate() >= SAME_RATE * own.rate()
        && are_several(inside().filter(|point| is_refusal(point) && point.value(dimension) != value));
    are_hit && !has_risen(of_host(), &span, (dimension, value))
}

/// The author's share of the mail is clearly larger inside of the span than outside of it.
fn has_risen<'p>(
    points: impl Iterator<Item = &'p WeightedEvent>,
    span: &RangeInclusive<i32>,
    (dimension, value): (Dimension, FactorValue),
) -> bool {
    let (mut inside, mut outside) = ((0.0, 0.0), (0.0, 0.0));
    for point in points.filter(|point| is_trial(point)) {
        let sums = if span.contains(&point.sample.minute) { &mut inside } else { &mut outside };
        sums.0 += point.weight;
        sums.1 += if point.value(dimension) == value { point.weight } else { 0.0 };
    }
    let usual = inside.0 * (outside.1 + 1.0) / (outside.0 + 1.0);
    inside.1 >= MAIL_RISE * usual && inside.1 - usual >= 3.0 * usual.sqrt()
}

/// Other sites refuse mail too, much more often than outside of the span.
fn hits_other_sites(
    dataset: &Dataset,
    cluster: &Cluster,
    (dimension, value): (Dimension, FactorValue),
) -> bool {
    let (span, host) = (cluster.first..=cluster.last, host(dataset, cluster));
    let others = || {
        let others = dataset.points.iter().filter(|point| is_of(point, Dimension::Host, host));
        others.filter(|point| point.value(dimension) != value)
    };
    let refused = || others().filter(|point| is_refusal(point) && span.contains(&point.sample.minute));
    let sites: HashSet<FactorValue, FixedState> =
        refused().map(|point| point.value(Dimension::Domain)).collect();
    // A listing that began within the log may go on after the span.
    let (mut before, mut inside, mut after) =
        (RefusalSums::default(), RefusalSums::default(), RefusalSums::default());
    for point in others() {
        match point.sample.minute {
            minute if minute < *span.start() => before.add(point),
            minute if minute > *span.end() => after.add(point),
            _ => inside.add(point),
        }
    }
    let own = cluster.members.iter().filter_map(|&at| dataset.points.get(at));
    let own: f64 = own.filter(|point| is_refusal(point)).map(|point| point.weight).sum();
    let usual =
        [before, after].map(|sums| (sums.refused + 1.0) / (sums.mail + 1.0)).into_iter().fold(1.0, f64::min);
    let usual = inside.mail * usual;
    sites.len() >= LEAST_SITES
        && inside.refused >= LEAST_OTHERS.max(SAME_RATE * own)
        && inside.refused >= SITES_RISE * usual
        && are_several(refused())
}

/// No sender has most of these refusals.
fn are_several<'p>(refused: impl Iterator<Item = &'p WeightedEvent>) -> bool {
    let mut senders: HashMap<FactorValue, f64, FixedState> = HashMap::default();
    let mut whole = 0.0;
    for point in refused {
        whole += point.weight;
        *senders.entry(point.value(Dimension::Sender)).or_default() += point.weight;
    }
    senders.into_values().all(|weight| weight <= LARGEST_OTHER * whole)
}

/// The span, and the time before and after it in which as large a share of the mail is refused.
fn widened(dataset: &Dataset, listing: &ListedSpan) -> RangeInclusive<i32> {
    let of_host = || dataset.points.iter().filter(|point| is_of(point, Dimension::Host, listing.host));
    let tally = |from: i32, to: i32| {
        let mut tally = RefusalSums::default();
        of_host()
            .filter(|point| (from..=to).contains(&point.sample.minute))
            .for_each(|point| tally.add(point));
        tally
    };
    let (mut first, mut last) = listing.span.clone().into_inner();
    let rate = tally(first, last).rate();
    let refused = |from: i32, to: i32| {
        let part = tally(from, to);
        let minutes = of_host().filter(|point| is_refusal(point)).map(|point| point.sample.minute);
        let mut minutes = minutes.filter(|minute| (from..=to).contains(minute));
        let first = minutes.next()?;
        (part.refused >= SAME_RATE * rate * part.mail).then(|| (first, minutes.next_back().unwrap_or(first)))
    };
    while let Some((_, minute)) = AFTER.into_iter().find_map(|length| refused(last + 1, last + length)) {
        last = minute;
    }
    // Hardly any mail came since: nothing shows that it is over.
    let end = dataset.points.last().map_or(last, |point| point.sample.minute).max(last);
    if rate * tally(last + 1, end).mail < UNSEEN {
        last = end;
    }
    while let Some((minute, _)) = BEFORE.into_iter().find_map(|length| refused(first - length, first - 1)) {
        first = minute;
    }
    first..=last
}

/// The host that most of a storm is about. 0: none has most of it.
fn host(dataset: &Dataset, cluster: &Cluster) -> FactorValue {
    let top = dataset.profile(&cluster.members, cluster.flow).top(Dimension::Host);
    top.filter(|share| share.inside >= HOST_SHARE).map_or(0, |share| share.value)
}

/// Whether the point has this value. 0: any value is right.
fn is_of(point: &WeightedEvent, dimension: Dimension, value: FactorValue) -> bool {
    value == 0 || point.value(dimension) == value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Reason;
    use crate::collections::interner::Symbol;
    use crate::smtp::event::{Direction, Mta, Outcome};
    use crate::smtp::side::Side;
    use crate::storm::detect::living_time::LivingTime;
    use crate::storm::sample::block_sample::EventMarks;
    use crate::storm::sample::line_minutes::LineMinutes;
    use crate::storm::sample::samples::Sample;
    use crate::storm::sample::series::{CellKind, CountSeries};

    /// The last minute of the log, and the first one of the listing.
    const LAST: i32 = 1400;
    const LISTED: i32 = 420;

    fn point(minute: i32, sender: usize, domain: usize, is_refused: bool) -> WeightedEvent {
        let reason = is_refused.then_some(Reason::Blocklisted);
        let outcome = if is_refused { Outcome::Bounced } else { Outcome::Delivered };
        let series = CountSeries {
            direction: Direction::Outbound,
            outcome,
            class: None,
            code: None,
            enhanced: None,
            reason,
            provider: None,
        };
        let none = Symbol::OVERFLOW;
        let sample = Sample {
            minute,
            kind: CellKind::of(&series),
            series,
            hash: 0,
            message: 1,
            recipient: none,
            domain: Symbol::at(100 + domain),
            peer: none,
            sender: Symbol::at(sender),
            user: Symbol::at(sender),
            client: none,
            host: Symbol::at(99),
            instance: none,
            stage: None,
            cause: None,
            marks: EventMarks {
                side: Side::Internet,
                is_near: false,
                is_ours: false,
                is_own_fault: false,
                is_fresh: false,
            },
            is_older: false,
            is_open: false,
            mta: Mta::Postfix,
        };
        WeightedEvent {
            sample,
            provider: None,
            flow: MailFlow::Out,
            weight: 1.0,
            is_failure: is_refused,
            is_retry: false,
            is_unit: is_refused,
            kin: reason.and_then(Reason::kin),
        }
    }

    /// Eight senders write to 40 sites all day, of which each seventh refuses mail since the address is listed.
    fn listed() -> Vec<WeightedEvent> {
        let mail = (0..LAST * 2).map(|at| {
            let (minute, sender, domain) = (at / 2, 1 + at as usize % 8, at as usize * 31 % 40);
            point(minute, sender, domain, minute >= LISTED && domain % 7 == 0)
        });
        mail.collect()
    }

    /// The storms of the refusals of these senders, from minute 450 to 1200 as they are found one by one, after they were joined.
    fn joined(points: &[WeightedEvent], senders: &[usize]) -> Vec<Cluster> {
        let mut lines = LineMinutes::default();
        (0..=LAST).for_each(|minute| lines.add(minute));
        let dataset = Dataset::new(points, LivingTime::new(&lines, 0, LAST), true);
        let cluster = |&sender: &usize| {
            let members = points.iter().enumerate().filter(|(_, point)| {
                (450..=1200).contains(&point.sample.minute)
                    && point.is_failure
                    && point.value(Dimension::User) == sender as u64
            });
            Cluster {
                flow: MailFlow::Out,
                members: members.map(|(at, _)| at).collect(),
                first: 450,
                last: 1200,
                usual: UsualCount { per_minute: 0.01, is_by_day: false },
                score: 9.0,
                view: ViewKey {
                    flow: MailFlow::Out,
                    dimension: ViewDimension::User,
                    value: sender as u64,
                    kin: None,
                },
            }
        };
        join_listings(&dataset, senders.iter().map(cluster).collect())
    }

    #[test]
    fn refusals_of_the_mail_of_all_are_one_storm() {
        let points = listed();
        let storms = joined(&points, &[1, 2, 5]);
        let [storm] = storms.as_slice() else { panic!("{storms:#?}") };
        let all = points.iter().filter(|point| point.is_failure).count();
        assert_eq!(storm.view.dimension, ViewDimension::Kin);
        // The first minutes may be missing.
        assert!(all - storm.members.len() <= 3, "{} of {all}", storm.members.len());
        assert!(storm.first < LISTED + 15 && storm.last > LAST - 15, "{} - {}", storm.first, storm.last);
    }

    #[test]
    fn a_sender_whose_mail_rose_is_a_storm_of_its_own() {
        let mut points = listed();
        points.extend((0..750).map(|at| point(450 + at, 2, at as usize * 31 % 40, at % 7 == 0)));
        points.sort_by_key(|point| point.sample.minute);
        let storms = joined(&points, &[2]);
        assert_eq!(storms.len(), 1);
        assert_eq!(storms[0].view.dimension, ViewDimension::User);
    }

    #[test]
    fn a_sender_who_is_refused_alone_is_a_storm_of_its_own() {
        let mail = (0..LAST * 2).map(|at| {
            let (minute, sender, domain) = (at / 2, 1 + at as usize % 8, at as usize * 31 % 40);
            point(minute, sender, domain, minute >= LISTED && sender == 2)
        });
        let points: Vec<WeightedEvent> = mail.collect();
        let storms = joined(&points, &[2]);
        assert_eq!(storms.len(), 1);
        assert_eq!(storms[0].view.dimension, ViewDimension::User);
    }
}
