//! AWS as it is, kept by the simulation from what each request changed: rules, targets and revisions.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_emulator::{Entity, Kind};
use jiff::Timestamp;
use serde_json::Value;

use crate::triggers::{FARES, Fate};

/// Account and Region, and a name in it.
pub type Key = (String, String);

/// The Id of the one target that a controller puts on a rule of its own.
pub const TARGET: &str = "ecs-etl";

/// A rule, or a schedule of EventBridge Scheduler, which is named `group/name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its expression; empty without one.
    pub expression: String,
    /// The time zone of a schedule that is not in UTC.
    pub zone: Option<String>,
    /// Its event pattern; empty without one.
    pub pattern: String,
    /// Whether it may fire.
    pub enabled: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its targets by Id.
    pub targets: BTreeMap<String, Value>,
    /// The whole row.
    pub row: Value,
}

/// A revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its family.
    pub family: String,
    /// Its number.
    pub number: u32,
    /// Whether it is ACTIVE.
    pub active: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The version of the image of its main container.
    pub version: Option<u32>,
    /// What a job of the cluster got by default.
    pub shared: Option<String>,
    /// How its runs end.
    pub fate: Fate,
    /// When it was last seen pinned by a target, or made.
    pub wanted_at: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
    /// The whole row.
    pub row: Value,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    /// Rules.
    pub rules: BTreeMap<Key, Rule>,
    /// Revisions, by `family:number`.
    pub revisions: BTreeMap<Key, Revision>,
    /// Tags of groups of schedules, by name.
    groups: BTreeMap<Key, Tags>,
    /// Rules that match events, also those that are gone: no rule with a schedule ever has the name of one.
    patterns: BTreeSet<Key>,
}

type Tags = BTreeMap<String, String>;

/// One thing, before and after.
#[derive(Debug, Clone)]
pub enum Changed {
    /// A rule.
    Rule(Key, Option<Rule>, Option<Rule>),
    /// A revision.
    Revision(Key, Option<Revision>, Option<Revision>),
}

impl Mirror {
    /// Takes a change, and tells what it changed of what is kept here.
    pub fn take(&mut self, entity: &Entity<'_>, at: Timestamp) -> Vec<Changed> {
        let key = (format!("{}/{}", entity.account, entity.region), entity.name.clone());
        match entity.kind {
            Kind::Rule => vec![self.put_rule(key, entity.value.map(Rule::of), at)],
            Kind::Schedule => {
                let group = key.1.split('/').next().map(|group| (key.0.clone(), group.to_owned()));
                let marks = group.and_then(|group| self.groups.get(&group));
                let schedule = entity.value.map(|row| Rule::of_schedule(&key.1, row, marks));
                vec![self.put_rule(key, schedule, at)]
            }
            Kind::ScheduleGroup => {
                match entity.value {
                    Some(row) => drop(self.groups.insert(key.clone(), tags(row))),
                    None => drop(self.groups.remove(&key)),
                }
                self.regroup(&key, at)
            }
            Kind::Revision => {
                let before = self.revisions.get(&key).cloned();
                let (wanted, made) = before.as_ref().map_or((at, at), |before| (before.wanted_at, before.made_at));
                let after = entity.value.and_then(|row| Revision::of(&key.1, row, wanted, made));
                match after.clone() {
                    Some(revision) => self.revisions.insert(key.clone(), revision),
                    None => self.revisions.remove(&key),
                };
                vec![Changed::Revision(key, before, after)]
            }
            Kind::Family
            | Kind::Cluster
            | Kind::Index
            | Kind::Task
            | Kind::Former
            | Kind::Queue
            | Kind::Message
            | Kind::Retry => Vec::new(),
        }
    }

    fn put_rule(&mut self, key: Key, after: Option<Rule>, at: Timestamp) -> Changed {
        if after.as_ref().is_some_and(|rule| !rule.pattern.is_empty()) {
            self.patterns.insert(key.clone());
        }
        let before = match after.clone() {
            Some(rule) => self.rules.insert(key.clone(), rule),
            None => self.rules.remove(&key),
        };
        self.touch_pinned(&key.0, before.as_ref(), at);
        self.touch_pinned(&key.0, after.as_ref(), at);
        Changed::Rule(key, before, after)
    }

    /// The schedules of a group bear its marks.
    fn regroup(&mut self, group: &Key, at: Timestamp) -> Vec<Changed> {
        let within = format!("{}/", group.1);
        let marks = self.groups.get(group);
        let schedules = self.rules.iter().filter(|(key, _)| key.0 == group.0 && key.1.starts_with(&within));
        let marked = schedules.map(|(key, rule)| (key.clone(), Rule::of_schedule(&key.1, &rule.row, marks)));
        let changed: Vec<(Key, Rule)> = marked.filter(|(key, rule)| self.rules.get(key) != Some(rule)).collect();
        changed.into_iter().map(|(key, rule)| self.put_rule(key, Some(rule), at)).collect()
    }

    fn touch_pinned(&mut self, place: &str, rule: Option<&Rule>, at: Timestamp) {
        for pinned in rule.into_iter().flat_map(Rule::pins) {
            if let Some(revision) = self.revisions.get_mut(&(place.to_owned(), pinned)) {
                revision.wanted_at = at;
            }
        }
    }

    /// Rules that bear a controller's mark for a job, wherever they are.
    pub fn rules_of<'a>(&'a self, controller: &'a str, job: &'a str) -> impl Iterator<Item = (&'a Key, &'a Rule)> {
        self.rules.iter().filter(move |(_, rule)| is_ours(&rule.tags, controller, job))
    }

    /// Whether a controller's group of schedules is there without its mark.
    pub fn group_is_theirs(&self, place: &str, controller: &str) -> bool {
        let group = self.groups.get(&(place.to_owned(), format!("ecs-etl-{controller}")));
        group.is_some_and(|tags| !belongs_to(tags, controller))
    }

    /// Whether a rule matches events, or did before it went.
    pub fn is_pattern(&self, key: &Key) -> bool {
        self.patterns.contains(key)
    }

    /// Whether any target pins a revision.
    pub fn is_pinned(&self, key: &Key) -> bool {
        self.rules.iter().any(|((place, _), rule)| *place == key.0 && rule.pins().any(|pinned| pinned == key.1))
    }

    /// The revisions of a family, newest first.
    pub fn family<'a>(&'a self, place: &'a str, family: &'a str) -> Vec<&'a Revision> {
        let from = (place.to_owned(), format!("{family}:"));
        let mut all: Vec<&Revision> = self
            .revisions
            .range(from..)
            .take_while(|((at, name), _)| at == place && name.rsplit_once(':').is_some_and(|(of, _)| of == family))
            .map(|(_, revision)| revision)
            .collect();
        all.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        all
    }
}

impl Rule {
    fn of(row: &Value) -> Self {
        let member = |name: &str| row.pointer(&format!("/members/{name}")).and_then(Value::as_str).unwrap_or_default();
        let targets = row.get("targets").and_then(Value::as_object);
        Self {
            expression: member("ScheduleExpression").to_owned(),
            zone: None,
            pattern: member("EventPattern").to_owned(),
            enabled: member("State") != "DISABLED",
            tags: tags(row),
            targets: targets.into_iter().flatten().map(|(id, target)| (id.clone(), target.clone())).collect(),
            row: row.clone(),
        }
    }

    /// A schedule, which has one target. Its group bears the marks of its owner, its description the others.
    fn of_schedule(name: &str, row: &Value, group: Option<&Tags>) -> Self {
        let member = |name: &str| row.pointer(&format!("/members/{name}")).and_then(Value::as_str).unwrap_or_default();
        let target = row.pointer("/members/Target").cloned().unwrap_or_default();
        let zone = member("ScheduleExpressionTimezone");
        Self {
            expression: member("ScheduleExpression").to_owned(),
            zone: (!["", "UTC"].contains(&zone)).then(|| zone.to_owned()),
            pattern: String::new(),
            enabled: member("State") != "DISABLED",
            tags: marks(name, member("Description"), group),
            targets: BTreeMap::from([(TARGET.to_owned(), target)]),
            row: row.clone(),
        }
    }

    /// Whether it is a schedule of EventBridge Scheduler.
    pub fn is_scheduled(&self) -> bool {
        self.row.pointer("/members/Target").is_some()
    }

    /// Whether our target starts something, and does not tell somebody.
    pub fn runs(&self) -> bool {
        self.targets.get(self.target_id()).is_none_or(|target| target.get("EcsParameters").is_some())
    }

    /// The Id of our target: the usual one, or that of the target that was taken over.
    pub fn target_id(&self) -> &str {
        self.tags.get("ecs-etl/target").map_or(TARGET, String::as_str)
    }

    /// Whether only others have targets on it.
    pub fn is_left_to_others(&self) -> bool {
        let ours = |id: &String| id.starts_with(TARGET) || id == self.target_id();
        !self.targets.is_empty() && !self.targets.keys().any(ours)
    }

    /// Revisions that its targets pin, as `family:number`.
    pub fn pins(&self) -> impl Iterator<Item = String> {
        self.targets.values().filter_map(pinned)
    }
}

/// The revision that a target pins.
pub fn pinned(target: &Value) -> Option<String> {
    let arn = target.pointer("/EcsParameters/TaskDefinitionArn")?.as_str()?;
    arn.split_once(":task-definition/").map(|(_, name)| name.to_owned())
}

impl Revision {
    /// When it was deregistered.
    pub fn deregistered_at(&self) -> Option<Timestamp> {
        self.row.get("deregistered_at")?.as_str()?.parse().ok()
    }

    fn of(name: &str, row: &Value, wanted_at: Timestamp, made_at: Timestamp) -> Option<Self> {
        let (family, number) = name.rsplit_once(':')?;
        let containers = row.pointer("/definition/containerDefinitions").and_then(Value::as_array);
        let main = containers.into_iter().flatten().find_map(|container| {
            let image = container.get("image")?.as_str()?;
            Some((container, image.strip_prefix("registry.example/etl:v")?.parse::<u32>().ok()?))
        });
        let variable = |name: &str| {
            let environment = main.and_then(|(container, _)| container.get("environment")?.as_array());
            let variable = environment
                .into_iter()
                .flatten()
                .find(|variable| variable.get("name").is_some_and(|other| other == name));
            variable?.get("value")?.as_str()
        };
        Some(Self {
            family: family.to_owned(),
            number: number.parse().ok()?,
            active: row.get("status").is_some_and(|status| status == "ACTIVE"),
            tags: tags(row),
            version: main.map(|(_, version)| version),
            shared: variable("SHARED").map(str::to_owned),
            fate: variable(FARES).and_then(Fate::told).unwrap_or_default(),
            wanted_at,
            made_at,
            row: row.clone(),
        })
    }
}

/// What stands for the tags of a schedule: its group's mark, and what its description says of its job.
fn marks(name: &str, description: &str, group: Option<&Tags>) -> Tags {
    let mut marks = Tags::new();
    let Some(group) = group else { return marks };
    let Some(owner) = group.get("ecs-etl/controller") else { return marks };
    let words = description.strip_prefix("Managed by ecs-etl: ").unwrap_or_default().split(' ');
    let said: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
    if said.get("controller").is_some_and(|other| other != owner) {
        return marks;
    }
    let by_name = name.rsplit('/').next().and_then(crate::judge::job_of);
    for (key, value) in [
        ("ecs-etl/controller", Some(owner.as_str())),
        ("ecs-etl/job", said.get("job").copied().or(by_name)),
        ("ecs-etl/policy", said.get("policy").copied()),
        ("ecs-etl/source", said.get("source").copied()),
        ("ecs-etl/reconcile", group.get("ecs-etl/reconcile").map(String::as_str)),
    ] {
        marks.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    marks
}

fn tags(row: &Value) -> Tags {
    let tags = row.get("tags").and_then(Value::as_object);
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    tags.into_iter().flatten().filter_map(text).collect()
}

/// Whether tags bear a controller's mark for a job.
pub fn is_ours(tags: &BTreeMap<String, String>, controller: &str, job: &str) -> bool {
    belongs_to(tags, controller) && tags.get("ecs-etl/job").map(String::as_str) == Some(job)
}

/// Whether tags bear a controller's mark.
pub fn belongs_to(tags: &BTreeMap<String, String>, controller: &str) -> bool {
    tags.get("ecs-etl/controller").map(String::as_str) == Some(controller)
}
