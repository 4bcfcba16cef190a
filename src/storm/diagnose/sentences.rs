//! Sentences: what was read of a storm comes in, plain English goes out.

use super::signature::Finding;
use crate::catalog::provider::Providers;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::FactorShare;
use crate::storm::sample::merge::Samples;
use crate::storm::sample::points::shown;

/// What values are shown by.
#[derive(Clone, Copy)]
pub(crate) struct Phrasing<'a> {
    pub gathered: &'a Samples,
    pub providers: &'a Providers,
}

impl Phrasing<'_> {
    /// None: the log does not say it.
    pub(crate) fn value(self, share: &FactorShare) -> Option<String> {
        shown(share.dimension, share.value, self.gathered, self.providers)
    }

    pub(crate) fn sentence(self, reading: &Finding) -> String {
        match *reading {
            Finding::Share(share) => {
                let value = self.value(&share).unwrap_or_else(|| "none".to_owned());
                format!(
                    "{} of it has the {} {value}, {} of the rest",
                    percent(share.inside),
                    noun(share.dimension),
                    percent(share.outside)
                )
            }
            Finding::Reasons(what, share) => format!("{} of it tells of {what}", percent(share)),
            Finding::Few(what, share) => format!("only {} of it tells of {what}", percent(share)),
            Finding::Spread(dimension, count) => {
                format!("it spreads over {count} or more {}", nouns(dimension))
            }
            Finding::NoCommon(dimension) => format!("no {} has most of it", noun(dimension)),
            Finding::Answered(share) => {
                format!("with {} of it two addresses answer each other", percent(share))
            }
            Finding::Near(share) => {
                format!("for {} of it the other side is on this host or beside it", percent(share))
            }
        }
    }
}

/// `94%`, `0.3%`.
pub(crate) fn percent(share: f64) -> String {
    let share = share * 100.0;
    if share > 0.0 && share < 1.0 { format!("{:.1}%", share.max(0.1)) } else { format!("{share:.0}%") }
}

pub(crate) fn noun(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Provider => "provider",
        Dimension::Domain => "domain",
        Dimension::Recipient => "recipient",
        Dimension::Relay => "relay",
        Dimension::Instance => "instance",
        Dimension::Host => "host",
        Dimension::Sender => "sender",
        Dimension::User => "user",
        Dimension::Client => "client",
        Dimension::Reason => "reason",
        Dimension::Code => "code",
        Dimension::Direction => "direction",
        Dimension::Stage => "stage",
    }
}

fn nouns(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Provider => "providers",
        Dimension::Domain => "domains",
        Dimension::Recipient => "recipients",
        Dimension::Relay => "relays",
        Dimension::Instance => "instances",
        Dimension::Host => "hosts",
        Dimension::Sender => "senders",
        Dimension::User => "users",
        Dimension::Client => "clients",
        Dimension::Reason => "reasons",
        Dimension::Code => "codes",
        Dimension::Direction => "directions",
        Dimension::Stage => "stages",
    }
}
