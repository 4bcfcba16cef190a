//! Adds to an event what other lines say of its message; events and facts must arrive in the order of their lines.

use crate::messages::context::MetadataTable;
use crate::messages::hop;
use crate::messages::key::KeyHasher;
use crate::messages::metadata::MessageMetadata;
use crate::messages::recent_ids::{IdHash, IdWindow};
use crate::messages::transition::Transition;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::report::event::RecordContext;
use crate::smtp::event::{Event, Outcome};

/// What a routine line says of its message.
pub(crate) struct MessageRecord {
    key: u64,
    id: IdHash,
    act: Transition,
    said: Box<MessageMetadata>,
}

impl MessageRecord {
    pub(crate) fn of(logged: &LoggedQueueRecord, keys: &mut KeyHasher) -> Self {
        let fact = logged.record;
        let at = logged.minute.map(|minute| minute * 60);
        let (key, id) = keys.key_and_placed_id(fact.mta, logged.line, fact.queue_id, at);
        let (act, said) = (Transition::of_record(fact), Box::new(MessageMetadata::of(fact)));
        Self { key, id, act, said }
    }

    /// Its size on the heap, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.said.held_bytes()
    }
}

/// The hashes by which an event finds its message.
pub(crate) struct MessageLink {
    /// The key of the message, and a hash of the queue id alone. `None`: the event has no queue id.
    key: Option<(u64, IdHash)>,
    /// The queue id under which the message may continue.
    copy: Option<IdHash>,
    /// `None`: the event is not a delivery attempt.
    recipient: Option<u64>,
    /// The name with which the client logged in or tried to, if the event's own line shows it.
    login: Option<Box<str>>,
}

impl MessageLink {
    pub(crate) fn of(logged: &LoggedEvent, keys: &mut KeyHasher) -> Self {
        let (event, host) = (logged.event, logged.line.host);
        let at = logged.moment.map(LogTime::second);
        let copy = |id: &[u8]| keys.copy_id(id, hop::host_of_copy(event, host), at);
        Self {
            copy: hop::next_queue_id(event, host).map(copy),
            key: event.queue_id.map(|id| keys.key_and_placed_id(event.mta, logged.line, id, at)),
            recipient: is_attempt(event).then(|| keys.recipient(event.recipient)),
            login: mta::login(event, logged.line).map(|login| String::from(LogText(login)).into_boxed_str()),
        }
    }
}

/// Whether the event is a delivery attempt for a recipient, or its end.
pub(crate) fn is_attempt(event: &Event) -> bool {
    let tried = match event.outcome {
        Outcome::Delivered | Outcome::Deferred | Outcome::Bounced | Outcome::Expired => true,
        Outcome::Rejected
        | Outcome::Attempt
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded
        | Outcome::Probe => false,
    };
    tried && event.queue_id.is_some() && event.recipient.is_some()
}

/// The messages that the lines so far were about.
#[derive(Default)]
pub(crate) struct MessageContexts {
    pub table: MetadataTable,
    before: IdWindow,
}

impl MessageContexts {
    pub(crate) fn queue_record(&mut self, fact: MessageRecord) {
        self.before.add(fact.id);
        self.table.update(fact.key, fact.act, *fact.said);
    }

    /// Remembers the event's queue id and, if it is a delivery attempt, counts it.
    pub(crate) fn attempt_no(&mut self, link: &MessageLink) -> Option<u32> {
        let (key, id) = link.key?;
        self.before.add(id);
        self.table.count_attempt(key, link.recipient?)
    }

    /// `None`: no line so far says anything of the message.
    pub(crate) fn known(&self, link: &MessageLink) -> Option<&MessageMetadata> {
        link.key.and_then(|(key, _)| self.table.get(key))
    }

    pub(crate) fn context(&self, link: &MessageLink, attempt_no: Option<u32>) -> RecordContext {
        let known = self.known(link);
        let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        RecordContext {
            size: known.and_then(|known| known.size),
            client: known.and_then(|known| owned(&known.client)),
            user: owned(&link.login).or_else(|| known.and_then(|known| owned(&known.user))),
            message_id: known.and_then(|known| owned(&known.message_id)),
            attempt_no,
            hop: link.copy.is_some_and(|copy| self.before.contains(copy)),
        }
    }
}
