//! A key as the terminal tells it comes in; what it means to the screen goes out.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key means where nothing is being typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPress {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    /// The other pane.
    Tab,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Interrupt,
    Sign(char),
}

/// None: it means nothing here.
pub(crate) fn key(event: &KeyEvent) -> Option<KeyPress> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('c' | 'C') if control => KeyPress::Interrupt,
        KeyCode::Char(_) if control => return None,
        KeyCode::Char(sign) => KeyPress::Sign(sign),
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
        // Of another library's enum, which may grow.
        _ => return None,
    })
}
