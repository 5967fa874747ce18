//! A plan in words, for people and for machines. Values that look secret are masked.

use serde_json::{Value, json};

use crate::step::{Action, Because, Plan, RevisionRef, Step};

/// The steps of a plan, a line each, with the reasons below.
pub fn text(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        text.push_str(&format!("    {} {}\n", step.action.operation(), object(step)));
        match &step.because {
            Because::Missing => text.push_str("        it does not exist\n"),
            Because::Note(note) => text.push_str(&format!("        {note}\n")),
            Because::Differs(changes) => {
                for change in changes {
                    text.push_str(&format!("        {change}\n"));
                }
            }
        }
    }
    text
}

/// The same as JSON: `{kind, steps: [{operation, resource, region, because, changes}], notes}`.
pub fn json(plan: &Plan) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let (because, changes) = match &step.because {
                Because::Missing => ("missing".to_owned(), None),
                Because::Note(note) => (note.clone(), None),
                Because::Differs(changes) => ("differs".to_owned(), Some(changes)),
            };
            json!({
                "operation": step.action.operation(),
                "resource": step.action.resource(),
                "region": step.place.region,
                "because": because,
                "changes": changes,
            })
        })
        .collect();
    json!({ "kind": format!("{:?}", plan.kind), "steps": steps, "notes": plan.notes })
}

/// What a step acts on, with what tells it from its like.
fn object(step: &Step) -> String {
    let resource = step.action.resource();
    match &step.action {
        Action::PutRule { trigger, state, .. } => format!("{resource} {trigger} {}", state.as_str()),
        Action::PutSchedule { schedule, revision, .. } => {
            let pins = match revision {
                RevisionRef::Existing(arn) => format!("{}:{}", arn.family(), arn.revision()),
                RevisionRef::FromStep(_) => "the new revision".to_owned(),
            };
            format!("{resource} {} {} -> {pins}", schedule.timing, schedule.state.as_str())
        }
        Action::PutTargets { revision: Some(RevisionRef::Existing(arn)), .. } => {
            format!("{resource} -> {}:{}", arn.family(), arn.revision())
        }
        Action::PutTargets { revision: Some(RevisionRef::FromStep(_)), .. } => {
            format!("{resource} -> the new revision")
        }
        Action::PutTargets { revision: None, target, .. } => {
            format!("{resource} -> {}", target.arn.as_deref().unwrap_or_default())
        }
        Action::RemoveTargets { ids, .. } => format!("{resource} {}", ids.join(", ")),
        Action::TagRule { tags, .. } | Action::TagRevision { tags, .. } => {
            format!("{resource} {}", tags.keys().cloned().collect::<Vec<_>>().join(", "))
        }
        Action::UntagRule { keys, .. } | Action::UntagRevision { keys, .. } => {
            format!("{resource} {}", keys.join(", "))
        }
        Action::RegisterTaskDefinition { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::DeleteSchedule { .. }
        | Action::DeregisterTaskDefinition { .. } => resource.to_owned(),
    }
}
