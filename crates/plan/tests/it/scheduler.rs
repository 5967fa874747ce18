//! Schedules of EventBridge Scheduler: one write puts all of one, and whose it is stands on its group.

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::observed::{Fact, RuleState};
use ecs_etl_plan::removal::{self, Leaving};
use ecs_etl_plan::step::{Action, Plan};
use ecs_etl_spec::job::OnScheduler;
use ecs_etl_spec::name::{Family, JobName};
use serde_json::json;

use crate::histories::{calm, sound};
use crate::job::{Spec, identity, job};
use crate::world::{World, at, reason, scheduled};

fn tokyo() -> Spec {
    job().in_zone("Asia/Tokyo")
}

/// What converging to `to` takes where `from` is converged, and that it is at rest then.
#[track_caller]
fn check(from: &Spec, to: &Spec, operations: &[&str]) -> World {
    let mut world = World::with(&from.desired());
    let done = sound(&world, &to.desired());
    assert_eq!(done.operations(), operations);
    world.apply(&done.plan.steps);
    assert_eq!(sound(&world, &to.desired()).operations(), Vec::<&str>::new());
    world
}

#[test]
fn a_new_job_takes_two_writes_and_the_first_one_makes_the_group() {
    let mut world = World::empty();
    let done = world.reconcile(&tokyo().desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "CreateScheduleGroup", "CreateSchedule"]);
    let other = world.reconcile(&tokyo().named("orders").desired());
    assert_eq!(other.operations(), ["RegisterTaskDefinition", "CreateSchedule"]);
}

#[test]
fn whatever_changes_takes_one_write_and_a_new_image_two() {
    let update = ["UpdateSchedule"];
    check(&tokyo(), &tokyo().schedule("cron(0 3 * * ? *)"), &update);
    check(&tokyo(), &job().in_zone("Europe/Paris"), &update);
    check(&tokyo(), &tokyo().between(None, Some("2027-01-01T00:00:00Z")), &update);
    check(&tokyo(), &tokyo().suspended(), &update);
    check(&tokyo().suspended(), &tokyo(), &update);
    check(&tokyo(), &tokyo().image("sales:2"), &["RegisterTaskDefinition", "UpdateSchedule"]);
    let mut flexible = tokyo();
    let on = flexible.scheduler.take().unwrap();
    flexible.scheduler = Some(OnScheduler { flexible_time_window_minutes: Some(15), ..on });
    check(&tokyo(), &flexible, &update);
}

#[test]
fn a_job_moves_to_scheduler_and_back_without_a_tick_that_starts_it_twice() {
    let there =
        ["CreateScheduleGroup", "CreateSchedule", "DisableRule", "UpdateSchedule", "RemoveTargets", "DeleteRule"];
    let mut world = check(&job(), &tokyo(), &there);
    assert_eq!(world.region(&job().place).schedule("etl-sales").live.state, RuleState::Enabled);
    let back = ["PutRule", "PutTargets", "DeleteSchedule", "EnableRule"];
    check(&tokyo(), &job(), &back);
}

#[test]
fn a_move_keeps_away_from_the_ticks_of_both_zones() {
    // 02:00 in Tokyo is 17:00 in UTC.
    for (now, until) in
        [("2026-11-23T16:59:30Z", "2026-11-23T17:02:01Z"), ("2026-11-24T01:59:00Z", "2026-11-24T02:02:01Z")]
    {
        let mut world = World::with(&job().desired());
        world.now = at(now);
        let plan = sound(&world, &tokyo().desired()).plan;
        assert_eq!(plan.steps, []);
        assert!(
            matches!(plan.verdict, Verdict::Waiting(Reason::WaitingForTick, _, Some(at_last)) if at_last == at(until)),
            "{:?}",
            plan.verdict
        );
    }
}

#[test]
fn a_move_waits_until_a_run_has_started_wherever_in_its_window() {
    let flexible = |spec: Spec, now: &str| {
        let mut spec = spec;
        let on = spec.scheduler.take().unwrap();
        spec.scheduler = Some(OnScheduler { flexible_time_window_minutes: Some(30), ..on });
        spec.now = at(now);
        spec
    };
    let once = job().schedule("at(2026-11-24T02:00:00)").in_zone("Asia/Tokyo");
    for spec in [tokyo(), once] {
        let before = flexible(spec.clone(), "2026-11-23T12:00:00Z").desired();
        let renamed = spec.named("revenue").moved_from("sales");
        for (now, waits) in [
            ("2026-11-23T16:57:00Z", false),
            ("2026-11-23T16:59:00Z", true),
            ("2026-11-23T17:05:00Z", true),
            ("2026-11-23T17:31:59Z", true),
            ("2026-11-23T17:32:01Z", false),
        ] {
            let mut world = World::with(&before);
            world.now = at(now);
            let plan = sound(&world, &flexible(renamed.clone(), now).desired()).plan;
            assert_eq!(reason(&plan.verdict) == Reason::WaitingForTick, waits, "{now}: {:?}", plan.verdict);
            assert_eq!(plan.steps.is_empty(), waits, "{now}");
        }
    }
    let mut world =
        World::with(&flexible(job().schedule("0 * * * *").in_zone("UTC"), "2026-11-23T12:00:00Z").desired());
    world.now = at("2026-11-23T12:05:00Z");
    let renamed = job().schedule("0 * * * *").in_zone("UTC").named("revenue").moved_from("sales");
    let plan = sound(&world, &flexible(renamed, "2026-11-23T12:05:00Z").desired()).plan;
    assert_eq!(reason(&plan.verdict), Reason::WaitingForTick, "half an hour of each is free");
}

#[test]
fn what_is_over_is_neither_made_nor_changed_nor_taken_away() {
    let once = |image: &str| job().schedule("at(2026-11-23T21:01:00)").in_zone("Asia/Tokyo").image(image);
    let mut over = once("sales:1");
    over.now = at("2026-11-23T12:01:00Z");
    let mut world = World::empty();
    let done = world.reconcile(&over.desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition"]);
    assert_eq!(reason(&done.plan.verdict), Reason::Converged);

    let mut world = World::with(&once("sales:1").desired());
    let mut later = once("sales:2");
    later.now = at("2026-11-23T12:01:00Z");
    assert_eq!(world.reconcile(&later.desired()).operations(), ["RegisterTaskDefinition"]);
    assert_eq!(world.reconcile(&later.desired()).operations(), Vec::<&str>::new());
    world.region(&job().place).schedule("etl-sales");
}

#[test]
fn what_fires_yet_goes_when_its_new_moments_are_over() {
    let over = |mut spec: Spec| {
        spec.now = at("2026-11-23T12:01:00Z");
        spec
    };
    let once = |zone: &str| job().schedule("at(2026-11-23T21:01:00)").in_zone(zone);
    let before = [
        // Twelve hours later than the moment that it is changed to.
        once("America/Halifax"),
        job().schedule("at(2026-11-25T21:01:00)").in_zone("Asia/Tokyo"),
        tokyo(),
    ];
    for before in before {
        let mut world = check(&before, &over(once("Asia/Tokyo")), &["DeleteSchedule"]);
        assert!(!world.region(&job().place).rules.contains_key(&scheduled("etl-sales")));
    }
}

#[test]
fn a_beginning_that_is_over_is_left_out_and_is_no_difference() {
    let spec = |now: &str| {
        let mut spec = tokyo().between(Some("2026-11-24T00:00:00Z"), None);
        spec.now = at(now);
        spec.desired()
    };
    let (before, after) = (spec("2026-11-23T12:00:00Z"), spec("2026-11-25T12:00:00Z"));
    let mut world = World::with(&before);
    let start = |world: &mut World| world.region(&job().place).schedule("etl-sales").live.timing.clone().unwrap().start;
    assert_eq!(start(&mut world), Some(at("2026-11-24T00:00:00Z")));
    assert_eq!(world.reconcile(&after).operations(), Vec::<&str>::new());

    let mut world = World::with(&after);
    assert_eq!(start(&mut world), None);
    assert_eq!(world.reconcile(&after).operations(), Vec::<&str>::new());
}

#[test]
fn the_time_of_a_run_is_scheduler_s_own_attribute_and_nothing_else_is_taken_for_one() {
    let overrides = json!({"containerOverrides": [{
        "name": "sales",
        "command": ["${scheduledTime}", "<aws.scheduler.scheduled-time>", "$${x}", "at ${scheduledTime}: \"${after.taskArn}\""],
    }]});
    let mut spec = tokyo();
    spec.run_task.overrides = Some(serde_json::from_value(overrides).unwrap());
    let scheduled = spec.desired().scheduled.unwrap();
    assert_eq!(
        scheduled.target.input.unwrap(),
        r#"{"containerOverrides":[{"command":["<aws.scheduler.scheduled-time>","\u003caws.scheduler.scheduled-time>","${x}","at <aws.scheduler.scheduled-time>: \"\""],"name":"sales"}]}"#
    );
    assert_eq!((scheduled.target.input_transformer, spec.desired().target.input), (None, None));
}

#[test]
fn a_group_of_somebody_else_s_is_no_home() {
    for tags in [json!({}), json!({"ecs-etl/controller": "other"}), json!({"mine": "yes"})] {
        let mut world = World::empty();
        world.region(&job().place).group = Some(serde_json::from_value(tags).unwrap());
        let plan = sound(&world, &tokyo().desired()).plan;
        assert_eq!((plan.steps.as_slice(), reason(&plan.verdict)), (&[][..], Reason::NotOwned));
    }
}

#[test]
fn a_schedule_that_tells_of_another_job_is_left_alone_and_one_that_tells_nothing_is_put_right() {
    let desired = tokyo().desired();
    let described = |text: Option<&str>| {
        let mut world = World::with(&desired);
        world.region(&job().place).schedule("etl-sales").live.description = text.map(str::to_owned);
        world
    };
    let theirs = "Managed by ecs-etl: controller=prod job=other policy=Delete source=git";
    assert_eq!(reason(&sound(&described(Some(theirs)), &desired).plan.verdict), Reason::NotOwned);
    let theirs = "Managed by ecs-etl: controller=other job=sales policy=Delete source=git";
    assert_eq!(reason(&sound(&described(Some(theirs)), &desired).plan.verdict), Reason::NotOwned);
    for nothing in [None, Some("a note"), Some("Managed by ecs-etl: controller=prod")] {
        let mut world = described(nothing);
        assert_eq!(world.reconcile(&desired).operations(), ["UpdateSchedule"]);
        assert_eq!(calm(&mut world, &desired), Reason::Converged);
    }
}

#[test]
fn a_tag_on_the_group_leaves_its_jobs_alone() {
    let mut world = World::with(&tokyo().desired());
    let group = world.region(&job().place).group.as_mut().unwrap();
    group.insert("ecs-etl/reconcile".to_owned(), "disabled".to_owned());
    let plan = sound(&world, &tokyo().image("sales:2").desired()).plan;
    assert_eq!((plan.steps.as_slice(), reason(&plan.verdict)), (&[][..], Reason::ReconcileDisabled));
}

#[test]
fn a_group_that_cannot_be_read_stops_every_write() {
    let world = World::with(&tokyo().desired());
    let mut observed = world.decide(&tokyo().desired(), world.found(&tokyo().desired())).observed;
    observed.group = Fact::Unreadable("AccessDenied".to_owned());
    let plan = world.decide(&tokyo().image("sales:2").desired(), observed).plan;
    assert_eq!((plan.steps.as_slice(), reason(&plan.verdict)), (&[][..], Reason::OwnershipUnknown));
}

/// The plan to take the job away.
fn leave(world: &World) -> Plan {
    let desired = tokyo().desired();
    let mut observed = world.found(&desired);
    let (name, family) = (JobName::new("sales").unwrap(), Family::new("etl-sales").unwrap());
    let (place, identity) = (job().place, identity(job().source));
    let leaving = Leaving { job: &name, family: &family, place: &place, identity: &identity };
    for _ in 0..10 {
        match removal::decide(&leaving, &observed, &world.policy, world.now) {
            Decision::Plan(plan) => return plan,
            Decision::Look(questions) => world.answer(&place, questions, &mut observed),
        }
    }
    panic!("it never stops asking");
}

#[test]
fn a_job_that_goes_takes_its_schedule_with_it() {
    let plan = leave(&World::with(&tokyo().desired()));
    let operations: Vec<&str> = plan.steps.iter().map(|step| step.action.operation()).collect();
    assert_eq!(operations, ["TagResource", "DeleteSchedule"]);
    assert!(matches!(&plan.steps[1].action, Action::DeleteSchedule { rule } if *rule == scheduled("etl-sales")));
}

#[test]
fn a_job_is_kept_that_is_retained_of_another_source_or_of_unknown_source() {
    let retained = Spec { retain: true, ..tokyo() };
    assert_eq!(reason(&leave(&World::with(&retained.desired())).verdict), Reason::Retained);
    let elsewhere = Spec { source: "git.example.com/other", ..tokyo() };
    assert_eq!(reason(&leave(&World::with(&elsewhere.desired())).verdict), Reason::OtherSource);
    let mut unknown = World::with(&tokyo().desired());
    unknown.region(&job().place).schedule("etl-sales").live.description = None;
    assert_eq!(reason(&leave(&unknown).verdict), Reason::OtherSource);
}
