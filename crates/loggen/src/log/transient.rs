//! Lists replies that defer a message, by kind of server.

use super::reply::ReplyRow;
use super::reply::ReplyStage::{Data, Dot, Greeting, Mail, Rcpt};

pub(crate) const GMAIL: &[ReplyRow] = &[
    (
        421,
        "4.7.28",
        Dot,
        "Mail from [%i] comes at an unusual rate. To protect our users, some of it\nis put off for now. See https://help.example.com/rate for how bulk mail is sent. %x - gsmtp",
    ),
    (
        450,
        "4.2.1",
        Rcpt,
        "The account you tried to reach gets mail faster than it may. Please\nsend it again later. See https://help.example.com/toofast %x - gsmtp",
    ),
    (
        452,
        "4.2.2",
        Rcpt,
        "The inbox of the recipient is out of storage space. Please ask\nthe recipient to make room. See https://help.example.com/overquota %x - gsmtp",
    ),
    (
        421,
        "4.7.0",
        Dot,
        "[%i      15] There is something about the fame of this sender's\naddress that we do not like; please try again later. %x - gsmtp",
    ),
    (
        421,
        "4.7.26",
        Dot,
        "This mail has not been authenticated, which is asked of bulk senders.\nNeither SPF [%d] nor DKIM passed; try later or set up either. %x - gsmtp",
    ),
    (421, "4.3.0", Mail, "Temporary system problem.  Try again later. %x - gsmtp"),
    (451, "4.3.0", Dot, "Mail server temporarily turned this message away. %x - gsmtp"),
    (421, "4.7.0", Greeting, "Try again later, closing connection. (EHLO) %x - gsmtp"),
    (421, "4.4.5", Greeting, "Server busy, try again later. %x - gsmtp"),
    (450, "4.2.1", Rcpt, "The account is locked for a while. %x - gsmtp"),
    (
        421,
        "4.7.32",
        Dot,
        "From: header (RFC5322) is not aligned with either the SPF or the DKIM\ndomain; put off. %x - gsmtp",
    ),
    (421, "4.7.29", Dot, "This mail came over a connection without TLS, as bulk mail must not.\n%x - gsmtp"),
    (452, "4.5.3", Rcpt, "Your message has too many recipients. %x - gsmtp"),
    (451, "4.7.24", Mail, "The SPF record of the sending domain has a suspicious entry. %x - gsmtp"),
];

pub(crate) const OUTLOOK: &[ReplyRow] = &[
    (
        451,
        "4.7.500",
        Rcpt,
        "Server busy. Please try again later from [%i]. (S%n) [%X.example.com 2026-03-02T09:11:42.550Z %x]",
    ),
    (
        451,
        "4.7.650",
        Mail,
        "The mail server [%i] is limited for a while because of its fame. (S775) [%X.example.com]",
    ),
    (
        421,
        "4.7.0",
        Greeting,
        "RP-001 Too many messages from %i for this hour, see https://postmaster.example.com",
    ),
    (421, "4.3.2", Greeting, "Service not active"),
    (
        451,
        "4.7.1",
        Rcpt,
        "Unfortunately mail from [%i] is put off. Part of that network is on our list (AS4510).",
    ),
    (450, "4.7.26", Dot, "Service asks for IPv6 mail to pass SPF or DKIM; try again. [%X.example.com]"),
    (452, "4.3.1", Mail, "Insufficient system resources (UsedDiskSpace[D:\\Queue])"),
    (452, "4.5.3", Rcpt, "Too many recipients (AS780090) [%X.example.com 2026-03-02T10:00:00.421Z %x]"),
    (
        432,
        "4.3.2",
        Dot,
        "Concurrent connections limit exceeded. Storage is busy; visit https://aka.example.com/limit [Hostname=%X]",
    ),
    (432, "4.3.2", Dot, "STOREDRV.Deliver; recipient thread limit exceeded"),
    (
        450,
        "4.4.317",
        Dot,
        "Cannot hand over to the next server [Message=socket closed 554] [LastAttemptedServerName=%d]",
    ),
    (451, "4.4.4", Rcpt, "Temporary server error. Please try again later ATTR5 [%X.example.com]"),
    (450, "4.1.1", Rcpt, "<%r>... directory lookup was put off, please retry"),
    (451, "5.7.3", Rcpt, "STARTTLS is wanted before mail to %d"),
];

pub(crate) const YAHOO: &[ReplyRow] = &[
    (
        421,
        "4.7.0",
        Greeting,
        "[TSS04] Messages from %i put off for unexpected volume or user complaints - 4.16.55.1; see https://postmaster.example.net/error-codes",
    ),
    (
        421,
        "4.7.0",
        Mail,
        "[TSS04] Messages from %i put off for user complaints - 4.16.55.1; see https://postmaster.example.net/error-codes",
    ),
    (
        421,
        "4.7.1",
        Greeting,
        "[TS03] All messages from %i will stay put off; retrying will NOT help. See https://postmaster.example.net/421-ts03",
    ),
    (421, "4.7.0", Greeting, "[GL01] Message from (%i) put off for a while"),
    (
        451,
        "4.7.0",
        Dot,
        "[TSS11] All messages from this domain are put off for user complaints, 553 of 10000",
    ),
    (
        451,
        "",
        Dot,
        "Message not taken for now: resources unavailable at the moment. Please try again later [code 4-16-5].",
    ),
    (451, "4.3.2", Rcpt, "Internal error reading the mailbox - please try later"),
    (452, "", Rcpt, "Too many recipients, send the rest later"),
    (421, "", Greeting, "Server closing, %x is overloaded"),
    (450, "", Rcpt, "User is receiving mail too quickly"),
];

pub(crate) const GMX: &[ReplyRow] = &[
    (
        450,
        "4.3.2",
        Rcpt,
        "Too many mails (mail bomb), try again in 1 hour(s) 25 minute(s) and see ( https://postmaster.example.net/rules ) {mx-%n}",
    ),
    (421, "", Greeting, "%h (mx-%n) Service not available, come back later"),
    (421, "", Greeting, "Nemesis ESMTP: connection limit for %i reached, 550 of 550"),
    (451, "", Rcpt, "Requested action aborted: local error in processing; id=%x"),
    (452, "4.2.2", Rcpt, "Mailbox of <%r> is over quota"),
    (450, "", Mail, "Requested mail action not taken: sender's domain does not answer"),
    (451, "4.7.1", Rcpt, "Greylisted: come back in 5 minutes"),
    (554, "", Greeting, "%h Too bad a fame, no service for %i (see https://postmaster.example.net/c?ip=%i)"),
];

pub(crate) const POSTFIX: &[ReplyRow] = &[
    (
        450,
        "4.2.0",
        Rcpt,
        "<%r>: Recipient address rejected: Greylisted, see https://postgrey.example.org/help/%d.html",
    ),
    (
        450,
        "4.7.1",
        Rcpt,
        "<%r>: Recipient address rejected: Please see https://%d/greylist?id=%x and come back",
    ),
    (
        450,
        "4.1.1",
        Rcpt,
        "<%r>: Recipient address rejected: unverified address: Address verification in progress",
    ),
    (
        450,
        "4.1.1",
        Rcpt,
        "<%r>: Recipient address rejected: unverified address: connect to store.%d[198.51.100.77]:25: Connection refused",
    ),
    (451, "4.3.0", Rcpt, "<%r>: Temporary lookup failure"),
    (451, "4.3.5", Rcpt, "Server configuration problem"),
    (452, "4.3.1", Mail, "Insufficient system storage"),
    (421, "4.7.0", Greeting, "%h Error: too many connections from %i"),
    (421, "4.3.2", Greeting, "All server ports are busy"),
    (450, "4.1.8", Rcpt, "<%s>: Sender address rejected: Domain not found"),
    (450, "4.7.25", Rcpt, "Client host rejected: cannot find your hostname, [%i]"),
    (450, "4.7.1", Rcpt, "Client host rejected: cannot find your reverse hostname, [%i]"),
    (451, "4.7.1", Dot, "Service unavailable - try again later"),
    (452, "4.2.2", Dot, "<%r> Quota exceeded (mailbox for user is full)"),
    (450, "4.2.2", Rcpt, "<%r>: user is over quota"),
    (421, "4.4.2", Dot, "%h Error: timeout exceeded"),
    (
        451,
        "4.7.1",
        Rcpt,
        "<%r>: Recipient address rejected: Intentional policy restriction, please try again in 300 seconds",
    ),
    (450, "5.1.1", Rcpt, "<%r>: Recipient address rejected: undeliverable for now"),
];

pub(crate) const EXIM: &[ReplyRow] = &[
    (451, "", Rcpt, "Temporary local problem - please try later"),
    (451, "", Rcpt, "Could not complete recipient verify callout"),
    (451, "", Rcpt, "Greylisted - please try again in a while, %x"),
    (451, "4.7.1", Rcpt, "Greylisting in action, please come back in 00:04:59"),
    (421, "", Greeting, "%h: Too many concurrent SMTP connections; please try again later."),
    (421, "", Dot, "Unexpected failure, please try later"),
    (450, "", Rcpt, "Sender verify put off: could not complete sender verify for <%s>"),
    (451, "", Mail, "Ratelimit of 250 messages / 1h reached by %i"),
    (452, "", Mail, "Space shortage, please try later"),
    (451, "", Dot, "Temporary local problem - the spam scanner gave no answer"),
    (452, "", Rcpt, "too many recipients"),
    (451, "", Rcpt, "lowest numbered MX record points to local host"),
];

pub(crate) const PLAIN: &[ReplyRow] = &[
    (452, "(#4.2.1)", Rcpt, "sorry, mailbox disabled."),
    (451, "(#4.4.3)", Mail, "DNS temporary failure"),
    (421, "(#4.4.5)", Greeting, "out of connections"),
    (450, "", Rcpt, "<%r>: mailbox busy"),
    (451, "", Dot, "qq temporary problem"),
    (452, "#4.3.1", Dot, "temp mail failure, scratch disk full"),
    (421, "", Greeting, "Too many sessions from %i, slow down"),
    (554, "", Greeting, "%h: your address %i has a poor score. Ticket %n"),
    (550, "", Greeting, "Too many invalid recipients"),
    (554, "5.7.0", Greeting, "Blocked - see https://proof.example.com/?ip=%i"),
    (
        451,
        "",
        Mail,
        "Internal resource temporarily unavailable - https://community.example.com/docs/451 [%x.uk9]",
    ),
    (451, "4.7.1", Data, "Put off until %n, score 5.9 of 5.5"),
    (450, "4.7.0", Rcpt, "Tarpitted, 211 seconds to go"),
    (451, "4.4.0", Rcpt, "Recipient %r: directory cannot be reached, error 503"),
    (452, "4.1.0", Rcpt, "... requested action aborted: try again later, %x"),
    (421, "4.4.2", Data, "Connection will be closed: idle for 220 seconds"),
];

pub(crate) const MAILBOX: &[ReplyRow] = &[
    (452, "4.2.2", Dot, "<%r> Quota exceeded (mailbox for user is full)"),
    (
        451,
        "4.3.0",
        Rcpt,
        "<%r> Internal error occurred. Refer to server log for more information. [2026-03-02 09:00:00]",
    ),
    (451, "4.2.0", Dot, "<%r> Mailbox is being rebuilt"),
    (421, "4.3.2", Greeting, "Service shutting down"),
];
