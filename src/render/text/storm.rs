//! Renders storms as text: what, since when, who, why, and what to type.

use anstyle::{AnsiColor, Style};
use indicatif::HumanCount;
use jiff::Zoned;

use super::command_lines::command_lines;
use super::page::{TextPage, TextStyle, fit, pad, wrap};
use super::storm_line::when;
use crate::render::sanitize::printable;
use crate::render::words::duration::hours_and_minutes;
use crate::render::words::totals::share;
use crate::report::storm::{
    Confidence, Dimension, Factor, SeriesCount, Storm, StormCommand, StormPattern, StormReport, Trend,
    title_of_part,
};

/// Width in columns of the label of a line.
const LEAD: usize = 13;

pub(crate) fn show(storms: &StormReport, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    let count = storms.storms.len();
    for (at, storm) in storms.storms.iter().enumerate() {
        page.blank();
        let number = if style.reverse { count - at } else { at + 1 };
        show_storm(&mut page, number, storm);
    }
    if storms.storms.is_empty() {
        match &storms.steady {
            Some(fault) => page.indented(&format!("{}: {fault}", page.say("No storm")), 0),
            None => {
                let text = page.say("No storm: nothing came more often than usual.").to_owned();
                page.line(&text);
            }
        }
    }
    foot(&mut page, storms);
    page.text
}

fn show_storm(page: &mut TextPage, number: usize, storm: &Storm) {
    head(page, number, storm);
    if let Some(what) = storm.series.first() {
        labelled(page, "what", &kind(what, storm));
    }
    labelled(page, "size", &size(storm));
    let (who, place): (Vec<&Factor>, Vec<&Factor>) =
        storm.factors.iter().filter(|factor| is_shown(factor)).partition(|factor| is_who(factor.dimension));
    for (name, factors) in [("who", who), ("where", place)] {
        let shown: Vec<String> = factors.into_iter().take(4).map(factor).collect();
        if !shown.is_empty() {
            labelled(page, name, &shown.join(" · "));
        }
    }
    let word = match storm.confidence {
        Confidence::Sure => "sure",
        Confidence::Likely => "likely",
        Confidence::Unsure => "unsure",
    };
    let because = storm.because.join("; ");
    labelled(page, "why", &format!("{}: {}", page.say(word), printable(&because)));
    for not in &storm.not {
        labelled(page, "not", &printable(&format!("{}: {}", title(not.pattern), not.because)));
    }
    if let Some(example) = &storm.example {
        let name = pad(&format!("  {}", page.say("line")), LEAD);
        let line = fit(&printable(example), page.style.width.saturating_sub(LEAD), page.style.unicode);
        page.line(&format!("{name}{line}"));
    }
    labelled(page, "advice", &storm.advice);
    for (at, command) in storm.commands.iter().enumerate() {
        show_command(page, if at == 0 { "do now" } else { "" }, command);
    }
}

/// `STORM 1  mail of a stolen account       since Sat 02:41 (1 h 22 min to 04:03), growing`
fn head(page: &mut TextPage, number: usize, storm: &Storm) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let bold = Style::new().bold();
    let style = if storm.end.is_none() { red } else { bold };
    let name = format!("{} {number}", page.say("STORM"));
    let trend = match storm.trend {
        Trend::Growing => "growing",
        Trend::Steady => "steady",
        Trend::Falling => "falling",
        Trend::Over => "over",
    };
    let length = hours_and_minutes(storm.duration_seconds);
    let when = when(&storm.start, storm.end.as_ref(), &page.style.words);
    let when = format!("{when} ({length}), {}", page.say(trend));
    let part = storm.factors.first().and_then(|part| {
        title_of_part(&storm.title, &format!("{} {}", dimension(part.dimension), printable(&part.value)))
    });
    let title = part.unwrap_or_else(|| page.say(&storm.title).to_owned());
    let shown = [page.styled(style, &format!("{}{title}", pad(&name, LEAD))), when];
    page.wrapped(&[&shown[0], &shown[1]], "   ");
}

/// `421 4.7.28 rate-limited, deferred, google`
fn kind(series: &SeriesCount, storm: &Storm) -> String {
    let code = series.code.map(|code| code.number().to_string());
    let enhanced = series.enhanced.map(|code| code.to_string());
    let reason = series.reason.map(|reason| super::page::word(&reason));
    let outcome = Some(super::page::word(&series.outcome));
    let words: Vec<String> =
        [code, enhanced, reason, outcome, series.provider.clone()].into_iter().flatten().collect();
    let part = share(series.attempts, storm.attempts);
    let others = storm.series.len() - 1;
    let more = if others > 0 {
        format!("; {others} more {}", if others == 1 { "kind" } else { "kinds" })
    } else {
        String::new()
    };
    printable(&format!("{} ({part}){more}", words.join(" ")))
}

fn size(storm: &Storm) -> String {
    let rate = storm.rate_per_minute;
    let usual = storm.usual_per_minute.rate;
    if storm.pattern == StormPattern::Silence {
        let came = match storm.messages {
            0 => "nothing".to_owned(),
            1 => "1 message".to_owned(),
            messages => format!("{} messages", HumanCount(messages)),
        };
        return format!("{came}; usual {usual}/min");
    }
    format!(
        "{}; {}/min, at most {}/min; usual {usual}/min: {} times",
        counts(storm),
        number(rate.mean),
        number(rate.peak),
        number(storm.times),
    )
}

/// `2,500 attempts, 1 recipient, 40 messages`, without what the lines do not name.
fn counts(storm: &Storm) -> String {
    let known = [(storm.recipients, "recipient"), (storm.messages, "message")];
    let known = known.into_iter().filter(|(count, _)| *count > 0);
    let counts = std::iter::once((storm.attempts, "attempt")).chain(known);
    let counts = counts
        .map(|(count, word)| format!("{} {word}{}", HumanCount(count), if count == 1 { "" } else { "s" }));
    counts.collect::<Vec<String>>().join(", ")
}

/// Two significant digits below 100: `94`, `9.4`, `0.9`.
fn number(value: f64) -> String {
    if value >= 100.0 {
        HumanCount(value.round() as u64).to_string()
    } else if value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn factor(factor: &Factor) -> String {
    let (inside, outside) = (percent(factor.inside), percent(factor.outside));
    format!("{} {} {inside} (else {outside})", dimension(factor.dimension), printable(&factor.value))
}

fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 { "<1%".to_owned() } else { format!("{:.0}%", share * 100.0) }
}

/// Whether the first line does not say it already.
fn is_shown(factor: &Factor) -> bool {
    !matches!(factor.dimension, Dimension::Reason | Dimension::Code | Dimension::Direction)
}

fn is_who(dimension: Dimension) -> bool {
    match dimension {
        Dimension::Sender | Dimension::User | Dimension::Client | Dimension::Recipient => true,
        Dimension::Provider
        | Dimension::Domain
        | Dimension::Relay
        | Dimension::Instance
        | Dimension::Host
        | Dimension::Reason
        | Dimension::Code
        | Dimension::Direction
        | Dimension::Stage => false,
    }
}

fn dimension(dimension: Dimension) -> String {
    super::page::word(&dimension)
}

fn title(pattern: StormPattern) -> String {
    super::page::word(&pattern)
}

/// A label, and the wrapped text beside it.
fn labelled(page: &mut TextPage, name: &str, what: &str) {
    let lines = wrap(page.say(what), page.style.width.saturating_sub(LEAD));
    for (at, line) in lines.iter().enumerate() {
        let name = if at == 0 { format!("  {}", page.say(name)) } else { String::new() };
        page.line(&format!("{}{line}", pad(&name, LEAD)));
    }
}

/// A command is not cut, and a long one goes on in the next line behind a backslash: it is there to be copied.
fn show_command(page: &mut TextPage, name: &str, command: &StormCommand) {
    let name = pad(&format!("  {}", page.say(name)), LEAD);
    let why = page.say(&command.why).to_owned();
    let note =
        if command.changes { format!(" ({})", page.say("this changes something")) } else { String::new() };
    page.line(&format!("{name}# {why}{note}"));
    show_shell(page, &command.shell);
    if let Some(undo) = &command.undo {
        page.line(&format!("{}# {}", " ".repeat(LEAD), page.say("undo")));
        show_shell(page, undo);
    }
}

fn show_shell(page: &mut TextPage, shell: &str) {
    for line in command_lines(&printable(shell), page.style.width.saturating_sub(LEAD)) {
        page.line(&format!("{}{line}", " ".repeat(LEAD)));
    }
}

fn foot(page: &mut TextPage, storms: &StormReport) {
    let input = &storms.input;
    let range = storms.range.as_ref().map(|range| {
        let shown = |at: &Zoned| at.strftime("%F %H:%M %:z").to_string();
        let (first, last) = (shown(&range.first), shown(&range.last));
        if first == last { last } else { format!("{} - {last}", range.first.strftime("%F %H:%M")) }
    });
    page.blank();
    let read = format!(
        "{} {} {}, {} {}",
        page.say("read"),
        HumanCount(input.lines),
        page.say("lines"),
        HumanCount(input.understood),
        page.say("understood")
    );
    let parts: Vec<&str> = [Some(read.as_str()), range.as_deref()].into_iter().flatten().collect();
    page.wrapped(&parts, "   ");
    for note in &storms.notes {
        let note = page.say(note).to_owned();
        page.indented(&printable(&note), 2);
    }
}
