//! Parses SMTP replies: code, enhanced code and class of `550 5.1.1 User unknown`.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU8;

use clap::ValueEnum;
use memchr::memchr_iter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The codes of one reply. All lines of a reply have the same code (RFC 5321 §4.2.1), so the first line decides; the enhanced
/// code is that of the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    pub code: Code,
    /// The enhanced status code: directly behind the code (RFC 2034 §4), or as old servers write it, `#5.1.0` there or
    /// `(#5.1.1)` in the text.
    pub enhanced: Option<EnhancedCode>,
}

impl Reply {
    /// Parses `550-5.7.1 first 550 5.7.1 last`, whose lines are joined by blanks (Postfix) or by a literal `\n` (Exim).
    /// `None`: the text does not begin with a reply.
    pub fn read(text: &[u8]) -> Option<Self> {
        let (code, words) = Code::read(text)?;
        let words = if words.first() == Some(&b'-') { last_line(code, words) } else { words };
        Some(Self { code, enhanced: enhanced(words).or_else(|| in_words(words)) })
    }

    /// Parses a reply of which the server's DSN is known, so `dsn` tells the class of the last line. Where that is not the
    /// class of the first line, the line that has this very code counts: a server that breaks the rule.
    pub(crate) fn read_with_dsn(text: &[u8], dsn: Option<EnhancedCode>) -> Option<Self> {
        let reply = Self::read(text)?;
        match dsn {
            Some(dsn) if dsn.class() != reply.code.class() => Some(
                later_lines(text)
                    .find_map(|(code, words)| {
                        let same = enhanced(words) == Some(dsn) && code.class() == dsn.class();
                        same.then_some(Self { code, enhanced: Some(dsn) })
                    })
                    .unwrap_or(reply),
            ),
            Some(_) | None => Some(reply),
        }
    }
}

/// The text behind the code of the last line. A line with an enhanced code is preferred, since the text of earlier lines can
/// contain any number. Without such a line, the text of the first.
fn last_line(code: Code, words: &[u8]) -> &[u8] {
    let mut plain = None;
    for (other, rest) in later_lines(words) {
        if other != code || rest.first() == Some(&b'-') {
            continue;
        }
        if enhanced(rest).is_some() {
            return rest;
        }
        plain = plain.or(Some(rest));
    }
    plain.unwrap_or(words)
}

/// The places where a later line may begin, behind a blank or the line break of Exim. The text of a line can contain numbers,
/// too, so that none of them is trusted for its code.
fn later_lines(words: &[u8]) -> impl Iterator<Item = (Code, &[u8])> {
    memchr::memchr2_iter(b' ', b'n', words).filter_map(|at| {
        let found = words.get(at + 1..).and_then(Code::read)?;
        let breaks = words.get(at) == Some(&b' ') || at > 0 && words.get(at - 1) == Some(&b'\\');
        breaks.then_some(found)
    })
}

/// Parses the enhanced code behind the code: `-5.7.1 …`, ` 5.7.1 …`, ` #5.1.0 …`.
fn enhanced(words: &[u8]) -> Option<EnhancedCode> {
    let words = words.strip_prefix(b"-").unwrap_or(words).trim_ascii_start();
    let words = words.strip_prefix(b"#").unwrap_or(words);
    EnhancedCode::read(words).map(|(code, _)| code)
}

/// Finds the enhanced code in the text: `sorry, mailbox disabled. (#4.2.1)`, as qmail writes it.
pub(crate) fn in_words(words: &[u8]) -> Option<EnhancedCode> {
    // Searches for one byte: building a substring searcher for each reply costs more than the search.
    let behind = |at: usize| words.get(..at)?.ends_with(b"(").then(|| words.get(at + 1..))?;
    let (code, rest) = EnhancedCode::read(memchr_iter(b'#', words).find_map(behind)?)?;
    (rest.first() == Some(&b')')).then_some(code)
}

/// A reply code, 200 to 599. RFC 5321 §4.2 ends the scale at 5yz; 1yz was never used by SMTP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
pub struct Code(#[schemars(range(min = 200, max = 599))] u16);

impl Code {
    /// `None`: not from 200 to 599.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 200 && number <= 599 { Some(Self(number)) } else { None }
    }

    /// Splits `550 No such user` into 550 and ` No such user`. Behind the three digits must be a blank, the `-` of a reply
    /// with more lines, or nothing (RFC 5321 §4.2). A `\` begins a line break of Exim.
    pub fn read(text: &[u8]) -> Option<(Self, &[u8])> {
        let ([a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'], rest) = text.split_first_chunk()? else {
            return None;
        };
        let figure = |digit: &u8| u16::from(digit - b'0');
        let ends = matches!(rest.first(), None | Some(b' ' | b'-' | b'\\' | b'"' | b'\r' | b'\n'));
        if ends {
            Self::new(figure(a) * 100 + figure(b) * 10 + figure(c)).map(|code| (code, rest))
        } else {
            None
        }
    }

    pub fn number(self) -> u16 {
        self.0
    }

    pub fn class(self) -> Class {
        match self.0 / 100 {
            2 => Class::Positive,
            3 => Class::Intermediate,
            4 => Class::Transient,
            _ => Class::Permanent,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no reply code"))
    }
}

impl<'de> Deserialize<'de> for EnhancedCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let code = Self::read(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(code, _)| code);
        code.ok_or_else(|| D::Error::custom("no enhanced code"))
    }
}

/// An enhanced status code, `class.subject.detail` (RFC 3463 §2): class 2, 4 or 5, the others 0 to 999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    /// `NonZeroU8` makes `Option<EnhancedCode>` smaller, so that an event has 128 bytes; a larger one is copied by a call.
    class: NonZeroU8,
    pub subject: u16,
    pub detail: u16,
}

impl EnhancedCode {
    /// `None`: a number is out of range.
    pub fn new(class: u8, subject: u16, detail: u16) -> Option<Self> {
        let legal = matches!(class, 2 | 4 | 5) && subject <= 999 && detail <= 999;
        NonZeroU8::new(class).filter(|_| legal).map(|class| Self { class, subject, detail })
    }

    /// Splits `5.1.1 No such user` into 5.1.1 and ` No such user`. `None`: not a code; with a fourth part or a letter behind
    /// it, the text is an IP address or a version.
    pub fn read(text: &[u8]) -> Option<(Self, &[u8])> {
        let (&class, rest) = text.split_first()?;
        let (subject, rest) = number(rest.strip_prefix(b".")?)?;
        let (detail, rest) = number(rest.strip_prefix(b".")?)?;
        let ends = match rest {
            [] => true,
            [b'.', next, ..] | [next, ..] => !next.is_ascii_alphanumeric(),
        };
        if ends {
            Self::new(class.wrapping_sub(b'0'), subject, detail).map(|code| (code, rest))
        } else {
            None
        }
    }

    pub fn class(self) -> Class {
        match self.class_digit() {
            2 => Class::Positive,
            4 => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// The first digit: 2, 4 or 5.
    pub fn class_digit(self) -> u8 {
        self.class.get()
    }

    /// All three parts in 23 bits, different for different codes and never 0.
    pub(crate) fn packed(self) -> u64 {
        u64::from(self.class_digit()) << 20 | u64::from(self.subject) << 10 | u64::from(self.detail)
    }

    /// The code that was packed. None: none was.
    pub(crate) fn unpacked(packed: u64) -> Option<Self> {
        let part = |shift: u32| u16::try_from(packed >> shift & 0x3ff).ok();
        Self::new(u8::try_from(packed >> 20).ok()?, part(10)?, part(0)?)
    }
}

/// Parses one to three digits, and returns the rest. `None`: no digit, or more than three.
fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let (mut number, mut rest) = (0, text);
    for length in 0..4 {
        match rest {
            [digit @ b'0'..=b'9', behind @ ..] if length < 3 => {
                number = number * 10 + u16::from(digit - b'0');
                rest = behind;
            }
            [b'0'..=b'9', ..] => return None,
            _ if length == 0 => return None,
            _ => break,
        }
    }
    Some((number, rest))
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Debug for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for EnhancedCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for EnhancedCode {
    fn schema_name() -> Cow<'static, str> {
        "EnhancedCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An enhanced status code, class.subject.detail (RFC 3463 §2).",
            "type": "string",
            "pattern": r"^[245]\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$",
        })
    }
}

/// What the first digit says (RFC 5321 §4.2.1).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// 2xx: done.
    #[value(aliases = ["2xx", "2"])]
    Positive,
    /// 3xx: go on, the server waits for more.
    #[value(aliases = ["3xx", "3"])]
    Intermediate,
    /// 4xx: not now; the same command may work later.
    #[value(aliases = ["4xx", "4"])]
    Transient,
    /// 5xx: no; the same command will fail again.
    #[value(aliases = ["5xx", "5"])]
    Permanent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, want: &str) {
        let got = Reply::read(text.as_bytes()).map(|reply| match reply.enhanced {
            Some(enhanced) => format!("{} {enhanced}", reply.code),
            None => reply.code.to_string(),
        });
        assert_eq!(got.unwrap_or_default(), want, "{text}");
    }

    #[test]
    fn reads_one_line() {
        reads("250 2.0.0 Ok: queued as 9F1", "250 2.0.0");
        reads("250", "250");
        reads("550 No such user", "550");
        reads("450 5.1.1 Mailbox is disabled", "450 5.1.1");
        reads("550 #5.1.0 Address rejected.", "550 5.1.0");
        reads("452 sorry, mailbox disabled. (#4.2.1)", "452 4.2.1");
        reads("550 5.7.606 Banned", "550 5.7.606");
    }

    #[test]
    fn reads_the_one_code_of_many_lines() {
        reads("550-5.7.26 Not authenticated. 550 5.7.26 See the page", "550 5.7.26");
        reads("550-one 550-two 550 three", "550");
        reads("550-5.2.1 disabled 550", "550");
        reads("550-see 550 for more 550 5.1.1 last", "550 5.1.1");
        reads("550-I don't like this user\\n550 5.1.1 Bad user", "550 5.1.1");
        reads("250- 3nn byte chunk, total 3nn\\\\n250 OK id=1", "250");
        reads("550-5.7.1 first 554 5.7.0 last", "550 5.7.1");
        reads("550-5.7.1 first line 250 2.0.0 ok", "550 5.7.1");
        reads("550-first line 250 2.0.0 ok", "550");
        reads("421-4.7.0 first 550 5.1.1 words 421 4.7.0 last", "421 4.7.0");
    }

    #[test]
    fn believes_the_dsn_of_a_server_that_breaks_the_rule() {
        let code = |text: &str, dsn: &str| {
            let dsn = EnhancedCode::read(dsn.as_bytes()).map(|(dsn, _)| dsn);
            Reply::read_with_dsn(text.as_bytes(), dsn).map(|reply| reply.code.number())
        };
        assert_eq!(code("250-first 550 5.1.1 last", "5.1.1"), Some(550));
        assert_eq!(code("550-5.7.1 first line 250 2.0.0 ok", "5.7.1"), Some(550));
        // Postfix takes 552 after RCPT for 452.
        assert_eq!(code("552-5.2.2 full 552 5.2.2 see 450 now", "4.2.2"), Some(552));
        assert_eq!(code("552 5.2.2 full", "4.2.2"), Some(552));
    }

    #[test]
    fn does_not_take_numbers_for_codes() {
        for text in
            ["", "25", "2500 Ok", "199 x", "600 x", "850 NONSENSE", "5.1.1 x", "452nd street", "250.3"]
        {
            reads(text, "");
        }
        reads("550 192.0.2.1 is listed", "550");
        reads("550 5.1.1.2 x", "550");
        reads("550 5.1.1234 x", "550");
        reads("550 3.1.1 x", "550");
    }
}
