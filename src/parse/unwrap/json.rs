//! Parses the JSON objects of log shippers, container runtimes and the journal into metadata and the line's text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json_value::JsonValue;
use super::metadata::{WrapperMetadata, host, pid_of, program};
use super::timestamp::WrapperTime;

#[derive(Debug)]
pub(crate) struct JsonObject<'a> {
    pub metadata: WrapperMetadata<'a>,
    pub text: Cow<'a, [u8]>,
}

/// None: no JSON object, or none that carries a text. serde_json refuses what is deeper than 128 levels.
pub(crate) fn read(text: &str) -> Option<JsonObject<'_>> {
    let fields: JsonFields = serde_json::from_str(text).ok()?;
    // As Docker's json-file has it, and what Fluent Bit makes of it.
    let exact = matches!((&fields.text, &fields.time), (Some((2, _)), Some((4, _))));
    let cover = WrapperMetadata {
        exact,
        time: fields.time.map(|(_, when)| when),
        host: fields.host.map(|(_, host)| host),
        program: fields.program.map(|(_, program)| program),
        pid: fields.pid.map(|(_, pid)| pid),
    };
    fields.text.map(|(_, text)| JsonObject { metadata: cover, text })
}

/// What a name stands for. The number ranks the names of one thing, the lowest first.
#[derive(Clone, Copy)]
enum JsonField {
    Text(u8),
    Time(u8),
    Host(u8),
    Program(u8),
    Pid(u8),
    /// An object of the Elastic Common Schema, whose `log` may be a container's line as well.
    Log,
    Process,
    Other,
}

/// systemd.journal-fields(7); Docker's json-file; Vector's, Logstash's and Fluent Bit's syslog sources; the Elastic
/// Common Schema; rsyslog's property names.
fn field_of_name(name: &str) -> JsonField {
    match name {
        "MESSAGE" => JsonField::Text(0),
        "message" => JsonField::Text(1),
        "log" => JsonField::Log,
        "msg" => JsonField::Text(3),
        // When the kernel took it from the server, as a file of syslog and `journalctl -o short` have it. The other is
        // when the journal came to write it.
        "_SOURCE_REALTIME_TIMESTAMP" => JsonField::Time(0),
        "__REALTIME_TIMESTAMP" => JsonField::Time(1),
        "timestamp" => JsonField::Time(2),
        "@timestamp" => JsonField::Time(3),
        "time" => JsonField::Time(4),
        "date" => JsonField::Time(5),
        // A shipper's own host is the last to ask.
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

type Ranked<T> = Option<(u8, T)>;

/// The lowest rank stays; of a name that stands twice the last does, as most readers of JSON have it.
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
        // Of the journal's 25 fields 20 are passed over unread.
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

    fn said(text: &str) -> String {
        let Some(JsonObject { metadata: cover, text }) = read(text) else { return "nothing".to_owned() };
        let parts = [cover.host, cover.program, cover.pid].map(|part| part.unwrap_or_default().into_owned());
        format!("{} {}", parts.join(","), String::from_utf8_lossy(&text))
    }

    #[test]
    fn ranks_names_in_any_order() {
        assert_eq!(said(r#"{"msg":"a","log":"b","message":"c"}"#), ",, c");
        assert_eq!(said(r#"{"message":"c","log":"b","msg":"a"}"#), ",, c");
        assert_eq!(said(r#"{"host":"a","hostname":"b","message":"x"}"#), "b,, x");
        assert_eq!(said(r#"{"host":{"name":"a","os":{"name":"c"}},"message":"x"}"#), "a,, x");
        assert_eq!(said(r#"{"tag":"a[1]:","appname":"b","pid":2,"message":"x"}"#), ",b,2 x");
        assert_eq!(said(r#"{"mess\u0061ge":"x \"y\""}"#), r#",, x "y""#);
    }

    #[test]
    fn takes_the_last_of_two_and_passes_over_what_does_not_fit() {
        assert_eq!(said(r#"{"message":"a","message":"b"}"#), ",, b");
        assert_eq!(said(r#"{"message":"a","message":null}"#), ",, a");
        assert_eq!(said(r#"{"message":7,"log":{"offset":1},"msg":"a"}"#), ",, a");
        assert_eq!(said(r#"{"message":[65,256],"msg":"a"}"#), ",, a");
        assert_eq!(said(r#"{"host":["a",{"b":[1]}],"pid":-1,"program":1e3,"message":"x"}"#), "a,, x");
        assert_eq!(said(r#"{"pid":"12345678901","process":"a","message":"x"}"#), ",, x");
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
            assert_eq!(said(text), "nothing", "{text}");
        }
    }

    #[test]
    fn does_not_go_deep() {
        let deep =
            |name: &str| format!(r#"{{"message":"x","{name}":{}{}}}"#, "[".repeat(9000), "]".repeat(9000));
        assert_eq!(said(&deep("host")), "nothing");
        assert_eq!(said(&deep("message")), "nothing");
        // What is passed over costs no depth.
        assert_eq!(said(&deep("other")), ",, x");
    }
}
