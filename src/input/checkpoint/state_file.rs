//! Reads and writes the state file, which holds the checkpoints of `--state` and locks out other runs.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::input::atomic_file::{AtomicFile, folder_of};
use crate::input::checkpoint::{Checkpoints, LogCheckpoints};
use crate::input::error::InputError;
use crate::input::file_lock::FileLock;

/// Name and version of the format.
pub(crate) const SCHEMA: &str = "smtplog.state/1";

/// The mode of a new state file: it shows which logs exist.
const OWNER_ONLY: u32 = 0o600;

/// A state file that no other run can use as long as this value lives.
pub struct StateFile {
    /// The canonical path, so that a link to it stays a link.
    place: PathBuf,
    /// Held on the file that `save` replaces.
    _lock: FileLock,
    pub known: Checkpoints,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateDocument {
    schema: String,
    saved: String,
    logs: Vec<LogCheckpoints>,
    journal: Option<String>,
}

impl StateFile {
    /// Opens and locks a state file; creates it if there is none. It is an error, and changes nothing, if another run uses
    /// the file or if it is not a state file.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let failed = unusable(path);
        let lock = FileLock::acquire(path, OWNER_ONLY).map_err(&failed)?;
        let mut lock = lock.ok_or_else(|| InputError::StateInUse { path: path.to_owned() })?;
        let place = fs::canonicalize(path).map_err(&failed)?;
        if !lock.file().metadata().map_err(&failed)?.is_file() {
            return Err(failed(io::Error::other("not a regular file")));
        }
        let mut text = Vec::new();
        lock.file().read_to_end(&mut text).map_err(&failed)?;
        let known = known(&text).map_err(|what| InputError::StateFormat { path: path.to_owned(), what })?;
        // Find out before the logs are read whether the folder can be written to.
        tempfile::tempfile_in(folder_of(&place)).map_err(&failed)?;
        Ok(Self { place, _lock: lock, known })
    }

    /// No run has saved to it yet.
    pub fn is_new(&self) -> bool {
        self.known.saved.is_empty()
    }

    /// Writes the file in one step: a run that is killed before has changed nothing.
    pub fn save(self, known: Checkpoints) -> Result<(), InputError> {
        let failed = unusable(&self.place);
        let Checkpoints { saved, logs, journal } = known;
        let written = StateDocument { schema: SCHEMA.to_owned(), saved, logs, journal };
        let mut text = serde_json::to_vec_pretty(&written).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = AtomicFile::create(&self.place, OWNER_ONLY).map_err(&failed)?;
        file.write_all(&text).and_then(|()| file.commit()).map_err(&failed)
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> InputError {
    |source| InputError::State { path: path.to_owned(), source }
}

/// Parses the file. An empty one was left by a first run that did not finish.
fn known(text: &[u8]) -> Result<Checkpoints, String> {
    #[derive(Deserialize)]
    struct Any {
        schema: String,
    }
    if text.is_empty() {
        return Ok(Checkpoints::default());
    }
    let Any { schema } = serde_json::from_slice(text)
        .map_err(|error| format!("not a state file of smtplog, or damaged ({error})"))?;
    if schema != SCHEMA {
        return Err(format!("its format is {schema:?}, and this version of smtplog reads {SCHEMA:?}"));
    }
    let StateDocument { saved, logs, journal, .. } =
        serde_json::from_slice(text).map_err(|error| format!("damaged ({error})"))?;
    if saved.is_empty() {
        return Err("damaged (the time of the last run is missing)".to_owned());
    }
    Ok(Checkpoints { saved, logs, journal })
}
