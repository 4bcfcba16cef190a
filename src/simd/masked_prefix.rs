//! Compares the start of a text with a prefix, some of whose bytes match anything.

use super::{MaskedChunk, masked_eq};

/// A prefix that lines are compared with, sixteen bytes at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MaskedPrefix<const SIXTEENS: usize> {
    pub chunks: [MaskedChunk; SIXTEENS],
    /// In bytes; 0 for [`Self::NONE`].
    pub length: usize,
}

impl<const SIXTEENS: usize> MaskedPrefix<SIXTEENS> {
    /// No text of a log begins with it: a line has no NUL where its stamp or its program is.
    pub(crate) const NONE: Self =
        Self { chunks: [MaskedChunk { bytes: [0; 16], mask: [0xff; 16] }; SIXTEENS], length: 0 };

    /// None: it is too long.
    pub(crate) fn of(parts: &[&[u8]]) -> Option<Self> {
        let mut bytes = [0; 96];
        let mut length = 0;
        for part in parts {
            bytes.get_mut(length..length + part.len())?.copy_from_slice(part);
            length += part.len();
        }
        let mut sixteens = [MaskedChunk { bytes: [0; 16], mask: [0; 16] }; SIXTEENS];
        for (at, (sixteen, bytes)) in sixteens.iter_mut().zip(bytes.as_chunks().0).enumerate() {
            let own = length.saturating_sub(at * 16).min(16);
            *sixteen = MaskedChunk { bytes: *bytes, mask: *MASKS.get(16 - own..)?.first_chunk()? };
        }
        (length <= SIXTEENS * 16).then_some(Self { chunks: sixteens, length })
    }

    /// Lets the bytes `from..to` of the first sixteen match anything.
    pub(crate) fn ignore_bytes(mut self, from: usize, to: usize) -> Self {
        if let Some(MaskedChunk { bytes, mask }) = self.chunks.first_mut() {
            for at in from..to {
                (bytes[at], mask[at]) = (0, 0);
            }
        }
        self
    }

    /// Replaces the bytes from `at` on, in the first sixteen, and returns the old ones. `None`: they do not fit there.
    pub(crate) fn replace_bytes<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> Option<[u8; N]> {
        let place = self.chunks.first_mut()?.bytes.get_mut(at..)?.first_chunk_mut()?;
        Some(std::mem::replace(place, bytes))
    }

    /// Whether the text begins with it.
    #[inline]
    pub(crate) fn is_prefix_of(&self, text: &[u8; 96]) -> bool {
        let (sixteens, _) = text.as_chunks::<16>();
        // That of a log file of Exim ends here.
        if self.length <= 16 {
            return masked_eq(sixteens.get(..1).unwrap_or_default(), &self.chunks);
        }
        // Most are no longer than the first.
        let (near, far) = sixteens.split_at(NEAR);
        masked_eq(near, &self.chunks)
            && (self.length <= NEAR * 16 || masked_eq(far, self.chunks.get(NEAR..).unwrap_or_default()))
    }
}

/// In sixteens.
const NEAR: usize = 3;

/// Sixteen of these from 16 - n on are the mask of n bytes.
const MASKS: [u8; 32] = {
    let mut masks = [0; 32];
    let mut at = 0;
    while at < 16 {
        masks[at] = 0xff;
        at += 1;
    }
    masks
};
