//! Amazon EventBridge: the rules of the default event bus, their targets and tags (docs/aws.md, Rules and schedules).

mod acting;
mod bus;
mod dead_letter;
mod delivery;
mod event;
mod input;
mod launch;
mod pattern;
mod rules;
pub(crate) mod schedule;
mod tags;
mod target;
mod targets;
mod template;
mod ticks;

use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::page::{self, Ask, Page};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::request::Operation;
use crate::state::{Rule, State};
use pattern::{Leaves, Pattern};

pub(crate) use acting::{Acting, retry};
pub(crate) use bus::{Told, event, may_concern, publish};
pub(crate) use event::to_the_second;
pub(crate) use launch::launch;
pub(crate) use ticks::{Ticking, fire, resume, seen_for, turn};

/// The one event bus there is here, and the only one that AWS lets schedules live on.
const BUS: &str = "default";

/// Answers one operation (docs/aws.md, On the wire).
pub(crate) fn answer(state: &mut State, context: &Context<'_>, operation: &Operation, input: &Input<'_>) -> Answer {
    let body = input.body;
    if !input.broken.is_empty() {
        return Err(validation(model::message(&input.broken)));
    }
    if let Some(bus) = text(body, "EventBusName") {
        on_default_bus(&context.place, bus)?;
    }
    match operation.name.as_str() {
        "PutRule" => rules::put(state, context, body),
        "DeleteRule" => rules::delete(state, context, body),
        "DescribeRule" => rules::describe(state, context, body),
        "EnableRule" => rules::set_state(state, context, body, "ENABLED"),
        "DisableRule" => rules::set_state(state, context, body, "DISABLED"),
        "ListRules" => rules::list(state, context, body),
        "ListRuleNamesByTarget" => rules::names_by_target(state, context, body),
        "PutTargets" => targets::put(state, context, body),
        "RemoveTargets" => targets::remove(state, context, body),
        "ListTargetsByRule" => targets::list(state, context, body),
        "TagResource" => tags::tag(state, context, body),
        "UntagResource" => tags::untag(state, context, body),
        "ListTagsForResource" => tags::list(state, context, body),
        "PutEvents" => bus::put(state, context, body),
        "TestEventPattern" => test_pattern(body),
        "DescribeEventBus" => describe_bus(context, body),
        "ListEventBuses" => Ok(list_buses(context, body)),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// Refuses a bus other than the default one, named or by ARN.
fn on_default_bus(place: &Place, bus: &str) -> Result<(), Refusal> {
    let name = bus.rsplit("event-bus/").next().unwrap_or(bus);
    if bus::is_default(place, bus) {
        return Ok(());
    }
    Err(not_found(format!("Event bus {name} does not exist.")))
}

fn bus(place: &Place) -> Map<String, Value> {
    let mut bus = Map::new();
    bus.insert("Name".to_owned(), json!(BUS));
    bus.insert("Arn".to_owned(), json!(place.arn("events", "event-bus/default")));
    bus
}

fn describe_bus(context: &Context<'_>, body: &Value) -> Answer {
    on_default_bus(&context.place, text(body, "Name").unwrap_or(BUS))?;
    Ok(bus(&context.place))
}

fn list_buses(context: &Context<'_>, body: &Value) -> Map<String, Value> {
    let listed = text(body, "NamePrefix").is_none_or(|prefix| BUS.starts_with(prefix));
    let buses: Vec<_> = listed.then(|| bus(&context.place)).into_iter().collect();
    let mut answer = Map::new();
    answer.insert("EventBuses".to_owned(), json!(buses));
    answer
}

/// What an event has that a pattern is tested on; its `resources` may be missing (docs/aws.md, Event patterns).
const TESTED: [&str; 6] = ["id", "account", "source", "time", "region", "detail-type"];

/// TestEventPattern: whether an event, given as JSON, is what a pattern asks for (docs/aws.md, Event patterns).
fn test_pattern(body: &Value) -> Answer {
    let pattern = Pattern::read(text(body, "EventPattern").unwrap_or_default())?;
    // One refusal for what is no JSON and what is no event: AWS says no more than that.
    let refused = || validation("Parameter Event is not valid.");
    let event: Value = serde_json::from_str(text(body, "Event").unwrap_or_default()).map_err(|_| refused())?;
    if !TESTED.iter().all(|member| event.get(member).is_some()) {
        return Err(refused());
    }
    let mut answer = Map::new();
    answer.insert("Result".to_owned(), json!(pattern.matches(&Leaves::of(&event, [&pattern]))));
    Ok(answer)
}

/// Follows docs/aws.md, On the wire.
fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

/// Follows docs/aws.md, Rules and targets.
fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn rule_not_found(name: &str) -> Refusal {
    not_found(format!("Rule {name} does not exist on EventBus {BUS}."))
}

/// A quota is full; terminal until something is deleted (docs/aws.md, Throttles and quotas).
fn limit_exceeded() -> Refusal {
    Refusal::new("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}

/// Rules that an AWS service made are that service's alone to change (docs/aws.md, Rules and targets).
fn refuse_managed(context: &Context<'_>, name: &str, rule: &Rule, forced: bool) -> Result<(), Refusal> {
    match rule.members.get("ManagedBy").and_then(Value::as_str) {
        Some(service) if !forced && context.acts_as.as_deref() != Some(service) => Err(Refusal::new(
            "ManagedRuleException",
            format!("Rule {name} is managed by an AWS service ({service}) can't be modified"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The ARN of a rule of the default bus.
fn rule_arn(place: &Place, name: &str) -> String {
    place.arn("events", format_args!("rule/{name}"))
}

/// A string member, if it was given.
fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// The items of a list member; none when it was not given.
fn items<'a>(body: &'a Value, member: &str) -> &'a [Value] {
    body.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The page that a request asks for; the model holds `Limit` to 1..100 (docs/aws.md, On the wire).
fn cut<'a, T>(
    items: impl Iterator<Item = (page::Position<'a>, T)>,
    listing: &str,
    body: &Value,
) -> Result<Page<T>, Refusal> {
    let limit = body.get("Limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100);
    page::cut(items, Ask { listing, token: text(body, "NextToken"), limit, descending: false }, |_| true)
        .map_err(|page::BadToken| validation("Invalid NextToken."))
}

/// Whether this is the ARN of an IAM role.
fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else { return false };
    prefix == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && crate::place::is_account(account)
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
}

/// The words for a text that is no ARN, or not one of the kind that is asked for (docs/aws.md, Rules and targets).
fn not_an_arn(given: &str) -> Refusal {
    validation(format!("Parameter {given} is not valid. Reason: Provided Arn is not in correct format."))
}
