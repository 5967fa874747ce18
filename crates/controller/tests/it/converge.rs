//! Create, change, revert, suspend: each converges, and then there is silence.

use ecs_etl_plan::condition::Reason;
use serde_json::json;

use crate::lab::{Lab, counts, job};

#[tokio::test(start_paused = true)]
async fn a_second_apply_writes_nothing() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "rate(5 minutes)"))]);
    let pass = lab.apply().await;
    assert_eq!((pass.reason("a"), pass.reason("b")), (Reason::Converged, Reason::Converged));
    assert_eq!(
        lab.writes(),
        counts([("ecs:RegisterTaskDefinition", 2), ("events:PutRule", 2), ("events:PutTargets", 2)])
    );
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn an_edit_makes_a_revision_and_a_revert_finds_the_old_one() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab.writes();
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.apply().await;
    assert_eq!(lab.writes(), counts([("ecs:RegisterTaskDefinition", 1), ("events:PutTargets", 1)]));
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    lab.apply().await;
    assert_eq!(lab.writes(), counts([("events:PutTargets", 1)]));
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"], json!(["img:1"]));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_job_keeps_its_schedule_disabled_and_resumes() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab.writes();
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *").replace("spec:\n", "spec:\n  suspend: true\n"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Suspended);
    assert_eq!(lab.writes(), counts([("events:DisableRule", 1)]));
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(lab.writes(), counts([("events:EnableRule", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_rename_moves_the_schedule_and_is_no_deletion() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab.remove("a.yaml");
    let renamed =
        job("b", "img:1", "0 2 * * *").replace("{name: b}", "{name: b, annotations: {ecs-etl/moved-from: a}}");
    lab.write("b.yaml", &renamed);
    assert_eq!(lab.apply().await.reason("b"), Reason::Converged);
    let schedules = lab.schedules().await;
    assert_eq!(schedules.keys().collect::<Vec<_>>(), ["etl-b"]);
    assert_eq!(schedules["etl-b"]["state"], "ENABLED");
    lab.writes();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_changes_its_region_leaves_nothing_running_in_the_old_one() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.write(
        "other.yaml",
        "apiVersion: ecs-etl/v1\nkind: EtlCluster\nmetadata: {name: other}\nspec:\n  region: us-east-1\n  \
         eventsRoleArn: events\n  defaults: {container: {memory: 64}, taskDefinition: {networkMode: bridge}}\n",
    );
    lab.apply().await;
    assert!(lab.schedules().await.contains_key("etl-a"));
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *").replace("cluster: main", "cluster: other"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert!(lab.schedules().await.is_empty(), "nothing is left in eu-central-1");
    lab.writes();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn strangers_of_the_same_name_are_left_alone() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 2 * * *"))]);
    lab.events("PutRule", json!({"Name": "etl-a", "ScheduleExpression": "rate(1 day)"})).await;
    let family = json!({"family": "etl-b", "containerDefinitions": [{"name": "x", "image": "theirs", "memory": 8}]});
    lab.ecs("RegisterTaskDefinition", family).await;
    lab.calls();
    let pass = lab.apply().await;
    assert_eq!((pass.reason("a"), pass.reason("b")), (Reason::NotOwned, Reason::NotOwned));
    assert_eq!(lab.writes(), counts([]));
}
