//! Finds out whether the period that was asked for has mail lines up to its end. A log without any is not "all is well".

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::pipeline::time_range::TimeRange;
use crate::report::{Report, VerdictFinding, VerdictState};

/// No shorter gap is a silence, in minutes: a small server may have no mail for an hour.
const SHORTEST: i64 = 120;

/// What was asked for.
#[derive(Clone, Copy)]
pub(crate) struct AskedPeriod<'a> {
    pub window: TimeRange,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    /// The first and the last minute of the mail lines, counted from 1970-01-01T00:00Z. None: no mail line has a valid
    /// timestamp.
    pub minutes: Option<(i64, i64)>,
    /// Only lines that are new since an earlier run were read, so the logs say little about the time before them.
    pub is_part: bool,
    /// The verdict is for a scheduled job or a monitor: a silence is the first finding.
    pub is_scheduled: bool,
}

impl AskedPeriod<'_> {
    /// The last minute of the period: without an end it is judged until now. None: nothing says how long it is.
    fn end(&self) -> Option<i64> {
        let until = self.window.until.filter(|until| *until <= self.now);
        (!self.is_part).then(|| minute(until.unwrap_or(self.now)))
    }

    /// The first and the last minute of the period, if both are known.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        let end = self.end()?;
        let start = self.window.since.map(minute).or(self.minutes.map(|(first, _)| first));
        Some((start.unwrap_or(end - 24 * 60), end)).filter(|(start, end)| start < end)
    }

    /// The minute since which no mail line was written, and the end of the period. None: there is no silence.
    pub(crate) fn silence(&self, report: &Report) -> Option<(Option<i64>, i64)> {
        let end = self.end()?;
        let Some((_, last)) = self.minutes.filter(|_| report.input.mail > 0) else {
            // Lines without timestamps say nothing about the period.
            return (report.input.mail == 0).then(|| (self.window.since.map(minute), end));
        };
        let longest = longest_gap(report);
        (end - last > SHORTEST.max(2 * longest)).then_some((Some(last), end))
    }
}

/// The first and the last minute of a period in which no message was taken, delivered or tried. `None`: there was one, or the
/// report cannot tell: it is filtered, or about new lines only.
fn standstill(report: &Report, asked: &AskedPeriod) -> Option<(i64, i64)> {
    let totals = &report.totals;
    let moved = totals.outbound.attempts + totals.local.attempts;
    let moved = moved + totals.messages.received + totals.messages.messages;
    if moved > 0 || !report.input.filter.is_empty() || report.input.mail == 0 {
        return None;
    }
    asked.bounds().filter(|(start, end)| end - start >= SHORTEST)
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

/// The longest time without events between two events, in minutes, to the hour.
fn longest_gap(report: &Report) -> i64 {
    let hours: Vec<i64> =
        report.timeline.iter().map(|hour| hour.start.timestamp().as_second().div_euclid(3600)).collect();
    let gaps = hours.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?));
    gaps.max().unwrap_or(0).saturating_sub(1) * 60
}

/// The finding for a silence, or for lines without any message: watch, or bad if a baseline says how much mail there usually is.
pub(crate) fn finding(report: &Report, asked: &AskedPeriod) -> Option<VerdictFinding> {
    let silence = asked.silence(report);
    let is_standstill = silence.is_none();
    let still = || standstill(report, asked).map(|(start, end)| (Some(start), end));
    let (since, end) = silence.or_else(still)?;
    let usual = report.baseline.as_ref().map(|baseline| baseline.delivered.usual.round());
    let usual =
        usual.filter(|usual| *usual >= 1.0).map(|usual| indicatif::HumanCount(usual as u64).to_string());
    let shown = |minute: i64| {
        let at = Timestamp::from_second(minute * 60).unwrap_or(asked.now).to_zoned(asked.zone.clone());
        at.strftime("%a %-d %b %H:%M").to_string()
    };
    let is_now = Timestamp::from_second(end * 60)
        .is_ok_and(|end| asked.now.checked_sub(2.minutes()).is_ok_and(|before| end >= before));
    let what = if is_standstill { "no mail taken or delivered" } else { "no mail line" };
    let mut text = match since {
        None => format!("{what} in the log"),
        Some(since) if since > minute(asked.now) => {
            format!("the period asked for begins {}, which is still to come", shown(since))
        }
        Some(since) if is_now => format!("{what} since {}", shown(since)),
        Some(since) => format!("{what} from {} to {}", shown(since), shown(end)),
    };
    if let Some(usual) = &usual {
        text = format!("{text} (usually {usual} deliveries in this period)");
    }
    Some(VerdictFinding {
        state: if usual.is_some() { VerdictState::Bad } else { VerdictState::Watch },
        what: what.to_owned(),
        value: String::new(),
        usual,
        text: Some(text),
        row: None,
    })
}

/// The finding for the longest span without lines of any kind: the server or its syslog was down, or a log is missing. A filter
/// hides no lines here, but what is asked of it is not whether all is well.
pub(crate) fn hole(report: &Report) -> Option<VerdictFinding> {
    let hole = report.holes.first().filter(|_| report.input.filter.is_empty())?;
    let is_one_day = report.range.as_ref().is_some_and(|range| range.first.date() == range.last.date());
    let shown =
        |at: &Zoned, is_plain| at.strftime(if is_plain { "%H:%M" } else { "%a %-d %b %H:%M" }).to_string();
    let (start, end) =
        (shown(&hole.start, is_one_day), shown(&hole.end, hole.start.date() == hole.end.date()));
    let more = match report.holes.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more such {}", if more == 1 { "hole" } else { "holes" }),
    };
    Some(VerdictFinding {
        state: VerdictState::Watch,
        what: "no line of any kind".to_owned(),
        value: String::new(),
        usual: None,
        text: Some(format!("no line of any kind from {start} to {end}{more}")),
        row: None,
    })
}
