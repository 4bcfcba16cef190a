//! Says what a log looks like of which nothing, or nearly nothing, was understood.

use crate::input::read::Source;
use crate::parse::form::{OTHER_PROGRAMS, guess_form};
use crate::parse::log_text::LogText;
use crate::pipeline::coverage::Coverage;
use crate::redact::Redactor;

/// How much of a line is shown, in characters.
const SHOWN: usize = 120;

/// The share of the lines, in percent, below which nearly nothing was understood.
const NEARLY_NOTHING: u64 = 5;

/// With fewer lines than this, a part that was not understood says nothing about the form of the log.
const ENOUGH_LINES: u64 = 20;

/// Notes about the first lines that are of no mail server or were not understood: what they look like, which form is
/// nearest, and what to set. Empty: enough was understood, or other programs share a log of syslog with the mail server.
pub(crate) fn on_form(coverage: &Coverage, sources: &[Source], redactor: Option<Redactor>) -> Vec<String> {
    let understood = coverage.event + coverage.routine;
    let is_little = understood * 100 < coverage.lines * NEARLY_NOTHING && coverage.lines >= ENOUGH_LINES;
    if coverage.lines == 0 || coverage.is_quiet_time() || understood > 0 && !is_little {
        return Vec::new();
    }
    let mut first: Vec<_> = coverage.foreign_lines.iter().chain(&coverage.unread_lines).collect();
    first.sort();
    let lines: Vec<&[u8]> = first.iter().map(|(_, line)| line.as_slice()).collect();
    let Some(guess) = guess_form(&lines) else {
        return vec!["all lines are empty".to_owned()];
    };
    if understood > 0 && guess.looks_like == OTHER_PROGRAMS {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for (place, line) in first.iter().take(3) {
        let text = LogText(line).to_str();
        let text = redactor.map_or_else(|| text.clone().into_owned(), |redactor| redactor.line(&text));
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        let file = sources.get(place.file).map_or("-".into(), |source| source.path.to_string_lossy());
        notes.push(format!("{file}, byte {}: {shown}{more}", place.offset));
    }
    let share = if understood > 0 {
        format!("only {understood} of {} lines were understood; the others", coverage.lines)
    } else {
        "the lines".to_owned()
    };
    notes.push(format!("{share} look like {}; the nearest form is {}", guess.looks_like, guess.nearest));
    notes.push(format!("what to do: {}", guess.hint));
    notes
}
