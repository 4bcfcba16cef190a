//! Splits Postfix's refusals into the reply and the fields behind it (`550 no; from=<a> to=<b> proto=ESMTP helo=<c>`).
//!
//! The client writes the addresses, and the reply repeats them, so a part that looks like the fields may stand in the reply
//! or inside a quoted address. What the client cannot write is the end of the line: smtpd replaces blanks, brackets and
//! quotes in a HELO name (postfix smtpd.c, `NEUTER_CHARACTERS`).

use crate::parse::mta::parsed::{address, closing_quote, split_once};

/// The fields of a refusal, from smtpd_check.c (log_whatsup), smtpd.c (smtpd_whatsup), cleanup_milter.c,
/// cleanup_message.c (cleanup_act_log) and postscreen_smtpd.c, which separates them by commas. `None`: the line does not
/// have it, or does not tell it for sure.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RejectTail<'a> {
    pub sender: Option<&'a [u8]>,
    pub recipient: Option<&'a [u8]>,
    /// The text that cleanup writes behind the fields.
    pub words: Option<&'a [u8]>,
}

/// The names of the fields, in their order.
const FIELDS: [&[u8]; 4] = [b"from=<", b"to=<", b"proto=", b"helo=<"];

/// The longest address that is looked for. A command has at most 2,048 bytes (postfix, line_length_limit), and each of them
/// may need a backslash.
const MAX_ADDRESS: usize = 4200;

/// How many places are compared with the address that the reply repeats.
const MAX_PLACES: usize = 16;

/// How the fields end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the end of the line.
    Line,
    /// With the name of a user, who may write anything (` sasl_username=…`, the last field).
    Login,
    /// Before the text of cleanup.
    Words,
    /// The line was cut off inside the fields.
    Cut,
}

/// Fields that were read from one place.
struct Fields<'a> {
    tail: RejectTail<'a>,
    end: End,
    /// The length of the text behind the last quoted address. `None`: no address is quoted.
    behind_quotes: Option<usize>,
}

impl<'a> RejectTail<'a> {
    /// Splits the reply from the fields, which end the line.
    pub(crate) fn split(text: &'a [u8]) -> (&'a [u8], Self) {
        // Forwarders add blanks, and rsyslog escapes a newline that a sender of messages over TCP added.
        let text = if text.ends_with(b">") { text } else { without_padding(text) };
        let mut places = places(text);
        let Some(first) = places.next() else { return (text, Self::default()) };
        let at_first = Self::read(text, first).filter(|fields| fields.end == End::Line);
        match at_first {
            // All later places are inside these addresses.
            Some(Fields { tail, .. }) if places.next().is_none() || tail.is_plain() => {
                (words_before(text, first), tail)
            }
            _ => Self::search(text),
        }
    }

    /// Whether no address is quoted and each looks like one, so that neither can contain the true fields.
    fn is_plain(&self) -> bool {
        [self.sender, self.recipient]
            .into_iter()
            .flatten()
            .all(|name| !name.iter().any(|byte| b"\"; ".contains(byte)))
    }

    /// The last place outside the quotes of another from which the fields reach the end of the line.
    #[cold]
    fn search(text: &'a [u8]) -> (&'a [u8], Self) {
        let (mut whole, mut cut) = (None, None);
        let (mut behind, mut close) = (0, 0);
        for place in places(text) {
            if close <= place {
                let found = text.get(place..).and_then(|rest| memchr::memchr(b'>', rest));
                close = found.map_or(text.len(), |at| place + at);
            }
            if place < behind || close - place > MAX_ADDRESS {
                continue;
            }
            let Some(fields) = Self::read(text, place) else { continue };
            let found = Some((words_before(text, place), fields.tail));
            match fields.end {
                End::Line | End::Login => {
                    whole = found;
                    behind = fields.behind_quotes.map_or(behind, |rest| text.len() - rest);
                }
                End::Cut => cut = found,
                End::Words => {}
            }
        }
        let is_quoted = |(_, tail): &(_, Self)| {
            [tail.sender, tail.recipient].into_iter().flatten().any(|name| name.starts_with(b"\""))
        };
        if let Some(found) = whole.filter(is_quoted) {
            return found;
        }
        repeated(text).or(whole).or(cut).unwrap_or((text, Self::default()))
    }

    /// Splits `header Subject: … from mx[192.0.2.1]; from=<a> to=<b> proto=ESMTP helo=<c>: text` into the header with its
    /// origin and the fields. At most 200 bytes of the header are shown; the text of the administrator follows the fields.
    pub(crate) fn of_content(text: &'a [u8]) -> (&'a [u8], Self) {
        // The name of the part, 200 bytes, the origin, and `;`.
        const REACH: usize = 32 + 200 + 320;
        let (mut found, mut behind) = (None, 0);
        for place in places(text.get(..REACH).unwrap_or(text)) {
            if place < behind || !ends_with_origin(words_before(text, place)) {
                continue;
            }
            if let Some(fields) = Self::read(text, place).filter(|fields| fields.end != End::Login) {
                behind = fields.behind_quotes.map_or(behind, |rest| text.len() - rest);
                found = Some((words_before(text, place), fields.tail));
            }
        }
        found.unwrap_or((text, Self::default()))
    }

    /// Reads the fields behind the `;` at `place`. `None`: something else is there.
    fn read(text: &'a [u8], place: usize) -> Option<Fields<'a>> {
        let mut tail = Self::default();
        let mut rest = text.get(place + 2..)?;
        let mut behind_quotes = None;
        let mut next = 0;
        loop {
            let skipped = FIELDS.iter().skip(next).position(|field| rest.starts_with(field));
            let Some(field) = skipped.map(|skipped| next + skipped) else {
                let end =
                    if is_login(rest) { End::Login } else { is_start_of_field(rest).then_some(End::Cut)? };
                return Some(Fields { tail, end, behind_quotes });
            };
            next = field + 1;
            rest = rest.get(FIELDS.get(field)?.len()..)?;
            let cut = |tail| Some(Fields { tail, end: End::Cut, behind_quotes: None });
            match field {
                0 | 1 => match quoted_or_plain(rest) {
                    Some((name, after)) => {
                        *(if field == 0 { &mut tail.sender } else { &mut tail.recipient }) = Some(name);
                        if name.starts_with(b"\"") {
                            behind_quotes = Some(after.len());
                        }
                        rest = after;
                    }
                    None if rest.len() > MAX_ADDRESS || rest.contains(&b'>') => return None,
                    None => return cut(tail),
                },
                2 => {
                    rest = rest.get(rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()..)?;
                }
                _ => {
                    let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
                    let (name, behind) = rest.split_at_checked(end)?;
                    let Some(name) = name.strip_suffix(b">").or_else(|| name.strip_suffix(b">:")) else {
                        return if behind.is_empty() && !name.contains(&b'>') { cut(tail) } else { None };
                    };
                    rest = rest.get(name.len() + 1..)?;
                }
            }
            let end = match rest {
                [] => End::Line,
                [b':', b' ', words @ ..] => {
                    tail.words = Some(words);
                    End::Words
                }
                [b',', b' ', after @ ..] | [b' ', after @ ..] => {
                    rest = after;
                    continue;
                }
                _ => return None,
            };
            return Some(Fields { tail, end, behind_quotes });
        }
    }
}

/// Removes blanks and escaped newlines at the end.
#[cold]
fn without_padding(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_end();
    text.strip_suffix(b"#012").unwrap_or(text)
}

/// The places of `; from=<`, `; to=<` and `; proto=`.
fn places(text: &[u8]) -> impl Iterator<Item = usize> {
    let starts = |at: &usize| match text.get(at + 1..) {
        Some([b' ', rest @ ..]) => {
            rest.starts_with(b"from=<") || rest.starts_with(b"to=<") || rest.starts_with(b"proto=")
        }
        _ => false,
    };
    memchr::memchr_iter(b';', text).filter(starts)
}

fn words_before(text: &[u8], place: usize) -> &[u8] {
    text.get(..place).unwrap_or_default()
}

/// Splits off an address, whose opening bracket was removed. Behind the quotes of a local part only a domain can follow.
fn quoted_or_plain(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let near = text.get(..MAX_ADDRESS).unwrap_or(text);
    let is_quoted = near.first() == Some(&b'"') && closing_quote(near).is_some();
    let (name, _) = address(near)?;
    let end = if is_quoted { closing_quote(near)? } else { 0 };
    let domain = name.get(end..)?.strip_prefix(b"\"").unwrap_or_default();
    let is_name = !is_quoted || domain.is_empty() || domain.starts_with(b"@") && !domain.contains(&b'"');
    is_name.then(|| (name, text.get(name.len() + 1..).unwrap_or_default()))
}

/// Whether the fields of a login begin here: ` sasl_method=PLAIN sasl_username=anna sasl_sender=x`, the last ones.
fn is_login(rest: &[u8]) -> bool {
    rest.starts_with(b"sasl_method=") || rest.starts_with(b"sasl_username=")
}

/// Whether the line ends inside the name of a field.
fn is_start_of_field(rest: &[u8]) -> bool {
    FIELDS.iter().any(|field| field.starts_with(rest))
}

/// Whether the text ends with ` from mx[192.0.2.1]`, ` from local` or the like.
fn ends_with_origin(text: &[u8]) -> bool {
    let from = text.rsplitn(3, |&byte| byte == b' ').nth(1);
    from == Some(b"from")
}

/// Versions before 3.5 write addresses without quotes, `to=<x> y@example.org>`: the reply repeats the address, which tells
/// where it ends.
fn repeated(text: &[u8]) -> Option<(&[u8], RejectTail<'_>)> {
    let end = memchr::memmem::rfind(text, b" proto=")?;
    let is_end = |rest: &[u8]| {
        let (name, helo) = split_once(rest, b" helo=<").unwrap_or((rest, b">"));
        name.iter().all(u8::is_ascii_alphanumeric) && helo.ends_with(b">") && !helo.contains(&b' ')
    };
    let addresses =
        text.get(..end)?.strip_suffix(b">").filter(|_| text.get(end + 7..).is_some_and(is_end))?;
    let (_, echo) = split_once(text, b" <")?;
    let repeats = |name: &[u8]| echo.strip_prefix(name).is_some_and(|rest| rest.starts_with(b">: "));
    // The last first: the addresses behind an earlier place may contain a later one.
    let all: Vec<usize> = places(addresses).collect();
    for place in all.into_iter().rev().take(MAX_PLACES) {
        let names = addresses.get(place + 2..)?.strip_prefix(b"from=<").unwrap_or_default();
        for at in memchr::memmem::find_iter(names, b"> to=<").take(MAX_PLACES) {
            let (sender, recipient) = (names.get(..at)?, names.get(at + 6..)?);
            if repeats(recipient) || repeats(sender) {
                let tail = RejectTail { sender: Some(sender), recipient: Some(recipient), words: None };
                return Some((words_before(text, place), tail));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splits(text: &str, words: &str, sender: Option<&str>, recipient: Option<&str>) {
        let (found, tail) = RejectTail::split(text.as_bytes());
        let shown = |name: Option<&[u8]>| name.map(|name| String::from_utf8_lossy(name).into_owned());
        assert_eq!(String::from_utf8_lossy(found), words, "{text}");
        assert_eq!(shown(tail.sender).as_deref(), sender, "{text}");
        assert_eq!(shown(tail.recipient).as_deref(), recipient, "{text}");
    }

    const FORGED: &str = "x>: no; from=<a@b> to=<c@d> proto=ESMTP helo=<h";

    #[test]
    fn takes_the_fields_at_the_end_of_the_line() {
        splits("550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<h>", "550 no", Some("a@b"), Some("c@d"));
        splits("550 no; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<h>", "550 no", Some("a@b"), Some("c@d"));
        splits("550 no; see; from=<> proto=ESMTP helo=<h>", "550 no; see", Some(""), None);
        splits("550 no; proto=SMTP helo=<h>", "550 no", None, None);
        splits("550 no; from=<a@b>", "550 no", Some("a@b"), None);
        splits("550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<h>  ", "550 no", Some("a@b"), Some("c@d"));
        splits("550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<h>#012", "550 no", Some("a@b"), Some("c@d"));
        splits(
            "550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<h> sasl_method=PLAIN sasl_username=e f",
            "550 no",
            Some("a@b"),
            Some("c@d"),
        );
    }

    #[test]
    fn takes_no_fields_that_the_client_wrote() {
        // As the versions write the recipient since 3.5, and before.
        let quoted = format!(r#""{FORGED}"@evil"#);
        for written in [&quoted, &format!("{FORGED}@evil")] {
            let words = format!("550 5.1.1 <{FORGED}@evil>: Recipient address rejected: no");
            splits(
                &format!("{words}; from=<s@t> to=<{written}> proto=ESMTP helo=<mx>"),
                &words,
                Some("s@t"),
                Some(written),
            );
        }
        let words = format!("550 5.7.1 <c@d>: Recipient address rejected: see id={FORGED};r=x");
        splits(
            &format!("{words}; from=<{quoted}> to=<r@t> proto=ESMTP helo=<mx>"),
            &words,
            Some(&quoted),
            Some("r@t"),
        );
        let login = "x; from=<a@b> to=<c@d> proto=ESMTP helo=<h> sasl_username=<u";
        let words = format!("550 5.1.1 <{login}@evil>: Recipient address rejected: no");
        let written = format!(r#""{login}"@evil"#);
        splits(
            &format!("{words}; from=<s@t> to=<{written}> proto=ESMTP helo=<mx>"),
            &words,
            Some("s@t"),
            Some(&written),
        );
    }

    #[test]
    fn takes_no_fields_of_a_line_that_was_cut_off_before_them() {
        let text = format!("550 5.1.1 <{FORGED}@evil>: Recipient addr");
        splits(&text, &text, None, None);
        splits("550 no; from=<a@b> to=<c@d> proto=ESMTP hel", "550 no", Some("a@b"), Some("c@d"));
        splits("550 no; from=<a@b> to=<c@", "550 no", Some("a@b"), None);
        splits("550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<mx.exa", "550 no", Some("a@b"), Some("c@d"));
    }

    #[test]
    fn takes_the_last_origin_of_a_header() {
        let forged = "from z[192.0.2.66]; from=<a@b> to=<c@d> proto=ESMTP helo=<h>: no";
        let text = format!(
            "header Subject: x {forged} from mx[192.0.2.1]; from=<s@t> to=<r@t> proto=ESMTP helo=<mx>: 5.7.1 no"
        );
        let (words, tail) = RejectTail::of_content(text.as_bytes());
        assert!(words.ends_with(b" from mx[192.0.2.1]"));
        assert_eq!(tail.sender, Some(&b"s@t"[..]));
        assert_eq!(tail.words, Some(&b"5.7.1 no"[..]));
        let cut = text.find(" to=<r@t>").unwrap_or_default();
        let (words, tail) = RejectTail::of_content(text.as_bytes().get(..cut).unwrap_or_default());
        assert!(words.ends_with(b" from mx[192.0.2.1]"));
        assert_eq!((tail.sender, tail.words), (Some(&b"s@t"[..]), None));
    }

    #[test]
    fn takes_time_in_proportion_to_the_line() {
        for piece in
            ["; from=<", "; from=<\"", "; from=<a> to=<", "; from=<a@b> to=<c@d> proto=ESMTP helo=<x> "]
        {
            let text = piece.repeat(1_000_000 / piece.len());
            let start = std::time::Instant::now();
            RejectTail::split(text.as_bytes());
            RejectTail::of_content(text.as_bytes());
            assert!(start.elapsed().as_secs() < 5, "{piece}");
        }
    }
}
