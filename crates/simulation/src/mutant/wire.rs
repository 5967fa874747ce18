//! What a wrong controller bends on the wire: what it sends, and what it hears.

use std::collections::BTreeMap;

use ecs_etl_emulator::door::Call;
use ecs_etl_emulator::{Reply, Request};
use ecs_etl_plan::tags;
use serde_json::{Value, json};

use super::Mutant;

impl Mutant {
    /// What it sends instead.
    pub fn sends(self, call: &Call, mut request: Request) -> Request {
        let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else { return request };
        let Some(members) = body.as_object_mut() else { return request };
        match (self, call.operation.as_str()) {
            (Self::ForgetState, "events:PutRule") => drop(members.remove("State")),
            (Self::DropDigest, "ecs:RegisterTaskDefinition") => {
                if let Some(tags) = members.get_mut("tags").and_then(Value::as_array_mut) {
                    tags.retain(|tag| tag.get("key").is_none_or(|key| key != tags::SPEC));
                }
            }
            (Self::RemoveTheirs, "events:RemoveTargets") => {
                if let Some(ids) = members.get_mut("Ids").and_then(Value::as_array_mut) {
                    ids.push(json!("theirs"));
                }
            }
            (Self::DropRetryPolicy, "events:PutTargets") => {
                let targets = members.get_mut("Targets").and_then(Value::as_array_mut);
                for target in targets.into_iter().flatten().filter_map(Value::as_object_mut) {
                    target.remove("RetryPolicy");
                }
            }
            (Self::ForgetGroup, "events:PutTargets") => {
                let targets = members.get_mut("Targets").and_then(Value::as_array_mut);
                for target in targets.into_iter().flatten() {
                    let parameters = target.get_mut("EcsParameters").and_then(Value::as_object_mut);
                    parameters.map(|parameters| parameters.remove("Group"));
                }
            }
            (Self::ForgetLabels, "events:PutRule" | "events:TagResource") => {
                if let Some(tags) = members.get_mut("Tags").and_then(Value::as_array_mut) {
                    tags.retain(|tag| tag.get("Key").is_none_or(|key| key != "team" && key != "owner"));
                }
            }
            (Self::ForgetZone, "scheduler:CreateSchedule" | "scheduler:UpdateSchedule") => {
                drop(members.remove("ScheduleExpressionTimezone"));
            }
            (Self::ForgetScheduleState, "scheduler:CreateSchedule" | "scheduler:UpdateSchedule") => {
                drop(members.remove("State"));
            }
            (Self::RefusedInSilence, "ecs:TagResource") => {
                let tags = members.get_mut("tags").and_then(Value::as_array_mut);
                for tag in tags.into_iter().flatten().filter_map(Value::as_object_mut) {
                    if tag.get("key").is_some_and(|key| key == tags::RETIRED_AT) {
                        tag.insert("key".to_owned(), json!("aws:retired-at"));
                    }
                }
            }
            (Self::AnyEnd, "events:PutRule") => loosen(members, &["containers", "$or", "stopCode"]),
            (Self::AnyRun, "events:PutRule") => loosen(members, &["group", "taskDefinitionArn"]),
            _ => return request,
        }
        request.body = body.to_string().into_bytes();
        request
    }

    /// What it hears instead.
    pub fn arrives(self, call: &Call, request: &Request, reply: Reply, second: u32, memory: &mut Memory) -> Reply {
        match (self, call.operation.as_str()) {
            (Self::BelieveTheIndex, "ecs:ListTaskDefinitions") => memory.hour_ago(call, request, reply, second),
            (Self::NameIsProof, "events:ListTagsForResource") => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let arn = asked.get("ResourceARN").and_then(Value::as_str).unwrap_or_default();
                let job = arn.rsplit('/').next().and_then(crate::judge::job_of).unwrap_or_default();
                with_tags(reply, |tags| {
                    tags.retain(|tag| tag.get("Key").is_none_or(|key| key != tags::JOB && key != tags::CONTROLLER));
                    tags.push(json!({"Key": tags::JOB, "Value": job}));
                    tags.push(json!({"Key": tags::CONTROLLER, "Value": "main"}));
                })
            }
            (Self::IgnorePause, "events:ListTagsForResource") => {
                with_tags(reply, |tags| tags.retain(|tag| tag.get("Key").is_none_or(|key| key != tags::RECONCILE)))
            }
            (Self::RestartRates, "events:ListRules") => with(reply, "Rules", |rules| {
                rules.iter_mut().for_each(undescribed);
            }),
            (Self::RestartRates, "events:DescribeRule") => {
                let Ok(mut rule) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
                undescribed(&mut rule);
                Reply { body: rule.to_string().into_bytes(), ..reply }
            }
            (Self::LabelAgain, "events:ListTagsForResource") => {
                with_tags(reply, |tags| tags.retain(|tag| tag.get("Key").is_none_or(|key| key != "cluster")))
            }
            (Self::MarkAgain, "ecs:DescribeTaskDefinition") => with(reply, "tags", |tags| {
                tags.retain(|tag| tag.get("key").is_none_or(|key| key != tags::RETIRED_AT));
            }),
            _ => reply,
        }
    }
}
/// Takes members out of what a rule's pattern asks of an event's `detail`.
fn loosen(members: &mut serde_json::Map<String, Value>, asked: &[&str]) {
    let pattern = members.get("EventPattern").and_then(Value::as_str);
    let Some(Ok(mut pattern)) = pattern.map(serde_json::from_str::<Value>) else { return };
    if let Some(detail) = pattern.get_mut("detail").and_then(Value::as_object_mut) {
        detail.retain(|member, _| !asked.contains(&member.as_str()));
    }
    members.insert("EventPattern".to_owned(), pattern.to_string().into());
}

/// Takes the description off a rule with a rate.
fn undescribed(rule: &mut Value) {
    let rate = rule.get("ScheduleExpression").and_then(Value::as_str).is_some_and(|words| words.starts_with("rate("));
    if let Some(members) = rule.as_object_mut().filter(|_| rate) {
        members.remove("Description");
    }
}

fn with_tags(reply: Reply, change: impl FnOnce(&mut Vec<Value>)) -> Reply {
    with(reply, "Tags", change)
}

fn with(reply: Reply, list: &str, change: impl FnOnce(&mut Vec<Value>)) -> Reply {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    match body.get_mut(list).and_then(Value::as_array_mut) {
        Some(tags) => change(tags),
        None => return reply,
    }
    Reply { body: body.to_string().into_bytes(), ..reply }
}

/// Answers, each with the second at which it came.
type Heard = Vec<(u32, Reply)>;

/// Answers of an hour ago, by operation, place and request.
#[derive(Debug, Default)]
pub struct Memory {
    answers: BTreeMap<(String, String, Vec<u8>), Heard>,
}

impl Memory {
    fn hour_ago(&mut self, call: &Call, request: &Request, reply: Reply, second: u32) -> Reply {
        let answers = self
            .answers
            .entry((call.operation.clone(), crate::wire::place(request), request.body.clone()))
            .or_default();
        answers.push((second, reply.clone()));
        let old = answers.iter().rev().find(|(at, _)| *at + 3600 <= second);
        match old {
            Some((_, old)) => old.clone(),
            // Of an hour ago nothing is known: there was nothing.
            None => Reply { body: json!({"taskDefinitionArns": []}).to_string().into_bytes(), ..reply },
        }
    }
}
