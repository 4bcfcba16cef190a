//! Groups the evidence of a log into views, one dimension at a time, and estimates what is usual in each.
//!
//! Most values, such as the recipients of single failures, have too little evidence for a storm. Their clusters still show
//! how failures clump, but they are not kept: the memory follows the values that are searched.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use super::clump::Clumps;
use super::dataset::{Dataset, spread};
use super::evidence_table::{EvidenceTable, EvidenceUnit, Weigher};
use super::grid::{LEAST_WEIGHT, WindowCount, a_month};
use super::mail_loop::exchanges;
use super::view::{INBOUND, Networks, OUTBOUND, ViewDimension, ViewKey};
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
}

/// All views with enough evidence, in a fixed order.
#[derive(Default)]
pub(crate) struct Views {
    /// In the order of their keys.
    pub all: Vec<View>,
    /// The windows of each dimension.
    pub counts: HashMap<(MailFlow, ViewDimension), WindowCount, FixedState>,
}

impl Views {
    /// The place of a view. `None`: it has too little evidence.
    pub(crate) fn find(&self, key: ViewKey) -> Option<usize> {
        self.all.binary_search_by_key(&key, |view| view.key).ok()
    }
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
    pub table: &'a EvidenceTable,
    /// The value of the null sender; 0: no event has it.
    pub null_sender: FactorValue,
    out: FlowUnits,
    inbound: FlowUnits,
}

/// The evidence of one direction.
struct FlowUnits {
    flow: MailFlow,
    dimensions: &'static [ViewDimension],
    /// Indices of events.
    units: Vec<u32>,
    /// The values of the units in each dimension, as indices. 0: it has none.
    columns: Vec<(ViewDimension, Vec<u32>)>,
    /// Indices of `units`, sorted by the kin of the reason.
    by_kin: Vec<u32>,
}

impl FlowUnits {
    fn new(
        points: &[WeightedEvent],
        (flow, dimensions): (MailFlow, &'static [ViewDimension]),
        networks: &Networks,
        null_sender: FactorValue,
    ) -> Self {
        let own = (0..).zip(points).filter(|(_, point)| point.is_unit && point.flow == flow);
        let units: Vec<u32> = own.map(|(at, _)| at).collect();
        let distinct = dimensions.iter().filter(|dimension| dimension.without_kin() == **dimension);
        let mut columns: Vec<(ViewDimension, Vec<u32>)> =
            distinct.map(|dimension| (*dimension, vec![0; units.len()])).collect();
        let mut kins: Vec<u32> = vec![0; units.len()];
        for (unit, kin) in kins.iter_mut().enumerate() {
            let Some(point) = units.get(unit).and_then(|&at| points.get(at as usize)) else { continue };
            for (dimension, column) in &mut columns {
                if let Some(value) = column.get_mut(unit) {
                    *value = dimension.index_of(point, networks, null_sender);
                }
            }
            *kin = point.kin.map_or(0, |kin| kin as u32 + 1);
        }
        if flow == MailFlow::Out {
            let is_again = still_full(points);
            let again = |unit: &u32| is_again.contains(unit);
            for (_, column) in columns.iter_mut().filter(|(of, _)| *of != ViewDimension::Recipient) {
                let values = column.iter_mut().zip(&units);
                values.filter(|(_, unit)| again(unit)).for_each(|(value, _)| *value = 0);
            }
        }
        let by_kin = ByValue::new(&kins, 0..units.len() as u32, |at| at).sorted;
        Self { flow, dimensions, units, columns, by_kin }
    }

    fn column(&self, dimension: ViewDimension) -> &[u32] {
        let mut columns = self.columns.iter();
        columns.find(|(of, _)| *of == dimension.without_kin()).map_or(&[], |(_, column)| column)
    }
}

/// The indices of failures whose mailbox was full already when the message before it failed: a full mailbox is one piece of
/// evidence, however much mail it gets. That matters to the view of the mailbox alone.
fn still_full(points: &[WeightedEvent]) -> HashSet<u32, FixedState> {
    let mut full: HashSet<FactorValue, FixedState> = HashSet::default();
    let mut again: HashSet<u32, FixedState> = HashSet::default();
    for (at, point) in (0..).zip(points).filter(|(_, point)| point.flow == MailFlow::Out) {
        let recipient = point.value(Dimension::Recipient);
        if point.sample.series.is_served() {
            full.remove(&recipient);
        } else if point.is_unit
            && point.kin == Some(ReasonKin::FullMailbox)
            && recipient != 0
            && !full.insert(recipient)
        {
            again.insert(at);
        }
    }
    again
}

/// Events sorted by value, and by the order they had within a value: a counting sort, since values are small numbers.
struct ByValue {
    sorted: Vec<u32>,
    /// The end of each value in `sorted`.
    ends: Vec<u32>,
}

impl ByValue {
    /// `order` are indices of `values`; `entry` is what is kept of one.
    fn new(values: &[u32], order: impl Iterator<Item = u32>, entry: impl Fn(u32) -> u32) -> Self {
        let largest = values.iter().max().copied().unwrap_or_default();
        let mut ends = vec![0_u32; largest as usize + 2];
        for &value in values {
            if let Some(count) = ends.get_mut(value as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut ends {
            sum += *count;
            *count = sum;
        }
        let mut sorted = vec![0; values.len()];
        for at in order {
            if let Some(next) = values.get(at as usize).and_then(|&value| ends.get_mut(value as usize))
                && let Some(place) = sorted.get_mut(*next as usize)
            {
                *place = entry(at);
                *next += 1;
            }
        }
        Self { sorted, ends }
    }

    /// The values that some event has, from 1 on, and the events.
    fn values(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let ends = (1..).zip(self.ends.windows(2));
        ends.filter_map(|(value, ends)| {
            let [start, end] = ends else { return None };
            if start == end { None } else { Some((value, self.sorted.get(*start as usize..*end as usize)?)) }
        })
    }
}

impl<'a> ViewSource<'a> {
    pub(crate) fn new(
        dataset: &'a Dataset<'a>,
        networks: &'a Networks,
        table: &'a EvidenceTable,
        null_sender: FactorValue,
    ) -> Self {
        let units = |of| FlowUnits::new(dataset.points, of, networks, null_sender);
        let (out, inbound) = (units((MailFlow::Out, &OUTBOUND)), units((MailFlow::In, &INBOUND)));
        Self { dataset, networks, table, null_sender, out, inbound }
    }

    /// `is_known` tells which events belong to storms that are known, which do not show what is usual; it is indexed like
    /// the events. Empty: no storm is known.
    pub(crate) fn views(&self, is_known: &[bool]) -> Views {
        let out = self.out.dimensions.par_iter().map(|dimension| (&self.out, *dimension));
        let all = out.chain(self.inbound.dimensions.par_iter().map(|dimension| (&self.inbound, *dimension)));
        let views = all.map(|(units, dimension)| self.dimension(units, dimension, is_known));
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
        // The views of a dimension are already sorted by value and kin.
        dimensions.sort_unstable_by_key(|of| (of.flow, of.dimension));
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
        let mut builder = self.builder(MailFlow::Out, dimension, 0, is_known);
        for (value, members) in views {
            builder.add(value, None, &members);
        }
        builder.finish()
    }

    /// The views of a dimension.
    fn dimension(&self, of_flow: &FlowUnits, dimension: ViewDimension, is_known: &[bool]) -> DimensionViews {
        let (FlowUnits { flow, units, by_kin, .. }, values) = (of_flow, of_flow.column(dimension));
        let mut builder = self.builder(*flow, dimension, units.len(), is_known);
        let unit = |at: u32| units.get(at as usize).copied().unwrap_or_default();
        let is_network = dimension == ViewDimension::Network;
        let value =
            |index: u32| if is_network { self.networks.value(index) } else { FactorValue::from(index) };
        if dimension.has_kin() {
            let kin = |at: &u32| self.table.row(*at).and_then(|row| row.kin);
            for (index, members) in ByValue::new(values, by_kin.iter().copied(), unit).values() {
                for view in members.chunk_by(|a, b| kin(a) == kin(b)) {
                    let Some(kin) = view.first().and_then(kin) else { continue };
                    builder.add(value(index), Some(kin), view);
                }
            }
        } else {
            for (index, members) in ByValue::new(values, 0..units.len() as u32, unit).values() {
                builder.add(value(index), None, members);
            }
        }
        builder.finish()
    }

    fn builder<'b>(
        &'b self,
        flow: MailFlow,
        dimension: ViewDimension,
        units: usize,
        is_known: &'b [bool],
    ) -> DimensionBuilder<'b> {
        DimensionBuilder {
            source: self,
            is_known,
            flow,
            dimension,
            views: Vec::new(),
            clumps: Clumps::of(units),
            values: 0.0,
            units: 0.0,
            weigher: Weigher::new(self.table),
            scratch: Vec::new(),
            weights: Vec::new(),
        }
    }
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
    weigher: Weigher<'a>,
    /// The units of the view that is being added, and their minutes and weights for the clumps.
    scratch: Vec<EvidenceUnit>,
    weights: Vec<(i32, f64)>,
}

impl DimensionBuilder<'_> {
    /// Adds a view. Its members are in the order of time.
    fn add(&mut self, value: FactorValue, kin: Option<ReasonKin>, members: &[u32]) {
        let ViewSource { dataset, table, .. } = self.source;
        self.values += 1.0;
        self.units += members.len() as f64;
        let is_known = |at: &u32| self.is_known.get(*at as usize) == Some(&true);
        // Most values have a single unit.
        if let [at] = members
            && let Some(row) = table.row(*at)
            && (row.weight < LEAST_WEIGHT || !dataset.is_by_minute)
        {
            if !is_known(at) {
                let weight = if dataset.is_by_minute { row.weight } else { 1.0 };
                self.clumps.add_single((row.minute, weight), &dataset.living);
            }
            return;
        }
        let units = &mut self.scratch;
        self.weigher.weigh(members.iter().copied(), units);
        let weight: f64 = units.iter().map(|unit| unit.weight).sum();
        let is_kept = weight >= LEAST_WEIGHT * dataset.spread(units);
        if is_kept {
            let key = ViewKey { flow: self.flow, dimension: self.dimension, value, kin };
            let weights = units.iter().map(|unit| unit.weight).collect();
            self.views.push(View { key, members: members.to_vec(), weights, clump: 0.0 });
        }
        if !self.is_known.is_empty() && members.iter().any(is_known) {
            self.weigher.weigh(members.iter().copied().filter(|at| !is_known(at)), units);
        }
        // One event of a thinned kind stands for many, which is no clump.
        let spread = if self.dimension.is_of_deliveries() { spread(units) } else { dataset.spread(units) };
        self.weights.clear();
        self.weights.extend(units.iter().map(|unit| (unit.minute, unit.weight / spread)));
        self.clumps.add(&self.weights, &dataset.living, is_kept);
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
