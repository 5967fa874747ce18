//! Notices when something else keeps undoing our repairs: three equal ones in a row, three equal rounds of two or three that
//! follow one another, as when two controllers want different things, or five among nine that have a step in common, as when
//! those two have more to quarrel about than one of them gets done between two looks of the other. The job is then repaired
//! more slowly, and its status says that somebody fights us, until nothing is to be repaired for a while.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_spec::name::JobName;
use jiff::{SignedDuration, Timestamp};

use crate::reconcile::Outcome;

/// How many equal repairs in a row are a fight, or how many equal rounds of repairs.
const FIGHT: usize = 3;

/// How many repairs a round has at most.
const ROUND: usize = 3;

/// How many of the latest repairs are a fight if one step is in all of them, in whatever order they come.
const OFTEN: usize = 5;

/// Resyncs without any repair after which the fight is over.
const PEACE: i32 = 3;

/// How much more slowly a job in a fight is repaired, in resyncs.
const SLOWER: u32 = 3;

/// The repairs of every job that had any.
#[derive(Debug, Default)]
pub struct Fights(BTreeMap<JobName, Repairs>);

#[derive(Debug)]
struct Repairs {
    /// What each of the latest repairs did, by the hashes of its steps in order; the newest first. Any edit leaves one of them.
    latest: VecDeque<Box<[u64]>>,
    /// The last of those that are a fight, in words, once there is one.
    newest: Option<String>,
    /// How many equal rounds in a row there were.
    times: usize,
    last: Timestamp,
}

/// A fight, and what it means for the job.
#[derive(Debug)]
pub struct Fight {
    /// What to say of the job.
    pub verdict: Verdict,
    /// How long to leave it alone.
    pub wait: Duration,
}

impl Fights {
    /// Takes note of a reconcile that came to its end. A fight, if it is one.
    pub fn seen(&mut self, job: &JobName, outcome: &Outcome, resync: Duration, now: Timestamp) -> Option<Fight> {
        if outcome.actions.is_empty() {
            let peace = SignedDuration::try_from(resync).unwrap_or(SignedDuration::MAX).saturating_mul(PEACE);
            let over = |repairs: &Repairs| now.duration_since(repairs.last) > peace;
            if self.0.get(job).is_some_and(over) {
                self.0.remove(job);
            }
            return self.0.get(job).filter(|repairs| repairs.times >= FIGHT).map(|repairs| repairs.fight(resync));
        }
        let steps = outcome.plan.steps.iter();
        let what: Vec<String> =
            steps.map(|step| format!("{} {}", step.action.operation(), step.action.resource())).collect();
        let repairs = self.0.entry(job.clone()).or_insert_with(|| Repairs::none(now));
        repairs.add(&what, now);
        (repairs.times >= FIGHT).then(|| repairs.fight(resync))
    }

    /// Forgets jobs that nobody wants any more.
    pub fn keep(&mut self, wanted: impl Fn(&JobName) -> bool) {
        self.0.retain(|job, _| wanted(job));
    }

    /// How many jobs' repairs are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The job has a new spec: what was repaired before says nothing of it.
    pub fn forget(&mut self, job: &JobName) {
        self.0.remove(job);
    }
}

impl Repairs {
    fn none(now: Timestamp) -> Self {
        Self { latest: VecDeque::with_capacity(1), newest: None, times: 0, last: now }
    }

    fn add(&mut self, what: &[String], now: Timestamp) {
        let hashes: Box<[u64]> = what.iter().map(hash).collect();
        let equal = self.latest.front() == Some(&hashes);
        self.latest.push_front(hashes);
        self.latest.truncate(FIGHT * ROUND);
        self.last = now;
        let times = match (1..=ROUND).find(|length| self.goes_in_rounds_of(*length)) {
            Some(1) if equal => self.times.max(FIGHT - 1) + 1,
            Some(_) => self.times.max(FIGHT),
            None if self.newest_again() >= OFTEN => self.times.max(FIGHT),
            None => 0,
        };
        if times == 0 && self.times >= FIGHT {
            // Whoever fights us changed his ways: there is no peace for that.
            return;
        }
        self.times = times;
        self.newest = (times >= FIGHT).then(|| what.join(", "));
    }

    /// In how many of the latest repairs the step of the newest is that is in most of them, the newest included.
    fn newest_again(&self) -> usize {
        let newest = self.latest.front().into_iter().flatten();
        newest.map(|step| self.latest.iter().filter(|what| what.contains(step)).count()).max().unwrap_or(0)
    }

    /// Whether the latest repairs are rounds of so many, each like the one before.
    fn goes_in_rounds_of(&self, length: usize) -> bool {
        let rounds = self.latest.iter().take(FIGHT * length);
        rounds.len() == FIGHT * length
            && rounds.zip(self.latest.iter().skip(length)).take((FIGHT - 1) * length).all(|(one, next)| one == next)
    }

    fn fight(&self, resync: Duration) -> Fight {
        let message = format!(
            "the same repair was made {} times and more ({}): something else keeps undoing it; find it, or set \
             ecs-etl/reconcile: disabled; repairs are slower until then",
            self.times,
            self.newest.as_deref().unwrap_or_default()
        );
        Fight { verdict: Verdict::Stalled(Reason::DriftFight, message), wait: resync.saturating_mul(SLOWER) }
    }
}

fn hash(step: &String) -> u64 {
    let mut hasher = DefaultHasher::new();
    step.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use ecs_etl_plan::observed::Observed;
    use ecs_etl_plan::step::{Action, Because, Kind, Plan, Step};
    use ecs_etl_spec::job::Place;
    use ecs_etl_spec::name::{Region, RuleName};

    use super::*;

    const RESYNC: Duration = Duration::from_secs(600);

    fn name() -> JobName {
        JobName::new("a").unwrap()
    }

    fn rule() -> RuleName {
        RuleName::new("etl-a").unwrap()
    }

    /// A reconcile that did this, or nothing.
    fn outcome(action: Option<Action>) -> Outcome {
        let place = Place { region: Region::new("eu-west-1").unwrap(), assume_role_arn: None, external_id: None };
        let verdict = Verdict::Ready(Reason::Converged, String::new());
        let actions = action.iter().map(Action::operation).collect();
        let because = || Because::Note(String::new());
        let steps =
            action.into_iter().map(|action| Step { place: place.clone(), action, because: because() }).collect();
        let plan =
            Plan { job: name(), kind: Kind::Change, steps, verdict: verdict.clone(), pins: None, notes: Vec::new() };
        Outcome { verdict, plan, actions, observed: Observed::default(), stopped: None }
    }

    /// Whether each of these, one resync after the other, is a fight.
    fn check(actions: &[Option<Action>], expected: &[bool]) {
        let mut fights = Fights::default();
        let mut now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let mut seen = Vec::new();
        for action in actions {
            now = now.checked_add(SignedDuration::from_secs(600)).unwrap();
            seen.push(fights.seen(&name(), &outcome(action.clone()), RESYNC, now).is_some());
        }
        assert_eq!(seen, expected);
    }

    fn enabled() -> Option<Action> {
        Some(Action::EnableRule { rule: rule() })
    }

    fn disabled() -> Option<Action> {
        Some(Action::DisableRule { rule: rule() })
    }

    #[test]
    fn three_equal_repairs_in_a_row_are_a_fight() {
        check(&[enabled(), enabled(), enabled()], &[false, false, true]);
    }

    #[test]
    fn another_repair_in_between_begins_the_count_anew() {
        check(&[enabled(), enabled(), disabled(), enabled(), enabled()], &[false; 5]);
    }

    #[test]
    fn two_repairs_by_turns_three_times_over_are_a_fight() {
        let by_turns: Vec<_> = (0..6).map(|turn| if turn % 2 == 0 { enabled() } else { disabled() }).collect();
        check(&by_turns, &[false, false, false, false, false, true]);
    }

    #[test]
    fn five_equal_repairs_among_nine_are_a_fight() {
        let history = [enabled(), disabled(), disabled(), enabled(), enabled(), disabled(), enabled(), enabled()];
        check(&history, &[false, false, false, false, false, false, false, true]);
    }

    #[test]
    fn a_step_that_five_of_nine_repairs_share_is_a_fight() {
        let mut repairs = Repairs::none(Timestamp::UNIX_EPOCH);
        let mut add = |steps: &str| {
            repairs.add(&steps.split(' ').map(str::to_owned).collect::<Vec<_>>(), Timestamp::UNIX_EPOCH);
            repairs.times >= FIGHT
        };
        let seen = ["a b", "c", "a b c", "a", "b c", "a c", "c"].map(&mut add);
        assert_eq!(
            seen,
            [false, false, false, false, false, false, true],
            "c is in five of them, and no two are equal in a row"
        );
    }

    #[test]
    fn a_fight_lasts_until_nothing_was_to_be_repaired_for_three_resyncs() {
        let quiet = None;
        let history = [enabled(), enabled(), enabled(), quiet.clone(), quiet.clone(), quiet.clone(), quiet];
        check(&history, &[false, false, true, true, true, true, false]);
    }

    #[test]
    fn another_repair_ends_no_fight() {
        check(&[enabled(), enabled(), enabled(), disabled(), None], &[false, false, true, true, true]);
    }

    #[test]
    fn a_new_spec_ends_a_fight() {
        let mut fights = Fights::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..3 {
            drop(fights.seen(&name(), &outcome(enabled()), RESYNC, now));
        }
        fights.forget(&name());
        assert!(fights.seen(&name(), &outcome(enabled()), RESYNC, now).is_none());
    }
}
