//! Holds a message, its origin and its delivery attempts.

use super::client::ClientHost;

#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    pub address: String,
    /// Index of the destination, or `None` for a local mailbox.
    pub place: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum MailOrigin {
    /// Another server, or a client that claims to be one.
    Outside(ClientHost),
    /// A user who logged in, and the login.
    Person(ClientHost, String),
    /// A local program such as cron or a web site.
    Program,
    /// A bounce of this server; the id is that of the failed message.
    Bounce(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub id: String,
    /// Empty for the null sender.
    pub from: String,
    pub to: Vec<Recipient>,
    pub origin: MailOrigin,
    pub size: u64,
    pub salt: u64,
    /// Index of the storm that the message belongs to.
    pub storm: Option<usize>,
    /// Share of recipients that do not exist, per thousand.
    pub unknown: u64,
    /// Share of recipients whose server rejects the message as spam, per thousand.
    pub spam: u64,
    /// Whether large providers limit its rate.
    pub listed: bool,
    /// Whether its deliveries count as events of the storm.
    pub shows: bool,
}

/// One attempt to deliver to one recipient.
#[derive(Clone, Copy)]
pub(crate) struct DeliveryAttempt<'a> {
    pub at: u64,
    /// Time at which the message entered the queue.
    pub queued: u64,
    /// Time in the queue before the log began.
    pub before: u64,
    pub message: &'a Mail,
    pub to: &'a Recipient,
    /// Number of earlier attempts.
    pub tries: u32,
    /// Index of the storm that makes the attempt fail.
    pub storm: Option<usize>,
}

impl DeliveryAttempt<'_> {
    /// Index of the storm that a successful delivery counts for.
    pub(crate) fn seen(&self) -> Option<usize> {
        self.message.storm.filter(|_| self.message.shows)
    }
}
