//! Lists the failure texts of each kind of receiving server.

use super::failures::{REFUSED, TIMED_OUT};
use super::place::Flavor;
use super::plan::Style;
use super::reply::FailureStage::{Dot, Greeting, Mail, Rcpt};
use super::reply::{DeliveryFailure, fail};
use super::text_kind::TextKind;
use super::texts_other::texts_other;

use Flavor::{Apple, Exim, Gmx, Google, Microsoft, Plain, Postfix, Yahoo};

/// Never empty.
pub(crate) fn texts(style: Style, kind: TextKind, flavor: Flavor) -> &'static [DeliveryFailure] {
    match style {
        Style::Usual => usual(kind, flavor),
        Style::Other => texts_other(kind, flavor),
    }
}

#[rustfmt::skip]
fn usual(kind: TextKind, flavor: Flavor) -> &'static [DeliveryFailure] {
    match (kind, flavor) {
        (TextKind::Unknown, Google) => const { &[
            fail(550, "5.1.1", Rcpt, "The email account that you tried to reach does not exist. Please try\ndouble-checking the recipient's email address for typos or\nunnecessary spaces. For more information, go to\n https://support.google.com/mail/?p=NoSuchUser %x-gs - gsmtp"),
            fail(550, "5.2.1", Rcpt, "The email account that you tried to reach is inactive. For more\ninformation, go to https://support.google.com/mail/?p=DisabledUser %x-gs - gsmtp"),
        ] },
        (TextKind::Unknown, Microsoft) => const { &[
            fail(550, "5.5.0", Rcpt, "Requested action not taken: mailbox unavailable (S2017062302). [%X.eop-EUR05.prod.protection.outlook.com]"),
            fail(550, "5.4.1", Rcpt, "Recipient address rejected: Access denied. For more information see https://aka.ms/EXOSmtpErrors [%X.eurprd04.prod.outlook.com 2026-03-02T09:11:42.550Z %x]"),
            fail(550, "5.1.10", Rcpt, "RESOLVER.ADR.RecipientNotFound; Recipient %r not found by SMTP address lookup"),
        ] },
        (TextKind::Unknown, Yahoo) => const { &[fail(552, "", Dot, "1 Requested mail action aborted, mailbox not found"), fail(554, "", Dot, "delivery error: dd This user doesn't have a yahoo.com account (%r) [0] - mta4%n")] },
        (TextKind::Unknown, Apple) => const { &[fail(550, "5.1.1", Rcpt, "<%r>: user does not exist")] },
        (TextKind::Unknown, Gmx) => const { &[fail(550, "", Rcpt, "Requested action not taken: mailbox unavailable\nFor explanation visit https://postmaster.gmx.net/en/error-messages?ip=%i&c=hemi")] },
        (TextKind::Unknown, Postfix) => const { &[fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: User unknown in virtual mailbox table"), fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: User unknown in local recipient table")] },
        (TextKind::Unknown, Exim) => const { &[fail(550, "", Rcpt, "Unrouteable address"), fail(550, "", Rcpt, "No Such User Here")] },
        (TextKind::Unknown, Plain) => const { &[fail(550, "5.1.1", Rcpt, "<%r>... User unknown"), fail(550, "", Rcpt, "#5.1.0 Address rejected."), fail(550, "", Rcpt, "user not found")] },

        (TextKind::Full, Google) => const { &[fail(452, "4.2.2", Rcpt, "The recipient's inbox is out of storage space. Please direct the\nrecipient to https://support.google.com/mail/?p=OverQuotaTemp %x - gsmtp"), fail(552, "5.2.2", Rcpt, "The recipient's inbox is out of storage space and inactive. Please\ndirect the recipient to https://support.google.com/mail/?p=OverQuotaPerm %x - gsmtp")] },
        (TextKind::Full, Microsoft) => const { &[fail(552, "5.2.2", Dot, "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; mailbox full")] },
        (TextKind::Full, Yahoo) => const { &[fail(552, "", Dot, "Mailbox is over quota (%r)")] },
        (TextKind::Full, Apple) => const { &[fail(552, "5.2.2", Rcpt, "<%r>: user is over quota")] },
        (TextKind::Full, Gmx) => const { &[fail(552, "", Rcpt, "Requested mail action aborted: exceeded storage allocation\nQuota exceeded")] },
        (TextKind::Full, Postfix) => const { &[fail(452, "4.2.2", Rcpt, "<%r>: Recipient address rejected: Mailbox is full / Blocks limit exceeded / Inode limit exceeded"), fail(552, "5.2.2", Rcpt, "<%r>: Recipient address rejected: Quota exceeded (mailbox for user is full)")] },
        (TextKind::Full, Exim) => const { &[fail(452, "", Rcpt, "mailbox is full"), fail(552, "5.2.2", Rcpt, "Mailbox quota exceeded")] },
        (TextKind::Full, Plain) => const { &[fail(552, "5.2.2", Rcpt, "<%r> over quota"), fail(450, "4.2.2", Rcpt, "<%r>: user is over quota")] },

        (TextKind::Grey, Google | Microsoft | Yahoo | Apple | Gmx | Postfix) => const { &[fail(450, "4.2.0", Rcpt, "<%r>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/%d.html"), fail(451, "4.7.1", Rcpt, "Greylisting in action, please come back in 00:04:59")] },
        (TextKind::Grey, Exim) => const { &[fail(451, "", Rcpt, "Greylisted, please try again in 5 minutes"), fail(450, "", Rcpt, "Greylisting in action for %r")] },
        (TextKind::Grey, Plain) => const { &[fail(451, "4.7.1", Rcpt, "<%r>: greylisted, try again in 300 seconds"), fail(450, "4.7.1", Rcpt, "Greylisting enabled, please try again in 5 minutes")] },

        (TextKind::Spam, Google) => const { &[fail(550, "5.7.1", Dot, "[%i      12] Our system has detected that this message is likely\nunsolicited mail. To reduce the amount of spam, this message has been\nblocked. Please visit https://support.google.com/mail/?p=UnsolicitedMessageError %x - gsmtp")] },
        (TextKind::Spam, Microsoft) => const { &[fail(554, "5.2.0", Dot, "message content rejected as spam, AS(201806281) [%X.prod.outlook.com]")] },
        (TextKind::Spam, Yahoo) => const { &[fail(554, "5.7.9", Dot, "Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes")] },
        (TextKind::Spam, Apple) => const { &[fail(554, "5.7.1", Dot, "[CS01] Message rejected due to local policy. See https://support.apple.com/en-us/102322")] },
        (TextKind::Spam, Gmx) => const { &[fail(554, "", Dot, "Transaction failed\nReject due to policy restrictions.\nFor explanation visit https://postmaster.gmx.net/en/case?c=hd%n")] },
        (TextKind::Spam, Postfix | Exim | Plain) => const { &[fail(550, "5.7.1", Dot, "This message scored 14.2 spam points and was rejected"), fail(554, "5.7.1", Dot, "Spam message rejected"), fail(550, "", Dot, "Message classified as spam")] },

        (TextKind::Rate, Google) => const { &[
            fail(421, "4.7.28", Dot, "[%i      19] Our system has detected an unusual rate of unsolicited\nmail originating from your IP address. To protect our users from spam,\nmail sent from your IP address has been temporarily rate limited.\nhttps://support.google.com/mail/?p=UnsolicitedRateLimitError %x - gsmtp"),
            fail(421, "4.7.0", Greeting, "Too many connections from your address, rate limited; try again later. %x - gsmtp"),
        ] },
        (TextKind::Rate, Microsoft) => const { &[
            fail(451, "4.7.652", Mail, "The mail server [%i] has exceeded the maximum number of connections. (S3115) [%X.prod.protection.outlook.com]"),
            fail(421, "", Greeting, "RP-001 (SNT004-MC2F5) Unfortunately, some messages from %i weren't sent. The mail rate limit has been exceeded for this address."),
        ] },
        (TextKind::Rate, Yahoo) => const { &[fail(421, "", Greeting, "Max message per connection reached, closing transmission channel; too many messages from %i"), fail(450, "", Rcpt, "User is receiving mail too quickly")] },
        (TextKind::Rate, Apple) => const { &[fail(421, "4.7.1", Dot, "Messages to %r deferred due to excessive volume. Try again later - https://support.apple.com/en-us/102322")] },
        (TextKind::Rate, Gmx) => const { &[fail(421, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nService closing transmission channel\nRate limit reached"), fail(450, "4.3.2", Rcpt, "Too many mails (mail bomb), try again in 1 hour(s) 25 minute(s)")] },
        (TextKind::Rate, Postfix | Exim | Plain) => const { &[fail(421, "4.7.0", Greeting, "%h Error: too many connections from %i"), fail(450, "4.7.1", Rcpt, "<%r>: Recipient address rejected: rate limit exceeded, please slow down"), fail(451, "4.7.1", Mail, "Ratelimit reached: too many messages from %i in the last hour")] },

        (TextKind::Listed, Google) => const { &[fail(550, "5.7.1", Dot, "[%i      12] Our system has detected that this message is suspicious\ndue to the very low reputation of the sending IP address. To protect\nour users from spam, mail from it was blocked. Please visit\nhttps://support.google.com/mail/answer/188131 %x - gsmtp")] },
        (TextKind::Listed, Microsoft) => const { &[fail(550, "5.7.1", Mail, "Unfortunately, messages from [%i] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). [%X.prod.protection.outlook.com]"), fail(550, "5.7.606", Mail, "Access denied, banned sending IP [%i]. To request removal from this list please visit https://sender.office.com/ (AS16012609)")] },
        (TextKind::Listed, Yahoo) => const { &[fail(553, "5.7.1", Greeting, "[BL21] Connections will not be accepted from %i, because the ip is in Spamhaus's list; see https://postmaster.yahooinc.com/550-bl23")] },
        (TextKind::Listed, Apple) => const { &[fail(554, "5.7.0", Greeting, "Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=%i")] },
        (TextKind::Listed, Gmx) => const { &[fail(554, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nNo SMTP service\nIP address is block listed.\nFor explanation visit https://postmaster.gmx.net/en/case?c=r0601&i=ip&v=%i")] },
        (TextKind::Listed, Postfix) => const { &[fail(554, "5.7.1", Rcpt, "Service unavailable; Client host [%i] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/%i")] },
        (TextKind::Listed, Exim) => const { &[fail(550, "", Rcpt, "%i is listed in zen.spamhaus.org, see https://check.spamhaus.org/listed/?searchterm=%i"), fail(550, "", Rcpt, "JunkMail rejected - [%i]:44321 is in an RBL on rbl.websitewelcome.com, see https://www.spamhaus.org/query/ip/%i")] },
        (TextKind::Listed, Plain) => const { &[fail(554, "5.7.1", Rcpt, "Mail from %i refused: address is on a block list, see https://www.spamhaus.org/query/ip/%i"), fail(550, "5.7.1", Mail, "Client host %i blocked using Barracuda Reputation, see http://www.barracudanetworks.com/reputation/?r=1&ip=%i")] },

        (TextKind::Ill, Google) => const { &[fail(421, "4.3.0", Mail, "Temporary System Problem.  Try again later. %x - gsmtp"), fail(451, "4.3.0", Dot, "Mail server temporarily rejected message. %x - gsmtp"), TIMED_OUT] },
        (TextKind::Ill, Microsoft) => const { &[fail(451, "4.3.2", Rcpt, "Temporary server error. Please try again later ATTR5 [%X.prod.protection.outlook.com]"), fail(421, "4.3.2", Greeting, "Service not active, closing transmission channel [%X.prod.protection.outlook.com]"), fail(452, "4.3.1", Mail, "Insufficient system resources [%X.prod.outlook.com]")] },
        (TextKind::Ill, Yahoo) => const { &[fail(451, "", Mail, "Resources temporarily unavailable. Please try again later [#4.16.1]."), REFUSED] },
        (TextKind::Ill, Apple) => const { &[fail(450, "4.3.2", Rcpt, "Service unavailable, please try again later"), TIMED_OUT] },
        (TextKind::Ill, Gmx) => const { &[fail(421, "", Greeting, "gmx.net (mxgmx%n) Nemesis ESMTP Service not available\nService closing transmission channel\ninternal error"), fail(451, "", Dot, "Requested action aborted: local error in processing")] },
        (TextKind::Ill, Postfix | Exim | Plain) => const { &[REFUSED, fail(451, "4.3.0", Rcpt, "<%r>: Temporary lookup failure"), fail(451, "", Rcpt, "Temporary local problem - please try later")] },
    }
}
