//! Lists that run behind: what they are read from when AWS is to show its worst (docs/aws.md, Consistency).

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::request::{Operation, Service};
use crate::state::{Change, State};

/// The state as lists see it, and what they are still to see.
#[derive(Debug)]
pub(crate) struct Lagging {
    view: State,
    lag: SignedDuration,
    coming: VecDeque<(Timestamp, Change)>,
}

impl Lagging {
    /// A view that has seen all of `state`; `None` when lists are not to lag.
    pub(crate) fn behind(state: &State, lag: SignedDuration) -> Option<Self> {
        lag.is_positive().then(|| Self { view: state.clone(), lag, coming: VecDeque::new() })
    }

    /// Whether an operation is read from the view: the lists over many resources.
    pub(crate) fn shows(operation: &Operation) -> bool {
        let lists: &[&str] = match operation.service {
            Service::Ecs => &["ListTaskDefinitions", "ListTaskDefinitionFamilies"],
            Service::Events => &["ListRules", "ListRuleNamesByTarget"],
            Service::Tag | Service::Scheduler | Service::Sqs | Service::Sts | Service::Emulator => &[],
        };
        lists.contains(&operation.name.as_str())
    }

    /// Has the view see a change after the lag.
    pub(crate) fn note(&mut self, now: Timestamp, change: &Change) {
        let due = now.checked_add(self.lag).unwrap_or(Timestamp::MAX);
        self.coming.push_back((due, change.for_lists()));
    }

    /// Lets the view see what it is due to see.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some((_, change)) = self.coming.pop_front() else { return };
            if let Err(error) = self.view.apply(change) {
                tracing::error!(%error, "a change of the embedded AWS does not read back");
            }
        }
    }

    /// When the view next sees something.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.coming.front().map(|(due, _)| *due)
    }

    /// What lists are read from.
    pub(crate) fn view(&mut self) -> &mut State {
        &mut self.view
    }
}
