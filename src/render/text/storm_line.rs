//! Renders each storm as one line at the head of a report.

use jiff::Zoned;

use super::page::{TextPage, wrap};
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::words::fault::counted;
use crate::report::StormLine;

/// `storms` is `None` without `--storms`.
pub(crate) fn show(page: &mut TextPage, storms: Option<&[StormLine]>) {
    let Some(storms) = storms.filter(|storms| !storms.is_empty()) else { return };
    page.blank();
    for storm in storms {
        let text = printable(&storm_text(storm, &page.style.words));
        page.indented(&format!("!! {} {text}", page.say("STORM")), 3);
    }
    let how = page.say("smtplog storm says what to do").to_owned();
    page.indented(&format!("   → {how}"), 5);
}

/// Number of storms on the first screen.
const SHOWN: usize = 3;

/// The first storms, and the command that says what to do. No name is cut.
pub(crate) fn show_within(page: &mut TextPage, storms: Option<&[StormLine]>) {
    let Some(storms) = storms.filter(|storms| !storms.is_empty()) else { return };
    for storm in storms.iter().take(SHOWN) {
        let text = printable(&storm_text(storm, &page.style.words));
        let text = format!("!! {} {text}", page.say("STORM"));
        let first = wrap(&text, page.style.width).into_iter().next().unwrap_or_default();
        let rest = text.get(first.len()..).unwrap_or_default().trim_start();
        page.line(&first);
        if !rest.is_empty() {
            page.indented(&format!("   {rest}"), 3);
        }
    }
    let more = storms.len().saturating_sub(SHOWN);
    let how = page.say("smtplog storm says what to do").to_owned();
    let more =
        if more > 0 { format!("{} {more} {}; ", page.say("and"), page.say("more")) } else { String::new() };
    page.line(&format!("   {more}{how}"));
}

/// `Sun 22 Nov 02:41 - 03:10`, or `since Sun 22 Nov 02:41` without an end.
pub(crate) fn when(start: &Zoned, end: Option<&Zoned>, words: &Translations) -> String {
    let time = |at: &Zoned| at.strftime("%a %-d %b %H:%M").to_string();
    match end {
        None => format!("{} {}", words.translate("since"), time(start)),
        Some(end) if time(end) == time(start) && end.date() == start.date() => time(start),
        Some(end) if end.date() == start.date() => format!("{} - {}", time(start), end.strftime("%H:%M")),
        Some(end) => format!("{} - {}", time(start), time(end)),
    }
}

/// `since Sun 22 Nov 02:41: mail of a stolen account, 9,102 attempts; user anna@example.org`, or
/// `since Sun 22 Nov 02:41: no mail taken or delivered`, or `since Sun 22 Nov 02:41: no mail through host mx2`
pub(crate) fn storm_text(storm: &StormLine, words: &Translations) -> String {
    let when = when(&storm.start, storm.end.as_ref(), words);
    if let Some(title) = storm.title_of_part() {
        return format!("{when}: {title}");
    }
    let attempts = counted(storm.attempts, ["attempt", "attempts"], words);
    let factor = storm.factor.as_ref().map(|factor| format!("; {factor}")).unwrap_or_default();
    let attempts = if storm.is_silence() { String::new() } else { format!(", {attempts}") };
    format!("{when}: {}{attempts}{factor}", words.translate(&storm.title))
}
