//! A cron expression as sets of values, and the search for its next tick.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::days::{Days, Month};
use super::field::{HOUR, LAST_YEAR, MINUTE, MONTH, Run, YEAR, runs, set};

/// What a cron expression names: minutes, hours and months as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
    years: Vec<Run>,
}

/// A minute on the way to the next tick: what is not yet tried.
#[derive(Debug, Clone, Copy)]
struct Position {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
}

impl Cron {
    /// Reads the six fields between the brackets; `None` when AWS refuses them.
    pub(super) fn parse(inner: &str) -> Option<Self> {
        // AWS was seen to let a comma trail any field, `?` too.
        let fields = inner.split_whitespace().map(|field| field.strip_suffix(',').unwrap_or(field));
        let fields: Vec<&str> = fields.collect();
        let [minute, hour, day_of_month, month, day_of_week, year] = fields[..] else { return None };
        Some(Self {
            minutes: set(minute, &MINUTE)?,
            hours: set(hour, &HOUR)?,
            days: Days::parse(day_of_month, day_of_week)?,
            months: set(month, &MONTH)?,
            years: runs(year, &YEAR)?,
        })
    }

    /// The first minute of UTC later than `after`, if the years that are named have one.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        Offset::UTC.to_timestamp(self.next_local(Offset::UTC.to_datetime(after))?).ok()
    }

    /// The first minute of any clock later than `after`, likewise.
    pub(crate) fn next_local(&self, after: DateTime) -> Option<DateTime> {
        let mut at = Position::of(after)?.minute_later();
        loop {
            if !self.years.iter().any(|years| years.holds(at.year)) {
                let year = self.years.iter().filter_map(|years| next_in(years, at.year)).min()?;
                at = Position::start_of(year);
            }
            let Some(month) = next(self.months, at.month) else {
                at = Position::start_of(at.year + 1);
                continue;
            };
            if month != at.month {
                at = Position { month, ..Position::start_of(at.year) };
            }
            let first = date(at.year, month, 1)?;
            let shape = Month {
                days: u32::try_from(first.days_in_month()).ok()?,
                first: u32::try_from(first.weekday().to_sunday_one_offset()).ok()?,
            };
            match self.within(self.days.in_month(shape), at) {
                Some((day, hour, minute)) => return Position { day, hour, minute, ..at }.time(),
                None if month == 12 => at = Position::start_of(at.year + 1),
                None => at = Position { month: month + 1, ..Position::start_of(at.year) },
            }
        }
    }

    /// The first day of the month, hour and minute not before `at`.
    fn within(&self, days: u64, at: Position) -> Option<(u32, u32, u32)> {
        let day = next(days, at.day)?;
        let first_hour = self.hours.trailing_zeros();
        let first_minute = self.minutes.trailing_zeros();
        if day == at.day {
            match next(self.hours, at.hour) {
                Some(hour) if hour > at.hour => return Some((day, hour, first_minute)),
                Some(hour) => {
                    if let Some(minute) = next(self.minutes, at.minute) {
                        return Some((day, hour, minute));
                    }
                    if let Some(hour) = next(self.hours, hour + 1) {
                        return Some((day, hour, first_minute));
                    }
                }
                None => {}
            }
            return next(days, day + 1).map(|day| (day, first_hour, first_minute));
        }
        Some((day, first_hour, first_minute))
    }
}

impl Position {
    /// None outside of what the fields can count: no tick is there.
    fn of(time: DateTime) -> Option<Self> {
        let part = |value: i8| u32::try_from(value).ok();
        Some(Self {
            year: u32::try_from(time.year()).ok()?,
            month: part(time.month())?,
            day: part(time.day())?,
            hour: part(time.hour())?,
            minute: part(time.minute())?,
        })
    }

    /// The next minute; one past the end of an hour, a day or a month is carried by the search.
    fn minute_later(self) -> Self {
        Self { minute: self.minute + 1, ..self }
    }

    fn start_of(year: u32) -> Self {
        Self { year, month: 1, day: 1, hour: 0, minute: 0 }
    }

    /// None for what no calendar has, such as a moment after its last year.
    fn time(self) -> Option<DateTime> {
        let part = |value: u32| i8::try_from(value).ok();
        Some(date(self.year, self.month, self.day)?.at(part(self.hour)?, part(self.minute)?, 0, 0))
    }
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The least value of a set from `from` on.
fn next(set: u64, from: u32) -> Option<u32> {
    let rest = set.checked_shr(from).filter(|rest| *rest != 0)?;
    Some(from + rest.trailing_zeros())
}

/// The least year of a run from `from` on.
fn next_in(years: &Run, from: u32) -> Option<u32> {
    let from = from.max(years.from);
    let late = (from - years.from) % years.step;
    let year = if late == 0 { from } else { from + years.step - late };
    (year <= years.to.min(LAST_YEAR)).then_some(year)
}
