//! Lists replies that accept a message, by kind of server.

use super::reply::ReplyRow;
use super::reply::ReplyStage::Dot;

pub(crate) const GMAIL: &[ReplyRow] = &[
    (250, "2.0.0", Dot, "OK  1772%n %x-gs - gsmtp"),
    (250, "2.0.0", Dot, "OK  1772%n %x%x.%n - gsmtp"),
    (250, "2.1.5", Dot, "OK %x - gsmtp"),
    (250, "2.0.0", Dot, "OK DMARC:Quarantine %x - gsmtp"),
    (250, "", Dot, "OK id=%x.%n"),
    (250, "2.0.0", Dot, "OK - queued as %x"),
];

pub(crate) const OUTLOOK: &[ReplyRow] = &[
    (
        250,
        "2.6.0",
        Dot,
        "<%x.%n@%m> [InternalId=%n, Hostname=%X.mail.example.com] 24511 bytes in 0.214, 111.4 KB/sec Queued mail for delivery",
    ),
    (
        250,
        "2.6.0",
        Dot,
        "<%x@%m> [InternalId=4503%n, Hostname=%X.prod.example.com] 9021 bytes in 0.451, 19.5 KB/sec Queued mail for delivery -> 250 2.1.5",
    ),
    (250, "2.6.0", Dot, "<%x@%m> Queued mail for delivery"),
    (250, "", Dot, "<%n.%x.JavaMail.web@app3> Queued mail for delivery"),
    (250, "2.1.5", Dot, "Recipient OK, message %n accepted"),
    (250, "2.0.0", Dot, "Message received: %x"),
    (250, "2.6.0", Dot, "message received, 451 KB kept as %X"),
    (250, "2.0.0", Dot, "Queued for %d"),
];

pub(crate) const YAHOO: &[ReplyRow] = &[
    (250, "", Dot, "ok dirdel"),
    (250, "", Dot, "ok dirdel 2/1"),
    (250, "", Dot, "OK , completed"),
    (250, "2.0.0", Dot, "ok %x"),
    (250, "", Dot, "Message %n accepted"),
];

pub(crate) const GMX: &[ReplyRow] = &[
    (250, "", Dot, "Requested mail action okay, completed: id=1M%x-00%n"),
    (250, "", Dot, "Message accepted for delivery, id=0L%x"),
    (250, "2.0.0", Dot, "Mail %n queued for delivery in session %x."),
    (250, "2.0.0", Dot, "mail accepted, thank you {mx-%n}"),
    (250, "", Dot, "ok:  Message %n accepted"),
];

pub(crate) const POSTFIX: &[ReplyRow] = &[
    (250, "2.0.0", Dot, "Ok: queued as %X"),
    (250, "2.0.0", Dot, "Ok: queued as 4f%x"),
    (250, "", Dot, "Ok: queued as %X"),
    (250, "2.0.0", Dot, "from MTA(smtp:[198.51.100.25]:10025): 250 2.0.0 Ok: queued as %X"),
    (250, "2.6.0", Dot, "Ok, id=%n-02, from MTA([198.51.100.25]:10025): 250 2.0.0 Ok: queued as %X"),
    (250, "2.7.0", Dot, "Ok, tagged as spam, id=%n-11"),
    (250, "2.1.5", Dot, "Ok"),
    (250, "2.0.0", Dot, "<%r> %x Saved"),
    (250, "2.0.0", Dot, "Ok: 4096 bytes queued as %X"),
    (250, "2.0.0", Dot, "Ok: queued in 552 ms as %X"),
];

pub(crate) const EXIM: &[ReplyRow] = &[
    (250, "", Dot, "OK id=1w%x-00000%n-4aBc"),
    (250, "", Dot, "OK id=1w%x-000AbC-Cd"),
    (250, "2.0.0", Dot, "OK id=1w%x-00000%n-1xYz"),
    (250, "", Dot, " 4521 byte chunk, total 4521\nOK id=1w%x-00000%n-0QrS"),
    (250, "", Dot, "Accepted for delivery to %d"),
    (250, "", Dot, "OK, your mail is at home"),
    (250, "2.0.0", Dot, "first of two lines\nsecond of two: accepted"),
    (250, "", Dot, "Ok: queued by %h"),
];

pub(crate) const PLAIN: &[ReplyRow] = &[
    (250, "", Dot, "Thanks"),
    (250, "", Dot, "Ok"),
    (250, "", Dot, "ok 1772%n qp 21345"),
    (250, "", Dot, "ok %n qp 5512 server %h!%x"),
    (250, "2.0.0", Dot, "%x mail accepted for delivery"),
    (250, "2.0.0", Dot, "%x Message accepted for delivery"),
    (250, "", Dot, "Backend Replied [%x.%n]: Ok: queued as %X (Mode: normal)"),
    (250, "", Dot, "%x Message accepted for delivery"),
    (250, "2.5.0", Dot, "OK."),
    (250, "", Dot, "SmtpThread-%n Mail accepted"),
    (250, "", Dot, "Data received OK."),
    (250, "2.0.0", Dot, "OK 51/42-%n-%x"),
    (250, "", Dot, "Message received and queued. [%x]"),
    (250, "2.3.0", Dot, "done"),
    (250, "2.0.0", Dot, "accepted as %x, 2 of 550 credits used"),
    (252, "2.0.0", Dot, "Taken, will try my best"),
];

/// Replies of the LMTP server on this machine.
pub(crate) const MAILBOX: &[ReplyRow] =
    &[(250, "2.0.0", Dot, "<%r> %x%xAA Saved"), (250, "2.0.0", Dot, "<%r> +%x Saved")];
