//! Unix cron of five fields, and its rendering as one AWS expression.

use super::cron::Weekday;
use super::error::{ScheduleError, quoted};
use super::field::{Field, Item, Values};
use super::{Schedule, aws};

/// Parses five fields and gives the AWS expression that fires at the same times in UTC. What crons read differently, or
/// AWS needs two expressions for, is refused.
pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleError> {
    if text.is_empty() {
        return Err(ScheduleError::new("a schedule must not be empty").help("write a Unix cron such as `0 2 * * *`"));
    }
    if let Some((name, _)) = text.split_once('=') {
        return Err(match name {
            "CRON_TZ" | "TZ" => ScheduleError::new(format!("a schedule takes no `{name}=`")).help(
                "the time zone of a job is `spec.timeZone`; this version knows UTC only, so write the time in UTC",
            ),
            _ => ScheduleError::new(format!("{} is not a schedule", quoted(text)))
                .help("write a Unix cron such as `0 2 * * *`"),
        });
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
        return Err(wrong_count(text, &fields));
    };
    refuse_aws_letters(&fields)?;
    let minutes = render(Field::MINUTE, minute)?;
    let hours = render(Field::HOUR, hour)?;
    let days_of_month = render(Field::DAY_OF_MONTH, day_of_month)?;
    let months = render(Field::MONTH, month)?;
    let days_of_week = render_weekdays(day_of_week)?;
    if day_of_month != "*" && day_of_week != "*" {
        check_both_days(&fields)?;
    }
    let expression = if days_of_week == "*" {
        format!("cron({minutes} {hours} {days_of_month} {months} ? *)")
    } else {
        format!("cron({minutes} {hours} ? {months} {days_of_week} *)")
    };
    if expression.len() > super::MAX_LENGTH {
        return Err(ScheduleError::new(format!("as AWS writes it, it has more than {} characters", super::MAX_LENGTH))
            .help("split it into a list of schedules"));
    }
    aws::parse(&expression)
}

/// One field in the form AWS documents: `0/15` for `*/15`, no leading zeros, numbers for the months.
fn render(field: Field, text: &str) -> Result<String, ScheduleError> {
    let items = field.without_wrapping().items(text)?;
    let set = Values::of(&items, &field);
    if (field.min..=field.max).all(|value| set.contains(value)) {
        return Ok("*".to_owned());
    }
    let written = items.into_iter().map(|item| match item {
        Item::All { step: None } => "*".to_owned(),
        Item::All { step: Some(step) } => format!("{}/{step}", field.min),
        Item::Value(value) => value.to_string(),
        Item::From { start, step } => format!("{start}/{step}"),
        Item::Range { first, last, .. } if first == last => first.to_string(),
        Item::Range { first, last, step: None | Some(1) } => format!("{first}-{last}"),
        Item::Range { first, last, step: Some(step) } => format!("{first}-{last}/{step}"),
    });
    Ok(without_repeats(written.collect()).join(","))
}

/// The days of the week by name: plain days and ranges as they are, and a list where AWS documents no such form, for
/// steps and for ranges across the end of the week.
fn render_weekdays(text: &str) -> Result<String, ScheduleError> {
    let field = Field::UNIX_DAY_OF_WEEK;
    let items = weekday_items(text)?;
    let days: Vec<Weekday> = items.iter().flat_map(|item| item.values(&field)).map(Weekday::from_unix).collect();
    if (0..7).all(|day| days.contains(&Weekday::from_unix(day))) {
        return Ok("*".to_owned());
    }
    let plain = |item: &Item| match *item {
        Item::Value(_) => true,
        Item::Range { first, last, step } => step.unwrap_or(1) == 1 && first < last && last < 7,
        Item::All { .. } | Item::From { .. } => false,
    };
    let written: Vec<String> = if items.iter().all(plain) {
        let name = |day: u16| Weekday::from_unix(day).name();
        let range = |item: &Item| match *item {
            Item::Range { first, last, .. } => format!("{}-{}", name(first), name(last)),
            Item::Value(day) | Item::From { start: day, .. } => name(day).to_owned(),
            Item::All { .. } => "*".to_owned(),
        };
        items.iter().map(range).collect()
    } else {
        days.iter().map(|day| day.name().to_owned()).collect()
    };
    Ok(without_repeats(written).join(","))
}

fn without_repeats(written: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(written.len());
    for item in written {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

/// The days of a week field, where a start with a step ends on Saturday to some crons and on Sunday to others.
fn weekday_items(text: &str) -> Result<Vec<Item>, ScheduleError> {
    let field = Field::UNIX_DAY_OF_WEEK;
    let items = field.items(text)?;
    for item in &items {
        match *item {
            Item::From { start, step } => {
                return Err(ScheduleError::new("crons differ on a step after a single day of the week")
                    .help(format!("write `{start}-6/{step}`, or `{start}` for the one day")));
            }
            Item::Range { first, last, step: Some(step) } if first > last => {
                let values: Vec<String> = item.values(&field).iter().map(u16::to_string).collect();
                return Err(ScheduleError::new(format!(
                    "no cron documents a step of {step} across the end of the week"
                ))
                .help(format!("write the values: {}", values.join(","))));
            }
            Item::All { .. } | Item::Value(_) | Item::Range { .. } => {}
        }
    }
    Ok(items)
}

/// Days of month and of week are both restricted: Unix cron then fires on days that are either, AWS on no such union.
fn check_both_days(fields: &[&str]) -> Result<(), ScheduleError> {
    let [minute, hour, day_of_month, month, day_of_week] = fields[..] else { return Ok(()) };
    let of_month = format!("{minute} {hour} {day_of_month} {month} *");
    let of_week = format!("{minute} {hour} * {month} {day_of_week}");
    let either = format!(
        "write two schedules as a list, `{of_month}` and `{of_week}`; on days that are both they coincide, which needs \
         `allowOverlap: true`"
    );
    if day_of_month.starts_with('*') || day_of_week.starts_with('*') {
        return Err(ScheduleError::new(
            "day of month and day of week are both given, one of them starting with `*`: some crons fire on days that \
             are both, others on days that are either",
        )
        .help(format!("for days that are either, {either}; days that are both cannot be said in one AWS expression")));
    }
    Err(ScheduleError::new(
        "day of month and day of week are both given: Unix cron fires on days that are either, which one AWS expression \
         cannot say",
    )
    .help(either))
}

/// `?`, `L`, `W` and `#` belong to AWS cron.
fn refuse_aws_letters(fields: &[&str]) -> Result<(), ScheduleError> {
    let [minute, hour, day_of_month, month, day_of_week] = fields[..] else { return Ok(()) };
    let aws_only = fields.iter().any(|field| field.contains(['?', '#']))
        || day_of_month.contains(['L', 'W'])
        || day_of_week.ends_with('L');
    if !aws_only {
        return Ok(());
    }
    let error = ScheduleError::new("`?`, `L`, `W` and `#` are not Unix cron, but AWS cron of six fields");
    let (day_of_month, day_of_week) = match (day_of_month, day_of_week) {
        days @ (("?", _) | (_, "?")) => days,
        (day, "*") => (day, "?"),
        ("*", day) => ("?", day),
        days => days,
    };
    let guess = format!("cron({minute} {hour} {day_of_month} {month} {day_of_week} *)");
    // A number would silently shift: 5 is Friday to Unix and Thursday to AWS.
    let shifts = day_of_week.contains(|c: char| c.is_ascii_digit());
    Err(match aws::parse(&guess) {
        Ok(_) if shifts => error.help(format!("write `{guess}`, where 1 is Sunday and 7 is Saturday")),
        Ok(_) => error.help(format!("write `{guess}`")),
        Err(_) => error.help("write `cron(minute hour day-of-month month day-of-week year)`"),
    })
}

fn wrong_count(text: &str, fields: &[&str]) -> ScheduleError {
    let error = match fields {
        [_] => {
            return ScheduleError::new(format!("{} is not a schedule", quoted(text)))
                .help("write a Unix cron such as `0 2 * * *`, `cron(...)`, `rate(...)` or `@daily`");
        }
        _ => ScheduleError::new(format!("a Unix cron has five fields, and this one has {}", fields.len())),
    };
    let aws = |fields: &[&str]| aws::parse(&format!("cron({})", fields.join(" "))).ok();
    let without_seconds = match fields {
        ["0" | "00", rest @ ..] if rest.len() == 5 => aws(&[rest, &["*"]].concat()),
        ["0" | "00", rest @ ..] => aws(rest),
        _ => None,
    };
    match (aws(fields), without_seconds) {
        (Some(schedule), None) => error.help(format!("six fields are AWS cron: write `{schedule}`")),
        (None, Some(schedule)) => error.help(format!("leave out the seconds: write `{schedule}`")),
        (Some(plain), Some(quartz)) => error
            .help(format!("write `{plain}` if the last field is the year, or `{quartz}` if the first is the seconds")),
        (None, None) => match fields {
            [_, rest @ ..] if rest.len() == 5 || rest.len() == 6 => {
                error.help("AWS knows no seconds: leave that field out")
            }
            _ => error.help("write minute, hour, day of month, month and day of week, such as `0 2 * * *`"),
        },
    }
}
