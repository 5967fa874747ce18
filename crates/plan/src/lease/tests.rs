#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;

const TERMS: Terms = Terms { duration: Duration::from_secs(60), call: Duration::from_secs(15) };

fn at(seconds: u64) -> Moment {
    let since = Duration::from_secs(seconds);
    Moment { steady: since, wall: since }
}

fn fresh(version: &str) -> impl FnOnce() -> String {
    let version = version.to_owned();
    move || version
}

fn record(holder: &str, version: &str) -> Record {
    Record { holder: holder.to_owned(), version: version.to_owned(), duration: TERMS.duration }
}

fn put(holder: &str, version: &str, replaces: Option<&str>) -> Next {
    Next::Ask(Ask::Put { record: record(holder, version), replaces: replaces.map(str::to_owned) })
}

fn nobody() -> String {
    panic!("no version is needed")
}

/// A controller that has held the lease since `seconds`.
fn holder(seconds: u64) -> Lease {
    let mut lease = Lease::new("a".to_owned(), TERMS);
    assert_eq!(lease.next(at(seconds), nobody), Next::Ask(Ask::Read));
    lease.answered(at(seconds), Answer::Read(None));
    assert_eq!(lease.next(at(seconds), fresh("a1")), put("a", "a1", None));
    lease.answered(at(seconds + 2), Answer::Written);
    lease
}

#[test]
fn the_first_to_come_takes_what_is_not_there() {
    let lease = holder(0);
    assert_eq!(lease.standing(at(3)), Standing::Holder);
}

#[test]
fn a_lease_counts_from_before_its_write_was_sent_and_ends_one_call_early() {
    let lease = holder(100);
    for (seconds, may) in [(102, true), (145, true), (146, false), (1000, false)] {
        assert_eq!(lease.may_write(at(seconds)), may, "at {seconds}");
    }
    assert_eq!(lease.left(at(140)), Duration::from_secs(5));
    assert_eq!(lease.left(at(150)), Duration::ZERO);
}

#[test]
fn a_holder_renews_at_a_third_and_on_its_own_version() {
    let mut lease = holder(0);
    assert_eq!(lease.next(at(5), nobody), Next::Wait(Duration::from_secs(15)));
    assert_eq!(lease.next(at(20), fresh("a2")), put("a", "a2", Some("a1")));
    lease.answered(at(21), Answer::Written);
    assert!(lease.may_write(at(65)) && !lease.may_write(at(66)));
}

#[test]
fn a_renewal_whose_answer_is_lost_is_tried_again_with_the_same_version_and_counts_from_its_first_try() {
    let mut lease = holder(0);
    assert_eq!(lease.next(at(20), fresh("a2")), put("a", "a2", Some("a1")));
    lease.answered(at(25), Answer::Unknown);
    assert_eq!(lease.next(at(25), nobody), Next::Wait(Duration::from_secs(2)));
    assert_eq!(lease.next(at(27), nobody), put("a", "a2", Some("a1")));
    // Until the lease is over, writes go on.
    assert!(lease.may_write(at(45)) && !lease.may_write(at(46)));
    lease.answered(at(50), Answer::Written);
    assert!(lease.may_write(at(65)) && !lease.may_write(at(66)), "another may have read the version at 20");
    // And the next renewal is due at once.
    assert_eq!(lease.next(at(50), fresh("a3")), put("a", "a3", Some("a2")));
}

#[test]
fn another_waits_for_the_lease_and_one_call_more_from_when_it_first_read_the_version() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    assert_eq!(lease.next(at(1000), nobody), Next::Ask(Ask::Read));
    lease.answered(at(1003), Answer::Read(Some(record("a", "a1"))));
    assert_eq!(lease.standing(at(1003)), Standing::Standby(Some("a".to_owned())));
    let mut now = 1003;
    loop {
        match lease.next(at(now), fresh("b1")) {
            Next::Wait(wait) => now += wait.as_secs(),
            Next::Ask(Ask::Read) => {
                assert!(now < 1003 + 75, "{now}");
                lease.answered(at(now), Answer::Read(Some(record("a", "a1"))));
            }
            taken @ Next::Ask(Ask::Put { .. }) => {
                assert_eq!(taken, put("b", "b1", Some("a1")));
                break;
            }
        }
        assert!(!lease.may_write(at(now)));
    }
    assert_eq!(now, 1003 + 75);
    lease.answered(at(now), Answer::Written);
    assert_eq!(lease.standing(at(now)), Standing::Holder);
}

#[test]
fn a_version_that_changes_begins_the_wait_anew() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    for (seconds, version) in [(0, "a1"), (40, "a2"), (80, "a3")] {
        assert_eq!(lease.next(at(seconds), nobody), Next::Ask(Ask::Read));
        lease.answered(at(seconds), Answer::Read(Some(record("a", version))));
    }
    assert_eq!(lease.next(at(154), nobody), Next::Ask(Ask::Read));
    lease.answered(at(154), Answer::Unknown);
    assert_eq!(lease.next(at(156), fresh("b1")), put("b", "b1", Some("a3")));
}

#[test]
fn the_length_that_counts_is_the_holders() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    let long = Record { duration: Duration::from_secs(600), ..record("a", "a1") };
    lease.answered(at(0), Answer::Read(Some(long)));
    assert_eq!(lease.next(at(614), nobody), Next::Ask(Ask::Read));
    assert_eq!(lease.next(at(615), fresh("b1")), put("b", "b1", Some("a1")));
}

#[test]
fn of_two_that_take_at_once_the_second_is_refused_and_waits() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    lease.answered(at(0), Answer::Read(None));
    assert_eq!(lease.next(at(0), fresh("b1")), put("b", "b1", None));
    lease.answered(at(1), Answer::Refused);
    assert_eq!(lease.next(at(1), nobody), Next::Ask(Ask::Read));
    lease.answered(at(2), Answer::Read(Some(record("a", "a1"))));
    assert_eq!(lease.next(at(2), nobody), Next::Wait(Duration::from_secs(5)));
    assert!(!lease.may_write(at(2)));
}

#[test]
fn a_holder_that_was_replaced_stops_when_it_learns_so() {
    let mut lease = holder(0);
    assert_eq!(lease.next(at(20), fresh("a2")), put("a", "a2", Some("a1")));
    lease.answered(at(21), Answer::Refused);
    assert!(!lease.may_write(at(21)));
    assert_eq!(lease.next(at(21), nobody), Next::Ask(Ask::Read));
}

#[test]
fn a_holder_that_slept_has_nothing_left_and_goes_on_only_if_nobody_took_it() {
    // The machine slept: the steady clock stood still, the one on the wall did not.
    let awake = |steady, wall| Moment { steady: Duration::from_secs(steady), wall: Duration::from_secs(wall) };
    let mut lease = holder(0);
    assert!(!lease.may_write(awake(10, 3600)));
    assert_eq!(lease.next(awake(10, 3600), fresh("a2")), put("a", "a2", Some("a1")));
    lease.answered(awake(11, 3601), Answer::Written);
    assert!(lease.may_write(awake(12, 3602)));
    // A clock on the wall that is set back gives no time.
    assert!(!lease.may_write(awake(60, 3000)));
}

#[test]
fn who_waits_does_not_trust_the_clock_on_the_wall() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    lease.answered(at(0), Answer::Read(Some(record("a", "a1"))));
    let jumped = Moment { steady: Duration::from_secs(10), wall: Duration::from_secs(10_000) };
    assert_eq!(lease.next(jumped, nobody), Next::Ask(Ask::Read));
}

#[test]
fn a_take_over_whose_answer_is_lost_is_not_held_until_it_is_confirmed() {
    let mut lease = Lease::new("b".to_owned(), TERMS);
    lease.answered(at(0), Answer::Read(Some(record("a", "a1"))));
    assert_eq!(lease.next(at(75), fresh("b1")), put("b", "b1", Some("a1")));
    lease.answered(at(90), Answer::Unknown);
    assert!(!lease.may_write(at(90)));
    assert_eq!(lease.next(at(92), nobody), put("b", "b1", Some("a1")));
    lease.answered(at(93), Answer::Written);
    assert!(lease.may_write(at(120)) && !lease.may_write(at(121)), "from 75, when it was first sent");
}

#[test]
fn what_is_released_may_not_be_written_under_any_more() {
    let mut lease = holder(0);
    assert_eq!(lease.next(at(20), fresh("a2")), put("a", "a2", Some("a1")));
    lease.answered(at(21), Answer::Unknown);
    // Either may be there.
    assert_eq!(lease.release(), ["a1", "a2"]);
    assert!(!lease.may_write(at(22)));
    assert!(lease.release().is_empty());
}
