//! Counts the recipients of a message by their state at the end of the logs.

use hashbrown::HashMap;

use crate::report::trace::{RecipientCount, StepKind, StoryHop, StoryState};

/// The order in which states are listed.
const ORDER: [StoryState; 10] = [
    StoryState::Delivered,
    StoryState::Bounced,
    StoryState::Expired,
    StoryState::Rejected,
    StoryState::Discarded,
    StoryState::Deleted,
    StoryState::Queued,
    StoryState::Held,
    StoryState::HandedOn,
    StoryState::Unknown,
];

/// Counts the recipients of all hops but notifications; a notification alone is a message of its own. A recipient that was
/// handed on counts under the queue id that it was handed to, as long as the logs show a result there.
pub(crate) fn recipients(hops: &[StoryHop]) -> Vec<RecipientCount> {
    let is_alone = hops.iter().all(|hop| hop.notification);
    let own: Vec<&StoryHop> = hops.iter().filter(|hop| is_alone || !hop.notification).collect();
    let has_result = |id: &str| {
        let mut next = own.iter().filter(|hop| hop.queue_id.as_deref() == Some(id));
        next.any(|hop| hop.steps.iter().any(|step| step.recipient.is_some()))
    };
    let mut states: HashMap<String, StoryState> = HashMap::new();
    for hop in &own {
        let mut of_hop: HashMap<String, StoryState> = HashMap::new();
        for step in &hop.steps {
            let state = match step.what {
                StepKind::Delivered => StoryState::Delivered,
                StepKind::HandedOn => StoryState::HandedOn,
                StepKind::Deferred => StoryState::Queued,
                StepKind::Bounced => StoryState::Bounced,
                StepKind::Expired => StoryState::Expired,
                StepKind::Discarded => StoryState::Discarded,
                StepKind::Rejected => StoryState::Rejected,
                StepKind::Deleted => StoryState::Deleted,
                StepKind::Attempt
                | StepKind::Warned
                | StepKind::Held
                | StepKind::Probe
                | StepKind::Released
                | StepKind::Requeued
                | StepKind::Notified => continue,
            };
            match step.recipient.as_deref().map(str::to_ascii_lowercase) {
                Some(recipient) if step.next.as_deref().is_some_and(has_result) => {
                    of_hop.remove(&recipient);
                }
                Some(recipient) => {
                    of_hop.insert(recipient, state);
                }
                // The whole message: all that still wait.
                None => {
                    let waiting = of_hop.values_mut().filter(|state| **state == StoryState::Queued);
                    waiting.for_each(|waiting| *waiting = state);
                }
            }
        }
        if hop.state == StoryState::Held {
            let waiting = of_hop.values_mut().filter(|state| **state == StoryState::Queued);
            waiting.for_each(|state| *state = StoryState::Held);
        }
        states.extend(of_hop);
    }
    let count = |state: StoryState| states.values().filter(|own| **own == state).count() as u64;
    let counts = ORDER.map(|state| RecipientCount { state, count: count(state) });
    counts.into_iter().filter(|counted| counted.count > 0).collect()
}
