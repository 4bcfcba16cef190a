//! Builds a test case from a plan: the log and the storms that are in it.

use super::arrivals::spread;
use super::log::LogBuilder;
use super::normal;
use super::pattern::Pattern;
use super::plan::{Calm, CasePlan, Style};
use super::rhythm::{DAY, HOUR, MINUTE, Rhythm};
use super::site::Site;
use super::truth::{Draft, Truth, storm};
use super::window::StormSpan;
use super::world::World;
use super::{incoming, outgoing};
use crate::log::rng::Rng;
use crate::log::{Mta, Stamp};

pub struct StormCase {
    pub log: Vec<u8>,
    pub truth: Truth,
    /// The last second of the log.
    pub end: i64,
}

/// Attempts to make the storms of a plan strong enough to be detected.
const ATTEMPTS: usize = 10;

/// Builds the case; if a storm is too weak to be detected, it is drawn again with a higher rate. If no attempt makes it
/// detectable, the next pattern of [`Pattern::all`] takes its place. The same plan always gives the same case.
///
/// Panics if none of the patterns can be detected.
pub fn build(plan: &CasePlan) -> StormCase {
    let mut plan = plan.clone();
    for _ in Pattern::all() {
        match strengthened(&plan) {
            Ok(case) => return case,
            Err(number) => plan.replace(number),
        }
    }
    panic!("{}: {:?} cannot be detected", plan.name(), plan.storms)
}

/// The case with storms that can be detected, or the number of one that cannot.
fn strengthened(plan: &CasePlan) -> Result<StormCase, usize> {
    let mut plan = plan.clone();
    let mut weak = 0;
    for _ in 0..ATTEMPTS {
        match attempt(&plan) {
            Ok(case) => return Ok(case),
            Err(number) => weak = number,
        }
        plan.boost *= 1.9;
        // A failing service shows more in heavy traffic, additional mail shows more in light traffic.
        let is_state = plan.storms.iter().any(|pattern| pattern.least_traffic() > 1000);
        plan.messages_per_day = if is_state {
            (plan.messages_per_day * 5 / 4).min(60_000)
        } else {
            (plan.messages_per_day * 4 / 5).max(200)
        };
    }
    Err(weak)
}

/// The server of the plan, before any mail.
fn draw_world(plan: &CasePlan) -> World {
    let mut rng = Rng::new(plan.seed.wrapping_mul(0x9e37_79b9) ^ (plan.storms.len() as u64) << 40);
    let site = Site::draw(&mut rng, plan.messages_per_day, plan.style);
    let weekday = plan.start.weekday().to_monday_zero_offset() as u64;
    let rhythm = Rhythm::draw(&mut rng, plan.messages_per_day, weekday);
    let mut hosts = vec![site.host.split('.').next().unwrap_or_default().to_owned()];
    if plan.style == Style::Other && plan.stamp != Stamp::Exim && rng.chance(500) {
        hosts.push("mx3".to_owned());
    }
    let mut log = LogBuilder::new(plan.stamp, plan.start, plan.days, hosts);
    log.instance = (plan.style == Style::Other && rng.chance(400)).then_some("postfix-mx");
    let is_grey = plan.calm == Calm::Greylisting;
    World {
        mta: plan.mta,
        style: plan.style,
        greets_grey: is_grey || rng.chance(150),
        rng,
        log,
        site,
        rhythm,
        conditions: Vec::new(),
        troubles: Vec::new(),
        stops: Vec::new(),
        lulls: Vec::new(),
        pauses: Vec::new(),
        grey: if is_grey { 550 } else { 0 },
        count: plan.seed % 9973 * 41,
    }
}

/// Builds the case, or returns the number of the first storm that is too weak to be detected.
fn attempt(plan: &CasePlan) -> Result<StormCase, usize> {
    let mut world = draw_world(plan);
    let mut drafts: Vec<Draft> = Vec::new();
    for (number, &pattern) in plan.storms.iter().enumerate() {
        let window = window(&mut world, pattern, drafts.last());
        let draft = match pattern {
            Pattern::StolenAccount
            | Pattern::DeadList
            | Pattern::ListedIp
            | Pattern::ProviderOutage
            | Pattern::RateLimit
            | Pattern::OwnNetwork
            | Pattern::FullMailbox
            | Pattern::Loop => outgoing::add(&mut world, number, pattern, window, plan.boost),
            Pattern::Backscatter
            | Pattern::DiskFull
            | Pattern::Tls
            | Pattern::DictionaryAttack
            | Pattern::PasswordGuessing
            | Pattern::DeadDownstream
            | Pattern::Silence => incoming::add(&mut world, number, pattern, window, plan.boost),
        };
        drafts.push(draft);
    }
    normal::fill(&mut world, plan.calm, plan.messages_per_day);
    let storms = drafts
        .iter()
        .enumerate()
        .map(|(number, draft)| storm(&world.log, &world.rhythm, number, draft).ok_or(number))
        .collect::<Result<Vec<_>, usize>>()?;
    let end = world.log.second_of(world.end());
    let truth = Truth {
        name: plan.name(),
        seed: plan.seed,
        mta: match plan.mta {
            Mta::Postfix => "postfix".to_owned(),
            Mta::Exim => "exim".to_owned(),
        },
        days: plan.days,
        messages_per_day: plan.messages_per_day,
        calm: plan.calm,
        storms,
    };
    Ok(StormCase { log: world.log.into_bytes(), truth, end })
}

/// Draws when a storm lasts. Failing services and silences are put in busy hours, where they can be detected.
fn window(world: &mut World, pattern: Pattern, before: Option<&Draft>) -> StormSpan {
    let rng = &mut world.rng;
    let end = world.log.end();
    let (shortest, by_day) = match pattern {
        Pattern::Silence => (75. * MINUTE as f64, true),
        Pattern::ListedIp
        | Pattern::ProviderOutage
        | Pattern::OwnNetwork
        | Pattern::DiskFull
        | Pattern::Tls
        | Pattern::DeadDownstream => (12. * MINUTE as f64, true),
        Pattern::RateLimit => (12. * MINUTE as f64, false),
        Pattern::StolenAccount
        | Pattern::DeadList
        | Pattern::Backscatter
        | Pattern::FullMailbox
        | Pattern::DictionaryAttack
        | Pattern::PasswordGuessing
        | Pattern::Loop => (2. * MINUTE as f64, false),
    };
    let length = spread(rng, shortest, 6. * HOUR as f64) as u64;
    if pattern != Pattern::Silence && !by_day && rng.chance(130) {
        let begun = (length as f64 * spread(rng, 0.2, 1.)) as u64;
        return StormSpan { from: end - begun.max(8 * MINUTE), until: end + HOUR };
    }
    // In a third of the cases with two storms, they overlap.
    if let Some(before) = before.filter(|_| rng.chance(330)) {
        let from = before.from + rng.below(before.until.min(end) - before.from);
        return StormSpan { from, until: (from + length).min(end - MINUTE) };
    }
    let earliest = 3 * HOUR;
    for _ in 0..200 {
        let from = rng.between(earliest, end - length.min(end / 2));
        let hour = from % DAY / HOUR;
        let until = from + length;
        if until < end - 20 * MINUTE
            && (!by_day || (8..16).contains(&hour) && world.rhythm.share(from) > 0.045)
            && (pattern != Pattern::Silence || world.rhythm.in_hour(from) > 200.)
        {
            return StormSpan { from, until };
        }
    }
    let from = (end / DAY - 1) * DAY + 10 * HOUR;
    StormSpan { from, until: from + length.min(5 * HOUR) }
}
