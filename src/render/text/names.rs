//! Who: the tables of names as every format shows them, who stands out in them, and both as text.

use std::cmp::Reverse;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit, pad};
use super::rows::HEADING;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::words::totals::share;
use crate::report::{NameRow, NameTotals, Remainder, Report};

/// One table of a report.
pub(crate) struct NameColumns<'a> {
    /// English, as are all titles here; to be said in the reader's language.
    pub title: &'static str,
    /// As `report.rest` and CSV call it.
    pub id: &'static str,
    pub rows: &'a [NameRow],
    pub rest: &'a Remainder,
}

/// One order of a table: the rows that are shown, then what is in none of them.
pub(crate) struct NameOrder<'a> {
    pub meaning: &'static str,
    pub rows: Vec<&'a NameRow>,
    /// Together with the rows they are the sums of the report.
    pub below: Vec<(String, NameTotals)>,
}

/// A column, and how it is counted.
pub(crate) type Column = (&'static str, fn(&NameTotals) -> u64);

const COLUMNS: [Column; 6] = [
    ("messages", |counts| counts.messages.unwrap_or(0)),
    ("sent", |counts| counts.delivered),
    ("deferred", |counts| counts.deferred),
    ("bounced", |counts| counts.bounced),
    ("expired", |counts| counts.expired),
    ("refused", |counts| counts.rejected),
];

/// All tables that have rows.
pub(crate) fn tables(report: &Report) -> Vec<NameColumns<'_>> {
    let rest = &report.rest;
    let tables = [
        ("SENDERS", "senders", &report.senders, &rest.senders),
        ("USERS", "users", &report.users, &rest.users),
        ("CLIENTS", "clients", &report.clients, &rest.clients),
        ("DOMAINS", "domains", &report.domains, &rest.domains),
        ("PROVIDERS", "providers", &report.providers, &rest.providers),
        ("RELAYS", "relays", &report.relays, &rest.relays),
        ("INSTANCES", "instances", &report.instances, &rest.instances),
    ];
    let tables = tables.map(|(title, id, rows, rest)| NameColumns { title, id, rows, rest });
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

impl NameColumns<'_> {
    /// The columns in which anything is.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut counts: Vec<NameTotals> = self.rows.iter().map(NameRow::counts).collect();
        counts.extend([self.rest.others, self.rest.unnamed]);
        COLUMNS.into_iter().filter(|(_, count)| counts.iter().any(|counts| count(counts) > 0)).collect()
    }

    /// Who failed most; and who sent most, where others did.
    pub(crate) fn parts(&self, style: &TextStyle) -> Vec<NameOrder<'_>> {
        let top = if style.top == 0 { self.rows.len() } else { style.top };
        let failing: Vec<&NameRow> = self.rows.iter().filter(|row| row.failures() > 0).take(top).collect();
        let mut large: Vec<&NameRow> = self.rows.iter().collect();
        large.sort_by_key(|row| Reverse(row.volume()));
        large.truncate(top);
        let is_new = |row: &&NameRow| failing.iter().all(|other| other.name != row.name);
        let large = if large.iter().any(is_new) { large } else { Vec::new() };
        let parts = [("most failures", failing), ("most mail", large)];
        let parts = parts.into_iter().filter(|(_, rows)| !rows.is_empty());
        parts.map(|(meaning, rows)| self.part(meaning, rows, style)).collect()
    }

    fn part<'a>(
        &'a self,
        meaning: &'static str,
        mut rows: Vec<&'a NameRow>,
        style: &TextStyle,
    ) -> NameOrder<'a> {
        let mut others = self.rest.others;
        let hidden = self.rows.iter().filter(|row| rows.iter().all(|shown| shown.name != row.name));
        hidden.for_each(|row| others.add(&row.counts()));
        let names = self.rest.names + (self.rows.len() - rows.len()) as u64;
        let words = &style.words;
        let title = match names {
            0 => words.translate("others").to_owned(),
            names => format!("{} ({})", words.translate("others"), HumanCount(names)),
        };
        let below = [(title, others), (words.translate("(not known)").to_owned(), self.rest.unnamed)];
        let columns = self.columns();
        let is_some = |counts: &NameTotals| columns.iter().any(|(_, count)| count(counts) > 0);
        let below = below.into_iter().filter(|(_, counts)| is_some(counts)).collect();
        if style.reverse {
            rows.reverse();
        }
        NameOrder { meaning, rows, below }
    }
}

/// One name that most of something is due to.
pub(crate) struct Outlier<'a> {
    pub kind: &'static str,
    pub name: &'a str,
    pub count: u64,
    pub whole: u64,
    /// `bounced`
    pub outcome: &'static str,
}

/// Fewer are chance.
const FEWEST: u64 = 10;

/// At most one of each kind, the largest share first. A name stands out with a third of all, and with twice what each
/// would have if all had the same: of two senders each has a half of something, and one sender has always all of it.
pub(crate) fn standing(report: &Report) -> Vec<Outlier<'_>> {
    let kinds = [
        ("sender", &report.senders, &report.rest.senders),
        ("user", &report.users, &report.rest.users),
        ("client", &report.clients, &report.rest.clients),
    ];
    let outcomes: [Column; 3] = [
        ("bounced", |counts| counts.bounced + counts.expired),
        ("deferred", |counts| counts.deferred),
        ("refused by us", |counts| counts.rejected),
    ];
    let of_kind = |(kind, rows, rest): (&'static str, &'_ Vec<NameRow>, &Remainder)| {
        let names = rows.len() as u64 + rest.names;
        let of_outcome = |(outcome, of): Column| {
            let listed: u64 = rows.iter().map(|row| of(&row.counts())).sum();
            let whole = listed + of(&rest.others) + of(&rest.unnamed);
            let (at, count) = rows
                .iter()
                .map(|row| of(&row.counts()))
                .enumerate()
                .max_by_key(|&(at, count)| (count, Reverse(at)))?;
            // Anybody can write any sender into mail that is refused.
            let is_forged = outcome == "refused by us" && kind != "client";
            let stands = count >= FEWEST && count * 3 >= whole && count * names >= whole * 2 && !is_forged;
            stands.then_some((at, count, whole, outcome))
        };
        let best = outcomes.into_iter().filter_map(of_outcome);
        best.max_by(|a, b| (a.1 * b.2).cmp(&(b.1 * a.2)).then(a.1.cmp(&b.1)))
            .map(|(at, count, whole, outcome)| (kind, at, count, whole, outcome))
    };
    let found: Vec<_> = kinds.into_iter().filter_map(of_kind).collect();
    let name = |kind: &str, at: usize| {
        let rows = kinds.iter().find(|(other, ..)| *other == kind).map(|(_, rows, _)| rows);
        rows.and_then(|rows| rows.get(at)).map_or("", |row| row.name.as_str())
    };
    let mut standing: Vec<Outlier> = found
        .into_iter()
        .map(|(kind, at, count, whole, outcome)| Outlier {
            kind,
            name: name(kind, at),
            count,
            whole,
            outcome,
        })
        .collect();
    standing.sort_by(|a, b| (b.count * a.whole).cmp(&(a.count * b.whole)));
    standing
}

/// `81 / 100 bounced (81.0%)`
pub(crate) fn share_in_words(standing: &Outlier, words: &Translations) -> String {
    let (count, whole) = (HumanCount(standing.count), HumanCount(standing.whole));
    let share = share(standing.count, standing.whole);
    format!("{count} / {whole} {} ({share})", words.translate(standing.outcome))
}

pub(crate) fn show_standing(page: &mut TextPage, report: &Report) {
    let standing = standing(report);
    if standing.is_empty() {
        return;
    }
    page.blank();
    let heading = page.styled(HEADING, page.say("WHO stands out"));
    page.line(&heading);
    let shares: Vec<String> = standing.iter().map(|one| share_in_words(one, &page.style.words)).collect();
    let kind = standing.iter().map(|one| page.say(one.kind).width()).max().unwrap_or(0);
    let share = shares.iter().map(|share| share.width()).max().unwrap_or(0);
    let room = page.style.width.saturating_sub(kind + share + 6).max(16);
    let names: Vec<String> =
        standing.iter().map(|one| fit(&printable(one.name), room, page.style.unicode)).collect();
    let name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    for ((one, shown), share) in standing.iter().zip(&names).zip(&shares) {
        page.line(&format!("  {}  {}  {share}", pad(page.say(one.kind), kind), pad(shown, name)));
    }
}

/// All tables, each in its orders.
pub(crate) fn show(page: &mut TextPage, report: &Report) {
    for names in tables(report) {
        for part in names.parts(page.style) {
            let text = text(page, &names, &part);
            page.blank();
            for (at, line) in text.lines().enumerate() {
                let line = if at == 0 { page.styled(HEADING, line.trim_end()) } else { line };
                page.line(&line);
            }
        }
    }
}

fn text(page: &TextPage, names: &NameColumns, part: &NameOrder) -> Table {
    let columns = names.columns();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let titles = columns.iter().map(|(title, _)| page.say(title).to_owned());
    let counted: usize = titles.clone().map(|title| title.width().max(9) + 2).sum();
    let room = page.style.width.saturating_sub(counted + 3).max(16);
    let heading = format!("{} ({})", page.say(names.title), page.say(part.meaning));
    table.add_row(std::iter::once(fit(&heading, room + 2, page.style.unicode)).chain(titles));
    let rows = part.rows.iter().map(|row| (printable(&row.name), row.counts()));
    for (name, counts) in rows.chain(part.below.iter().map(|(title, counts)| (title.clone(), *counts))) {
        let cells = columns.iter().map(|(_, count)| HumanCount(count(&counts)).to_string());
        let name = format!("  {}", fit(&name, room, page.style.unicode));
        table.add_row(std::iter::once(name).chain(cells));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 0), 1));
        if at > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
