//! How a decision ends before there are steps: with questions, or with a verdict that leaves the job alone.

use ecs_etl_spec::job::Place;

use crate::condition::{Reason, Verdict};
use crate::observed::{Fact, Look, Question, Questions};

/// Why no steps can be named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stop {
    /// These facts are missing.
    Look(Questions),
    /// The job is left alone.
    Leave(Verdict),
}

impl Stop {
    /// A resource of the job's name is a stranger's.
    pub fn not_owned(message: String) -> Self {
        Self::Leave(Verdict::Stalled(Reason::NotOwned, message))
    }

    /// Whose a resource is, or what it holds, could not be read: nothing may be written on the strength of it.
    pub fn unreadable(what: &str, why: &str) -> Self {
        Self::Leave(Verdict::Stalled(Reason::OwnershipUnknown, format!("{what} could not be read: {why}")))
    }
}

/// Collects everything that a stage of a decision lacks, so that it is asked in one round.
///
/// A verdict that holds whatever the answers are comes before the questions: then they need not be asked.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    questions: Questions,
    verdict: Option<Verdict>,
}

impl Asks {
    /// Asks `look` in the place the job lives in, or elsewhere.
    pub fn ask(&mut self, elsewhere: Option<&Place>, look: Look) {
        self.questions.insert(Question { elsewhere: elsewhere.cloned(), look });
    }

    /// The value of a fact; without one, asks for it or notes that nothing may be done.
    pub fn fact<'a, T>(
        &mut self,
        fact: Option<&'a Fact<T>>,
        elsewhere: Option<&Place>,
        look: impl FnOnce() -> Look,
        what: impl FnOnce() -> String,
    ) -> Option<&'a T> {
        match fact {
            Some(Fact::Known(value)) => Some(value),
            Some(Fact::Unreadable(why)) => {
                self.stop(Stop::unreadable(&what(), why));
                None
            }
            Some(Fact::NotRead) | None => {
                self.ask(elsewhere, look());
                None
            }
        }
    }

    /// Notes a stop; the first verdict counts.
    pub fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Look(questions) => self.questions.extend(questions),
            Stop::Leave(verdict) => {
                self.verdict.get_or_insert(verdict);
            }
        }
    }

    /// Goes on if nothing is lacking.
    pub fn settled(self) -> Result<(), Stop> {
        let Self { questions, verdict } = self;
        match verdict {
            Some(verdict) => Err(Stop::Leave(verdict)),
            None if questions.is_empty() => Ok(()),
            None => Err(Stop::Look(questions)),
        }
    }
}
