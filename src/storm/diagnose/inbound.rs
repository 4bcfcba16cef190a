//! Tells the pattern of a storm of rejections to clients.

use super::signature::{Case, Hints, Named, Reading, most, unknown};
use crate::catalog::classify::Reason;
use crate::report::storm::{Dimension, Pattern};
use crate::storm::detect::profile::Look;

/// Names a storm.
pub fn inbound(look: &Look, hints: Hints) -> Named {
    use Dimension as D;
    let case = Case::new(look);
    let auth = case.part(|reason| reason == Reason::SmtpAuth);
    let space = case.part(|reason| reason == Reason::SystemFull);
    let full = case.part(|reason| reason == Reason::MailboxFull);
    let looping = case.part(|reason| reason == Reason::RoutingLoop);
    let tls = case.part(|reason| reason == Reason::TlsFailure);
    let unknown_users = case.part(Reason::has_no_mailbox);
    let broken = case.part(|reason| reason == Reason::SystemError);
    let names = case.part(|reason| reason == Reason::DnsFailure);

    if auth >= 0.5 {
        let case = case.say(Reading::Reasons("a failed login", auth)).say_top(D::Client).say_top(D::User);
        let case = case.spread(D::User).spread(D::Client);
        return case.is(Pattern::PasswordGuessing, auth, &[D::Client, D::User, D::Reason]);
    }
    if space >= 0.5 {
        let case = case.say(Reading::Reasons("no space", space)).spread(D::Client);
        return case.is(Pattern::DiskFull, space, &[D::Reason, D::Code]);
    }
    if looping >= 0.5 {
        let case =
            case.say(Reading::Reasons("a mail loop", looping)).say_top(D::Client).say_top(D::Recipient);
        return case.is(Pattern::Loop, looping, &[D::Recipient, D::Client, D::Domain, D::Reason]);
    }
    if tls >= 0.5 {
        let case = case.say(Reading::Reasons("TLS", tls)).say_top(D::Client);
        return case.is(Pattern::Tls, tls, &[D::Client, D::Reason]);
    }
    if hints.null_sender >= 0.6 && look.strength(D::Sender) >= 0.5 {
        let case = case.say_top(D::Sender).spread(D::Client).say_top(D::Recipient);
        let case = case.not(Pattern::DictionaryAttack, Reading::Share(most(look, D::Sender)));
        return case.is(Pattern::Backscatter, hints.null_sender, &[D::Sender, D::Recipient, D::Domain]);
    }
    if unknown_users >= 0.5 {
        let case = case.say(Reading::Reasons("an address that is not there", unknown_users));
        let case = case.say_top(D::Client).spread(D::Recipient).spread(D::Client);
        let case = case.not(Pattern::Backscatter, Reading::NoCommon(D::Sender));
        return case.is(Pattern::DictionaryAttack, unknown_users, &[D::Client, D::Domain, D::Reason]);
    }
    if full >= 0.5 {
        let case = case.say(Reading::Reasons("a full mailbox", full)).say_top(D::Recipient);
        return case.is(Pattern::FullMailbox, full, &[D::Recipient, D::Domain, D::Reason]);
    }
    if broken >= 0.5 {
        let case = case.say(Reading::Reasons("an error of this server", broken)).spread(D::Client);
        return case.is(Pattern::DeadDownstream, broken, &[D::Reason, D::Code, D::Stage]);
    }
    if names >= 0.5 {
        let case = case.say(Reading::Reasons("no connection or no DNS", names)).spread(D::Client);
        return case.is(Pattern::OwnNetwork, names.min(0.7), &[D::Reason]);
    }
    unknown(case)
}
