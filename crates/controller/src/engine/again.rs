//! When a key that did not come to its end has its next turn.

use std::time::Duration;

use ecs_etl_plan::failure::RetryClass;
use ecs_etl_spec::name::JobName;

use super::{Engine, Key, Mode};
use crate::context::Interrupted;
use crate::queue::Urgency;
use crate::report::Retrying;

/// How often one pass tries a key that fails, before it gives up.
const TRIES_OF_ONE_PASS: u32 = 5;

/// The same where nothing answers at all: rarely a matter of seconds, and a person waits.
const TRIES_WITHOUT_ANSWER: u32 = 3;

/// A key that waits for the call budget asks again after so long at the latest, which costs no call: others may have given up
/// their places, and a bucket may fill faster again.
const LONGEST_WITHOUT_ASKING: Duration = Duration::from_secs(300);

impl Engine {
    /// Schedules another try of a key that was interrupted, unless only a person can help or the pass gives up.
    pub(super) fn retry(&mut self, key: Key, stopped: &Interrupted, urgency: Urgency) -> Option<Retrying> {
        match stopped {
            Interrupted::Failed(failure) => {
                let tries = if failure.is_unanswered() { TRIES_WITHOUT_ANSWER } else { TRIES_OF_ONE_PASS };
                self.try_again(key, failure.class, urgency, tries)
            }
            Interrupted::Budget { wait, .. } => {
                // Until then not even a resync tries it. What is far off may come earlier than was thought.
                let ask = (*wait).min(LONGEST_WITHOUT_ASKING);
                self.pace.slow_down(&key, ask);
                self.queue.schedule_after(key, ask, urgency);
                Some(Retrying { wait: *wait, attempts: 0 })
            }
            Interrupted::Counting | Interrupted::Held(_) => None,
            Interrupted::Standby => {
                self.standing_by.insert(key, urgency);
                None
            }
            Interrupted::Panicked | Interrupted::Doubtful(_) => self.again(key, RetryClass::Slow, urgency),
            Interrupted::Refused(_) | Interrupted::Undecided | Interrupted::Unbound(_) => {
                self.again(key, RetryClass::Terminal, urgency)
            }
        }
    }

    /// Schedules a key after its backoff; not at all where one pass gives up.
    pub(super) fn again(&mut self, key: Key, class: RetryClass, urgency: Urgency) -> Option<Retrying> {
        self.try_again(key, class, urgency, TRIES_OF_ONE_PASS)
    }

    fn try_again(&mut self, key: Key, class: RetryClass, urgency: Urgency, tries: u32) -> Option<Retrying> {
        let wait = self.cx.seams().wait(self.pace.failed(&key, class));
        let attempts = self.pace.failures(&key);
        let gives_up = match (self.mode, class) {
            (Mode::Daemon, _) => false,
            (Mode::OnePass, RetryClass::Soon | RetryClass::Throttled) => attempts >= tries,
            (Mode::OnePass, RetryClass::Slow | RetryClass::Terminal | RetryClass::NotFound) => true,
        };
        if gives_up {
            return None;
        }
        self.queue.schedule_after(key, wait, urgency);
        Some(Retrying { wait, attempts })
    }

    /// A key succeeded, or has a new spec: its failures are forgotten.
    pub(super) fn forget_failures(&mut self, key: &Key) {
        if self.cx.seams().forgets_failures() {
            self.pace.reset(key);
        }
    }

    /// A job was looked at, whatever came of it. Once every one was, those that waited for the count have their turn.
    pub(super) fn counted(&mut self, job: JobName) {
        let was_last = self.cx.gate().seen(&job);
        self.seen.insert(job);
        if was_last {
            self.look_again_at_held();
        }
    }

    /// Takes what was approved meanwhile; what that releases has its turn.
    pub(super) fn release_held(&mut self) {
        let approved = self.pruning.approved(&self.cx);
        let (before, after) = {
            let mut gate = self.cx.gate();
            let before = gate.held();
            gate.approve(approved);
            (before, gate.held())
        };
        if before.is_some() && after.is_none() {
            self.look_again_at_held();
        } else {
            self.reporter.held_changes(after.as_ref(), self.cx.clock.now());
        }
    }

    /// The lease changed hands. Whoever has it now looks at everything anew: the other may have done half of it.
    pub(super) fn lease_moved(&mut self) {
        let waiting = std::mem::take(&mut self.standing_by);
        if self.cx.may_write().is_err() {
            self.standing_by = waiting;
            return;
        }
        for (key, urgency) in waiting {
            let wait = self.pace.at_least(&key, Duration::ZERO);
            self.queue.schedule_after(key, wait, urgency);
        }
        for place in self.manifests.own_places() {
            let key = Key::Sweep(place);
            let wait = self.pace.at_least(&key, Duration::ZERO);
            self.queue.schedule_after(key, wait, Urgency::Edit);
        }
    }

    pub(super) fn look_again_at_held(&mut self) {
        let (waiting, held) = {
            let gate = self.cx.gate();
            (gate.waiting(), gate.held())
        };
        for job in waiting {
            let key = Key::Job(job);
            let wait = self.pace.at_least(&key, Duration::ZERO);
            self.queue.schedule_after(key, wait, Urgency::Edit);
        }
        self.reporter.held_changes(held.as_ref(), self.cx.clock.now());
    }
}
