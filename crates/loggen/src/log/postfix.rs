//! Simulates a Postfix server: draws arrivals and runs the steps of each message.

use std::io;

use super::agenda::Agenda;
use super::background::{pick_up, read_mail, statistics, warn};
use super::clock::{DAY, SECOND, TrafficClock};
use super::delivery::attempt;
use super::message::QueuedMessage;
use super::names::{ClientKind, ClientSeed};
use super::session::{
    connect, connect_to_postscreen, disconnect, fail_to_authenticate, judge, queue, take, turn_away,
};
use super::site::Simulation;
use super::spec::Spec;
use super::totals::LogTotals;
use super::writer::LogWriter;

/// A step that waits for its time.
enum PostfixStep {
    Take(Box<QueuedMessage>),
    Queue(Box<QueuedMessage>),
    /// Like `Queue`, but submitted by a local program without a session.
    QueueReport(Box<QueuedMessage>),
    Deliver(Box<QueuedMessage>),
    TurnAway(ClientSeed),
    Guess(ClientSeed),
    Judge(ClientSeed),
}

/// Weights of arrivals: mail from servers, from people and from internal machines; rejected clients, failed logins
/// and bots; IMAP sessions, statistics, warnings and reports by cron.
const ARRIVALS: [u64; 10] = [215, 190, 138, 235, 38, 78, 466, 42, 60, 9];

const MINIMAL_BACKOFF: u64 = 300 * SECOND;
const MAXIMAL_BACKOFF: u64 = 14_400 * SECOND;

pub(crate) fn write(spec: &Spec, log: LogWriter) -> io::Result<LogTotals> {
    let clock = TrafficClock::new(spec.bytes, spec.days);
    let mut sim = Simulation::new(spec, log);
    let mut agenda = Agenda::new();
    // At most a quarter of the log, so that mail expires in short logs too.
    let lifetime = DAY.min(u64::from(spec.days) * DAY / 4);
    while !sim.log.is_full() {
        let now = clock.at(sim.log.bytes());
        while let Some((at, step)) = agenda.due(now) {
            run_step(&mut sim, &mut agenda, lifetime, at, step);
            sim.log.flush()?;
            if sim.log.is_full() {
                return sim.log.finish();
            }
        }
        add_arrival(&mut sim, &mut agenda, now);
        sim.log.flush()?;
    }
    sim.log.finish()
}

fn add_arrival(sim: &mut Simulation, agenda: &mut Agenda<PostfixStep>, now: u64) {
    let soon = now + sim.rng.between(40, 2500);
    match sim.rng.weighted(&ARRIVALS) {
        0 => start_session(sim, agenda, now, ClientKind::Server),
        1 => start_session(sim, agenda, now, ClientKind::Person),
        2 => start_session(sim, agenda, now, ClientKind::Inside),
        3 => {
            let origin = [ClientKind::Nameless, ClientKind::Nameless, ClientKind::Server, ClientKind::Person]
                [sim.rng.below(4) as usize];
            let client = sim.client(origin);
            connect(sim, now, client);
            agenda.push(soon, PostfixStep::TurnAway(client));
        }
        4 => {
            let client = sim.client(ClientKind::Person);
            connect(sim, now, client);
            agenda.push(soon, PostfixStep::Guess(client));
        }
        5 => {
            let client = sim.client(ClientKind::Nameless);
            connect_to_postscreen(sim, now, client);
            agenda.push(soon + 4 * SECOND, PostfixStep::Judge(client));
        }
        6 => read_mail(sim, now),
        7 => statistics(sim, now),
        8 => warn(sim, now),
        _ => {
            let client = sim.client(ClientKind::Inside);
            let message = sim.message(now, client, 0);
            pick_up(sim, now, &message.id);
            agenda.push(soon, PostfixStep::QueueReport(Box::new(message)));
        }
    }
}

fn start_session(sim: &mut Simulation, agenda: &mut Agenda<PostfixStep>, now: u64, origin: ClientKind) {
    let client = sim.client(origin);
    connect(sim, now, client);
    let more = sim.rng.weighted(&[880, 90, 30]) as u64;
    agenda.push(now + sim.rng.between(40, 900), PostfixStep::Take(Box::new(sim.message(now, client, more))));
}

fn run_step(
    sim: &mut Simulation,
    agenda: &mut Agenda<PostfixStep>,
    lifetime: u64,
    at: u64,
    step: PostfixStep,
) {
    match step {
        PostfixStep::Take(message) => {
            take(sim, at, &message);
            agenda.push(at + sim.rng.between(30, 700), PostfixStep::Queue(message));
        }
        PostfixStep::Queue(message) => {
            let is_queued = queue(sim, at, &message);
            continue_session(sim, agenda, at, &message);
            if is_queued {
                agenda.push(at + sim.rng.between(60, 5000), PostfixStep::Deliver(message));
            }
        }
        PostfixStep::QueueReport(message) => {
            if queue(sim, at, &message) {
                agenda.push(at + sim.rng.between(60, 5000), PostfixStep::Deliver(message));
            }
        }
        PostfixStep::Deliver(mut message) => {
            let is_last = message.age(at) > lifetime;
            if let Some(bounce) = attempt(sim, at, &mut message, is_last) {
                agenda.push(at + sim.rng.between(60, 3000), PostfixStep::Deliver(Box::new(bounce)));
            }
            if !message.pending.is_empty() {
                // The wait equals the age of the message, within the limits, as in qmgr(8).
                let wait = message.age(at).clamp(MINIMAL_BACKOFF, MAXIMAL_BACKOFF);
                agenda.push(at + wait + sim.rng.below(60 * SECOND), PostfixStep::Deliver(message));
            }
        }
        PostfixStep::TurnAway(client) => turn_away(sim, at, client),
        PostfixStep::Guess(client) => fail_to_authenticate(sim, at, client),
        PostfixStep::Judge(client) => judge(sim, at, client),
    }
}

/// Starts the next message of the session, or ends the session.
fn continue_session(
    sim: &mut Simulation,
    agenda: &mut Agenda<PostfixStep>,
    at: u64,
    message: &QueuedMessage,
) {
    if message.more > 0 {
        let next = sim.message(at, message.client, message.more - 1);
        agenda.push(at + sim.rng.between(40, 900), PostfixStep::Take(Box::new(next)));
    } else {
        disconnect(sim, at, message.client, "ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7");
    }
}
