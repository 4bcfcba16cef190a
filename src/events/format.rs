//! Names the formats of the listing of events.

use clap::ValueEnum;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum EventsFormat {
    Ndjson,
    Csv,
    Text,
}
