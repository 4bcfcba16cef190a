//! The report as JSON: its fields as they are.

use super::json::{line, pretty};
use crate::report::Report;

pub(crate) fn show(report: &Report) -> String {
    pretty(report)
}

/// One row an object, or one group if there are any; one object a line.
pub(crate) fn rows(report: &Report) -> String {
    match &report.groups {
        Some(table) => table.rows.iter().map(line).collect(),
        None => report.rows.iter().map(line).collect(),
    }
}
