//! Lays out the tables of names for every format, finds the names that stand out, and renders both as text.

use std::cmp::Reverse;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit, pad};
use super::rows::{HEADING, align_numbers};
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::words::totals::share;
use crate::report::{NameRow, NameTotals, Remainder, Report, Sent};
use crate::smtp::side::is_loopback;

/// One table of a report.
pub(crate) struct NameColumns<'a> {
    /// In English, like all titles here; translated when shown.
    pub title: &'static str,
    /// Its name in `report.rest` and in CSV.
    pub id: &'static str,
    pub rows: &'a [NameRow],
    pub rest: &'a Remainder,
}

/// A table in one order: the rows that are shown, then what is not in any of them.
pub(crate) struct NameOrder<'a> {
    pub meaning: &'static str,
    pub rows: Vec<&'a NameRow>,
    /// Titles and counts of the last lines. The rows and these add up to the totals of the report.
    pub below: Vec<(String, NameTotals)>,
}

/// The title of a column, and its count in a row.
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
    /// The columns that are not all 0.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut counts: Vec<NameTotals> = self.rows.iter().map(NameRow::counts).collect();
        counts.extend([self.rest.others, self.rest.unnamed]);
        COLUMNS.into_iter().filter(|(_, count)| counts.iter().any(|counts| count(counts) > 0)).collect()
    }

    /// The names with most failures; and those with most mail, if these are not the same.
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

/// A name that stands out: a large share of the mail with one outcome is due to it.
pub(crate) struct Outlier<'a> {
    pub kind: &'static str,
    pub name: &'a str,
    /// Its events with this outcome.
    pub count: u64,
    /// All events with this outcome.
    pub whole: u64,
    /// `bounced`
    pub outcome: &'static str,
}

/// With fewer events a name does not stand out: they may be chance.
const FEWEST: u64 = 10;

/// The names that stand out: at most one sender, user and client, the largest share first.
///
/// A name stands out with at least a third of the events of one outcome, and with at least twice the average of all names:
/// otherwise one of two names would stand out with half of the events, and a single name always. The program that hands mail back
/// after filtering it is no client that stands out, and where local mail fails, the servers that brought it are not to blame.
pub(crate) fn outliers(report: &Report) -> Vec<Outlier<'_>> {
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
    let failed = |sent: &Sent| sent.deferred + sent.bounced + sent.expired;
    let is_local = failed(&report.totals.local) > failed(&report.totals.outbound);
    let of_kind = |(kind, rows, rest): (&'static str, &'_ Vec<NameRow>, &Remainder)| {
        // Of mail that was sent, clients that were only rejected have no share.
        let sends = |counts: &NameTotals| counts.delivered + counts.failures() > counts.rejected;
        let of_rows = || rows.iter().filter(|row| sends(&row.counts())).count() as u64;
        let of_others = || if sends(&rest.others) { rest.names } else { 0 };
        let (sending, all) =
            rest.few.unwrap_or_else(|| (of_rows() + of_others(), rows.len() as u64 + rest.names));
        let of_outcome = |(outcome, of): Column| {
            let names = if outcome == "refused by us" { all } else { sending };
            let listed: u64 = rows.iter().map(|row| of(&row.counts())).sum();
            let whole = listed + of(&rest.others) + of(&rest.unnamed);
            let is_other = |row: &NameRow| kind != "client" || !is_loopback(row.name.as_bytes());
            let (at, count) = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| is_other(row))
                .map(|(at, row)| (at, of(&row.counts())))
                .max_by_key(|&(at, count)| (count, Reverse(at)))?;
            // The sender of rejected mail may be forged.
            let is_forged = outcome == "refused by us" && kind != "client";
            let is_bearer = outcome != "refused by us" && kind == "client" && is_local;
            let is_wrong = is_forged || is_bearer;
            let stands = count >= FEWEST && count * 3 >= whole && count * names >= whole * 2 && !is_wrong;
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
    let mut outliers: Vec<Outlier> = found
        .into_iter()
        .map(|(kind, at, count, whole, outcome)| Outlier {
            kind,
            name: name(kind, at),
            count,
            whole,
            outcome,
        })
        .collect();
    outliers.sort_by(|a, b| (b.count * a.whole).cmp(&(a.count * b.whole)));
    outliers
}

/// `81 / 100 bounced (81.0%)`, translated.
pub(crate) fn share_in_words(outlier: &Outlier, words: &Translations) -> String {
    let (count, whole) = (HumanCount(outlier.count), HumanCount(outlier.whole));
    let share = share(outlier.count, outlier.whole);
    format!("{count} / {whole} {} ({share})", words.translate(outlier.outcome))
}

pub(crate) fn show_outliers(page: &mut TextPage, report: &Report) {
    let outliers = outliers(report);
    if outliers.is_empty() {
        return;
    }
    page.blank();
    let heading = page.styled(HEADING, page.say("WHO stands out"));
    page.line(&heading);
    let shares: Vec<String> =
        outliers.iter().map(|outlier| share_in_words(outlier, &page.style.words)).collect();
    let kind = outliers.iter().map(|outlier| page.say(outlier.kind).width()).max().unwrap_or(0);
    let share = shares.iter().map(|share| share.width()).max().unwrap_or(0);
    let room = page.style.width.saturating_sub(kind + share + 6).max(16);
    let names: Vec<String> =
        outliers.iter().map(|outlier| fit(&printable(outlier.name), room, page.style.unicode)).collect();
    let name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    for ((outlier, shown), share) in outliers.iter().zip(&names).zip(&shares) {
        page.line(&format!("  {}  {}  {share}", pad(page.say(outlier.kind), kind), pad(shown, name)));
    }
}

/// Shows all tables, each in its orders.
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
    align_numbers(&mut table);
    table
}
