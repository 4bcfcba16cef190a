//! Writes Exim's delivery lines.

use super::exim::{CIPHER, Routes, line, routes};
use super::flow::DeliveryAttempt;
use super::place::Flavor;
use super::plan::Style;
use super::reply::{DeliveryFailure, FailureStage, FilledTemplate, LoggedReply, TemplateValues};
use super::series::LineSeries;
use super::world::World;

pub(crate) fn sent(world: &mut World, attempt: DeliveryAttempt) {
    let DeliveryAttempt { at, message, to, .. } = attempt;
    let (id, address, salt) = (&message.id, &to.address, message.salt);
    let Routes { remote, local, lmtp, .. } = routes(world.style);
    let Some((_, place)) = world.place(to) else {
        let (user, has_lmtp) = (address.split('@').next().unwrap_or_default(), world.site.has_lmtp);
        if has_lmtp {
            line(
                world,
                at,
                salt,
                format_args!(
                    "{id} => {user} <{address}> {lmtp} C=\"250 2.0.0 <{address}> {salt:x}AA Saved\""
                ),
            );
        } else {
            line(world, at, salt, format_args!("{id} => {user} <{address}> {local}"));
        }
        world.log.count(at, attempt.seen(), LineSeries::new("local", 250, "2.0.0", ""));
        return;
    };
    let (host, ip) = place.host(message.salt).clone();
    let provider = place.provider;
    let said = match place.flavor {
        Flavor::Google => format!(
            "250 2.0.0 OK  1772{:06} {:x}si{}wrb.{} - gsmtp",
            salt % 1_000_000,
            salt >> 40,
            salt % 9_999_999,
            salt % 997
        ),
        Flavor::Microsoft => format!("250 2.6.0 <{salt:x}@{host}> Queued mail for delivery"),
        Flavor::Yahoo => "250 ok dirdel".to_owned(),
        Flavor::Apple => "250 2.5.0 Ok.".to_owned(),
        Flavor::Gmx => format!("250 Requested mail action okay, completed: id=1M{:x}", salt >> 20),
        Flavor::Postfix => format!("250 2.0.0 Ok: queued as {:X}", salt >> 20),
        Flavor::Exim => format!("250 OK id=1w{:05}-00000{:06}-4aBc", salt % 99_999, salt % 999_999),
        Flavor::Plain => format!("250 2.0.0 {:x} Message accepted for delivery", salt >> 16),
    };
    line(
        world,
        at,
        salt,
        format_args!("{id} => {address} {remote} H={host} [{ip}] {CIPHER} CV=yes C=\"{said}\""),
    );
    world.log.count(at, attempt.seen(), LineSeries::new("outbound", 250, "", provider));
}

/// Writes a failed delivery.
pub(crate) fn failed(world: &mut World, attempt: DeliveryAttempt, fail: &DeliveryFailure) {
    let DeliveryAttempt { at, message, to, tries, storm, .. } = attempt;
    let (address, salt) = (&to.address, message.salt);
    let Some((_, place)) = world.place(to) else { return not_stored(world, attempt, fail) };
    let (host, ip) = place.host(message.salt).clone();
    let (domain, provider) = (place.domain.clone(), place.provider);
    let own = world.site.ip.clone();
    let words = TemplateValues {
        recipient: address,
        sender: &message.from,
        our_ip: &own,
        host: &host,
        domain: &domain,
        salt,
    };
    // Exim does not try a host before its retry time, for any message.
    let is_put_off = matches!(fail.stage, FailureStage::Net | FailureStage::Greeting)
        && tries > 0
        && (salt + u64::from(tries)).is_multiple_of(2);
    let route = routes(world.style).remote;
    let lines = if is_put_off {
        vec![format!("== {address} {route} defer (-53): retry time not reached for any host for '{domain}'")]
    } else if fail.is_reply() {
        reply_lines(world.style, fail, &words, &ip, message.size)
    } else {
        error_lines(world.style, fail, &words, &ip)
    };
    for text in lines {
        line(world, at, salt, format_args!("{} {text}", message.id));
    }
    world.log.count(at, storm, LineSeries::new("outbound", fail.code, fail.enhanced, provider));
}

/// The lines of a reply that refuses or defers, without the message id.
fn reply_lines(
    style: Style,
    fail: &DeliveryFailure,
    words: &TemplateValues,
    ip: &str,
    size: u64,
) -> Vec<String> {
    let TemplateValues { recipient, sender, host, .. } = words;
    let (stage, number) = match fail.stage {
        FailureStage::Greeting => ("initial connection".to_owned(), 0),
        FailureStage::Mail => (format!("pipelined MAIL FROM:<{sender}> SIZE={size}"), -45),
        FailureStage::Rcpt => (format!("RCPT TO:<{recipient}>"), -44),
        FailureStage::Dot
        | FailureStage::Net
        | FailureStage::Lost
        | FailureStage::Dns
        | FailureStage::Tls
        | FailureStage::Loop => ("end of data".to_owned(), -46),
    };
    let route = routes(style).remote;
    let reply = LoggedReply { fail, words, joint: "\\n" };
    let error = format!("SMTP error from remote mail server after {stage}: {reply}");
    if !fail.is_temporary() {
        return vec![format!("** {recipient} {route} H={host} [{ip}] {CIPHER} CV=yes: {error}")];
    }
    let deferral = format!("== {recipient} {route} defer ({number}) H={host} [{ip}]: {error}");
    if fail.stage == FailureStage::Rcpt {
        vec![deferral]
    } else {
        vec![format!("H={host} [{ip}]: {error}"), deferral]
    }
}

/// The lines of a failure without a reply, without the message id.
fn error_lines(style: Style, fail: &DeliveryFailure, words: &TemplateValues, ip: &str) -> Vec<String> {
    let TemplateValues { recipient, host, .. } = words;
    let Routes { remote: route, lookup, .. } = routes(style);
    let text = FilledTemplate(fail.text, words);
    match fail.stage {
        FailureStage::Net => {
            let errno = match fail.text {
                text if text.ends_with("refused") => 111,
                text if text.ends_with("timed out") => 110,
                _ => 113,
            };
            vec![format!("H={host} [{ip}] {text}"), format!("== {recipient} {route} defer ({errno}): {text}")]
        }
        FailureStage::Lost => {
            let error =
                format!("H={host} [{ip}]: Remote host closed connection in response to initial connection");
            vec![error.clone(), format!("== {recipient} {route} defer (-18) {error}")]
        }
        FailureStage::Dns if fail.is_temporary() => {
            vec![format!("== {recipient} {lookup} defer (-1): host lookup did not complete")]
        }
        FailureStage::Dns => vec![format!("** {recipient}: Unrouteable address")],
        FailureStage::Tls => {
            let (number, why) = match fail.text {
                _ if fail.enhanced == "4.7.4" => {
                    (-38, "a TLS session is required, but the server did not offer TLS support")
                }
                text if text.contains("handshake") => (
                    -37,
                    "TLS session: (SSL_connect): error:0A000410:SSL routines::ssl/tls alert handshake failure",
                ),
                _ => (-37, "TLS session: (certificate verification failed): certificate invalid"),
            };
            vec![format!("== {recipient} {route} defer ({number}) H={host} [{ip}]: {why}")]
        }
        FailureStage::Loop => {
            vec![format!("** {recipient} {lookup}: lowest numbered MX record points to local host")]
        }
        FailureStage::Greeting | FailureStage::Mail | FailureStage::Rcpt | FailureStage::Dot => Vec::new(),
    }
}

fn not_stored(world: &mut World, attempt: DeliveryAttempt, fail: &DeliveryFailure) {
    let DeliveryAttempt { at, message, to, storm, .. } = attempt;
    let Routes { local, lmtp, .. } = routes(world.style);
    let (id, address, salt) = (&message.id, &to.address, message.salt);
    let user = address.split('@').next().unwrap_or_default();
    let domain = world.site.domains[0].clone();
    let own = world.site.ip.clone();
    let words = TemplateValues {
        recipient: address,
        sender: &message.from,
        our_ip: &own,
        host: "localhost",
        domain: &domain,
        salt,
    };
    let reply = LoggedReply { fail, words: &words, joint: "\\n" };
    if fail.text.contains("No space") {
        line(
            world,
            at,
            salt,
            format_args!(
                "{id} == {user} <{address}> {local} defer (28): No space left on device: while writing to /var/mail/{user}"
            ),
        );
    } else if fail.is_reply() && world.site.has_lmtp {
        let mark = if fail.is_temporary() { "==" } else { "**" };
        let defer = if fail.is_temporary() { " defer (-44)" } else { "" };
        line(
            world,
            at,
            salt,
            format_args!(
                "{id} {mark} {user} <{address}> {lmtp}{defer}: LMTP error from remote mail server after RCPT TO:<{address}>: {reply}"
            ),
        );
    } else if fail.is_reply() {
        line(
            world,
            at,
            salt,
            format_args!(
                "{id} == {user} <{address}> {local} defer (-22): mailbox is full (MTA-imposed quota exceeded while writing to file /var/mail/{user})"
            ),
        );
    } else {
        line(
            world,
            at,
            salt,
            format_args!(
                "{id} == {user} <{address}> {lmtp} defer (2): failed to connect to socket /var/run/dovecot/lmtp for dovecot_lmtp transport: No such file or directory"
            ),
        );
    }
    world.log.count(at, storm, LineSeries::new("outbound", fail.code, fail.enhanced, ""));
}
