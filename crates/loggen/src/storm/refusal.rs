//! Writes Postfix's rejections: the lines of smtpd, postscreen, cleanup and SASL.

use std::fmt::Arguments;

use super::client::ClientHost;
use super::condition::Trouble;
use super::flow::{Mail, MailOrigin};
use super::postfix::{connect, smtpd};
use super::series::LineSeries;
use super::world::World;

fn inbound(code: u16, enhanced: &'static str) -> LineSeries {
    LineSeries::new("inbound", code, enhanced, "")
}

/// `NOQUEUE: reject: RCPT from …: 550 5.1.1 …; from=<…> to=<…> proto=ESMTP helo=<…>`
pub(crate) fn reject(
    world: &mut World,
    at: u64,
    client: &ClientHost,
    from: &str,
    to: &str,
    why: (u16, &'static str, &str),
    storm: Option<usize>,
) {
    let pid = 20_000 + client.port % 97;
    connect(world, at, "postfix/smtpd", pid, client);
    say(world, at + 600, client, from, to, why, storm);
    let ClientHost { name, ip, .. } = client;
    world.log.line(
        at + 900,
        "postfix/smtpd",
        pid,
        format_args!("disconnect from {name}[{ip}] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"),
    );
}

/// Writes only the reject line, within a session that continues.
pub(crate) fn say(
    world: &mut World,
    at: u64,
    client: &ClientHost,
    from: &str,
    to: &str,
    why: (u16, &'static str, &str),
    storm: Option<usize>,
) {
    let ClientHost { name, ip, helo, port } = client;
    let (code, enhanced, text) = why;
    world.log.line(at, "postfix/smtpd", 20_000 + port % 97, format_args!(
        "NOQUEUE: reject: RCPT from {name}[{ip}]: {code} {enhanced} {text}; from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>"
    ));
    world.log.count(at, storm, inbound(code, enhanced));
}

/// postscreen rejects a client that DNS block lists contain.
pub(crate) fn screen(world: &mut World, at: u64, client: &ClientHost, from: &str, to: &str) {
    let ClientHost { ip, helo, port, .. } = client;
    let own = world.site.ip.clone();
    let by = "postfix/postscreen";
    world.log.line(at, by, 1377, format_args!("CONNECT from [{ip}]:{port} to [{own}]:25"));
    world.log.line(
        at + 300,
        "postfix/dnsblog",
        23_000 + port % 31,
        format_args!("addr {ip} listed by domain zen.spamhaus.org as 127.0.0.4"),
    );
    world.log.line(at + 6000, by, 1377, format_args!("DNSBL rank 3 for [{ip}]:{port}"));
    world.log.line(at + 6200, by, 1377, format_args!(
        "NOQUEUE: reject: RCPT from [{ip}]:{port}: 550 5.7.1 Service unavailable; client [{ip}] blocked using zen.spamhaus.org; from=<{from}>, to=<{to}>, proto=ESMTP, helo=<{helo}>"
    ));
    world.log.count(at + 6200, None, inbound(550, "5.7.1"));
    world.log.line(at + 6300, by, 1377, format_args!("DISCONNECT [{ip}]:{port}"));
}

/// `warning: unknown[ip]: SASL LOGIN authentication failed: …`
pub(crate) fn guess(world: &mut World, at: u64, client: &ClientHost, user: &str, storm: Option<usize>) {
    let ClientHost { name, ip, port, .. } = client;
    let (by, pid) = ("postfix/submission/smtpd", 20_000 + port % 97);
    connect(world, at, by, pid, client);
    let word = if port.is_multiple_of(3) { "PLAIN" } else { "LOGIN" };
    let said = match port % 4 {
        0 => "UGFzc3dvcmQ6",
        1 => "(reason unavailable)",
        _ => "authentication failure",
    };
    world.log.line(
        at + 900,
        by,
        pid,
        format_args!(
            "warning: {name}[{ip}]: SASL {word} authentication failed: {said}, sasl_username={user}"
        ),
    );
    world.log.count(at + 900, storm, inbound(0, ""));
    world.log.line(at + 1000, by, pid, format_args!("lost connection after AUTH from {name}[{ip}]"));
    world.log.line(
        at + 1010,
        by,
        pid,
        format_args!("disconnect from {name}[{ip}] ehlo=1 auth=0/1 commands=1/2"),
    );
}

/// Rejects a client because of a fault of this server.
pub(crate) fn trouble(world: &mut World, at: u64, message: &Mail, storm: usize, trouble: Trouble) {
    let (MailOrigin::Outside(client) | MailOrigin::Person(client, _)) = &message.origin else { return };
    let ClientHost { name, ip, helo, port } = client;
    let (by, pid) = (smtpd(&message.origin), 20_000 + port % 97);
    connect(world, at, by, pid, client);
    let from = &message.from;
    let to = message.to.first().map_or("", |to| to.address.as_str());
    let at = at + 500;
    let tail = format_args!("from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>");
    let series = match trouble {
        Trouble::Disk => {
            if message.salt.is_multiple_of(4) {
                world.log.line(at, "postfix/smtpd", pid, format_args!("NOQUEUE: reject: MAIL from {name}[{ip}]: 452 4.3.1 Insufficient system storage; proto=ESMTP helo=<{helo}>"));
                world.log.line(at + 1, by, pid, format_args!("warning: not enough free space in mail queue: 12103680 bytes < 1.5*message size limit"));
            } else {
                world.log.line(at, by, pid, format_args!("NOQUEUE: reject: MAIL from {name}[{ip}]: 452 4.3.1 Insufficient system storage; from=<{from}> proto=ESMTP helo=<{helo}>"));
            }
            inbound(452, "4.3.1")
        }
        Trouble::Policy => {
            world.log.line(
                at - 20,
                by,
                pid,
                format_args!("warning: connect to 127.0.0.1:12340: Connection refused"),
            );
            world.log.line(
                at - 10,
                by,
                pid,
                format_args!("warning: problem talking to server 127.0.0.1:12340: Connection refused"),
            );
            world.log.line(at, by, pid, format_args!("NOQUEUE: reject: RCPT from {name}[{ip}]: 451 4.3.5 <{to}>: Recipient address rejected: Server configuration problem; {tail}"));
            inbound(451, "4.3.5")
        }
        Trouble::Lookup => {
            world.log.line(at - 20, by, pid, format_args!("warning: connect to mysql server 127.0.0.1: Can't connect to MySQL server on '127.0.0.1' (111)"));
            world.log.line(at, by, pid, format_args!("NOQUEUE: reject: RCPT from {name}[{ip}]: 451 4.3.0 <{to}>: Temporary lookup failure; {tail}"));
            inbound(451, "4.3.0")
        }
        Trouble::Milter => reject_for_milter(world, at, (by, pid), message, client, tail),
        Trouble::Certificate => {
            world.log.line(at, by, pid, format_args!("warning: cannot get RSA private key from file \"/etc/ssl/private/mail.key\": disabling TLS support"));
            world.log.line(at + 10, by, pid, format_args!("NOQUEUE: reject: MAIL from {name}[{ip}]: 530 5.7.0 Must issue a STARTTLS command first; from=<{from}> proto=ESMTP helo=<{helo}>"));
            inbound(530, "5.7.0")
        }
    };
    world.log.count(at, Some(storm), series);
    world.log.line(
        at + 200,
        by,
        pid,
        format_args!("disconnect from {name}[{ip}] ehlo=1 mail=0/1 quit=1 commands=2/3"),
    );
}

/// Rejects a client, or its message, because the milter cannot be reached.
fn reject_for_milter(
    world: &mut World,
    at: u64,
    (by, pid): (&str, u64),
    message: &Mail,
    client: &ClientHost,
    tail: Arguments,
) -> LineSeries {
    let (ClientHost { name, ip, .. }, id) = (client, &message.id);
    world.log.line(
        at - 20,
        by,
        pid,
        format_args!("warning: connect to Milter service inet:127.0.0.1:11332: Connection refused"),
    );
    if message.salt.is_multiple_of(2) {
        world.log.line(at, by, pid, format_args!("NOQUEUE: milter-reject: CONNECT from {name}[{ip}]: 451 4.7.1 Service unavailable - try again later; proto=SMTP"));
        inbound(451, "4.7.1")
    } else {
        world.log.line(at, "postfix/cleanup", 21_000 + pid % 97, format_args!("{id}: milter-reject: END-OF-MESSAGE from {name}[{ip}]: 4.7.1 Service unavailable - try again later; {tail}"));
        inbound(0, "4.7.1")
    }
}
