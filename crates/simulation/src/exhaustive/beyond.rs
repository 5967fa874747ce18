//! Scenarios of what happens more seldom: marks that go, moves of what is not a plain rule, what is held and released, clusters that
//! come back, and two controllers of one identity.

use std::collections::BTreeMap;

use super::{
    Change, Cluster, Crew, Deed, Defaults, End, Job, MINUTE, Scenario, What, after, book, edit, hand, job, legacy, put,
    told, zoned,
};
use crate::hand::Seldom;
use crate::sketch::Book;

/// The job beside the one that a scenario is about.
fn beside() -> (&'static str, Job) {
    ("stock", Job { schedules: vec!["35 * * * *".to_owned()], ..job() })
}

fn with(sales: Job) -> Book {
    book(&[("sales", sales), beside()])
}

/// The commit that renames the job.
fn renamed(job: Job) -> What {
    let heir = Job { moved_from: Some("sales".to_owned()), ..job };
    edit(vec![Change::Remove("sales".to_owned()), put("turnover", heir)])
}

fn moved(job: Job) -> What {
    edit(vec![put("sales", Job { cluster: "far".to_owned(), ..job })])
}

fn removed(names: &[&str]) -> What {
    edit(names.iter().map(|name| Change::Remove((*name).to_owned())).collect())
}

fn image(version: u32) -> Change {
    put("sales", Job { version, ..job() })
}

/// The cluster in another Region, draining or not.
fn far(drain: bool) -> What {
    let cluster = Cluster {
        region: "us-east-1".to_owned(),
        role: None,
        drain,
        shared: 1,
        scheduler: false,
        defaults: Defaults::default(),
    };
    edit(vec![Change::PutCluster("far".to_owned(), cluster)])
}

/// Every one of them.
pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = tags();
    all.extend(moves());
    all.extend(held());
    all.extend(twins());
    all
}

fn tags() -> Vec<Scenario> {
    let image = || edit(vec![image(2)]);
    let retarget = |name, deed| Scenario::new(name, with(zoned(1)), vec![hand(deed)]);
    let labelled =
        |key: &str, version| Job { labels: BTreeMap::from([(key.to_owned(), "a".to_owned())]), version, ..job() };
    // Whoever is killed at the first edit is back after the second, in an hour in which it is not this job's turn to have its tags read.
    let put_back = |name, version| {
        let edits = [labelled("owner", version), labelled("team", 1)].map(|job| edit(vec![put("sales", job)]));
        Scenario { down: 65 * MINUTE, ..Scenario::new(name, with(labelled("team", 1)), edits.to_vec()) }
    };
    vec![
        Scenario::new("unmarked", with(job()), vec![hand(Deed::Unmark), image()]),
        Scenario::new("paused-and-resumed", with(job()), vec![hand(Deed::Pause), image(), hand(Deed::Resume)]),
        put_back("labels-put-back", 1),
        put_back("image-and-labels-put-back", 2),
        Scenario::new("drift-retry", with(job()), vec![hand(Deed::Seldom(Seldom::Retry))]),
        Scenario::new(
            "drift-pattern",
            with(Job { schedules: Vec::new(), ..told() }),
            vec![hand(Deed::Seldom(Seldom::Repattern))],
        ),
        retarget("scheduler-group-deleted", Deed::Seldom(Seldom::DeleteGroup)),
        retarget("scheduler-group-unmarked", Deed::Seldom(Seldom::UntagGroup)),
    ]
}

fn moves() -> Vec<Scenario> {
    let adopting = |adopted: &str| Job { adopt: Some(adopted.to_owned()), ..job() };
    let waits = Job { schedules: Vec::new(), ..after(End::Success) };
    let follows = |upstream: &str| {
        let mut follower = waits.clone();
        follower.triggers.after = vec![(upstream.to_owned(), End::Success)];
        follower
    };
    let heir = Job { moved_from: Some("sales".to_owned()), ..job() };
    let unscheduled = || Job { schedules: Vec::new(), ..told() };
    vec![
        Scenario::new("scheduler-rename", with(zoned(1)), vec![renamed(zoned(1))]),
        Scenario::new("scheduler-another-region", with(zoned(1)), vec![moved(zoned(1))]),
        Scenario::new("rename-with-triggers", with(told()), vec![renamed(told())]),
        Scenario::new("triggers-another-region", with(unscheduled()), vec![moved(unscheduled())]),
        Scenario::new(
            "rename-of-what-others-wait-for",
            book(&[("sales", job()), ("stock", follows("sales"))]),
            vec![edit(vec![
                Change::Remove("sales".to_owned()),
                put("turnover", heir),
                put("stock", follows("turnover")),
            ])],
        ),
        Scenario::new("adopted-rename", with(adopting("Legacy_sales")), vec![renamed(adopting("Legacy_sales"))]),
        Scenario::new("rename-and-adopt", with(job()), vec![legacy(), renamed(adopting("Legacy_sales-2"))]),
        Scenario::new(
            "suspended-move",
            with(Job { suspend: true, ..job() }),
            vec![moved(Job { suspend: true, ..job() })],
        ),
    ]
}

/// What a person has to release, and what a cluster or the controller says otherwise later.
fn held() -> Vec<Scenario> {
    let mut cautious = with(job());
    cautious.controller.max_changes = Some(1);
    let both = edit(vec![image(2), put("stock", Job { version: 2, ..beside().1 })]);
    let three =
        book(&[("sales", job()), ("rates", Job { schedules: vec!["15 * * * *".to_owned()], ..job() }), beside()]);
    let approve = What::Approve { directory: 0 };
    let mut other = with(job()).controller;
    (other.grace, other.keep_revisions, other.max_deletions) = (300, 1, 1);
    vec![
        Scenario::new("changes-held", cautious, vec![both, approve.clone()]),
        Scenario::new("deletions-held", three, vec![removed(&["sales", "rates"]), approve]),
        Scenario::new(
            "drained-and-back",
            with(Job { cluster: "far".to_owned(), ..job() }),
            vec![far(true), far(false)],
        ),
        Scenario::new(
            "another-controller",
            with(job()),
            vec![edit(vec![Change::PutController(Box::new(other)), image(2)]), removed(&["sales"])],
        ),
    ]
}

fn twins() -> Vec<Scenario> {
    let twins = |name, what| Scenario { crew: Crew::Twins, ..Scenario::new(name, with(job()), what) };
    vec![
        twins("twins-image", vec![edit(vec![image(2)])]),
        twins("twins-rename", vec![renamed(job())]),
        twins("twins-removal", vec![removed(&["sales"])]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fault, history};

    #[test]
    fn a_scenario_comes_to_what_its_name_says() {
        let check = |name: &str, expected: &[&str]| {
            let all = scenarios();
            let scenario = all.iter().find(|scenario| scenario.name == name).unwrap();
            let report = history::run(&scenario.story(fault::Plan::none(), None), None, true).unwrap();
            let mut lines = report.lines.iter();
            for word in expected {
                assert!(
                    lines.any(|(_, line)| line.contains(word)),
                    "{name} shows no {word} after what comes before it"
                );
            }
        };
        check("unmarked", &["Unmark", "NotOwned"]);
        check("paused-and-resumed", &["Pause", "ReconcileDisabled", "Resume", "events:PutTargets"]);
        check("scheduler-group-deleted", &["DeleteGroup", "scheduler:CreateScheduleGroup", "scheduler:CreateSchedule"]);
        check("scheduler-group-unmarked", &["UntagGroup", "NotOwned"]);
        check("changes-held", &["events:PutTargets", "ChangesHeld", "Approve", "events:PutTargets"]);
        check("deletions-held", &["DeletionHeld", "Approve", "events:DeleteRule", "events:DeleteRule"]);
        check("drained-and-back", &["drain: true", "events:DeleteRule", "drain: false", "events:PutRule"]);
    }
}
