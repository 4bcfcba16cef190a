//! Renders answers, one file for each format, and lists the formats.
//!
//! Promises: the same answer gives the same bytes; nothing from a log reaches a terminal, HTML, CSV, Markdown or a metric
//! unescaped. It does not know how an answer came about.
//! May use: catalog, report, smtp.

pub(crate) mod csv;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod json_report;
pub(crate) mod mail;
pub(crate) mod markdown;
pub(crate) mod markdown_explain;
pub(crate) mod nagios;
pub(crate) mod prometheus;
pub(crate) mod sanitize;
pub(crate) mod text;
pub(crate) mod words;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use self::text::page::TextStyle;
use crate::report::Report;

/// A format of the report of `scan`. To add one, write its file and its row in `FORMATS`.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The value of `--format`.
    pub name: &'static str,
    alias: Option<&'static str>,
    /// Endings of file names.
    suffixes: &'static [&'static str],
    /// For people: where no line was understood there is nothing to show.
    pub is_for_people: bool,
    /// It shows the verdict, which has to be worked out for it.
    pub has_verdict: bool,
    pub in_mail: InMail,
    pub show: fn(&Report, &TextStyle) -> String,
    /// Shows why the report cannot be trusted, in place of it.
    pub show_trouble: Option<fn(&str) -> String>,
}

/// What `--mail-headers` does with a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InMail {
    /// It cannot be a mail.
    No,
    /// The mail is text alone.
    Text,
    /// The page is attached to the text.
    Page,
}

const MACHINE: Format = Format {
    name: "",
    alias: None,
    suffixes: &[],
    is_for_people: false,
    has_verdict: false,
    in_mail: InMail::No,
    show: |report, _| json_report::show(report),
    show_trouble: None,
};

const HUMAN: Format = Format { is_for_people: true, ..MACHINE };

/// In the order of the help.
pub(crate) static FORMATS: [Format; 8] = [
    Format { name: "text", suffixes: &["txt"], in_mail: InMail::Text, show: text::scan::show, ..HUMAN },
    Format { name: "json", suffixes: &["json"], show: |report, _| json_report::show(report), ..MACHINE },
    Format {
        name: "ndjson",
        suffixes: &["ndjson", "jsonl"],
        show: |report, _| json_report::rows(report),
        ..MACHINE
    },
    Format { name: "csv", suffixes: &["csv"], show: csv::report, ..MACHINE },
    Format { name: "markdown", alias: Some("md"), suffixes: &["md"], show: markdown::show, ..HUMAN },
    Format { name: "html", suffixes: &["html", "htm"], in_mail: InMail::Page, show: html::show, ..HUMAN },
    Format {
        name: "prometheus",
        alias: Some("prom"),
        suffixes: &["prom"],
        show: |report, _| prometheus::show(report),
        ..MACHINE
    },
    Format {
        name: "line",
        has_verdict: true,
        show: |report, _| nagios::show(report),
        show_trouble: Some(nagios::unknown),
        ..MACHINE
    },
];

impl Format {
    /// `None`: there is no format of that name.
    pub fn find(name: &str) -> Option<Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }

    /// The first format.
    pub fn text() -> Self {
        let [text, ..] = FORMATS;
        text
    }

    /// One line with a verdict, for a monitor.
    pub fn line() -> Self {
        let [.., line] = FORMATS;
        line
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).aliases(self.alias))
    }
}

/// The names of some formats as values of `--format`.
pub(crate) fn format_names<F: ValueEnum>() -> Vec<String> {
    let named = |format: &F| Some(format.to_possible_value()?.get_name().to_owned());
    F::value_variants().iter().filter_map(named).collect()
}

/// The endings of file names that stand for some formats, by the rows of `FORMATS` that have the same names.
pub(crate) fn suffixes<F: ValueEnum + Clone + 'static>() -> impl Iterator<Item = (&'static str, F)> {
    F::value_variants().iter().flat_map(|format| {
        let row = format.to_possible_value().and_then(|value| Format::find(value.get_name()));
        let suffixes = row.map_or(&[][..], |row| row.suffixes);
        suffixes.iter().map(|suffix| (*suffix, format.clone()))
    })
}
