//! Estimates what is usual in a log: clumps, ordinary shares and the number of windows of each dimension.

use std::sync::OnceLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::evidence_table::Weigher;
use super::grid::{CriticalValues, Sensitivity, WindowCount};
use super::view::{ViewDimension, ViewKey};
use super::views::{View, ViewSource, Views};
use super::volume::{OrdinaryShare, PartSums, Volumes, part_bounds};
use crate::catalog::ReasonKin;
use crate::storm::sample::points::MailFlow;

/// What is usual in a log, as estimated without the events of known storms.
pub(crate) struct Model<'a> {
    source: &'a ViewSource<'a>,
    views: &'a Views,
    /// Events of storms that are known; they do not show what is usual. Empty: no storm is known.
    known: &'a [bool],
    pub volumes: Volumes<'a>,
    /// The first minutes of the parts of the log.
    bounds: Vec<i32>,
    /// The share of each view, in their order. Few are needed.
    own_shares: Vec<OnceLock<OrdinaryShare>>,
    /// The places of the views of all failed deliveries, and of those of each kin.
    general: HashMap<Option<ReasonKin>, usize, FixedState>,
    /// The critical values by dimension.
    critical: HashMap<(MailFlow, ViewDimension), CriticalValues, FixedState>,
    /// Those of a dimension without units.
    default: CriticalValues,
}

/// Bounces of mail that this server could not deliver, for each of its failures; a retry may bring a second one.
pub(crate) const BOUNCES_OF_FAILURE: f64 = 1.2;

impl<'a> Model<'a> {
    pub(crate) fn new(
        source: &'a ViewSource<'a>,
        views: &'a Views,
        known: &'a [bool],
        sensitivity: Sensitivity,
    ) -> Self {
        let is_general = |key: ViewKey| {
            key.flow == MailFlow::Out && matches!(key.dimension, ViewDimension::All | ViewDimension::Kin)
        };
        let general = views.all.iter().enumerate().filter(|(_, view)| is_general(view.key));
        Self {
            source,
            views,
            known,
            general: general.map(|(at, view)| (view.key.kin, at)).collect(),
            volumes: Volumes::new(source.dataset.points, views.all.iter().map(|view| view.key)),
            bounds: part_bounds(&source.dataset.living),
            own_shares: views.all.iter().map(|_| OnceLock::new()).collect(),
            critical: views
                .counts
                .iter()
                .map(|(of, count)| (*of, sensitivity.critical_values(*count)))
                .collect(),
            default: sensitivity.critical_values(WindowCount { units_a_month: 1.0, values: 1.0 }),
        }
    }

    /// The share of a view from its own units alone.
    fn own_share(&self, at: usize) -> OrdinaryShare {
        let share = |view: &View| {
            let Some(volume) = self.volumes.of(view.key) else { return OrdinaryShare::default() };
            let is_usual = |at: &u32| self.known.get(*at as usize) != Some(&true);
            let mut units = Vec::new();
            Weigher::new(self.source.table).weigh(view.members.iter().copied().filter(is_usual), &mut units);
            let sums = PartSums::of(&units, &self.source.dataset.living);
            OrdinaryShare::of(&sums, volume, view.key, &self.bounds)
        };
        let Some((view, known)) = self.views.all.get(at).zip(self.own_shares.get(at)) else {
            return OrdinaryShare::default();
        };
        *known.get_or_init(|| share(view))
    }

    /// The ordinary share of a view.
    pub(crate) fn share(&self, at: usize) -> OrdinaryShare {
        let Some(key) = self.views.all.get(at).map(|view| view.key) else { return OrdinaryShare::default() };
        // A value with little mail of its own fails as often as all others.
        let general = match (key.flow, key.dimension) {
            (MailFlow::In, _) | (_, ViewDimension::Bounces) => OrdinaryShare::default(),
            (MailFlow::Out, _) => self.general_share(key.kin),
        };
        self.own_share(at).max(general)
    }

    /// The share of all failed deliveries, or of those of a kin.
    fn general_share(&self, kin: Option<ReasonKin>) -> OrdinaryShare {
        self.general.get(&kin).map_or_else(OrdinaryShare::default, |&at| self.own_share(at))
    }

    /// The critical values of a view's dimension.
    pub(crate) fn critical_values(&self, key: ViewKey) -> &CriticalValues {
        self.critical.get(&(key.flow, key.dimension)).unwrap_or(&self.default)
    }

    /// The ordinary share of all failed deliveries.
    pub(crate) fn overall_share(&self) -> OrdinaryShare {
        self.general_share(None)
    }
}
