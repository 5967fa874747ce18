//! What a schedule of EventBridge Scheduler says of when it fires, beside its expression.

use ecs_etl_spec::fill_in;
use jiff::Timestamp;

use crate::finding::Kind;
use crate::found::Run;
use crate::object::Object;
use crate::target;

/// How a source spells it.
#[derive(Debug, Clone, Copy)]
pub struct Spelling {
    /// `ScheduleExpressionTimezone`.
    pub zone: &'static str,
    /// `StartDate` and `EndDate`.
    pub dates: [&'static str; 2],
    /// `FlexibleTimeWindow`, with its mode and its minutes.
    pub window: [&'static str; 3],
    /// `ActionAfterCompletion`.
    pub completion: &'static str,
}

/// CloudFormation.
pub const PASCAL: Spelling = Spelling {
    zone: "ScheduleExpressionTimezone",
    dates: ["StartDate", "EndDate"],
    window: ["FlexibleTimeWindow", "Mode", "MaximumWindowInMinutes"],
    completion: "ActionAfterCompletion",
};

/// Reads all of it.
pub fn read(run: &mut Run, schedule: &mut Object<'_>, spelling: &Spelling) {
    run.time_zone = schedule.text(spelling.zone).filter(|zone| !zone.is_empty());
    let [start, end] = spelling.dates;
    run.start = date(schedule, start);
    run.end = date(schedule, end);
    window(run, schedule, spelling.window);
    if schedule.text(spelling.completion).is_some_and(|action| !action.is_empty() && action != "NONE") {
        goes_away(run, spelling.completion);
    }
}

/// Says that the schedule deletes itself, which a job does not.
pub fn goes_away(run: &mut Run, field: &str) {
    let why = "the schedule goes away after its last run";
    run.find(Kind::NotCarriedOver, field, why, "remove the manifest then", "spec.schedule");
}

/// A date as manifests have it; what is none is left for a person, and for validation.
fn date(schedule: &mut Object<'_>, key: &str) -> Option<String> {
    let text = schedule.text(key).filter(|text| !text.is_empty())?;
    if fill_in::is_open(&text) {
        return Some(text);
    }
    Some(text.parse::<Timestamp>().map_or(text, moment))
}

/// A moment as manifests have it, to the second.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn window(run: &mut Run, schedule: &mut Object<'_>, [key, mode, minutes]: [&str; 3]) {
    let Some(mut window) = target::inner(schedule, key) else { return };
    let mode = window.text(mode);
    let minutes = window.get(minutes).map(target::number);
    match (mode.as_deref(), minutes) {
        (Some("OFF"), _) | (None, None) => {}
        (Some(_) | None, Some(minutes)) => run.window = Some(minutes),
        (Some(_), None) => {
            let why = "whether a run may start later than its moment is not known here";
            run.find(Kind::Check, key, why, "write `flexibleTimeWindowMinutes`, or nothing", "spec.schedule");
        }
    }
    run.left(window.finish(), "spec.schedule");
}
