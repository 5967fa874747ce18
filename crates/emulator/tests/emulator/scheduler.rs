//! EventBridge Scheduler: schedules, groups, and when they fire (docs/aws.md, Scheduler).

use ecs_etl_emulator::{Journal, Settings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{Aws, with};
use crate::firing::{dues, outcome, pass};

fn schedule(aws: &Aws, expression: &str, over: Value) -> Value {
    let target = json!({
        "Arn": aws.arn("ecs", "cluster/main"),
        "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
        "EcsParameters": {"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")},
    });
    let base = json!({"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target});
    with(base, over)
}

fn create(aws: &mut Aws, name: &str, expression: &str, over: Value) -> Result<Value, String> {
    let body = schedule(aws, expression, over);
    aws.scheduler("POST", &format!("/schedules/{name}"), body)
}

fn get(aws: &mut Aws, name: &str) -> Result<Value, String> {
    aws.scheduler("GET", &format!("/schedules/{name}"), Value::Null)
}

/// An AWS that reads `now`, in which `etl-a:1` is registered and schedules come a second after their time.
fn at(now: &str) -> Aws {
    let mut aws = Aws::with(Settings { fires_within: SignedDuration::ZERO, ..Settings::default() });
    aws.now = now.parse().unwrap();
    aws.register("etl-a");
    aws
}

/// When a schedule fires within so many hours.
fn moments(now: &str, expression: &str, over: Value, hours: i64) -> Vec<String> {
    let mut aws = at(now);
    create(&mut aws, "s", expression, over).unwrap();
    let firings = (0..hours).flat_map(|_| pass(&mut aws, 3600)).collect::<Vec<_>>();
    firings.iter().map(|firing| firing.due.strftime("%dT%H:%M").to_string()).collect()
}

#[test]
fn a_schedule_comes_back_with_its_defaults() {
    let mut aws = Aws::new();
    let created = create(&mut aws, "s", "rate(5 minutes)", json!({})).unwrap();
    let arn = aws.arn("scheduler", "schedule/default/s");
    assert_eq!(created, json!({ "ScheduleArn": arn }));
    let expected = with(
        schedule(&aws, "rate(5 minutes)", json!({})),
        json!({
            "Arn": arn, "Name": "s", "GroupName": "default", "State": "ENABLED", "ActionAfterCompletion": "NONE",
            "ScheduleExpressionTimezone": "UTC", "CreationDate": 1_767_323_045, "LastModificationDate": 1_767_323_045,
            "Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}},
        }),
    );
    assert_eq!(get(&mut aws, "s"), Ok(expected));
}

#[test]
fn an_update_replaces_the_whole_schedule() {
    let mut aws = Aws::new();
    let over = json!({"State": "DISABLED", "Description": "d", "ScheduleExpressionTimezone": "Asia/Tokyo"});
    create(&mut aws, "s", "rate(5 minutes)", over).unwrap();
    aws.sleep(60);
    let body = schedule(&aws, "rate(7 minutes)", json!({}));
    aws.scheduler("PUT", "/schedules/s", body).unwrap();
    let shown = get(&mut aws, "s").unwrap();
    assert_eq!(
        (&shown["State"], &shown["ScheduleExpressionTimezone"], shown.get("Description")),
        (&json!("ENABLED"), &json!("UTC"), None)
    );
    let changed = shown["LastModificationDate"].as_i64().unwrap() - shown["CreationDate"].as_i64().unwrap();
    assert_eq!(changed, 60);
}

#[test]
fn what_is_not_there_is_missed_and_what_is_there_is_in_conflict() {
    let mut aws = Aws::new();
    let missing = Err("404 ResourceNotFoundException: Schedule s does not exist.".to_owned());
    assert_eq!(get(&mut aws, "s"), missing);
    assert_eq!(aws.scheduler("DELETE", "/schedules/s", Value::Null), missing);
    let body = schedule(&aws, "rate(5 minutes)", json!({}));
    assert_eq!(aws.scheduler("PUT", "/schedules/s", body), missing);
    let refusal = create(&mut aws, "s", "rate(5 minutes)", json!({"GroupName": "g"})).unwrap_err();
    assert_eq!(refusal, "404 ResourceNotFoundException: Schedule Group g does not exist.");

    create(&mut aws, "s", "rate(5 minutes)", json!({"ClientToken": "t"})).unwrap();
    create(&mut aws, "s", "rate(5 minutes)", json!({"ClientToken": "t"})).unwrap();
    for token in ["u", "t"] {
        let refusal = create(&mut aws, "s", "rate(6 minutes)", json!({ "ClientToken": token })).unwrap_err();
        assert_eq!(refusal, "409 ConflictException: Schedule s already exists.");
    }
    assert_eq!(aws.scheduler("DELETE", "/schedules/s?clientToken=x", Value::Null), Ok(json!({})));
    assert_eq!(get(&mut aws, "s"), missing);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut aws = Aws::new();
    let mut check = |expression: &str, over: Value, expected: &str| {
        let refusal = create(&mut aws, "s", expression, over.clone()).unwrap_err();
        assert_eq!(refusal.strip_prefix("400 ValidationException: "), Some(expected), "{expression} {over}");
    };
    check("rate(1 minutes)", json!({}), "Invalid Schedule Expression rate(1 minutes).");
    check("at(2026-02-30T00:00:00)", json!({}), "Invalid Schedule Expression at(2026-02-30T00:00:00).");
    let zone = json!({"ScheduleExpressionTimezone": "Mars/X"});
    check("rate(2 minutes)", zone, "Invalid Schedule Expression Timezone Mars/X.");
    let start = "The StartDate you specify cannot be earlier than 5 minutes ago.";
    check("rate(2 minutes)", json!({"StartDate": 1_767_322_744}), start);
    let end = "The EndDate you specify must come after the StartDate you specify and the current time.";
    check("rate(2 minutes)", json!({"StartDate": 1_767_329_000, "EndDate": 1_767_329_000}), end);
    let flexible = json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}});
    let window = "MaximumWindowInMinutes must be provided if Flexible Time Window is FLEXIBLE.";
    check("rate(2 minutes)", flexible, window);
    let parameters = "EcsParameters must be provided for target arn:aws:ecs:eu-west-1:123456789012:cluster/main.";
    check("rate(2 minutes)", json!({"Target": {"EcsParameters": null}}), parameters);
    check(
        "rate(2 minutes)",
        json!({"Target": {"RoleArn": null}}),
        "1 validation error detected: Value null at 'target.roleArn' failed to satisfy constraint: Member must not be \
         null",
    );
    check(
        "rate(2 minutes)",
        json!({"GroupName": "a b"}),
        "1 validation error detected: Value 'a b' at 'groupName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [0-9a-zA-Z-_.]+",
    );
}

#[test]
fn expressions_recorded_against_aws_are_accepted_and_refused_as_there() {
    let recorded: Vec<Value> = serde_json::from_str(include_str!("../data/schedule-validity.json")).unwrap();
    let rows: Vec<_> = recorded.iter().filter(|row| row["service"] == "scheduler").collect();
    assert!(rows.len() > 20, "only {} expressions", rows.len());
    let mut aws = Aws::new();
    for (n, row) in rows.iter().enumerate() {
        let expression = row["expression"].as_str().unwrap();
        let created = create(&mut aws, &format!("s{n}"), expression, json!({}));
        assert_eq!(created.is_ok(), row["valid"].as_bool().unwrap(), "{expression}: {created:?}");
    }
}

#[test]
fn a_schedule_starts_tasks_and_tells_them_its_time() {
    let mut aws = at("2026-01-02T03:04:05Z");
    let input = json!({"containerOverrides": [{"name": "main", "command": [
        "<aws.scheduler.scheduled-time>", "<aws.scheduler.schedule-arn>", "<aws.scheduler.attempt-number>",
        "<aws.scheduler.execution-id>",
    ]}]});
    let parameters = json!({"TaskCount": 2, "Group": "nightly", "Tags": [{"team": "sales"}]});
    let over = json!({"Target": {"Input": input.to_string(), "EcsParameters": parameters}});
    let name = "a-name-that-is-longer-than-others-are";
    create(&mut aws, name, "cron(30 3 * * ? *)", over).unwrap();
    let firings = pass(&mut aws, 3600);
    assert_eq!(firings.iter().map(outcome).collect::<Vec<_>>(), ["2 of etl-a:1 as nightly"]);
    let firing = &firings[0];
    assert_eq!((firing.rule.as_str(), firing.schedule_group.as_deref()), (name, Some("default")));
    let arns =
        aws.ecs("ListTasks", json!({"cluster": "main", "desiredStatus": "STOPPED"})).unwrap()["taskArns"].clone();
    let described = json!({"cluster": "main", "tasks": arns, "include": ["TAGS"]});
    let task = aws.ecs("DescribeTasks", described).unwrap()["tasks"][0].clone();
    assert_eq!(task["startedBy"], json!("chronos-schedule/a-name-that-is-long"));
    assert_eq!(task["tags"], json!([{"key": "team", "value": "sales"}]));
    let command = &task["overrides"]["containerOverrides"][0]["command"];
    assert_eq!(command[0], json!("2026-01-02T03:30:00Z"));
    assert_eq!(command[1], json!(aws.arn("scheduler", &format!("schedule/default/{name}"))));
    assert_eq!(command[2], json!("1"));
    assert_eq!(command[3].as_str().unwrap().len(), 36);
}

#[test]
fn a_local_time_that_is_skipped_does_not_run_and_one_that_comes_twice_runs_once() {
    let berlin = || json!({"ScheduleExpressionTimezone": "Europe/Berlin"});
    // On 29 March 2026 the clocks go from 2 to 3, at 1 o'clock UTC.
    let spring = moments("2026-03-28T00:00:00Z", "cron(30 2 * * ? *)", berlin(), 72);
    assert_eq!(spring, ["28T01:30", "30T00:30"]);
    // On 25 October they go from 3 to 2, at the same hour.
    let autumn = moments("2026-10-24T00:00:00Z", "cron(30 2 * * ? *)", berlin(), 72);
    assert_eq!(autumn, ["24T00:30", "25T00:30", "26T01:30"]);
    let every_half_hour = moments("2026-10-25T00:00:00Z", "cron(0/30 2 25 10 ? *)", berlin(), 6);
    assert_eq!(every_half_hour, ["25T00:00", "25T00:30"]);
}

#[test]
fn a_rate_in_days_is_a_time_and_not_a_date() {
    let berlin = json!({"ScheduleExpressionTimezone": "Europe/Berlin"});
    let told = moments("2026-03-28T12:00:00Z", "rate(1 day)", berlin, 50);
    assert_eq!(told, ["28T12:00", "29T12:00", "30T12:00"]);
}

#[test]
fn a_rate_begins_at_once_or_with_its_start_date() {
    assert_eq!(moments("2026-01-02T03:04:00Z", "rate(30 minutes)", json!({}), 1), ["02T03:04", "02T03:34"]);
    let start: Timestamp = "2026-01-02T05:00:00Z".parse().unwrap();
    let over = json!({"StartDate": start.as_second(), "EndDate": start.as_second() + 3600});
    let told = moments("2026-01-02T03:04:00Z", "rate(30 minutes)", over.clone(), 6);
    assert_eq!(told, ["02T05:00", "02T05:30", "02T06:00"]);
    let told = moments("2026-01-02T03:04:00Z", "cron(0/20 * * * ? *)", over, 6);
    assert_eq!(told, ["02T05:00", "02T05:20", "02T05:40", "02T06:00"]);
}

#[test]
fn one_time_comes_once_in_its_zone_and_the_schedule_goes_if_it_is_told_to() {
    let over = |action: &str| json!({"ScheduleExpressionTimezone": "Asia/Tokyo", "ActionAfterCompletion": action});
    for (action, stays) in [("NONE", true), ("DELETE", false)] {
        let mut aws = at("2026-01-02T03:04:05Z");
        create(&mut aws, "s", "at(2026-01-02T13:00:00)", over(action)).unwrap();
        assert_eq!(dues(&pass(&mut aws, 86_400)), ["04:00:00"]);
        assert_eq!(get(&mut aws, "s").is_ok(), stays, "{action}");
        assert_eq!(aws.emulator.next_due(), None, "nothing is left to be done");
    }
    assert_eq!(moments("2026-01-02T03:04:05Z", "at(2025-01-02T13:00:00)", json!({}), 24), <[&str; 0]>::default());
}

#[test]
fn a_flexible_schedule_comes_within_its_window() {
    let mut aws = at("2026-01-02T03:04:05Z");
    let over = json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30}});
    create(&mut aws, "s", "cron(0 * * * ? *)", over.clone()).unwrap();
    create(&mut aws, "often", "cron(0/10 * * * ? *)", over).unwrap();
    let firings: Vec<_> = (0..24).flat_map(|_| pass(&mut aws, 3600)).collect();
    let late: Vec<_> = firings
        .iter()
        .filter(|firing| firing.rule == "s")
        .map(|firing| firing.at.duration_since(firing.due).as_secs())
        .collect();
    assert!(late.len() >= 23 && late.iter().all(|late| (1..=1800).contains(late)), "{late:?}");
    assert!(late.iter().any(|late| *late > 60));
    let often: Vec<_> = firings.iter().filter(|firing| firing.rule == "often").map(|firing| firing.due).collect();
    assert!(often.len() >= 143 && often.is_sorted(), "none is lost: {}", often.len());
}

#[test]
fn a_window_that_changes_neither_repeats_a_tick_nor_loses_it() {
    let flexible = json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 50}});
    for minute in 0..60 {
        let mut aws = at("2026-01-02T03:00:30Z");
        create(&mut aws, "s", "cron(0 * * * ? *)", json!({})).unwrap();
        let mut due = pass(&mut aws, 3600 + 60 * minute);
        for over in [flexible.clone(), json!({})] {
            let body = schedule(&aws, "cron(0 * * * ? *)", over);
            aws.scheduler("PUT", "/schedules/s", body).unwrap();
            due.extend(pass(&mut aws, 3600));
        }
        due.extend(pass(&mut aws, 2 * 3600));
        let due: Vec<_> = due.iter().map(|firing| firing.due.to_string()).collect();
        let hours: Vec<_> = (4..4 + due.len()).map(|hour| format!("2026-01-02T{hour:02}:00:00Z")).collect();
        assert!(due.len() >= 4 && due == hours, "changed at minute {minute}: {due:?}");
    }
}

#[test]
fn a_disabled_and_a_deleted_schedule_do_not_fire() {
    let mut aws = at("2026-01-02T03:04:05Z");
    create(&mut aws, "s", "cron(* * * * ? *)", json!({})).unwrap();
    assert_eq!(pass(&mut aws, 120).len(), 2);
    let body = schedule(&aws, "cron(* * * * ? *)", json!({"State": "DISABLED"}));
    aws.scheduler("PUT", "/schedules/s", body).unwrap();
    assert_eq!(pass(&mut aws, 120), []);
    let body = schedule(&aws, "cron(* * * * ? *)", json!({}));
    aws.scheduler("PUT", "/schedules/s", body).unwrap();
    assert_eq!(pass(&mut aws, 120).len(), 2);
    aws.scheduler("DELETE", "/schedules/s", Value::Null).unwrap();
    assert_eq!(pass(&mut aws, 120), []);
}

#[test]
fn a_schedule_that_is_put_again_at_once_fires_no_tick_twice() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    create(&mut aws, "s", "cron(* * * * ? *)", json!({})).unwrap();
    let mut minutes = Vec::new();
    for n in 0..1800 {
        let parameters = json!({"Target": {"EcsParameters": {"TaskCount": n % 2 + 1}}});
        let body = schedule(&aws, "cron(* * * * ? *)", parameters);
        aws.scheduler("PUT", "/schedules/s", body).unwrap();
        minutes.extend(dues(&pass(&mut aws, 1)));
    }
    let all = minutes.len();
    minutes.dedup();
    assert_eq!(minutes.len(), all);
    assert!((29..=30).contains(&all), "{all}");
}

#[test]
fn groups_hold_schedules_and_tags() {
    let mut aws = at("2026-01-02T03:04:05Z");
    let arn = aws.arn("scheduler", "schedule-group/g");
    let tags = json!([{"Key": "team", "Value": "sales"}]);
    let created = aws.scheduler("POST", "/schedule-groups/g", json!({ "Tags": tags })).unwrap();
    assert_eq!(created, json!({ "ScheduleGroupArn": arn }));
    let refusal = aws.scheduler("POST", "/schedule-groups/g", json!({})).unwrap_err();
    assert_eq!(refusal, "409 ConflictException: Schedule Group g already exists.");
    let group = aws.scheduler("GET", "/schedule-groups/g", Value::Null).unwrap();
    assert_eq!((&group["Arn"], &group["State"]), (&json!(arn), &json!("ACTIVE")));

    // An SDK escapes an ARN in a path.
    let tagged = format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
    aws.scheduler("POST", &tagged, json!({"Tags": [{"Key": "a", "Value": "b"}]})).unwrap();
    aws.scheduler("DELETE", &format!("{tagged}?TagKeys=team&TagKeys=none"), Value::Null).unwrap();
    let listed = aws.scheduler("GET", &format!("/tags/{arn}"), Value::Null).unwrap();
    assert_eq!(listed, json!({"Tags": [{"Key": "a", "Value": "b"}]}));
    let schedule = aws.arn("scheduler", "schedule/default/s");
    let refusal = aws.scheduler("GET", &format!("/tags/{schedule}"), Value::Null).unwrap_err();
    assert!(refusal.contains("Member must satisfy regular expression pattern"), "{refusal}");

    create(&mut aws, "s", "cron(* * * * ? *)", json!({"GroupName": "g"})).unwrap();
    create(&mut aws, "s", "cron(* * * * ? *)", json!({})).unwrap();
    assert_eq!(pass(&mut aws, 60).len(), 2);
    aws.scheduler("DELETE", "/schedule-groups/g", Value::Null).unwrap();
    assert_eq!(pass(&mut aws, 60).len(), 1);
    let refusal = aws.scheduler("GET", "/schedules/s?groupName=g", Value::Null).unwrap_err();
    assert_eq!(refusal, "404 ResourceNotFoundException: Schedule s does not exist.");
    let refusal = aws.scheduler("DELETE", "/schedule-groups/default", Value::Null).unwrap_err();
    assert!(refusal.starts_with("400 ValidationException: "), "{refusal}");
}

#[test]
fn schedules_and_groups_are_listed_in_pages() {
    let mut aws = Aws::new();
    for group in ["a", "b"] {
        aws.scheduler("POST", &format!("/schedule-groups/{group}"), json!({})).unwrap();
        for name in ["x1", "x2", "y"] {
            let state = if name == "x2" { "DISABLED" } else { "ENABLED" };
            create(&mut aws, name, "rate(1 day)", json!({"GroupName": group, "State": state})).unwrap();
        }
    }
    let mut list = |query: &str| {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let answer = aws.scheduler("GET", &format!("/schedules?MaxResults=2{query}{token}"), Value::Null).unwrap();
            for schedule in answer["Schedules"].as_array().unwrap() {
                let text = |member: &str| schedule[member].as_str().unwrap().to_owned();
                assert!(schedule["Target"]["Arn"].is_string() && schedule.get("ScheduleExpression").is_none());
                names.push(format!("{}/{}", text("GroupName"), text("Name")));
            }
            let Some(next) = answer["NextToken"].as_str() else { return names };
            token = format!("&NextToken={next}");
        }
    };
    assert_eq!(list(""), ["a/x1", "a/x2", "a/y", "b/x1", "b/x2", "b/y"]);
    assert_eq!(list("&ScheduleGroup=b&NamePrefix=x"), ["b/x1", "b/x2"]);
    assert_eq!(list("&NamePrefix=x&State=ENABLED"), ["a/x1", "b/x1"]);
    let groups = aws.scheduler("GET", "/schedule-groups", Value::Null).unwrap();
    let names: Vec<_> = groups["ScheduleGroups"].as_array().unwrap().iter().map(|group| &group["Name"]).collect();
    assert_eq!(names, ["a", "b", "default"]);
    let refusal = aws.scheduler("GET", "/schedules?ScheduleGroup=none", Value::Null).unwrap_err();
    assert_eq!(refusal, "404 ResourceNotFoundException: Schedule Group none does not exist.");
}

#[test]
fn a_target_that_refuses_and_one_that_is_a_queue() {
    let mut aws = at("2026-01-02T03:04:05Z");
    aws.sqs("CreateQueue", json!({"QueueName": "q"})).unwrap();
    let queue = aws.arn("sqs", "q");
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q";
    let gone = json!({"EcsParameters": {"TaskDefinitionArn": aws.arn("ecs", "task-definition/none")},
        "DeadLetterConfig": {"Arn": queue}, "Input": "{}"});
    create(&mut aws, "refused", "at(2026-01-02T03:05:00)", json!({ "Target": gone })).unwrap();
    let sent = json!({"EcsParameters": null, "Arn": queue, "Input": "at <aws.scheduler.scheduled-time>"});
    create(&mut aws, "sent", "at(2026-01-02T03:06:00)", json!({ "Target": sent })).unwrap();
    let told: Vec<_> = pass(&mut aws, 300).iter().map(outcome).collect();
    assert_eq!(told, ["ClientException: TaskDefinition not found.", "queued in q"]);
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
    let messages = aws.sqs("ReceiveMessage", input).unwrap()["Messages"].clone();
    assert_eq!(messages[0]["Body"], json!("{}"));
    let attributes = &messages[0]["MessageAttributes"];
    assert_eq!(attributes["SCHEDULE_ARN"]["StringValue"], json!(aws.arn("scheduler", "schedule/default/refused")));
    assert_eq!(attributes["ERROR_CODE"]["StringValue"], json!("ClientException"));
    assert_eq!(messages[1]["Body"], json!("at 2026-01-02T03:06:00Z"));
}

#[test]
fn a_restart_changes_nothing() {
    let went = |restart: bool| {
        let folder = tempfile::TempDir::new().unwrap();
        let (mut journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
        let mut aws = Aws::over(emulator);
        aws.register("etl-a");
        create(&mut aws, "rate", "rate(7 minutes)", json!({})).unwrap();
        create(&mut aws, "cron", "cron(0/5 * * * ? *)", json!({"ScheduleExpressionTimezone": "Asia/Tokyo"})).unwrap();
        create(&mut aws, "once", "at(2026-01-02T04:00:00)", json!({"ActionAfterCompletion": "DELETE"})).unwrap();
        let mut told = Vec::new();
        for _ in 0..12 {
            if restart {
                aws.register("etl-other");
                journal.append(&aws.emulator.take_changes()).unwrap();
                drop(journal);
                let (reopened, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
                assert_eq!(emulator.snapshot(), aws.emulator.snapshot());
                (journal, aws.emulator) = (reopened, emulator);
            }
            told.extend(pass(&mut aws, 593));
        }
        told
    };
    let whole = went(false);
    assert!(whole.len() > 35, "{}", whole.len());
    assert_eq!(went(true), whole);
}

#[test]
fn answers_are_in_the_protocol_of_scheduler() {
    let mut aws = Aws::new();
    let request = aws.rest("GET", "/schedules/s", &Value::Null);
    let reply = aws.send(&request);
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("application/json")));
    assert_eq!(reply.header("x-amzn-errortype"), Some("ResourceNotFoundException"));
    assert_eq!(reply.body, br#"{"Message":"Schedule s does not exist."}"#);
}
