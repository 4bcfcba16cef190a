//! Draws the panes of the screen: the rows of the last hour, the storms, and the advice for the selected one.

use std::ops::Range;

use indicatif::HumanCount;
use jiff::Zoned;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use super::pen::{Pen, number};
use super::screen::{GrowingRow, Pane, Screen};
use crate::render::sanitize::printable;
use crate::render::text::page::{word, wrap};
use crate::render::words::row;
use crate::report::storm::{Storm, StormPattern, Trend};
use crate::smtp::event::Direction;
use crate::smtp::reply::Class;

/// Columns of a code: `550 5.7.606`.
const CODE: usize = 11;
/// Columns of a direction: `LOCAL`.
const DIRECTION: usize = 5;
/// From this width on, in columns, a row has the direction as a word.
const WIDE: usize = 60;
/// Columns of a count: `+9,999` or `99,999`.
const COUNT: usize = 7;

/// The indices of a list that fit into `room` lines with the selected one among them.
fn visible_range(count: usize, selected: usize, room: usize) -> Range<usize> {
    let first = selected.saturating_sub(room.saturating_sub(1)).min(count.saturating_sub(room));
    first..count.min(first + room)
}

/// The heading of a pane; a star marks the selected pane.
fn heading(pen: &Pen, active: bool, text: &str) -> Line<'static> {
    let style = Style::new().add_modifier(Modifier::BOLD);
    let style = if active { style.fg(Color::Cyan) } else { style };
    pen.line(&format!("{} {text}", if active { "*" } else { " " }), style)
}

/// The style of an entry, reversed if it is selected.
fn selected(style: Style, is_selected: bool) -> Style {
    if is_selected { style.add_modifier(Modifier::REVERSED) } else { style }
}

/// The pane of the rows, of a height in lines; nothing if that is 0.
pub(crate) fn rows_pane(screen: &Screen, pen: &Pen, height: usize) -> Vec<Line<'static>> {
    if height == 0 {
        return Vec::new();
    }
    let direction = if pen.width < WIDE { 1 } else { DIRECTION };
    let rest = pen.width.saturating_sub(2 + direction + 1 + CODE + 1 + 2 * (COUNT + 1));
    let place_width = if rest < 30 { 0 } else { (rest * 2 / 5).min(30) };
    let reason_width = rest.saturating_sub(place_width + usize::from(place_width > 0));
    let active = screen.pane == Pane::Rows;
    let titles = format!(
        "{} {} {} {:>COUNT$} {:>COUNT$} {}",
        " ".repeat(direction),
        pen.cell(&pen.say("code"), CODE),
        pen.cell(&pen.say("reason"), reason_width),
        pen.say("5 min"),
        pen.say("hour"),
        pen.cell(&pen.say("where"), place_width)
    );
    let mut lines = vec![heading(pen, active, &titles)];
    let (rows, at) = (screen.rows(), screen.selected_row());
    for number in visible_range(rows.len(), at, height - 1) {
        let Some(listed) = rows.get(number) else { continue };
        lines.push(row(listed, pen, active && number == at, (reason_width, place_width)));
    }
    if rows.is_empty() {
        let why =
            if screen.filter.is_empty() { "no failure in the last hour" } else { "nothing fits the filter" };
        lines.push(pen.line(&format!("  {}", pen.say(why)), Style::new()));
    }
    resized(lines, height)
}

fn row(
    listed: &GrowingRow,
    pen: &Pen,
    is_selected: bool,
    (reason_width, place_width): (usize, usize),
) -> Line<'static> {
    let row = &listed.row;
    let words = &pen.style.words;
    let color = match row.class {
        Some(Class::Permanent) => Style::new().fg(Color::Red),
        Some(Class::Transient) => Style::new().fg(Color::Yellow),
        Some(Class::Positive | Class::Intermediate) | None => Style::new(),
    };
    let recent = if listed.recent > 0 { format!("+{}", HumanCount(listed.recent)) } else { String::new() };
    let rest = format!(
        " {} {recent:>COUNT$} {:>COUNT$} {}",
        pen.cell(&row::title(words, row), reason_width),
        HumanCount(row.attempts).to_string(),
        pen.cell(&row::place(words, row), place_width),
    );
    let mark = if is_selected { "> " } else { "  " };
    let plain = selected(Style::new(), is_selected);
    let direction = if pen.width < WIDE {
        pen.cell(arrow(row.direction), 1)
    } else {
        pen.cell(&pen.say(direction_word(row.direction)), DIRECTION)
    };
    Line::from(vec![
        pen.styled(format!("{mark}{direction} "), plain),
        pen.styled(pen.cell(&row::code(words, row), CODE), selected(color, is_selected)),
        pen.styled(rest, plain),
    ])
}

/// As in the head of the screen and in the report.
fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "IN",
        Direction::Outbound => "OUT",
        Direction::Local => "LOCAL",
    }
}

/// The direction in one column.
fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "<",
        Direction::Outbound => ">",
        Direction::Local => "=",
    }
}

/// The pane of the storms, of a height in lines; nothing if that is 0.
pub(crate) fn storms_pane(screen: &Screen, pen: &Pen, height: usize) -> Vec<Line<'static>> {
    if height == 0 {
        return Vec::new();
    }
    let active = screen.pane == Pane::Storms;
    let storms = &screen.view.storms;
    let mut lines = vec![heading(pen, active, &format!("{} ({})", pen.say("storms"), storms.len()))];
    let at = screen.selected_storm();
    for number in visible_range(storms.len(), at, height - 1) {
        let Some(storm) = storms.get(number) else { continue };
        let is_selected = active && number == at;
        let red = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
        let style = if storm.end.is_none() { red } else { Style::new() };
        let mark = if is_selected { ">" } else { " " };
        lines.push(pen.line(&format!("{mark} {}", one_storm(storm, pen)), selected(style, is_selected)));
    }
    if storms.is_empty() {
        lines.push(pen.line(&format!("  {}", pen.say("no storm")), Style::new()));
    }
    resized(lines, height)
}

/// A storm as a line: `since 02:41  mail of a stolen account  94/min, usual 2.1, growing  sender anna@example.org`
fn one_storm(storm: &Storm, pen: &Pen) -> String {
    let time = |at: &Zoned| at.strftime("%H:%M").to_string();
    let when = match &storm.end {
        None => format!("{} {}", pen.say("since"), time(&storm.start)),
        Some(end) if time(end) == time(&storm.start) => time(end),
        Some(end) => format!("{}-{}", time(&storm.start), time(end)),
    };
    let trend = match storm.trend {
        Trend::Growing => "growing",
        Trend::Steady => "steady",
        Trend::Falling => "falling",
        Trend::Over => "over",
    };
    let rate = if storm.pattern == StormPattern::Silence {
        String::new()
    } else {
        let (mean, usual) = (number(storm.rate_per_minute.mean), number(storm.usual_per_minute.rate));
        format!("{mean}/min, {} {usual}, ", pen.say("usual"))
    };
    let factor = storm.factors.first();
    let factor = factor.map(|factor| format!("  {} {}", word(&factor.dimension), factor.value));
    let title = pen.say(&storm.title);
    format!("{when}  {title}  {rate}{}{}", pen.say(trend), factor.unwrap_or_default())
}

/// The advice for the selected row or storm, at most `most` lines, and its example or commands.
pub(crate) fn advice(screen: &Screen, pen: &Pen, most: usize) -> Vec<Line<'static>> {
    let arrow = if pen.style.unicode { "→ " } else { "-> " };
    let cyan = Style::new().fg(Color::Cyan);
    let mut texts: Vec<String> = Vec::new();
    match screen.pane {
        Pane::Rows => {
            let rows = screen.rows();
            if let Some(GrowingRow { row, .. }) = rows.get(screen.selected_row()) {
                let conflict = row.conflict.map(|conflict| format!("{}: ", pen.say(conflict)));
                let line = row.advice.as_deref().map(|advice| pen.say(advice)).unwrap_or_default();
                texts.push(format!("{arrow}{}{line}", conflict.unwrap_or_default()));
                texts.extend(row.example.clone());
            }
        }
        Pane::Storms => {
            if let Some(storm) = screen.view.storms.get(screen.selected_storm()) {
                texts.push(format!("{arrow}{}", pen.say(&storm.advice)));
                texts.extend(storm.commands.iter().map(|command| command.shell.clone()));
            }
        }
    }
    let wrapped = texts.iter().flat_map(|text| wrap(&printable(text), pen.width)).take(most);
    resized(wrapped.map(|line| pen.line(&line, cyan)).collect(), most)
}

/// Fills up with empty lines, or cuts, to a height.
fn resized(mut lines: Vec<Line<'static>>, height: usize) -> Vec<Line<'static>> {
    lines.resize(height, Line::default());
    lines
}
