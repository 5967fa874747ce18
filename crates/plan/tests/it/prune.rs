//! Which jobs may go: complete knowledge, grace, caps, approval.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::changes::{self, Changes};
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::prune::{Incomplete, OwnedJob, PruneDecision, PruneInput, Retired, decide};
use ecs_etl_spec::job::{DeletionPolicy, Prune};
use ecs_etl_spec::name::{Digest, JobName};
use jiff::{SignedDuration, Timestamp};

use crate::world::{at, reason};

/// A directory and what AWS holds, with the clock at noon.
#[derive(Debug, Clone)]
struct Case {
    now: Timestamp,
    incomplete: Vec<Incomplete>,
    written: BTreeSet<JobName>,
    unmade: BTreeSet<JobName>,
    moved_from: BTreeSet<JobName>,
    draining: BTreeSet<JobName>,
    owned: Vec<OwnedJob>,
    retired: Vec<Retired>,
    gone_since: BTreeMap<JobName, Timestamp>,
    skip_grace: bool,
    selecting: bool,
    policy: Prune,
    approved: BTreeSet<Digest>,
}

fn name(job: &str) -> JobName {
    JobName::new(job).unwrap()
}

fn names(jobs: &[&str]) -> BTreeSet<JobName> {
    jobs.iter().map(|job| name(job)).collect()
}

fn owned(job: &str) -> OwnedJob {
    OwnedJob { job: name(job), source: Some("git".to_owned()), policy: Some(DeletionPolicy::Delete) }
}

/// AWS holds `live` jobs `job-1`, `job-2`, …; all but the first `gone` are written.
fn case(live: usize, gone: usize) -> Case {
    let all: Vec<String> = (1..=live).map(|n| format!("job-{n}")).collect();
    Case {
        now: at("2026-11-23T12:00:00Z"),
        incomplete: Vec::new(),
        written: all.iter().skip(gone).map(|job| name(job)).chain([name("written")]).collect(),
        unmade: BTreeSet::new(),
        moved_from: BTreeSet::new(),
        draining: BTreeSet::new(),
        owned: all.iter().map(|job| owned(job)).collect(),
        retired: Vec::new(),
        gone_since: BTreeMap::new(),
        skip_grace: true,
        selecting: false,
        policy: Prune { grace_seconds: 300, max_deletions: 10 },
        approved: BTreeSet::new(),
    }
}

impl Case {
    fn decide(&self) -> PruneDecision {
        let input = PruneInput {
            incomplete: &self.incomplete,
            written: &self.written,
            unmade: &self.unmade,
            moved_from: &self.moved_from,
            draining: &self.draining,
            owned: &self.owned,
            retired: &self.retired,
            gone_since: &self.gone_since,
            skip_grace: self.skip_grace,
            selecting: self.selecting,
            source: "git",
            policy: self.policy,
            approved: &self.approved,
        };
        decide(&input, self.now)
    }

    /// How many go now, and the reasons for which the others stay.
    fn check(&self, removed: usize, stay: &[Reason]) {
        let decision = self.decide();
        assert_eq!(decision.remove.len(), removed, "{decision:#?}");
        let others = decision.verdicts.iter().filter(|(job, _)| !decision.remove.contains(job));
        let reasons: Vec<Reason> = others.map(|(_, verdict)| reason(verdict)).collect();
        assert_eq!(reasons, stay, "{decision:#?}");
    }
}

#[test]
fn a_written_job_is_never_a_candidate() {
    case(8, 0).check(0, &[]);
}

#[test]
fn a_job_whose_manifest_is_gone_goes_after_the_grace_period() {
    let mut case = Case { skip_grace: false, ..case(8, 1) };
    case.check(0, &[Reason::PendingDeletion]);
    let first = case.decide();
    assert_eq!(first.next_due, Some(at("2026-11-23T12:05:00Z")));
    case.gone_since = first.gone_since;
    case.now = at("2026-11-23T12:04:59Z");
    case.check(0, &[Reason::PendingDeletion]);
    case.now = at("2026-11-23T12:05:00Z");
    case.check(1, &[]);
}

#[test]
fn a_restart_begins_the_grace_period_anew_and_so_does_a_job_that_came_back() {
    let mut case = Case { skip_grace: false, ..case(8, 1) };
    let first = case.decide();
    case.now = at("2026-11-23T12:10:00Z");
    case.check(0, &[Reason::PendingDeletion]);

    let back = Case { written: names(&["job-1", "job-2"]), gone_since: first.gone_since, ..case.clone() };
    assert!(!back.decide().gone_since.contains_key(&name("job-1")));
}

#[test]
fn incomplete_knowledge_deletes_nothing_and_names_the_oldest_file() {
    let mut case = case(8, 2);
    let incomplete = |file: &str, minute: i64| Incomplete {
        why: "it does not parse".to_owned(),
        file: Some(file.to_owned()),
        since: case.now - SignedDuration::from_mins(minute),
    };
    case.incomplete = vec![incomplete("new.yaml", 1), incomplete("old.yaml", 7)];
    case.check(0, &[Reason::PruningBlocked, Reason::PruningBlocked]);
    let decision = case.decide();
    let message = format!("{:?}", decision.verdicts[&name("job-1")]);
    assert!(message.contains("old.yaml") && message.contains("420 s"), "{message}");
    assert!(decision.gone_since.is_empty(), "a job that may only be unreadable is not gone");
}

#[test]
fn a_directory_without_any_job_deletes_nothing() {
    let empty = Case { written: BTreeSet::new(), ..case(1, 1) };
    empty.check(0, &[Reason::PruningBlocked]);
}

#[test]
fn a_drained_cluster_lets_its_jobs_go_without_grace_but_within_the_caps() {
    let mut case = Case { skip_grace: false, ..case(8, 0) };
    case.draining = names(&["job-1", "job-2"]);
    case.check(2, &[]);
    case.draining = names(&["job-1", "job-2", "job-3"]);
    case.check(0, &[Reason::DeletionHeld; 3]);
}

#[test]
fn a_selection_deletes_neither_what_it_selects_nor_what_it_does_not() {
    Case { selecting: true, ..case(8, 1) }.check(0, &[Reason::PendingDeletion]);
}

#[test]
fn a_renamed_job_is_no_deletion() {
    Case { moved_from: names(&["job-1"]), ..case(8, 1) }.check(0, &[]);
}

#[test]
fn what_belongs_to_another_source_or_is_retained_stays() {
    let mut case = case(8, 2);
    case.owned[0].source = Some("elsewhere".to_owned());
    case.owned[1].policy = Some(DeletionPolicy::Retain);
    case.check(0, &[Reason::OtherSource, Reason::Retained]);
    case.owned[0].source = None;
    case.check(0, &[Reason::OtherSource, Reason::Retained]);
}

#[test]
fn a_quarter_of_the_jobs_rounded_up_may_go() {
    for (live, allowed) in [(1, 1), (4, 1), (5, 2), (8, 2), (40, 10), (400, 10)] {
        case(live, allowed).check(allowed, &[]);
        let held = vec![Reason::DeletionHeld; allowed + 1];
        if allowed < live {
            case(live, allowed + 1).check(0, &held);
        }
    }
    Case { policy: Prune { grace_seconds: 0, max_deletions: 0 }, ..case(8, 1) }.check(0, &[Reason::DeletionHeld]);
}

#[test]
fn a_set_that_may_go_still_may_when_part_of_it_went() {
    for live in 1..60 {
        let mut case = case(live, live.div_ceil(4).min(10));
        while let Some(next) = case.decide().remove.first().cloned() {
            case.owned.retain(|owned| owned.job != next);
            case.retired.push(Retired { job: next, at: case.now });
        }
        assert_eq!(case.retired.len(), live.div_ceil(4).min(10), "of {live}");
    }
}

#[test]
fn what_went_within_the_hour_counts_wherever_it_was() {
    let mut case = case(7, 2);
    let retired = |job: &str, minutes: i64| Retired {
        job: name(job),
        at: at("2026-11-23T12:00:00Z") - SignedDuration::from_mins(minutes),
    };
    case.retired = vec![retired("old-1", 61), retired("old-2", 90)];
    case.check(2, &[]);
    case.retired.push(retired("old-3", 59));
    case.check(0, &[Reason::DeletionHeld; 2]);
    case.moved_from = names(&["old-3"]);
    case.check(2, &[]);
}

#[test]
fn what_went_is_back_once_its_manifest_can_be_used() {
    let mut case = case(7, 2);
    case.retired = vec![Retired { job: name("old"), at: case.now }];
    case.check(0, &[Reason::DeletionHeld; 2]);
    case.written.insert(name("old"));
    case.unmade = names(&["old"]);
    case.check(0, &[Reason::DeletionHeld; 2]);
    case.unmade.clear();
    case.check(2, &[]);
}

#[test]
fn a_job_in_its_grace_period_counts_as_pending() {
    let mut case = Case { skip_grace: false, ..case(8, 3) };
    case.gone_since = BTreeMap::from([(name("job-1"), at("2026-11-23T11:00:00Z"))]);
    case.check(0, &[Reason::DeletionHeld; 3]);
}

#[test]
fn a_held_set_goes_when_its_digest_is_approved_and_stays_approved_while_it_goes() {
    let mut case = case(8, 4);
    case.check(0, &[Reason::DeletionHeld; 4]);
    let held = case.decide().held.unwrap();
    assert_eq!(held.jobs, names(&["job-1", "job-2", "job-3", "job-4"]));
    case.approved.insert(held.digest);
    case.check(4, &[]);

    case.owned.remove(0);
    case.retired = vec![Retired { job: name("job-1"), at: case.now }];
    case.check(3, &[]);

    let more = Case { written: names(&["job-6"]), ..case };
    let stays = more.decide();
    assert!(stays.remove.is_empty() && stays.held.is_some(), "another set is another digest");
}

#[test]
fn an_approved_set_still_waits_for_its_grace_period() {
    let mut case = Case { skip_grace: false, ..case(8, 4) };
    case.approved.insert(case.decide().held.unwrap().digest);
    case.check(0, &[Reason::PendingDeletion; 4]);
}

fn specs(jobs: &[&str]) -> Changes {
    jobs.iter().map(|job| (name(job), Digest::of(job.as_bytes()))).collect()
}

#[test]
fn changes_beyond_max_changes_are_held_as_a_set_until_approved() {
    let (none, three) = (Changes::new(), specs(&["a", "b", "c"]));
    let approve = BTreeSet::new();
    assert_eq!(changes::hold(&three, &none, None, &approve), None);
    assert_eq!(changes::hold(&three, &none, Some(3), &approve), None);
    let held = changes::hold(&three, &none, Some(2), &approve).unwrap();
    assert_eq!(held.jobs, names(&["a", "b", "c"]));

    let approve = BTreeSet::from([held.digest]);
    assert_eq!(changes::hold(&three, &none, Some(2), &approve), None);
    assert_eq!(changes::hold(&specs(&["b", "c"]), &specs(&["a"]), Some(2), &approve), None);
    let mut other = three;
    other.insert(name("c"), Digest::of(b"another spec"));
    assert!(changes::hold(&other, &none, Some(2), &approve).is_some());
}

#[test]
fn changes_of_one_pass_add_up() {
    let held = changes::hold(&specs(&["b"]), &specs(&["a"]), Some(1), &BTreeSet::new());
    assert!(held.is_some_and(|held| held.why.contains("after 1 that did")));
}
