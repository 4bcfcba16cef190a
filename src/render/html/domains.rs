//! Renders the table of recipient domains with their failure rates.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::bar::bar;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::page::TextStyle;
use crate::render::words::fault::{counted, percent};
use crate::report::{NameRow, NameTotals, Report};

/// Number of domains without `-n`.
const SHOWN: usize = 20;

/// How many deliveries to a domain failed for good, of those that have a result. Deferrals are no result yet.
pub(crate) struct DomainRate {
    pub failed: u64,
    pub finished: u64,
    pub deferred: u64,
}

impl DomainRate {
    pub(crate) fn of(row: &NameRow) -> Self {
        Self::of_counts(&row.counts())
    }

    fn of_counts(counts: &NameTotals) -> Self {
        let failed = counts.bounced + counts.expired;
        Self { failed, finished: failed + counts.delivered, deferred: counts.deferred }
    }

    /// `3.5%`; a dash if nothing has a result.
    fn percent(&self) -> String {
        if self.finished == 0 { "–".to_owned() } else { percent(self.failed, self.finished) }
    }

    /// `12 of 340 finished deliveries failed (3.5%); 17 deferrals`
    pub(crate) fn sentence(&self, words: &Translations) -> String {
        let finished = (self.finished > 0).then(|| {
            format!(
                "{} {} {} {} ({})",
                HumanCount(self.failed),
                words.translate("of"),
                counted(self.finished, ["finished delivery", "finished deliveries"], words),
                words.translate("failed"),
                self.percent()
            )
        });
        let deferred = (self.deferred > 0).then(|| counted(self.deferred, ["deferral", "deferrals"], words));
        finished.into_iter().chain(deferred).collect::<Vec<_>>().join("; ")
    }
}

/// The anchor of a domain that has a section of its own.
pub(crate) fn domain_id(report: &Report, name: &str) -> Option<String> {
    let at = report.failing_domains.iter().position(|domain| domain.name == name)?;
    Some(format!("d{}", at + 1))
}

pub(crate) fn has_failing(report: &Report) -> bool {
    report.domains.iter().any(|row| row.failures() > 0)
}

pub(crate) fn table(report: &Report, style: &TextStyle) -> Markup {
    let words = &style.words;
    let top = match style.rows {
        None => SHOWN,
        Some(0) => usize::MAX,
        Some(rows) => rows,
    };
    let failing: Vec<&NameRow> = report.domains.iter().filter(|row| row.failures() > 0).take(top).collect();
    let most = failing.iter().map(|row| row.failures()).max().unwrap_or(0);
    html! {
        @if !failing.is_empty() {
            section #domains {
                h2 {
                    (words.translate("DOMAINS with most failures"))
                    small { (words.translate("in attempts; the rate is of deliveries with a result, without deferrals")) }
                }
                table.sortable.domains {
                    thead {
                        tr {
                            th scope="col" { (words.translate("domain")) }
                            th.n scope="col" { (words.translate("rate")) }
                            th.n scope="col" { (words.translate("failed")) }
                            th.n scope="col" { (words.translate("finished")) }
                            th.n scope="col" { (words.translate("deferred")) }
                            th.draw.spare { }
                        }
                    }
                    tbody { @for row in &failing { (domain_row(row, most, report, words)) } }
                    (rest(report, &failing, words))
                }
            }
        }
    }
}

fn domain_row(row: &NameRow, most: u64, report: &Report, words: &Translations) -> Markup {
    let rate = DomainRate::of(row);
    // Sorts like the rate; a domain without results comes after all others.
    let order = (rate.failed * 100_000).checked_div(rate.finished);
    html! {
        tr.item data-direction="outbound" {
            th scope="row" {
                @if let Some(id) = domain_id(report, &row.name) {
                    a href={ "#" (id) } { (printable(&row.name)) }
                } @else { (printable(&row.name)) }
            }
            td.n data-value=(order.map_or(-1, u64::cast_signed)) { (rate.percent()) }
            @for count in [rate.failed, rate.finished, rate.deferred] {
                td.n data-value=(count) { (HumanCount(count)) }
            }
            td.draw.spare {
                (bar(most, &[
                    ("transient", row.deferred, words.translate("deferred")),
                    ("permanent", row.bounced, words.translate("bounced")),
                    ("", row.expired, words.translate("expired")),
                ]))
            }
        }
    }
}

/// The domains without a row, and the mail of which no line names the domain. Together with the rows they add up to the totals.
fn rest(report: &Report, shown: &[&NameRow], words: &Translations) -> Markup {
    let mut others = report.rest.domains.others;
    let hidden = report.domains.iter().filter(|row| shown.iter().all(|other| other.name != row.name));
    let mut names = report.rest.domains.names;
    for row in hidden {
        others.add(&row.counts());
        names += 1;
    }
    let unnamed = report.rest.domains.unnamed;
    let lines = [
        (counted(names, ["more domain", "more domains"], words), others),
        (words.translate("(not known)").to_owned(), unnamed),
    ];
    let is_some = |counts: &NameTotals| counts.delivered + counts.failures() > 0;
    let lines: Vec<&(String, NameTotals)> = lines.iter().filter(|(_, counts)| is_some(counts)).collect();
    html! {
        @if !lines.is_empty() {
            tfoot {
                @for (name, counts) in lines {
                    @let rate = DomainRate::of_counts(counts);
                    tr {
                        td { (name) }
                        td.n { (rate.percent()) }
                        @for count in [rate.failed, rate.finished, rate.deferred] { td.n { (HumanCount(count)) } }
                        td.spare {}
                    }
                }
            }
        }
    }
}
