//! Tells the story of one message from its lifetimes under each queue id.

use hashbrown::HashSet;

use super::lifetime::MessageLifetime;
use super::note::{MessageNote, NoteKind, bare};
use super::recipients::recipients;
use super::state::{state_of_lifetime, state_of_story};
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::related_id::Relation;
use crate::parse::timestamp::LogTime;
use crate::report::trace::{StepKind, Story, StoryHop, StoryKind, StoryState, StoryStep};

/// The story of a message. `lifetimes` are in the order of time, at least one; `end` is the end of the logs, in
/// microseconds since 1970.
pub(crate) fn story(lifetimes: &[MessageLifetime], end: Option<i64>) -> Story {
    let ids = StoryIds::of(lifetimes);
    let mut hops: Vec<StoryHop> = lifetimes.iter().map(|lifetime| hop(lifetime, &ids)).collect();
    // The message itself comes first, then the notifications about it.
    hops.sort_by_key(|hop| hop.notification && lifetimes.len() > 1);
    let state = state_of_story(&hops);
    let moments = || lifetimes.iter().flat_map(|lifetime| &lifetime.notes).filter_map(|note| note.moment);
    let (first, last) = (moments().min_by_key(|at| at.micros), moments().max_by_key(|at| at.micros));
    let open = matches!(state, StoryState::Queued | StoryState::Held);
    let until = last.map(|last| if open { end.unwrap_or(last.micros).max(last.micros) } else { last.micros });
    let seconds = first.zip(until).map(|(first, until)| (until - first.micros).max(0) as u64 / 1_000_000);
    Story {
        kind: StoryKind::Message,
        state,
        first: first.and_then(LogTime::rfc3339),
        last: last.and_then(LogTime::rfc3339),
        seconds,
        count: 1,
        recipients: recipients(&hops),
        hops,
    }
}

/// The queue ids of a story.
struct StoryIds<'a> {
    all: HashSet<&'a str>,
    /// Those of notifications that a line of the story names.
    notices: HashSet<&'a str>,
}

impl<'a> StoryIds<'a> {
    fn of(lifetimes: &'a [MessageLifetime]) -> Self {
        let notice = |note: &'a MessageNote| match &note.related {
            Some((Relation::NotifiedBy, id)) => Some(id.as_str()),
            Some(_) | None => None,
        };
        Self {
            all: lifetimes.iter().map(|lifetime| lifetime.id.as_str()).collect(),
            notices: lifetimes.iter().flat_map(|lifetime| &lifetime.notes).filter_map(notice).collect(),
        }
    }
}

/// The hop of a message that one lifetime is.
fn hop(lifetime: &MessageLifetime, ids: &StoryIds) -> StoryHop {
    let mut steps: Vec<StoryStep> = Vec::new();
    let has_result = lifetime.notes.iter().any(|note| matches!(note.kind, NoteKind::Event { .. }));
    for note in &lifetime.notes {
        let is_dropped = matches!(note.kind, NoteKind::QueueRecord { step: QueueStep::Dropped, .. });
        // The line of a rule or a filter that discards the message says more.
        if !is_dropped || !has_result {
            steps.extend(step(note, &lifetime.id, ids));
        }
    }
    let is_arrival = |note: &&MessageNote| {
        matches!(
            note.kind,
            NoteKind::QueueRecord {
                step: QueueStep::Received
                    | QueueStep::Notice
                    | QueueStep::MessageIdAssigned
                    | QueueStep::Queued,
                ..
            }
        )
    };
    let sender = lifetime.notes.iter().find_map(|note| match &note.kind {
        NoteKind::Event { sender, .. } => sender.clone(),
        NoteKind::QueueRecord { .. } | NoteKind::Notice(_) | NoteKind::Routine => None,
    });
    let metadata = &lifetime.metadata;
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    let notice_of = |note: &MessageNote| matches!(note.related, Some((Relation::NotifiesAbout, _)));
    StoryHop {
        queue_id: Some(lifetime.id.clone()),
        mta: lifetime.owner.mta,
        host: lifetime.owner.host.clone(),
        // The daemons of a server may log different ones; this is that of the first line.
        instance: lifetime.owner.instance.clone(),
        state: state_of_lifetime(lifetime, &steps),
        notification: lifetime.notes.iter().any(notice_of) || ids.notices.contains(lifetime.id.as_str()),
        received: lifetime
            .notes
            .iter()
            .find(is_arrival)
            .and_then(|note| note.moment)
            .and_then(LogTime::rfc3339),
        client_host: metadata.client_name().map(str::to_owned),
        client_ip: metadata.client_address().map(str::to_owned),
        helo: owned(&metadata.helo),
        user: owned(&metadata.user),
        sender: owned(&metadata.sender).or(sender),
        size: metadata.size,
        message_id: owned(&metadata.message_id),
        steps,
    }
}

/// The step that a note is. `None`: it is none.
fn step(note: &MessageNote, own: &str, ids: &StoryIds) -> Option<StoryStep> {
    let next = note
        .related
        .as_ref()
        .filter(|(relation, _)| *relation == Relation::ForwardedTo)
        .map(|(_, id)| id.clone());
    match &note.kind {
        NoteKind::Event { step, .. } => {
            let mut step = StoryStep::clone(step);
            // The reply may name the queue id of any server; it is a hand-off only if this log has that message.
            if step.what == StepKind::Delivered
                && let Some(next) = next.filter(|next| next != own && ids.all.contains(next.as_str()))
            {
                (step.what, step.next) = (StepKind::HandedOn, Some(next));
            }
            Some(step)
        }
        NoteKind::Notice(step) => Some(StoryStep::clone(step)),
        NoteKind::QueueRecord { step, .. } => {
            let what = match step {
                QueueStep::Held => StepKind::Held,
                QueueStep::Released => StepKind::Released,
                QueueStep::Deleted => StepKind::Deleted,
                QueueStep::Requeued => StepKind::Requeued,
                QueueStep::Returned => StepKind::Bounced,
                QueueStep::Dropped => StepKind::Discarded,
                QueueStep::PassedOn => StepKind::HandedOn,
                QueueStep::Canceled
                | QueueStep::Received
                | QueueStep::Notice
                | QueueStep::MessageIdAssigned
                | QueueStep::Queued
                | QueueStep::Removed => {
                    return None;
                }
            };
            let next = next.filter(|next| ids.all.contains(next.as_str()));
            Some(bare(what, note.moment, next))
        }
        NoteKind::Routine => None,
    }
}
