//! Builds the rows of `--by` from the counted groups, in the order that was asked for.

use std::cmp::Reverse;

use crate::catalog::provider::Providers;
use crate::parse::log_text::LogText;
use crate::parse::timestamp::LogTime;
use crate::report::{GroupKey, GroupRow, GroupTable, SortBy};
use crate::smtp::event::{By, Outcome};
use crate::tally::group_by::{Group, GroupBy};

/// The groups in the requested order: most failures first, latest first, or by name. Hours and days are in the order of time
/// unless another order is asked for.
pub(crate) fn table(mut groups: GroupBy, providers: &Providers, sort: SortBy, reverse: bool) -> GroupTable {
    let counted = std::mem::take(&mut groups.groups);
    let mut rows: Vec<(Option<LogTime>, GroupRow)> = counted
        .into_iter()
        .map(|(parts, group)| {
            let keys = groups.by.iter().zip(&parts);
            let keys = keys.map(|(&by, &part)| GroupKey { by, value: groups.part_text(by, part, providers) });
            (group.last, row(keys.collect(), group))
        })
        .collect();
    rows.sort_by(|(_, a), (_, b)| a.keys.cmp(&b.keys));
    let in_time = matches!(groups.by.first(), Some(By::Hour | By::Day));
    match sort {
        SortBy::Count if in_time => {}
        SortBy::Count => rows.sort_by_key(|(_, row)| Reverse((row.failures(), row.delivered))),
        SortBy::Recent => rows.sort_by_key(|(last, _)| Reverse(*last)),
        SortBy::Name => {}
    }
    if reverse {
        rows.reverse();
    }
    // What the lines do not name is the last group in any order.
    rows.sort_by_key(|(_, row)| row.keys.first().is_some_and(|key| key.value.is_none()));
    GroupTable { by: groups.by, rows: rows.into_iter().map(|(_, row)| row).collect(), others: groups.others }
}

fn row(keys: Vec<GroupKey>, group: Group) -> GroupRow {
    let recipients = group.recipients.finish();
    GroupRow {
        keys,
        events: group.outcomes.sum(),
        delivered: group.outcomes[Outcome::Delivered],
        deferred: group.outcomes[Outcome::Deferred],
        bounced: group.outcomes[Outcome::Bounced],
        expired: group.outcomes[Outcome::Expired],
        rejected: group.outcomes[Outcome::Rejected],
        warned: group.outcomes[Outcome::Warned],
        held: group.outcomes[Outcome::Held],
        discarded: group.outcomes[Outcome::Discarded],
        recipients: recipients.count,
        recipients_exact: recipients.is_exact,
        first: group.first.and_then(LogTime::rfc3339),
        last: group.last.and_then(LogTime::rfc3339),
        examples: group.examples.lines.iter().map(|(_, line)| LogText(line).into()).collect(),
    }
}
