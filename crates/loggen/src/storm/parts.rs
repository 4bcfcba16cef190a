//! Builds the parts that the storms of several files share: factors, drafts, surges, and replies of one failure.

use super::arrivals::{fading, hill, ramp, spread, step};
use super::condition::FailureTexts;
use super::flood::Surge;
use super::pattern::Pattern;
use super::reply::DeliveryFailure;
use super::rhythm::MINUTE;
use super::truth::{Draft, Factor};
use super::window::StormSpan;
use super::world::World;

pub(crate) fn factor(dimension: &'static str, value: impl Into<String>) -> Factor {
    Factor { dimension, value: value.into() }
}

pub(crate) fn draft(
    pattern: Pattern,
    variant: &'static str,
    window: StormSpan,
    factors: Vec<Factor>,
) -> Draft {
    Draft { pattern, variant, from: window.from, until: window.until, accepted: vec![pattern], factors }
}

/// Draws the rate and shape of a storm: at least 12 recipients in all, at most 14,000.
pub(crate) fn surge(world: &mut World, window: StormSpan, boost: f64, least: f64, most: f64) -> Surge {
    let minutes = (window.until - window.from) as f64 / MINUTE as f64;
    let strength = spread(&mut world.rng, least, most) * boost;
    let per_minute = strength.min(14_000. / minutes).max(12. / minutes).max(least);
    let shape = [step as fn(f64) -> f64, ramp, hill, fading][world.rng.weighted(&[50, 25, 15, 10])];
    Surge { from: window.from, until: window.until, per_minute, shape }
}

/// Draws two of the failures: one for most attempts and one for a few.
pub(crate) fn draw_texts<'a>(
    world: &mut World,
    fails: impl IntoIterator<Item = &'a DeliveryFailure>,
) -> FailureTexts {
    let mut fails: Vec<DeliveryFailure> = fails.into_iter().copied().collect();
    let by = world.rng.below(fails.len() as u64) as usize;
    fails.rotate_left(by);
    fails.truncate(2);
    FailureTexts::These(fails)
}

/// The host name as shown in the log.
pub(crate) fn host(world: &World) -> String {
    world.site.host.split('.').next().unwrap_or_default().to_owned()
}
