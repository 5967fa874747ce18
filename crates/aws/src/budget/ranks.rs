//! What waits for one bucket, in the order in which it is served, with sums that need no walk over the line.

use std::collections::BTreeMap;

use super::line::Urgency;

/// How many calls wait for a bucket, by urgency and number in the line.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    by_urgency: BTreeMap<Urgency, Class>,
}

#[derive(Debug, Default)]
struct Class {
    calls: BTreeMap<u64, u64>,
    total: u64,
}

impl Ranks {
    pub(super) fn add(&mut self, urgency: Urgency, number: u64, calls: u64) {
        let class = self.by_urgency.entry(urgency).or_default();
        class.total += calls;
        class.calls.insert(number, calls);
    }

    pub(super) fn remove(&mut self, urgency: Urgency, number: u64) {
        if let Some(class) = self.by_urgency.get_mut(&urgency)
            && let Some(calls) = class.calls.remove(&number)
        {
            class.total -= calls;
        }
    }

    /// The calls that go before those of a ticket. Who is new is behind all of its class, and who comes back when told to is
    /// near its front: either way little is summed.
    pub(super) fn ahead(&self, urgency: Urgency, number: u64) -> u64 {
        let more_urgent: u64 = self.by_urgency.range(..urgency).map(|(_, class)| class.total).sum();
        let Some(class) = self.by_urgency.get(&urgency) else { return more_urgent };
        let earlier = match class.calls.last_key_value() {
            Some((last, _)) if *last > number => class.calls.range(..number).map(|(_, calls)| calls).sum(),
            Some(_) | None => class.total - class.calls.get(&number).copied().unwrap_or(0),
        };
        more_urgent + earlier
    }

    /// The calls of one ticket, if it waits here behind `urgency` and `number`.
    pub(super) fn behind(&self, (urgency, number): (Urgency, u64), favoured: (Urgency, u64)) -> u64 {
        if favoured <= (urgency, number) {
            return 0;
        }
        self.by_urgency.get(&favoured.0).and_then(|class| class.calls.get(&favoured.1)).copied().unwrap_or(0)
    }
}
