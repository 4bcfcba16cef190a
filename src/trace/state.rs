//! Determines the state of a message from its steps: of each recipient by the last step, and of all by the worst.

use super::lifetime::MessageLifetime;
use super::note::NoteKind;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::report::trace::{StepKind, StoryHop, StoryState, StoryStep};

/// All states, the worst first.
const WORST_FIRST: [StoryState; 10] = [
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

fn worst(states: impl Iterator<Item = StoryState>) -> Option<StoryState> {
    states.min_by_key(|state| WORST_FIRST.iter().position(|other| other == state))
}

/// The effect of a step on the state.
enum StateChange {
    /// A recipient is in this state, or all of them if the step names none.
    Recipient(StoryState),
    /// The whole message is in this state.
    Message(StoryState),
    Held,
    Released,
    None,
}

impl StateChange {
    fn of(step: &StoryStep) -> Self {
        match step.what {
            StepKind::Delivered => Self::Recipient(StoryState::Delivered),
            StepKind::HandedOn => Self::Recipient(StoryState::HandedOn),
            StepKind::Deferred => Self::Recipient(StoryState::Queued),
            // An administrator gave up all recipients that were left.
            StepKind::Bounced if step.recipient.is_none() => Self::Message(StoryState::Bounced),
            StepKind::Bounced => Self::Recipient(StoryState::Bounced),
            StepKind::Expired => Self::Recipient(StoryState::Expired),
            StepKind::Discarded => Self::Recipient(StoryState::Discarded),
            StepKind::Rejected => Self::Recipient(StoryState::Rejected),
            StepKind::Held => Self::Held,
            StepKind::Released => Self::Released,
            StepKind::Deleted => Self::Message(StoryState::Deleted),
            StepKind::Requeued => Self::Message(StoryState::HandedOn),
            StepKind::Attempt | StepKind::Warned | StepKind::Probe | StepKind::Notified => Self::None,
        }
    }
}

/// The state of a message under one queue id, after the steps of that id.
pub(crate) fn state_of_lifetime(lifetime: &MessageLifetime, steps: &[StoryStep]) -> StoryState {
    let mut recipients: Vec<(Option<&str>, StoryState)> = Vec::new();
    let (mut is_held, mut whole) = (false, None);
    for step in steps {
        match StateChange::of(step) {
            StateChange::Recipient(state) => set_state(&mut recipients, step.recipient.as_deref(), state),
            StateChange::Message(state) => whole = Some(state),
            StateChange::Held => is_held = true,
            StateChange::Released => is_held = false,
            StateChange::None => {}
        }
    }
    if let Some(whole) = whole {
        return whole;
    }
    if is_held && !lifetime.ended {
        return StoryState::Held;
    }
    // A rejected recipient says nothing about the others, which were accepted.
    let is_in_queue = has(lifetime, QueueStep::Queued)
        || recipients.iter().any(|(_, state)| *state != StoryState::Rejected);
    recipients.retain(|(_, state)| *state != StoryState::Rejected || !is_in_queue);
    match worst(recipients.iter().map(|(_, state)| *state)) {
        // The message left the queue, but no line says how.
        None | Some(StoryState::Queued) if lifetime.ended => StoryState::Unknown,
        None if is_queued(lifetime) => StoryState::Queued,
        None => StoryState::Unknown,
        Some(state) => state,
    }
}

/// Sets the state of one recipient; `None`: the step names none.
fn set_state<'s>(
    recipients: &mut Vec<(Option<&'s str>, StoryState)>,
    recipient: Option<&'s str>,
    state: StoryState,
) {
    // Postfix's `from=<a@b>, status=expired` is about all recipients that are left.
    if recipient.is_none() && state == StoryState::Expired {
        for (_, earlier) in recipients.iter_mut().filter(|(_, earlier)| *earlier == StoryState::Queued) {
            *earlier = StoryState::Expired;
        }
    }
    match recipients.iter_mut().find(|(other, _)| *other == recipient) {
        Some((_, earlier)) => *earlier = state,
        None => recipients.push((recipient, state)),
    }
}

fn has(lifetime: &MessageLifetime, wanted: QueueStep) -> bool {
    let is_wanted = |kind: &NoteKind| matches!(kind, NoteKind::QueueRecord { step, .. } if *step == wanted);
    lifetime.notes.iter().any(|note| is_wanted(&note.kind))
}

/// A message without delivery attempts is in the queue. Exim has accepted it when `<=` is logged; Postfix's is in the queue
/// when the queue manager says so.
fn is_queued(lifetime: &MessageLifetime) -> bool {
    has(lifetime, QueueStep::Queued)
        || has(lifetime, QueueStep::Notice)
        || has(lifetime, QueueStep::Received) && mta::is_queued_on_arrival(lifetime.owner.mta)
}

/// The state of a story: the worst of its hops, notifications aside.
pub(crate) fn state_of_story(hops: &[StoryHop]) -> StoryState {
    let is_own = |hop: &&StoryHop| !hop.notification || hops.len() == 1;
    let own = worst(hops.iter().filter(is_own).map(|hop| hop.state));
    own.or_else(|| worst(hops.iter().map(|hop| hop.state))).unwrap_or(StoryState::Unknown)
}
