//! Targets of EventBridge and EventBridge Scheduler, in the spelling of CloudFormation, Terraform or the API.

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::{Entry, Mark, Node, Value};
use serde_json::{Value as Json, json};

use crate::finding::Kind;
use crate::found::{Run, literal};
use crate::object::{Object, scalar};
use crate::shape::{self, Empty};

/// What starts a task stands in a target under these names.
#[derive(Debug, Clone, Copy)]
pub struct Spelling {
    /// `EcsParameters`.
    pub ecs: &'static str,
    /// `TaskDefinitionArn`.
    pub task_definition: &'static str,
    /// `TaskCount`.
    pub count: &'static str,
    /// `NetworkConfiguration`.
    pub network: &'static str,
    /// `AwsVpcConfiguration`, of which there are two spellings; none where a network holds the members itself.
    pub vpc: &'static [&'static str],
    /// Other parameters that are called otherwise than in RunTask.
    pub renamed: &'static [(&'static str, &'static str)],
    /// `Input`.
    pub input: &'static str,
    /// `InputTransformer`, with its paths and its template.
    pub transformer: [&'static str; 3],
    /// `RetryPolicy`, with its age and its attempts.
    pub retry: [&'static str; 3],
    /// `DeadLetterConfig` and its ARN.
    pub dead_letter: [&'static str; 2],
    /// `RoleArn`.
    pub role: &'static str,
    /// `Arn`, the cluster's.
    pub arn: &'static str,
    /// Which values say nothing.
    pub empty: Empty,
}

/// CloudFormation, and EventBridge's own API.
pub const PASCAL: Spelling = Spelling {
    ecs: "EcsParameters",
    task_definition: "TaskDefinitionArn",
    count: "TaskCount",
    network: "NetworkConfiguration",
    vpc: &["AwsVpcConfiguration", "AwsvpcConfiguration", "awsvpcConfiguration"],
    renamed: &[("TagList", "tags")],
    input: "Input",
    transformer: ["InputTransformer", "InputPathsMap", "InputTemplate"],
    retry: ["RetryPolicy", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"],
    dead_letter: ["DeadLetterConfig", "Arn"],
    role: "RoleArn",
    arn: "Arn",
    empty: Empty::Kept,
};

/// Reads what a target says of a run, but for its task definition, which is given back as it is written.
pub fn read<'n>(run: &mut Run, target: &mut Object<'n>, spelling: &Spelling) -> Option<&'n Node> {
    run.cluster = target.text(spelling.arn).or(run.cluster.take());
    run.role = target.text(spelling.role);
    let [policy, age, attempts] = spelling.retry;
    if let Some(mut policy) = inner(target, policy) {
        run.retry.seconds = policy.get(age).map(number);
        run.retry.attempts = policy.get(attempts).map(number);
        target.leave_all(policy.finish());
    }
    let [queue, arn] = spelling.dead_letter;
    if let Some(mut queue) = inner(target, queue) {
        run.dead_letter_queue = queue.text(arn).filter(|arn| !arn.is_empty());
        target.leave_all(queue.finish());
    }
    let task_definition = parameters(run, target, spelling);
    input(run, target, spelling);
    task_definition
}

/// The map under a key; a list of one, as Terraform writes blocks, is that one.
pub fn inner<'n>(object: &mut Object<'n>, key: &str) -> Option<Object<'n>> {
    let node = object.list(key).first()?;
    Some(Object::new(node, &object.at(key)))
}

pub fn number(node: &Node) -> Json {
    let text = scalar(node).unwrap_or_default();
    text.parse::<i64>().map_or_else(|_marker| json!(text), |number| json!(number))
}

fn parameters<'n>(run: &mut Run, target: &mut Object<'n>, spelling: &Spelling) -> Option<&'n Node> {
    let node = target.list(spelling.ecs).first()?;
    let task_definition = node.get(spelling.task_definition);
    let mut rest = node.clone();
    if let Some(map) = rest.mapping_mut() {
        map.remove(spelling.task_definition);
        if let Some(count) = map.remove(spelling.count).filter(|count| scalar(&count.node).as_deref() != Some("1")) {
            map.insert("count".to_owned(), count);
        }
        for (name, member) in spelling.renamed {
            if let Some(entry) = map.remove(*name) {
                map.insert((*member).to_owned(), entry);
            }
        }
        if let Some(tags) = map.remove("Tags").or_else(|| map.remove("tags")) {
            map.insert("tags".to_owned(), Entry { key_at: tags.key_at, node: tag_list(&tags.node) });
        }
        if let Some(network) = map.remove(spelling.network) {
            map.insert("networkConfiguration".to_owned(), network_of(network, spelling));
        }
    }
    let (mut read, left) = shape::structure(&rest, "RunTask", &target.at(spelling.ecs), spelling.empty);
    // What EventBridge takes for absent.
    read.retain(|key, value| !(key.starts_with("enable") && *value == json!(false)));
    run.run_task.extend(read);
    target.leave_all(left);
    task_definition
}

/// A network in the words of RunTask, which has one more level than some sources.
fn network_of(network: Entry, spelling: &Spelling) -> Entry {
    let node = match network.node.sequence() {
        Some([only]) => only.clone(),
        Some(_) | None => network.node,
    };
    let vpc = if spelling.vpc.is_empty() { Some(&node) } else { spelling.vpc.iter().find_map(|name| node.get(name)) };
    let mut node = vpc.map_or_else(|| node.clone(), |vpc| shape::wrap("awsvpcConfiguration", vpc));
    let public = node.get_mut("awsvpcConfiguration").and_then(|vpc| vpc.get_mut("assign_public_ip"));
    if let Some(public) = public
        && let Value::Bool(assign) = public.value
    {
        public.value = Value::String(if assign { "ENABLED" } else { "DISABLED" }.to_owned());
    }
    Entry { key_at: network.key_at, node }
}

/// Tags as a list of keys and values, whichever form they had.
fn tag_list(node: &Node) -> Node {
    let text = |text: String| Node { at: node.at, value: Value::String(text) };
    let entry = |value: String| Entry { key_at: node.at, node: text(value) };
    let pair = |(key, value): (String, String)| Node {
        at: node.at,
        value: Value::Mapping([("key".to_owned(), entry(key)), ("value".to_owned(), entry(value))].into()),
    };
    Node { at: node.at, value: Value::Sequence(crate::task_definition::tags(node).into_iter().map(pair).collect()) }
}

/// The input of the run: overrides as JSON, or a template that may hold the time of the event.
fn input(run: &mut Run, target: &mut Object<'_>, spelling: &Spelling) {
    if let Some(text) = target.text(spelling.input).filter(|text| !text.is_empty()) {
        overrides_of_input(run, &text, spelling.input);
    }
    let [transformer, paths, template] = spelling.transformer;
    let Some(mut transformer) = inner(target, transformer) else { return };
    let map = transformer.get(paths).and_then(Node::mapping).into_iter().flatten();
    let paths: Vec<(String, String)> =
        map.filter_map(|(name, entry)| Some((name.clone(), scalar(&entry.node)?))).collect();
    if let Some(text) = transformer.text(template).filter(|text| !text.is_empty()) {
        overrides(run, &expanded(&text, &paths), spelling.transformer[2], false);
    }
    target.leave_all(transformer.finish());
}

/// What EventBridge Scheduler fills in: the time of the run we know, the rest nobody does.
const OF_SCHEDULER: [(&str, &str); 4] = [
    ("aws.scheduler.scheduled-time", "$.time"),
    ("aws.scheduler.schedule-arn", "ARN of the schedule"),
    ("aws.scheduler.execution-id", "id of the run"),
    ("aws.scheduler.attempt-number", "number of the attempt"),
];

/// Reads an input, in which EventBridge Scheduler may fill in something, and a rule nothing.
fn overrides_of_input(run: &mut Run, text: &str, field: &str) {
    if text.contains("<aws.scheduler.") {
        let paths: Vec<(String, String)> =
            OF_SCHEDULER.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
        overrides(run, &expanded(text, &paths), field, false);
    } else {
        overrides(run, text, field, true);
    }
}

/// Reads overrides out of a text. `plain` has no variables of ours, so what looks like one is escaped.
fn overrides(run: &mut Run, text: &str, field: &str, plain: bool) {
    const PATH: &str = "spec.runTask.overrides";
    let parsed: Option<Json> = serde_json::from_str(text).ok();
    let Some(parsed) = parsed.filter(Json::is_object) else {
        run.run_task.insert("overrides".to_owned(), json!(fill_in::marker("overrides")));
        let why = "the input is no JSON that can be read here";
        run.find(Kind::FillIn, field, why, "write the overrides of the run, or remove the field", PATH);
        return;
    };
    let parsed = if plain { literal(parsed) } else { parsed };
    let (read, left) = shape::structure(&node(parsed), "TaskOverride", field, Empty::Kept);
    if !read.is_empty() {
        run.run_task.insert("overrides".to_owned(), Json::Object(read));
    }
    run.left(left, "spec.runTask");
}

/// A template with the event's time as our variable and everything else of the event as a marker.
fn expanded(template: &str, paths: &[(String, String)]) -> String {
    // Before the variables go in, or theirs would be escaped too.
    let mut text = template.replace("${", "$${");
    for (name, path) in paths {
        let value = match path.as_str() {
            "$.time" => "${scheduledTime}".to_owned(),
            path if path.starts_with('$') => fill_in::marker(&format!("{path} of the event")),
            other => fill_in::marker(other),
        };
        text = in_place(&text, &format!("<{name}>"), &value);
    }
    text
}

/// Puts a value in place of a slot; a slot outside of quotes gets them, as EventBridge gives them to a text.
fn in_place(text: &str, slot: &str, value: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut quotes = 0;
    while let Some((before, after)) = rest.split_once(slot) {
        out.push_str(before);
        quotes += before.matches('"').count() - before.matches("\\\"").count();
        if quotes.is_multiple_of(2_usize) {
            out.push_str(&format!("\"{value}\""));
        } else {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// JSON as a tree without places.
pub fn node(value: Json) -> Node {
    crate::text::node(value, Mark::default())
}

/// The family and revision that a task definition's ARN or name says.
pub fn family(task_definition: &str) -> &str {
    let name = task_definition.rsplit('/').next().unwrap_or(task_definition);
    name.split(':').next().unwrap_or(name)
}

/// Whether the target is an ECS task at all.
pub fn starts_task(target: &Node, spelling: &Spelling) -> bool {
    target.get(spelling.ecs).is_some_and(|node| !crate::object::is_empty(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, paths: &[(&str, &str)], expected: &str) {
        let paths: Vec<(String, String)> =
            paths.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
        assert_eq!(expanded(template, &paths), expected);
    }

    #[test]
    fn the_time_of_the_event_becomes_our_variable_wherever_it_stands() {
        check(r#"{"value": <t>}"#, &[("t", "$.time")], r#"{"value": "${scheduledTime}"}"#);
        check(r#"{"value": "at <t>"}"#, &[("t", "$.time")], r#"{"value": "at ${scheduledTime}"}"#);
        check(r#"["say \"hi\"", <t>]"#, &[("t", "$.time")], r#"["say \"hi\"", "${scheduledTime}"]"#);
    }

    #[test]
    fn what_else_is_taken_from_the_event_is_asked_for_and_literals_stay() {
        check(
            r#"{"a": <id>, "b": "${HOME}"}"#,
            &[("id", "$.detail.id")],
            r#"{"a": "FILL_IN(_.detail.id of the event)", "b": "$${HOME}"}"#,
        );
    }

    #[test]
    fn a_family_is_read_out_of_every_form() {
        for text in ["arn:aws:ecs:r:1:task-definition/load:7", "load:7", "load"] {
            assert_eq!(family(text), "load");
        }
    }
}
