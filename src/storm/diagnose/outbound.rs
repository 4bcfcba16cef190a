//! Tells the pattern of a storm among mail that we send or deliver.

use super::signature::{Diagnosis, Evidence, Finding, Signals, most, unknown};
use crate::catalog::classify::Reason;
use crate::report::storm::{Dimension, StormPattern};
use crate::storm::detect::profile::{FactorShare, Profile};

/// Names a storm; the signature that tells most comes first.
// The table of the patterns, in the order in which they are tried.
#[allow(clippy::too_many_lines)]
pub(crate) fn outbound(look: &Profile, hints: Signals) -> Diagnosis {
    use Dimension as D;
    let case = Evidence::new(look);
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
        return case.say(Finding::Answered(hints.answered)).say_top(D::Recipient).say_top(D::Sender).is(
            StormPattern::Loop,
            hints.answered,
            &[D::Recipient, D::Sender],
        );
    }
    if looping >= 0.5 {
        return case.say(Finding::Reasons("a mail loop", looping)).say_top(D::Recipient).is(
            StormPattern::Loop,
            looping,
            &[D::Recipient, D::Relay, D::Domain, D::Reason],
        );
    }
    if tls >= 0.5 {
        let case = case.say(Finding::Reasons("TLS", tls)).say_top(D::Provider).say_top(D::Domain);
        let case = case.not(StormPattern::OwnNetwork, Finding::Few("no connection or no DNS", network));
        return case.is(StormPattern::Tls, tls, &[D::Provider, D::Domain, D::Relay, D::Reason]);
    }
    if space >= 0.5 && hints.near >= 0.5 {
        return case.say(Finding::Reasons("no space", space)).say(Finding::Near(hints.near)).is(
            StormPattern::DiskFull,
            space,
            &[D::Reason, D::Code],
        );
    }
    if full >= 0.5 {
        let case = case.say(Finding::Reasons("a full mailbox", full)).say_top(D::Recipient);
        return case.is(StormPattern::FullMailbox, full, &[D::Recipient, D::Domain, D::Reason]);
    }
    if hints.null_sender >= 0.6 && strength(D::Sender) >= 0.5 && network < 0.5 {
        return case.say_top(D::Sender).spread(D::Domain).is(
            StormPattern::Backscatter,
            hints.null_sender,
            &[D::Sender],
        );
    }
    if hints.near >= 0.6 && dead < 0.4 {
        return case
            .say(Finding::Near(hints.near))
            .say_top(D::Relay)
            .not(StormPattern::ProviderOutage, Finding::Near(hints.near))
            .is(StormPattern::DeadDownstream, hints.near, &[D::Relay, D::Reason, D::Code]);
    }
    // One sender's mail to one site that slows it down is that site's limit, whoever sends it.
    let is_one_site = site >= 0.9 && look.distinct(D::Domain) <= 2 || strength(D::Provider) >= 0.8;
    let spreads = look.distinct(D::Domain) >= 3 || look.distinct(D::Recipient) >= 10;
    if author >= 0.6 && spreads && network < 0.5 && !(is_one_site && limit >= 0.4) {
        let case = case.say_top(D::User).say_top(D::Sender).spread(D::Domain);
        if dead >= 0.5 && judged < 0.25 {
            return case
                .say(Finding::Reasons("an address that is not there", dead))
                .not(StormPattern::StolenAccount, Finding::Few("spam, limits or reputation", judged))
                .is(StormPattern::DeadList, author.min(dead + 0.2), &[D::Sender, D::User, D::Client]);
        }
        return case
            .say_top(D::Client)
            .say(Finding::Reasons("spam, limits or reputation", judged))
            .not(StormPattern::ListedIp, Finding::Share(most_of_author(look)))
            .is(StormPattern::StolenAccount, author, &[D::User, D::Sender, D::Client]);
    }
    if listing >= 0.5 {
        let case = case
            .say(Finding::Reasons("a block list, reputation or policy", listing))
            .spread(D::Domain)
            .say_top(D::Instance)
            .not(StormPattern::StolenAccount, Finding::NoCommon(D::Sender));
        return case.is(StormPattern::ListedIp, listing, &[D::Host, D::Instance, D::Reason]);
    }
    if limit >= 0.5 {
        let case = case.say(Finding::Reasons("a rate limit", limit)).say_top(D::Provider).say_top(D::Domain);
        let case = case.not(StormPattern::StolenAccount, Finding::NoCommon(D::User));
        return case.is(StormPattern::RateLimit, limit, &[D::Provider, D::Domain, D::Relay, D::Reason]);
    }
    if network >= 0.5 {
        let case = case.say(Finding::Reasons("no connection or no DNS", network));
        let next_hop = look.top(D::Relay).is_some_and(|relay| relay.inside >= 0.8)
            && look.distinct(D::Domain) >= 5
            && strength(D::Provider) < 0.7
            && strength(D::Domain) < 0.6;
        if next_hop {
            let case = case.say_top(D::Relay).spread(D::Domain);
            return case.is(StormPattern::DeadDownstream, network, &[D::Relay, D::Reason]);
        }
        if site >= 0.65 {
            let case = case.say_top(D::Provider).say_top(D::Domain);
            let case = case.not(StormPattern::OwnNetwork, Finding::Share(most_of_site(look)));
            return case.is(
                StormPattern::ProviderOutage,
                network.min(site),
                &[D::Provider, D::Domain, D::Relay],
            );
        }
        let case = case.spread(D::Domain);
        let case = case.not(StormPattern::ProviderOutage, Finding::NoCommon(D::Provider));
        return case.is(StormPattern::OwnNetwork, network, &[D::Reason]);
    }
    if dead >= 0.6 && strength(D::Sender) >= 0.4 {
        let case = case.say(Finding::Reasons("an address that is not there", dead)).say_top(D::Sender);
        return case.is(StormPattern::DeadList, dead.min(0.7), &[D::Sender, D::User, D::Client, D::Reason]);
    }
    if site >= 0.6 {
        let case = case.say_top(D::Provider).say_top(D::Domain).say_top(D::Reason);
        let case = case.not(StormPattern::OwnNetwork, Finding::Share(most_of_site(look)));
        return case.is(StormPattern::ProviderOutage, site, &[D::Provider, D::Domain, D::Relay]);
    }
    if judged >= 0.5 {
        let case = case.say(Finding::Reasons("spam, limits or reputation", judged)).spread(D::Domain);
        let case = case.not(StormPattern::StolenAccount, Finding::NoCommon(D::Sender));
        return case.is(StormPattern::ListedIp, judged.min(0.7), &[D::Host, D::Instance, D::Reason]);
    }
    unknown(case)
}

fn most_of_author(look: &Profile) -> FactorShare {
    let (user, sender) = (most(look, Dimension::User), most(look, Dimension::Sender));
    if user.inside >= 0.6 { user } else { sender }
}

fn most_of_site(look: &Profile) -> FactorShare {
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
