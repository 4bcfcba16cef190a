//! smtplog reads the logs of mail servers (Postfix, Exim, Sendmail, OpenSMTPD), counts every SMTP reply code, and says what
//! each one means, who has to act, and what to do. It is the library under the program of the same name.
//!
//! - [`scan()`] counts whole logs and returns a [`Report`], which serializes to the JSON of `smtplog scan --format json`.
//! - [`events()`] and [`events_from`] iterate over single delivery results and rejections, as `smtplog events` lists them.
//! - [`ReplyClassifier`] tells of one reply why the mail failed, whether a retry helps, and what to do.
//! - [`find_code`] and [`find_enhanced`] look a code up in the catalogue; [`codes`] lists the codes, [`reason_row`]
//!   describes a reason.
//!
//! ```
//! use smtplog::{Direction, LogOptions, Outcome, QueryContext, Reason, ReplyClassifier, ScanOptions};
//!
//! # std::env::set_current_dir(env!("CARGO_MANIFEST_DIR"))?;
//! let log = ["fixtures/postfix/out.log"];
//! let report = smtplog::scan(&log, &ScanOptions::default())?;
//! assert_eq!(report.totals.outbound.attempts, 133);
//! let full = report.rows.iter().find(|row| row.reason == Some(Reason::MailboxFull)).expect("in this log");
//! println!("{} times {}: {}", full.attempts, full.title, full.advice.as_deref().unwrap_or("nothing to do"));
//!
//! let mut bounced = 0;
//! for event in smtplog::events(&log, &LogOptions::default())? {
//!     let record = event?.record;
//!     bounced += u64::from(record.outcome == Outcome::Bounced && record.direction == Direction::Outbound);
//! }
//! assert_eq!(bounced, report.totals.outbound.bounced);
//!
//! let answer = ReplyClassifier::new().classify("552 5.2.2 Mailbox full", &QueryContext::default());
//! assert_eq!(answer.reason, Some(Reason::MailboxFull));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! The library reads logs and answers. It does not write, follow or change logs, opens no network connection, keeps no state
//! between calls, and prints nothing. Filters, storms, traces, baselines, rules of your own, redaction and every format but
//! JSON belong to the program. Text from a log is passed on as it was logged, with bytes that are not UTF-8 replaced by
//! U+FFFD: whoever shows it must escape it. It reads the files of Unix systems.
//!
//! # Stability
//!
//! The names of JSON fields only grow: a field may be added, none is renamed or removed within a schema. The Rust interface
//! follows semantic versioning, with two exceptions: structs of a report, a record or a catalogue row may get more fields and
//! enums more variants in a minor version, so match them with `..` and `_`; and the implementations of the traits of `clap`,
//! `schemars` and `strum` are not part of it. Reasons and advice get better in any version.

// Without the door, what only benches, fuzz targets and tests use looks unreachable or dead.
#![cfg_attr(not(feature = "internals"), allow(dead_code, unreachable_pub))]

mod catalog;
mod cli;
mod collections;
mod events;
mod explain;
mod input;
mod messages;
mod parse;
mod part;
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

pub use crate::catalog::cause::{Cause, CauseRow, cause_row, causes};
pub use crate::catalog::reason::{EnhancedPattern, Reason, Retry};
pub use crate::catalog::tables::{
    CodeRow, ContrastRow, EnhancedRow, ReasonRow, VariantRow, codes, enhanced_codes, find_code,
    find_enhanced, reason_row, reasons,
};
pub use crate::events::library::{Events, events, events_from};
pub use crate::explain::brief::ReplyClassifier;
pub use crate::explain::query::QueryContext;
pub use crate::parse::mta::server_warning::Severity;
pub use crate::pipeline::error::Error;
pub use crate::pipeline::logs::LogOptions;
pub use crate::report::event::{ListedEvent, Record, RecordContext};
pub use crate::report::explain::Brief;
pub use crate::report::{Report, Row};
pub use crate::scan::library::{ScanOptions, scan};
pub use crate::smtp::event::{By, Direction, Mta, Outcome, Stage};
pub use crate::smtp::reply::{Class, Code, EnhancedCode};
pub use crate::smtp::side::Side;

/// The parts of a [`Report`].
pub mod report_parts {
    pub use crate::catalog::action::Action;
    pub use crate::parse::mta::delay::Phase;
    pub use crate::report::{
        ActionSection, Change, CodeCount, Compared, DelayRow, DeliveredLater, DirectionTotals, DomainFault,
        ExpiredAfter, FailingDomain, FaultRow, FaultTotals, Full, GroupKey, GroupRow, GroupTable,
        HostDifference, HostRow, Hour, HourRefused, HourSent, Input, LastDay, MainPlace, Messages,
        MetCondition, MissingRow, NameCount, NameRow, NameTotals, PhaseRow, PlaceKind, Range, Refused,
        Remainder, Remainders, SenderCount, Sent, StageCount, StormLine, Totals, TrendAxis, Verdict,
        VerdictFinding, VerdictState, WarningRow,
    };
}

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
        pub use crate::catalog::advice::{Advice, AdviceRow, Fate, Situation, advice, advise, find_advice};
        pub use crate::catalog::classify::rule::{MatchedOn, Rule};
        pub use crate::catalog::classify::rules::RuleId;
        pub use crate::catalog::reason::value_name;
        pub use crate::catalog::tables::{
            codes, enhanced_codes, find_code, find_enhanced, find_pair, reasons, tables_under,
        };
        pub use crate::catalog::{Catalog, CatalogError, RuleFile};
        pub mod classify {
            pub use crate::catalog::classify::guess::{BUCKETS, FeatureSet, REASONS, guess_by};
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
    pub mod collections {
        pub mod seed {
            pub use crate::collections::seed::seed;
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
            pub use crate::input::read::decompress::Decoder;
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
            pub use crate::parse::mta::{login, message_fields, read};
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
    pub mod part {
        pub use crate::part::file::section_names;
    }
    pub mod pipeline {
        pub mod calendar {
            pub use crate::pipeline::calendar::{Calendar, TimeResolution};
        }
        pub mod filter {
            pub use crate::pipeline::filter::{CodePattern, Filter, FilterArgs, LineFilter, TextPattern};
        }
        pub mod sink {
            pub use crate::pipeline::sink::EventSink;
        }
        pub mod time_range {
            pub use crate::pipeline::time_range::{TimeRange, read};
        }
        pub mod walk {
            pub use crate::pipeline::walk::{WalkTask, step};
        }
    }
    pub mod redact {
        pub use crate::redact::Redactor;
    }
    pub mod render {
        pub mod csv {
            pub use crate::render::csv::event_sender;
        }
        pub mod markdown_explain {
            pub use crate::render::markdown_explain::escaped;
        }
        pub mod sanitize {
            pub use crate::render::sanitize::{printable, printable_json};
        }
        pub mod text {
            pub mod page {
                pub use crate::render::text::page::TextStyle;
            }
        }
    }
    pub mod report {
        pub use crate::report::{ReportExtent, Row};
        pub mod storm {
            pub use crate::report::storm::StormPattern;
        }
    }
    pub mod scan {
        pub mod baseline {
            pub use crate::scan::baseline::file::open;
        }
        pub mod count_plan {
            pub use crate::scan::count_plan::CountPlan;
        }
        pub mod verdict {
            pub use crate::scan::verdict::condition::Condition;
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
            pub use crate::watch::view::view;
        }
    }
}
