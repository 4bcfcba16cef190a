//! What servers of each kind say when they do not take a message.

use super::place::Flavor;
use super::plan::Style;
use super::reply::Stage::{Dns, Dot, Greeting, Loop, Lost, Mail, Net, Rcpt, Tls};
use super::reply::{Fail, fail};
use super::texts_other::texts_other;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Unknown,
    Full,
    Grey,
    Spam,
    /// Too much at a time.
    Rate,
    /// Our address is on a list.
    Listed,
    /// The other side is ill, and says so.
    Ill,
}

use Flavor::{Apple, Exim, Gmx, Google, Microsoft, Plain, Postfix, Yahoo};

/// Never empty.
pub fn texts(style: Style, kind: Kind, flavor: Flavor) -> &'static [Fail] {
    match style {
        Style::Usual => usual(kind, flavor),
        Style::Other => texts_other(kind, flavor),
    }
}

#[rustfmt::skip]
fn usual(kind: Kind, flavor: Flavor) -> &'static [Fail] {
    match (kind, flavor) {
        (Kind::Unknown, Google) => const { &[
            fail(550, "5.1.1", Rcpt, "The email account that you tried to reach does not exist. Please try\ndouble-checking the recipient's email address for typos or\nunnecessary spaces. For more information, go to\n https://support.google.com/mail/?p=NoSuchUser %x-gs - gsmtp"),
            fail(550, "5.2.1", Rcpt, "The email account that you tried to reach is inactive. For more\ninformation, go to https://support.google.com/mail/?p=DisabledUser %x-gs - gsmtp"),
        ] },
        (Kind::Unknown, Microsoft) => const { &[
            fail(550, "5.5.0", Rcpt, "Requested action not taken: mailbox unavailable (S2017062302). [%X.eop-EUR05.prod.protection.outlook.com]"),
            fail(550, "5.4.1", Rcpt, "Recipient address rejected: Access denied. For more information see https://aka.ms/EXOSmtpErrors [%X.eurprd04.prod.outlook.com 2026-03-02T09:11:42.550Z %x]"),
            fail(550, "5.1.10", Rcpt, "RESOLVER.ADR.RecipientNotFound; Recipient %r not found by SMTP address lookup"),
        ] },
        (Kind::Unknown, Yahoo) => const { &[fail(552, "", Dot, "1 Requested mail action aborted, mailbox not found"), fail(554, "", Dot, "delivery error: dd This user doesn't have a yahoo.com account (%r) [0] - mta4%n")] },
        (Kind::Unknown, Apple) => const { &[fail(550, "5.1.1", Rcpt, "<%r>: user does not exist")] },
        (Kind::Unknown, Gmx) => const { &[fail(550, "", Rcpt, "Requested action not taken: mailbox unavailable\nFor explanation visit https://postmaster.gmx.net/en/error-messages?ip=%i&c=hemi")] },
        (Kind::Unknown, Postfix) => const { &[fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: User unknown in virtual mailbox table"), fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: User unknown in local recipient table")] },
        (Kind::Unknown, Exim) => const { &[fail(550, "", Rcpt, "Unrouteable address"), fail(550, "", Rcpt, "No Such User Here")] },
        (Kind::Unknown, Plain) => const { &[fail(550, "5.1.1", Rcpt, "<%r>... User unknown"), fail(550, "", Rcpt, "#5.1.0 Address rejected."), fail(550, "", Rcpt, "user not found")] },

        (Kind::Full, Google) => const { &[fail(452, "4.2.2", Rcpt, "The recipient's inbox is out of storage space. Please direct the\nrecipient to https://support.google.com/mail/?p=OverQuotaTemp %x - gsmtp"), fail(552, "5.2.2", Rcpt, "The recipient's inbox is out of storage space and inactive. Please\ndirect the recipient to https://support.google.com/mail/?p=OverQuotaPerm %x - gsmtp")] },
        (Kind::Full, Microsoft) => const { &[fail(552, "5.2.2", Dot, "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; mailbox full")] },
        (Kind::Full, Yahoo) => const { &[fail(552, "", Dot, "Mailbox is over quota (%r)")] },
        (Kind::Full, Apple) => const { &[fail(552, "5.2.2", Rcpt, "<%r>: user is over quota")] },
        (Kind::Full, Gmx) => const { &[fail(552, "", Rcpt, "Requested mail action aborted: exceeded storage allocation\nQuota exceeded")] },
        (Kind::Full, Postfix) => const { &[fail(452, "4.2.2", Rcpt, "<%r>: Recipient address rejected: Mailbox is full / Blocks limit exceeded / Inode limit exceeded"), fail(552, "5.2.2", Rcpt, "<%r>: Recipient address rejected: Quota exceeded (mailbox for user is full)")] },
        (Kind::Full, Exim) => const { &[fail(452, "", Rcpt, "mailbox is full"), fail(552, "5.2.2", Rcpt, "Mailbox quota exceeded")] },
        (Kind::Full, Plain) => const { &[fail(552, "5.2.2", Rcpt, "<%r> over quota"), fail(450, "4.2.2", Rcpt, "<%r>: user is over quota")] },

        (Kind::Grey, Google | Microsoft | Yahoo | Apple | Gmx | Postfix) => const { &[fail(450, "4.2.0", Rcpt, "<%r>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/%d.html"), fail(451, "4.7.1", Rcpt, "Greylisting in action, please come back in 00:04:59")] },
        (Kind::Grey, Exim) => const { &[fail(451, "", Rcpt, "Greylisted, please try again in 5 minutes"), fail(450, "", Rcpt, "Greylisting in action for %r")] },
        (Kind::Grey, Plain) => const { &[fail(451, "4.7.1", Rcpt, "<%r>: greylisted, try again in 300 seconds"), fail(450, "4.7.1", Rcpt, "Greylisting enabled, please try again in 5 minutes")] },

        (Kind::Spam, Google) => const { &[fail(550, "5.7.1", Dot, "[%i      12] Our system has detected that this message is likely\nunsolicited mail. To reduce the amount of spam, this message has been\nblocked. Please visit https://support.google.com/mail/?p=UnsolicitedMessageError %x - gsmtp")] },
        (Kind::Spam, Microsoft) => const { &[fail(554, "5.2.0", Dot, "message content rejected as spam, AS(201806281) [%X.prod.outlook.com]")] },
        (Kind::Spam, Yahoo) => const { &[fail(554, "5.7.9", Dot, "Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes")] },
        (Kind::Spam, Apple) => const { &[fail(554, "5.7.1", Dot, "[CS01] Message rejected due to local policy. See https://support.apple.com/en-us/102322")] },
        (Kind::Spam, Gmx) => const { &[fail(554, "", Dot, "Transaction failed\nReject due to policy restrictions.\nFor explanation visit https://postmaster.gmx.net/en/case?c=hd%n")] },
        (Kind::Spam, Postfix | Exim | Plain) => const { &[fail(550, "5.7.1", Dot, "This message scored 14.2 spam points and was rejected"), fail(554, "5.7.1", Dot, "Spam message rejected"), fail(550, "", Dot, "Message classified as spam")] },

        (Kind::Rate, Google) => const { &[
            fail(421, "4.7.28", Dot, "[%i      19] Our system has detected an unusual rate of unsolicited\nmail originating from your IP address. To protect our users from spam,\nmail sent from your IP address has been temporarily rate limited.\nhttps://support.google.com/mail/?p=UnsolicitedRateLimitError %x - gsmtp"),
            fail(421, "4.7.0", Greeting, "Too many connections from your address, rate limited; try again later. %x - gsmtp"),
        ] },
        (Kind::Rate, Microsoft) => const { &[
            fail(451, "4.7.652", Mail, "The mail server [%i] has exceeded the maximum number of connections. (S3115) [%X.prod.protection.outlook.com]"),
            fail(421, "", Greeting, "RP-001 (SNT004-MC2F5) Unfortunately, some messages from %i weren't sent. The mail rate limit has been exceeded for this address."),
        ] },
        (Kind::Rate, Yahoo) => const { &[fail(421, "", Greeting, "Max message per connection reached, closing transmission channel; too many messages from %i"), fail(450, "", Rcpt, "User is receiving mail too quickly")] },
        (Kind::Rate, Apple) => const { &[fail(421, "4.7.1", Dot, "Messages to %r deferred due to excessive volume. Try again later - https://support.apple.com/en-us/102322")] },
        (Kind::Rate, Gmx) => const { &[fail(421, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nService closing transmission channel\nRate limit reached"), fail(450, "4.3.2", Rcpt, "Too many mails (mail bomb), try again in 1 hour(s) 25 minute(s)")] },
        (Kind::Rate, Postfix | Exim | Plain) => const { &[fail(421, "4.7.0", Greeting, "%h Error: too many connections from %i"), fail(450, "4.7.1", Rcpt, "<%r>: Recipient address rejected: rate limit exceeded, please slow down"), fail(451, "4.7.1", Mail, "Ratelimit reached: too many messages from %i in the last hour")] },

        (Kind::Listed, Google) => const { &[fail(550, "5.7.1", Dot, "[%i      12] Our system has detected that this message is suspicious\ndue to the very low reputation of the sending IP address. To protect\nour users from spam, mail from it was blocked. Please visit\nhttps://support.google.com/mail/answer/188131 %x - gsmtp")] },
        (Kind::Listed, Microsoft) => const { &[fail(550, "5.7.1", Mail, "Unfortunately, messages from [%i] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). [%X.prod.protection.outlook.com]"), fail(550, "5.7.606", Mail, "Access denied, banned sending IP [%i]. To request removal from this list please visit https://sender.office.com/ (AS16012609)")] },
        (Kind::Listed, Yahoo) => const { &[fail(553, "5.7.1", Greeting, "[BL21] Connections will not be accepted from %i, because the ip is in Spamhaus's list; see https://postmaster.yahooinc.com/550-bl23")] },
        (Kind::Listed, Apple) => const { &[fail(554, "5.7.0", Greeting, "Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=%i")] },
        (Kind::Listed, Gmx) => const { &[fail(554, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nNo SMTP service\nIP address is block listed.\nFor explanation visit https://postmaster.gmx.net/en/case?c=r0601&i=ip&v=%i")] },
        (Kind::Listed, Postfix) => const { &[fail(554, "5.7.1", Rcpt, "Service unavailable; Client host [%i] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/%i")] },
        (Kind::Listed, Exim) => const { &[fail(550, "", Rcpt, "%i is listed in zen.spamhaus.org, see https://check.spamhaus.org/listed/?searchterm=%i"), fail(550, "", Rcpt, "JunkMail rejected - [%i]:44321 is in an RBL on rbl.websitewelcome.com, see https://www.spamhaus.org/query/ip/%i")] },
        (Kind::Listed, Plain) => const { &[fail(554, "5.7.1", Rcpt, "Mail from %i refused: address is on a block list, see https://www.spamhaus.org/query/ip/%i"), fail(550, "5.7.1", Mail, "Client host %i blocked using Barracuda Reputation, see http://www.barracudanetworks.com/reputation/?r=1&ip=%i")] },

        (Kind::Ill, Google) => const { &[fail(421, "4.3.0", Mail, "Temporary System Problem.  Try again later. %x - gsmtp"), fail(451, "4.3.0", Dot, "Mail server temporarily rejected message. %x - gsmtp"), TIMED_OUT] },
        (Kind::Ill, Microsoft) => const { &[fail(451, "4.3.2", Rcpt, "Temporary server error. Please try again later ATTR5 [%X.prod.protection.outlook.com]"), fail(421, "4.3.2", Greeting, "Service not active, closing transmission channel [%X.prod.protection.outlook.com]"), fail(452, "4.3.1", Mail, "Insufficient system resources [%X.prod.outlook.com]")] },
        (Kind::Ill, Yahoo) => const { &[fail(451, "", Mail, "Resources temporarily unavailable. Please try again later [#4.16.1]."), REFUSED] },
        (Kind::Ill, Apple) => const { &[fail(450, "4.3.2", Rcpt, "Service unavailable, please try again later"), TIMED_OUT] },
        (Kind::Ill, Gmx) => const { &[fail(421, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nService closing transmission channel\ninternal error"), fail(451, "", Dot, "Requested action aborted: local error in processing")] },
        (Kind::Ill, Postfix | Exim | Plain) => const { &[REFUSED, fail(451, "4.3.0", Rcpt, "<%r>: Temporary lookup failure"), fail(451, "", Rcpt, "Temporary local problem - please try later")] },
    }
}

pub const TIMED_OUT: Fail = fail(0, "4.4.1", Net, "Connection timed out");
pub const REFUSED: Fail = fail(0, "4.4.1", Net, "Connection refused");
pub const UNREACHABLE: Fail = fail(0, "4.4.1", Net, "Network is unreachable");
pub const NO_ROUTE: Fail = fail(0, "4.4.1", Net, "No route to host");
pub const NO_NAME: Fail = fail(0, "4.4.3", Dns, "Host not found, try again");
pub const NO_DOMAIN: Fail = fail(0, "5.4.4", Dns, "Host not found");
pub const BROKEN: Fail = fail(0, "4.4.2", Lost, "while receiving the initial server greeting");
pub const HANDSHAKE: Fail = fail(0, "4.7.5", Tls, "Cannot start TLS: handshake failure");
pub const NOT_OFFERED: Fail = fail(0, "4.7.4", Tls, "TLS is required, but was not offered by host %h");
pub const NOT_TRUSTED: Fail = fail(0, "4.7.5", Tls, "Server certificate not trusted");
pub const NOT_VERIFIED: Fail = fail(0, "4.7.5", Tls, "Server certificate not verified");
pub const TO_MYSELF: Fail = fail(0, "5.4.6", Loop, "mail for %d loops back to myself");
pub const TOO_MANY_HOPS: Fail = fail(554, "5.4.6", Dot, "Error: too many hops");
pub const TOO_MANY_RECEIVED: Fail = fail(550, "", Dot, "Too many \"Received\" headers - suspected mail loop");
