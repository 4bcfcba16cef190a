//! A JSON object that a log shipper, a container's runtime or the journal wrote comes in; what it says of the line and
//! the line's text go out.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cover::{Cover, host, pid_of, program};
use super::when::When;

#[derive(Debug)]
pub struct Object<'a> {
    pub cover: Cover<'a>,
    pub text: Cow<'a, [u8]>,
}

/// None: no JSON object, or none that carries a text. serde_json refuses what is deeper than 128 levels.
pub fn read(text: &str) -> Option<Object<'_>> {
    let fields: Fields = serde_json::from_str(text).ok()?;
    let cover = Cover {
        when: fields.when.map(|(_, when)| when),
        host: fields.host.map(|(_, host)| host),
        program: fields.program.map(|(_, program)| program),
        pid: fields.pid.map(|(_, pid)| pid),
    };
    fields.text.map(|(_, text)| Object { cover, text })
}

/// What a name stands for. The number ranks the names of one thing, the lowest first.
#[derive(Clone, Copy)]
enum Field {
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
fn field(name: &str) -> Field {
    match name {
        "MESSAGE" => Field::Text(0),
        "message" => Field::Text(1),
        "log" => Field::Log,
        "msg" => Field::Text(3),
        // When the kernel took it from the server, as a file of syslog and `journalctl -o short` have it. The other is
        // when the journal came to write it.
        "_SOURCE_REALTIME_TIMESTAMP" => Field::Time(0),
        "__REALTIME_TIMESTAMP" => Field::Time(1),
        "timestamp" => Field::Time(2),
        "@timestamp" => Field::Time(3),
        "time" => Field::Time(4),
        "date" => Field::Time(5),
        // A shipper's own host is the last to ask.
        "_HOSTNAME" => Field::Host(0),
        "logsource" => Field::Host(2),
        "hostname" => Field::Host(3),
        "host" | "host.name" => Field::Host(4),
        "SYSLOG_IDENTIFIER" => Field::Program(0),
        "appname" => Field::Program(2),
        "program" => Field::Program(3),
        "programname" => Field::Program(4),
        "ident" => Field::Program(5),
        "process.name" => Field::Program(6),
        "tag" | "syslogtag" => Field::Program(7),
        "process" => Field::Process,
        "SYSLOG_PID" => Field::Pid(0),
        "_PID" => Field::Pid(1),
        "procid" => Field::Pid(3),
        "pid" => Field::Pid(4),
        "process.pid" => Field::Pid(5),
        _ => Field::Other,
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
struct Fields<'a> {
    text: Ranked<Cow<'a, [u8]>>,
    when: Ranked<When<'a>>,
    host: Ranked<Cow<'a, str>>,
    program: Ranked<Cow<'a, str>>,
    pid: Ranked<Cow<'a, str>>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, field: Field, value: Value<'a>) {
        match (field, value) {
            (Field::Text(rank), value) => keep(&mut self.text, rank, value.bytes()),
            (Field::Time(rank), value) => keep(&mut self.when, rank, value.when()),
            (Field::Host(rank), Value::Object(parts)) => {
                keep(&mut self.host, rank, parts.name.or(parts.hostname).and_then(host));
            }
            (Field::Host(rank), value) => keep(&mut self.host, rank, value.text().and_then(host)),
            (Field::Program(rank), value) => self.program(rank, value.text()),
            (Field::Pid(rank), value) => keep(&mut self.pid, rank, value.text().and_then(pid_of)),
            (Field::Process, Value::Object(parts)) => {
                self.program(6, parts.name);
                keep(&mut self.pid, 5, parts.pid.and_then(pid_of));
            }
            (Field::Log, Value::Object(parts)) => {
                let Some(syslog) = parts.syslog else { return };
                keep(&mut self.host, 1, syslog.hostname.and_then(host));
                self.program(1, syslog.name);
                keep(&mut self.pid, 2, syslog.pid.and_then(pid_of));
            }
            (Field::Log, value) => keep(&mut self.text, 2, value.bytes()),
            (Field::Process | Field::Other, _) => {}
        }
    }

    fn program(&mut self, rank: u8, name: Option<Cow<'a, str>>) {
        let Some((name, pid)) = name.and_then(program) else { return };
        keep(&mut self.program, rank, Some(name));
        keep(&mut self.pid, 6, pid);
    }
}

/// The values that matter here.
enum Value<'a> {
    Text(Cow<'a, str>),
    /// The journal writes a text that is no UTF-8 as an array of its bytes.
    Bytes(Vec<u8>),
    Whole(u64),
    Real(f64),
    Object(Box<Parts<'a>>),
    Nothing,
}

/// Of `host`, `process` and `log`, objects of the Elastic Common Schema, and of `log.syslog`.
#[derive(Default)]
struct Parts<'a> {
    /// `name`, `program` or `appname`.
    name: Option<Cow<'a, str>>,
    hostname: Option<Cow<'a, str>>,
    /// `pid` or `procid`.
    pid: Option<Cow<'a, str>>,
    syslog: Option<Box<Parts<'a>>>,
}

impl<'a> Value<'a> {
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(number) => Some(Cow::Owned(number.to_string())),
            Self::Bytes(_) | Self::Real(_) | Self::Object(_) | Self::Nothing => None,
        }
    }

    fn bytes(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Text(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Text(Cow::Owned(text)) => Some(Cow::Owned(text.into_bytes())),
            Self::Bytes(bytes) => Some(Cow::Owned(bytes)),
            // The journal writes null for a text of more than 4096 bytes, unless asked for all.
            Self::Whole(_) | Self::Real(_) | Self::Object(_) | Self::Nothing => None,
        }
    }

    fn when(self) -> Option<When<'a>> {
        match self {
            Self::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                When::whole(text.parse().ok()?)
            }
            Self::Text(Cow::Borrowed(text)) => When::iso(text),
            Self::Whole(number) => When::whole(number),
            Self::Real(number) => When::seconds(number),
            // A time has nothing to escape.
            Self::Text(Cow::Owned(_)) | Self::Bytes(_) | Self::Object(_) | Self::Nothing => None,
        }
    }
}

struct FieldsVisitor;

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        // Of the journal's 25 fields 20 are passed over unread.
        while let Some(Key(field)) = map.next_key()? {
            match field {
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
                field => fields.take(field, map.next_value()?),
            }
        }
        Ok(fields)
    }
}

struct Key(Field);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(Key(field(name)))
            }
        }
        from.deserialize_str(KeyVisitor)
    }
}

struct ValueVisitor;

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Real(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    /// Bytes, or the values of a field that stands more than once in the journal: the first is taken.
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let (mut bytes, mut first) = (Vec::new(), None);
        let mut only_bytes = true;
        while let Some(value) = values.next_element()? {
            match value {
                Value::Whole(byte) if byte <= 255 => bytes.push(byte as u8),
                Value::Text(text) => {
                    only_bytes = false;
                    first.get_or_insert(text);
                }
                Value::Whole(_) | Value::Bytes(_) | Value::Real(_) | Value::Object(_) | Value::Nothing => {
                    only_bytes = false;
                }
            }
        }
        Ok(match first {
            Some(text) => Value::Text(text),
            None if only_bytes => Value::Bytes(bytes),
            None => Value::Nothing,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Parts::default();
        while let Some(name) = map.next_key::<Cow<str>>()? {
            match &*name {
                "name" | "program" | "appname" => parts.name = map.next_value::<Value>()?.text(),
                "hostname" => parts.hostname = map.next_value::<Value>()?.text(),
                "pid" | "procid" => parts.pid = map.next_value::<Value>()?.text(),
                "syslog" => match map.next_value()? {
                    Value::Object(inner) => parts.syslog = Some(inner),
                    Value::Text(_) | Value::Bytes(_) | Value::Whole(_) | Value::Real(_) | Value::Nothing => {}
                },
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(Box::new(parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let Some(Object { cover, text }) = read(text) else { return "nothing".to_owned() };
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
