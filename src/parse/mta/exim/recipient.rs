//! Parses the recipient at the start of Exim's delivery lines (`final@a (parent@b, parent@c) <top@d> R=…`).

use memchr::{memchr_iter, memrchr_iter};

use crate::parse::mta::parsed::{address, closing_quote, domain};
use crate::simd::find::{find as find_byte, find_either, find_from};

/// Splits off the recipient: the address that was delivered to or, if that is a local part, a pipe or a file, the
/// original address in angle brackets. The inner `None`: the line shows no address.
pub(crate) fn recipient(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    if let Some((original, rest)) = quoted(text) {
        return Some((Some(original), rest));
    }
    // `:blackhole:` ends with a colon itself.
    let own = match text.first() {
        Some(b':') => find_byte(b' ', text)?,
        Some(b'"') => closing_quote(text).unwrap_or(0),
        _ => 0,
    };
    let (first, rest) = text.split_at_checked(address_end(text, own))?;
    let (original, rest) = match rest.strip_prefix(b" <").and_then(address) {
        Some((original, rest)) => (Some(original), rest),
        None => (None, rest),
    };
    let nobody = first.is_empty()
        || first.starts_with(b"blackhole (")
        || first.starts_with(b"discarded (")
        || first.starts_with(ALL_FAIL);
    let first = without_parents(first);
    // Exim shows the local part without its quotes; the address in brackets has them.
    let unquoted =
        || original.is_some_and(|original| original.starts_with(b"\"") && domain(original) == domain(first));
    let special =
        || matches!(first.first(), None | Some(b'|' | b'/' | b':')) || find_byte(b'@', first).is_none();
    let named = if original.is_some() && (special() || unquoted()) { original } else { Some(first) };
    Some((named.filter(|_| !nobody), rest))
}

/// Splits `a b@c <"a b"@c> R=…` behind the brackets. Exim shows a quoted local part without its quotes, and the address as it
/// was written behind it (Exim deliver.c, string_log_address). The local part may contain anything, also what looks like
/// fields, so the address in brackets tells where it ends. `None`: no address of this kind.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr_iter(b'<', text).find_map(|at| {
        let (before, address) = (text.get(..at)?, text.get(at + 1..)?);
        let shown = before.strip_suffix(b" ").filter(|_| address.first() == Some(&b'"'))?;
        original_of(shown, address)
    })
}

/// Splits `"a b"@c> R=…` behind the bracket, if it is the address that is `shown` without quotes and backslashes, as a whole
/// or only its local part.
fn original_of<'a>(shown: &[u8], text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let quote = closing_quote(text)?;
    let mut rest = shown;
    let mut escaped = false;
    for byte in text.get(1..quote)? {
        escaped = *byte == b'\\' && !escaped;
        if !escaped {
            rest = rest.strip_prefix(std::slice::from_ref(byte))?;
        }
    }
    if !matches!(rest, [] | [b'@', ..]) {
        return None;
    }
    let (original, behind) = address(text)?;
    (rest.is_empty() || original.get(quote + 1..) == Some(rest)).then_some((original, behind))
}

/// The text of a line that stands for all recipients (Exim deliver.c, with the option mua_wrapper).
pub(crate) const ALL_FAIL: &[u8] = b"mua_wrapper is set but recipients cannot all be delivered";

/// Removes the parents that the log selector all_parents adds: `a@b (c@d, e@f)` gives `a@b` (Exim deliver.c,
/// string_log_address). A parent that is quoted may contain the mark.
fn without_parents(first: &[u8]) -> &[u8] {
    let Some(inside) = first.strip_suffix(b")") else { return first };
    let is_open = |&at: &usize| {
        let parents = inside.get(at + 1..).unwrap_or_default();
        let quotes = memchr_iter(b'"', parents).count();
        inside.get(..at).is_some_and(|before| before.ends_with(b" "))
            && quotes.is_multiple_of(2)
            && parents.contains(&b'@')
    };
    match memrchr_iter(b'(', inside).find(is_open) {
        Some(at) => inside.get(..at.saturating_sub(1)).unwrap_or_default(),
        None => first,
    }
}

/// What a blank behind an address begins.
enum Behind {
    /// ` <a@b>`, ` : …`, ` defer (…`: the address ends here.
    End,
    /// ` R=…`, ` F=<…`: a quoted local part may contain this too, and is shown without its quotes.
    Field,
    Other,
}

/// The end of the address; `own` is the least. The end of the text if nothing else ends it.
fn address_end(text: &[u8], own: usize) -> usize {
    let mut at = own;
    let mut field = None;
    while let Some(blank) = find_from(b' ', text, at) {
        if blank > own && blank.checked_sub(1).and_then(|before| text.get(before)) == Some(&b':') {
            return blank - 1;
        }
        match behind(text.get(blank..).unwrap_or_default()) {
            Behind::End => return blank,
            // An address without a domain is followed by the original one, never by a field.
            Behind::Field if text.get(..blank).is_some_and(|before| find_byte(b'@', before).is_some()) => {
                return blank;
            }
            Behind::Field => field = field.or(Some(blank)),
            Behind::Other => {}
        }
        at = blank + 1;
    }
    field.unwrap_or(text.len())
}

fn behind(rest: &[u8]) -> Behind {
    match rest {
        [b' ', b'<', ..] | [b' ', b':', b' ', ..] => Behind::End,
        [b' ', b'F' | b'P', b'=', b'<', ..] => Behind::Field,
        [b' ', b'F' | b'Q' | b'R' | b'T', b'=', name @ ..] => {
            let is_mark = |at: usize| name.get(at) == Some(&b'@');
            let is_address = rest.get(1) != Some(&b'F') && find_either(b'@', b' ', name).is_some_and(is_mark);
            if is_address { Behind::Other } else { Behind::Field }
        }
        [b' ', b'd', ..] if rest.starts_with(b" defer (") || rest.starts_with(b" defer: ") => Behind::End,
        [b' ', b'r', ..]
            if [&b" routing defer ("[..], b" routing defer: ", b" routing yielded "]
                .iter()
                .any(|words| rest.starts_with(words)) =>
        {
            Behind::End
        }
        [b' ', b'm', ..] if rest.starts_with(b" mua_wrapper forced ") => Behind::End,
        _ => Behind::Other,
    }
}
