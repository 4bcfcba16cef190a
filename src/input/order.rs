//! Answers come in any order and are folded in theirs.

use std::collections::BTreeMap;

/// What is kept of a block until its turn comes says how much memory it takes besides itself.
pub trait Held {
    /// In bytes, about.
    fn held(&self) -> usize;
}

impl Held for () {
    fn held(&self) -> usize {
        0
    }
}

/// Its file's number in the set and its number in the file, both from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn {
    pub file: usize,
    pub block: u64,
}

pub enum Answer<H> {
    /// None: no line begins in the block.
    Block(Option<H>),
    /// The file has no more blocks.
    End,
}

/// Answers whose turn has not come.
pub struct Waiting<H> {
    /// Whose turn it is.
    pub next: Turn,
    answers: BTreeMap<Turn, Answer<H>>,
    held: usize,
}

/// So much may wait, in bytes: it is what one of several compressed files may be ahead of those before it.
const LIMIT: usize = 32 << 20;

/// An entry of the map itself.
const ENTRY: usize = 64;

impl<H: Held> Waiting<H> {
    pub fn new() -> Self {
        Self { next: Turn { file: 0, block: 0 }, answers: BTreeMap::new(), held: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.held > LIMIT
    }

    pub fn put(&mut self, turn: Turn, answer: Answer<H>) {
        self.held += size(&answer);
        self.answers.insert(turn, answer);
    }

    /// The next in order. None: it has not been answered yet.
    pub fn take(&mut self) -> Option<H> {
        loop {
            let answer = self.answers.remove(&self.next)?;
            self.held -= size(&answer);
            match answer {
                Answer::Block(answer) => {
                    self.next.block += 1;
                    if answer.is_some() {
                        return answer;
                    }
                }
                Answer::End => self.next = Turn { file: self.next.file + 1, block: 0 },
            }
        }
    }
}

fn size<H: Held>(answer: &Answer<H>) -> usize {
    let held = match answer {
        Answer::Block(Some(answer)) => answer.held(),
        Answer::Block(None) | Answer::End => 0,
    };
    held + size_of::<(Turn, Answer<H>)>() + ENTRY
}
