//! Parses the JSON objects of log shippers, container runtimes and the journal into metadata and the line's text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json_field::{JsonField, JsonScope, field_of_name, scope_of_name};
use super::json_value::{JsonValue, ValueVisitor};
use super::metadata::{WrapperMetadata, host, pid_of, program};
use super::timestamp::WrapperTime;
use crate::parse::header::LogLine;

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
    let (program, pid) = fields.program_and_pid();
    let metadata = WrapperMetadata {
        exact,
        time: fields.time.map(|(_, when)| when),
        host: fields.host.map(|(_, host)| host),
        program,
        pid,
    };
    let (text, original) = (fields.text.map(|(_, text)| text), fields.original.map(|(_, text)| text));
    let text = match (text, original) {
        // The text was cut out of a line that says more than the fields do.
        (Some(text), Some(original)) => {
            let is_daemon = metadata.program.as_ref().is_some_and(|name| name.contains('/'));
            let is_needed = !is_daemon && !has_program(&text) && has_program(&original);
            if is_needed { original } else { text }
        }
        (text, original) => text.or(original)?,
    };
    Some(JsonObject { metadata, text })
}

/// Whether the header of the line names a program.
fn has_program(line: &[u8]) -> bool {
    !LogLine::read(line.trim_ascii()).program.is_empty()
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
    original: Ranked<Cow<'a, [u8]>>,
    time: Ranked<WrapperTime<'a>>,
    host: Ranked<Cow<'a, str>>,
    program: Ranked<Cow<'a, str>>,
    /// The program of a name with a slash: `postfix/smtp`.
    daemon: Ranked<Cow<'a, str>>,
    pid: Ranked<Cow<'a, str>>,
}

impl<'a> JsonFields<'a> {
    fn take(&mut self, field: JsonField, value: JsonValue<'a>) {
        match field {
            JsonField::Text(rank) => keep(&mut self.text, rank, value.bytes()),
            JsonField::Original(rank) => keep(&mut self.original, rank, value.bytes()),
            JsonField::Time(rank) => {
                let time = value.time();
                // A time without a year or a zone ranks behind all others.
                let is_vague = matches!(&time, Some(WrapperTime::Stamp(text)) if !text.starts_with('2'));
                keep(&mut self.time, if is_vague { u8::MAX } else { rank }, time);
            }
            // Filebeat has a path in `source`.
            JsonField::Host(rank) => {
                keep(&mut self.host, rank, value.text().and_then(host).filter(|name| !name.contains('/')));
            }
            JsonField::Program(rank) => self.add_program(rank, value.text()),
            JsonField::Pid(rank) => keep(&mut self.pid, rank, value.text().and_then(pid_of)),
            JsonField::Other => {}
        }
    }

    fn add_program(&mut self, rank: u8, name: Option<Cow<'a, str>>) {
        let Some((name, pid)) = name.and_then(program) else { return };
        if name.contains('/') {
            keep(&mut self.daemon, rank, Some(name.clone()));
        }
        keep(&mut self.program, rank, Some(name));
        keep(&mut self.pid, 6, pid);
    }

    /// The program and its process id. rsyslog's `programname` is cut at the slash, so a tag that names the daemon of the
    /// same program is preferred: `postfix/smtp` to `postfix`.
    fn program_and_pid(&self) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
        let name = |ranked: &Ranked<Cow<'a, str>>| ranked.as_ref().map(|(_, name)| name.clone());
        let (program, daemon) = (name(&self.program), name(&self.daemon));
        let is_of = |daemon: &Cow<str>| {
            let rest = program.as_ref().and_then(|program| daemon.strip_prefix(&**program));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        (daemon.filter(is_of).or(program), name(&self.pid))
    }
}

impl<'de> Deserialize<'de> for JsonFields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = JsonFields::default();
        from.deserialize_map(ObjectVisitor { fields: &mut fields, scope: JsonScope::Entry })?;
        Ok(fields)
    }
}

/// Reads the fields of an object.
struct ObjectVisitor<'f, 'de> {
    fields: &'f mut JsonFields<'de>,
    scope: JsonScope,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A journal entry has about 25 fields, of which 20 are skipped.
        while let Some((field, scope)) = map.next_key_seed(NameSeed(self.scope))? {
            match (field, scope) {
                (JsonField::Other, None) => drop(map.next_value::<IgnoredAny>()?),
                (field, scope) => map.next_value_seed(FieldSeed { fields: self.fields, field, scope })?,
            }
        }
        Ok(())
    }
}

/// Reads a field name in an object.
struct NameSeed(JsonScope);

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = (JsonField, Option<JsonScope>);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = (JsonField, Option<JsonScope>);

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok((field_of_name(self.0, name), scope_of_name(self.0, name)))
    }
}

/// Reads the value of a field: an object if it has a scope, and any other value.
struct FieldSeed<'f, 'de> {
    fields: &'f mut JsonFields<'de>,
    field: JsonField,
    scope: Option<JsonScope>,
}

impl<'de> FieldSeed<'_, 'de> {
    fn take(self, value: JsonValue<'de>) {
        self.fields.take(self.field, value);
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        ValueVisitor.visit_borrowed_str(text).map(|value| self.take(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        ValueVisitor.visit_str(text).map(|value| self.take(value))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        ValueVisitor.visit_u64(number).map(|value| self.take(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        ValueVisitor.visit_f64(number).map(|value| self.take(value))
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<(), A::Error> {
        ValueVisitor.visit_seq(values).map(|value| self.take(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.scope {
            Some(scope) => ObjectVisitor { fields: self.fields, scope }.visit_map(map),
            None => ValueVisitor.visit_map(map).map(drop),
        }
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
    fn prefers_the_name_of_a_daemon_and_fills_in_the_original() {
        assert_eq!(parsed(r#"{"tag":"a/b[1]:","program":"a","message":" x"}"#), ",a/b,1  x");
        assert_eq!(parsed(r#"{"program":"a","syslogtag":"a/b[1]: ","pid":"2","message":"x"}"#), ",a/b,2 x");
        assert_eq!(parsed(r#"{"tag":"c/b[1]:","program":"a","message":"x"}"#), ",a,1 x");
        let original = r#""event":{"original":"<22>Nov 22 03:04:05 mx1 a/b[1]: x"}"#;
        let whole = "<22>Nov 22 03:04:05 mx1 a/b[1]: x";
        assert_eq!(parsed(&format!(r#"{{"message":"x",{original}}}"#)), format!(",, {whole}"));
        assert_eq!(parsed(&format!("{{{original}}}")), format!(",, {whole}"));
        assert_eq!(parsed(&format!(r#"{{"process":{{"name":"a/b"}},"message":"y",{original}}}"#)), ",a/b, y");
    }

    #[test]
    fn opens_objects_that_hold_the_entry() {
        assert_eq!(parsed(r#"{"result":{"_raw":"x","host":"a"}}"#), "a,, x");
        assert_eq!(parsed(r#"{"_source":{"message":"x","host":{"name":"a"}}}"#), "a,, x");
        assert_eq!(parsed(r#"{"labels":{"message":"y"},"line":"x"}"#), ",, x");
        assert_eq!(
            parsed(r#"{"version":"1.1","host":"a","short_message":"x","_program":"b","_pid":7}"#),
            "a,b,7 x"
        );
        assert_eq!(
            parsed(r#"{"HOST":"a","PROGRAM":"b","PID":"7","MESSAGE":"x","SOURCE":"s_net"}"#),
            "a,b,7 x"
        );
        assert_eq!(parsed(r#"{"source":"/var/log/mail.log","message":"x"}"#), ",, x");
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
