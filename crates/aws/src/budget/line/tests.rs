use proptest::prelude::*;

use super::*;

const EVENTS: Bucket = Bucket::Events;
const MODIFY: Bucket = Bucket::TaskDefinitionModify;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn calls(counts: &[(Bucket, u64)]) -> Calls {
    counts.iter().copied().collect()
}

/// A line whose buckets have been full for long.
fn rested() -> (Line, Duration) {
    (Line::new(Share::HALF, Duration::ZERO), at(1_000_000))
}

/// Comes back whenever told to, and says when the ticket was served.
fn wait(line: &mut Line, mut now: Duration, ticket: &str, urgency: Urgency, needed: &Calls) -> Duration {
    loop {
        match line.reserve(now, ticket, urgency, needed) {
            Turn::Granted => return now,
            Turn::Wait { until, .. } => {
                assert!(until > now, "{ticket} is told to come back at once");
                now = until;
            }
        }
    }
}

#[test]
fn a_start_has_no_burst() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    assert_eq!(line.reserve(at(0), "a", Urgency::Create, &one), Turn::Granted);
    let second = line.reserve(at(0), "b", Urgency::Create, &one);
    assert_eq!(second, Turn::Wait { bucket: MODIFY, until: at(2000) }, "half of one a second");
}

#[test]
fn half_of_the_burst_and_half_of_the_rate_are_ours() {
    for bucket in Bucket::ALL {
        let (mut line, now) = rested();
        let one = calls(&[(bucket, 1)]);
        let burst = (0..1000).take_while(|i| line.reserve(now, &i.to_string(), Urgency::Drift, &one) == Turn::Granted);
        assert_eq!(burst.count(), (bucket.rate().burst / 2) as usize, "{bucket}");
        let waiting: Vec<_> = line.waiting.keys().cloned().collect();
        waiting.iter().for_each(|ticket| line.withdraw(ticket));
        let last = (0..20).map(|i| wait(&mut line, now, &format!("more {i}"), Urgency::Drift, &one)).max();
        let expected = Duration::from_secs(1) * 40 / bucket.rate().per_second;
        assert_eq!(last, Some(now + expected), "{bucket}: twenty more");
    }
}

#[test]
fn all_calls_of_a_plan_or_none() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let create = calls(&[(MODIFY, 1), (EVENTS, 2)]);
    let Turn::Wait { bucket, until } = line.reserve(at(0), "a", Urgency::Create, &create) else {
        panic!("one token of EventBridge is not two");
    };
    assert_eq!((bucket, until), (EVENTS, at(40)));
    assert_eq!(
        line.reserve(at(0), "b", Urgency::Edit, &calls(&[(MODIFY, 1)])),
        Turn::Granted,
        "nothing was taken by a"
    );
}

#[test]
fn the_more_urgent_go_first() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    let order = [Urgency::CleanUp, Urgency::Drift, Urgency::Create, Urgency::Edit];
    assert_eq!(line.reserve(at(0), "first", Urgency::Edit, &one), Turn::Granted);
    for urgency in order {
        assert!(matches!(line.reserve(at(1), &format!("{urgency:?}"), urgency, &one), Turn::Wait { .. }));
    }
    let mut served = Vec::new();
    for step in 1..=4 {
        for urgency in order {
            if !served.contains(&urgency)
                && line.reserve(at(2000 * step), &format!("{urgency:?}"), urgency, &one) == Turn::Granted
            {
                served.push(urgency);
            }
        }
    }
    assert_eq!(served, [Urgency::Edit, Urgency::Create, Urgency::Drift, Urgency::CleanUp]);
}

#[test]
fn the_same_urgency_is_served_in_the_order_of_arrival() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    assert_eq!(line.reserve(at(0), "zero", Urgency::Create, &one), Turn::Granted);
    for (i, name) in ["c", "a", "b"].iter().enumerate() {
        let until = at(2000 * (i as u64 + 1));
        assert_eq!(line.reserve(at(0), name, Urgency::Create, &one), Turn::Wait { bucket: MODIFY, until });
    }
    // The second comes before its time and does not get what the first waits for.
    assert_eq!(line.reserve(at(2000), "a", Urgency::Create, &one), Turn::Wait { bucket: MODIFY, until: at(4000) });
    assert_eq!(line.reserve(at(2000), "c", Urgency::Create, &one), Turn::Granted);
}

#[test]
fn a_stream_of_edits_does_not_starve_clean_up() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    let mut back = match line.reserve(at(0), "edit", Urgency::Edit, &one) {
        Turn::Granted => at(0),
        Turn::Wait { .. } => panic!("the first token is there"),
    };
    let mut served = None;
    let mut backlog: Vec<(String, Duration)> = Vec::new();
    for second in 0..1200_u64 {
        let now = at(second * 1000);
        backlog.push((format!("edit {second}"), now));
        backlog.retain_mut(|(ticket, until)| {
            *until > now
                || match line.reserve(now, ticket, Urgency::Edit, &one) {
                    Turn::Granted => false,
                    Turn::Wait { until: later, .. } => {
                        *until = later;
                        true
                    }
                }
        });
        if served.is_none() && back <= now {
            match line.reserve(now, "tidy", Urgency::CleanUp, &one) {
                Turn::Granted => served = Some(now),
                Turn::Wait { until, .. } => back = until,
            }
        }
    }
    let served = served.expect("clean-up was never served");
    assert!(served >= AGED && served < at(700_000), "{served:?}");
    assert!(backlog.len() > 500, "edits came twice as fast as they could be served");
}

#[test]
fn who_waits_for_one_bucket_holds_up_nobody_in_another() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let create = calls(&[(MODIFY, 1), (EVENTS, 2)]);
    assert_eq!(line.reserve(at(1000), "0", Urgency::Create, &create), Turn::Granted);
    for i in 1..200 {
        assert!(matches!(line.reserve(at(1000), &i.to_string(), Urgency::Create, &create), Turn::Wait { .. }));
    }
    let repair = calls(&[(EVENTS, 1)]);
    assert_eq!(line.reserve(at(1000), "repair", Urgency::Drift, &repair), Turn::Granted);
}

#[test]
fn who_waits_long_for_one_bucket_holds_no_place_in_another_that_was_short_for_a_moment() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let create = calls(&[(MODIFY, 1), (EVENTS, 2)]);
    // EventBridge has one token at the start, so it is short too.
    let first = line.reserve(at(0), "0", Urgency::Create, &create);
    assert_eq!(first, Turn::Wait { bucket: EVENTS, until: at(40) });
    for i in 1..200 {
        let until = at(2000 * i);
        let turn = line.reserve(at(0), &i.to_string(), Urgency::Create, &create);
        assert_eq!(turn, Turn::Wait { bucket: MODIFY, until }, "{i}");
    }
    // A look waits for those whose turn comes within seconds, not for the two hundred.
    let look = calls(&[(EVENTS, 1)]);
    assert_eq!(line.reserve(at(0), "look", Urgency::Drift, &look), Turn::Wait { bucket: EVENTS, until: at(240) });
}

#[test]
fn a_ticket_that_nobody_claims_loses_its_place() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    assert_eq!(line.reserve(at(0), "a", Urgency::Edit, &one), Turn::Granted);
    assert_eq!(line.reserve(at(0), "gone", Urgency::Edit, &one), Turn::Wait { bucket: MODIFY, until: at(2000) });
    assert_eq!(line.reserve(at(0), "b", Urgency::Edit, &one), Turn::Wait { bucket: MODIFY, until: at(4000) });
    assert_eq!(line.reserve(at(2000), "b", Urgency::Edit, &one), Turn::Wait { bucket: MODIFY, until: at(4000) });
    assert_eq!(line.waiting.len(), 2);
    assert_eq!(line.reserve(at(32_001), "c", Urgency::CleanUp, &calls(&[(EVENTS, 1)])), Turn::Granted);
    assert!(!line.waiting.contains_key("gone"), "{:?}", line.waiting);
}

#[test]
fn a_plan_larger_than_the_bucket_goes_when_it_is_full_and_others_wait_for_it() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let large = calls(&[(MODIFY, 30)]);
    let served = wait(&mut line, at(0), "large", Urgency::CleanUp, &large);
    assert_eq!(served, at(18_000), "ten tokens, one of them there at the start");
    let one = calls(&[(MODIFY, 1)]);
    assert_eq!(wait(&mut line, served, "next", Urgency::Edit, &one), served + at(42_000));
}

#[test]
fn a_throttle_empties_the_bucket_for_a_moment() {
    let (mut line, now) = rested();
    assert_eq!(line.throttled(now, EVENTS), Some(700));
    assert_eq!(line.throttled(now, EVENTS), None, "one moment, one lesson");
    let one = calls(&[(EVENTS, 1)]);
    // A second of rest and one call's forty milliseconds, at seven tenths of the rate.
    let until = now + Duration::from_nanos(1_485_714_286);
    assert_eq!(line.reserve(now, "a", Urgency::Edit, &one), Turn::Wait { bucket: EVENTS, until });
    assert_eq!(line.reserve(now, "b", Urgency::Edit, &calls(&[(MODIFY, 1)])), Turn::Granted, "other buckets go on");
}

#[test]
fn who_waits_may_ask_for_its_turn_and_loses_nothing_by_it() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let one = calls(&[(MODIFY, 1)]);
    assert_eq!(line.reserve(at(0), "a", Urgency::Create, &one), Turn::Granted);
    assert_eq!(line.reserve(at(0), "b", Urgency::Create, &one), Turn::Wait { bucket: MODIFY, until: at(2000) });
    assert_eq!(line.reserve(at(0), "c", Urgency::Create, &one), Turn::Wait { bucket: MODIFY, until: at(4000) });
    assert_eq!(line.turn(at(500), "nobody"), None);
    assert_eq!(line.turn(at(500), "b"), Some((MODIFY, at(2000))));
    // An edit goes first, and who asks learns of it.
    assert_eq!(line.reserve(at(600), "edit", Urgency::Edit, &one), Turn::Wait { bucket: MODIFY, until: at(2000) });
    assert_eq!(line.turn(at(700), "c"), Some((MODIFY, at(6000))));
    assert_eq!(line.last_turn(), Some(at(6000)));
    line.withdraw("edit");
    assert_eq!(line.turn(at(2000), "b"), None, "it is b's turn");
    assert_eq!(line.turn(at(2000), "c"), Some((MODIFY, at(4000))), "b has not gone yet");
    assert_eq!(line.reserve(at(2000), "b", Urgency::Create, &one), Turn::Granted);
}

#[test]
fn ten_thousand_in_line_are_served_in_order_and_each_when_it_was_told() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let create = calls(&[(MODIFY, 1), (EVENTS, 2)]);
    let mut until = Vec::new();
    for i in 0..10_000 {
        match line.reserve(at(40), &format!("job-{i}"), Urgency::Create, &create) {
            Turn::Granted => until.push(at(40)),
            Turn::Wait { until: later, .. } => until.push(later),
        }
    }
    for (i, until) in until.iter().enumerate().skip(1) {
        assert_eq!(*until, at(2000 * i as u64), "job {i}");
        let turn = line.reserve(*until, &format!("job-{i}"), Urgency::Create, &create);
        assert_eq!(turn, Turn::Granted, "job {i}");
    }
    assert!(line.waiting.is_empty() && line.by_number.is_empty() && line.by_until.is_empty());
}

#[test]
fn nothing_asked_is_granted_at_once() {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    assert_eq!(line.reserve(at(0), "a", Urgency::CleanUp, &Calls::new()), Turn::Granted);
    assert!(line.waiting.is_empty());
}

/// One plan of a history: when it first asks, with what urgency and for how much.
fn plan() -> impl Strategy<Value = (u64, Urgency, u64, u64)> {
    let urgency = prop_oneof![Just(Urgency::Edit), Just(Urgency::Create), Just(Urgency::Drift), Just(Urgency::CleanUp)];
    (0..60_000_u64, urgency, 0..=2_u64, 0..=4_u64)
}

/// Plays plans against a line, each coming back exactly when told, and says when each was served.
fn play(plans: &[(u64, Urgency, u64, u64)]) -> Vec<Duration> {
    let mut line = Line::new(Share::HALF, Duration::ZERO);
    let mut due: BTreeSet<(Duration, usize)> = plans.iter().enumerate().map(|(i, plan)| (at(plan.0), i)).collect();
    let mut served = vec![Duration::MAX; plans.len()];
    let mut turns = 0;
    while let Some((now, i)) = due.pop_first() {
        turns += 1;
        assert!(turns < 100_000, "the line does not move");
        let (_, urgency, modify, events) = plans[i];
        let needed: Calls = [(MODIFY, modify), (EVENTS, events)].into_iter().filter(|(_, n)| *n > 0).collect();
        match line.reserve(now, &i.to_string(), urgency, &needed) {
            Turn::Granted => served[i] = now,
            Turn::Wait { until, .. } => {
                assert!(until > now);
                due.insert((until, i));
            }
        }
    }
    assert!(line.waiting.is_empty());
    served
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn everybody_is_served_and_no_window_exceeds_the_share(plans in prop::collection::vec(plan(), 1..80)) {
        let served = play(&plans);
        for bucket in [MODIFY, EVENTS] {
            let count = |plan: &(u64, Urgency, u64, u64)| if bucket == MODIFY { plan.2 } else { plan.3 };
            let mut grants: Vec<(Duration, u64)> = served.iter().zip(&plans).map(|(at, plan)| (*at, count(plan))).collect();
            grants.sort();
            let rate = bucket.rate();
            for (i, (from, _)) in grants.iter().enumerate() {
                let mut sum = 0;
                for (to, calls) in &grants[i..] {
                    sum += calls;
                    let window = (*to - *from).as_secs_f64();
                    let allowed = f64::from(rate.burst) / 2.0 + window * f64::from(rate.per_second) / 2.0;
                    prop_assert!(sum as f64 <= allowed + 1e-6, "{bucket}: {sum} in {window} s");
                }
            }
        }
    }

    #[test]
    fn the_same_history_is_served_the_same(plans in prop::collection::vec(plan(), 1..60)) {
        prop_assert_eq!(play(&plans), play(&plans));
    }
}
