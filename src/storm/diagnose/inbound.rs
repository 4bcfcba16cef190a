//! Tells the pattern of a storm of rejections to clients.

use super::signature::{Diagnosis, Evidence, Finding, Signals, most, unknown};
use crate::catalog::classify::Reason;
use crate::report::storm::{Dimension, StormPattern};
use crate::storm::detect::profile::Profile;

/// Names a storm.
pub(crate) fn inbound(look: &Profile, hints: Signals) -> Diagnosis {
    use Dimension as D;
    let case = Evidence::new(look);
    let auth = case.part(|reason| reason == Reason::SmtpAuth);
    let space = case.part(|reason| reason == Reason::SystemFull);
    let full = case.part(|reason| reason == Reason::MailboxFull);
    let looping = case.part(|reason| reason == Reason::RoutingLoop);
    let tls = case.part(|reason| reason == Reason::TlsFailure);
    let unknown_users = case.part(Reason::has_no_mailbox);
    let broken = case.part(|reason| reason == Reason::SystemError);
    let names = case.part(|reason| reason == Reason::DnsFailure);

    if auth >= 0.5 {
        let case = case.say(Finding::Reasons("a failed login", auth)).say_top(D::Client).say_top(D::User);
        let case = case.spread(D::User).spread(D::Client);
        return case.is(StormPattern::PasswordGuessing, auth, &[D::Client, D::User, D::Reason]);
    }
    if space >= 0.5 {
        let case = case.say(Finding::Reasons("no space", space)).spread(D::Client);
        return case.is(StormPattern::DiskFull, space, &[D::Reason, D::Code]);
    }
    if looping >= 0.5 {
        let case =
            case.say(Finding::Reasons("a mail loop", looping)).say_top(D::Client).say_top(D::Recipient);
        return case.is(StormPattern::Loop, looping, &[D::Recipient, D::Client, D::Domain, D::Reason]);
    }
    if tls >= 0.5 {
        let case = case.say(Finding::Reasons("TLS", tls)).say_top(D::Client);
        return case.is(StormPattern::Tls, tls, &[D::Client, D::Reason]);
    }
    if hints.null_sender >= 0.6 && look.strength(D::Sender) >= 0.5 {
        let case = case.say_top(D::Sender).spread(D::Client).say_top(D::Recipient);
        let case = case.not(StormPattern::DictionaryAttack, Finding::Share(most(look, D::Sender)));
        return case.is(StormPattern::Backscatter, hints.null_sender, &[D::Sender, D::Recipient, D::Domain]);
    }
    if unknown_users >= 0.5 {
        let case = case.say(Finding::Reasons("an address that is not there", unknown_users));
        let case = case.say_top(D::Client).spread(D::Recipient).spread(D::Client);
        let case = case.not(StormPattern::Backscatter, Finding::NoCommon(D::Sender));
        return case.is(StormPattern::DictionaryAttack, unknown_users, &[D::Client, D::Domain, D::Reason]);
    }
    if full >= 0.5 {
        let case = case.say(Finding::Reasons("a full mailbox", full)).say_top(D::Recipient);
        return case.is(StormPattern::FullMailbox, full, &[D::Recipient, D::Domain, D::Reason]);
    }
    if broken >= 0.5 {
        let case = case.say(Finding::Reasons("an error of this server", broken)).spread(D::Client);
        return case.is(StormPattern::DeadDownstream, broken, &[D::Reason, D::Code, D::Stage]);
    }
    if names >= 0.5 {
        let case = case.say(Finding::Reasons("no connection or no DNS", names)).spread(D::Client);
        return case.is(StormPattern::OwnNetwork, names.min(0.7), &[D::Reason]);
    }
    unknown(case)
}
