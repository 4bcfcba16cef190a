//! The table of storm signatures: for each pattern the measures that show it, the evidence and the dimensions of its cause.
//!
//! A new pattern costs its variant in `report::storm::StormPattern`, a row here, and its texts in `storms.toml`.

use super::evidence::{Evidence, Measures, Needs};
use super::reason_sets::{
    BAD_REPUTATION, DEAD_ADDRESS, DNS, FAILED_LOGIN, FULL_MAILBOX, GREYLISTED, JUDGEMENT, LIMIT, MAIL_LOOP,
    NETWORK, NO_MAILBOX, NO_SPACE, OWN_IDENTITY, RELAY_LOGIN, REPUTATION, SYSTEM_ERROR, THEIR_TROUBLE, TLS,
};
use crate::report::storm::Dimension as D;
use crate::report::storm::StormPattern;
use crate::storm::sample::points::MailFlow;

/// One way in which a pattern shows itself.
pub(crate) struct Signature {
    pub pattern: StormPattern,
    pub flow: MailFlow,
    /// The independent evidence without which the pattern is not told.
    pub needs: Needs,
    /// Whether the storm has this signature, given that no earlier row of the same flow matches.
    pub matches: fn(&Measures) -> bool,
    /// The share that the diagnosis rests on, 0 to 1; the confidence follows from it.
    pub share: fn(&Measures) -> f64,
    /// The sentences for the pattern, in order.
    pub because: &'static [Evidence],
    /// The patterns that the storm is easily mistaken for, and the sentence against each.
    pub not: &'static [(StormPattern, Evidence)],
    /// The dimensions that name the cause, the best first.
    pub causes: &'static [D],
}

/// One sender's mail goes to many recipients. Mail to a single site that limits it is that site's rate limit, whoever
/// sends it.
fn has_one_author(storm: &Measures) -> bool {
    let is_one_site =
        storm.site() >= 0.9 && storm.distinct(D::Domain) <= 2 || storm.strength(D::Provider) >= 0.8;
    let spreads = storm.distinct(D::Domain) >= 3 || storm.distinct(D::Recipient) >= 10;
    storm.author() >= 0.6
        && spreads
        && storm.share(NETWORK) < 0.5
        && storm.share(JUDGEMENT) + storm.share(DEAD_ADDRESS) >= 0.5
        && !(is_one_site && storm.share(LIMIT) >= 0.4)
}

/// Mail for many domains fails at one server: all of it goes through that server.
fn is_next_hop_down(storm: &Measures) -> bool {
    storm.share(THEIR_TROUBLE) + storm.share(TLS) + storm.share(RELAY_LOGIN) >= 0.5
        && storm.profile.top(D::Relay).is_some_and(|relay| relay.inside >= 0.8)
        && storm.distinct(D::Domain) >= 5
        && storm.strength(D::Provider) < 0.7
        && storm.strength(D::Domain) < 0.6
}

/// The server of the storm takes most of the mail that leaves at other times too.
fn carries_most(storm: &Measures) -> bool {
    storm.profile.top(D::Relay).is_some_and(|relay| relay.outside >= 0.3)
}

/// All signatures. Of each flow the first row that matches decides, so the more specific ones come first.
pub(crate) const SIGNATURES: &[Signature] = &[
    Signature {
        pattern: StormPattern::Loop,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.answered >= 0.8,
        share: |storm| storm.answered,
        because: &[Evidence::Answered, Evidence::Top(D::Recipient), Evidence::Top(D::Sender)],
        not: &[],
        causes: &[D::Recipient, D::Sender],
    },
    Signature {
        pattern: StormPattern::Loop,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(MAIL_LOOP) >= 0.5,
        share: |storm| storm.share(MAIL_LOOP),
        because: &[Evidence::Reasons(MAIL_LOOP), Evidence::Top(D::Recipient)],
        not: &[],
        causes: &[D::Recipient, D::Relay, D::Domain, D::Reason],
    },
    Signature {
        pattern: StormPattern::Greylisting,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(GREYLISTED) >= 0.5,
        share: |storm| storm.share(GREYLISTED),
        because: &[
            Evidence::Reasons(GREYLISTED),
            Evidence::Temporary,
            Evidence::Top(D::Domain),
            Evidence::Spread(D::Domain),
        ],
        not: &[],
        causes: &[D::Provider, D::Domain, D::Relay, D::Reason],
    },
    Signature {
        pattern: StormPattern::AuthenticationBroken,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(OWN_IDENTITY) >= 0.5,
        share: |storm| storm.share(OWN_IDENTITY),
        because: &[
            Evidence::Reasons(OWN_IDENTITY),
            Evidence::Top(D::Sender),
            Evidence::Top(D::Provider),
            Evidence::Spread(D::Domain),
        ],
        not: &[
            (StormPattern::ProviderOutage, Evidence::Few(THEIR_TROUBLE)),
            (StormPattern::StolenAccount, Evidence::NoCommon(D::User)),
        ],
        causes: &[D::Reason, D::Code, D::Provider],
    },
    Signature {
        pattern: StormPattern::Tls,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(TLS) >= 0.5,
        share: |storm| storm.share(TLS),
        because: &[Evidence::Reasons(TLS), Evidence::Top(D::Provider), Evidence::Top(D::Domain)],
        not: &[(StormPattern::OwnNetwork, Evidence::Few(NETWORK))],
        causes: &[D::Provider, D::Domain, D::Relay, D::Reason],
    },
    Signature {
        pattern: StormPattern::DiskFull,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(NO_SPACE) >= 0.5 && storm.near >= 0.5,
        share: |storm| storm.share(NO_SPACE),
        because: &[Evidence::Reasons(NO_SPACE), Evidence::Near],
        not: &[],
        causes: &[D::Reason, D::Code],
    },
    Signature {
        pattern: StormPattern::FullMailbox,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(FULL_MAILBOX) >= 0.5,
        share: |storm| storm.share(FULL_MAILBOX),
        because: &[Evidence::Reasons(FULL_MAILBOX), Evidence::Top(D::Recipient)],
        not: &[],
        causes: &[D::Recipient, D::Domain, D::Reason],
    },
    Signature {
        pattern: StormPattern::RelayhostDown,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| is_next_hop_down(storm) && storm.near < 0.6 && carries_most(storm),
        share: |storm| storm.share(THEIR_TROUBLE) + storm.share(TLS) + storm.share(RELAY_LOGIN),
        because: &[Evidence::Top(D::Relay), Evidence::Top(D::Reason), Evidence::Spread(D::Domain)],
        not: &[(StormPattern::ProviderOutage, Evidence::NoCommon(D::Domain))],
        causes: &[D::Relay],
    },
    Signature {
        pattern: StormPattern::RelayhostDown,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(RELAY_LOGIN) >= 0.5 && storm.strength(D::Relay) >= 0.6,
        share: |storm| storm.share(RELAY_LOGIN),
        because: &[Evidence::Reasons(RELAY_LOGIN), Evidence::Top(D::Relay)],
        not: &[],
        causes: &[D::Relay],
    },
    Signature {
        pattern: StormPattern::Backscatter,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| {
            // Notices to one sender about mail that it sent from here are no backscatter.
            let is_own = storm.own_notices >= 0.5 && storm.strength(D::Recipient) >= 0.6;
            storm.null_sender >= 0.6
                && !is_own
                && storm.strength(D::Sender) >= 0.5
                && storm.share(NETWORK) < 0.5
        },
        share: |storm| storm.null_sender,
        because: &[Evidence::Top(D::Sender), Evidence::Spread(D::Domain)],
        not: &[],
        causes: &[D::Sender],
    },
    // Mail of strangers for addresses that do not exist was taken here, and has to bounce to senders that may be forged.
    Signature {
        pattern: StormPattern::Backscatter,
        flow: MailFlow::Out,
        needs: Needs::Values(D::Recipient, 20),
        matches: |storm| {
            storm.share(NO_MAILBOX) >= 0.5
                && storm.near >= 0.5
                && storm.distinct(D::Sender) >= 10
                && storm.author() < 0.5
        },
        share: |storm| storm.share(NO_MAILBOX),
        because: &[Evidence::Reasons(NO_MAILBOX), Evidence::Top(D::Domain), Evidence::Spread(D::Recipient)],
        not: &[],
        causes: &[D::Domain, D::Relay],
    },
    Signature {
        pattern: StormPattern::DeadDownstream,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.near >= 0.6 && storm.share(DEAD_ADDRESS) < 0.4,
        share: |storm| storm.near,
        because: &[Evidence::Near, Evidence::Top(D::Relay)],
        not: &[(StormPattern::ProviderOutage, Evidence::Near)],
        causes: &[D::Relay, D::Reason, D::Code],
    },
    Signature {
        pattern: StormPattern::DeadList,
        flow: MailFlow::Out,
        needs: Needs::Values(D::Recipient, 8),
        matches: |storm| {
            has_one_author(storm) && storm.share(DEAD_ADDRESS) >= 0.5 && storm.share(JUDGEMENT) < 0.25
        },
        share: |storm| storm.author().min(storm.share(DEAD_ADDRESS) + 0.2),
        because: &[
            Evidence::Top(D::User),
            Evidence::Top(D::Sender),
            Evidence::Spread(D::Domain),
            Evidence::Reasons(DEAD_ADDRESS),
        ],
        not: &[(StormPattern::StolenAccount, Evidence::Few(JUDGEMENT))],
        causes: &[D::Sender, D::User, D::Client],
    },
    Signature {
        pattern: StormPattern::StolenAccount,
        flow: MailFlow::Out,
        needs: Needs::Values(D::Recipient, 5),
        matches: has_one_author,
        share: |storm| storm.author(),
        because: &[
            Evidence::Top(D::User),
            Evidence::Top(D::Sender),
            Evidence::Spread(D::Domain),
            Evidence::Top(D::Client),
            Evidence::Reasons(JUDGEMENT),
        ],
        not: &[(StormPattern::ListedIp, Evidence::Main(&[D::User, D::Sender]))],
        causes: &[D::User, D::Sender, D::Client],
    },
    Signature {
        pattern: StormPattern::Reputation,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(BAD_REPUTATION) >= 0.5 && storm.temporary >= 0.6,
        share: |storm| storm.share(BAD_REPUTATION),
        because: &[Evidence::Reasons(BAD_REPUTATION), Evidence::Temporary, Evidence::Top(D::Provider)],
        not: &[
            (StormPattern::ProviderOutage, Evidence::Few(THEIR_TROUBLE)),
            (StormPattern::StolenAccount, Evidence::NoCommon(D::User)),
        ],
        causes: &[D::Provider, D::Domain, D::Relay, D::Host, D::Reason],
    },
    Signature {
        pattern: StormPattern::ListedIp,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(REPUTATION) >= 0.5,
        share: |storm| storm.share(REPUTATION),
        because: &[Evidence::Reasons(REPUTATION), Evidence::Spread(D::Domain), Evidence::Top(D::Instance)],
        not: &[(StormPattern::StolenAccount, Evidence::NoCommon(D::Sender))],
        causes: &[D::Host, D::Instance, D::Reason],
    },
    Signature {
        pattern: StormPattern::RateLimit,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(LIMIT) >= 0.5,
        share: |storm| storm.share(LIMIT),
        because: &[Evidence::Reasons(LIMIT), Evidence::Top(D::Provider), Evidence::Top(D::Domain)],
        not: &[(StormPattern::StolenAccount, Evidence::NoCommon(D::User))],
        causes: &[D::Provider, D::Domain, D::Relay, D::Reason],
    },
    Signature {
        pattern: StormPattern::DeadDownstream,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: is_next_hop_down,
        share: |storm| storm.share(NETWORK),
        because: &[Evidence::Reasons(NETWORK), Evidence::Top(D::Relay), Evidence::Spread(D::Domain)],
        not: &[],
        causes: &[D::Relay, D::Reason],
    },
    Signature {
        pattern: StormPattern::ProviderOutage,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(NETWORK) >= 0.5 && storm.site() >= 0.65 && storm.ours < 0.5,
        share: |storm| storm.share(NETWORK).min(storm.site()),
        because: &[Evidence::Reasons(NETWORK), Evidence::Top(D::Provider), Evidence::Top(D::Domain)],
        not: &[(StormPattern::OwnNetwork, Evidence::Main(&[D::Provider, D::Domain, D::Relay]))],
        causes: &[D::Provider, D::Domain, D::Relay],
    },
    Signature {
        pattern: StormPattern::OwnNetwork,
        flow: MailFlow::Out,
        needs: Needs::Values(D::Domain, 3),
        matches: |storm| storm.share(NETWORK) >= 0.5,
        share: |storm| storm.share(NETWORK),
        because: &[Evidence::Reasons(NETWORK), Evidence::Spread(D::Domain)],
        not: &[(StormPattern::ProviderOutage, Evidence::NoCommon(D::Provider))],
        causes: &[D::Reason],
    },
    Signature {
        pattern: StormPattern::DeadList,
        flow: MailFlow::Out,
        needs: Needs::Values(D::Recipient, 8),
        matches: |storm| storm.share(DEAD_ADDRESS) >= 0.6 && storm.strength(D::Sender) >= 0.4,
        share: |storm| storm.share(DEAD_ADDRESS).min(0.7),
        because: &[Evidence::Reasons(DEAD_ADDRESS), Evidence::Top(D::Sender)],
        not: &[],
        causes: &[D::Sender, D::User, D::Client, D::Reason],
    },
    Signature {
        pattern: StormPattern::ProviderOutage,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.site() >= 0.6 && storm.share(THEIR_TROUBLE) >= 0.5 && storm.ours < 0.5,
        share: |storm| storm.site().min(storm.share(THEIR_TROUBLE)),
        because: &[Evidence::Reasons(THEIR_TROUBLE), Evidence::Top(D::Provider), Evidence::Top(D::Domain)],
        not: &[(StormPattern::OwnNetwork, Evidence::Main(&[D::Provider, D::Domain, D::Relay]))],
        causes: &[D::Provider, D::Domain, D::Relay],
    },
    Signature {
        pattern: StormPattern::ListedIp,
        flow: MailFlow::Out,
        needs: Needs::Messages(5),
        matches: |storm| storm.share(JUDGEMENT) >= 0.5,
        share: |storm| storm.share(JUDGEMENT).min(0.7),
        because: &[Evidence::Reasons(JUDGEMENT), Evidence::Spread(D::Domain)],
        not: &[(StormPattern::StolenAccount, Evidence::NoCommon(D::Sender))],
        causes: &[D::Host, D::Instance, D::Reason],
    },
    Signature {
        pattern: StormPattern::DeadDownstream,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.no_backend >= 0.5,
        share: |storm| storm.no_backend,
        because: &[Evidence::NoBackend],
        not: &[(StormPattern::PasswordGuessing, Evidence::NoBackend)],
        causes: &[D::Reason, D::Code],
    },
    Signature {
        pattern: StormPattern::PasswordGuessing,
        flow: MailFlow::In,
        needs: Needs::Attempts(10),
        matches: |storm| storm.share(FAILED_LOGIN) >= 0.5,
        share: |storm| storm.share(FAILED_LOGIN),
        because: &[
            Evidence::Reasons(FAILED_LOGIN),
            Evidence::Top(D::Client),
            Evidence::Top(D::User),
            Evidence::Spread(D::User),
            Evidence::Spread(D::Client),
        ],
        not: &[],
        causes: &[D::Client, D::User, D::Reason],
    },
    Signature {
        pattern: StormPattern::DiskFull,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(NO_SPACE) >= 0.5,
        share: |storm| storm.share(NO_SPACE),
        because: &[Evidence::Reasons(NO_SPACE), Evidence::Spread(D::Client)],
        not: &[],
        causes: &[D::Reason, D::Code],
    },
    Signature {
        pattern: StormPattern::Loop,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(MAIL_LOOP) >= 0.5,
        share: |storm| storm.share(MAIL_LOOP),
        because: &[Evidence::Reasons(MAIL_LOOP), Evidence::Top(D::Client), Evidence::Top(D::Recipient)],
        not: &[],
        causes: &[D::Recipient, D::Client, D::Domain, D::Reason],
    },
    Signature {
        pattern: StormPattern::Tls,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(TLS) >= 0.5,
        share: |storm| storm.share(TLS),
        because: &[Evidence::Reasons(TLS), Evidence::Top(D::Client)],
        not: &[],
        causes: &[D::Client, D::Reason],
    },
    Signature {
        pattern: StormPattern::Backscatter,
        flow: MailFlow::In,
        needs: Needs::Values(D::Client, 3),
        matches: |storm| storm.null_sender >= 0.6 && storm.strength(D::Sender) >= 0.5,
        share: |storm| storm.null_sender,
        because: &[Evidence::Top(D::Sender), Evidence::Spread(D::Client), Evidence::Top(D::Recipient)],
        not: &[(StormPattern::DictionaryAttack, Evidence::Main(&[D::Sender]))],
        causes: &[D::Sender, D::Recipient, D::Domain],
    },
    Signature {
        pattern: StormPattern::DictionaryAttack,
        flow: MailFlow::In,
        needs: Needs::Values(D::Recipient, 8),
        matches: |storm| storm.share(NO_MAILBOX) >= 0.5,
        share: |storm| storm.share(NO_MAILBOX),
        because: &[
            Evidence::Reasons(NO_MAILBOX),
            Evidence::Top(D::Client),
            Evidence::Spread(D::Recipient),
            Evidence::Spread(D::Client),
        ],
        not: &[(StormPattern::Backscatter, Evidence::NoCommon(D::Sender))],
        causes: &[D::Client, D::Domain, D::Reason],
    },
    Signature {
        pattern: StormPattern::FullMailbox,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(FULL_MAILBOX) >= 0.5,
        share: |storm| storm.share(FULL_MAILBOX),
        because: &[Evidence::Reasons(FULL_MAILBOX), Evidence::Top(D::Recipient)],
        not: &[],
        causes: &[D::Recipient, D::Domain, D::Reason],
    },
    Signature {
        pattern: StormPattern::DeadDownstream,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(SYSTEM_ERROR) >= 0.5,
        share: |storm| storm.share(SYSTEM_ERROR),
        because: &[Evidence::Reasons(SYSTEM_ERROR), Evidence::Spread(D::Client)],
        not: &[],
        causes: &[D::Reason, D::Code, D::Stage],
    },
    Signature {
        pattern: StormPattern::OwnNetwork,
        flow: MailFlow::In,
        needs: Needs::Attempts(5),
        matches: |storm| storm.share(DNS) >= 0.5,
        share: |storm| storm.share(DNS).min(0.7),
        because: &[Evidence::Reasons(DNS), Evidence::Spread(D::Client)],
        not: &[],
        causes: &[D::Reason],
    },
];

/// The diagnosis of a storm that matches no row, whatever its flow.
pub(crate) const UNKNOWN: Signature = Signature {
    pattern: StormPattern::Unknown,
    flow: MailFlow::Out,
    needs: Needs::Attempts(0),
    matches: |_| true,
    share: |_| 0.0,
    because: &[Evidence::Top(D::Reason), Evidence::Top(D::Code)],
    not: &[],
    causes: &[D::User, D::Sender, D::Client, D::Provider, D::Domain, D::Relay, D::Reason, D::Code],
};
