//! Estimates what is usual in a log: clumps, ordinary shares and the number of windows of each dimension.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::curve::Curve;
use super::dataset::Dataset;
use super::grid::WindowCount;
use super::view::{ViewDimension, ViewKey};
use super::views::{View, Views};
use super::volume::{OrdinaryShare, Volumes, part_bounds};
use crate::catalog::ReasonKin;
use crate::storm::sample::points::{MailFlow, WeightedEvent};

/// What is usual in one view.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct UsualOfView {
    pub clump: f64,
    pub share: OrdinaryShare,
}

/// What is usual in a log, as estimated without the events of known storms.
pub(crate) struct Model {
    pub volumes: Volumes,
    /// One entry for each view, in their order.
    pub views: Vec<UsualOfView>,
    counts: HashMap<(MailFlow, ViewDimension), WindowCount, FixedState>,
    /// The share of all failures, and that of each kin.
    shares: HashMap<Option<ReasonKin>, OrdinaryShare, FixedState>,
}

/// Bounces of mail that this server could not deliver, for each of its failures; a retry may bring a second one.
pub(crate) const BOUNCES_OF_FAILURE: f64 = 1.2;

impl Model {
    pub(crate) fn new(dataset: &Dataset, views: &Views) -> Self {
        let bounds = part_bounds(&dataset.living);
        let keys: Vec<ViewKey> = views.all.iter().map(|view| view.key).collect();
        let volumes = Volumes::new(dataset.points, &keys);
        let own = |view: &View| -> OrdinaryShare {
            let Some(volume) = volumes.of(view.key) else { return OrdinaryShare::default() };
            OrdinaryShare::of(&view.usual, volume, view.key.flow, &bounds)
        };
        let own_shares: Vec<OrdinaryShare> = views.all.par_iter().map(own).collect();
        let is_general = |view: &View| {
            view.key.flow == MailFlow::Out
                && matches!(view.key.dimension, ViewDimension::All | ViewDimension::Kin)
        };
        let general = views.all.iter().zip(&own_shares).filter(|(view, _)| is_general(view));
        let shares: HashMap<Option<ReasonKin>, OrdinaryShare, FixedState> =
            general.map(|(view, share)| (view.key.kin, *share)).collect();
        let usual = |(view, share): (&View, OrdinaryShare)| {
            // A value with little mail of its own fails as often as all others.
            let general = match (view.key.flow, view.key.dimension) {
                (MailFlow::In, _) | (_, ViewDimension::Bounces) => OrdinaryShare::default(),
                (MailFlow::Out, _) => shares.get(&view.key.kin).copied().unwrap_or_default(),
            };
            UsualOfView { clump: view.clump, share: share.max(general) }
        };
        let of_views = views.all.iter().zip(own_shares).map(usual).collect();
        Self { volumes, views: of_views, counts: views.counts.clone(), shares }
    }

    /// The number of windows of a view's dimension.
    pub(crate) fn windows(&self, key: ViewKey) -> WindowCount {
        let none = WindowCount { units_a_month: 1.0, values: 1.0 };
        self.counts.get(&(key.flow, key.dimension)).copied().unwrap_or(none)
    }

    /// The ordinary share of all failed deliveries.
    pub(crate) fn overall_share(&self) -> OrdinaryShare {
        self.shares.get(&None).copied().unwrap_or_default()
    }
}

/// The bounced deliveries of the log.
pub(crate) fn bounced(points: &[WeightedEvent]) -> Curve {
    use crate::smtp::event::Outcome;
    let is_bounced = |point: &&WeightedEvent| {
        point.flow == MailFlow::Out && point.sample.series.outcome == Outcome::Bounced
    };
    Curve::new(points.iter().filter(is_bounced).map(|point| (point.sample.minute, point.weight)))
}
