//! Names the storm patterns as `smtplog storm` reports them.

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    StolenAccount,
    DeadList,
    Backscatter,
    ListedIp,
    ProviderOutage,
    RateLimit,
    OwnNetwork,
    DiskFull,
    Tls,
    FullMailbox,
    DictionaryAttack,
    PasswordGuessing,
    Loop,
    DeadDownstream,
    Silence,
}

impl Pattern {
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    pub const fn id(self) -> &'static str {
        match self {
            Self::StolenAccount => "stolen-account",
            Self::DeadList => "dead-list",
            Self::Backscatter => "backscatter",
            Self::ListedIp => "listed-ip",
            Self::ProviderOutage => "provider-outage",
            Self::RateLimit => "rate-limit",
            Self::OwnNetwork => "own-network",
            Self::DiskFull => "disk-full",
            Self::Tls => "tls",
            Self::FullMailbox => "full-mailbox",
            Self::DictionaryAttack => "dictionary-attack",
            Self::PasswordGuessing => "password-guessing",
            Self::Loop => "loop",
            Self::DeadDownstream => "dead-downstream",
            Self::Silence => "silence",
        }
    }

    /// Messages per day below which the storm could not be told from chance.
    pub const fn least_traffic(self) -> u64 {
        match self {
            Self::ListedIp | Self::ProviderOutage | Self::Tls => 12_000,
            Self::OwnNetwork | Self::DiskFull | Self::DeadDownstream => 4000,
            Self::Silence => 6000,
            Self::RateLimit => 1500,
            Self::StolenAccount
            | Self::DeadList
            | Self::Backscatter
            | Self::FullMailbox
            | Self::DictionaryAttack
            | Self::PasswordGuessing
            | Self::Loop => 200,
        }
    }
}
