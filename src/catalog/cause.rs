//! Defines the causes: which one of the things that a reason stands for happened.

use std::sync::LazyLock;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use strum::EnumCount;

use super::reason::Reason;
use super::tables::table;

/// Which one of the things that a reason stands for: the reason says what kind of failure it is, the cause which one.
/// A failure may have no known cause.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    ValueEnum,
    JsonSchema,
    EnumCount,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    NotInLocalTable,
    NotInMailboxTable,
    NotInAliasTable,
    NotInRelayTable,
    NotInDirectory,
    NoRoute,
    RecipientCallout,
    AccountInactive,
    AccountSuspended,
    MailboxLocked,
    MailboxSizeLimit,
    MembersOnly,
    BlockedByRecipient,
    AddressWithoutDomain,
    NullMx,
    NoSuchDomain,
    SmartHostName,
    MxUnusable,
    DnsLater,
    ConnectionRefused,
    ConnectionTimeout,
    NetworkUnreachable,
    GreetingTimeout,
    ConnectionLost,
    SocketMissing,
    EveryServerFailed,
    RetryTime,
    LoopsToMyself,
    TooManyHops,
    ForwardingLoop,
    AliasLoop,
    ExpiredAtTheirSide,
    ExpiredHere,
    ScannerDown,
    MilterDown,
    PolicyServiceDown,
    LookupFailed,
    QueueWriteError,
    AliasDatabase,
    TransportUnavailable,
    PermissionDenied,
    NotOwned,
    CommandFailed,
    CommandMissing,
    ServerBusy,
    QueueDiskFull,
    MailboxDiskFull,
    SendingQuota,
    RecipientFlooded,
    TooManyConnections,
    HostingLimit,
    BlockedForRate,
    ClientLimit,
    TooManyErrors,
    PostscreenTest,
    AddressProbe,
    ListedSpamhaus,
    ListedSpamcop,
    ListedUceprotect,
    ListedBarracuda,
    ListedProofpoint,
    ListedCloudmark,
    ListedOutlook,
    ListedSorbs,
    TheirResolverRefused,
    OwnResolverRefused,
    DynamicRange,
    BannedIp,
    NoReputation,
    UserComplaints,
    DeadRecipients,
    NoPtr,
    PtrMismatch,
    #[serde(rename = "ipv6-no-ptr")]
    #[value(name = "ipv6-no-ptr")]
    Ipv6NoPtr,
    HeloNotQualified,
    HeloUnknown,
    HeloOurs,
    HeloRefused,
    SpfFailed,
    DkimFailed,
    DmarcFailed,
    NotAuthenticated,
    SenderNotOwned,
    SenderDomain,
    SenderCallout,
    IdentityNotVerified,
    SenderBanned,
    TheirOwnDomain,
    ClientMustLogIn,
    RelayLogin,
    WrongPassword,
    AppPassword,
    LoginDisabled,
    NoMechanism,
    LoginBackend,
    LoginLimit,
    TenantAttribution,
    TlsNotOffered,
    TlsNotTrusted,
    TlsExpired,
    TlsWrongPort,
    TlsVersion,
    TlsHandshake,
    TlsRequired,
    DaneLookup,
    DaneFailed,
    MtaSts,
    OwnCertificate,
    OwnCertificateExpired,
    SpamLink,
    VirusFound,
    BannedAttachment,
    Smtputf8,
    BareLineEnds,
    HeaderMissing,
    LineTooLong,
    #[serde(rename = "8bit-not-supported")]
    #[value(name = "8bit-not-supported")]
    EightBitNotSupported,
    EarlyTalker,
    CommandsRewritten,
    GreetingBlocked,
    LocalRule,
    AccessRule,
    CountryBlocked,
}

impl Cause {
    /// How many causes there are; inherent, so that callers need no trait.
    pub const COUNT: usize = <Self as EnumCount>::COUNT;
}

/// The texts of a cause.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseRow {
    pub id: Cause,
    /// The reasons that it can stand behind.
    #[serde(deserialize_with = "one_or_more")]
    pub reason: Vec<Reason>,
    /// At most 30 characters, for a row of a report.
    pub title: String,
    pub meaning: String,
}

#[derive(Deserialize)]
struct CauseTable {
    cause: Vec<CauseRow>,
}

static CAUSES: LazyLock<CauseTable> = LazyLock::new(|| table("causes"));

/// All causes, in the order of [`Cause`].
pub fn causes() -> &'static [CauseRow] {
    &CAUSES.cause
}

/// The row of a cause; every cause has one.
pub fn cause_row(cause: Cause) -> &'static CauseRow {
    let row = causes().get(cause as usize).filter(|row| row.id == cause);
    row.expect("a test finds a row for each cause")
}

/// Reads one value or a list of them.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore<T> {
        One(T),
        More(Vec<T>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_row_for_every_cause() {
        let ids: Vec<Cause> = causes().iter().map(|row| row.id).collect();
        assert_eq!(ids, Cause::value_variants());
        for row in causes() {
            let length = row.title.chars().count();
            assert!((1..=30).contains(&length), "{:?}: {length} characters", row.id);
            assert!(row.meaning.ends_with('.') && !row.reason.is_empty(), "{:?}", row.id);
        }
    }
}
