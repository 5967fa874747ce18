//! What the changes of a job replace, wherever it was before.

use std::time::Duration;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{BASE, Lab, OTHER, counts, goes_there, job, reason, there};

const DAY: Duration = Duration::from_secs(26 * 3600);
/// Longer than a resync.
const LOOKED: Duration = Duration::from_secs(4000);

fn image(number: u32) -> String {
    job("sales", &format!("img:{number}"), "0 2 * * *")
}

/// A job with two revisions, of which one is replaced.
async fn changed(lab: &Lab) -> Engine {
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    write(lab, &mut engine, "sales.yaml", &image(2)).await;
    engine
}

async fn write(lab: &Lab, engine: &mut Engine, file: &str, text: &str) {
    lab.write(file, text);
    engine.take_manifests(lab.manifests(), "none");
    lab.run(engine, LOOKED).await;
}

/// The ACTIVE revisions in the Region of `main`, by their names.
async fn active(lab: &Lab) -> Vec<String> {
    let listed = lab.ecs("ListTaskDefinitions", json!({})).await;
    let arns = listed["taskDefinitionArns"].as_array().unwrap();
    arns.iter().filter_map(Value::as_str).filter_map(|arn| Some(arn.rsplit_once('/')?.1.to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_job_leaves_in_another_place_goes_a_day_later() {
    let lab = Lab::new(&[("sales", image(1))]);
    lab.write("other.yaml", OTHER);
    let mut engine = changed(&lab).await;
    write(&lab, &mut engine, "sales.yaml", &there(&image(2))).await;
    assert_eq!((active(&lab).await.len(), reason(&engine, "sales")), (2, Reason::Converged));
    lab.run(&mut engine, LOOKED).await;
    lab.calls();
    lab.run(&mut engine, LOOKED).await;
    assert_eq!(lab.calls().get("ecs:DescribeTaskDefinition"), None, "what was read once is not read with every resync");
    lab.run(&mut engine, DAY).await;
    assert_eq!(lab.writes(), counts([("ecs:DeregisterTaskDefinition", 2)]));
    assert_eq!(active(&lab).await, [""; 0]);
    lab.run(&mut engine, DAY).await;
    assert_eq!((lab.writes(), reason(&engine, "sales")), (counts([]), Reason::Converged));
}

#[tokio::test(start_paused = true)]
async fn what_a_job_had_under_its_former_name_goes_a_day_later_whoever_is_there_then() {
    let lab = Lab::new(&[("sales", image(1))]);
    let mut engine = changed(&lab).await;
    let renamed = image(2).replace("{name: sales}", "{name: turnover, annotations: {ecs-etl/moved-from: sales}}");
    lab.remove("sales.yaml");
    write(&lab, &mut engine, "turnover.yaml", &renamed).await;
    assert_eq!(active(&lab).await, ["etl-sales:1", "etl-sales:2", "etl-turnover:1"]);
    drop(engine);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, DAY).await;
    assert_eq!(active(&lab).await, ["etl-turnover:1"]);
    assert_eq!(reason(&engine, "turnover"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_somebody_still_runs_stays_where_a_job_was() {
    let lab = Lab::new(&[("sales", image(1))]);
    lab.write("other.yaml", OTHER);
    let mut engine = changed(&lab).await;
    write(&lab, &mut engine, "sales.yaml", &there(&image(2))).await;
    let target = json!({
        "Id": "theirs", "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/main",
        "RoleArn": "arn:aws:iam::123456789012:role/events",
        "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/etl-sales:1"},
    });
    lab.events("PutRule", json!({"Name": "etl-sales", "ScheduleExpression": "rate(1 day)"})).await;
    lab.events("PutTargets", json!({"Rule": "etl-sales", "Targets": [target]})).await;
    lab.run(&mut engine, DAY).await;
    assert_eq!(active(&lab).await, ["etl-sales:1"]);
}

#[tokio::test(start_paused = true)]
async fn where_another_role_leads_to_the_same_account_a_job_is_at_home() {
    let lab = Lab::new(&[("sales", image(1))]);
    let role = "  assumeRoleArn: arn:aws:iam::123456789012:role/other\n";
    lab.write("other.yaml", &format!("{}{role}", OTHER.replace("us-east-1", "eu-central-1")));
    let mut engine = changed(&lab).await;
    lab.run(&mut engine, DAY).await;
    assert_eq!(active(&lab).await, ["etl-sales:1", "etl-sales:2"], "spec.keepRevisions is five");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_cannot_be_read_keeps_nothing_at_home() {
    let lab = Lab::new(&[("sales", image(1))]);
    lab.write("base.yaml", &BASE.replace("{source: lab", "{keepRevisions: 1, source: lab"));
    lab.write("other.yaml", OTHER);
    lab.write("sales.yaml", &there(&image(1)));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    write(&lab, &mut engine, "sales.yaml", &image(1)).await;
    write(&lab, &mut engine, "sales.yaml", &image(2)).await;
    lab.conduct(|_, request| match goes_there(request) {
        true => Fault::refused(Reply::error(400, "AccessDeniedException", "no")),
        false => Fault::none(),
    });
    lab.run(&mut engine, DAY).await;
    assert_eq!(active(&lab).await, ["etl-sales:2"]);
}
