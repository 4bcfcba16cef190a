//! Detects storms: bursts, silences and mail loops in the sampled series, and what their failures share.

pub mod burst;
pub mod cluster;
pub mod dataset;
pub mod expected_rate;
pub mod mail_loop;
pub mod merge;
pub mod profile;
pub mod silence;
