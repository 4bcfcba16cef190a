//! Collects and quotes the values that a storm's commands may contain: its times, factors and log files.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::commands::QuotedValues;
use super::sentences::Phrasing;
use crate::catalog::classify::Reason;
use crate::catalog::value_name;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::FactorShare;

/// The values that all storms of a log share.
#[derive(Clone, Copy)]
pub(crate) struct CommandValues<'a> {
    pub phrasing: Phrasing<'a>,
    pub zone: &'a TimeZone,
    /// The log files as the user named them. Empty, or one of them is `-`: they cannot be read again.
    pub files: &'a [String],
}

impl CommandValues<'_> {
    /// `None`: no calendar has this minute.
    pub(crate) fn time(&self, minute: i32) -> Option<Zoned> {
        let stamp = Timestamp::from_second(i64::from(minute) * 60).ok()?;
        Some(stamp.to_zoned(self.zone.clone()))
    }
}

/// The values of a storm from minute `start` to `until`, quoted for a shell. `clients` are its main clients.
pub(crate) fn values(
    common: &CommandValues,
    shares: &[FactorShare],
    clients: &[FactorShare],
    reason: Option<Reason>,
    (start, until): (i32, i32),
) -> QuotedValues {
    let mut values = QuotedValues::default();
    times(&mut values, common, (start, until));
    if !common.files.iter().any(|file| file == "-") {
        values.files("files", common.files);
    }
    let clients: Vec<String> = clients.iter().filter_map(|share| common.phrasing.value(share)).collect();
    values.words("clients", &clients);
    for share in shares {
        let Some(value) = common.phrasing.value(share) else { continue };
        match share.dimension {
            Dimension::Sender if value == "<>" => {}
            Dimension::Sender => {
                values.word("sender", &value);
                // awk splits a line of the queue at blanks, and knows no letters but those of ASCII.
                if value.bytes().all(|byte| byte.is_ascii_graphic()) {
                    values.word("plainsender", &value);
                }
                values.expression("exactsender", "<", &value, ">");
            }
            Dimension::Recipient => {
                values.word("recipient", &value);
                if value.is_ascii() {
                    values.word("plainrecipient", &value);
                }
                values.expression("exactrecipient", "", &value, "");
            }
            Dimension::Client => {
                values.word("client", &value);
                if let Ok(ip) = value.parse::<std::net::IpAddr>() {
                    values.word("ip", &ip.to_string());
                    values.word("family", if ip.is_ipv4() { "ip" } else { "ip6" });
                }
            }
            Dimension::Provider => values.word("provider", &value),
            Dimension::Domain => {
                values.word("domain", &value);
                if is_host_name(&value) {
                    values.word("zone", &value);
                }
            }
            Dimension::Relay => {
                values.word("relay", &value);
                if is_host_name(&value) {
                    values.word("server", &value);
                }
            }
            Dimension::User => values.word("user", &value),
            Dimension::Reason => values.word("reason", &value),
            Dimension::Instance
            | Dimension::Host
            | Dimension::Code
            | Dimension::Direction
            | Dimension::Stage => {}
        }
    }
    values.word("reason", &reason.map(value_name).unwrap_or_default());
    values
}

/// Adds when the storm began and ended, in the forms that programs want.
fn times(values: &mut QuotedValues, common: &CommandValues, (start, until): (i32, i32)) {
    let shown = |minute: i32, form: &str| {
        common.time(minute).map(|at| at.strftime(form).to_string()).unwrap_or_default()
    };
    values.word("since", &shown(start, "%Y-%m-%dT%H:%M:%S%:z"));
    values.word("until", &shown(until + 1, "%Y-%m-%dT%H:%M:%S%:z"));
    values.word("at", &shown(start, "%Y%m%dT%H%M"));
    values.word("begun", &shown(start, "%F %H:%M"));
}

/// A name that no program takes for an option.
fn is_host_name(value: &str) -> bool {
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    value.chars().all(is_name) && !value.starts_with('-')
}
