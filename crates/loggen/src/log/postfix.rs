//! A day at a Postfix: who comes when, and what each step of a message leads to.

use std::io;

use super::agenda::Agenda;
use super::background::{pick_up, read_mail, statistics, warn};
use super::clock::{Clock, DAY, SECOND};
use super::delivery::attempt;
use super::log::Log;
use super::message::Message;
use super::names::{Client, Origin};
use super::session::{connect, disconnect, fail_to_authenticate, judge, knock, queue, take, turn_away};
use super::site::Site;
use super::spec::Spec;
use super::totals::Totals;

/// What is waiting for its time.
enum Step {
    Take(Box<Message>),
    Queue(Box<Message>),
    /// Like `Queue`, but handed over by a program here, without a session.
    QueueReport(Box<Message>),
    Deliver(Box<Message>),
    TurnAway(Client),
    Guess(Client),
    Judge(Client),
}

/// What happens so often, in this order: mail from servers, from people, from our machines; refusals, guesses
/// at passwords, bots; mail read, statistics, warnings, reports by cron.
const ARRIVALS: [u64; 10] = [215, 190, 138, 235, 38, 78, 466, 42, 60, 9];

const MINIMAL_BACKOFF: u64 = 300 * SECOND;
const MAXIMAL_BACKOFF: u64 = 14_400 * SECOND;

pub fn write(spec: &Spec, log: Log) -> io::Result<Totals> {
    let clock = Clock::new(spec.bytes, spec.days);
    let mut site = Site::new(spec, log);
    let mut agenda = Agenda::new();
    // A quarter of the log at most, so that short logs see mail expire too.
    let lifetime = DAY.min(u64::from(spec.days) * DAY / 4);
    while !site.log.is_full() {
        let now = clock.at(site.log.bytes());
        while let Some((at, step)) = agenda.due(now) {
            follow(&mut site, &mut agenda, lifetime, at, step);
            site.log.flush()?;
            if site.log.is_full() {
                return site.log.finish();
            }
        }
        arrive(&mut site, &mut agenda, now);
        site.log.flush()?;
    }
    site.log.finish()
}

fn arrive(site: &mut Site, agenda: &mut Agenda<Step>, now: u64) {
    let soon = now + site.rng.between(40, 2500);
    match site.rng.weighted(&ARRIVALS) {
        0 => come(site, agenda, now, Origin::Server),
        1 => come(site, agenda, now, Origin::Person),
        2 => come(site, agenda, now, Origin::Inside),
        3 => {
            let origin = [Origin::Nameless, Origin::Nameless, Origin::Server, Origin::Person]
                [site.rng.below(4) as usize];
            let client = site.client(origin);
            connect(site, now, client);
            agenda.push(soon, Step::TurnAway(client));
        }
        4 => {
            let client = site.client(Origin::Person);
            connect(site, now, client);
            agenda.push(soon, Step::Guess(client));
        }
        5 => {
            let client = site.client(Origin::Nameless);
            knock(site, now, client);
            agenda.push(soon + 4 * SECOND, Step::Judge(client));
        }
        6 => read_mail(site, now),
        7 => statistics(site, now),
        8 => warn(site, now),
        _ => {
            let client = site.client(Origin::Inside);
            let message = site.message(now, client, 0);
            pick_up(site, now, &message.id);
            agenda.push(soon, Step::QueueReport(Box::new(message)));
        }
    }
}

fn come(site: &mut Site, agenda: &mut Agenda<Step>, now: u64, origin: Origin) {
    let client = site.client(origin);
    connect(site, now, client);
    let more = site.rng.weighted(&[880, 90, 30]) as u64;
    agenda.push(now + site.rng.between(40, 900), Step::Take(Box::new(site.message(now, client, more))));
}

fn follow(site: &mut Site, agenda: &mut Agenda<Step>, lifetime: u64, at: u64, step: Step) {
    match step {
        Step::Take(message) => {
            take(site, at, &message);
            agenda.push(at + site.rng.between(30, 700), Step::Queue(message));
        }
        Step::Queue(message) => {
            let is_queued = queue(site, at, &message);
            leave(site, agenda, at, &message);
            if is_queued {
                agenda.push(at + site.rng.between(60, 5000), Step::Deliver(message));
            }
        }
        Step::QueueReport(message) => {
            if queue(site, at, &message) {
                agenda.push(at + site.rng.between(60, 5000), Step::Deliver(message));
            }
        }
        Step::Deliver(mut message) => {
            let is_last = message.age(at) > lifetime;
            if let Some(bounce) = attempt(site, at, &mut message, is_last) {
                agenda.push(at + site.rng.between(60, 3000), Step::Deliver(Box::new(bounce)));
            }
            if !message.pending.is_empty() {
                // As the queue manager does it: as long again as the message is old (qmgr(8)).
                let wait = message.age(at).clamp(MINIMAL_BACKOFF, MAXIMAL_BACKOFF);
                agenda.push(at + wait + site.rng.below(60 * SECOND), Step::Deliver(message));
            }
        }
        Step::TurnAway(client) => turn_away(site, at, client),
        Step::Guess(client) => fail_to_authenticate(site, at, client),
        Step::Judge(client) => judge(site, at, client),
    }
}

/// The session goes on with the next message, or ends.
fn leave(site: &mut Site, agenda: &mut Agenda<Step>, at: u64, message: &Message) {
    if message.more > 0 {
        let next = site.message(at, message.client, message.more - 1);
        agenda.push(at + site.rng.between(40, 900), Step::Take(Box::new(next)));
    } else {
        disconnect(site, at, message.client, "ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7");
    }
}
