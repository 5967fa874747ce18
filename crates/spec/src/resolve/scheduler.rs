//! What only EventBridge Scheduler can do for a schedule: time zones, dates, a window.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::schedules::Schedules;
use super::{Fields, Known};
use crate::job::{Backend, OnScheduler};
use crate::manifest::JobSpec;
use crate::schedule::{Kind, Schedule, Timing, Zone};
use crate::yaml::shown;

/// What a window may be (docs/aws.md, Scheduler).
const WINDOW: RangeInclusive<u32> = 1..=1440;

/// What the fields beside `schedule` say.
pub struct Asked {
    /// `timeZone`.
    pub zone: Zone,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    window: Option<u16>,
    backend: Backend,
}

/// Reads `timeZone`, `startDate`, `endDate` and `flexibleTimeWindowMinutes`.
pub fn asked(fields: &mut Fields<'_>, spec: &JobSpec, known: Option<&Known>) -> Asked {
    let zone = spec.time_zone.as_deref().and_then(|name| zone(fields, name)).unwrap_or_default();
    let start = spec.start_date.as_deref().and_then(|text| moment(fields, "spec.startDate", text, &zone));
    let end = spec.end_date.as_deref().and_then(|text| moment(fields, "spec.endDate", text, &zone));
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        fields.error("spec.endDate", "it is not after `startDate`", None);
    }
    let window = spec.flexible_time_window_minutes.map(|minutes| {
        let minutes = fields.number("spec.flexibleTimeWindowMinutes", Some(minutes), WINDOW, 1);
        u16::try_from(minutes).unwrap_or_default()
    });
    if spec.schedule.is_none() {
        for field in ["timeZone", "startDate", "endDate", "flexibleTimeWindowMinutes"] {
            let path = format!("spec.{field}");
            if fields.has(&path) {
                fields.warning(&path, "it has no effect without `schedule`", None);
            }
        }
    }
    Asked { zone, start, end, window, backend: known.map(|known| known.backend).unwrap_or_default() }
}

impl Asked {
    /// When a schedule fires.
    pub fn timing(&self, schedule: &Schedule) -> Timing {
        let Self { zone, start, end, window, backend: _ } = self;
        Timing { schedule: schedule.clone(), zone: zone.clone(), start: *start, end: *end, window_minutes: *window }
    }

    /// The local time of a moment, written as if it were one of UTC.
    pub fn local(&self, time: Timestamp) -> Timestamp {
        TimeZone::UTC.to_timestamp(self.zone.local(time)).unwrap_or(time)
    }

    /// What Scheduler is told, where rules cannot keep the schedules or the cluster says so. The role is still open.
    pub fn settled(self, schedules: &Schedules) -> Option<OnScheduler> {
        let Self { zone, start, end, window, backend } = self;
        let once = schedules.sorted.iter().any(|schedule| matches!(schedule.kind(), Kind::Once(_)));
        let more = !zone.is_utc() || start.is_some() || end.is_some() || window.is_some() || once;
        let wanted = !schedules.sorted.is_empty() && (more || backend == Backend::Scheduler);
        wanted.then_some(OnScheduler {
            time_zone: zone,
            start_date: start,
            end_date: end,
            flexible_time_window_minutes: window,
            role_arn: String::new(),
        })
    }
}

fn zone(fields: &mut Fields<'_>, name: &str) -> Option<Zone> {
    const PATH: &str = "spec.timeZone";
    if let Some(zone) = Zone::new(name) {
        return Some(zone);
    }
    let known: Vec<String> = TimeZoneDatabase::bundled().available().map(|zone| zone.as_str().to_owned()).collect();
    let help = match known.iter().find(|zone| zone.eq_ignore_ascii_case(name)) {
        Some(zone) => format!("write `{zone}`"),
        // An abbreviation such as `JST` is near to many another one, and means none of them.
        None => match crate::suggest::nearest(name, known.iter().map(String::as_str)).filter(|_| name.len() > 4) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "an IANA name such as `Asia/Tokyo` was expected".to_owned(),
        },
    };
    fields.error(PATH, format!("unknown time zone `{}`", shown(name)), Some(help));
    None
}

/// A moment in RFC 3339, or in the job's own time zone; to the second, as Scheduler keeps it.
fn moment(fields: &mut Fields<'_>, path: &str, text: &str, zone: &Zone) -> Option<Timestamp> {
    // Whatever a Timestamp holds, its whole seconds are one, too.
    let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).ok();
    if let Ok(at) = text.parse::<Timestamp>() {
        return whole(at);
    }
    let date_only = || text.parse::<Date>().ok().filter(|_| text.len() == 10).map(|date| date.at(0, 0, 0, 0));
    let local = date_only().or_else(|| text.parse::<DateTime>().ok());
    match local.map(|local| zone.moment(local)) {
        Some(Some(at)) => whole(at),
        Some(None) => {
            let help = "a change of clocks skips it: write a later one".to_owned();
            fields.error(path, format!("there is no `{}` in {zone}", shown(text)), Some(help));
            None
        }
        None => {
            let help =
                "write `2026-12-31T09:30:00` for local time, `2026-12-31T09:30:00Z` for UTC, or a date".to_owned();
            fields.error(path, format!("`{}` is no date", shown(text)), Some(help));
            None
        }
    }
}
