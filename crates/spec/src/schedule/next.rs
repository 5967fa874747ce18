//! When cron expressions fire.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::cron::Cron;
use super::field::{Field, Values};

const SECONDS_PER_MINUTE: i64 = 60;

impl Cron {
    /// The first run strictly after `time`, in UTC; none when it never fires again. AWS cron ends with the year 2199.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        // The whole minute after `time`, also when `time` is one: as_second rounds towards zero, this downwards.
        let second = time.as_second() - i64::from(time.subsec_nanosecond() < 0);
        first_tick(&[self], (second.div_euclid(SECONDS_PER_MINUTE) + 1) * SECONDS_PER_MINUTE)
    }

    /// The runs at or after `from` and before `until`, in order.
    pub fn ticks(&self, from: Timestamp, until: Timestamp) -> Ticks {
        Ticks { cron: *self, next: tick_at_or_after(&[self], from), until }
    }
}

/// The runs of a cron expression within a window, in order.
#[derive(Debug, Clone)]
pub struct Ticks {
    cron: Cron,
    next: Option<Timestamp>,
    until: Timestamp,
}

impl Iterator for Ticks {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let tick = self.next.filter(|tick| *tick < self.until)?;
        self.next = self.cron.next_after(tick);
        Some(tick)
    }
}

/// The first minute at or after `from` at which every one of `crons` fires.
pub(super) fn tick_at_or_after(crons: &[&Cron], from: Timestamp) -> Option<Timestamp> {
    let second = from.as_second() + i64::from(from.subsec_nanosecond() > 0);
    first_tick(crons, -(-second).div_euclid(SECONDS_PER_MINUTE) * SECONDS_PER_MINUTE)
}

/// The first tick that `crons` have in common at or after `second`, a whole minute since 1970.
///
/// It looks at each month at most once, 2,760 in all, so that a schedule which fires on leap days that are Fridays, or
/// never, costs no more than a few ten thousand steps.
fn first_tick(crons: &[&Cron], second: i64) -> Option<Timestamp> {
    let common = |field: fn(&Cron) -> Values| crons.iter().map(|cron| field(cron)).reduce(Values::and);
    let (years, months) = (common(|cron| cron.years)?, common(|cron| cron.months)?);
    let (hours, minutes) = (common(|cron| cron.hours)?, common(|cron| cron.minutes)?);
    if hours.is_empty() || minutes.is_empty() {
        return None;
    }
    let start = TimeZone::UTC.to_datetime(Timestamp::from_second(second.max(0)).ok()?);
    let (start_day, start_month) = (start.date(), start.date().first_of_month());
    for year in years.from(u16::try_from(start.year()).ok()?, &Field::YEAR) {
        for month in months.from(0, &Field::MONTH) {
            let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
            if first < start_month {
                continue;
            }
            let mut days = crons.iter().fold(u32::MAX, |days, cron| days & cron.days.in_month(year, month));
            while days != 0 {
                let day = days.trailing_zeros();
                days &= days - 1;
                let date = Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()?;
                let earliest = match date.cmp(&start_day) {
                    std::cmp::Ordering::Less => continue,
                    std::cmp::Ordering::Equal => (start.hour(), start.minute()),
                    std::cmp::Ordering::Greater => (0, 0),
                };
                if let Some((hour, minute)) = first_time(hours, minutes, earliest) {
                    return TimeZone::UTC.to_timestamp(date.at(hour, minute, 0, 0)).ok();
                }
            }
        }
    }
    None
}

/// The first time of day at or after `earliest`.
fn first_time(hours: Values, minutes: Values, earliest: (i8, i8)) -> Option<(i8, i8)> {
    let (first_hour, first_minute) = (u16::try_from(earliest.0).ok()?, u16::try_from(earliest.1).ok()?);
    hours.from(first_hour, &Field::HOUR).find_map(|hour| {
        let from = if hour == first_hour { first_minute } else { 0 };
        let minute = minutes.from(from, &Field::MINUTE).next()?;
        Some((i8::try_from(hour).ok()?, i8::try_from(minute).ok()?))
    })
}
