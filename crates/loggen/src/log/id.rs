//! Builds queue ids in the formats of Postfix and Exim from a time and a running number, unique within a log.

use std::fmt;

use super::rng::mix;

/// Postfix's digits; they have no vowels, so that no id spells a word (postfix `safe_ultostr.c`).
const POSTFIX_DIGITS: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
const EXIM_DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[derive(Clone, Copy)]
pub(crate) struct Id {
    text: [u8; 24],
    length: u8,
}

impl Id {
    const fn empty() -> Self {
        Self { text: [0; 24], length: 0 }
    }

    /// Appends the number, padded with zeros to `width` digits.
    fn push(&mut self, number: u64, digits: &[u8], width: usize) {
        let base = digits.len() as u64;
        let from = usize::from(self.length);
        let (mut left, mut to) = (number, from);
        while left > 0 || to < from + width {
            self.text[to] = digits[(left % base) as usize];
            left /= base;
            to += 1;
        }
        self.text[from..to].reverse();
        self.length = to as u8;
    }

    /// `3F1A20C4B7D`: microseconds and inode, both in hexadecimal.
    pub(crate) fn short(_: u64, count: u64) -> Self {
        let mut id = Self::empty();
        id.push(mix(count) % 1_000_000, b"0123456789ABCDEF", 5);
        id.push(inode(count), b"0123456789ABCDEF", 6);
        id
    }

    /// `4fPbkX2mZqz3xJ9`: seconds, microseconds, `z`, inode (postfix `mail_queue.h`).
    pub(crate) fn long(second: u64, count: u64) -> Self {
        let mut id = Self::empty();
        id.push(second, POSTFIX_DIGITS, 6);
        id.push(mix(count) % 1_000_000, POSTFIX_DIGITS, 4);
        id.push(51, POSTFIX_DIGITS, 1);
        id.push(inode(count), &POSTFIX_DIGITS[..51], 1);
        id
    }

    /// `1vx3Yk-00000001aZQ-2bCd`: seconds, process, fraction (Exim spec ch. 3, since 4.97).
    pub(crate) fn exim(second: u64, count: u64) -> Self {
        let mut id = Self::empty();
        id.push(second, EXIM_DIGITS, 6);
        id.dash();
        id.push(count, EXIM_DIGITS, 11);
        id.dash();
        id.push(mix(count) % 1_000_000, EXIM_DIGITS, 4);
        id
    }

    /// `1vx3Yk-001aZQ-2b`, as up to Exim 4.96.
    pub(crate) fn exim_short(second: u64, count: u64) -> Self {
        let mut id = Self::empty();
        id.push(second, EXIM_DIGITS, 6);
        id.dash();
        id.push(count, EXIM_DIGITS, 6);
        id.dash();
        id.push(mix(count) % 3844, EXIM_DIGITS, 2);
        id
    }

    const fn dash(&mut self) {
        self.text[self.length as usize] = b'-';
        self.length += 1;
    }
}

/// Unique below 2^26 (an odd factor is a bijection), more messages than 10 GiB of log hold.
const fn inode(count: u64) -> u64 {
    count.wrapping_mul(0x2c9_27d5) & 0x3ff_ffff
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = self.text.get(..usize::from(self.length)).and_then(|text| str::from_utf8(text).ok());
        f.write_str(text.unwrap_or_default())
    }
}
