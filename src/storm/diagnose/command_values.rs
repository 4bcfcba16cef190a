//! What may stand in the commands about a storm: its factors and times come in, quoted words go out.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::commands::QuotedValues;
use super::sentences::Phrasing;
use crate::catalog::classify::Reason;
use crate::catalog::value_name;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::FactorShare;

/// What is the same for all storms of a log.
#[derive(Clone, Copy)]
pub(crate) struct CommandValues<'a> {
    pub speaker: Phrasing<'a>,
    pub zone: &'a TimeZone,
    /// As they were named. Empty, or `-` among them: they cannot be read again.
    pub files: &'a [String],
}

impl CommandValues<'_> {
    /// None: no calendar has it.
    pub(crate) fn at(&self, minute: i32) -> Option<Zoned> {
        let stamp = Timestamp::from_second(i64::from(minute) * 60).ok()?;
        Some(stamp.to_zoned(self.zone.clone()))
    }
}

/// What is known of a storm from `start` to `until`, quoted.
pub(crate) fn values(
    known: &CommandValues,
    shares: &[FactorShare],
    reason: Option<Reason>,
    start: i32,
    until: i32,
) -> QuotedValues {
    let mut values = QuotedValues::default();
    let stamp = |minute: i32| {
        known.at(minute).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
    };
    values.word("since", &stamp(start));
    values.word("until", &stamp(until + 1));
    let local = |at: Zoned| at.strftime("%F %H:%M").to_string();
    values.word("begun", &known.at(start).map(local).unwrap_or_default());
    if !known.files.iter().any(|file| file == "-") {
        values.files("files", known.files);
    }
    for share in shares {
        let Some(value) = known.speaker.value(share) else { continue };
        match share.dimension {
            Dimension::Sender if value == "<>" => {}
            Dimension::Sender => {
                values.word("sender", &value);
                values.expression("exactsender", "<", &value, ">");
            }
            Dimension::Recipient => {
                values.word("recipient", &value);
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
            Dimension::Domain => values.word("domain", &value),
            Dimension::Relay => {
                let is_name = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-');
                values.word("relay", &value);
                if value.chars().all(is_name) && !value.starts_with('-') {
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
