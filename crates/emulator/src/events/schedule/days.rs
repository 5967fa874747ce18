//! The days of a cron expression, which is left open either in the month or in the week.

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, set, value};

/// Which days of a month a schedule fires on. Weekdays count from Sunday, 1, as AWS counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// These days of the month, as bits.
    OfMonth(u64),
    /// `L`: the last day of the month.
    Last,
    /// `LW`: its last day from Monday to Friday.
    LastWeekday,
    /// `15W`: the day from Monday to Friday that is nearest to this one, within the month.
    NearestWeekday(u32),
    /// These days of the week, as bits.
    OfWeek(u64),
    /// `6L`: the last such day of the month.
    LastOfWeek(u32),
    /// `6#2`: the second such day of the month.
    NthOfWeek(u32, u32),
}

/// A month, as far as its days go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month {
    /// How many days it has.
    pub days: u32,
    /// The weekday of its first day.
    pub first: u32,
}

impl Month {
    fn weekday(&self, day: u32) -> u32 {
        (self.first - 1 + day - 1) % 7 + 1
    }

    fn is_workday(&self, day: u32) -> bool {
        (2..=6).contains(&self.weekday(day))
    }

    /// The first day of the month that falls on a weekday.
    fn first_on(&self, weekday: u32) -> u32 {
        (weekday + 7 - self.first) % 7 + 1
    }
}

impl Days {
    /// Reads the two fields; exactly one of them is `?`, since AWS cannot say "either" or "both".
    pub(super) fn parse(of_month: &str, of_week: &str) -> Option<Self> {
        match (of_month, of_week) {
            ("?", "?") => None,
            ("?", week) => Self::parse_of_week(&week.to_ascii_uppercase()),
            (month, "?") => Self::parse_of_month(&month.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// `L`, `LW`, `15W`, or a list.
    fn parse_of_month(text: &str) -> Option<Self> {
        match (text, text.strip_suffix('W')) {
            ("L", _) => Some(Self::Last),
            // In no document, but seen accepted.
            ("LW", _) => Some(Self::LastWeekday),
            (_, Some(day)) => value(day, &DAY_OF_MONTH).map(Self::NearestWeekday),
            (_, None) => set(text, &DAY_OF_MONTH).map(Self::OfMonth),
        }
    }

    /// `L`, `6L`, `FRI#2`, or a list.
    fn parse_of_week(text: &str) -> Option<Self> {
        if text == "L" {
            return Some(Self::OfWeek(1 << DAY_OF_WEEK.most));
        }
        if let Some((day, nth)) = text.split_once('#') {
            // One day and one week only: a list beside `#` is refused.
            let nth = ["1", "2", "3", "4", "5"].iter().position(|word| *word == nth)?;
            return Some(Self::NthOfWeek(value(day, &DAY_OF_WEEK)?, u32::try_from(nth).ok()? + 1));
        }
        match text.strip_suffix('L') {
            Some(day) => value(day, &DAY_OF_WEEK).map(Self::LastOfWeek),
            None => set(text, &DAY_OF_WEEK).map(Self::OfWeek),
        }
    }

    /// The days of a month that are meant, as bits.
    pub(super) fn in_month(&self, month: Month) -> u64 {
        let all = (1..=month.days).fold(0, |all, day| all | 1 << day);
        match *self {
            Self::OfMonth(days) => days & all,
            Self::Last => 1 << month.days,
            Self::LastWeekday => nearest_workday(month, month.days),
            // A month without the day has none near it either (assumed).
            Self::NearestWeekday(day) if day > month.days => 0,
            Self::NearestWeekday(day) => nearest_workday(month, day),
            Self::OfWeek(weekdays) => (1..=month.days)
                .filter(|day| weekdays >> month.weekday(*day) & 1 == 1)
                .fold(0, |set, day| set | 1 << day),
            Self::LastOfWeek(weekday) => {
                let first = month.first_on(weekday);
                1 << (first + (month.days - first) / 7 * 7)
            }
            Self::NthOfWeek(weekday, nth) => (1 << (month.first_on(weekday) + (nth - 1) * 7)) & all,
        }
    }
}

/// The day from Monday to Friday that is nearest to `day` without leaving the month.
fn nearest_workday(month: Month, day: u32) -> u64 {
    // Saturday goes to Friday and Sunday to Monday, unless that is another month's.
    [day, day.saturating_sub(1), day + 1, day + 2, day.saturating_sub(2)]
        .into_iter()
        .find(|day| (1..=month.days).contains(day) && month.is_workday(*day))
        .map_or(0, |day| 1 << day)
}
