//! What a scan counts, and the empty tables that it starts with.

use foldhash::fast::RandomState;
use jiff::tz::TimeZone;

use super::redacted;
use crate::catalog::Catalog;
use crate::messages::block_tracker::{BlockTracker, HiddenDomain};
use crate::messages::key::KeyHasher;
use crate::messages::selection::Selection;
use crate::pipeline::filter::Filter;
use crate::redact::Redactor;
use crate::report::ReportExtent;
use crate::smtp::event::By;
use crate::tally::Tally;
use crate::tally::by_hour::Hourly;
use crate::tally::delays::Delays;
use crate::tally::group_by::GroupBy;
use crate::tally::part_options::TallyOptions;
use crate::tally::wire::KeptTally;

/// The options of a count.
#[derive(Clone, Copy)]
pub struct CountPlan<'a> {
    pub extent: ReportExtent,
    pub by: &'a [By],
    pub examples: usize,
    /// Count the events of each hour for a baseline.
    pub hourly: bool,
    /// Measure how long deliveries took.
    pub delays: bool,
    /// Count hand-offs like any other delivery.
    pub hops: bool,
    pub zone: &'a TimeZone,
    pub filter: &'a Filter,
    pub book: &'a Catalog,
    /// What is counted becomes a part, which other runs merge.
    pub for_parts: bool,
    /// Replaces people in what is counted. None: nothing is redacted.
    pub redactor: Option<Redactor>,
    /// The same for all threads of a run.
    pub hasher: &'a RandomState,
}

impl CountPlan<'_> {
    /// Whether lines have to wait until another line states the sender; a part cannot keep them.
    pub(crate) fn asks_for_senders(&self) -> bool {
        let by = |by: &By| matches!(by, By::Sender | By::User | By::Client);
        self.filter.asks_for_sender() || self.by.iter().any(by)
    }

    pub(super) fn tally(&self) -> Tally {
        let secret = self.redactor.map(|redactor| redactor.hash_secret());
        let groups = || {
            GroupBy::new(self.by, self.examples, self.zone.clone(), self.hasher.clone()).with_secret(secret)
        };
        let groups = (!self.by.is_empty()).then(groups);
        let mut tally = Tally::new(self.hasher.clone(), self.examples, groups);
        tally = tally.with_secret(secret).with_extent(self.extent);
        tally.hourly = self.hourly.then(Hourly::default);
        tally.delays = self.delays.then(Delays::default);
        tally
    }

    pub(super) fn keys(&self) -> KeyHasher {
        if !self.for_parts {
            return KeyHasher::new(self.hasher.clone());
        }
        KeyHasher::for_parts().with_secret(self.redactor.map(|redactor| redactor.hash_secret()))
    }

    /// How the tally of a part is read.
    pub(crate) fn tally_options(&self, files_before: usize) -> TallyOptions {
        let (hasher, zone) = (self.hasher.clone(), self.zone.clone());
        TallyOptions { hasher, examples: self.examples, zone, files_before }
    }

    /// The tally as a part keeps it.
    pub(super) fn kept(&self, tally: Tally) -> KeptTally {
        let hide = |tally| match self.redactor {
            Some(redactor) => redacted::tally(tally, redactor),
            None => tally,
        };
        KeptTally::of(tally, hide)
    }

    pub(super) fn block_tracker(&self) -> BlockTracker {
        let hidden_domain =
            |redactor| -> HiddenDomain { Box::new(move |domain| redacted::host(domain, redactor)) };
        BlockTracker::new(self.keys(), Selection::of(self.filter), self.hops)
            .with_hidden_domains(self.redactor.map(hidden_domain))
            .with_extent(self.extent)
    }
}
