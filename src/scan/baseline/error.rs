//! The errors of a baseline file.

use std::io;
use std::path::PathBuf;

use crate::input::error::{escaped, shown, why};

#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("cannot open the baseline {path}: {why}", path = shown(.path), why = why(.source))]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot use the baseline {path}: another smtplog process is using it", path = shown(.path))]
    InUse { path: PathBuf },
    #[error("cannot use the baseline {path}: {what}", path = shown(.path), what = escaped(.what))]
    Unusable { path: PathBuf, what: String },
    /// `path` is the lock file.
    #[error("cannot lock the baseline with {path}: {why}", path = shown(.path), why = why(.source))]
    Lock { path: PathBuf, source: io::Error },
    #[error("cannot write the baseline {path}: {why}", path = shown(.path), why = why(.source))]
    Save { path: PathBuf, source: io::Error },
}
