//! Renders the list of reply codes as text.

use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, pad, wrap};
use crate::report::explain::{Codes, class_words};

pub(crate) fn show(codes: &Codes, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    let title = page.say("reply codes, catalogue of");
    page.line(&format!("{} {title} {}", codes.codes.len(), codes.catalogue));
    let width = codes.codes.iter().map(|row| page.say(&row.name).width()).max().unwrap_or(0);
    let mut before = None;
    for row in &codes.codes {
        if before != Some(row.class) {
            let digit = row.code.number() / 100;
            page.heading(&format!("{digit}xx  {}", page.say(class_words(row.class))));
            before = Some(row.class);
        }
        let code = page.by_class(Some(row.class), &row.code.to_string());
        // The code is written without padding: its colour codes would count as width.
        let name = page.plain(page.say(&row.name));
        let source = page.plain(&row.source);
        if page.style.width >= 80 {
            let name = pad(&name, width);
            for (at, line) in wrap(&source, page.style.width.saturating_sub(width + 9)).iter().enumerate() {
                let lead = if at == 0 { format!("  {code}  {name}  ") } else { " ".repeat(width + 9) };
                page.line(&format!("{lead}{line}"));
            }
        } else {
            page.line(&format!("  {code}  {name}"));
            page.paragraph(7, &source);
        }
    }
    page.text
}
