//! Plans the sampling of a walk: a sampler for each thread, and the merger of their blocks.

use foldhash::fast::RandomState;

use super::block_sample::BlockSample;
use super::collector::Sampler;
use super::level::SharedLevel;
use super::merge::SampleMerger;
use crate::messages::key::KeyHasher;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::Aggregation;

/// Collects the samples in which storms are found, beside whatever else a walk counts.
pub(crate) struct SamplePlan<'a> {
    /// The same for all threads.
    seed: RandomState,
    filter: &'a Filter,
    level: SharedLevel,
}

impl<'a> SamplePlan<'a> {
    pub(crate) fn new(seed: RandomState, filter: &'a Filter) -> Self {
        Self { seed, filter, level: SharedLevel::default() }
    }
}

impl<'a> Aggregation for SamplePlan<'a> {
    type Sink = Sampler<'a>;
    type Total = SampleMerger<'a>;

    fn sink(&self) -> Sampler<'a> {
        Sampler::new(KeyHasher::new(self.seed.clone()), self.filter, self.level.clone())
    }

    fn start(&self) -> SampleMerger<'a> {
        // A log is read again if its dates were wrong.
        self.level.restart();
        SampleMerger::new(self.seed.clone(), self.filter, self.level.clone())
    }

    fn fold(merger: &mut SampleMerger<'a>, block: BlockSample) {
        merger.fold(&block);
    }

    fn left_out(merger: &SampleMerger<'a>) -> u64 {
        merger.left_out()
    }
}
