//! Deserializes JSON values that can be a text, a time, a host, a program or a process id.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::timestamp::WrapperTime;

/// A JSON value, as far as fields of log entries need it.
#[derive(Debug)]
pub(crate) enum JsonValue<'a> {
    Text(Cow<'a, str>),
    /// The journal writes text that is not UTF-8 as an array of bytes.
    Bytes(Vec<u8>),
    Integer(u64),
    Float(f64),
    /// Null, a boolean, a negative number, an object, or an array of other values.
    Unusable,
}

impl<'a> JsonValue<'a> {
    /// A string, or a number as one. `None`: another value.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(number) => Some(Cow::Owned(number.to_string())),
            Self::Bytes(_) | Self::Float(_) | Self::Unusable => None,
        }
    }

    /// A string or an array of bytes. `None`: another value.
    pub(crate) fn bytes(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Text(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Text(Cow::Owned(text)) => Some(Cow::Owned(text.into_bytes())),
            Self::Bytes(bytes) => Some(Cow::Owned(bytes)),
            // journalctl writes null for a text of more than 4096 bytes, unless it has the option --all.
            Self::Integer(_) | Self::Float(_) | Self::Unusable => None,
        }
    }

    /// A time, as a string or a number. `None`: another value.
    pub(crate) fn time(self) -> Option<WrapperTime<'a>> {
        match self {
            Self::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                WrapperTime::integer(text.parse().ok()?)
            }
            Self::Text(Cow::Borrowed(text)) => WrapperTime::iso(text).or_else(|| WrapperTime::bsd(text)),
            Self::Integer(number) => WrapperTime::integer(number),
            Self::Float(number) => WrapperTime::seconds(number),
            // A string with escapes is owned, and no timestamp needs escapes.
            Self::Text(Cow::Owned(_)) | Self::Bytes(_) | Self::Unusable => None,
        }
    }
}

/// Reads any value; an object is read to its end, and is [`JsonValue::Unusable`].
pub(crate) struct ValueVisitor;

impl<'de> Deserialize<'de> for JsonValue<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = JsonValue<'de>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(JsonValue::Integer(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(JsonValue::Unusable)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(JsonValue::Float(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(JsonValue::Unusable)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(JsonValue::Unusable)
    }

    /// An array of bytes, or the values of a field that occurs more than once in the journal, of which the first counts.
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let (mut bytes, mut first) = (Vec::new(), None);
        let mut only_bytes = true;
        while let Some(value) = values.next_element()? {
            match value {
                JsonValue::Integer(byte) if byte <= 255 => bytes.push(byte as u8),
                JsonValue::Text(text) => {
                    only_bytes = false;
                    first.get_or_insert(text);
                }
                JsonValue::Integer(_) | JsonValue::Bytes(_) | JsonValue::Float(_) | JsonValue::Unusable => {
                    only_bytes = false;
                }
            }
        }
        Ok(match first {
            Some(text) => JsonValue::Text(text),
            None if only_bytes => JsonValue::Bytes(bytes),
            None => JsonValue::Unusable,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(JsonValue::Unusable)
    }
}
