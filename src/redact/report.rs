//! Redacts reports and events field by field. The patterns name every field, so a new field does not compile until it
//! is handled.

use super::known_names::KnownNames;
use super::pseudonym::Redactor;
use crate::pipeline::filter::takes_address;
use crate::report::event::{Record, RecordContext};
use crate::report::{ActionSection, Input, Report};
use crate::smtp::event::By;

/// A pseudonym is nobody to trace.
pub(crate) fn hide_recipients(sections: &mut [ActionSection]) {
    sections.iter_mut().flat_map(|section| &mut section.rows).for_each(|row| row.recipient = None);
}

impl Redactor {
    /// Hides what is left in a report whose counts name nobody: files, filters, notes and lines that were not understood.
    pub(crate) fn report(&self, report: &mut Report) {
        let Report {
            schema: _,
            range: _,
            // The hosts that wrote the logs are ours.
            hosts: _,
            input,
            totals: _,
            sections,
            trend: _,
            // People were replaced in the counts; see `scan::redacted`.
            rows: _,
            groups: _,
            senders: _,
            users: _,
            clients: _,
            domains: _,
            failing_domains: _,
            providers: _,
            relays: _,
            instances: _,
            by_host: _,
            rest: _,
            warnings: _,
            delays: _,
            timeline: _,
            full_advice: _,
            baseline: _,
            failed: _,
            // Storms are redacted before they become part of a report.
            storms: _,
            verdict: _,
            notes,
            holes: _,
            table_notes: _,
        } = report;
        self.input(input);
        hide_recipients(sections);
        for note in notes {
            *note = self.text(note);
        }
    }

    pub(crate) fn input(&self, input: &mut Input) {
        let Input {
            files,
            bytes: _,
            lines: _,
            mail: _,
            other: _,
            understood: _,
            not_understood: _,
            not_understood_lines,
            filter,
            filtered: _,
        } = input;
        for file in files {
            *file = self.text(file);
        }
        for line in not_understood_lines {
            *line = self.line(line);
        }
        for words in filter {
            *words = self.option(words);
        }
    }

    /// Redacts an option such as `--to anna@example.org`.
    pub(crate) fn option(&self, words: &str) -> String {
        match words.split_once(' ') {
            Some((name, value)) if takes_address(name) => format!("{name} {}", self.address(value)),
            Some(_) | None => self.text(words),
        }
    }

    /// Redacts a value of `--by`.
    pub(crate) fn key(&self, by: By, value: &str) -> String {
        match by {
            By::Recipient | By::Sender | By::User => self.address(value),
            By::Domain | By::Relay | By::Client => self.host(value),
            By::Code
            | By::Enhanced
            | By::Class
            | By::Reason
            | By::Outcome
            | By::Direction
            | By::Stage
            | By::Provider
            | By::Instance
            | By::Host
            | By::Mta
            | By::Hour
            | By::Day => value.to_owned(),
        }
    }

    /// Redacts an event. `raw` is the line of the event.
    pub(crate) fn record(&self, record: &mut Record, raw: &str) {
        let Record {
            time: _,
            mta: _,
            host: _,
            program: _,
            instance: _,
            queue_id: _,
            direction: _,
            outcome: _,
            code: _,
            enhanced: _,
            dsn: _,
            class: _,
            stage: _,
            reason: _,
            cause: _,
            rule: _,
            provider: _,
            sender,
            recipient,
            peer_host,
            peer_ip,
            peer_port: _,
            suspended: _,
            text,
        } = record;
        let names = KnownNames::of_line(raw);
        if let Some(host) = peer_host {
            *host = self.host_at(host, peer_ip.as_deref());
        }
        if let Some(ip) = peer_ip {
            *ip = self.host(ip);
        }
        *text = self.text_with_names(text, &names);
        for address in [sender, recipient].into_iter().flatten() {
            *address = self.address(address);
        }
    }

    pub(crate) fn context(&self, context: &mut RecordContext) {
        let RecordContext { size: _, client, user, message_id, attempt_no: _, hop: _ } = context;
        if let Some(client) = client {
            *client = self.host(client);
        }
        if let Some(user) = user {
            *user = self.address(user);
        }
        if let Some(message_id) = message_id {
            *message_id = self.message_id(message_id);
        }
    }
}
