//! Groups the evidence of a log into views, one dimension at a time, and estimates what is usual in each.
//!
//! Most values, such as the recipients of single failures, have too little evidence for a storm. Their clusters still show
//! how failures clump, but they are not kept: the memory follows the values that are searched.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::clump::Clumps;
use super::dataset::Dataset;
use super::grid::{LEAST_WEIGHT, WindowCount, a_month};
use super::mail_loop::exchanges;
use super::view::{EvidenceUnit, Groups, INBOUND, Networks, OUTBOUND, ViewDimension, ViewKey, units};
use super::volume::PartSums;
use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// A view and its units.
pub(crate) struct View {
    pub key: ViewKey,
    /// Indices of events in the order of time.
    pub members: Vec<u32>,
    /// The evidence of each member, as long as no storm has any.
    pub weights: Vec<f64>,
    /// The parameter of its clumps, from the other views of its dimension.
    pub clump: f64,
    /// The units that show what is usual, by part of the log.
    pub usual: PartSums,
}

/// All views with enough evidence, in a fixed order.
#[derive(Default)]
pub(crate) struct Views {
    pub all: Vec<View>,
    /// The windows of each dimension.
    pub counts: HashMap<(MailFlow, ViewDimension), WindowCount, FixedState>,
}

/// What the views of one dimension have in common.
struct DimensionViews {
    flow: MailFlow,
    dimension: ViewDimension,
    views: Vec<View>,
    count: WindowCount,
    /// The clumps of all values together.
    clump: f64,
}

/// Where the views of a log come from.
pub(crate) struct ViewSource<'a> {
    pub dataset: &'a Dataset<'a>,
    pub networks: &'a Networks,
    pub groups: &'a Groups,
    /// The value of the null sender; 0: no event has it.
    pub null_sender: FactorValue,
}

impl ViewSource<'_> {
    /// `is_known` tells which events belong to storms that are known, which do not show what is usual; it is indexed like
    /// the events.
    pub(crate) fn views(&self, is_known: &[bool]) -> Views {
        let units = [MailFlow::Out, MailFlow::In].map(|flow| {
            let points = (0..).zip(self.dataset.points);
            let units = points.filter(|(_, point)| point.is_unit && point.flow == flow);
            units.map(|(at, _)| at).collect::<Vec<u32>>()
        });
        let [out, inbound] = &units;
        let out = OUTBOUND.par_iter().map(|of| (MailFlow::Out, *of, out));
        let all = out.chain(INBOUND.par_iter().map(|of| (MailFlow::In, *of, inbound)));
        let views = all.map(|(flow, dimension, units)| self.dimension((flow, dimension), units, is_known));
        let mut dimensions: Vec<DimensionViews> = views.collect();
        dimensions.push(self.special(ViewDimension::Bounces, self.bounces(), is_known));
        let exchanges = exchanges(self.dataset.points).into_iter().enumerate();
        let exchanges =
            exchanges.map(|(at, members)| (at as u64 + 1, members.into_iter().map(|at| at as u32).collect()));
        dimensions.push(self.special(ViewDimension::Exchange, exchanges.collect(), is_known));
        let domains = |flow| {
            let mut all = dimensions.iter();
            all.find(|of| of.flow == flow && of.dimension == ViewDimension::Domain).map_or(0.0, |of| of.clump)
        };
        let clumps = [domains(MailFlow::Out), domains(MailFlow::In)];
        let mut views = Views::default();
        for of in dimensions {
            if of.count.values > 0.0 {
                views.counts.insert((of.flow, of.dimension), of.count);
            }
            let [out, inbound] = clumps;
            let wide = if of.flow == MailFlow::Out { out } else { inbound };
            let is_wide = of.dimension.is_wide();
            views.all.extend(
                of.views
                    .into_iter()
                    .map(|view| View { clump: if is_wide { wide } else { view.clump }, ..view }),
            );
        }
        views.all.sort_unstable_by_key(|view| view.key);
        views
    }

    /// The bounces of the log, delivered or not.
    fn bounces(&self) -> Vec<(FactorValue, Vec<u32>)> {
        if self.null_sender == 0 {
            return Vec::new();
        }
        let is_bounce = |point: &WeightedEvent| {
            point.flow == MailFlow::Out
                && !point.is_retry
                && point.value(Dimension::Sender) == self.null_sender
                && (point.sample.series.is_served() || point.is_failure)
        };
        let points = (0..).zip(self.dataset.points);
        vec![(self.null_sender, points.filter(|(_, point)| is_bounce(point)).map(|(at, _)| at).collect())]
    }

    fn special(
        &self,
        dimension: ViewDimension,
        views: Vec<(FactorValue, Vec<u32>)>,
        is_known: &[bool],
    ) -> DimensionViews {
        let mut builder = self.builder(MailFlow::Out, dimension, is_known);
        for (value, members) in views {
            builder.add(value, None, &members);
        }
        builder.finish()
    }

    /// The views of a dimension. `units` are the indices of the evidence of its direction.
    fn dimension(
        &self,
        (flow, dimension): (MailFlow, ViewDimension),
        units: &[u32],
        is_known: &[bool],
    ) -> DimensionViews {
        let units = units.iter().filter_map(|&at| Some((at, self.dataset.points.get(at as usize)?)));
        let mut keyed: Vec<(FactorValue, Option<ReasonKin>, u32)> = Vec::new();
        keyed.extend(units.filter_map(|(at, point)| {
            let key = ViewKey::of(point, dimension, self.networks, self.null_sender)?;
            Some((key.value, key.kin, at))
        }));
        let mut keyed = by_value(keyed);
        let mut builder = self.builder(flow, dimension, is_known);
        let mut members: Vec<u32> = Vec::new();
        for of_value in keyed.chunk_by_mut(|a, b| a.0 == b.0) {
            if dimension.has_kin() {
                of_value.sort_unstable_by_key(|(_, kin, at)| (*kin, *at));
            }
            for view in of_value.chunk_by(|a, b| a.1 == b.1) {
                let Some(&(value, kin, _)) = view.first() else { continue };
                members.clear();
                members.extend(view.iter().map(|(_, _, at)| at));
                builder.add(value, kin, &members);
            }
        }
        builder.finish()
    }

    fn builder<'b>(
        &'b self,
        flow: MailFlow,
        dimension: ViewDimension,
        is_known: &'b [bool],
    ) -> DimensionBuilder<'b> {
        DimensionBuilder {
            source: self,
            is_known,
            flow,
            dimension,
            views: Vec::new(),
            clumps: Clumps::default(),
            values: 0.0,
            units: 0.0,
        }
    }
}

/// The weight that one independent unit stands for, at least 1 (effective sample size: Kish, "Survey sampling", 1965).
fn spread(units: &[EvidenceUnit]) -> f64 {
    let (weight, squares) = units.iter().fold((0.0, 0.0), |(weight, squares), unit| {
        (weight + unit.weight, squares + unit.weight * unit.weight)
    });
    (squares / f64::max(weight, 1e-9)).max(1.0)
}

/// Values from this one on are not indices of names, reasons or providers.
const INDEX_LIMIT: FactorValue = 1 << 20;

/// Sorts by value and keeps the order within a value: a counting sort, since nearly all values are small numbers.
fn by_value(keyed: Vec<(FactorValue, Option<ReasonKin>, u32)>) -> Vec<(FactorValue, Option<ReasonKin>, u32)> {
    let largest = keyed.iter().map(|(value, ..)| *value).max().unwrap_or_default();
    let mut sorted = keyed;
    if largest >= INDEX_LIMIT {
        sorted.sort_by_key(|(value, ..)| *value);
        return sorted;
    }
    let keyed = sorted.clone();
    let mut next = vec![0_u32; largest as usize + 2];
    for (value, ..) in &keyed {
        if let Some(count) = next.get_mut(*value as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in &mut next {
        sum += *count;
        *count = sum;
    }
    for entry in keyed {
        if let Some(next) = next.get_mut(entry.0 as usize)
            && let Some(place) = sorted.get_mut(*next as usize)
        {
            *place = entry;
            *next += 1;
        }
    }
    sorted
}

/// Builds the views of one dimension.
struct DimensionBuilder<'a> {
    source: &'a ViewSource<'a>,
    is_known: &'a [bool],
    flow: MailFlow,
    dimension: ViewDimension,
    views: Vec<View>,
    clumps: Clumps,
    values: f64,
    units: f64,
}

impl DimensionBuilder<'_> {
    /// Adds a view. Its members are in the order of time.
    fn add(&mut self, value: FactorValue, kin: Option<ReasonKin>, members: &[u32]) {
        let ViewSource { dataset, groups, .. } = self.source;
        self.values += 1.0;
        self.units += members.len() as f64;
        let is_known = |at: &u32| self.is_known.get(*at as usize) == Some(&true);
        // Most values have a single unit.
        if let [at] = members
            && let Some(point) = dataset.points.get(*at as usize)
            && point.weight < LEAST_WEIGHT
        {
            if !is_known(at) {
                let weight = if dataset.is_by_minute { point.weight } else { 1.0 };
                self.clumps.add_single((point.sample.minute, weight), &dataset.living);
            }
            return;
        }
        let all = units(dataset.points, groups, members);
        let has_known = members.iter().any(is_known);
        let weight: f64 = all.iter().map(|unit| unit.weight).sum();
        let is_kept = weight >= LEAST_WEIGHT;
        let of_all = if is_kept { all.iter().map(|unit| unit.weight).collect() } else { Vec::new() };
        let usual = if has_known {
            let usual: Vec<u32> = members.iter().copied().filter(|at| !is_known(at)).collect();
            units(dataset.points, groups, &usual)
        } else {
            all
        };
        // One event of a coarse sample stands for many, which is no clump.
        let spread = if dataset.is_by_minute { 1.0 } else { spread(&usual) };
        let weights: Vec<(i32, f64)> = usual.iter().map(|unit| (unit.minute, unit.weight / spread)).collect();
        self.clumps.add(&weights, &dataset.living, is_kept);
        if is_kept {
            let key = ViewKey { flow: self.flow, dimension: self.dimension, value, kin };
            let usual = PartSums::of(&usual, &dataset.living);
            let members = members.to_vec();
            self.views.push(View { key, members, weights: of_all, clump: 0.0, usual });
        }
    }

    fn finish(self) -> DimensionViews {
        let Self { flow, dimension, mut views, clumps, values, units, .. } = self;
        let clumps = clumps.finish();
        for (at, view) in views.iter_mut().enumerate() {
            view.clump = clumps.of_view(at);
        }
        let units_a_month = a_month(units, self.source.dataset.living.total());
        let count = WindowCount { units_a_month, values };
        DimensionViews { flow, dimension, views, count, clump: clumps.whole() }
    }
}
