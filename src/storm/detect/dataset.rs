//! All points and what is asked of them again and again: shares, volumes, and sets of points that are storms.

use super::expected_rate::{ExpectedRate, Hours, weights};
use super::profile::{Background, Profile};
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// A storm as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub way: MailFlow,
    /// Of the points, in their order.
    pub members: Vec<usize>,
    pub first: i32,
    pub last: i32,
    /// Of the view it was found in.
    pub usual: ExpectedRate,
    pub score: f64,
    /// By what it was found. None: all failures.
    pub view: Option<(Dimension, FactorValue)>,
}

/// What is asked of all the points again and again.
pub(crate) struct Dataset<'p> {
    pub points: &'p [WeightedEvent],
    pub hours: Hours,
    pub backgrounds: [Background; 2],
    served: [Vec<usize>; 2],
}

impl<'p> Dataset<'p> {
    /// `first` and `last` are the minutes of the log.
    pub(crate) fn new(points: &'p [WeightedEvent], first: i32, last: i32) -> Self {
        let served = [MailFlow::Out, MailFlow::In].map(|way| {
            let went_well =
                |at: &usize| points.get(*at).is_some_and(|p| p.way == way && p.series.is_served());
            (0..points.len()).filter(went_well).collect::<Vec<usize>>()
        });
        let went_well = points.iter().filter(|point| point.series.is_served());
        let hours = Hours::new(first, last, went_well.map(|point| (point.sample.minute, point.weight)));
        Self {
            points,
            hours,
            backgrounds: [MailFlow::Out, MailFlow::In].map(|way| Background::new(points, way)),
            served,
        }
    }

    pub(crate) fn look(&self, members: &[usize], way: MailFlow) -> Profile {
        let points = members.iter().filter_map(|&at| self.points.get(at));
        Profile::new(points, self.background(way))
    }

    pub(crate) fn background(&self, way: MailFlow) -> &Background {
        let [out, inbound] = &self.backgrounds;
        match way {
            MailFlow::Out => out,
            MailFlow::In => inbound,
        }
    }

    fn served(&self, way: MailFlow) -> &[usize] {
        let [out, inbound] = &self.served;
        match way {
            MailFlow::Out => out,
            MailFlow::In => inbound,
        }
    }

    /// Mail that went well in a span of time, of one value or of all.
    pub(crate) fn volume(
        &self,
        way: MailFlow,
        view: Option<(Dimension, FactorValue)>,
        first: i32,
        last: i32,
    ) -> f64 {
        let served = self.served(way);
        let minute = |at: &usize| self.points.get(*at).map_or(0, |point| point.sample.minute);
        let from = served.partition_point(|at| minute(at) < first);
        let to = served.partition_point(|at| minute(at) <= last);
        let inside = served.get(from..to).unwrap_or_default().iter().filter_map(|&at| self.points.get(at));
        let of_view =
            |point: &&WeightedEvent| view.is_none_or(|(dimension, value)| point.value(dimension) == value);
        inside.filter(of_view).map(|point| point.weight).sum()
    }

    pub(crate) fn weights(&self, members: &[usize]) -> Vec<(i32, f64)> {
        weights(members.iter().filter_map(|&at| self.points.get(at)))
    }
}
