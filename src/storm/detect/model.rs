//! Estimates what is usual in a log: clumps, ordinary shares and the number of windows of each dimension.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::clump::Clumps;
use super::curve::Curve;
use super::dataset::Dataset;
use super::grid::{WindowCount, a_month};
use super::view::{EvidenceUnit, ViewDimension, ViewKey, units};
use super::volume::{OrdinaryShare, Volumes};
use crate::catalog::ReasonKin;
use crate::storm::sample::points::{MailFlow, WeightedEvent};

/// A view and its units: indices of events in the order of time.
pub(crate) struct View {
    pub key: ViewKey,
    pub members: Vec<u32>,
}

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
    /// `is_known` tells which events belong to storms that are known; it is indexed like the events.
    pub(crate) fn new(dataset: &Dataset, views: &[View], is_known: &[bool]) -> Self {
        let is_usual = |at: &u32| is_known.get(*at as usize) != Some(&true);
        let usual: Vec<Vec<EvidenceUnit>> = views
            .iter()
            .map(|view| {
                let members: Vec<u32> = view.members.iter().copied().filter(is_usual).collect();
                units(dataset.points, &members)
            })
            .collect();
        let volumes = Volumes::new(dataset.points);
        let mut of_dimension: HashMap<(MailFlow, ViewDimension), Vec<usize>, FixedState> = HashMap::default();
        for (at, view) in views.iter().enumerate() {
            of_dimension.entry((view.key.flow, view.key.dimension)).or_default().push(at);
        }
        let mut model = Self {
            volumes,
            views: vec![UsualOfView::default(); views.len()],
            counts: HashMap::default(),
            shares: HashMap::default(),
        };
        model.estimate_clumps(dataset, views, &usual, &of_dimension);
        model.estimate_shares(dataset, views, &usual);
        model
    }

    fn estimate_clumps(
        &mut self,
        dataset: &Dataset,
        views: &[View],
        usual: &[Vec<EvidenceUnit>],
        of_dimension: &HashMap<(MailFlow, ViewDimension), Vec<usize>, FixedState>,
    ) {
        let weights = |at: &usize| -> Vec<(i32, f64)> {
            let units = usual.get(*at).map(Vec::as_slice).unwrap_or_default();
            units.iter().map(|unit| (unit.minute, unit.weight)).collect()
        };
        let mut clumps: HashMap<(MailFlow, ViewDimension), Clumps, FixedState> = HashMap::default();
        for (&key, members) in of_dimension {
            let series: Vec<Vec<(i32, f64)>> = members.iter().map(weights).collect();
            clumps.insert(key, Clumps::of(series.iter().map(Vec::as_slice), &dataset.living));
            let sum: f64 =
                members.iter().filter_map(|&at| views.get(at)).map(|view| view.members.len() as f64).sum();
            let count = WindowCount {
                units_a_month: a_month(sum, dataset.living.total()),
                values: members.len() as f64,
            };
            self.counts.insert(key, count);
        }
        let whole = |flow, dimension| clumps.get(&(flow, dimension)).map_or(0.0, Clumps::whole);
        for (&(flow, dimension), members) in of_dimension {
            let Some(own) = clumps.get(&(flow, dimension)) else { continue };
            for (place, &at) in members.iter().enumerate() {
                let clump =
                    if dimension.is_wide() { whole(flow, ViewDimension::Domain) } else { own.of_view(place) };
                if let Some(model) = self.views.get_mut(at) {
                    model.clump = clump;
                }
            }
        }
    }

    fn estimate_shares(&mut self, dataset: &Dataset, views: &[View], usual: &[Vec<EvidenceUnit>]) {
        let own = |at: usize, key: ViewKey| -> OrdinaryShare {
            let units = usual.get(at).map(Vec::as_slice).unwrap_or_default();
            let failures: Vec<(i32, f64, f64)> =
                units.iter().map(|unit| (unit.minute, unit.weight, unit.events)).collect();
            let volume = self.volumes.of(key);
            volume.map_or_else(OrdinaryShare::default, |volume| {
                OrdinaryShare::of(&failures, volume, key.flow, &dataset.living)
            })
        };
        let shares: Vec<OrdinaryShare> =
            views.iter().enumerate().map(|(at, view)| own(at, view.key)).collect();
        for (view, share) in views.iter().zip(&shares) {
            if view.key.flow == MailFlow::Out
                && matches!(view.key.dimension, ViewDimension::All | ViewDimension::Kin)
            {
                self.shares.insert(view.key.kin, *share);
            }
        }
        for ((view, share), model) in views.iter().zip(shares).zip(&mut self.views) {
            // A value with little mail of its own fails as often as all others.
            let general = match (view.key.flow, view.key.dimension) {
                (MailFlow::In, _) | (_, ViewDimension::Bounces) => OrdinaryShare::default(),
                (MailFlow::Out, _) => self.shares.get(&view.key.kin).copied().unwrap_or_default(),
            };
            model.share = share.max(general);
        }
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
    let is_bounced =
        |point: &&WeightedEvent| point.flow == MailFlow::Out && point.series.outcome == Outcome::Bounced;
    Curve::new(points.iter().filter(is_bounced).map(|point| (point.sample.minute, point.weight)))
}
