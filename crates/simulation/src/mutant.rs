//! Wrong controllers, each made by bending data where it passes: what is sent and what arrives on the wire, and what the
//! controller's own seams let through. A simulation that lets one of them live is worth nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecs_etl_controller::context::Interrupted;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::pruning::Knowledge;
use ecs_etl_controller::reconcile::Outcome;
use ecs_etl_controller::seams::{AsItIs, Seams};
use ecs_etl_emulator::door::Call;
use ecs_etl_emulator::{Reply, Request};
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{TARGET_ID, Trigger};
use ecs_etl_plan::step::{Action, Because, Kind, Plan, RevisionRef, Step};
use ecs_etl_plan::tags;
use ecs_etl_spec::name::JobName;
use ecs_etl_spec::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::mirror::TARGET;
use crate::story::Story;

/// A wrong controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Takes the old target away before it makes the new revision.
    BreakBeforeMake,
    /// Takes what it cannot read for what is not there.
    UnreadableIsEmpty,
    /// Takes a 200 for success, whatever became of its entries.
    IgnoreFailedEntries,
    /// Puts rules without their state.
    ForgetState,
    /// Registers revisions without the digest of their spec.
    DropDigest,
    /// Deregisters what is replaced as soon as it sees it.
    DeregisterAtOnce,
    /// Tries again at once, whatever failed.
    RetryWithoutBackoff,
    /// Believes lists that are an hour behind.
    BelieveTheIndex,
    /// Calls a job ready when it begins to write.
    ReadyBeforeTheEffect,
    /// Counts failures for ever.
    NeverResetBackoff,
    /// Counts deletions by the pass, not by the hour.
    CapPerPass,
    /// Removes a job as soon as its manifest is gone.
    NoGrace,
    /// Takes every rule of the right name for its own.
    NameIsProof,
    /// Puts its target under a new Id whenever it changes.
    NewTargetId,
    /// Registers a new revision and leaves the schedule at the old one.
    NeverRepin,
    /// Takes other people's targets away with its own.
    RemoveTheirs,
    /// Writes in a status what it was about to write.
    TellEverything,
    /// Does not heed the tag that says to leave a job alone.
    IgnorePause,
    /// Puts targets without their retry policy.
    DropRetryPolicy,
    /// Puts schedules without their time zone.
    ForgetZone,
    /// Puts schedules without their state.
    ForgetScheduleState,
    /// Gives a job other schedules, in rules or in EventBridge Scheduler, and leaves what was there before.
    LeaveTheOld,
    /// Starts a job after whatever end of another's run.
    AnyEnd,
    /// Tells nobody apart: what starts after one job starts after each of its cluster.
    AnyRun,
    /// Takes over what exists without putting its mark on it first.
    TakeUnmarked,
    /// Writes nothing for any job as long as another one fails.
    WaitForTheFailing,
    /// Keeps what it knew of jobs that nobody wants any more.
    RememberTheGone,
    /// Tidies nothing away.
    NeverCleanUp,
    /// Marks what is replaced, and never deregisters it.
    NeverDeregister,
    /// Keeps one revision less than it is told to.
    KeepOneLess,
    /// Leaves the mark of what was retired on what it pins again.
    NeverUnmark,
    /// Marks once more what it has marked as retired before.
    MarkAgain,
    /// Marks what is retired in a way that AWS refuses, and says nothing of it.
    RefusedInSilence,
    /// Writes to its log what it is about to write to AWS.
    TellTheLog,
    /// Makes its calls whenever it likes.
    IgnoreBudget,
    /// Never says that somebody undoes its repairs.
    NameNoFight,
    /// Labels what it looks after with what only this process knows.
    StampTheProcess,
    /// Writes a label again whenever it reads the tags of a rule.
    LabelAgain,
    /// Forgets what went five minutes before the hour is over.
    ShortHour,
    /// Writes rates anew with each resync, so that AWS begins to count again.
    RestartRates,
    /// Starts runs in no group of their own.
    ForgetGroup,
    /// Writes no labels.
    ForgetLabels,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 42] = [
        Self::BreakBeforeMake,
        Self::UnreadableIsEmpty,
        Self::IgnoreFailedEntries,
        Self::ForgetState,
        Self::DropDigest,
        Self::DeregisterAtOnce,
        Self::RetryWithoutBackoff,
        Self::BelieveTheIndex,
        Self::ReadyBeforeTheEffect,
        Self::NeverResetBackoff,
        Self::CapPerPass,
        Self::NoGrace,
        Self::NameIsProof,
        Self::NewTargetId,
        Self::NeverRepin,
        Self::RemoveTheirs,
        Self::TellEverything,
        Self::IgnorePause,
        Self::DropRetryPolicy,
        Self::ForgetZone,
        Self::ForgetScheduleState,
        Self::LeaveTheOld,
        Self::AnyEnd,
        Self::AnyRun,
        Self::TakeUnmarked,
        Self::WaitForTheFailing,
        Self::RememberTheGone,
        Self::NeverCleanUp,
        Self::NeverDeregister,
        Self::KeepOneLess,
        Self::NeverUnmark,
        Self::MarkAgain,
        Self::RefusedInSilence,
        Self::TellTheLog,
        Self::IgnoreBudget,
        Self::NameNoFight,
        Self::StampTheProcess,
        Self::LabelAgain,
        Self::ShortHour,
        Self::RestartRates,
        Self::ForgetGroup,
        Self::ForgetLabels,
    ];

    /// Whether a story is one in which it can be noticed: what is replaced stays for a day, and most stories are over by then.
    pub fn may_show_in(self, story: &Story) -> bool {
        self != Self::NeverDeregister || story.end > 24 * 3_600_000
    }

    /// The oracles that may notice it: any other would do so by accident.
    pub fn nemeses(self) -> &'static [&'static str] {
        match self {
            Self::BreakBeforeMake => &["ticks"],
            Self::UnreadableIsEmpty | Self::DeregisterAtOnce | Self::CapPerPass | Self::NoGrace => &["deletion"],
            Self::IgnoreFailedEntries => &["status", "named", "ticks"],
            Self::ForgetState => &["status", "convergence"],
            Self::DropDigest => &["churn"],
            Self::RetryWithoutBackoff | Self::NeverResetBackoff => &["attempts"],
            Self::BelieveTheIndex => &["churn", "convergence", "silence", "status"],
            Self::ReadyBeforeTheEffect => &["status", "named"],
            Self::NameIsProof | Self::RemoveTheirs | Self::IgnorePause => &["collateral"],
            Self::NewTargetId => &["ticks", "status", "convergence"],
            Self::NeverRepin => &["convergence", "ticks", "silence"],
            Self::TellEverything => &["status"],
            Self::DropRetryPolicy => &["convergence", "status"],
            Self::ForgetZone => &["ticks", "status", "convergence"],
            Self::ForgetScheduleState => &["status", "convergence"],
            Self::LeaveTheOld => &["ticks", "status", "convergence"],
            Self::AnyEnd | Self::AnyRun => &["chains"],
            Self::TakeUnmarked => &["collateral"],
            Self::WaitForTheFailing => &["isolation"],
            Self::RememberTheGone => &["memory"],
            Self::NeverCleanUp | Self::NeverDeregister | Self::KeepOneLess | Self::NeverUnmark => &["clean-up"],
            Self::ShortHour => &["deletion"],
            Self::MarkAgain => &["twin", "silence"],
            Self::RefusedInSilence | Self::LabelAgain => &["silence"],
            Self::TellTheLog => &["discreet"],
            Self::IgnoreBudget => &["polite"],
            Self::NameNoFight => &["rivals"],
            Self::StampTheProcess => &["twin"],
            Self::RestartRates => &["ticks"],
            Self::ForgetGroup | Self::ForgetLabels => &["status", "convergence"],
        }
    }

    /// Whether it keeps its calls within the budget that it was given.
    pub fn keeps_budget(self) -> bool {
        self != Self::IgnoreBudget
    }

    /// Whether its status tells of problems that belong to no job.
    pub fn tells_problems(self) -> bool {
        self != Self::RefusedInSilence
    }

    /// What it bends inside, in a life that `life` tells from others.
    pub fn seams(self, life: u64) -> Arc<dyn Seams> {
        match self {
            Self::IgnoreFailedEntries
            | Self::ForgetState
            | Self::DropDigest
            | Self::BelieveTheIndex
            | Self::NameIsProof
            | Self::RemoveTheirs
            | Self::IgnorePause
            | Self::DropRetryPolicy
            | Self::ForgetZone
            | Self::ForgetScheduleState
            | Self::AnyEnd
            | Self::AnyRun
            | Self::MarkAgain
            | Self::RefusedInSilence
            | Self::IgnoreBudget
            | Self::LabelAgain
            | Self::ForgetGroup
            | Self::ForgetLabels => Arc::new(AsItIs),
            Self::BreakBeforeMake
            | Self::UnreadableIsEmpty
            | Self::DeregisterAtOnce
            | Self::RetryWithoutBackoff
            | Self::ReadyBeforeTheEffect
            | Self::NeverResetBackoff
            | Self::CapPerPass
            | Self::NoGrace
            | Self::NewTargetId
            | Self::NeverRepin
            | Self::TellEverything
            | Self::LeaveTheOld
            | Self::TakeUnmarked
            | Self::WaitForTheFailing
            | Self::RememberTheGone
            | Self::NeverCleanUp
            | Self::NeverDeregister
            | Self::KeepOneLess
            | Self::NeverUnmark
            | Self::ShortHour
            | Self::TellTheLog
            | Self::NameNoFight
            | Self::StampTheProcess
            | Self::RestartRates => Arc::new(Bent { mutant: self, life, failing: Mutex::default() }),
        }
    }

    /// What it sends instead.
    pub fn sends(self, call: &Call, mut request: Request) -> Request {
        let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else { return request };
        let Some(members) = body.as_object_mut() else { return request };
        match (self, call.operation.as_str()) {
            (Self::ForgetState, "events:PutRule") => drop(members.remove("State")),
            (Self::DropDigest, "ecs:RegisterTaskDefinition") => {
                if let Some(tags) = members.get_mut("tags").and_then(Value::as_array_mut) {
                    tags.retain(|tag| tag.get("key").is_none_or(|key| key != tags::SPEC));
                }
            }
            (Self::RemoveTheirs, "events:RemoveTargets") => {
                if let Some(ids) = members.get_mut("Ids").and_then(Value::as_array_mut) {
                    ids.push(json!("theirs"));
                }
            }
            (Self::DropRetryPolicy, "events:PutTargets") => {
                let targets = members.get_mut("Targets").and_then(Value::as_array_mut);
                for target in targets.into_iter().flatten().filter_map(Value::as_object_mut) {
                    target.remove("RetryPolicy");
                }
            }
            (Self::ForgetGroup, "events:PutTargets") => {
                let targets = members.get_mut("Targets").and_then(Value::as_array_mut);
                for target in targets.into_iter().flatten() {
                    let parameters = target.get_mut("EcsParameters").and_then(Value::as_object_mut);
                    parameters.map(|parameters| parameters.remove("Group"));
                }
            }
            (Self::ForgetLabels, "events:PutRule" | "events:TagResource") => {
                if let Some(tags) = members.get_mut("Tags").and_then(Value::as_array_mut) {
                    tags.retain(|tag| tag.get("Key").is_none_or(|key| key != "team" && key != "owner"));
                }
            }
            (Self::ForgetZone, "scheduler:CreateSchedule" | "scheduler:UpdateSchedule") => {
                drop(members.remove("ScheduleExpressionTimezone"));
            }
            (Self::ForgetScheduleState, "scheduler:CreateSchedule" | "scheduler:UpdateSchedule") => {
                drop(members.remove("State"));
            }
            (Self::RefusedInSilence, "ecs:TagResource") => {
                let tags = members.get_mut("tags").and_then(Value::as_array_mut);
                for tag in tags.into_iter().flatten().filter_map(Value::as_object_mut) {
                    if tag.get("key").is_some_and(|key| key == tags::RETIRED_AT) {
                        tag.insert("key".to_owned(), json!("aws:retired-at"));
                    }
                }
            }
            (Self::AnyEnd, "events:PutRule") => loosen(members, &["containers", "$or", "stopCode"]),
            (Self::AnyRun, "events:PutRule") => loosen(members, &["group", "taskDefinitionArn"]),
            _ => return request,
        }
        request.body = body.to_string().into_bytes();
        request
    }

    /// What it hears instead.
    pub fn arrives(self, call: &Call, request: &Request, reply: Reply, second: u32, memory: &mut Memory) -> Reply {
        match (self, call.operation.as_str()) {
            (Self::BelieveTheIndex, "ecs:ListTaskDefinitions") => memory.hour_ago(call, request, reply, second),
            (Self::NameIsProof, "events:ListTagsForResource") => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let arn = asked.get("ResourceARN").and_then(Value::as_str).unwrap_or_default();
                let job = arn.rsplit('/').next().and_then(crate::judge::job_of).unwrap_or_default();
                with_tags(reply, |tags| {
                    tags.retain(|tag| tag.get("Key").is_none_or(|key| key != tags::JOB && key != tags::CONTROLLER));
                    tags.push(json!({"Key": tags::JOB, "Value": job}));
                    tags.push(json!({"Key": tags::CONTROLLER, "Value": "main"}));
                })
            }
            (Self::IgnorePause, "events:ListTagsForResource") => {
                with_tags(reply, |tags| tags.retain(|tag| tag.get("Key").is_none_or(|key| key != tags::RECONCILE)))
            }
            (Self::RestartRates, "events:ListRules") => with(reply, "Rules", |rules| {
                rules.iter_mut().for_each(undescribed);
            }),
            (Self::RestartRates, "events:DescribeRule") => {
                let Ok(mut rule) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
                undescribed(&mut rule);
                Reply { body: rule.to_string().into_bytes(), ..reply }
            }
            (Self::LabelAgain, "events:ListTagsForResource") => {
                with_tags(reply, |tags| tags.retain(|tag| tag.get("Key").is_none_or(|key| key != "cluster")))
            }
            (Self::MarkAgain, "ecs:DescribeTaskDefinition") => with(reply, "tags", |tags| {
                tags.retain(|tag| tag.get("key").is_none_or(|key| key != tags::RETIRED_AT));
            }),
            _ => reply,
        }
    }
}

/// Takes members out of what a rule's pattern asks of an event's `detail`.
fn loosen(members: &mut serde_json::Map<String, Value>, asked: &[&str]) {
    let pattern = members.get("EventPattern").and_then(Value::as_str);
    let Some(Ok(mut pattern)) = pattern.map(serde_json::from_str::<Value>) else { return };
    if let Some(detail) = pattern.get_mut("detail").and_then(Value::as_object_mut) {
        detail.retain(|member, _| !asked.contains(&member.as_str()));
    }
    members.insert("EventPattern".to_owned(), pattern.to_string().into());
}

/// Takes the description off a rule with a rate.
fn undescribed(rule: &mut Value) {
    let rate = rule.get("ScheduleExpression").and_then(Value::as_str).is_some_and(|words| words.starts_with("rate("));
    if let Some(members) = rule.as_object_mut().filter(|_| rate) {
        members.remove("Description");
    }
}

fn with_tags(reply: Reply, change: impl FnOnce(&mut Vec<Value>)) -> Reply {
    with(reply, "Tags", change)
}

fn with(reply: Reply, list: &str, change: impl FnOnce(&mut Vec<Value>)) -> Reply {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    match body.get_mut(list).and_then(Value::as_array_mut) {
        Some(tags) => change(tags),
        None => return reply,
    }
    Reply { body: body.to_string().into_bytes(), ..reply }
}

/// Answers, each with the second at which it came.
type Heard = Vec<(u32, Reply)>;

/// Answers of an hour ago, by operation, place and request.
#[derive(Debug, Default)]
pub struct Memory {
    answers: BTreeMap<(String, String, Vec<u8>), Heard>,
}

impl Memory {
    fn hour_ago(&mut self, call: &Call, request: &Request, reply: Reply, second: u32) -> Reply {
        let answers = self
            .answers
            .entry((call.operation.clone(), crate::wire::place(request), request.body.clone()))
            .or_default();
        answers.push((second, reply.clone()));
        let old = answers.iter().rev().find(|(at, _)| *at + 3600 <= second);
        match old {
            Some((_, old)) => old.clone(),
            // Of an hour ago nothing is known: there was nothing.
            None => Reply { body: json!({"taskDefinitionArns": []}).to_string().into_bytes(), ..reply },
        }
    }
}

/// A controller that is bent inside.
#[derive(Debug)]
struct Bent {
    mutant: Mutant,
    /// Which life it is.
    life: u64,
    /// Jobs of which a write failed last.
    failing: Mutex<BTreeSet<JobName>>,
}

impl Bent {
    fn failing(&self) -> MutexGuard<'_, BTreeSet<JobName>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a wrong controller bends one thing and leaves the rest")]
impl Seams for Bent {
    fn manifests(&self, manifests: &mut Manifests) {
        match self.mutant {
            Mutant::UnreadableIsEmpty => manifests.incomplete.clear(),
            Mutant::KeepOneLess => {
                let keep = &mut manifests.directory.controller.keep_revisions;
                *keep = keep.saturating_sub(1);
            }
            Mutant::StampTheProcess => {
                for job in manifests.directory.jobs.values_mut() {
                    let tags = Arc::make_mut(&mut Arc::make_mut(job).tags);
                    tags.insert("owner".to_owned(), format!("{:x}", self.life));
                }
            }
            _ => {}
        }
    }

    fn plan(&self, plan: &mut Plan) {
        match self.mutant {
            Mutant::BreakBeforeMake if plan.kind == Kind::Change => break_before_make(plan),
            Mutant::DeregisterAtOnce => {
                for step in &mut plan.steps {
                    if let Action::TagRevision { revision, tags } = &step.action
                        && tags.contains_key(tags::RETIRED_AT)
                    {
                        step.action = Action::DeregisterTaskDefinition { revision: revision.clone() };
                    }
                }
            }
            Mutant::NewTargetId if plan.kind == Kind::Change => {
                for step in &mut plan.steps {
                    if let Action::PutTargets { target, .. } = &mut step.action {
                        target.id = Some(format!("{TARGET}-new"));
                    }
                }
            }
            Mutant::LeaveTheOld if matches!(plan.kind, Kind::Change | Kind::Move) => {
                let registers = |step: &Step| matches!(step.action, Action::RegisterTaskDefinition { .. });
                // Where nothing is known by its place in the plan.
                if !plan.steps.iter().any(registers) {
                    plan.steps.retain(|step| {
                        !matches!(step.action, Action::DeleteRule { .. } | Action::DeleteSchedule { .. })
                            && !matches!(step.action, Action::DisableRule { .. } | Action::RemoveTargets { .. })
                    });
                }
            }
            Mutant::RestartRates => restart_rates(plan),
            Mutant::TakeUnmarked => {
                for step in &mut plan.steps {
                    if let Action::TagRule { tags, .. } = &mut step.action {
                        tags.remove(tags::CONTROLLER);
                    }
                }
            }
            Mutant::WaitForTheFailing if self.failing().iter().any(|job| *job != plan.job) => plan.steps.clear(),
            Mutant::NeverCleanUp if plan.kind == Kind::CleanUp => plan.steps.clear(),
            Mutant::NeverDeregister => {
                plan.steps.retain(|step| !matches!(step.action, Action::DeregisterTaskDefinition { .. }));
            }
            Mutant::NeverUnmark => plan.steps.retain(|step| {
                let Action::UntagRevision { keys, .. } = &step.action else { return true };
                !keys.iter().any(|key| key == tags::RETIRED_AT)
            }),
            Mutant::TellTheLog => tracing::debug!(target: "ecs_etl_controller", ?plan, "about to act"),
            Mutant::NeverRepin if plan.kind == Kind::Change => {
                plan.steps.retain(|step| !matches!(step.action, Action::PutTargets { .. }));
            }
            _ => {}
        }
    }

    fn outcome(&self, outcome: &mut Result<Outcome, Interrupted>) {
        let Ok(outcome) = outcome else { return };
        match self.mutant {
            Mutant::ReadyBeforeTheEffect if !outcome.plan.steps.is_empty() => {
                outcome.verdict = Verdict::Ready(Reason::Converged, "live state equals the manifest".to_owned());
                outcome.stopped = None;
            }
            Mutant::WaitForTheFailing => {
                if matches!(outcome.stopped, Some(Interrupted::Failed(_))) {
                    self.failing().insert(outcome.plan.job.clone());
                } else {
                    self.failing().remove(&outcome.plan.job);
                }
            }
            Mutant::TellEverything if !outcome.plan.steps.is_empty() => {
                outcome.verdict = Verdict::Waiting(Reason::Progressing, format!("{:?}", outcome.plan), None);
            }
            _ => {}
        }
    }

    fn wait(&self, wait: Duration) -> Duration {
        if self.mutant == Mutant::RetryWithoutBackoff { Duration::from_millis(20) } else { wait }
    }

    fn forgets_failures(&self) -> bool {
        self.mutant != Mutant::NeverResetBackoff
    }

    fn forgets_jobs(&self) -> bool {
        self.mutant != Mutant::RememberTheGone
    }

    fn names_fights(&self) -> bool {
        self.mutant != Mutant::NameNoFight
    }

    fn deletion(&self, knowledge: &mut Knowledge) {
        match self.mutant {
            Mutant::UnreadableIsEmpty => knowledge.incomplete.clear(),
            Mutant::CapPerPass => knowledge.retired.clear(),
            Mutant::ShortHour => {
                for retired in &mut knowledge.retired {
                    retired.at = retired.at.checked_sub(SignedDuration::from_mins(5)).unwrap_or(retired.at);
                }
            }
            Mutant::NoGrace => {
                let gone = knowledge.owned.iter().filter(|owned| !knowledge.written.contains(&owned.job));
                knowledge.gone_since.extend(gone.map(|owned| (owned.job.clone(), Timestamp::UNIX_EPOCH)));
            }
            _ => {}
        }
    }
}

/// Puts another rate before each that is put, where no step is known by its place in the plan.
fn restart_rates(plan: &mut Plan) {
    let Ok(other) = Schedule::parse("rate(1 day)") else { return };
    if plan.kind != Kind::Change
        || plan.steps.iter().any(|step| matches!(step.action, Action::RegisterTaskDefinition { .. }))
    {
        return;
    }
    let steps = std::mem::take(&mut plan.steps);
    plan.steps = steps.into_iter().flat_map(|step| [otherwise(&step, &other), Some(step)]).flatten().collect();
}

/// A step that puts a rate, with another one.
fn otherwise(step: &Step, other: &Schedule) -> Option<Step> {
    let Action::PutRule { trigger: Trigger::Schedule(schedule), .. } = &step.action else { return None };
    if !schedule.expression().starts_with("rate(") {
        return None;
    }
    let mut step = step.clone();
    if let Action::PutRule { trigger, .. } = &mut step.action {
        *trigger = Trigger::Schedule(other.clone());
    }
    Some(step)
}

/// Puts a removal of our target before everything else.
fn break_before_make(plan: &mut Plan) {
    let put = plan.steps.iter().find_map(|step| {
        let Action::PutTargets { rule, .. } = &step.action else { return None };
        Some((step.place.clone(), rule.clone()))
    });
    let Some((place, rule)) = put else { return };
    if plan.steps.iter().any(|step| matches!(&step.action, Action::PutRule { rule: made, .. } if *made == rule)) {
        // A rule that is only being made has no target yet.
        return;
    }
    for step in &mut plan.steps {
        if let Action::PutTargets { revision: Some(RevisionRef::FromStep(index)), .. } = &mut step.action {
            *index += 1;
        }
    }
    let action = Action::RemoveTargets { rule, ids: vec![TARGET_ID.to_owned()] };
    plan.steps.insert(0, Step { place, action, because: Because::Missing });
}
