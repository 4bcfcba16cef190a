//! Writes the lines of Postfix's SMTP sessions, from the connection to the queue or the rejection.

use super::message::QueuedMessage;
use super::names::{ClientKind, ClientName, ClientSeed, EnvelopeSender, HERE, HERE_IP, Helo};
use super::refusal::{refuse, screen};
use super::rng::mix;
use super::site::Simulation;
use super::totals::{Outcome, inbound};
use super::writer::{ProgramTag, tag};

const CIPHERS: [&str; 3] = [
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
];
const LISTS: [&str; 4] = ["zen.bl.example.net", "bl.example.com", "dnsbl.example.org", "spam.bl.example.net"];
const POSTSCREEN: ProgramTag = tag("postfix/postscreen", 1377);
pub(crate) const QMGR: ProgramTag = tag("postfix/qmgr", 1203);

pub(crate) fn cipher(salt: u64) -> &'static str {
    CIPHERS[(salt % 3) as usize]
}

fn smtpd(client: ClientSeed) -> ProgramTag {
    let pid = 20_000 + client.seed % 977;
    match client.origin {
        ClientKind::Person if client.seed.is_multiple_of(8) => tag("postfix/smtps/smtpd", pid),
        ClientKind::Person => tag("postfix/submission/smtpd", pid),
        ClientKind::Server | ClientKind::Inside | ClientKind::Nameless => tag("postfix/smtpd", pid),
    }
}

pub(crate) const fn cleanup(salt: u64) -> ProgramTag {
    tag("postfix/cleanup", 21_000 + (salt % 977) as u32)
}

/// Servers and bots connect through postscreen, people to the submission ports, internal machines to smtpd directly.
pub(crate) fn connect(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let (name, ip, port) = (ClientName(client), client.ip(), client.port());
    if matches!(client.origin, ClientKind::Server | ClientKind::Nameless) {
        let word = if client.seed.is_multiple_of(8) { "PASS NEW" } else { "PASS OLD" };
        sim.log.routine(at, POSTSCREEN, format_args!("CONNECT from [{ip}]:{port} to [{HERE_IP}]:25"));
        sim.log.routine(at, POSTSCREEN, format_args!("{word} [{ip}]:{port}"));
    }
    let by = smtpd(client);
    if client.origin == ClientKind::Nameless && sim.rng.chance(450) {
        let domain = client.domain;
        sim.log.routine(
            at,
            by,
            format_args!(
                "warning: hostname host-{:x}.{domain} does not resolve to address {ip}: Name or service not known",
                client.seed
            ),
        );
    }
    sim.log.routine(at, by, format_args!("connect from {name}[{ip}]"));
    let share = if client.origin == ClientKind::Nameless { 300 } else { 940 };
    if sim.rng.chance(share) {
        let cipher = cipher(mix(u64::from(client.seed)));
        sim.log.routine(
            at,
            by,
            format_args!("Anonymous TLS connection established from {name}[{ip}]: {cipher}"),
        );
    }
}

/// Writes `client=`, the first line with the queue id.
pub(crate) fn take(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let client = message.client;
    let (id, name, ip) = (&message.id, ClientName(client), client.ip());
    if client.origin == ClientKind::Server && sim.rng.chance(960) {
        let (helo, sender) = (Helo(client), EnvelopeSender(message.sender));
        let word = ["Pass", "Pass", "Neutral", "Softfail", "None"][sim.rng.early(5)];
        sim.log.foreign(
            at,
            tag("policyd-spf", 22_000 + client.seed % 499),
            format_args!(
                "prepend Received-SPF: {word} (mailfrom) identity=mailfrom; client-ip={ip}; helo={helo}; envelope-from={sender}; receiver=<UNKNOWN>"
            ),
        );
    }
    let by = smtpd(client);
    match (client.origin, message.sender) {
        (ClientKind::Person, Some(sender)) => sim.log.routine(
            at,
            by,
            format_args!("{id}: client={name}[{ip}], sasl_method=PLAIN, sasl_username={sender}"),
        ),
        _ => sim.log.routine(at, by, format_args!("{id}: client={name}[{ip}]")),
    }
}

/// False if a milter or a header check stopped the message.
pub(crate) fn queue(sim: &mut Simulation, at: u64, message: &QueuedMessage) -> bool {
    name_message(sim, at, message);
    milters(sim, at, message);
    if message.client.origin == ClientKind::Server && !is_let_through(sim, at, message) {
        return false;
    }
    sim.log.counts.messages.received += 1;
    activate(sim, at, message);
    true
}

pub(crate) fn name_message(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let (id, salt) = (&message.id, message.salt);
    let by = cleanup(salt);
    match message.sender {
        Some(sender) => sim.log.routine(
            at,
            by,
            format_args!("{id}: message-id=<{salt:x}.{:x}@{}>", salt >> 40, sender.domain),
        ),
        None => sim.log.routine(at, by, format_args!("{id}: message-id=<20260302.{id}@{HERE}>")),
    }
}

pub(crate) fn activate(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let (id, sender) = (&message.id, EnvelopeSender(message.sender));
    let (size, recipients) = (message.size, message.recipients);
    sim.log.routine(
        at,
        QMGR,
        format_args!("{id}: from=<{sender}>, size={size}, nrcpt={recipients} (queue active)"),
    );
}

fn milters(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let (id, salt, client) = (&message.id, message.salt, message.client);
    let dkim = tag("opendkim", 884);
    let from = client.domain;
    if salt % 7 < 2 {
        let (ip, score, size) = (client.ip(), salt >> 32 & 7, message.size);
        sim.log.foreign(at, tag("rspamd", 990), format_args!(
            "<{:06x}>; proxy; rspamd_task_write_log: id: <{salt:x}@{from}>, qid: <{id}>, ip: {ip}, (default: F (no action): [{score}.41/15.00] [R_SPF_ALLOW(-0.20){{+ip4}},MIME_GOOD(-0.10){{text/plain}}]), len: {size}, time: 451.2ms, dns req: 25",
            salt >> 40,
        ));
    }
    if client.origin != ClientKind::Server {
        let own = message.sender.map_or(from, |sender| sender.domain);
        sim.log.foreign(at, dkim, format_args!("{id}: DKIM-Signature field added (s=mail, d={own})"));
        return;
    }
    match salt % 10 {
        0..3 => {
            let (name, ip) = (ClientName(client), client.ip());
            sim.log.foreign(at, dkim, format_args!("{id}: {name} [{ip}] not internal"));
            sim.log.foreign(at, dkim, format_args!("{id}: not authenticated"));
        }
        3..6 => sim.log.foreign(at, dkim, format_args!("{id}: no signature data")),
        _ => sim.log.foreign(at, dkim, format_args!("{id}: DKIM verification successful")),
    }
}

/// Lines of milters and header checks show an enhanced code or none, never a reply code.
fn is_let_through(sim: &mut Simulation, at: u64, message: &QueuedMessage) -> bool {
    let (outcome, enhanced, verb, why) = match sim.rng.below(2000) {
        0..36 => (Outcome::Rejected, "5.7.1", "milter-reject: END-OF-MESSAGE", "Spam message rejected"),
        36..54 => (Outcome::Rejected, "4.7.1", "milter-reject: END-OF-MESSAGE", "Try again later"),
        54..60 => (Outcome::Rejected, "5.7.1", "milter-reject: END-OF-MESSAGE", "infected by Eicar.550"),
        60..64 => (Outcome::Held, "", "milter-hold: END-OF-MESSAGE", "milter triggers HOLD action"),
        64..70 => {
            (Outcome::Rejected, "5.7.1", "reject: header Subject: 550 prizes for you", "not in this house")
        }
        70..72 => (Outcome::Discarded, "", "discard: header X-Advert: yes, 4.2.1", "thrown away"),
        _ => return true,
    };
    let client = message.client;
    let (id, name, ip, sender, helo) =
        (&message.id, ClientName(client), client.ip(), EnvelopeSender(message.sender), Helo(client));
    let to = message.pending[0].to;
    let blank = if enhanced.is_empty() { "" } else { " " };
    let by = cleanup(message.salt);
    let key = inbound(outcome, 0, enhanced);
    if verb.starts_with("milter") {
        sim.log.event(at, by, key, format_args!(
            "{id}: {verb} from {name}[{ip}]: {enhanced}{blank}{why}; from=<{sender}> to=<{to}> proto=ESMTP helo=<{helo}>"
        ));
    } else {
        sim.log.event(at, by, key, format_args!(
            "{id}: {verb} from {name}[{ip}]; from=<{sender}> to=<{to}> proto=ESMTP helo=<{helo}>: {enhanced}{blank}{why}"
        ));
    }
    match outcome {
        Outcome::Held => sim.log.counts.messages.received += 1,
        Outcome::Discarded => {
            sim.log.counts.messages.received += 1;
            sim.log.counts.messages.discarded += 1;
        }
        Outcome::Delivered
        | Outcome::Deferred
        | Outcome::Bounced
        | Outcome::Expired
        | Outcome::Rejected
        | Outcome::Attempt
        | Outcome::Warned => {}
    }
    false
}

pub(crate) fn disconnect(sim: &mut Simulation, at: u64, client: ClientSeed, done: &str) {
    let (name, ip) = (ClientName(client), client.ip());
    sim.log.routine(at, smtpd(client), format_args!("disconnect from {name}[{ip}] {done}"));
}

pub(crate) fn turn_away(sim: &mut Simulation, at: u64, client: ClientSeed) {
    for _ in 0..sim.rng.weighted(&[0, 880, 90, 30]) {
        refuse(sim, at, smtpd(client), client);
    }
    let done = if sim.rng.chance(420) {
        lose_connection(sim, at, client, "RCPT");
        "ehlo=1 mail=1 rcpt=0/1 commands=2/3"
    } else {
        "ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
    };
    disconnect(sim, at, client, done);
}

fn lose_connection(sim: &mut Simulation, at: u64, client: ClientSeed, command: &str) {
    let (name, ip) = (ClientName(client), client.ip());
    sim.log.routine(at, smtpd(client), format_args!("lost connection after {command} from {name}[{ip}]"));
}

/// A failed login, which Postfix logs as a warning without a code.
pub(crate) fn fail_to_authenticate(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let (name, ip, user) = (ClientName(client), client.ip(), sim.local_address());
    let by = smtpd(client);
    match sim.rng.below(8) {
        0 => sim.log.event(
            at,
            by,
            inbound(Outcome::Rejected, 0, ""),
            format_args!("warning: Connection rate limit exceeded: 51 from {name}[{ip}] for service smtpd"),
        ),
        _ => sim.log.event(at, by, inbound(Outcome::Rejected, 0, ""), format_args!(
            "warning: {name}[{ip}]: SASL LOGIN authentication failed: (reason unavailable), sasl_username={user}"
        )),
    }
    lose_connection(sim, at, client, "AUTH");
    disconnect(sim, at, client, "ehlo=1 auth=0/1 commands=1/2");
}

/// postscreen looks a bot up in the DNS block lists and rejects it or loses the connection.
pub(crate) fn judge(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let (ip, port, helo) = (client.ip(), client.port(), Helo(client));
    let lists = sim.rng.between(2, 5) as usize;
    for list in &LISTS[..lists] {
        let answer = sim.rng.between(2, 12);
        let by = tag("postfix/dnsblog", 23_000 + (client.seed & 255));
        sim.log.routine(at, by, format_args!("addr {ip} listed by domain {list} as 127.0.0.{answer}"));
    }
    if sim.rng.chance(400) {
        sim.log.routine(
            at,
            POSTSCREEN,
            format_args!("PREGREET 16 after 0.21 from [{ip}]:{port}: EHLO {helo}\\r\\n"),
        );
    }
    sim.log.routine(at, POSTSCREEN, format_args!("DNSBL rank {} for [{ip}]:{port}", lists * 3 - 1));
    if sim.rng.chance(800) {
        screen(sim, at, client);
    } else {
        sim.log.routine(
            at,
            POSTSCREEN,
            format_args!("HANGUP after 1.5 from [{ip}]:{port} in tests after SMTP handshake"),
        );
    }
    sim.log.routine(at, POSTSCREEN, format_args!("DISCONNECT [{ip}]:{port}"));
}

pub(crate) fn connect_to_postscreen(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let (ip, port) = (client.ip(), client.port());
    sim.log.routine(at, POSTSCREEN, format_args!("CONNECT from [{ip}]:{port} to [{HERE_IP}]:25"));
}
