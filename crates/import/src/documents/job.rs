//! An EtlJob of the runs that are one.

use std::collections::BTreeSet;

use ecs_etl_spec::fill_in;
use serde_json::{Map, Value as Json, json};

use super::Draft;
use super::clusters::Cluster;
use crate::finding::{Finding, Kind};
use crate::found::{Run, Takeover};
use crate::write::Comments;

/// EventBridge's own retry policy (docs/aws.md, Rules and targets).
const DEFAULT_SECONDS: u32 = 86_400;
const DEFAULT_ATTEMPTS: u32 = 185;

/// Drafts the document of a group of runs, of which there is at least one; `shared` are families of several jobs.
pub(super) fn draft(name: &str, group: &[Run], cluster: &Cluster, shared: &BTreeSet<String>, overlap: bool) -> Draft {
    let first = group.first().cloned().unwrap_or_else(|| Run::new(Default::default(), String::new(), name.to_owned()));
    let mut findings: Vec<Finding> = group.iter().flat_map(|run| run.findings.clone()).collect();
    findings.dedup_by(|a, b| (&a.why, &a.field, &a.path) == (&b.why, &b.field, &b.path));
    let mut draft = Draft {
        path: format!("jobs/{name}.yaml"),
        value: Json::Null,
        comments: Comments::new(),
        findings,
        file: first.origin.file.clone(),
        line: first.origin.line,
        resource: first.resource.clone(),
    };
    let mut spec = Map::new();
    spec.insert("cluster".to_owned(), json!(cluster.name));
    schedules(&mut draft, &mut spec, group, overlap);
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            spec.insert(key.to_owned(), value);
        }
    };
    put("timeZone", first.time_zone.as_ref().filter(|zone| *zone != "UTC").map(|zone| json!(zone)));
    put("startDate", first.start.as_ref().map(|start| json!(start)));
    put("endDate", first.end.as_ref().map(|end| json!(end)));
    put("flexibleTimeWindowMinutes", first.window.clone());
    put("suspend", Some(first.suspend.clone()).filter(|suspend| *suspend != json!(false)));
    put("startingDeadlineSeconds", Some(first.retry.seconds.clone().unwrap_or(json!(DEFAULT_SECONDS))));
    put("maximumRetryAttempts", first.retry.attempts.clone().filter(|attempts| *attempts != json!(DEFAULT_ATTEMPTS)));
    put("deadLetterQueueArn", first.dead_letter_queue.as_ref().map(|queue| json!(queue)));
    put("roleArn", first.role.as_ref().filter(|role| Some(*role) != cluster.role.as_ref()).map(|role| json!(role)));
    put("runTask", Some(Json::Object(with_network(&first))).filter(|run| *run != json!({})));
    put("taskDefinition", Some(first.task_definition.clone().map_or_else(|| unknown(&first), Json::Object)));
    if first.retry.seconds.is_none() {
        let why = "EventBridge's own deadline, which holds today; a daily job rarely wants to start a day late.";
        draft.comments.entry("spec.startingDeadlineSeconds".to_owned()).or_default().push(why.to_owned());
    }
    take_over(&mut draft, &mut spec, group, shared);
    draft.value = json!({
        "apiVersion": "ecs-etl/v1",
        "kind": "EtlJob",
        "metadata": metadata(&mut draft, name, &first),
        "spec": spec,
    });
    draft
}

/// How the task is started. In a network of its own it needs subnets, which are asked for where nobody named any.
fn with_network(run: &Run) -> Map<String, Json> {
    let mut run_task = run.run_task.clone();
    let mode = run.task_definition.as_ref().and_then(|definition| definition.get("networkMode"));
    if mode == Some(&json!("awsvpc")) && !run_task.contains_key("networkConfiguration") {
        let subnets = json!([fill_in::marker("subnets that the task runs in")]);
        run_task.insert("networkConfiguration".to_owned(), json!({"awsvpcConfiguration": {"subnets": subnets}}));
    }
    run_task
}

fn unknown(run: &Run) -> Json {
    let known = run.family.as_ref().filter(|family| !fill_in::is_open(family));
    let what = known.map_or("task definition".to_owned(), |family| format!("task definition of family {family}"));
    json!(fill_in::marker(&what))
}

fn schedules(draft: &mut Draft, spec: &mut Map<String, Json>, group: &[Run], overlap: bool) {
    let expression = |run: &Run| run.schedule.clone().unwrap_or_else(|| fill_in::marker("schedule"));
    let schedule = match group {
        [only] => json!(expression(only)),
        several => several.iter().map(|run| json!(expression(run))).collect(),
    };
    spec.insert("schedule".to_owned(), schedule);
    if group.len() > 1 && overlap {
        spec.insert("allowOverlap".to_owned(), json!(true));
        let why = "these schedules may fire together, and the job then starts twice, as it does today".to_owned();
        draft.find(Kind::Check, why, "see whether it should", "spec.allowOverlap");
    }
}

fn metadata(draft: &mut Draft, name: &str, run: &Run) -> Json {
    let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
    let mut labels = Map::new();
    for (key, value) in &run.labels {
        let lower = key.to_ascii_lowercase();
        if lower.starts_with("aws:") || lower.starts_with("ecs-etl/") {
            let why = format!("the tag `{key}` belongs to AWS or to another controller");
            draft.find(Kind::NotCarriedOver, why, "nothing, if it is not missed", "metadata");
        } else {
            labels.insert(key.clone(), json!(value));
        }
    }
    if !labels.is_empty() {
        metadata.insert("labels".to_owned(), Json::Object(labels));
    }
    if let Some(description) = run.description.as_ref().filter(|text| !text.is_empty()) {
        metadata.insert("annotations".to_owned(), json!({ "description": description }));
    }
    Json::Object(metadata)
}

/// What becomes of what starts these runs today: taken over, or waited for.
fn take_over(draft: &mut Draft, spec: &mut Map<String, Json>, group: &[Run], shared: &BTreeSet<String>) {
    let Some(first) = group.first() else { return };
    let rules: Vec<&str> = group.iter().filter_map(|run| rule(&run.takeover)).collect();
    match &first.takeover {
        Takeover::Nothing => {}
        Takeover::Adopt { rule: _ } => {
            let family = first.family.as_deref().filter(|family| !shared.contains(*family));
            spec.insert("adopt".to_owned(), adopt(family, &rules));
            if let (Some(shared), None) = (&first.family, family) {
                let why = format!("several jobs start the family {shared}, and each becomes a family of its own");
                draft.find(Kind::Check, why, "nothing, if nothing else starts that family by its name", "spec.adopt");
            }
        }
        Takeover::Beside { why, action } => {
            spec.insert("suspend".to_owned(), json!(true));
            let why = format!("suspended, or it would run twice: {why}");
            draft.find(Kind::Check, why, action, "spec.suspend");
        }
    }
}

fn rule(takeover: &Takeover) -> Option<&str> {
    match takeover {
        Takeover::Adopt { rule } => Some(rule),
        Takeover::Beside { .. } | Takeover::Nothing => None,
    }
}

/// `spec.adopt`: existing resources that the job takes over under their own names.
fn adopt(family: Option<&str>, rules: &[&str]) -> Json {
    let mut adopt = Map::new();
    if let Some(family) = family {
        adopt.insert("family".to_owned(), json!(family));
    }
    adopt.insert("rules".to_owned(), json!(rules));
    Json::Object(adopt)
}
