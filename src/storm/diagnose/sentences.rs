//! Sentences: what was read of a storm comes in, plain English goes out.

use super::signature::Reading;
use crate::catalog::provider::Providers;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::Share;
use crate::storm::sample::merge::Gathered;
use crate::storm::sample::points::shown;

/// What values are shown by.
#[derive(Clone, Copy)]
pub struct Speaker<'a> {
    pub gathered: &'a Gathered,
    pub providers: &'a Providers,
}

impl Speaker<'_> {
    /// None: the log does not say it.
    pub fn value(self, share: &Share) -> Option<String> {
        shown(share.dimension, share.value, self.gathered, self.providers)
    }

    pub fn sentence(self, reading: &Reading) -> String {
        match *reading {
            Reading::Share(share) => {
                let value = self.value(&share).unwrap_or_else(|| "none".to_owned());
                format!(
                    "{} of it has the {} {value}, {} of the rest",
                    percent(share.inside),
                    noun(share.dimension),
                    percent(share.outside)
                )
            }
            Reading::Reasons(what, share) => format!("{} of it tells of {what}", percent(share)),
            Reading::Few(what, share) => format!("only {} of it tells of {what}", percent(share)),
            Reading::Spread(dimension, count) => {
                format!("it spreads over {count} or more {}", nouns(dimension))
            }
            Reading::NoCommon(dimension) => format!("no {} has most of it", noun(dimension)),
            Reading::Answered(share) => {
                format!("with {} of it two addresses answer each other", percent(share))
            }
            Reading::Near(share) => {
                format!("for {} of it the other side is on this host or beside it", percent(share))
            }
        }
    }
}

/// `94%`, `0.3%`.
pub fn percent(share: f64) -> String {
    let share = share * 100.0;
    if share > 0.0 && share < 1.0 { format!("{:.1}%", share.max(0.1)) } else { format!("{share:.0}%") }
}

pub fn noun(dimension: Dimension) -> &'static str {
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
