//! A message on its way.

use super::client::ClientHost;

#[derive(Clone, Debug)]
pub struct Recipient {
    pub address: String,
    /// The number of the place; None: here.
    pub place: Option<usize>,
}

#[derive(Clone, Debug)]
pub enum MailOrigin {
    /// Another server, or what says it is one.
    Outside(ClientHost),
    /// One of our people, with a password.
    Person(ClientHost, String),
    /// cron, a web site.
    Program,
    /// Ours, about a message that could not be delivered.
    Bounce(String),
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub id: String,
    /// Empty: the null sender.
    pub from: String,
    pub to: Vec<Recipient>,
    pub origin: MailOrigin,
    pub size: u64,
    pub salt: u64,
    /// The storm that this message is a part of.
    pub storm: Option<usize>,
    /// Recipients that do not exist, in a thousand.
    pub unknown: u64,
    /// Refused for what it says, in a thousand.
    pub spam: u64,
    /// Sent so fast that the larger providers slow it down.
    pub listed: bool,
    /// What is seen of its storm are deliveries.
    pub shows: bool,
}

/// One recipient is tried once.
#[derive(Clone, Copy)]
pub struct DeliveryAttempt<'a> {
    pub at: u64,
    /// When the message came into the queue.
    pub queued: u64,
    /// How long before that it had been there, when the log began.
    pub before: u64,
    pub message: &'a Mail,
    pub to: &'a Recipient,
    /// How often it was tried before.
    pub tries: u32,
    /// The storm that makes it fail.
    pub storm: Option<usize>,
}

impl DeliveryAttempt<'_> {
    /// The storm that a delivery counts for.
    pub fn seen(&self) -> Option<usize> {
        self.message.storm.filter(|_| self.message.shows)
    }
}
