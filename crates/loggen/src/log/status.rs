//! Writes Postfix's delivery line for one recipient: `to=<…>, relay=…, delay=…, dsn=…, status=…`.

use std::fmt::{self, Arguments};

use super::message::QueuedMessage;
use super::names::Address;
use super::reply::Dsn;
use super::site::Simulation;
use super::totals::EventKey;
use super::writer::ProgramTag;

/// Fields of a delivery line: `to=<…>, relay=…, delay=…, delays=…, dsn=…, status=`.
pub(crate) struct StatusLine<'a> {
    pub message: &'a QueuedMessage,
    pub to: Address,
    pub by: ProgramTag,
    pub relay: &'a dyn fmt::Display,
    pub dsn: Dsn,
    pub at: u64,
}

impl StatusLine<'_> {
    pub(crate) fn write(&self, sim: &mut Simulation, key: EventKey, status: Arguments) {
        let Self { message, to, by, relay, dsn, at } = self;
        let key = key.of_peer(to.domain.is_local());
        let id = &message.id;
        let spent = 20 + message.salt % 4000;
        let (delay, before) = (Delay(message.age(*at) + spent), Delay(message.age(*at)));
        let (b, c, d) = (Delay(message.salt >> 8 & 31), Delay(spent / 3), Delay(spent - spent / 3));
        let alias = if to.domain.is_local() && message.salt.is_multiple_of(10) {
            format!(" orig_to=<info@{}>,", to.domain)
        } else {
            String::new()
        };
        sim.log.event(*at, *by, key, format_args!(
            "{id}: to=<{to}>,{alias} relay={relay}, delay={delay}, delays={before}/{b}/{c}/{d}, dsn={dsn}, status={status}"
        ));
    }
}

/// Two digits below ten seconds, whole seconds above, as Postfix rounds (`delay_max_digits`).
struct Delay(u64);

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            0..10 => f.write_str("0"),
            10..1000 => write!(f, "0.{:02}", self.0 / 10),
            1000..10_000 => write!(f, "{}.{}", self.0 / 1000, self.0 / 100 % 10),
            _ => write!(f, "{}", self.0 / 1000),
        }
    }
}
