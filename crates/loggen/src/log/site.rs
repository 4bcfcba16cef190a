//! Holds the simulated server: its log, its random numbers, and how senders and recipients are drawn.

use super::id::Id;
use super::message::{PendingRecipient, QueuedMessage};
use super::names::{Address, ClientKind, ClientSeed, Domain, Host, LOCAL_DOMAINS, User, Zipf};
use super::reply::ReplyContext;
use super::rng::{Rng, mix};
use super::spec::{Mta, Spec};
use super::writer::LogWriter;

/// Number of mailboxes in each local domain.
const MAILBOXES: u64 = 300;
/// Zipf exponent of the recipient domains; exponents measured in mail traffic are near 1.
const ZIPF: f64 = 1.05;

pub(crate) struct Simulation<'w> {
    pub log: LogWriter<'w>,
    pub rng: Rng,
    zipf: Zipf,
    /// Probabilities per thousand that a message has 1, 2, 3, 5 or 8 recipients.
    recipients: [u64; 5],
    id_form: fn(u64, u64) -> Id,
    count: u64,
}

impl<'w> Simulation<'w> {
    pub(crate) fn new(spec: &Spec, log: LogWriter<'w>) -> Self {
        let id_form = match (spec.mta, spec.long_ids) {
            (Mta::Postfix, false) => Id::short as fn(u64, u64) -> Id,
            (Mta::Postfix, true) => Id::long,
            (Mta::Exim, false) => Id::exim_short,
            (Mta::Exim, true) => Id::exim,
        };
        let recipients = match spec.mta {
            Mta::Postfix => [700, 180, 70, 35, 15],
            Mta::Exim => [450, 260, 140, 95, 55],
        };
        let (rng, zipf) = (Rng::new(spec.seed), Zipf::new(ZIPF));
        Self { log, rng, zipf, recipients, id_form, count: spec.seed & 0xfff }
    }

    pub(crate) fn id(&mut self, at: u64) -> Id {
        self.count += 1;
        (self.id_form)(self.log.second_of(at), self.count)
    }

    pub(crate) fn remote_domain(&mut self) -> Domain {
        self.zipf.draw(&mut self.rng)
    }

    pub(crate) const fn address_at(&mut self, domain: Domain) -> Address {
        let number = if domain.is_local() {
            mix(self.rng.below(MAILBOXES) << 16 | domain.0 as u64)
        } else {
            self.rng.draw()
        };
        Address { user: User::new(number as u32), domain }
    }

    pub(crate) const fn local_address(&mut self) -> Address {
        let domain = Domain::local(&mut self.rng);
        self.address_at(domain)
    }

    pub(crate) fn remote_address(&mut self) -> Address {
        let domain = self.remote_domain();
        self.address_at(domain)
    }

    /// Servers use a few addresses each; people and bots use a new one every time.
    pub(crate) fn client(&mut self, origin: ClientKind) -> ClientSeed {
        let domain = self.remote_domain();
        let seed = match origin {
            ClientKind::Server => mix(u64::from(domain.0) << 8 | self.rng.below(5)) as u32,
            ClientKind::Inside => mix(self.rng.below(12)) as u32,
            ClientKind::Person | ClientKind::Nameless => self.rng.draw() as u32,
        };
        ClientSeed { origin, domain, seed }
    }

    /// A message that this client submits now; servers mostly write to local recipients.
    pub(crate) fn message(&mut self, at: u64, client: ClientSeed, more: u64) -> QueuedMessage {
        let inbound = client.origin == ClientKind::Server;
        let sender = match client.origin {
            ClientKind::Server if self.rng.chance(60) => None,
            ClientKind::Server => Some(self.address_at(client.domain)),
            ClientKind::Inside | ClientKind::Person | ClientKind::Nameless => Some(self.local_address()),
        };
        let mut to = if inbound && !self.rng.chance(40) || self.rng.chance(40) {
            self.local_address()
        } else {
            self.remote_address()
        };
        let recipients = [1, 2, 3, 5, 8][self.rng.weighted(&self.recipients)];
        let mut pending = Vec::with_capacity(recipients);
        while pending.len() < recipients {
            if pending.iter().all(|other: &PendingRecipient| other.to != to) {
                pending.push(PendingRecipient { to, last: None });
            }
            to = match to.domain.is_local() {
                true => self.local_address(),
                false if self.rng.chance(350) => self.address_at(to.domain),
                false => self.remote_address(),
            };
        }
        self.sent(at, sender, client, pending, more)
    }

    /// The bounce for a message, or `None` if that message is a bounce itself.
    pub(crate) fn bounce_of(&mut self, at: u64, message: &QueuedMessage) -> Option<QueuedMessage> {
        let to = message.sender?;
        Some(self.sent(at, None, message.client, vec![PendingRecipient { to, last: None }], 0))
    }

    fn sent(
        &mut self,
        at: u64,
        sender: Option<Address>,
        client: ClientSeed,
        pending: Vec<PendingRecipient>,
        more: u64,
    ) -> QueuedMessage {
        QueuedMessage {
            id: self.id(at),
            born: at,
            sender,
            client,
            size: 600 + self.rng.below(40_000) * self.rng.between(1, 12),
            recipients: pending.len(),
            pending,
            tries: 0,
            stuck: false,
            bounced: false,
            expired: false,
            more,
            salt: self.rng.draw(),
        }
    }

    /// A mail exchanger of the domain; number 1 is tried first.
    pub(crate) fn host(domain: Domain, number: u8) -> Host {
        // The customers of a large provider share its hosts, so that one host serves many domains.
        let shared = Domain(LOCAL_DOMAINS + domain.0 % 200);
        Host {
            domain: if !domain.is_local() && mix(u64::from(domain.0)) % 5 < 2 { shared } else { domain },
            number,
        }
    }

    pub(crate) const fn words(
        &mut self,
        message: &QueuedMessage,
        recipient: Address,
        host: Host,
    ) -> ReplyContext {
        let salt = self.rng.draw();
        ReplyContext { recipient, sender: message.sender, host, client: message.client, salt }
    }
}
