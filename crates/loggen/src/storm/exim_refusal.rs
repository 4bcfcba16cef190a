//! Writes Exim's rejections: by ACLs, authenticators and a full spool.

use super::client::ClientHost;
use super::condition::Trouble;
use super::exim::{line, peer};
use super::flow::{Mail, MailOrigin};
use super::series::LineSeries;
use super::world::World;

fn inbound(code: u16) -> LineSeries {
    LineSeries::new("inbound", code, "", "")
}

/// `H=… F=<…> rejected RCPT <…>: …`; the first part of `why` is the code in the text, or 0.
pub(crate) fn reject(
    world: &mut World,
    at: u64,
    client: &ClientHost,
    from: &str,
    to: &str,
    why: (u16, &str),
    storm: Option<usize>,
) {
    let (code, text) = why;
    let word =
        if code / 100 == 4 || text.contains("try again") { "temporarily rejected" } else { "rejected" };
    line(world, at, client.port, format_args!("H={} F=<{from}> {word} RCPT <{to}>: {text}", peer(client)));
    let words =
        ["Unrouteable", "listed", "relay", "Sender verify"].into_iter().find(|words| text.contains(words));
    world.log.count(at, storm, LineSeries { words: words.unwrap_or_default(), ..inbound(code) });
}

/// `dovecot_login authenticator failed for …: 535 Incorrect authentication data (set_id=…)`
pub(crate) fn guess(world: &mut World, at: u64, client: &ClientHost, user: &str, storm: Option<usize>) {
    let word = if client.port.is_multiple_of(3) { "dovecot_plain" } else { "dovecot_login" };
    line(
        world,
        at,
        client.port,
        format_args!(
            "{word} authenticator failed for {}: 535 Incorrect authentication data (set_id={user})",
            peer(client)
        ),
    );
    world.log.count(at, storm, inbound(535));
}

/// Rejects a client because of a fault of this server.
pub(crate) fn trouble(world: &mut World, at: u64, message: &Mail, storm: usize, trouble: Trouble) {
    let (MailOrigin::Outside(client) | MailOrigin::Person(client, _)) = &message.origin else { return };
    let from = &message.from;
    let to = message.to.first().map_or("", |to| to.address.as_str());
    let (who, id) = (peer(client), &message.id);
    let (code, cause, rejection) = match trouble {
        Trouble::Disk => (
            452,
            Some("spool directory space check failed: space=1024 inodes=118211".to_owned()),
            format!("H={who} temporarily rejected MAIL <{from}>: 452 Space shortage, please try later"),
        ),
        Trouble::Policy => (
            451,
            None,
            format!(
                "H={who} F=<{from}> temporarily rejected RCPT <{to}>: 451 4.3.0 Temporary local problem - policy server did not answer"
            ),
        ),
        Trouble::Lookup => (
            0,
            None,
            format!(
                "H={who} F=<{from}> temporarily rejected RCPT <{to}>: failed to expand \"${{lookup mysql {{select 1}}}}\": MYSQL connection failed: Can't connect to MySQL server on '127.0.0.1'"
            ),
        ),
        Trouble::Milter => (
            451,
            Some(format!(
                "{id} spam acl condition: warning - spamd connection to 127.0.0.1, port 783 failed: Connection refused"
            )),
            format!(
                "{id} H={who} F=<{from}> temporarily rejected after DATA: 451 4.7.1 Service unavailable - the scanner does not answer"
            ),
        ),
        Trouble::Certificate => (
            530,
            Some(format!(
                "TLS error on connection from {who} (SSL_CTX_use_PrivateKey_file file=/etc/exim4/exim.key): error:0200100D:system library:fopen:Permission denied"
            )),
            format!("H={who} F=<{from}> rejected RCPT <{to}>: 530 5.7.0 TLS is required here"),
        ),
    };
    for text in cause.iter().chain([&rejection]) {
        line(world, at, message.salt, format_args!("{text}"));
    }
    world.log.count(at, Some(storm), inbound(code));
}
