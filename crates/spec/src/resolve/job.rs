//! The EtlJob.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::arn::{self, Role};
use super::{Fields, Known, metadata, schedules, templates};
use crate::check;
use crate::defaults;
use crate::directory::BlockedReason;
use crate::document::Document;
use crate::finding::Findings;
use crate::job::{DeletionPolicy, Job, Origin, Retry};
use crate::manifest::{JobSpec, Metadata};
use crate::name::{ClusterName, Digest, JobName, Prefix};
use crate::path::Segment;
use crate::shapes::{RunTask, TaskDefinition};
use crate::suggest;
use crate::typed;
use crate::variables::Scope;
use crate::yaml::{Entry, Node, Value, shown};

/// What a job is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// Valid clusters.
    pub clusters: &'c BTreeMap<ClusterName, Known>,
    /// Clusters that are written but cannot be used, with the reason.
    pub broken: &'c BTreeMap<String, String>,
    /// Prefix of every name in AWS.
    pub prefix: &'c Prefix,
    /// The present: a schedule may have had its last run.
    pub now: Timestamp,
}

/// Why a job is not used; the findings say more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Reason for the condition.
    pub reason: BlockedReason,
    /// Sentence for a person.
    pub message: String,
}

/// EventBridge's own limits and defaults (docs/aws.md, Rules and schedules), save the default deadline: AWS's own, a
/// day, starts a daily job a day late.
const DEADLINE: std::ops::RangeInclusive<u32> = 60..=86_400;
const DEFAULT_DEADLINE: u32 = 3600;
const ATTEMPTS: std::ops::RangeInclusive<u32> = 0..=185;

/// Checks an EtlJob and merges its cluster's defaults in; what is wrong goes to the document's findings.
pub fn job(document: &mut Document, origin: Origin, context: &Context<'_>) -> Result<Job, Refused> {
    let cluster = find_cluster(document, context);
    let Document { root, findings, .. } = document;
    let written = root.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
    let name = written.and_then(|name| JobName::new(name).ok());
    merge(root, findings, cluster.as_ref().ok().copied(), name.as_ref());
    let metadata =
        root.get("metadata").and_then(|node| typed::read(node, &[Segment::Key("metadata".to_owned())], findings));
    let metadata: Metadata = metadata.unwrap_or_default();
    let spec: Option<JobSpec> = read(root, "spec", findings);
    let mut fields = Fields::new(root, findings);
    fields.missing("metadata.name", "the job's name, unique in the directory");
    if let Some(Err(error)) = metadata.name.as_deref().map(JobName::new) {
        fields.error("metadata.name", error.to_string(), None);
    }
    let annotations = metadata::annotations(&mut fields, &metadata);
    let tags: BTreeMap<String, String> = read_quietly(root.get("tags"));
    let labels = metadata.labels.unwrap_or_default();
    metadata::tags(&mut fields, "metadata.labels", root.get("tags"));
    let checked = spec.map(|spec| check_spec(&mut fields, spec, cluster.as_ref().ok().copied(), context.now));
    if let (Some(name), Some(checked)) = (&name, &checked) {
        name_length(&mut fields, name, context.prefix, checked.schedules.is_list);
    }
    if let Some(spec) = root.get("spec") {
        templates::check(spec, findings);
    }
    let mut open = BTreeMap::new();
    for (pointer, node) in [
        ("/taskDefinition", root.get("spec").and_then(|spec| spec.get("taskDefinition"))),
        ("/runTask", root.get("spec").and_then(|spec| spec.get("runTask"))),
        ("/tags", root.get("tags")),
    ] {
        if let Some(node) = node {
            open_texts(node, &mut pointer.to_owned(), &mut open);
        }
    }
    if let (Some(checked), true) = (&checked, cluster.is_ok()) {
        as_aws_would(&mut Fields::new(root, findings), checked);
    }
    let known = match cluster {
        Ok(known) => known,
        Err(refused) => {
            let reason = if findings.has_errors_but(CLUSTER) { BlockedReason::InvalidSpec } else { refused.reason };
            return Err(Refused { reason, message: findings.summary().unwrap_or(refused.message) });
        }
    };
    let invalid = |findings: &Findings| Refused {
        reason: BlockedReason::InvalidSpec,
        message: findings.summary().unwrap_or_else(|| "the manifest is invalid".to_owned()),
    };
    let (Some(name), Some(checked), false) = (name, checked, findings.has_errors()) else {
        return Err(invalid(findings));
    };
    let mut job = Job {
        name,
        origin,
        tags,
        labels,
        reconcile_disabled: annotations.reconcile_disabled,
        moved_from: annotations.moved_from,
        deletion_policy: checked.deletion_policy,
        cluster: known.cluster.name.clone(),
        place: known.cluster.place.clone(),
        ecs_cluster: known.cluster.ecs_cluster.clone(),
        drain: known.cluster.drain,
        schedules: checked.schedules.sorted,
        schedule_is_list: checked.schedules.is_list,
        suspend: checked.suspend,
        retry: checked.retry,
        dead_letter_queue_arn: checked.dead_letter_queue_arn,
        role_arn: checked.role_arn,
        task_definition: checked.task_definition,
        run_task: checked.run_task,
        open,
        digest: Digest::of(b""),
    };
    job.digest = job.compute_digest();
    Ok(job)
}

const CLUSTER: &str = "spec.cluster";

fn find_cluster<'c>(document: &mut Document, context: &Context<'c>) -> Result<&'c Known, Refused> {
    let node = document.root.get("spec").and_then(|spec| spec.get("cluster"));
    let Some((at, written)) = node.and_then(|node| node.text().map(|text| (node.at, text.to_owned()))) else {
        if document.root.get("spec").is_some() {
            let mut fields = Fields::new(&document.root, &mut document.findings);
            fields.missing(CLUSTER, "the name of an EtlCluster in this directory");
        }
        let message = "spec.cluster is missing".to_owned();
        return Err(Refused { reason: BlockedReason::InvalidSpec, message });
    };
    if let Some(known) = context.clusters.get(written.as_str()) {
        return Ok(known);
    }
    let (message, help) = match context.broken.get(&written) {
        Some(why) => (format!("EtlCluster `{}` cannot be used: {why}", shown(&written)), None),
        None => {
            let names =
                context.clusters.keys().map(ClusterName::as_str).chain(context.broken.keys().map(String::as_str));
            let help = suggest::among(&written, names.collect::<Vec<_>>().into_iter());
            (format!("there is no EtlCluster `{}` in this directory", shown(&written)), help)
        }
    };
    document.findings.error(at, CLUSTER, message.clone(), help);
    Err(Refused { reason: BlockedReason::ClusterNotFound, message: format!("{CLUSTER}: {message}") })
}

/// Merges the cluster's defaults into the document, and its tags, under labels, as a section of their own.
fn merge(root: &mut Node, findings: &mut Findings, known: Option<&Known>, name: Option<&JobName>) {
    let filled = |node: &Option<Node>| {
        let mut node = node.clone()?;
        if let (Some(known), Some(job)) = (known, name) {
            Scope { job, region: &known.cluster.place.region }.fill(&mut node, false);
        }
        Some(node)
    };
    let base = known.map(|known| &known.defaults);
    let labels = root.get("metadata").and_then(|metadata| metadata.get("labels")).cloned();
    let tags = match (base.and_then(|base| filled(&base.tags)), labels) {
        (Some(base), Some(over)) => Some(defaults::overlay(base, over)),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    };
    let mut nulls = Vec::new();
    if let Some(spec) = root.get_mut("spec").and_then(Node::mapping_mut) {
        let at = |spec: &BTreeMap<String, Entry>, key: &str| spec.get(key).map(|entry| entry.key_at);
        let over = |spec: &mut BTreeMap<String, Entry>, key: &str| {
            // An empty `taskDefinition:` removes nothing; typing refuses the null.
            spec.get(key).filter(|entry| !entry.node.is_null()).map(|entry| entry.node.clone())
        };
        let (key_at, own) = (at(spec, "taskDefinition"), over(spec, "taskDefinition"));
        if own.is_some() || key_at.is_none() {
            let base = base.map(|base| (filled(&base.task_definition), filled(&base.container)));
            let (base, container) = base.unwrap_or_default();
            if let Some(mut node) = defaults::task_definition(base, container, own) {
                defaults::take_nulls(&mut node, &mut "spec.taskDefinition".to_owned(), &mut nulls);
                name_single_container(&mut node, name);
                spec.insert("taskDefinition".to_owned(), Entry { key_at: key_at.unwrap_or(node.at), node });
            }
        }
        let (key_at, own) = (at(spec, "runTask"), over(spec, "runTask"));
        if (own.is_some() || key_at.is_none())
            && let Some(mut node) = defaults::run_task(base.and_then(|base| filled(&base.run_task)), own)
        {
            defaults::take_nulls(&mut node, &mut "spec.runTask".to_owned(), &mut nulls);
            spec.insert("runTask".to_owned(), Entry { key_at: key_at.unwrap_or(node.at), node });
        }
    }
    if let (Some(mut node), Some(map)) = (tags, root.mapping_mut()) {
        defaults::take_nulls(&mut node, &mut "metadata.labels".to_owned(), &mut nulls);
        map.insert("tags".to_owned(), Entry { key_at: node.at, node });
    }
    if let Some(labels) = root.get_mut("metadata").and_then(|metadata| metadata.get_mut("labels")) {
        defaults::take_nulls(labels, &mut String::new(), &mut Vec::new());
    }
    if known.is_none() {
        // There may be a default in the cluster that cannot be read.
        return;
    }
    for (at, path) in nulls {
        let help = "leave the field out, or write \"\" for an empty string".to_owned();
        findings.warning(at, path, "null removes a default, but there is none here", Some(help));
    }
}

/// A single container needs no name of its own.
fn name_single_container(task_definition: &mut Node, name: Option<&JobName>) {
    let containers = task_definition.get_mut("containerDefinitions").and_then(Node::sequence_mut);
    if let (Some([only]), Some(name)) = (containers.map(Vec::as_mut_slice), name) {
        let at = only.at;
        if let Some(map) = only.mapping_mut() {
            let node = Node { at, value: Value::String(name.as_str().to_owned()) };
            map.entry("name".to_owned()).or_insert(Entry { key_at: at, node });
        }
    }
}

/// A spec whose fields were looked at.
struct Checked {
    schedules: schedules::Schedules,
    suspend: bool,
    retry: Retry,
    dead_letter_queue_arn: Option<String>,
    role_arn: String,
    deletion_policy: DeletionPolicy,
    task_definition: TaskDefinition,
    run_task: RunTask,
}

fn check_spec(fields: &mut Fields<'_>, spec: JobSpec, known: Option<&Known>, now: Timestamp) -> Checked {
    let schedules = match &spec.schedule {
        Some(schedule) => schedules::schedules(fields, schedule, spec.allow_overlap.unwrap_or(false), now),
        None => {
            fields.missing("spec.schedule", "such as `schedule: \"0 2 * * *\"`");
            schedules::Schedules { sorted: Vec::new(), is_list: false }
        }
    };
    if let Some(name) = &spec.time_zone {
        schedules::time_zone(fields, name);
    }
    if spec.adopt.is_some() {
        let message = "taking over existing resources is not supported yet";
        fields.error("spec.adopt", message, Some("it comes in a later version; remove the field".to_owned()));
    }
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
        && let Err(why) = arn::queue(queue, known.map(|known| &known.cluster.place.region))
    {
        fields.error("spec.deadLetterQueueArn", why, None);
    }
    let role_arn = match (&spec.role_arn, known) {
        (Some(role), _) => {
            if let Err(why) = Role::check(role) {
                fields.error("spec.roleArn", why, None);
            }
            role.clone()
        }
        (None, Some(known)) => match &known.events_role_arn {
            Some(role) => role.clone(),
            None => {
                let help = format!("or set `eventsRoleArn` in EtlCluster `{}`", known.cluster.name);
                fields.missing("spec.roleArn", &help);
                String::new()
            }
        },
        (None, None) => String::new(),
    };
    Checked {
        schedules,
        suspend: spec.suspend.unwrap_or(false),
        retry,
        dead_letter_queue_arn: spec.dead_letter_queue_arn,
        role_arn,
        deletion_policy: spec.deletion_policy.unwrap_or(DeletionPolicy::Delete),
        task_definition: spec.task_definition.unwrap_or_default(),
        run_task: spec.run_task.unwrap_or_default(),
    }
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

/// A rule's name has at most 64 characters; one of a list carries a dot and six digits more.
fn name_length(fields: &mut Fields<'_>, name: &JobName, prefix: &Prefix, list: bool) {
    let most = if list { 57 } else { 64 };
    let length = prefix.as_str().len() + name.as_str().len();
    if length > most {
        let because = if list { " with a list of schedules" } else { "" };
        let message = format!("`{prefix}{name}` has {length} characters; at most {most} are allowed{because}");
        fields.error("metadata.name", message, None);
    }
}

/// Collects what is still open, by JSON pointer.
fn open_texts(node: &Node, pointer: &mut String, open: &mut BTreeMap<String, String>) {
    let length = pointer.len();
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {}
        Value::Open { template, .. } => {
            open.insert(pointer.clone(), template.clone());
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                open_texts(item, pointer, open);
                pointer.truncate(length);
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                open_texts(&entry.node, pointer, open);
                pointer.truncate(length);
            }
        }
    }
}

fn read<T: DeserializeOwned>(root: &Node, key: &str, findings: &mut Findings) -> Option<T> {
    match root.get(key) {
        Some(node) => typed::read(node, &[Segment::Key(key.to_owned())], findings),
        None => {
            findings.error(root.at, "", format!("missing field `{key}`"), None);
            None
        }
    }
}

/// Reads what was reported elsewhere.
fn read_quietly<T: DeserializeOwned + Default>(node: Option<&Node>) -> T {
    node.and_then(|node| typed::read(node, &[], &mut Findings::default())).unwrap_or_default()
}
