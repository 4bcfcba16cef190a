//! Lists groups of reasons that the signatures of storms measure.

use super::evidence::ReasonSet;
use crate::catalog::classify::Reason;

pub(super) const FAILED_LOGIN: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::SmtpAuth, phrase: "a failed login" };
pub(super) const NO_SPACE: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::SystemFull, phrase: "a full disk" };
pub(super) const FULL_MAILBOX: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::MailboxFull, phrase: "a full mailbox" };
pub(super) const MAIL_LOOP: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::RoutingLoop, phrase: "a mail loop" };
pub(super) const TLS: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::TlsFailure, phrase: "TLS" };
pub(super) const SYSTEM_ERROR: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::SystemError, phrase: "an error of this server" };
pub(super) const DNS: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::DnsFailure, phrase: "failed connections or DNS" };
pub(super) const NETWORK: ReasonSet =
    ReasonSet { contains: Reason::is_network, phrase: "failed connections or DNS" };
pub(super) const NO_MAILBOX: ReasonSet =
    ReasonSet { contains: Reason::has_no_mailbox, phrase: "an address that does not exist" };
pub(super) const DEAD_ADDRESS: ReasonSet =
    ReasonSet { contains: Reason::is_dead_address, phrase: "an address that does not exist" };
pub(super) const JUDGEMENT: ReasonSet =
    ReasonSet { contains: Reason::is_judgement, phrase: "spam, limits or reputation" };
pub(super) const REPUTATION: ReasonSet =
    ReasonSet { contains: Reason::is_reputation, phrase: "a block list, reputation or policy" };
pub(super) const OWN_IDENTITY: ReasonSet = ReasonSet {
    contains: |reason| matches!(reason, Reason::SenderAuthFailed | Reason::ClientIdentity),
    phrase: "SPF, DKIM, DMARC, PTR or HELO of this server",
};
pub(super) const BAD_REPUTATION: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::BadReputation, phrase: "the reputation of this server" };
pub(super) const GREYLISTED: ReasonSet =
    ReasonSet { contains: |reason| reason == Reason::Greylisted, phrase: "greylisting" };
pub(super) const RELAY_LOGIN: ReasonSet = ReasonSet {
    contains: |reason| matches!(reason, Reason::SmtpAuth | Reason::RelayDenied),
    phrase: "the login of this server",
};
/// Reasons that only the other side can end.
pub(super) const THEIR_TROUBLE: ReasonSet = ReasonSet {
    contains: |reason| {
        matches!(
            reason,
            Reason::ConnectionFailed
                | Reason::DnsFailure
                | Reason::SystemError
                | Reason::SystemFull
                | Reason::ProtocolError
                | Reason::Unknown
        )
    },
    phrase: "trouble of the other side",
};
pub(super) const LIMIT: ReasonSet = ReasonSet { contains: Reason::is_limit, phrase: "a rate limit" };
