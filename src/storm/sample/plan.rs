//! Plans the sampling of a walk: a sampler for each thread, and the merger of their blocks.

use foldhash::fast::RandomState;

use super::block_sample::BlockSample;
use super::collector::Sampler;
use super::merge::SampleMerger;
use crate::messages::key::KeyHasher;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::Aggregation;

/// Collects the samples in which storms are found, beside whatever else a walk counts.
pub(crate) struct SamplePlan<'a> {
    /// The same for all threads.
    pub seed: RandomState,
    pub filter: &'a Filter,
}

impl<'a> Aggregation for SamplePlan<'a> {
    type Sink = Sampler<'a>;
    type Total = SampleMerger<'a>;

    fn sink(&self) -> Sampler<'a> {
        Sampler::new(KeyHasher::new(self.seed.clone()), self.filter)
    }

    fn start(&self) -> SampleMerger<'a> {
        SampleMerger::new(self.seed.clone(), self.filter)
    }

    fn fold(merger: &mut SampleMerger<'a>, block: BlockSample) {
        merger.fold(&block);
    }

    fn left_out(merger: &SampleMerger<'a>) -> u64 {
        merger.left_out()
    }
}
