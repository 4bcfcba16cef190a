//! Adds storms of one mailbox or domain: full mailboxes and mail loops.

use super::arrivals::shaped;
use super::client::{person, server};
use super::condition::{FailureCondition, FailureScope, FailureTexts};
use super::failures::{TO_MYSELF, TOO_MANY_HOPS, TOO_MANY_RECEIVED};
use super::flood::Surge;
use super::flow::{MailOrigin, Recipient};
use super::life::play;
use super::parts::{draft, draw_texts, factor, surge};
use super::pattern::Pattern;
use super::place::Flavor;
use super::text_kind::TextKind;
use super::texts::texts;
use super::truth::Draft;
use super::window::StormSpan;
use super::world::World;

/// Many messages to a full mailbox.
pub(crate) fn full(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let is_here = world.rng.chance(500);
    let recipient = if is_here { world.our_address() } else { world.stranger_address() };
    let flavor = world.place(&recipient).map_or(Flavor::Postfix, |(_, place)| place.flavor);
    let what = draw_texts(world, texts(world.style, TextKind::Full, flavor));
    let address = recipient.address.clone();
    world.conditions.push(FailureCondition {
        storm,
        from: window.from,
        until: window.until,
        rise: 0,
        share: 1000,
        scope: FailureScope::Recipient(address.clone()),
        what,
        host: None,
    });
    let is_monitor = world.rng.chance(600) || !is_here;
    let surge = surge(world, window, boost, 2., 20.);
    let sender = format!("monitor@{}", world.site.host);
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let (from, origin) = if is_monitor {
            (sender.clone(), MailOrigin::Program)
        } else {
            (world.stranger_address().address, MailOrigin::Outside(server(&mut world.rng)))
        };
        let message = world.message(at, from, vec![recipient.clone()], origin);
        play(world, at, &message);
    }
    let factors = vec![factor("recipient", address)];
    draft(Pattern::FullMailbox, if is_here { "here" } else { "elsewhere" }, window, factors)
}

/// The mail of a domain returns to this server, or circulates until a server counts too many hops.
pub(crate) fn looped(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let surge = surge(world, window, boost, 2.5, 40.);
    if world.rng.chance(250) {
        return robots(world, storm, window, surge);
    }
    let number = world.site.places.len() - 1 - world.rng.below(world.site.places.len() as u64 / 2) as usize;
    let domain = world.site.places[number].domain.clone();
    let is_domain = world.rng.chance(450);
    let fail = if is_domain {
        TO_MYSELF
    } else if world.site.places[number].flavor == Flavor::Exim {
        TOO_MANY_RECEIVED
    } else {
        TOO_MANY_HOPS
    };
    world.conditions.push(FailureCondition {
        storm,
        from: window.from,
        until: window.until,
        rise: 0,
        share: 1000,
        scope: FailureScope::Place(number),
        what: FailureTexts::These(vec![fail]),
        host: None,
    });
    let one = world.site.correspondent(number, 77);
    let client = server(&mut world.rng);
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let address = if is_domain { world.site.correspondent(number, at % 60) } else { one.clone() };
        let (from, origin) = if is_domain {
            let user = world.our_address().address;
            let who = person(at % 50, &mut world.rng);
            (user.clone(), MailOrigin::Person(who, user))
        } else {
            (world.stranger_address().address, MailOrigin::Outside(client.clone()))
        };
        let message = world.message(at, from, vec![Recipient { address, place: Some(number) }], origin);
        play(world, at, &message);
    }
    let mut factors = vec![factor("domain", domain)];
    if is_domain {
        factors.push(factor("reason", "routing-loop"));
    } else {
        factors.insert(0, factor("recipient", one));
        factors.push(factor("client", client.ip));
    }
    draft(Pattern::Loop, if is_domain { "domain" } else { "forward" }, window, factors)
}

/// Two autoresponders answer each other.
fn robots(world: &mut World, storm: usize, window: StormSpan, surge: Surge) -> Draft {
    let (ours, theirs) = (world.our_address(), world.stranger_address());
    let client = server(&mut world.rng);
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let origin = MailOrigin::Outside(client.clone());
        let question = world.message(at, theirs.address.clone(), vec![ours.clone()], origin);
        let answer =
            world.message(at + 2500, ours.address.clone(), vec![theirs.clone()], MailOrigin::Program);
        for (at, mut message) in [(at, question), (at + 2500, answer)] {
            (message.storm, message.shows) = (Some(storm), true);
            (message.unknown, message.spam) = (0, 0);
            play(world, at, &message);
        }
    }
    let factors = [&ours.address, &theirs.address]
        .into_iter()
        .flat_map(|address| [factor("sender", address.clone()), factor("recipient", address.clone())])
        .collect();
    draft(Pattern::Loop, "two robots", window, factors)
}
