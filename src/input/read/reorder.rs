//! Puts the answers to blocks, which come in any order, back into the order of the files (a reorder buffer).

use std::collections::BTreeMap;

/// The heap memory that an answer holds while it waits for its turn.
pub trait Held {
    /// In bytes, roughly; without the value itself.
    fn held(&self) -> usize;
}

impl Held for () {
    fn held(&self) -> usize {
        0
    }
}

/// Identifies a block: the number of its file in the set and its number in the file, both from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn {
    pub file: usize,
    pub block: u64,
}

pub enum Answer<H> {
    /// `None`: no line begins in the block.
    Block(Option<H>),
    /// The file has no more blocks.
    End,
}

/// Answers whose turn has not come.
pub struct Waiting<H> {
    /// The block whose answer is folded next.
    pub next: Turn,
    answers: BTreeMap<Turn, Answer<H>>,
    held: usize,
}

/// How many bytes may wait: that is how far one of several compressed files may be ahead of those before it.
const LIMIT: usize = 32 << 20;

/// The size of a map entry, in bytes.
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

    /// The next answer in order. `None`: it has not come yet.
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
