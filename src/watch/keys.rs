//! Translates key events of the terminal into key presses of the screen.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that the screen knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPress {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Tab,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    Char(char),
}

/// The key press of an event. `None`: the screen does not use it.
pub(crate) fn key(event: &KeyEvent) -> Option<KeyPress> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('c' | 'C') if control => KeyPress::Interrupt,
        KeyCode::Char('z' | 'Z') if control => KeyPress::Suspend,
        KeyCode::Char(_) if control => return None,
        KeyCode::Char(character) => KeyPress::Char(character),
        KeyCode::Up => KeyPress::Up,
        KeyCode::Down => KeyPress::Down,
        KeyCode::PageUp => KeyPress::PageUp,
        KeyCode::PageDown => KeyPress::PageDown,
        KeyCode::Home => KeyPress::First,
        KeyCode::End => KeyPress::Last,
        KeyCode::Tab | KeyCode::BackTab => KeyPress::Tab,
        KeyCode::Enter => KeyPress::Enter,
        KeyCode::Esc => KeyPress::Escape,
        KeyCode::Backspace => KeyPress::Backspace,
        // Other keys: crossterm's enum may grow.
        _ => return None,
    })
}
