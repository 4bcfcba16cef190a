//! Words how long delivered mail took, for every format, and renders it as a table in text.

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanCount;

use super::page::{TextPage, TextStyle, fit, word};
use super::rows::{HEADING, advice, align_numbers};
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::report::{DelayRow, PhaseRow};
use crate::smtp::event::Direction;

/// Titles of the columns after the name of the phase.
pub(crate) const COLUMNS: [&str; 4] = ["recipients", "half within", "95% within", "longest"];

/// The rows that `--top` shows.
pub(crate) fn shown<'r>(rows: &'r [DelayRow], style: &TextStyle) -> &'r [DelayRow] {
    let top = if style.top == 0 { rows.len() } else { style.top.min(rows.len()) };
    rows.get(..top).unwrap_or_default()
}

/// `outbound google`, or `outbound (not known)` without a provider of the catalogue.
pub(crate) fn name(row: &DelayRow, words: &Translations) -> String {
    let provider = row.provider.as_deref().map(printable);
    match (row.direction, provider) {
        (Direction::Outbound, None) => format!("{} {}", word(&row.direction), words.translate("(not known)")),
        (direction, None) => word(&direction),
        (direction, Some(provider)) => format!("{} {provider}", word(&direction)),
    }
}

/// The cells of a phase: the count, and three times in seconds.
pub(crate) fn cells(phase: &PhaseRow) -> [String; 4] {
    let [median, p95, max] = [phase.median_seconds, phase.p95_seconds, phase.max_seconds].map(seconds);
    [HumanCount(phase.count).to_string(), median, p95, max]
}

/// Three significant digits; more are not known.
fn seconds(seconds: f64) -> String {
    match seconds {
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 100.0 => format!("{middle:.1}"),
        large => HumanCount(large as u64).to_string(),
    }
}

/// `Slowest: in the active queue. Most waited …`. `None`: there is no advice.
pub(crate) fn verdict(row: &DelayRow, words: &Translations) -> Option<String> {
    let advice = row.advice?;
    let slowest = row.phases.iter().find(|phase| Some(phase.phase) == row.slowest)?;
    Some(format!(
        "{}: {}. {}",
        words.translate("slowest"),
        words.translate(slowest.title),
        words.translate(advice)
    ))
}

pub(crate) fn show(page: &mut TextPage, rows: &[DelayRow]) {
    let rows = shown(rows, page.style);
    page.blank();
    if rows.is_empty() {
        page.line(page.say("No line shows how long a delivery took."));
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let room = page.style.width.saturating_sub(49).max(24);
    let heading = fit(page.say("DELAYS in seconds"), room, page.style.unicode);
    table.add_row(std::iter::once(heading).chain(COLUMNS.map(|title| page.say(title).to_owned())));
    for row in rows {
        table.add_row([format!("  {}", fit(&name(row, &page.style.words), room, page.style.unicode))]);
        for phase in &row.phases {
            let title = format!("    {}", fit(page.say(phase.title), room, page.style.unicode));
            table.add_row(std::iter::once(title).chain(cells(phase)));
        }
    }
    align_numbers(&mut table);
    let lines: Vec<String> = table.lines().collect();
    let mut lines = lines.iter().map(String::as_str);
    let heading = page.styled(HEADING, lines.next().unwrap_or_default().trim_end());
    page.line(&heading);
    for row in rows {
        for _ in 0..=row.phases.len() {
            page.line(lines.next().unwrap_or_default());
        }
        if let Some(verdict) = verdict(row, &page.style.words) {
            advice(page, &verdict);
        }
    }
}
