//! Diagnoses detected storms: their pattern, what most of their failures share, and commands that show or fix the cause.
//!
//! Promises: a command quotes every word that comes from a log. May use: storm/detect, storm/sample, and what storm may
//! use.

pub(crate) mod command_values;
pub(crate) mod commands;
pub(crate) mod course;
pub(crate) mod inbound;
pub(crate) mod outbound;
pub(crate) mod sentences;
pub(crate) mod signature;

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use jiff::Zoned;
use jiff::tz::TimeZone;

use self::command_values::{CommandValues, values};
use self::commands::commands;
use self::course::{peak, start, trend};
use self::inbound::inbound;
use self::outbound::outbound;
use self::sentences::Phrasing;
use self::signature::{Diagnosis, Signals, factors};
use super::detect::cluster::storms;
use super::detect::dataset::{Cluster, Dataset};
use super::detect::mail_loop::answered;
use super::detect::profile::FactorShare;
use super::detect::silence::{Silence, silences};
use super::sample::merge::{Example, Samples};
use super::sample::points::{MailFlow, WeightedEvent, points};
use super::sample::series::CountSeries;
use crate::catalog::provider::Providers;
use crate::catalog::{self, StormRow, value_name};
use crate::parse::log_text::LogText;
use crate::report::storm::{
    Confidence, Factor, NotSo, Rate, SeriesCount, Storm, StormPattern, Trend, UsualBy, UsualRate,
};

/// A storm that looks like nothing has at least this score.
const UNNAMED: f64 = 40.0;
/// And any storm so many times its usual rate.
const LEAST_TIMES: f64 = 2.2;
/// What an answer is made of besides what was gathered.
pub(crate) struct DiagnosisInput<'a> {
    pub providers: &'a Providers,
    pub zone: &'a TimeZone,
    /// As they were named; for commands. Empty: they cannot be read again.
    pub files: Vec<String>,
    /// The first and the last minute of the log.
    pub minutes: Option<(i64, i64)>,
}

/// The storms, what matters most now first.
pub(crate) fn answer(gathered: &Samples, frame: &DiagnosisInput) -> Vec<Storm> {
    let Some((first, last)) = frame.minutes else { return Vec::new() };
    let (first, last) = (first as i32, last as i32);
    let points = points(gathered);
    let field = Dataset::new(&points, first, last);
    let desk = DiagnosisBuilder { gathered, frame, field: &field, rows: catalog::storms(), last };
    let (found, silent) =
        rayon::join(|| storms(&field, null_sender(gathered)), || silences(&points, first, last));
    let mut weighed: Vec<(f64, Storm)> = found.iter().filter_map(|found| desk.storm(found)).collect();
    weighed.extend(silent.iter().filter_map(|silence| desk.silence(silence)));
    weighed.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| (&one.start, one.pattern).cmp(&(&other.start, other.pattern)))
    });
    weighed.into_iter().map(|(_, storm)| storm).collect()
}

/// The value of the sender of bounces. 0: there are none.
fn null_sender(gathered: &Samples) -> u64 {
    let senders = gathered.samples.iter().map(|sample| sample.sender);
    senders.into_iter().find(|&id| gathered.names.name(id) == b"<>").map_or(0, |id| id.index() as u64)
}

struct DiagnosisBuilder<'a> {
    gathered: &'a Samples,
    frame: &'a DiagnosisInput<'a>,
    field: &'a Dataset<'a>,
    rows: Vec<StormRow>,
    last: i32,
}

impl DiagnosisBuilder<'_> {
    fn at(&self, minute: i32) -> Option<Zoned> {
        self.known().at(minute)
    }

    fn known(&self) -> CommandValues<'_> {
        CommandValues { speaker: self.speaker(), zone: self.frame.zone, files: &self.frame.files }
    }

    fn speaker(&self) -> Phrasing<'_> {
        Phrasing { gathered: self.gathered, providers: self.frame.providers }
    }

    fn storm(&self, found: &Cluster) -> Option<(f64, Storm)> {
        let members: Vec<&WeightedEvent> =
            found.members.iter().filter_map(|&at| self.field.points.get(at)).collect();
        let look = self.field.look(&found.members, found.way);
        let hints = self.hints(&members);
        let named = match found.way {
            MailFlow::Out => outbound(&look, hints),
            MailFlow::In => inbound(&look, hints),
        };
        let shares = factors(&look, &named);
        let start = start(found, &members);
        let weights: Vec<(i32, f64)> = super::detect::expected_rate::weights(members.iter().copied());
        let attempts: f64 = members.iter().map(|point| point.weight).sum();
        let minutes = f64::from(found.last - start + 1);
        let mean = weights.iter().map(|(_, weight)| weight).sum::<f64>() / minutes;
        // What we refuse as we should is worth a word only if there is very much of it.
        let is_plain = named.pattern == StormPattern::Unknown && found.score < UNNAMED;
        if is_plain || mean < LEAST_TIMES * found.usual_rate() {
            return None;
        }
        let (peak, most) = peak(&weights);
        // So long without any, when three would have come: it is over.
        let quiet = f64::from(self.last - found.last);
        let is_over = quiet * mean > 3.0 && quiet > 3.0;
        let end = is_over.then_some(found.last);
        let until = end.unwrap_or(self.last);
        let row = self.row(named.pattern);
        let mta = most_of(members.iter().map(|point| (point.sample.mta, point.weight))).unwrap_or_default();
        let reason = most_of(members.iter().filter_map(|point| Some((point.series.reason?, point.weight))));
        let excess = (attempts - found.usual_rate() * minutes).max(0.0);
        let storm = Storm {
            start: self.at(start)?,
            peak: self.at(peak)?,
            end: end.and_then(|end| self.at(end)),
            duration_seconds: ((until - start + 1).max(0) as u64) * 60,
            pattern: named.pattern,
            title: row.map(|row| row.title.clone()).unwrap_or_default(),
            because: named.because.iter().map(|reading| self.speaker().sentence(reading)).collect(),
            not: self.not(&named),
            confidence: named.confidence,
            attempts: attempts.round() as u64,
            recipients: distinct(&members, |point| (point.sample.message, point.sample.recipient)),
            messages: distinct(&members, |point| point.sample.message),
            rate_per_minute: Rate { peak: round(most), mean: round(mean) },
            usual_per_minute: UsualRate {
                rate: round(found.usual_rate()),
                by: if found.usual.is_by_day { UsualBy::DayHour } else { UsualBy::Median },
            },
            times: round(mean / found.usual_rate().max(1e-9)),
            trend: if is_over { Trend::Over } else { trend(&weights, start, self.last) },
            factors: shares.iter().filter_map(|share| self.factor(share)).collect(),
            series: self.series(&members),
            commands: row
                .map(|row| commands(row, mta, &values(&self.known(), &shares, reason, start, until)))
                .unwrap_or_default(),
            advice: row.map(|row| row.advice.clone()).unwrap_or_default(),
            example: self.example(&members, peak),
        };
        let age = f64::from(self.last - until) / (24.0 * 60.0);
        Some((excess * (-age).exp2() * if is_over { 1.0 } else { 10.0 }, storm))
    }

    fn hints(&self, members: &[&WeightedEvent]) -> Signals {
        let weight: f64 = members.iter().map(|point| point.weight).sum();
        let part = |of: &dyn Fn(&WeightedEvent) -> bool| -> f64 {
            members.iter().filter(|point| of(point)).map(|point| point.weight).sum::<f64>() / weight.max(1e-9)
        };
        Signals {
            near: part(&|point| point.sample.is_near),
            null_sender: part(&|point| self.gathered.names.name(point.sample.sender) == b"<>"),
            answered: answered(members),
        }
    }

    fn row(&self, pattern: StormPattern) -> Option<&StormRow> {
        let id = value_name(pattern);
        self.rows.iter().find(|row| row.id == id)
    }

    fn not(&self, named: &Diagnosis) -> Vec<NotSo> {
        let said = |(pattern, reading): &(StormPattern, _)| NotSo {
            pattern: *pattern,
            because: self.speaker().sentence(reading),
        };
        named.not.iter().map(said).collect()
    }

    fn factor(&self, share: &FactorShare) -> Option<Factor> {
        Some(Factor {
            dimension: share.dimension,
            value: self.speaker().value(share)?,
            inside: (share.inside * 1000.0).round() / 1000.0,
            outside: (share.outside * 1000.0).round() / 1000.0,
            count: share.count.round() as u64,
        })
    }

    fn series(&self, members: &[&WeightedEvent]) -> Vec<SeriesCount> {
        let mut sums: BTreeMap<CountSeries, f64> = BTreeMap::new();
        for point in members {
            *sums.entry(point.series).or_default() += point.weight;
        }
        let mut series: Vec<(CountSeries, f64)> = sums.into_iter().collect();
        series.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let provider = |series: &CountSeries| {
            series.provider.and_then(|provider| self.frame.providers.row(provider)).map(|row| row.id.clone())
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

    /// A line of the kind that most of it is, of the hour of its peak, or of the next that has one.
    fn example(&self, members: &[&WeightedEvent], peak: i32) -> Option<String> {
        let kind = most_of(members.iter().map(|point| (point.sample.kind, point.weight)))?;
        let (first, last) = (members.first()?.sample.minute, members.last()?.sample.minute);
        let hours = (first.div_euclid(60)..=last.div_euclid(60)).collect::<Vec<i32>>();
        let line = |hour: &i32| self.gathered.examples.get(&(*hour, kind));
        let inside = |example: &&Example| (first..=last).contains(&example.minute);
        let at_peak = line(&peak.div_euclid(60)).filter(inside);
        let found = at_peak.or_else(|| hours.iter().filter_map(line).find(inside));
        let found = found.or_else(|| hours.iter().find_map(line))?;
        Some(LogText(&found.line).into())
    }

    fn silence(&self, silence: &Silence) -> Option<(f64, Storm)> {
        let row = self.row(StormPattern::Silence)?;
        let is_over = silence.last < self.last;
        let minutes = f64::from(silence.last - silence.first + 1);
        let value = silence.view.map(|(dimension, value)| FactorShare {
            dimension,
            value,
            inside: 1.0,
            outside: 1.0,
            count: 0.0,
        });
        let what = value.as_ref().and_then(|share| {
            Some(format!("the {} {}", sentences::noun(share.dimension), self.speaker().value(share)?))
        });
        let what = what.unwrap_or_else(|| "all mail".to_owned());
        let expected = silence.expected.round();
        let mta = most_of(self.field.points.iter().map(|point| (point.sample.mta, point.weight)));
        let factors = value.iter().filter_map(|share| self.factor(share)).collect();
        let values = values(&self.known(), &[], None, silence.first, silence.last);
        let storm = Storm {
            start: self.at(silence.first)?,
            peak: self.at(silence.first)?,
            end: is_over.then(|| self.at(silence.last)).flatten(),
            duration_seconds: minutes as u64 * 60,
            pattern: StormPattern::Silence,
            title: row.title.clone(),
            because: vec![format!(
                "nothing of {what} for {minutes} minutes, where {expected} events are usual"
            )],
            not: Vec::new(),
            confidence: if expected >= 40.0 { Confidence::Sure } else { Confidence::Likely },
            attempts: 0,
            recipients: 0,
            messages: 0,
            rate_per_minute: Rate { peak: 0.0, mean: 0.0 },
            usual_per_minute: UsualRate { rate: round(silence.expected / minutes), by: UsualBy::Median },
            times: 0.0,
            trend: if is_over { Trend::Over } else { Trend::Steady },
            factors,
            series: Vec::new(),
            commands: commands(row, mta.unwrap_or_default(), &values),
            advice: row.advice.clone(),
            example: None,
        };
        let age = f64::from(self.last - silence.last) / (24.0 * 60.0);
        Some((silence.expected * (-age).exp2() * if is_over { 1.0 } else { 10.0 }, storm))
    }
}

/// How many there are, as far as the sample tells: of those it has, as many times more as the events it stands for.
fn distinct<K: std::hash::Hash + Eq>(members: &[&WeightedEvent], key: impl Fn(&WeightedEvent) -> K) -> u64 {
    let weight: f64 = members.iter().map(|point| point.weight).sum();
    let seen: HashSet<K, FixedState> = members.iter().map(|point| key(point)).collect();
    (seen.len() as f64 * weight / members.len().max(1) as f64).round() as u64
}

fn most_of<K: Ord + Copy>(weighed: impl Iterator<Item = (K, f64)>) -> Option<K> {
    let mut sums: BTreeMap<K, f64> = BTreeMap::new();
    weighed.for_each(|(key, weight)| *sums.entry(key).or_default() += weight);
    sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(key, _)| key)
}

/// To two digits behind the point.
fn round(rate: f64) -> f64 {
    (rate * 100.0).round() / 100.0
}
