//! Schedules of EventBridge Scheduler that may be anybody's, listed for an import.

use ecs_etl_plan::failure::Failure;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{RuleName, ScheduleGroup};

use crate::aws::Aws;
use crate::budget::Urgency;
use crate::call::Call;
use crate::error::{CallError, Refused};
use crate::look::PAGE;
use crate::operation::LIST_SCHEDULES;
use crate::pages::Pages;

/// A schedule as ListSchedules tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSchedule {
    /// Its name, with its group.
    pub name: RuleName,
    /// ARN of its target.
    pub target: String,
}

impl Aws {
    /// Every schedule whose name starts with `prefix`, in any group of EventBridge Scheduler; an empty one takes all.
    ///
    /// # Errors
    ///
    /// Any page failed: a part of the list is no list.
    pub async fn list_all_schedules(&self, place: &Place, prefix: &str) -> Result<Vec<ListedSchedule>, CallError> {
        Ok(self.all_schedules(place, prefix).await?)
    }

    async fn all_schedules(&self, place: &Place, prefix: &str) -> Result<Vec<ListedSchedule>, Failure> {
        let clients = self.clients(place).await;
        let call = Call { operation: LIST_SCHEDULES, place, resource: prefix, urgency: Urgency::Drift, writes: None };
        let (mut pages, mut token, mut listed) = (Pages::default(), None, Vec::new());
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        loop {
            let request = clients.scheduler.list_schedules().set_name_prefix(prefix.map(str::to_owned));
            let request = request.max_results(PAGE).set_next_token(token);
            token = call
                .send(self, request.send(), |page| {
                    for schedule in page.schedules {
                        let name = named(schedule.group_name, schedule.name)?;
                        let target = schedule.target.map(|target| target.arn).unwrap_or_default();
                        listed.push(ListedSchedule { name, target });
                    }
                    pages.next(page.next_token)
                })
                .await?;
            if token.is_none() {
                return Ok(listed);
            }
        }
    }
}

/// The name of a listed schedule; one without would make half a list.
fn named(group: Option<String>, name: Option<String>) -> Result<RuleName, Refused> {
    let group = ScheduleGroup::new(group.unwrap_or_default()).map_err(|error| Refused::response(error.to_string()))?;
    RuleName::in_group(&group, name.unwrap_or_default()).map_err(|error| Refused::response(error.to_string()))
}
