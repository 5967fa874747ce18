//! Whether a target starts a job as its manifest says: where and by which role, on what, and how often and how late it is tried.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::book::Wanted;
use crate::defaults::Defaults;
use crate::mirror::{Revision, Rule};
use crate::sketch::{Cluster, set};

/// How late a run may start where the manifest does not say, in seconds (docs/manifests.md).
const DEADLINE: u64 = 3600;

/// How often it is tried where the manifest does not say.
const ATTEMPTS: u64 = 185;

/// What the manifest says of how a job is started, its cluster's defaults included.
#[derive(Debug)]
struct Aim {
    deadline: Value,
    attempts: Value,
    role: Option<String>,
    queue: Value,
    launch: Value,
    providers: Vec<String>,
    count: Value,
    group: Value,
    propagates: Value,
    subnets: Vec<String>,
    is_tagged: bool,
}

/// Job, shape, and what the cluster adds to it.
type Key = (String, u64, String, Defaults);

impl Aim {
    fn of(name: &str, wanted: &Wanted) -> Rc<Self> {
        thread_local! {
            static KNOWN: RefCell<BTreeMap<Key, Rc<Aim>>> = const { RefCell::new(BTreeMap::new()) };
        }
        let region = wanted.place.rsplit('/').next().unwrap_or_default().to_owned();
        let key = (name.to_owned(), wanted.job.shape, region, wanted.defaults);
        KNOWN.with_borrow_mut(|known| {
            let read = || Rc::new(Self::read(&key));
            Rc::clone(known.entry(key.clone()).or_insert_with(read))
        })
    }

    fn read((name, shape, region, defaults): &Key) -> Self {
        // The version says nothing of it.
        let mut spec = crate::shape::spec(name, *shape, 0);
        let cluster = Cluster {
            region: region.clone(),
            role: None,
            drain: false,
            shared: 0,
            scheduler: false,
            defaults: *defaults,
        };
        crate::shape::add(name, *shape, Some(&cluster), &mut spec);
        let said = |path: &str| spec.pointer(path).cloned().unwrap_or_default();
        let or = |value: Value, default: u64| if value.is_null() { json!(default) } else { value };
        let run = run(&said("/runTask"), *defaults);
        let runs = |path: &str| run.pointer(path).cloned().unwrap_or_default();
        Self {
            deadline: or(said("/startingDeadlineSeconds"), DEADLINE),
            attempts: or(said("/maximumRetryAttempts"), ATTEMPTS),
            role: said("/roleArn").as_str().map(str::to_owned),
            queue: said("/deadLetterQueueArn"),
            launch: runs("/launchType"),
            providers: providers(&runs("/capacityProviderStrategy")),
            count: or(runs("/count"), 1),
            group: runs("/group"),
            propagates: runs("/propagateTags"),
            subnets: texts(&runs("/networkConfiguration/awsvpcConfiguration/subnets")),
            is_tagged: !runs("/tags").is_null(),
        }
    }
}

/// How a run is started: the job's own words, over those of its cluster. A launch type and a strategy take each other's place.
fn run(own: &Value, defaults: Defaults) -> Value {
    let mut cluster = json!({});
    defaults.render(&mut cluster);
    let mut run = cluster.get("runTask").cloned().unwrap_or_else(|| json!({}));
    if let Some(run) = run.as_object_mut().filter(|_| own.get("launchType").is_some()) {
        run.remove("capacityProviderStrategy");
    }
    for (member, value) in own.as_object().into_iter().flatten() {
        set(&mut run, member, Some(value.clone()));
    }
    run
}

/// The capacity providers of a strategy, in one order.
fn providers(strategy: &Value) -> Vec<String> {
    let all = strategy.as_array().into_iter().flatten();
    let mut all: Vec<String> = all.filter_map(|one| one.get("capacityProvider")?.as_str().map(str::to_owned)).collect();
    all.sort();
    all
}

/// The texts of a list, in one order.
fn texts(list: &Value) -> Vec<String> {
    let mut texts: Vec<String> =
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    texts.sort();
    texts
}

/// In what a target differs from what its job says.
pub(super) fn amiss(name: &str, rule: &Rule, target: &Value, wanted: &Wanted) -> Option<String> {
    let aim = Aim::of(name, wanted);
    let (account, region) = wanted.place.split_once('/')?;
    let role = aim.role.as_deref().unwrap_or(if rule.is_scheduled() { "scheduler" } else { "events" });
    let role = if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{account}:role/{role}") };
    let live = |path: &str| target.pointer(path).cloned().unwrap_or_default();
    let cluster = json!(format!("arn:aws:ecs:{region}:{account}:cluster/{}", wanted.job.cluster));
    // A launch type that nobody names is EC2, and may be said or not.
    let launch = live("/EcsParameters/LaunchType");
    let named = if aim.launch.is_null() && launch == "EC2" { Value::Null } else { launch };
    let count = live("/EcsParameters/TaskCount");
    let compared = [
        ("cluster", live("/Arn"), cluster),
        ("role", live("/RoleArn"), json!(role)),
        ("dead letter queue", live("/DeadLetterConfig/Arn"), aim.queue.clone()),
        ("number of tasks", if count.is_null() { json!(1) } else { count }, aim.count.clone()),
        ("deadline", live("/RetryPolicy/MaximumEventAgeInSeconds"), aim.deadline.clone()),
        ("number of tries", live("/RetryPolicy/MaximumRetryAttempts"), aim.attempts.clone()),
        ("launch type", named, aim.launch.clone()),
        ("group", live("/EcsParameters/Group"), aim.group.clone()),
        ("propagation of tags", live("/EcsParameters/PropagateTags"), aim.propagates.clone()),
    ];
    let differs = compared.into_iter().find(|(_, live, said)| live != said);
    if let Some((what, live, said)) = differs {
        return Some(format!("the {what} of its target is {live} and not {said}"));
    }
    let strategy = providers(&live("/EcsParameters/CapacityProviderStrategy"));
    if strategy != aim.providers {
        return Some(format!("its runs are placed by {strategy:?} and not by {:?}", aim.providers));
    }
    let subnets = texts(&live("/EcsParameters/NetworkConfiguration/awsvpcConfiguration/Subnets"));
    if subnets != aim.subnets {
        return Some(format!("its runs are in {subnets:?} and not in {:?}", aim.subnets));
    }
    let tags = live("/EcsParameters/Tags");
    if aim.is_tagged == (tags.is_null() || tags == json!([])) {
        return Some(format!("the tags of its runs are {tags}"));
    }
    passed_on(target, wanted)
}

/// Whether runs are told what started them, if the job wants to know.
fn passed_on(target: &Value, wanted: &Wanted) -> Option<String> {
    let input = |member: &str| target.get(member).map(Value::to_string).unwrap_or_default();
    let told = input("Input") + &input("InputTransformer");
    let triggers = &wanted.job.triggers;
    let wants = [("AFTER", !triggers.after.is_empty()), ("KEY", !triggers.events.is_empty())];
    let wrong = wants.into_iter().find(|(variable, wanted)| told.contains(variable) != *wanted);
    wrong.map(|(variable, _)| format!("of {variable} its runs are told {told:?}"))
}

/// A label that a rule, or the revision that it pins, lacks. A schedule has no tags.
pub(super) fn unlabelled(rule: &Rule, revision: &Revision, wanted: &Wanted) -> Option<String> {
    let cluster = ("cluster".to_owned(), wanted.job.cluster.clone());
    let labels = wanted.job.labels.clone().into_iter().chain([cluster]);
    labels.into_iter().find_map(|(key, value)| {
        let lacks = |tags: &BTreeMap<String, String>| tags.get(&key) != Some(&value);
        let on_rule = !rule.is_scheduled() && lacks(&rule.tags);
        (on_rule || lacks(&revision.tags)).then(|| {
            let whose = if on_rule { "it" } else { "its revision" };
            format!("{whose} is not labelled {key}={value}")
        })
    })
}
