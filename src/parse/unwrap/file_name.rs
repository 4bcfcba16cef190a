//! Removes the file name and the line number that grep puts before a line (`mail.log.2.gz:17:Nov 22 …`).

use super::line_start::begins_a_line;

/// Longest part of a line in which a file name is looked for, in bytes.
const LONGEST: usize = 512;

/// Removes `name:`, `17:` and `name:17:` before a line, and `name-17-` before a line of context (grep -C). The name has no
/// blank; it may have a date. `None`: no line begins behind a colon or a dash.
pub(crate) fn without_file_name(text: &[u8]) -> Option<&[u8]> {
    let window = text.get(..LONGEST).unwrap_or(text);
    let marks = window.iter().enumerate().take_while(|(_, byte)| !matches!(byte, b' ' | b'{' | b'<'));
    marks
        .filter(|(_, byte)| matches!(byte, b':' | b'-'))
        .filter_map(|(at, _)| text.get(at + 1..))
        .find(|rest| begins_a_line(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_names_and_numbers() {
        for line in [
            "Nov 22 03:04:05 mx1 exim[1]: x",
            "2026-11-22 03:04:05 1x => y",
            "{\"log\":\"x\"}",
            "<22>Nov 22 03:04:05 x",
        ] {
            for name in [
                "mail.log:",
                "/var/log/mail.log.2.gz:",
                "exim_mainlog:",
                "/srv/logs/2026-11-22/mx-1/mail-2026-11-22T00.log:17:",
                "17:",
                "mail.log-17-",
                "mail.log-",
            ] {
                let text = format!("{name}{line}");
                assert_eq!(without_file_name(text.as_bytes()), Some(line.as_bytes()), "{text}");
            }
        }
        for text in
            ["", "mx-1 exim[1]: x", "postfix/smtp[1]: Nov 22 03:04:05 x", "450-x", "a b:Nov 22 03:04:05 x"]
        {
            assert_eq!(without_file_name(text.as_bytes()), None, "{text}");
        }
    }
}
