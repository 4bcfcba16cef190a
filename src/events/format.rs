//! Declares the formats of `smtplog events`.

use clap::ValueEnum;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum EventsFormat {
    Ndjson,
    Csv,
    Text,
}
