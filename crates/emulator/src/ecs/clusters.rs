//! Clusters, as far as schedules name them: created, described, listed, deleted (docs/aws.md, Clusters).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::tasks::{self, Launch};
use super::{bad_token, client, invalid, items, max_results, tags, text};
use crate::context::Context;
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::settings::Settings;
use crate::state::{Cluster, State, starting_with, tasks_at};
use crate::tagging;

/// The cluster of a request that names none.
pub(super) const DEFAULT_CLUSTER: &str = "default";

/// How many clusters one DescribeClusters takes.
const DESCRIBE_AT_ONCE: usize = 100;

/// CreateCluster: creating what is there gives it back as it is (docs/aws.md, Clusters).
pub(super) fn create(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "clusterName").unwrap_or(DEFAULT_CLUSTER);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_name) {
        return Err(invalid("Cluster name contains invalid characters."));
    }
    let key = (context.place.clone(), name.to_owned());
    if let Some(cluster) = state.clusters.get(&key).filter(|cluster| cluster.deleted_at.is_none()) {
        return Ok(answer(shown(state, context, name, cluster)));
    }
    let tags = tags::read(items(body, "tags"))?;
    let mut given = body.as_object().cloned().unwrap_or_default();
    given.remove("tags");
    given.remove("clusterName");
    let cluster = Cluster { given, tags, deleted_at: None };
    let shown = shown(state, context, name, &cluster);
    tagging::note(state, context, &arn(&context.place, name), &cluster.tags);
    state.clusters.insert(key, cluster);
    Ok(answer(shown))
}

/// DescribeClusters: what is not there is a failure of its own in a 200 (docs/aws.md, Clusters).
pub(super) fn describe(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let asked: Vec<&str> = items(body, "clusters").iter().filter_map(Value::as_str).collect();
    if asked.len() > DESCRIBE_AT_ONCE {
        return Err(invalid("Clusters can not have more than 100 elements."));
    }
    let asked = if asked.is_empty() { vec![DEFAULT_CLUSTER] } else { asked };
    let include = items(body, "include");
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for given in asked {
        let name = short_name(&context.place, given);
        let found = name.and_then(|name| {
            let cluster = state.clusters.get(&(context.place.clone(), name.to_owned()))?;
            is_seen(cluster, context).then(|| {
                let mut shown = shown(state, context, name, cluster);
                leave_out(&mut shown, include);
                shown
            })
        });
        match found {
            Some(shown) => clusters.push(shown),
            None => {
                let arn = name.map_or_else(|| given.to_owned(), |name| arn(&context.place, name));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    let mut answer = Map::new();
    answer.insert("clusters".to_owned(), Value::Array(clusters));
    answer.insert("failures".to_owned(), Value::Array(failures));
    Ok(answer)
}

/// ListClusters: those that are not deleted.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let clusters = crate::state::starting_with(&state.clusters, &context.place, "")
        .map(|(name, cluster)| ((name, 0), (name, cluster)));
    let token = text(body, "nextToken");
    let ask = Ask { listing: "clusters", token, limit: max_results(body)?, descending: false };
    let page = page::cut(clusters, ask, |(_, cluster)| cluster.deleted_at.is_none()).map_err(bad_token)?;
    let arns: Vec<_> = page.items.iter().map(|(name, _)| arn(&context.place, name)).collect();
    Ok(page::members(("clusterArns", json!(arns)), ("nextToken", page.next)))
}

/// DeleteCluster: it stays to be described as INACTIVE for a while; one in which tasks run is not deleted.
/// The rule is in docs/aws.md, Clusters.
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let given = text(body, "cluster").unwrap_or_default();
    let name = short_name(&context.place, given).ok_or_else(|| client("Invalid cluster identifier."))?;
    let key = (context.place.clone(), name.to_owned());
    if !state.clusters.get(&key).is_some_and(|cluster| is_seen(cluster, context)) {
        return Err(not_found());
    }
    if tasks::count(state, context, name) != (0, 0) {
        return Err(Refusal::new(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ));
    }
    state.clusters.update(&key, |cluster| *cluster.deleted_at.get_or_insert(context.now));
    let shown = state.clusters.get(&key).map(|cluster| shown(state, context, name, cluster));
    let arn = arn(&context.place, name);
    tagging::forget(state, context, &arn);
    Ok(answer(shown.unwrap_or_default()))
}

/// Whether a cluster is there to be described: a deleted one is for a while.
///
/// Its row stays for ever, since a cluster that was deleted is not one that nobody ever made.
fn is_seen(cluster: &Cluster, context: &Context<'_>) -> bool {
    gone_at(cluster, context.settings).is_none_or(|at| at > context.now)
}

/// When a deleted cluster is no longer described.
fn gone_at(cluster: &Cluster, settings: &Settings) -> Option<Timestamp> {
    cluster.deleted_at.and_then(|at| at.checked_add(settings.inactive_cluster_stays).ok())
}

/// Follows docs/aws.md, Clusters.
pub(super) fn not_found() -> Refusal {
    Refusal::new("ClusterNotFoundException", "Cluster not found.")
}

/// Refuses a cluster that was deleted, and one that nobody made.
///
/// As a leniency of the emulator's own, a rule starts tasks in a cluster that nobody made, and what a rule names or has
/// started tasks in is there for everybody: who uses the embedded AWS seldom creates clusters in it.
pub(super) fn usable(state: &State, place: &Place, name: &str, lenient: bool) -> Result<(), Refusal> {
    let known = match state.clusters.get(&(place.clone(), name.to_owned())) {
        Some(cluster) => cluster.deleted_at.is_none(),
        None => lenient || is_named(state, place, name),
    };
    if known { Ok(()) } else { Err(not_found()) }
}

fn is_named(state: &State, place: &Place, name: &str) -> bool {
    let arn = arn(place, name);
    let targets = |rule: &crate::state::Rule| rule.targets.values().any(|target| text(target, "Arn") == Some(&arn));
    let scheduled = |row: &crate::state::ScheduleRow| {
        row.members.get("Target").and_then(|target| text(target, "Arn")) == Some(&arn)
    };
    state.rules_with_prefix(place, "").any(|(_, rule)| targets(rule))
        || starting_with(&state.schedules, place, "").any(|(_, row)| scheduled(row))
        || tasks_at(state, place).any(|(_, task)| task.cluster == name)
}

/// The strategy that a cluster has for tasks that come with none and without a launch type.
pub(super) fn default_strategy<'a>(state: &'a State, place: &Place, name: &str) -> Option<&'a Value> {
    let cluster = state.clusters.get(&(place.clone(), name.to_owned()))?;
    cluster.given.get("defaultCapacityProviderStrategy").filter(|strategy| strategy.get(0).is_some())
}

/// Refuses capacity providers that a cluster was created without; nothing is known of one that nobody created.
/// The rule is in docs/aws.md, Tasks.
pub(super) fn providers(state: &State, context: &Context<'_>, launch: &Launch) -> Result<(), Refusal> {
    let name = launch.cluster.clone().unwrap_or_default();
    let Some(cluster) = state.clusters.get(&(context.place.clone(), name)) else { return Ok(()) };
    let known = cluster.given.get("capacityProviders").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if launch.providers().all(|asked| known.iter().any(|known| known == asked)) {
        return Ok(());
    }
    Err(invalid(
        "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the \
         cluster. Associate the capacity provider with the cluster and try again.",
    ))
}

/// The name of a cluster here, from its name or ARN.
pub(super) fn short_name<'a>(place: &Place, given: &'a str) -> Option<&'a str> {
    match given.strip_prefix("arn:") {
        None => Some(given),
        Some(_) => given.strip_prefix(&place.arn("ecs", "cluster/")),
    }
}

fn arn(place: &Place, name: &str) -> String {
    place.arn("ecs", format_args!("cluster/{name}"))
}

/// Leaves out what DescribeClusters shows only when `include` asks for it (docs/aws.md, Clusters).
fn leave_out(shown: &mut Value, include: &[Value]) {
    let asked = |field: &str| include.iter().any(|asked| asked == field);
    for (field, list) in [("TAGS", "tags"), ("SETTINGS", "settings")] {
        if !asked(field) {
            shown[list] = json!([]);
        }
    }
    if let (false, Some(members)) = (asked("CONFIGURATIONS"), shown.as_object_mut()) {
        members.remove("configuration");
    }
}

/// Follows docs/aws.md, Clusters.
fn shown(state: &State, context: &Context<'_>, name: &str, cluster: &Cluster) -> Value {
    let mut shown = cluster.given.clone();
    shown.insert("clusterArn".to_owned(), json!(arn(&context.place, name)));
    shown.insert("clusterName".to_owned(), json!(name));
    shown.insert("status".to_owned(), json!(if cluster.deleted_at.is_some() { "INACTIVE" } else { "ACTIVE" }));
    let (running, pending) = tasks::count(state, context, name);
    shown.insert("runningTasksCount".to_owned(), json!(running));
    shown.insert("pendingTasksCount".to_owned(), json!(pending));
    // There are no instances and no services here.
    for count in ["registeredContainerInstancesCount", "activeServicesCount"] {
        shown.insert(count.to_owned(), json!(0));
    }
    for list in ["statistics", "capacityProviders", "defaultCapacityProviderStrategy"] {
        shown.entry(list).or_insert_with(|| json!([]));
    }
    shown.entry("settings").or_insert_with(|| json!([{"name": "containerInsights", "value": "disabled"}]));
    shown.insert("tags".to_owned(), tags::shown(&cluster.tags));
    Value::Object(shown)
}

fn answer(cluster: Value) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("cluster".to_owned(), cluster);
    answer
}
