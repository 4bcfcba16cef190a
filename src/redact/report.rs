//! Redacts reports and events field by field. The patterns name every field, so a new field does not compile until it
//! is handled.

use super::known_names::KnownNames;
use super::pseudonym::Redactor;
use crate::pipeline::filter::takes_address;
use crate::report::event::{Record, RecordContext};
use crate::report::{
    FailingDomain, FaultRow, GroupKey, GroupTable, Input, MainPlace, NameCount, NameRow, PlaceKind, Report,
    Row, SenderCount, WarningRow,
};
use crate::smtp::event::By;

impl Redactor {
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
            rows,
            groups,
            senders,
            users,
            clients,
            domains,
            failing_domains,
            providers: _,
            relays,
            instances: _,
            rest: _,
            warnings,
            delays: _,
            timeline: _,
            full_advice: _,
            baseline: _,
            failed: _,
            // Storms are redacted before they become part of a report.
            storms: _,
            verdict: _,
            notes,
            table_notes: _,
        } = report;
        self.input(input);
        for row in sections.iter_mut().flat_map(|section| &mut section.rows) {
            self.fault(row);
        }
        for row in rows {
            self.row(row);
        }
        if let Some(table) = groups {
            self.groups(table);
        }
        for NameRow { name, .. } in senders.iter_mut().chain(users) {
            *name = self.address(name);
        }
        for NameRow { name, .. } in clients.iter_mut().chain(domains).chain(relays) {
            *name = self.host(name);
        }
        for domain in failing_domains {
            self.failing_domain(domain);
        }
        for warning in warnings {
            self.warning(warning);
        }
        for note in notes {
            *note = self.text(note);
        }
    }

    fn warning(&self, row: &mut WarningRow) {
        let WarningRow {
            mta: _,
            severity: _,
            text,
            lines: _,
            first: _,
            last: _,
            id: _,
            title: _,
            needs_action: _,
            advice: _,
            check: _,
            example,
        } = row;
        *text = self.text(text);
        *example = self.line(example);
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

    fn row(&self, row: &mut Row) {
        let Row {
            direction: _,
            outcome: _,
            code: _,
            enhanced: _,
            class: _,
            reason: _,
            cause: _,
            title: _,
            retryable: _,
            conflict: _,
            attempts: _,
            recipients: _,
            recipients_exact: _,
            first: _,
            last: _,
            stages: _,
            providers: _,
            wheres,
            where_count: _,
            advice: _,
            example,
            examples,
            change: _,
        } = row;
        for NameCount { name, attempts: _ } in wheres {
            *name = self.host(name);
        }
        example.iter_mut().chain(examples).for_each(|line| *line = self.line(line));
    }

    fn fault(&self, row: &mut FaultRow) {
        let FaultRow {
            direction: _,
            reason: _,
            cause: _,
            title: _,
            totals: _,
            codes: _,
            code_count: _,
            trend: _,
            first: _,
            last: _,
            since: _,
            last_day: _,
            place,
            places: _,
            wheres,
            senders,
            advice: _,
            recipient,
            examples,
        } = row;
        for NameCount { name, attempts: _ } in wheres {
            *name = self.host(name);
        }
        self.senders(senders);
        for line in examples {
            *line = self.line(line);
        }
        if let Some(MainPlace { kind: PlaceKind::Domain | PlaceKind::Client, name, percent: _ }) = place {
            *name = self.host(name);
        }
        // A pseudonym is nobody to trace.
        *recipient = None;
    }

    fn senders(&self, senders: &mut [SenderCount]) {
        for SenderCount { name, messages: _ } in senders {
            *name = self.address(name);
        }
    }

    fn failing_domain(&self, domain: &mut FailingDomain) {
        let FailingDomain { name, trend: _, faults: _, codes: _, senders, examples } = domain;
        *name = self.host(name);
        self.senders(senders);
        for line in examples {
            *line = self.line(line);
        }
    }

    fn groups(&self, table: &mut GroupTable) {
        for row in &mut table.rows {
            for GroupKey { by, value } in &mut row.keys {
                if let Some(value) = value {
                    *value = self.key(*by, value);
                }
            }
            row.examples.iter_mut().for_each(|line| *line = self.line(line));
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
            *message_id = self.text(message_id);
        }
    }
}
