//! A resolved job as a manifest again: what `ecs-etl render` shows.

use serde_json::{Map, Value as Json, json};

use crate::job::{DeletionPolicy, Job};
use crate::manifest::{API_VERSION, Kind, MOVED_FROM, RECONCILE};

/// The job after defaults as an EtlJob document.
///
/// Loaded beside a cluster of the same place without defaults but its tags, it gives a job with the same digest; save
/// where `${account}` is still open, which a job cannot say of itself.
pub fn yaml(job: &Job) -> String {
    crate::yaml::emit(&document(job))
}

/// The same as JSON.
pub fn json(job: &Job) -> Json {
    document(job)
}

fn document(job: &Job) -> Json {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(job.name));
    if !job.labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(job.labels));
    }
    let mut annotations = Map::new();
    if job.reconcile_disabled {
        annotations.insert(RECONCILE.to_owned(), json!("disabled"));
    }
    if let Some(old) = &job.moved_from {
        annotations.insert(MOVED_FROM.to_owned(), json!(old));
    }
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), Json::Object(annotations));
    }
    json!({"apiVersion": API_VERSION, "kind": Kind::Job.name(), "metadata": metadata, "spec": spec(job)})
}

fn spec(job: &Job) -> Json {
    let mut spec = Map::new();
    let mut put = |key: &str, value: Json| {
        spec.insert(key.to_owned(), value);
    };
    put("cluster", json!(job.cluster));
    // Rules that are taken over stand in the order of their schedules: those come first.
    let (adopted, others): (Vec<_>, Vec<_>) =
        job.schedules.iter().partition(|schedule| job.adopt.for_schedule(schedule).is_some());
    let expressions: Vec<&str> = adopted.iter().chain(&others).map(|schedule| schedule.expression()).collect();
    match expressions.as_slice() {
        [] => {}
        [only] if !job.schedule_is_list => put("schedule", json!(only)),
        several => put("schedule", json!(several)),
    }
    if !job.after.is_empty() {
        put("after", job.after.iter().map(|after| json!({"job": after.job, "on": after.on})).collect());
    }
    if !job.events.is_empty() {
        let (adopted, others): (Vec<_>, Vec<_>) =
            job.events.iter().partition(|pattern| job.adopt.for_event(pattern).is_some());
        put("events", adopted.iter().chain(&others).map(|pattern| json!({"pattern": pattern})).collect());
    }
    if !job.notify.is_empty() {
        put("notify", json!(job.notify));
    }
    if let Some(on) = &job.scheduler {
        put("timeZone", json!(on.time_zone));
        let mut put_if = |key: &str, value: Json| {
            if !value.is_null() {
                put(key, value);
            }
        };
        put_if("startDate", json!(on.start_date));
        put_if("endDate", json!(on.end_date));
        put_if("flexibleTimeWindowMinutes", json!(on.flexible_time_window_minutes));
    }
    if several_may_coincide(job) {
        put("allowOverlap", json!(true));
    }
    if !job.adopt.is_empty() {
        put("adopt", adopt(job));
    }
    put("suspend", json!(job.suspend));
    put("startingDeadlineSeconds", json!(job.retry.maximum_event_age_seconds));
    put("maximumRetryAttempts", json!(job.retry.maximum_attempts));
    if let Some(queue) = &job.dead_letter_queue_arn {
        put("deadLetterQueueArn", json!(queue));
    }
    if let Some(role) = role_arn(job) {
        put("roleArn", json!(role));
    }
    put(
        "deletionPolicy",
        match job.deletion_policy {
            DeletionPolicy::Delete => json!("Delete"),
            DeletionPolicy::Retain => json!("Retain"),
        },
    );
    put("taskDefinition", serde_json::to_value(&job.task_definition).unwrap_or_default());
    let run_task = serde_json::to_value(&job.run_task).unwrap_or_default();
    if run_task.as_object().is_some_and(|map| !map.is_empty()) {
        put("runTask", run_task);
    }
    Json::Object(spec)
}

/// The one role that the job would write itself. Where rules and Scheduler assume two, both are the cluster's.
fn role_arn(job: &Job) -> Option<&str> {
    let scheduler = job.scheduler.as_ref().map(|on| on.role_arn.as_str());
    match (job.role_arn.as_deref(), scheduler) {
        (Some(events), Some(scheduler)) => (events == scheduler).then_some(events),
        (events, scheduler) => events.or(scheduler),
    }
}

fn adopt(job: &Job) -> Json {
    let mut adopt = Map::new();
    if let Some(family) = &job.adopt.family {
        adopt.insert("family".to_owned(), json!(family));
    }
    // Both are sorted as the schedules and events themselves are.
    let rules: Vec<_> = job
        .schedules
        .iter()
        .filter_map(|schedule| job.adopt.for_schedule(schedule))
        .chain(job.events.iter().filter_map(|pattern| job.adopt.for_event(pattern)))
        .collect();
    if !rules.is_empty() {
        adopt.insert("rules".to_owned(), json!(rules));
    }
    Json::Object(adopt)
}

/// Whether the schedules may coincide was checked when the job was loaded; several are only written back as allowed.
fn several_may_coincide(job: &Job) -> bool {
    job.schedules.len() > 1
}
