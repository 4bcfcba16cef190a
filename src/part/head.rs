//! The head of a part: one line of JSON, which says what the part is of and how it was counted.

use serde::{Deserialize, Serialize};

use crate::collections::stable_hash::PART_SEED;
use crate::smtp::event::By;

/// What every part of this version begins with.
pub(crate) const SCHEMA: &str = "smtplog.part/1";

/// The name of every version without its number.
pub(crate) const SCHEMA_NAME: &str = "smtplog.part/";

/// The head of a part. Fields are added within a schema, never renamed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PartHead {
    pub schema: String,
    /// The version of smtplog that wrote it.
    pub version: String,
    pub counted: CountedWith,
    /// The zone of timestamps that name none. Absent: it has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The hosts that wrote the lines.
    pub hosts: Vec<PartHost>,
    pub sources: Vec<PartSource>,
    /// Number of example lines of each row.
    pub examples: usize,
    pub limits: PartLimits,
    /// Notes of the scan about its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    pub sections: Vec<SectionEntry>,
}

/// How the events of a part were counted. Only parts with the same can be merged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct CountedWith {
    /// The hash of the tables that decide reasons, and of the user's own rules.
    pub book: String,
    /// The names of providers; a provider in a section is its number in this list, from 1.
    pub providers: Vec<String>,
    /// The filters, as options.
    pub filter: Vec<String>,
    pub by: Vec<By>,
    /// Hand-offs are counted as deliveries.
    pub hops: bool,
    /// How long deliveries took was measured.
    pub delays: bool,
    /// The seed of all hashes, in hexadecimal digits.
    pub seed: String,
    /// The id of the key of `--redact`. Absent: nothing is redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redact: Option<String>,
}

/// The lines of one host. Its times are minutes since 1970-01-01T00:00Z.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PartHost {
    /// Empty: the lines name no host, and no option does. Bytes that are not UTF-8 became U+FFFD.
    pub name: String,
    pub first: i64,
    pub last: i64,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PartSource {
    pub path: String,
    /// Device and inode; absent: it is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<(u64, u64)>,
    /// The bytes of its text that were read: from the first to the one behind the last.
    pub read: (u64, u64),
}

/// The limits beyond which tables are cut.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PartLimits {
    /// Names of senders, of clients and of users.
    pub who: usize,
    /// Names of domains, relays, instances and hosts together.
    pub names: usize,
    /// Recipients of a row that are counted exactly.
    pub recipients: usize,
}

/// Where a section lies: the sections follow the head in this order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct SectionEntry {
    pub name: String,
    /// Length in the file.
    pub packed: usize,
    /// Length once it is decompressed.
    pub bytes: usize,
    /// XXH3 of the bytes in the file, in hexadecimal digits.
    pub xxh3: String,
    #[serde(default)]
    pub form: SectionForm,
}

/// How a section is packed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SectionForm {
    /// RFC 1952. Early versions packed all sections so, and named no form.
    #[default]
    Gzip,
    /// RFC 1951.
    Deflate,
    /// Not compressed.
    Plain,
}

impl PartLimits {
    pub(crate) const CURRENT: Self = Self { who: 1 << 15, names: 1 << 18, recipients: 100_000 };
}

impl PartHead {
    /// The first and the last minute of all lines. `None`: no line has a valid timestamp.
    pub(crate) fn minutes(&self) -> Option<(i64, i64)> {
        let first = self.hosts.iter().map(|host| host.first).min()?;
        Some((first, self.hosts.iter().map(|host| host.last).max()?))
    }
}

impl CountedWith {
    pub(crate) fn seed() -> String {
        format!("{PART_SEED:016x}")
    }

    /// In what it differs from another one. `None`: in nothing.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.seed != other.seed {
            Some("another seed")
        } else if self.redact.is_some() != other.redact.is_some() {
            Some("another choice of --redact")
        } else if self.redact != other.redact {
            Some("another key for --redact")
        } else if self.book != other.book || self.providers != other.providers {
            Some("other rules")
        } else if self.filter != other.filter {
            Some("another filter")
        } else if self.by != other.by {
            Some("another --by")
        } else if self.hops != other.hops {
            Some("another --hops")
        } else if self.delays != other.delays {
            Some("another --delays")
        } else {
            None
        }
    }
}
