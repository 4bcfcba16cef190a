//! Reads the keyboard in a thread of its own, which may hang without harm.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{Event, KeyEvent, read};

/// The keys that are pressed. Crossterm reads in an endless loop once its terminal is closed (its issue 793), so nothing but
/// this thread may wait for it; the thread ends with the process.
pub(crate) struct Keyboard {
    /// `None`: another event, as a new size of the terminal.
    keys: Receiver<Option<KeyEvent>>,
}

/// What came in the time that was waited.
pub(crate) enum Keystroke {
    Key(KeyEvent),
    /// Something else than a key.
    Other,
    Nothing,
    /// The terminal can no longer be read.
    Ended,
}

impl Keyboard {
    pub(crate) fn new() -> Self {
        let (sender, keys) = channel();
        thread::spawn(move || {
            while let Ok(event) = read() {
                let key = if let Event::Key(key) = event { Some(key) } else { None };
                if sender.send(key).is_err() {
                    return;
                }
            }
        });
        Self { keys }
    }

    /// Waits for the next key.
    pub(crate) fn next(&self, timeout: Duration) -> Keystroke {
        match self.keys.recv_timeout(timeout) {
            Ok(Some(key)) => Keystroke::Key(key),
            Ok(None) => Keystroke::Other,
            Err(RecvTimeoutError::Timeout) => Keystroke::Nothing,
            Err(RecvTimeoutError::Disconnected) => Keystroke::Ended,
        }
    }
}
