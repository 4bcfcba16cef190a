//! Computes the usual traffic at a time of the week.

use crate::log::rng::Rng;

pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Traffic of an office by hour, as a percentage of the busiest hour.
const OFFICE: [f64; 24] = [
    12., 10., 10., 10., 12., 18., 30., 52., 86., 100., 98., 95., 80., 88., 94., 90., 82., 66., 48., 38., 32.,
    26., 20., 15.,
];
/// Traffic of private users by hour, as a percentage of the busiest hour.
const HOMES: [f64; 24] = [
    22., 16., 13., 12., 13., 18., 30., 48., 62., 72., 76., 78., 80., 76., 74., 76., 80., 86., 94., 100., 96.,
    80., 58., 36.,
];

pub(crate) struct Rhythm {
    hours: [f64; 24],
    /// Monday first.
    days: [f64; 7],
    first_weekday: u64,
    messages_per_day: f64,
}

impl Rhythm {
    pub(crate) fn draw(rng: &mut Rng, messages_per_day: u64, first_weekday: u64) -> Self {
        let is_office = rng.chance(600);
        // Exponent applied to the table: 1 keeps its ratio of about ten to one, less gives a flatter day.
        let depth = 0.35 + rng.below(650) as f64 / 1000.;
        let table = if is_office { OFFICE } else { HOMES };
        let mut hours = table.map(|hour| (hour / 100_f64).powf(depth));
        let sum: f64 = hours.iter().sum();
        for hour in &mut hours {
            *hour /= sum;
        }
        let weekend = if is_office { [0.35, 0.3] } else { [0.9, 1.0] };
        let days = [1.0, 1.05, 1.04, 1.0, 0.92, weekend[0], weekend[1]];
        Self { hours, days, first_weekday, messages_per_day: messages_per_day as f64 }
    }

    /// Share of the usual daily traffic in the hour that contains `at`, in milliseconds since the log's first midnight.
    pub(crate) fn share(&self, at: u64) -> f64 {
        let weekday = (self.first_weekday + at / DAY) % 7;
        self.hours[(at % DAY / HOUR) as usize] * self.days[weekday as usize]
    }

    /// Usual number of messages in the hour that contains `at`.
    pub(crate) fn in_hour(&self, at: u64) -> f64 {
        self.messages_per_day * self.share(at)
    }
}
