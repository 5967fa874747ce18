//! What is called how, and whose it is by that.

use ecs_etl_emulator::Request;
use ecs_etl_emulator::firing::Firing;

use crate::mirror::{Changed, Key, Mirror};
use crate::ways::LEGACY;

/// Whether a change is one of tags.
pub(super) fn tags_changed(changed: &Changed) -> bool {
    match changed {
        Changed::Rule(_, Some(before), Some(after)) => before.tags != after.tags,
        Changed::Revision(_, Some(before), Some(after)) => before.tags != after.tags,
        Changed::Rule(..) | Changed::Revision(..) => false,
    }
}

/// What a thing is called.
pub(super) fn name_of(changed: &Changed) -> &str {
    match changed {
        Changed::Rule((_, name), ..) | Changed::Revision((_, name), ..) => name,
    }
}

/// The job that a thing belongs to: by its mark, which a renamed job has on what it took over, or by its name.
pub(super) fn about(changed: &Changed) -> Option<&str> {
    let (name, tags) = match changed {
        Changed::Rule((_, name), before, after) => {
            (name, [before.as_ref(), after.as_ref()].map(|rule| rule.map(|rule| &rule.tags)))
        }
        Changed::Revision((_, name), before, after) => {
            (name, [before.as_ref(), after.as_ref()].map(|revision| revision.map(|revision| &revision.tags)))
        }
    };
    let marked = tags.into_iter().flatten().find_map(|tags| tags.get("ecs-etl/job"));
    marked.map(String::as_str).or_else(|| job_of(name))
}

/// The job that a rule fires for: by its mark, which a renamed job has on what it took over, or by its name.
pub(super) fn fires_for<'a>(firing: &'a Firing, mirror: &'a Mirror) -> Option<&'a str> {
    let key = (format!("{}/{}", firing.account, firing.region), firing.rule.clone());
    let marked = mirror.rules.get(&key).and_then(|rule| rule.tags.get("ecs-etl/job"));
    marked.map(String::as_str).or_else(|| job_of(&firing.rule))
}

/// The job that a rule, schedule, family or revision belongs to by its name.
pub(crate) fn job_of(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_prefix("etl-").or_else(|| name.strip_prefix(LEGACY))?;
    let name = name.split(':').next().unwrap_or(name);
    Some(match name.rsplit_once('.') {
        Some((stem, _)) => stem,
        None => name,
    })
}

/// The place and the name of a revision that a request names by its ARN.
pub(super) fn revision_asked_for(request: &Request) -> Option<Key> {
    asked_for(request, "taskDefinition", ":task-definition/")
}

/// The place and the name of a rule that a request names by its ARN.
pub(super) fn rule_asked_for(request: &Request) -> Option<Key> {
    asked_for(request, "ResourceARN", ":rule/")
}

fn asked_for(request: &Request, member: &str, kind: &str) -> Option<Key> {
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    let (home, name) = body.get(member)?.as_str()?.split_once(kind)?;
    let account_region = home.rsplit(':').take(2).collect::<Vec<_>>().join("/");
    Some((account_region, name.to_owned()))
}
