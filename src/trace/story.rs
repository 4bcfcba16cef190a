//! The lives of one message come in; its story goes out.

use super::lifetime::Life;
use super::note::{Note, Said, bare};
use crate::parse::mta;
use crate::parse::mta::queue_record::Step as Progress;
use crate::parse::mta::related_id::Tie;
use crate::parse::timestamp::Moment;
use crate::report::trace::{Hop, Kind, State, Step, Story, What};

/// `end` is when the logs end, in microseconds. `lives` are in the order of time; at least one.
pub fn story(lives: &[Life], end: Option<i64>) -> Story {
    let mut hops: Vec<Hop> = lives.iter().map(|life| hop(life, lives)).collect();
    // The message itself first, then what was said about it.
    hops.sort_by_key(|hop| hop.notification && lives.len() > 1);
    let state = state(&hops);
    let moments = || lives.iter().flat_map(|life| &life.notes).filter_map(|note| note.moment);
    let (first, last) = (moments().min_by_key(|at| at.micros), moments().max_by_key(|at| at.micros));
    let open = matches!(state, State::Queued | State::Held);
    let until = last.map(|last| if open { end.unwrap_or(last.micros).max(last.micros) } else { last.micros });
    let seconds = first.zip(until).map(|(first, until)| (until - first.micros).max(0) as u64 / 1_000_000);
    Story {
        kind: Kind::Message,
        state,
        first: first.and_then(Moment::rfc3339),
        last: last.and_then(Moment::rfc3339),
        seconds,
        count: 1,
        hops,
    }
}

fn hop(life: &Life, lives: &[Life]) -> Hop {
    let mut steps: Vec<Step> = Vec::new();
    for note in &life.notes {
        steps.extend(told(note, &life.id, lives));
    }
    let came = |note: &&Note| {
        matches!(
            note.said,
            Said::Fact { step: Progress::Came | Progress::Notice | Progress::Named | Progress::Queued, .. }
        )
    };
    let sender = life.notes.iter().find_map(|note| match &note.said {
        Said::Event { sender, .. } => sender.clone(),
        Said::Fact { .. } | Said::Notice(_) | Said::Routine => None,
    });
    let known = &life.known;
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    let is_notice = |other: &Life| {
        other.notes.iter().any(|note| matches!(&note.other, Some((Tie::Notice, id)) if *id == life.id))
    };
    let notice_of = |note: &Note| matches!(note.other, Some((Tie::NoticeOf, _)));
    Hop {
        queue_id: Some(life.id.clone()),
        mta: life.origin.mta,
        host: life.origin.host.clone(),
        // Each of its daemons may have another.
        instance: life.origin.instance.clone(),
        state: end(life, &steps),
        notification: life.notes.iter().any(notice_of) || lives.iter().any(is_notice),
        received: life.notes.iter().find(came).and_then(|note| note.moment).and_then(Moment::rfc3339),
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

fn told(note: &Note, own: &str, lives: &[Life]) -> Option<Step> {
    let next = note.other.as_ref().filter(|(tie, _)| *tie == Tie::Next).map(|(_, id)| id.clone());
    match &note.said {
        Said::Event { step, .. } => {
            let mut step = Step::clone(step);
            // Another server's id stands in its words; ours has a story here.
            if step.what == What::Delivered
                && let Some(next) =
                    next.filter(|next| next != own && lives.iter().any(|life| life.id == *next))
            {
                (step.what, step.next) = (What::HandedOn, Some(next));
            }
            Some(step)
        }
        Said::Notice(step) => Some(Step::clone(step)),
        Said::Fact { step, .. } => {
            let what = match step {
                Progress::Held => What::Held,
                Progress::Released => What::Released,
                Progress::Deleted => What::Deleted,
                Progress::Renamed => What::Requeued,
                Progress::Returned => What::Bounced,
                Progress::Came | Progress::Notice | Progress::Named | Progress::Queued | Progress::Gone => {
                    return None;
                }
            };
            Some(bare(what, note.moment, None))
        }
        Said::Routine => None,
    }
}

/// How it stands for each recipient, by the last that was said of them; and of all the worst.
fn end(life: &Life, steps: &[Step]) -> State {
    let has = |wanted: Progress| {
        life.notes.iter().any(|note| matches!(&note.said, Said::Fact { step, .. } if *step == wanted))
    };
    let mut recipients: Vec<(Option<&str>, State)> = Vec::new();
    let (mut held, mut whole) = (false, None);
    for step in steps {
        let state = match step.what {
            What::Delivered => State::Delivered,
            What::HandedOn => State::HandedOn,
            What::Deferred => State::Queued,
            // Given up by hand, with all that were left.
            What::Bounced if step.recipient.is_none() => {
                whole = Some(State::Bounced);
                continue;
            }
            What::Bounced => State::Bounced,
            What::Expired => State::Expired,
            What::Discarded => State::Discarded,
            What::Rejected => State::Rejected,
            What::Held => {
                held = true;
                continue;
            }
            What::Released => {
                held = false;
                continue;
            }
            What::Deleted => {
                whole = Some(State::Deleted);
                continue;
            }
            What::Requeued => {
                whole = Some(State::HandedOn);
                continue;
            }
            What::Attempt | What::Warned | What::Probe | What::Notified => continue,
        };
        // `from=<a@b>, status=expired` is of all that are left.
        if step.recipient.is_none() && state == State::Expired {
            for (_, known) in recipients.iter_mut().filter(|(_, known)| *known == State::Queued) {
                *known = State::Expired;
            }
        }
        let recipient = step.recipient.as_deref();
        match recipients.iter_mut().find(|(known, _)| *known == recipient) {
            Some((_, known)) => *known = state,
            None => recipients.push((recipient, state)),
        }
    }
    if let Some(whole) = whole {
        return whole;
    }
    if held && !life.ended {
        return State::Held;
    }
    let rank = |state: &State| ORDER.iter().position(|known| known == state);
    // One recipient that was refused says nothing of the others, who were taken.
    let is_in_queue = has(Progress::Queued) || recipients.iter().any(|(_, state)| *state != State::Rejected);
    recipients.retain(|(_, state)| *state != State::Rejected || !is_in_queue);
    let worst = recipients.iter().map(|(_, state)| *state).min_by_key(rank);
    match worst {
        // It is gone, and a line that says how is missing.
        None | Some(State::Queued) if life.ended => State::Unknown,
        // Exim's is taken when `<=` is logged; Postfix's is in the queue when the queue manager says so.
        None if has(Progress::Queued)
            || has(Progress::Notice)
            || has(Progress::Came) && mta::is_queued_on_arrival(life.origin.mta) =>
        {
            State::Queued
        }
        None => State::Unknown,
        Some(state) => state,
    }
}

/// The worst first.
const ORDER: [State; 10] = [
    State::Held,
    State::Queued,
    State::Expired,
    State::Bounced,
    State::Deleted,
    State::Rejected,
    State::Discarded,
    State::Unknown,
    State::Delivered,
    State::HandedOn,
];

/// Of the message itself; what was handed on counts where it went.
fn state(hops: &[Hop]) -> State {
    let own = hops.iter().filter(|hop| !hop.notification || hops.len() == 1);
    let states: Vec<State> = own.map(|hop| hop.state).collect();
    let states = if states.is_empty() { hops.iter().map(|hop| hop.state).collect() } else { states };
    let rank = |state: &State| ORDER.iter().position(|known| known == state);
    states.into_iter().min_by_key(rank).unwrap_or(State::Unknown)
}
