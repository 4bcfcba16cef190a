//! Sends bulk mail: from a stolen account, from a program, or to a mailing list.

use super::arrivals::{shaped, spread, step};
use super::client::ClientHost;
use super::flow::{MailOrigin, Recipient};
use super::life::play;
use super::rhythm::{HOUR, MINUTE};
use super::world::World;

/// The time and the rate of a storm.
#[derive(Clone, Copy)]
pub(crate) struct Surge {
    pub from: u64,
    pub until: u64,
    /// Recipients per minute.
    pub per_minute: f64,
    pub shape: fn(f64) -> f64,
}

/// The sender of bulk mail and the quality of its recipient list.
#[derive(Clone)]
pub(crate) struct BulkSender {
    pub from: String,
    pub user: Option<String>,
    pub clients: Vec<ClientHost>,
    pub per_message: u64,
    pub unknown: u64,
    pub spam: u64,
    pub listed: bool,
    pub storm: Option<usize>,
}

/// Sends to recipients at these destinations (any, if empty), each address once.
pub(crate) fn send(world: &mut World, surge: Surge, sender: &BulkSender, places: &[usize]) {
    let Surge { from, until, per_minute, shape } = surge;
    let mut number = world.rng.below(1_000_000);
    for at in shaped(&mut world.rng, from, until, per_minute / sender.per_message as f64, shape) {
        let to = (0..sender.per_message)
            .map(|_| {
                number += 7919;
                let place = if places.is_empty() {
                    world.rng.early(world.site.places.len())
                } else {
                    places[world.rng.early(places.len())]
                };
                Recipient { address: world.site.correspondent(place, number), place: Some(place) }
            })
            .collect();
        let origin = match (&sender.user, sender.clients.len()) {
            (Some(user), count @ 1..) => MailOrigin::Person(
                sender.clients[world.rng.below(count as u64) as usize].clone(),
                user.clone(),
            ),
            (None, count @ 1..) => {
                MailOrigin::Outside(sender.clients[world.rng.below(count as u64) as usize].clone())
            }
            (_, 0) => MailOrigin::Program,
        };
        let mut message = world.message(at, sender.from.clone(), to, origin);
        (message.unknown, message.spam, message.listed, message.storm) =
            (sender.unknown, sender.spam, sender.listed, sender.storm);
        play(world, at, &message);
    }
}

/// A wanted newsletter, sent in 20 to 150 minutes, with the few dead addresses of a maintained list.
pub(crate) fn newsletter(world: &mut World, messages_per_day: u64) {
    let day = world.rng.below((world.end() / (24 * HOUR)).max(1));
    let from = day * 24 * HOUR + 8 * HOUR + world.rng.below(8 * HOUR);
    let length = world.rng.between(20 * MINUTE, 150 * MINUTE);
    let recipients = spread(&mut world.rng, 100., 1500.).min(messages_per_day as f64).max(60.);
    let surge =
        Surge { from, until: from + length, per_minute: recipients * 60_000. / length as f64, shape: step };
    let sender = BulkSender {
        from: format!("news@{}", world.site.domains[0]),
        user: None,
        clients: Vec::new(),
        per_message: 1,
        unknown: 8,
        spam: 2,
        listed: false,
        storm: None,
    };
    send(world, surge, &sender, &[]);
}
