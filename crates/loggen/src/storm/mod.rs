//! Generates days of normal mail with storms in them, and the answer that is expected of `smtplog storm`.
//!
//! A plan drawn from a seed sets the server, its users, the traffic and the storms; the world simulates it message by
//! message. A storm is either a condition that makes normal mail fail (a full disk) or additional mail (a stolen
//! account). The storm of each line is recorded as it is written, so the expected answer depends on no parser.

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
