//! Merges the metadata of a message from the lines that state it. `events`, `scan --by` and `trace` share the rule.

use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::queue_record::{MessageFields, QueueRecord, QueueStep};

/// The metadata of one message. None: no line states the field.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct MessageMetadata {
    /// The null sender is empty.
    pub sender: Option<Box<str>>,
    /// The sender is the one in the queue file, which the queue manager logs whenever it activates the message.
    pub is_queue_sender: bool,
    pub size: Option<u64>,
    /// The client's address, else its name.
    pub client: Option<Box<str>>,
    /// The client's name, if its address is known too.
    pub client_host: Option<Box<str>>,
    pub helo: Option<Box<str>>,
    pub user: Option<Box<str>>,
    pub message_id: Option<Box<str>>,
}

impl MessageMetadata {
    /// Reads the metadata of a queue record. Bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn of(fact: &QueueRecord) -> Self {
        let text = |bytes: &[u8]| String::from(LogText(bytes)).into_boxed_str();
        let MessageFields { sender, size, client, client_host, helo, user, message_id, .. } =
            mta::message_fields(fact);
        Self {
            sender: sender.map(text),
            is_queue_sender: sender.is_some() && fact.step == QueueStep::Queued,
            size,
            client: client.map(text),
            client_host: client_host.map(text),
            helo: helo.map(text),
            user: user.map(text),
            message_id: message_id.map(text),
        }
    }

    /// The newer line belongs to another message with the same queue id: the queue manager states another sender.
    /// The sender in a queue file never changes, but Postfix reuses short queue ids, and the line that ended the
    /// older message may be missing (postfix qmgr_active.c logs `from=`; global/mail_queue.h builds the ids).
    pub(crate) fn is_of_another(&self, newer: &Self) -> bool {
        let senders = self.sender.as_deref().zip(newer.sender.as_deref());
        let differ = senders.is_some_and(|(old, new)| !old.eq_ignore_ascii_case(new));
        self.is_queue_sender && newer.is_queue_sender && differ
    }

    /// Fields that the newer line states replace those of older lines; others stay.
    pub(crate) fn update(&mut self, newer: Self) {
        let Self { sender, is_queue_sender, size, client, client_host, helo, user, message_id } = newer;
        // The name belongs to the address of the same line.
        self.client_host = if client.is_some() { client_host } else { self.client_host.take() };
        self.sender = sender.or(self.sender.take());
        self.is_queue_sender |= is_queue_sender;
        self.size = size.or(self.size);
        self.client = client.or(self.client.take());
        self.helo = helo.or(self.helo.take());
        self.user = user.or(self.user.take());
        self.message_id = message_id.or(self.message_id.take());
    }

    /// The client's address, if it is known.
    pub(crate) fn client_address(&self) -> Option<&str> {
        let client = self.client.as_deref();
        client.filter(|client| self.client_host.is_some() || is_address(client))
    }

    /// The client's name, if it is known.
    pub(crate) fn client_name(&self) -> Option<&str> {
        let alone = self.client.as_deref().filter(|client| !is_address(client));
        self.client_host.as_deref().or(alone)
    }

    /// The memory that the metadata takes, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        let Self { sender, client, client_host, helo, user, message_id, .. } = self;
        let texts = [sender, client, client_host, helo, user, message_id];
        size_of::<Self>() + texts.into_iter().flatten().map(|text| text.len()).sum::<usize>()
    }
}

/// The client is an address. A client without an address is logged as a name without a domain.
fn is_address(client: &str) -> bool {
    client.contains(['.', ':'])
}
