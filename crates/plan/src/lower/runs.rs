//! Which events of ECS tell of the end of a job's runs (docs/aws.md, Tasks).

use ecs_etl_spec::job::{BoundJob, cluster_arn};
use ecs_etl_spec::name::Family;
use ecs_etl_spec::pattern::EventPattern;
use ecs_etl_spec::trigger::{Outcome, Runs};
use serde_json::{Map, Value, json};

/// What ends a task from outside, or before its containers ran: there may be no exit code then.
const NOT_BY_ITSELF: [&str; 4] = ["TaskFailedToStart", "SpotInterruption", "TerminationNotice", "UserInitiated"];

/// Matches the event of each run of `family` that ended as `on` says.
///
/// The main container's name and exit code must hold in one and the same element: with the code alone, any sidecar's
/// would do.
pub(super) fn ended(on: Outcome, runs: &Runs, family: &Family, beside: &BoundJob) -> EventPattern {
    let (region, account) = (&beside.job.place.region, &beside.account);
    let mut detail = Map::new();
    let mut put = |key: &str, value: Value| detail.insert(key.to_owned(), value);
    put("clusterArn", json!([cluster_arn(&runs.ecs_cluster, region, account)]));
    put("lastStatus", json!(["STOPPED"]));
    match &runs.group {
        None => put("group", json!([format!("family:{family}")])),
        Some(group) => {
            // A group may be shared between jobs.
            let revisions = format!("arn:{}:ecs:{region}:{account}:task-definition/{family}:", region.partition());
            put("taskDefinitionArn", json!([{"prefix": revisions}]));
            put("group", json!([group]))
        }
    };
    match on {
        Outcome::Success => {
            put("stopCode", json!(["EssentialContainerExited"]));
            put("containers", json!({"name": [runs.container], "exitCode": [0]}))
        }
        Outcome::Failure => {
            let exited = json!({"containers": {"name": [runs.container], "exitCode": [{"anything-but": [0]}]}});
            put("$or", json!([exited, {"stopCode": NOT_BY_ITSELF}]))
        }
        Outcome::Completion => None,
    };
    let mut pattern = Map::new();
    pattern.insert("source".to_owned(), json!(["aws.ecs"]));
    pattern.insert("detail-type".to_owned(), json!(["ECS Task State Change"]));
    pattern.insert("detail".to_owned(), Value::Object(detail));
    EventPattern::of(&pattern)
}
