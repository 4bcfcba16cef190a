//! Detects storms: bursts, silences and mail loops in the sampled series, and what their failures share.
//!
//! The statistic is the scan statistic of Kulldorff over windows of all lengths, see `docs/storms.md`. The files `likelihood`,
//! `clump`, `grid`, `window`, `recurrence` and `edges` are pure: they know minutes and weights, never mail.
//!
//! Promises: reads only samples, never a log. May use: storm/sample, and what storm may use.

pub(crate) mod clump;
pub(crate) mod curve;
pub(crate) mod dataset;
pub(crate) mod edges;
pub(crate) mod evidence_table;
pub(crate) mod grid;
pub(crate) mod likelihood;
pub(crate) mod listing;
pub(crate) mod living_time;
pub(crate) mod mail_loop;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod ongoing;
pub(crate) mod profile;
pub(crate) mod recurrence;
pub(crate) mod search;
pub(crate) mod silence;
pub(crate) mod view;
pub(crate) mod views;
pub(crate) mod volume;
pub(crate) mod weekend;
pub(crate) mod window;
