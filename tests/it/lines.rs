//! Checks single lines that real servers seldom write or attackers would like to write.

use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;
use smtplog::internals::smtp::event::Event;

/// `direction outcome code enhanced stage | sender | recipient | peer`, with `-` for what the line does not say.
fn shown(event: &Event) -> String {
    let text =
        |part: Option<&[u8]>| part.map_or("-".to_owned(), |part| String::from_utf8_lossy(part).into_owned());
    let code = event.code.map_or("-".to_owned(), |code| code.to_string());
    let enhanced = event.enhanced.map_or("-".to_owned(), |code| code.to_string());
    let stage = event.stage.map_or("-".to_owned(), |stage| format!("{stage:?}"));
    let (sender, recipient) = (text(event.sender), text(event.recipient));
    let peer = text(event.peer.ip.or(event.peer.host));
    format!(
        "{:?} {:?} {code} {enhanced} {stage} | {sender} | {recipient} | {peer}",
        event.direction, event.outcome
    )
}

#[track_caller]
fn reads(raw: &str, want: &str) {
    let got = match mta::read(&LogLine::read(raw.as_bytes())) {
        ParsedLine::Event(event) => shown(&event),
        ParsedLine::QueueRecord(fact) => format!("Fact {:?}", fact.step),
        other => format!("{other:?}"),
    };
    assert_eq!(got, want, "{raw}");
}

#[track_caller]
fn postfix(daemon: &str, text: &str, want: &str) {
    reads(&format!("Nov 22 03:04:05 mx1 postfix-out/{daemon}[12]: {text}"), want);
}

#[track_caller]
fn exim(text: &str, want: &str) {
    reads(&format!("2026-11-22 03:04:05 {text}"), want);
    reads(&format!("2026-11-22 03:04:05.123 +0100 [77] {text}"), want);
    reads(&format!("Nov 22 03:04:05 mx1 exim[77]: 2026-11-22 03:04:05 {text}"), want);
}

const TO: &str =
    "4F1A2B3C4D: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=550, delays=1/2/3/4, dsn=";

#[test]
fn reads_postfix_deliveries() {
    let case = |status: &str, want: &str| postfix("smtp", &format!("{TO}5.0.0, status={status}"), want);
    case("sent (250 Thanks)", "Outbound Delivered 250 - - | - | a@example.org | 192.0.2.1");
    case(
        "bounced (host mx2.example.org[192.0.2.2] said: 450 5.1.1 no (in reply to RCPT TO command))",
        "Outbound Bounced 450 5.1.1 Rcpt | - | a@example.org | 192.0.2.2",
    );
    case(
        "deferred (host mx.example.org[192.0.2.1] refused to talk to me: 554 5.7.1 no)",
        "Outbound Deferred 554 5.7.1 Connect | - | a@example.org | 192.0.2.1",
    );
    case(
        "SOFTBOUNCE (host mx.example.org[192.0.2.1] said: 550 no (in reply to end of DATA command))",
        "Outbound Deferred 550 - EndOfData | - | a@example.org | 192.0.2.1",
    );
    case("undeliverable (250 2.1.5 Ok)", "Outbound Probe 250 2.1.5 - | - | a@example.org | 192.0.2.1");
    case(
        "deferred (TLS is required, but host mx.example.org[192.0.2.1] refused to start TLS: 454 4.7.0 no)",
        "Outbound Deferred 454 4.7.0 StartTls | - | a@example.org | 192.0.2.1",
    );
    case(
        "deferred (lost connection with mx.example.org[192.0.2.1] while sending message body)",
        "Outbound Deferred - - EndOfData | - | a@example.org | 192.0.2.1",
    );
}

#[test]
fn believes_no_stranger_about_what_a_line_says() {
    let said =
        |words: &str| format!("{TO}5.1.1, status=bounced (host mx.example.org[192.0.2.1] said: {words})");
    postfix(
        "smtp",
        &said(
            "550 5.1.1 to=<b@example.com>, relay=evil[192.0.2.66]:25, status=sent (250 ok) (in reply to RCPT TO command)",
        ),
        "Outbound Bounced 550 5.1.1 Rcpt | - | a@example.org | 192.0.2.1",
    );
    postfix(
        "smtp",
        &said("550 x (in reply to MAIL FROM command) (really) (in reply to RCPT TO command)"),
        "Outbound Bounced 550 - Rcpt | - | a@example.org | 192.0.2.1",
    );
    postfix(
        "smtpd",
        "NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.7.1 <x>: no; from=<a@example.com> to=<b@example.com> \
            proto=ESMTP helo=<y>; from=<\"; to=<z>\"@example.org> to=<c@example.org> proto=ESMTP helo=<h>",
        "Inbound Rejected 550 5.7.1 Rcpt | \"; to=<z>\"@example.org | c@example.org | 192.0.2.1",
    );
    postfix(
        "smtp",
        "4F1A2B3C4D: to=<\"x>, relay=evil[192.0.2.66]:25, status=sent (250\"@example.org>, relay=none, delay=1, \
            dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection refused)",
        "Outbound Deferred - - Connect | - | \"x>, relay=evil[192.0.2.66]:25, status=sent (250\"@example.org | 192.0.2.1",
    );
    exim(
        "H=h (x] rejected RCPT <b@example.com>: 550 y) [192.0.2.1] F=<a@example.com> rejected RCPT <c@example.org>: no",
        "Inbound Rejected - - Rcpt | a@example.com | c@example.org | 192.0.2.1",
    );
    exim("H=h [192.0.2.1] Warning: 550 5.7.1 rejected RCPT <a@example.org>: 550 no", "Routine");
}

#[test]
fn does_not_take_numbers_for_codes() {
    postfix("qmgr", "4F1A2B3C4D: from=<550@example.org>, size=550, nrcpt=552 (queue active)", "Fact Queued");
    postfix("smtpd", "connect from 450-4-5-1.example.org[192.0.2.250]", "Routine");
    postfix(
        "local",
        "4F1A2B3C4D: to=<a@example.org>, relay=local, delay=451, dsn=5.2.0, status=bounced \
        (service unavailable. Command output: 550 5.2.0 no)",
        "Local Bounced - - - | - | a@example.org | -",
    );
    postfix(
        "smtp",
        "connect to mx.example.org[192.0.2.1]:550: Connection refused",
        "Outbound Attempt - - Connect | - | - | 192.0.2.1",
    );
    exim("1xUzmr-00001p-13 <= 550@example.org H=(452) [192.0.2.1]:55200 P=esmtp S=550", "Fact Received");
    exim(
        "1xUzmr-00001p-13 == a@example.org R=r T=t defer (-550): retry time not reached for any host",
        "Outbound Deferred - - - | - | a@example.org | -",
    );
    exim(
        "1xUzmr-00001p-13 ** a@example.org R=r T=t H=mx [192.0.2.1] : SMTP error from remote mail server after \
        RCPT TO:<a@example.org>: 850 nonsense",
        "Outbound Bounced - - Rcpt | - | a@example.org | 192.0.2.1",
    );
}

#[test]
fn reads_postfix_refusals() {
    postfix(
        "cleanup",
        "4F1A2B3C4D: reject: header Subject: x from y[1.2.3.4]; from=<> to=<> from h[192.0.2.1]; \
        from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<h>: 5.7.1 no",
        "Inbound Rejected - 5.7.1 EndOfData | a@example.com | b@example.org | 192.0.2.1",
    );
    postfix(
        "smtpd",
        "proxy-reject: END-OF-MESSAGE: 554 5.7.0 no; from=<> to=<b@example.org> proto=SMTP helo=<h>",
        "Inbound Rejected 554 5.7.0 EndOfData |  | b@example.org | -",
    );
    postfix(
        "smtpd",
        "warning: h[192.0.2.1]: SASL PLAIN authentication failed: authentication failure",
        "Inbound Rejected - - Auth | - | - | 192.0.2.1",
    );
    postfix("smtpd", "warning: hostname h.example.org does not resolve to address 192.0.2.1", "Routine");
    postfix(
        "postscreen",
        "NOQUEUE: reject: CONNECT from [192.0.2.1]:550: all server ports busy",
        "Inbound Rejected - - Connect | - | - | 192.0.2.1",
    );
    postfix("postscreen", "DNSBL rank 5 for [192.0.2.1]:55023", "Routine");
    postfix("smtpd", "4F1A2B3C4D: frobnicate: RCPT from h[192.0.2.1]: 550 no", "Unread");
    postfix("smtpd", "NOQUEUE: reject: RCPT", "Unread");
}

#[test]
fn reads_exim_deliveries() {
    exim(
        "1xUzmr-000000001p0-1300 => a@example.org <b@example.org> F=<c@example.com> R=dnslookup T=remote_smtp \
        H=mx.example.org [192.0.2.1]:25 X=TLS1.3:x:256 CV=yes C=\"250-2.0.0 one\\\\n250 2.0.0 two\" QT=1s DT=0s",
        "Outbound Delivered 250 2.0.0 - | c@example.com | a@example.org | 192.0.2.1",
    );
    exim(
        "1xUzmr-00001p-13 => anna <anna@example.org> R=localuser T=local_delivery",
        "Local Delivered - - - | - | anna@example.org | -",
    );
    exim(
        "1xUzmr-00001p-13 => :blackhole: <a@example.org> R=aliases",
        "Local Discarded - - - | - | a@example.org | -",
    );
    exim("1xUzmr-00001p-13 => discarded (system filter)", "Local Discarded - - - | - | - | -");
    exim(
        "1xUzmr-00001p-13 ** a@example.org: retry timeout exceeded",
        "Outbound Expired - - - | - | a@example.org | -",
    );
    exim(
        "1xUzmr-00001p-13 == a@example.org R=r T=t defer (-44) H=mx [192.0.2.1]: SMTP error from remote mail server \
        after pipelined MAIL FROM:<s@example.org> SIZE=550: 451 4.3.0 no DT=2s",
        "Outbound Deferred 451 4.3.0 Mail | - | a@example.org | 192.0.2.1",
    );
    exim(
        "1xUzmr-00001p-13 H=mx [192.0.2.1]: Remote host closed connection in response to EHLO h (EHLO response was: \
        550 no)",
        "Outbound Attempt - - Ehlo | - | - | 192.0.2.1",
    );
    exim("1xUzmr-00001p-13 Completed", "Fact Removed");
    exim("1xUzmr-00001p-13 Frozen (delivery error message)", "Fact Held");
    exim("1xUzmr-00001p-13 ** ", "Unread");
}

#[test]
fn reads_exim_refusals() {
    exim(
        "H=h (x) [192.0.2.1]:55023 I=[192.0.2.9]:25 F=<a@example.com> temporarily rejected RCPT <b@example.org>: 451 4.7.1 later",
        "Inbound Rejected 451 4.7.1 Rcpt | a@example.com | b@example.org | 192.0.2.1",
    );
    exim(
        "unqualified recipient rejected: <userx> H=[192.0.2.1]",
        "Inbound Rejected - - Rcpt | - | userx | 192.0.2.1",
    );
    exim(
        "unqualified sender rejected: <userx> H=[192.0.2.1]",
        "Inbound Rejected - - Mail | userx | - | 192.0.2.1",
    );
    exim(
        "1xUzmr-00001p-13 H=h [192.0.2.1] b@example.org F=<a@example.com> P=<a@example.com> rejected after DATA: 550 no",
        "Inbound Rejected 550 - EndOfData | a@example.com | - | 192.0.2.1",
    );
    exim(
        "SMTP protocol violation: synchronization error (input sent without waiting for greeting): rejected \
        connection from H=[192.0.2.1] input=\"x\"",
        "Inbound Rejected - - Connect | - | - | 192.0.2.1",
    );
    exim(
        "login authenticator failed for h (x) [192.0.2.1]:55023: 535 Incorrect authentication data (set_id=550)",
        "Inbound Rejected 535 - Auth | - | - | 192.0.2.1",
    );
    exim(
        "1xUzmr-00001p-13 plain authenticator failed H=mx [192.0.2.1] 535 5.7.8 no",
        "Outbound Attempt 535 5.7.8 Auth | - | - | 192.0.2.1",
    );
    exim("SMTP connection from h [192.0.2.1]:55023 closed by QUIT", "Routine");
    exim("sender verify fail for <a@example.com>: 550 no such user", "Routine");
}

#[test]
fn reads_the_parents_of_an_exim_address() {
    let id = "1xUzmr-00001p-13";
    exim(
        &format!(
            "{id} => a@example.net (b@example.com) <c@example.org> R=dnslookup T=remote_smtp H=mx [192.0.2.1] C=\"250 OK\""
        ),
        "Outbound Delivered 250 - - | - | a@example.net | 192.0.2.1",
    );
    exim(
        &format!(
            "{id} -> anna (b@example.org, \"c (d\"@example.org) <e@example.org> R=localuser T=local_delivery"
        ),
        "Local Delivered - - - | - | e@example.org | -",
    );
    exim(
        &format!(
            "{id} == a@example.net (b@example.com) <c@example.org> R=dnslookup defer (-1): host lookup did not complete"
        ),
        "Outbound Deferred - - - | - | a@example.net | -",
    );
    exim(
        &format!("{id} ** a(b)@example.net: Unrouteable address"),
        "Outbound Bounced - - - | - | a(b)@example.net | -",
    );
}

#[test]
fn believes_no_address_that_looks_like_fields() {
    let id = "1xUzmr-00001p-13";
    exim(
        &format!(
            "{id} => a R=x T=y@example.org <\"a R=x T=y\"@example.org> R=r T=remote_smtp H=mx [192.0.2.1] C=\"250 OK\""
        ),
        "Outbound Delivered 250 - - | - | \"a R=x T=y\"@example.org | 192.0.2.1",
    );
    exim(
        &format!(
            "{id} ** \"a R=x\"@example.org F=<\"b: c\"@example.com> R=r T=t H=mx [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<\"a R=x\"@example.org>: 550 no"
        ),
        "Outbound Bounced 550 - Rcpt | \"b: c\"@example.com | \"a R=x\"@example.org | 192.0.2.1",
    );
    exim(
        &format!(
            "{id} => a@example.org R=r T=t H=mx [192.0.2.1] DN=\"/CN=x C=\"550 no\" C=\"250 OK \\\" C=\\\"\""
        ),
        "Outbound Delivered 250 - - | - | a@example.org | 192.0.2.1",
    );
    exim(
        &format!("{id} => a@example.org F=b@example.com Q=slow R=r T=t H=mx [192.0.2.1] C=\"250 OK\""),
        "Outbound Delivered 250 - - | b@example.com | a@example.org | 192.0.2.1",
    );
    exim(
        "rejected \"EHLO x\" from y [192.0.2.66]\" from (x\" from y [192.0.2.66]) [192.0.2.1]",
        "Inbound Rejected - - Ehlo | - | - | 192.0.2.1",
    );
}

#[test]
fn reads_what_exim_refuses_without_an_acl() {
    let connect = "Inbound Rejected - - Connect | - | - | 192.0.2.1";
    exim(
        "temporarily refused connection from [192.0.2.1]: not in reserve list: connected=20 max=20 reserve=5",
        connect,
    );
    exim(
        "temporarily refused connection from h (x) [192.0.2.1]:5: not in reserve list and load average = 12.31",
        connect,
    );
    exim("refused connection from h [192.0.2.1] (host_reject_connection)", connect);
    exim("connection from [192.0.2.1] refused (IP options)", connect);
    exim("Connection from [192.0.2.1] refused: too many connections from that IP address", connect);
    exim(
        "temporarily rejected \"EHLO x\" from (x) [192.0.2.1]",
        "Inbound Rejected - - Ehlo | - | - | 192.0.2.1",
    );
    exim(
        "rejected \"HELO x.example.org\" from x.example.org [192.0.2.1]",
        "Inbound Rejected - - Ehlo | - | - | 192.0.2.1",
    );
    exim(
        "rejected MAIL command H=h (x) [192.0.2.1]: too many messages in one connection",
        "Inbound Rejected - - Mail | - | - | 192.0.2.1",
    );
    exim("spool directory space check failed: space=4 inodes=12", "Inbound Rejected - - Mail | - | - | -");
    exim(
        "H=h [192.0.2.1] F=<a@example.com> SPF=fail DMARC=reject rejected after DATA: no",
        "Inbound Rejected - - EndOfData | a@example.com | - | 192.0.2.1",
    );
    exim(
        "overlong message header line received from (x) [192.0.2.1] (more than 9 characters): message abandoned",
        "Inbound Rejected - - EndOfData | - | - | 192.0.2.1",
    );
    exim("no MAIL in SMTP connection from h [192.0.2.1] D=21s C=EHLO,STARTTLS", "Routine");
    reads("Nov 22 03:04:05 mx1 exim[77]: connection from [192.0.2.1] refused by another program", "Unread");
}

#[test]
fn reads_the_attempts_of_old_versions_of_exim() {
    let id = "1xUzmr-00001p-13";
    exim(
        &format!(
            "{id} SMTP error from remote mail server after RCPT TO:<a@example.org>: host mx [192.0.2.1]: 450 4.2.0 later"
        ),
        "Outbound Attempt 450 4.2.0 Rcpt | - | - | 192.0.2.1",
    );
    exim(
        &format!(
            "{id} SMTP timeout while connected to mx [192.0.2.1] after RCPT TO:<a@example.org>: Connection timed out"
        ),
        "Outbound Attempt - - Rcpt | - | - | 192.0.2.1",
    );
    exim(
        &format!("{id} Remote host mx [192.0.2.1] closed connection in response to EHLO h"),
        "Outbound Attempt - - Ehlo | - | - | 192.0.2.1",
    );
    exim(
        &format!("{id} mx [192.0.2.1] Connection refused"),
        "Outbound Attempt - - Connect | - | - | 192.0.2.1",
    );
}

#[test]
fn understands_only_known_shapes_of_exim() {
    let id = "1xUzmr-00001p-13";
    exim(&format!("{id} Score of this message is 7"), "Unread");
    exim(&format!("{id} H=h (x) [192.0.2.1] has a new text"), "Unread");
    exim(&format!("{id} refused in a new way"), "Unread");
    exim(&format!("{id} failed to open DB file /var/spool/exim/db/retry: Permission denied"), "Routine");
    reads("Nov 22 03:04:05 mx1 exim[77]: a new text", "Unread");
    // Other programs write timestamps of the same format.
    reads("2026-11-22 03:04:05 a new text", "Foreign");
}

#[test]
fn reads_what_exim_prints_on_a_terminal() {
    reads("  273 LOG: MAIN", "Routine");
    reads("  273   <= a@example.org H=h (x) [192.0.2.1] P=esmtp S=2162", "Routine");
    reads(
        "  278   == a@example.org R=dnslookup defer (-1): host lookup did not complete",
        "Outbound Deferred - - - | - | a@example.org | -",
    );
    reads(
        "2026-11-22T03:04:05.123456789Z 12345   => a@example.org R=dnslookup T=remote_smtp H=mx [192.0.2.1] C=\"250 OK\"",
        "Outbound Delivered 250 - - | - | a@example.org | 192.0.2.1",
    );
    reads(
        "    9   H=(localhost) [192.0.2.1] F=<a@example.com> rejected RCPT <b@example.org>: relay not permitted",
        "Inbound Rejected - - Rcpt | a@example.com | b@example.org | 192.0.2.1",
    );
    reads("  278   SMTP<< 550 no", "Routine");
    reads("  ** a@example.org: Unrouteable address", "Outbound Bounced - - - | - | a@example.org | -");
    reads("  278   a new text", "Foreign");
    reads("  => x", "Foreign");
    reads("   10   2 => x", "Foreign");
}

#[test]
fn leaves_other_programs_alone() {
    reads("Nov 22 03:04:05 mx1 dovecot: imap-login: Login: user=<550>", "Foreign");
    reads("Nov 22 03:04:05 mx1 amavis[9]: (9-1) Blocked SPAM, 250 2.0.0 Ok: queued as 4F1A2B3C4D", "Foreign");
    reads("Nov 22 03:04:05 mx1 postfix/policy-spf[9]: 550 5.7.23 no", "Foreign");
    reads("2026-11-22 03:04:05,123 INFO 550 5.1.1 no such user", "Foreign");
    reads("Received: from h [192.0.2.1] 550 5.1.1", "Foreign");
}
