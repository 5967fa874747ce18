//! Active and standby: only who holds the lease writes. The table is played by the test.

use std::sync::Arc;
use std::time::Duration;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::lease::Seat;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::lease::{Answer, Ask, Next, Record, Terms};
use ecs_etl_plan::status::LeaseStanding;
use jiff::Timestamp;

use crate::lab::{Lab, counts, job, mutates, reason};

const TERMS: Terms = Terms { duration: Duration::from_secs(60), call: Duration::from_secs(15) };

fn three() -> Lab {
    Lab::new(&["a", "b", "c"].map(|name| (name, job(name, "img:1", "0 2 * * *"))))
}

/// A daemon that needs the lease, and its seat.
async fn daemon(lab: &Lab) -> (Engine, Arc<Seat>) {
    let seat = Arc::new(Seat::new("this/1".to_owned(), "table".to_owned(), TERMS));
    (lab.engine_with_lease(Mode::Daemon, &seat).await, seat)
}

/// Answers what is asked now: nobody has the lease, or `other` has.
fn answer(seat: &Seat, other: Option<&str>) {
    for _ in 0..3 {
        match (seat.next(), other) {
            (Next::Wait(_), _) => return,
            (Next::Ask(Ask::Read), None) => seat.answered(Answer::Read(None)),
            (Next::Ask(Ask::Put { .. }), None) => seat.answered(Answer::Written),
            (Next::Ask(Ask::Read), Some(holder)) => seat.answered(Answer::Read(Some(Record {
                holder: holder.to_owned(),
                version: holder.to_owned(),
                duration: TERMS.duration,
            }))),
            (Next::Ask(Ask::Put { .. }), Some(_)) => seat.answered(Answer::Refused),
        }
    }
}

/// Works for so long, and keeps the lease meanwhile.
async fn keep(lab: &Lab, engine: &mut Engine, seat: &Seat, seconds: u64) {
    for _ in 0..seconds {
        answer(seat, None);
        lab.run(engine, Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_looks_and_says_so_and_writes_nothing_until_the_lease_is_its_own() {
    let lab = three();
    let (mut engine, seat) = daemon(&lab).await;
    answer(&seat, Some("other/7"));
    lab.run(&mut engine, Duration::from_secs(1300)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "a"), Reason::Standby);
    let publisher = Publisher::new(None, "embedded".to_owned(), "manifests".to_owned(), Timestamp::UNIX_EPOCH);
    let lease = publisher.controller(&engine, Timestamp::UNIX_EPOCH, false).status.lease.unwrap();
    assert_eq!((lease.standing, lease.holder.as_deref()), (LeaseStanding::Standby, Some("other/7")));

    // The version has not changed for all that time.
    answer(&seat, None);
    keep(&lab, &mut engine, &seat, 30).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    assert_eq!(lab.writes()["events:PutTargets"], 3);
    let lease = publisher.controller(&engine, Timestamp::UNIX_EPOCH, false).status.lease.unwrap();
    assert_eq!(lease.standing, LeaseStanding::Holder);
}

#[tokio::test(start_paused = true)]
async fn a_standby_reports_what_it_sees_of_the_holders_work() {
    let lab = three();
    let (mut engine, seat) = daemon(&lab).await;
    answer(&seat, Some("other/7"));
    lab.run(&mut engine, Duration::from_secs(10)).await;
    lab.apply().await;
    lab.run(&mut engine, Duration::from_secs(1300)).await;
    assert_eq!(reason(&engine, "b"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn no_write_begins_after_the_lease_less_one_call_and_a_plan_stops_where_it_is() {
    let lab = three();
    let (mut engine, seat) = daemon(&lab).await;
    answer(&seat, None);
    tokio::time::sleep(Duration::from_secs(35)).await;
    // Each write takes 9 seconds: the lease, which nobody renews, ends in the middle of the plans.
    lab.conduct(|call, _| match mutates(&call.operation) {
        true => Fault { before: Duration::from_secs(9), ..Fault::none() },
        false => Fault::none(),
    });
    lab.run(&mut engine, Duration::from_secs(600)).await;
    assert_eq!(lab.writes(), counts([("ecs:RegisterTaskDefinition", 3), ("events:PutRule", 3)]));
    assert_eq!(reason(&engine, "a"), Reason::Standby);

    lab.calm();
    keep(&lab, &mut engine, &seat, 60).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    // What was begun is gone on with: no second revision.
    assert_eq!(lab.revisions().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_standby_removes_nothing_and_removes_at_once_when_its_turn_comes() {
    let lab = three();
    lab.apply().await;
    lab.remove("a.yaml");
    lab.calls();
    let (mut engine, seat) = daemon(&lab).await;
    answer(&seat, Some("other/7"));
    lab.run(&mut engine, Duration::from_secs(900)).await;
    assert_eq!(lab.writes(), counts([]));
    assert!(engine.reporter.problems().is_empty(), "{:?}", engine.reporter.problems());
    // It has seen the job gone for longer than the grace.
    keep(&lab, &mut engine, &seat, 60).await;
    assert_eq!(lab.schedules().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failing_call_does_not_keep_who_lost_the_lease_writing() {
    let lab = three();
    let (mut engine, seat) = daemon(&lab).await;
    answer(&seat, None);
    lab.conduct(|call, _| match call.operation.as_str() {
        "ecs:RegisterTaskDefinition" => Fault { effect: false, ..Fault::none() },
        _ => Fault::none(),
    });
    lab.run(&mut engine, Duration::from_secs(20)).await;
    assert!(lab.writes()["ecs:RegisterTaskDefinition"] > 0);
    // The renewal is refused: somebody else has written.
    answer(&seat, Some("other/7"));
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(600)).await;
    assert_eq!(lab.writes(), counts([]));
}
