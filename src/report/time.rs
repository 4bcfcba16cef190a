//! Times in JSON: RFC 3339 with the offset of the zone, and their JSON Schema.

use jiff::Zoned;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// From the first to the last minute of the mail lines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Range {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub first: Zoned,
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub last: Zoned,
}

pub(crate) fn rfc3339<S: Serializer>(moment: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&moment.strftime("%Y-%m-%dT%H:%M:%S%:z"))
}

// serde gives a reference to the field as it is.
#[allow(clippy::ref_option)]
pub(crate) fn maybe_rfc3339<S: Serializer>(moment: &Option<Zoned>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => rfc3339(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// How the schema says what [`rfc3339`] writes.
pub(crate) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}
