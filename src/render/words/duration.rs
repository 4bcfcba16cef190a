//! Prints durations.

use crate::catalog::translation::Translations;

/// `2 d 3 h`, `6 min`, `45 s`: the largest unit, with days and hours also the next one, in the reader's language.
pub(crate) fn duration(words: &Translations, seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let parts = match (days, hours, minutes) {
        (0, 0, 0) => [(seconds, "s"), (0, "")],
        (0, 0, _) => [(minutes, "min"), (0, "")],
        (0, _, _) => [(hours, "h"), (minutes % 60, "min")],
        _ => [(days, "d"), (hours % 24, "h")],
    };
    let shown = parts.iter().enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    let shown: Vec<String> =
        shown.map(|(_, (count, unit))| format!("{count} {}", words.translate(unit))).collect();
    shown.join(" ")
}

/// `1 h 22 min`, `30 h 0 min`, `0 min`: for storms, whose start and end are known to the minute. Not translated.
pub(crate) fn hours_and_minutes(seconds: u64) -> String {
    let minutes = seconds / 60;
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}
