//! Bad days of AWS: lost answers, throttles, failures, garbage, a 200 that is none.

use std::time::Duration;

use ecs_etl_tests::meter::Effect;
use ecs_etl_tests::program::Running;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

use super::live;

/// Applies until everything has converged, a few times at most, and says how often it took.
fn apply_until_converged(world: &Workspace) -> usize {
    for attempt in 1..=5 {
        let (outcome, calls) = world.run(&["apply", "manifests"]);
        if outcome.code == Some(0) {
            return attempt;
        }
        assert_eq!(outcome.code, Some(1), "{outcome}\n{calls}");
    }
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    assert_eq!(outcome.code, Some(0), "not converged after five runs\n{outcome}\n{calls}");
    6
}

pub fn a_lost_answer_adds_no_second_revision(kind: Kind) {
    for operation in ["RegisterTaskDefinition", "PutRule", "PutTargets"] {
        for effect in [Effect::LoseAnswer, Effect::EffectThenAnswer(500, "{}".to_owned())] {
            let world = Workspace::new(kind);
            world.write_job(&Job::daily("daily"));
            world.meter.inject(operation, 1, effect.clone());
            apply_until_converged(&world);
            let what = format!("{operation} {effect:?}");
            assert_eq!(world.aws.active_revisions("etl-daily").len(), 1, "{what}");
            assert_eq!(live::job(&world.aws, "etl-daily")["state"], "ENABLED", "{what}");
            assert!(world.apply().mutating().is_empty(), "{what}");
        }
    }
}

pub fn killed_after_any_write_it_ends_in_the_same_state(kind: Kind) {
    let world = Workspace::new(kind);
    // The call has its effect; the program dies before it hears of it.
    let kill_after = |operation: &str| {
        world.meter.take();
        world.meter.inject(operation, 1, Effect::Delay(Duration::from_secs(3)));
        let applying = Running::start(world.command(&["apply", "manifests"]));
        let called = |world: &Workspace| world.meter.peek().0.iter().any(|call| call.operation == operation);
        world.wait_until(&format!("{operation} is called"), Duration::from_secs(20), called);
        applying.signal("KILL");
        assert_eq!(applying.wait(Duration::from_secs(20)).code, None);
        world.meter.heal();
    };
    for (number, operation) in ["RegisterTaskDefinition", "PutRule", "PutTargets"].into_iter().enumerate() {
        let name = format!("job-{number}");
        world.write_job(&Job::daily(&name));
        kill_after(operation);
        world.apply();
        assert_eq!(world.aws.active_revisions(&format!("etl-{name}")).len(), 1, "created, killed after {operation}");
        assert_eq!(live::job(&world.aws, &format!("etl-{name}"))["state"], "ENABLED");
        assert!(world.apply().mutating().is_empty());
    }
    for (number, operation) in ["RegisterTaskDefinition", "PutTargets"].into_iter().enumerate() {
        let image = format!("example.com/job:{}", number + 2);
        world.write_job(&Job { image: image.clone(), ..Job::daily("job-0") });
        kill_after(operation);
        world.apply();
        assert_eq!(world.aws.active_revisions("etl-job-0").len(), number + 2, "changed, killed after {operation}");
        assert_eq!(live::image(&world.aws, "etl-job-0"), image);
        assert!(world.apply().changes().is_empty());
    }
}

pub fn throttles_and_failures_are_survived(kind: Kind) {
    // A read and a write of each kind of failure; what comes twice would only wait twice as long.
    let bad_days = [
        (Effect::throttle(), ["ListRules", "RegisterTaskDefinition"]),
        (Effect::server_error(), ["DescribeRule", "PutRule"]),
        (Effect::garbage(), ["ListTaskDefinitions", "PutTargets"]),
        (Effect::LoseRequest, ["ListRules", "PutRule"]),
    ];
    let world = Workspace::new(kind);
    for (number, (effect, operations)) in bad_days.into_iter().enumerate() {
        world.write_job(&Job::daily(&format!("job-{number}")));
        for operation in operations {
            world.meter.inject(operation, 1, effect.clone());
        }
        apply_until_converged(&world);
        world.meter.heal();
        assert_eq!(live::job(&world.aws, &format!("etl-job-{number}"))["state"], "ENABLED", "{effect:?}");
        let calls = world.apply();
        assert!(calls.mutating().is_empty(), "{effect:?}\n{calls}");
    }
    // One answer that takes its time delays, no more.
    world.write_job(&Job::daily("patient"));
    world.meter.inject("RegisterTaskDefinition", 1, Effect::Delay(Duration::from_secs(2)));
    assert_eq!(world.apply().changes(), ["RegisterTaskDefinition", "PutRule", "PutTargets"]);
}

pub fn failed_entries_are_a_failure(kind: Kind) {
    let world = Workspace::new(kind);
    world.write_job(&Job::daily("daily"));
    let failed = r#"{"FailedEntryCount":1,"FailedEntries":[{"TargetId":"ecs-etl","ErrorCode":"ConcurrentModificationException",
        "ErrorMessage":"Rule is being modified"}]}"#;
    world.meter.inject("PutTargets", 100, Effect::Answer(200, failed.to_owned()));
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    let outcome = outcome.expect_code(1);
    assert_eq!(
        world.condition("daily", "Ready").map(|(status, _)| status),
        Some("False".to_owned()),
        "{outcome}\n{calls}"
    );
    let status = world.status("daily").unwrap_or_default().to_string();
    assert!(status.contains("ConcurrentModificationException"), "{status}");

    world.meter.heal();
    apply_until_converged(&world);
    assert_eq!(world.aws.active_revisions("etl-daily").len(), 1);
}
