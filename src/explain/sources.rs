//! Joins citations so that each document is named once, with all its sections or chapters.

/// Cited documents with their sections or chapters, in the order in which they were added.
#[derive(Default)]
pub(crate) struct CitedSources {
    /// A document and its parts.
    rows: Vec<(String, Vec<String>)>,
}

/// The start of a citation of the Exim specification.
const CHAPTERS: &str = "Exim spec ch. ";

impl CitedSources {
    /// Adds citations: `RFC 5321 §4.2.3, §3.8; RFC 3207 §4`, `Exim spec ch. 14 and 30`, `postconf(5)`.
    pub(crate) fn add(&mut self, text: &str) {
        for source in text.split("; ").filter(|source| !source.is_empty()) {
            if let Some(chapters) = source.strip_prefix(CHAPTERS) {
                self.add_parts(CHAPTERS.trim_end(), chapter_numbers(chapters));
            } else if let Some((document, sections)) = source.split_once(" §") {
                self.add_parts(
                    document,
                    sections.split(", §").map(|section| format!("§{section}")).collect(),
                );
            } else {
                self.add_parts(source, Vec::new());
            }
        }
    }

    pub(crate) fn add_all<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) {
        texts.into_iter().for_each(|text| self.add(text));
    }

    /// Adds parts of a document, each once.
    fn add_parts(&mut self, document: &str, parts: Vec<String>) {
        let at = self.rows.iter().position(|(known, _)| known == document).unwrap_or_else(|| {
            self.rows.push((document.to_owned(), Vec::new()));
            self.rows.len() - 1
        });
        if let Some((_, known)) = self.rows.get_mut(at) {
            for part in parts {
                if !known.contains(&part) {
                    known.push(part);
                }
            }
        }
    }

    /// One citation for each document. Chapters are sorted.
    pub(crate) fn list(mut self) -> Vec<String> {
        for (document, parts) in &mut self.rows {
            if CHAPTERS.starts_with(document.as_str()) {
                parts.sort_by_key(|part| part.parse::<u32>().unwrap_or(u32::MAX));
            }
        }
        let written = |(document, parts): (String, Vec<String>)| match parts.as_slice() {
            [] => document,
            parts => format!("{document} {}", parts.join(", ")),
        };
        self.rows.into_iter().map(written).collect()
    }
}

/// Parses the numbers of chapters: `15, 17 and 20` → 15, 17, 20; `33 to 35` → 33, 34, 35.
fn chapter_numbers(chapters: &str) -> Vec<String> {
    let mut found: Vec<u32> = Vec::new();
    let mut range = false;
    for word in chapters.split([' ', ',']) {
        match (word.parse::<u32>(), found.last()) {
            (Ok(last), Some(&first)) if range => found.extend(first + 1..=last),
            (Ok(number), _) => found.push(number),
            (Err(_), _) => {}
        }
        range = word == "to";
    }
    if found.is_empty() { vec![chapters.to_owned()] } else { found.iter().map(u32::to_string).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_document_once() {
        let mut sources = CitedSources::default();
        for text in [
            "RFC 5321 §4.2.3, §3.8; RFC 3207 §4",
            "Exim spec ch. 33 to 35",
            "RFC 5321 §4.2.3",
            "postconf(5)",
            "Exim spec ch. 14 and 30",
            "RFC 3463 §3.8 (X.7.1)",
            "Exim spec ch. 14 (prdr_enable)",
        ] {
            sources.add(text);
        }
        let wanted = [
            "RFC 5321 §4.2.3, §3.8",
            "RFC 3207 §4",
            "Exim spec ch. 14, 30, 33, 34, 35",
            "postconf(5)",
            "RFC 3463 §3.8 (X.7.1)",
        ];
        assert_eq!(sources.list(), wanted);
    }
}
