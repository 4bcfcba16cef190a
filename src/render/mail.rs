//! The report as a message for `sendmail -t`: the verdict as its subject, what to do first as its text, the page beside it.

use std::io;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::encoders::base64::base64_encode_mime;
use mail_builder::encoders::quoted_printable::quoted_printable_encode;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::text::cron;
use crate::report::Report;

/// What stands around the report.
pub(crate) struct Envelope {
    pub to: Vec<String>,
    pub from: String,
    pub now: Timestamp,
    /// What no other message has: hexadecimal digits.
    pub id: String,
    /// The options that the logs were chosen with, fit for a shell: `--rotated /var/log/mail.log`.
    pub input: String,
}

/// `page`: the report as HTML, for who can show it. What a site's own `body_checks` look for in mail must not keep its own
/// report from coming, so no line of the page stands there as it is.
pub(crate) fn show(report: &Report, page: Option<&str>, envelope: &Envelope) -> io::Result<String> {
    let text = cron::text(report, &envelope.input);
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
    // An address without a domain gets that of the machine from sendmail.
    let subject = cron::subject(report);
    let message = MessageBuilder::new()
        .from(("smtplog", envelope.from.as_str()))
        .to(Address::new_list(to))
        .date(envelope.now.as_second())
        .message_id(format!("{}@{}", envelope.id, domain(report)))
        // RFC 3834 §5: no vacation answers this.
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .body(body);
    // It has no control characters; only what is not ASCII need be encoded, and the rest is for people.
    let message = if subject.is_ascii() {
        message.header("Subject", Raw::new(subject))
    } else {
        message.subject(subject)
    };
    // On a Unix a line ends with a line feed, and sendmail makes of it what SMTP wants.
    Ok(message.write_to_string()?.replace("\r\n", "\n"))
}

/// The host that wrote the log, if its name may stand in a message id.
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
