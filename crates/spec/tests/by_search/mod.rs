//! AWS cron read straight from its text, one day and one minute at a time: slow, and sharing nothing with the crate.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

fn number(text: &str, names: &[&str]) -> i64 {
    match names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(position) => position as i64 + 1,
        None => text.parse().expect("a number"),
    }
}

fn admits(field: &str, value: i64, (min, max): (i64, i64), names: &[&str]) -> bool {
    field.split(',').any(|item| {
        let (base, step) = item.split_once('/').map_or((item, 1), |(base, step)| (base, number(step, &[])));
        let (first, last) = match (base, base.split_once('-')) {
            ("*", _) => (min, max),
            (_, Some((first, last))) => (number(first, names), number(last, names)),
            (_, None) if item.contains('/') => (number(base, names), max),
            (_, None) => (number(base, names), number(base, names)),
        };
        let size = max - min + 1;
        let (last, value) = if first <= last { (last, value) } else { (last + size, value) };
        [value, value + size].into_iter().any(|value| (first..=last).contains(&value) && (value - first) % step == 0)
    })
}

fn weekday(date: Date) -> i64 {
    i64::from(date.weekday().to_sunday_zero_offset()) + 1
}

fn is_workday(date: Date) -> bool {
    (2..=6).contains(&weekday(date))
}

fn days_of_month(date: Date) -> impl Iterator<Item = Date> {
    date.first_of_month().series(1.day()).take(date.days_in_month() as usize)
}

fn day_matches(day_of_month: &str, day_of_week: &str, date: Date) -> bool {
    let day = i64::from(date.day());
    let last = i64::from(date.days_in_month());
    if day_of_week == "?" {
        if day_of_month == "L" {
            return day == last;
        }
        if day_of_month == "LW" {
            return Some(date) == days_of_month(date).filter(|day| is_workday(*day)).last();
        }
        let Some(wanted) = day_of_month.strip_suffix('W') else {
            return admits(day_of_month, day, (1, 31), &[]);
        };
        let wanted = number(wanted, &[]);
        let distance = |day: &Date| (i64::from(day.day()) - wanted).abs();
        return wanted <= last && Some(date) == days_of_month(date).filter(|day| is_workday(*day)).min_by_key(distance);
    }
    if day_of_week == "L" {
        return weekday(date) == 7;
    }
    if let Some((wanted, n)) = day_of_week.split_once('#') {
        return weekday(date) == number(wanted, &WEEKDAYS) && (day - 1) / 7 + 1 == number(n, &[]);
    }
    if let Some(wanted) = day_of_week.strip_suffix('L') {
        return weekday(date) == number(wanted, &WEEKDAYS) && day + 7 > last;
    }
    admits(day_of_week, weekday(date), (1, 7), &WEEKDAYS)
}

/// Minute, hour, day of month, month, day of week and year.
fn fields(expression: &str) -> [&str; 6] {
    let inner = expression.trim_start_matches("cron(").trim_end_matches(')');
    // AWS takes a comma at a field's end for nothing.
    let fields = inner.split_ascii_whitespace().map(|field| field.strip_suffix(',').unwrap_or(field));
    let fields: Vec<&str> = fields.collect();
    fields.try_into().expect("six fields")
}

fn on_day([_, _, day_of_month, month, day_of_week, year]: [&str; 6], date: Date) -> bool {
    (1970..=2199).contains(&date.year())
        && admits(year, date.year().into(), (1970, 2199), &[])
        && admits(month, date.month().into(), (1, 12), &MONTHS)
        && day_matches(day_of_month, day_of_week, date)
}

fn at_minute([minute, hour, ..]: [&str; 6], of_day: i64) -> bool {
    admits(hour, of_day / 60, (0, 23), &[]) && admits(minute, of_day % 60, (0, 59), &[])
}

/// Whether an AWS cron expression fires at this very minute.
pub fn fires(expression: &str, time: DateTime) -> bool {
    let fields = fields(expression);
    let whole = time.second() == 0 && time.subsec_nanosecond() == 0;
    whole && at_minute(fields, i64::from(time.hour()) * 60 + i64::from(time.minute())) && on_day(fields, time.date())
}

/// The first match strictly after `from` within `days` days.
pub fn next(expression: &str, from: DateTime, days: i64) -> Option<DateTime> {
    let fields = fields(expression);
    let days = from.date().series(1.day()).take(days as usize).filter(|date| on_day(fields, *date));
    let times = days.flat_map(|date| {
        let minutes = (0..1440).filter(|of_day| at_minute(fields, *of_day));
        minutes.map(move |of_day| date.at((of_day / 60) as i8, (of_day % 60) as i8, 0, 0))
    });
    times.into_iter().find(|time| *time > from)
}
