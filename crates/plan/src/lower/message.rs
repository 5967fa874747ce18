//! What somebody who asked for it is told of a run's end.

use std::collections::BTreeMap;

use ecs_etl_spec::job::BoundJob;
use ecs_etl_spec::shapes::events::{DeadLetterConfig, InputTransformer, RetryPolicy, Target};
use ecs_etl_spec::trigger::{Notify, Outcome};
use serde_json::json;

use crate::desired::TARGET_ID;

/// What of the event is told, by the key under which it is.
const TOLD: [(&str, &str); 7] = [
    ("cluster", "$.detail.clusterArn"),
    ("startedAt", "$.detail.startedAt"),
    ("stopCode", "$.detail.stopCode"),
    ("stoppedAt", "$.detail.stoppedAt"),
    ("stoppedReason", "$.detail.stoppedReason"),
    ("task", "$.detail.taskArn"),
    ("taskDefinition", "$.detail.taskDefinitionArn"),
];

/// The one target of a rule that tells `notify.target`.
pub(super) fn target(notify: &Notify, bound: &BoundJob) -> Target {
    let job = &bound.job;
    Target {
        id: Some(TARGET_ID.to_owned()),
        arn: Some(notify.target.clone()),
        role_arn: notify.role_arn.clone(),
        input_transformer: (!is_bus(&notify.target)).then(|| transformer(notify.on, job.name.as_str())),
        retry_policy: Some(RetryPolicy {
            maximum_retry_attempts: i32::try_from(job.retry.maximum_attempts).ok(),
            maximum_event_age_in_seconds: i32::try_from(job.retry.maximum_event_age_seconds).ok(),
        }),
        dead_letter_config: job.dead_letter_queue_arn.as_ref().map(|arn| DeadLetterConfig { arn: Some(arn.clone()) }),
        ..Target::default()
    }
}

/// A bus is given the event as it is: whether EventBridge takes an input for one is not known (docs/aws.md, Rules and
/// targets).
fn is_bus(arn: &str) -> bool {
    arn.split(':').nth(2) == Some("events")
}

/// One JSON object, its first line a sentence for people. Each value is one of its own, without quotes: EventBridge then
/// escapes it, and a reason is free text.
fn transformer(on: Outcome, job: &str) -> InputTransformer {
    let sentence = match on {
        Outcome::Success => format!("ETL job {job} succeeded"),
        Outcome::Failure => format!("ETL job {job} failed"),
        Outcome::Completion => format!("ETL job {job} ended"),
    };
    let mut lines = vec![format!("\"message\": {}", json!(sentence)), format!("\"job\": {}", json!(job))];
    lines.push(format!("\"on\": {}", json!(on)));
    lines.extend(TOLD.iter().map(|(key, _)| format!("\"{key}\": <{key}>")));
    let paths: BTreeMap<String, String> =
        TOLD.iter().map(|(key, path)| ((*key).to_owned(), (*path).to_owned())).collect();
    InputTransformer {
        input_paths_map: Some(paths),
        input_template: Some(format!("{{\n  {}\n}}", lines.join(",\n  "))),
    }
}
