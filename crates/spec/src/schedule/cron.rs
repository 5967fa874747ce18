//! What a cron expression means, and on which days of a month it fires.

use jiff::civil::Date;

use super::field::{Field, Values, WEEKDAYS};

/// A cron expression as sets of the values each field admits. Two that fire at the same times for the same reason are
/// equal, however they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cron {
    pub(super) minutes: Values,
    pub(super) hours: Values,
    pub(super) days: Days,
    pub(super) months: Values,
    pub(super) years: Values,
}

/// Which days of a month a cron expression admits: its day of month and day of week, of which AWS takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Days {
    /// Numbered days, day `n` as bit `n`; a month without the day has no run.
    OfMonth(u32),
    /// `L`: the last day of the month.
    LastOfMonth,
    /// `LW`: the last Monday-to-Friday day of the month.
    LastWorkdayOfMonth,
    /// `3W`: the Monday-to-Friday day nearest to the day of the month, within the month; a month without the day has
    /// no run.
    NearestWorkday(u8),
    /// Days of the week, Sunday as bit 0.
    OfWeek(u8),
    /// `6L`: the last such day of the month.
    LastOfWeek(Weekday),
    /// `3#2`: the n-th such day of the month; a month without it has no run.
    NthOfWeek(Weekday, u8),
}

/// A day of the week: 0 is Sunday, 6 is Saturday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weekday(pub(super) u8);

impl Weekday {
    const SUNDAY: Self = Self(0);
    const SATURDAY: Self = Self(6);

    /// AWS's number for the day, 1 for Sunday to 7.
    pub(super) fn from_aws(number: u16) -> Self {
        Self(u8::try_from((number + 6) % 7).unwrap_or_default())
    }

    /// Unix cron's number for the day, 0 or 7 for Sunday.
    pub(super) fn from_unix(number: u16) -> Self {
        Self(u8::try_from(number % 7).unwrap_or_default())
    }

    /// Days since the last Sunday.
    pub fn from_sunday(self) -> u8 {
        self.0
    }

    /// The name AWS gives it, such as `MON`.
    pub fn name(self) -> &'static str {
        WEEKDAYS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

/// All of a month's or a week's days.
const EVERY_DAY_OF_MONTH: u32 = 0xFFFF_FFFE;
const EVERY_DAY_OF_WEEK: u8 = 0x7F;

impl Days {
    /// Every day, whichever of the two fields says so.
    pub(super) const EVERY: Self = Self::OfMonth(EVERY_DAY_OF_MONTH);

    pub(super) fn of_month(values: Values) -> Self {
        Self::OfMonth(values.from(0, &Field::DAY_OF_MONTH).fold(0, |days, day| days | 1 << day))
    }

    pub(super) fn of_week(values: Values) -> Self {
        match values.from(0, &Field::DAY_OF_WEEK).fold(0, |days, day| days | 1 << Weekday::from_aws(day).0) {
            EVERY_DAY_OF_WEEK => Self::EVERY,
            days => Self::OfWeek(days),
        }
    }

    /// The days of one month, day `n` as bit `n`; empty for a month the calendar does not have.
    pub(super) fn in_month(self, year: u16, month: u16) -> u32 {
        let Some(month) = Month::of(year, month) else { return 0 };
        match self {
            Self::OfMonth(days) => days & month.all(),
            Self::LastOfMonth => 1 << month.length,
            Self::LastWorkdayOfMonth => 1 << month.workday_nearest(month.length),
            Self::NearestWorkday(day) if day > month.length => 0,
            Self::NearestWorkday(day) => 1 << month.workday_nearest(day),
            Self::OfWeek(days) => month.matching(|weekday| days & 1 << weekday.0 != 0),
            Self::LastOfWeek(wanted) => {
                let days = month.matching(|weekday| weekday == wanted);
                1 << days.ilog2()
            }
            Self::NthOfWeek(wanted, n) => {
                let first = month.matching(|weekday| weekday == wanted).trailing_zeros();
                let day = first + 7 * (u32::from(n) - 1);
                if day <= u32::from(month.length) { 1 << day } else { 0 }
            }
        }
    }
}

/// A month of one year.
struct Month {
    length: u8,
    first: Weekday,
}

impl Month {
    fn of(year: u16, month: u16) -> Option<Self> {
        let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
        Some(Self {
            length: u8::try_from(first.days_in_month()).ok()?,
            first: Weekday(u8::try_from(first.weekday().to_sunday_zero_offset()).ok()?),
        })
    }

    fn all(&self) -> u32 {
        EVERY_DAY_OF_MONTH & u32::MAX >> (31 - self.length)
    }

    fn weekday(&self, day: u8) -> Weekday {
        Weekday((self.first.0 + (day + 6) % 7) % 7)
    }

    fn matching(&self, wanted: impl Fn(Weekday) -> bool) -> u32 {
        (1..=self.length).filter(|day| wanted(self.weekday(*day))).fold(0, |days, day| days | 1 << day)
    }

    /// The day from Monday to Friday that is nearest to `day` without leaving the month.
    fn workday_nearest(&self, day: u8) -> u8 {
        match self.weekday(day) {
            Weekday::SATURDAY if day == 1 => 3,
            Weekday::SATURDAY => day - 1,
            Weekday::SUNDAY if day == self.length => day - 2,
            Weekday::SUNDAY => day + 1,
            _ => day,
        }
    }
}
