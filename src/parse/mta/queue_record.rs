//! Defines the queue record: what a routine line says about a message that its later lines leave out.

use crate::smtp::event::Mta;

/// A routine line about one message. It borrows from its line; its fields are parsed only on request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueRecord<'a> {
    pub mta: Mta,
    pub queue_id: &'a [u8],
    pub step: QueueStep,
    /// The line from behind the queue id on.
    pub text: &'a [u8],
}

/// The step of a message that the line reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueStep {
    /// It is new: `client=` and `uid=` of Postfix, `<=` of Exim. Nothing earlier of the same queue id belongs to it.
    Received,
    /// `message-id=`; where nothing else said that it came, as of a bounce, it is new.
    MessageIdAssigned,
    /// This server wrote it, to say what became of another: a bounce, a notice of delay or of success. The queue id is
    /// the notice's own.
    Notice,
    /// The queue manager took it up, the first time or again: `from=<a@b>, size=1, nrcpt=1`.
    Queued,
    /// On hold, or frozen.
    Held,
    Released,
    /// Somebody removed it from the queue by hand.
    Deleted,
    /// Somebody gave it up by hand, and it went back to its sender.
    Returned,
    /// It goes on under another queue id (`postsuper -r`).
    Requeued,
    /// The message left the queue: `removed`, `Completed`.
    Removed,
}

/// Metadata of a message. None: the line does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MessageFields<'a> {
    /// The null sender is empty.
    pub sender: Option<&'a [u8]>,
    /// In bytes, as the mail server counts them.
    pub size: Option<u64>,
    /// The client's address, else its name.
    pub client: Option<&'a [u8]>,
    /// The client's name, where the line shows its address too. `unknown`: it has none that is right.
    pub client_host: Option<&'a [u8]>,
    /// The client's HELO name; Exim leaves it out where it equals the client's name.
    pub helo: Option<&'a [u8]>,
    /// The login of the client.
    pub user: Option<&'a [u8]>,
    /// Without its angle brackets.
    pub message_id: Option<&'a [u8]>,
    /// How long it took to receive it, as logged: Exim's `RT=`.
    pub receive_time: Option<&'a [u8]>,
    /// The number of recipients still to be delivered to.
    pub recipients: Option<u32>,
}

/// `4521` and no other sign → 4521.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
