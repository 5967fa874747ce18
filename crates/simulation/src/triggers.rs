//! What starts a job besides its schedule, how its runs end, and who hears of that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sketch::set;

/// Which end of a run counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum End {
    /// `success`.
    Success,
    /// `failure`.
    Failure,
    /// `completion`.
    Completion,
}

/// How the runs of a job end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// With exit code 0.
    #[default]
    Well,
    /// With another one.
    Fails,
    /// They never start.
    NeverStarts,
}

/// `spec.after`, `spec.events` and `spec.notify`, and what the containers do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Triggers {
    /// Jobs that it starts after, each once.
    pub after: Vec<(String, End)>,
    /// The `source` of each event that it starts at.
    pub events: BTreeSet<String>,
    /// Of which ends somebody is told.
    pub notify: BTreeSet<End>,
    /// How its runs end.
    pub fate: Fate,
}

impl End {
    /// The word under `on`.
    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Completion => "completion",
        }
    }

    /// Whether a run that ends so is meant.
    pub fn is_met_by(self, fate: Fate) -> bool {
        match self {
            Self::Success => fate == Fate::Well,
            Self::Failure => fate != Fate::Well,
            Self::Completion => true,
        }
    }
}

impl Fate {
    /// What the emulator is told of it; nothing of what it does by itself.
    fn words(self) -> Option<&'static str> {
        match self {
            Self::Well => None,
            Self::Fails => Some("exit=3"),
            Self::NeverStarts => Some("start=fails"),
        }
    }

    /// The fate that a container's variable tells of.
    pub fn told(words: &str) -> Option<Self> {
        [Self::Fails, Self::NeverStarts].into_iter().find(|fate| fate.words() == Some(words))
    }
}

/// The variable in which the emulator is told how a run fares.
pub const FARES: &str = "ECS_ETL_EMULATE";

/// Who is told.
pub fn listener(region: &str) -> String {
    format!("arn:aws:sns:{region}:123456789012:etl-ends")
}

impl Triggers {
    /// How many rules they take that start the job.
    pub fn starts(&self) -> usize {
        self.after.len() + self.events.len()
    }

    /// Whether others start the job and are told, whatever becomes of its runs.
    pub fn like(&self, other: &Self) -> bool {
        let Self { after, events, notify, fate: _ } = self;
        *after == other.after && *events == other.events && *notify == other.notify
    }

    /// Writes them into the spec of a job of that name in that Region, which has everything else already.
    pub(crate) fn render(&self, job: &str, region: &str, spec: &mut Value) {
        let after = self.after.iter().map(|(upstream, end)| json!({"job": upstream, "on": end.word()}));
        set(spec, "after", (!self.after.is_empty()).then(|| after.collect()));
        let events = self.events.iter().map(|source| json!({"pattern": {"source": [source]}}));
        set(spec, "events", (!self.events.is_empty()).then(|| events.collect()));
        let notify = self.notify.iter().map(|end| json!({"on": end.word(), "target": listener(region)}));
        set(spec, "notify", (!self.notify.is_empty()).then(|| notify.collect()));
        if let Some(words) = self.fate.words() {
            let environment = spec.pointer_mut("/taskDefinition/containerDefinitions/0/environment");
            if let Some(environment) = environment.and_then(Value::as_array_mut) {
                environment.push(json!({"name": FARES, "value": words}));
            }
        }
        self.pass_on(job, spec);
    }

    /// Hands the run what its cause tells.
    fn pass_on(&self, job: &str, spec: &mut Value) {
        let mut environment = Vec::new();
        if !self.after.is_empty() {
            environment.push(json!({"name": "AFTER", "value": "${after.taskArn}"}));
        }
        if !self.events.is_empty() {
            environment.push(json!({"name": "KEY", "value": "${event.detail.key}"}));
        }
        if environment.is_empty() {
            return;
        }
        let named = spec.pointer("/taskDefinition/containerDefinitions/0/name").and_then(Value::as_str);
        let container = named.unwrap_or(job).to_owned();
        if spec.get("runTask").is_none() {
            set(spec, "runTask", Some(json!({})));
        }
        let Some(run) = spec.get_mut("runTask") else { return };
        if run.get("overrides").is_none() {
            set(run, "overrides", Some(json!({"containerOverrides": [{"name": container}]})));
        }
        let Some(main) = run.pointer_mut("/overrides/containerOverrides/0") else { return };
        match main.get_mut("environment").and_then(Value::as_array_mut) {
            Some(others) => others.extend(environment),
            None => set(main, "environment", Some(Value::Array(environment))),
        }
    }
}
