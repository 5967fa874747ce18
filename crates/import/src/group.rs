//! Runs that are one job: they differ in nothing but when they start.

use ecs_etl_spec::schedule::{Overlap, Schedule, coincide};
use jiff::Timestamp;

use crate::found::{Run, Takeover};

/// The most schedules that one job has.
const MOST: usize = 100;

/// Groups runs that start the same with the same everything, in the order of the first of each.
pub fn group(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut groups: Vec<Vec<Run>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| belongs(&run, group)) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

/// Whether two schedules of a group may fire at once.
pub fn overlaps(group: &[Run], now: Timestamp) -> bool {
    let schedules: Vec<Schedule> = group.iter().filter_map(schedule).collect();
    let together = |(index, one): (usize, &Schedule)| {
        let later = schedules.get(index + 1..).unwrap_or_default();
        later.iter().any(|other| match coincide(one, other, now) {
            Overlap::Never => false,
            Overlap::At(_) | Overlap::Possible => true,
        })
    };
    schedules.iter().enumerate().any(together)
}

fn schedule(run: &Run) -> Option<Schedule> {
    run.schedule.as_deref().and_then(|expression| Schedule::parse(expression).ok())
}

fn belongs(run: &Run, group: &[Run]) -> bool {
    // First what is cheap: most runs are alike to none.
    if group.len() >= MOST || !group.first().is_some_and(|first| alike(run, first)) {
        return false;
    }
    let Some(expression) = schedule(run) else { return false };
    group.iter().all(|other| schedule(other).is_some_and(|other| other.expression() != expression.expression()))
}

/// Whether two runs differ in when they start, and in names, alone. Destructured, so that no new field is forgotten.
fn alike(run: &Run, other: &Run) -> bool {
    let Run {
        origin: _,
        resource: _,
        name: _,
        family,
        takeover,
        cluster,
        region,
        description,
        labels,
        schedule: _,
        time_zone,
        start,
        end,
        window,
        suspend,
        retry,
        dead_letter_queue,
        role,
        scheduler_role,
        task_definition,
        run_task,
        findings: _,
    } = run;
    // Without either nobody knows that it is the same.
    (family.is_some() || task_definition.is_some())
        && *family == other.family
        && taken_over_alike(takeover, &other.takeover)
        && *cluster == other.cluster
        && *region == other.region
        && *description == other.description
        && *labels == other.labels
        && *time_zone == other.time_zone
        && *start == other.start
        && *end == other.end
        && *window == other.window
        && *suspend == other.suspend
        && *retry == other.retry
        && *dead_letter_queue == other.dead_letter_queue
        && *role == other.role
        && *scheduler_role == other.scheduler_role
        && *task_definition == other.task_definition
        && *run_task == other.run_task
}

fn taken_over_alike(one: &Takeover, other: &Takeover) -> bool {
    match (one, other) {
        (Takeover::Adopt { rule: _ }, Takeover::Adopt { rule: _ }) => true,
        (Takeover::Beside { .. } | Takeover::Nothing, _) => one == other,
        (Takeover::Adopt { .. }, Takeover::Beside { .. } | Takeover::Nothing) => false,
    }
}
