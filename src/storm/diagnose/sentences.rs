//! Writes the findings about a storm as plain English sentences.

use super::evidence::Finding;
use crate::catalog::provider::Providers;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::FactorShare;
use crate::storm::sample::merge::Samples;
use crate::storm::sample::points::shown;

/// The tables that turn values into words.
#[derive(Clone, Copy)]
pub(crate) struct Phrasing<'a> {
    pub samples: &'a Samples,
    pub providers: &'a Providers,
}

impl Phrasing<'_> {
    /// The value as text. `None`: no event of the share has one.
    pub(crate) fn value(self, share: &FactorShare) -> Option<String> {
        shown(share.dimension, share.value, self.samples, self.providers)
    }

    pub(crate) fn sentence(self, finding: &Finding) -> String {
        match *finding {
            Finding::Share(share) => {
                let value = self.value(&share).unwrap_or_else(|| "none".to_owned());
                format!(
                    "{} of it has the {} {value}, {} of the rest",
                    percent(share.inside),
                    noun(share.dimension),
                    percent(share.outside)
                )
            }
            Finding::Reasons(phrase, share) => format!("{} of it tells of {phrase}", percent(share)),
            Finding::Few(phrase, share) => format!("only {} of it tells of {phrase}", percent(share)),
            Finding::Spread(dimension, count) => {
                format!("it spreads over {count} or more {}s", noun(dimension))
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

/// A share as `94%` or, below 1 %, as `0.3%`.
fn percent(share: f64) -> String {
    let share = share * 100.0;
    if share > 0.0 && share < 1.0 { format!("{:.1}%", share.max(0.1)) } else { format!("{share:.0}%") }
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
