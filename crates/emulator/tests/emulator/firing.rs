//! Rules that fire: when, what they start, and what becomes of changes (docs/aws.md, Rules and schedules).

use ecs_etl_emulator::Settings;
use ecs_etl_emulator::firing::{Firing, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{Aws, with};

/// A rule with one ECS target.
pub fn scheduled(aws: &mut Aws, rule: &str, expression: &str, task_definition: &str) {
    aws.events("PutRule", json!({"Name": rule, "ScheduleExpression": expression})).unwrap();
    put_target(aws, rule, "job", json!({"EcsParameters": {"TaskDefinitionArn": task_definition}}));
}

/// Puts a target that runs in the cluster `main`, with members laid over it.
pub fn put_target(aws: &mut Aws, rule: &str, id: &str, over: Value) {
    let target = json!({
        "Id": id,
        "Arn": aws.arn("ecs", "cluster/main"),
        "RoleArn": "arn:aws:iam::123456789012:role/events",
    });
    aws.events("PutTargets", json!({"Rule": rule, "Targets": [with(target, over)]})).unwrap();
}

/// Lets time pass and tells what fired meanwhile.
pub fn pass(aws: &mut Aws, seconds: i64) -> Vec<Firing> {
    aws.sleep(seconds);
    aws.emulator.advance(aws.now);
    aws.emulator.take_firings()
}

pub fn dues(firings: &[Firing]) -> Vec<String> {
    firings.iter().map(|firing| firing.due.strftime("%H:%M:%S").to_string()).collect()
}

/// An AWS whose ticks come on time, in which `etl-a:1` is registered.
pub fn punctual() -> (Aws, String) {
    punctual_with(Settings::default())
}

fn punctual_with(settings: Settings) -> (Aws, String) {
    let mut aws = Aws::with(Settings { fires_within: SignedDuration::ZERO, ..settings });
    let revision = aws.register("etl-a");
    (aws, revision)
}

/// What came of a tick: `2 of etl-a:1 as GROUP`, or `code: message`.
pub fn outcome(firing: &Firing) -> String {
    match &firing.outcome {
        Outcome::Started { task_definition, tasks, group } => {
            format!("{} of {} as {group}", tasks.len(), task_definition.rsplit('/').next().unwrap())
        }
        Outcome::Failed { code, .. } => format!("{code}, to be tried again"),
        Outcome::Refused { code, message, .. } => format!("{code}: {message}"),
        Outcome::NotPlaced { reason, .. } => format!("no place: {reason}"),
        Outcome::Queued { queue, .. } => format!("queued in {}", queue.rsplit(':').next().unwrap()),
        Outcome::NotEmulated { arn, input } => format!("{input} for {}", arn.rsplit(':').next().unwrap()),
    }
}

#[test]
fn a_rule_fires_within_the_minute_that_its_schedule_names() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    scheduled(&mut aws, "a", "cron(0/10 3 * * ? *)", &revision);
    let firings = pass(&mut aws, 3600);
    assert_eq!(dues(&firings), ["03:10:00", "03:20:00", "03:30:00", "03:40:00", "03:50:00"]);
    for firing in &firings {
        let late = firing.at.duration_since(firing.due);
        assert!((SignedDuration::ZERO..SignedDuration::from_mins(1)).contains(&late), "{late}");
        assert_eq!(outcome(firing), "1 of etl-a:1 as family:etl-a");
        let Firing { account, region, rule, target, .. } = firing;
        assert_eq!(
            (account.as_str(), region.as_str(), rule.as_str(), target.as_str()),
            ("123456789012", "eu-west-1", "a", "job")
        );
    }
    assert!(firings.iter().any(|firing| firing.at > firing.due), "not at second 0 each time");
}

#[test]
fn a_setting_bounds_how_late_a_tick_is() {
    let settings = Settings { fires_within: SignedDuration::from_secs(7), ..Settings::default() };
    let mut aws = Aws::with(settings);
    let revision = aws.register("etl-a");
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    let firings = pass(&mut aws, 3602);
    assert_eq!(firings.len(), 60);
    let latest = firings.iter().map(|firing| firing.at.duration_since(firing.due)).max();
    assert!(
        latest.is_some_and(|late| late > SignedDuration::ZERO && late <= SignedDuration::from_secs(7)),
        "{latest:?}"
    );
}

#[test]
fn time_may_pass_in_any_steps() {
    let fired = |step: i64| {
        let mut aws = Aws::new();
        let revision = aws.register("etl-a");
        scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
        scheduled(&mut aws, "b", "rate(7 minutes)", &revision);
        let firings: Vec<_> = (0..3600 / step).flat_map(|_| pass(&mut aws, step)).collect();
        assert!(firings.is_sorted_by_key(|firing| firing.at));
        (firings, aws.emulator.snapshot())
    };
    let whole = fired(3600);
    for step in [1, 45, 600] {
        assert_eq!(fired(step), whole, "in steps of {step}");
    }
}

#[test]
fn the_next_tick_is_what_is_due_next() {
    let (mut aws, revision) = punctual();
    assert_eq!(aws.emulator.next_due(), None);
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "cron(0 4 * * ? *)"})).unwrap();
    assert_eq!(aws.emulator.next_due(), None, "a rule without targets starts nothing");
    scheduled(&mut aws, "a", "cron(0 4 * * ? *)", &revision);
    let four: Timestamp = "2026-01-02T04:00:00Z".parse().unwrap();
    assert_eq!(aws.emulator.next_due(), Some(four));
    aws.events("DisableRule", json!({"Name": "a"})).unwrap();
    assert_eq!(aws.emulator.next_due(), None);
    aws.events("EnableRule", json!({"Name": "a"})).unwrap();
    assert_eq!(aws.emulator.next_due(), Some(four));
    aws.now = four;
    assert_eq!(pass(&mut aws, 0).len(), 1);
    assert_eq!(pass(&mut aws, 0), []);
}

#[test]
fn a_rate_counts_from_the_moment_its_rule_was_created() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "rate(15 minutes)", &revision);
    assert_eq!(dues(&pass(&mut aws, 3000)), ["03:19:05", "03:34:05", "03:49:05"]);
    // Putting what is there already, targets and tags, and a pause change nothing.
    scheduled(&mut aws, "a", "rate(15 minutes)", &revision);
    put_target(&mut aws, "a", "job", json!({"EcsParameters": {"TaskDefinitionArn": revision, "TaskCount": 2}}));
    aws.events("DisableRule", json!({"Name": "a"})).unwrap();
    assert_eq!(dues(&pass(&mut aws, 1000)), <[&str; 0]>::default());
    aws.events("EnableRule", json!({"Name": "a"})).unwrap();
    assert_eq!(dues(&pass(&mut aws, 900)), ["04:19:05"]);
    // Another expression counts anew.
    scheduled(&mut aws, "a", "rate(10 minutes)", &revision);
    assert_eq!(aws.now.to_string(), "2026-01-02T04:25:45Z");
    assert_eq!(dues(&pass(&mut aws, 1300)), ["04:35:45", "04:45:45"]);
}

#[test]
fn a_target_says_at_each_tick_what_is_run() {
    let (mut aws, first) = punctual();
    let ran = |aws: &mut Aws| pass(aws, 60).iter().map(outcome).collect::<Vec<_>>();
    let family = aws.arn("ecs", "task-definition/etl-a");
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &family);
    assert_eq!(ran(&mut aws), ["1 of etl-a:1 as family:etl-a"]);
    let second = aws.register("etl-a");
    assert_eq!(ran(&mut aws), ["1 of etl-a:2 as family:etl-a"]);
    let pinned = json!({"EcsParameters": {"TaskDefinitionArn": first, "TaskCount": 3, "Group": "nightly"}});
    put_target(&mut aws, "a", "job", pinned);
    put_target(&mut aws, "a", "other", json!({"EcsParameters": {"TaskDefinitionArn": second}}));
    assert_eq!(ran(&mut aws), ["3 of etl-a:1 as nightly", "1 of etl-a:2 as family:etl-a"]);
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["job"]})).unwrap();
    assert_eq!(ran(&mut aws), ["1 of etl-a:2 as family:etl-a"]);
}

#[test]
fn a_target_of_another_service_is_told_and_starts_nothing() {
    let (mut aws, _) = punctual();
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "rate(1 minute)"})).unwrap();
    let topic = json!({"Id": "t", "Arn": "arn:aws:sns:eu-west-1:123456789012:topic", "InputPath": "$.detail-type"});
    aws.events("PutTargets", json!({"Rule": "a", "Targets": [topic]})).unwrap();
    assert_eq!(outcome(&pass(&mut aws, 60)[0]), "\"Scheduled Event\" for topic");
}

#[test]
fn a_tick_that_run_task_refuses_is_a_failed_invocation() {
    let (mut aws, revision) = punctual();
    let refused = |aws: &mut Aws, parameters: Value, rest: Value| {
        aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "cron(* * * * ? *)"})).unwrap();
        put_target(aws, "a", "job", with(json!({"EcsParameters": parameters}), rest));
        outcome(&pass(aws, 60)[0])
    };
    let nosuch = aws.arn("ecs", "task-definition/nosuch");
    assert_eq!(
        refused(&mut aws, json!({"TaskDefinitionArn": nosuch}), json!({})),
        "ClientException: TaskDefinition not found."
    );
    let both = json!({
        "TaskDefinitionArn": revision,
        "LaunchType": "EC2",
        "CapacityProviderStrategy": [{"capacityProvider": "FARGATE"}],
    });
    assert!(refused(&mut aws, both, json!({})).starts_with("InvalidParameterException: Specifying both a launch type"));
    let unknown = json!({"Input": "{\"containerOverrides\": [{\"name\": \"other\"}]}"});
    assert_eq!(
        refused(&mut aws, json!({"TaskDefinitionArn": revision}), unknown),
        "InvalidParameterException: Override for container named other is not a container in the TaskDefinition."
    );
    let odd = json!({"Input": "\"text\""});
    assert!(refused(&mut aws, json!({"TaskDefinitionArn": revision}), odd).starts_with("SerializationException: "));
    assert_eq!(aws.ecs("ListTasks", json!({"cluster": "main"})).unwrap(), json!({"taskArns": []}));
}

#[test]
fn a_deregistered_revision_starts_for_ten_minutes_more() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    // It was deregistered at 03:04:05.
    let firings = pass(&mut aws, 900);
    let outcomes: Vec<_> = firings.iter().map(outcome).collect();
    assert_eq!(outcomes[..10], ["1 of etl-a:1 as family:etl-a"; 10]);
    assert_eq!(outcomes[10..], ["InvalidParameterException: TaskDefinition is inactive"; 5]);
}

#[test]
fn changes_of_a_rule_take_effect_after_a_while() {
    let (mut aws, first) =
        punctual_with(Settings { changes_take: SignedDuration::from_secs(90), ..Settings::default() });
    let second = aws.register("etl-a");
    // 03:04:05, so this counts from 03:05:35 on.
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &first);
    assert_eq!(dues(&pass(&mut aws, 91)), <[&str; 0]>::default());
    let firings = pass(&mut aws, 60);
    assert_eq!(dues(&firings), ["03:06:00"]);

    // 03:06:36: two changes, each with a while of its own; what is read shows them at once.
    put_target(&mut aws, "a", "job", json!({"EcsParameters": {"TaskDefinitionArn": second}}));
    let listed = aws.events("ListTargetsByRule", json!({"Rule": "a"})).unwrap();
    assert_eq!(listed["Targets"][0]["EcsParameters"]["TaskDefinitionArn"], json!(second));
    let mut firings = pass(&mut aws, 60);
    aws.events("DisableRule", json!({"Name": "a"})).unwrap();
    firings.extend(pass(&mut aws, 600));
    assert_eq!(dues(&firings), ["03:07:00", "03:08:00", "03:09:00"]);
    let ran: Vec<_> = firings.iter().map(outcome).collect();
    let run = |revision: u8| format!("1 of etl-a:{revision} as family:etl-a");
    assert_eq!(ran, [run(1), run(1), run(2)]);

    // A rule that is gone still fires.
    aws.events("EnableRule", json!({"Name": "a"})).unwrap();
    pass(&mut aws, 600);
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["job"]})).unwrap();
    aws.events("DeleteRule", json!({"Name": "a"})).unwrap();
    assert_eq!(aws.now.to_string(), "2026-01-02T03:27:36Z");
    assert_eq!(dues(&pass(&mut aws, 600)), ["03:28:00", "03:29:00"]);
    assert_eq!(aws.emulator.snapshot()["123456789012"]["eu-west-1"].get("formers"), None, "nothing is left of it");
}

#[test]
fn a_rule_put_again_at_once_starts_no_tick_twice() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    let mut firings = Vec::new();
    for n in 0..3600 {
        let count = n % 2 + 1;
        let parameters = json!({"EcsParameters": {"TaskDefinitionArn": revision, "TaskCount": count}});
        put_target(&mut aws, "a", "job", parameters);
        firings.extend(pass(&mut aws, 1));
    }
    let mut minutes = dues(&firings);
    let all = minutes.len();
    minutes.dedup();
    assert_eq!((minutes.len(), all), (60, 60));
}

#[test]
fn what_nobody_takes_is_not_kept_for_ever() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "rate(1 minute)", &revision);
    for _ in 0..20_000 {
        aws.sleep(60);
        aws.emulator.advance(aws.now);
    }
    assert_eq!(aws.emulator.take_firings().len(), 10_000);
    let snapshot = aws.emulator.snapshot();
    let tasks = snapshot["123456789012"]["eu-west-1"]["tasks"].as_object().unwrap();
    assert!(tasks.len() <= 62, "{} tasks are kept", tasks.len());
}

#[test]
fn a_long_sleep_passes_over_what_nobody_could_see() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "rate(7 minutes)", &revision);
    scheduled(&mut aws, "b", "cron(* * * * ? *)", &revision);
    let day = 24 * 3600;
    let firings = pass(&mut aws, 1000 * day);
    assert!(firings.len() < 80, "{} ticks", firings.len());
    let last = |rule: &str| firings.iter().rfind(|firing| firing.rule == rule).unwrap().due;
    // 1000 days are 205,714 times seven minutes and two minutes more.
    assert_eq!(last("a"), aws.now - SignedDuration::from_mins(2));
    assert_eq!(last("b").to_string(), "2028-09-28T03:04:00Z");
    assert_eq!(aws.emulator.next_due().unwrap().to_string(), "2028-09-28T03:05:00Z");
}
