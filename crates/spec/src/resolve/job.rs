//! The EtlJob.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::merge::{self, TAGS};
use super::spec::{self, Checked};
use super::triggers::Triggers;
use super::{Fields, Known, metadata, templates};
use crate::directory::BlockedReason;
use crate::document::Document;
use crate::finding::Findings;
use crate::job::{Job, Origin};
use crate::manifest::{JobSpec, Metadata};
use crate::name::{ClusterName, Digest, JobName, Prefix};
use crate::path::Segment;
use crate::shapes::Packed;
use crate::suggest;
use crate::trigger::Runs;
use crate::typed;
use crate::yaml::{Node, shown};

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

/// Checks an EtlJob with its cluster's defaults merged in; what is wrong goes to the document's findings.
pub fn job(document: &mut Document, origin: Origin, context: &Context<'_>) -> Result<Job, Refused> {
    let cluster = find_cluster(document, context);
    let Document { root, findings, .. } = document;
    let read = read_document(root, findings, cluster.as_ref().ok().copied(), context);
    let known = cluster.map_err(|refused| {
        let reason = if findings.has_errors_but(CLUSTER) { BlockedReason::InvalidSpec } else { refused.reason };
        Refused { reason, message: findings.summary().unwrap_or(refused.message) }
    })?;
    let (Some(read), false) = (read, findings.has_errors()) else {
        let message = findings.summary().unwrap_or_else(|| "the manifest is invalid".to_owned());
        return Err(Refused { reason: BlockedReason::InvalidSpec, message });
    };
    // No shape of AWS refuses to be written as JSON.
    build(read, origin, known, merge::open(root))
        .map_err(|error| Refused { reason: BlockedReason::InvalidSpec, message: error.to_string() })
}

/// What the sections of a document say.
struct Read {
    name: JobName,
    tags: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    annotations: metadata::Annotations,
    spec: Checked,
}

/// Merges, types and checks a document; none if what is left has no name or no spec.
fn read_document(
    root: &mut Node,
    findings: &mut Findings,
    known: Option<&Known>,
    context: &Context<'_>,
) -> Option<Read> {
    let written = root.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
    let name = written.and_then(|name| JobName::new(name).ok());
    merge::merge(root, findings, known, name.as_ref());
    let metadata: Metadata = section(root, "metadata", findings).unwrap_or_default();
    let spec: Option<JobSpec> = section(root, "spec", findings);
    // What is wrong with a tag is reported below, at its own place.
    let tags = root.get(TAGS).and_then(|tags| typed::read(tags, &[], &mut Findings::default()));
    let mut fields = Fields::new(root, findings);
    fields.missing("metadata.name", "the job's name, unique in the directory");
    if let Some(Err(error)) = metadata.name.as_deref().map(JobName::new) {
        fields.error("metadata.name", error.to_string(), None);
    }
    let annotations = metadata::annotations(&mut fields, &metadata);
    metadata::tags(&mut fields, "metadata.labels", root.get(TAGS));
    if !fields.has("spec") {
        fields.error("", "missing field `spec`", None);
    }
    let spec = spec.map(|spec| spec::check(&mut fields, spec, known, context.now));
    if let (Some(name), Some(spec)) = (&name, &spec) {
        name_length(&mut fields, name, context.prefix, spec);
    }
    if let Some(spec) = root.get("spec") {
        templates::check(spec, findings);
    }
    Some(Read {
        name: name?,
        tags: tags.unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        annotations,
        spec: spec?,
    })
}

fn build(read: Read, origin: Origin, known: &Known, open: BTreeMap<String, String>) -> serde_json::Result<Job> {
    let Read { name, tags, labels, annotations, spec } = read;
    let tags = Arc::new(tags);
    let labels = if *tags == labels { Arc::clone(&tags) } else { Arc::new(labels) };
    let mut job = Job {
        runs: Runs::of(&known.cluster.ecs_cluster, &spec.task_definition, &spec.run_task, &spec.adopt),
        name,
        origin,
        tags,
        labels,
        reconcile_disabled: annotations.reconcile_disabled,
        moved_from: annotations.moved_from,
        deletion_policy: spec.deletion_policy,
        cluster: known.cluster.name.clone(),
        place: known.cluster.place.clone(),
        ecs_cluster: known.cluster.ecs_cluster.clone(),
        drain: known.cluster.drain,
        schedules: spec.schedules.sorted,
        schedule_is_list: spec.schedules.is_list,
        scheduler: spec.scheduler,
        after: spec.triggers.after,
        events: spec.triggers.events,
        notify: spec.triggers.notify,
        adopt: spec.adopt,
        suspend: spec.suspend,
        retry: spec.retry,
        dead_letter_queue_arn: spec.dead_letter_queue_arn,
        role_arn: spec.role_arn,
        task_definition: Packed::of(&spec.task_definition)?,
        run_task: Packed::of(&spec.run_task)?,
        open,
        digest: Digest::of(b""),
    };
    job.digest = job.compute_digest();
    Ok(job)
}

/// Reads a section of a document that may be absent.
fn section<T: DeserializeOwned>(root: &Node, key: &str, findings: &mut Findings) -> Option<T> {
    root.get(key).and_then(|node| typed::read(node, &[Segment::Key(key.to_owned())], findings))
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

/// A rule's name has at most 64 characters; all but that of a single schedule carry a dot and six digits more.
fn name_length(fields: &mut Fields<'_>, name: &JobName, prefix: &Prefix, spec: &Checked) {
    let Triggers { after, events, notify } = &spec.triggers;
    let because = match () {
        () if spec.schedules.is_list => " with a list of schedules",
        () if !after.is_empty() => " with `after`",
        () if !events.is_empty() => " with `events`",
        () if !notify.is_empty() => " with `notify`",
        () => "",
    };
    let most = if because.is_empty() { 64 } else { 57 };
    let length = prefix.as_str().len() + name.as_str().len();
    if length > most {
        let message = format!("`{prefix}{name}` has {length} characters; at most {most} are allowed{because}");
        fields.error("metadata.name", message, None);
    }
}
