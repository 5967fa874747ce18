//! Several places: named, not named any more, not read yet.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::condition::Reason;
use ecs_etl_spec::name::JobName;
use serde_json::json;

use crate::lab::{BASE, Lab, OTHER, counts, goes_there, job, reason, there};

/// Five jobs here and one there.
fn lab() -> Lab {
    let names = ["a", "b", "c", "d", "e"];
    let lab = Lab::new(&names.map(|name| (name, job(name, "img:1", "0 2 * * *"))));
    lab.write("other.yaml", OTHER);
    lab.write("far.yaml", &there(&job("far", "img:1", "0 2 * * *")));
    lab
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_place_that_no_document_names_stays_until_one_does() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("other.yaml");
    lab.remove("far.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(7200)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "far"), Reason::LocationLost);
    assert!(engine.reporter.problems().iter().any(|problem| problem.message.contains("us-east-1")));

    lab.write("other.yaml", OTHER);
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "far"), Reason::PendingDeletion);
    lab.run(&mut engine, Duration::from_secs(400)).await;
    assert_eq!(lab.writes()["events:DeleteRule"], 1);
    assert!(!engine.reporter.jobs().contains_key("far"));
    assert!(engine.reporter.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_region_is_edited_starts_no_job_twice() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("other.yaml", &OTHER.replace("us-east-1", "us-west-2"));
    engine.take_manifests(lab.manifests(), "none");
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(2000)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "far"), Reason::LocationLost);

    // Named again, under another name, the old place lets its job go.
    lab.write("old.yaml", &OTHER.replace("name: other", "name: old"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    assert_eq!(lab.writes()["events:DeleteRule"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_place_lost_while_it_was_not_clear_who_we_are_is_reported() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("other.yaml");
    lab.remove("far.yaml");
    lab.write("base.yaml", &BASE.replace("{source: lab/manifests", "{sauce: lab/manifests"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("base.yaml", BASE);
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "far"), Reason::LocationLost);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_before_every_place_was_read() {
    let lab = lab();
    lab.write("base.yaml", &BASE.replace("graceSeconds: 300", "graceSeconds: 0"));
    lab.apply().await;
    lab.remove("a.yaml");
    lab.conduct(|_, request| {
        let before = Duration::from_secs(if goes_there(request) { 8 } else { 0 });
        Fault { before, ..Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(5)).await;
    engine.tick();
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(lab.writes(), counts([]));
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert!(!lab.schedules().await.contains_key("etl-a"));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_moved_from_a_place_not_read_yet_is_not_created_beside_itself() {
    let lab = lab();
    lab.apply().await;
    lab.write("far.yaml", &job("far", "img:1", "0 2 * * *"));
    lab.conduct(|_, request| {
        let before = Duration::from_secs(if goes_there(request) { 8 } else { 0 });
        Fault { before, ..Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(6)).await;
    assert_eq!(lab.writes(), counts([]));
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    assert_eq!(lab.writes()["events:DeleteRule"], 1, "it has left the other place");
}

/// Answers to none who lists the rules of the other Region.
fn lists_no_rules_there(lab: &Lab) {
    lab.conduct(|call, request| match call.operation == "events:ListRules" && goes_there(request) {
        true => Fault::refused(Reply::error(400, "AccessDeniedException", "no")),
        false => Fault::none(),
    });
}

/// A job in the other Region, which was here before and left a revision.
async fn moved_there() -> Lab {
    let lab = lab();
    for text in [job("far", "img:1", "0 2 * * *"), there(&job("far", "img:1", "0 2 * * *"))] {
        lab.write("far.yaml", &text);
        lab.apply().await;
    }
    lab
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_list_a_place_is_replaced_by_one_that_can() {
    let lab = moved_there().await;
    lists_no_rules_there(&lab);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged, "what is asked for by name is answered");
    lab.calm();
    let role = "  assumeRoleArn: arn:aws:iam::123456789012:role/other\n";
    lab.write("other.yaml", &format!("{OTHER}{role}"));
    for image in ["img:1", "img:2"] {
        lab.write("far.yaml", &there(&job("far", image, "0 2 * * *")));
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(600)).await;
        assert_eq!(reason(&engine, "far"), Reason::Converged, "{image}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_moves_from_a_place_whose_lists_cannot_be_read_is_not_created_beside_itself() {
    let lab = moved_there().await;
    lists_no_rules_there(&lab);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged, "what is asked for by name is answered");
    lab.write("far.yaml", &job("far", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(3600)).await;
    assert_eq!((reason(&engine, "far"), lab.writes()), (Reason::AccessDenied, counts([])));
    // Nobody waits for it.
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(lab.writes(), counts([("ecs:RegisterTaskDefinition", 1), ("events:PutTargets", 1)]));
    lab.remove("other.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(3600)).await;
    // What "a" had before is marked.
    assert_eq!((reason(&engine, "far"), lab.writes()), (Reason::LocationLost, counts([("ecs:TagResource", 1)])));
    lab.calm();
    lab.write("other.yaml", OTHER);
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(3600)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    assert_eq!(lab.writes()["events:DeleteRule"], 1, "it has left the other place");
}

#[tokio::test(start_paused = true)]
async fn what_a_job_left_where_it_could_not_be_seen_is_found_under_whatever_name_it_bears() {
    let far = job("far", "img:1", "0 2 * * *");
    let adopting = format!("{far}  adopt: {{family: Far, rules: [FarRule]}}\n");
    let near = job("near", "img:1", "0 2 * * *")
        .replace("{name: near}", "{name: near, annotations: {ecs-etl/moved-from: far}}");
    for (name, before, after) in [("far", &adopting, &adopting), ("near", &far, &near)] {
        let lab = lab();
        lab.write("far.yaml", &there(before));
        lab.apply().await;
        lab.write("far.yaml", after);
        lab.conduct(|_, request| {
            if goes_there(request) { Fault { answer: Conduct::Never, ..Fault::none() } } else { Fault::none() }
        });
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(100)).await;
        assert_eq!(reason(&engine, name), Reason::Converged, "a place that fails delays no other");
        lab.calm();
        lab.calls();
        lab.run(&mut engine, Duration::from_secs(330)).await;
        assert_eq!(lab.writes().get("events:DeleteRule"), Some(&1), "{name}: as soon as it is seen there");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_moves_as_its_adoption_is_taken_back_is_not_made_beside_what_it_took_over() {
    let far = job("far", "img:1", "0 2 * * *");
    let adopting = format!("{far}  adopt: {{family: Far, rules: [FarRule]}}\n");
    // The process that took it over, and one that never knew of it.
    for knows in [true, false] {
        let lab = lab();
        lab.write("far.yaml", &there(&adopting));
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        assert_eq!(reason(&engine, "far"), Reason::Converged);
        lab.calls();
        lab.write("far.yaml", &far);
        if knows {
            engine.take_manifests(lab.manifests(), "none");
        } else {
            engine = lab.engine(Mode::Daemon).await;
        }
        lab.run(&mut engine, Duration::from_secs(7200)).await;
        assert_eq!(reason(&engine, "far"), Reason::LocationLost, "{knows}");
        let message = &engine.reporter.jobs()[&JobName::new("far").unwrap()].status.conditions[0].message;
        assert!(message.contains("FarRule in us-east-1"), "{message}");
        assert_eq!(lab.writes(), counts([]), "{knows}");
        // Named again, it moves as any other.
        lab.write("far.yaml", &adopting);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(600)).await;
        assert_eq!(reason(&engine, "far"), Reason::Converged, "{knows}");
        assert_eq!(lab.writes().get("events:DeleteRule"), Some(&1), "{knows}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_on_its_way_from_a_place_that_is_lost_is_not_made_beside_itself() {
    // Once it was here before, and left its revisions.
    for was_here in [false, true] {
        let lab = lab();
        let here = job("far", "img:1", "0 2 * * *");
        if was_here {
            lab.write("far.yaml", &here);
            lab.apply().await;
            lab.write("far.yaml", &there(&here));
        }
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        assert_eq!(reason(&engine, "far"), Reason::Converged);
        lab.write("far.yaml", &here);
        engine.take_manifests(lab.manifests(), "none");
        lab.remove("other.yaml");
        engine.take_manifests(lab.manifests(), "none");
        lab.calls();
        lab.run(&mut engine, Duration::from_secs(7200)).await;
        assert_eq!((reason(&engine, "far"), lab.writes()), (Reason::LocationLost, counts([])), "{was_here}");
        lab.write("other.yaml", OTHER);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(600)).await;
        assert_eq!(reason(&engine, "far"), Reason::Converged);
        assert_eq!(lab.writes()["events:DeleteRule"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_lost_while_it_drains_keeps_its_jobs_from_being_made_elsewhere() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    // What cannot be read holds the removal back.
    lab.write("broken.yaml", "kind: [");
    lab.write("other.yaml", &format!("{OTHER}  drain: true\n"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(1300)).await;
    assert_eq!(reason(&engine, "far"), Reason::PruningBlocked);
    lab.remove("other.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert!(engine.reporter.problems().iter().any(|problem| problem.message.contains("us-east-1")));
    lab.write("far.yaml", &job("far", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(7200)).await;
    assert_eq!((reason(&engine, "far"), lab.writes()), (Reason::LocationLost, counts([])));
    // Named again, it moves.
    lab.write("other.yaml", &format!("{OTHER}  drain: true\n"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(600)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    assert_eq!(lab.writes()["events:DeleteRule"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_another_role_shows_is_not_lost() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    let role = "  assumeRoleArn: arn:aws:iam::123456789012:role/other\n";
    lab.write("other.yaml", &format!("{OTHER}{role}"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    assert!(engine.reporter.problems().is_empty(), "{:?}", engine.reporter.problems());
    // A rename, and a move, as if nothing had been.
    let renamed = job("near", "img:1", "0 2 * * *")
        .replace("{name: near}", "{name: near, annotations: {ecs-etl/moved-from: far}}");
    lab.remove("far.yaml");
    for text in [there(&renamed), renamed] {
        lab.write("near.yaml", &text);
        engine.take_manifests(lab.manifests(), "none");
        lab.calls();
        lab.run(&mut engine, Duration::from_secs(600)).await;
        assert_eq!(reason(&engine, "near"), Reason::Converged);
        assert_eq!(lab.writes()["events:DeleteRule"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_renamed_as_its_place_is_lost_is_not_made_beside_itself() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 3 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("base.yaml", &BASE.replace("eu-central-1", "us-east-1"));
    lab.remove("a.yaml");
    let renamed = job("new", "img:1", "0 2 * * *");
    lab.write("new.yaml", &renamed.replace("{name: new}", "{name: new, annotations: {ecs-etl/moved-from: a}}"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(600)).await;
    assert_eq!((reason(&engine, "new"), reason(&engine, "b")), (Reason::LocationLost, Reason::LocationLost));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_created_here_while_it_could_not_be_seen_there_moves_once_it_can() {
    let lab = lab();
    lab.apply().await;
    lab.write("far.yaml", &job("far", "img:1", "0 2 * * *"));
    lab.conduct(
        |_, request| {
            if goes_there(request) { Fault { answer: Conduct::Never, ..Fault::none() } } else { Fault::none() }
        },
    );
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(100)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged, "a place that fails delays no other");
    lab.calm();
    lab.calls();
    // The longest backoff, and less than a resync.
    lab.run(&mut engine, Duration::from_secs(330)).await;
    assert_eq!(lab.writes()["events:DeleteRule"], 1, "as soon as it is seen there");
}

#[tokio::test(start_paused = true)]
async fn what_was_reported_before_a_restart_is_not_forgotten_before_aws_was_read() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("a.yaml");
    let mut engine = lab.engine_resuming(Mode::Daemon, engine).await;
    assert!(engine.reporter.jobs().contains_key("a"));
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "a"), Reason::PendingDeletion);
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_the_first_look_at_other_places_only_if_it_seems_to_be_new() {
    let lab = lab();
    lab.apply().await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.conduct(|_, request| {
        let before = Duration::from_secs(if goes_there(request) { 8 } else { 0 });
        Fault { before, ..Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(4)).await;
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"][0], "img:2");
}

#[tokio::test(start_paused = true)]
async fn what_another_controller_runs_in_a_place_that_is_lost_holds_up_no_job_of_its_name() {
    let lab = lab();
    let tags = json!([{"Key": "ecs-etl/controller", "Value": "other"}, {"Key": "ecs-etl/job", "Value": "far"}]);
    lab.events("PutRule", json!({"Name": "etl-far", "ScheduleExpression": "rate(1 day)", "Tags": tags})).await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "far"), Reason::Converged);
    // The cluster in which the other one has a job of this name goes, and this one's stands still for a while.
    lab.write("base.yaml", BASE.split("---").next().unwrap());
    for name in ["a", "b", "c", "d", "e"] {
        lab.remove(&format!("{name}.yaml"));
    }
    let suspended = there(&job("far", "img:1", "0 2 * * *")).replace("spec:\n", "spec:\n  suspend: true\n");
    for text in [suspended, there(&job("far", "img:2", "0 2 * * *"))] {
        lab.write("far.yaml", &text);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(8000)).await;
        assert!(engine.reporter.jobs()["far"].is_ready(), "{:?}", reason(&engine, "far"));
    }
}
