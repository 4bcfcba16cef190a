//! Indexes the points of a log for detection, and computes profiles and volumes of subsets of them.

use super::expected_rate::{ExpectedRate, Hours, weights};
use super::profile::{Background, Profile};
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// A storm as a set of points.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub flow: MailFlow,
    /// Indices of its points, in ascending order.
    pub members: Vec<usize>,
    /// The first and the last minute, since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    /// The usual rate of the view that it was found in.
    pub usual: ExpectedRate,
    /// The log likelihood ratio of its burst, in nats.
    pub score: f64,
    /// The view that it was found in. `None`: all failures.
    pub view: Option<(Dimension, FactorValue)>,
}

/// All points of a log, with what detection needs of them repeatedly.
pub(crate) struct Dataset<'p> {
    pub points: &'p [WeightedEvent],
    pub hours: Hours,
    backgrounds: [Background; 2],
    /// Indices of the deliveries, outbound and inbound.
    served: [Vec<usize>; 2],
}

impl<'p> Dataset<'p> {
    /// `first` and `last` are the minutes of the log.
    pub(crate) fn new(points: &'p [WeightedEvent], first: i32, last: i32) -> Self {
        let served = [MailFlow::Out, MailFlow::In].map(|flow| {
            let is_delivery =
                |at: &usize| points.get(*at).is_some_and(|p| p.flow == flow && p.series.is_served());
            (0..points.len()).filter(is_delivery).collect::<Vec<usize>>()
        });
        let deliveries = points.iter().filter(|point| point.series.is_served());
        let hours = Hours::new(first, last, deliveries.map(|point| (point.sample.minute, point.weight)));
        Self {
            points,
            hours,
            backgrounds: [MailFlow::Out, MailFlow::In].map(|flow| Background::new(points, flow)),
            served,
        }
    }

    pub(crate) fn profile(&self, members: &[usize], flow: MailFlow) -> Profile {
        let points = members.iter().filter_map(|&at| self.points.get(at));
        Profile::new(points, self.background(flow))
    }

    fn background(&self, flow: MailFlow) -> &Background {
        let [out, inbound] = &self.backgrounds;
        match flow {
            MailFlow::Out => out,
            MailFlow::In => inbound,
        }
    }

    fn served(&self, flow: MailFlow) -> &[usize] {
        let [out, inbound] = &self.served;
        match flow {
            MailFlow::Out => out,
            MailFlow::In => inbound,
        }
    }

    /// The number of deliveries from minute `first` to `last`, of one value or of all.
    pub(crate) fn volume(
        &self,
        flow: MailFlow,
        view: Option<(Dimension, FactorValue)>,
        first: i32,
        last: i32,
    ) -> f64 {
        let served = self.served(flow);
        let minute = |at: &usize| self.points.get(*at).map_or(0, |point| point.sample.minute);
        let from = served.partition_point(|at| minute(at) < first);
        let to = served.partition_point(|at| minute(at) <= last);
        let inside = served.get(from..to).unwrap_or_default().iter().filter_map(|&at| self.points.get(at));
        let of_view =
            |point: &&WeightedEvent| view.is_none_or(|(dimension, value)| point.value(dimension) == value);
        inside.filter(of_view).map(|point| point.weight).sum()
    }

    /// Minutes and weights of these points, without retries.
    pub(crate) fn weights(&self, members: &[usize]) -> Vec<(i32, f64)> {
        weights(members.iter().filter_map(|&at| self.points.get(at)))
    }
}
