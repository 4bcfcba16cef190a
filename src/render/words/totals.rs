//! Words the totals of a report as sums, for every format that people read.

use indicatif::HumanCount;

use super::duration::duration;
use super::fault::counted as number_of;
use crate::catalog::translation::Translations;
use crate::render::text::page::word;
use crate::report::{DeliveredLater, Messages, Report, Sent, VerdictState};

/// The total of one kind of mail: `OUT`, `204,930 attempts = 171,044 sent (83.5%) + …`.
pub(crate) struct TotalLine {
    /// In English; translated when shown.
    pub name: &'static str,
    pub line: String,
    /// A second line: attempts by the class of the reply, or recipients that got their mail later.
    pub detail: Option<String>,
}

/// The totals. Kinds without mail are left out.
pub(crate) fn sums(report: &Report, words: &Translations) -> Vec<TotalLine> {
    let totals = &report.totals;
    let sent = [sent("OUT", &totals.outbound, words), sent("LOCAL", &totals.local, words)];
    let mail = messages(&totals.messages, words);
    sent.into_iter().flatten().chain(mail).chain(refused(report, words)).collect()
}

fn sent(name: &'static str, sent: &Sent, words: &Translations) -> Option<TotalLine> {
    if sent.attempts + sent.discarded == 0 {
        return None;
    }
    let parts = [
        (sent.delivered, "sent"),
        (sent.deferred, "deferred"),
        (sent.bounced, "bounced"),
        (sent.expired, "expired"),
    ];
    let whole = sum(words, sent.attempts, ["attempt", "attempts"], &parts);
    let aside = counts(words, &[(sent.discarded, "discarded")], ", ");
    let replies = [
        (sent.positive, "2xx"),
        (sent.intermediate, "3xx"),
        (sent.transient, "4xx"),
        (sent.permanent, "5xx"),
        (sent.no_reply, "without a reply"),
    ];
    let detail = (name == "OUT")
        .then(|| format!("{}: {}", words.translate("by reply"), counts(words, &replies, " + ")));
    Some(TotalLine { name, line: with(whole, &aside), detail })
}

/// `1,204 messages = 1,100 sent (91.4%) + 80 deferred (6.6%) + …; 80 still in the queue, the oldest for 2 d 3 h`
fn messages(messages: &Messages, words: &Translations) -> Option<TotalLine> {
    if messages.messages + messages.handed_on == 0 {
        return None;
    }
    let parts = [
        (messages.delivered, "sent"),
        (messages.deferred, "deferred"),
        (messages.bounced, "bounced"),
        (messages.expired, "expired"),
        (messages.discarded, "discarded"),
        (messages.held, "held"),
        (messages.waiting, "not tried yet"),
    ];
    let whole = sum(words, messages.messages, ["message", "messages"], &parts);
    let counted = |count: u64, english: &str| {
        (count > 0).then(|| format!("{} {}", HumanCount(count), words.translate(english)))
    };
    let oldest = messages.oldest_seconds.filter(|age| *age >= 60);
    let aside = [
        counted(messages.in_queue, "still in the queue"),
        oldest.map(|age| format!("{} {}", words.translate("the oldest for"), duration(words, age))),
        counted(messages.handed_on, "handed on"),
        (messages.notices > 0)
            .then(|| number_of(messages.notices, ["bounce or notice", "bounces and notices"], words)),
    ];
    let aside: Vec<String> = aside.into_iter().flatten().collect();
    let later: Vec<String> =
        messages.delivered_later.iter().take(LATER_SHOWN).map(|row| later(row, words)).collect();
    let expired = messages.expired_after.iter().take(LATER_SHOWN).map(|row| {
        let title = if row.title.is_empty() { "(not known)" } else { &row.title };
        format!("{} {}", HumanCount(row.recipients), words.translate(title))
    });
    let expired: Vec<String> = expired.collect();
    let details = [("deferred, then sent", later), ("last error before it expired", expired)];
    let details = details.into_iter().filter(|(_, parts)| !parts.is_empty());
    let details: Vec<String> =
        details.map(|(name, parts)| format!("{}: {}", words.translate(name), parts.join("; "))).collect();
    let detail = (!details.is_empty()).then(|| details.join(". "));
    Some(TotalLine { name: "MAIL", line: with(whole, &aside.join(", ")), detail })
}

/// Number of reasons shown for mail that was delivered later; JSON has all of them.
const LATER_SHOWN: usize = 3;

/// `1,203 greylisted (half within 6 min, 95% within 22 min)`
fn later(row: &DeliveredLater, words: &Translations) -> String {
    let [median, p95] = [row.median_seconds, row.p95_seconds].map(|seconds| duration(words, seconds));
    let (half, most) = (words.translate("half within"), words.translate("95% within"));
    format!("{} {} ({half} {median}, {most} {p95})", HumanCount(row.recipients), words.translate(&row.title))
}

fn refused(report: &Report, words: &Translations) -> Option<TotalLine> {
    let inbound = report.totals.inbound;
    let aside = [(inbound.warned, "warned"), (inbound.held, "held"), (inbound.discarded, "discarded")];
    let aside = counts(words, &aside, ", ");
    if inbound.refused == 0 && aside.is_empty() {
        return None;
    }
    let parts =
        [(inbound.transient, "4xx"), (inbound.permanent, "5xx"), (inbound.unspecified, "without a code")];
    let whole = sum(words, inbound.refused, ["refused by us", "refused by us"], &parts);
    Some(TotalLine { name: "IN", line: with(whole, &aside), detail: None })
}

fn with(whole: String, aside: &str) -> String {
    if aside.is_empty() { whole } else { format!("{whole}; {aside}") }
}

/// The sentence for a report without sections. `None`: something went wrong, and sections follow.
pub(crate) fn all_well(report: &Report) -> Option<&'static str> {
    let left_out = report.input.filtered > 0;
    if report.rows.is_empty() && left_out {
        Some("No event matches the filter.")
    } else if report.rows.is_empty() {
        Some("No deliveries or rejections found.")
    } else {
        // Events that were filtered out may be failures.
        let well = !left_out && report.rows.iter().all(|row| row.reason.is_none());
        well.then_some("Nothing was deferred, bounced or refused.")
    }
}

/// Two sums: all lines, and the mail lines among them.
pub(crate) fn coverage(report: &Report, words: &Translations) -> [String; 2] {
    let input = &report.input;
    let part = |count: u64, word: &str| format!("{} {}", HumanCount(count), words.translate(word));
    let read = format!(
        "{} {} = {} + {}",
        words.translate("read"),
        number_of(input.lines, ["line", "lines"], words),
        part(input.mail, "mail"),
        part(input.other, "other")
    );
    let mail = format!(
        "{} = {} + {}",
        words.translate("mail"),
        part(input.understood, "understood"),
        part(input.not_understood, "not understood")
    );
    [read, mail]
}

/// The filters and the number of events they hide. `None`: no filter.
pub(crate) fn filter(report: &Report, words: &Translations) -> Option<String> {
    let input = &report.input;
    let hidden = format!("{} {}", HumanCount(input.filtered), words.translate("other events hidden"));
    (!input.filter.is_empty())
        .then(|| format!("{}: {} ({hidden})", words.translate("Filter"), input.filter.join(" ")))
}

/// Notes: events that are not in any sum, the verdict, and the limits of the numbers.
pub(crate) fn notes(report: &Report, words: &Translations) -> Vec<String> {
    let totals = &report.totals;
    let counted = [
        (
            totals.host_attempts,
            [
                "reply from an MX host after which another MX was tried is not counted.",
                "replies from MX hosts after which another MX was tried are not counted.",
            ],
        ),
        (totals.probes, ["address probe is not counted.", "address probes are not counted."]),
        (
            totals.hops,
            [
                "hand-off to a filter or an inner relay is not counted; --hops counts it.",
                "hand-offs to a filter or an inner relay are not counted; --hops counts them.",
            ],
        ),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, english)| number_of(*count, *english, words));
    let verdict = verdict_notes(report, words).into_iter();
    verdict.chain(counted).chain(report.notes.iter().map(|note| words.translate(note).to_owned())).collect()
}

/// `bounced>2%: 37.6%`, how the report was compared, and findings that are not about a row.
fn verdict_notes(report: &Report, words: &Translations) -> Vec<String> {
    let failed = report.failed.iter().flatten();
    let mut lines: Vec<String> = failed
        .map(|met| format!("{}: {}: {}", words.translate("FAILED"), met.condition, met.shown))
        .collect();
    let findings = report.verdict.iter().flat_map(|verdict| &verdict.findings);
    let is_failed = |what: &str| report.failed.iter().flatten().any(|met| met.condition == what);
    let findings = findings.filter(|finding| finding.row.is_none() && !is_failed(&finding.what));
    lines.extend(findings.map(|finding| {
        format!("{}: {}", words.translate(state(finding.state)), super::verdict::finding(finding))
    }));
    if let Some(baseline) = &report.baseline {
        let kind = if baseline.same_weekday {
            "earlier weeks, at the same hours of the same weekday"
        } else {
            "earlier days, at the same hours of any weekday"
        };
        let (change, rests) = (words.translate("change"), words.translate("against the median of"));
        lines.push(format!("{change}: {rests} {} {}", baseline.samples, words.translate(kind)));
        for gone in &baseline.gone {
            let number = [gone.code.map(|code| code.to_string()), gone.enhanced.map(|code| code.to_string())];
            let number: Vec<String> = number.into_iter().flatten().collect();
            let reason = gone.reason.map(|reason| word(&reason)).unwrap_or_default();
            let usual = HumanCount(gone.usual.round() as u64);
            lines.push(format!(
                "{}: {} {reason} ({} {usual})",
                words.translate("gone"),
                number.join(" "),
                words.translate("usual")
            ));
        }
    }
    lines
}

/// In English; translated when shown.
pub(crate) fn state(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Ok => "ok",
        VerdictState::Watch => "WATCH",
        VerdictState::Bad => "BAD",
    }
}

/// `204,930 attempts = 171,044 sent (83.5%) + …`; parts that are 0 are left out, except the first.
fn sum(words: &Translations, whole: u64, unit: [&str; 2], parts: &[(u64, &str)]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .enumerate()
        .filter(|(at, (count, _))| *at == 0 || *count > 0)
        .map(|(_, (count, word))| {
            format!("{} {} ({})", HumanCount(*count), words.translate(word), share(*count, whole))
        })
        .collect();
    format!("{} = {}", number_of(whole, unit, words), shown.join(" + "))
}

/// `83.5%`; 0 of 0 is 0.
pub(crate) fn share(count: u64, whole: u64) -> String {
    let share = if whole > 0 { count as f64 * 100.0 / whole as f64 } else { 0.0 };
    format!("{share:.1}%")
}

/// `5 warned, 3 held`, without those that are 0.
fn counts(words: &Translations, parts: &[(u64, &str)], between: &str) -> String {
    let some = parts.iter().filter(|(count, _)| *count > 0);
    let shown: Vec<String> =
        some.map(|(count, word)| format!("{} {}", HumanCount(*count), words.translate(word))).collect();
    shown.join(between)
}
