//! Adds the normal traffic with its normal failures.

use super::arrivals::{arrivals, rank, wait};
use super::client::{ClientHost, person, server, stranger};
use super::flow::MailOrigin;
use super::life::{fill_queue, play};
use super::plan::Calm;
use super::rhythm::{HOUR, MINUTE, SECOND};
use super::world::World;
use super::{exim_refusal, flood, refusal};
use crate::log::Mta;

pub(crate) fn fill(world: &mut World, calm: Calm, messages_per_day: u64) {
    fill_queue(world, messages_per_day);
    let hours = world.end() / HOUR;
    // Rejected clients connect at any hour.
    let noise = messages_per_day as f64 * 0.45 / 24.;
    let guesses = (messages_per_day as f64).sqrt() * 0.5;
    for hour in 0..hours {
        let (from, until) = (hour * HOUR, (hour + 1) * HOUR);
        let mean = world.rhythm.in_hour(from);
        for at in arrivals(&mut world.rng, from, until, mean) {
            if !world.is_lull(at) && !world.is_paused(at) {
                add_mail(world, at);
            }
        }
        for at in arrivals(&mut world.rng, from, until, noise * 0.7 + mean * 0.2) {
            if !world.is_lull(at) {
                add_unwanted(world, at);
            }
        }
        for at in arrivals(&mut world.rng, from, until, guesses) {
            let number = rank(&mut world.rng, 4000) as u64;
            let client = stranger(number, &mut world.rng);
            let user = login(world);
            if !world.is_lull(at) {
                guess(world, at, &client, &user, None);
            }
        }
        report(world, from);
    }
    if calm == Calm::Newsletter {
        let weeks = 1 + world.end() / (72 * HOUR);
        for _ in 0..weeks {
            flood::newsletter(world, messages_per_day);
        }
    }
}

fn add_mail(world: &mut World, at: u64) {
    match world.rng.below(100) {
        0..48 => from_outside(world, at),
        48..92 => from_person(world, at),
        _ => from_program(world, at),
    }
}

fn from_outside(world: &mut World, at: u64) {
    let client = server(&mut world.rng);
    let to = world.our_address();
    let mut at = at;
    if world.greets_grey && world.rng.chance(220) {
        let from = world.stranger_address().address;
        turn_away(world, at, &client, &from, &to.address, RejectReason::Grey);
        at += 5 * MINUTE + wait(&mut world.rng, 9 * MINUTE);
    }
    // Bounces and notifications have the null sender.
    let from = if world.rng.chance(35) { String::new() } else { world.stranger_address().address };
    let message = world.message(at, from, vec![to], MailOrigin::Outside(client));
    play(world, at, &message);
}

fn from_person(world: &mut World, at: u64) {
    let user = world.site.some_user(&mut world.rng);
    let address = world.site.user(user);
    let client = person(user as u64, &mut world.rng);
    let count = [1, 1, 1, 1, 2, 3, 6][world.rng.early(7)];
    let to = (0..count)
        .map(|_| if world.rng.chance(250) { world.our_address() } else { world.stranger_address() })
        .collect();
    let message = world.message(at, address.clone(), to, MailOrigin::Person(client, address));
    play(world, at, &message);
}

fn from_program(world: &mut World, at: u64) {
    let from = format!("www-data@{}", world.site.host);
    let to = if world.rng.chance(500) { world.our_address() } else { world.stranger_address() };
    let message = world.message(at, from, vec![to], MailOrigin::Program);
    play(world, at, &message);
}

/// Adds the hourly mail of cron and Postfix's connection statistics.
fn report(world: &mut World, hour: u64) {
    if world.mta == Mta::Postfix {
        let (at, count) = (hour + 7 * MINUTE + world.rng.below(40 * MINUTE), 2 + world.rng.below(9));
        let client = stranger(at % 5000, &mut world.rng);
        let ip = client.ip;
        world.log.line(
            at,
            "postfix/anvil",
            1409,
            format_args!("statistics: max connection rate {count}/60s for (smtp:{ip}) at Mar  2 04:51:10"),
        );
        world.log.line(
            at,
            "postfix/anvil",
            1409,
            format_args!("statistics: max cache size 25 at Mar  2 04:52:00"),
        );
    }
    for number in 0..world.rng.below(3) {
        let at = hour + 1500 + number * 1200 + world.rng.below(3 * SECOND);
        let from = format!("root@{}", world.site.host);
        let user = world.site.user(number as usize);
        let to = vec![super::flow::Recipient { address: user, place: None }];
        let message = world.message(at, from, to, MailOrigin::Program);
        play(world, at, &message);
    }
}

#[derive(Clone, Copy)]
pub(crate) enum RejectReason {
    Nobody,
    Listed,
    Relay,
    NoSender,
    Grey,
}

fn add_unwanted(world: &mut World, at: u64) {
    let salt = world.salt();
    world.log.choose_host(salt);
    let number = rank(&mut world.rng, 9000) as u64;
    let client = stranger(number, &mut world.rng);
    let from = world.stranger_address().address;
    match world.rng.below(100) {
        0..46 => {
            let to = world.our_address().address;
            turn_away(world, at, &client, &from, &to, RejectReason::Listed);
        }
        46..70 => {
            let to = world.site.nobody(&mut world.rng);
            let client = if world.rng.chance(500) { server(&mut world.rng) } else { client };
            turn_away(world, at, &client, &from, &to, RejectReason::Nobody);
        }
        70..80 => {
            let to = world.stranger_address().address;
            turn_away(world, at, &client, &from, &to, RejectReason::Relay);
        }
        80..92 => {
            let (from, to) = (format!("x{number}@nowhere.invalid"), world.our_address().address);
            turn_away(world, at, &client, &from, &to, RejectReason::NoSender);
        }
        _ => {
            // A spam message that is accepted.
            let to = world.our_address();
            let message = world.message(at, from, vec![to], MailOrigin::Outside(client));
            play(world, at, &message);
        }
    }
}

pub(crate) fn turn_away(
    world: &mut World,
    at: u64,
    client: &ClientHost,
    from: &str,
    to: &str,
    why: RejectReason,
) {
    match (world.mta, why) {
        (Mta::Postfix, RejectReason::Listed) if world.site.has_postscreen => {
            refusal::screen(world, at, client, from, to);
        }
        (Mta::Postfix, why) => {
            let (code, enhanced, text) = match why {
                RejectReason::Nobody => (
                    550,
                    "5.1.1",
                    format!("<{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
                ),
                RejectReason::Listed => (
                    554,
                    "5.7.1",
                    format!(
                        "Service unavailable; Client host [{}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{}",
                        client.ip, client.ip
                    ),
                ),
                RejectReason::Relay => (454, "4.7.1", format!("<{to}>: Relay access denied")),
                RejectReason::NoSender => {
                    (450, "4.1.8", format!("<{from}>: Sender address rejected: Domain not found"))
                }
                RejectReason::Grey => (
                    450,
                    "4.2.0",
                    format!(
                        "<{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html"
                    ),
                ),
            };
            refusal::reject(world, at, client, from, to, (code, enhanced, &text), None);
        }
        (Mta::Exim, why) => {
            let listed = format!(
                "{} is listed at zen.spamhaus.org (127.0.0.4: https://www.spamhaus.org/query/ip/{})",
                client.ip, client.ip
            );
            let text = match why {
                RejectReason::Nobody => (0, "Unrouteable address"),
                RejectReason::Listed => (0, listed.as_str()),
                RejectReason::Relay => (0, "relay not permitted"),
                RejectReason::NoSender => (0, "Sender verify failed"),
                RejectReason::Grey => (451, "451 greylisted, please try again in 5 minutes"),
            };
            exim_refusal::reject(world, at, client, from, to, text, None);
        }
    }
}

pub(crate) fn guess(world: &mut World, at: u64, client: &ClientHost, user: &str, storm: Option<usize>) {
    match world.mta {
        Mta::Postfix => refusal::guess(world, at, client, user, storm),
        Mta::Exim => exim_refusal::guess(world, at, client, user, storm),
    }
}

/// A login name to guess: that of a user or a common one.
pub(crate) fn login(world: &mut World) -> String {
    if world.rng.chance(300) {
        return world.our_address().address;
    }
    let name = ["admin", "info", "test", "postmaster", "sales", "root", "scan", "user", "office", "backup"]
        [world.rng.early(10)];
    format!("{name}@{}", world.site.domains[0])
}
