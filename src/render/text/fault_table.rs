//! Renders the sections of a report by who must act, in as many lines as there is room for.

use anstyle::{AnsiColor, Effects, Style};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, fit, pad, wrap};
use super::rows::examples;
use super::sparkline::bars;
use crate::catalog::Action;
use crate::render::sanitize::printable;
use crate::render::words::fault;
use crate::report::{ActionSection, FaultRow, FaultTotals, Report};

const ADVICE: Style = AnsiColor::Cyan.on_default();

/// The row that the next command is about: the first one, unless another one has many times as much failed mail, or three times as
/// much where nothing needs fixing here. `None`: there is none.
pub(crate) fn main_row(report: &Report) -> Option<&FaultRow> {
    let all = || report.sections.iter().flat_map(|section| &section.rows);
    let wanted = || report.sections.iter().filter(|section| section.action != Action::Nothing);
    // Refused clients are no messages, but what refuses them may be the worst fault of all.
    let count = |row: &FaultRow| row.totals.failed() + row.totals.rejected;
    let first = all().next()?;
    let most = wanted().flat_map(|section| &section.rows).rev().max_by_key(|row| count(row));
    let has_fault = wanted().next().is_some_and(|section| section.action == Action::FixHere);
    let factor = if has_fault { 8 } else { 3 };
    Some(most.filter(|most| count(first) * factor < count(most)).unwrap_or(first))
}

/// How many rows the sections may show.
#[derive(Clone, Copy)]
pub(crate) enum RowBudget {
    /// As many as fit into so many lines.
    Lines(usize),
    /// How many rows a section shows; 0: all.
    Rows(usize),
}

/// Rows with at least this share of all failed messages are always shown, in percent.
const ALWAYS: u64 = 5;
/// A section shows at most this number of rows without being asked for more.
const MOST_ROWS: usize = 8;
/// Number of rows of the first section that have advice.
const ADVISED: usize = 3;
/// A row of another section has advice if it has at least this share of the failed messages, in percent.
const ADVISED_SHARE: u64 = 10;

/// The least width of the column of places, and of the titles, in columns.
const PLACE: usize = 10;
const TITLE: usize = 14;

/// What a section shows.
struct SectionPlan<'a> {
    section: &'a ActionSection,
    /// Number of rows; the others are in one line.
    shown: usize,
    /// Number of rows, from the first, with their advice.
    advised: usize,
    /// It has so little of the failed mail that a line is enough.
    is_small: bool,
}

impl SectionPlan<'_> {
    /// Nobody has to act, or there is little to do: the rest is named in one line, without numbers of their own.
    fn is_quiet(&self) -> bool {
        self.is_small || matches!(self.section.action, Action::JustWait | Action::Nothing)
    }

    /// Nobody has to act, or there is little to do, and no row is large.
    fn is_one_line(&self) -> bool {
        self.is_quiet() && self.shown == 0
    }

    fn advice(&self) -> impl Iterator<Item = &str> {
        self.section.rows.iter().take(self.shown.min(self.advised)).filter_map(|row| row.advice.as_deref())
    }

    fn lines(&self, width: usize) -> usize {
        if self.is_one_line() {
            return 1;
        }
        let advice: usize = self.advice().map(|text| wrap(text, width.saturating_sub(6)).len()).sum();
        1 + self.shown + usize::from(self.shown < self.section.rows.len()) + advice
    }
}

pub(crate) fn show(page: &mut TextPage, report: &Report, budget: RowBudget, warnings: &str) {
    let plans = plan(report, budget, page.style.width);
    if plans.is_empty() && warnings.is_empty() {
        return;
    }
    page.blank();
    let columns = FaultColumns::new(page, report);
    let mut warnings = Some(warnings).filter(|text| !text.is_empty());
    let reverse = page.style.reverse;
    let mut ordered: Vec<&SectionPlan> = plans.iter().collect();
    if reverse {
        ordered.reverse();
    }
    let mut has_titles = false;
    for plan in ordered {
        if plan.section.action != Action::FixHere
            && !reverse
            && let Some(text) = warnings.take()
        {
            page.text.push_str(text);
        }
        if plan.is_one_line() {
            one_line(page, plan);
            continue;
        }
        heading(page, plan, &columns, !has_titles, report);
        has_titles = true;
        let mut rows: Vec<(usize, &FaultRow)> =
            plan.section.rows.iter().take(plan.shown).enumerate().collect();
        if reverse {
            rest(page, plan, &columns);
            rows.reverse();
        }
        for (at, row) in rows {
            page.line(&columns.row(page, row, report));
            if at < plan.advised
                && let Some(text) = &row.advice
            {
                advice(page, page.say(text));
            }
            examples(page, &row.examples);
        }
        if !reverse {
            rest(page, plan, &columns);
        }
    }
    if let Some(text) = warnings {
        page.text.push_str(text);
    }
}

/// Whether the advice of the first fault that needs fixing here is shown, if it has one.
pub(crate) fn has_room_for_advice(report: &Report, budget: RowBudget, width: usize) -> bool {
    let plans = plan(report, budget, width);
    let first = plans.first().filter(|plan| plan.section.action == Action::FixHere);
    let has_advice = |plan: &&SectionPlan| plan.section.rows.first().is_some_and(|row| row.advice.is_some());
    first.filter(has_advice).is_none_or(|plan| plan.advised > 0 && plan.shown > 0)
}

/// Decides which rows and which advice are shown: first the rows with a large share, then the advice of the first rows,
/// then more rows.
fn plan(report: &Report, budget: RowBudget, width: usize) -> Vec<SectionPlan<'_>> {
    let mut whole = FaultTotals::default();
    report.sections.iter().for_each(|section| whole.add(&section.totals));
    let is_large =
        |row: &FaultRow| row.totals.failed() * 100 >= whole.failed() * ALWAYS && row.totals.failed() > 0;
    let mut plans: Vec<SectionPlan> = report
        .sections
        .iter()
        .map(|section| {
            let large = section.rows.iter().filter(|row| is_large(row)).count();
            let last_large = section.rows.iter().rposition(is_large).map_or(0, |at| at + 1);
            let failed = section.totals.failed();
            let is_small = section.action != Action::FixHere && failed * 100 < whole.failed() * ALWAYS;
            let plan = SectionPlan { section, shown: large, advised: 0, is_small };
            let shown = if plan.is_quiet() { large } else { last_large.max(1) };
            SectionPlan { shown: shown.min(section.rows.len()), ..plan }
        })
        .collect();
    let room = match budget {
        RowBudget::Rows(rows) => {
            for (at, plan) in plans.iter_mut().enumerate() {
                let all = plan.section.rows.len();
                plan.shown = if rows == 0 { all } else { rows.min(all) };
                plan.advised = if at == 0 || rows == 0 { usize::MAX } else { 1 };
            }
            return plans;
        }
        RowBudget::Lines(lines) => lines.saturating_sub(1),
    };
    let used = |plans: &[SectionPlan]| plans.iter().map(|plan| plan.lines(width)).sum::<usize>();
    for at in 0..plans.len() {
        let wanted = match plans.get(at) {
            Some(_) if at == 0 => ADVISED,
            Some(plan) => {
                let first = plan.section.rows.first();
                let share = first.map_or(0, |row| row.totals.failed() * 100);
                usize::from(!plan.is_quiet() && share >= whole.failed() * ADVISED_SHARE)
            }
            None => 0,
        };
        for _ in 0..wanted {
            change(&mut plans, at, room, used, |plan| plan.advised += 1);
        }
    }
    // Row by row over the sections, so that no section takes the room of the others.
    for count in 2..=MOST_ROWS {
        for at in 0..plans.len() {
            let wants = plans
                .get(at)
                .is_some_and(|plan| !plan.is_quiet() && plan.shown < count.min(plan.section.rows.len()));
            if wants {
                change(&mut plans, at, room, used, |plan| plan.shown += 1);
            }
        }
    }
    plans
}

/// Makes a change of a plan if it fits into the room.
fn change(
    plans: &mut [SectionPlan],
    at: usize,
    room: usize,
    used: impl Fn(&[SectionPlan]) -> usize,
    work: impl FnOnce(&mut SectionPlan),
) {
    let Some(plan) = plans.get_mut(at) else { return };
    let before = (plan.shown, plan.advised);
    work(plan);
    if used(plans) > room
        && let Some(plan) = plans.get_mut(at)
    {
        (plan.shown, plan.advised) = before;
    }
}

/// `FIX HERE          only you can cure these         waiting  bounced  where`
fn heading(page: &mut TextPage, plan: &SectionPlan, columns: &FaultColumns, is_first: bool, report: &Report) {
    let color = match plan.section.action {
        Action::FixHere => AnsiColor::Red,
        Action::CleanLists | Action::AskOrChange => AnsiColor::Yellow,
        Action::JustWait | Action::Nothing => AnsiColor::White,
    };
    let title = page.say(plan.section.title);
    let color = color.on_default().effects(Effects::BOLD);
    // The first heading shares its line with the titles of the columns.
    let room = if is_first { columns.title + columns.codes } else { page.style.width };
    let meaning = page.say(plan.section.meaning);
    let times = fault::got_through(report, &page.style.words)
        .filter(|_| plan.section.action == Action::JustWait)
        .map(|times| [format!("{meaning}; {times}"), times]);
    // The first one that fits.
    let mut meanings = times.iter().flatten().map(String::as_str).chain([meaning]);
    let meaning = meanings.find(|meaning| title.width() + 2 + meaning.width() <= room).unwrap_or_default();
    let titled = format!("{}  {meaning}", page.styled(color, title));
    let width = title.width() + 2 + meaning.width();
    let gap = " ".repeat((columns.title + columns.codes).saturating_sub(width));
    let titles = if is_first { columns.titles(page) } else { String::new() };
    page.line(&format!("{titled}{gap}{titles}"));
}

/// `NOTHING TO DO  on a block list 5,590 · no such user 3,105`
fn one_line(page: &mut TextPage, plan: &SectionPlan) {
    let title = page.say(plan.section.title);
    let rows: Vec<&FaultRow> = plan.section.rows.iter().collect();
    let names = named(page, &rows, page.style.width.saturating_sub(title.width() + 2));
    let title = page.styled(Style::new().bold(), title);
    page.line(&format!("{title}  {names}"));
}

/// The rows that are not shown: their sums, or their names if nobody has to act.
fn rest(page: &mut TextPage, plan: &SectionPlan, columns: &FaultColumns) {
    let hidden: Vec<&FaultRow> = plan.section.rows.iter().skip(plan.shown).collect();
    if hidden.is_empty() {
        return;
    }
    if plan.is_quiet() {
        let line = named(page, &hidden, page.style.width.saturating_sub(2));
        page.line(&format!("  {line}"));
        return;
    }
    let mut sums = FaultTotals::default();
    for row in &hidden {
        sums.add(&row.totals);
    }
    let title = fault::counted(hidden.len() as u64, ["more reason", "more reasons"], &page.style.words);
    page.line(&format!("  {}{}", pad(&title, columns.title + columns.codes - 2), columns.counts(&sums)));
}

/// `no connection 14 · server error 8 · 5 more: 7`, as many as fit.
fn named(page: &TextPage, rows: &[&FaultRow], room: usize) -> String {
    let between = if page.style.unicode { " · " } else { ", " };
    let weight = |row: &FaultRow| row.totals.failed() + row.totals.rejected;
    let item = |row: &FaultRow| format!("{} {}", page.say(&row.title), HumanCount(weight(row)));
    for shown in (1..=rows.len()).rev() {
        let (named, others) = rows.split_at(shown);
        let mut parts: Vec<String> = named.iter().map(|row| item(row)).collect();
        if !others.is_empty() {
            let sum: u64 = others.iter().map(|row| weight(row)).sum();
            parts.push(format!("{} {}: {}", others.len(), page.say("more"), HumanCount(sum)));
        }
        let line = parts.join(between);
        if line.width() <= room || shown == 1 {
            return fit(&line, room, page.style.unicode);
        }
    }
    String::new()
}

pub(crate) fn advice(page: &mut TextPage, text: &str) {
    for line in wrap(&printable(text), page.style.width.saturating_sub(6)) {
        page.line(&format!("      {}", page.styled(ADVICE, &line)));
    }
}

/// A column of counts: its title, and the count.
type CountOf = (&'static str, fn(&FaultTotals) -> u64);

/// The columns of all sections and their widths.
struct FaultColumns {
    title: usize,
    codes: usize,
    counts: Vec<(CountOf, usize)>,
    /// Width of the trend; 0: it is left out.
    trend: usize,
    place: usize,
    /// Width of the time since when; 0: it is left out.
    since: usize,
}

impl FaultColumns {
    fn new(page: &TextPage, report: &Report) -> Self {
        let width = page.style.width;
        let wide = width >= 96;
        let mut all = FaultTotals::default();
        report
            .sections
            .iter()
            .filter(|section| section.action != Action::Nothing)
            .for_each(|section| all.add(&section.totals));
        let waited: CountOf =
            if all.delayed > 0 { ("waited", FaultTotals::waited) } else { ("waiting", FaultTotals::waited) };
        // One word for both if clients were refused or mail expired: the head has each number.
        let failed: CountOf = if all.expired + all.rejected > 0 {
            ("failed", |totals| totals.lost() + totals.rejected)
        } else {
            ("bounced", |totals| totals.bounced)
        };
        let counts = [waited, failed];
        let counts: Vec<(CountOf, usize)> = counts
            .into_iter()
            .filter(|(_, count)| count(&all) > 0)
            .map(|column| {
                let digits = HumanCount(column.1(&all)).to_string().len();
                (column, digits.max(page.say(column.0).width()) + 2)
            })
            .collect();
        let counted: usize = counts.iter().map(|(_, width)| width).sum();
        let rows = report.sections.iter().filter(|section| section.action != Action::Nothing);
        let titles =
            rows.flat_map(|section| &section.rows).map(|row| fault::title(row, &page.style.words).width());
        let longest = titles.max().unwrap_or(0) + 3;
        let (mut title, codes) = (longest.clamp(24, if wide { 36 } else { 28 }), 14);
        let has_since =
            report.sections.iter().flat_map(|section| &section.rows).any(|row| row.since.is_some());
        let since = if wide && has_since { 11 } else { 0 };
        let parts = report.trend.as_ref().map_or(0, |trend| trend.parts as usize);
        // With many columns of counts the titles are shorter.
        let short = (PLACE + title + codes + counted + 2).saturating_sub(width).min(title - TITLE);
        title -= short;
        let rest = width.saturating_sub(title + codes + counted + 2);
        let trend =
            if page.style.unicode && parts > 1 && rest >= parts + 2 + PLACE + since { parts + 2 } else { 0 };
        let place = rest.saturating_sub(trend + since);
        // What the places do not need is for the titles.
        let shown = report.sections.iter().filter(|section| section.action != Action::Nothing);
        let places = shown.flat_map(|section| &section.rows);
        let places =
            places.map(|row| fault::place(row, &page.style.words, width, page.style.unicode).width());
        let needed = (places.max().unwrap_or(0) + 1).max(PLACE);
        let more = place.saturating_sub(needed).min(longest.saturating_sub(title));
        let (title, place) = (title + more, place - more);
        Self { title, codes, counts, trend, place, since }
    }

    fn titles(&self, page: &TextPage) -> String {
        let mut line = String::new();
        for ((title, _), width) in &self.counts {
            let title = page.say(title);
            line.push_str(&" ".repeat(width.saturating_sub(title.width())));
            line.push_str(title);
        }
        let trend = if self.trend > 0 {
            format!("  {}", pad(page.say("trend"), self.trend - 2))
        } else {
            String::new()
        };
        let since = if self.since > 0 { page.say("since") } else { "" };
        format!("{line}{trend}  {}{since}", pad(page.say("where"), self.place))
    }

    fn counts(&self, totals: &FaultTotals) -> String {
        let mut line = String::new();
        for ((_, count), width) in &self.counts {
            let shown = match count(totals) {
                0 => "-".to_owned(),
                some => HumanCount(some).to_string(),
            };
            line.push_str(&" ".repeat(width.saturating_sub(shown.len())));
            line.push_str(&shown);
        }
        line
    }

    fn row(&self, page: &TextPage, row: &FaultRow, report: &Report) -> String {
        let words = &page.style.words;
        let title = fit(&fault::title(row, words), self.title - 3, page.style.unicode);
        let title = format!(
            "  {}{}",
            page.styled(Style::new().bold(), &title),
            " ".repeat((self.title - 2).saturating_sub(title.width()))
        );
        let codes = fit(&fault::codes(row, words), self.codes - 1, page.style.unicode);
        let trend = match self.trend {
            0 => String::new(),
            width => format!("  {}", pad(&bars(&row.trend, true), width - 2)),
        };
        // A space only before what follows.
        let room = self.place.saturating_sub(usize::from(self.since > 0));
        let place = fault::place(row, words, room, page.style.unicode);
        let since = if self.since > 0 { fault::since(row, report) } else { String::new() };
        format!(
            "{title}{}{}{trend}  {}{since}",
            pad(&codes, self.codes),
            self.counts(&row.totals),
            pad(&place, self.place)
        )
    }
}
