//! Iterates over the lines before a line, for lines that only make sense together with them.

/// The text before a line of a block.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct EarlierLines<'a> {
    /// The lines of the block before the line, each with its newline.
    pub near: &'a [u8],
    /// The text before the block; it may begin within a line.
    pub far: &'a [u8],
}

/// How far back a line looks, in bytes. It is what every block carries of the text before it, so that the answer does not
/// depend on where blocks begin.
const REACH: usize = 4 << 10;

impl<'a> EarlierLines<'a> {
    /// The lines before that are not empty, the last one first, as far as they lie completely within reach.
    pub(crate) fn backwards(self) -> impl Iterator<Item = &'a [u8]> {
        let near = self.near.get(self.near.len().saturating_sub(REACH)..).unwrap_or_default();
        let room = (REACH - near.len()).min(self.far.len());
        let far = self.far.get(self.far.len() - room..).unwrap_or_default();
        // The part that begins where the reach ends may lack its beginning.
        let (near_is_cut, far_is_cut) = (near.len() == REACH, near.len() + far.len() == REACH);
        let split = |text: &'a [u8], is_cut: bool| {
            let text = if is_cut {
                memchr::memchr(b'\n', text).map_or(&b""[..], |end| text.split_at(end + 1).1)
            } else {
                text
            };
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            (!text.is_empty()).then(|| text.rsplit(|&byte| byte == b'\n')).into_iter().flatten()
        };
        let lines = split(near, near_is_cut).chain(split(far, far_is_cut));
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_lines_wherever_a_block_begins() {
        let lines: Vec<String> =
            (0..400).map(|number| format!("line {number} {}\n", "x".repeat(number % 37))).collect();
        let text = lines.concat();
        let text = text.as_bytes();
        let lines = |cut: usize| -> Vec<&[u8]> {
            let (far, near) = text.split_at(cut);
            EarlierLines { near, far: &far[far.len().saturating_sub(REACH)..] }.backwards().collect()
        };
        let want = lines(0);
        assert!(want.len() > 50 && want.iter().all(|line| line.starts_with(b"line ")), "{}", want.len());
        for (cut, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            assert_eq!(lines(cut + 1), want, "at {cut}");
        }
    }
}
