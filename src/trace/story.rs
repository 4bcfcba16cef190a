//! The lives of one message come in; its story goes out.

use super::lifetime::MessageLifetime;
use super::note::{MessageNote, NoteKind, bare};
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep as Progress;
use crate::parse::mta::related_id::Relation;
use crate::parse::timestamp::LogTime;
use crate::report::trace::{StepKind, Story, StoryHop, StoryKind, StoryState, StoryStep};

/// `end` is when the logs end, in microseconds. `lives` are in the order of time; at least one.
pub(crate) fn story(lives: &[MessageLifetime], end: Option<i64>) -> Story {
    let mut hops: Vec<StoryHop> = lives.iter().map(|life| hop(life, lives)).collect();
    // The message itself first, then what was said about it.
    hops.sort_by_key(|hop| hop.notification && lives.len() > 1);
    let state = state(&hops);
    let moments = || lives.iter().flat_map(|life| &life.notes).filter_map(|note| note.moment);
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
        hops,
    }
}

fn hop(life: &MessageLifetime, lives: &[MessageLifetime]) -> StoryHop {
    let mut steps: Vec<StoryStep> = Vec::new();
    for note in &life.notes {
        steps.extend(told(note, &life.id, lives));
    }
    let came = |note: &&MessageNote| {
        matches!(
            note.said,
            NoteKind::Fact {
                step: Progress::Received | Progress::Notice | Progress::MessageIdAssigned | Progress::Queued,
                ..
            }
        )
    };
    let sender = life.notes.iter().find_map(|note| match &note.said {
        NoteKind::Event { sender, .. } => sender.clone(),
        NoteKind::Fact { .. } | NoteKind::Notice(_) | NoteKind::Routine => None,
    });
    let known = &life.known;
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    let is_notice = |other: &MessageLifetime| {
        other
            .notes
            .iter()
            .any(|note| matches!(&note.other, Some((Relation::NotifiedBy, id)) if *id == life.id))
    };
    let notice_of = |note: &MessageNote| matches!(note.other, Some((Relation::NotifiesAbout, _)));
    StoryHop {
        queue_id: Some(life.id.clone()),
        mta: life.origin.mta,
        host: life.origin.host.clone(),
        // Each of its daemons may have another.
        instance: life.origin.instance.clone(),
        state: end(life, &steps),
        notification: life.notes.iter().any(notice_of) || lives.iter().any(is_notice),
        received: life.notes.iter().find(came).and_then(|note| note.moment).and_then(LogTime::rfc3339),
        client_host: known.client_name().map(str::to_owned),
        client_ip: known.client_address().map(str::to_owned),
        helo: owned(&known.helo),
        user: owned(&known.user),
        sender: owned(&known.sender).or(sender),
        size: known.size,
        message_id: owned(&known.message_id),
        steps,
    }
}

fn told(note: &MessageNote, own: &str, lives: &[MessageLifetime]) -> Option<StoryStep> {
    let next = note.other.as_ref().filter(|(tie, _)| *tie == Relation::ForwardedTo).map(|(_, id)| id.clone());
    match &note.said {
        NoteKind::Event { step, .. } => {
            let mut step = StoryStep::clone(step);
            // Another server's id stands in its words; ours has a story here.
            if step.what == StepKind::Delivered
                && let Some(next) =
                    next.filter(|next| next != own && lives.iter().any(|life| life.id == *next))
            {
                (step.what, step.next) = (StepKind::HandedOn, Some(next));
            }
            Some(step)
        }
        NoteKind::Notice(step) => Some(StoryStep::clone(step)),
        NoteKind::Fact { step, .. } => {
            let what = match step {
                Progress::Held => StepKind::Held,
                Progress::Released => StepKind::Released,
                Progress::Deleted => StepKind::Deleted,
                Progress::Requeued => StepKind::Requeued,
                Progress::Returned => StepKind::Bounced,
                Progress::Received
                | Progress::Notice
                | Progress::MessageIdAssigned
                | Progress::Queued
                | Progress::Removed => {
                    return None;
                }
            };
            Some(bare(what, note.moment, None))
        }
        NoteKind::Routine => None,
    }
}

/// The states that the steps of a life lead to.
#[derive(Default)]
struct StepStates<'a> {
    /// By the last step of each recipient.
    recipients: Vec<(Option<&'a str>, StoryState)>,
    held: bool,
    /// Of the message as a whole. `None`: no step ended it for all recipients.
    whole: Option<StoryState>,
}

fn step_states(steps: &[StoryStep]) -> StepStates<'_> {
    let StepStates { mut recipients, mut held, mut whole } = StepStates::default();
    for step in steps {
        let state = match step.what {
            StepKind::Delivered => StoryState::Delivered,
            StepKind::HandedOn => StoryState::HandedOn,
            StepKind::Deferred => StoryState::Queued,
            // Given up by hand, with all that were left.
            StepKind::Bounced if step.recipient.is_none() => {
                whole = Some(StoryState::Bounced);
                continue;
            }
            StepKind::Bounced => StoryState::Bounced,
            StepKind::Expired => StoryState::Expired,
            StepKind::Discarded => StoryState::Discarded,
            StepKind::Rejected => StoryState::Rejected,
            StepKind::Held => {
                held = true;
                continue;
            }
            StepKind::Released => {
                held = false;
                continue;
            }
            StepKind::Deleted => {
                whole = Some(StoryState::Deleted);
                continue;
            }
            StepKind::Requeued => {
                whole = Some(StoryState::HandedOn);
                continue;
            }
            StepKind::Attempt | StepKind::Warned | StepKind::Probe | StepKind::Notified => continue,
        };
        // `from=<a@b>, status=expired` is of all that are left.
        if step.recipient.is_none() && state == StoryState::Expired {
            for (_, known) in recipients.iter_mut().filter(|(_, known)| *known == StoryState::Queued) {
                *known = StoryState::Expired;
            }
        }
        let recipient = step.recipient.as_deref();
        match recipients.iter_mut().find(|(known, _)| *known == recipient) {
            Some((_, known)) => *known = state,
            None => recipients.push((recipient, state)),
        }
    }
    StepStates { recipients, held, whole }
}

/// How it stands for each recipient, by the last that was said of them; and of all the worst.
fn end(life: &MessageLifetime, steps: &[StoryStep]) -> StoryState {
    let has = |wanted: Progress| {
        life.notes.iter().any(|note| matches!(&note.said, NoteKind::Fact { step, .. } if *step == wanted))
    };
    let StepStates { mut recipients, held, whole } = step_states(steps);
    if let Some(whole) = whole {
        return whole;
    }
    if held && !life.ended {
        return StoryState::Held;
    }
    let rank = |state: &StoryState| ORDER.iter().position(|known| known == state);
    // One recipient that was refused says nothing of the others, who were taken.
    let is_in_queue =
        has(Progress::Queued) || recipients.iter().any(|(_, state)| *state != StoryState::Rejected);
    recipients.retain(|(_, state)| *state != StoryState::Rejected || !is_in_queue);
    let worst = recipients.iter().map(|(_, state)| *state).min_by_key(rank);
    match worst {
        // It is gone, and a line that says how is missing.
        None | Some(StoryState::Queued) if life.ended => StoryState::Unknown,
        // Exim's is taken when `<=` is logged; Postfix's is in the queue when the queue manager says so.
        None if has(Progress::Queued)
            || has(Progress::Notice)
            || has(Progress::Received) && mta::is_queued_on_arrival(life.origin.mta) =>
        {
            StoryState::Queued
        }
        None => StoryState::Unknown,
        Some(state) => state,
    }
}

/// The worst first.
const ORDER: [StoryState; 10] = [
    StoryState::Held,
    StoryState::Queued,
    StoryState::Expired,
    StoryState::Bounced,
    StoryState::Deleted,
    StoryState::Rejected,
    StoryState::Discarded,
    StoryState::Unknown,
    StoryState::Delivered,
    StoryState::HandedOn,
];

/// Of the message itself; what was handed on counts where it went.
fn state(hops: &[StoryHop]) -> StoryState {
    let own = hops.iter().filter(|hop| !hop.notification || hops.len() == 1);
    let states: Vec<StoryState> = own.map(|hop| hop.state).collect();
    let states = if states.is_empty() { hops.iter().map(|hop| hop.state).collect() } else { states };
    let rank = |state: &StoryState| ORDER.iter().position(|known| known == state);
    states.into_iter().min_by_key(rank).unwrap_or(StoryState::Unknown)
}
