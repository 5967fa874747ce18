//! When a schedule fires: its expression, in its time zone, between its dates (docs/aws.md, Scheduler).

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::events::schedule::{Cron, Schedule};

/// A schedule's expression, ready to be asked.
#[derive(Debug)]
pub(super) struct Timetable {
    when: When,
    zone: TimeZone,
    /// There is no tick before it; a rate counts from it.
    from: Timestamp,
    /// Nor one after it.
    until: Option<Timestamp>,
    /// Within what time after its moment the target is called, if the schedule is flexible.
    window: Option<SignedDuration>,
}

#[derive(Debug)]
enum When {
    Once(Timestamp),
    Every(SignedDuration),
    Cron(Box<Cron>),
}

impl Timetable {
    /// Reads what was put; `anchor` is where a rate counts from that has no StartDate. `None` for what is no expression.
    pub(super) fn read(members: &Map<String, Value>, anchor: Timestamp) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
        let zone = TimeZone::get(text("ScheduleExpressionTimezone")).ok()?;
        let expression = text("ScheduleExpression");
        let once = expression.strip_prefix("at(").map(|rest| rest.strip_suffix(')').and_then(local));
        let when = match once {
            // A local time that a change of clocks skips is taken for the one as long after it.
            Some(local) => When::Once(zone.to_ambiguous_timestamp(local?).compatible().ok()?),
            None => match Schedule::parse(&with_year(expression))? {
                Schedule::Rate { period } => When::Every(SignedDuration::from_millis(period)),
                Schedule::Cron(cron) => When::Cron(cron),
            },
        };
        let flexible = members.get("FlexibleTimeWindow").and_then(|window| window.get("MaximumWindowInMinutes"));
        let once = matches!(when, When::Once(_));
        Some(Self {
            when,
            zone,
            from: moment(members, "StartDate").filter(|_| !once).unwrap_or(anchor),
            until: moment(members, "EndDate").filter(|_| !once),
            window: flexible.and_then(Value::as_i64).map(SignedDuration::from_mins),
        })
    }

    /// The first tick later than `after`, if there is one.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let next = match &self.when {
            When::Once(at) => (*at > after).then_some(*at),
            When::Every(period) => {
                let passed = after.duration_since(self.from);
                let ticks = if passed.is_negative() { 0 } else { passed.as_millis() / period.as_millis() + 1 };
                let millis = i64::try_from(ticks.checked_mul(period.as_millis())?).ok()?;
                self.from.checked_add(SignedDuration::from_millis(millis)).ok()
            }
            When::Cron(cron) => self.next_of(cron, after),
        };
        next.filter(|next| self.until.is_none_or(|until| *next <= until))
    }

    /// Whether there is a tick at this moment.
    pub(super) fn has(&self, moment: Timestamp) -> bool {
        let before = moment.checked_sub(SignedDuration::from_millis(1)).unwrap_or(moment);
        self.next_after(before) == Some(moment)
    }

    /// Within what time after a tick its target is called: what is usual, or the window, and before the tick that follows.
    pub(super) fn window(&self, tick: Timestamp, usual: SignedDuration) -> SignedDuration {
        let Some(window) = self.window else { return usual };
        let following = self.next_after(tick).map(|next| next.duration_since(tick) - SignedDuration::from_secs(1));
        following.map_or(window, |following| window.min(following))
    }

    /// The longest that a tick may be away from its moment.
    pub(super) fn longest_window(&self, usual: SignedDuration) -> SignedDuration {
        self.window.unwrap_or(usual)
    }

    /// The next minute of a cron expression in the schedule's time zone.
    ///
    /// A local time that is skipped is no tick, and one that comes twice is one, at the first time.
    fn next_of(&self, cron: &Cron, after: Timestamp) -> Option<Timestamp> {
        let before_start = self.from.checked_sub(SignedDuration::from_millis(1)).unwrap_or(self.from);
        let after = after.max(before_start);
        let mut local = self.zone.to_datetime(after);
        loop {
            local = cron.next_local(local)?;
            let at = self.zone.to_ambiguous_timestamp(local);
            if matches!(at.offset(), AmbiguousOffset::Gap { .. }) {
                continue;
            }
            match at.earlier() {
                Ok(at) if at > after => return Some(at),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// `yyyy-mm-ddThh:mm:ss`, to the letter.
fn local(text: &str) -> Option<DateTime> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    (text.len() == 19 && text.bytes().enumerate().all(shape)).then(|| text.parse().ok()).flatten()
}

/// The year of a cron expression may be left out.
fn with_year(expression: &str) -> String {
    let fields = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    match fields.filter(|fields| fields.split_whitespace().count() == 5) {
        Some(fields) => format!("cron({fields} *)"),
        None => expression.to_owned(),
    }
}

/// A date among a schedule's members: seconds since 1970.
pub(super) fn moment(members: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = members.get(name)?.as_f64()?;
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}
