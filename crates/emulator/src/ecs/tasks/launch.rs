//! What RunTask is asked for, as far as it can be judged by itself (docs/aws.md, Tasks).

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::{clusters, invalid, items, revisions, tags, text};
use crate::model::{self, Model};
use crate::place::Place;
use crate::reply::Refusal;
use crate::request::Service;
use crate::state::{Tags, Token};

/// How many tasks one RunTask starts at most.
const MOST_TASKS: i64 = 10;

/// The longest overrides, in characters of JSON.
const LONGEST_OVERRIDES: usize = 8192;

/// Members that tell how to start tasks, but nothing of the tasks.
const REQUEST_ONLY: [&str; 6] = ["cluster", "taskDefinition", "count", "tags", "clientToken", "overrides"];

/// A request for tasks that makes sense; whether they can be started is for the state to say.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The cluster's name; `None` when what was given is the ARN of something elsewhere.
    pub cluster: Option<String>,
    pub family: String,
    pub revision: Option<u32>,
    pub count: usize,
    /// The members that the tasks show or are made by.
    pub given: Arc<Map<String, Value>>,
    /// What the tasks are told beyond their task definition; null for nothing.
    pub overrides: Arc<Value>,
    pub tags: Tags,
    pub token: Option<Token>,
}

impl Launch {
    /// Reads a RunTask's body, which has the model's types and keeps its bounds (docs/aws.md, Runs).
    ///
    /// # Errors
    ///
    /// `InvalidParameterException` and `ClientException` in AWS's words where they are known.
    pub(crate) fn read(place: &Place, body: &Value) -> Result<Self, Refusal> {
        let count = body.get("count").and_then(Value::as_i64).unwrap_or(1);
        let count = usize::try_from(count).ok().filter(|_| (1..=MOST_TASKS).contains(&count));
        let count = count.ok_or_else(|| invalid("Task count must be between 1 and 10."))?;
        let task_definition = text(body, "taskDefinition").unwrap_or_default();
        let name = revisions::parse(place, task_definition).ok_or_else(super::no_task_definition)?;
        infrastructure(body)?;
        network(body)?;
        placement(body)?;
        let overrides = body.get("overrides").cloned().unwrap_or_default();
        within_limit(&overrides.to_string())?;
        if text(body, "group").is_some_and(|group| group.chars().count() > 255) {
            return Err(invalid("Group name can not be longer than 255 characters."));
        }
        if text(body, "propagateTags") == Some("SERVICE") {
            return Err(invalid("propagateTags must be TASK_DEFINITION or NONE when running a task."));
        }
        let cluster = text(body, "cluster").unwrap_or(clusters::DEFAULT_CLUSTER);
        let mut given = body.as_object().cloned().unwrap_or_default();
        given.retain(|member, _| !REQUEST_ONLY.contains(&member.as_str()));
        Ok(Self {
            cluster: clusters::short_name(place, cluster).map(str::to_owned),
            family: name.family.to_owned(),
            revision: name.revision,
            count,
            given: Arc::new(given),
            overrides: Arc::new(overrides),
            tags: tags::read(items(body, "tags"))?,
            token: None,
        })
    }

    /// A member that was given as text.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.given.get(member).and_then(Value::as_str)
    }

    /// The group of the tasks: the one asked for, or that of their family.
    pub(crate) fn group(&self) -> String {
        group(&self.given, &self.family)
    }

    /// The capacity providers asked for.
    pub(crate) fn providers(&self) -> impl Iterator<Item = &str> {
        let strategy = self.given.get("capacityProviderStrategy").and_then(Value::as_array);
        strategy.into_iter().flatten().filter_map(|item| text(item, "capacityProvider"))
    }

    /// The same with a strategy of capacity providers, if it has none and no launch type either.
    pub(crate) fn or_strategy(&self, strategy: Option<&Value>) -> Cow<'_, Self> {
        let Some(strategy) = strategy else { return Cow::Borrowed(self) };
        if self.text("launchType").is_some() || self.providers().next().is_some() {
            return Cow::Borrowed(self);
        }
        let mut given = Map::clone(&self.given);
        given.insert("capacityProviderStrategy".to_owned(), strategy.clone());
        Cow::Owned(Self { given: Arc::new(given), ..self.clone() })
    }

    /// Whether the tasks are for Fargate.
    pub(crate) fn on_fargate(&self) -> bool {
        self.text("launchType") == Some("FARGATE") || self.providers().any(|name| name.starts_with("FARGATE"))
    }
}

/// The group of a task that was given these members.
pub(super) fn group(given: &Map<String, Value>, family: &str) -> String {
    match given.get("group").and_then(Value::as_str).filter(|group| !group.is_empty()) {
        Some(group) => group.to_owned(),
        None => format!("family:{family}"),
    }
}

/// A launch type or a strategy of capacity providers, not both (docs/aws.md, Runs).
fn infrastructure(body: &Value) -> Result<(), Refusal> {
    let strategy = items(body, "capacityProviderStrategy");
    let launch_type = text(body, "launchType");
    if !strategy.is_empty() && launch_type.is_some() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if strategy.len() > 20 {
        return Err(invalid("A capacity provider strategy can contain a maximum of 20 capacity providers."));
    }
    let number = |item: &Value, member: &str| item.get(member).and_then(Value::as_i64).unwrap_or(0);
    if strategy.iter().filter(|item| number(item, "base") > 0).count() > 1 {
        return Err(invalid("Only one capacity provider in a strategy can have a base defined."));
    }
    if strategy.len() > 1 && strategy.iter().all(|item| number(item, "weight") == 0) {
        return Err(invalid("At least one capacity provider in a strategy must have a weight greater than 0."));
    }
    match (text(body, "platformVersion"), launch_type) {
        (Some(_), Some("EC2" | "EXTERNAL")) => Err(invalid(format!(
            "The platform version must be null when specifying an {} launch type.",
            launch_type.unwrap_or_default()
        ))),
        (Some(version), _) if !is_platform(version) => {
            Err(Refusal::new("PlatformUnknownException", "The specified platform does not exist."))
        }
        (Some(_) | None, _) => Ok(()),
    }
}

/// `LATEST`, or a number of three parts as Fargate gives its platforms.
fn is_platform(version: &str) -> bool {
    let parts: Vec<&str> = version.split('.').collect();
    let numbered = parts.len() == 3 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    version == "LATEST" || numbered
}

/// Follows docs/aws.md, Runs.
fn network(body: &Value) -> Result<(), Refusal> {
    let Some(network) = body.get("networkConfiguration").and_then(|network| network.get("awsvpcConfiguration")) else {
        return Ok(());
    };
    let (subnets, groups) = (items(network, "subnets").len(), items(network, "securityGroups").len());
    match (subnets, groups) {
        (0, _) => Err(invalid("subnets can not be empty.")),
        (17.., _) => Err(invalid("subnets can have at most 16 items.")),
        (_, 6..) => Err(invalid("securityGroups can have at most 5 items.")),
        _ => Ok(()),
    }
}

/// Follows docs/aws.md, Runs.
fn placement(body: &Value) -> Result<(), Refusal> {
    if items(body, "placementConstraints").len() > 10 {
        return Err(invalid("There can be at most 10 placement constraints."));
    }
    if items(body, "placementStrategy").len() > 5 {
        return Err(invalid("There can be at most 5 placement strategies."));
    }
    Ok(())
}

/// Reads overrides from JSON (docs/aws.md, Tasks).
///
/// # Errors
///
/// When the text is no JSON, no TaskOverride, or too long.
pub(crate) fn overrides(text: &str) -> Result<Value, Refusal> {
    within_limit(text)?;
    let broken = |_| Refusal::new("SerializationException", "The input of the target is not valid JSON.");
    let overrides: Value = serde_json::from_str(text).map_err(broken)?;
    match Model::of(Service::Ecs) {
        Some(model) => model::cast(model, "TaskOverride", overrides),
        None => Ok(overrides),
    }
}

/// Follows docs/aws.md, Tasks.
fn within_limit(overrides: &str) -> Result<(), Refusal> {
    if overrides.len() > LONGEST_OVERRIDES && overrides.chars().count() > LONGEST_OVERRIDES {
        return Err(invalid("Container Overrides length must be at most 8192"));
    }
    Ok(())
}
