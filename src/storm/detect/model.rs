//! Estimates what is usual in a log: clumps, ordinary shares and the number of windows of each dimension.

use std::cell::Cell;
use std::sync::OnceLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::clump::Clumps;
use super::evidence_table::Weigher;
use super::grid::{CriticalValues, Sensitivity, WindowCount};
use super::living_time::LivingTime;
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

/// The parts of the log that are left out, and the share without them.
type LastShare = (Option<(usize, usize)>, OrdinaryShare);

/// The ordinary share of one view.
pub(crate) struct ViewShare<'a> {
    /// `None`: the view has too little mail.
    own: Option<&'a PartShares>,
    /// The share is at least this.
    general: OrdinaryShare,
    /// The volume is that of a value, which may have its mail in the window alone, so the window is left out; all mail comes at
    /// all times.
    is_of_value: bool,
    living: &'a LivingTime,
    /// The first and the last part of the log that are left out for the last window, and the share without them: the next window
    /// often has the same.
    last: Cell<Option<LastShare>>,
}

impl ViewShare<'_> {
    /// The share by which a window is judged.
    pub(crate) fn for_window(&self, (from, to): (i32, i32)) -> OrdinaryShare {
        let parts = || (part_of(self.living, from), part_of(self.living, to - 1));
        let parts = self.is_of_value.then(parts);
        match self.last.get() {
            Some((last, share)) if last == parts => share,
            _ => {
                let own = self.own.and_then(|own| own.outside(parts));
                let share = own.unwrap_or_default().max(self.general);
                self.last.set(Some((parts, share)));
                share
            }
        }
    }
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

    /// The shares of a view in the parts of the log, from its own units alone. `None`: it has no volume.
    fn part_shares(&self, at: usize) -> Option<&PartShares> {
        let shares = |view: &View| {
            let volume = self.volumes.of(view.key)?;
            let is_usual = |at: &u32| self.known.get(*at as usize) != Some(&true);
            let mut units = Vec::new();
            let members = view.members.iter().copied().filter(is_usual);
            Weigher::new(self.source.table).weigh(members, &mut units);
            let sums = PartSums::of(&units, &self.source.dataset.living);
            Some(PartShares::new(&sums, volume, view.key.flow, &self.bounds))
        };
        let (view, known) = self.views.all.get(at).zip(self.own_shares.get(at))?;
        known.get_or_init(|| shares(view)).as_ref()
    }

    /// The ordinary share of a view, for all of its windows. `None`: there is no such view.
    pub(crate) fn share(&self, at: usize) -> Option<ViewShare<'_>> {
        let key = self.views.all.get(at)?.key;
        // A value with little mail of its own fails as often as all others.
        let general = match (key.flow, key.dimension) {
            (MailFlow::In, _) | (_, ViewDimension::Bounces) => OrdinaryShare::default(),
            (MailFlow::Out, _) => self.general_share(key.kin),
        };
        let is_of_value = key.flow == MailFlow::Out && key.dimension.of_values().is_some();
        let (own, living) = (self.part_shares(at), &self.source.dataset.living);
        Some(ViewShare { own, general, is_of_value, living, last: Cell::new(None) })
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
        let shares = self.general.get(&kin).and_then(|&at| self.part_shares(at));
        shares.and_then(|shares| shares.outside(None)).unwrap_or_default()
    }

    /// The critical values of a view's dimension.
    pub(crate) fn critical_values(&self, key: ViewKey) -> &CriticalValues {
        self.critical.get(&(key.flow, key.dimension)).unwrap_or(&self.default)
    }
}
