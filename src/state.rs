//! The state file: what earlier runs read comes out of it, and goes into it when the answer of this run is written.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::input::atomic_file::{AtomicFile, folder_of};
use crate::input::file_lock::FileLock;
use crate::input::mark::{Known, Log};

pub const SCHEMA: &str = "smtplog.state/1";

/// The mode of a new state file: it tells which logs there are.
const OWNER_ONLY: u32 = 0o600;

/// A state file that is ours alone as long as this lives.
pub struct State {
    /// Where it lies; a link to it stays a link.
    place: PathBuf,
    /// On the file that is replaced when it is saved.
    _lock: FileLock,
    pub known: Known,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    saved: String,
    logs: Vec<Log>,
    journal: Option<String>,
}

impl State {
    /// Makes it if it is not there. Another run that has it is an error, as is a file that is anything else: nothing is
    /// changed then.
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
        // It is said before all is read, not behind it.
        tempfile::tempfile_in(folder_of(&place)).map_err(&failed)?;
        Ok(Self { place, _lock: lock, known })
    }

    /// The first run with it.
    pub fn is_new(&self) -> bool {
        self.known.saved.is_empty()
    }

    /// In one step: whoever is killed before has changed nothing.
    pub fn save(self, known: Known) -> Result<(), InputError> {
        let failed = unusable(&self.place);
        let Known { saved, logs, journal } = known;
        let written = Written { schema: SCHEMA.to_owned(), saved, logs, journal };
        let mut text = serde_json::to_vec_pretty(&written).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = AtomicFile::create(&self.place, OWNER_ONLY).map_err(&failed)?;
        file.write_all(&text).and_then(|()| file.commit()).map_err(&failed)
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> InputError {
    |source| InputError::State { path: path.to_owned(), source }
}

/// An empty file is that of a first run which was not finished.
fn known(text: &[u8]) -> Result<Known, String> {
    #[derive(Deserialize)]
    struct Any {
        schema: String,
    }
    if text.is_empty() {
        return Ok(Known::default());
    }
    let Any { schema } = serde_json::from_slice(text)
        .map_err(|error| format!("not a state file of smtplog, or damaged ({error})"))?;
    if schema != SCHEMA {
        return Err(format!("its format is {schema:?}, and this version of smtplog reads {SCHEMA:?}"));
    }
    let Written { saved, logs, journal, .. } =
        serde_json::from_slice(text).map_err(|error| format!("damaged ({error})"))?;
    if saved.is_empty() {
        return Err("damaged (the time of the last run is missing)".to_owned());
    }
    Ok(Known { saved, logs, journal })
}
