//! Jobs whose schedules are EventBridge Scheduler's.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{BASE, Lab, counts, job, reason};

const GROUP: &str = "ecs-etl-lab";

/// A job at two in the morning of a time zone.
fn zoned(name: &str, image: &str, zone: &str) -> String {
    job(name, image, "0 2 * * *").replace("schedule:", &format!("timeZone: {zone}\n  schedule:"))
}

async fn schedule(lab: &Lab, name: &str) -> Value {
    lab.scheduler("GET", &format!("/schedules/etl-{name}?groupName={GROUP}"), Value::Null).await
}

async fn names(lab: &Lab) -> Vec<String> {
    let listed = lab.scheduler("GET", "/schedules", Value::Null).await;
    listed["Schedules"].as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()).collect()
}

/// Puts a schedule as somebody else would: what was there, with these members changed.
async fn tamper(lab: &Lab, name: &str, members: Value) {
    let mut body = schedule(lab, name).await;
    for (member, value) in members.as_object().unwrap() {
        body[member] = value.clone();
    }
    for member in ["Arn", "CreationDate", "LastModificationDate", "Name"] {
        body.as_object_mut().unwrap().remove(member);
    }
    lab.scheduler("PUT", &format!("/schedules/etl-{name}"), body).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_in_a_time_zone_converges_and_then_there_is_silence() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    let created =
        [("ecs:RegisterTaskDefinition", 1), ("scheduler:CreateScheduleGroup", 1), ("scheduler:CreateSchedule", 1)];
    assert_eq!(lab.writes(), counts(created));
    lab.apply().await;
    let cold = [
        ("ecs:DescribeTaskDefinition", 1),
        ("ecs:ListTaskDefinitions", 1),
        ("events:ListRules", 1),
        ("scheduler:GetSchedule", 1),
        ("scheduler:ListSchedules", 1),
        ("scheduler:ListTagsForResource", 1),
        ("sts:GetCallerIdentity", 1),
    ];
    assert_eq!(lab.calls(), counts(cold));
    let live = schedule(&lab, "a").await;
    assert_eq!(live["ScheduleExpressionTimezone"], "Asia/Tokyo");
    assert_eq!(live["Target"]["RoleArn"], "arn:aws:iam::123456789012:role/scheduler");
    assert_eq!(lab.schedules().await.len(), 0, "no rule");
}

#[tokio::test(start_paused = true)]
async fn an_edit_costs_one_write_or_two_with_a_new_image() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(700)).await;
    for (text, writes) in [
        (zoned("a", "img:2", "Asia/Tokyo"), vec![("ecs:RegisterTaskDefinition", 1), ("scheduler:UpdateSchedule", 1)]),
        (zoned("a", "img:2", "Europe/Paris"), vec![("scheduler:UpdateSchedule", 1)]),
        (zoned("a", "img:1", "Europe/Paris"), vec![("scheduler:UpdateSchedule", 1)]),
        (
            zoned("a", "img:1", "Europe/Paris").replace("cluster:", "suspend: true\n  cluster:"),
            vec![("scheduler:UpdateSchedule", 1)],
        ),
    ] {
        lab.calls();
        lab.write("a.yaml", &text);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(20)).await;
        let calls = lab.calls();
        let found = calls.iter().filter(|(operation, _)| crate::lab::mutates(operation));
        let found: Vec<(&str, u64)> = found.map(|(operation, count)| (operation.as_str(), *count)).collect();
        let found: Vec<_> = found.into_iter().filter(|(operation, _)| !operation.ends_with("TagResource")).collect();
        assert_eq!(found, writes);
        assert!(calls.values().sum::<u64>() <= 6 + 2, "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_starts_at_local_time_and_is_told_the_moment_that_its_schedule_names() {
    let told = "runTask:\n    overrides: {containerOverrides: [{name: a, environment: [{name: AT, value: \"${scheduledTime}\"}]}]}";
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo").replace("spec:\n", &format!("spec:\n  {told}\n")))]);
    lab.apply().await;
    // From 08:00 to 18:00 in UTC: it is two in the morning in Tokyo at 17:00.
    tokio::time::sleep(Duration::from_secs(10 * 3600)).await;
    let mut tasks = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let listed = lab.ecs("ListTasks", json!({"cluster": "main", "desiredStatus": status})).await;
        tasks.extend(listed["taskArns"].as_array().unwrap().clone());
    }
    let described = lab.ecs("DescribeTasks", json!({"cluster": "main", "tasks": tasks})).await;
    let [task] = described["tasks"].as_array().unwrap().as_slice() else { panic!("{described}") };
    let environment = &task["overrides"]["containerOverrides"][0]["environment"];
    assert_eq!(*environment, json!([{"name": "AT", "value": "2026-11-23T17:00:00Z"}]));
    assert_eq!(task["group"], "family:etl-a");
}

#[tokio::test(start_paused = true)]
async fn a_job_moves_to_scheduler_and_back() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab.write("a.yaml", &zoned("a", "img:1", "Asia/Tokyo"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!((lab.schedules().await.len(), names(&lab).await), (0, vec!["etl-a".to_owned()]));
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!((lab.schedules().await.len(), names(&lab).await.len()), (1, 0));
    lab.writes();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn the_cluster_puts_all_its_jobs_there_and_takes_them_back() {
    let lab = Lab::new(&[
        ("a", job("a", "img:1", "0 2 * * *")),
        ("b", job("b", "img:1", "[\"@hourly\", \"30 3 * * *\"]").replace("\"[", "[").replace("]\"", "]")),
    ]);
    let on = BASE.replace("eventsRoleArn", "scheduler: scheduler\n  eventsRoleArn");
    lab.apply().await;
    lab.write("base.yaml", &on);
    let pass = lab.apply().await;
    assert_eq!((pass.reason("a"), pass.reason("b")), (Reason::Converged, Reason::Converged));
    assert_eq!((lab.schedules().await.len(), names(&lab).await.len()), (0, 3));
    lab.write("base.yaml", BASE);
    lab.apply().await;
    assert_eq!((lab.schedules().await.len(), names(&lab).await.len()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn many_new_jobs_at_once_make_one_group_between_them() {
    let many: Vec<(String, String)> =
        (0..30).map(|n| (format!("j{n}"), zoned(&format!("j{n}"), "img:1", "Asia/Tokyo"))).collect();
    let many: Vec<(&str, String)> = many.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let lab = Lab::new(&many);
    let pass = lab.apply().await;
    assert!(pass.whole);
    for (name, _) in &many {
        assert_eq!(pass.reason(name), Reason::Converged, "{name}");
    }
    assert_eq!(names(&lab).await.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn what_others_do_to_a_schedule_is_put_right() {
    for members in [
        json!({"State": "DISABLED"}),
        json!({"ScheduleExpressionTimezone": "UTC"}),
        json!({"Description": "mine"}),
        json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}),
        json!({"EndDate": 1_900_000_000}),
        json!({"ActionAfterCompletion": "DELETE"}),
    ] {
        // A world of its own for each: equal repairs in a row would be taken for a fight.
        let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        let before = schedule(&lab, "a").await;
        tamper(&lab, "a", members.clone()).await;
        // A changed state shows in the list; all else when the job has its turn within the next interval.
        let wait = if members.get("State").is_some() { 610 } else { 1200 };
        lab.run(&mut engine, Duration::from_secs(wait)).await;
        let mut after = schedule(&lab, "a").await;
        after["LastModificationDate"] = before["LastModificationDate"].clone();
        assert_eq!(after, before, "{members}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_somebody_deletes_is_made_again_with_what_was_in_it() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    lab.scheduler("DELETE", &format!("/schedule-groups/{GROUP}"), Value::Null).await;
    lab.run(&mut engine, Duration::from_secs(1400)).await;
    assert_eq!(schedule(&lab, "a").await["State"], "ENABLED");
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_goes_takes_its_schedule_with_it_and_no_other() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo")), ("b", zoned("b", "img:1", "Asia/Tokyo"))]);
    lab.apply().await;
    let mut theirs = schedule(&lab, "b").await;
    for member in ["Arn", "CreationDate", "LastModificationDate", "Name", "GroupName", "Description"] {
        theirs.as_object_mut().unwrap().remove(member);
    }
    lab.scheduler("POST", "/schedules/etl-a", theirs.clone()).await;
    theirs["GroupName"] = json!(GROUP);
    lab.scheduler("POST", "/schedules/etl-theirs", theirs).await;
    lab.remove("a.yaml");
    lab.prune().await;
    // The one in the default group, and the one that tells of no source.
    assert_eq!(names(&lab).await, ["etl-a", "etl-b", "etl-theirs"]);
    assert_eq!(lab.revisions().await, 2);
    lab.writes();
    lab.prune().await;
    assert_eq!(lab.writes(), counts([]));
}

/// Lets nobody call EventBridge Scheduler any more.
fn deny_scheduler(lab: &Lab) {
    lab.conduct(|call, _| {
        if !call.operation.starts_with("scheduler:") {
            return Fault::none();
        }
        let body = json!({"message": "User is not authorized to perform: scheduler:ListTagsForResource"});
        Fault::refused(Reply {
            status: 403,
            headers: vec![("x-amzn-errortype".to_owned(), "AccessDeniedException".to_owned())],
            body: body.to_string().into_bytes(),
        })
    });
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_any_more_is_not_taken_for_gone() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(700)).await;
    deny_scheduler(&lab);
    // The schedule is to become a rule, and must stop first.
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2000)).await;
    assert_ne!(reason(&engine, "a"), Reason::Converged);
    assert!(lab.schedules().await.values().all(|rule| rule["state"] == "DISABLED"), "nothing starts it twice");
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(2000)).await;
    assert_eq!((reason(&engine, "a"), lab.schedules().await.len(), names(&lab).await.len()), (Reason::Converged, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_read_scheduler_jobs_on_rules_go_on_and_the_others_say_why() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo")), ("b", job("b", "img:1", "0 2 * * *"))]);
    deny_scheduler(&lab);
    let pass = lab.apply().await;
    assert_eq!(pass.reason("b"), Reason::Converged);
    assert_eq!(pass.reason("a"), Reason::AccessDenied);
    lab.calm();
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_a_schedule_of_another_prefix_runs_is_not_created_beside_it() {
    let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
    lab.apply().await;
    lab.write("base.yaml", &BASE.replace("spec: {source", "spec: {prefix: new-, source"));
    lab.writes();
    assert_eq!(lab.apply().await.reason("a"), Reason::LocationLost);
    assert_eq!((lab.writes(), names(&lab).await), (counts([]), vec!["etl-a".to_owned()]));
    lab.write("base.yaml", BASE);
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_named_again_is_not_taken_for_one_without_schedules() {
    // The cluster alone goes, or all of it.
    for kept in [BASE.split("---").next().unwrap(), ""] {
        let lab = Lab::new(&[("a", zoned("a", "img:1", "Asia/Tokyo"))]);
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        lab.remove("a.yaml");
        lab.write("base.yaml", kept);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(60)).await;
        deny_scheduler(&lab);
        lab.write("base.yaml", BASE);
        lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(2000)).await;
        assert_eq!(lab.schedules().await.len(), 0, "nothing starts it twice");
        lab.calm();
        lab.run(&mut engine, Duration::from_secs(4000)).await;
        assert_eq!(reason(&engine, "a"), Reason::Converged);
        assert_eq!((lab.schedules().await.len(), names(&lab).await.len()), (1, 0));
    }
}
