//! Several controllers of one identity, each with its part of the directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::once;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::shard::Shard;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use ecs_etl_spec::name::ClusterName;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::lab::{BASE, Lab, OTHER, counts, goes_there, job, reason, there};

/// A second EtlCluster in the same account and Region as `main`.
const BESIDE: &str = "
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: beside}
spec:
  region: eu-central-1
  eventsRoleArn: events
  defaults: {taskDefinition: {networkMode: bridge}, container: {memory: 64}}
";

fn of(labels: &str) -> Shard {
    Shard { labels: Some(labels.parse().unwrap()), ..Shard::default() }
}

fn within(clusters: &[&str]) -> Shard {
    let clusters = clusters.iter().map(|name| ClusterName::new(*name).unwrap()).collect();
    Shard { clusters, ..Shard::default() }
}

/// A job with a label `team`.
fn of_team(team: &str, name: &str) -> String {
    job(name, "img:1", "0 2 * * *")
        .replace(&format!("{{name: {name}}}"), &format!("{{name: {name}, labels: {{team: {team}}}}}"))
}

/// Five jobs of each of two teams: enough for one to go within the caps.
fn two_teams() -> Lab {
    let lab = Lab::new(&[]);
    for team in ["data", "web"] {
        for index in 0..5 {
            let name = format!("{team}-{index}");
            lab.write(&format!("{name}.yaml"), &of_team(team, &name));
        }
    }
    lab
}

/// Two daemons side by side.
async fn pair(lab: &Lab, one: &Shard, other: &Shard) -> (Engine, Engine) {
    let mut engines = (lab.engine_of(Mode::Daemon, one).await, lab.engine_of(Mode::Daemon, other).await);
    both(lab, &mut engines, 30).await;
    engines
}

/// Lets both work for this long, by turns of a second.
async fn both(lab: &Lab, engines: &mut (Engine, Engine), seconds: u64) {
    for _ in 0..seconds {
        lab.run(&mut engines.0, Duration::from_millis(500)).await;
        lab.run(&mut engines.1, Duration::from_millis(500)).await;
    }
}

fn take(lab: &Lab, engine: &mut Engine, shard: &Shard) {
    engine.take_manifests(lab.manifests_of(shard), "none");
}

fn known(engine: &Engine) -> Vec<String> {
    engine.reporter.jobs().keys().map(|job| job.as_str().to_owned()).collect()
}

async fn prune(lab: &Lab, shard: &Shard) -> Engine {
    let mut engine = lab.engine_of(Mode::OnePass, shard).await;
    engine.skip_grace(true);
    let stop = CancellationToken::new();
    assert!(once::settle(&mut engine, &stop, &mut |_| {}).await);
    assert!(once::prune(&mut engine, &stop, &mut |_| {}, true).await);
    engine
}

/// The tags of a rule, by somebody else's hand.
async fn untag(lab: &Lab, rule: &str, keys: &[&str]) {
    let found = lab.events("DescribeRule", json!({"Name": rule})).await;
    lab.events("UntagResource", json!({"ResourceARN": found["Arn"], "TagKeys": keys})).await;
}

#[tokio::test(start_paused = true)]
async fn each_shard_makes_its_own_jobs_and_together_they_are_one_controller() {
    let lab = two_teams();
    let (data, web) = pair(&lab, &of("team=data"), &of("team!=data")).await;
    assert_eq!(known(&data), ["data-0", "data-1", "data-2", "data-3", "data-4"]);
    assert_eq!(known(&web), ["web-0", "web-1", "web-2", "web-3", "web-4"]);
    assert_eq!(lab.writes()["events:PutRule"], 10);
    assert_eq!(lab.schedules().await.len(), 10);

    // One without a shard finds nothing to do.
    lab.calls();
    assert!(lab.apply().await.whole);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_label_edit_moves_a_job_over_in_place() {
    let lab = two_teams();
    let (one, other) = (of("team=data"), of("team!=data"));
    let mut engines = pair(&lab, &one, &other).await;
    let before = lab.schedules().await;
    lab.write("data-0.yaml", &of_team("web", "data-0"));
    // Whichever sees it first.
    for first_is_the_new_one in [true, false] {
        lab.calls();
        if first_is_the_new_one {
            take(&lab, &mut engines.1, &other);
            both(&lab, &mut engines, 10).await;
            take(&lab, &mut engines.0, &one);
        } else {
            lab.write("data-1.yaml", &of_team("web", "data-1"));
            take(&lab, &mut engines.0, &one);
            both(&lab, &mut engines, 1300).await;
            take(&lab, &mut engines.1, &other);
        }
        both(&lab, &mut engines, 1300).await;
        // Tags, and nothing else: no rule, no target, no revision.
        let writes = lab.writes();
        assert!(writes.keys().all(|operation| operation.ends_with("TagResource")), "{writes:?}");
    }
    assert_eq!(known(&engines.0), ["data-2", "data-3", "data-4"]);
    assert_eq!(known(&engines.1), ["data-0", "data-1", "web-0", "web-1", "web-2", "web-3", "web-4"]);
    assert_eq!(reason(&engines.1, "data-0"), Reason::Converged);
    let after = lab.schedules().await;
    for (rule, schedule) in &after {
        for member in ["expression", "state", "targets"] {
            assert_eq!(schedule[member], before[rule][member], "{rule}");
        }
    }
    assert!(after["etl-data-0"]["tags"].as_array().unwrap().contains(&json!({"Key": "team", "Value": "web"})));
}

#[tokio::test(start_paused = true)]
async fn a_removed_job_goes_by_its_own_shard_alone() {
    let lab = two_teams();
    let (one, other) = (of("team=data"), of("team notin (data)"));
    let mut engines = pair(&lab, &one, &other).await;
    lab.remove("data-0.yaml");
    lab.calls();

    take(&lab, &mut engines.1, &other);
    lab.run(&mut engines.1, Duration::from_secs(4000)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(known(&engines.1), ["web-0", "web-1", "web-2", "web-3", "web-4"]);

    take(&lab, &mut engines.0, &one);
    lab.run(&mut engines.0, Duration::from_secs(30)).await;
    assert_eq!(reason(&engines.0, "data-0"), Reason::PendingDeletion);
    lab.run(&mut engines.0, Duration::from_secs(400)).await;
    assert_eq!(lab.schedules().await.len(), 9);
    // Its revisions are that shard's to tidy away too.
    lab.calls();
    lab.run(&mut engines.1, Duration::from_secs(3 * 86400)).await;
    assert_eq!(lab.writes(), counts([]));
    lab.run(&mut engines.0, Duration::from_secs(3 * 86400)).await;
    assert_eq!(lab.writes()["ecs:DeregisterTaskDefinition"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_caps_count_the_jobs_of_the_shard() {
    let lab = two_teams();
    lab.apply().await;
    for name in ["data-0", "data-1", "data-2"] {
        lab.remove(&format!("{name}.yaml"));
    }
    lab.calls();
    let engine = prune(&lab, &of("team=data")).await;
    assert_eq!(reason(&engine, "data-0"), Reason::DeletionHeld);
    assert!(engine.reporter.held[0].message.contains("a quarter of 5 jobs owned"), "{:?}", engine.reporter.held);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_shard_cannot_be_told_stays_and_that_is_said() {
    let lab = two_teams();
    lab.apply().await;
    untag(&lab, "etl-data-0", &["team"]).await;
    lab.remove("data-0.yaml");
    lab.calls();
    for shard in [of("team=data"), of("team!=data")] {
        let mut engine = lab.engine_of(Mode::Daemon, &shard).await;
        lab.run(&mut engine, Duration::from_secs(4000)).await;
        assert_eq!(reason(&engine, "data-0"), Reason::ShardUnknown);
        let message = &engine.reporter.jobs()["data-0"].status.conditions[0].message;
        assert!(message.contains("label `team`") && message.contains("apply --prune"), "{message}");
        prune(&lab, &shard).await;
    }
    // One that has nothing to do with that label knows that it is not its own.
    let engine = prune(&lab, &of("stage=prod")).await;
    assert!(!known(&engine).contains(&"data-0".to_owned()));
    assert_eq!(lab.writes(), counts([]));
    // And others go all the same.
    lab.remove("data-1.yaml");
    prune(&lab, &of("team=data")).await;
    let left = lab.schedules().await;
    assert!(left.contains_key("etl-data-0") && !left.contains_key("etl-data-1"));
    // A controller without a shard takes it away.
    assert_eq!(lab.prune().await.engine.removed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_label_that_is_lost_between_the_look_and_the_removal_stops_it() {
    let lab = two_teams();
    let one = of("team=data");
    let mut engine = lab.engine_of(Mode::Daemon, &one).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("data-0.yaml");
    take(&lab, &mut engine, &one);
    lab.run(&mut engine, Duration::from_secs(200)).await;
    assert_eq!(reason(&engine, "data-0"), Reason::PendingDeletion);
    untag(&lab, "etl-data-0", &["team"]).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(2000)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "data-0"), Reason::ShardUnknown);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_of_scheduler_tells_its_shard_by_the_revision_it_pins() {
    let lab = two_teams();
    let zoned = |name: &str, team: &str| {
        of_team(team, name).replace("  cluster: main\n", "  cluster: main\n  timeZone: Europe/Berlin\n")
    };
    lab.write("data-0.yaml", &zoned("data-0", "data"));
    lab.apply().await;
    assert_eq!(lab.in_scheduler().await.len(), 1);
    lab.remove("data-0.yaml");
    lab.calls();
    prune(&lab, &of("team=web")).await;
    assert_eq!(lab.writes(), counts([]));
    prune(&lab, &of("team=data")).await;
    assert!(lab.in_scheduler().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_renamed_job_goes_with_its_new_name() {
    let lab = two_teams();
    let (one, other) = (of("team=data"), of("team!=data"));
    let mut engines = pair(&lab, &one, &other).await;
    lab.remove("data-0.yaml");
    let annotated = "labels: {team: web}, annotations: {ecs-etl/moved-from: data-0}";
    lab.write("moved.yaml", &of_team("web", "moved").replace("labels: {team: web}", annotated));
    take(&lab, &mut engines.0, &one);
    take(&lab, &mut engines.1, &other);
    both(&lab, &mut engines, 400).await;
    let schedules = lab.schedules().await;
    assert!(schedules.contains_key("etl-moved") && !schedules.contains_key("etl-data-0"), "{:?}", schedules.keys());
    assert_eq!(schedules.len(), 10);
}

/// Five jobs in each of two clusters.
fn two_clusters(second: &str, cluster: &str) -> Lab {
    let lab = Lab::new(&[]);
    lab.write("second.yaml", second);
    for index in 0..5 {
        lab.write(&format!("m{index}.yaml"), &job(&format!("m{index}"), "img:1", "0 2 * * *"));
        let elsewhere = job(&format!("s{index}"), "img:1", "0 2 * * *");
        lab.write(&format!("s{index}.yaml"), &elsewhere.replace("cluster: main", &format!("cluster: {cluster}")));
    }
    lab
}

/// What is scheduled in the other Region.
async fn far(lab: &Lab) -> usize {
    let mut engine = lab.engine_of(Mode::OnePass, &within(&["other"])).await;
    assert!(once::settle(&mut engine, &CancellationToken::new(), &mut |_| {}).await);
    known(&engine).len()
}

#[tokio::test(start_paused = true)]
async fn a_shard_of_a_cluster_reads_other_places_for_new_jobs_only() {
    let lab = two_clusters(OTHER, "other");
    let mut engine = lab.engine_of(Mode::Daemon, &within(&["main"])).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(known(&engine), ["m0", "m1", "m2", "m3", "m4"]);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    lab.conduct(move |_, request| {
        counted.fetch_add(u64::from(goes_there(request)), Ordering::SeqCst);
        Fault::none()
    });
    lab.run(&mut engine, Duration::from_secs(3 * 3600)).await;
    assert!(engine.reporter.last_resync.is_some());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    // A job that is new to it may run there.
    lab.write("m9.yaml", &job("m9", "img:1", "0 2 * * *"));
    take(&lab, &mut engine, &within(&["main"]));
    lab.run(&mut engine, Duration::from_secs(3600)).await;
    assert_eq!(reason(&engine, "m9"), Reason::Converged);
    let once = calls.load(Ordering::SeqCst);
    assert!((1..=5).contains(&once), "{once}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_moves_to_a_cluster_of_another_shard_runs_in_one_place() {
    let lab = two_clusters(OTHER, "other");
    let (one, other) = (within(&["main"]), within(&["other"]));
    let mut engines = pair(&lab, &one, &other).await;
    // The other shard has last read this place before the job came to be there.
    lab.write("m9.yaml", &job("m9", "img:1", "0 2 * * *"));
    take(&lab, &mut engines.0, &one);
    take(&lab, &mut engines.1, &other);
    both(&lab, &mut engines, 60).await;
    assert_eq!(lab.schedules().await.len(), 6);
    lab.write("m9.yaml", &there(&job("m9", "img:1", "0 2 * * *")));
    take(&lab, &mut engines.0, &one);
    lab.run(&mut engines.0, Duration::from_secs(1300)).await;
    assert!(lab.schedules().await.contains_key("etl-m9"), "its new shard moves it, nobody else");
    take(&lab, &mut engines.1, &other);
    both(&lab, &mut engines, 60).await;
    assert_eq!(reason(&engines.1, "m9"), Reason::Converged);
    assert!(!known(&engines.0).contains(&"m9".to_owned()));
    assert_eq!(lab.schedules().await.len(), 5);
    assert_eq!(far(&lab).await, 6);
}

#[tokio::test(start_paused = true)]
async fn a_removed_job_tells_its_cluster_by_what_it_was_started_in() {
    let lab = two_clusters(BESIDE, "beside");
    let (one, other) = (within(&["main"]), within(&["beside"]));
    let mut engines = pair(&lab, &one, &other).await;
    lab.remove("s0.yaml");
    lab.calls();
    take(&lab, &mut engines.0, &one);
    lab.run(&mut engines.0, Duration::from_secs(4000)).await;
    assert_eq!(lab.writes(), counts([]));
    take(&lab, &mut engines.1, &other);
    lab.run(&mut engines.1, Duration::from_secs(1000)).await;
    assert!(!lab.schedules().await.contains_key("etl-s0"));
    // Who removed it tidies up after it, and nobody else does.
    lab.run(&mut engines.0, Duration::from_secs(3 * 86400)).await;
    assert_eq!(lab.writes().get("ecs:DeregisterTaskDefinition"), None);
    lab.run(&mut engines.1, Duration::from_secs(3 * 86400)).await;
    assert_eq!(lab.writes()["ecs:DeregisterTaskDefinition"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_started_in_a_cluster_that_no_document_names_stays_in_a_shared_place() {
    let lab = two_clusters(BESIDE, "beside");
    lab.apply().await;
    lab.remove("s0.yaml");
    lab.write("second.yaml", &BESIDE.replace("spec:\n", "spec:\n  cluster: renamed\n"));
    lab.calls();
    let engine = prune(&lab, &within(&["main"])).await;
    assert_eq!(reason(&engine, "s0"), Reason::ShardUnknown);
    assert_eq!(lab.writes(), counts([]));
    // Where the place is one shard's alone, it tells enough.
    prune(&lab, &within(&["main", "beside"])).await;
    assert!(!lab.schedules().await.contains_key("etl-s0"));
}

#[tokio::test(start_paused = true)]
async fn a_draining_cluster_is_emptied_by_its_shard() {
    let lab = two_clusters(BESIDE, "beside");
    lab.apply().await;
    for index in 1..5 {
        lab.remove(&format!("s{index}.yaml"));
        lab.write(&format!("s{index}.yaml"), &job(&format!("s{index}"), "img:1", "0 2 * * *"));
    }
    lab.apply().await;
    lab.write("second.yaml", &format!("{BESIDE}  drain: true\n"));
    lab.calls();
    prune(&lab, &within(&["main"])).await;
    assert_eq!(lab.writes(), counts([]));
    prune(&lab, &within(&["beside"])).await;
    assert!(!lab.schedules().await.contains_key("etl-s0"));
}

#[tokio::test(start_paused = true)]
async fn the_status_says_which_shard_it_is_of() {
    let lab = two_teams();
    let shard = Shard { labels: Some("team in (data,web)".parse().unwrap()), ..within(&["main"]) };
    let engine = lab.engine_of(Mode::Daemon, &shard).await;
    let publisher = Publisher::new(None, "embedded".to_owned(), "manifests".to_owned(), Timestamp::UNIX_EPOCH);
    let status = publisher.controller(&engine, Timestamp::UNIX_EPOCH, false);
    assert_eq!(status.status.shard.as_deref(), Some("team in (data,web) in main"));
    let whole = publisher.controller(&lab.engine(Mode::Daemon).await, Timestamp::UNIX_EPOCH, false);
    let text: Value = serde_json::to_value(&whole).unwrap();
    assert_eq!(text["status"].get("shard"), None);
    assert!(BASE.contains("metadata: {name: main}"));
}
