//! Times in JSON: RFC 3339 with the offset of the zone, and their JSON Schema.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::parse::timestamp;

/// The first and the last minute of the mail lines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Range {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub first: Zoned,
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub last: Zoned,
}

/// Serializes a time to the second: `2026-11-21T02:41:00+01:00`.
pub(crate) fn rfc3339<S: Serializer>(moment: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&moment.strftime("%Y-%m-%dT%H:%M:%S%:z"))
}

/// The minute, counted from 1970-01-01T00:00Z, as [`rfc3339`] writes it. `None`: it is beyond year 9999.
pub(crate) fn minute_rfc3339(minute: i64, zone: &TimeZone) -> Option<String> {
    let moment = Timestamp::from_second(minute.checked_mul(60)?).ok()?;
    Some(timestamp::rfc3339(moment, zone.to_offset(moment)))
}

// serde passes a reference to the field, which is an Option.
#[allow(clippy::ref_option)]
pub(crate) fn maybe_rfc3339<S: Serializer>(moment: &Option<Zoned>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => rfc3339(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// The JSON Schema of what [`rfc3339`] writes.
pub(crate) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}
