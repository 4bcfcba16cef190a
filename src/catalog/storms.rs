//! Reads the table of storm patterns: their titles, advice and commands.

use serde::Deserialize;

use super::by_server::ByServer;
use super::tables::table;

/// A pattern's words.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StormRow {
    /// As the answer calls it: `stolen-account`.
    pub id: String,
    pub title: String,
    /// One line: what to do, and what not.
    pub advice: String,
    /// For every mail server.
    #[serde(default)]
    pub all: Vec<CommandRow>,
    #[serde(flatten)]
    pub own: ByServer<Vec<CommandRow>>,
}

/// A command with `{names}` to be filled in.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRow {
    pub shell: String,
    pub why: String,
    #[serde(default)]
    pub changes: bool,
    pub undo: Option<String>,
}

/// In the order of the book.
pub(crate) fn storms() -> Vec<StormRow> {
    #[derive(Deserialize)]
    struct File {
        pattern: Vec<StormRow>,
    }
    let file: File = table("storms");
    file.pattern
}
