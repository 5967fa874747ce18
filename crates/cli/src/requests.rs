//! A job as the AWS requests it becomes.

use ecs_etl_plan::desired::{Desired, DesiredRule, Effect, Trigger};
use ecs_etl_spec::schedule::Timing;
use serde_json::{Value, json};

/// What stands in a target for the revision that RegisterTaskDefinition will answer with.
const REVISION: &str = "<revision>";

/// Bodies of the requests that create the job, in their order.
pub fn bodies(desired: &Desired) -> serde_json::Result<Value> {
    let definition = serde_json::to_value(&desired.task_definition)?;
    let mut register = definition.as_object().cloned().unwrap_or_default();
    let containers = register.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        // The SDK knows no container without `cpu`; to AWS, 0 is the same.
        container.entry("cpu").or_insert_with(|| json!(0));
    }
    register.insert("family".to_owned(), json!(desired.family));
    register.insert("tags".to_owned(), tags(&desired.revision_tags, "key", "value"));
    let mut requests = vec![json!({"RegisterTaskDefinition": register})];
    if let Some(scheduled) = &desired.scheduled {
        let tags = tags(&scheduled.group_tags, "Key", "Value");
        requests.push(json!({"CreateScheduleGroup": {"Name": scheduled.group, "Tags": tags}}));
    }
    let revision = format!(
        "arn:{}:ecs:{}:{}:task-definition/{}:{REVISION}",
        desired.place.region.partition(),
        desired.place.region,
        desired.account,
        desired.family
    );
    for rule in &desired.rules {
        if let Trigger::Timed(timing) = &rule.trigger {
            requests.push(json!({"CreateSchedule": schedule(desired, rule, timing, &revision)?}));
            continue;
        }
        let mut put = json!({
            "Name": rule.name.as_str(),
            "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
            "Description": rule.description,
            "Tags": tags(&desired.rule_tags, "Key", "Value"),
        });
        match &rule.trigger {
            Trigger::Schedule(schedule) => put["ScheduleExpression"] = json!(schedule.expression()),
            Trigger::Event(pattern) => put["EventPattern"] = json!(pattern.as_str()),
            Trigger::Timed(_) => {}
        }
        requests.push(json!({"PutRule": put}));
        let mut target = match &rule.effect {
            Effect::Run => desired.target.clone(),
            Effect::Notify(target) => (**target).clone(),
        };
        if let Some(ecs) = &mut target.ecs_parameters {
            ecs.task_definition_arn = Some(revision.clone());
        }
        requests.push(json!({"PutTargets": {"Rule": rule.name.as_str(), "Targets": [target]}}));
    }
    Ok(Value::Array(requests))
}

/// The body of CreateSchedule. Its target has no Id, and its tags are maps (docs/aws.md, Scheduler).
fn schedule(desired: &Desired, rule: &DesiredRule, timing: &Timing, revision: &str) -> serde_json::Result<Value> {
    let target = desired.scheduled.as_ref().map_or(&desired.target, |scheduled| &scheduled.target);
    let mut target = serde_json::to_value(target)?;
    if let Some(target) = target.as_object_mut() {
        target.remove("Id");
    }
    if let Some(parameters) = target.get_mut("EcsParameters").and_then(Value::as_object_mut) {
        parameters.insert("TaskDefinitionArn".to_owned(), json!(revision));
        if let Some(tags) = parameters.get_mut("Tags").and_then(Value::as_array_mut) {
            for tag in tags {
                *tag = json!({tag["Key"].as_str().unwrap_or_default(): tag["Value"]});
            }
        }
    }
    let window = match timing.window_minutes {
        Some(minutes) => json!({"Mode": "FLEXIBLE", "MaximumWindowInMinutes": minutes}),
        None => json!({"Mode": "OFF"}),
    };
    let mut body = json!({
        "Name": rule.name.as_str(),
        "GroupName": rule.name.group(),
        "ScheduleExpression": timing.schedule.expression(),
        "ScheduleExpressionTimezone": timing.zone.as_str(),
        "FlexibleTimeWindow": window,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
        "ActionAfterCompletion": "NONE",
        "Description": rule.description,
        "Target": target,
    });
    // Scheduler takes seconds since 1970.
    for (name, date) in [("StartDate", timing.start.filter(|_| !rule.begun)), ("EndDate", timing.end)] {
        if let Some(date) = date {
            body[name] = json!(date.as_second());
        }
    }
    Ok(body)
}

fn tags(tags: &ecs_etl_plan::tags::Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(name, text)| json!({key: name, value: text})).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use ecs_etl_aws::{Aws, Endpoint, Options};
    use ecs_etl_controller::clock::Clock;
    use ecs_etl_controller::context::Context;
    use ecs_etl_controller::engine::{Engine, Mode};
    use ecs_etl_controller::manifests::Reader;
    use ecs_etl_controller::once;
    use ecs_etl_controller::report::Reporter;
    use ecs_etl_emulator::door::{self, Call, Hook, InProcess, Observer};
    use ecs_etl_emulator::{Emulator, Reply, Request, Settings};
    use ecs_etl_plan::lower::lower;
    use ecs_etl_spec::name::AccountId;
    use jiff::Timestamp;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::commands::connect;

    /// Writes as they arrived, by what they are about.
    #[derive(Default)]
    struct Sent(Mutex<BTreeMap<String, Vec<Value>>>);

    impl Observer for Sent {
        fn saw(&self, call: &Call, request: &Request, _reply: Option<&Reply>) {
            let operation = call.operation.rsplit(':').next().unwrap();
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let about = match operation {
                "RegisterTaskDefinition" => &body["family"],
                "PutRule" => &body["Name"],
                "PutTargets" => &body["Rule"],
                _ => return,
            };
            // Rules of a list of schedules have a suffix.
            let job = about.as_str().unwrap().split('.').next().unwrap().to_owned();
            self.0.lock().unwrap().entry(job).or_default().push(json!({operation: body}));
        }
    }

    #[tokio::test]
    async fn what_is_rendered_is_what_is_sent() {
        let samples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests"));
        let (_, manifests) = connect::manifests(samples, &Reader::default()).unwrap();
        let sent = Arc::new(Sent::default());
        let hook = Hook::new(Arc::clone(&sent) as Arc<dyn Observer>);
        let door = InProcess::spawn(Emulator::new(Settings::default()), None, door::Clock::system(), hook);
        let aws = Aws::connect(Endpoint::InProcess(door), Options::default()).await.unwrap();
        let settings = manifests.settings("none");
        let cx = Arc::new(Context::new(aws, Clock::system(), settings.clone()));
        let mut engine = Engine::new(cx, Reporter::default(), Mode::OnePass);
        engine.take_manifests(manifests.clone(), "none");
        assert!(once::settle(&mut engine, &CancellationToken::new(), &mut |_| {}).await);

        let account = AccountId::new("123456789012").unwrap();
        assert!(manifests.wanted().count() > 3);
        for job in manifests.wanted() {
            let desired =
                lower(&job.bind(&account).unwrap(), &settings.identity, &settings.prefix, Timestamp::now()).unwrap();
            let rendered = bodies(&desired).unwrap().to_string().replace(REVISION, "1");
            let rendered: Value = serde_json::from_str(&rendered).unwrap();
            let sent = sent.0.lock().unwrap().remove(&desired.family.to_string());
            assert_eq!(rendered, Value::Array(sent.unwrap_or_default()), "{}", job.name);
        }
    }
}
