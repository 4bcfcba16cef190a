//! Switches the terminal to a full screen, and restores it in any case, also after a panic.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::sync::Once;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use super::error::CliError;

/// The terminal shows our screen until this is dropped.
pub(crate) struct TerminalGuard {
    /// Never dropped: on a terminal that is gone that would panic, and `restore` does all that is to be done.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

static HOOK: Once = Once::new();

impl TerminalGuard {
    pub(crate) fn new() -> Result<Self, CliError> {
        // A panic that aborts drops nothing. So the hook restores the terminal first, and then the message is printed.
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        let terminal = enter().and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match terminal {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                restore();
                Err(CliError::Terminal(error))
            }
        }
    }

    /// Gives the terminal back and stops this process, as Ctrl-Z does; returns when it is continued. The screen must be
    /// taken back then.
    pub(crate) fn suspend() -> io::Result<()> {
        restore();
        emulate_default_handler(SIGTSTP)
    }

    /// Takes the terminal again after the process was continued, and draws everything anew.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        // The shell may have changed the mode in the meantime.
        disable_raw_mode()?;
        enter()?;
        execute!(stdout(), Clear(ClearType::All))?;
        // A new one has drawn nothing yet. To clear the old one would ask for the place of the cursor, and the answer would
        // go to the thread that reads the keyboard.
        self.terminal = ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?);
        Ok(())
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Hide)
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Ignores errors: there is nothing else to try.
fn restore() {
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}
