//! Puts the results of blocks, which arrive in any order, back into the order of the files (a reorder buffer).

use std::collections::BTreeMap;

/// The heap memory that an answer holds while it waits for its turn.
pub trait HeapSize {
    /// In bytes, roughly; without the value itself.
    fn held_bytes(&self) -> usize;
}

impl HeapSize for () {
    fn held_bytes(&self) -> usize {
        0
    }
}

/// Identifies a block: the number of its file in the set and its number in the file, both from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct BlockId {
    pub file: usize,
    pub block: u64,
}

/// The result of a block.
pub(crate) enum BlockAnswer<H> {
    /// `None`: no line begins in the block.
    Block(Option<H>),
    /// The file has no more blocks.
    End,
}

/// Answers whose turn has not come.
pub(crate) struct ReorderBuffer<H> {
    /// The block whose answer is folded next.
    pub next: BlockId,
    answers: BTreeMap<BlockId, BlockAnswer<H>>,
    held_bytes: usize,
}

/// How many bytes may wait: that is how far one of several compressed files may be ahead of those before it.
const HELD_LIMIT: usize = 32 << 20;

/// The size of a map entry, in bytes.
const ENTRY: usize = 64;

impl<H: HeapSize> ReorderBuffer<H> {
    pub(crate) fn new() -> Self {
        Self { next: BlockId { file: 0, block: 0 }, answers: BTreeMap::new(), held_bytes: 0 }
    }

    /// Whether more bytes wait than the limit.
    pub(crate) fn is_full(&self) -> bool {
        self.held_bytes > HELD_LIMIT
    }

    /// Stores the result of a block.
    pub(crate) fn put(&mut self, turn: BlockId, answer: BlockAnswer<H>) {
        self.held_bytes += size(&answer);
        self.answers.insert(turn, answer);
    }

    /// The next answer in order. `None`: it has not come yet.
    pub(crate) fn take(&mut self) -> Option<H> {
        loop {
            let answer = self.answers.remove(&self.next)?;
            self.held_bytes -= size(&answer);
            match answer {
                BlockAnswer::Block(answer) => {
                    self.next.block += 1;
                    if answer.is_some() {
                        return answer;
                    }
                }
                BlockAnswer::End => self.next = BlockId { file: self.next.file + 1, block: 0 },
            }
        }
    }
}

fn size<H: HeapSize>(answer: &BlockAnswer<H>) -> usize {
    let held = match answer {
        BlockAnswer::Block(Some(answer)) => answer.held_bytes(),
        BlockAnswer::Block(None) | BlockAnswer::End => 0,
    };
    held + size_of::<(BlockId, BlockAnswer<H>)>() + ENTRY
}
