//! Defines the event, one delivery result or rejection of one line, and the vocabulary that describes it.

use std::iter::Sum;
use std::ops::{AddAssign, Index, IndexMut};

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::EnumCount;

use super::reply::{Class, Code, EnhancedCode};

/// The mail server that wrote the line.
// Everything that depends on the server is a function in `parse/mta/mod.rs`. The default is the server that advice is
// written for when the server is unknown. Both stay out of the doc comment, which is printed by `smtplog schema`.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Debug,
    Serialize,
    Deserialize,
    ValueEnum,
    JsonSchema,
    EnumCount,
)]
#[serde(rename_all = "lowercase")]
pub enum Mta {
    #[default]
    Postfix,
    Exim,
    Sendmail,
    Opensmtpd,
    Kumomta,
}

impl Mta {
    /// Every server, in the order of the enum. Its length follows the enum, so a missing server does not compile.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Postfix, Self::Exim, Self::Sendmail, Self::Opensmtpd, Self::Kumomta];

    /// How many servers there are; inherent, so that callers need no trait.
    pub const COUNT: usize = <Self as EnumCount>::COUNT;

    /// The name as its authors write it.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix",
            Self::Exim => "Exim",
            Self::Sendmail => "sendmail",
            Self::Opensmtpd => "OpenSMTPD",
            Self::Kumomta => "KumoMTA",
        }
    }
}

// The order of `ALL`, which arrays indexed by the enum rely on.
const _: () = {
    let mut at = 0;
    while at < Mta::COUNT {
        assert!(Mta::ALL[at] as usize == at, "Mta::ALL is not in the order of the enum");
        at += 1;
    }
};

/// Who answered whom.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// A remote SMTP or LMTP server answered us, or could not be reached.
    #[value(aliases = ["out", "outgoing"])]
    Outbound,
    /// This server answered a client.
    #[value(aliases = ["in", "incoming"])]
    Inbound,
    /// Delivery on this machine, with no SMTP peer.
    Local,
}

/// What became of it.
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
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    #[value(alias = "sent")]
    Delivered,
    /// Kept in the queue, will be tried again.
    #[value(aliases = ["waiting", "waited", "delayed"])]
    Deferred,
    /// Given up, returned to the sender.
    Bounced,
    /// Given up because the queue lifetime ran out.
    Expired,
    /// Refused to a client.
    #[value(alias = "refused")]
    Rejected,
    /// One host's answer, before another host was tried or before the final line: never added to totals.
    Attempt,
    /// A rule matched and only warned; the mail was not refused.
    Warned,
    /// Taken, and put on hold.
    Held,
    /// Taken, and thrown away.
    Discarded,
    /// An address was verified; no mail was sent.
    Probe,
}

/// One value for each outcome.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub struct ByOutcome<T>([T; Outcome::COUNT]);

impl<T> Index<Outcome> for ByOutcome<T> {
    type Output = T;

    fn index(&self, outcome: Outcome) -> &T {
        &self.0[outcome as usize]
    }
}

impl<T> IndexMut<Outcome> for ByOutcome<T> {
    fn index_mut(&mut self, outcome: Outcome) -> &mut T {
        &mut self.0[outcome as usize]
    }
}

impl<T: AddAssign + Copy> AddAssign<&Self> for ByOutcome<T> {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, value)| *sum += value);
    }
}

impl<T> ByOutcome<T> {
    /// The values in the order of the outcomes.
    pub(crate) fn values(&self) -> &[T; Outcome::COUNT] {
        &self.0
    }

    pub(crate) fn of_values(values: [T; Outcome::COUNT]) -> Self {
        Self(values)
    }
}

impl<T: Copy + Sum> ByOutcome<T> {
    pub fn sum(&self) -> T {
        self.0.iter().copied().sum()
    }
}

/// The SMTP command that the reply answers, or during which the connection failed.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
pub enum Stage {
    #[serde(rename = "connect")]
    #[value(name = "connect")]
    Connect,
    #[serde(rename = "EHLO")]
    #[value(name = "EHLO")]
    Ehlo,
    #[serde(rename = "STARTTLS")]
    #[value(name = "STARTTLS")]
    StartTls,
    #[serde(rename = "AUTH")]
    #[value(name = "AUTH")]
    Auth,
    #[serde(rename = "MAIL FROM")]
    #[value(name = "MAIL FROM")]
    Mail,
    #[serde(rename = "RCPT TO")]
    #[value(name = "RCPT TO")]
    Rcpt,
    #[serde(rename = "DATA")]
    #[value(name = "DATA")]
    Data,
    /// The message itself, up to and including the final dot (or the last BDAT).
    #[serde(rename = "end of DATA")]
    #[value(name = "end of DATA")]
    EndOfData,
}

/// What events can be grouped by.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Code,
    Enhanced,
    Class,
    Reason,
    Outcome,
    /// outbound, inbound or local.
    #[value(alias = "side")]
    Direction,
    Stage,
    /// The recipient's.
    Domain,
    Recipient,
    /// By any line of the message.
    Sender,
    /// As whom the client logged in that handed the message over.
    User,
    Provider,
    /// The server that answered us.
    Relay,
    /// The address that we answered; of a delivery, the one that the message came from, by any line of it.
    Client,
    Instance,
    /// The host that wrote the line.
    Host,
    Mta,
    Hour,
    Day,
}

impl By {
    /// Its values are names that a log chooses.
    pub(crate) fn is_name(self) -> bool {
        match self {
            Self::Domain
            | Self::Recipient
            | Self::Sender
            | Self::User
            | Self::Relay
            | Self::Client
            | Self::Instance
            | Self::Host => true,
            Self::Code
            | Self::Enhanced
            | Self::Class
            | Self::Reason
            | Self::Outcome
            | Self::Direction
            | Self::Stage
            | Self::Provider
            | Self::Mta
            | Self::Hour
            | Self::Day => false,
        }
    }
}

/// The other side of an SMTP connection: the remote server, or the client. `None`: the line does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Peer<'a> {
    pub host: Option<&'a [u8]>,
    pub ip: Option<&'a [u8]>,
    pub port: Option<u16>,
}

/// A delivery result or a rejection. It borrows from its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    pub mta: Mta,
    pub direction: Direction,
    pub outcome: Outcome,
    /// `None`: there was no queue file yet (`NOQUEUE`).
    pub queue_id: Option<&'a [u8]>,
    /// The reply code. `None`: the line shows none.
    pub code: Option<Code>,
    /// The enhanced status code in the text of the reply.
    pub enhanced: Option<EnhancedCode>,
    /// The enhanced status code that the server logs itself as `dsn=`; it may differ from `enhanced`.
    pub dsn: Option<EnhancedCode>,
    /// The class that the line implies without a number (Exim's `==` and `**`).
    pub hint: Option<Class>,
    pub stage: Option<Stage>,
    /// Empty: the null sender. `None`: the line does not show it.
    pub sender: Option<&'a [u8]>,
    pub recipient: Option<&'a [u8]>,
    pub peer: Peer<'a>,
    /// The whole reply as logged; for a failure without a reply, the text of the server about it.
    pub text: &'a [u8],
    /// The line repeats the failure of an earlier delivery.
    pub suspended: bool,
    /// The text that begins with the durations of a delivery. Empty: the line has none, or they stand elsewhere.
    pub durations: &'a [u8],
}

impl Event<'_> {
    /// An event without any other field.
    pub const fn new(mta: Mta, direction: Direction, outcome: Outcome) -> Self {
        Self {
            mta,
            direction,
            outcome,
            queue_id: None,
            code: None,
            enhanced: None,
            dsn: None,
            hint: None,
            stage: None,
            sender: None,
            recipient: None,
            peer: Peer { host: None, ip: None, port: None },
            text: b"",
            suspended: false,
            durations: b"",
        }
    }

    /// The class of the code, else of the enhanced code, else of `dsn=`, else the hint.
    pub fn class(&self) -> Option<Class> {
        self.code
            .map(Code::class)
            .or_else(|| self.enhanced.map(EnhancedCode::class))
            .or_else(|| self.dsn.map(EnhancedCode::class))
            .or(self.hint)
    }
}
