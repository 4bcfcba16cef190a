//! Plans the sampling of a walk: a sampler for each thread, and the merger of their blocks.

use foldhash::fast::RandomState;

use super::block_sample::BlockSample;
use super::collector::Sampler;
use super::merge::SampleMerger;
use super::shared_thresholds::SharedThresholds;
use super::thresholds::Thresholds;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::Aggregation;

/// Collects the samples in which storms are found, beside whatever else a walk counts.
pub(crate) struct SamplePlan<'a> {
    /// The same for all threads.
    seed: RandomState,
    filter: &'a Filter,
    thresholds: SharedThresholds,
    /// The samples become a part, which other runs merge.
    for_part: bool,
    /// Example lines are wanted, which only the report of `storm` shows.
    with_examples: bool,
}

impl<'a> SamplePlan<'a> {
    pub(crate) fn new(seed: RandomState, filter: &'a Filter, for_part: bool, with_examples: bool) -> Self {
        Self { seed, filter, thresholds: SharedThresholds::default(), for_part, with_examples }
    }
}

impl<'a> Aggregation for SamplePlan<'a> {
    type Sink = Sampler<'a>;
    type Total = SampleMerger<'a>;

    fn sink(&self) -> Sampler<'a> {
        Sampler::new(self.filter, self.thresholds.clone(), self.with_examples)
    }

    fn start(&self) -> SampleMerger<'a> {
        // A log is read again if its dates were wrong.
        self.thresholds.set(Thresholds::default());
        let merger = SampleMerger::new(self.seed.clone(), self.filter, self.thresholds.clone());
        if self.for_part { merger.for_parts() } else { merger }
    }

    fn fold(merger: &mut SampleMerger<'a>, block: BlockSample) {
        merger.fold(block);
    }

    fn left_out(merger: &SampleMerger<'a>) -> u64 {
        merger.left_out()
    }
}
