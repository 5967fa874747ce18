//! What a wrong controller bends inside, at the controller's own seams.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecs_etl_controller::context::Interrupted;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::pruning::Knowledge;
use ecs_etl_controller::reconcile::Outcome;
use ecs_etl_controller::seams::Seams;
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{TARGET_ID, Trigger};
use ecs_etl_plan::step::{Action, Because, Kind, Plan, RevisionRef, Step};
use ecs_etl_plan::tags;
use ecs_etl_spec::name::JobName;
use ecs_etl_spec::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};

use super::Mutant;
use crate::mirror::TARGET;

/// A controller that is bent inside.
#[derive(Debug)]
pub(super) struct Bent {
    mutant: Mutant,
    /// Which life it is.
    life: u64,
    /// Jobs of which a write failed last.
    failing: Mutex<BTreeSet<JobName>>,
}

impl Bent {
    pub(super) fn new(mutant: Mutant, life: u64) -> Self {
        Self { mutant, life, failing: Mutex::default() }
    }

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
