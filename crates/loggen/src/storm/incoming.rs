//! Adds storms of inbound mail: attacks, a full disk, failed services behind the server, and silences.

use super::arrivals::shaped;
use super::client::{ClientHost, server, stranger};
use super::condition::{FailureCondition, FailureScope, FailureTexts, InboundTrouble, Trouble};
use super::failures::{HANDSHAKE, NOT_OFFERED, NOT_TRUSTED, NOT_VERIFIED};
use super::flow::MailOrigin;
use super::life::play;
use super::normal::{guess, login};
use super::parts::{draft, factor, host, surge};
use super::pattern::Pattern;
use super::reply::{FailureStage, fail};
use super::rhythm::MINUTE;
use super::truth::{Draft, Factor};
use super::window::StormSpan;
use super::world::World;
use crate::log::Mta;

pub(crate) fn add(world: &mut World, storm: usize, pattern: Pattern, window: StormSpan, boost: f64) -> Draft {
    match pattern {
        Pattern::Backscatter => backscatter(world, storm, window, boost),
        Pattern::DiskFull => disk_full(world, storm, window),
        Pattern::Tls => tls(world, storm, window),
        Pattern::DictionaryAttack => dictionary_attack(world, storm, window, boost),
        Pattern::PasswordGuessing => password_guessing(world, storm, window, boost),
        Pattern::DeadDownstream => dead_downstream(world, storm, window),
        _ => silence(world, window),
    }
}

/// Bounces of spam that was sent with forged sender addresses of the local domains.
fn backscatter(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let surge = surge(world, window, boost, 3., 60.);
    let victim = world.rng.chance(350).then(|| world.our_address());
    let domain = world.site.domains[world.rng.early(world.site.domains.len())].clone();
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let client =
            if world.rng.chance(700) { server(&mut world.rng) } else { stranger(at % 5000, &mut world.rng) };
        if let Some(victim) = &victim {
            let mut message =
                world.message(at, String::new(), vec![victim.clone()], MailOrigin::Outside(client));
            (message.storm, message.shows) = (Some(storm), true);
            play(world, at, &message);
        } else {
            let name = world.rng.below(0xffff_ffff);
            let to = format!("{name:x}@{domain}");
            refuse(world, at, &client, "", &to, storm);
        }
    }
    let mut factors = vec![factor("sender", ""), factor("sender", "<>")];
    match &victim {
        Some(victim) => factors.push(factor("recipient", victim.address.clone())),
        None => factors.push(factor("domain", domain)),
    }
    draft(
        Pattern::Backscatter,
        if victim.is_some() { "one victim" } else { "made-up names" },
        window,
        factors,
    )
}

fn refuse(world: &mut World, at: u64, client: &ClientHost, from: &str, to: &str, storm: usize) {
    match world.mta {
        Mta::Postfix => {
            let text = format!("<{to}>: Recipient address rejected: User unknown in virtual mailbox table");
            super::refusal::reject(world, at, client, from, to, (550, "5.1.1", &text), Some(storm));
        }
        Mta::Exim => {
            super::exim_refusal::reject(world, at, client, from, to, (0, "Unrouteable address"), Some(storm));
        }
    }
}

fn open(world: &mut World, storm: usize, window: StormSpan, trouble: Trouble) {
    let share = world.rng.between(880, 1001);
    world.troubles.push(InboundTrouble {
        storm,
        from: window.from,
        until: window.until,
        share,
        trouble,
        host: None,
    });
}

fn disk_full(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    open(world, storm, window, Trouble::Disk);
    if let Some(door) = world.troubles.last_mut() {
        door.host = Some(0);
    }
    if world.mta == Mta::Exim {
        let what = FailureTexts::These(vec![fail(0, "4.3.1", FailureStage::Net, "No space left on device")]);
        local(world, storm, window, what);
    }
    let factors = vec![
        factor("reason", "system-full"),
        factor("code", "452"),
        factor("stage", "MAIL FROM"),
        factor("direction", "inbound"),
        factor("host", host(world)),
    ];
    draft(Pattern::DiskFull, "spool", window, factors)
}

fn local(world: &mut World, storm: usize, window: StormSpan, what: FailureTexts) {
    let StormSpan { from, until } = window;
    world.conditions.push(FailureCondition {
        storm,
        from,
        until,
        rise: 0,
        share: 1000,
        scope: FailureScope::Local,
        what,
        host: None,
    });
}

fn tls(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    let StormSpan { from, until } = window;
    let fails = [HANDSHAKE, NOT_OFFERED, NOT_TRUSTED, NOT_VERIFIED];
    let what = FailureTexts::These(vec![fails[world.rng.below(4) as usize]]);
    let mut factors = vec![factor("reason", "tls-failure")];
    let (variant, scope) = match world.rng.below(10) {
        0..4 => {
            let provider = ["google", "microsoft"][world.rng.below(2) as usize];
            factors.insert(0, factor("provider", provider));
            ("provider", FailureScope::Provider(provider))
        }
        4..8 => ("everybody", FailureScope::Some(world.rng.between(550, 1000))),
        _ => {
            open(world, storm, window, Trouble::Certificate);
            factors.extend([
                factor("code", "530"),
                factor("direction", "inbound"),
                factor("stage", "MAIL FROM"),
                factor("host", host(world)),
            ]);
            return draft(Pattern::Tls, "our certificate", window, factors);
        }
    };
    world.conditions.push(FailureCondition {
        storm,
        from,
        until,
        rise: 0,
        share: 980,
        scope,
        what,
        host: None,
    });
    draft(Pattern::Tls, variant, window, factors)
}

/// One client or many try names of recipients one after the other.
fn dictionary_attack(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let surge = surge(world, window, boost, 5., 140.);
    let count = [1, 1, 1, 3, 40, 400][world.rng.below(6) as usize];
    let first = world.rng.below(1 << 30) + 100_000;
    let clients: Vec<ClientHost> =
        (0..count).map(|number| stranger(first + number, &mut world.rng)).collect();
    let domain = world.site.domains[world.rng.early(world.site.domains.len())].clone();
    let from = format!("probe{}@example.net", world.rng.below(99));
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let client = &clients[world.rng.below(count) as usize];
        let name = world.site.nobody(&mut world.rng);
        let to = format!("{}@{domain}", name.split('@').next().unwrap_or_default());
        // Each client tries one to three names in a session.
        let more = world.rng.below(3);
        for time in 0..=more {
            let to = format!("{time}{to}");
            refuse(world, at + time * 700, client, &from, &to, storm);
        }
    }
    let mut factors: Vec<Factor> = Vec::new();
    if count <= 3 {
        factors.extend(clients.iter().map(|client| factor("client", client.ip.clone())));
    }
    // Several clients have in common the domain, the sender and the reason.
    if count > 1 {
        factors.extend([factor("reason", "user-unknown"), factor("domain", domain), factor("sender", from)]);
    }
    draft(Pattern::DictionaryAttack, if count <= 3 { "few clients" } else { "many clients" }, window, factors)
}

fn password_guessing(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let surge = surge(world, window, boost, 3., 60.);
    let kind = world.rng.below(3);
    let count = if kind == 0 { 1 } else { [30, 300][world.rng.below(2) as usize] };
    let first = world.rng.below(1 << 30) + 100_000;
    let victim = world.our_address().address;
    let clients: Vec<ClientHost> =
        (0..count).map(|number| stranger(first + number, &mut world.rng)).collect();
    for at in shaped(&mut world.rng, surge.from, surge.until, surge.per_minute, surge.shape) {
        let mut client = clients[world.rng.below(count) as usize].clone();
        client.port = world.rng.between(1024, 65_000);
        let user = if kind == 1 { victim.clone() } else { login(world) };
        guess(world, at, &client, &user, Some(storm));
    }
    let (variant, factors) = match kind {
        0 => ("one client", vec![factor("client", clients[0].ip.clone())]),
        1 => ("one user", vec![factor("user", victim)]),
        _ => (
            "many of both",
            vec![factor("reason", "smtp-auth"), factor("stage", "AUTH"), factor("code", "535")],
        ),
    };
    draft(Pattern::PasswordGuessing, variant, window, factors)
}

/// A service that the server depends on is down: LMTP, the content filter, the policy service or the database.
fn dead_downstream(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    let own = world.site.host.clone();
    let mut factors = vec![factor("host", host(world))];
    let variant = match world.rng.below(4) {
        0 if world.site.has_lmtp => {
            let text = if world.rng.chance(500) { "No such file or directory" } else { "Connection refused" };
            local(world, storm, window, FailureTexts::These(vec![fail(0, "4.4.1", FailureStage::Net, text)]));
            factors.extend([
                factor("relay", format!("{own}[private/dovecot-lmtp]")),
                factor("relay", own),
                factor("reason", "connection-failed"),
                factor("reason", "system-error"),
                factor("direction", "local"),
                factor("domain", world.site.domains[0].clone()),
            ]);
            "mailboxes"
        }
        kind => {
            let trouble = [Trouble::Milter, Trouble::Milter, Trouble::Policy, Trouble::Lookup][kind as usize];
            open(world, storm, window, trouble);
            factors.extend(["451", "421"].map(|code| factor("code", code)));
            factors.extend(["system-error", "policy-blocked"].map(|reason| factor("reason", reason)));
            factors.extend(["RCPT TO", "end of DATA", "connect"].map(|stage| factor("stage", stage)));
            factors.push(factor("direction", "inbound"));
            match trouble {
                Trouble::Policy => "policy service",
                Trouble::Lookup => "tables",
                Trouble::Milter | Trouble::Disk | Trouble::Certificate => "filter",
            }
        }
    };
    draft(Pattern::DeadDownstream, variant, window, factors)
}

/// Nothing is delivered, nothing arrives, or both; strangers are still rejected.
fn silence(world: &mut World, window: StormSpan) -> Draft {
    let StormSpan { from, until } = window;
    let variant = match world.rng.below(3) {
        0 => {
            world.stops.push((from, until));
            "nothing leaves"
        }
        1 => {
            world.lulls.push((from, until + MINUTE));
            "nothing comes"
        }
        _ => {
            // Strangers are still rejected: without any line there would be no log, and nobody could tell.
            world.stops.push((from, until));
            world.pauses.push((from, until + MINUTE));
            "nothing is handled"
        }
    };
    draft(Pattern::Silence, variant, window, Vec::new())
}
