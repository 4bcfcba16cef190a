//! Findings for hosts whose mail fails much more often than that of the others.

use crate::report::{HostRow, Report, VerdictFinding, VerdictState};

/// Number of hosts that are findings of their own.
const NAMED: usize = 3;

/// `host mx3: 12.4% of its messages failed, 2.1% on the other hosts`
pub(crate) fn findings(report: &Report) -> Vec<VerdictFinding> {
    let found: Vec<VerdictFinding> = report.by_host.iter().filter_map(finding).collect();
    let more = found.len().saturating_sub(NAMED);
    let rest = (more > 0).then(|| VerdictFinding {
        state: VerdictState::Watch,
        what: "more hosts that differ".to_owned(),
        value: more.to_string(),
        usual: None,
        text: None,
        row: None,
    });
    found.into_iter().take(NAMED).chain(rest).collect()
}

fn finding(row: &HostRow) -> Option<VerdictFinding> {
    let others = row.differs?.others_percent;
    let (name, percent) = (row.name.as_deref().unwrap_or("-"), row.failed_percent?);
    Some(VerdictFinding {
        state: VerdictState::Watch,
        what: format!("host {name}"),
        value: format!("{percent:.1}%"),
        usual: Some(format!("{others:.1}%")),
        text: Some(format!(
            "host {name}: {percent:.1}% of its messages failed, {others:.1}% on the other hosts"
        )),
        row: None,
    })
}
