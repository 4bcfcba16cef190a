//! Opens lines that stand for several equal ones (`message repeated 9 times: [ NOQUEUE: reject: …]`).

use memchr::memmem;

use super::earlier_lines::EarlierLines;
use crate::parse::header::LogLine;

/// The largest number that is believed. Each repetition counts as one event, so a forged number must not take hours.
const MOST: u32 = 100_000;

/// Writes the line that is repeated, with the header of this line, and returns how often it occurred. `None`: the line
/// stands for itself.
///
/// Sources: rsyslog's ratelimit.c (`message repeated 9 times: [ text]`, the text cut to 800 bytes), its older
/// action.c and the syslogd of the BSDs (`last message repeated 9 times`), syslog-ng's logwriter.c (`Last message 'NOQUEUE:
/// reject: RCPT' repeated 9 times, suppressed by syslog-ng on mx1`, the first 20 bytes of the text).
pub(crate) fn write_repeated(
    raw: &[u8],
    line: &LogLine,
    earlier: EarlierLines,
    output: &mut Vec<u8>,
) -> Option<u32> {
    if let Some(rest) = line.text.strip_prefix(b"message repeated ") {
        let (times, rest) = number(rest)?;
        let text = rest.strip_prefix(b" times: [").or_else(|| rest.strip_prefix(b" time: ["))?;
        output.extend_from_slice(raw.strip_suffix(line.text)?);
        output.extend_from_slice(text.strip_suffix(b"]").unwrap_or(text).trim_ascii_start());
        return Some(times);
    }
    if let Some(rest) = line.text.strip_prefix(b"Last message '") {
        let end = memmem::find(rest.get(..40).unwrap_or(rest), b"' repeated ")?;
        let (begin, rest) = (rest.get(..end)?, rest.get(end + 11..)?);
        let (times, rest) = number(rest)?;
        rest.starts_with(b" time").then_some(())?;
        let is_same = |other: &LogLine| other.program == line.program && other.text.starts_with(begin);
        let before = earlier.backwards().find(|raw| is_same(&LogLine::read(raw)))?;
        output.extend_from_slice(raw.strip_suffix(line.text)?);
        output.extend_from_slice(LogLine::read(before).text);
        return Some(times);
    }
    let rest = line.text.strip_prefix(b"last message repeated ")?;
    let (times, rest) = number(rest)?;
    matches!(rest, b" times" | b" time").then_some(())?;
    let before = LogLine::read(earlier.backwards().next()?);
    let same = before.program == line.program && !before.text.starts_with(b"last message ");
    output.extend_from_slice(raw.strip_suffix(line.text).filter(|_| same)?);
    output.extend_from_slice(before.text);
    Some(times)
}

/// Writes the line before one without a program: `Nov 22 03:04:05 mx1 last message repeated 9 times`.
pub(crate) fn write_previous(raw: &[u8], earlier: EarlierLines, output: &mut Vec<u8>) -> Option<u32> {
    const MARK: &[u8] = b" last message repeated ";
    let front = raw.get(..raw.len().min(80))?;
    let at = memmem::find(front, MARK)?;
    let (times, rest) = number(raw.get(at + MARK.len()..)?)?;
    // Apple's syslogd.c writes `Nov 22 03:04:05 --- last message repeated 9 times ---`.
    matches!(rest, b" times" | b" time" | b" times ---" | b" time ---").then_some(())?;
    let before = earlier.backwards().next()?;
    let line = LogLine::read(before);
    let front = raw.get(..at)?;
    let same = !line.program.is_empty() && (front.ends_with(line.host) || front.ends_with(b" ---"));
    output.extend_from_slice(Some(before).filter(|_| same)?);
    Some(times)
}

/// Parses a number from 1 to [`MOST`].
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (1..=MOST).contains(&number).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn opens(raw: &str, before: &str, want: Option<(&str, u32)>) {
        let mut output = Vec::new();
        let earlier = EarlierLines { near: before.as_bytes(), far: b"" };
        let line = LogLine::read(raw.as_bytes());
        let times = write_repeated(raw.as_bytes(), &line, earlier, &mut output)
            .or_else(|| write_previous(raw.as_bytes(), earlier, &mut output));
        let text = String::from_utf8_lossy(&output);
        assert_eq!(times.map(|times| (&*text, times)), want, "{raw}");
    }

    #[test]
    fn a_repeated_message_is_opened() {
        let front = "Nov 22 03:04:05 mx1 a/smtpd[1]:";
        let line = format!("{front} NOQUEUE: reject: x [y]");
        let earlier = format!("Nov 22 03:04:01 mx1 b[2]: z\n{line}\n");
        opens(&format!("{front} message repeated 9 times: [ NOQUEUE: reject: x [y]]"), "", Some((&line, 9)));
        opens(&format!("{front} message repeated 1 times: [NOQUEUE: reject: x [y]]"), "", Some((&line, 1)));
        opens(&format!("{front} last message repeated 3 times"), &earlier, Some((&line, 3)));
        opens("Nov 22 03:04:06 mx1 last message repeated 3 times", &earlier, Some((&line, 3)));
        let cut = "Last message 'NOQUEUE: reject: x ' repeated 2 times, suppressed by syslog-ng on mx1";
        let later = format!("{earlier}Nov 22 03:04:05 mx1 b[2]: other\n");
        opens(&format!("{front} {cut}"), &later, Some((&line, 2)));
    }

    #[test]
    fn other_messages_stay() {
        let front = "Nov 22 03:04:05 mx1 a/smtpd[1]:";
        let earlier = "Nov 22 03:04:01 mx1 b[2]: z\n";
        for text in [
            "message repeated 0 times: [ x]",
            "message repeated 100001 times: [ x]",
            "message repeated 99999999999 times: [ x]",
            "message repeated many times: [ x]",
            "message repeated 2 times",
            "last message repeated 3 times",
            "last message repeated 3 times or so",
            "Last message 'y' repeated 3 times",
            "x",
        ] {
            opens(&format!("{front} {text}"), earlier, None);
        }
        opens("Nov 22 03:04:06 mx2 last message repeated 3 times", earlier, None);
        opens("Nov 22 03:04:06 mx1 last message repeated 3 times", "", None);
    }
}
