//! The state of the screen comes in; a frame goes out. Nothing of a log stands in it that is not printable.

use indicatif::HumanCount;
use jiff::Zoned;
use ratatui::Frame;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::minute::MailTotals;
use super::screen::{GrowingRow, Pane, Screen};
use super::window::HOUR;
use crate::render::sanitize::printable;
use crate::render::text::page::{TextStyle, fit, pad, word, wrap};
use crate::render::text::sparkline::bars as draw_bars;
use crate::render::words::row;
use crate::report::storm::{Storm, StormPattern, Trend};
use crate::smtp::reply::Class;

/// Lower than this, each part gets its least.
const HIGH: usize = 16;
/// `550 5.7.606`, in columns.
const CODE: usize = 11;
/// `+9,999`, and `99,999`.
const COUNT: usize = 7;
/// `out 1,234/min `
const RATE: usize = 17;
/// Minutes that the rate is the mean of.
const RATED: usize = 5;

pub fn draw(frame: &mut Frame, screen: &Screen, look: &TextStyle) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines = if screen.help { help(look, width, height) } else { all(screen, look, width, height) };
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        frame.buffer_mut().set_line(area.left(), y, line, area.width);
    }
}

/// Cuts and colours.
struct Pen<'a> {
    look: &'a TextStyle,
    width: usize,
}

impl Pen<'_> {
    fn say(&self, english: &str) -> String {
        self.look.words.translate(english).to_owned()
    }

    /// Whatever it says is made fit to be shown, and to its room.
    fn fit(&self, text: &str, width: usize) -> String {
        fit(&printable(text), width, self.look.unicode)
    }

    fn cell(&self, text: &str, width: usize) -> String {
        pad(&self.fit(text, width), width)
    }

    fn styled(&self, text: String, style: Style) -> Span<'static> {
        if self.look.color { Span::styled(text, style) } else { Span::raw(text) }
    }

    fn line(&self, text: &str, style: Style) -> Line<'static> {
        Line::from(self.styled(self.cell(text, self.width), style))
    }

    /// What stands left, and what stands right, as far as there is room.
    fn apart(&self, left: &str, right: &str, style: Style) -> Line<'static> {
        let room = self.width.saturating_sub(right.width() + 1);
        self.line(&format!("{} {right}", self.cell(left, room)), style)
    }
}

fn all(screen: &Screen, look: &TextStyle, width: usize, height: usize) -> Vec<Line<'static>> {
    let pen = Pen { look, width };
    let mut lines = head(screen, &pen, height >= HIGH);
    let rest = height.saturating_sub(lines.len() + 1);
    let advice = advice(screen, &pen, (rest / 3).clamp(1, 7));
    let rest = rest.saturating_sub(advice.len());
    let storms = screen.sight.storms.len().max(1) + 1;
    let (rows, storms) = match screen.pane {
        // Without room for both, only the pane that is being used is there.
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

fn head(screen: &Screen, pen: &Pen, is_high: bool) -> Vec<Line<'static>> {
    let sight = &screen.sight;
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let name = format!("smtplog watch  {}", sight.name);
    let mut lines = vec![pen.apart(&name, &sight.time, bold)];
    let flows = [
        ("IN", Color::Blue, came as WindowOf),
        ("OUT", Color::Green, delivered),
        ("failed", Color::Red, failed),
    ];
    if !is_high {
        let rates = flows.map(|(name, _, of)| format!("{} {}", pen.say(name), rate(&sight.hour, of)));
        lines.push(pen.line(&format!("{} {}", rates.join("  "), pen.say("a minute")), Style::new()));
        return lines;
    }
    let bars = pen.width.saturating_sub(RATE + COUNT + 2).min(HOUR as usize);
    for (name, color, of) in flows {
        let name = pen.cell(&pen.say(name), RATE - 9);
        let counts: Vec<u64> = sight.hour.iter().map(of).collect();
        let latest = counts.get(counts.len() - bars..).unwrap_or_default();
        let sum = HumanCount(counts.iter().sum()).to_string();
        lines.push(Line::from(vec![
            Span::raw(pad(&format!("{name}{:>5}/min", rate(&sight.hour, of)), RATE + 1)),
            pen.styled(draw_bars(latest, pen.look.unicode), Style::new().fg(color)),
            Span::raw(format!(" {sum}")),
        ]));
    }
    let (read, lost) = sight.lines;
    let lines_read = format!("{} {}", HumanCount(read), pen.say("lines"));
    let lost = (lost > 0).then(|| format!("{} {}", HumanCount(lost), pen.say("not understood")));
    let asked = Some(sight.asked.clone()).filter(|asked| !asked.is_empty());
    let said: Vec<String> = [Some(lines_read), lost, asked].into_iter().flatten().collect();
    let said = said.join("  ");
    lines.push(pen.apart(&said, &pen.say("last hour"), Style::new().add_modifier(Modifier::DIM)));
    lines
}

/// One of its counts.
type WindowOf = fn(&MailTotals) -> u64;

fn came(flow: &MailTotals) -> u64 {
    flow.came
}

fn delivered(flow: &MailTotals) -> u64 {
    flow.delivered
}

fn failed(flow: &MailTotals) -> u64 {
    flow.failed
}

/// Of the last whole minutes; the one that is not over yet would say too little.
fn rate(hour: &[MailTotals], of: WindowOf) -> String {
    let whole = hour.get(hour.len().saturating_sub(RATED + 1)..hour.len().saturating_sub(1));
    let sum: u64 = whole.unwrap_or_default().iter().map(of).sum();
    number(sum as f64 / RATED as f64)
}

/// `94`, `9.4`, `0`.
fn number(value: f64) -> String {
    if value >= 10.0 || value == 0.0 {
        HumanCount(value.round() as u64).to_string()
    } else {
        format!("{value:.1}")
    }
}

/// What is shown of a list so that the selected one is among it.
fn window(count: usize, selected: usize, room: usize) -> std::ops::Range<usize> {
    let first = selected.saturating_sub(room.saturating_sub(1)).min(count.saturating_sub(room));
    first..count.min(first + room)
}

fn heading(pen: &Pen, active: bool, text: &str) -> Line<'static> {
    let style = Style::new().add_modifier(Modifier::BOLD);
    let style = if active { style.fg(Color::Cyan) } else { style };
    pen.line(&format!("{} {text}", if active { "*" } else { " " }), style)
}

fn selected(style: Style, is_selected: bool) -> Style {
    if is_selected { style.add_modifier(Modifier::REVERSED) } else { style }
}

fn rows_pane(screen: &Screen, pen: &Pen, height: usize) -> Vec<Line<'static>> {
    if height == 0 {
        return Vec::new();
    }
    let rest = pen.width.saturating_sub(2 + CODE + 1 + 2 * (COUNT + 1));
    let place = if rest < 30 { 0 } else { (rest * 2 / 5).min(30) };
    let what = rest.saturating_sub(place + usize::from(place > 0));
    let active = screen.pane == Pane::Rows;
    let titles = format!(
        "{} {} {:>COUNT$} {:>COUNT$} {}",
        pen.cell(&pen.say("code"), CODE),
        pen.cell(&pen.say("reason"), what),
        pen.say("5 min"),
        pen.say("hour"),
        pen.cell(&pen.say("where"), place)
    );
    let mut lines = vec![heading(pen, active, &titles)];
    let (rows, at) = (screen.rows(), screen.selected_row());
    for number in window(rows.len(), at, height - 1) {
        let Some(growing) = rows.get(number) else { continue };
        lines.push(row(growing, pen, active && number == at, (what, place)));
    }
    if rows.is_empty() {
        let why =
            if screen.filter.is_empty() { "no failure in the last hour" } else { "nothing fits the filter" };
        lines.push(pen.line(&format!("  {}", pen.say(why)), Style::new()));
    }
    filled(lines, height)
}

fn row(growing: &GrowingRow, pen: &Pen, is_selected: bool, (what, place): (usize, usize)) -> Line<'static> {
    let row = &growing.row;
    let words = &pen.look.words;
    let color = match row.class {
        Some(Class::Permanent) => Style::new().fg(Color::Red),
        Some(Class::Transient) => Style::new().fg(Color::Yellow),
        Some(Class::Positive | Class::Intermediate) | None => Style::new(),
    };
    let lately = if growing.lately > 0 { format!("+{}", HumanCount(growing.lately)) } else { String::new() };
    let rest = format!(
        " {} {lately:>COUNT$} {:>COUNT$} {}",
        pen.cell(&row::title(words, row), what),
        HumanCount(row.attempts).to_string(),
        pen.cell(&row::place(words, row), place),
    );
    let mark = if is_selected { "> " } else { "  " };
    let plain = selected(Style::new(), is_selected);
    Line::from(vec![
        pen.styled(mark.to_owned(), plain),
        pen.styled(pen.cell(&row::code(words, row), CODE), selected(color, is_selected)),
        pen.styled(rest, plain),
    ])
}

fn storms_pane(screen: &Screen, pen: &Pen, height: usize) -> Vec<Line<'static>> {
    if height == 0 {
        return Vec::new();
    }
    let active = screen.pane == Pane::Storms;
    let storms = &screen.sight.storms;
    let mut lines = vec![heading(pen, active, &format!("{} ({})", pen.say("storms"), storms.len()))];
    let at = screen.selected_storm();
    for number in window(storms.len(), at, height - 1) {
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
    filled(lines, height)
}

/// `since 02:41  mail of a stolen account  94/min, usual 2.1, growing  sender anna@example.org`
fn one_storm(storm: &Storm, pen: &Pen) -> String {
    let time = |at: &Zoned| at.strftime("%H:%M").to_string();
    let when = match &storm.end {
        None => format!("{} {}", pen.say("since"), time(&storm.start)),
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

/// What to do about what is selected.
fn advice(screen: &Screen, pen: &Pen, most: usize) -> Vec<Line<'static>> {
    let arrow = if pen.look.unicode { "→ " } else { "-> " };
    let cyan = Style::new().fg(Color::Cyan);
    let mut said: Vec<String> = Vec::new();
    match screen.pane {
        Pane::Rows => {
            let rows = screen.rows();
            if let Some(GrowingRow { row, .. }) = rows.get(screen.selected_row()) {
                let conflict = row.conflict.map(|conflict| format!("{}: ", pen.say(conflict)));
                let line = row.advice.as_deref().map(|advice| pen.say(advice)).unwrap_or_default();
                said.push(format!("{arrow}{}{line}", conflict.unwrap_or_default()));
                said.extend(row.example.clone());
            }
        }
        Pane::Storms => {
            if let Some(storm) = screen.sight.storms.get(screen.selected_storm()) {
                said.push(format!("{arrow}{}", pen.say(&storm.advice)));
                said.extend(storm.commands.iter().map(|command| command.shell.clone()));
            }
        }
    }
    let wrapped = said.iter().flat_map(|text| wrap(&printable(text), pen.width)).take(most);
    filled(wrapped.map(|line| pen.line(&line, cyan)).collect(), most)
}

fn foot(screen: &Screen, pen: &Pen) -> Line<'static> {
    let plain = Style::new().add_modifier(Modifier::DIM);
    if screen.typing.is_some() {
        return pen.line(&format!("/{}_", screen.filter), Style::new().add_modifier(Modifier::BOLD));
    }
    if let Some(trouble) = &screen.sight.trouble {
        return pen.line(trouble, Style::new().fg(Color::Red));
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

fn filled(mut lines: Vec<Line<'static>>, height: usize) -> Vec<Line<'static>> {
    lines.resize(height, Line::default());
    lines
}

fn help(look: &TextStyle, width: usize, height: usize) -> Vec<Line<'static>> {
    let pen = Pen { look, width };
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
