//! A job meets its account: roles become ARNs, and `${account}` is filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::job::{BoundJob, Job, cluster_arn};
use crate::name::{AccountId, Digest};
use crate::resolve::role_arn;
use crate::shapes::Packed;
use crate::variables;

/// Why a job could not be bound to an account.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A shape did not survive its own JSON: a fault of this program.
    #[error("fill {part} of job {job} in")]
    Fill {
        /// `taskDefinition` or `runTask`.
        part: &'static str,
        /// The job.
        job: String,
        /// What JSON says.
        source: serde_json::Error,
    },
}

impl Job {
    /// Fills in what only the account can say.
    ///
    /// # Errors
    ///
    /// None that a manifest could cause.
    pub fn bind(self: &Arc<Self>, account: &AccountId) -> Result<BoundJob, BindError> {
        let region = &self.place.region;
        let role = |role: &mut Option<String>| {
            if let Some(role) = role {
                *role = role_arn(role, region, account);
            }
        };
        let mut task_definition = self.filled("taskDefinition", &self.task_definition, account)?;
        role(&mut task_definition.task_role_arn);
        role(&mut task_definition.execution_role_arn);
        let mut run_task = self.filled("runTask", &self.run_task, account)?;
        if let Some(overrides) = &mut run_task.overrides {
            role(&mut overrides.task_role_arn);
            role(&mut overrides.execution_role_arn);
        }
        let mut tags = BTreeMap::clone(&self.tags);
        for (key, value) in &mut tags {
            let pointer = format!("/tags/{}", key.replace('~', "~0").replace('/', "~1"));
            if let Some(template) = self.open.get(&pointer) {
                *value = variables::close(template, account.as_str(), false);
            }
        }
        let cluster_arn = cluster_arn(&self.ecs_cluster, region, account);
        let mut notify = self.notify.clone();
        notify.iter_mut().for_each(|notify| role(&mut notify.role_arn));
        Ok(BoundJob {
            job: Arc::clone(self),
            account: account.clone(),
            task_definition,
            run_task,
            cluster_arn,
            role_arn: self.role_arn.as_deref().map(|role| role_arn(role, region, account)),
            scheduler_role_arn: self.scheduler.as_ref().map(|on| role_arn(&on.role_arn, region, account)),
            notify,
            tags,
        })
    }

    fn filled<T: Serialize + DeserializeOwned>(
        &self,
        part: &'static str,
        packed: &Packed<T>,
        account: &AccountId,
    ) -> Result<T, BindError> {
        let prefix = format!("/{part}");
        let inside: BTreeMap<&str, &String> = self
            .open
            .iter()
            .filter_map(|(pointer, template)| pointer.strip_prefix(&prefix).map(|rest| (rest, template)))
            .collect();
        let failed = |source| BindError::Fill { part, job: self.name.to_string(), source };
        if inside.is_empty() {
            return packed.open().map_err(failed);
        }
        let mut json: Json = serde_json::from_str(packed.as_json()).map_err(failed)?;
        for (pointer, template) in inside {
            if let Some(slot) = json.pointer_mut(pointer) {
                *slot = Json::String(variables::close(template, account.as_str(), pointer.starts_with("/overrides/")));
            }
        }
        serde_json::from_value(json).map_err(failed)
    }

    /// Digest of everything but the place it was written at.
    pub(crate) fn compute_digest(&self) -> Digest {
        // A job is made of maps with text keys, lists and scalars, none of which JSON refuses.
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Some(map) = json.as_object_mut() {
            map.remove("origin");
            map.remove("digest");
        }
        Digest::of_json(&json)
    }
}
