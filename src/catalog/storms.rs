//! Reads the table of storm patterns: their titles, advice and commands.

use serde::Deserialize;

use super::by_server::ByAnyServer;
use super::tables::table;

/// The row for bounces that come from other servers. The row of their pattern is for those that this server sends.
pub(crate) const FORGED: &str = "backscatter-forged";

/// The texts of a storm pattern.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StormRow {
    /// The name of the `StormPattern`: `stolen-account`; or [`FORGED`].
    pub id: String,
    pub title: String,
    /// One line: what to do, and what to avoid.
    pub advice: String,
    /// Commands for every mail server.
    #[serde(default)]
    pub all: Vec<CommandRow>,
    /// Commands for one mail server.
    #[serde(flatten)]
    pub own: ByAnyServer<Vec<CommandRow>>,
}

/// A shell command with placeholders such as `{user}`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRow {
    pub shell: String,
    pub why: String,
    /// The command changes something; then `undo` is given.
    #[serde(default)]
    pub changes: bool,
    /// The command that reverses it.
    pub undo: Option<String>,
}

/// All rows, in the order of the table.
pub(crate) fn storms() -> Vec<StormRow> {
    #[derive(Deserialize)]
    struct File {
        pattern: Vec<StormRow>,
    }
    let file: File = table("storms");
    file.pattern
}
