//! Defines the values of the tables: reasons and their groups, whether a retry helps, patterns of enhanced codes.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::smtp::reply::EnhancedCode;

/// Why mail was refused or could not be delivered. Delivered mail has none.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    UserUnknown,
    MailboxDisabled,
    MailboxMoved,
    MailboxFull,
    RecipientRestricted,
    AddressSyntax,
    BadDomain,
    DnsFailure,
    ConnectionFailed,
    RoutingLoop,
    QueueExpired,
    SystemError,
    SystemFull,
    MessageTooLarge,
    TooManyRecipients,
    RateLimited,
    Greylisted,
    Blocklisted,
    BadReputation,
    ClientIdentity,
    SenderAuthFailed,
    SenderRejected,
    RelayDenied,
    SmtpAuth,
    TlsFailure,
    SpamContent,
    UnsafeContent,
    MessageFormat,
    PolicyBlocked,
    ProtocolError,
    Unknown,
}

/// A set of reasons; the method of [`Reason`] for each group says what its members have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReasonGroup {
    Gone,
    NoRecipient,
    NoMailbox,
    DeadAddress,
    Judgement,
    Reputation,
    Network,
    Limit,
    Passing,
    Lasting,
    Contested,
    Stranger,
}

impl Reason {
    /// Every group that the reason belongs to. A new reason is placed here, and nowhere else.
    const fn groups(self) -> &'static [ReasonGroup] {
        use ReasonGroup as G;
        match self {
            Self::UserUnknown | Self::MailboxMoved => {
                &[G::Gone, G::NoRecipient, G::NoMailbox, G::DeadAddress]
            }
            Self::MailboxDisabled => &[G::NoRecipient, G::NoMailbox, G::DeadAddress],
            Self::BadDomain => &[G::Gone, G::NoRecipient, G::DeadAddress, G::Stranger],
            Self::RecipientRestricted => &[G::NoMailbox, G::DeadAddress],
            Self::AddressSyntax => &[G::DeadAddress, G::Stranger],
            Self::Blocklisted | Self::BadReputation | Self::PolicyBlocked => {
                &[G::Judgement, G::Reputation, G::Stranger]
            }
            Self::SpamContent | Self::UnsafeContent | Self::SenderRejected => &[G::Judgement, G::Stranger],
            Self::SenderAuthFailed => &[G::Judgement, G::Lasting, G::Stranger],
            Self::RateLimited => &[G::Judgement, G::Limit, G::Passing, G::Contested, G::Stranger],
            Self::TooManyRecipients => &[G::Limit, G::Passing, G::Contested, G::Stranger],
            Self::MailboxFull => &[G::Passing, G::Contested],
            Self::Greylisted => &[G::Passing, G::Stranger],
            Self::SystemFull => &[G::Passing],
            Self::RelayDenied | Self::ClientIdentity => &[G::Lasting, G::Stranger],
            Self::MessageTooLarge | Self::MessageFormat | Self::ProtocolError => &[G::Stranger],
            Self::DnsFailure | Self::ConnectionFailed => &[G::Network],
            Self::RoutingLoop
            | Self::QueueExpired
            | Self::SystemError
            | Self::SmtpAuth
            | Self::TlsFailure
            | Self::Unknown => &[],
        }
    }

    fn is_in(self, group: ReasonGroup) -> bool {
        self.groups().contains(&group)
    }

    /// The mailbox or its domain does not exist: after a 5xx the address comes off the lists.
    pub fn is_gone(self) -> bool {
        self.is_in(ReasonGroup::Gone)
    }

    /// The recipient cannot be reached at this address; storms with these reasons have one cause.
    pub fn has_no_recipient(self) -> bool {
        self.is_in(ReasonGroup::NoRecipient)
    }

    /// The server does not accept mail for this mailbox. Many of these from one client are a dictionary attack.
    pub fn has_no_mailbox(self) -> bool {
        self.is_in(ReasonGroup::NoMailbox)
    }

    /// The fault is in the address. Many of these from one sender are an old list.
    pub fn is_dead_address(self) -> bool {
        self.is_in(ReasonGroup::DeadAddress)
    }

    /// The receiving server judges the sender or the content: spam, limits, reputation or policy.
    pub fn is_judgement(self) -> bool {
        self.is_in(ReasonGroup::Judgement)
    }

    /// The receiving server rejects the client's IP address: a block list, reputation or policy.
    pub fn is_reputation(self) -> bool {
        self.is_in(ReasonGroup::Reputation)
    }

    /// No connection or no DNS answer.
    pub fn is_network(self) -> bool {
        self.is_in(ReasonGroup::Network)
    }

    /// Too many messages, connections or recipients at a time.
    pub fn is_limit(self) -> bool {
        self.is_in(ReasonGroup::Limit)
    }

    /// The condition ends by itself, so a 5xx contradicts it.
    pub fn passes(self) -> bool {
        self.is_in(ReasonGroup::Passing)
    }

    /// The condition stays until somebody changes a setting, so a 4xx contradicts it.
    pub fn lasts(self) -> bool {
        self.is_in(ReasonGroup::Lasting)
    }

    /// A server that rejects a client for this does what it should: block lists, HELO, relay attempts, SPF, spam.
    pub(crate) fn turns_strangers_away(self) -> bool {
        self.is_in(ReasonGroup::Stranger)
    }

    /// The cause that the reason shares with others. A failure for the same message and recipient with the same kin is the
    /// same failure. `None`: the reason tells nothing new, as with greylisting.
    pub(crate) fn kin(self) -> Option<ReasonKin> {
        Some(match self {
            Self::Blocklisted | Self::BadReputation | Self::PolicyBlocked => ReasonKin::Listing,
            Self::SenderAuthFailed | Self::ClientIdentity => ReasonKin::OwnIdentity,
            Self::UserUnknown
            | Self::MailboxDisabled
            | Self::MailboxMoved
            | Self::RecipientRestricted
            | Self::AddressSyntax
            | Self::BadDomain => ReasonKin::DeadAddress,
            Self::ConnectionFailed => ReasonKin::Network,
            Self::DnsFailure => ReasonKin::Dns,
            Self::MailboxFull => ReasonKin::FullMailbox,
            Self::SystemFull => ReasonKin::FullDisk,
            Self::SystemError | Self::ProtocolError => ReasonKin::ServerTrouble,
            Self::RateLimited | Self::TooManyRecipients => ReasonKin::Limit,
            Self::TlsFailure => ReasonKin::Tls,
            Self::RoutingLoop => ReasonKin::Loop,
            Self::SpamContent
            | Self::UnsafeContent
            | Self::SenderRejected
            | Self::MessageFormat
            | Self::MessageTooLarge => ReasonKin::Content,
            Self::SmtpAuth | Self::RelayDenied => ReasonKin::Login,
            Self::Unknown => ReasonKin::Unclear,
            Self::Greylisted | Self::QueueExpired => return None,
        })
    }

    /// Servers use 4xx and 5xx for it alike, so a report marks the 5xx as retryable.
    pub fn is_contested(self) -> bool {
        self.is_in(ReasonGroup::Contested)
    }
}

/// Reasons with one cause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum ReasonKin {
    /// Our address is listed, or has a bad reputation.
    Listing,
    /// SPF, DKIM, DMARC, PTR or HELO of ours.
    OwnIdentity,
    DeadAddress,
    Network,
    Dns,
    FullMailbox,
    FullDisk,
    ServerTrouble,
    Limit,
    Tls,
    Loop,
    Content,
    Login,
    /// The reply does not say why.
    Unclear,
    /// Only where somebody asks for it; [`Reason::kin`] never gives it.
    Greylisting,
}

/// What helps: trying again, or something else.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The queue's own retries will do.
    Retry,
    /// Retry, with fewer connections or messages.
    SlowDown,
    /// Send no more mail to this address.
    Suppress,
    /// Nothing helps until this server, its DNS or its accounts are fixed.
    FixOurs,
    /// The same message will be refused again; a changed one may pass.
    ChangeMessage,
    /// A person on the other side must act.
    Ask,
    /// Leave it alone; it passes.
    Wait,
}

/// The name of a variant as it is typed and printed: `mailbox-full`.
pub fn value_name<V: ValueEnum + Copy>(variant: V) -> String {
    variant.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A set of enhanced codes: `5.2.1`, `x.2.2` (any class) or `x.7.606-649` (a range of details).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnhancedPattern {
    /// 2, 4 or 5. None: any class.
    pub class: Option<u8>,
    pub subject: u16,
    /// The first detail of the range.
    pub first: u16,
    /// The last detail of the range, included.
    pub last: u16,
}

impl EnhancedPattern {
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "x" => None,
            digit => Some(digit.parse().ok().filter(|digit| matches!(digit, 2 | 4 | 5))?),
        };
        let subject = parts.next()?.parse().ok()?;
        let details = parts.next()?;
        let (first, last) = details.split_once('-').unwrap_or((details, details));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (parts.next().is_none() && first <= last).then_some(Self { class, subject, first, last })
    }

    pub fn fits(self, code: EnhancedCode) -> bool {
        self.class.is_none_or(|class| class == code.class_digit())
            && self.subject == code.subject
            && (self.first..=self.last).contains(&code.detail)
    }
}

impl<'de> Deserialize<'de> for EnhancedPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            de::Error::custom(format!("'{text}' is no enhanced code like 5.2.1, x.2.2 or x.7.606-649"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fits(pattern: &str, code: &str, wanted: bool) {
        let (code, _) = EnhancedCode::read(code.as_bytes()).expect("a code");
        let pattern = EnhancedPattern::read(pattern).expect("a pattern");
        assert_eq!(pattern.fits(code), wanted, "{pattern:?} {code}");
    }

    #[test]
    fn a_pattern_fits_its_codes_and_no_other() {
        fits("5.2.1", "5.2.1", true);
        fits("x.2.1", "4.2.1", true);
        fits("x.7.606-649", "5.7.649", true);
        fits("5.2.1", "4.2.1", false);
        fits("x.2.1", "4.2.10", false);
        fits("x.7.606-649", "5.7.650", false);
    }

    #[test]
    fn does_not_take_other_words_for_patterns() {
        for text in ["", "5.2", "3.1.1", "x.1.1.1", "x.7.9-8", "550", "x.y.z", "5.1.-1"] {
            assert_eq!(EnhancedPattern::read(text), None, "{text}");
        }
    }
}
