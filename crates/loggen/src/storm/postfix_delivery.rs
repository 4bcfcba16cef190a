//! Writes Postfix's delivery lines.

use std::fmt::Arguments;

use super::flow::DeliveryAttempt;
use super::place::Flavor;
use super::reply::{DeliveryFailure, FailureStage, FilledTemplate, LoggedReply, TemplateValues};
use super::series::LineSeries;
use super::world::World;

/// `QID: to=<…>, relay=…, delay=…, delays=…, dsn=…, status=…`
fn status(world: &mut World, attempt: DeliveryAttempt, by: &str, relay: &str, dsn: &str, text: Arguments) {
    let DeliveryAttempt { at, queued, before, message, to, .. } = attempt;
    let (id, address) = (&message.id, &to.address);
    let age = (at.saturating_sub(queued) + before) / 1000;
    let (b, c, d) = (message.salt % 40, message.salt >> 6 & 63, message.salt >> 12 & 511);
    let pid = 25_000 + message.salt % 89;
    let delay = if age > 9 { format!("{age}") } else { format!("{age}.{d:02}", d = d % 100) };
    world.log.line(at, by, pid, format_args!(
        "{id}: to=<{address}>, relay={relay}, delay={delay}, delays={age}/0.{b:02}/0.{c:02}/0.{d:02}, dsn={dsn}, status={text}"
    ));
}

pub(crate) fn sent(world: &mut World, attempt: DeliveryAttempt) {
    let DeliveryAttempt { at, message, to, .. } = attempt;
    let Some((_, place)) = world.place(to) else { return stored(world, attempt) };
    let (host, ip) = place.host(message.salt).clone();
    let (flavor, provider) = (place.flavor, place.provider);
    let salt = message.salt;
    let (enhanced, said) = match flavor {
        Flavor::Google => (
            "2.0.0",
            format!(
                "OK  1772{:06} {:x}-20020a05600si{}wrb.{} - gsmtp",
                salt % 1_000_000,
                salt >> 40,
                salt % 9_999_999,
                salt % 997
            ),
        ),
        Flavor::Microsoft => (
            "2.6.0",
            format!(
                "<{salt:x}@{}> [InternalId={}, Hostname=DB9PR{:04}.eurprd04.prod.outlook.com] 9021 bytes in 0.151, 58.310 KB/sec Queued mail for delivery",
                world.site.host,
                salt % 99_999_999,
                salt % 9999
            ),
        ),
        Flavor::Yahoo => ("", "ok dirdel".to_owned()),
        Flavor::Apple => ("2.5.0", "Ok.".to_owned()),
        Flavor::Gmx => ("", format!("Requested mail action okay, completed: id=1M{:x}", salt >> 20)),
        Flavor::Postfix => ("2.0.0", format!("Ok: queued as {:X}", salt >> 20)),
        Flavor::Exim => ("", format!("OK id=1w{:05}-00000{:06}-4aBc", salt % 99_999, salt % 999_999)),
        Flavor::Plain => ("2.0.0", format!("{:x} Message accepted for delivery", salt >> 16)),
    };
    let blank = if enhanced.is_empty() { "" } else { " " };
    let dsn = if enhanced.is_empty() { "2.0.0" } else { enhanced };
    status(
        world,
        attempt,
        "postfix/smtp",
        &format!("{host}[{ip}]:25"),
        dsn,
        format_args!("sent (250 {enhanced}{blank}{said})"),
    );
    world.log.count(at, attempt.seen(), LineSeries::new("outbound", 250, enhanced, provider));
}

fn stored(world: &mut World, attempt: DeliveryAttempt) {
    let DeliveryAttempt { at, message, to, .. } = attempt;
    let own = world.site.host.clone();
    if world.site.has_lmtp {
        let (address, salt) = (&to.address, message.salt);
        status(
            world,
            attempt,
            "postfix/lmtp",
            &format!("{own}[private/dovecot-lmtp]"),
            "2.0.0",
            format_args!("sent (250 2.0.0 <{address}> {salt:x}AA Saved)"),
        );
    } else {
        status(
            world,
            attempt,
            "postfix/virtual",
            "virtual",
            "2.0.0",
            format_args!("sent (delivered to maildir)"),
        );
    }
    world.log.count(at, attempt.seen(), LineSeries::new("local", 250, "2.0.0", ""));
}

/// Writes a failed delivery, to a remote host or to a local mailbox.
pub(crate) fn failed(world: &mut World, attempt: DeliveryAttempt, fail: &DeliveryFailure) {
    let DeliveryAttempt { at, message, to, tries, storm, .. } = attempt;
    let word = if fail.is_temporary() { "deferred" } else { "bounced" };
    let (host, ip, domain, provider) = match world.place(to) {
        Some((_, place)) => {
            let (host, ip) = place.host(message.salt).clone();
            (host, ip, place.domain.clone(), place.provider)
        }
        None => {
            (world.site.host.clone(), "private/dovecot-lmtp".to_owned(), world.site.domains[0].clone(), "")
        }
    };
    let is_here = to.place.is_none();
    let own = world.site.ip.clone();
    let words = TemplateValues {
        recipient: &to.address,
        sender: &message.from,
        our_ip: &own,
        host: &host,
        domain: &domain,
        salt: message.salt,
    };
    let (by, port) = if is_here { ("postfix/lmtp", "") } else { ("postfix/smtp", ":25") };
    let relay = format!("{host}[{ip}]{port}");
    let text = FilledTemplate(fail.text, &words);
    // Postfix suspends a destination that has just failed.
    let is_suspended = tries > 0
        && matches!(fail.stage, FailureStage::Greeting | FailureStage::Net)
        && message.salt.wrapping_add(u64::from(tries)).is_multiple_of(3);
    if fail.stage == FailureStage::Net && !is_suspended && !is_here {
        let pid = 25_000 + message.salt % 89;
        world.log.line(at.saturating_sub(20), by, pid, format_args!("connect to {relay}: {text}"));
    }
    let has_relay =
        !is_suspended && !matches!(fail.stage, FailureStage::Net | FailureStage::Dns | FailureStage::Loop);
    let by = if is_suspended { "postfix/error" } else { by };
    let suspended = if is_suspended { "delivery temporarily suspended: " } else { "" };
    let why = reason(fail, &words, &ip, port);
    let shown_relay = if has_relay { relay.as_str() } else { "none" };
    status(world, attempt, by, shown_relay, dsn(fail), format_args!("{word} ({suspended}{why})"));
    world.log.count(at, storm, LineSeries::new("outbound", fail.code, fail.enhanced, provider));
}

/// The `dsn=` of a failure: its enhanced code, unless the code contradicts it.
fn dsn(fail: &DeliveryFailure) -> &'static str {
    let agrees = fail.code / 100 == 4 && fail.enhanced.starts_with('4')
        || fail.code / 100 == 5 && fail.enhanced.starts_with('5')
        || fail.code == 0;
    let dsn = match (agrees, fail.is_temporary()) {
        (true, _) => fail.enhanced,
        (false, true) => "4.0.0",
        (false, false) => "5.0.0",
    };
    if fail.stage == FailureStage::Greeting && dsn.starts_with('5') { "4.7.0" } else { dsn }
}

/// The text in parentheses after `status=deferred` or `status=bounced`.
fn reason(fail: &DeliveryFailure, words: &TemplateValues, ip: &str, port: &str) -> String {
    let TemplateValues { host, domain, .. } = words;
    let peer = format!("{host}[{ip}]");
    let reply = LoggedReply { fail, words, joint: " " };
    let text = FilledTemplate(fail.text, words);
    match fail.stage {
        FailureStage::Greeting => format!("host {peer} refused to talk to me: {reply}"),
        FailureStage::Mail => format!("host {peer} said: {reply} (in reply to MAIL FROM command)"),
        FailureStage::Rcpt => format!("host {peer} said: {reply} (in reply to RCPT TO command)"),
        FailureStage::Dot => format!("host {peer} said: {reply} (in reply to end of DATA command)"),
        FailureStage::Net => format!("connect to {peer}{port}: {text}"),
        FailureStage::Lost => format!("lost connection with {peer} {text}"),
        FailureStage::Dns => {
            format!("Host or domain name not found. Name service error for name={domain} type=MX: {text}")
        }
        FailureStage::Tls if fail.text.contains("%h") => format!("{text}[{ip}]"),
        FailureStage::Tls | FailureStage::Loop => text.to_string(),
    }
}
