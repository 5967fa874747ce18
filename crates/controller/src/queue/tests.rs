use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ecs_etl_plan::failure::RetryClass;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Backoffs, Jitter, MAX_DELAY, Pace, Queue, Urgency, WorkQueue};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_key_queued_twice_is_one_piece_of_work_at_the_earlier_time_and_the_higher_urgency() {
    let start = Instant::now();
    let mut queue = Queue::new();
    queue.schedule("sales", start + seconds(10), Urgency::CleanUp);
    queue.schedule("sales", start + seconds(30), Urgency::Edit);

    assert_eq!(queue.pop(start + seconds(9)), None);
    assert_eq!(queue.pop(start + seconds(10)), Some(("sales", Urgency::Edit)));
    assert_eq!(queue.pop(start + seconds(99)), None);
}

#[test]
fn edits_come_before_new_jobs_before_drift_before_clean_up() {
    let start = Instant::now();
    let mut queue = Queue::new();
    for urgency in [Urgency::CleanUp, Urgency::Drift, Urgency::New, Urgency::Edit] {
        queue.schedule(urgency.as_str(), start, urgency);
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.pop(start).map(|(key, _)| key)).collect();
    assert_eq!(order, ["edit", "new", "drift", "clean-up"]);
}

#[test]
fn an_edit_overtakes_drift_that_was_already_found_due() {
    let start = Instant::now();
    let mut queue = Queue::new();
    for key in ["a", "b", "c"] {
        queue.schedule(key, start, Urgency::Drift);
    }
    assert_eq!(queue.pop(start), Some(("a", Urgency::Drift)));
    queue.schedule("c", start, Urgency::Edit);
    assert_eq!(queue.pop(start), Some(("c", Urgency::Edit)));
    assert_eq!(queue.pop(start), Some(("b", Urgency::Drift)));
}

#[test]
fn a_key_in_flight_is_not_given_to_a_second_worker() {
    let start = Instant::now();
    let mut queue = Queue::new();
    queue.schedule("sales", start, Urgency::Drift);
    assert_eq!(queue.pop(start), Some(("sales", Urgency::Drift)));

    queue.schedule("sales", start, Urgency::Edit);
    assert_eq!(queue.pop(start), None);
    assert_eq!(queue.next_due(), None, "nothing to wake up for until the worker is through");

    queue.finish(&"sales");
    assert_eq!(queue.pop(start), Some(("sales", Urgency::Edit)));
}

#[test]
fn a_deadline_in_the_far_future_is_a_day_away() {
    let start = Instant::now();
    let mut queue = Queue::new();
    queue.schedule_after("sales", start, Duration::MAX, Urgency::Drift);
    assert_eq!(queue.next_due(), Some(start + MAX_DELAY));
}

#[test]
fn a_key_forgotten_while_in_flight_does_not_come_back() {
    let start = Instant::now();
    let mut queue = Queue::new();
    queue.schedule("sales", start, Urgency::Edit);
    assert!(queue.pop(start).is_some());
    queue.schedule("sales", start, Urgency::Edit);
    queue.forget(&"sales");
    queue.finish(&"sales");
    assert_eq!(queue.pop(start), None);
    assert!(queue.is_empty());
}

#[derive(Debug, Clone)]
enum Op {
    Schedule(u8, u64, Urgency),
    Pop,
    Finish(usize),
    Forget(u8),
    Wait(u64),
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop_oneof![Just(Urgency::Edit), Just(Urgency::New), Just(Urgency::Drift), Just(Urgency::CleanUp)]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_u8, 0..20_u64, urgency()).prop_map(|(key, at, urgency)| Op::Schedule(key, at, urgency)),
        4 => Just(Op::Pop),
        3 => (0..6_usize).prop_map(Op::Finish),
        1 => (0..6_u8).prop_map(Op::Forget),
        3 => (0..5_u64).prop_map(Op::Wait),
    ]
}

proptest! {
    /// Against a model that is a plain map and a search: never early, never twice at once, never lost, most urgent first.
    #[test]
    fn the_queue_does_what_a_plain_map_would(ops in vec(op(), 1..120)) {
        let start = Instant::now();
        let mut now = start;
        let mut queue = Queue::new();
        let mut wanted: BTreeMap<u8, (Instant, Urgency)> = BTreeMap::new();
        let mut working: Vec<u8> = Vec::new();
        for op in ops {
            match op {
                Op::Schedule(key, at, urgency) => {
                    let at = start + seconds(at);
                    queue.schedule(key, at, urgency);
                    wanted
                        .entry(key)
                        .and_modify(|have| *have = (have.0.min(at), have.1.min(urgency)))
                        .or_insert((at, urgency));
                }
                Op::Pop => {
                    let due = |key: &u8, at: &Instant| *at <= now && !working.contains(key);
                    let best = wanted.iter().filter(|(key, (at, _))| due(key, at)).map(|(_, (at, u))| (*u, *at)).min();
                    match queue.pop(now) {
                        None => prop_assert_eq!(best, None),
                        Some((key, urgency)) => {
                            prop_assert!(!working.contains(&key));
                            let (at, asked) = wanted.remove(&key).expect("only what was wanted is given out");
                            prop_assert_eq!(asked, urgency);
                            prop_assert_eq!(best, Some((urgency, at)));
                            working.push(key);
                        }
                    }
                }
                Op::Finish(index) => {
                    if index < working.len() {
                        let key = working.swap_remove(index);
                        queue.finish(&key);
                    }
                }
                Op::Forget(key) => {
                    queue.forget(&key);
                    wanted.remove(&key);
                }
                Op::Wait(n) => now += seconds(n),
            }
            let next = wanted.iter().filter(|(key, _)| !working.contains(key)).map(|(_, (at, _))| *at).min();
            match next {
                Some(at) if at <= now => prop_assert!(queue.next_due().is_some_and(|at| at <= now)),
                next => prop_assert_eq!(queue.next_due(), next),
            }
            prop_assert_eq!(queue.in_flight(), working.len());
        }
    }

    #[test]
    fn a_wait_lies_between_floor_and_cap_and_never_above_the_doubled_range(failures in 1..200_u32, seed: u64) {
        for class in [RetryClass::Soon, RetryClass::Throttled, RetryClass::Slow, RetryClass::NotFound] {
            let pace = Pace::of(class).expect("worth another try");
            let delay = pace.delay(failures, &mut Jitter::seeded(seed));
            prop_assert!(delay >= pace.floor && delay <= pace.cap);
            if failures < 8 {
                prop_assert!(delay <= pace.floor * 2_u32.pow(failures));
            }
        }
    }
}

#[test]
fn waits_spread_over_their_whole_range() {
    let pace = Pace::of(RetryClass::Soon).expect("worth another try");
    let mut jitter = Jitter::seeded(7);
    let waits: Vec<_> = (0..1000).map(|_| pace.delay(20, &mut jitter)).collect();
    for quarter in 0..4 {
        let from = pace.cap / 4 * quarter;
        let within = waits.iter().filter(|wait| **wait >= from && **wait < from + pace.cap / 4).count();
        assert!((200..=300).contains(&within), "{within} of 1000 in quarter {quarter}");
    }
}

#[test]
fn equal_seeds_give_equal_waits() {
    let waits = |seed| {
        let (mut jitter, mut backoffs) = (Jitter::seeded(seed), Backoffs::new());
        (0..10).map(|_| backoffs.failed(&"sales", RetryClass::Soon, &mut jitter)).collect::<Vec<_>>()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
}

#[test]
fn a_new_spec_starts_the_counter_at_zero_and_others_keep_theirs() {
    let (mut jitter, mut backoffs) = (Jitter::seeded(1), Backoffs::new());
    for _ in 0..5 {
        backoffs.failed(&"sales", RetryClass::Soon, &mut jitter);
        backoffs.failed(&"stock", RetryClass::Soon, &mut jitter);
    }
    backoffs.reset(&"sales");
    assert_eq!((backoffs.failures(&"sales"), backoffs.failures(&"stock")), (0, 5));
    let wait = backoffs.failed(&"sales", RetryClass::Soon, &mut jitter).expect("worth another try");
    assert!(wait <= seconds(2));
}

#[test]
fn what_stays_wrong_until_the_manifest_changes_is_not_tried_again() {
    assert_eq!(Backoffs::new().failed(&"sales", RetryClass::Terminal, &mut Jitter::seeded(1)), None);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_a_key_falls_due() {
    let queue = WorkQueue::new();
    queue.schedule_after("sales", seconds(30), Urgency::Drift);
    let start = tokio::time::Instant::now();
    assert_eq!(*queue.next().await.key(), "sales");
    let waited = start.elapsed();
    assert!(waited >= seconds(30) && waited < seconds(31), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_worker_wakes_for_earlier_work() {
    let queue = WorkQueue::new();
    queue.schedule_after("stock", seconds(3600), Urgency::Drift);
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move { *queue.next().await.key() }
    });
    tokio::task::yield_now().await;
    queue.schedule("sales", Urgency::Edit);
    assert_eq!(worker.await.expect("the worker ends"), "sales");
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_work_was_dropped_is_free_again() {
    let queue = WorkQueue::new();
    queue.schedule("sales", Urgency::Edit);
    let work = queue.next().await;
    queue.schedule("sales", Urgency::Drift);
    assert!(tokio::time::timeout(seconds(5), queue.next()).await.is_err(), "one key, one worker");
    drop(work);
    assert_eq!(queue.next().await.urgency(), Urgency::Drift);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_gives_up_waiting_takes_nothing_with_it() {
    let queue = WorkQueue::new();
    queue.schedule_after("sales", seconds(10), Urgency::Edit);
    assert!(tokio::time::timeout(seconds(1), queue.next()).await.is_err());
    assert_eq!(queue.len(), 1);
    assert_eq!(*queue.next().await.key(), "sales");
}

#[tokio::test(start_paused = true)]
async fn many_workers_share_the_work_and_none_is_left_asleep() {
    let queue = WorkQueue::new();
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let work = queue.next().await;
                tokio::time::sleep(seconds(1)).await;
                *work.key()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    for key in 0..8 {
        queue.schedule(key, Urgency::New);
    }
    let mut done = Vec::new();
    for worker in workers {
        done.push(worker.await.expect("the worker ends"));
    }
    done.sort_unstable();
    assert_eq!(done, [0, 1, 2, 3, 4, 5, 6, 7]);
}
