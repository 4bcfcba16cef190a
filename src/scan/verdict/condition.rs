//! Parses a condition on a report, as `--fail-on` takes it: `bounced>2%`.

use std::fmt;
use std::str::FromStr;

use crate::pipeline::filter::CodePattern;
use crate::pipeline::reason_pattern::ReasonPattern;

/// A comparison, or a single word that asks whether there is any.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    pub subject: Subject,
    pub relation: Comparison,
    /// In the unit of `unit`; not negative.
    pub limit: f64,
    pub unit: Unit,
    /// A percentage of fewer than this never holds; 0 for other units.
    pub floor: u64,
    /// As written, without surrounding blanks.
    pub text: String,
}

/// The subject of a condition: a count or an age.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// Outbound and local delivery attempts with this result.
    Delivered,
    Deferred,
    Bounced,
    Expired,
    /// Messages in the queue at the end of the logs, with a deferred recipient.
    Waiting,
    /// Rejections of clients by this server.
    Refused,
    /// Mail lines that were not understood.
    Unread,
    /// Messages in the queue at the end of the logs.
    InQueue,
    /// Age of the oldest of these messages.
    Oldest,
    /// Events whose reply code or enhanced code matches.
    Code(CodePattern),
    /// Events with this reason or cause.
    Reason(ReasonPattern),
    /// Rows and totals that the baseline comparison marks as unusual.
    Unusual,
    /// Bursts of failures.
    Storm,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    More,
    AtLeast,
    Less,
    AtMost,
}

impl Comparison {
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Count,
    Percent,
    /// Count in the busiest hour.
    PerHour,
    Seconds,
}

/// The subjects that are a single word.
const WORDS: [(&str, Subject); 13] = [
    ("delivered", Subject::Delivered),
    ("sent", Subject::Delivered),
    ("deferred", Subject::Deferred),
    ("bounced", Subject::Bounced),
    ("expired", Subject::Expired),
    ("waiting", Subject::Waiting),
    ("refused", Subject::Refused),
    ("rejected", Subject::Refused),
    ("unread", Subject::Unread),
    ("in_queue", Subject::InQueue),
    ("oldest", Subject::Oldest),
    ("unusual", Subject::Unusual),
    ("storm", Subject::Storm),
];

const SUBJECTS: &str = "delivered, deferred, bounced, expired, waiting, refused, unread, in_queue, oldest, code:CODE, reason:REASON, \
    unusual, storm";

impl Subject {
    fn read(text: &str) -> Result<Self, String> {
        let small = text.to_ascii_lowercase().replace('-', "_");
        if let Some((_, subject)) = WORDS.iter().find(|(word, _)| *word == small) {
            return Ok(*subject);
        }
        match text.split_once(':') {
            Some((kind, code)) if kind.eq_ignore_ascii_case("code") => code.parse().map(Self::Code),
            Some((kind, reason)) if kind.eq_ignore_ascii_case("reason") => {
                ReasonPattern::find(reason).map(Self::Reason).ok_or_else(|| {
                    format!(
                        "no reason is called {reason:?}; `smtplog scan --by reason` shows which there are"
                    )
                })
            }
            _ => Err(format!("{text:?} is nothing that is counted; there are {SUBJECTS}")),
        }
    }

    /// The units that are allowed for the subject.
    fn units(self) -> &'static [Unit] {
        match self {
            Self::Delivered | Self::Deferred | Self::Bounced | Self::Expired | Self::Refused => {
                &[Unit::Count, Unit::Percent, Unit::PerHour]
            }
            Self::Waiting | Self::Unread | Self::Code(_) | Self::Reason(_) => &[Unit::Count, Unit::Percent],
            Self::InQueue | Self::Unusual | Self::Storm => &[Unit::Count],
            Self::Oldest => &[Unit::Seconds],
        }
    }

    /// The subject needs no number: it is present or absent.
    fn is_question(self) -> bool {
        matches!(self, Self::Unusual | Self::Storm)
    }
}

/// Suffixes of the number, with the factor that converts to the unit.
const UNITS: [(&str, Unit, f64); 8] = [
    ("", Unit::Count, 1.0),
    ("%", Unit::Percent, 1.0),
    ("/h", Unit::PerHour, 1.0),
    ("s", Unit::Seconds, 1.0),
    ("min", Unit::Seconds, 60.0),
    ("m", Unit::Seconds, 60.0),
    ("h", Unit::Seconds, 3600.0),
    ("d", Unit::Seconds, 86_400.0),
];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some(at) = text.find(['>', '<', '=', '!']) else {
            let subject = Subject::read(text)?;
            if !subject.is_question() {
                return Err(format!("it does not say how much is too much; write {text}>10"));
            }
            return Ok(Self {
                subject,
                relation: Comparison::More,
                limit: 0.0,
                unit: Unit::Count,
                floor: 0,
                text: text.to_owned(),
            });
        };
        let (subject, rest) = text.split_at(at);
        let subject = Subject::read(subject.trim())?;
        let relations = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::More),
            ("<", Comparison::Less),
        ];
        let found = relations.iter().find_map(|(sign, relation)| Some((*relation, rest.strip_prefix(sign)?)));
        let (relation, rest) = found.ok_or("it compares with >, >=, < or <=".to_owned())?;
        let rest = rest.trim();
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let limit: f64 = number
            .parse()
            .map_err(|_| format!("{rest:?} is no number; write {}>10", subject_word(text, at)))?;
        let (unit, floor) = match unit.split_once(" of ") {
            Some((unit, floor)) => (unit.trim(), Some(read_floor(floor, text)?)),
            None => (unit.trim(), None),
        };
        let known = UNITS.iter().find(|(word, _, _)| word.eq_ignore_ascii_case(unit));
        let &(_, unit, factor) = known
            .ok_or_else(|| format!("{unit:?} is no unit; there are %, /h, and for oldest s, min, h and d"))?;
        if !subject.units().contains(&unit) {
            return Err(match (subject, unit) {
                (Subject::Oldest, _) => "oldest is a time; write oldest>2h".to_owned(),
                (_, Unit::Percent) => {
                    format!("{} is no part of anything, so it has no %", subject_word(text, at))
                }
                (_, Unit::PerHour) => format!("{} is not counted by the hour", subject_word(text, at)),
                (_, Unit::Seconds | Unit::Count) => format!("{} is no time", subject_word(text, at)),
            });
        }
        if unit == Unit::PerHour && matches!(relation, Comparison::Less | Comparison::AtMost) {
            return Err("/h is the hour that had most, so it goes with > alone".to_owned());
        }
        if unit == Unit::Percent && limit > 100.0 {
            return Err(format!("{number}% is more than all"));
        }
        if floor.is_some() && unit != Unit::Percent {
            let word = subject_word(text, at);
            return Err(format!("only a percentage is of a least number; write {word}>10% of 50"));
        }
        let (limit, floor) = (limit * factor, floor.unwrap_or(0));
        Ok(Self { subject, relation, limit, unit, floor, text: text.to_owned() })
    }
}

/// The number behind `of`: a percentage of fewer messages never holds.
fn read_floor(text: &str, condition: &str) -> Result<u64, String> {
    let number = text.trim();
    number.parse().map_err(|_| format!("{number:?} in {condition:?} is no number; write bounced>10% of 50"))
}

fn subject_word(text: &str, at: usize) -> &str {
    text.split_at(at).0.trim()
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, subject: Subject, relation: Comparison, limit: f64, unit: Unit) {
        let condition: Condition = text.parse().unwrap();
        assert_eq!(
            (condition.subject, condition.relation, condition.limit, condition.unit),
            (subject, relation, limit, unit),
            "{text}"
        );
    }

    #[track_caller]
    fn complains(text: &str, wanted: &str) {
        let complaint = text.parse::<Condition>().unwrap_err();
        assert!(complaint.contains(wanted), "{text}: wanted {wanted:?}, got {complaint:?}");
    }

    #[test]
    fn reads_a_subject_a_relation_a_number_and_a_unit() {
        reads("bounced>2%", Subject::Bounced, Comparison::More, 2.0, Unit::Percent);
        reads(" deferred >= 0.5 % ", Subject::Deferred, Comparison::AtLeast, 0.5, Unit::Percent);
        reads("deferred>500/h", Subject::Deferred, Comparison::More, 500.0, Unit::PerHour);
        reads("sent<10", Subject::Delivered, Comparison::Less, 10.0, Unit::Count);
        reads("in-queue>1000", Subject::InQueue, Comparison::More, 1000.0, Unit::Count);
        reads("oldest>1h", Subject::Oldest, Comparison::More, 3600.0, Unit::Seconds);
        reads("oldest>1.5 min", Subject::Oldest, Comparison::More, 90.0, Unit::Seconds);
        reads(
            "reason:mailbox-full>10",
            Subject::Reason(ReasonPattern::Reason(crate::catalog::Reason::MailboxFull)),
            Comparison::More,
            10.0,
            Unit::Count,
        );
        let code = Subject::Code("5.7.1".parse().unwrap());
        reads("code:5.7.1>20", code, Comparison::More, 20.0, Unit::Count);
        reads("storm", Subject::Storm, Comparison::More, 0.0, Unit::Count);
        reads("unusual>3", Subject::Unusual, Comparison::More, 3.0, Unit::Count);
    }

    #[test]
    fn a_percentage_has_a_floor() {
        let floor = |text: &str| text.parse::<Condition>().map(|condition| condition.floor);
        assert_eq!(floor("bounced>10% of 50"), Ok(50));
        assert_eq!(floor(" waiting >= 20 % of 1000 "), Ok(1000));
        assert_eq!(floor("bounced>10%"), Ok(0));
        complains("bounced>10% of many", "is no number; write bounced>10% of 50");
        complains("bounced>10 of 50", "only a percentage");
    }

    #[test]
    fn a_mistake_says_what_is_allowed() {
        complains("", "nothing that is counted");
        complains("spam>3", "there are delivered, deferred");
        complains("bounced", "how much is too much; write bounced>10");
        complains("bounced=2%", "compares with >");
        complains("bounced!=2", "compares with >");
        complains("bounced>", "is no number; write bounced>10");
        complains("bounced>-1", "is no number");
        complains("bounced>1e3", "is no unit");
        complains("bounced>nan", "is no number");
        complains("bounced>1,000", "is no unit");
        complains("bounced>1.2.3", "is no number");
        complains("bounced>2 percent", "is no unit");
        complains("bounced>101%", "more than all");
        complains("bounced>2h", "bounced is no time");
        complains("oldest>3", "oldest is a time");
        complains("in_queue>3%", "no part of anything");
        complains("code:5.7.1>3/h", "not counted by the hour");
        complains("deferred<3/h", "with > alone");
        complains("code:55>3", "is no code");
        complains("reason:sunshine>3", "no reason is called");
        complains("bo\u{f6}nced>3", "nothing that is counted");
    }
}
