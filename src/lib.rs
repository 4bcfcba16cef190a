//! smtplog reads the logs of mail servers, tallies every SMTP reply code, and says what to do about it.

#![cfg_attr(not(feature = "internals"), allow(unreachable_pub))]

mod catalog;
mod cli;
mod collections;
mod events;
mod explain;
mod input;
mod messages;
mod parse;
mod pipeline;
mod redact;
mod render;
mod report;
mod scan;
mod simd;
mod smtp;
mod storm;
mod tally;
mod trace;
mod watch;

/// What the program `smtplog` needs; not for others.
#[doc(hidden)]
pub mod command_line {
    pub use crate::cli::run::{Exit, run};
}

/// The door to the insides for benches, fuzz targets and integration tests; no promise is made about it.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub mod catalog {
        pub use crate::catalog::advice::{advice, find_advice};
        pub use crate::catalog::classify::rules::{MatchedOn, Rule, RuleId};
        pub use crate::catalog::reason::value_name;
        pub use crate::catalog::tables::{
            codes, enhanced_codes, find_code, find_enhanced, find_pair, reasons, tables_under,
        };
        pub use crate::catalog::{Catalog, RuleFile};
        pub mod classify {
            pub use crate::catalog::classify::{Classification, Classifier};
            pub use crate::catalog::reason::{Reason, Retry};
        }
        pub mod translation {
            pub use crate::catalog::translation::{Language, Translations};
        }
    }
    pub mod cli {
        pub mod args {
            pub use crate::cli::args::Cli;
        }
        pub mod command {
            pub use crate::cli::command::run;
        }
        pub mod config {
            pub use crate::cli::config::keys::{commands, options, variable};
            pub use crate::cli::config::paths::ConfigPaths;
            pub use crate::cli::config::{Invocation, resolve};
        }
    }
    pub mod input {
        pub mod checkpoint {
            pub mod state_file {
                pub use crate::input::checkpoint::state_file::StateFile;
            }
        }
        pub mod discover {
            pub use crate::input::discover::list;
        }
        pub mod follow {
            pub use crate::input::follow::{FollowedSource, poll};
            pub mod tail {
                pub use crate::input::follow::tail::FileTail;
            }
        }
        pub mod read {
            pub use crate::input::read::settings::{Progress, ReadOptions};
            pub use crate::input::source::Source;
            pub mod block {
                pub use crate::input::read::block::Block;
            }
        }
        pub mod rotation {
            pub use crate::input::rotation::LogNames;
        }
    }
    pub mod parse {
        pub mod header {
            pub use crate::parse::header::{LogLine, RawTimestamp};
        }
        pub mod header_cache {
            pub use crate::parse::header_cache::{HeaderCache, ParsedHeader};
        }
        pub mod mta {
            pub use crate::parse::mta::{message_fields, read};
            pub mod parsed {
                pub use crate::parse::mta::parsed::ParsedLine;
            }
            pub mod queue_record {
                pub use crate::parse::mta::queue_record::QueueStep;
            }
        }
        pub mod timestamp {
            pub use crate::parse::timestamp::TimestampParser;
        }
        pub mod unwrap {
            pub use crate::parse::unwrap::unwrap_line;
        }
        pub mod year {
            pub use crate::parse::year::{FileTimeResolution, LatestPossible};
        }
    }
    pub mod pipeline {
        pub mod calendar {
            pub use crate::pipeline::calendar::{Calendar, TimeResolution};
        }
        pub mod filter {
            pub use crate::pipeline::filter::{Filter, FilterArgs, LineFilter, TextPattern};
        }
        pub mod sink {
            pub use crate::pipeline::sink::EventSink;
        }
        pub mod time_range {
            pub use crate::pipeline::time_range::TimeRange;
        }
        pub mod walk {
            pub use crate::pipeline::walk::{WalkTask, step};
        }
    }
    pub mod render {
        pub mod text {
            pub mod page {
                pub use crate::render::text::page::TextStyle;
            }
        }
    }
    pub mod report {
        pub use crate::report::Row;
        pub mod storm {
            pub use crate::report::storm::StormPattern;
        }
    }
    pub mod scan {
        pub mod baseline {
            pub use crate::scan::baseline::file::open;
        }
        pub mod counter {
            pub use crate::scan::counter::CountPlan;
        }
        pub mod summary {
            pub use crate::scan::summary::seed;
        }
    }
    pub mod simd {
        pub mod newlines {
            pub use crate::simd::newlines::NewlineIter;
        }
    }
    pub mod smtp {
        pub mod event {
            pub use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
        }
        pub mod reply {
            pub use crate::smtp::reply::{Class, Code, EnhancedCode, Reply};
        }
    }
    pub mod tally {
        pub use crate::tally::Tally;
    }
    pub mod watch {
        pub mod alerts {
            pub use crate::watch::alerts::{AlertChange, KnownStorms};
        }
        pub mod draw {
            pub use crate::watch::draw::draw;
        }
        pub mod keys {
            pub use crate::watch::keys::KeyPress;
        }
        pub mod monitor {
            pub use crate::watch::monitor::{Monitor, MonitorOptions};
        }
        pub mod screen {
            pub use crate::watch::screen::{Screen, identity};
        }
        pub mod view {
            pub use crate::watch::view::sight;
        }
    }
}
