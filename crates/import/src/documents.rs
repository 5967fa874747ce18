//! What was found, as manifests.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::fill_in;
use ecs_etl_spec::name::ControllerName;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::finding::{Finding, Kind};
use crate::found::{Found, Run};
use crate::group;
use crate::name::Names;
use crate::template::Template;
use crate::write::{self, Comments};

mod clusters;
mod job;
mod markers;

use clusters::Clusters;

/// What the caller knows and the source does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The present: schedules of one job that will never again fire together need no leave to.
    pub now: Timestamp,
    /// Identity and endpoint of an EtlController to write.
    pub controller: Option<(ControllerName, String)>,
    /// Region where the source names none.
    pub region: Option<String>,
    /// ECS cluster where the source names none.
    pub cluster: Option<String>,
}

/// A manifest to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Path below the output directory, with `/` between parts.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// It holds a value that looks secret.
    pub secret: bool,
}

/// The outcome of an import.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Manifests, one for each job, each cluster, and the controller.
    pub manifests: Vec<Manifest>,
    /// Names of the jobs.
    pub jobs: Vec<String>,
    /// What a person should know, in the order of the source.
    pub findings: Vec<Finding>,
}

/// Makes manifests of what was found.
#[must_use]
pub fn manifests(mut found: Found, options: &Options) -> Import {
    for run in &mut found.runs {
        complete(run, options);
    }
    let Found { runs, templates, findings, weight: _ } = found;
    let templates: BTreeMap<String, String> =
        templates.into_iter().map(|Template { call, marker }| (marker, call)).collect();
    let mut import = Import { findings, ..Import::default() };
    let groups = group::group(runs);
    let shared = shared_families(&groups);
    let mut clusters = Clusters::new(&groups);
    let mut names = Names::default();
    let mut jobs = Vec::new();
    for group in groups {
        let Some(first) = group.first() else { continue };
        let named = first.family.as_deref().filter(|_| group.len() > 1).unwrap_or(&first.name);
        let name = names.give(named, "job");
        let cluster = clusters.of(first);
        let overlap = group::overlaps(&group, options.now);
        let draft = job::draft(&name, &group, &cluster, &shared, overlap);
        jobs.push(finish(draft, &templates, &mut import.findings));
        import.jobs.push(name);
    }
    if let Some((name, endpoint)) = &options.controller {
        import.manifests.push(controller(name, endpoint));
    }
    for draft in clusters.into_drafts() {
        let manifest = finish(draft, &templates, &mut import.findings);
        import.manifests.push(manifest);
    }
    import.manifests.extend(jobs);
    import
}

/// A document in the making.
struct Draft {
    /// Path below the output directory.
    path: String,
    /// The document.
    value: Json,
    /// Comments that are no findings.
    comments: Comments,
    /// What is to be said about it.
    findings: Vec<Finding>,
    /// Where it was found; findings about what it holds are said of this.
    file: String,
    line: u32,
    resource: String,
}

impl Draft {
    fn find(&mut self, kind: Kind, why: String, action: &str, path: &str) {
        self.findings.push(Finding {
            kind,
            file: self.file.clone(),
            line: self.line,
            resource: self.resource.clone(),
            field: String::new(),
            why,
            action: action.to_owned(),
            manifest: None,
            path: Some(path.to_owned()),
        });
    }
}

/// Says everything about a draft that is to be said, and writes it.
fn finish(mut draft: Draft, templates: &BTreeMap<String, String>, findings: &mut Vec<Finding>) -> Manifest {
    markers::find(&mut draft, templates);
    let mut secret = false;
    for part in ["taskDefinition", "runTask"] {
        let Some(value) = draft.value.get("spec").and_then(|spec| spec.get(part)).cloned() else { continue };
        for path in crate::secret::paths(&value, &format!("spec.{part}")) {
            secret = true;
            let why = "the value looks secret, and stands here as it was found".to_owned();
            draft.find(Kind::Check, why, "keep it in Secrets Manager or Parameter Store, under `secrets`", &path);
        }
    }
    let Draft { path, value, mut comments, findings: said, .. } = draft;
    let mut known = BTreeSet::new();
    every_path(&value, String::new(), &mut known);
    for mut finding in said {
        finding.manifest = Some(path.clone());
        let at = nearest(&known, finding.path.as_deref().unwrap_or_default());
        comments.entry(at).or_default().push(comment(&finding));
        findings.push(finding);
    }
    Manifest { text: write::document(&value, &comments), path, secret }
}

fn comment(finding: &Finding) -> String {
    let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
    match finding.kind {
        Kind::FillIn => format!("Fill in: {field}{}; {}.", finding.why, finding.action),
        Kind::NotCarriedOver => format!("Not carried over: {field}{}; {}.", finding.why, finding.action),
        Kind::Check => format!("Check: {field}{}; {}.", finding.why, finding.action),
    }
}

/// The innermost field on the way of a path that the document has.
fn nearest(known: &BTreeSet<String>, path: &str) -> String {
    let mut path = path;
    while !known.contains(path) && !path.is_empty() {
        let cut = path.rfind(['.', '[']).unwrap_or_default();
        path = path.get(..cut).unwrap_or_default();
    }
    path.to_owned()
}

fn every_path(value: &Json, path: String, known: &mut BTreeSet<String>) {
    match value {
        Json::Object(map) => map.iter().for_each(|(key, value)| every_path(value, write::below(&path, key), known)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| every_path(item, format!("{path}[{index}]"), known));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    known.insert(path);
}

/// Fills in what the caller knows.
fn complete(run: &mut Run, options: &Options) {
    let known = |value: &String| !fill_in::is_open(value);
    let of_arn =
        |cluster: &String| cluster.split(':').nth(3).filter(|_| cluster.starts_with("arn:")).map(str::to_owned);
    let (region, cluster) = (run.region.take(), run.cluster.take());
    let by_cluster = cluster.as_ref().and_then(of_arn).filter(known);
    run.region = region.clone().filter(known).or(by_cluster).or_else(|| options.region.clone()).or(region);
    run.cluster = cluster.clone().filter(known).or_else(|| options.cluster.clone()).or(cluster);
}

/// Families that several jobs start. A job owns its family, so none of them can take it over.
fn shared_families(groups: &[Vec<Run>]) -> BTreeSet<String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for family in groups.iter().filter_map(|group| group.first()?.family.as_deref()) {
        *count.entry(family).or_default() += 1;
    }
    count.into_iter().filter(|(_, jobs)| *jobs > 1).map(|(family, _)| family.to_owned()).collect()
}

fn controller(name: &ControllerName, endpoint: &str) -> Manifest {
    let value = json!({
        "apiVersion": "ecs-etl/v1",
        "kind": "EtlController",
        "metadata": {"name": name},
        "spec": {"endpoint": endpoint},
    });
    let comments = Comments::from([(
        "metadata.name".to_owned(),
        vec![
            "The ownership mark on everything these manifests create: never change it while it owns anything."
                .to_owned(),
        ],
    )]);
    Manifest { path: "controller.yaml".to_owned(), text: write::document(&value, &comments), secret: false }
}
