//! AWS as it is, kept by the simulation from what each request changed: rules, targets and revisions.

use std::collections::BTreeMap;

use ecs_etl_emulator::{Entity, Kind};
use jiff::Timestamp;
use serde_json::Value;

/// Account and Region, and a name in it.
pub type Key = (String, String);

/// The Id of the one target that a controller puts on a rule.
pub const TARGET: &str = "ecs-etl";

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its expression; empty without one.
    pub expression: String,
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
}

/// One thing, before and after.
#[derive(Debug, Clone)]
pub enum Changed {
    /// A rule.
    Rule(Key, Option<Rule>, Option<Rule>),
    /// A revision.
    Revision(Key, Option<Revision>, Option<Revision>),
}

impl Mirror {
    /// Takes a change; none for a kind of thing that is not kept here.
    pub fn take(&mut self, entity: &Entity<'_>, at: Timestamp) -> Option<Changed> {
        let key = (format!("{}/{}", entity.account, entity.region), entity.name.clone());
        match entity.kind {
            Kind::Rule => {
                let after = entity.value.map(Rule::of);
                let before = match after.clone() {
                    Some(rule) => self.rules.insert(key.clone(), rule),
                    None => self.rules.remove(&key),
                };
                self.touch_pinned(&key.0, before.as_ref(), at);
                self.touch_pinned(&key.0, after.as_ref(), at);
                Some(Changed::Rule(key, before, after))
            }
            Kind::Revision => {
                let before = self.revisions.get(&key).cloned();
                let (wanted, made) = before.as_ref().map_or((at, at), |before| (before.wanted_at, before.made_at));
                let after = entity.value.and_then(|row| Revision::of(&key.1, row, wanted, made));
                match after.clone() {
                    Some(revision) => self.revisions.insert(key.clone(), revision),
                    None => self.revisions.remove(&key),
                };
                Some(Changed::Revision(key, before, after))
            }
            Kind::Family
            | Kind::Cluster
            | Kind::Index
            | Kind::Task
            | Kind::Former
            | Kind::ScheduleGroup
            | Kind::Schedule
            | Kind::Queue
            | Kind::Message
            | Kind::Retry => None,
        }
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
            enabled: member("State") != "DISABLED",
            tags: tags(row),
            targets: targets.into_iter().flatten().map(|(id, target)| (id.clone(), target.clone())).collect(),
            row: row.clone(),
        }
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
    fn of(name: &str, row: &Value, wanted_at: Timestamp, made_at: Timestamp) -> Option<Self> {
        let (family, number) = name.rsplit_once(':')?;
        let containers = row.pointer("/definition/containerDefinitions").and_then(Value::as_array);
        let main = containers.into_iter().flatten().find_map(|container| {
            let image = container.get("image")?.as_str()?;
            Some((container, image.strip_prefix("registry.example/etl:v")?.parse::<u32>().ok()?))
        });
        let shared = main.and_then(|(container, _)| {
            let environment = container.get("environment")?.as_array()?;
            let shared =
                environment.iter().find(|variable| variable.get("name").is_some_and(|name| name == "SHARED"))?;
            Some(shared.get("value")?.as_str()?.to_owned())
        });
        Some(Self {
            family: family.to_owned(),
            number: number.parse().ok()?,
            active: row.get("status").is_some_and(|status| status == "ACTIVE"),
            tags: tags(row),
            version: main.map(|(_, version)| version),
            shared,
            wanted_at,
            made_at,
            row: row.clone(),
        })
    }
}

fn tags(row: &Value) -> BTreeMap<String, String> {
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
