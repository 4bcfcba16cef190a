//! Masks the text of a server's own warning, so that warnings that differ only in names and numbers count as one.
//!
//! `hostname mx.example.org does not resolve to address 192.0.2.7` → `hostname * does not resolve to address *`. Names of
//! files and parameters stay, because they are what has to be fixed.

/// Replaces the content of `out` by the masked text, cut to [`MASKED_LIMIT`] bytes. Bytes that are not printable ASCII
/// become `?`.
pub(crate) fn mask_warning(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = text;
    while let Some(&first) = rest.first() {
        if out.len() >= MASKED_LIMIT {
            break;
        }
        let plain = plain_length(rest);
        if plain > 0 && out.len() + plain < MASKED_LIMIT {
            let (copied, after) = rest.split_at(plain);
            out.extend_from_slice(copied);
            rest = after;
            continue;
        }
        if let Some(closing) = closing_bracket(first)
            && let Some(end) = memchr::memchr(closing, rest)
        {
            push_masked(out, &[first, b'*', closing]);
            rest = rest.get(end + 1..).unwrap_or_default();
            if first == b'[' && rest.starts_with(b": ") && is_client(out) {
                out.extend_from_slice(b": *");
                break;
            }
            continue;
        }
        let (length, classes) = WordClasses::of_first_word(rest);
        let (word, after) = rest.split_at(length.max(1));
        if length == 0 {
            out.push(if first.is_ascii_graphic() || first == b' ' { first } else { b'?' });
        } else {
            push_word(out, word, classes);
        }
        rest = after;
    }
    let end = out.trim_ascii_end().len();
    out.truncate(end);
}

/// Longer than any warning that a server writes about itself, without the reply of another server in it.
pub(crate) const MASKED_LIMIT: usize = 240;

/// Removes the rest of a local part that other characters separate from the `@`: `"anna b"@example.org`, `anna]@example.org`.
fn drop_local_part(out: &mut Vec<u8>) {
    let start = match out.strip_suffix(b"\"") {
        Some(quoted) => {
            let is_open = |at: &usize| at.checked_sub(1).and_then(|at| quoted.get(at)) != Some(&b'\\');
            memchr::memrchr_iter(b'"', quoted).find(is_open)
        }
        None => Some(out.iter().rposition(|byte| matches!(byte, b' ' | b'<' | b'=')).map_or(0, |at| at + 1)),
    };
    out.truncate(start.unwrap_or(out.len()));
}

/// Whether the text ends with a client, `from *[*]`: what follows it is what the client sent
/// (`non-SMTP command from mx.example.org[192.0.2.7]: GET / HTTP/1.1`).
fn is_client(out: &[u8]) -> bool {
    let name = out.strip_suffix(b"[*]").unwrap_or(out);
    let start = name.iter().rposition(|byte| *byte == b' ').unwrap_or(0);
    name.get(..start).is_some_and(|before| before.ends_with(b" from"))
}

/// The length of the words at the start of the text that stay as they are: those without digits, dots and the like, as most
/// words are. To copy them at once takes a third of the instructions.
fn plain_length(text: &[u8]) -> usize {
    let length = text.iter().take_while(|byte| class(**byte) & PLAIN != 0).count();
    let (plain, rest) = text.split_at(length);
    if rest.first().is_none_or(|byte| class(*byte) & WORD == 0) {
        return length;
    }
    // The last word is not over yet.
    length - plain.iter().rev().take_while(|byte| class(**byte) & WORD != 0).count()
}

/// Only `<…>` and `[…]` enclose what differs; a text in parentheses is often the cause.
fn closing_bracket(opening: u8) -> Option<u8> {
    match opening {
        b'<' => Some(b'>'),
        b'[' => Some(b']'),
        _ => None,
    }
}

/// Bits of the classes of bytes.
const WORD: u8 = 1;
const DIGIT: u8 = 1 << 1;
/// What a number or a version consists of.
const NUMERIC: u8 = 1 << 2;
/// What an id consists of.
const ID: u8 = 1 << 3;
const AT: u8 = 1 << 4;
const SLASH: u8 = 1 << 5;
const GRAPHIC: u8 = 1 << 6;
/// What a word without variable parts consists of, and what stands between such words.
const PLAIN: u8 = 1 << 7;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let own = byte as u8;
        let word = matches!(own, b'.' | b'-' | b'_' | b'@' | b'/' | b'+' | b'%');
        classes[byte] = ((own.is_ascii_alphanumeric() || word || own >= 0x80) as u8 * WORD)
            | (own.is_ascii_digit() as u8 * DIGIT)
            | ((own.is_ascii_digit() || matches!(own, b'.' | b'-' | b'%')) as u8 * NUMERIC)
            | ((own.is_ascii_alphanumeric() || own == b'-') as u8 * ID)
            | ((own == b'@') as u8 * AT)
            | ((own == b'/') as u8 * SLASH)
            | (own.is_ascii_graphic() as u8 * GRAPHIC);
        let is_sign = own.is_ascii_punctuation() && !word && !matches!(own, b'<' | b'[');
        let is_plain = own.is_ascii_alphabetic() || is_sign || matches!(own, b' ' | b'-' | b'_' | b'+');
        classes[byte] |= is_plain as u8 * PLAIN;
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// What is known about the bytes of a word.
struct WordClasses {
    /// The classes that every byte has.
    all: u8,
    /// The classes that some byte has.
    any: u8,
    digits: usize,
}

impl WordClasses {
    const NONE: Self = Self { all: u8::MAX, any: 0, digits: 0 };

    fn add(&mut self, class: u8) {
        self.all &= class;
        self.any |= class;
        self.digits += usize::from(class & DIGIT != 0);
    }

    fn of(word: &[u8]) -> Self {
        let mut classes = Self::NONE;
        for byte in word {
            classes.add(class(*byte));
        }
        classes
    }

    /// The length of the word at the start of the text, and its classes.
    fn of_first_word(text: &[u8]) -> (usize, Self) {
        let (mut length, mut classes) = (0, Self::NONE);
        for class in text.iter().map(|byte| class(*byte)).take_while(|class| class & WORD != 0) {
            length += 1;
            classes.add(class);
        }
        (length, classes)
    }
}

/// `push` that joins neighbouring masks: `* * *` of a list of hosts becomes one.
fn push_masked(out: &mut Vec<u8>, masked: &[u8]) {
    if !out.ends_with(masked) {
        out.extend_from_slice(masked);
    }
}

/// `classes` are those of the word.
fn push_word(out: &mut Vec<u8>, word: &[u8], classes: WordClasses) {
    // The full stop or hyphen that ends a sentence or clause is no part of the word.
    let end = word.len() - word.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
    let (word, tail) = word.split_at(end);
    let classes = if tail.is_empty() { classes } else { WordClasses::of(word) };
    if word.first() == Some(&b'@') {
        drop_local_part(out);
    }
    if is_variable(word, &classes) {
        push_masked(out, b"*");
    } else if classes.all & GRAPHIC != 0 {
        out.extend_from_slice(word);
    } else {
        out.extend(word.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'?' }));
    }
    out.extend_from_slice(tail);
}

/// Whether a word is a number, an id, an address or the name of a host.
fn is_variable(word: &[u8], classes: &WordClasses) -> bool {
    if classes.any & AT != 0 {
        return true;
    }
    if classes.any & SLASH != 0 {
        // A path stays, unless its last part is made anew each time: `hold/4XYZ1234567`, `active/A1B2C3D4E5`.
        let last = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        return word.first() != Some(&b'/') && !last.contains(&b'.') && is_id(last, &WordClasses::of(last));
    }
    let is_number = classes.digits > 0 && classes.all & NUMERIC != 0;
    is_number || is_id(word, classes) || is_host(word)
}

/// A queue id or another word of letters and digits in which no vowel makes it a name: at least six bytes with two digits.
fn is_id(word: &[u8], classes: &WordClasses) -> bool {
    word.len() >= 6 && classes.digits >= 2 && classes.all & ID != 0
}

/// A name with a dot that ends as the name of a host does, and not as that of a file.
fn is_host(word: &[u8]) -> bool {
    let mut labels = word.rsplit(|byte| *byte == b'.');
    let last = labels.next().unwrap_or_default();
    let has_more = labels.next().is_some_and(|label| !label.is_empty());
    let is_label = last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic);
    has_more && is_label && !FILE_ENDINGS.contains(&last)
}

/// Endings of files that occur in warnings of mail servers.
const FILE_ENDINGS: [&[u8]; 16] = [
    b"cf", b"conf", b"crt", b"db", b"key", b"lmdb", b"cdb", b"pem", b"pid", b"pl", b"py", b"sh", b"so",
    b"sock", b"txt", b"socket",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = Vec::new();
        mask_warning(text.as_bytes(), &mut out);
        String::from_utf8(out).expect("masked text is ASCII")
    }

    #[test]
    fn masks_names_and_numbers() {
        for (text, expected) in [
            (
                "hostname mx.example.org does not resolve to address 192.0.2.7: Name or service not known",
                "hostname * does not resolve to address *: Name or service not known",
            ),
            (
                "process /usr/lib/postfix/sbin/smtpd pid 4711 exit status 1",
                "process /usr/lib/postfix/sbin/smtpd pid * exit status *",
            ),
            ("timeout after DATA from mx.example.org[192.0.2.7]", "timeout after DATA from *[*]"),
            ("hash:/etc/aliases: table lookup problem", "hash:/etc/aliases: table lookup problem"),
            (
                "malformed domain name in resource data of MX record for a-b.example.com:",
                "malformed domain name in resource data of MX record for *:",
            ),
            (
                "non-SMTP command from mx.example.org[192.0.2.7]: GET /x HTTP/1.1",
                "non-SMTP command from *[*]: *",
            ),
            ("mail for a@example.org loops", "mail for * loops"),
            ("mail for \"anna b\"@example.org loops", "mail for * loops"),
            ("mail for \"anna\\\" b\"@example.org loops", "mail for * loops"),
            ("login=anna]@example.org failed", "login=* failed"),
            ("open active 4D1F8A0B1C: No such file", "open active *: No such file"),
            ("dict_lmdb: /etc/postfix/x.lmdb gone.", "dict_lmdb: /etc/postfix/x.lmdb gone."),
            ("\u{1b}[1mred", "?[1mred"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn plain_words_are_copied_up_to_the_first_other_word() {
        for (text, length) in [
            ("", 0),
            ("no host name found for IP address 192.0.2.7", 34),
            ("plain words, (only) plain_words", 31),
            ("user-1 is over", 0),
            ("a <b> c", 2),
            ("caf\u{e9} open", 0),
        ] {
            assert_eq!(plain_length(text.as_bytes()), length, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert!(masked(&"word ".repeat(200)).len() <= MASKED_LIMIT + 5);
        assert_eq!(masked(&"x.example.org".repeat(4000)), "*");
    }
}
