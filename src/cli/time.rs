//! Builds the calendar and the time range from the options.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::InputArgs;
use super::error::CliError;
use crate::pipeline::calendar::{Calendar, TimeResolution, local_zone};
use crate::pipeline::time_range::{self, TimeRange};

pub(crate) fn calendar(args: &InputArgs) -> Result<Calendar, CliError> {
    let zone = match args.tz.as_deref() {
        _ if args.utc => TimeZone::UTC,
        None => local_zone(),
        Some(name) => TimeZone::get(name).map_err(|_| CliError::Zone { name: name.to_owned() })?,
    };
    let now = args.now.unwrap_or_else(Timestamp::now);
    Ok(Calendar { zone, year: args.year, now, resolution: TimeResolution::default() })
}

pub(crate) fn window(args: &InputArgs, calendar: &Calendar) -> Result<TimeRange, CliError> {
    let now = calendar.now.to_zoned(calendar.zone.clone());
    let read = |option: &'static str, text: Option<&String>| {
        let wrong = |text: &String| CliError::When { option, text: text.clone() };
        text.map(|text| time_range::read(text, &now).ok_or_else(|| wrong(text))).transpose()
    };
    let window = TimeRange {
        since: read("--since", args.since.as_ref())?,
        until: read("--until", args.until.as_ref())?,
    };
    match (window.since, window.until) {
        (Some(since), Some(until)) if since >= until => {
            let shown = |at: Timestamp| at.to_zoned(calendar.zone.clone()).strftime("%F %T %:z").to_string();
            Err(CliError::TimeRange { since: shown(since), until: shown(until) })
        }
        _ => Ok(window),
    }
}
