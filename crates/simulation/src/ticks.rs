//! When a schedule fires, read a third time: by trying every minute. It shares nothing with the manifests' parser nor with the
//! emulator's, so that an error in one of them shows.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};

/// The minutes at which an expression fires, from `from` up to but not including `until`. None for what has no fixed minutes, a
/// rate, and for what cannot be read.
///
/// Takes Unix cron, its macros, `cron(...)` of AWS, and `at(...)`, all in UTC.
pub fn ticks(expression: &str, from: Timestamp, until: Timestamp) -> Option<Vec<Timestamp>> {
    if let Some(moment) = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')')) {
        let moment = moment.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        return Some(vec![moment].into_iter().filter(|at| (from..until).contains(at)).collect());
    }
    let cron = Cron::read(expression)?;
    let mut minute = from.to_zoned(TimeZone::UTC).datetime().round(jiff::Unit::Minute).ok()?;
    // Rounding may go back.
    while minute.to_zoned(TimeZone::UTC).ok()?.timestamp() < from {
        minute = minute.checked_add(1.minute()).ok()?;
    }
    let mut found = Vec::new();
    loop {
        let at = minute.to_zoned(TimeZone::UTC).ok()?.timestamp();
        if at >= until {
            return Some(found);
        }
        if !cron.is_day(minute.date()) {
            minute = minute.date().checked_add(Span::new().days(1)).ok()?.at(0, 0, 0, 0);
            continue;
        }
        if !holds(&cron.hours, minute.hour()) {
            minute = minute.checked_add(Span::new().minutes(60 - i64::from(minute.minute()))).ok()?;
            continue;
        }
        let left = 60 - minute.minute();
        for later in (0..left).filter(|later| holds(&cron.minutes, minute.minute() + later)) {
            let at = at.checked_add(SignedDuration::from_mins(i64::from(later))).ok()?;
            if at < until {
                found.push(at);
            }
        }
        minute = minute.checked_add(Span::new().minutes(i64::from(left))).ok()?;
    }
}

/// The same in the local time of a zone: what is skipped when clocks go forward does not fire, what comes twice when they go
/// back fires the first time.
pub fn ticks_in(zone: &str, expression: &str, from: Timestamp, until: Timestamp) -> Option<Vec<Timestamp>> {
    if zone == "UTC" {
        return ticks(expression, from, until);
    }
    let zone = TimeZone::get(zone).ok()?;
    // No clock is a day off, so that all local times between the two are among these.
    let (early, late) = (from.checked_sub(24.hours()).ok()?, until.checked_add(24.hours()).ok()?);
    let named = ticks(expression, early, late)?;
    let local = named.into_iter().map(|at| at.to_zoned(TimeZone::UTC).datetime());
    let moments = local.filter_map(|time| match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { .. } => None,
    });
    Some(moments.filter(|at| (from..until).contains(at)).collect())
}

struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    months: Vec<i16>,
    days: Days,
    /// None where every year is meant.
    years: Option<Vec<i16>>,
}

/// Which days; a weekday 1 is Sunday.
enum Days {
    Every,
    OfMonth(Vec<i16>),
    OfWeek(Vec<i16>),
    /// The last of the month.
    Last,
    /// The last of the month from Monday to Friday.
    LastWorkday,
    /// The one from Monday to Friday that is next to this day, in a month that has it.
    Workday(i16),
    /// The last such weekday of the month.
    LastOfWeek(i16),
    /// The nth such weekday of the month.
    NthOfWeek(i16, i8),
}

fn holds(values: &[i16], value: i8) -> bool {
    values.contains(&i16::from(value))
}

const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    fn read(text: &str) -> Option<Self> {
        let unix = MACROS.iter().find(|(name, _)| *name == text).map_or(text, |(_, unix)| unix);
        if let Some(inner) = unix.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')) {
            let fields: Vec<&str> = inner.split(' ').collect();
            let [minute, hour, day, month, weekday, year] = fields[..] else { return None };
            return Some(Self {
                minutes: values(minute, 0, 59, &[])?,
                hours: values(hour, 0, 23, &[])?,
                months: values(month, 1, 12, &MONTHS)?,
                days: Days::read(day, weekday)?,
                years: if year == "*" { None } else { Some(values(year, 1970, 2199, &[])?) },
            });
        }
        let fields: Vec<&str> = unix.split(' ').collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return None };
        let from_sunday = |values: Vec<i16>| values.into_iter().map(|day| day % 7 + 1).collect();
        let days = match (day, weekday) {
            ("*", "*") => Days::Every,
            (day, "*") => Days::OfMonth(values(day, 1, 31, &[])?),
            ("*", weekday) => Days::OfWeek(from_sunday(values(weekday, 0, 7, &DAYS)?)),
            (_, _) => return None,
        };
        Some(Self {
            minutes: values(minute, 0, 59, &[])?,
            hours: values(hour, 0, 23, &[])?,
            months: values(month, 1, 12, &MONTHS)?,
            days,
            years: None,
        })
    }

    fn is_day(&self, date: Date) -> bool {
        holds(&self.months, date.month())
            && self.years.as_ref().is_none_or(|years| years.contains(&date.year()))
            && self.days.hold(date)
    }
}

impl Days {
    /// The two fields of an AWS cron, one of which says nothing.
    fn read(day: &str, weekday: &str) -> Option<Self> {
        let one = |text: &str| values(text, 1, 7, &DAYS).and_then(|days| days.first().copied());
        match (day, weekday) {
            ("L", "?") => Some(Self::Last),
            ("LW", "?") => Some(Self::LastWorkday),
            (day, "?") => match day.strip_suffix('W') {
                Some(day) => day.parse().ok().map(Self::Workday),
                None => values(day, 1, 31, &[]).map(Self::OfMonth),
            },
            ("?", "L") => Some(Self::OfWeek(vec![7])),
            ("?", weekday) => match (weekday.strip_suffix('L'), weekday.split_once('#')) {
                (Some(day), _) => one(day).map(Self::LastOfWeek),
                (None, Some((day, nth))) => Some(Self::NthOfWeek(one(day)?, nth.parse().ok()?)),
                (None, None) => values(weekday, 1, 7, &DAYS).map(Self::OfWeek),
            },
            (_, _) => None,
        }
    }

    fn hold(&self, date: Date) -> bool {
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        match self {
            Self::Every => true,
            Self::OfMonth(days) => holds(days, date.day()),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::Last => date.day() == date.days_in_month(),
            Self::LastWorkday => workdays(date).last() == Some(date.day()),
            Self::Workday(day) => {
                let near = workdays(date).min_by_key(|other| (i16::from(*other) - day).abs());
                *day <= i16::from(date.days_in_month()) && near == Some(date.day())
            }
            Self::LastOfWeek(day) => weekday == *day && date.day() + 7 > date.days_in_month(),
            Self::NthOfWeek(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

/// The days from Monday to Friday of the month that a date is in.
fn workdays(date: Date) -> impl DoubleEndedIterator<Item = i8> {
    let in_month = (1..=date.days_in_month()).filter_map(move |day| Date::new(date.year(), date.month(), day).ok());
    let works = |date: &Date| (2..=6).contains(&date.weekday().to_sunday_one_offset());
    in_month.filter(works).map(Date::day)
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Every value that a field names.
fn values(field: &str, least: i16, most: i16, names: &[&str]) -> Option<Vec<i16>> {
    let value = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|index| i16::try_from(index).ok());
        named.map(|index| index + least).or_else(|| text.parse().ok()).filter(|value| (least..=most).contains(value))
    };
    let mut found = Vec::new();
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, step.parse::<i16>().ok().filter(|step| *step > 0)?),
            None => (item, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((first, last)) => (value(first)?, value(last)?),
            None if item.contains('/') => (value(range)?, most),
            None => (value(range)?, value(range)?),
        };
        let span = if first <= last { last - first } else { most - first + 1 + last - least };
        for offset in (0..=span).step_by(usize::try_from(step).ok()?) {
            let value = first + offset;
            found.push(if value > most { value - most - 1 + least } else { value });
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, expected: &[&str]) {
        let from = "2026-11-23T00:00:30Z".parse().unwrap();
        let until = "2026-11-24T12:00:00Z".parse().unwrap();
        let found: Vec<String> = ticks(expression, from, until).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn every_form_fires_at_the_minutes_it_names() {
        check("0 2 * * *", &["2026-11-23T02:00:00Z", "2026-11-24T02:00:00Z"]);
        check("20 4 * * 1", &["2026-11-23T04:20:00Z"]);
        check("20 4 * * 2-5", &["2026-11-24T04:20:00Z"]);
        check("@daily", &["2026-11-24T00:00:00Z"]);
        check("cron(0 18 ? * MON-FRI *)", &["2026-11-23T18:00:00Z"]);
        check(
            "cron(40 22-1 * * ? *)",
            &[
                "2026-11-23T00:40:00Z",
                "2026-11-23T01:40:00Z",
                "2026-11-23T22:40:00Z",
                "2026-11-23T23:40:00Z",
                "2026-11-24T00:40:00Z",
                "2026-11-24T01:40:00Z",
            ],
        );
        check("cron(10 3 1,24 * ? *)", &["2026-11-24T03:10:00Z"]);
        check(
            "cron(0/40 1 * * ? *)",
            &["2026-11-23T01:00:00Z", "2026-11-23T01:40:00Z", "2026-11-24T01:00:00Z", "2026-11-24T01:40:00Z"],
        );
        check("cron(0 3 1 JAN ? *)", &[]);
        check("cron(0 3 * * ? 2027)", &[]);
        check("cron(0 3 * nov ? 2024/2)", &["2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z"]);
        check("10 4 * * sun,MON", &["2026-11-23T04:10:00Z"]);
        check("@weekly", &[]);
    }

    #[test]
    fn days_that_only_the_cron_of_aws_can_say_fire_once_a_month() {
        let check = |days: &str, expected: &[&str]| {
            let (from, until) = ("2026-08-01T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap());
            let found = ticks(&format!("cron(0 3 {days} *)"), from, until).unwrap();
            let dates: Vec<String> = found.iter().map(|at| at.strftime("%m-%d").to_string()).collect();
            assert_eq!(dates, expected, "{days}");
        };
        check("L * ?", &["08-31", "09-30", "10-31", "11-30"]);
        check("LW * ?", &["08-31", "09-30", "10-30", "11-30"]);
        // The first of August is a Saturday, the first of November a Sunday.
        check("1W * ?", &["08-03", "09-01", "10-01", "11-02"]);
        check("31W * ?", &["08-31", "10-30"]);
        check("? * 7L", &["08-29", "09-26", "10-31", "11-28"]);
        check("? * MON#4", &["08-24", "09-28", "10-26", "11-23"]);
        check("? * SAT#5", &["08-29", "10-31"]);
    }

    #[test]
    fn a_local_time_that_is_skipped_is_none_and_one_that_comes_twice_is_one() {
        let check = |zone: &str, expression: &str, from: &str, expected: &[&str]| {
            let from: Timestamp = from.parse().unwrap();
            let until = from.checked_add(48.hours()).unwrap();
            let found: Vec<String> =
                ticks_in(zone, expression, from, until).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{expression} in {zone}");
        };
        check("Asia/Tokyo", "0 2 * * *", "2026-11-23T00:00:00Z", &["2026-11-23T17:00:00Z", "2026-11-24T17:00:00Z"]);
        let spring = "2026-03-28T00:00:00Z";
        check("Europe/Berlin", "30 2 * * *", spring, &["2026-03-28T01:30:00Z"]);
        check("Europe/Berlin", "30 3 * * *", spring, &["2026-03-28T02:30:00Z", "2026-03-29T01:30:00Z"]);
        let autumn = "2026-10-24T00:00:00Z";
        check("Europe/Berlin", "30 2 * * *", autumn, &["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"]);
        check("UTC", "30 2 * * *", autumn, &["2026-10-24T02:30:00Z", "2026-10-25T02:30:00Z"]);
    }

    #[test]
    fn a_rate_has_no_minutes_of_its_own() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(ticks("rate(6 hours)", now, now), None);
    }
}
