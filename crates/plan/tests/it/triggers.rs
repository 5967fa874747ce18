//! Jobs that others start: by their end, by an event; and who is told of a run's end.

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::desired::{Effect, Trigger};
use ecs_etl_spec::shapes::events::Target;
use ecs_etl_spec::shapes::{ContainerOverride, KeyValuePair, RunTask, TaskOverride};
use ecs_etl_spec::trigger::Outcome;
use serde_json::{Value, json};

use crate::job::{Spec, job};
use crate::world::{World, reason};

const ALARMS: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";

/// The pattern of a job's only rule with one.
fn pattern(spec: &Spec) -> Value {
    let desired = spec.desired();
    let mut patterns = desired.rules.iter().filter_map(|rule| rule.trigger.pattern());
    let only = patterns.next().unwrap();
    assert_eq!(patterns.next(), None);
    serde_json::from_str(only).unwrap()
}

/// What a target passes on for one override of the environment.
fn passed(value: &str) -> Target {
    let variable = KeyValuePair { name: Some("V".to_owned()), value: Some(value.to_owned()) };
    let container = ContainerOverride {
        name: Some("sales".to_owned()),
        environment: Some(vec![variable]),
        ..ContainerOverride::default()
    };
    let overrides = TaskOverride { container_overrides: Some(vec![container]), ..TaskOverride::default() };
    Spec { run_task: RunTask { overrides: Some(overrides), ..RunTask::default() }, ..job() }.desired().target
}

#[test]
fn a_job_after_another_costs_as_much_as_one_with_a_schedule() {
    let spec = job().unscheduled().after("stock", Outcome::Success);
    let mut world = World::empty();
    let done = world.reconcile(&spec.desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutRule", "PutTargets"]);
    let again = world.reconcile(&spec.desired());
    assert_eq!(again.operations(), [""; 0], "{:#?}", again.plan.steps);
    assert_eq!(reason(&again.plan.verdict), Reason::Converged);
}

#[test]
fn success_asks_for_name_and_exit_code_of_one_container() {
    assert_eq!(
        pattern(&job().unscheduled().after("stock", Outcome::Success)),
        json!({
            "source": ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            "detail": {
                "clusterArn": ["arn:aws:ecs:eu-west-1:123456789012:cluster/analytics"],
                "group": ["family:etl-stock"],
                "lastStatus": ["STOPPED"],
                "stopCode": ["EssentialContainerExited"],
                "containers": {"name": ["stock"], "exitCode": [0]},
            },
        })
    );
}

#[test]
fn failure_is_also_a_run_that_never_started() {
    let pattern = pattern(&job().unscheduled().after("stock", Outcome::Failure));
    assert_eq!(pattern["detail"]["stopCode"], Value::Null);
    assert_eq!(
        pattern["detail"]["$or"],
        json!([
            {"containers": {"name": ["stock"], "exitCode": [{"anything-but": [0]}]}},
            {"stopCode": ["TaskFailedToStart", "SpotInterruption", "TerminationNotice", "UserInitiated"]},
        ])
    );
}

#[test]
fn completion_asks_for_nothing_but_the_end() {
    let pattern = pattern(&job().unscheduled().after("stock", Outcome::Completion));
    let keys: Vec<&String> = pattern["detail"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["clusterArn", "group", "lastStatus"]);
}

#[test]
fn a_group_that_jobs_share_does_not_mix_up_their_runs() {
    let mut spec = job().unscheduled().after("stock", Outcome::Completion);
    spec.after[0].upstream.group = Some("nightly".to_owned());
    let detail = &pattern(&spec)["detail"];
    assert_eq!(detail["group"], json!(["nightly"]));
    let prefix = "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-stock:";
    assert_eq!(detail["taskDefinitionArn"], json!([{"prefix": prefix}]));
}

#[test]
fn each_trigger_is_a_rule_and_goes_with_its_line() {
    let all = job()
        .after("stock", Outcome::Success)
        .on_event(json!({"source": ["aws.s3"], "detail": {"bucket": {"name": ["landing"]}}}))
        .notify(Outcome::Failure, ALARMS);
    let mut world = World::with(&all.desired());
    let rules = |world: &World| world.regions[&job().place].rules.keys().map(ToString::to_string).collect::<Vec<_>>();
    let names = rules(&world);
    assert_eq!(names.len(), 4);
    assert_eq!(names[0], "etl-sales");
    assert!(names[1..].iter().all(|name| name.len() == "etl-sales.".len() + 6), "{names:?}");

    let done = world.reconcile(&job().after("stock", Outcome::Success).desired());
    let gone = ["RemoveTargets", "DeleteRule", "RemoveTargets", "DeleteRule"];
    let removals: Vec<&str> = done.operations().into_iter().filter(|operation| gone.contains(operation)).collect();
    assert_eq!(removals, gone);
    assert_eq!(rules(&world).len(), 2);
    assert_eq!(world.reconcile(&job().after("stock", Outcome::Success).desired()).operations(), [""; 0]);
}

#[test]
fn another_end_of_the_same_job_starts_no_run_twice_on_the_way() {
    let before = job().unscheduled().after("stock", Outcome::Success);
    let after = job().unscheduled().after("stock", Outcome::Completion);
    let mut world = World::with(&before.desired());
    let done = world.reconcile(&after.desired());
    let steps = ["PutRule", "PutTargets", "DisableRule", "EnableRule", "RemoveTargets", "DeleteRule"];
    assert_eq!(done.operations(), steps, "a success would match both");
    assert!(done.plan.notes.iter().any(|note| note.contains("starts nothing")), "{:?}", done.plan.notes);
}

#[test]
fn who_is_told_holds_up_no_change_of_what_runs() {
    let before = job().unscheduled().after("stock", Outcome::Success).notify(Outcome::Failure, ALARMS);
    let after = job().unscheduled().after("prices", Outcome::Success).notify(Outcome::Failure, ALARMS);
    let mut world = World::with(&before.desired());
    let done = world.reconcile(&after.desired());
    let steps = ["PutRule", "PutTargets", "DisableRule", "EnableRule", "RemoveTargets", "DeleteRule"];
    assert_eq!(done.operations(), steps, "the new rule is ready before the old one stops");
}

#[test]
fn another_job_in_front_of_the_same_rule_takes_one_write() {
    let before = job().unscheduled().after("stock", Outcome::Success);
    let mut world = World::with(&before.desired());
    let mut after = before.clone();
    after.after[0].upstream.container = "main".to_owned();
    assert_eq!(world.reconcile(&after.desired()).operations(), ["PutRule"]);
}

#[test]
fn suspending_a_job_disables_every_trigger() {
    let spec = job().after("stock", Outcome::Success).notify(Outcome::Failure, ALARMS);
    let mut world = World::with(&spec.desired());
    assert_eq!(world.reconcile(&spec.suspended().desired()).operations(), ["DisableRule"; 3]);
}

#[test]
fn a_new_image_repins_what_starts_the_job_and_leaves_who_is_told_alone() {
    let spec = job().after("stock", Outcome::Success).notify(Outcome::Failure, ALARMS);
    let mut world = World::with(&spec.desired());
    let done = world.reconcile(&spec.image("sales:2").desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutTargets", "PutTargets"]);
}

#[test]
fn who_is_told_gets_one_json_object_with_every_value_escaped() {
    let desired = job().notify(Outcome::Failure, ALARMS).desired();
    let rule = desired.rules.iter().find(|rule| matches!(rule.effect, Effect::Notify(_))).unwrap();
    assert!(matches!(rule.trigger, Trigger::Event(_)));
    let Effect::Notify(target) = &rule.effect else { unreachable!() };
    assert_eq!(target.arn.as_deref(), Some(ALARMS));
    assert_eq!((&target.role_arn, &target.ecs_parameters), (&None, &None));
    let transformer = target.input_transformer.as_ref().unwrap();
    let template = transformer.input_template.as_deref().unwrap();
    assert!(template.starts_with("{\n  \"message\": \"ETL job sales failed\",\n"), "{template}");
    let paths = transformer.input_paths_map.as_ref().unwrap();
    for (name, path) in paths {
        assert!(template.contains(&format!(": <{name}>")), "{name} stands in quotes: {template}");
        assert!(path.starts_with("$.detail."), "{path}");
    }
    let filled = paths.keys().fold(template.to_owned(), |text, name| text.replace(&format!("<{name}>"), "\"x\""));
    assert!(serde_json::from_str::<Value>(&filled).is_ok(), "{filled}");
}

#[test]
fn a_bus_is_told_the_event_itself() {
    let bus = "arn:aws:events:eu-west-1:123456789012:event-bus/central";
    let desired = job().notify(Outcome::Completion, bus).desired();
    let Effect::Notify(target) = &desired.rules[1].effect else { unreachable!() };
    assert_eq!((&target.input_transformer, &target.input), (&None, &None));
}

#[test]
fn what_only_the_run_knows_becomes_a_template() {
    let check = |value: &str, expected: &str, paths: &[(&str, &str)]| {
        let target = passed(value);
        let found = match (&target.input, &target.input_transformer) {
            (Some(input), None) => {
                assert!(paths.is_empty(), "{value}");
                input.clone()
            }
            (None, Some(transformer)) => {
                let map = transformer.input_paths_map.as_ref().unwrap();
                let map: Vec<(&str, &str)> = map.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
                assert_eq!(map, paths, "{value}");
                transformer.input_template.clone().unwrap()
            }
            other => panic!("{other:?}"),
        };
        let head = "{\"containerOverrides\":[{\"environment\":[{\"name\":\"V\",\"value\":";
        assert_eq!(found, format!("{head}{expected}}}],\"name\":\"sales\"}}]}}"), "{value}");
    };
    check("plain <x>", r#""plain <x>""#, &[]);
    check("$${event.x}", r#""${event.x}""#, &[]);
    check("at ${scheduledTime}", r#""at <scheduledTime>""#, &[("scheduledTime", "$.time")]);
    check("a<b ${scheduledTime}", r#""a\u003cb <scheduledTime>""#, &[("scheduledTime", "$.time")]);
    // Any text: a value of its own is escaped by EventBridge.
    check(
        "${event.detail.object.key}",
        "<event_detail_object_key>",
        &[("event_detail_object_key", "$.detail.object.key")],
    );
    check("k=${event.detail.key}", r#""k=<event_detail_key>""#, &[("event_detail_key", "$.detail.key")]);
    // A number must become a text.
    check("${event.detail.size:number}", r#""<event_detail_size>""#, &[("event_detail_size", "$.detail.size")]);
    check("${after.taskArn}", r#""<after_taskArn>""#, &[("after_taskArn", "$.detail.taskArn")]);
    // Two names that would become one.
    check(
        "${event.a_b} ${event.a.b} ${event.a_b}",
        r#""<event_a_b> <event_a_b_2> <event_a_b>""#,
        &[("event_a_b", "$.a_b"), ("event_a_b_2", "$.a.b")],
    );
}
