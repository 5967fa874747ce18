//! The fields of an EtlJob's `spec`, one after the other.

use jiff::Timestamp;

use super::adopt;
use super::arn;
use super::triggers::{self, Triggers};
use super::{Fields, Known, roles, scheduler, schedules};
use crate::adopt::Adopt;
use crate::check;
use crate::job::{DeletionPolicy, OnScheduler, Retry};
use crate::manifest::JobSpec;
use crate::shapes::{RunTask, TaskDefinition};

/// EventBridge's own limits and defaults (docs/aws.md, Rules and schedules), save the default deadline: AWS's own, a
/// day, starts a daily job a day late.
const DEADLINE: std::ops::RangeInclusive<u32> = 60..=86_400;
const DEFAULT_DEADLINE: u32 = 3600;
const ATTEMPTS: std::ops::RangeInclusive<u32> = 0..=185;

/// A spec whose fields were looked at.
pub struct Checked {
    /// When it runs.
    pub schedules: schedules::Schedules,
    /// What EventBridge Scheduler is told, if its schedules are there.
    pub scheduler: Option<OnScheduler>,
    /// What else starts it, and who hears of its end.
    pub triggers: Triggers,
    /// `adopt`.
    pub adopt: Adopt,
    /// `suspend`.
    pub suspend: bool,
    /// Retry policy of the target.
    pub retry: Retry,
    /// `deadLetterQueueArn`.
    pub dead_letter_queue_arn: Option<String>,
    /// Role that EventBridge assumes, its own or the cluster's.
    pub role_arn: Option<String>,
    /// `deletionPolicy`.
    pub deletion_policy: DeletionPolicy,
    /// `taskDefinition`.
    pub task_definition: TaskDefinition,
    /// `runTask`.
    pub run_task: RunTask,
}

/// Checks the fields of a spec with its defaults merged in; `known` is its cluster, if that can be used.
pub fn check(fields: &mut Fields<'_>, spec: JobSpec, known: Option<&Known>, now: Timestamp) -> Checked {
    let asked = scheduler::asked(fields, &spec, known);
    let schedules = match &spec.schedule {
        Some(schedule) => schedules::schedules(fields, schedule, &asked, spec.allow_overlap.unwrap_or(false), now),
        None => {
            if !fields.has("spec.after") && !fields.has("spec.events") {
                fields.missing("spec.schedule", "such as `schedule: \"0 2 * * *\"`; or say `after` or `events`");
            }
            schedules::Schedules { sorted: Vec::new(), is_list: false }
        }
    };
    let region = known.map(|known| &known.cluster.place.region);
    let inherited = known.map(|known| known.notify.as_slice()).unwrap_or_default();
    let triggers = triggers::triggers(fields, &spec, inherited, region);
    triggers::names(fields, &schedules, &triggers);
    let adopt = adopt::adopt(fields, &spec);
    if spec.task_definition.is_none() {
        fields
            .missing("spec.taskDefinition", "with `containerDefinitions`, in the shape of ECS RegisterTaskDefinition");
    }
    let deadline = spec.starting_deadline_seconds;
    let retry = Retry {
        maximum_event_age_seconds: fields.number("spec.startingDeadlineSeconds", deadline, DEADLINE, DEFAULT_DEADLINE),
        maximum_attempts: fields.number("spec.maximumRetryAttempts", spec.maximum_retry_attempts, ATTEMPTS, 185),
    };
    if let Some(queue) = &spec.dead_letter_queue_arn
        && let Err(why) = arn::queue(queue, region)
    {
        fields.error("spec.deadLetterQueueArn", why, None);
    }
    let scheduler = asked.settled(&schedules);
    if scheduler.is_some() && schedules.sorted.iter().any(|schedule| adopt.for_schedule(schedule).is_some()) {
        let help =
            "adopt it with a schedule in UTC; or leave it out, and delete the rule when this job is ready".to_owned();
        fields.error("spec.adopt.rules", "a rule cannot become a schedule of EventBridge Scheduler", Some(help));
    }
    let (role_arn, scheduler) = roles::of(fields, &spec, known, scheduler, &triggers);
    let checked = Checked {
        schedules,
        scheduler,
        triggers,
        adopt,
        suspend: spec.suspend.unwrap_or(false),
        retry,
        dead_letter_queue_arn: spec.dead_letter_queue_arn,
        role_arn,
        deletion_policy: spec.deletion_policy.unwrap_or(DeletionPolicy::Delete),
        task_definition: spec.task_definition.unwrap_or_default(),
        run_task: spec.run_task.unwrap_or_default(),
    };
    if known.is_some() {
        as_aws_would(fields, &checked);
    }
    roles::of_tasks(fields);
    checked
}

/// What AWS would refuse. Where a part did not even type, its absence would only be reported again.
fn as_aws_would(fields: &mut Fields<'_>, checked: &Checked) {
    const TASK_DEFINITION: &str = "spec.taskDefinition";
    const RUN_TASK: &str = "spec.runTask";
    let (definition, run_task) = (&checked.task_definition, &checked.run_task);
    let types = |fields: &Fields<'_>, path: &str| fields.has(path) && !fields.findings.has_errors_below(path);
    let definition_types = types(fields, TASK_DEFINITION);
    let run_task_types = !fields.has(RUN_TASK) || types(fields, RUN_TASK);
    if definition_types && run_task_types {
        fields.problems(TASK_DEFINITION, check::task_definition(definition, run_task));
        fields.problems(RUN_TASK, check::run_task(run_task, definition));
    }
}
