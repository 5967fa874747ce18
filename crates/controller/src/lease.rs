//! Active and standby: this controller's view of the lease, and the loop that keeps it.
//!
//! What the lease allows is [`ecs_etl_plan::lease`]'s to say. Here are the clocks, the waiting, and the words in the log.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ecs_etl_aws::LeaseItem;
use ecs_etl_plan::failure::Failure;
use ecs_etl_plan::lease::{Answer, Ask, Lease, Moment, Next, Standing, Terms};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A controller's view of the lease.
#[derive(Debug)]
pub struct Seat {
    lease: Mutex<Lease>,
    /// When this process began to count, on both clocks.
    began: (Instant, SystemTime),
    table: String,
    standing: watch::Sender<Standing>,
    /// Why the table was not heard of, when it was asked last.
    trouble: Mutex<Option<String>>,
}

impl Seat {
    /// The view of a controller called `me`, which has not asked yet. `table` is for people.
    pub fn new(me: String, table: String, terms: Terms) -> Self {
        Self {
            lease: Mutex::new(Lease::new(me, terms)),
            began: (Instant::now(), SystemTime::now()),
            table,
            standing: watch::Sender::new(Standing::Standby(None)),
            trouble: Mutex::default(),
        }
    }

    /// Whether a write to AWS may begin now.
    pub fn may_write(&self) -> bool {
        self.lease().may_write(self.now())
    }

    /// Who may write now.
    pub fn standing(&self) -> Standing {
        self.lease().standing(self.now())
    }

    /// The table that the lease is in.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Why the table was not heard of, when it was asked last.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells of every change of hands from now on.
    pub fn changes(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// What to do next for the lease.
    pub fn next(&self) -> Next {
        self.lease().next(self.now(), version)
    }

    /// Takes what came of it.
    pub fn answered(&self, answer: Answer) {
        self.lease().answered(self.now(), answer);
        self.tell();
    }

    async fn ask(&self, item: &LeaseItem, ask: &Ask) -> Result<(), Failure> {
        let (answer, failure) = item.ask(ask).await;
        self.answered(answer);
        self.heard(failure.as_ref());
        failure.map_or(Ok(()), Err)
    }

    /// Says in the log, and to who waits for it, that the lease has changed hands.
    fn tell(&self) {
        let now = self.standing();
        let before = self.standing.send_replace(now.clone());
        if before == now {
            return;
        }
        match (&before, &now) {
            (_, Standing::Holder) => tracing::info!(table = self.table, "lease taken; this controller writes"),
            (Standing::Holder, Standing::Standby(holder)) => {
                tracing::warn!(
                    table = self.table,
                    holder,
                    "lease lost; this controller only looks until it has it again"
                );
            }
            // On its way to another holder, or to this one.
            (Standing::Standby(_), Standing::Standby(None)) => {}
            (Standing::Standby(_), Standing::Standby(holder @ Some(_))) => {
                tracing::info!(table = self.table, holder, "standing by; another controller holds the lease");
            }
        }
    }

    fn now(&self) -> Moment {
        let (steady, wall) = self.began;
        Moment { steady: steady.elapsed(), wall: wall.elapsed().unwrap_or_default() }
    }

    fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self, failure: Option<&Failure>) {
        let now = failure.map(ToString::to_string);
        let before = std::mem::replace(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner), now.clone());
        match (before, now) {
            (before, Some(why)) if before.as_ref() != Some(&why) => {
                tracing::warn!(table = self.table, error = why, "the lease's table does not answer; it is asked again");
            }
            (Some(_), None) => tracing::info!(table = self.table, "the lease's table answers again"),
            (Some(_), Some(_)) | (None, Some(_)) | (None, None) => {}
        }
    }
}

/// Asks for the lease for the first time.
///
/// # Errors
///
/// The table refused, or did not answer.
pub async fn ask_first(seat: &Seat, item: &LeaseItem) -> Result<(), Failure> {
    match seat.next() {
        Next::Wait(_) => Ok(()),
        Next::Ask(ask) => seat.ask(item, &ask).await,
    }
}

/// Keeps the lease, or waits for it, until `stop`.
pub async fn keep(seat: &Seat, item: &LeaseItem, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match seat.next() {
            Next::Wait(wait) => {
                // What runs out while nothing is due is told in time.
                let left = seat.lease().left(seat.now());
                let wait = if left.is_zero() { wait } else { wait.min(left + Duration::from_millis(1)) };
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(wait) => seat.tell(),
                }
            }
            // Not broken off: what a write whose answer nobody hears has done, nobody knows.
            Next::Ask(ask) => match seat.ask(item, &ask).await {
                // Told in the log already, and asked again when it is due.
                Ok(()) | Err(_) => {}
            },
        }
    }
}

/// Gives the lease up, so that another controller takes it at once. Only who has no write under way may do so.
pub async fn release(seat: &Seat, item: &LeaseItem) {
    let versions = seat.lease().release();
    for version in versions {
        match item.delete(&version).await {
            Ok(()) => tracing::info!(table = seat.table, "lease released"),
            Err(failure) => {
                tracing::warn!(table = seat.table, error = %failure, "the lease could not be released and runs out by itself");
            }
        }
    }
}

/// A text that nobody else writes: 128 bits that the system has drawn.
fn version() -> String {
    let draw = || RandomState::new().hash_one(SystemTime::now());
    format!("{:016x}{:016x}", draw(), draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_versions_are_alike() {
        let drawn: std::collections::BTreeSet<String> = (0..10_000).map(|_| version()).collect();
        assert_eq!(drawn.len(), 10_000);
    }
}
