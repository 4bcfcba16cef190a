//! Chooses the advice of a storm: that of the catalogue on its reason and cause, unless the pattern says more.

use std::collections::BTreeMap;

use crate::catalog::provider::Providers;
use crate::catalog::{AdviceId, Cause, Fate, Reason, Situation, StormRow, find_advice};
use crate::report::storm::StormPattern;
use crate::smtp::event::{Direction, Mta};
use crate::smtp::side::Side;
use crate::storm::sample::points::WeightedEvent;

/// A cause speaks for a storm if it has this share of it.
const MAIN_SHARE: f64 = 0.5;

/// What most of a storm's events have in common, as far as advice depends on it.
type CommonSituation = (Reason, Option<Cause>, Direction, Side, Fate);

/// What the advice of a pattern follows from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AdviceSource {
    /// The failures are symptoms: the pattern alone says what to do.
    Pattern,
    /// The pattern says more than the reason, but less than the cause.
    Cause,
    /// The failures are the trouble itself.
    Reason,
}

fn source(pattern: StormPattern) -> AdviceSource {
    match pattern {
        StormPattern::StolenAccount
        | StormPattern::DeadList
        | StormPattern::Backscatter
        | StormPattern::DictionaryAttack
        | StormPattern::PasswordGuessing
        | StormPattern::Silence
        | StormPattern::Greylisting => AdviceSource::Pattern,
        StormPattern::ProviderOutage
        | StormPattern::RelayhostDown
        | StormPattern::OwnNetwork
        | StormPattern::DeadDownstream
        | StormPattern::FullMailbox
        | StormPattern::Loop => AdviceSource::Cause,
        StormPattern::ListedIp
        | StormPattern::RateLimit
        | StormPattern::DiskFull
        | StormPattern::Tls
        | StormPattern::AuthenticationBroken
        | StormPattern::Reputation
        | StormPattern::Unknown => AdviceSource::Reason,
    }
}

/// The advice in one line. `texts` are those of the pattern.
pub(crate) fn advice(
    texts: &StormRow,
    pattern: StormPattern,
    members: &[&WeightedEvent],
    mta: Mta,
    providers: &Providers,
) -> String {
    by_catalog(pattern, members, mta, providers).unwrap_or_else(|| texts.advice.clone())
}

/// The catalogue's advice. `None`: the pattern says more.
fn by_catalog(
    pattern: StormPattern,
    members: &[&WeightedEvent],
    mta: Mta,
    providers: &Providers,
) -> Option<String> {
    let source = source(pattern);
    if source == AdviceSource::Pattern {
        return None;
    }
    let (reason, cause, direction, side, fate) = common(members)?;
    let provider = members.iter().find_map(|point| providers.row(point.provider?));
    let situation = Situation {
        reason,
        cause,
        direction,
        side,
        fate,
        provider: provider.filter(|_| source == AdviceSource::Reason).map(|row| row.id.as_str()),
    };
    let row = find_advice(&situation).map(AdviceId::row)?;
    if source == AdviceSource::Cause && row.cause.is_empty() {
        return None;
    }
    let line = row.for_mta(mta, fate).line;
    (!line.is_empty()).then_some(line)
}

/// The situation of most events. Without a common cause it is that of the reason alone. `None`: no reason has most of them.
fn common(members: &[&WeightedEvent]) -> Option<CommonSituation> {
    let whole: f64 = members.iter().map(|point| point.weight).sum();
    let mut sums: BTreeMap<CommonSituation, f64> = BTreeMap::new();
    let mut reasons: BTreeMap<CommonSituation, f64> = BTreeMap::new();
    for point in members {
        let series = point.sample.series;
        let Some(reason) = series.reason else { continue };
        let fate = Fate::of(series.direction, series.class, Some(series.outcome), None);
        let (cause, side) = (point.sample.cause, point.sample.marks.side);
        *sums.entry((reason, cause, series.direction, side, fate)).or_default() += point.weight;
        *reasons.entry((reason, None, series.direction, side, fate)).or_default() += point.weight;
    }
    let most = |sums: BTreeMap<CommonSituation, f64>| {
        let most = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (most.1 >= MAIN_SHARE * whole).then_some(most.0)
    };
    most(sums).or_else(|| most(reasons))
}
