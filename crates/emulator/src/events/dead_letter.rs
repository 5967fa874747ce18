//! What becomes of an event that a target refuses (docs/aws.md, Dead letters).

use super::event::Event;
use super::rule_arn;
use crate::context::Context;
use crate::firing::Exhausted;
use crate::reply::Refusal;
use crate::sqs::{self, Letter};
use crate::state::State;

/// How the delivery of an event ended that is given up.
#[derive(Debug)]
pub(super) struct Lost<'a> {
    /// The ARN of the target.
    pub target: &'a str,
    /// What it said last.
    pub refusal: &'a Refusal,
    pub retries: u32,
    pub exhausted: Option<Exhausted>,
}

/// Puts the event into the queue for what could not be delivered, with the reason, and tells the message's id.
///
/// A queue that is not there takes nothing, and nobody hears of it. The attributes are those of docs/aws.md, Dead letters.
pub(super) fn send(
    state: &mut State,
    context: &Context<'_>,
    event: &Event<'_>,
    queue: &str,
    lost: &Lost<'_>,
) -> Option<String> {
    let Lost { target, refusal, retries, exhausted } = *lost;
    let mut attributes = vec![
        ("ERROR_CODE", code(refusal).to_owned()),
        ("ERROR_MESSAGE", refusal.message.clone()),
        ("RULE_ARN", rule_arn(event.place, event.rule)),
        ("TARGET_ARN", target.to_owned()),
    ];
    if let Some(exhausted) = exhausted {
        attributes.push(("EXHAUSTED_RETRY_CONDITION", exhausted.as_str().to_owned()));
        attributes.push(("RETRY_ATTEMPTS", retries.to_string()));
    }
    let seed = format!("dead/{}", event.seed());
    let letter = Letter { body: event.body().to_string(), attributes, seed: &seed };
    sqs::deliver(state, context, queue, letter).ok()
}

/// EventBridge's word for a refusal (docs/aws.md, Dead letters).
fn code(refusal: &Refusal) -> &'static str {
    match (refusal.code, refusal.message.as_str()) {
        ("ClusterNotFoundException" | "QueueDoesNotExist", _) | ("ClientException", "TaskDefinition not found.") => {
            "NO_RESOURCE"
        }
        ("SerializationException", _) => "INVALID_JSON",
        ("AccessDeniedException", _) => "NO_PERMISSIONS",
        ("ThrottlingException", _) => "THROTTLING",
        ("ServerException", _) => "ERROR_FROM_TARGET",
        _ => "INVALID_PARAMETER",
    }
}
