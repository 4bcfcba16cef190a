//! Renders the report as a mail for `sendmail -t`: the verdict as its subject, a summary as its text, and the HTML page.

use std::io;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::encoders::base64::base64_encode_mime;
use mail_builder::encoders::quoted_printable::quoted_printable_encode;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use crate::report::Report;

/// The parts of the mail that do not come from the report.
pub(crate) struct Envelope {
    pub to: Vec<String>,
    pub from: String,
    pub now: Timestamp,
    /// Unique id of the message, in hexadecimal digits.
    pub id: String,
    /// Without control characters.
    pub subject: String,
    pub text: String,
}

/// `page` is the report as HTML, if it is attached. It is encoded as base64, so that the site's own `body_checks` find none
/// of the log's text in it and do not reject the report.
pub(crate) fn show(report: &Report, page: Option<&str>, envelope: &Envelope) -> io::Result<String> {
    let text = &envelope.text;
    let mut quoted = Vec::new();
    quoted_printable_encode(text.replace('\n', "\r\n").as_bytes(), &mut quoted, true)?;
    let part = |kind: &'static str, encoding: &'static str, body: Vec<u8>| {
        MimePart::new(ContentType::new(kind).attribute("charset", "utf-8"), BodyPart::Binary(body.into()))
            .transfer_encoding(encoding)
    };
    let text = part("text/plain", "quoted-printable", quoted);
    let body = match page {
        None => text,
        Some(page) => {
            let mut encoded = Vec::new();
            base64_encode_mime(page.as_bytes(), &mut encoded, false)?;
            let page = part("text/html", "base64", encoded);
            // The boundary is chosen here so that the same report gives the same bytes.
            let boundary = format!("smtplog_{}", envelope.id);
            let kind = ContentType::new("multipart/alternative").attribute("boundary", boundary);
            MimePart::new(kind, vec![text, page])
        }
    };
    let to: Vec<Address> = envelope.to.iter().map(|to| to.as_str().into()).collect();
    // sendmail adds the machine's domain to an address without one.
    let subject = envelope.subject.as_str();
    let message = MessageBuilder::new()
        .from(("smtplog", envelope.from.as_str()))
        .to(Address::new_list(to))
        .date(envelope.now.as_second())
        .message_id(format!("{}@{}", envelope.id, domain(report)))
        // RFC 3834 §5: no vacation answers this.
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .body(body);
    // The subject has no control characters. It is encoded only if it is not ASCII, so that it stays readable.
    let message = if subject.is_ascii() {
        message.header("Subject", Raw::new(subject))
    } else {
        message.subject(subject)
    };
    // sendmail expects lines that end in LF.
    Ok(message.write_to_string()?.replace("\r\n", "\n"))
}

/// The host that wrote the log, if its name is valid in a message id, else `localhost`.
fn domain(report: &Report) -> &str {
    let host = report.hosts.first().map(String::as_str).unwrap_or_default();
    let fits = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '.';
    let whole = !host.is_empty() && host.len() < 200 && host.chars().all(fits);
    if whole && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..") {
        host
    } else {
        "localhost"
    }
}
