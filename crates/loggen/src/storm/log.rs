//! Collects log lines in any order and writes them sorted by time.

use std::fmt::Arguments;
use std::io::Write;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::rhythm::{DAY, SECOND};
use super::series::{CountedLine, LineSeries};
use crate::log::Stamp;

pub(crate) struct LogBuilder {
    stamp: Stamp,
    midnight: i64,
    end: u64,
    hosts: Vec<String>,
    text: Vec<u8>,
    lines: Vec<(u64, usize, usize)>,
    counts: Vec<CountedLine>,
    /// Spans in which the server is down and logs nothing.
    pub gaps: Vec<(u64, u64)>,
    /// Index of the host that writes the next lines.
    pub host: usize,
    /// Name of the Postfix instance, if there are several on the host.
    pub instance: Option<&'static str>,
}

impl LogBuilder {
    pub(crate) fn new(stamp: Stamp, start: Date, days: u64, hosts: Vec<String>) -> Self {
        let midnight = TimeZone::UTC.to_timestamp(start.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second);
        Self {
            stamp,
            midnight,
            end: days * DAY,
            hosts,
            text: Vec::new(),
            lines: Vec::new(),
            counts: Vec::new(),
            gaps: Vec::new(),
            host: 0,
            instance: None,
        }
    }

    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn counts(&self) -> &[CountedLine] {
        &self.counts
    }

    /// Chooses the writing host by a hash, so that a message stays on one host.
    pub(crate) fn choose_host(&mut self, salt: u64) {
        self.host = (salt >> 7) as usize % self.hosts.len();
    }

    pub(crate) const fn second_of(&self, at: u64) -> i64 {
        self.midnight + (at / SECOND) as i64
    }

    pub(crate) fn is_written(&self, at: u64) -> bool {
        at < self.end && !self.gaps.iter().any(|&(from, until)| (from..until).contains(&at))
    }

    /// Adds a line; Exim's own log format leaves `program` out.
    pub(crate) fn line(&mut self, at: u64, program: &str, pid: u64, text: Arguments) {
        if !self.is_written(at) {
            return;
        }
        let from = self.text.len();
        if self.stamp != Stamp::Exim {
            let host = &self.hosts[self.host];
            match (self.instance, program.strip_prefix("postfix/")) {
                (Some(instance), Some(daemon)) => write!(self.text, "{host} {instance}/{daemon}[{pid}]: "),
                _ => write!(self.text, "{host} {program}[{pid}]: "),
            }
            .expect("a Vec takes all");
        }
        self.text.write_fmt(text).expect("a Vec takes all");
        self.lines.push((at, from, self.text.len()));
    }

    /// Counts the line just added in a series.
    pub(crate) fn count(&mut self, at: u64, storm: Option<usize>, series: LineSeries) {
        if self.is_written(at) {
            self.counts.push(CountedLine { at, storm, series });
        }
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.lines.sort_by_key(|&(at, ..)| at);
        let mut out = Vec::with_capacity(self.text.len() + self.lines.len() * 34);
        let (mut second, mut front) = (i64::MIN, String::new());
        for &(at, from, to) in &self.lines {
            let now = self.second_of(at);
            if now != second {
                second = now;
                let form = match self.stamp {
                    Stamp::Bsd => "%b %e %H:%M:%S",
                    Stamp::Rfc3339 => "%Y-%m-%dT%H:%M:%S",
                    Stamp::Exim => "%Y-%m-%d %H:%M:%S",
                };
                let moment = Timestamp::from_second(now).unwrap_or_default();
                front = moment.to_zoned(TimeZone::UTC).strftime(form).to_string();
            }
            out.extend_from_slice(front.as_bytes());
            if self.stamp == Stamp::Rfc3339 {
                write!(out, ".{:03}417+00:00", at % SECOND).expect("a Vec takes all");
            }
            out.push(b' ');
            out.extend_from_slice(&self.text[from..to]);
            out.push(b'\n');
        }
        out
    }
}
