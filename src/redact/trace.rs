//! Redacts the stories of `smtplog trace` field by field.

use super::known_names::KnownNames;
use super::pseudonym::Redactor;
use crate::report::trace::{Story, StoryHop, StoryStep, Trace};

impl Redactor {
    pub(crate) fn trace(&self, trace: &mut Trace) {
        let Trace { schema: _, what, found: _, stories, notes } = trace;
        *what = self.query(what);
        for story in stories {
            self.story(story);
        }
        for note in notes {
            *note = self.text(note);
        }
    }

    /// Redacts the query: an address or an IP address; a queue id stays.
    pub(crate) fn query(&self, what: &str) -> String {
        if what.contains('@') { self.text(what) } else { self.host(what) }
    }

    fn story(&self, story: &mut Story) {
        let Story { kind: _, state: _, first: _, last: _, seconds: _, count: _, recipients: _, hops } = story;
        // A name on one line of a message may occur alone in the text of another.
        let mut names = KnownNames::default();
        for hop in hops.iter() {
            let steps = hop.steps.iter().flat_map(|step| [&step.recipient, &step.original]);
            for address in [&hop.user, &hop.sender].into_iter().chain(steps).flatten() {
                names.add(address);
            }
        }
        for hop in hops {
            self.hop(hop, &names);
        }
    }

    fn hop(&self, hop: &mut StoryHop, names: &KnownNames) {
        let StoryHop {
            queue_id: _,
            mta: _,
            host: _,
            instance: _,
            state: _,
            notification: _,
            received: _,
            client_host,
            client_ip,
            helo,
            user,
            sender,
            size: _,
            message_id,
            steps,
        } = hop;
        for host in [client_host, helo].into_iter().flatten() {
            *host = self.host_at(host, client_ip.as_deref());
        }
        if let Some(ip) = client_ip {
            *ip = self.host(ip);
        }
        for address in [user, sender].into_iter().flatten() {
            *address = self.address(address);
        }
        if let Some(message_id) = message_id {
            *message_id = self.message_id(message_id);
        }
        for step in steps {
            self.step(step, names);
        }
    }

    fn step(&self, step: &mut StoryStep, names: &KnownNames) {
        let StoryStep {
            time: _,
            what: _,
            recipient,
            original,
            peer_host,
            peer_ip,
            peer_port: _,
            code: _,
            enhanced: _,
            stage: _,
            reason: _,
            title: _,
            advice: _,
            asked: _,
            text,
            count: _,
            next: _,
        } = step;
        *text = self.text_with_names(text, names);
        for address in [recipient, original].into_iter().flatten() {
            *address = self.address(address);
        }
        if let Some(host) = peer_host {
            *host = self.host_at(host, peer_ip.as_deref());
        }
        if let Some(ip) = peer_ip {
            *ip = self.host(ip);
        }
    }
}
