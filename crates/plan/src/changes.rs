//! Holding back a pass that would change more existing jobs than `maxChanges` allows.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::name::{Digest, JobName};
use serde_json::json;

use crate::prune::Held;

/// Existing jobs and the spec that each would be brought to, by its `observedSpec`.
pub type Changes = BTreeMap<JobName, Digest>;

/// Decides whether the changes of existing jobs may go on; creations are not among them.
///
/// `pending` is what would still change, `done` what this pass has changed already. A set is held as a whole unless its digest is
/// approved; an approved set stays so while it is carried out. `done` is memory: after a crash what is left is another set.
pub fn hold(pending: &Changes, done: &Changes, max: Option<u32>, approved: &BTreeSet<Digest>) -> Option<Held> {
    let max = usize::try_from(max?).unwrap_or(usize::MAX);
    if pending.is_empty() {
        return None;
    }
    let mut all = done.clone();
    all.extend(pending.iter().map(|(job, spec)| (job.clone(), spec.clone())));
    if all.len() <= max {
        return None;
    }
    if !approved.is_empty() && (approved.contains(&digest(pending)) || approved.contains(&digest(&all))) {
        return None;
    }
    let why = match done.len() {
        0 => format!("{} existing jobs would change; maxChanges allows {max}", pending.len()),
        n => format!("{} existing jobs would change after {n} that did; maxChanges allows {max}", pending.len()),
    };
    Some(Held { digest: digest(pending), jobs: pending.keys().cloned().collect(), why })
}

/// What a person approves: which jobs become what.
fn digest(changes: &Changes) -> Digest {
    Digest::of_json(&json!({ "change": changes }))
}
