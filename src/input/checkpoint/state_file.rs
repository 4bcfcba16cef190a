//! Reads and writes the state file, which holds the checkpoints of `--state` and locks out other runs.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::input::atomic_file::{AtomicFile, PendingRename, StagedFile, folder_of, sync_folder};
use crate::input::checkpoint::{Checkpoints, LogCheckpoints};
use crate::input::error::InputError;
use crate::input::file_lock::FileLock;
use crate::input::planted::safe_target;

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
    /// Files of the run that are put into their places once this document is in its own. After a kill the next run does so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<PendingRename>,
}

impl StateFile {
    /// Opens and locks a state file, and finishes what a killed run left to do; creates it if there is none. It is an error, and changes nothing, if another run uses
    /// the file or if it is not a state file.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let failed = unusable(path);
        safe_target(path).map_err(&failed)?;
        let lock = FileLock::acquire(path, OWNER_ONLY).map_err(&failed)?;
        let mut lock = lock.ok_or_else(|| InputError::StateInUse { path: path.to_owned() })?;
        let place = safe_target(path).map_err(&failed)?;
        let mut text = Vec::new();
        lock.file().read_to_end(&mut text).map_err(&failed)?;
        let (known, pending) =
            known(&text).map_err(|what| InputError::StateFormat { path: path.to_owned(), what })?;
        for rename in &pending {
            rename
                .finish()
                .map_err(|source| InputError::Pending { path: PathBuf::from(&rename.to), source })?;
        }
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
        self.save_with(known, Vec::new())
    }

    /// Writes the file in one step, and with it puts `staged` into their places: a run that is killed before has changed
    /// nothing, and what a run that is killed in between leaves to do, the next one does first.
    pub(crate) fn save_with(self, known: Checkpoints, mut staged: Vec<StagedFile>) -> Result<(), InputError> {
        let failed = unusable(&self.place);
        let Checkpoints { saved, logs, journal } = known;
        let pending = staged.iter().filter_map(StagedFile::pending).collect();
        let written = StateDocument { schema: SCHEMA.to_owned(), saved, logs, journal, pending };
        let mut text = serde_json::to_vec_pretty(&written).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = AtomicFile::create(&self.place, OWNER_ONLY).map_err(&failed)?;
        let state = file.write_all(&text).and_then(|()| file.stage()).map_err(&failed)?;
        for file in &mut staged {
            file.link().map_err(InputError::pending(file.target()))?;
        }
        let mut places = vec![state.rename().map_err(&failed)?];
        for file in staged {
            let wrong = InputError::pending(file.target());
            places.push(file.rename().map_err(wrong)?);
        }
        for place in places {
            sync_folder(folder_of(&place)).map_err(InputError::pending(&place))?;
        }
        Ok(())
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> InputError {
    |source| InputError::State { path: path.to_owned(), source }
}

/// Parses the file. An empty one was left by a first run that did not finish.
fn known(text: &[u8]) -> Result<(Checkpoints, Vec<PendingRename>), String> {
    #[derive(Deserialize)]
    struct Any {
        schema: String,
    }
    if text.is_empty() {
        return Ok((Checkpoints::default(), Vec::new()));
    }
    let Any { schema } = serde_json::from_slice(text)
        .map_err(|error| format!("not a state file of smtplog, or damaged ({error})"))?;
    if schema != SCHEMA {
        return Err(format!("its format is {schema:?}, and this version of smtplog reads {SCHEMA:?}"));
    }
    let StateDocument { saved, logs, journal, pending, .. } =
        serde_json::from_slice(text).map_err(|error| format!("damaged ({error})"))?;
    if saved.is_empty() {
        return Err("damaged (the time of the last run is missing)".to_owned());
    }
    Ok((Checkpoints { saved, logs, journal }, pending))
}
