//! Which targets of a rule are ours, and what must be put in place of the one that is there.

use ecs_etl_spec::name::Family;
use ecs_etl_spec::shapes::events::Target;

use crate::desired::TARGET_ID;
use crate::observed::RevisionArn;

/// The targets of one rule of ours, told apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Split<'a> {
    /// The Id that our target has, or would have.
    pub id: String,
    /// The one with our Id.
    pub ours: Option<&'a Target>,
    /// Ids of others that start the job as well: they would make it run twice.
    pub strays: Vec<String>,
    /// Ids of other people's targets. They stay.
    pub strangers: Vec<String>,
}

impl<'a> Split<'a> {
    /// Tells the targets of a rule apart. A target is ours by the Id that ours has on this rule, a stray of ours by an Id that starts like our usual one or by a
    /// task definition of the job's family.
    pub fn of(targets: &'a [Target], families: &[&Family], ours: &str) -> Self {
        let mut split = Self { id: ours.to_owned(), ..Self::default() };
        for target in targets {
            let id = target.id.as_deref().unwrap_or_default();
            let starts_job = task_family(target).is_some_and(|family| families.iter().any(|f| f.as_str() == family));
            if id == ours {
                split.ours = Some(target);
            } else if id.starts_with(TARGET_ID) || starts_job {
                split.strays.push(id.to_owned());
            } else {
                split.strangers.push(id.to_owned());
            }
        }
        split
    }

    /// Ids of everything on the rule that is ours.
    pub fn our_ids(&self) -> Vec<String> {
        let ours = self.ours.map(|_| self.id.clone());
        ours.into_iter().chain(self.strays.iter().cloned()).collect()
    }

    /// Ids of everything on the rule that starts the job; a target of ours may also only tell of a run.
    pub fn starting_ids(&self) -> Vec<String> {
        let ours = self.ours.filter(|target| target.ecs_parameters.is_some()).map(|_| self.id.clone());
        ours.into_iter().chain(self.strays.iter().cloned()).collect()
    }

    /// Whether anything on the rule starts the job.
    pub fn starts_job(&self) -> bool {
        !self.strays.is_empty() || self.ours.is_some_and(|target| target.ecs_parameters.is_some())
    }

    /// The revision that our target pins.
    pub fn pinned(&self) -> Option<RevisionArn> {
        RevisionArn::parse(task_definition(self.ours?)?)
    }
}

/// The task definition of an ECS target.
pub(crate) fn task_definition(target: &Target) -> Option<&str> {
    target.ecs_parameters.as_ref()?.task_definition_arn.as_deref()
}

/// The family of an ECS target's task definition, with or without a revision.
pub(crate) fn task_family(target: &Target) -> Option<&str> {
    let (_, name) = task_definition(target)?.rsplit_once(":task-definition/")?;
    Some(name.split_once(':').map_or(name, |(family, _)| family))
}

/// The target with its task definition filled in.
pub fn pinning(target: &Target, revision: &str) -> Target {
    let mut target = target.clone();
    target.ecs_parameters.get_or_insert_default().task_definition_arn = Some(revision.to_owned());
    target
}
