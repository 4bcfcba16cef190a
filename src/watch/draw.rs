//! Draws the screen as a frame: the head with the rates, the panes, the advice, and the keys.

use indicatif::HumanCount;
use ratatui::Frame;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::minute::MailTotals;
use super::monitor::RECENT_MINUTES;
use super::panes::{advice, rows_pane, storms_pane};
use super::pen::{Pen, number};
use super::screen::{Pane, Screen};
use super::window::HOUR;
use crate::render::text::page::{TextStyle, pad, wrap};
use crate::render::text::sparkline::bars as draw_bars;

/// From this height on, in lines, the head has a sparkline for each rate.
const HIGH: usize = 16;
/// Columns of a rate: `out 1,234/min `.
const RATE: usize = 17;
/// Columns of a count: `99,999`.
const COUNT: usize = 7;
/// The number of minutes that the rate is the mean of, the current one among them.
const RATED: usize = RECENT_MINUTES as usize;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame, screen: &Screen, style: &TextStyle) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines = if screen.help { help(style, width, height) } else { all(screen, style, width, height) };
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        frame.buffer_mut().set_line(area.left(), y, line, area.width);
    }
}

/// The lines of the screen: head, panes, advice and keys.
fn all(screen: &Screen, style: &TextStyle, width: usize, height: usize) -> Vec<Line<'static>> {
    let pen = Pen { style, width };
    let mut lines = head(screen, &pen, height >= HIGH);
    let rest = height.saturating_sub(lines.len() + 1);
    let advice = advice(screen, &pen, (rest / 3).clamp(1, 7));
    let rest = rest.saturating_sub(advice.len());
    let storms = screen.view.storms.len().max(1) + 1;
    let (rows, storms) = match screen.pane {
        // Without room for both panes, only the selected one is shown.
        Pane::Rows if rest < 7 => (rest, 0),
        Pane::Storms if rest < 7 => (0, rest),
        Pane::Rows => (rest - storms.min(rest / 3), storms.min(rest / 3)),
        Pane::Storms => (rest - storms.min(rest / 2), storms.min(rest / 2)),
    };
    lines.extend(rows_pane(screen, &pen, rows));
    lines.extend(storms_pane(screen, &pen, storms));
    lines.extend(advice);
    lines.push(foot(screen, &pen));
    lines
}

/// The head: the name of the log, the time, the rates, and the number of lines.
fn head(screen: &Screen, pen: &Pen, is_high: bool) -> Vec<Line<'static>> {
    let view = &screen.view;
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let name = format!("smtplog watch  {}", view.name);
    let mut lines = vec![pen.apart(&name, &view.time, bold)];
    let mut flows = vec![
        ("IN", Color::Blue, received as TotalOf),
        ("OUT", Color::Green, delivered),
        ("failed", Color::Red, failed),
    ];
    if !view.filter_options.is_empty() {
        // Messages that come in are not events, so a filter cannot count them: a 0 would be wrong.
        flows.remove(0);
    }
    if !is_high {
        let rates = flows.iter().map(|(name, _, of)| {
            format!("{} {}", pen.say(name), rate(&view.hour, view.elapsed_seconds, *of))
        });
        let rates: Vec<String> = rates.collect();
        lines.push(pen.line(&format!("{} {}", rates.join("  "), pen.say("a minute")), Style::new()));
        return lines;
    }
    let bars = pen.width.saturating_sub(RATE + COUNT + 2).min(HOUR as usize);
    for (name, color, of) in flows {
        let name = pen.cell(&pen.say(name), RATE - 9);
        let counts: Vec<u64> = view.hour.iter().map(of).collect();
        let latest = counts.get(counts.len() - bars..).unwrap_or_default();
        let sum = HumanCount(counts.iter().sum()).to_string();
        lines.push(Line::from(vec![
            Span::raw(pad(&format!("{name}{:>5}/min", rate(&view.hour, view.elapsed_seconds, of)), RATE + 1)),
            pen.styled(draw_bars(latest, pen.style.unicode), Style::new().fg(color)),
            Span::raw(format!(" {sum}")),
        ]));
    }
    let (read, lost) = view.lines;
    let lines_read = format!("{} {}", HumanCount(read), pen.say("lines"));
    let lost = (lost > 0).then(|| format!("{} {}", HumanCount(lost), pen.say("not understood")));
    let options = Some(view.filter_options.clone()).filter(|options| !options.is_empty());
    let parts: Vec<String> = [Some(lines_read), lost, options].into_iter().flatten().collect();
    let parts = parts.join("  ");
    lines.push(pen.apart(&parts, &pen.say("last hour"), Style::new().add_modifier(Modifier::DIM)));
    lines
}

/// One of the totals of a minute.
type TotalOf = fn(&MailTotals) -> u64;

fn received(totals: &MailTotals) -> u64 {
    totals.received
}

fn delivered(totals: &MailTotals) -> u64 {
    totals.delivered
}

fn failed(totals: &MailTotals) -> u64 {
    totals.failed
}

/// The mean rate of the minutes that the column `5 min` counts, so that both agree. `elapsed` seconds of the current minute
/// are over, which is why the rate moves with each second.
fn rate(hour: &[MailTotals], elapsed: u8, of: TotalOf) -> String {
    let recent = hour.get(hour.len().saturating_sub(RATED)..);
    let sum: u64 = recent.unwrap_or_default().iter().map(of).sum();
    number(sum as f64 / ((RATED - 1) as f64 + f64::from(elapsed.clamp(1, 60)) / 60.0))
}

/// The last line: the filter while it is typed, an error, or the keys.
fn foot(screen: &Screen, pen: &Pen) -> Line<'static> {
    let plain = Style::new().add_modifier(Modifier::DIM);
    if screen.typing.is_some() {
        return pen.line(&format!("/{}_", screen.filter), Style::new().add_modifier(Modifier::BOLD));
    }
    if let Some(error) = &screen.view.error {
        return pen.line(error, Style::new().fg(Color::Red));
    }
    let keys = format!(
        "q {}  tab {}  / {}  ? {}",
        pen.say("quit"),
        pen.say("other pane"),
        pen.say("filter"),
        pen.say("help")
    );
    if screen.filter.is_empty() {
        return pen.line(&keys, plain);
    }
    let filter = pen.fit(&format!("/{}", screen.filter), pen.width / 2);
    pen.apart(&keys, &filter, plain)
}

/// The help screen.
fn help(style: &TextStyle, width: usize, height: usize) -> Vec<Line<'static>> {
    let pen = Pen { style, width };
    let keys = [
        ("q Ctrl-C", "quit"),
        ("j k", "next and previous row; arrows, PgUp and PgDn too"),
        ("g G", "first and last row"),
        ("tab", "other pane: rows or storms"),
        ("/", "show only rows that have these words"),
        ("", "a code as 552, 4xx, 5.7.*, or a part of a reason, domain or provider"),
        ("esc", "show all rows again"),
        ("?", "help"),
    ];
    let notes = [
        "5 min: what came in the last five minutes; the rows that grew most come first.",
        "IN: messages that came; OUT: deliveries; failed: deferred, bounced, expired and refused.",
        "Direction of a row: in, out or local; on a narrow screen < > =.",
    ];
    let mut lines = vec![pen.line("smtplog watch", Style::new().add_modifier(Modifier::BOLD))];
    for (key, what) in keys {
        let what = wrap(&pen.say(what), width.saturating_sub(11));
        lines.extend(what.iter().enumerate().map(|(at, what)| {
            let key = if at == 0 { key } else { "" };
            pen.line(&format!("{}{what}", pad(key, 10)), Style::new())
        }));
    }
    for note in notes {
        let note = wrap(&pen.say(note), width);
        lines.extend(note.iter().map(|line| pen.line(line, Style::new())));
    }
    lines.truncate(height);
    lines
}
