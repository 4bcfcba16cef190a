//! Parses the JSON objects of log shippers, container runtimes and the journal into metadata and the line's text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json_value::JsonValue;
use super::metadata::{WrapperMetadata, host, pid_of, program};
use super::timestamp::WrapperTime;

/// The line inside a JSON object, and the metadata beside it.
#[derive(Debug)]
pub(crate) struct JsonObject<'a> {
    pub metadata: WrapperMetadata<'a>,
    pub text: Cow<'a, [u8]>,
}

/// Parses `{"MESSAGE":"…","SYSLOG_IDENTIFIER":"postfix/smtp",…}`. `None`: not a JSON object, one without a text, or one
/// nested deeper than the 128 levels that serde_json allows.
pub(crate) fn read(text: &str) -> Option<JsonObject<'_>> {
    let fields: JsonFields = serde_json::from_str(text).ok()?;
    // `log` with `time` is Docker's json-file, also through Fluent Bit: its time is when the line was written.
    let exact = matches!((&fields.text, &fields.time), (Some((2, _)), Some((4, _))));
    let metadata = WrapperMetadata {
        exact,
        time: fields.time.map(|(_, when)| when),
        host: fields.host.map(|(_, host)| host),
        program: fields.program.map(|(_, program)| program),
        pid: fields.pid.map(|(_, pid)| pid),
    };
    fields.text.map(|(_, text)| JsonObject { metadata, text })
}

/// The meaning of a field name. The number is its rank among the names with that meaning; the lowest rank wins.
#[derive(Clone, Copy)]
enum JsonField {
    Text(u8),
    Time(u8),
    Host(u8),
    Program(u8),
    Pid(u8),
    /// `log`: an object of the Elastic Common Schema, or the line of a container.
    Log,
    /// `process`: an object of the Elastic Common Schema.
    Process,
    Other,
}

/// Looks up a field name of: systemd.journal-fields(7); Docker's json-file; the syslog sources of Vector, Logstash and
/// Fluent Bit; the Elastic Common Schema; rsyslog's properties.
fn field_of_name(name: &str) -> JsonField {
    match name {
        "MESSAGE" => JsonField::Text(0),
        "message" => JsonField::Text(1),
        "log" => JsonField::Log,
        "msg" => JsonField::Text(3),
        // The time at which the journal received the entry, which `journalctl -o short` shows. `__REALTIME_TIMESTAMP` is the
        // time at which it was written to the journal.
        "_SOURCE_REALTIME_TIMESTAMP" => JsonField::Time(0),
        "__REALTIME_TIMESTAMP" => JsonField::Time(1),
        "timestamp" => JsonField::Time(2),
        "@timestamp" => JsonField::Time(3),
        "time" => JsonField::Time(4),
        "date" => JsonField::Time(5),
        // A shipper may write its own host into `host`, so that ranks last.
        "_HOSTNAME" => JsonField::Host(0),
        "logsource" => JsonField::Host(2),
        "hostname" => JsonField::Host(3),
        "host" | "host.name" => JsonField::Host(4),
        "SYSLOG_IDENTIFIER" => JsonField::Program(0),
        "appname" => JsonField::Program(2),
        "program" => JsonField::Program(3),
        "programname" => JsonField::Program(4),
        "ident" => JsonField::Program(5),
        "process.name" => JsonField::Program(6),
        "tag" | "syslogtag" => JsonField::Program(7),
        "process" => JsonField::Process,
        "SYSLOG_PID" => JsonField::Pid(0),
        "_PID" => JsonField::Pid(1),
        "procid" => JsonField::Pid(3),
        "pid" => JsonField::Pid(4),
        "process.pid" => JsonField::Pid(5),
        _ => JsonField::Other,
    }
}

/// A value and the rank of the name that it came from.
type Ranked<T> = Option<(u8, T)>;

/// Keeps the value with the lowest rank. If a name occurs twice, the last value wins, as in most JSON parsers.
fn keep<T>(kept: &mut Ranked<T>, rank: u8, value: Option<T>) {
    if let Some(value) = value
        && kept.as_ref().is_none_or(|(old, _)| rank <= *old)
    {
        *kept = Some((rank, value));
    }
}

#[derive(Default)]
struct JsonFields<'a> {
    text: Ranked<Cow<'a, [u8]>>,
    time: Ranked<WrapperTime<'a>>,
    host: Ranked<Cow<'a, str>>,
    program: Ranked<Cow<'a, str>>,
    pid: Ranked<Cow<'a, str>>,
}

impl<'a> JsonFields<'a> {
    fn take(&mut self, field: JsonField, value: JsonValue<'a>) {
        match (field, value) {
            (JsonField::Text(rank), value) => keep(&mut self.text, rank, value.bytes()),
            (JsonField::Time(rank), value) => keep(&mut self.time, rank, value.time()),
            (JsonField::Host(rank), JsonValue::Object(parts)) => {
                keep(&mut self.host, rank, parts.name.or(parts.hostname).and_then(host));
            }
            (JsonField::Host(rank), value) => keep(&mut self.host, rank, value.text().and_then(host)),
            (JsonField::Program(rank), value) => self.add_program(rank, value.text()),
            (JsonField::Pid(rank), value) => keep(&mut self.pid, rank, value.text().and_then(pid_of)),
            (JsonField::Process, JsonValue::Object(parts)) => {
                self.add_program(6, parts.name);
                keep(&mut self.pid, 5, parts.pid.and_then(pid_of));
            }
            (JsonField::Log, JsonValue::Object(parts)) => {
                let Some(syslog) = parts.syslog else { return };
                keep(&mut self.host, 1, syslog.hostname.and_then(host));
                self.add_program(1, syslog.name);
                keep(&mut self.pid, 2, syslog.pid.and_then(pid_of));
            }
            (JsonField::Log, value) => keep(&mut self.text, 2, value.bytes()),
            (JsonField::Process | JsonField::Other, _) => {}
        }
    }

    fn add_program(&mut self, rank: u8, name: Option<Cow<'a, str>>) {
        let Some((name, pid)) = name.and_then(program) else { return };
        keep(&mut self.program, rank, Some(name));
        keep(&mut self.pid, 6, pid);
    }
}

struct FieldsVisitor;

impl<'de> Deserialize<'de> for JsonFields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = JsonFields<'de>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = JsonFields::default();
        // A journal entry has about 25 fields, of which 20 are skipped.
        while let Some(JsonKey(field)) = map.next_key()? {
            match field {
                JsonField::Other => drop(map.next_value::<IgnoredAny>()?),
                field => fields.take(field, map.next_value()?),
            }
        }
        Ok(fields)
    }
}

struct JsonKey(JsonField);

impl<'de> Deserialize<'de> for JsonKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = JsonKey;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<JsonKey, E> {
                Ok(JsonKey(field_of_name(name)))
            }
        }
        from.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let Some(JsonObject { metadata, text }) = read(text) else { return "nothing".to_owned() };
        let parts =
            [metadata.host, metadata.program, metadata.pid].map(|part| part.unwrap_or_default().into_owned());
        format!("{} {}", parts.join(","), String::from_utf8_lossy(&text))
    }

    #[test]
    fn ranks_names_in_any_order() {
        assert_eq!(parsed(r#"{"msg":"a","log":"b","message":"c"}"#), ",, c");
        assert_eq!(parsed(r#"{"message":"c","log":"b","msg":"a"}"#), ",, c");
        assert_eq!(parsed(r#"{"host":"a","hostname":"b","message":"x"}"#), "b,, x");
        assert_eq!(parsed(r#"{"host":{"name":"a","os":{"name":"c"}},"message":"x"}"#), "a,, x");
        assert_eq!(parsed(r#"{"tag":"a[1]:","appname":"b","pid":2,"message":"x"}"#), ",b,2 x");
        assert_eq!(parsed(r#"{"mess\u0061ge":"x \"y\""}"#), r#",, x "y""#);
    }

    #[test]
    fn takes_the_last_of_two_and_passes_over_what_does_not_fit() {
        assert_eq!(parsed(r#"{"message":"a","message":"b"}"#), ",, b");
        assert_eq!(parsed(r#"{"message":"a","message":null}"#), ",, a");
        assert_eq!(parsed(r#"{"message":7,"log":{"offset":1},"msg":"a"}"#), ",, a");
        assert_eq!(parsed(r#"{"message":[65,256],"msg":"a"}"#), ",, a");
        assert_eq!(parsed(r#"{"host":["a",{"b":[1]}],"pid":-1,"program":1e3,"message":"x"}"#), "a,, x");
        assert_eq!(parsed(r#"{"pid":"12345678901","process":"a","message":"x"}"#), ",, x");
    }

    #[test]
    fn finds_nothing_where_nothing_is() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#""message""#,
            r#"{"message":"a"},"#,
            r#"{"message":"a}"#,
            r#"{"m":"a"}"#,
        ] {
            assert_eq!(parsed(text), "nothing", "{text}");
        }
    }

    #[test]
    fn does_not_go_deep() {
        let deep =
            |name: &str| format!(r#"{{"message":"x","{name}":{}{}}}"#, "[".repeat(9000), "]".repeat(9000));
        assert_eq!(parsed(&deep("host")), "nothing");
        assert_eq!(parsed(&deep("message")), "nothing");
        // Skipped values have no depth limit.
        assert_eq!(parsed(&deep("other")), ",, x");
    }
}
