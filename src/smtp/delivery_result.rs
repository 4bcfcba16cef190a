//! Defines the results of the delivery attempts that totals count, and a value for each result.

use std::iter::Sum;
use std::ops::{AddAssign, Index, IndexMut};

use serde::{Deserialize, Serialize};
use strum::EnumCount;

use super::event::Outcome;

/// How a delivery attempt that is counted ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, EnumCount)]
pub enum DeliveryResult {
    Delivered,
    Deferred,
    Bounced,
    Expired,
}

impl DeliveryResult {
    /// None: the outcome is not the result of a delivery attempt that is counted.
    #[inline]
    pub fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Delivered => Some(Self::Delivered),
            Outcome::Deferred => Some(Self::Deferred),
            Outcome::Bounced => Some(Self::Bounced),
            Outcome::Expired => Some(Self::Expired),
            Outcome::Rejected
            | Outcome::Attempt
            | Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Probe => None,
        }
    }
}

/// One value for each result.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub struct ByResult<T>([T; DeliveryResult::COUNT]);

impl<T> Index<DeliveryResult> for ByResult<T> {
    type Output = T;

    fn index(&self, result: DeliveryResult) -> &T {
        &self.0[result as usize]
    }
}

impl<T> IndexMut<DeliveryResult> for ByResult<T> {
    fn index_mut(&mut self, result: DeliveryResult) -> &mut T {
        &mut self.0[result as usize]
    }
}

impl<T: AddAssign + Copy> AddAssign<&Self> for ByResult<T> {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, value)| *sum += value);
    }
}

impl<T: Copy> ByResult<T> {
    /// The values in the order of the results.
    pub(crate) fn values(&self) -> [T; DeliveryResult::COUNT] {
        self.0
    }

    pub(crate) fn of_values(values: [T; DeliveryResult::COUNT]) -> Self {
        Self(values)
    }
}

impl ByResult<u32> {
    pub const ZERO: Self = Self([0; DeliveryResult::COUNT]);

    /// `count` for the result, 0 for all others.
    pub fn of(result: DeliveryResult, count: u32) -> Self {
        let mut counts = Self::ZERO;
        counts[result] = count;
        counts
    }

    /// The sums of both; none exceeds `u32::MAX`.
    #[inline]
    pub fn saturating_add(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at].saturating_add(other.0[at])))
    }
}

impl<T: Copy> ByResult<T> {
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> ByResult<U> {
        ByResult(self.0.map(change))
    }

    pub fn sum<S: From<T> + Sum>(&self) -> S {
        self.0.iter().map(|&value| S::from(value)).sum()
    }
}
