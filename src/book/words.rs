//! The words the book's tables are written in: reasons, what a retry is worth, and patterns of enhanced codes.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::reply::EnhancedCode;

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
    /// Nothing helps until this server, its DNS or its accounts are mended.
    FixOurs,
    /// The same message will be refused again; a changed one may pass.
    ChangeMessage,
    /// A person on the other side must act.
    Ask,
    /// Leave it alone; it passes.
    Wait,
}

/// A word as it is typed and printed: `mailbox-full`.
pub fn slug<W: ValueEnum + Copy>(word: W) -> String {
    word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// `5.2.1`, `x.2.2` (any class) or `x.7.606-649` (from, to).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnhancedPattern {
    /// None: any.
    pub class: Option<u8>,
    pub subject: u16,
    pub first: u16,
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
