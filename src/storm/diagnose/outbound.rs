//! Tells the pattern of a storm among mail that we send or deliver.

use super::signature::{Case, Hints, Named, Reading, most, unknown};
use crate::catalog::classify::Reason;
use crate::report::storm::{Dimension, Pattern};
use crate::storm::detect::profile::{Look, Share};

/// Names a storm; the signature that tells most comes first.
pub fn outbound(look: &Look, hints: Hints) -> Named {
    use Dimension as D;
    let case = Case::new(look);
    let strength = |dimension| look.strength(dimension);
    let (dead, judged, listing) = (
        case.part(Reason::is_dead_address),
        case.part(Reason::is_judgement),
        case.part(Reason::is_reputation),
    );
    let (network, limit) = (case.part(Reason::is_network), case.part(Reason::is_limit));
    let full = case.part(|reason| reason == Reason::MailboxFull);
    let space = case.part(|reason| reason == Reason::SystemFull);
    let site = strength(D::Provider).max(strength(D::Domain)).max(strength(D::Relay));
    let author = strength(D::User).max(strength(D::Sender));
    let looping = case.part(|reason| reason == Reason::RoutingLoop);
    let tls = case.part(|reason| reason == Reason::TlsFailure);

    if hints.answered >= 0.8 {
        return case.say(Reading::Answered(hints.answered)).say_top(D::Recipient).say_top(D::Sender).is(
            Pattern::Loop,
            hints.answered,
            &[D::Recipient, D::Sender],
        );
    }
    if looping >= 0.5 {
        return case.say(Reading::Reasons("a mail loop", looping)).say_top(D::Recipient).is(
            Pattern::Loop,
            looping,
            &[D::Recipient, D::Relay, D::Domain, D::Reason],
        );
    }
    if tls >= 0.5 {
        let case = case.say(Reading::Reasons("TLS", tls)).say_top(D::Provider).say_top(D::Domain);
        let case = case.not(Pattern::OwnNetwork, Reading::Few("no connection or no DNS", network));
        return case.is(Pattern::Tls, tls, &[D::Provider, D::Domain, D::Relay, D::Reason]);
    }
    if space >= 0.5 && hints.near >= 0.5 {
        return case.say(Reading::Reasons("no space", space)).say(Reading::Near(hints.near)).is(
            Pattern::DiskFull,
            space,
            &[D::Reason, D::Code],
        );
    }
    if full >= 0.5 {
        let case = case.say(Reading::Reasons("a full mailbox", full)).say_top(D::Recipient);
        return case.is(Pattern::FullMailbox, full, &[D::Recipient, D::Domain, D::Reason]);
    }
    if hints.null_sender >= 0.6 && strength(D::Sender) >= 0.5 && network < 0.5 {
        return case.say_top(D::Sender).spread(D::Domain).is(
            Pattern::Backscatter,
            hints.null_sender,
            &[D::Sender],
        );
    }
    if hints.near >= 0.6 && dead < 0.4 {
        return case
            .say(Reading::Near(hints.near))
            .say_top(D::Relay)
            .not(Pattern::ProviderOutage, Reading::Near(hints.near))
            .is(Pattern::DeadDownstream, hints.near, &[D::Relay, D::Reason, D::Code]);
    }
    // One sender's mail to one site that slows it down is that site's limit, whoever sends it.
    let is_one_site = site >= 0.9 && look.distinct(D::Domain) <= 2 || strength(D::Provider) >= 0.8;
    let spreads = look.distinct(D::Domain) >= 3 || look.distinct(D::Recipient) >= 10;
    if author >= 0.6 && spreads && network < 0.5 && !(is_one_site && limit >= 0.4) {
        let case = case.say_top(D::User).say_top(D::Sender).spread(D::Domain);
        if dead >= 0.5 && judged < 0.25 {
            return case
                .say(Reading::Reasons("an address that is not there", dead))
                .not(Pattern::StolenAccount, Reading::Few("spam, limits or reputation", judged))
                .is(Pattern::DeadList, author.min(dead + 0.2), &[D::Sender, D::User, D::Client]);
        }
        return case
            .say_top(D::Client)
            .say(Reading::Reasons("spam, limits or reputation", judged))
            .not(Pattern::ListedIp, Reading::Share(most_of_author(look)))
            .is(Pattern::StolenAccount, author, &[D::User, D::Sender, D::Client]);
    }
    if listing >= 0.5 {
        let case = case
            .say(Reading::Reasons("a block list, reputation or policy", listing))
            .spread(D::Domain)
            .say_top(D::Instance)
            .not(Pattern::StolenAccount, Reading::NoCommon(D::Sender));
        return case.is(Pattern::ListedIp, listing, &[D::Host, D::Instance, D::Reason]);
    }
    if limit >= 0.5 {
        let case = case.say(Reading::Reasons("a rate limit", limit)).say_top(D::Provider).say_top(D::Domain);
        let case = case.not(Pattern::StolenAccount, Reading::NoCommon(D::User));
        return case.is(Pattern::RateLimit, limit, &[D::Provider, D::Domain, D::Relay, D::Reason]);
    }
    if network >= 0.5 {
        let case = case.say(Reading::Reasons("no connection or no DNS", network));
        let next_hop = look.top(D::Relay).is_some_and(|relay| relay.inside >= 0.8)
            && look.distinct(D::Domain) >= 5
            && strength(D::Provider) < 0.7
            && strength(D::Domain) < 0.6;
        if next_hop {
            let case = case.say_top(D::Relay).spread(D::Domain);
            return case.is(Pattern::DeadDownstream, network, &[D::Relay, D::Reason]);
        }
        if site >= 0.65 {
            let case = case.say_top(D::Provider).say_top(D::Domain);
            let case = case.not(Pattern::OwnNetwork, Reading::Share(most_of_site(look)));
            return case.is(Pattern::ProviderOutage, network.min(site), &[D::Provider, D::Domain, D::Relay]);
        }
        let case = case.spread(D::Domain);
        let case = case.not(Pattern::ProviderOutage, Reading::NoCommon(D::Provider));
        return case.is(Pattern::OwnNetwork, network, &[D::Reason]);
    }
    if dead >= 0.6 && strength(D::Sender) >= 0.4 {
        let case = case.say(Reading::Reasons("an address that is not there", dead)).say_top(D::Sender);
        return case.is(Pattern::DeadList, dead.min(0.7), &[D::Sender, D::User, D::Client, D::Reason]);
    }
    if site >= 0.6 {
        let case = case.say_top(D::Provider).say_top(D::Domain).say_top(D::Reason);
        let case = case.not(Pattern::OwnNetwork, Reading::Share(most_of_site(look)));
        return case.is(Pattern::ProviderOutage, site, &[D::Provider, D::Domain, D::Relay]);
    }
    if judged >= 0.5 {
        let case = case.say(Reading::Reasons("spam, limits or reputation", judged)).spread(D::Domain);
        let case = case.not(Pattern::StolenAccount, Reading::NoCommon(D::Sender));
        return case.is(Pattern::ListedIp, judged.min(0.7), &[D::Host, D::Instance, D::Reason]);
    }
    unknown(case)
}

fn most_of_author(look: &Look) -> Share {
    let (user, sender) = (most(look, Dimension::User), most(look, Dimension::Sender));
    if user.inside >= 0.6 { user } else { sender }
}

fn most_of_site(look: &Look) -> Share {
    let sites =
        [Dimension::Provider, Dimension::Domain, Dimension::Relay].map(|dimension| most(look, dimension));
    let [provider, domain, relay] = sites;
    if provider.inside >= 0.6 {
        provider
    } else if domain.inside >= 0.6 {
        domain
    } else {
        relay
    }
}
