//! What becomes of an event that a target refuses (docs/aws.md, Dead letters).

use super::event::Event;
use super::rule_arn;
use crate::context::Context;
use crate::reply::Refusal;
use crate::sqs::{self, Letter};
use crate::state::State;

/// Puts the event into the queue for what could not be delivered, with the reason, and tells the message's id.
///
/// A queue that is not there takes nothing, and nobody hears of it.
pub(super) fn send(
    state: &mut State,
    context: &Context<'_>,
    event: &Event<'_>,
    target: &str,
    queue: &str,
    refusal: &Refusal,
) -> Option<String> {
    let attributes = vec![
        ("ERROR_CODE", code(refusal).to_owned()),
        ("ERROR_MESSAGE", refusal.message.clone()),
        ("RULE_ARN", rule_arn(event.place, event.rule)),
        ("TARGET_ARN", target.to_owned()),
    ];
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
        _ => "INVALID_PARAMETER",
    }
}
