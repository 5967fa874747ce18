//! The queue with a clock: shared by those who find work and those who do it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Queue, Urgency, after};

/// A [`Queue`] that can be waited on. Clones share it.
#[derive(Debug)]
pub struct WorkQueue<K: Ord + Clone> {
    shared: Arc<Shared<K>>,
}

#[derive(Debug)]
struct Shared<K> {
    queue: Mutex<Queue<K>>,
    changed: Notify,
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, Queue<K>> {
        // Nothing panics while it holds the lock; if something did, the queue is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Ord + Clone> Default for WorkQueue<K> {
    fn default() -> Self {
        Self { shared: Arc::new(Shared { queue: Mutex::new(Queue::new()), changed: Notify::new() }) }
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants `key` now. See [`Queue::schedule`].
    pub fn schedule(&self, key: K, urgency: Urgency) {
        self.schedule_after(key, Duration::ZERO, urgency);
    }

    /// Wants `key` after `delay`. See [`Queue::schedule_after`].
    pub fn schedule_after(&self, key: K, delay: Duration, urgency: Urgency) {
        self.shared.lock().schedule(key, after(now(), delay), urgency);
        self.shared.changed.notify_one();
    }

    /// Wants `key` no longer. See [`Queue::forget`].
    pub fn forget(&self, key: &K) {
        self.shared.lock().forget(key);
    }

    /// Waits for the next key that is due. Nothing is taken if the wait is given up.
    pub async fn next(&self) -> Work<K> {
        loop {
            let changed = self.shared.changed.notified();
            let due = {
                let mut queue = self.shared.lock();
                match queue.pop(now()) {
                    Some((key, urgency)) => {
                        let more = queue.next_due().is_some();
                        drop(queue);
                        if more {
                            // A wake-up is for one waiter. There may be work for the next one as well.
                            self.shared.changed.notify_one();
                        }
                        return Work { key, urgency, shared: Arc::clone(&self.shared) };
                    }
                    None => queue.next_due(),
                }
            };
            match due {
                Some(due) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep_until(due.into()) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// How many keys are wanted or in flight.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether nothing is wanted and nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.shared.lock().is_empty()
    }

    /// How many keys are in flight.
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight()
    }

    /// How long until the next key is due; none while nothing is wanted that is not in flight.
    pub fn next_in(&self) -> Option<Duration> {
        self.shared.lock().next_due().map(|due| due.saturating_duration_since(now()))
    }
}

/// tokio's clock, which tests can pause.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A key in flight. Dropped, by whatever path the work ends, panic included, it is free to be taken again.
#[derive(Debug)]
#[must_use = "the key is free again as soon as this is dropped"]
pub struct Work<K: Ord + Clone> {
    key: K,
    urgency: Urgency,
    shared: Arc<Shared<K>>,
}

impl<K: Ord + Clone> Work<K> {
    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// How urgent it was, for logs and for the order of calls; never for a decision.
    pub fn urgency(&self) -> Urgency {
        self.urgency
    }
}

impl<K: Ord + Clone> Drop for Work<K> {
    fn drop(&mut self) {
        self.shared.lock().finish(&self.key);
        self.shared.changed.notify_one();
    }
}
