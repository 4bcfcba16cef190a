//! Checks kinds of replies: nouns and states, the object of a block, stages, other languages, and what never removes an
//! address.

use smtplog::internals::catalog::classify::{Classifier, Reason, Retry};
use smtplog::internals::catalog::{Catalog, Fate, Situation, advise};
use smtplog::internals::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use smtplog::internals::smtp::reply::Reply;
use smtplog::{Cause, Side};

/// A reply to a command, and the reason that it must have.
type Case = (Option<Stage>, &'static str, Reason);

fn event(text: &str, stage: Option<Stage>) -> Event<'_> {
    let reply = Reply::read(text.as_bytes());
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage,
        text: text.as_bytes(),
        ..Event::new(Mta::Postfix, Direction::Outbound, Outcome::Bounced)
    }
}

#[track_caller]
fn check(cases: &[Case]) {
    let catalog = Catalog::built_in();
    let mut classifier = Classifier::new(&catalog);
    let mut faults = Vec::new();
    for (stage, text, wanted) in cases {
        let known = classifier.classify(&event(text, *stage)).expect("a failure");
        if known.reason != *wanted {
            let rule = known.rule.and_then(|rule| catalog.rules.rule(rule)).map_or("", |rule| &rule.id);
            faults.push(format!("{text}: {:?} by {rule}, not {wanted:?}", known.reason));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_words_about_a_login_are_about_the_login() {
    let auth = Some(Stage::Auth);
    check(&[
        (auth, "535 5.7.8 Sorry, wrong user or password", Reason::SmtpAuth),
        (auth, "501 5.5.2 That is no base64", Reason::SmtpAuth),
        (auth, "454 Try again in a moment", Reason::SmtpAuth),
        (None, "535 5.7.8 This user is unknown here", Reason::SmtpAuth),
        (auth, "530 5.7.0 Use STARTTLS before you log in", Reason::TlsFailure),
        (None, "530 5.7.57 Client not authenticated to send mail", Reason::SmtpAuth),
    ]);
}

#[test]
fn a_policy_of_the_senders_domain_is_told_from_one_of_the_receiver() {
    let data = Some(Stage::EndOfData);
    let refused = "Message not accepted for policy reasons. See https://";
    let of = |start: &str, page: &str| -> &'static str { format!("{start} {refused}{page}").leak() };
    check(&[
        (data, of("554 5.7.9", "postmaster.yahooinc.com/error-codes"), Reason::SenderAuthFailed),
        (data, of("554 5.7.9", "senders.yahooinc.com/smtp-error-codes"), Reason::SenderAuthFailed),
        (data, of("554 5.7.9", "postmaster.yahoo.com/errors/postmaster-28.html"), Reason::SenderAuthFailed),
        (data, of("421 4.7.9", "postmaster.yahooinc.com/error-codes"), Reason::SenderAuthFailed),
        (data, of("554", "help.yahoo.com/kb/postmaster/SLN7253.html"), Reason::SenderAuthFailed),
        (data, "554 5.7.5 (AU01) Message not accepted", Reason::SenderAuthFailed),
        (
            data,
            "550 5.7.0 Could not be delivered due to domain owner policy restrictions.",
            Reason::SenderAuthFailed,
        ),
        (data, "550 5.7.1 Could not be delivered due to policy restrictions.", Reason::PolicyBlocked),
        (data, of("554 5.7.1", "postmaster.example.org/"), Reason::PolicyBlocked),
        (data, "554 5.7.9 Message not accepted for policy reasons. [PH01]", Reason::PolicyBlocked),
        (
            data,
            "554 Message not allowed - [PH01] Email not accepted for policy reasons.",
            Reason::PolicyBlocked,
        ),
        (data, "521 5.2.1 : AOL will not accept delivery of this message.", Reason::PolicyBlocked),
        (None, "534 5.7.9 Application-specific password required.", Reason::SmtpAuth),
        (
            data,
            "554 5.7.9 [TSS09] All messages from 192.0.2.7 will be permanently deferred",
            Reason::BadReputation,
        ),
    ]);
}

#[test]
fn a_full_disk_is_no_full_mailbox_whatever_the_number_says() {
    let data = Some(Stage::EndOfData);
    check(&[
        (data, "552 5.2.2 <a@example.org> Not enough disk space", Reason::SystemFull),
        (data, "452 4.2.2 <user@example.org> Not enough disk space", Reason::SystemFull),
        (data, "552 5.2.2 No space left on device", Reason::SystemFull),
        (data, "452 4.2.2 Out of disk space", Reason::SystemFull),
        (data, "452 4.3.1 <a@example.org> Not enough disk space", Reason::SystemFull),
        (data, "552 5.2.2 <a@example.org> Not enough disk quota", Reason::MailboxFull),
        (data, "552 5.2.2 <a@example.org> Quota exceeded (mailbox for user is full)", Reason::MailboxFull),
        (data, "452 4.2.2 Over quota SESSIONID=<mx1>", Reason::MailboxFull),
        (data, "552 5.2.2 Disk quota exceeded", Reason::MailboxFull),
        (data, "552 5.2.2 The mailbox has not enough disk space", Reason::MailboxFull),
        (data, "552 5.2.2 The user has used up his disk space", Reason::MailboxFull),
        (data, "552 5.2.2 Requested mail action aborted: exceeded storage allocation", Reason::MailboxFull),
    ]);
}

#[test]
fn a_verdict_on_spam_stands_though_the_service_calls_itself_unavailable() {
    check(&[
        (
            None,
            "550 5.7.1 Service unavailable, message identified as spam by content filter. AS(7)",
            Reason::SpamContent,
        ),
        (None, "554 5.7.1 Message considered spam; content filter unavailable", Reason::SpamContent),
        (None, "550 5.7.1 Mail service unavailable: your message was flagged as spam", Reason::SpamContent),
        (None, "550 5.7.1 Service unavailable, content filter not available", Reason::SystemError),
        (
            None,
            "451 4.7.1 Service unavailable, the message could not be checked for spam",
            Reason::SystemError,
        ),
        (None, "451 4.7.1 Spam filter temporarily unavailable", Reason::SystemError),
        (None, "550 5.7.1 Rejected as spam by IP reputation", Reason::BadReputation),
    ]);
}

#[test]
fn an_address_with_a_syntax_error_is_no_unknown_address() {
    let rcpt = Some(Stage::Rcpt);
    check(&[
        (rcpt, "501 5.1.3 This recipient address is invalid", Reason::AddressSyntax),
        (rcpt, "501 Malformed recipient <a@b@example.org>", Reason::AddressSyntax),
        (rcpt, "553 5.1.2 The local part must not begin with a dot", Reason::AddressSyntax),
        (rcpt, "550 5.1.2 You must specify a domain", Reason::AddressSyntax),
        (rcpt, "550 5.1.1 The address <a@example.org> does not exist", Reason::UserUnknown),
    ]);
}

#[test]
fn a_name_that_a_stranger_chose_decides_nothing() {
    let catalog = Catalog::built_in();
    let mut classifier = Classifier::new(&catalog);
    let texts = [
        "Host or domain name not found. Name service error for name=NAME type=A: Host not found",
        "Host or domain name not found. Name service error for name=NAME type=MX: Host not found, try again",
        "connect to NAME[192.0.2.1]:25: Connection timed out",
        "lost connection with NAME[192.0.2.1] while sending message body",
        "mail for NAME loops back to myself",
        "TLS is required, but was not offered by host NAME[192.0.2.1]",
        "Domain NAME does not accept mail (nullMX)",
        "retry time not reached for any host for 'NAME'",
        "Remote host closed connection in response to EHLO NAME",
    ];
    let names =
        ["a.con", "spam.example.com", "greylist.example.com", "relay-denied.example.com", "spf-fail.com"];
    for text in texts {
        let mut reason = |name| {
            let text = text.replace("NAME", name);
            classifier.classify(&event(&text, None)).map(|known| known.reason)
        };
        let wanted = reason("mx.example.org");
        assert!(names.iter().all(|name| reason(name) == wanted), "{text}: not always {wanted:?}");
    }
}

#[test]
fn what_is_blocked_decides() {
    check(&[
        (None, "550 The file extension .js is blacklisted", Reason::UnsafeContent),
        (None, "550 Blocked by an expression in the body of your message", Reason::SpamContent),
        (None, "550 The user <a@example.org> is not listed in the directory", Reason::UserUnknown),
        (None, "550 Mailbox blocked after long inactivity", Reason::MailboxDisabled),
        (None, "550 Your IP 192.0.2.7 is on a blocklist", Reason::Blocklisted),
        (None, "550 Sender blacklisted", Reason::SenderRejected),
        (None, "550 5.7.1 Blocked by the personal filter of the recipient", Reason::RecipientRestricted),
    ]);
}

#[test]
fn dns_and_scanners_that_fail_are_no_fault_of_the_mail() {
    check(&[
        (None, "451 4.4.0 The DNS lookup failed for now", Reason::DnsFailure),
        (None, "451 4.4.4 MX lookup error", Reason::DnsFailure),
        (None, "451 4.5.0 All virus scanners failed: clamd is not running", Reason::SystemError),
        (None, "450 The spam scanner timed out", Reason::SystemError),
        (None, "554 5.7.0 A virus was found in the attachment", Reason::UnsafeContent),
    ]);
}

#[test]
fn tls_words_are_known() {
    check(&[
        (None, "454 4.7.0 The DANE check failed", Reason::TlsFailure),
        (None, "450 4.7.0 MTA-STS lookup failed, try later", Reason::TlsFailure),
        (Some(Stage::Mail), "530 5.7.0 Refused for lack of security, no TLS", Reason::TlsFailure),
        (None, "550 Cannot establish a TLS session", Reason::TlsFailure),
    ]);
}

#[test]
fn what_answers_the_greeting_is_about_our_host() {
    let ehlo = Some(Stage::Ehlo);
    check(&[
        (ehlo, "550 [192.0.2.7] is no FQDN", Reason::ClientIdentity),
        (ehlo, "501 The name localhost is refused here", Reason::ClientIdentity),
        (ehlo, "550 5.7.1 Your address is listed at zen.spamhaus.org", Reason::Blocklisted),
        (ehlo, "502 5.5.1 Command not implemented", Reason::ProtocolError),
    ]);
}

#[test]
fn a_recipient_may_choose_its_senders() {
    check(&[
        (None, "550 5.7.1 Only members of this list may post", Reason::RecipientRestricted),
        (None, "554 5.7.1 The sender was not pre-approved", Reason::RecipientRestricted),
        (None, "550 You do not have permission to post to this group", Reason::RecipientRestricted),
        (None, "550 Relaying is only for members", Reason::RelayDenied),
    ]);
}

#[test]
fn other_languages_say_the_same() {
    check(&[
        (None, "550 Questo destinatario \u{e8} sconosciuto", Reason::UserUnknown),
        (None, "550 La casilla risulta sospesa", Reason::MailboxDisabled),
        (None, "552 El buz\u{f3}n est\u{e1} lleno", Reason::MailboxFull),
        (None, "550 El usuario no existe en este servidor", Reason::UserUnknown),
        (None, "550 Takie konto nie istnieje", Reason::UserUnknown),
        (None, "550 Konto zosta\u{142}o zablokowane", Reason::MailboxDisabled),
        (None, "550 Dieser Empf\u{e4}nger ist unbekannt", Reason::UserUnknown),
        (None, "550 \u{7528}\u{6237}\u{4e0d}\u{5b58}\u{5728}", Reason::UserUnknown),
    ]);
}

#[test]
fn counts_and_sizes_are_told_apart() {
    check(&[
        (None, "421 Maximum number of messages for this connection reached", Reason::RateLimited),
        (None, "552 The message is bigger than 10240 KB", Reason::MessageTooLarge),
        (None, "452 4.5.3 Only one recipient at a time", Reason::TooManyRecipients),
        (None, "503 5.5.3 Message rejected", Reason::PolicyBlocked),
        (
            None,
            "550 This bounce has more than one recipient: bounces have one recipient",
            Reason::ProtocolError,
        ),
    ]);
}

/// What a queue does with a permanent failure of this text.
fn retry(text: &str, stage: Stage) -> Option<Retry> {
    let catalog = Catalog::built_in();
    Classifier::new(&catalog).classify(&event(text, Some(stage))).expect("a failure").retry
}

#[test]
fn an_answer_without_a_clue_never_removes_an_address() {
    for text in ["550 Sorry, a@example.org", "550 Not today", "553 We beg your pardon"] {
        assert_eq!(retry(text, Stage::Rcpt), Some(Retry::Ask), "{text}");
    }
}

#[test]
fn a_missing_recipient_is_removed_by_the_table_of_reasons() {
    assert_eq!(retry("550 5.1.1 User unknown", Stage::Rcpt), None);
    assert_eq!(retry("550 5.1.1 User unknown", Stage::Mail), Some(Retry::Ask));
    assert_eq!(
        retry("550 5.4.1 Recipient address rejected: Access denied", Stage::Rcpt),
        Some(Retry::Suppress)
    );
}

#[test]
fn each_list_of_microsoft_has_its_own_form() {
    let catalog = Catalog::built_in();
    let mut classifier = Classifier::new(&catalog);
    let mut line = |text: &str| {
        let known = classifier.classify(&event(text, Some(Stage::Mail))).expect("a failure");
        let situation = Situation {
            reason: known.reason,
            cause: known.cause,
            direction: Direction::Outbound,
            side: Side::Internet,
            fate: Fate::Returned,
            provider: Some("microsoft"),
        };
        advise(&situation, Some(Mta::Exim)).expect("advice").line
    };
    for mark in ["(S3140)", "(S3150)"] {
        let advice = line(&format!(
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider \
            since part of their network is on our block list {mark}."
        ));
        assert!(advice.contains("LinkID=614866") && !advice.contains("office.com"), "{advice}");
    }
    let advice = line("550 5.7.606 Access denied, banned sending IP [192.0.2.1].");
    assert!(advice.contains("sender.office.com"), "{advice}");
    let advice = line(
        "550 5.7.511 Access denied, banned sender[192.0.2.1]. To request removal from this list please forward this message to \
        delist@microsoft.com.",
    );
    assert!(advice.contains("the reply") && !advice.contains("office.com"), "{advice}");
}

/// A disk that is full while a message arrives is that of the queue, one that is full at a mailbox that of the mailboxes; a
/// socket that is missing is no missing command.
#[test]
fn the_place_of_a_fault_of_this_server_is_told() {
    let catalog = Catalog::built_in();
    let mut classifier = Classifier::new(&catalog);
    let mut cause = |direction, text: &str| {
        let event = Event { text: text.as_bytes(), ..Event::new(Mta::Exim, direction, Outcome::Deferred) };
        classifier.classify(&event).expect("a failure").cause
    };
    for text in [
        "Message abandoned: Spool write error (No space left on device) while receiving message from mx [192.0.2.1]",
        "spool file write error while receiving from mx [192.0.2.1]: No space left on device",
        "Spool write error: No space left on device",
        "Message abandoned: Spool write error (Disk quota exceeded) while receiving message from mx [192.0.2.1]",
    ] {
        assert_eq!(cause(Direction::Inbound, text), Some(Cause::QueueDiskFull), "{text}");
    }
    let text = "No space left on device: error while writing to /var/spool/mail/anna";
    assert_eq!(cause(Direction::Local, text), Some(Cause::MailboxDiskFull));
    let store = "452 4.3.1 <anna@example.org> Not enough disk space";
    let event = Event { direction: Direction::Local, ..event(store, Some(Stage::EndOfData)) };
    assert_eq!(classifier.classify(&event).and_then(|known| known.cause), Some(Cause::MailboxDiskFull));
    let mut cause = |direction, text: &str| {
        let event = Event { text: text.as_bytes(), ..Event::new(Mta::Exim, direction, Outcome::Deferred) };
        classifier.classify(&event).expect("a failure").cause
    };
    let alert = "TLS session: (SSL_connect): error:0A000415:SSL routines::ssl/tls alert certificate expired";
    assert_eq!(cause(Direction::Outbound, alert), Some(Cause::OwnCertificateExpired));
    let theirs = "TLS session: (certificate verify failed): certificate has expired";
    assert_eq!(cause(Direction::Outbound, theirs), Some(Cause::TlsExpired));
    let socket = "Failed to connect to socket /run/dovecot/lmtp for to_backend transport";
    for (errno, wanted) in [
        ("No such file or directory", Cause::SocketMissing),
        ("Permission denied", Cause::SocketMissing),
        ("Connection refused", Cause::ConnectionRefused),
    ] {
        assert_eq!(cause(Direction::Local, &format!("{socket}: {errno}")), Some(wanted), "{errno}");
    }
}

/// The cause of a text that this server wrote itself.
fn cause(mta: Mta, text: &str) -> (Reason, Option<Cause>) {
    let catalog = Catalog::built_in();
    let event = Event { mta, outcome: Outcome::Deferred, ..event(text, None) };
    let known = Classifier::new(&catalog).classify(&event).expect("a failure");
    (known.reason, known.cause)
}

/// Exim transports/smtp.c; OpenSMTPD mta.c and mta_session.c.
#[test]
fn an_own_text_about_tls_or_a_site_says_no_more_than_it_means() {
    let tls = Reason::TlsFailure;
    for (text, wanted) in [
        ("a TLS session is required, but an attempt to start TLS failed", None),
        ("a TLS session is required, but the server did not offer TLS support", Some(Cause::TlsNotOffered)),
        ("403 4.7.0 TLS handshake failed.", Some(Cause::TlsHandshake)),
        (
            "TLS session: (SSL_connect): error:0A000102:SSL routines::unsupported protocol",
            Some(Cause::TlsVersion),
        ),
    ] {
        assert_eq!(cause(Mta::Exim, text), (tls, wanted), "{text}");
    }
    let site = "Network error on destination MXs";
    let wanted = (Reason::ConnectionFailed, Some(Cause::EveryServerFailed));
    assert_eq!(cause(Mta::Opensmtpd, site), wanted);
    assert_eq!(cause(Mta::Opensmtpd, "Temporary failure in MX lookup").0, Reason::DnsFailure);
    let quoted = "550 5.7.1 no C=\"250 OK\" stat=Sent";
    assert_eq!(cause(Mta::Opensmtpd, quoted).0, Reason::PolicyBlocked);
    assert_eq!(cause(Mta::Sendmail, quoted).0, Reason::PolicyBlocked);
}

/// Whoever follows an advice about TLS does not lower it for a text that does not say what failed.
#[test]
fn no_advice_switches_tls_off_for_a_fault_that_is_not_known() {
    for cause in [None, Some(Cause::TlsHandshake)] {
        for mta in [Mta::Postfix, Mta::Exim, Mta::Sendmail, Mta::Opensmtpd] {
            let situation = Situation {
                reason: Reason::TlsFailure,
                cause,
                direction: Direction::Outbound,
                fate: Fate::Kept,
                side: Side::Internet,
                provider: None,
            };
            let line = advise(&situation, Some(mta)).unwrap().line;
            assert!(!line.contains("not require") && !line.contains(" may "), "{line}");
        }
    }
}
