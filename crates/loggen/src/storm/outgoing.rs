//! Adds storms of outbound mail: stolen accounts, dead lists, failing providers, a listed address, the own network.

use super::client::{ClientHost, person, stranger};
use super::condition::{FailureCondition, FailureScope, FailureTexts};
use super::failures::{BROKEN, NO_NAME, NO_ROUTE, TIMED_OUT, UNREACHABLE};
use super::flood::{BulkSender, send};
use super::mailboxes;
use super::parts::{draft, draw_texts, factor, host, surge};
use super::pattern::Pattern;
use super::place::Flavor;
use super::rhythm::MINUTE;
use super::text_kind::TextKind;
use super::texts::texts;
use super::truth::Draft;
use super::window::StormSpan;
use super::world::World;

pub(crate) fn add(world: &mut World, storm: usize, pattern: Pattern, window: StormSpan, boost: f64) -> Draft {
    match pattern {
        Pattern::StolenAccount => stolen_account(world, storm, window, boost),
        Pattern::DeadList => dead_list(world, storm, window, boost),
        Pattern::ListedIp => listed(world, storm, window),
        Pattern::ProviderOutage => provider_outage(world, storm, window),
        Pattern::RateLimit => rate_limit(world, storm, window, boost),
        Pattern::OwnNetwork => own_network(world, storm, window),
        Pattern::FullMailbox => mailboxes::full(world, storm, window, boost),
        _ => mailboxes::looped(world, storm, window, boost),
    }
}

fn strangers(world: &mut World, count: u64) -> Vec<ClientHost> {
    let first = world.rng.below(1 << 30) + 100_000;
    (0..count).map(|number| stranger(first + number, &mut world.rng)).collect()
}

fn stolen_account(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let number = world.site.some_user(&mut world.rng);
    let user = world.site.user(number);
    let count = [1, 1, 2, 6, 25, 120][world.rng.below(6) as usize];
    let clients = strangers(world, count);
    let is_forged = world.rng.chance(300);
    let from = if is_forged {
        format!("notice{}@{}", world.rng.below(900), "bank.example.net")
    } else {
        user.clone()
    };
    let mut factors = vec![factor("user", user.clone()), factor("sender", from.clone())];
    if let [client] = &clients[..] {
        factors.push(factor("client", client.ip.clone()));
    }
    let sender = BulkSender {
        from,
        user: Some(user),
        clients,
        per_message: [1, 1, 4, 12, 30][world.rng.below(5) as usize],
        unknown: world.rng.between(120, 420),
        spam: world.rng.between(90, 330),
        listed: world.rng.chance(700),
        storm: Some(storm),
    };
    let surge = surge(world, window, boost, 6., 130.);
    send(world, surge, &sender, &[]);
    draft(Pattern::StolenAccount, if is_forged { "forged sender" } else { "own sender" }, window, factors)
}

fn dead_list(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let is_program = world.rng.chance(550);
    let (from, user, clients) = if is_program {
        let from = format!("newsletter@{}", world.site.domains[world.rng.early(world.site.domains.len())]);
        (from, None, Vec::new())
    } else {
        let number = world.site.some_user(&mut world.rng);
        let user = world.site.user(number);
        (user.clone(), Some(user), vec![person(number as u64, &mut world.rng)])
    };
    let mut factors = vec![factor("sender", from.clone())];
    if let Some(user) = &user {
        factors.push(factor("user", user.clone()));
    }
    if let Some(client) = clients.first() {
        factors.push(factor("client", client.ip.clone()));
    }
    let sender = BulkSender {
        from,
        user,
        clients,
        per_message: if is_program { 1 } else { [1, 20, 45][world.rng.below(3) as usize] },
        unknown: world.rng.between(280, 800),
        spam: 6,
        listed: false,
        storm: Some(storm),
    };
    let surge = surge(world, window, boost, 6., 90.);
    send(world, surge, &sender, &[]);
    draft(Pattern::DeadList, if is_program { "program" } else { "person" }, window, factors)
}

fn rise(world: &mut World, window: StormSpan) -> u64 {
    if world.rng.chance(300) { (window.until - window.from) / 4 } else { 0 }
}

fn add_condition(
    world: &mut World,
    storm: usize,
    window: StormSpan,
    share: (u64, u64),
    scope: FailureScope,
    what: FailureTexts,
) {
    let rise = rise(world, window);
    let share = world.rng.between(share.0, share.1);
    world.conditions.push(FailureCondition {
        storm,
        from: window.from,
        until: window.until,
        rise,
        share,
        scope,
        what,
        host: None,
    });
}

fn listed(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    let scope = FailureScope::Some(world.rng.between(450, 950));
    add_condition(world, storm, window, (960, 1001), scope, FailureTexts::Kind(TextKind::Listed));
    let factors = vec![
        factor("reason", "blocklisted"),
        factor("reason", "bad-reputation"),
        factor("own_ip", world.site.ip.clone()),
        factor("direction", "outbound"),
    ];
    draft(Pattern::ListedIp, "some providers", window, factors)
}

/// Draws a large provider; those with more mail are more likely.
fn draw_provider(world: &mut World) -> (&'static str, Flavor) {
    let all = [
        ("google", Flavor::Google),
        ("microsoft", Flavor::Microsoft),
        ("yahoo", Flavor::Yahoo),
        ("united-internet", Flavor::Gmx),
    ];
    all[world.rng.weighted(&[40, 35, 12, 13])]
}

fn provider_outage(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    let (provider, flavor) = draw_provider(world);
    let what = if world.rng.chance(350) {
        draw_texts(world, &[TIMED_OUT, BROKEN])
    } else {
        draw_texts(world, texts(world.style, TextKind::Ill, flavor))
    };
    add_condition(world, storm, window, (600, 1001), FailureScope::Provider(provider), what);
    draft(Pattern::ProviderOutage, provider, window, vec![factor("provider", provider)])
}

/// A provider limits the rate, in most cases because of a campaign.
fn rate_limit(world: &mut World, storm: usize, window: StormSpan, boost: f64) -> Draft {
    let (provider, flavor) = draw_provider(world);
    let what = draw_texts(world, texts(world.style, TextKind::Rate, flavor));
    add_condition(world, storm, window, (550, 1001), FailureScope::Provider(provider), what);
    let mut factors = vec![factor("provider", provider)];
    let places: Vec<usize> =
        (0..world.site.places.len()).filter(|&at| world.site.places[at].provider == provider).collect();
    let has_campaign = world.rng.chance(700);
    if has_campaign {
        let from = format!("offers@{}", world.site.domains[0]);
        factors.push(factor("sender", from.clone()));
        let sender = BulkSender {
            from,
            user: None,
            clients: Vec::new(),
            per_message: 1,
            unknown: 8,
            spam: 2,
            listed: false,
            storm: None,
        };
        let mut surge = surge(world, window, boost, 3., 40.);
        // The campaign starts shortly before the limit applies.
        surge.from -= 4 * MINUTE;
        surge.until = surge.from + (surge.until - surge.from) / 2 + 5 * MINUTE;
        send(world, surge, &sender, &places);
    }
    draft(Pattern::RateLimit, provider, window, factors)
}

fn own_network(world: &mut World, storm: usize, window: StormSpan) -> Draft {
    let is_dns = world.rng.chance(350);
    let what = if is_dns {
        FailureTexts::These(vec![NO_NAME])
    } else {
        draw_texts(world, &[TIMED_OUT, UNREACHABLE, NO_ROUTE])
    };
    add_condition(world, storm, window, (850, 1001), FailureScope::Remote, what);
    if let Some(condition) = world.conditions.last_mut() {
        condition.host = Some(0);
    }
    let reason = if is_dns { "dns-failure" } else { "connection-failed" };
    let factors =
        vec![factor("reason", reason), factor("direction", "outbound"), factor("host", host(world))];
    draft(Pattern::OwnNetwork, if is_dns { "resolver" } else { "line" }, window, factors)
}
