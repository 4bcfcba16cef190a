//! Parses the values of `--since` and `--until` (`"3 days ago"`), and defines the time range between them.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::{Span, Timestamp, Zoned};

use crate::parse::timestamp::LogTime;

/// From `since` up to but not including `until`; `None` is no bound on that side.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TimeRange {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// Neither side has a bound, so every line lies in the range, also one without a time.
    pub fn is_unbounded(self) -> bool {
        self == Self::default()
    }

    /// A line without a time (`None`) lies only in the unbounded range.
    pub fn contains(self, moment: Option<LogTime>) -> bool {
        let Some(moment) = moment else { return self.is_unbounded() };
        let since = self.since.is_none_or(|since| moment.micros >= since.as_microsecond());
        since && self.until.is_none_or(|until| moment.micros < until.as_microsecond())
    }
}

/// The accepted forms, for the error message about another one.
pub(crate) const FORMS: &str = "2h, 1d12h, \"3 days ago\", today, yesterday, \"yesterday 22:00\", \"last week\", \
    \"last monday\", 02:30, \"2026-11-21 02:00\", \"21.11.2026 02:00\", \"Nov 21 02:00\", @1795222800 or RFC 3339";

/// `now` gives the zone and the day that words count from; RFC 3339 names its own zone. `None`: the text has none of the
/// forms.
pub fn read(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Some(span) = span(text) {
        // Whole days and months keep the hour of the clock.
        return Some(now.checked_add(span).ok()?.timestamp());
    }
    let small = text.to_ascii_lowercase();
    if small == "now" {
        return Some(now.timestamp());
    }
    let (date, time) = dated(&small, now)?;
    let civil = date.to_datetime(time);
    Some(now.time_zone().to_ambiguous_zoned(civil).compatible().ok()?.timestamp())
}

/// `2h`, `1d12h`, `3 days` and `3 days ago` count back from now, as `-2h` does; `+2h` counts forward.
fn span(text: &str) -> Option<Span> {
    let signed = text.starts_with(['-', '+']);
    let ago = text.len() > 4 && text.to_ascii_lowercase().ends_with(" ago");
    let span: Span = text.parse().ok()?;
    Some(if signed || ago { span } else { span.negate() })
}

/// A day, or a time of today, or both.
fn dated(text: &str, now: &Zoned) -> Option<(Date, Time)> {
    if let Some(date) = day(text, now) {
        return Some((date, Time::midnight()));
    }
    if let Some(time) = clock(text) {
        return Some((now.date(), time));
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return Some((civil.date(), civil.time()));
    }
    let (day_words, time) = text.rsplit_once([' ', 't'])?;
    Some((day(day_words.trim_end(), now)?, clock(time)?))
}

fn day(text: &str, now: &Zoned) -> Option<Date> {
    let today = now.date();
    match text {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        "tomorrow" => return today.tomorrow().ok(),
        _ => {}
    }
    if let Some(first) = period(text, today) {
        return Some(first);
    }
    if let Some(weekday) = weekday(text.strip_prefix("last ").unwrap_or(text)) {
        // The latest one before today.
        return today.nth_weekday(-1, weekday).ok();
    }
    // A date alone: jiff would read one out of a date with a time, too.
    let iso = || text.parse().ok().filter(|_| text.len() == 10);
    iso().or_else(|| day_month_year(text)).or_else(|| month_day(text, today))
}

/// The first day of `this week`, `last week`, `this month`, `last month`, `this year` or `last year`. A week begins on Monday
/// (ISO 8601).
fn period(text: &str, today: Date) -> Option<Date> {
    let (which, unit) = text.split_once(' ')?;
    let back = match which {
        "this" => 0,
        "last" => 1,
        _ => return None,
    };
    match unit.trim_start() {
        "week" => {
            let days = i64::from(today.weekday().to_monday_zero_offset()) + 7 * back;
            today.checked_sub(Span::new().days(days)).ok()
        }
        "month" => today.first_of_month().checked_sub(Span::new().months(back)).ok(),
        "year" => today.first_of_year().checked_sub(Span::new().years(back)).ok(),
        _ => None,
    }
}

/// `22.11.2026`, `2.3.2026`: day, month and a year of four digits.
fn day_month_year(text: &str) -> Option<Date> {
    let (_, year) = text.rsplit_once('.')?;
    Date::strptime("%d.%m.%Y", text).ok().filter(|_| year.len() == 4)
}

/// `monday` or `mon`.
fn weekday(text: &str) -> Option<Weekday> {
    let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let at = long.iter().position(|name| *name == text || name.get(..3) == Some(text))?;
    Weekday::from_monday_zero_offset(at as i8).ok()
}

/// `02:30` or `02:30:15`.
fn clock(text: &str) -> Option<Time> {
    let form = if text.matches(':').count() == 2 { "%H:%M:%S" } else { "%H:%M" };
    Time::strptime(form, text).ok()
}

/// `nov 21`, as a log shows it: the latest one that is not after today.
fn month_day(text: &str, today: Date) -> Option<Date> {
    let parts = BrokenDownTime::parse("%b %d", text).ok()?;
    let (month, day) = (parts.month()?, parts.day()?);
    let in_year = |year: i16| Date::new(year, month, day).ok().filter(|date| *date <= today);
    // Eight years back, for 29 February.
    (0..=8).find_map(|back| in_year(today.year().checked_sub(back)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, want: &str) {
        let now: Zoned = "2026-11-22T03:00:00[Europe/Berlin]".parse().unwrap();
        let got = read(text, &now).map(|moment| moment.to_zoned(now.time_zone().clone()));
        assert_eq!(
            got.map(|at| at.strftime("%Y-%m-%d %H:%M:%S%:z").to_string()).unwrap_or_default(),
            want,
            "{text}"
        );
    }

    #[test]
    fn counts_back_from_now() {
        reads("-2h", "2026-11-22 01:00:00+01:00");
        reads("-90m", "2026-11-22 01:30:00+01:00");
        reads("-1d12h", "2026-11-20 15:00:00+01:00");
        reads("2 hours ago", "2026-11-22 01:00:00+01:00");
        reads("1 week ago", "2026-11-15 03:00:00+01:00");
        reads("now", "2026-11-22 03:00:00+01:00");
        // Over the end of summer time: the same hour of the clock.
        reads("-30d", "2026-10-23 03:00:00+02:00");
    }

    #[test]
    fn a_duration_without_a_sign_counts_back() {
        reads("2h", "2026-11-22 01:00:00+01:00");
        reads("1d", "2026-11-21 03:00:00+01:00");
        reads("1d12h", "2026-11-20 15:00:00+01:00");
        reads("3 days", "2026-11-19 03:00:00+01:00");
        reads("15 min", "2026-11-22 02:45:00+01:00");
        reads("2 weeks", "2026-11-08 03:00:00+01:00");
        reads("+2h", "2026-11-22 05:00:00+01:00");
    }

    #[test]
    fn knows_weeks_months_and_years() {
        // A Sunday is the last day of its week.
        reads("this week", "2026-11-16 00:00:00+01:00");
        reads("last week", "2026-11-09 00:00:00+01:00");
        reads("Last Week", "2026-11-09 00:00:00+01:00");
        reads("this month", "2026-11-01 00:00:00+01:00");
        reads("last month", "2026-10-01 00:00:00+02:00");
        reads("this year", "2026-01-01 00:00:00+01:00");
        reads("last year", "2025-01-01 00:00:00+01:00");
    }

    #[test]
    fn reads_dates_with_dots() {
        reads("22.11.2026", "2026-11-22 00:00:00+01:00");
        reads("2.3.2026", "2026-03-02 00:00:00+01:00");
        reads("21.11.2026 02:00", "2026-11-21 02:00:00+01:00");
        reads("21.11.2026 02:00:30", "2026-11-21 02:00:30+01:00");
    }

    #[test]
    fn knows_days_by_name() {
        reads("today", "2026-11-22 00:00:00+01:00");
        reads("Yesterday", "2026-11-21 00:00:00+01:00");
        reads("yesterday 22:15", "2026-11-21 22:15:00+01:00");
        // 22 November 2026 is a Sunday.
        reads("last monday", "2026-11-16 00:00:00+01:00");
        reads("last sunday", "2026-11-15 00:00:00+01:00");
        reads("sat", "2026-11-21 00:00:00+01:00");
        reads("last friday 08:00", "2026-11-20 08:00:00+01:00");
    }

    #[test]
    fn reads_dates_and_times() {
        reads("2026-11-21 02:00", "2026-11-21 02:00:00+01:00");
        reads("2026-11-21T02:00:30", "2026-11-21 02:00:30+01:00");
        reads("2026-07-01", "2026-07-01 00:00:00+02:00");
        reads("02:30", "2026-11-22 02:30:00+01:00");
        reads("2026-11-21T02:00:00Z", "2026-11-21 03:00:00+01:00");
        reads("2026-11-21T02:00:00-05:00", "2026-11-21 08:00:00+01:00");
        reads("Nov 21 02:00", "2026-11-21 02:00:00+01:00");
        reads("Nov  2 03:04:05", "2026-11-02 03:04:05+01:00");
        reads("Dec 24", "2025-12-24 00:00:00+01:00");
        reads("@1795222800", "2026-11-21 02:00:00+01:00");
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "2",
            "soon",
            "yesteryear",
            "2026-13-01",
            "25:00",
            "last",
            "@x",
            "Nov 31",
            "- 2 h x",
            "31.11.2026",
            "11.22.2026",
            "22.11.26",
            "22.11.",
            "last hour",
            "next week",
            "2x",
        ] {
            reads(text, "");
        }
    }
}
