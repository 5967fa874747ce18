//! What other people's hands do to a job's resources, as data.

use ecs_etl_plan::observed::RuleState;
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;
use proptest::prelude::*;

use crate::world::{Region, Rule};

/// One deed, on the n-th resource of its kind (modulo how many there are).
#[derive(Debug, Clone, PartialEq)]
pub enum Drift {
    Disable(usize),
    Enable(usize),
    OtherState(usize),
    Reschedule(usize, &'static str),
    /// Another event pattern, or one beside the schedule.
    Repattern(usize, &'static str),
    Describe(usize),
    /// Another time zone; only a schedule of EventBridge Scheduler has one.
    Rezone(usize),
    DeleteRule(usize),
    DeleteTarget(usize),
    EditTarget(usize),
    /// A second target that starts the job, under this Id.
    Stray(usize, &'static str),
    /// Our target under another Id.
    RenameTarget(usize),
    /// A target of somebody else's.
    Stranger(usize),
    Deregister(usize),
    StripRevision(usize),
    TagRule(usize, &'static str, &'static str),
    UntagRule(usize, &'static str),
    TagRevision(usize, &'static str, &'static str),
    /// A revision registered by somebody else in the family of the n-th revision.
    ForeignRevision(usize),
}

pub fn drift() -> impl Strategy<Value = Drift> {
    let n = 0..4usize;
    prop_oneof![
        n.clone().prop_map(Drift::Disable),
        n.clone().prop_map(Drift::Enable),
        n.clone().prop_map(Drift::OtherState),
        (n.clone(), prop::sample::select(vec!["rate(1 minute)", "cron(0 2 * * ? *)", "nonsense"]))
            .prop_map(|(n, expression)| Drift::Reschedule(n, expression)),
        (n.clone(), prop::sample::select(vec![r#"{"source":["aws.s3"]}"#, "nonsense"]))
            .prop_map(|(n, pattern)| Drift::Repattern(n, pattern)),
        n.clone().prop_map(Drift::Describe),
        n.clone().prop_map(Drift::Rezone),
        n.clone().prop_map(Drift::DeleteRule),
        n.clone().prop_map(Drift::DeleteTarget),
        n.clone().prop_map(Drift::EditTarget),
        (n.clone(), prop::sample::select(vec!["ecs-etl-2", "mine"])).prop_map(|(n, id)| Drift::Stray(n, id)),
        n.clone().prop_map(Drift::RenameTarget),
        n.clone().prop_map(Drift::Stranger),
        n.clone().prop_map(Drift::Deregister),
        n.clone().prop_map(Drift::StripRevision),
        (n.clone(), prop::sample::select(vec![tags::SOURCE, tags::POLICY, "team", "theirs"]))
            .prop_map(|(n, key)| Drift::TagRule(n, key, "changed")),
        (n.clone(), prop::sample::select(vec![tags::SOURCE, tags::POLICY, tags::LABELS, "team"]))
            .prop_map(|(n, key)| Drift::UntagRule(n, key)),
        (n.clone(), prop::sample::select(vec![tags::SOURCE, tags::SPEC, tags::RETIRED_AT]))
            .prop_map(|(n, key)| Drift::TagRevision(n, key, "changed")),
        n.prop_map(Drift::ForeignRevision),
    ]
}

impl Drift {
    /// Does the deed; nothing if there is nothing to do it to.
    pub fn apply(&self, place: &Place, aws: &mut Region) {
        let families: Vec<String> = aws.revisions.keys().map(|arn| arn.family().to_owned()).collect();
        let revision = |n: usize| n % families.len().max(1);
        match *self {
            Self::Disable(n) => with_rule(aws, n, |rule| rule.live.state = RuleState::Disabled),
            Self::Enable(n) => with_rule(aws, n, |rule| rule.live.state = RuleState::Enabled),
            Self::OtherState(n) => with_rule(aws, n, |rule| rule.live.state = RuleState::Other("NEW".to_owned())),
            Self::Reschedule(n, text) => with_rule(aws, n, |rule| rule.live.expression = Some(text.to_owned())),
            Self::Rezone(n) => with_rule(aws, n, |rule| {
                if let Some(timing) = &mut rule.live.timing {
                    timing.zone = "America/New_York".to_owned();
                }
            }),
            Self::Repattern(n, text) => with_bus_rule(aws, n, |rule| rule.live.event_pattern = Some(text.to_owned())),
            Self::Describe(n) => with_rule(aws, n, |rule| rule.live.description = None),
            Self::DeleteRule(n) => {
                if let Some(name) = aws.rules.keys().nth(n).cloned() {
                    aws.rules.remove(&name);
                }
            }
            Self::DeleteTarget(n) => with_bus_rule(aws, n, |rule| drop(rule.targets.remove("ecs-etl"))),
            Self::EditTarget(n) => with_target(aws, n, |rule, mut target| {
                target.role_arn = Some("arn:aws:iam::1:role/other".to_owned());
                rule.targets.insert("ecs-etl".to_owned(), target);
            }),
            Self::Stray(n, id) => with_target(aws, n, |rule, mut target| {
                if rule.live.timing.is_some() {
                    return;
                }
                target.id = Some(id.to_owned());
                rule.targets.insert(id.to_owned(), target);
            }),
            Self::RenameTarget(n) => with_target(aws, n, |rule, mut target| {
                if rule.live.timing.is_some() {
                    return;
                }
                target.id = Some("renamed".to_owned());
                rule.targets.clear();
                rule.targets.insert("renamed".to_owned(), target);
            }),
            Self::Stranger(n) => with_bus_rule(aws, n, |rule| {
                let arn = Some("arn:aws:lambda:eu-west-1:1:function:notify".to_owned());
                let target = Target { id: Some("notify".to_owned()), arn, ..Target::default() };
                rule.targets.insert("notify".to_owned(), target);
            }),
            Self::Deregister(n) => {
                if let Some(revision) = aws.revisions.values_mut().nth(revision(n)) {
                    revision.active = false;
                }
            }
            Self::StripRevision(n) => {
                if let Some(revision) = aws.revisions.values_mut().nth(revision(n)) {
                    revision.live.tags.clear();
                }
            }
            Self::TagRule(n, key, value) => with_bus_rule(aws, n, |rule| {
                rule.tags.insert(key.to_owned(), value.to_owned());
            }),
            Self::UntagRule(n, key) => with_bus_rule(aws, n, |rule| drop(rule.tags.remove(key))),
            Self::TagRevision(n, key, value) => {
                if let Some(revision) = aws.revisions.values_mut().nth(revision(n)) {
                    revision.live.tags.insert(key.to_owned(), value.to_owned());
                }
            }
            Self::ForeignRevision(n) => {
                if let Some(family) = families.get(revision(n)) {
                    aws.register(place, family, &TaskDefinition::default(), Tags::new());
                }
            }
        }
    }
}

fn with_rule(aws: &mut Region, n: usize, change: impl FnOnce(&mut Rule)) {
    let count = aws.rules.len().max(1);
    if let Some(rule) = aws.rules.values_mut().nth(n % count) {
        change(rule);
    }
}

/// A schedule of EventBridge Scheduler has one target, no pattern and no tags.
fn with_bus_rule(aws: &mut Region, n: usize, change: impl FnOnce(&mut Rule)) {
    with_rule(aws, n, |rule| {
        if rule.live.timing.is_none() {
            change(rule);
        }
    });
}

fn with_target(aws: &mut Region, n: usize, change: impl FnOnce(&mut Rule, Target)) {
    with_rule(aws, n, |rule| {
        if let Some(target) = rule.targets.get("ecs-etl").cloned() {
            change(rule, target);
        }
    });
}
