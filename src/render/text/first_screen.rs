//! Renders the first screen of a report: what needs somebody now, why, and what to type. At most 40 lines.

use anstyle::{AnsiColor, Effects, Style};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::fault_table::{self, RowBudget};
use super::hosts;
use super::names::outliers;
use super::page::{TextPage, TextStyle, fit, pad, quoted, wrap};
use super::rows::HEADING;
use super::sparkline::spark;
use super::storm_line;
use crate::catalog::Action;
use crate::render::sanitize::printable;
use crate::render::words::duration::duration;
use crate::render::words::fault::{counted, percent, states};
use crate::render::words::totals::filter;
use crate::render::words::verdict;
use crate::render::words::warnings;
use crate::report::{FaultRow, Hour, HourRefused, HourSent, Range, Report, VerdictFinding, VerdictState};

/// The number of lines that the screen has, unless `-n` asks for more rows.
const LINES: usize = 40;
/// Width in columns of `OUTGOING   `.
const LABEL: usize = 11;
/// What a screen that is too long leaves out, one after the other.
const EXTRAS: [Extras; 4] = [
    Extras { notes: 4, has_warning_advice: true, has_blanks: true, finding_lines: 3 },
    Extras { notes: 1, has_warning_advice: false, has_blanks: true, finding_lines: 3 },
    Extras { notes: 1, has_warning_advice: false, has_blanks: false, finding_lines: 3 },
    Extras { notes: 1, has_warning_advice: false, has_blanks: false, finding_lines: 2 },
];
/// Findings of the verdict that are shown.
const FINDINGS: usize = 4;
/// Hosts that are shown without being asked for all.
const HOSTS: usize = 4;
/// The greatest width of a bar in columns.
const BAR: usize = 30;

/// What the screen shows if there is room.
#[derive(Clone, Copy)]
struct Extras {
    /// Lines of notes on the numbers.
    notes: usize,
    has_warning_advice: bool,
    has_blanks: bool,
    /// Lines that the findings of the verdict take at most.
    finding_lines: usize,
}

pub(crate) fn show(page: &mut TextPage, report: &Report) {
    let screens = EXTRAS.iter().map(|extras| {
        let mut screen = TextPage { text: String::new(), style: page.style };
        let is_advised = show_with(&mut screen, report, *extras);
        if extras.has_blanks {
            return (screen.text, is_advised);
        }
        let text: String = screen.text.split_inclusive('\n').filter(|line| *line != "\n").collect();
        (text, is_advised)
    });
    let mut best = None;
    for (screen, is_advised) in screens {
        let fits = page.style.rows.is_some() || screen.lines().count() <= LINES;
        // What to do about the first fault is worth more than the extras.
        let is_better = match &best {
            Some((_, true, _)) => fits && is_advised,
            Some((_, false, _)) | None => true,
        };
        if is_better {
            best = Some((screen, fits, is_advised));
        }
        if fits && is_advised {
            break;
        }
    }
    page.text.push_str(&best.map(|(screen, ..)| screen).unwrap_or_default());
}

/// Shows the screen with these extras. False: it has no room for the advice of the first fault that needs fixing here.
fn show_with(page: &mut TextPage, report: &Report, extras: Extras) -> bool {
    head(page, report);
    totals(page, report);
    show_verdict(page, report, extras.finding_lines);
    let mut foot = TextPage { text: String::new(), style: page.style };
    show_foot(&mut foot, report, extras.notes);
    let warned = warned(report, page.style, extras.has_warning_advice);
    let hosts = if page.style.who { String::new() } else { hosts::section(report, page.style, HOSTS) };
    let taken =
        [&page.text, &foot.text, &warned, &hosts].map(|text| text.lines().count()).iter().sum::<usize>();
    // A blank line before the foot.
    let budget = match page.style.rows {
        Some(rows) => RowBudget::Rows(rows),
        None => RowBudget::Lines(LINES.saturating_sub(taken + 1)),
    };
    fault_table::show(page, report, budget, &warned);
    page.text.push_str(&hosts);
    page.blank();
    page.text.push_str(&foot.text);
    fault_table::has_room_for_advice(report, budget, page.style.width)
}

/// `out.log   mx1   Sun 22 Nov 2026 05:32 UTC   1,097 lines, all understood`
pub(crate) fn head(page: &mut TextPage, report: &Report) {
    let files = match report.input.files.as_slice() {
        [file] if file == "-" => page.say("standard input").to_owned(),
        [file] => std::path::Path::new(file)
            .file_name()
            .map_or(file.clone(), |name| name.to_string_lossy().into_owned()),
        files => counted(files.len() as u64, ["file", "files"], &page.style.words),
    };
    let hosts = match report.hosts.as_slice() {
        [] => String::new(),
        [host] => host.clone(),
        [host, others @ ..] => format!("{host} {} {} {}", page.say("and"), others.len(), page.say("more")),
    };
    let range = report.range.as_ref().map(span).unwrap_or_default();
    let parts = [printable(&files), printable(&hosts), range, coverage(page, report)];
    let parts: Vec<&str> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    page.wrapped(&parts, "   ");
    if let Some(line) = report.input.not_understood_lines.first() {
        let label = format!("{}: ", page.say("Not understood, for example"));
        let room = page.style.width.saturating_sub(label.width());
        let line = fit(&printable(line), room, page.style.unicode);
        page.line(&format!("{label}{line}"));
    }
    if let Some(filter) = filter(report, &page.style.words) {
        page.indented(&printable(&filter), 2);
    }
}

/// `Mon 2 Nov 00:00 - Mon 9 Nov 2026 02:47 UTC`; the same minute once.
pub(crate) fn span(range: &Range) -> String {
    let (first, last) = (&range.first, &range.last);
    let zone = match last.strftime("%:z").to_string().as_str() {
        "+00:00" => "UTC".to_owned(),
        offset => offset.to_owned(),
    };
    let (from, to) = (first.strftime("%a %-d %b %Y %H:%M"), last.strftime("%a %-d %b %Y %H:%M").to_string());
    if from.to_string() == to {
        return format!("{to} {zone}");
    }
    if first.date() == last.date() {
        return format!("{from} - {} {zone}", last.strftime("%H:%M"));
    }
    let from = if first.year() == last.year() { first.strftime("%a %-d %b %H:%M") } else { from };
    format!("{from} - {to} {zone}")
}

/// `1,097 lines, all understood`, `90 lines: 80 mail, 3 not understood`.
fn coverage(page: &TextPage, report: &Report) -> String {
    let (input, words) = (&report.input, &page.style.words);
    let lines = counted(input.lines, ["line", "lines"], words);
    match (input.not_understood, input.other) {
        _ if input.lines == 0 => lines,
        (0, 0) => format!("{lines}, {}", page.say("all understood")),
        (0, _) if input.mail > 0 => format!("{lines}, {}", page.say("every mail line understood")),
        (0, _) => format!("{lines}, {}", page.say("none of them of a mail server")),
        (unread, _) => format!(
            "{lines}, {} {} {} {}",
            HumanCount(unread),
            page.say("of"),
            counted(input.mail, ["mail line", "mail lines"], words),
            page.say("not understood")
        ),
    }
}

/// The mail of each direction, in messages.
pub(crate) fn totals(page: &mut TextPage, report: &Report) {
    let messages = &report.totals.messages;
    page.blank();
    outgoing(page, report);
    local(page, report);
    incoming(page, report);
    if messages.outgoing.messages
        + messages.local.messages
        + messages.received
        + report.totals.inbound.refused
        == 0
        && messages.messages == 0
    {
        let english = match (report.input.filtered > 0, report.totals.events() == 0) {
            (true, true) => "No event matches the filter.",
            (false, true) => "No deliveries or rejections found.",
            _ => return,
        };
        page.line(page.say(english));
    }
}

/// Messages to other servers: a line with a bar for each state.
fn outgoing(page: &mut TextPage, report: &Report) {
    let messages = &report.totals.messages;
    let flow = &messages.outgoing;
    let attempts = report.totals.outbound.attempts;
    if flow.messages == 0 {
        if attempts > 0 {
            let text = format!(
                "{}, {}",
                counted(attempts, ["attempt", "attempts"], &page.style.words),
                page.say("no whole message")
            );
            labelled(page, "OUTGOING", &text);
        }
        return;
    }
    let words = &page.style.words;
    let whole = counted(flow.messages, ["message", "messages"], words);
    let states = states(flow);
    let name = states.iter().map(|(name, _)| page.say(name).width()).max().unwrap_or(0);
    let count = states.iter().map(|(_, count)| HumanCount(*count).to_string().len()).max().unwrap_or(0);
    let lead = whole.width() + 3;
    let room = page.style.width.saturating_sub(LABEL + lead + count + 1 + name + 10).min(BAR);
    for (at, (state, value)) in states.iter().enumerate() {
        let share = percent(*value, flow.messages);
        let value_shown = HumanCount(*value).to_string();
        let mut line = format!(
            "{}{value_shown:>count$} {}  {share:>6}",
            pad(if at == 0 { &whole } else { "" }, lead),
            pad(page.say(state), name)
        );
        let bar = bar(*value, flow.messages, room, page.style);
        if !bar.is_empty() {
            line = format!("{line}  {}", page.styled(state_color(state), &bar));
        }
        if *state == "waiting"
            && let Some(age) = messages.oldest_seconds.filter(|age| *age >= 60)
        {
            let age = format!("  {} {}", page.say("oldest"), duration(words, age));
            // The colours of the bar take no columns.
            let used = LABEL + lead + count + 1 + name + 8 + if bar.is_empty() { 0 } else { 2 + bar.width() };
            if used + age.width() <= page.style.width {
                line.push_str(&age);
            }
        }
        labelled(page, if at == 0 { "OUTGOING" } else { "" }, &line);
    }
    let delayed = (flow.delayed > 0)
        .then(|| format!("{} {}", HumanCount(flow.delayed), page.say("delivered late, after a deferral")));
    let notices = (messages.notices > 0).then(|| {
        let written = counted(messages.notices, ["bounce notice of ours", "bounce notices of ours"], words);
        format!("{written} {}", page.say("not counted"))
    });
    let aside: Vec<String> = delayed.into_iter().chain(notices).collect();
    if !aside.is_empty() {
        for part in wrap(&format!("({})", aside.join("; ")), page.style.width.saturating_sub(LABEL)) {
            labelled(page, "", &part);
        }
    }
    failures_over_time(page, report);
}

/// The bars of the failed deliveries to other servers.
fn failures_over_time(page: &mut TextPage, report: &Report) {
    let narrow = TextStyle { width: page.style.width.saturating_sub(LABEL), ..page.style.clone() };
    let outgoing =
        |hour: &Hour| Hour { local: HourSent::default(), inbound: HourRefused::default(), ..hour.clone() };
    if let Some(line) = spark(&report.timeline.iter().map(outgoing).collect::<Vec<_>>(), &narrow) {
        labelled(page, "", &line);
    }
}

fn state_color(state: &str) -> Style {
    match state {
        "delivered" => AnsiColor::Green.on_default(),
        "bounced" | "expired" => AnsiColor::Red.on_default(),
        _ => AnsiColor::Yellow.on_default(),
    }
}

fn bar(count: u64, whole: u64, room: usize, style: &TextStyle) -> String {
    let mark = if style.unicode { "█" } else { "#" };
    let length = (u128::from(count) * room as u128 * 2).div_ceil(u128::from(whole.max(1)) * 2) as usize;
    if room < 5 || count == 0 { String::new() } else { mark.repeat(length.clamp(1, room)) }
}

/// `LOCAL      1,200 messages: 83% delivered, 200 bounced`
fn local(page: &mut TextPage, report: &Report) {
    let flow = &report.totals.messages.local;
    if flow.messages == 0 {
        return;
    }
    let words = &page.style.words;
    let states = states(flow).into_iter().map(|(state, count)| match state {
        "delivered" => format!("{} {}", percent(count, flow.messages), page.say(state)),
        _ => format!("{} {}", HumanCount(count), page.say(state)),
    });
    let states: Vec<String> = states.collect();
    let line = format!("{}: {}", counted(flow.messages, ["message", "messages"], words), states.join(", "));
    labelled(page, "LOCAL", &fit(&line, page.style.width.saturating_sub(LABEL), page.style.unicode));
}

/// `INCOMING   27,257 refused, 12,345 messages accepted`
fn incoming(page: &mut TextPage, report: &Report) {
    let (refused, accepted) = (report.totals.inbound, report.totals.messages.received);
    if refused.refused + accepted == 0 {
        return;
    }
    let words = &page.style.words;
    let aside = [(refused.warned, "warned"), (refused.held, "held"), (refused.discarded, "discarded")];
    let aside = aside.iter().filter(|(count, _)| *count > 0);
    let mut parts = vec![counted(accepted, ["message accepted", "messages accepted"], words)];
    if refused.refused > 0 {
        parts.push(format!("{} {}", HumanCount(refused.refused), page.say("refused")));
    } else if !report.input.may_hide_refusals() {
        parts.push(page.say("nothing refused").to_owned());
    }
    parts.extend(aside.map(|(count, word)| format!("{} {}", HumanCount(*count), page.say(word))));
    // A count stays beside its word.
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if LABEL + line.width() + 2 + part.width() < page.style.width => {
                line.push_str(", ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let comma = if at + 1 < lines.len() { "," } else { "" };
        labelled(page, if at == 0 { "INCOMING" } else { "" }, &format!("{line}{comma}"));
    }
}

fn labelled(page: &mut TextPage, label: &str, text: &str) {
    let label = page.styled(HEADING, &pad(page.say(label), LABEL));
    page.line(&format!("{label}{text}"));
}

/// `BAD   38% of messages bounced (alarm at 20%); 40% waiting (alarm at 20%)`, storms, and who stands out.
fn show_verdict(page: &mut TextPage, report: &Report, most: usize) {
    page.blank();
    if let Some(verdict) = &report.verdict {
        let color = match verdict.state {
            VerdictState::Ok => AnsiColor::Green,
            VerdictState::Watch => AnsiColor::Yellow,
            VerdictState::Bad => AnsiColor::Red,
        };
        let state = page.say(verdict::word(verdict.state)).to_owned();
        let label = page.styled(color.on_default().effects(Effects::BOLD), &state);
        let found: Vec<String> = verdict.findings.iter().take(FINDINGS).map(verdict::finding).collect();
        let more = verdict.findings.len().saturating_sub(FINDINGS);
        let text = match (found.as_slice(), more) {
            ([], _) => well(page, report),
            (found, 0) => found.join("; "),
            (found, more) => format!("{}; {} {more} {}", found.join("; "), page.say("and"), page.say("more")),
        };
        let indent = state.width() + 3;
        let room = page.style.width.saturating_sub(indent);
        let lines = wrap(&printable(&text), room);
        for (at, line) in lines.iter().take(most).enumerate() {
            let is_cut = at + 1 == most && lines.len() > most;
            let line =
                if is_cut { fit(&format!("{line} ..."), room, page.style.unicode) } else { line.clone() };
            match at {
                0 => page.line(&format!("{label}   {line}")),
                _ => page.line(&format!("{}{line}", " ".repeat(indent))),
            }
        }
        if let Some(compared) = compared(page, report) {
            page.line(&format!("{}{compared}", " ".repeat(indent)));
        }
    }
    show_host(page, report);
    storm_line::show_within(page, report.storms.as_deref());
    if let Some(outlier) = outliers(report).into_iter().next() {
        let (count, whole) = (HumanCount(outlier.count), HumanCount(outlier.whole));
        let share = percent(outlier.count, outlier.whole);
        let share = format!("{count} {} {whole} {} ({share})", page.say("of"), page.say(outlier.outcome));
        let room = page.style.width.saturating_sub(share.width() + 22).max(16);
        let name = fit(&printable(outlier.name), room, page.style.unicode);
        page.line(&format!("{} {} {name}: {share}", page.say("Stands out:"), page.say(outlier.kind)));
    }
}

/// The host that differs most, unless the findings that are shown name it.
fn show_host(page: &mut TextPage, report: &Report) {
    let findings = report.verdict.iter().flat_map(|verdict| &verdict.findings);
    let is_host = |finding: &VerdictFinding| finding.what.starts_with("host ");
    let place = findings.clone().position(is_host).unwrap_or_default();
    if place + 1 >= FINDINGS
        && let Some(found) = findings.into_iter().find(|finding| is_host(finding))
    {
        let text = format!("{} {}", page.say("Stands out:"), verdict::finding(found));
        page.line(&fit(&printable(&text), page.style.width, page.style.unicode));
    }
}

fn well(page: &TextPage, report: &Report) -> String {
    let english = if report.baseline.is_some() {
        "nothing is far from the usual"
    } else if report.sections.is_empty() {
        "nothing was deferred, bounced or refused"
    } else if report.sections.iter().any(|section| section.action == Action::FixHere) {
        "no alarm limit is reached"
    } else {
        "no alarm limit is reached, and nothing is unusual for this log"
    };
    page.say(english).to_owned()
}

/// `compared with the median of 7 earlier weeks`
fn compared(page: &TextPage, report: &Report) -> Option<String> {
    let baseline = report.baseline.as_ref()?;
    let unit = if baseline.same_weekday {
        ["earlier week", "earlier weeks"]
    } else {
        ["earlier day", "earlier days"]
    };
    let samples = counted(baseline.samples as u64, unit, &page.style.words);
    Some(format!("{} {samples}", page.say("compared with the median of")))
}

/// The section of the servers' own warnings. Empty: none needs attention.
pub(crate) fn warned(report: &Report, style: &TextStyle, has_advice: bool) -> String {
    let mut page = TextPage { text: String::new(), style };
    show_warnings(&mut page, report, has_advice);
    page.text
}

/// The servers' own warnings: one line and one line of advice for each of the two most important.
fn show_warnings(page: &mut TextPage, report: &Report, has_advice: bool) {
    let (shown, _) = warnings::entries(report, &page.style.words);
    if shown.is_empty() {
        return;
    }
    let heading =
        format!("{}  {}", page.say("SERVER WARNINGS"), page.say("often the cause of what is above"));
    page.line(&page.styled(HEADING, &heading));
    for entry in shown.iter().take(2) {
        let lines = counted(entry.lines, ["line", "lines"], &page.style.words);
        let room = page.style.width.saturating_sub(lines.width() + 4);
        let title = match &entry.row.title {
            Some(_) => warnings::title(entry.row, &page.style.words).to_owned(),
            None => warnings::text(entry.row),
        };
        page.line(&format!("  {}  {lines}", fit(&printable(&title), room, page.style.unicode)));
        if let Some(text) = entry.row.advice.as_ref().filter(|_| has_advice) {
            fault_table::advice(page, page.say(text));
        }
    }
}

/// The next commands, and the limits of the numbers.
fn show_foot(page: &mut TextPage, report: &Report, most_notes: usize) {
    let notes: Vec<&String> = report.notes.iter().skip(report.table_notes).collect();
    let (mut room, mut hidden) = (most_notes, 0);
    for note in &notes {
        let lines = wrap(&printable(page.say(note)), page.style.width.saturating_sub(2));
        if lines.len() > room {
            hidden += 1;
            continue;
        }
        room -= lines.len();
        page.indented(&printable(page.say(note)), 2);
    }
    if hidden > 0 {
        let notes = counted(hidden, ["more note", "more notes"], &page.style.words);
        page.line(&format!("{notes}: smtplog --codes"));
    }
    let input = if page.style.input.is_empty() {
        String::new()
    } else {
        format!(" {}", printable(&page.style.input))
    };
    let main = fault_table::main_row(report);
    let mut rows = report.sections.iter().flat_map(|section| &section.rows);
    let is_of_messages = |row: &&FaultRow| row.totals.failed() > 0;
    if let Some(row) = main.filter(is_of_messages).or_else(|| rows.find(is_of_messages)) {
        // What begins with a hyphen would be an option, and what is not printable is no longer the address.
        let is_safe = |name: &&str| !name.starts_with('-') && printable(name) == **name;
        let address = row.recipient.as_deref().filter(is_safe).map_or("ADDRESS".to_owned(), quoted);
        page.line(&format!("{}  smtplog trace {address}{input}", page.say("Why one mail failed:")));
    }
    if let Some(row) = main {
        let reason = super::page::word(&row.reason);
        let codes = page.say("all codes: --codes");
        page.line(&format!("{}  smtplog --reason {reason}{input}   ({codes})", page.say("One reason:")));
    } else if report.totals.events() > 0 {
        page.line(&format!("{}  smtplog --codes{input}", page.say("All codes:")));
    }
    if let Some((seconds, threads)) = page.style.took {
        let threads = counted(threads as u64, ["thread", "threads"], &page.style.words);
        let size = indicatif::DecimalBytes(report.input.bytes);
        page.line(&format!("{size} {} {seconds:.1} s ({threads})", page.say("in")));
    }
}
