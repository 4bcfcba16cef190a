//! Holds the state of the screen and changes it by key presses. It does not know the terminal.

use super::keys::KeyPress;
use super::minute::MailTotals;
use super::window::HOUR;
use crate::catalog::translation::Translations;
use crate::catalog::value_name;
use crate::pipeline::filter::CodePattern;
use crate::report::Row;
use crate::report::storm::Storm;

/// A list in which an entry can be selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pane {
    Rows,
    Storms,
}

/// A row of the last hour, and its number of events in the last minutes.
#[derive(Clone, Debug)]
pub struct GrowingRow {
    pub row: Row,
    pub recent: u64,
}

/// The data that the screen shows.
#[derive(Clone, Debug)]
pub struct ViewModel {
    /// The names of the logs.
    pub name: String,
    /// The current minute of the log: `Sun 2026-11-22 12:03`. Empty: unknown.
    pub time: String,
    /// The seconds of the current minute that are over, from 1 to 60.
    pub elapsed_seconds: u8,
    /// The minutes of the last hour, the latest last.
    pub hour: [MailTotals; HOUR as usize],
    /// The row with most events in the last minutes first.
    pub rows: Vec<GrowingRow>,
    pub storms: Vec<Storm>,
    /// The number of lines read, and of those that were not understood.
    pub lines: (u64, u64),
    /// The filter options of the command line, as they were written.
    pub filter_options: String,
    /// The error while reading, if there is one.
    pub error: Option<String>,
}

impl Default for ViewModel {
    fn default() -> Self {
        Self {
            name: String::new(),
            time: String::new(),
            elapsed_seconds: 60,
            hour: [MailTotals::default(); HOUR as usize],
            rows: Vec::new(),
            storms: Vec::new(),
            lines: (0, 0),
            filter_options: String::new(),
            error: None,
        }
    }
}

/// The state of the screen.
#[derive(Debug)]
pub struct Screen {
    pub view: ViewModel,
    pub pane: Pane,
    /// The identity of the selected row, since rows change their places. `None`: the first row.
    pub row: Option<String>,
    /// The index of the selected storm.
    pub storm: usize,
    /// The words that rows must match.
    pub filter: String,
    /// The filter is being typed; this is the one before.
    pub typing: Option<String>,
    pub help: bool,
    words: Translations,
}

/// The number of entries that a page key moves the selection.
const PAGE: usize = 10;

impl Screen {
    /// `words` are the translations in which rows are shown; the filter matches them too.
    pub fn new(words: Translations) -> Self {
        Self {
            view: ViewModel::default(),
            pane: Pane::Rows,
            row: None,
            storm: 0,
            filter: String::new(),
            typing: None,
            help: false,
            words,
        }
    }

    /// Handles a key; `Suspend` is the caller's. False: the user quits.
    pub fn press(&mut self, key: KeyPress) -> bool {
        if key == KeyPress::Interrupt {
            return false;
        }
        if key == KeyPress::Suspend {
            return true;
        }
        if self.typing.is_some() {
            self.type_key(key);
            return true;
        }
        if self.help {
            self.help = false;
            return key != KeyPress::Char('q');
        }
        match key {
            KeyPress::Char('q') => return false,
            KeyPress::Char('?' | 'h') => self.help = true,
            KeyPress::Char('/') => self.typing = Some(self.filter.clone()),
            KeyPress::Escape => self.filter.clear(),
            KeyPress::Tab => {
                self.pane = match self.pane {
                    Pane::Rows => Pane::Storms,
                    Pane::Storms => Pane::Rows,
                }
            }
            KeyPress::Up | KeyPress::Char('k') => self.select(|at, _| at.saturating_sub(1)),
            KeyPress::Down | KeyPress::Char('j') => self.select(|at, _| at + 1),
            KeyPress::PageUp => self.select(|at, _| at.saturating_sub(PAGE)),
            KeyPress::PageDown => self.select(|at, _| at + PAGE),
            KeyPress::First | KeyPress::Char('g') => self.select(|_, _| 0),
            KeyPress::Last | KeyPress::Char('G') => self.select(|_, last| last),
            KeyPress::Enter
            | KeyPress::Backspace
            | KeyPress::Interrupt
            | KeyPress::Suspend
            | KeyPress::Char(_) => {}
        }
        true
    }

    /// Handles a key while the filter is typed.
    fn type_key(&mut self, key: KeyPress) {
        match key {
            KeyPress::Enter => self.typing = None,
            KeyPress::Escape => self.filter = self.typing.take().unwrap_or_default(),
            KeyPress::Backspace => drop(self.filter.pop()),
            KeyPress::Char(character) if self.filter.len() < 60 => self.filter.push(character),
            KeyPress::Up
            | KeyPress::Down
            | KeyPress::PageUp
            | KeyPress::PageDown
            | KeyPress::First
            | KeyPress::Last
            | KeyPress::Tab
            | KeyPress::Interrupt
            | KeyPress::Suspend
            | KeyPress::Char(_) => {}
        }
    }

    /// Moves the selection; `to` gets its index and the last index.
    fn select(&mut self, to: impl Fn(usize, usize) -> usize) {
        match self.pane {
            Pane::Rows => {
                let (rows, at) = (self.rows(), self.selected_row());
                let last = rows.len().saturating_sub(1);
                self.row = rows.get(to(at, last).min(last)).map(|listed| identity(&listed.row));
            }
            Pane::Storms => {
                let last = self.view.storms.len().saturating_sub(1);
                self.storm = to(self.selected_storm(), last).min(last);
            }
        }
    }

    /// The rows that match the filter, in their order.
    pub fn rows(&self) -> Vec<&GrowingRow> {
        self.view.rows.iter().filter(|listed| self.admits(&listed.row)).collect()
    }

    /// The index of the selected row; 0 if it is gone.
    pub fn selected_row(&self) -> usize {
        let is_it = |listed: &&GrowingRow| Some(identity(&listed.row)) == self.row;
        self.rows().iter().position(is_it).unwrap_or(0)
    }

    pub fn selected_storm(&self) -> usize {
        self.storm.min(self.view.storms.len().saturating_sub(1))
    }

    /// Each word of the filter must match: as a code like those of `--code`, or as a part of the reason, domain and so on.
    fn admits(&self, row: &Row) -> bool {
        let texts = self.texts(row);
        self.filter.split_whitespace().all(|word| {
            let by_code = word.parse::<CodePattern>().is_ok_and(|pattern| matches_code(pattern, row));
            let word = word.to_lowercase();
            by_code || texts.iter().any(|text| text.to_lowercase().contains(&word))
        })
    }

    /// The texts of a row that the filter is matched against.
    fn texts(&self, row: &Row) -> Vec<String> {
        let code = row.code.map(|code| code.to_string());
        let enhanced = row.enhanced.map(|code| code.to_string());
        let reason = row.reason.map(value_name);
        let own = Some(self.words.translate(&row.title).to_owned());
        let words = [value_name(row.direction), value_name(row.outcome), row.title.clone()].map(Some);
        let names = row.wheres.iter().chain(&row.providers).map(|count| Some(count.name.clone()));
        [code, enhanced, reason, own].into_iter().chain(words).chain(names).flatten().collect()
    }
}

/// Whether the codes of a row match a pattern.
fn matches_code(pattern: CodePattern, row: &Row) -> bool {
    match pattern {
        CodePattern::None => row.code.is_none(),
        CodePattern::Class(class) => row.code.is_some_and(|code| code.class() == class),
        CodePattern::Code(code) => row.code == Some(code),
        CodePattern::Enhanced(parts) => row.enhanced.is_some_and(|code| {
            let own = [code.class() as u16 + 2, code.subject, code.detail];
            parts.iter().zip(own).all(|(wanted, part)| wanted.is_none_or(|wanted| wanted == part))
        }),
    }
}

/// The identity of a row, which stays the same as its counts change.
pub fn identity(row: &Row) -> String {
    format!(
        "{:?}",
        (row.direction, row.outcome, row.code, row.enhanced, row.reason, row.class, row.retryable)
    )
}
