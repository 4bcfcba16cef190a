//! Checks single lines of Sendmail and OpenSMTPD, and what several of their lines say together.

use std::fs;

use serde_json::Value;

use crate::lines::reads;
use crate::support;

#[track_caller]
fn sendmail(text: &str, want: &str) {
    reads(&format!("Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: {text}"), want);
    reads(&format!("Nov 22 03:04:05 mx1 sendmail[9]: h6RDLNtg011461: {text}"), want);
}

#[test]
fn reads_sendmail_deliveries() {
    let case = |more: &str, want: &str| {
        let front = "to=<a@example.org>, delay=00:00:01, xdelay=00:00:01";
        sendmail(&format!("{front}, {more}"), want);
    };
    let relay = "mailer=esmtp, pri=1, relay=mx.example.org. [192.0.2.1]";
    let (from, at) = ("- | a@example.org", "192.0.2.1");
    case(
        &format!("{relay}, dsn=4.5.0, stat=Operating system error"),
        &format!("Outbound Deferred - - - | {from} | {at}"),
    );
    case(
        &format!("{relay}, dsn=5.6.0, stat=Data format error"),
        &format!("Outbound Bounced - - Mail | {from} | {at}"),
    );
    case(
        &format!("{relay}, dsn=4.2.0, reply=450 4.2.0 later, stat=Deferred: 450 4.2.0 later"),
        &format!("Outbound Deferred 450 4.2.0 - | {from} | {at}"),
    );
    // Sendmail's own words about a connection that ended are no reply.
    case(
        &format!("{relay}, dsn=4.4.2, reply=421 4.4.1 Connection reset by mx.example.org., stat=Deferred"),
        &format!("Outbound Deferred - - - | {from} | {at}"),
    );
    case(
        &format!("{relay}, dsn=4.4.1, stat=Deferred: mx.example.org.: No route to host"),
        &format!("Outbound Deferred - - Connect | {from} | {at}"),
    );
    case(
        "mailer=lmtp, pri=1, relay=mx.example.org. [192.0.2.1], dsn=5.2.2, reply=552 5.2.2 full, stat=Service unavailable (full)",
        &format!("Outbound Bounced 552 5.2.2 - | {from} | {at}"),
    );
    case(
        "mailer=relay, pri=1, relay=relay.example.org, dsn=5.1.2, stat=Host unknown (Name server: relay.example.org: host not found)",
        "Outbound Bounced - - Connect | - | a@example.org | relay.example.org",
    );
    case("mailer=local, pri=1, dsn=5.1.1, stat=User unknown", "Local Bounced - - - | - | a@example.org | -");
    case("mailer=*error*, pri=1, dsn=4.3.2, stat=queued", "Local Deferred - - - | - | a@example.org | -");
    case(
        &format!("{}, dsn=2.0.0, stat=Sent (ok)", relay.replace("192.0.2.1", "IPv6:2001:db8::1")),
        "Outbound Delivered - - - | - | a@example.org | 2001:db8::1",
    );
}

#[test]
fn takes_the_list_of_a_refused_message_for_no_delivery() {
    for stat in ["Blocked by a filter", "rset", "aborted by sender"] {
        sendmail(&format!("to=<a@example.org>, delay=00:00:01, pri=1, stat={stat}"), "Routine");
    }
    sendmail("to=<a@example.org>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued", "Routine");
    sendmail(
        "to=<a@example.org>, delay=00:00:00, mailer=esmtp, pri=1, quarantine=x, stat=quarantined",
        "Fact Held",
    );
    sendmail(
        "to=<a@example.org>, delay=00:00:00, pri=1, stat=discarded",
        "Local Discarded - - - | - | a@example.org | -",
    );
    // What a server says in its reply is no result.
    sendmail(
        "to=<a@example.org>, delay=00:00:00, mailer=esmtp, pri=1, relay=mx. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 x, stat=Sent, stat=User unknown",
        "Outbound Bounced 550 5.1.1 - | - | a@example.org | 192.0.2.1",
    );
}

#[test]
fn reads_sendmail_refusals() {
    let case = |text: &str, want: &str| sendmail(text, &format!("Inbound {want}"));
    case(
        "Milter: to=<b@example.com>, reject=451 4.7.1 later",
        "Rejected 451 4.7.1 Rcpt | - | b@example.com | -",
    );
    case(
        "Milter: from=<a@example.org>, reject=421, errormode=4",
        "Rejected 421 - Mail | a@example.org | - | -",
    );
    case("Milter: helo=x, reject=Command rejected", "Rejected - - Ehlo | - | - | -");
    case("Milter: data, discard", "Discarded - - EndOfData | - | - | -");
    case(
        "Milter: connect: host=mx.example.org, addr=192.0.2.7, rejecting commands",
        "Rejected - - Connect | - | - | 192.0.2.7",
    );
    case(
        "Milter: connect: host=mx.example.org, addr=192.0.2.7, temp failing commands=451 4.7.1 no",
        "Rejected 451 4.7.1 Connect | - | - | 192.0.2.7",
    );
    case("milter=scan, quarantine=held for review", "Held - - EndOfData | - | - | -");
    case(
        "ruleset=check_rcpt, arg1=<a@example.org>, relay=mx [192.0.2.7], discard",
        "Discarded - - Rcpt | - | a@example.org | 192.0.2.7",
    );
    case(
        "rejecting commands from mx.example.org [192.0.2.7] due to pre-greeting traffic after 0 seconds",
        "Rejected - - Connect | - | - | 192.0.2.7",
    );
    case(
        "AUTH failure (LOGIN): authentication failure (-13) SASL(-13): x, user=anna, relay=mx [192.0.2.7] (may be forged)",
        "Rejected - - Auth | - | - | 192.0.2.7",
    );
    case("<a@example.org>... No such user here", "Rejected - - Rcpt | - | a@example.org | -");
    case("Too many recipients", "Rejected - - Rcpt | - | - | -");
    case("message size (4096) exceeds maximum (1024)", "Rejected - - EndOfData | - | - | -");
    case(
        "low on space (mx.example.org needs 1 bytes + 100 blocks in /var/spool/mqueue), max avail: 0",
        "Rejected - - - | - | - | mx.example.org",
    );
    case(
        "SMTP MAIL command (<a@example.org>) from mx.example.org [192.0.2.7] tempfailed (due to previous checks)",
        "Rejected - - Mail | a@example.org | - | 192.0.2.7",
    );
    case(
        "mx.example.org [192.0.2.7]: SMTP violation, input too long: 9999",
        "Rejected - - - | - | - | 192.0.2.7",
    );
    case(
        "collect: relay=mx.example.org, from=<a@example.org>, info=Bare linefeed (LF) not allowed, where=header, status=tempfail",
        "Rejected - - EndOfData | a@example.org | - | mx.example.org",
    );
    case(
        "SYSERR(root): Too many hops 26 (25 max): from <a@example.org> via mx.example.org, to <b@example.com>",
        "Rejected - - EndOfData | - | b@example.com | mx.example.org",
    );
    reads(
        "Nov 22 03:04:05 mx1 sm-mta[9]: NOQUEUE: tcpwrappers (mx.example.org, 192.0.2.7) rejection",
        "Inbound Rejected - - Connect | - | - | 192.0.2.7",
    );
}

#[test]
fn reads_what_becomes_of_a_message_of_sendmail() {
    let given_up = "Outbound Expired - - - | - | - | -";
    sendmail("h6RDLNtg011462: sender notify: Cannot send message for 5 days", given_up);
    sendmail("h6RDLNtg011462: postmaster notify: Cannot send message for 5 days", given_up);
    sendmail(
        "h6RDLNtg011462: sender notify: Warning: could not send message for past 4 hours",
        "Fact Notice",
    );
    sendmail("h6RDLNtg011462: DSN: User unknown", "Fact Notice");
    sendmail("h6RDLNtg011462: DSN: b@example.com... has left", "Local Bounced - - - | - | b@example.com | -");
    sendmail("discarded", "Fact Deleted");
    sendmail("quarantine=held for review", "Fact Held");
}

#[test]
fn a_line_of_sendmail_is_routine_only_if_its_shape_is_known() {
    for text in [
        "STARTTLS=server, relay=mx [192.0.2.1], version=TLSv1.3, verify=NO, cipher=x, bits=256/256",
        "mx.example.org [192.0.2.7]: EXPN root [rejected]",
        "mx.example.org [192.0.2.7]: possible SMTP attack: command=AUTH, count=5",
        "mx.example.org [192.0.2.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
        "lost input channel from mx.example.org [192.0.2.7] to MTA after rcpt",
        "Milter (scan): error connecting to filter: Connection refused",
        "collect: premature EOM: unexpected close",
        "SYSERR(root): collect: I/O error on connection from mx.example.org",
        "b@example.com... User unknown",
        "h6RDLNtg011462: clone: owner=owner-list",
    ] {
        sendmail(text, "Routine");
    }
    for text in ["refused=550 no", "RCPT: 550 no", "to=<a@example.org>"] {
        sendmail(text, "Unread");
    }
    reads("Nov 22 03:04:05 mx1 sm-notify[9]: Version 2.6.2 starting", "Foreign");
}

#[track_caller]
fn opensmtpd(text: &str, want: &str) {
    reads(&format!("Nov 22 03:04:05 mx1 smtpd[9]: {text}"), want);
}

const SESSION: &str = "8f4864084ecc48f4";

#[test]
fn reads_the_deliveries_of_every_opensmtpd() {
    let (evpid, parts) = ("7077717e797a776e", "from=<a@example.org> to=<b@example.com> rcpt=<->");
    let commas = parts.replace("> ", ">, ");
    for text in [
        format!(
            r#"{SESSION} mta delivery evpid={evpid} {parts} source="192.0.2.9" relay="192.0.2.1 (mx.example.com)" delay=1s result="TempFail" stat="450 4.2.0 later""#
        ),
        format!(
            r#"{SESSION} mta event=delivery evpid={evpid} {parts} source="192.0.2.9" relay="192.0.2.1 (mx.example.com)" delay=1s result="TempFail" stat="450 4.2.0 later""#
        ),
        format!(
            "relay: TempFail for {evpid}: session={SESSION}, {commas}, source=192.0.2.9, relay=192.0.2.1 (mx.example.com), delay=1s, stat=450 4.2.0 later"
        ),
        format!(
            "smtp-out: session {SESSION}: evpid={evpid}, status=TempFail, {commas}, source=192.0.2.9, relay=192.0.2.1 (mx.example.com), delay=1s, stat=450 4.2.0 later"
        ),
    ] {
        opensmtpd(&text, "Outbound Deferred 450 4.2.0 - | a@example.org | b@example.com | 192.0.2.1");
    }
    let queue = |word: &str| format!("relay: {word} for {evpid}: {commas}, delay=4d, stat=x");
    opensmtpd(&queue("Expire"), "Outbound Expired - - - | a@example.org | b@example.com | -");
    opensmtpd(&queue("Remove"), "Fact Deleted");
    opensmtpd(&queue("Invent"), "Unread");
    opensmtpd(
        &format!(
            "delivery: PermFail for {evpid}: from=<>, to=<b@example.com>, user=b, method=mbox, delay=1s, stat=Error (x)"
        ),
        "Local Bounced - - - |  | b@example.com | -",
    );
    let stat = r#"stat="BANNER rejected: 554 5.7.1 no""#;
    opensmtpd(
        &format!(
            r#"{SESSION} mta delivery evpid={evpid} {parts} source="-" relay="192.0.2.1 (mx)" delay=1s result="TempFail" {stat}"#
        ),
        "Outbound Deferred 554 5.7.1 Connect | a@example.org | b@example.com | 192.0.2.1",
    );
    opensmtpd(
        &format!("{SESSION} mta error reason=AUTH rejected: 535 5.7.8 no"),
        "Outbound Attempt 535 5.7.8 Auth | - | - | -",
    );
    opensmtpd(
        "warn: PermFail injecting failure report on message 7077717e to <a@example.org> for 1 envelope: 550 no",
        "Local Bounced - - - |  | a@example.org | -",
    );
}

#[test]
fn reads_the_refusals_of_every_opensmtpd() {
    let to = "Inbound Rejected 550 - Rcpt | - | b@example.com | ";
    let command = r#""RCPT TO:<b@example.com>""#;
    opensmtpd(
        &format!(r#"{SESSION} smtp failed-command command={command} result="550 no""#),
        &format!("{to}-"),
    );
    opensmtpd(
        &format!(
            r#"{SESSION} smtp event=failed-command address=192.0.2.7 host=mx command={command} result="550 a "b" c""#
        ),
        &format!("{to}192.0.2.7"),
    );
    opensmtpd(
        &format!("smtp-in: Failed command on session {SESSION}: {command} => 550 no"),
        &format!("{to}-"),
    );
    opensmtpd(
        &format!("smtp-in: session {SESSION}: received invalid command: {command}"),
        "Inbound Rejected - - Rcpt | - | b@example.com | -",
    );
    let line = "Inbound Rejected 500 5.5.1 - | - | - | ";
    opensmtpd(&format!(r#"{SESSION} smtp bad-input result="500 5.5.1 no""#), &format!("{line}-"));
    opensmtpd(&format!("smtp-in: Bad input on session {SESSION}: 500 5.5.1 no"), &format!("{line}-"));
    opensmtpd(
        &format!("smtp-in: session {SESSION}: received invalid input: 500 5.5.1 no"),
        &format!("{line}-"),
    );
    opensmtpd(
        &format!("smtp-in: session {SESSION}: connection from host mx [192.0.2.7] closed (filter rejection)"),
        "Inbound Rejected - - Connect | - | - | 192.0.2.7",
    );
}

#[test]
fn a_line_of_opensmtpd_is_routine_only_if_its_shape_is_known() {
    for text in [
        "smtp connected address=192.0.2.1 host=mx",
        "smtp authentication user=anna result=permfail",
        "mta connected",
    ] {
        opensmtpd(&format!("{SESSION} {text}"), "Routine");
    }
    opensmtpd(&format!("smtp-in: Closing session {SESSION}"), "Routine");
    for text in ["smtp refused-command command=x", "mta lost", "smtpd refused 550"] {
        opensmtpd(&format!("{SESSION} {text}"), "Unread");
    }
    opensmtpd("550 no", "Unread");
}

/// The events of these lines, each as its line and the fields.
fn events_of(lines: &[&str], fields: &[&str]) -> Vec<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, lines.join("\n") + "\n").unwrap();
    let events = support::events(&log);
    events.iter().map(|event| fields.iter().map(|field| event[field].clone()).collect()).collect()
}

const CAME: &str = "Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: from=<a@example.org>, size=550, class=0, nrcpts=3, msgid=<1@example.org>, proto=ESMTP, daemon=MTA, relay=mx.example.org [192.0.2.1]";
const BUSY: &str = "Nov 22 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: to=<b@example.com>,<c@example.com>,<d@example.com>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.com. [192.0.2.9], dsn=4.0.0, stat=Deferred: Connection refused by mx.example.com.";

#[test]
fn a_line_that_names_three_recipients_is_three_events() {
    let found = events_of(&[CAME, BUSY], &["line", "recipient", "sender", "attempt_no"]);
    let event = |to: &str| [Value::from(2), to.into(), "a@example.org".into(), 1.into()].to_vec();
    assert_eq!(found, ["b@example.com", "c@example.com", "d@example.com"].map(event));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, [CAME, BUSY].join("\n")).unwrap();
    let log = log.to_str().unwrap();
    for by in [&[][..], &["--by", "sender"]] {
        let report = support::report(&[by, &[log]].concat());
        assert_eq!(report["rows"][0]["attempts"], 3, "{by:?}");
        assert_eq!(report["rows"][0]["recipients"], 3, "{by:?}");
        assert_eq!(report["totals"]["messages"]["deferred"], 1, "{by:?}");
        assert_eq!(report["input"]["understood"], 2, "{by:?}");
    }
    for address in ["b@example.com", "d@example.com"] {
        let (trace, status) = support::answer(&["trace", address, log]);
        assert_eq!(status, 0, "{trace}");
        assert!(trace.contains("c@example.com") && trace.contains(address), "{trace}");
        let filtered = support::report(&["--to", address, log]);
        assert_eq!(filtered["rows"][0]["attempts"], 1);
        assert_eq!(filtered["rows"][0]["recipients"], 1);
    }
}

#[test]
fn a_message_that_is_given_up_is_not_in_the_queue() {
    let expired = "Nov 27 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: h6RDLOtg011462: sender notify: Cannot send message for 5 days";
    let notice = "Nov 27 03:04:06 mx1 sm-mta[10]: h6RDLOtg011462: to=<a@example.org>, delay=00:00:00, mailer=local, pri=3, dsn=2.0.0, stat=Sent";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, [CAME, BUSY, expired, notice].join("\n")).unwrap();
    let log = log.to_str().unwrap();
    for by in [&[][..], &["--by", "sender"]] {
        let messages = support::report(&[by, &[log]].concat())["totals"]["messages"].clone();
        let counts =
            ["expired", "delivered", "notices", "deferred", "waiting"].map(|name| messages[name].as_u64());
        assert_eq!(counts, [1, 1, 1, 0, 0].map(Some), "{by:?} {messages}");
    }
    let (trace, _) = support::answer(&["trace", "h6RDLNtg011461", log]);
    assert!(trace.contains("expired") && trace.contains("h6RDLOtg011462"), "{trace}");
}

#[test]
fn a_refusal_has_the_client_of_its_session() {
    let session = |id: &str, text: &str| format!("Nov 22 03:04:05 mx1 smtpd[9]: {id} {text}");
    let (one, two) = (SESSION, "8f4864084ecc48f5");
    let lines = [
        session(one, "smtp connected address=192.0.2.66 host=bot.example.net"),
        session(two, "smtp connected address=[2001:db8::66] host=<unknown>"),
        session(one, r#"smtp failed-command command="AUTH PLAIN (...)" result="535 no""#),
        session(two, r#"smtp bad-input result="500 5.5.1 no""#),
        session("8f4864084ecc48f6", r#"smtp failed-command command="AUTH PLAIN (...)" result="535 no""#),
        session("8f4864084ecc48f7", "mta connecting address=smtp+tls://192.0.2.9:25 host=mx.example.com"),
        session("8f4864084ecc48f7", "mta error reason=IO Error: Connection refused"),
        format!(
            "Nov 22 03:04:05 mx1 smtpd[9]: smtp-in: New session {one} from host old.example.net [192.0.2.67]"
        ),
        format!("Nov 22 03:04:05 mx1 smtpd[9]: smtp-in: Bad input on session {one}: 500 5.5.1 no"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = events_of(&lines, &["line", "peer_ip", "peer_host", "outcome"]);
    let event = |line: u64, ip: Value, host: Value, outcome: &str| {
        vec![Value::from(line), ip, host, Value::from(outcome)]
    };
    assert_eq!(
        found,
        [
            event(3, "192.0.2.66".into(), "bot.example.net".into(), "rejected"),
            event(4, "2001:db8::66".into(), Value::Null, "rejected"),
            event(5, Value::Null, Value::Null, "rejected"),
            event(7, "192.0.2.9".into(), "mx.example.com".into(), "attempt"),
            event(9, "192.0.2.67".into(), "old.example.net".into(), "rejected"),
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, lines.join("\n")).unwrap();
    let grouped = support::report(&["--by", "client", log.to_str().unwrap()]);
    assert!(grouped["groups"].to_string().contains("192.0.2.66"), "{grouped}");
}

#[test]
fn a_session_that_began_too_long_ago_has_no_client() {
    let first = format!("Nov 22 03:04:05 mx1 smtpd[9]: {SESSION} smtp connected address=192.0.2.66 host=mx");
    let other = "Nov 22 03:04:05 mx1 smtpd[9]: smtp-in: Closing session 8f4864084ecc48f9";
    let last = format!(r#"Nov 22 03:04:05 mx1 smtpd[9]: {SESSION} smtp bad-input result="500 no""#);
    for (between, wanted) in [(100, Value::from("192.0.2.66")), (1000, Value::Null)] {
        let mut lines = vec![first.as_str()];
        lines.extend(std::iter::repeat_n(other, between));
        lines.push(&last);
        assert_eq!(events_of(&lines, &["peer_ip"]), [[wanted]]);
    }
}

#[test]
fn records_of_kumomta_are_followed_without_a_file_name_extension() {
    let record = |kind: &str, time: u64, response: &str| {
        format!(
            r#"{{"type":"{kind}","id":"1d98076abbbc11ed940250ebf67f93bd","sender":"a@example.org","recipient":"b@example.com","queue":"example.com","site":"","size":9,"response":{response},"peer_address":{{"name":"mx.example.com","addr":"192.0.2.1:25"}},"timestamp":{time},"created":{time},"num_attempts":0,"bounce_classification":"Uncategorized","egress_pool":null,"feedback_report":null,"meta":{{}},"headers":{{}},"nodeid":"557f3ad4-2c8c-11ee-976e-782d7e12e173"}}"#
        )
    };
    let lines = [
        record(
            "Reception",
            1_795_316_645,
            r#"{"code":250,"enhanced_code":null,"content":"OK","command":null}"#,
        ),
        record(
            "TransientFailure",
            1_795_316_646,
            r#"{"code":450,"enhanced_code":null,"content":"later","command":"RCPT TO:<b@example.com>"}"#,
        ),
        record(
            "Bounce",
            1_795_316_706,
            r#"{"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"no such user","command":"RCPT TO:<b@example.com>"}"#,
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    // As kumod names a segment.
    let log = folder.path().join("20261122-030405.123456789");
    fs::write(&log, lines.join("\n") + "\n").unwrap();
    let report = support::report(&[log.to_str().unwrap()]);
    assert_eq!(report["totals"]["messages"]["bounced"], 1, "{report}");
    assert_eq!(report["totals"]["messages"]["received"], 1);
    assert_eq!(report["input"]["not_understood"], 0);
    let events = support::events(&log);
    assert_eq!(events[1]["reason"], "user-unknown");
    assert_eq!(events[1]["attempt_no"], 2);
    assert_eq!(events[0]["time"], "2026-11-22T03:04:06+00:00");
    assert_eq!(events[0]["host"], "557f3ad4-2c8c-11ee-976e-782d7e12e173");
    // The same inside a container's object.
    let docker: Vec<String> =
        lines.iter().map(|line| serde_json::json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026-11-22T03:04:06Z"}).to_string()).collect();
    fs::write(&log, docker.join("\n")).unwrap();
    assert_eq!(support::events(&log).len(), 2);
}
