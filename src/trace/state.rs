//! Determines the state of a message from its steps: of each recipient by the last step, and of all by the worst.

use hashbrown::HashMap;

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
    let mut recipients = RecipientStates::default();
    let (mut is_held, mut whole) = (false, None);
    for step in steps {
        match StateChange::of(step) {
            StateChange::Recipient(state) => recipients.set(step.recipient.as_deref(), state),
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
        || recipients.states.iter().any(|state| *state != StoryState::Rejected);
    let counts = |state: &StoryState| *state != StoryState::Rejected || !is_in_queue;
    match worst(recipients.states.iter().copied().filter(counts)) {
        // The message left the queue, but no line says how.
        None | Some(StoryState::Queued) if lifetime.ended => StoryState::Unknown,
        None if is_queued(lifetime) => StoryState::Queued,
        None => StoryState::Unknown,
        Some(state) => state,
    }
}

/// The state of each recipient of a message.
#[derive(Default)]
struct RecipientStates<'s> {
    states: Vec<StoryState>,
    /// The place in `states`. `None`: the steps that name no recipient.
    places: HashMap<Option<&'s str>, usize>,
    /// The places of all recipients that are queued, and of some that no longer are.
    queued: Vec<usize>,
}

impl<'s> RecipientStates<'s> {
    /// Sets the state of one recipient; `None`: the step names none.
    fn set(&mut self, recipient: Option<&'s str>, state: StoryState) {
        // Postfix's `from=<a@b>, status=expired` is about all recipients that are left.
        if recipient.is_none() && state == StoryState::Expired {
            for place in self.queued.drain(..) {
                if let Some(earlier) =
                    self.states.get_mut(place).filter(|state| **state == StoryState::Queued)
                {
                    *earlier = StoryState::Expired;
                }
            }
        }
        let next = self.states.len();
        let place = *self.places.entry(recipient).or_insert(next);
        match self.states.get_mut(place) {
            Some(StoryState::Queued) if state == StoryState::Queued => return,
            Some(earlier) => *earlier = state,
            None => self.states.push(state),
        }
        if state == StoryState::Queued {
            self.queued.push(place);
        }
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
