//! What RunTask answers where somebody wants it to fail: `run=ThrottlingException,times=3` (docs/emulator.md).

use jiff::{SignedDuration, Timestamp};

use crate::reply::Refusal;
use crate::retry::Attempt;

/// Reasons for which ECS finds no place for a task (docs/aws.md, Runs), and a short word for the one of Fargate.
const NO_PLACE: [&str; 5] = ["RESOURCE", "AGENT", "ATTRIBUTE", "LOCATION", "capacity"];

/// Fargate's words when it has no room (docs/aws.md, Runs).
const NO_CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";

/// An answer that somebody wants, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    what: What,
    /// So many attempts for each event are answered so; others are not.
    pub times: Option<u32>,
    /// So long after the first attempt for each event.
    pub lasts: Option<SignedDuration>,
    /// Up to this moment, whatever the event.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Refusal(Refusal),
    /// A success that tells of no task, but of a failure.
    NoPlace(String),
}

impl Answer {
    /// Reads an error code of RunTask, or a reason for which there is no place.
    pub(super) fn read(word: &str) -> Option<Self> {
        let what = match word {
            "capacity" => What::NoPlace(NO_CAPACITY.to_owned()),
            reason if NO_PLACE.contains(&reason.split(':').next().unwrap_or_default()) => {
                What::NoPlace(reason.to_owned())
            }
            code => What::Refusal(refusal(code)?),
        };
        Some(Self { what, times: None, lasts: None, until: None })
    }

    /// The answer to this attempt: a refusal, the reason for which there is no place, or nothing out of the ordinary.
    ///
    /// # Errors
    ///
    /// The refusal that is wanted.
    pub(super) fn give(&self, attempt: Attempt, now: Timestamp) -> Result<Option<String>, Refusal> {
        let within = |lasts: SignedDuration| now.duration_since(attempt.since) < lasts;
        let holds = self.times.is_none_or(|times| attempt.retries < times)
            && self.lasts.is_none_or(within)
            && self.until.is_none_or(|until| now < until);
        if !holds {
            return Ok(None);
        }
        match &self.what {
            What::Refusal(refusal) => Err(refusal.clone()),
            What::NoPlace(reason) => Ok(Some(reason.clone())),
        }
    }
}

/// RunTask's own refusal of that code (docs/aws.md, Runs).
fn refusal(code: &str) -> Option<Refusal> {
    let refusal = match code {
        "ThrottlingException" => Refusal::new("ThrottlingException", "Rate exceeded"),
        "ServerException" => {
            Refusal { status: 500, ..Refusal::new("ServerException", "Service Unavailable. Please try again later.") }
        }
        "AccessDeniedException" => {
            Refusal::new("AccessDeniedException", "User is not authorized to perform: ecs:RunTask")
        }
        "InvalidParameterException" => Refusal::new("InvalidParameterException", "The request was told to fail."),
        "ClientException" => Refusal::new("ClientException", "The request was told to fail."),
        "BlockedException" => Refusal::new("BlockedException", "Your account is currently blocked."),
        _ => return None,
    };
    Some(refusal)
}
