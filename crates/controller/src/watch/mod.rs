//! Watching the manifest directory: each state of it that came to rest, once.
//!
//! Events only say that something may have changed. What did change is found by looking, twice, and comparing contents; so
//! editors' renames, a checkout of a thousand files, swapped links, lost and superfluous events all end in the same: one
//! new [`Scan`]. Where no events come (some network file systems), a timer looks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::scan::{Limits, Scan, look_again, scan};
use crate::settle::{GAP, Settling, same_content};
use events::{Armed, Events};

mod approach;
mod events;

/// When to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    /// How long events must have been quiet before a look.
    pub debounce: Duration,
    /// How long events may keep a look away.
    pub max_delay: Duration,
    /// Time between the two looks that must agree. Without events it is `debounce`, for want of another sign of rest.
    pub settle_gap: Duration,
    /// How long a file may keep changing before it is set aside and the others are acted on.
    pub patience: Duration,
    /// Time between looks without any event: some are lost, and some file systems have none.
    pub rescan: Duration,
    /// The same when events are known not to come.
    pub poll: Duration,
    /// Whether to ask for events at all.
    pub events: bool,
    /// How much a look reads at most.
    pub limits: Limits,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(300),
            max_delay: Duration::from_secs(2),
            settle_gap: GAP,
            patience: Duration::from_secs(10),
            rescan: Duration::from_secs(10),
            poll: Duration::from_secs(2),
            events: true,
            limits: Limits::default(),
        }
    }
}

/// The states of a directory, as they come.
#[derive(Debug)]
pub struct ManifestWatch {
    settled: watch::Receiver<Option<Arc<Scan>>>,
    at_once: Arc<Notify>,
}

impl ManifestWatch {
    /// Starts watching `root`, which need not exist, until `cancel`. Must be called in a tokio runtime.
    pub fn start(root: &Path, options: WatchOptions, cancel: CancellationToken) -> Self {
        let (publish, settled) = watch::channel(None);
        let at_once = Arc::new(Notify::new());
        let dirty = Arc::new(Notify::new());
        // Relative to where the program was started, whatever its working directory becomes.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
        let events = if options.events { start_events(&dirty) } else { None };
        let task = Task {
            root,
            options,
            events,
            short: !options.events,
            whole: true,
            walked: None,
            dirty,
            at_once: Arc::clone(&at_once),
            settling: Settling::new(options.patience),
            publish,
        };
        tokio::spawn(async move { cancel.run_until_cancelled(task.run()).await });
        Self { settled, at_once }
    }

    /// States that somebody else brings to rest: a directory that exists in memory only.
    pub fn fed(settled: watch::Receiver<Option<Arc<Scan>>>) -> Self {
        Self { settled, at_once: Arc::default() }
    }

    /// The next state that differs from the one returned last: the first one soon after the start. Never, once cancelled.
    ///
    /// Nothing is lost if the wait is given up. States that followed one another quickly may be passed over.
    pub async fn changed(&mut self) -> Arc<Scan> {
        loop {
            if self.settled.changed().await.is_err() {
                return std::future::pending().await;
            }
            if let Some(scan) = self.settled.borrow_and_update().clone() {
                return scan;
            }
        }
    }

    /// Looks at once, without waiting for events or the timer.
    pub fn rescan(&self) {
        self.at_once.notify_one();
    }
}

fn start_events(dirty: &Arc<Notify>) -> Option<Events> {
    Events::start(Arc::clone(dirty))
        .inspect_err(|error| tracing::warn!(%error, "no file system events; the manifests are looked at regularly"))
        .ok()
}

struct Task {
    root: PathBuf,
    options: WatchOptions,
    events: Option<Events>,
    /// Not every directory can be watched, so the timer is the short one.
    short: bool,
    /// The next look is at everything: a timer or a person asks, or something may have gone unheard.
    whole: bool,
    /// When everything was looked at last.
    walked: Option<Instant>,
    dirty: Arc<Notify>,
    at_once: Arc<Notify>,
    settling: Settling,
    publish: watch::Sender<Option<Arc<Scan>>>,
}

impl Task {
    async fn run(mut self) {
        loop {
            // What was rung before a look is answered by it.
            while self.dirty.notified().now_or_never().is_some() {}
            let seen = match self.look_at_moving().await {
                Some(scan) => Some(scan),
                None => self.look().await,
            };
            let settled = match seen {
                Some(scan) => self.settling.observe(scan, Instant::now().into_std()),
                None => None,
            };
            match settled {
                Some(scan) => {
                    self.publish_if_new(&scan);
                    self.whole |= self.rest().await;
                }
                None => tokio::time::sleep(self.settle_gap()).await,
            }
        }
    }

    /// Looks at nothing but the files that were heard of, or that differed between the last two looks; at none if that is not
    /// enough.
    async fn look_at_moving(&mut self) -> Option<Scan> {
        // Asked in any case: a look at everything answers for them too.
        let touched = self.events.as_ref().and_then(Events::take_touched);
        let is_due = self.walked.is_none_or(|walked| walked.elapsed() >= self.options.rescan);
        if std::mem::take(&mut self.whole) || is_due || !self.has_events() {
            return None;
        }
        let last = Arc::clone(self.settling.last()?);
        let mut paths: BTreeSet<String> = self.settling.moving().union(&last.in_motion).cloned().collect();
        for path in touched? {
            paths.insert(last.manifest_at(&path)?.to_owned());
        }
        if paths.is_empty() {
            return None;
        }
        let (root, limits) = (self.root.clone(), self.options.limits);
        tokio::task::spawn_blocking(move || look_again(&root, &last, &paths, &limits)).await.ok().flatten()
    }

    /// One look, with the watches brought up to date with what it saw.
    async fn look(&mut self) -> Option<Scan> {
        let (root, limits) = (self.root.clone(), self.options.limits);
        let previous = self.settling.last().cloned();
        let mut events = self.events.take();
        let looking = tokio::task::spawn_blocking(move || {
            let scan = scan(&root, previous.as_deref(), &limits);
            let armed = events.as_mut().map(|events| events.arm(&scan.directories, &approach::waypoints(&root)));
            (scan, events, armed)
        });
        let (scan, events, armed) = match looking.await {
            Ok(done) => done,
            Err(error) => {
                // The watches went down with it: from here on the timer looks.
                tracing::error!(%error, "looking at the manifests failed");
                self.short = true;
                return None;
            }
        };
        self.events = events;
        self.walked = Some(Instant::now());
        match armed {
            None => {}
            Some(Armed::AsBefore) => self.short = false,
            Some(Armed::Grown) => {
                self.short = false;
                self.whole = true;
                self.dirty.notify_one();
            }
            Some(Armed::Short) => {
                if !self.short {
                    let poll_ms = millis(self.options.poll);
                    tracing::warn!(
                        poll_ms,
                        "not every directory can be watched; the manifests are looked at regularly"
                    );
                }
                self.short = true;
            }
        }
        Some(scan)
    }

    fn publish_if_new(&self, scan: &Arc<Scan>) {
        self.publish.send_if_modified(|published| {
            if published.as_ref().is_some_and(|published| same_content(published, scan)) {
                // The older one would only be kept beside the one that the next look is compared with.
                *published = Some(Arc::clone(scan));
                return false;
            }
            tracing::debug!(
                files = scan.files.len(),
                problems = scan.problems.len(),
                complete = scan.is_complete(),
                revision = scan.revision,
                "manifests came to rest"
            );
            *published = Some(Arc::clone(scan));
            true
        });
    }

    /// Until another look is worth while; true if that is one at everything.
    async fn rest(&self) -> bool {
        let timer = if self.has_events() { self.options.rescan } else { self.options.poll };
        tokio::select! {
            () = self.at_once.notified() => true,
            () = tokio::time::sleep(timer) => true,
            () = self.dirty.notified() => self.quiet().await,
        }
    }

    /// Until events have been quiet for a while, or have been coming for too long; true if a person asks meanwhile.
    async fn quiet(&self) -> bool {
        let deadline = Instant::now() + self.options.max_delay;
        loop {
            let quiet = Instant::now() + self.options.debounce;
            tokio::select! {
                () = self.at_once.notified() => return true,
                () = tokio::time::sleep_until(quiet.min(deadline)) => return false,
                () = self.dirty.notified() => {}
            }
        }
    }

    fn settle_gap(&self) -> Duration {
        if self.has_events() { self.options.settle_gap } else { self.options.debounce }
    }

    fn has_events(&self) -> bool {
        self.events.is_some() && !self.short
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
