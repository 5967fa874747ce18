//! Schedules of EventBridge Scheduler, for `ecs-etl import aws`: of all groups, as far as they may be read.

use std::collections::BTreeMap;

use ecs_etl_aws::{Answer, CallError, ListedSchedule, Urgency};
use ecs_etl_import::aws::{Facts, LiveSchedule, Unread};
use ecs_etl_plan::observed::Look;
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::{RuleName, ScheduleGroup};

use super::live::Reader;
use crate::args::ImportAws;

/// A target that makes any call: of RunTask, an input of its own says what to run.
const RUN_TASK: &str = ":::aws-sdk:ecs:runTask";

/// Codes with which AWS denies a call.
const DENIED: [&str; 2] = ["AccessDenied", "AccessDeniedException"];

impl Reader<'_> {
    /// Reads schedules that start tasks; those of other targets cost no call.
    pub(super) async fn schedules(&self, args: &ImportAws, facts: &mut Facts) -> anyhow::Result<()> {
        let listed = self.aws.list_all_schedules(self.place, &args.prefix).await;
        let all = "schedules of EventBridge Scheduler".to_owned();
        let Some(listed) = allowed(listed, all, "scheduler:ListSchedules", facts)? else { return Ok(()) };
        let mut groups = BTreeMap::new();
        for ListedSchedule { name, target } in listed {
            let starts_task = target.contains(":ecs:") && target.contains(":cluster/");
            if !starts_task && !target.ends_with(RUN_TASK) {
                continue;
            }
            let Some(group) = name.group() else { continue };
            if !groups.contains_key(group) {
                let tags = self.group(group, facts).await?;
                groups.insert(group.clone(), tags);
            }
            // Whose a schedule is, its group says: of one that cannot be read nothing is taken.
            let Some(Some(tags)) = groups.get(group) else { continue };
            if !args.tags.iter().all(|(key, value)| tags.get(key) == Some(value)) {
                continue;
            }
            if starts_task {
                self.schedule(name, tags.clone(), facts).await?;
            } else {
                let why = "it calls ecs:RunTask as a universal target, whose input is not read".to_owned();
                let action = "write its job by hand".to_owned();
                facts.unread.push(Unread { resource: format!("schedule {group}/{name}"), why, action });
            }
        }
        Ok(())
    }

    /// The tags of a group; none if they may not be read.
    async fn group(&self, group: &ScheduleGroup, facts: &mut Facts) -> anyhow::Result<Option<Tags>> {
        let answer = self.aws.look(self.place, &Look::Group(group.clone()), Urgency::Drift).await;
        let resource = format!("schedules of the group {group}");
        let Some(answer) = allowed(answer, resource, "scheduler:ListTagsForResource", facts)? else { return Ok(None) };
        match answer {
            // The default group has none, and is not always there to be asked for them.
            Answer::Group(tags) => Ok(Some(tags.unwrap_or_default())),
            Answer::Active(_)
            | Answer::Revision(_)
            | Answer::Rule(_)
            | Answer::Targets(_)
            | Answer::RuleTags(_)
            | Answer::Schedule(_) => Ok(None),
        }
    }

    async fn schedule(&self, name: RuleName, group_tags: Tags, facts: &mut Facts) -> anyhow::Result<()> {
        let group = name.group().map(ScheduleGroup::to_string).unwrap_or_default();
        let answer = self.aws.look(self.place, &Look::Rule(name.clone()), Urgency::Drift).await;
        let answer = allowed(answer, format!("schedule {group}/{name}"), "scheduler:GetSchedule", facts)?;
        // One that went meanwhile is no loss.
        let Some(Answer::Schedule(Some(found))) = answer else { return Ok(()) };
        let (schedule, target) = *found;
        self.started(&target, facts).await?;
        facts.schedules.push(LiveSchedule { schedule, target, group_tags });
        Ok(())
    }
}

/// An answer, or a word in the report that the right to `action` is missing. Any other failure stays one.
fn allowed<T>(
    answer: Result<T, CallError>,
    resource: String,
    action: &str,
    facts: &mut Facts,
) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if DENIED.contains(&error.failure().code.as_str()) => {
            let why = format!("the right to {action} is missing");
            let action = "allow it and import again, if schedules of EventBridge Scheduler start tasks here".to_owned();
            facts.unread.push(Unread { resource, why, action });
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
