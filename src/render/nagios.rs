//! Renders the report as one line for Nagios or Icinga: the verdict, the worst findings, and performance data.

use std::fmt::Write;

use super::sanitize::printable;
use super::words::verdict;
use crate::report::{Report, VerdictState};

/// Number of findings on the line.
const FINDINGS_SHOWN: usize = 3;

/// `SMTPLOG WARNING - bounced>2%: 3.1% | delivered=33c …`, the format of the Monitoring Plugins guidelines. The exit status
/// that goes with it is [`status`].
pub(crate) fn show(report: &Report) -> String {
    let findings = report.verdict.as_ref().map(|verdict| verdict.findings.as_slice()).unwrap_or_default();
    let named: Vec<String> = findings.iter().take(FINDINGS_SHOWN).map(verdict::finding).collect();
    let more = findings.len().saturating_sub(FINDINGS_SHOWN);
    let totals = &report.totals;
    let (out, local) = (&totals.outbound, &totals.local);
    let text = match named.as_slice() {
        [] => {
            format!("{} of {} attempts sent", out.delivered + local.delivered, out.attempts + local.attempts)
        }
        _ if more > 0 => format!("{}, and {more} more", named.join(", ")),
        _ => named.join(", "),
    };
    let mut line = format!("SMTPLOG {} - {} |", word(report), plain(&text));
    let counts = [
        ("delivered", out.delivered + local.delivered),
        ("deferred", out.deferred + local.deferred),
        ("bounced", out.bounced + local.bounced),
        ("expired", out.expired + local.expired),
        ("refused", totals.inbound.refused),
        ("in_queue", totals.messages.in_queue),
        ("unread", report.input.not_understood),
    ];
    for (name, count) in counts {
        let _ = write!(line, " {name}={count};;;0");
    }
    if let Some(oldest) = totals.messages.oldest_seconds {
        let _ = write!(line, " oldest={oldest}s;;;0");
    }
    line.push('\n');
    line
}

/// The line for a run that failed before there was a report.
pub(crate) fn unknown(why: &str) -> String {
    format!("SMTPLOG UNKNOWN - {}\n", plain(why))
}

fn word(report: &Report) -> &'static str {
    match status(report) {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    }
}

/// The exit status: 0 ok, 1 watch, 2 bad, 3 no verdict, no understood line, or a silence that nothing is known about.
pub(crate) fn status(report: &Report) -> u8 {
    let Some(verdict) = &report.verdict else { return 3 };
    let is_unknown = verdict.silent && verdict.state == VerdictState::Watch;
    if is_unknown || report.input.lines > 0 && report.input.understood == 0 {
        return 3;
    }
    match verdict.state {
        VerdictState::Ok => 0,
        VerdictState::Watch => 1,
        VerdictState::Bad => 2,
    }
}

/// Replaces `|`, which would begin the performance data, and line ends: Nagios reads only the first line.
fn plain(text: &str) -> String {
    printable(&text.replace(['\n', '\r'], " ")).replace('|', "/")
}
