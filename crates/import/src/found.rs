//! What every source is read into.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::finding::{Finding, Kind};
use crate::template::Template;

/// Everything that a source holds.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Schedules with what they start, in the order in which they were found.
    pub runs: Vec<Run>,
    /// Templates that became markers.
    pub templates: Vec<Template>,
    /// Findings that are about no run.
    pub findings: Vec<Finding>,
    /// Values of all task definitions together.
    pub(crate) weight: usize,
}

impl Found {
    /// Adds what another file holds.
    pub fn extend(&mut self, other: Self) {
        let Self { runs, templates, findings, weight } = other;
        self.runs.extend(runs);
        self.templates.extend(templates);
        self.findings.extend(findings);
        self.weight += weight;
    }
}

/// Where something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// File, or the place in AWS.
    pub file: String,
    /// Line, counted from 1; 0 where none is known.
    pub line: u32,
}

/// How EventBridge retries a run that did not start. Absent means EventBridge's own: a day, and 185 times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retry {
    /// `maximumEventAgeInSeconds`.
    pub seconds: Option<Json>,
    /// `maximumRetryAttempts`.
    pub attempts: Option<Json>,
}

/// What becomes of what starts these runs today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takeover {
    /// A rule of this name, which the job takes over.
    Adopt {
        /// Name of the rule.
        rule: String,
    },
    /// Something that cannot be taken over and goes on to start runs: why, and what to do about it.
    Beside {
        /// What it is.
        why: String,
        /// How it ends.
        action: String,
    },
    /// Nothing that is known of.
    Nothing,
}

/// One schedule with what it starts. Values are JSON where they may be a marker instead.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where it was found.
    pub origin: Origin,
    /// What it is called in findings, such as `rule nightly`.
    pub resource: String,
    /// What a job is named after.
    pub name: String,
    /// Family of its task definition.
    pub family: Option<String>,
    /// What starts it today.
    pub takeover: Takeover,
    /// Name or ARN of the ECS cluster.
    pub cluster: Option<String>,
    /// AWS Region.
    pub region: Option<String>,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Tags that people gave it.
    pub labels: BTreeMap<String, String>,
    /// Schedule expression.
    pub schedule: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// The first moment that counts.
    pub start: Option<String>,
    /// The last one.
    pub end: Option<String>,
    /// How many minutes later than its moment a run may start.
    pub window: Option<Json>,
    /// Whether it is disabled.
    pub suspend: Json,
    /// Retry policy.
    pub retry: Retry,
    /// ARN of the dead-letter queue.
    pub dead_letter_queue: Option<String>,
    /// Name or ARN of the role that starts it.
    pub role: Option<String>,
    /// Name or ARN of the role that EventBridge Scheduler assumes, which no rule can use.
    pub scheduler_role: Option<String>,
    /// The task definition in the shape of RegisterTaskDefinition, less family and tags.
    pub task_definition: Option<Map<String, Json>>,
    /// In the words of RunTask.
    pub run_task: Map<String, Json>,
    /// What a person should know; `path` says where in the manifest.
    pub findings: Vec<Finding>,
}

impl Run {
    /// A run of which nothing is known but where it was found.
    pub fn new(origin: Origin, resource: String, name: String) -> Self {
        Self {
            origin,
            resource,
            name,
            family: None,
            takeover: Takeover::Nothing,
            cluster: None,
            region: None,
            description: None,
            labels: BTreeMap::new(),
            schedule: None,
            time_zone: None,
            start: None,
            end: None,
            window: None,
            suspend: Json::Bool(false),
            retry: Retry::default(),
            dead_letter_queue: None,
            role: None,
            scheduler_role: None,
            task_definition: None,
            run_task: Map::new(),
            findings: Vec::new(),
        }
    }

    /// A finding about this run that is in no manifest.
    pub fn about(&self, kind: Kind, why: impl Into<String>, action: &str) -> Finding {
        Finding {
            kind,
            file: self.origin.file.clone(),
            line: self.origin.line,
            resource: self.resource.clone(),
            field: String::new(),
            why: why.into(),
            action: action.to_owned(),
            manifest: None,
            path: None,
        }
    }

    /// Adds a finding about a field of the source; `path` is where it shows in the manifest.
    pub fn find(&mut self, kind: Kind, field: &str, why: impl Into<String>, action: impl Into<String>, path: &str) {
        let about = self.about(kind, why, &action.into());
        self.findings.push(Finding { field: field.to_owned(), path: Some(path.to_owned()), ..about });
    }

    /// Adds what was left over when the source was read, each as not carried over.
    pub fn left(&mut self, left: Vec<crate::object::Left>, path: &str) {
        for left in left {
            let action = "see whether the job needs it".to_owned();
            self.find(Kind::NotCarriedOver, &left.field, left.why, action, path);
            if let Some(last) = self.findings.last_mut().filter(|_| left.line > 0) {
                last.line = left.line;
            }
        }
    }
}

/// Escapes what a manifest would fill in in `overrides`: there `${` begins a variable, `$${` is a literal one.
pub fn literal(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace("${", "$${")),
        Json::Array(items) => items.into_iter().map(literal).collect(),
        Json::Object(map) => map.into_iter().map(|(key, value)| (key, literal(value))).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => value,
    }
}
