//! The EtlCluster and its defaults.

use super::{Fields, arn, metadata, triggers};
use crate::defaults::Defaults;
use crate::document::Document;
use crate::finding::Findings;
use crate::job::{Backend, Cluster, Origin, Place};
use crate::manifest::{ClusterSpec, Metadata};
use crate::name::{ClusterName, Region};
use crate::path::{self, Segment};
use crate::trigger::Notify;
use crate::typed;
use crate::variables;
use crate::yaml::{Node, Value, shown};

/// A valid cluster with what it brings to its jobs.
#[derive(Debug, Clone)]
pub struct Known {
    /// The cluster.
    pub cluster: Cluster,
    /// What goes under each job, as written.
    pub defaults: Defaults,
    /// Role that EventBridge assumes, for jobs without one.
    pub events_role_arn: Option<String>,
    /// Role that EventBridge Scheduler assumes, for jobs without one.
    pub scheduler_role_arn: Option<String>,
    /// What keeps the schedules of jobs in UTC.
    pub backend: Backend,
    /// `spec.notify`, for jobs without one.
    pub notify: Vec<Notify>,
}

/// Checks an EtlCluster; what is wrong goes to the document's findings.
pub fn cluster(document: &mut Document, origin: Origin) -> Option<Known> {
    let Document { root, findings, .. } = document;
    let metadata: Metadata = read(root, "metadata", findings);
    let defaults = take_defaults(root, findings);
    let spec: ClusterSpec = read(root, "spec", findings);
    let mut fields = Fields::new(root, findings);
    if metadata.name.is_none() {
        fields.missing("metadata.name", "jobs say it as `spec.cluster`");
    }
    if spec.region.is_none() {
        fields.missing("spec.region", "such as `region: ap-northeast-1`");
    }
    let name = metadata.name.and_then(|name| fields.name("metadata.name", ClusterName::new(name)));
    let region = spec.region.and_then(|region| fields.name("spec.region", Region::new(region)));
    let roles = [
        ("spec.eventsRoleArn", &spec.events_role_arn),
        ("spec.schedulerRoleArn", &spec.scheduler_role_arn),
        ("spec.assumeRoleArn", &spec.assume_role_arn),
    ];
    for (path, role) in roles {
        if let Some(role) = role
            && let Err(why) = arn::role(role)
        {
            fields.error(path, why, None);
        }
    }
    if spec.assume_role_arn.as_ref().is_some_and(|role| !role.starts_with("arn:")) {
        let message = "expected an ARN: the account of a role's name is not known before the role is assumed";
        fields.error("spec.assumeRoleArn", message, None);
    }
    if let Some(id) = &spec.external_id {
        if spec.assume_role_arn.is_none() {
            fields.error(
                "spec.externalId",
                "it is given when a role is assumed, but there is no `assumeRoleArn`",
                None,
            );
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
        if !(2..=1224).contains(&id.len()) || !id.chars().all(allowed) {
            fields.error("spec.externalId", "expected 2 to 1224 letters, digits and `_+=,.@:/-`", None);
        }
    }
    if let Some(cluster) = &spec.cluster
        && let Err(why) = arn::ecs_cluster(cluster, region.as_ref())
    {
        fields.error("spec.cluster", why, None);
    }
    let notify = triggers::notify(&mut fields, spec.notify.as_deref().unwrap_or_default(), region.as_ref());
    if fields.findings.has_errors() {
        return None;
    }
    let (name, region) = (name?, region?);
    let ecs_cluster = spec.cluster.unwrap_or_else(|| name.as_str().to_owned());
    let place = Place { region, assume_role_arn: spec.assume_role_arn, external_id: spec.external_id };
    let cluster = Cluster { name, origin, place, ecs_cluster, drain: spec.drain.unwrap_or(false) };
    Some(Known {
        cluster,
        defaults,
        events_role_arn: spec.events_role_arn,
        scheduler_role_arn: spec.scheduler_role_arn,
        backend: spec.scheduler.unwrap_or_default(),
        notify,
    })
}

fn read<T: serde::de::DeserializeOwned + Default>(root: &Node, key: &str, findings: &mut Findings) -> T {
    let read = |node| typed::read(node, &[Segment::Key(key.to_owned())], findings);
    root.get(key).and_then(read).unwrap_or_default()
}

/// The parts of `spec.defaults`, without nulls, which have nothing to remove here.
fn take_defaults(root: &mut Node, findings: &mut Findings) -> Defaults {
    let Some(node) = root.get_mut("spec").and_then(|spec| spec.get_mut("defaults")) else { return Defaults::default() };
    let mut nulls = Vec::new();
    crate::defaults::take_nulls(node, &mut "spec.defaults".to_owned(), &mut nulls);
    for (at, path) in nulls {
        findings.warning(at, path, "null has no effect in defaults", None);
    }
    unknown_variables(node, &mut "spec.defaults".to_owned(), false, findings);
    let tags = node.get("tags").cloned();
    metadata::tags(&mut Fields::new(root, findings), "spec.defaults.tags", tags.as_ref());
    let Some(node) = root.get("spec").and_then(|spec| spec.get("defaults")) else { return Defaults::default() };
    let part = |key: &str| node.get(key).cloned();
    Defaults {
        task_definition: part("taskDefinition"),
        container: part("container"),
        run_task: part("runTask"),
        tags: part("tags"),
    }
}

fn unknown_variables(node: &Node, path: &mut String, overrides: bool, findings: &mut Findings) {
    let length = path.len();
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Open { .. } => {}
        Value::String(text) => {
            for name in variables::names(text) {
                let run = overrides && variables::run_variable(name).is_some();
                if !run && !variables::IN_DEFAULTS.contains(&name) {
                    let known: &[&str] = if overrides { &KNOWN } else { &variables::IN_DEFAULTS };
                    let help = variables::suggest(name, known);
                    let message = format!("unknown variable `${{{}}}`", shown(name));
                    findings.error(node.at, path.as_str(), message, Some(help));
                }
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                unknown_variables(item, path, overrides, findings);
                path.truncate(length);
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map {
                path::push_key(path, key);
                unknown_variables(&entry.node, path, overrides || key == "overrides", findings);
                path.truncate(length);
            }
        }
    }
}

const KNOWN: [&str; 4] = ["job", "region", "account", variables::SCHEDULED_TIME];
