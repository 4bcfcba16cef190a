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
pub(crate) fn reads(raw: &str, want: &str) {
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
    case(
        "deferred (connect to mx.example.org[192.0.2.1]: server refused to talk to me: 421 4.7.0 no   (port 25))",
        "Outbound Deferred 421 4.7.0 Connect | - | a@example.org | 192.0.2.1",
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
fn reads_what_postfix_finds_without_a_reply() {
    let case = |status: &str, want: &str| postfix("smtp", &format!("{TO}4.0.0, status={status}"), want);
    case(
        "deferred (SASL [CACHED] authentication failed; server mx.example.org said: 535 5.7.8 no)",
        "Outbound Deferred 535 5.7.8 Auth | - | a@example.org | 192.0.2.1",
    );
    case(
        "bounced (Sender requested REQUIRETLS, but host mx.example.org[192.0.2.1] refused to start TLS: 454 4.7.0 no)",
        "Outbound Bounced 454 4.7.0 StartTls | - | a@example.org | 192.0.2.1",
    );
    // A reply that is no refusal was unexpected there; its code is not the reason.
    case(
        "bounced (Protocol error: host mx.example.org[192.0.2.1] said: 220 hello (in reply to MAIL FROM command))",
        "Outbound Bounced - - Mail | - | a@example.org | 192.0.2.1",
    );
    case(
        "sent (250 2.7.0 Ok, discarded, id=1-02 - spam)",
        "Outbound Discarded 250 2.7.0 - | - | a@example.org | 192.0.2.1",
    );
    case(
        "sent (250 2.7.0 Ok, discard nothing)",
        "Outbound Delivered 250 2.7.0 - | - | a@example.org | 192.0.2.1",
    );
    let alone = |text: &str, want: &str| postfix("smtp", &format!("4F1A2B3C4D: {text}"), want);
    alone("client TLS configuration problem", "Outbound Attempt - - StartTls | - | - | -");
    alone(
        "TLSA lookup error for mx.example.org:25",
        "Outbound Attempt - - StartTls | - | - | mx.example.org",
    );
    alone(
        "unable to look up host mx.example.org: Temporary failure in name resolution",
        "Outbound Attempt - - - | - | - | -",
    );
    alone("mx.example.org: host not found", "Outbound Attempt - - - | - | - | -");
    alone(
        "Protocol error: host mx.example.org[192.0.2.1] said: 354 go (in reply to RCPT TO command)",
        "Outbound Attempt - - Rcpt | - | - | 192.0.2.1",
    );
    alone("mail for example.org is read on Mondays", "Unread");
    alone("host mx.example.org[192.0.2.1] sang a song", "Unread");
    alone("host mx.example.org[192.0.2.1] offers SMTPUTF8 support, but not 8BITMIME", "Routine");
    alone(
        "Sender requested REQUIRETLS, but REQUIRETLS support was not offered by host mx.example.org[192.0.2.1]",
        "Routine",
    );
}

#[test]
fn reads_results_of_postfix_daemons_that_are_no_agents() {
    let none = "4F1A2B3C4D: to=<a@example.org>, relay=none, delay=0.1, delays=0.1/0/0/0";
    let case = |daemon: &str, status: &str, want: &str| postfix(daemon, &format!("{none}, {status}"), want);
    case(
        "cleanup",
        "dsn=5.4.0, status=bounced (too many hops)",
        "Local Bounced - - - | - | a@example.org | -",
    );
    case(
        "cleanup",
        "dsn=2.1.5, status=deliverable (aliased to b@example.org)",
        "Local Probe - - - | - | a@example.org | -",
    );
    case(
        "qmgr",
        "dsn=4.3.0, status=deferred (address resolver failure)",
        "Local Deferred - - - | - | a@example.org | -",
    );
    case(
        "error",
        "dsn=4.3.0, status=deferred (delivery temporarily suspended: transport is unavailable)",
        "Local Deferred - - - | - | a@example.org | -",
    );
    case(
        "retry",
        "dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.org[192.0.2.1]:25: no)",
        "Outbound Deferred - - Connect | - | a@example.org | 192.0.2.1",
    );
    postfix("cleanup", "4F1A2B3C4D: to=<a@example.org>, relay=none", "Unread");
    postfix("cleanup", "4F1A2B3C4D: removed (canceled)", "Fact Canceled");
    postfix("cleanup", "4F1A2B3C4D: removed (discarded)", "Fact Dropped");
    postfix("cleanup", "4F1A2B3C4D: removed (eaten)", "Unread");
}

#[test]
fn reads_refusals_that_postfix_tells_only_in_a_warning_or_a_note() {
    let of_message = "Inbound Rejected - - EndOfData | - | - | -";
    for text in [
        "warning: 4F1A2B3C4D: virtual_alias_maps map lookup problem for a@example.org -- message not accepted, try again later",
        "warning: 4F1A2B3C4D: header_checks map lookup problem -- message not accepted, try again later",
        "warning: 4F1A2B3C4D: unreasonable virtual_alias_maps map nesting for a@example.org -- message not accepted, try again later",
        "warning: 4F1A2B3C4D: message rejected: hopcount exceeded",
        "warning: 4F1A2B3C4D: queue file size limit exceeded",
        "warning: 4F1A2B3C4D: write queue file: No space left on device",
    ] {
        postfix("cleanup", text, of_message);
    }
    postfix("smtpd", "warning: NOQUEUE: queue file size limit exceeded", of_message);
    for (text, stage) in [
        ("warning: Illegal address syntax from h[192.0.2.1] in RCPT command: <a@@example.org>", "Rcpt"),
        ("warning: Illegal address syntax from h[192.0.2.1] in MAIL command: <a@@example.org>", "Mail"),
        ("warning: non-SMTP command from h[192.0.2.1]: GET / HTTP/1.1", "-"),
        ("warning: Refusing STARTTLS request from h[192.0.2.1] for service smtp", "StartTls"),
        ("warning: NOQUEUE: null BDAT request from h[192.0.2.1]", "EndOfData"),
        ("warning: h[192.0.2.1]: SASL LOGIN authentication aborted", "Auth"),
        ("improper command pipelining after EHLO from h[192.0.2.1]: MAIL FROM:<a@example.org>\\r\\n", "Ehlo"),
        ("too many errors after DATA (0 bytes) from h[192.0.2.1]", "Data"),
        ("NOQUEUE: too many errors after RCPT from h[192.0.2.1]", "Rcpt"),
        ("NOQUEUE: abort: TLS from h[192.0.2.1]: No client certificate presented", "StartTls"),
        ("NOQUEUE: reject: connect from [192.0.2.1]:550: all screening ports busy", "Connect"),
    ] {
        postfix("smtpd", text, &format!("Inbound Rejected - - {stage} | - | - | 192.0.2.1"));
    }
    let of_filter = "Inbound Rejected - - - | - | - | -";
    postfix("smtpd", "warning: connect to proxy filter 127.0.0.1:10024: Connection refused", of_filter);
    postfix("smtpd", "warning: lost connection with proxy 127.0.0.1:10024", of_filter);
    postfix(
        "smtpd",
        "warning: proxy 127.0.0.1:10024 rejected \"MAIL FROM:<a@example.org>\": \"550 no\"",
        "Inbound Rejected - - Mail | - | - | -",
    );
    // The line proxy-reject follows.
    postfix("smtpd", "warning: proxy 127.0.0.1:10024 rejected \".\": \"550 no\"", "Routine");
    postfix(
        "smtpd",
        "4F1A2B3C4D: reject: DATA content from h[192.0.2.1]: 421 4.3.0 mx1.example.org Server local data error",
        "Inbound Rejected 421 4.3.0 Data | - | - | 192.0.2.1",
    );
    for text in [
        "warning: not enough free space in mail queue: 3 bytes < 1.5*message size limit",
        "warning: milter inet:127.0.0.1:8891: can't read SMFIC_EOH reply packet header: Success",
        "warning: connect to private/policy: Connection refused",
        "lost connection after RCPT from h[192.0.2.1]",
        "NOQUEUE: lost connection after RCPT from h[192.0.2.1]",
        "timeout after DATA (5 bytes) from h[192.0.2.1]",
    ] {
        postfix("smtpd", text, "Routine");
    }
}

#[test]
fn a_line_of_postfix_is_routine_only_if_its_form_is_known() {
    let detail = "mx.example.org[192.0.2.1]:25: ";
    let known = [
        ("smtp", "SSL_connect:SSLv3/TLS write client hello".to_owned()),
        ("smtp", format!("{detail}depth=0 verify=1 subject=/CN=mx.example.org")),
        ("smtp", format!("{detail}Matched fingerprint: 01:02:03")),
        ("smtp", "setting up TLS connection to mx.example.org[192.0.2.1]:25".to_owned()),
        ("smtp", "TLSRPT: status=success, domain=example.org, receiving_mx=mx.example.org[192.0.2.1]".to_owned()),
        ("smtpd", "h[192.0.2.1]: TLS cipher list \"aNULL:HIGH\"".to_owned()),
        ("smtpd", "h[192.0.2.1]: replacing command \"MAIL FROM:<a> X\" with \"MAIL FROM:<a>\"".to_owned()),
        ("smtpd", "using backwards-compatible default setting smtpd_relay_before_recipient_restrictions=no to reject \
            recipient \"a@example.org\" from client \"h[192.0.2.1]\"".to_owned()),
        ("smtpd", "match_string: mynetworks ~? debug_peer_list".to_owned()),
        ("smtpd", "> h[192.0.2.1]: 550 5.1.1 no".to_owned()),
        ("smtpd", "private/anvil: wanted attribute: status".to_owned()),
        ("cleanup", "0010 - <SPACES/NULLS>".to_owned()),
        ("qmgr", "4F1A2B3C4D: skipped, still being delivered".to_owned()),
        ("local", "4F1A2B3C4D: passing <a@example.org> to transport=lmtp".to_owned()),
        ("master", "daemon started -- version 3.11.6, configuration /etc/postfix".to_owned()),
        ("anvil", "statistics: max connection rate 1/60s for (smtpd:192.0.2.1) at Nov 22 03:04:05".to_owned()),
        ("verify", "cache lmdb:/var/lib/postfix/verify_cache full cleanup: retained=1 dropped=0 entries".to_owned()),
        ("postlogd", "warning: anything".to_owned()),
        ("postlog", "what a script says".to_owned()),
    ];
    for (daemon, text) in known {
        postfix(daemon, &text, "Routine");
    }
    let daemons = [
        "smtp",
        "smtpd",
        "cleanup",
        "qmgr",
        "local",
        "pipe",
        "error",
        "discard",
        "postscreen",
        "pickup",
        "bounce",
        "postsuper",
        "anvil",
        "master",
        "tlsproxy",
        "verify",
    ];
    for daemon in daemons {
        postfix(daemon, "nobody knows this line", "Unread");
        postfix(daemon, "4F1A2B3C4D: nobody knows this line", "Unread");
    }
    reads("Nov 22 03:04:05 mx1 postfix[12]: nobody knows this line", "Unread");
    reads("Nov 22 03:04:05 mx1 postfix[12]: connect from h[192.0.2.1]", "Routine");
    reads("Nov 22 03:04:05 mx1 postfix[12]: 4F1A2B3C4D: requeued", "Fact Requeued");
    postfix("smtpd", "reject_warning: nonsense", "Unread");
    postfix("cleanup", "connect from h[192.0.2.1]", "Unread");
}

#[test]
fn reads_lines_of_filters_that_name_the_next_queue_id() {
    reads("Nov 22 03:04:05 mx1 MailScanner[9]: Requeue: 4F1A2B3C4D.A1B2C to 5F1A2B3C4D", "Fact Requeued");
    reads("Nov 22 03:04:05 mx1 MailScanner[9]: Spam Checks: Found 1 spam messages", "Foreign");
    reads("Nov 22 03:04:05 mx1 MailScanner[9]: warning: Requeue: 4F1A2B3C4D", "Foreign");
    let pmg =
        |text: &str, want: &str| reads(&format!("Nov 22 03:04:05 mx1 pmg-smtp-filter[9]: {text}"), want);
    pmg("1A2B3C4D5E: accept mail to <a@example.org> (4F1A2B3C4D) (rule: x)", "Fact PassedOn");
    pmg("1A2B3C4D5E: block mail to <a@example.org> (rule: x)", "Foreign");
    pmg("1A2B3C4D5E: SA score=0/5 time=0.5", "Foreign");
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
    exim("1xUzmr-00001p-13 ** a@example.org R=aliases:", "Local Bounced - - - | - | a@example.org | -");
    exim(
        "1xUzmr-00001p-13 H=mx [2001:db8::1] Cannot assign requested address",
        "Outbound Attempt - - Connect | - | - | 2001:db8::1",
    );
    exim("1xUzmr-00001p-13 H=mx [192.0.2.1] Words of an event", "Routine");
    exim("1xUzmr-00001p-13 Completed", "Fact Removed");
    exim("1xUzmr-00001p-13 Frozen (delivery error message)", "Fact Held");
    exim("1xUzmr-00001p-13 ** ", "Unread");
}

/// The lmtp transport has no host, and neither have old lines of the smtp transport.
#[test]
fn a_delivery_of_exim_without_a_host_is_of_this_host() {
    let case = |text: &str, want: &str| exim(&format!("1xUzmr-00001p-13 {text}"), want);
    let to = "a <a@example.org> R=dovecot_user T=dovecot_lmtp";
    case(
        &format!("=> {to} C=\"250 2.0.0 <a@example.org> x Saved\""),
        "Local Delivered 250 2.0.0 - | - | a@example.org | -",
    );
    case(
        &format!("-> {to} C=\"250 2.0.0 <a@example.org> x Saved\" QT=1s DT=0s"),
        "Local Delivered 250 2.0.0 - | - | a@example.org | -",
    );
    case(
        "=> a@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] C=\"250 OK\"",
        "Outbound Delivered 250 - - | - | a@example.org | 192.0.2.1",
    );
    let refused = "Local Deferred - - Connect | - | a@example.org | -";
    case(&format!("== {to} defer (111): Connection refused"), refused);
    let socket = "Failed to connect to socket /run/dovecot/lmtp for dovecot_lmtp transport";
    for errno in ["Connection refused", "No such file or directory", "Permission denied"] {
        for defer in ["defer (0)", "defer", "defer (111): Connection refused"] {
            case(&format!("== {to} {defer}: {socket}: {errno}"), refused);
            let unnamed = to.replace("dovecot_lmtp", "to_backend");
            case(&format!("== {unnamed} {defer}: {socket}: {errno}"), refused);
        }
    }
    let unnamed = "a <a@example.org> R=all T=to_backend";
    case(
        &format!("== {unnamed} defer (-46): LMTP error after RCPT TO:<a@example.org>: 451 4.3.0 no"),
        "Local Deferred 451 4.3.0 Rcpt | - | a@example.org | -",
    );
    case(
        &format!("** {unnamed}: LMTP error after end of data: 552 5.2.2 full"),
        "Local Bounced 552 5.2.2 EndOfData | - | a@example.org | -",
    );
    case(
        &format!("== {unnamed} defer (0): LMTP timeout after RCPT TO:<a@example.org>"),
        "Local Deferred - - Rcpt | - | a@example.org | -",
    );
    case(
        &format!("== {unnamed} defer (-18): LMTP connection closed after initial connection"),
        "Local Deferred - - Connect | - | a@example.org | -",
    );
    case("== a@example.org R=local_user T=dovecot_delivery defer (111): Connection refused", refused);
    case(
        "== a@example.org R=virtual T=lmtp_tcp defer (-53): retry time not reached for any host for 'example.org'",
        "Local Deferred - - - | - | a@example.org | -",
    );
}

#[test]
fn a_failure_at_a_remote_transport_of_exim_stays_outbound() {
    let case = |text: &str, want: &str| {
        exim(&format!("1xUzmr-00001p-13 {text}"), &format!("Outbound {want} | - | a@example.org | -"));
    };
    let to = "a@example.org R=dnslookup T=remote_smtp";
    case(&format!("== {to} defer (-53): retry time not reached for any host"), "Deferred - - -");
    case(&format!("== {to} defer (-53): retry time not reached"), "Deferred - - -");
    case(&format!("== {to} defer (111): Connection refused"), "Deferred - - Connect");
    case(&format!("== {to} defer (110): Connection timed out"), "Deferred - - Connect");
    case("== a@example.org R=smart_route T=to_hub defer (111): Connection refused", "Deferred - - Connect");
    case("== a@example.org R=virtual T=local_smtp defer (111): Connection refused", "Deferred - - Connect");
    case("== a@example.org R=dnslookup defer (-1): host lookup did not complete", "Deferred - - -");
    exim(
        "1xUzmr-00001p-13 == a@example.org R=lmtp T=lmtp_tcp defer (0) H=mx [192.0.2.1]: LMTP error after DATA: 452 4.2.2 full",
        "Outbound Deferred 452 4.2.2 EndOfData | - | a@example.org | 192.0.2.1",
    );
}

#[test]
fn reads_what_exim_says_to_one_recipient_of_the_data() {
    let case = |text: &str, want: &str| exim(&format!("1xUzmr-00001p-13 PRDR {text}"), want);
    case("R=<a@example.org> refusal", "Inbound Rejected - - EndOfData | - | a@example.org | -");
    case("R=<a@example.org> temporary refusal", "Inbound Rejected - - EndOfData | - | a@example.org | -");
    case("a@example.org 550 no spam", "Inbound Rejected 550 - EndOfData | - | a@example.org | -");
    case("R=<a@example.org> acceptance", "Routine");
    case("words", "Unread");
}

#[test]
fn reads_a_message_that_exim_could_not_write() {
    exim(
        "1xUzmr-00001p-13 Message abandoned: Spool write error (No space left on device) while receiving message from \
        mx (h) [192.0.2.1]",
        "Inbound Rejected - - EndOfData | - | - | 192.0.2.1",
    );
    let header = "spool file write error while receiving from mx (h) [192.0.2.1]: No space left on device";
    for begin in ["Message abandoned: ", ""] {
        exim(
            &format!("1xUzmr-00001p-13 {begin}{header}"),
            "Inbound Rejected - - EndOfData | - | - | 192.0.2.1",
        );
    }
    exim(
        "1xUzmr-00001p-13 Spool write error: No space left on device",
        "Inbound Rejected - - EndOfData | - | - | -",
    );
    exim("1xUzmr-00001p-13 spool file write error while delivering: No space left on device", "Routine");
    exim("1xUzmr-00001p-13 Message abandoned: words", "Inbound Rejected - - EndOfData | - | - | -");
    exim("1xUzmr-00001p-13 Message abandoned", "Unread");
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
fn what_a_client_of_exim_chose_hides_no_refusal() {
    let refused = "Inbound Rejected 550 5.1.1 Rcpt | a@example.com | r@example.org | 192.0.2.9";
    let verdict = "rejected RCPT <r@example.org>: 550 5.1.1 x";
    for id in ["", "1r5g00-000001-0A "] {
        for fields in [
            "A=login:anna F=<a@example.com>",
            "A=login:anna smith F=<a@example.com>",
            "F=<a@example.com> A=login:anna smith",
            "X=TLS1.3:x:256 CV=no SNI=\"a \\\" b\" F=<a@example.com>",
            "X=TLS1.3:x:256 CV=no DN=\"/CN=a \\\" F=<e@example.net> b\" F=<a@example.com>",
            "U=anna smith F=<a@example.com>",
            "A=login:x A=login:ceo@example.org H=(evil) [203.0.113.66] P=esmtpa F=<a@example.com>",
            "A=login:x => y R=r T=t H=evil [203.0.113.66]: 250 2.0.0 ok F=<a@example.com>",
            "A=login:x F=<e@example.net> R=r T=t: SMTP error from remote mail server after RCPT TO:<v@example.net>: \
             host evil [203.0.113.66]: 450 4.2.2 full F=<a@example.com>",
        ] {
            exim(&format!("{id}H=c.example.com [192.0.2.9] {fields} {verdict}"), refused);
        }
    }
    // Without a verdict it is no delivery either.
    exim(
        "1r5g00-000001-0A H=c.example.com [192.0.2.9] A=login:x F=<e@example.net> R=r T=t: SMTP error from remote mail \
        server after RCPT TO:<v@example.net>: host evil [203.0.113.66]: 450 4.2.2 full",
        "Unread",
    );
    for user in ["x => y R=r T=t H=evil [203.0.113.66]: 250 2.0.0 ok", "x: 450 4.2.2 full"] {
        exim(
            &format!(
                "login authenticator failed for (h) [192.0.2.9] U={user}: 535 Incorrect authentication data (set_id={user})"
            ),
            "Inbound Rejected 535 - Auth | - | - | 192.0.2.9",
        );
    }
}

#[test]
fn reads_the_whole_login_of_a_client_of_exim() {
    for (text, login) in [
        (
            "login authenticator failed for (h) [192.0.2.9]: 535 Incorrect authentication data (set_id=a b)",
            "a b",
        ),
        (
            "login authenticator failed for (h) [192.0.2.9]: 535 Incorrect authentication data (set_id=a)b)",
            "a)b",
        ),
        (
            "login authenticator failed for (h) [192.0.2.9]: 435 Unable to authenticate at present (set_id=a b): no (x)",
            "a b",
        ),
        (
            "login authenticator failed for (h) [192.0.2.9] U=set_id=x: 535 Incorrect authentication data (set_id=a)",
            "a",
        ),
        ("H=(h) [192.0.2.9] F=<s@example.org> A=login:a b rejected RCPT <r@example.org>: no", "a b"),
        (
            "H=(h) [192.0.2.9] A=login:a@example.org F=<s@example.org> rejected RCPT <r@example.org>: no",
            "a@example.org",
        ),
    ] {
        let raw = format!("2026-11-22 03:04:05 {text}");
        let line = LogLine::read(raw.as_bytes());
        let ParsedLine::Event(event) = mta::read(&line) else { panic!("{raw}") };
        assert_eq!(mta::login(&event, &line).map(String::from_utf8_lossy).as_deref(), Some(login), "{raw}");
    }
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
