//! Estimates what is usual in a log: clumps, ordinary shares and the number of windows of each dimension.

use std::sync::OnceLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::clump::Clumps;
use super::evidence_table::Weigher;
use super::grid::{CriticalValues, Sensitivity, WindowCount};
use super::view::{ViewDimension, ViewKey};
use super::views::{View, ViewSource, Views};
use super::volume::{OrdinaryShare, PartShares, PartSums, Volumes, part_bounds, part_of};
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
    /// The shares of each view in the parts of the log, in the order of the views. Few are needed.
    own_shares: Vec<OnceLock<Option<PartShares>>>,
    /// The places of the views of all failed deliveries, and of those of each kin.
    general: HashMap<Option<ReasonKin>, usize, FixedState>,
    /// The clump of the mail that one recipient gets. Few logs need it.
    mail_clump: OnceLock<f64>,
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
            volumes: Volumes::new(source.dataset.points, views.all.iter().map(|view| view.key), known),
            bounds: part_bounds(&source.dataset.living),
            own_shares: views.all.iter().map(|_| OnceLock::new()).collect(),
            mail_clump: OnceLock::new(),
            critical: views
                .counts
                .iter()
                .map(|(of, count)| (*of, sensitivity.critical_values(*count)))
                .collect(),
            default: sensitivity.critical_values(WindowCount { units_a_month: 1.0, values: 1.0 }),
        }
    }

    /// The share of a view from its own units alone. 0: it has too little mail.
    fn own_share(&self, at: usize, window: Option<(i32, i32)>) -> OrdinaryShare {
        let shares = |view: &View| {
            let volume = self.volumes.of(view.key)?;
            let is_usual = |at: &u32| self.known.get(*at as usize) != Some(&true);
            let mut units = Vec::new();
            let members = view.members.iter().copied().filter(is_usual);
            Weigher::new(self.source.table).weigh(members, &mut units);
            let sums = PartSums::of(&units, &self.source.dataset.living);
            Some(PartShares::new(&sums, volume, view.key.flow, &self.bounds))
        };
        let parts = self.views.all.get(at).zip(self.own_shares.get(at));
        let parts = parts.and_then(|(view, known)| known.get_or_init(|| shares(view)).as_ref());
        let living = &self.source.dataset.living;
        let window = window.map(|(from, to)| (part_of(living, from), part_of(living, to - 1)));
        parts.and_then(|parts| parts.outside(window)).unwrap_or_default()
    }

    /// The ordinary share of a view. The window is left out if the volume is that of a value, which may have its mail in the window
    /// alone; all mail comes at all times.
    pub(crate) fn share(&self, at: usize, window: (i32, i32)) -> OrdinaryShare {
        let Some(key) = self.views.all.get(at).map(|view| view.key) else { return OrdinaryShare::default() };
        // A value with little mail of its own fails as often as all others.
        let general = match (key.flow, key.dimension) {
            (MailFlow::In, _) | (_, ViewDimension::Bounces) => OrdinaryShare::default(),
            (MailFlow::Out, _) => self.general_share(key.kin),
        };
        let is_of_value = key.flow == MailFlow::Out && key.dimension.of_values().is_some();
        self.own_share(at, is_of_value.then_some(window)).max(general)
    }

    /// How strongly the mail for one recipient comes in clumps. Each event of the sample counts once, however many it stands for:
    /// thinning makes no clumps.
    pub(crate) fn mail_clump(&self) -> f64 {
        *self.mail_clump.get_or_init(|| {
            let mut clumps = Clumps::default();
            for minutes in self.volumes.by_recipient() {
                let mail: Vec<(i32, f64)> = minutes.into_iter().map(|minute| (minute, 1.0)).collect();
                clumps.add(&mail, &self.source.dataset.living, false);
            }
            clumps.finish().whole()
        })
    }

    /// The share of all failed deliveries, or of those of a kin.
    pub(crate) fn general_share(&self, kin: Option<ReasonKin>) -> OrdinaryShare {
        self.general.get(&kin).map_or_else(OrdinaryShare::default, |&at| self.own_share(at, None))
    }

    /// The critical values of a view's dimension.
    pub(crate) fn critical_values(&self, key: ViewKey) -> &CriticalValues {
        self.critical.get(&(key.flow, key.dimension)).unwrap_or(&self.default)
    }
}
