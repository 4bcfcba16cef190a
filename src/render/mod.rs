//! Renders documents, and lists the formats of a report in the table `FORMATS`.
//!
//! Promises: the same document gives the same bytes; nothing from a log reaches a terminal, HTML, CSV, Markdown or a metric
//! unescaped. It does not know how a document came about.
//! May use: catalog, report, smtp.

pub(crate) mod csv;
pub(crate) mod customer;
pub(crate) mod html;
pub(crate) mod json;
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

pub(crate) use self::customer::Audience;
use self::text::page::TextStyle;
use crate::report::Report;

/// A format of the report of `scan`. To add one, write its file and its row in `FORMATS`.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The value of `--format`.
    pub name: &'static str,
    alias: Option<&'static str>,
    /// Suffixes of file names that choose this format.
    suffixes: &'static [&'static str],
    /// Read by people: nothing is printed if no line was understood.
    pub is_for_people: bool,
    /// Read by a monitor, so that a log that ends too early is a finding.
    pub is_for_monitors: bool,
    pub in_mail: InMail,
    /// Log lines that it shows for each reason and domain without `--examples`.
    pub lines: usize,
    pub show: fn(&Report, &TextStyle) -> String,
    /// Prints the report for a customer. `None`: the format is not for customers.
    pub show_customer: Option<fn(&Report, &TextStyle) -> String>,
    /// Prints why the report cannot be trusted, instead of the report. `None`: the format has no way to say that.
    pub show_trouble: Option<fn(&str) -> String>,
}

/// What `--mail-headers` does with a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InMail {
    /// Not available.
    No,
    /// The mail has only the text.
    Text,
    /// The report is attached to the text.
    Page,
}

/// Defaults of a format for programs.
const MACHINE: Format = Format {
    name: "",
    alias: None,
    suffixes: &[],
    is_for_people: false,
    is_for_monitors: false,
    in_mail: InMail::No,
    lines: 0,
    show: |report, _| json::pretty(report),
    show_customer: None,
    show_trouble: None,
};

/// Defaults of a format for people.
const HUMAN: Format = Format { is_for_people: true, ..MACHINE };

/// The default format.
pub(crate) const TEXT: Format = Format {
    name: "text",
    suffixes: &["txt"],
    in_mail: InMail::Text,
    show: text::scan::show,
    show_customer: Some(customer::formats::text),
    ..HUMAN
};

/// The default format with `--nagios`.
pub(crate) const LINE: Format = Format {
    name: "line",
    is_for_monitors: true,
    show: |report, _| nagios::show(report),
    show_trouble: Some(nagios::unknown),
    ..MACHINE
};

/// All formats, in the order of the help.
pub(crate) static FORMATS: &[Format] = &[
    TEXT,
    Format { name: "json", suffixes: &["json"], show: |report, _| json::pretty(report), ..MACHINE },
    Format {
        name: "ndjson",
        suffixes: &["ndjson", "jsonl"],
        show: |report, _| json::rows(report),
        ..MACHINE
    },
    Format { name: "csv", suffixes: &["csv"], show: csv::report, ..MACHINE },
    Format {
        name: "markdown",
        alias: Some("md"),
        suffixes: &["md"],
        show: markdown::show,
        show_customer: Some(customer::formats::markdown),
        ..HUMAN
    },
    Format {
        name: "html",
        suffixes: &["html", "htm"],
        in_mail: InMail::Page,
        lines: 5,
        show: html::show,
        show_customer: Some(customer::formats::html),
        ..HUMAN
    },
    Format {
        name: "prometheus",
        alias: Some("prom"),
        suffixes: &["prom"],
        show: |report, _| prometheus::show(report),
        ..MACHINE
    },
    LINE,
];

impl Format {
    /// `None`: there is no format of that name.
    pub fn find(name: &str) -> Option<Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).aliases(self.alias))
    }
}

/// The names of the formats of a subcommand, the values of its `--format`.
pub(crate) fn format_names<F: ValueEnum>() -> Vec<String> {
    let named = |format: &F| Some(format.to_possible_value()?.get_name().to_owned());
    F::value_variants().iter().filter_map(named).collect()
}

/// The suffixes of file names that choose the formats of a subcommand; they are in the rows of `FORMATS` with the same names.
pub(crate) fn suffixes<F: ValueEnum + Clone + 'static>() -> impl Iterator<Item = (&'static str, F)> {
    F::value_variants().iter().flat_map(|format| {
        let row = format.to_possible_value().and_then(|value| Format::find(value.get_name()));
        let suffixes = row.map_or(&[][..], |row| row.suffixes);
        suffixes.iter().map(|suffix| (*suffix, format.clone()))
    })
}
