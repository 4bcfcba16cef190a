//! The state of the screen: what was counted and keys come in; what is to be drawn stands in it. It knows no terminal.

use super::keys::KeyPress;
use super::minute::MailTotals;
use super::window::HOUR;
use crate::catalog::translation::Translations;
use crate::catalog::value_name;
use crate::pipeline::filter::CodePattern;
use crate::report::Row;
use crate::report::storm::Storm;

/// What can be selected in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pane {
    Rows,
    Storms,
}

/// A row of the last hour, and how many of it came in the last minutes.
#[derive(Clone, Debug)]
pub struct GrowingRow {
    pub row: Row,
    pub lately: u64,
}

/// What the screen shows, as it was counted.
#[derive(Clone, Debug)]
pub struct ViewModel {
    /// What is followed, in a few words.
    pub name: String,
    /// The minute that it is, as the log counts: `12:03`.
    pub time: String,
    /// Of the last hour, the latest last.
    pub hour: [MailTotals; HOUR as usize],
    /// What grows most comes first.
    pub rows: Vec<GrowingRow>,
    pub storms: Vec<Storm>,
    /// Lines read, and those of them that were not understood.
    pub lines: (u64, u64),
    /// The options that filter, as they were written.
    pub asked: String,
    /// A file cannot be read, or the like.
    pub trouble: Option<String>,
}

impl Default for ViewModel {
    fn default() -> Self {
        Self {
            name: String::new(),
            time: String::new(),
            hour: [MailTotals::default(); HOUR as usize],
            rows: Vec::new(),
            storms: Vec::new(),
            lines: (0, 0),
            asked: String::new(),
            trouble: None,
        }
    }
}

/// All of it.
#[derive(Debug)]
pub struct Screen {
    pub sight: ViewModel,
    pub pane: Pane,
    /// What stands selected, by what it is: rows change their places.
    pub row: Option<String>,
    pub storm: usize,
    pub filter: String,
    /// The filter is being typed; what it was before.
    pub typing: Option<String>,
    pub help: bool,
    words: Translations,
}

/// So many lines a page key goes.
const PAGE: usize = 10;

impl Screen {
    /// `words` are those that rows are shown in; what is typed is looked for in them too.
    pub fn new(words: Translations) -> Self {
        Self {
            sight: ViewModel::default(),
            pane: Pane::Rows,
            row: None,
            storm: 0,
            filter: String::new(),
            typing: None,
            help: false,
            words,
        }
    }

    /// False: that was all.
    pub fn press(&mut self, key: KeyPress) -> bool {
        if key == KeyPress::Interrupt {
            return false;
        }
        if self.typing.is_some() {
            self.typed(key);
            return true;
        }
        if self.help {
            self.help = false;
            return key != KeyPress::Sign('q');
        }
        match key {
            KeyPress::Sign('q') => return false,
            KeyPress::Sign('?' | 'h') => self.help = true,
            KeyPress::Sign('/') => self.typing = Some(self.filter.clone()),
            KeyPress::Escape => self.filter.clear(),
            KeyPress::Tab => {
                self.pane = match self.pane {
                    Pane::Rows => Pane::Storms,
                    Pane::Storms => Pane::Rows,
                }
            }
            KeyPress::Up | KeyPress::Sign('k') => self.go(|at, _| at.saturating_sub(1)),
            KeyPress::Down | KeyPress::Sign('j') => self.go(|at, _| at + 1),
            KeyPress::PageUp => self.go(|at, _| at.saturating_sub(PAGE)),
            KeyPress::PageDown => self.go(|at, _| at + PAGE),
            KeyPress::First | KeyPress::Sign('g') => self.go(|_, _| 0),
            KeyPress::Last | KeyPress::Sign('G') => self.go(|_, last| last),
            KeyPress::Enter | KeyPress::Backspace | KeyPress::Interrupt | KeyPress::Sign(_) => {}
        }
        true
    }

    fn typed(&mut self, key: KeyPress) {
        match key {
            KeyPress::Enter => self.typing = None,
            KeyPress::Escape => self.filter = self.typing.take().unwrap_or_default(),
            KeyPress::Backspace => drop(self.filter.pop()),
            KeyPress::Sign(sign) if self.filter.len() < 60 => self.filter.push(sign),
            KeyPress::Up
            | KeyPress::Down
            | KeyPress::PageUp
            | KeyPress::PageDown
            | KeyPress::First
            | KeyPress::Last
            | KeyPress::Tab
            | KeyPress::Interrupt
            | KeyPress::Sign(_) => {}
        }
    }

    /// `to` is told where the selection stands, and the last place there is.
    fn go(&mut self, to: impl Fn(usize, usize) -> usize) {
        match self.pane {
            Pane::Rows => {
                let (rows, at) = (self.rows(), self.selected_row());
                let last = rows.len().saturating_sub(1);
                self.row = rows.get(to(at, last).min(last)).map(|growing| identity(&growing.row));
            }
            Pane::Storms => {
                let last = self.sight.storms.len().saturating_sub(1);
                self.storm = to(self.selected_storm(), last).min(last);
            }
        }
    }

    /// The rows that the filter lets through, in their order.
    pub fn rows(&self) -> Vec<&GrowingRow> {
        self.sight.rows.iter().filter(|growing| self.admits(&growing.row)).collect()
    }

    /// The first one where what was selected is gone.
    pub fn selected_row(&self) -> usize {
        let is_it = |growing: &&GrowingRow| Some(identity(&growing.row)) == self.row;
        self.rows().iter().position(is_it).unwrap_or(0)
    }

    pub fn selected_storm(&self) -> usize {
        self.storm.min(self.sight.storms.len().saturating_sub(1))
    }

    /// Each word must fit: a code as `--code` takes it, or a part of the reason, the domain and so on.
    fn admits(&self, row: &Row) -> bool {
        let texts = self.texts(row);
        self.filter.split_whitespace().all(|word| {
            let by_code = word.parse::<CodePattern>().is_ok_and(|pattern| is_of(pattern, row));
            let word = word.to_lowercase();
            by_code || texts.iter().any(|text| text.to_lowercase().contains(&word))
        })
    }

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

fn is_of(pattern: CodePattern, row: &Row) -> bool {
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

/// What makes a row the same a second later.
pub fn identity(row: &Row) -> String {
    format!(
        "{:?}",
        (row.direction, row.outcome, row.code, row.enhanced, row.reason, row.class, row.retryable)
    )
}
