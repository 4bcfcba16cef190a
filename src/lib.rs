//! smtplog reads Postfix and Exim logs, tallies every SMTP reply code, and says what to do about it.
pub mod event;
pub mod line;
pub mod reply;
pub mod time;
