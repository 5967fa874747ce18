use ecs_etl_spec::job::Origin;
use ecs_etl_spec::name::{Digest, JobName};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::{
    ApiVersion, ConditionType, ControllerKind, ControllerMetadata, ControllerState, ControllerStatus, Counts,
    JobStatus, Live, Manifests, ScheduleStatus, StatusInput, next_status,
};
use crate::condition::{Reason, Status, Verdict};
use crate::failure::NextTry;
use crate::observed::RevisionArn;

const ARN: &str = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/etl-daily-sales:3";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn noon() -> Timestamp {
    at("2026-11-23T12:00:00.123Z")
}

fn job() -> JobName {
    JobName::new("daily-sales").expect("a name")
}

fn live() -> Option<Live> {
    let schedule = ScheduleStatus {
        time_zone: None,
        start_date: None,
        end_date: None,
        name: "etl-daily-sales".to_owned(),
        expression: "cron(0 2 * * ? *)".to_owned(),
        state: "ENABLED".to_owned(),
    };
    Some(Live { task_definition: RevisionArn::parse(ARN), schedules: vec![schedule], events: Vec::new() })
}

fn ready() -> Verdict {
    Verdict::Ready(Reason::Converged, "as the manifest says".to_owned())
}

fn waiting(reason: Reason) -> Verdict {
    Verdict::Waiting(reason, "not yet".to_owned(), None)
}

fn stalled(reason: Reason) -> Verdict {
    Verdict::Stalled(reason, "a person is needed".to_owned())
}

/// What follows from `previous` when nothing but the verdict and what was seen is known.
fn judged(previous: Option<&JobStatus>, verdict: &Verdict, live: Option<Live>, now: Timestamp) -> JobStatus {
    let job = job();
    let input = StatusInput {
        job: &job,
        origin: None,
        observed_spec: None,
        verdict,
        live,
        actions: &[],
        retry: None,
        notes: &[],
    };
    next_status(previous, &input, now)
}

#[test]
fn a_job_file_reads_as_the_contract_shows_it() {
    let (job, digest, verdict) = (job(), Digest::of(b"spec"), ready());
    let origin = Origin { file: "sales.yaml".to_owned(), line: 1 };
    let input = StatusInput {
        job: &job,
        origin: Some(&origin),
        observed_spec: Some(&digest),
        verdict: &verdict,
        live: live(),
        actions: &["RegisterTaskDefinition", "PutTargets"],
        retry: None,
        notes: &[],
    };
    let status = next_status(None, &input, noon());
    let written = serde_json::to_value(&status).expect("JSON");
    let expected = json!({
        "apiVersion": "ecs-etl/v1",
        "kind": "EtlJobStatus",
        "metadata": {"name": "daily-sales", "source": "sales.yaml:1"},
        "status": {
            "observedSpec": digest.as_str(),
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Converged", "message": "as the manifest says",
                "lastTransitionTime": "2026-11-23T12:00:00Z",
            }],
            "taskDefinition": {"arn": ARN},
            "schedules": [{"name": "etl-daily-sales", "expression": "cron(0 2 * * ? *)", "state": "ENABLED"}],
            "lastChange": {"time": "2026-11-23T12:00:00Z", "actions": ["RegisterTaskDefinition", "PutTargets"]},
            "retry": null,
        },
    });
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<JobStatus>(written).expect("it reads back"), status);
}

#[test]
fn reconciling_and_stalled_are_there_only_while_true() {
    use ConditionType::{Ready, Reconciling, Stalled};
    let cases = [
        (ready(), live(), vec![(Ready, Status::True)]),
        (waiting(Reason::Progressing), live(), vec![(Ready, Status::False), (Reconciling, Status::True)]),
        (stalled(Reason::NotOwned), live(), vec![(Ready, Status::False), (Stalled, Status::True)]),
        (Verdict::Paused(Reason::ReconcileDisabled, String::new()), live(), vec![(Ready, Status::Unknown)]),
        // What could not be read is not known; what is known to be wrong is wrong, read or not.
        (waiting(Reason::AwsUnavailable), None, vec![(Ready, Status::Unknown), (Reconciling, Status::True)]),
        (waiting(Reason::AwsUnavailable), live(), vec![(Ready, Status::False), (Reconciling, Status::True)]),
        (waiting(Reason::PendingDeletion), None, vec![(Ready, Status::False), (Reconciling, Status::True)]),
        (stalled(Reason::InvalidSpec), None, vec![(Ready, Status::False), (Stalled, Status::True)]),
    ];
    for (verdict, live, expected) in cases {
        let status = judged(None, &verdict, live, noon());
        let seen: Vec<_> = status.status.conditions.iter().map(|c| (c.kind, c.status)).collect();
        assert_eq!(seen, expected, "{verdict:?}");
    }
}

#[test]
fn nothing_is_ready_that_was_not_seen() {
    assert!(!judged(None, &ready(), None, noon()).is_ready());
}

#[test]
fn the_transition_time_moves_with_the_status_and_not_with_the_reason() {
    let later = noon() + SignedDuration::from_secs(60);
    let time = |status: &JobStatus| status.condition(ConditionType::Ready).expect("Ready").last_transition_time;
    let first = judged(None, &waiting(Reason::Progressing), live(), noon());
    let same = judged(Some(&first), &stalled(Reason::NotOwned), live(), later);
    assert_eq!(time(&same), time(&first), "still false");
    let other = judged(Some(&same), &ready(), live(), later);
    assert_eq!(time(&other), at("2026-11-23T12:01:00Z"));
}

#[test]
fn a_condition_that_came_back_has_a_new_transition_time() {
    let minute = SignedDuration::from_secs(60);
    let stalled_at = |status: &JobStatus| status.condition(ConditionType::Stalled).map(|c| c.last_transition_time);
    let first = judged(None, &stalled(Reason::NotOwned), live(), noon());
    let well = judged(Some(&first), &ready(), live(), noon() + minute);
    assert_eq!(stalled_at(&well), None);
    let again = judged(Some(&well), &stalled(Reason::NotOwned), live(), noon() + minute * 2);
    assert_eq!(stalled_at(&again), Some(at("2026-11-23T12:02:00Z")));
}

#[test]
fn what_a_reconcile_cannot_say_stays_as_it_was() {
    let (job, digest, verdict) = (job(), Digest::of(b"spec"), ready());
    let origin = Origin { file: "sales.yaml".to_owned(), line: 1 };
    let input = StatusInput {
        job: &job,
        origin: Some(&origin),
        observed_spec: Some(&digest),
        verdict: &verdict,
        live: live(),
        actions: &["PutTargets"],
        retry: None,
        notes: &[],
    };
    let seen = next_status(None, &input, noon());
    let unseen = judged(Some(&seen), &waiting(Reason::AwsUnavailable), None, noon());
    assert_eq!(unseen.metadata, seen.metadata);
    assert_eq!(unseen.status.observed_spec, seen.status.observed_spec);
    assert_eq!(unseen.status.task_definition, seen.status.task_definition);
    assert_eq!(unseen.status.schedules, seen.status.schedules);
    assert_eq!(unseen.status.last_change, seen.status.last_change);
}

#[test]
fn a_failure_says_when_it_is_tried_again_until_it_is_over() {
    let (job, verdict) = (job(), waiting(Reason::Throttled));
    let next = NextTry { at: at("2026-11-23T12:00:07.9Z"), attempts: 2 };
    let input = StatusInput {
        job: &job,
        origin: None,
        observed_spec: None,
        verdict: &verdict,
        live: None,
        actions: &[],
        retry: Some((&next, "Rate exceeded")),
        notes: &[],
    };
    let failed = next_status(None, &input, noon());
    let written = serde_json::to_value(&failed.status.retry).expect("JSON");
    let expected = json!({"nextAt": "2026-11-23T12:00:07Z", "attempts": 2, "message": "Rate exceeded"});
    assert_eq!(written, expected);
    assert_eq!(judged(Some(&failed), &ready(), live(), noon()).status.retry, None);
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let reason = prop_oneof![
        Just(Reason::Converged),
        Just(Reason::Progressing),
        Just(Reason::AwsUnavailable),
        Just(Reason::PendingDeletion),
        Just(Reason::NotOwned),
    ];
    (0..4_u8, reason, "[a-z]{0,3}").prop_map(|(kind, reason, message)| match kind {
        0 => Verdict::Ready(reason, message),
        1 => Verdict::Waiting(reason, message, None),
        2 => Verdict::Stalled(reason, message),
        _ => Verdict::Paused(reason, message),
    })
}

fn history() -> impl Strategy<Value = Vec<(Verdict, bool, i64)>> {
    proptest::collection::vec((verdict(), any::<bool>(), 1..1000_i64), 1..20)
}

proptest! {
    /// Silence: seeing the same again writes nothing, however late.
    #[test]
    fn equal_input_gives_an_equal_status(history in history(), later in 0..1_000_000_i64) {
        let mut now = noon();
        let mut status: Option<JobStatus> = None;
        for (verdict, seen, wait) in history {
            now += SignedDuration::from_secs(wait);
            let next = judged(status.as_ref(), &verdict, live().filter(|_| seen), now);
            let again = judged(Some(&next), &verdict, live().filter(|_| seen), now + SignedDuration::from_secs(later));
            prop_assert_eq!(&again, &next);
            status = Some(next);
        }
    }

    #[test]
    fn every_status_is_well_formed_and_reads_back(history in history()) {
        let mut now = noon();
        let mut previous: Option<JobStatus> = None;
        for (verdict, seen, wait) in history {
            now += SignedDuration::from_secs(wait);
            let status = judged(previous.as_ref(), &verdict, live().filter(|_| seen), now);
            let kinds: Vec<_> = status.status.conditions.iter().map(|c| c.kind).collect();
            prop_assert_eq!(kinds[0], ConditionType::Ready);
            prop_assert!(kinds.is_sorted() && kinds.len() <= 2);
            for condition in &status.status.conditions {
                prop_assert!(condition.kind == ConditionType::Ready || condition.status == Status::True);
                prop_assert!(condition.last_transition_time <= now);
                if let Some(before) = previous.as_ref().and_then(|previous| previous.condition(condition.kind)) {
                    let moved = before.last_transition_time != condition.last_transition_time;
                    prop_assert!(!moved || before.status != condition.status);
                }
            }
            let text = serde_json::to_string(&status).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<JobStatus>(&text).expect("it reads back"), &status);
            previous = Some(status);
        }
    }
}

#[test]
fn each_job_counts_once() {
    let jobs = [
        judged(None, &ready(), live(), noon()),
        judged(None, &waiting(Reason::Progressing), live(), noon()),
        judged(None, &stalled(Reason::NotOwned), live(), noon()),
        judged(None, &Verdict::Paused(Reason::ReconcileDisabled, String::new()), live(), noon()),
    ];
    assert_eq!(Counts::of(&jobs), Counts { jobs: 4, ready: 1, reconciling: 1, stalled: 1, unknown: 1 });
}

fn controller(finished: Option<Timestamp>) -> ControllerStatus {
    ControllerStatus {
        api_version: ApiVersion::V1,
        kind: ControllerKind::EtlControllerStatus,
        metadata: ControllerMetadata { name: "default".to_owned() },
        status: ControllerState {
            version: "0.1.0".to_owned(),
            pid: 7,
            started: noon(),
            heartbeat: noon(),
            finished,
            endpoint: "embedded".to_owned(),
            shard: None,
            lease: None,
            accounts: ["123456789012".to_owned()].into(),
            manifests: Manifests {
                directory: "manifests".to_owned(),
                revision: None,
                complete: true,
                problems: Vec::new(),
            },
            counts: Counts::default(),
            jobs: [("daily-sales".to_owned(), noon())].into(),
            problems: Vec::new(),
            held: Vec::new(),
            pruning_blocked: None,
            last_resync: None,
        },
    }
}

#[test]
fn the_controllers_file_reads_back() {
    let status = controller(None);
    let text = serde_json::to_string(&status).expect("JSON");
    assert!(text.contains(r#""kind":"EtlControllerStatus""#) && text.contains(r#""pruningBlocked":null"#), "{text}");
    assert_eq!(serde_json::from_str::<ControllerStatus>(&text).expect("it reads back"), status);
}

#[test]
fn only_a_running_controller_goes_stale_and_only_after_a_minute() {
    let after = |seconds| noon() + SignedDuration::from_secs(seconds);
    assert!(!controller(None).is_stale(after(60)));
    assert!(controller(None).is_stale(after(61)));
    assert!(!controller(Some(noon())).is_stale(after(1_000_000)));
}

#[test]
fn nothing_is_known_of_a_job_once_the_heartbeat_is_stale() {
    let job = judged(None, &ready(), live(), noon());
    let stale = job.gone_stale(noon());
    assert!(!stale.is_ready());
    let condition = stale.condition(ConditionType::Ready).expect("Ready");
    assert_eq!((condition.status, condition.reason), (Status::Unknown, Reason::HeartbeatStale));
    assert_eq!(stale.status.task_definition, job.status.task_definition);
}
