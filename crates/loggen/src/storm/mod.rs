//! Days of normal mail traffic with storms in them, as Postfix or Exim would log it, and what a finder of storms must say.
//!
//! A case is a plan drawn from a seed: a server, its people, how busy it is, and which storms befall it. A world plays
//! the plan message by message. Storms that are a state of the world (a provider that answers 421, a full disk) change
//! what becomes of the messages that are there anyway, retries and all; storms that are mail (a stolen account) add
//! messages. What each line of a storm counts for is kept beside it, so the truth depends on no parser.

mod arrivals;
mod case;
mod client;
mod condition;
mod exim;
mod exim_delivery;
mod exim_refusal;
mod failures;
mod flood;
mod flow;
mod incoming;
mod life;
mod log;
mod mailboxes;
mod normal;
mod outgoing;
mod parts;
mod pattern;
mod place;
mod plan;
mod postfix;
mod postfix_delivery;
mod refusal;
mod reply;
mod rhythm;
mod score;
mod series;
mod show;
mod site;
mod text_kind;
mod texts;
mod texts_other;
mod truth;
mod window;
mod world;

pub use case::{StormCase, build};
pub use pattern::Pattern;
pub use plan::{CasePlan, Style};
pub use score::{Score, judge};
pub use show::show;
pub use truth::Truth;
