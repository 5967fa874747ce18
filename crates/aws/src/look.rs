//! Questions to AWS: one thing asked directly, or a whole place listed in bulk.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use ecs_etl_plan::failure::{Failure, RetryClass};
use ecs_etl_plan::observed::{LiveRevision, LiveRule, Look, RevisionArn, RuleState};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{AccountId, Family, RuleName, ScheduleGroup};
use ecs_etl_spec::shapes::events::Target;

use crate::answer::{self, Answer, Listed};
use crate::aws::Aws;
use crate::budget::Urgency;
use crate::call::Call;
use crate::convert::FromSdk as _;
use crate::convert::unmodelled::Unmodelled;
use crate::direct::{Completed as _, Request as _};
use crate::error::CallError;
use crate::operation::{
    DESCRIBE_RULE, DESCRIBE_TASK_DEFINITION, GET_SCHEDULE, LIST_RULES, LIST_SCHEDULES, LIST_TAGS_OF_GROUP,
    LIST_TAGS_OF_RULE, LIST_TARGETS_BY_RULE, LIST_TASK_DEFINITIONS, Operation,
};
use crate::pages::Pages;

/// Entries in a page: the most that both services give.
pub(crate) const PAGE: i32 = 100;

/// ACTIVE revisions by family, newest first.
pub type ActiveRevisions = BTreeMap<Family, Vec<RevisionArn>>;

impl Aws {
    /// Answers one question of a decision.
    ///
    /// What does not exist is an answer. A list is read to its end, or fails.
    ///
    /// # Errors
    ///
    /// AWS refused, could not be reached, or answered nonsense.
    pub async fn look(&self, place: &Place, look: &Look, urgency: Urgency) -> Result<Answer, CallError> {
        let reader = Reader { aws: self, place, urgency };
        let answer = match look {
            Look::Active(family) => Answer::Active(reader.active(family).await?),
            Look::Revision(arn) => Answer::Revision(absent_if_not_found(reader.revision(arn).await)?),
            Look::Rule(name) | Look::Targets(name) if name.group().is_some() => {
                Answer::Schedule(absent_if_not_found(reader.schedule(name).await)?.map(Box::new))
            }
            Look::Group(group) => {
                let account = self.account(place).await?;
                // All jobs with schedules in a place ask this at once when nothing is known yet.
                let question = (account.clone(), place.region.clone(), group.clone());
                let asked = self.groups_under_way().answer(question, reader.group(group, &account)).await;
                Answer::Group(absent_if_not_found(asked)?)
            }
            Look::Rule(name) => Answer::Rule(absent_if_not_found(reader.rule(name).await)?),
            Look::Targets(name) => {
                Answer::Targets(absent_if_not_found(reader.targets(name).await)?.unwrap_or_default())
            }
            Look::RuleTags(name, arn) => {
                Answer::RuleTags(absent_if_not_found(reader.rule_tags(name, arn).await)?.unwrap_or_default())
            }
        };
        Ok(answer)
    }

    /// Every rule of the default bus whose name starts with `prefix`; an empty one takes all.
    ///
    /// # Errors
    ///
    /// Any page failed: a part of the list is no list.
    pub async fn list_rules(&self, place: &Place, prefix: &str) -> Result<Vec<LiveRule>, CallError> {
        Ok(Reader { aws: self, place, urgency: Urgency::Drift }.all_rules(prefix).await?)
    }

    /// Name and state of every schedule in a group of EventBridge Scheduler; none of a group that does not exist.
    ///
    /// # Errors
    ///
    /// Any page failed: a part of the list is no list.
    pub async fn list_schedules(
        &self,
        place: &Place,
        group: &ScheduleGroup,
    ) -> Result<Vec<(RuleName, RuleState)>, CallError> {
        let listed = Reader { aws: self, place, urgency: Urgency::Drift }.all_schedules(group).await;
        Ok(absent_if_not_found(listed)?.unwrap_or_default())
    }

    /// Every ACTIVE revision whose family starts with `prefix`.
    ///
    /// There is no bulk read of one prefix, so this reads all ACTIVE revisions of the account, a hundred a call.
    ///
    /// # Errors
    ///
    /// Any page failed: a part of the list is no list.
    pub async fn list_active_revisions(&self, place: &Place, prefix: &str) -> Result<ActiveRevisions, CallError> {
        Ok(Reader { aws: self, place, urgency: Urgency::Drift }.all_active(prefix).await?)
    }
}

/// Absence is known only by what AWS says about the missing; any other failure stays one.
fn absent_if_not_found<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.class == RetryClass::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// One place, read for one reason.
#[derive(Clone, Copy)]
struct Reader<'a> {
    aws: &'a Aws,
    place: &'a Place,
    urgency: Urgency,
}

impl<'a> Reader<'a> {
    fn call<'r>(&self, operation: Operation, resource: &'r str) -> Call<'r>
    where
        'a: 'r,
    {
        Call { operation, place: self.place, resource, urgency: self.urgency, writes: None }
    }

    async fn active(&self, family: &Family) -> Result<Vec<RevisionArn>, Failure> {
        // Here familyPrefix is a whole family name (docs/aws.md, Revision lifecycle); some stand-ins take it for a prefix.
        let mut revisions = self.active_pages(Some(family), family.as_str()).await?;
        revisions.retain(|revision| revision.family() == family.as_str());
        revisions.sort_by(|a, b| b.cmp(a));
        revisions.dedup();
        Ok(revisions)
    }

    async fn all_active(&self, prefix: &str) -> Result<ActiveRevisions, Failure> {
        let mut revisions = self.active_pages(None, prefix).await?;
        revisions.sort_by(|a, b| b.cmp(a));
        revisions.dedup();
        let mut families = ActiveRevisions::new();
        for revision in revisions {
            if let Ok(family) = Family::new(revision.family()) {
                families.entry(family).or_default().push(revision);
            }
        }
        Ok(families)
    }

    async fn active_pages(&self, family: Option<&Family>, prefix: &str) -> Result<Vec<RevisionArn>, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_TASK_DEFINITIONS, prefix);
        let (mut pages, mut token, mut revisions) = (Pages::default(), None, Vec::new());
        loop {
            let request = clients
                .ecs
                .list_task_definitions()
                .set_family_prefix(family.map(|family| family.as_str().to_owned()))
                .status(TaskDefinitionStatus::Active)
                .sort(SortOrder::Desc)
                .max_results(PAGE)
                .set_next_token(token);
            token = call
                .send(self.aws, request.send_by(&clients), |page| {
                    for arn in page.task_definition_arns() {
                        match answer::listed(arn, prefix)? {
                            Listed::Ours(revision) => revisions.push(revision),
                            Listed::Other => {}
                        }
                    }
                    pages.next(page.next_token)
                })
                .await?;
            if token.is_none() {
                return Ok(revisions);
            }
        }
    }

    async fn revision(&self, arn: &RevisionArn) -> Result<LiveRevision, Failure> {
        let clients = self.aws.clients(self.place).await;
        let request =
            clients.ecs.describe_task_definition().task_definition(arn.as_str()).include(TaskDefinitionField::Tags);
        let unmodelled = Unmodelled::default();
        let call = self.call(DESCRIBE_TASK_DEFINITION, arn.as_str());
        call.send(self.aws, request.send_with(&clients, &unmodelled), |described| {
            let tags = answer::ecs_tags(described.tags)?;
            answer::revision(described.task_definition, &unmodelled, tags, |answered| answered == arn)
        })
        .await
    }

    async fn all_rules(&self, prefix: &str) -> Result<Vec<LiveRule>, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_RULES, if prefix.is_empty() { "the default bus" } else { prefix });
        let (mut pages, mut token, mut rules) = (Pages::default(), None, Vec::new());
        // AWS takes no empty prefix.
        let starting = (!prefix.is_empty()).then(|| prefix.to_owned());
        loop {
            let request =
                clients.events.list_rules().set_name_prefix(starting.clone()).limit(PAGE).set_next_token(token);
            token = call
                .send(self.aws, request.send_by(&clients), |page| {
                    for rule in page.rules.unwrap_or_default() {
                        rules.extend(answer::listed_rule(rule, prefix)?);
                    }
                    pages.next(page.next_token)
                })
                .await?;
            if token.is_none() {
                return Ok(rules);
            }
        }
    }

    async fn rule(&self, name: &RuleName) -> Result<LiveRule, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(DESCRIBE_RULE, name.as_str());
        let request = clients.events.describe_rule().name(name.as_str());
        call.send(self.aws, request.send_by(&clients), |rule| answer::described_rule(rule, name)).await
    }

    async fn targets(&self, name: &RuleName) -> Result<Vec<Target>, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_TARGETS_BY_RULE, name.as_str());
        let (mut pages, mut token, mut targets) = (Pages::default(), None, Vec::new());
        loop {
            let request = clients.events.list_targets_by_rule().rule(name.as_str()).limit(PAGE).set_next_token(token);
            token = call
                .send(self.aws, request.send_by(&clients), |page| {
                    targets.extend(page.targets.unwrap_or_default().into_iter().map(Target::from_sdk));
                    pages.next(page.next_token)
                })
                .await?;
            if token.is_none() {
                return Ok(targets);
            }
        }
    }

    async fn rule_tags(&self, name: &RuleName, arn: &str) -> Result<Tags, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_TAGS_OF_RULE, name.as_str());
        let request = clients.events.list_tags_for_resource().resource_arn(arn);
        call.send(self.aws, request.send_by(&clients), |answer| Ok(answer::event_tags(answer.tags))).await
    }

    async fn schedule(&self, name: &RuleName) -> Result<(LiveRule, Target), Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(GET_SCHEDULE, name.as_str());
        let group = name.group().map(|group| group.as_str().to_owned());
        let request = clients.scheduler.get_schedule().name(name.as_str()).set_group_name(group);
        call.send(self.aws, request.send_by(&clients), |schedule| answer::schedule(schedule, name)).await
    }

    async fn all_schedules(&self, group: &ScheduleGroup) -> Result<Vec<(RuleName, RuleState)>, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_SCHEDULES, group.as_str());
        let (mut pages, mut token, mut names) = (Pages::default(), None, Vec::new());
        loop {
            let request = clients.scheduler.list_schedules().group_name(group.as_str());
            let request = request.max_results(PAGE).set_next_token(token);
            token = call
                .send(self.aws, request.send_by(&clients), |page| {
                    for schedule in page.schedules {
                        // A name that cannot be ours is somebody else's; one without a state would make half a list.
                        let name = schedule.name.unwrap_or_default();
                        let Ok(name) = RuleName::in_group(group, name) else { continue };
                        let state = answer::schedule_state(&name, schedule.state)?;
                        names.push((name, state));
                    }
                    pages.next(page.next_token)
                })
                .await?;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    async fn group(&self, group: &ScheduleGroup, account: &AccountId) -> Result<Tags, Failure> {
        let clients = self.aws.clients(self.place).await;
        let call = self.call(LIST_TAGS_OF_GROUP, group.as_str());
        let region = &self.place.region;
        let arn = format!("arn:{}:scheduler:{region}:{account}:schedule-group/{group}", region.partition());
        let request = clients.scheduler.list_tags_for_resource().resource_arn(arn);
        call.send(self.aws, request.send_by(&clients), |answer| Ok(answer::scheduler_tags(answer.tags))).await
    }
}
