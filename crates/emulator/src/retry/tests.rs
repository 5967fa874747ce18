//! How long and how often, and what not.

use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn throttled() -> Refusal {
    Refusal::new("ThrottlingException", "Rate exceeded")
}

/// How often, and how long, a delivery is tried that never succeeds, and what ends it.
fn story(policy: Policy, seed: &str) -> (u32, SignedDuration, Option<Exhausted>) {
    let (mut now, mut attempt) = (NOW, Attempt::first(NOW));
    loop {
        match policy.next(&throttled(), attempt, seed, now) {
            Next::Again(at) => {
                assert!(at > now, "{at} after {now}");
                (now, attempt.retries) = (at, attempt.retries + 1);
            }
            Next::GivenUp(why) => return (attempt.retries, now.duration_since(NOW), why),
        }
    }
}

#[test]
fn the_defaults_are_a_day_and_185_retries_which_end_at_about_the_same_time() {
    for seed in 0..50 {
        let (retries, lasted, _) = story(Policy::of(&json!({})), &seed.to_string());
        assert!((170..=185).contains(&retries), "{retries}");
        assert!((21..=24).contains(&lasted.as_hours()), "{lasted:#}");
    }
}

#[test]
fn whatever_ends_first_is_the_reason() {
    let policy = |retries: i64, age: i64| {
        Policy::of(&json!({"RetryPolicy": {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age}}))
    };
    let check = |policy: Policy, retries: u32, why: Exhausted| {
        let (told, _, reason) = story(policy, "s");
        assert_eq!((told, reason), (retries, Some(why)));
    };
    check(policy(0, 60), 0, Exhausted::MaximumRetryAttempts);
    check(policy(2, 60), 2, Exhausted::MaximumRetryAttempts);
    let (retries, lasted, why) = story(policy(185, 60), "s");
    assert_eq!((lasted.as_secs(), why), (60, Some(Exhausted::MaximumEventAgeInSeconds)));
    assert!((4..=9).contains(&retries), "{retries}");
}

#[test]
fn waits_double_and_differ_from_event_to_event() {
    for retries in 0..20 {
        let usual = (1000_i64 << retries.min(9)).min(LONGEST_WAIT);
        let waits: Vec<_> = (0..40).map(|seed| wait(retries, &seed.to_string()).as_millis()).collect();
        let bounds = i128::from(usual / 2)..=i128::from(usual / 2 + usual);
        assert!(waits.iter().all(|wait| bounds.contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}

#[test]
fn what_does_not_pass_is_not_tried_again() {
    let next = |refusal: &Refusal| Policy::of(&json!({})).next(refusal, Attempt::first(NOW), "s", NOW);
    for code in ["ClusterNotFoundException", "AccessDeniedException", "InvalidParameterException"] {
        assert_eq!(next(&Refusal::new(code, "no")), Next::GivenUp(None), "{code}");
    }
    let failure = Refusal { status: 500, ..Refusal::new("ServerException", "Service Unavailable.") };
    for refusal in [throttled(), failure] {
        assert!(matches!(next(&refusal), Next::Again(_)), "{refusal}");
    }
}
