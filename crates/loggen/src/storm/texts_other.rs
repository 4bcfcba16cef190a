//! Lists the failure texts of `--style other`: other wordings for the same failures.

use super::failures::{BROKEN, NO_ROUTE, TIMED_OUT};
use super::place::Flavor::{self, Apple, Exim, Gmx, Google, Microsoft, Plain, Postfix, Yahoo};
use super::reply::FailureStage::{Dot, Greeting, Mail, Rcpt};
use super::reply::{DeliveryFailure, fail};
use super::text_kind::TextKind;

#[rustfmt::skip]
pub(crate) fn texts_other(kind: TextKind, flavor: Flavor) -> &'static [DeliveryFailure] {
    match (kind, flavor) {
        (TextKind::Unknown, Google) => const { &[fail(550, "5.1.1", Rcpt, "The email account that you tried to reach does not exist. Please try\ndouble-checking the address. https://support.google.com/mail/?p=NoSuchUser %x.%n - gsmtp")] },
        (TextKind::Unknown, Microsoft) => const { &[
            fail(550, "5.4.1", Rcpt, "Recipient address rejected: Access denied. AS(201806281) [%X.eurprd07.prod.outlook.com]"),
            fail(550, "5.1.1", Rcpt, "RESOLVER.ADR.ExRecipNotFound; not found"),
        ] },
        (TextKind::Unknown, Yahoo) => const { &[fail(554, "5.7.9", Rcpt, "delivery error: dd Not a valid recipient - atlas%n")] },
        (TextKind::Unknown, Apple) => const { &[fail(550, "5.1.1", Rcpt, "unknown or illegal alias: %r")] },
        (TextKind::Unknown, Gmx) => const { &[fail(550, "", Rcpt, "requested action not taken: mailbox unavailable")] },
        (TextKind::Unknown, Postfix) => const { &[
            fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: User unknown in relay recipient table"),
            fail(550, "5.1.1", Rcpt, "<%r>: Recipient address rejected: undeliverable address: unknown user: \"%r\""),
        ] },
        (TextKind::Unknown, Exim) => const { &[fail(550, "", Rcpt, "no such address here"), fail(550, "", Rcpt, "Unknown user")] },
        (TextKind::Unknown, Plain) => const { &[fail(553, "", Rcpt, "sorry, no mailbox here by that name. (#5.7.1)"), fail(550, "5.1.1", Rcpt, "User unknown")] },

        (TextKind::Full, Google) => const { &[fail(452, "4.2.2", Rcpt, "The email account that you tried to reach is over quota. Please direct\nthe recipient to https://support.google.com/mail/?p=OverQuotaTemp %x - gsmtp")] },
        (TextKind::Full, Microsoft) => const { &[fail(452, "4.2.2", Dot, "mailbox full; STOREDRV.Deliver: mailbox is over its quota")] },
        (TextKind::Full, Yahoo | Apple) => const { &[fail(452, "4.2.2", Rcpt, "<%r>: mailbox over quota")] },
        (TextKind::Full, Gmx | Exim) => const { &[fail(452, "4.2.2", Rcpt, "<%r> mailbox quota exceeded"), fail(552, "", Dot, "mailbox is full")] },
        (TextKind::Full, Postfix) => const { &[fail(452, "4.2.2", Rcpt, "<%r> Quota exceeded (mailbox for user is full)"), fail(552, "5.2.2", Rcpt, "<%r> Quota exceeded (mailbox for user is full)")] },
        (TextKind::Full, Plain) => const { &[fail(552, "", Rcpt, "sorry, that mailbox is over quota (#5.2.2)")] },

        (TextKind::Grey, _) => const { &[
            fail(450, "4.2.0", Rcpt, "<%r>: Recipient address rejected: Greylisted for 300 seconds"),
            fail(451, "4.7.1", Rcpt, "Please try again later: greylisting is in effect"),
            fail(450, "4.3.2", Rcpt, "Service currently unavailable"),
        ] },

        (TextKind::Spam, Google) => const { &[fail(550, "5.7.1", Dot, "Our system has detected that this message is likely suspicious due to\nthe nature of the content and/or the links within. Please visit\nhttps://support.google.com/mail/answer/188131 %x - gsmtp")] },
        (TextKind::Spam, Microsoft) => const { &[fail(550, "5.7.1", Dot, "Service unavailable, message rejected as high confidence spam [%X.prod.outlook.com]")] },
        (TextKind::Spam, Yahoo | Apple | Gmx) => const { &[fail(554, "5.7.1", Dot, "Message rejected as spam by content filtering")] },
        (TextKind::Spam, Postfix | Exim | Plain) => const { &[fail(554, "5.7.1", Dot, "Blocked by SpamAssassin"), fail(550, "", Dot, "High probability of spam")] },

        (TextKind::Rate, Google) => const { &[fail(450, "4.2.1", Rcpt, "The user you are trying to contact is receiving mail too quickly.\nPlease resend your message at a later time. If the user is able to\nreceive mail at that time, it will be delivered.\nhttps://support.google.com/mail/?p=ReceivingRate %x - gsmtp"), fail(421, "4.7.28", Dot, "Gmail has detected an unusual rate of email from your address [%i];\nyour mail has been temporarily rate limited.\nhttps://support.google.com/mail/?p=UnsolicitedRateLimitError %x - gsmtp")] },
        (TextKind::Rate, Microsoft) => const { &[fail(432, "4.3.2", Dot, "STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=%X]"), fail(421, "", Greeting, "RP-002 Unfortunately, some messages from %i weren't sent: too many connections, mail rate limits exceeded.")] },
        (TextKind::Rate, Yahoo) => const { &[fail(421, "", Mail, "Too many messages from %i; rate limit reached, slow down")] },
        (TextKind::Rate, Apple) => const { &[fail(421, "4.7.0", Greeting, "Too many concurrent connections from %i, rate limited")] },
        (TextKind::Rate, Gmx) => const { &[fail(421, "", Greeting, "Rate limit reached for %i, closing transmission channel"), fail(450, "", Mail, "Requested mail action not taken: too many mails, rate limit exceeded")] },
        (TextKind::Rate, Postfix | Exim | Plain) => const { &[fail(451, "", Mail, "Sender rate limit exceeded, try again later"), fail(421, "", Greeting, "Too many concurrent SMTP connections from %i; please try again later")] },

        (TextKind::Listed, Google) => const { &[fail(550, "5.7.1", Dot, "[%i] The IP you're using to send mail is listed in one or more block lists. Please visit\nhttps://support.google.com/mail/answer/10336 %x - gsmtp")] },
        (TextKind::Listed, Microsoft) => const { &[fail(550, "5.7.511", Mail, "Access denied, banned sender[%i]. To request removal from this list please forward this message (AS16012609) [%X.prod.protection.outlook.com]"), fail(550, "5.7.1", Rcpt, "Service unavailable, Client host [%i] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/%i (AS3130)")] },
        (TextKind::Listed, Yahoo) => const { &[fail(553, "5.7.1", Greeting, "[BL23] Connections not accepted from %i, the ip is in the list of Spamhaus PBL; see https://postmaster.yahooinc.com/550-bl23")] },
        (TextKind::Listed, Apple) => const { &[fail(554, "5.7.1", Rcpt, "Service unavailable; Client host [%i] blocked using proofpoint list; see https://ipcheck.proofpoint.com/?ip=%i")] },
        (TextKind::Listed, Gmx) => const { &[fail(550, "", Greeting, "Your address %i is on a block list, no SMTP service here")] },
        (TextKind::Listed, Postfix) => const { &[fail(550, "5.7.1", Rcpt, "Service unavailable; client [%i] blocked using b.barracudacentral.org"), fail(554, "5.7.1", Rcpt, "Service unavailable; Client host [%i] blocked using bl.spamcop.net; Blocked - see https://www.spamcop.net/bl.shtml?%i")] },
        (TextKind::Listed, Exim) => const { &[fail(550, "", Rcpt, "%i is in a black list at zen.spamhaus.org: https://www.spamhaus.org/sbl/query/SBLCSS")] },
        (TextKind::Listed, Plain) => const { &[fail(554, "", Greeting, "Transaction failed: your IP %i is blacklisted, see https://www.spamhaus.org/query/ip/%i")] },

        (TextKind::Ill, Google) => const { &[fail(451, "4.3.0", Mail, "Temporary server error. Please try again later. %x - gsmtp"), BROKEN] },
        (TextKind::Ill, Microsoft) => const { &[fail(451, "4.4.4", Rcpt, "Temporary server error. Please try again later. ATTR2 [%X.prod.protection.outlook.com]"), TIMED_OUT] },
        (TextKind::Ill, Yahoo | Apple) => const { &[fail(421, "4.3.2", Greeting, "System not accepting network messages, service temporarily unavailable"), NO_ROUTE] },
        (TextKind::Ill, Gmx) => const { &[fail(421, "", Greeting, "Service not available, closing transmission channel, come back later"), TIMED_OUT] },
        (TextKind::Ill, Postfix | Exim | Plain) => const { &[fail(451, "4.3.5", Rcpt, "Server configuration error"), TIMED_OUT, fail(451, "", Dot, "Temporary local problem - please try later")] },
    }
}
