//! What the targets of notifications and the dead-letter queues must allow EventBridge.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::desired::{Desired, Effect};
use serde_json::{Value, json};

/// A target, and the role that is assumed to reach it, if one is.
type Reached = (String, Option<String>);

/// The policy statement that each target of the jobs' rules needs, with what it must be attached to.
///
/// A job's own target is an ECS cluster, which the events role reaches: it needs none.
pub fn statements<'d>(jobs: impl IntoIterator<Item = &'d Desired>) -> Value {
    let mut rules: BTreeMap<Reached, BTreeSet<String>> = BTreeMap::new();
    for desired in jobs {
        for rule in &desired.rules {
            let region = &desired.place.region;
            let arn = format!("arn:{}:events:{region}:{}:rule/{}", region.partition(), desired.account, rule.name);
            let target = match &rule.effect {
                Effect::Run => &desired.target,
                Effect::Notify(target) => {
                    let reached = (target.arn.clone().unwrap_or_default(), target.role_arn.clone());
                    rules.entry(reached).or_default().insert(arn.clone());
                    target
                }
            };
            if let Some(scheduled) = desired.scheduled.as_ref().filter(|_| rule.name.group().is_some()) {
                // Scheduler sends with the role that it starts runs with.
                let queue = scheduled.target.dead_letter_config.as_ref().and_then(|config| config.arn.clone());
                if let Some(queue) = queue {
                    rules.entry((queue, scheduled.target.role_arn.clone())).or_default();
                }
                continue;
            }
            let queue = target.dead_letter_config.as_ref().and_then(|config| config.arn.clone());
            if let Some(queue) = queue {
                rules.entry((queue, None)).or_default().insert(arn);
            }
        }
    }
    rules.iter().filter_map(|(reached, rules)| statement(reached, rules)).collect()
}

fn statement((target, role): &Reached, rules: &BTreeSet<String>) -> Option<Value> {
    if let Some(role) = role {
        let is_queue = target.split(':').nth(2) == Some("sqs");
        let action = if is_queue { "sqs:SendMessage" } else { "events:PutEvents" };
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": target});
        return Some(json!({"target": target, "attachTo": format!("role {role}"), "statement": statement}));
    }
    let (policy, action) = match target.split(':').nth(2)? {
        "sns" => ("the topic's access policy", "sns:Publish"),
        "sqs" => ("the queue's access policy", "sqs:SendMessage"),
        "lambda" => ("the function's resource policy", "lambda:InvokeFunction"),
        // A bus of the same account and Region takes its account's events as it is.
        _ => return None,
    };
    let statement = json!({
        "Sid": "EcsEtlEvents",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": target,
        "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
    });
    Some(json!({"target": target, "attachTo": policy, "statement": statement}))
}
