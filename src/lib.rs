//! smtplog reads Postfix and Exim logs, tallies every SMTP reply code, and says what to do about it.
pub mod cli;
pub mod cmd;
pub mod error;
pub mod event;
pub mod input;
pub mod line;
pub mod mta;
pub mod output;
pub mod record;
pub mod reply;
pub mod time;
pub mod walk;
