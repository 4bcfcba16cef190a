//! Words the cells of a row of failed messages: codes, place, time and counts.

use indicatif::HumanCount;
use jiff::{Timestamp, Zoned};

use super::duration::duration;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::page::fit;
use crate::report::{CodeCount, DirectionTotals, FaultRow, PlaceKind, Range, Report};
use crate::smtp::event::Direction;

/// `421 4.7.28 +3`: the most frequent reply, and the number of others.
pub(crate) fn codes(row: &FaultRow, words: &Translations) -> String {
    let Some(first) = row.codes.first() else { return String::new() };
    let shown = code(first, row.direction, words);
    match row.code_count.saturating_sub(1) {
        0 => shown,
        more => format!("{shown} +{more}"),
    }
}

/// `550 5.7.1`, `550`, `5.7.1`, `no reply`.
pub(crate) fn code(code: &CodeCount, direction: Direction, words: &Translations) -> String {
    match (code.code, code.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => enhanced.to_string(),
        (None, None) if direction == Direction::Outbound => words.translate("no reply").to_owned(),
        (None, None) => words.translate("no code").to_owned(),
    }
}

/// `google 37%`, `example.org`, `5 domains`; a long name is cut to fit into `room` columns, not its share. It is printable.
/// Empty: the lines name none.
pub(crate) fn place(row: &FaultRow, words: &Translations, room: usize, unicode: bool) -> String {
    let kind =
        if row.direction == Direction::Inbound { ["client", "clients"] } else { ["domain", "domains"] };
    match &row.place {
        Some(place) if row.places == 1 && place.kind != PlaceKind::Provider => {
            fit(&printable(&place.name), room, unicode)
        }
        Some(place) => {
            let share = format!(" {}%", place.percent);
            format!("{}{share}", fit(&printable(&place.name), room.saturating_sub(share.len()), unicode))
        }
        None if row.places > 0 => fit(&counted(row.places, kind, words), room, unicode),
        None => String::new(),
    }
}

/// The reason, with `(here)` for a delivery on this server.
pub(crate) fn title(row: &FaultRow, words: &Translations) -> String {
    let title = words.translate(&row.title);
    match row.direction {
        Direction::Local => format!("{title} ({})", words.translate("here")),
        Direction::Inbound => format!("{title} ({})", words.translate("by us")),
        Direction::Outbound => title.to_owned(),
    }
}

/// `half got through within 15 min, 95% within 2 h 23 min`, or the first alone if both are the same. `None`: no deferred mail
/// was delivered later.
pub(crate) fn got_through(report: &Report, words: &Translations) -> Option<String> {
    let messages = &report.totals.messages;
    let [half, most] = [messages.later_median_seconds?, messages.later_p95_seconds?];
    let [half, most] = [half, most].map(|seconds| duration(words, seconds));
    let half_within = format!("{} {half}", words.translate("half got through within"));
    Some(if half == most {
        half_within
    } else {
        format!("{half_within}, {} {most}", words.translate("95% within"))
    })
}

/// The states of messages that occur: the word, and the count. The first one always stands there.
pub(crate) fn states(flow: &DirectionTotals) -> Vec<(&'static str, u64)> {
    let states = [
        ("delivered", flow.delivered),
        ("waiting", flow.waiting),
        ("bounced", flow.bounced),
        ("expired", flow.expired),
        ("not tried yet", flow.untried),
        ("held", flow.held),
        ("discarded", flow.discarded),
    ];
    let shown = states.into_iter().enumerate().filter(|(at, (_, count))| *at == 0 || *count > 0);
    shown.map(|(_, state)| state).collect()
}

/// `Mon 06:10` within a week, else `2 Nov`. Empty: from the beginning of the log.
pub(crate) fn since(row: &FaultRow, report: &Report) -> String {
    let at = row.since.as_deref().and_then(|text| in_zone(text, report.range.as_ref()));
    at.zip(report.range.as_ref()).map(|(at, range)| short_time(&at, range)).unwrap_or_default()
}

/// The time in words, as short as the range of the log allows.
pub(crate) fn short_time(at: &Zoned, range: &Range) -> String {
    let days = range.first.date().until(range.last.date()).map_or(0, |span| span.get_days());
    let form = match days {
        0 => "%H:%M",
        1..=6 => "%a %H:%M",
        _ => "%-d %b",
    };
    at.strftime(form).to_string()
}

/// A time of the report in its time zone. `None`: it is no time, or the log has no range.
pub(crate) fn in_zone(text: &str, range: Option<&Range>) -> Option<Zoned> {
    let zone = range?.first.time_zone().clone();
    Some(text.parse::<Timestamp>().ok()?.to_zoned(zone))
}

/// `93%`, `7.4%`, `<0.1%`; 0 of 0 is 0.
pub(crate) fn percent(count: u64, whole: u64) -> String {
    if whole == 0 || count == 0 {
        return "0%".to_owned();
    }
    let share = count as f64 * 100.0 / whole as f64;
    match share {
        _ if count == whole => "100%".to_owned(),
        share if share < 0.05 => "<0.1%".to_owned(),
        share if share < 9.95 => format!("{share:.1}%"),
        share if share > 99.0 => format!("{:.1}%", (share * 10.0).floor() / 10.0),
        share => format!("{share:.0}%"),
    }
}

/// `1 message`, `2 messages`.
pub(crate) fn counted(count: u64, [one, many]: [&str; 2], words: &Translations) -> String {
    format!("{} {}", HumanCount(count), words.translate(if count == 1 { one } else { many }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_nothing_or_to_all() {
        let shares = [(0, 9), (1, 100_000), (74, 1000), (93, 100), (9_999, 10_000), (3, 3), (0, 0)];
        let shown = shares.map(|(count, whole)| percent(count, whole));
        assert_eq!(shown, ["0%", "<0.1%", "7.4%", "93%", "99.9%", "100%", "0%"]);
    }
}
