//! Decides who must act on a failure: this server's administrator, the owner of the list, somebody else, or nobody.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::{Reason, Retry};
use crate::smtp::event::Direction;
use crate::smtp::side::Side;

/// Who must act on a failure, the most urgent first.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The administrator of this server: nothing improves until a setting, a disk or a DNS record here is fixed.
    FixHere,
    /// The owner of the address list: the address does not exist.
    CleanLists,
    /// The author of the message, the recipient, or the other server's administrator.
    AskOrChange,
    /// Nobody: the queue retries.
    JustWait,
    /// Nobody: this server refused a client, as it should.
    Nothing,
}

impl Action {
    /// All actions, in the order of a report.
    pub const ALL: [Self; 5] =
        [Self::FixHere, Self::CleanLists, Self::AskOrChange, Self::JustWait, Self::Nothing];

    /// The heading of its section, in English.
    pub fn title(self) -> &'static str {
        match self {
            Self::FixHere => "FIX HERE",
            Self::CleanLists => "CLEAN YOUR LISTS",
            Self::AskOrChange => "ASK OR CHANGE",
            Self::JustWait => "JUST WAIT",
            Self::Nothing => "NOTHING TO DO",
        }
    }

    /// The heading in one sentence, in English.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::FixHere => "only you can cure these",
            Self::CleanLists => "dead addresses",
            Self::AskOrChange => "somebody else must act",
            Self::JustWait => "the queue retries by itself",
            Self::Nothing => "clients that this server refused",
        }
    }
}

/// What decides who must act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Blame {
    pub direction: Direction,
    pub side: Side,
    pub reason: Reason,
    /// Whether a retry helps, by the reply.
    pub retry: Retry,
}

impl Blame {
    /// Who must act. `lost`: the message went back to its sender, so the queue retries no more.
    pub(crate) fn action(self, lost: bool) -> Action {
        if self.direction == Direction::Inbound {
            return if is_own_fault(self.reason) { Action::FixHere } else { Action::Nothing };
        }
        let is_ours = self.direction == Direction::Local || self.side != Side::Internet;
        if is_ours && breaks_own_delivery(self.reason) {
            return Action::FixHere;
        }
        match (self.retry, lost) {
            // The other side cannot cure our TLS, even if it lets us try again. Its certificate is its own.
            _ if self.reason == Reason::TlsFailure && self.retry != Retry::Ask => Action::FixHere,
            (Retry::FixOurs | Retry::SlowDown, _) => Action::FixHere,
            (Retry::Suppress, true) => Action::CleanLists,
            (Retry::ChangeMessage | Retry::Ask, _) | (Retry::Retry | Retry::Wait, true) => {
                Action::AskOrChange
            }
            // Waiting empties no mailbox of ours: its owner has to, or the quota has to grow.
            (Retry::Suppress | Retry::Retry | Retry::Wait, false)
                if is_ours && self.reason == Reason::MailboxFull =>
            {
                Action::AskOrChange
            }
            // A 4xx never takes an address off a list.
            (Retry::Suppress | Retry::Retry | Retry::Wait, false) => Action::JustWait,
        }
    }
}

/// A server that refuses clients for this is broken; for any other reason it does what it should.
pub(crate) fn is_own_fault(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::SystemError | Reason::SystemFull | Reason::RoutingLoop | Reason::ConnectionFailed
    )
}

/// A delivery to a program or a host of ours failed, and neither the recipient nor the message is the cause.
fn breaks_own_delivery(reason: Reason) -> bool {
    match reason {
        Reason::UserUnknown
        | Reason::MailboxDisabled
        | Reason::MailboxMoved
        | Reason::MailboxFull
        | Reason::RecipientRestricted
        | Reason::AddressSyntax
        | Reason::BadDomain
        | Reason::MessageTooLarge
        | Reason::Greylisted
        | Reason::SenderAuthFailed
        | Reason::SpamContent
        | Reason::UnsafeContent
        | Reason::MessageFormat => false,
        Reason::DnsFailure
        | Reason::ConnectionFailed
        | Reason::RoutingLoop
        | Reason::QueueExpired
        | Reason::SystemError
        | Reason::SystemFull
        | Reason::TooManyRecipients
        | Reason::RateLimited
        | Reason::Blocklisted
        | Reason::BadReputation
        | Reason::ClientIdentity
        | Reason::SenderRejected
        | Reason::RelayDenied
        | Reason::SmtpAuth
        | Reason::TlsFailure
        | Reason::PolicyBlocked
        | Reason::ProtocolError
        | Reason::Unknown => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn acts(direction: Direction, side: Side, reason: Reason, retry: Retry, [kept, lost]: [Action; 2]) {
        let fault = Blame { direction, side, reason, retry };
        assert_eq!([fault.action(false), fault.action(true)], [kept, lost], "{fault:?}");
    }

    #[test]
    fn who_must_act_depends_on_the_side_and_on_the_fate() {
        use Action::{AskOrChange, CleanLists, FixHere, JustWait, Nothing};
        let (out, here) = (Direction::Outbound, Direction::Local);
        acts(out, Side::Internet, Reason::ConnectionFailed, Retry::Retry, [JustWait, AskOrChange]);
        acts(out, Side::OurNetwork, Reason::ConnectionFailed, Retry::Retry, [FixHere, FixHere]);
        acts(here, Side::ThisHost, Reason::ConnectionFailed, Retry::Retry, [FixHere, FixHere]);
        acts(out, Side::Internet, Reason::UserUnknown, Retry::Suppress, [JustWait, CleanLists]);
        acts(here, Side::ThisHost, Reason::UserUnknown, Retry::Suppress, [JustWait, CleanLists]);
        acts(out, Side::Internet, Reason::MailboxFull, Retry::Wait, [JustWait, AskOrChange]);
        acts(here, Side::ThisHost, Reason::MailboxFull, Retry::Wait, [AskOrChange, AskOrChange]);
        acts(here, Side::ThisHost, Reason::MailboxFull, Retry::FixOurs, [FixHere, FixHere]);
        acts(out, Side::Internet, Reason::RateLimited, Retry::SlowDown, [FixHere, FixHere]);
        acts(out, Side::Internet, Reason::Greylisted, Retry::Wait, [JustWait, AskOrChange]);
        acts(Direction::Inbound, Side::Internet, Reason::RelayDenied, Retry::FixOurs, [Nothing, Nothing]);
        acts(Direction::Inbound, Side::Internet, Reason::SystemFull, Retry::Retry, [FixHere, FixHere]);
    }
}
