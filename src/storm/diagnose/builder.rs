//! Builds the report of each detected storm and silence: diagnosis, rates, factors, series, commands and an example.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use jiff::Zoned;
use jiff::tz::TimeZone;

use super::advice::advice;
use super::command_values::{CommandValues, values};
use super::commands::commands;
use super::course::{peak, trend};
use super::diagnosis::{Diagnosis, diagnose, factors};
use super::evidence::Measures;
use super::sentences::{Phrasing, noun};
use crate::catalog::provider::Providers;
use crate::catalog::{Cause, FORGED, StormRow, value_name};
use crate::collections::interner::Symbol;
use crate::parse::log_text::LogText;
use crate::report::storm::{
    Confidence, Dimension, Factor, NotSo, Rate, SeriesCount, Storm, StormPattern, Trend, UsualBy, UsualRate,
};
use crate::smtp::event::Direction;
use crate::smtp::reply::Class;
use crate::storm::detect::dataset::{Cluster, Dataset, weights};
use crate::storm::detect::grid::Sensitivity;
use crate::storm::detect::mail_loop::answered;
use crate::storm::detect::ongoing::{Fault, heaviest};
use crate::storm::detect::profile::{FactorShare, Profile};
use crate::storm::detect::silence::Silence;
use crate::storm::sample::points::{NumberedNames, WeightedEvent};
use crate::storm::sample::samples::{Sample, Samples};
use crate::storm::sample::series::CountSeries;

/// A storm without a known pattern is reported from this score on.
const UNKNOWN_SCORE: f64 = 5.0;
/// A storm is reported if its mean rate is at least this many times the usual one.
const LEAST_RATIO: f64 = 1.5;
/// A silence with at least this many events missing is sure.
const SURE_MISSING: f64 = 40.0;
/// The title of a silence in which a few messages came; that of the others is in the catalogue.
const FEW_TITLE: &str = "hardly any mail taken or delivered";
/// A client with this share of a storm is one of the main ones, whatever else it does: it may have guessed a password.
const CLIENT_SHARE: f64 = 0.05;
/// The titles of silences of a single host, instance or direction.
const PART_TITLE: &str = "no mail through a part of the server";
const FEW_PART_TITLE: &str = "hardly any mail through a part of the server";
/// The lowest usual rate that is reported, in events a minute.
const LEAST_RATE: f64 = 0.01;
/// A storm that is not over is this many times as urgent as one that is.
const ONGOING_URGENCY: f64 = 10.0;

/// The data that a diagnosis needs besides the samples.
pub(crate) struct DiagnosisInput<'a> {
    pub providers: &'a Providers,
    pub zone: &'a TimeZone,
    /// The log files as the user named them; for commands. Empty: they cannot be read again.
    pub files: Vec<String>,
    /// The first and the last minute of the log, since 1970-01-01T00:00Z. `None`: no line has a time.
    pub minutes: Option<(i64, i64)>,
    pub sensitivity: Sensitivity,
    /// Greylisting is told too.
    pub with_greylisting: bool,
}

/// Builds the report of each storm.
pub(crate) struct StormBuilder<'a> {
    pub samples: &'a Samples,
    pub names: &'a NumberedNames<'a>,
    pub input: &'a DiagnosisInput<'a>,
    pub dataset: &'a Dataset<'a>,
    /// The catalogue's texts and commands, one row a pattern.
    pub texts: Vec<StormRow>,
    /// The last minute of the log.
    pub last: i32,
}

/// When a storm begins, is at its height and ends, in minutes since 1970-01-01T00:00Z, and its rates.
struct Course {
    start: i32,
    peak: i32,
    /// The last minute of a storm that is over. `None`: it goes on.
    end: Option<i32>,
    /// Events in the minute of the peak.
    peak_rate: f64,
    /// Events a minute, without retries.
    mean_rate: f64,
    trend: Trend,
}

impl StormBuilder<'_> {
    /// The storm and its urgency. `None`: it is too weak to be reported.
    pub(crate) fn storm(&self, cluster: &Cluster) -> Option<(f64, Storm)> {
        let members: Vec<&WeightedEvent> =
            cluster.members.iter().filter_map(|&at| self.dataset.points.get(at)).collect();
        let profile = self.dataset.profile(&cluster.members, cluster.flow);
        let diagnosis = diagnose(cluster.flow, &self.measures(&profile, &members));
        let course = self.course(cluster, &members, may_go_on(diagnosis.pattern).then_some(&profile));
        // Rejections as they should be are reported only if there are very many.
        let is_plain = diagnosis.pattern == StormPattern::Unknown && cluster.score < UNKNOWN_SCORE;
        if is_plain || course.mean_rate < LEAST_RATIO * cluster.usual.per_minute {
            return None;
        }
        let shares = factors(&profile, &diagnosis);
        let attempts: f64 = members.iter().map(|point| point.weight).sum();
        let until = course.end.unwrap_or(self.last);
        let texts = self.texts(diagnosis.pattern, &members);
        let clients: Vec<FactorShare> = profile
            .shares(Dimension::Client)
            .iter()
            .filter(|share| share.inside >= CLIENT_SHARE)
            .copied()
            .collect();
        let mta = heaviest(members.iter().map(|point| (point.sample.mta, point.weight))).unwrap_or_default();
        let reason =
            heaviest(members.iter().filter_map(|point| Some((point.sample.series.reason?, point.weight))));
        let values = values(&self.command_values(), &shares, &clients, reason, (course.start, until));
        let storm = Storm {
            start: self.time(course.start)?,
            peak: self.time(course.peak)?,
            end: course.end.and_then(|end| self.time(end)),
            duration_seconds: ((until - course.start + 1).max(0) as u64) * 60,
            pattern: diagnosis.pattern,
            title: texts.map(|texts| texts.title.clone()).unwrap_or_default(),
            because: diagnosis.because.iter().map(|finding| self.phrasing().sentence(finding)).collect(),
            not: self.not(&diagnosis),
            confidence: diagnosis.confidence,
            attempts: attempts.round() as u64,
            recipients: distinct(&members, recipient),
            messages: distinct(&members, message),
            rate_per_minute: Rate { peak: round(course.peak_rate), mean: round(course.mean_rate) },
            usual_per_minute: UsualRate {
                rate: round(cluster.usual.per_minute.max(LEAST_RATE)),
                by: if cluster.usual.is_by_day { UsualBy::DayHour } else { UsualBy::Median },
            },
            times: round(course.mean_rate / cluster.usual.per_minute.max(LEAST_RATE)),
            trend: course.trend,
            factors: shares.iter().filter_map(|share| self.factor(share)).collect(),
            series: self.series(&members),
            commands: texts.map(|texts| commands(texts, mta, &values)).unwrap_or_default(),
            advice: texts
                .map(|texts| advice(texts, diagnosis.pattern, &members, mta, self.input.providers))
                .unwrap_or_default(),
            example: self.example(&members, course.peak),
            is_doubtful: false,
        };
        let minutes = f64::from(cluster.last - course.start + 1);
        let excess = (attempts - cluster.usual.per_minute * minutes).max(0.0);
        Some((self.urgency(excess, until, course.end.is_some()), storm))
    }

    /// `profile` is that of a fault that may go on while hardly any mail shows it. `None`: it is none.
    fn course(&self, cluster: &Cluster, members: &[&WeightedEvent], profile: Option<&Profile>) -> Course {
        let start = cluster.first;
        let weights: Vec<(i32, f64)> = weights(members.iter().copied());
        let minutes = f64::from(cluster.last - start + 1);
        let mean_rate = weights.iter().map(|(_, weight)| weight).sum::<f64>() / minutes;
        let (peak, peak_rate) = peak(&weights);
        // It is over if no event came for so long that three would have come at its mean rate.
        let quiet = f64::from(self.last - cluster.last);
        let is_quiet = quiet * mean_rate > 3.0 && quiet > 3.0;
        let fault = profile.and_then(|profile| Fault::of(self.dataset, cluster, profile));
        let is_over =
            is_quiet && !fault.is_some_and(|fault| fault.goes_on(self.dataset.points, cluster, self.last));
        let trend = if is_over { Trend::Over } else { trend(&weights, start, self.last) };
        Course { start, peak, end: is_over.then_some(cluster.last), peak_rate, mean_rate, trend }
    }

    /// The storm of a silence and its urgency. `None`: the catalogue has no text for silences.
    pub(crate) fn silence(&self, silence: &Silence) -> Option<(f64, Storm)> {
        let texts = self.texts(StormPattern::Silence, &[])?;
        let is_over = silence.last < self.last;
        let minutes = silence.last - silence.first + 1;
        let came = silence.came.round();
        let messages = self.served_messages(silence);
        let share = silence.view.map(|(dimension, value)| FactorShare {
            dimension,
            value,
            inside: 1.0,
            outside: 1.0,
            count: 0.0,
        });
        let subject = share.as_ref().and_then(|share| {
            Some(format!("the {} {}", noun(share.dimension), self.phrasing().value(share)?))
        });
        let subject = subject.map_or_else(String::new, |subject| format!(" for {subject}"));
        let usual = silence.expected / f64::from(silence.known.max(1));
        let mean = silence.came / f64::from(minutes.max(1));
        let mta = heaviest(self.dataset.points.iter().map(|point| (point.sample.mta, point.weight)));
        let values = values(&self.command_values(), &[], &[], None, (silence.first, silence.last));
        let storm = Storm {
            start: self.time(silence.first)?,
            peak: self.time(silence.first)?,
            end: is_over.then(|| self.time(silence.last)).flatten(),
            duration_seconds: minutes.max(0) as u64 * 60,
            pattern: StormPattern::Silence,
            title: match (silence.view, messages) {
                (None, 0) => texts.title.clone(),
                (None, _) => FEW_TITLE.to_owned(),
                (Some(_), 0) => PART_TITLE.to_owned(),
                (Some(_), _) => FEW_PART_TITLE.to_owned(),
            },
            because: vec![missing(silence, messages, &subject)],
            not: Vec::new(),
            confidence: if silence.expected.round() >= SURE_MISSING && !silence.is_lone_weekend {
                Confidence::Sure
            } else {
                Confidence::Likely
            },
            attempts: came as u64,
            recipients: messages,
            messages,
            rate_per_minute: Rate { peak: round(mean), mean: round(mean) },
            usual_per_minute: UsualRate { rate: round(usual), by: UsualBy::Median },
            times: round(mean / usual.max(LEAST_RATE)),
            trend: if is_over { Trend::Over } else { Trend::Steady },
            factors: share.iter().filter_map(|share| self.factor(share)).collect(),
            series: Vec::new(),
            commands: commands(texts, mta.unwrap_or_default(), &values),
            advice: texts.advice.clone(),
            example: None,
            is_doubtful: silence.is_lone_weekend,
        };
        Some((self.urgency(silence.expected, silence.last, is_over), storm))
    }

    /// The messages that were taken or delivered in a silence; an estimate if only a sample was kept.
    fn served_messages(&self, silence: &Silence) -> u64 {
        if silence.came < 0.5 {
            return 0;
        }
        let is_inside = |point: &&WeightedEvent| {
            let is_of_view = silence.view.is_none_or(|(dimension, value)| point.value(dimension) == value);
            let minutes = silence.first..=silence.last;
            point.sample.series.is_served() && minutes.contains(&point.sample.minute) && is_of_view
        };
        let members: Vec<&WeightedEvent> = self.dataset.points.iter().filter(is_inside).collect();
        distinct(&members, message).max(1)
    }

    /// The number of events too many or too few, halved for each day since `until`.
    fn urgency(&self, events: f64, until: i32, is_over: bool) -> f64 {
        let days = f64::from(self.last - until) / (24.0 * 60.0);
        events * (-days).exp2() * if is_over { 1.0 } else { ONGOING_URGENCY }
    }

    fn measures<'p>(&self, profile: &'p Profile, members: &[&WeightedEvent]) -> Measures<'p> {
        let weight: f64 = members.iter().map(|point| point.weight).sum();
        let share = |of: &dyn Fn(&WeightedEvent) -> bool| -> f64 {
            members.iter().filter(|point| of(point)).map(|point| point.weight).sum::<f64>() / weight.max(1e-9)
        };
        let messages: HashSet<u64, FixedState> = members.iter().map(|point| point.sample.message).collect();
        let is_bounce = |point: &WeightedEvent| self.names.name(point.sample.sender) == b"<>";
        let null_sender = share(&is_bounce);
        let own_notices = if null_sender > 0.0 {
            // Senders of mail that comes in may be forged.
            let leaving = self.dataset.points.iter().filter(|point| is_leaving(point));
            let senders: HashSet<Symbol, FixedState> = leaving.map(|point| point.sample.sender).collect();
            let is_own = |point: &WeightedEvent| {
                let recipient = point.sample.recipient;
                is_leaving(point) && recipient != Symbol::OVERFLOW && senders.contains(&recipient)
            };
            share(&|point| is_bounce(point) && is_own(point))
        } else {
            0.0
        };
        Measures {
            profile,
            near: share(&|point| point.sample.marks.is_near),
            null_sender,
            own_notices,
            answered: answered(members),
            temporary: share(&|point| point.sample.series.class == Some(Class::Transient)),
            ours: share(&|point| point.sample.marks.is_ours),
            no_backend: share(&|point| point.sample.cause == Some(Cause::LoginBackend)),
            messages: messages.len(),
        }
    }

    /// `None`: no calendar has this minute.
    pub(crate) fn time(&self, minute: i32) -> Option<Zoned> {
        self.command_values().time(minute)
    }

    fn command_values(&self) -> CommandValues<'_> {
        CommandValues { phrasing: self.phrasing(), zone: self.input.zone, files: &self.input.files }
    }

    fn phrasing(&self) -> Phrasing<'_> {
        Phrasing { names: self.names, providers: self.input.providers }
    }

    /// The texts of a pattern. Bounces that come from other servers have texts of their own: whoever forges an address is not
    /// stopped by what this server does with them.
    fn texts(&self, pattern: StormPattern, members: &[&WeightedEvent]) -> Option<&StormRow> {
        let sum = |of: &dyn Fn(&WeightedEvent) -> bool| -> f64 {
            members.iter().filter(|point| of(point)).map(|point| point.weight).sum()
        };
        let arrives =
            |point: &WeightedEvent| self.names.name(point.sample.sender) == b"<>" && !is_leaving(point);
        let is_forged = pattern == StormPattern::Backscatter && sum(&arrives) >= 0.5 * sum(&|_| true);
        let id = if is_forged { FORGED.to_owned() } else { value_name(pattern) };
        self.texts.iter().find(|texts| texts.id == id)
    }

    fn not(&self, diagnosis: &Diagnosis) -> Vec<NotSo> {
        let not = |(pattern, finding): &(StormPattern, _)| NotSo {
            pattern: *pattern,
            because: self.phrasing().sentence(finding),
        };
        diagnosis.not.iter().map(not).collect()
    }

    /// `None`: the value has no words.
    fn factor(&self, share: &FactorShare) -> Option<Factor> {
        Some(Factor {
            dimension: share.dimension,
            value: self.phrasing().value(share)?,
            inside: (share.inside * 1000.0).round() / 1000.0,
            outside: (share.outside * 1000.0).round() / 1000.0,
            count: share.count.round() as u64,
        })
    }

    /// The kinds of events in the storm, the most frequent first.
    fn series(&self, members: &[&WeightedEvent]) -> Vec<SeriesCount> {
        let mut sums: BTreeMap<CountSeries, f64> = BTreeMap::new();
        for point in members {
            let series = CountSeries { provider: point.provider, ..point.sample.series };
            *sums.entry(series).or_default() += point.weight;
        }
        let mut series: Vec<(CountSeries, f64)> = sums.into_iter().collect();
        series.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let provider = |series: &CountSeries| {
            series.provider.and_then(|provider| self.input.providers.row(provider)).map(|row| row.id.clone())
        };
        let counted = |(series, attempts): (CountSeries, f64)| SeriesCount {
            direction: series.direction,
            outcome: series.outcome,
            class: series.class,
            code: series.code,
            enhanced: series.enhanced,
            reason: series.reason,
            provider: provider(&series),
            attempts: attempts.round() as u64,
        };
        series.into_iter().map(counted).collect()
    }

    /// A line of the storm: of its most frequent kind and near its peak, if one was kept.
    fn example(&self, members: &[&WeightedEvent], peak: i32) -> Option<String> {
        let kind = heaviest(members.iter().map(|point| (point.sample.series, point.weight)))?;
        let example = |point: &&WeightedEvent| self.samples.example(&point.sample);
        // The most frequent kind first, then the time of the peak.
        let order = |point: &WeightedEvent| (point.sample.series != kind, (point.sample.minute - peak).abs());
        let found = members.iter().filter_map(|point| Some((order(point), example(point)?)));
        let (_, example) = found.min_by_key(|(order, example)| (*order, example.hash))?;
        Some(LogText::string(&example.line))
    }
}

/// `only 3 messages were taken or delivered in 120 minutes, where about 180 arrivals and deliveries are usual`
fn missing(silence: &Silence, messages: u64, subject: &str) -> String {
    let minutes = silence.last - silence.first + 1;
    let came = match messages {
        0 => "nothing was".to_owned(),
        1 => "only 1 message was".to_owned(),
        _ => format!("only {messages} messages were"),
    };
    let known = match silence.known {
        known if known < minutes => format!(" in the first {known} of them"),
        _ => String::new(),
    };
    let usual = silence.expected.round();
    format!(
        "{came} taken or delivered{subject} in {minutes} minutes, where about {usual} arrivals and deliveries are \
         usual{known}"
    )
}

/// A fault that is there until somebody or something ends it; what an author or a stranger does ends by itself.
fn may_go_on(pattern: StormPattern) -> bool {
    match pattern {
        StormPattern::ListedIp
        | StormPattern::ProviderOutage
        | StormPattern::RateLimit
        | StormPattern::OwnNetwork
        | StormPattern::DiskFull
        | StormPattern::Tls
        | StormPattern::FullMailbox
        | StormPattern::DeadDownstream
        | StormPattern::AuthenticationBroken
        | StormPattern::Reputation
        | StormPattern::RelayhostDown => true,
        StormPattern::StolenAccount
        | StormPattern::DeadList
        | StormPattern::Backscatter
        | StormPattern::DictionaryAttack
        | StormPattern::PasswordGuessing
        | StormPattern::Loop
        | StormPattern::Silence
        | StormPattern::Greylisting
        | StormPattern::Unknown => false,
    }
}

/// Mail for another mail system.
fn is_leaving(point: &WeightedEvent) -> bool {
    point.sample.series.direction == Direction::Outbound && !point.sample.marks.is_near
}

/// `None`: the event has no queue id.
fn message(point: &WeightedEvent) -> Option<u64> {
    Some(point.sample.message).filter(|message| *message != 0)
}

/// The recipient and the message. `None`: the event has no recipient.
fn recipient(point: &WeightedEvent) -> Option<(u64, Symbol)> {
    let Sample { message, recipient, .. } = point.sample;
    (recipient != Symbol::OVERFLOW).then_some((message, recipient))
}

/// An estimate of the number of distinct keys among all events that have one: that of the sample, scaled by the events it
/// stands for.
fn distinct<K: std::hash::Hash + Eq>(
    members: &[&WeightedEvent],
    key: impl Fn(&WeightedEvent) -> Option<K>,
) -> u64 {
    let (mut keys, mut weight, mut count): (HashSet<K, FixedState>, f64, f64) =
        (HashSet::default(), 0.0, 0.0);
    for point in members {
        let Some(key) = key(point) else { continue };
        keys.insert(key);
        weight += point.weight;
        count += 1.0;
    }
    (keys.len() as f64 * weight / count.max(1.0)).round() as u64
}

/// Rounds to two decimals.
fn round(rate: f64) -> f64 {
    (rate * 100.0).round() / 100.0
}
