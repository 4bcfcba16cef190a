//! Defines the queue record, a routine line about a message, and the fields that it can show.

use crate::smtp::event::Mta;

/// A routine line about one message. It borrows from its line; its fields are parsed only on request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueRecord<'a> {
    pub mta: Mta,
    pub queue_id: &'a [u8],
    pub step: QueueStep,
    /// The text behind the queue id.
    pub text: &'a [u8],
    /// The name with which the client logged in, if an earlier line of its session shows it. The line alone never does.
    pub login: Option<&'a [u8]>,
}

/// The step of a message that the line reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueStep {
    /// The message is new: `client=` and `uid=` of Postfix, `<=` of Exim, `from=` of Sendmail, `smtp message` of
    /// OpenSMTPD. Earlier lines with the same queue id belong to another message.
    Received,
    /// `message-id=` of Postfix, `smtp envelope` of OpenSMTPD. If no line before it says that the message is new, as for
    /// a bounce, it is new.
    MessageIdAssigned,
    /// This server created the message as a delivery status notification about another one: a bounce, a delay or a
    /// success. The queue id is that of the notification.
    Notice,
    /// Postfix's queue manager made it active, for the first time or again: `from=<a@b>, size=1, nrcpt=1`.
    Queued,
    /// It is on hold (Postfix) or frozen (Exim).
    Held,
    /// It is no longer on hold or frozen.
    Released,
    /// An administrator removed it from the queue.
    Deleted,
    /// An administrator gave it up, and it was returned to its sender.
    Returned,
    /// It gets another queue id (`postsuper -r`, MailScanner).
    Requeued,
    /// A filter, whose own id this is, sends it on under another queue id (Proxmox Mail Gateway).
    PassedOn,
    /// It was given up before it was in the queue; the client, which was told so, keeps it.
    Canceled,
    /// It was thrown away before it was in the queue, although its client was told that it was accepted.
    Dropped,
    /// It left the queue: `removed` of Postfix, `Completed` of Exim, `done` of Sendmail.
    Removed,
}

impl QueueStep {
    /// The message has left the queue, or never gets into it: its queue id is free.
    pub(crate) fn ends_message(self) -> bool {
        match self {
            Self::Deleted | Self::Requeued | Self::Canceled | Self::Dropped | Self::Removed => true,
            Self::Received
            | Self::MessageIdAssigned
            | Self::Notice
            | Self::Queued
            | Self::Held
            | Self::Released
            | Self::Returned
            | Self::PassedOn => false,
        }
    }
}

/// Fields of a message that a queue record shows. `None`: the line does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MessageFields<'a> {
    /// The null sender is empty.
    pub sender: Option<&'a [u8]>,
    /// In bytes, as the mail server counts them.
    pub size: Option<u64>,
    /// The client's IP address, or its host name if the line shows no address.
    pub client: Option<&'a [u8]>,
    /// The client's host name, if the line shows its address too. Postfix writes `unknown` if no name is confirmed.
    pub client_host: Option<&'a [u8]>,
    /// The client's HELO name; Exim leaves it out where it equals the client's name.
    pub helo: Option<&'a [u8]>,
    /// The user name with which the client logged in.
    pub user: Option<&'a [u8]>,
    /// Without its angle brackets.
    pub message_id: Option<&'a [u8]>,
    /// How long receiving it took, as logged: `0.304s` of Exim's `RT=`.
    pub receive_time: Option<&'a [u8]>,
    /// The number of recipients that it still has.
    pub recipients: Option<u32>,
}

/// Parses a decimal number that fills the text. `None`: another character, no digit, or an overflow.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
