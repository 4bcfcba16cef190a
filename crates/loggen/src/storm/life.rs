//! Simulates one message from submission to its final state or the end of the log.

use super::arrivals::wait;
use super::condition::Trouble;
use super::failures::{REFUSED, TIMED_OUT};
use super::flow::{DeliveryAttempt, Mail, MailOrigin, Recipient};
use super::place::Flavor;
use super::reply::DeliveryFailure;
use super::rhythm::{DAY, HOUR, MINUTE, SECOND};
use super::text_kind::TextKind;
use super::texts::texts;
use super::world::World;
use super::{exim, exim_delivery, exim_refusal, postfix, postfix_delivery, refusal};
use crate::log::Mta;

/// Result of the deliveries to a recipient when no condition applies.
#[derive(Clone, Copy)]
enum Luck {
    Good,
    /// Fails until this time.
    Bad(DeliveryFailure, u64),
}

/// A recipient that is not delivered yet.
struct UndeliveredRecipient {
    recipient: Recipient,
    luck: Luck,
}

pub(crate) fn play(world: &mut World, at: u64, message: &Mail) {
    let before = world.log.host;
    world.log.choose_host(message.salt);
    if let Some(at) = submit(world, at, message) {
        deliver(world, at, message, 0);
    }
    world.log.host = before;
}

/// Adds the messages that are queued when the log begins, all to dead destinations.
pub(crate) fn fill_queue(world: &mut World, messages_per_day: u64) {
    let is_dead =
        |world: &World, place: usize| world.site.places.get(place).is_some_and(|place| place.is_dead);
    for _ in 0..messages_per_day * 4 {
        let place = world.site.some_place(&mut world.rng);
        if !is_dead(world, place) {
            continue;
        }
        let age = world.rng.below(5 * DAY);
        let (from, number) = (world.our_address().address, world.rng.below(25_000));
        let to = Recipient { address: world.site.correspondent(place, number), place: Some(place) };
        let wait = retry_wait(world, age);
        let first = world.rng.below(wait);
        let message = world.message(first, from, vec![to], MailOrigin::Program);
        world.log.choose_host(message.salt);
        deliver(world, first, &message, age);
    }
}

/// Time at which the message enters the queue, or `None` if it never does within the log.
fn submit(world: &mut World, at: u64, message: &Mail) -> Option<u64> {
    let mut at = at;
    let client = match &message.origin {
        MailOrigin::Outside(client) | MailOrigin::Person(client, _) => client.clone(),
        MailOrigin::Program | MailOrigin::Bounce(_) => {
            accept(world, at, message);
            return Some(at);
        }
    };
    let mut tries = 0;
    while at < world.end() {
        let Some((storm, trouble)) = world.trouble_at(at) else {
            accept(world, at, message);
            return Some(at);
        };
        turn_away(world, at, message, storm, trouble);
        let is_person = matches!(message.origin, MailOrigin::Person(..));
        tries += 1;
        // People retry once or twice, servers for days.
        if is_person && tries > 2 || client.helo.starts_with("WIN-") {
            return None;
        }
        let age = ((5 * MINUTE) << tries.min(4)).min(HOUR);
        at += age / 2 + world.rng.below(age);
    }
    None
}

fn accept(world: &mut World, at: u64, message: &Mail) {
    match world.mta {
        Mta::Postfix => postfix::accept(world, at, message),
        Mta::Exim => exim::accept(world, at, message),
    }
}

fn turn_away(world: &mut World, at: u64, message: &Mail, storm: usize, trouble: Trouble) {
    match world.mta {
        Mta::Postfix => refusal::trouble(world, at, message, storm, trouble),
        Mta::Exim => exim_refusal::trouble(world, at, message, storm, trouble),
    }
}

/// `age` is the time that the message had been queued before the log began.
fn deliver(world: &mut World, queued: u64, message: &Mail, age: u64) {
    let mut pending: Vec<UndeliveredRecipient> = message
        .to
        .iter()
        .map(|recipient| UndeliveredRecipient {
            recipient: recipient.clone(),
            luck: draw_luck(world, queued, message, recipient),
        })
        .collect();
    let mut at = queued + 80 + world.rng.below(3 * SECOND);
    let mut tries = u32::from(age > 0) * 5;
    while at < world.end() {
        at = world.resume_time(at);
        if tries > 0 && world.mta == Mta::Postfix {
            postfix::activate(world, at, message);
        }
        let mut failed = Vec::new();
        let mut left = Vec::new();
        for (number, one) in pending.into_iter().enumerate() {
            let now = at + number as u64 * 35;
            let said = world.condition(now, &one.recipient).map(|(storm, fail)| (Some(storm), fail)).or(
                match one.luck {
                    Luck::Bad(fail, until) if now < until => Some((message.storm, fail)),
                    Luck::Bad(..) | Luck::Good => None,
                },
            );
            let storm = said.and_then(|(storm, _)| storm);
            let attempt =
                DeliveryAttempt { at: now, queued, before: age, message, to: &one.recipient, tries, storm };
            report(world, attempt, said.map(|(_, fail)| fail));
            match said {
                Some((_, fail)) if fail.is_temporary() => left.push(one),
                Some((storm, _)) => failed.push((one.recipient, storm)),
                None => {}
            }
        }
        if let Some((_, storm)) = failed.first() {
            send_bounce(world, at + SECOND, message, storm.or(message.storm));
        }
        if left.is_empty() {
            match world.mta {
                Mta::Postfix => postfix::remove(world, at + SECOND, message),
                Mta::Exim => exim::complete(world, at + SECOND, message),
            }
            return;
        }
        pending = left;
        tries += 1;
        at += retry_wait(world, at - queued + age);
        if at - queued + age > 5 * DAY {
            return;
        }
    }
}

/// Time until the next attempt. Postfix waits as long as the message is old, from 300 to 4000 seconds. Exim retries
/// every 15 minutes for two hours, then at intervals that grow by half, and after 16 hours every six hours.
fn retry_wait(world: &mut World, age: u64) -> u64 {
    match world.mta {
        Mta::Postfix => age.clamp(300 * SECOND, 4000 * SECOND) + world.rng.below(70 * SECOND),
        Mta::Exim if age < 2 * HOUR => 15 * MINUTE + world.rng.below(15 * MINUTE),
        Mta::Exim if age < 16 * HOUR => (age / 2).clamp(HOUR, 6 * HOUR) + world.rng.below(30 * MINUTE),
        // The first message in the queue run retries the host, so intervals vary.
        Mta::Exim => 5 * HOUR + world.rng.below(2 * HOUR),
    }
}

fn report(world: &mut World, attempt: DeliveryAttempt, said: Option<DeliveryFailure>) {
    match (world.mta, said) {
        (Mta::Postfix, None) => postfix_delivery::sent(world, attempt),
        (Mta::Postfix, Some(fail)) => postfix_delivery::failed(world, attempt, &fail),
        (Mta::Exim, None) => exim_delivery::sent(world, attempt),
        (Mta::Exim, Some(fail)) => exim_delivery::failed(world, attempt, &fail),
    }
}

/// Sends a bounce, unless the message is one itself.
fn send_bounce(world: &mut World, at: u64, message: &Mail, storm: Option<usize>) {
    if message.from.is_empty() || at >= world.end() {
        return;
    }
    let place =
        world.site.places.iter().position(|place| message.from.ends_with(&format!("@{}", place.domain)));
    let to = Recipient { address: message.from.clone(), place };
    let origin = MailOrigin::Bounce(message.id.clone());
    let mut bounce = world.message(at, String::new(), vec![to], origin);
    bounce.storm = storm.filter(|_| place.is_some());
    play(world, at, &bounce);
}

fn draw_luck(world: &mut World, at: u64, message: &Mail, to: &Recipient) -> Luck {
    let never = u64::MAX;
    let Some((number, place)) = world.place(to) else {
        return match world.site.is_full(&to.address, at) {
            Some(until) => Luck::Bad(pick(world, TextKind::Full, Flavor::Postfix), until),
            None => Luck::Good,
        };
    };
    let (flavor, is_dead, known) = (place.flavor, place.is_dead, !place.provider.is_empty());
    let is_grey = place.is_grey || (!known && (number as u64 * 37) % 1000 < world.grey);
    if is_dead {
        return Luck::Bad(if number % 3 == 0 { REFUSED } else { TIMED_OUT }, never);
    }
    if message.listed && known && world.rng.chance(180) {
        return Luck::Bad(
            pick(world, TextKind::Rate, flavor),
            at + 10 * MINUTE + wait(&mut world.rng, 50 * MINUTE),
        );
    }
    match world.rng.below(1000) {
        dice if dice < message.unknown => return Luck::Bad(pick(world, TextKind::Unknown, flavor), never),
        dice if dice < message.unknown + message.spam => {
            return Luck::Bad(pick(world, TextKind::Spam, flavor), never);
        }
        _ => {}
    }
    if is_grey && world.rng.chance(400) {
        return Luck::Bad(pick(world, TextKind::Grey, flavor), at + 4 * MINUTE + world.rng.below(5 * MINUTE));
    }
    match world.rng.below(1000) {
        0 | 1 => Luck::Bad(pick(world, TextKind::Full, flavor), at + wait(&mut world.rng, 9 * HOUR)),
        2 => Luck::Bad(pick(world, TextKind::Rate, flavor), at + wait(&mut world.rng, 20 * MINUTE)),
        3 | 4 => Luck::Bad(pick(world, TextKind::Ill, flavor), at + wait(&mut world.rng, 15 * MINUTE)),
        5 => Luck::Bad(TIMED_OUT, at + wait(&mut world.rng, 40 * MINUTE)),
        _ => Luck::Good,
    }
}

fn pick(world: &mut World, kind: TextKind, flavor: Flavor) -> DeliveryFailure {
    let fails = texts(world.style, kind, flavor);
    fails[world.rng.early(fails.len())]
}
