//! Detects storms: bursts, silences and mail loops in the sampled series, and what their failures share.
//!
//! Promises: reads only samples, never a log. May use: storm/sample, and what storm may use.

pub(crate) mod burst;
pub(crate) mod cluster;
pub(crate) mod dataset;
pub(crate) mod expected_rate;
pub(crate) mod mail_loop;
pub(crate) mod merge;
pub(crate) mod profile;
pub(crate) mod silence;
