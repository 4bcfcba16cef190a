//! Turns KumoMTA's log records, which are JSON objects, into lines (`2026-11-22T03:04:05Z NODE kumod: Bounce id=… to=<a@b> …`).

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

/// A field that every record of 2023 and later has, and nothing else.
const MARK: &[u8] = b"\"bounce_classification\"";

/// The fields of a record that smtplog reads (kumo-log-types, `JsonLogRecord`). Others are skipped.
#[derive(Deserialize)]
struct KumoRecord<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    sender: Cow<'a, str>,
    #[serde(borrow)]
    recipient: Recipients<'a>,
    #[serde(default)]
    size: u64,
    #[serde(borrow)]
    response: KumoResponse<'a>,
    #[serde(borrow, default)]
    peer_address: Option<PeerAddress<'a>>,
    timestamp: i64,
    #[serde(borrow, default)]
    event_time: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delivery_protocol: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nodeid: Cow<'a, str>,
    #[serde(default)]
    meta: HashMap<String, Value>,
    #[serde(default)]
    headers: HashMap<String, Value>,
}

/// One recipient, or several since 2025.12.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recipients<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Cow<'a, str>>),
}

#[derive(Deserialize)]
struct KumoResponse<'a> {
    code: u16,
    #[serde(default)]
    enhanced_code: Option<KumoEnhanced>,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow, default)]
    command: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct KumoEnhanced {
    class: u8,
    subject: u16,
    detail: u16,
}

#[derive(Deserialize)]
struct PeerAddress<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    addr: Cow<'a, str>,
}

/// Appends the line of a record to `line`. False: the text is no record, and nothing was written.
pub(crate) fn write(text: &str, line: &mut Vec<u8>) -> bool {
    if memmem::find(text.as_bytes(), MARK).is_none() {
        return false;
    }
    let Ok(record) = serde_json::from_str::<KumoRecord>(text) else { return false };
    if record.id.contains(|byte: char| !byte.is_ascii_alphanumeric()) || !is_word(&record.kind) {
        return false;
    }
    let Some(time) = record.time() else { return false };
    for part in [&time, " ", word(&record.nodeid), " kumod: ", &record.kind] {
        line.extend_from_slice(part.as_bytes());
    }
    field(line, "id", &record.id);
    address(line, " from=", [&record.sender]);
    match &record.recipient {
        Recipients::One(one) => address(line, " to=", [one]),
        Recipients::Many(many) => address(line, " to=", many),
    }
    if let Some(peer) = &record.peer_address {
        field(line, "host", peer.name.strip_suffix('.').unwrap_or(&peer.name));
        field(line, "addr", &peer.addr);
    }
    let metadata =
        |map: &HashMap<String, Value>, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let user = ["authn_id", "authz_id"].iter().find_map(|name| metadata(&record.meta, name));
    let message_id = ["Message-ID", "Message-Id"].iter().find_map(|name| metadata(&record.headers, name));
    let message_id = message_id.as_deref().map(|id| id.trim().trim_start_matches('<').trim_end_matches('>'));
    let number = record.size.to_string();
    let others = [
        ("size", Some(number.as_str()).filter(|_| record.size > 0)),
        ("user", user.as_deref()),
        ("msgid", message_id),
        ("protocol", record.delivery_protocol.as_deref()),
        ("command", record.response.command.as_deref().map(verb)),
    ];
    for (name, value) in others {
        field(line, name, value.unwrap_or_default());
    }
    record.response.write(line);
    true
}

impl KumoRecord<'_> {
    /// When the record was written, as RFC 3339. `None`: out of range.
    fn time(&self) -> Option<String> {
        let exact = self.event_time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        exact.or_else(|| Timestamp::from_second(self.timestamp).ok()).map(|time| time.to_string())
    }
}

impl KumoResponse<'_> {
    /// Writes ` response=550 5.1.1 text` as one line: it is the last field.
    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(format!(" response={}", self.code).as_bytes());
        if let Some(KumoEnhanced { class, subject, detail }) = &self.enhanced_code {
            line.extend_from_slice(format!(" {class}.{subject}.{detail}").as_bytes());
        }
        line.push(b' ');
        line.extend(self.content.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    }
}

/// The command without its argument: `RCPT TO` of `RCPT TO:<a@b>`, `.` of the end of the message.
fn verb(command: &str) -> &str {
    let command = command.trim();
    let end = command.find([':', '\r', '\n']).unwrap_or(command.len());
    let command = command.get(..end).unwrap_or(command);
    match command.split_once(' ') {
        Some((first, _)) => first,
        None => command,
    }
}

/// Writes ` name=value`, or nothing if the value is empty or has a blank: a client chooses its name.
fn field(line: &mut Vec<u8>, name: &str, value: &str) {
    if is_word(value) {
        line.extend_from_slice(format!(" {name}={value}").as_bytes());
    }
}

/// Writes ` to=<a@b>,<c@d>`. A character that would end a line or the brackets becomes `?`.
fn address<'a>(line: &mut Vec<u8>, name: &str, addresses: impl IntoIterator<Item = &'a Cow<'a, str>>) {
    line.extend_from_slice(name.as_bytes());
    for (at, address) in addresses.into_iter().enumerate() {
        line.extend_from_slice(if at == 0 { b"<" } else { b",<" });
        let shown =
            |byte: u8| if byte < b' ' || byte == 0x7f || matches!(byte, b'<' | b'>') { b'?' } else { byte };
        line.extend(address.bytes().map(shown));
        line.push(b'>');
    }
}

/// The word, or `-` if it is none.
fn word(text: &str) -> &str {
    if is_word(text) { text } else { "-" }
}

fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}
