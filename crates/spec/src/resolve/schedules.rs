//! `schedule`, `timeZone` and what several schedules of one job do to each other.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

use super::Fields;
use crate::manifest::ScheduleSpec;
use crate::schedule::{Overlap, Schedule, coincide};
use crate::yaml::shown;

/// Most schedules of one job: each is a rule out of the 300 of a bus.
const MOST_SCHEDULES: usize = 100;

/// Schedules of a job, sorted, and whether they were a list.
pub struct Schedules {
    /// Sorted by expression, without duplicates.
    pub sorted: Vec<Schedule>,
    /// They were written as a list.
    pub is_list: bool,
}

/// Reads `spec.schedule`. `allow_overlap` lets the ticks of two schedules coincide.
pub fn schedules(fields: &mut Fields<'_>, spec: &ScheduleSpec, allow_overlap: bool, now: Timestamp) -> Schedules {
    let (texts, is_list) = match spec {
        ScheduleSpec::One(text) => (std::slice::from_ref(text), false),
        ScheduleSpec::List(list) => (list.as_slice(), true),
    };
    if texts.is_empty() {
        fields.error("spec.schedule", "expected at least one schedule", None);
    }
    if texts.len() > MOST_SCHEDULES {
        let message = format!("{} schedules; a job has at most {MOST_SCHEDULES}", texts.len());
        fields.error("spec.schedule", message, None);
        return Schedules { sorted: Vec::new(), is_list };
    }
    let mut read: Vec<(String, Schedule)> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = if is_list { format!("spec.schedule[{index}]") } else { "spec.schedule".to_owned() };
        let schedule = match Schedule::parse(text) {
            Ok(schedule) => schedule,
            Err(error) => {
                fields.error(&path, error.message, error.help);
                continue;
            }
        };
        if !schedule.can_ever_fire() {
            fields.error(&path, format!("`{}` never fires", shown(text)), None);
        } else if !schedule.fires_after(now) {
            fields.warning(&path, format!("`{}` does not fire any more", shown(text)), None);
        }
        overlaps(fields, &path, &schedule, &read, allow_overlap, now);
        read.push((path, schedule));
    }
    let mut sorted: Vec<Schedule> = read.into_iter().map(|(_, schedule)| schedule).collect();
    sorted.sort();
    sorted.dedup();
    Schedules { sorted, is_list }
}

fn overlaps(
    fields: &mut Fields<'_>,
    path: &str,
    schedule: &Schedule,
    earlier: &[(String, Schedule)],
    allow: bool,
    now: Timestamp,
) {
    for (other_path, other) in earlier {
        if schedule.expression() == other.expression() {
            fields.error(path, format!("the same schedule as {other_path}"), None);
            return;
        }
        if allow {
            continue;
        }
        let help = Some("set `allowOverlap: true` if the job may start twice at once".to_owned());
        match coincide(other, schedule, now) {
            Overlap::Never => {}
            Overlap::At(time) => {
                fields.error(path, format!("fires together with {other_path} at {time}"), help);
                return;
            }
            Overlap::Possible => {
                let message =
                    format!("may fire together with {other_path}: AWS alone knows when a rate starts to count");
                fields.warning(path, message, help);
            }
        }
    }
}

/// Checks `spec.timeZone`: a known name, and so far nothing but UTC.
pub fn time_zone(fields: &mut Fields<'_>, name: &str) {
    const PATH: &str = "spec.timeZone";
    if matches!(name, "UTC" | "Etc/UTC") {
        return;
    }
    if name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("Etc/UTC") {
        return fields.error(PATH, format!("unknown time zone `{}`", shown(name)), Some("write `UTC`".to_owned()));
    }
    let zones = TimeZoneDatabase::bundled();
    if zones.get(name).is_ok() {
        let message = format!("`{}` is not supported yet: schedules are in UTC", shown(name));
        let help = "time zones come with EventBridge Scheduler in a later version; write the schedule in UTC";
        fields.error(PATH, message, Some(help.to_owned()));
        return;
    }
    let known: Vec<String> = zones.available().map(|zone| zone.as_str().to_owned()).collect();
    // An abbreviation such as `JST` is near to many another one, and means none of them.
    let help = crate::suggest::nearest(name, known.iter().map(String::as_str)).filter(|_| name.len() > 4);
    let help = help.map(|near| format!("did you mean `{near}`?"));
    let help = help.or_else(|| Some("an IANA name such as `UTC` was expected".to_owned()));
    fields.error(PATH, format!("unknown time zone `{}`", shown(name)), help);
}
