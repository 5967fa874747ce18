//! The task behind a door that owns emulator and journal, and applies effects one by one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use super::hook::{Call, Hook};
use crate::emulator::Emulator;
use crate::firing::{Exhausted, Firing, Outcome};
use crate::journal::{Journal, JournalError};
use crate::reply::Reply;
use crate::request::Request;
use crate::state::Change;

/// How many requests at most share one write to the disk.
const BATCH: usize = 256;

/// A timer does not wake more often than this, however fast its clock.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Nor less often, since the machine's clock may be set, and may stand still while it sleeps.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A request at the moment of its effect.
#[derive(Debug)]
pub(super) enum Effect {
    Request { call: Arc<Call>, request: Arc<Request>, hook: Hook, done: oneshot::Sender<Reply> },
    CatchUp { done: oneshot::Sender<()> },
    Inspect { done: oneshot::Sender<serde_json::Value> },
    Close,
}

/// The one owner of emulator and journal.
pub(super) struct Actor {
    pub emulator: Emulator,
    pub journal: Option<Journal>,
    pub clock: Clock,
    /// Hears of ticks.
    pub hook: Hook,
    /// Whether to wake when something is due.
    pub timer: bool,
    /// Ticks from before are not worth a line in the log.
    pub opened: Timestamp,
}

impl Actor {
    /// Applies effects until told to close, or until the journal fails.
    ///
    /// Whatever waits in the inbox together shares one write to the disk, and no answer overtakes its write.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Effect>) -> Result<(), JournalError> {
        let mut batch = Vec::new();
        while self.receive(&mut inbox, &mut batch).await > 0 {
            let mut answers = Vec::with_capacity(batch.len());
            let mut closing = false;
            let mut lines = Vec::new();
            for effect in batch.drain(..) {
                match effect {
                    Effect::Request { call, request, hook, done } => {
                        let now = self.clock.now();
                        let reply = self.emulator.handle(now, &request);
                        self.tell_firings();
                        let changes = self.emulator.take_changes();
                        changes.iter().for_each(|change| hook.changed(now, &call, &request, change));
                        lines.extend(changes);
                        answers.push((done, reply));
                    }
                    Effect::CatchUp { done } => {
                        self.catch_up();
                        // Nobody may be waiting any more.
                        let _heard = done.send(());
                    }
                    Effect::Inspect { done } => {
                        self.catch_up();
                        drop(done.send(self.emulator.snapshot()));
                    }
                    Effect::Close => closing = true,
                }
            }
            self.write(lines).await?;
            for (done, reply) in answers {
                // The request's task may be gone with its runtime; nobody is left to answer then.
                drop(done.send(reply));
            }
            if closing {
                break;
            }
        }
        Ok(())
    }

    /// Waits for effects, and for nothing else unless there is a timer; none come any more when all doors are gone.
    async fn receive(&mut self, inbox: &mut mpsc::UnboundedReceiver<Effect>, batch: &mut Vec<Effect>) -> usize {
        loop {
            let due = self.emulator.next_due().filter(|_| self.timer);
            let Some(due) = due else { return inbox.recv_many(batch, BATCH).await };
            let wait = self.clock.until(due).clamp(SHORTEST_WAIT, LONGEST_WAIT);
            tokio::select! {
                biased;
                count = inbox.recv_many(batch, BATCH) => return count,
                () = tokio::time::sleep(wait) => self.catch_up(),
            }
        }
    }

    fn catch_up(&mut self) {
        self.emulator.advance(self.clock.now());
        self.tell_firings();
    }

    /// Tells of the ticks since the last time, and logs those that were not from before this door was opened.
    fn tell_firings(&mut self) {
        for firing in self.emulator.take_firings() {
            self.hook.fired(&firing);
            if firing.at >= self.opened {
                log(&firing);
            }
        }
    }

    async fn write(&mut self, changes: Vec<Change>) -> Result<(), JournalError> {
        if changes.is_empty() {
            return Ok(());
        }
        let Some(mut journal) = self.journal.take() else { return Ok(()) };
        // Waiting for the disk must not hold up the runtime, nor its paused clock run ahead of it.
        let written = tokio::task::spawn_blocking(move || journal.append(&changes).map(|()| journal)).await;
        match written {
            Ok(Ok(journal)) => {
                self.journal = Some(journal);
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the embedded AWS cannot write its journal and stops answering");
                Err(error)
            }
            Err(_shutdown) => Err(JournalError::Interrupted),
        }
    }
}

fn log(firing: &Firing) {
    let Firing { rule, target, due, outcome, account: _, region, at: _, retries, schedule_group } = firing;
    let group = schedule_group.as_deref();
    match outcome {
        Outcome::Started { task_definition, tasks, group: _ } => {
            let task_definition = task_definition.rsplit('/').next().unwrap_or_default();
            tracing::info!(%due, rule, group, region, target, task_definition, tasks = tasks.len(), "rule fired");
        }
        Outcome::Failed { code, message, again } => {
            tracing::info!(
                %due, rule, group, region, target, retries, failed = code, error = message, %again, "rule fired in vain"
            );
        }
        Outcome::Refused { code, message, exhausted, dead_letter: _ } => {
            let exhausted = exhausted.map(Exhausted::as_str);
            tracing::info!(
                %due, rule, group, region, target, retries, refused = code, error = message, exhausted, "rule fired"
            );
        }
        Outcome::NotPlaced { task_definition, reason } => {
            let task_definition = task_definition.rsplit('/').next().unwrap_or_default();
            tracing::info!(%due, rule, group, region, target, task_definition, not_placed = reason, "rule fired");
        }
        Outcome::Queued { queue, message_id } => {
            tracing::info!(%due, rule, group, region, target, queue, message_id, "rule fired");
        }
        Outcome::NotEmulated { arn, input } => {
            tracing::info!(%due, rule, group, region, target, refused = "not emulated", arn, input, "rule fired");
        }
    }
}
