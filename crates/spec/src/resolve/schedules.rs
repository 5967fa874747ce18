//! `schedule`, and what several schedules of one job do to each other.

use jiff::Timestamp;

use super::Fields;
use super::scheduler::Asked;
use crate::manifest::ScheduleSpec;
use crate::schedule::{Overlap, Schedule, Timing, coincide};
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
pub fn schedules(
    fields: &mut Fields<'_>,
    spec: &ScheduleSpec,
    asked: &Asked,
    allow_overlap: bool,
    now: Timestamp,
) -> Schedules {
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
        } else if !fires_after(&schedule, asked, now) {
            fields.warning(&path, format!("`{}` does not fire any more", shown(text)), None);
        }
        overlaps(fields, &path, &schedule, &read, allow_overlap, asked, asked.local(now));
        read.push((path, schedule));
    }
    let mut sorted: Vec<Schedule> = read.into_iter().map(|(_, schedule)| schedule).collect();
    sorted.sort();
    sorted.dedup();
    sorted.shrink_to_fit();
    Schedules { sorted, is_list }
}

fn fires_after(schedule: &Schedule, asked: &Asked, now: Timestamp) -> bool {
    let timing: Timing = asked.timing(schedule);
    match schedule.period_seconds() {
        Some(_) => !timing.is_over(now),
        None => timing.next_after(now).is_some(),
    }
}

/// `now` is a local time of the job's zone, written as if it were one of UTC.
fn overlaps(
    fields: &mut Fields<'_>,
    path: &str,
    schedule: &Schedule,
    earlier: &[(String, Schedule)],
    allow: bool,
    asked: &Asked,
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
                let local = time.strftime("%Y-%m-%dT%H:%M");
                fields.error(path, format!("fires together with {other_path} at {local} {}", asked.zone), help);
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
