//! Writes the findings about a storm as plain English sentences.

use super::evidence::Finding;
use crate::catalog::provider::Providers;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::FactorShare;
use crate::storm::sample::points::{NumberedNames, shown};

/// The tables that turn values into words.
#[derive(Clone, Copy)]
pub(crate) struct Phrasing<'a> {
    pub names: &'a NumberedNames<'a>,
    pub providers: &'a Providers,
}

impl Phrasing<'_> {
    /// The value as text. `None`: no event of the share has one.
    pub(crate) fn value(self, share: &FactorShare) -> Option<String> {
        shown(share.dimension, share.value, self.names, self.providers)
    }

    pub(crate) fn sentence(self, finding: &Finding) -> String {
        match *finding {
            Finding::Share(share) => self.share(share),
            Finding::Reasons(phrase, share) => {
                format!("{} of the replies are about {phrase}", percent(share))
            }
            Finding::Few(phrase, share) if share <= 0.0 => format!("no reply is about {phrase}"),
            Finding::Few(phrase, share) => {
                format!("only {} of the replies are about {phrase}", percent(share))
            }
            Finding::Spread(dimension, count) => {
                format!("it spreads over at least {count} {}s", noun(dimension))
            }
            Finding::NoCommon(dimension) => format!("no single {} has most of it", noun(dimension)),
            Finding::Answered(share) => {
                format!("in {} of it two addresses answer each other", percent(share))
            }
            Finding::Near(share) => {
                format!("in {} of it the other side is a part of this mail system", percent(share))
            }
            Finding::NoBackend(share) => {
                format!("in {} of it the service that checks passwords does not answer", percent(share))
            }
            Finding::Temporary(share) => format!("{} of it is deferred, not refused", percent(share)),
        }
    }

    /// `all of it comes from login anna, which has 0.1% of the rest`
    fn share(self, share: FactorShare) -> String {
        let value = self.value(&share).unwrap_or_else(|| "none".to_owned());
        let inside = percent(share.inside);
        let what = match share.dimension {
            Dimension::Provider => format!("{inside} of it concerns the provider {value}"),
            Dimension::Domain => format!("{inside} of it concerns the domain {value}"),
            Dimension::Recipient => format!("{inside} of it is for {value}"),
            Dimension::Relay => format!("{inside} of it is about the server {value}"),
            Dimension::Instance => format!("{inside} of it comes from the instance {value}"),
            Dimension::Host => format!("{inside} of it comes from the host {value}"),
            Dimension::Sender if value == "<>" => format!("{inside} of it is bounces (the empty sender)"),
            Dimension::Sender => format!("{inside} of it has the sender {value}"),
            Dimension::User => format!("{inside} of it has the login {value}"),
            Dimension::Client => format!("{inside} of it comes from the client {value}"),
            Dimension::Reason | Dimension::Code | Dimension::Direction | Dimension::Stage => {
                format!("{inside} of it has the {} {value}", noun(share.dimension))
            }
        };
        format!("{what}, which has {} of the rest", percent(share.outside))
    }
}

/// A share as `all`, as `94%` or, below 1 %, as `0.3%`. Never a negative zero.
fn percent(share: f64) -> String {
    let share = share.max(0.0) * 100.0;
    match share {
        share if share >= 99.5 => "all".to_owned(),
        share if share > 0.0 && share < 0.95 => format!("{:.1}%", share.max(0.1)),
        _ => format!("{share:.0}%"),
    }
}

/// The word for a dimension; its plural takes an s.
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
