//! Writes to AWS, one action of a plan at a time.

use std::error::Error;

use aws_sdk_ecs::types as ecs;
use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::types as events;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleOutput;
use aws_sdk_scheduler::operation::update_schedule::UpdateScheduleOutput;
use aws_sdk_scheduler::types as scheduler;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use ecs_etl_plan::decide::pinning;
use ecs_etl_plan::desired::Trigger;
use ecs_etl_plan::failure::Failure;
use ecs_etl_plan::observed::{RevisionArn, RuleState};
use ecs_etl_plan::step::{Action, PutSchedule, RevisionRef};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;

use crate::answer::{self, Done};
use crate::aws::Aws;
use crate::budget::Urgency;
use crate::call::Call;
use crate::clients::PlaceClients;
use crate::convert::unmodelled::Unmodelled;
use crate::convert::{self, ToSdk as _};
use crate::direct::{Completed as _, Request as _};
use crate::error::{CallError, Refused};
use crate::operation::Operation;

impl Aws {
    /// Carries out one action of a plan.
    ///
    /// `revision` is the task definition that a PutTargets pins when an earlier step of its plan registered it. The calls of a
    /// plan are reserved beforehand ([`Aws::reserve`]); nothing waits here.
    ///
    /// # Errors
    ///
    /// AWS refused, in whole or for one entry; could not be reached; or answered nonsense. Where the effect may have happened
    /// all the same, the failure is `ambiguous`.
    pub async fn act(
        &self,
        place: &Place,
        action: &Action,
        revision: Option<&RevisionArn>,
        urgency: Urgency,
    ) -> Result<Done, CallError> {
        let (operation, resource) = (Operation::of(action), action.resource());
        let call = Call { operation, place, resource, urgency, writes: Some(action) };
        let clients = self.clients(place).await;
        Ok(Writer { aws: self, call, clients }.act(action, revision).await?)
    }
}

/// One write.
struct Writer<'a> {
    aws: &'a Aws,
    call: Call<'a>,
    clients: PlaceClients,
}

impl Writer<'_> {
    async fn act(&self, action: &Action, revision: Option<&RevisionArn>) -> Result<Done, Failure> {
        let PlaceClients { ecs, events, scheduler, sts: _, direct: _ } = &self.clients;
        match action {
            Action::RegisterTaskDefinition { family, task_definition, tags } => {
                self.register(family, task_definition, tags).await
            }
            Action::PutRule { rule, trigger, state, description, create: _, tags } => {
                self.put_rule(rule, trigger, state, description, tags).await
            }
            Action::EnableRule { rule } => {
                self.done(events.enable_rule().name(rule.as_str()).send_by(&self.clients)).await
            }
            Action::DisableRule { rule } => {
                self.done(events.disable_rule().name(rule.as_str()).send_by(&self.clients)).await
            }
            Action::PutTargets { rule, target, revision: reference } => {
                let target = match reference {
                    None => (**target).clone(),
                    Some(reference) => self.pinned(target, reference, revision)?,
                };
                self.put_targets(rule, target).await
            }
            Action::RemoveTargets { rule, ids } => self.remove_targets(rule, ids).await,
            Action::DeleteRule { rule } => {
                self.done(events.delete_rule().name(rule.as_str()).send_by(&self.clients)).await
            }
            Action::CreateScheduleGroup { group, tags } => {
                let tags = self.sayable(scheduler_tags(tags))?;
                self.done(
                    scheduler.create_schedule_group().name(group.as_str()).set_tags(Some(tags)).send_by(&self.clients),
                )
                .await
            }
            Action::PutSchedule { rule, schedule, create, revision: reference } => {
                let target = self.pinned(&schedule.target, reference, revision)?;
                self.put_schedule(rule, schedule, *create, target).await
            }
            Action::DeleteSchedule { rule } => {
                let request = scheduler.delete_schedule().name(rule.as_str()).set_group_name(group(rule));
                match self.done(request.send_by(&self.clients)).await {
                    // Unlike a rule, one that is not there is missed; that is what was wanted.
                    Err(failure) if failure.code == "ResourceNotFoundException" => Ok(Done::Done),
                    done => done,
                }
            }
            Action::TagRule { arn, tags } => {
                let tags = self.sayable(event_tags(tags))?;
                self.done(events.tag_resource().resource_arn(arn).set_tags(Some(tags)).send_by(&self.clients)).await
            }
            Action::UntagRule { arn, keys } => {
                self.done(
                    events.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.clone())).send_by(&self.clients),
                )
                .await
            }
            Action::TagRevision { revision, tags } => {
                let request = ecs.tag_resource().resource_arn(revision.as_str()).set_tags(Some(ecs_tags(tags)));
                self.done(request.send_by(&self.clients)).await
            }
            Action::UntagRevision { revision, keys } => {
                let request = ecs.untag_resource().resource_arn(revision.as_str());
                self.done(request.set_tag_keys(Some(keys.clone())).send_by(&self.clients)).await
            }
            Action::DeregisterTaskDefinition { revision } => {
                self.done(ecs.deregister_task_definition().task_definition(revision.as_str()).send_by(&self.clients))
                    .await
            }
        }
    }

    /// Sends a request whose answer says nothing.
    async fn done<T, E>(
        &self,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Done, Failure>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
    {
        self.call.send(self.aws, request, |_nothing| Ok(Done::Done)).await
    }

    async fn register(&self, family: &Family, shape: &TaskDefinition, tags: &Tags) -> Result<Done, Failure> {
        let unmodelled = self.sayable(Unmodelled::of(shape))?;
        let request = self.clients.ecs.register_task_definition().family(family.as_str());
        let request = self.sayable(convert::ecs::register(request, shape))?;
        // An empty list is refused: "Tags can not be empty." Ours never is.
        let request = request.set_tags((!tags.is_empty()).then(|| ecs_tags(tags)));
        self.call
            .send(self.aws, request.send_with(&self.clients, &unmodelled), |registered| {
                let answered = answer::ecs_tags(registered.tags)?;
                // Not every stand-in repeats the tags; given with the request, they are there or the request failed.
                let tags = if answered.is_empty() { tags.clone() } else { answered };
                let ours = |arn: &RevisionArn| arn.family() == family.as_str();
                answer::revision(registered.task_definition, &unmodelled, tags, ours).map(Done::Registered)
            })
            .await
    }

    async fn put_rule(
        &self,
        rule: &RuleName,
        trigger: &Trigger,
        state: &RuleState,
        description: &str,
        tags: &Tags,
    ) -> Result<Done, Failure> {
        // The whole rule, always with its state: AWS resets what is left out, and enables a rule without one.
        let state = match state {
            RuleState::Enabled => events::RuleState::Enabled,
            RuleState::Disabled => events::RuleState::Disabled,
            RuleState::Other(other) => events::RuleState::from(other.as_str()),
        };
        let tags = self.sayable(event_tags(tags))?;
        let request = self.clients.events.put_rule().name(rule.as_str());
        let request = match trigger {
            Trigger::Schedule(schedule) => request.schedule_expression(schedule.expression()),
            Trigger::Event(pattern) => request.event_pattern(pattern.as_str()),
            Trigger::Timed(_) => return Err(self.call.unsaid("a rule knows no time zone")),
        };
        let request = request.state(state).description(description).set_tags(Some(tags));
        self.call
            .send(self.aws, request.send_by(&self.clients), |put| {
                answer::rule_arn(rule, put.rule_arn).map(|arn| Done::RulePut { arn })
            })
            .await
    }

    /// The target with the revision that it pins, which an earlier step may have made.
    fn pinned(&self, target: &Target, reference: &RevisionRef, made: Option<&RevisionArn>) -> Result<Target, Failure> {
        let unsaid = || self.call.unsaid("the revision to pin is not registered yet");
        Ok(match reference {
            RevisionRef::Existing(arn) => pinning(target, arn.as_str()),
            RevisionRef::FromStep(_) => pinning(target, made.ok_or_else(unsaid)?.as_str()),
        })
    }

    async fn put_schedule(
        &self,
        rule: &RuleName,
        schedule: &PutSchedule,
        create: bool,
        target: Target,
    ) -> Result<Done, Failure> {
        // The whole schedule, always with its state: an update resets what is left out, and enables one without it.
        let PutSchedule { timing, state, description, target: _ } = schedule;
        let target = self.sayable(convert::scheduler::target(&target))?;
        let state = scheduler::ScheduleState::from(state.as_str());
        let mode = if timing.window_minutes.is_some() { "FLEXIBLE" } else { "OFF" };
        let window = scheduler::FlexibleTimeWindow::builder()
            .mode(scheduler::FlexibleTimeWindowMode::from(mode))
            .set_maximum_window_in_minutes(timing.window_minutes.map(i32::from));
        let window = self.sayable(window.build())?;
        let date = |at: Option<jiff::Timestamp>| at.map(|at| DateTime::from_secs(at.as_second()));
        let client = &self.clients.scheduler;
        // Two builders of one shape: the SDK has no type for what they have in common.
        macro_rules! put {
            ($request:expr, $arn:ident) => {{
                let request = $request
                    .name(rule.as_str())
                    .set_group_name(group(rule))
                    .schedule_expression(timing.schedule.expression())
                    .schedule_expression_timezone(timing.zone.as_str())
                    .set_start_date(date(timing.start))
                    .set_end_date(date(timing.end))
                    .flexible_time_window(window)
                    .action_after_completion(scheduler::ActionAfterCompletion::None)
                    .state(state)
                    .description(description)
                    .target(target);
                let read = |put: $arn| answer::schedule_arn(rule, Some(put.schedule_arn));
                self.call
                    .send(self.aws, request.send_by(&self.clients), |put| read(put).map(|arn| Done::RulePut { arn }))
                    .await
            }};
        }
        if create {
            put!(client.create_schedule(), CreateScheduleOutput)
        } else {
            put!(client.update_schedule(), UpdateScheduleOutput)
        }
    }

    async fn put_targets(&self, rule: &RuleName, target: Target) -> Result<Done, Failure> {
        let target = self.sayable(target.to_sdk())?;
        let request = self.clients.events.put_targets().rule(rule.as_str()).targets(target);
        self.call
            .send(self.aws, request.send_by(&self.clients), |put| {
                let first = put.failed_entries().first();
                let first = first.map(|entry| (entry.target_id(), entry.error_code(), entry.error_message()));
                all_entries(put.failed_entry_count(), first)
            })
            .await
    }

    async fn remove_targets(&self, rule: &RuleName, ids: &[String]) -> Result<Done, Failure> {
        let request = self.clients.events.remove_targets().rule(rule.as_str()).set_ids(Some(ids.to_vec()));
        self.call
            .send(self.aws, request.send_by(&self.clients), |removed| {
                let first = removed.failed_entries().first();
                let first = first.map(|entry| (entry.target_id(), entry.error_code(), entry.error_message()));
                all_entries(removed.failed_entry_count(), first)
            })
            .await
    }

    /// What could be put into a request, or the failure of a call that was never made.
    fn sayable<T, E: std::fmt::Display>(&self, value: Result<T, E>) -> Result<T, Failure> {
        value.map_err(|error| self.call.unsaid(error.to_string()))
    }
}

/// Id, error code and message of an entry of a batch that was refused.
type FailedEntry<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// A 200 whose entries failed is a failure: that of the first one.
fn all_entries(failed: i32, first: Option<FailedEntry<'_>>) -> Result<Done, Refused> {
    match first {
        None if failed == 0 => Ok(Done::Done),
        None => Err(Refused::response(format!("{failed} entries failed, and the answer does not say which"))),
        Some((id, code, message)) => {
            let message = format!("target {}: {}", id.unwrap_or("?"), message.unwrap_or("AWS gives no reason"));
            Err(Refused::entry(code, message))
        }
    }
}

fn ecs_tags(tags: &Tags) -> Vec<ecs::Tag> {
    tags.iter().map(|(key, value)| ecs::Tag::builder().key(key).value(value).build()).collect()
}

fn scheduler_tags(tags: &Tags) -> Result<Vec<scheduler::Tag>, BuildError> {
    tags.iter().map(|(key, value)| scheduler::Tag::builder().key(key).value(value).build()).collect()
}

/// The group that a schedule is in.
fn group(rule: &RuleName) -> Option<String> {
    rule.group().map(|group| group.as_str().to_owned())
}

fn event_tags(tags: &Tags) -> Result<Vec<events::Tag>, BuildError> {
    tags.iter().map(|(key, value)| events::Tag::builder().key(key).value(value).build()).collect()
}
