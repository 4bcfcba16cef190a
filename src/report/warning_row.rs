//! A row of the servers' own warnings, as the JSON prints it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::parse::mta::server_warning::Severity;
use crate::smtp::event::Mta;

/// Warnings of one server with the same text, apart from names and numbers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WarningRow {
    pub mta: Mta,
    pub severity: Severity,
    /// The text without its severity; `*` stands for names, addresses, ids and numbers that differ from line to line.
    pub text: String,
    /// Number of lines.
    pub lines: u64,
    /// The first and the last minute; null: no line has a valid timestamp.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// What is known about it, `milter-down`; null: nothing is.
    pub id: Option<String>,
    /// The same in words.
    pub title: Option<String>,
    /// False: nothing has to be done about it. Null: unknown.
    pub needs_action: Option<bool>,
    /// What to do, in one line; null: nothing is known, or `--no-advice`.
    pub advice: Option<String>,
    /// Commands that change nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
    /// The last such line.
    pub example: String,
}

impl WarningRow {
    /// Whether a person should read it: its cause needs action, or it is worse than a warning and its cause is unknown.
    pub(crate) fn needs_attention(&self) -> bool {
        self.needs_action.unwrap_or(self.severity > Severity::Warning)
    }
}
