//! Defines the error of the library's calls that read logs.

use crate::input::error::InputError;

/// A log could not be read: it is missing, access is denied, it is damaged, or no thread could be started.
///
/// The message names the file and the cause, in lower case without a full stop; [`source`](std::error::Error::source) is
/// the error of the operating system or of the decoder, if there is one.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] InputError);

impl Error {
    /// A file does not exist, or no longer.
    pub fn is_missing(&self) -> bool {
        self.0.is_missing()
    }
}
