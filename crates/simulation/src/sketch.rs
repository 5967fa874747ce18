//! What a platform team means to write: jobs, clusters and a controller in a form that can be edited, compared and rendered.
//!
//! The simulation keeps its own picture of the manifests, made without the code under test, so that what the controller makes
//! of the rendered files can be held against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::defaults::Defaults;
use crate::shape;
use crate::timing::Timing;
use crate::triggers::Triggers;

/// A whole directory, as it is meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// The EtlController.
    pub controller: Controller,
    /// EtlClusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// EtlJobs by name.
    pub jobs: BTreeMap<String, Job>,
}

/// An EtlController.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controller {
    /// Its identity.
    pub name: String,
    /// `spec.source`.
    pub source: String,
    /// `spec.prefix`.
    pub prefix: String,
    /// `spec.prune.graceSeconds`.
    pub grace: u32,
    /// `spec.prune.maxDeletions`.
    pub max_deletions: u32,
    /// `spec.maxChanges`.
    pub max_changes: Option<u32>,
    /// `spec.keepRevisions`.
    pub keep_revisions: u32,
    /// `spec.resyncSeconds`.
    pub resync: u32,
    /// `spec.approved`.
    pub approved: Option<String>,
}

/// An EtlCluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// `spec.region`.
    pub region: String,
    /// `spec.assumeRoleArn`, in another account.
    pub role: Option<String>,
    /// `spec.drain`.
    pub drain: bool,
    /// A value that every job of the cluster gets by default: one edit reaches them all.
    pub shared: u32,
    /// `spec.scheduler: scheduler`.
    #[serde(default)]
    pub scheduler: bool,
    /// What else `spec.defaults` gives.
    #[serde(default)]
    pub defaults: Defaults,
}

/// An EtlJob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// `spec.cluster`.
    pub cluster: String,
    /// `spec.schedule`, as a person writes it.
    pub schedules: Vec<String>,
    /// Whether `spec.schedule` is a list.
    pub list: bool,
    /// `spec.suspend`.
    pub suspend: bool,
    /// `ecs-etl/reconcile: disabled`.
    pub disabled: bool,
    /// `ecs-etl/moved-from`.
    pub moved_from: Option<String>,
    /// `spec.deletionPolicy: Retain`.
    pub retain: bool,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// The version of its image: what tells one spec of a job from another in a task definition.
    pub version: u32,
    /// What the rest of its task definition is drawn from.
    pub shape: u64,
    /// Breaks a rule of the manifests: the job is blocked.
    pub invalid: bool,
    /// `spec.timeZone`.
    #[serde(default)]
    pub zone: Option<String>,
    /// What else EventBridge Scheduler does for it.
    #[serde(default)]
    pub timing: Timing,
    /// Whatever else starts it, and who hears of its end.
    #[serde(default)]
    pub triggers: Triggers,
    /// `spec.adopt`: the name of both the family and the rule that it takes over.
    #[serde(default)]
    pub adopt: Option<String>,
    /// `spec.allowOverlap`.
    #[serde(default)]
    pub overlaps: bool,
}

impl Book {
    /// The file that holds the controller.
    pub const CONTROLLER: &str = "controller.yaml";

    /// The file that holds a cluster.
    pub fn file_of_cluster(cluster: &str) -> String {
        format!("clusters/{cluster}.yaml")
    }

    /// The file that holds a job.
    pub fn file_of(job: &str) -> String {
        format!("jobs/{job}.yaml")
    }

    /// Every file. What `before` said already is taken from its `files`.
    pub fn files_since(
        &self,
        before: Option<&Self>,
        mut files: BTreeMap<String, Arc<[u8]>>,
    ) -> BTreeMap<String, Arc<[u8]>> {
        let mut all = BTreeMap::new();
        let mut put = |path: String, unchanged: bool, document: &dyn Fn() -> Value| {
            let known = files.remove(&path).filter(|_| unchanged);
            all.insert(path, known.unwrap_or_else(|| yaml(&document()).into_bytes().into()));
        };
        let unchanged = before.is_some_and(|before| before.controller == self.controller);
        put(Self::CONTROLLER.to_owned(), unchanged, &|| self.controller.document());
        for (name, cluster) in &self.clusters {
            let unchanged = before.is_some_and(|before| before.clusters.get(name) == Some(cluster));
            put(Self::file_of_cluster(name), unchanged, &|| cluster.document(name));
        }
        for (name, job) in &self.jobs {
            let cluster = self.cluster_of(job);
            // What a job removes of the defaults hangs on what these are.
            let unchanged = before.is_some_and(|before| {
                before.jobs.get(name) == Some(job) && same_place(before.cluster_of(job), cluster)
            });
            put(Self::file_of(name), unchanged, &|| job.document(name, cluster));
        }
        all
    }

    /// The cluster of a job, if it is written.
    pub fn cluster_of(&self, job: &Job) -> Option<&Cluster> {
        self.clusters.get(&job.cluster)
    }

    /// A job that is to be live: valid, and of a cluster that does not drain.
    pub fn wants(&self, name: &str) -> Option<&Job> {
        self.valid(name, &mut Vec::new()).filter(|job| !self.drains(job))
    }

    fn drains(&self, job: &Job) -> bool {
        self.cluster_of(job).is_some_and(|cluster| cluster.drain)
    }

    /// A job that breaks no rule, of a cluster that is there, and after jobs that can start it; `waiting` are those that wait for it.
    fn valid<'a>(&'a self, name: &str, waiting: &mut Vec<String>) -> Option<&'a Job> {
        let usable = |job: &&Job| !job.invalid && self.cluster_of(job).is_some();
        let job = self.jobs.get(name).filter(usable).filter(|_| !waiting.iter().any(|other| other == name))?;
        waiting.push(name.to_owned());
        let place = |job: &Job| self.cluster_of(job).map(|cluster| (cluster.region.clone(), cluster.role.clone()));
        let starts = job.triggers.after.iter().all(|(upstream, _)| {
            self.valid(upstream, waiting).is_some_and(|before| {
                let runs = (job.suspend || !before.suspend) && (self.drains(job) || !self.drains(before));
                runs && place(before) == place(job)
            })
        });
        waiting.pop();
        starts.then_some(job)
    }

    /// Whether the schedules of a job are EventBridge Scheduler's.
    pub fn is_scheduled(&self, job: &Job) -> bool {
        let zoned = job.zone.as_deref().is_some_and(|zone| zone != "UTC");
        zoned
            || job.timing.needs_scheduler(&job.schedules)
            || self.cluster_of(job).is_some_and(|cluster| cluster.scheduler)
    }

    /// The jobs that a job waits for, however far.
    pub fn upstream_of<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let mut all: Vec<&str> = Vec::new();
        let mut next = vec![name];
        while let Some(name) = next.pop() {
            for (upstream, _) in self.jobs.get(name).into_iter().flat_map(|job| &job.triggers.after) {
                if !all.contains(&upstream.as_str()) {
                    all.push(upstream);
                    next.push(upstream);
                }
            }
        }
        all
    }

    /// Whether any document speaks of the job, so that nobody may take it for gone.
    pub fn mentions(&self, name: &str) -> bool {
        let goes = self.valid(name, &mut Vec::new()).is_some_and(|job| self.drains(job));
        self.jobs.contains_key(name) && !goes
    }
}

impl Controller {
    fn document(&self) -> Value {
        let mut spec = json!({
            "prefix": self.prefix,
            "source": self.source,
            "prune": {"graceSeconds": self.grace, "maxDeletions": self.max_deletions},
            "keepRevisions": self.keep_revisions,
            "resyncSeconds": self.resync,
        });
        set(&mut spec, "maxChanges", self.max_changes.map(Value::from));
        set(&mut spec, "approved", self.approved.clone().map(Value::from));
        document("EtlController", json!({"name": self.name}), spec)
    }
}

impl Cluster {
    /// One that says where it is, and nothing else.
    pub(crate) fn plain(region: &str, role: Option<&str>) -> Self {
        Self {
            region: region.to_owned(),
            role: role.map(str::to_owned),
            drain: false,
            shared: 1,
            scheduler: false,
            defaults: Defaults::default(),
        }
    }

    /// Where its jobs live: `account/region`.
    pub fn place(&self) -> String {
        place(&self.region, self.role.as_deref())
    }

    fn document(&self, name: &str) -> Value {
        let container = json!({
            "memory": 64,
            "environment": [{"name": "SHARED", "value": self.shared.to_string()}],
        });
        let mut defaults = json!({"container": container, "tags": {"cluster": name}});
        self.defaults.render(&mut defaults);
        let mut spec = json!({
            "region": self.region,
            "eventsRoleArn": "events",
            "schedulerRoleArn": "scheduler",
            "defaults": defaults,
        });
        set(&mut spec, "drain", self.drain.then_some(Value::Bool(true)));
        set(&mut spec, "scheduler", self.scheduler.then(|| json!("scheduler")));
        set(&mut spec, "assumeRoleArn", self.role.clone().map(Value::from));
        document("EtlCluster", json!({"name": name}), spec)
    }
}

impl Job {
    /// The family of its task definition, if that is its name.
    pub fn family(&self, name: &str) -> String {
        self.adopt.clone().unwrap_or_else(|| format!("etl-{name}"))
    }

    fn document(&self, name: &str, cluster: Option<&Cluster>) -> Value {
        let mut metadata = json!({"name": name});
        let mut annotations = Map::new();
        if self.disabled {
            annotations.insert("ecs-etl/reconcile".to_owned(), json!("disabled"));
        }
        if let Some(former) = &self.moved_from {
            annotations.insert("ecs-etl/moved-from".to_owned(), json!(former));
        }
        set(&mut metadata, "annotations", (!annotations.is_empty()).then_some(Value::Object(annotations)));
        set(&mut metadata, "labels", (!self.labels.is_empty()).then(|| json!(self.labels)));
        let mut spec = shape::spec(name, self.shape, self.version);
        shape::add(name, self.shape, cluster, &mut spec);
        let region = cluster.map_or("eu-central-1", |cluster| cluster.region.as_str());
        self.triggers.render(name, region, &mut spec);
        self.timing.render(&mut spec);
        set(&mut spec, "cluster", Some(json!(self.cluster)));
        let schedule = if self.list { json!(self.schedules) } else { json!(self.schedules.first()) };
        set(&mut spec, "schedule", Some(schedule).filter(|_| !self.schedules.is_empty()));
        set(&mut spec, "adopt", self.adopt.as_ref().map(|taken| json!({"family": taken, "rules": [taken]})));
        set(&mut spec, "timeZone", self.zone.as_ref().map(|zone| json!(zone)));
        set(&mut spec, "allowOverlap", self.overlaps.then_some(Value::Bool(true)));
        set(&mut spec, "suspend", self.suspend.then_some(Value::Bool(true)));
        set(&mut spec, "deletionPolicy", self.retain.then(|| json!("Retain")));
        set(&mut spec, "startingDeadlineSeconds", self.invalid.then(|| json!(5)));
        document("EtlJob", metadata, spec)
    }
}

/// Whether two clusters give a job's document the same Region and the same defaults to do without.
fn same_place(one: Option<&Cluster>, other: Option<&Cluster>) -> bool {
    let said = |cluster: Option<&Cluster>| cluster.map(|cluster| (cluster.region.clone(), cluster.defaults));
    said(one) == said(other)
}

fn document(kind: &str, metadata: Value, spec: Value) -> Value {
    json!({"apiVersion": "ecs-etl/v1", "kind": kind, "metadata": metadata, "spec": spec})
}

/// Sets a member that has a value.
pub(crate) fn set(object: &mut Value, member: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(member.to_owned(), value);
    }
}

/// Plain values always have a YAML form.
fn yaml(document: &Value) -> String {
    serde_yaml::to_string(document).unwrap_or_default()
}

/// `account/region` of a Region, in the account that a role leads to.
pub fn place(region: &str, role: Option<&str>) -> String {
    let account = role.and_then(|role| role.split(':').nth(4)).unwrap_or("123456789012");
    format!("{account}/{region}")
}
