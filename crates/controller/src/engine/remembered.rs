//! Counts what the engine remembers.

use super::Engine;
use crate::remembered::{Per, Remembered};

impl Engine {
    /// How much is remembered that outlives a reconcile.
    pub(super) fn remembered(&self) -> Remembered {
        let mut all = Remembered::default();
        let Self {
            cx,
            manifests: _,
            reporter,
            pruning,
            queue,
            slots,
            mode: _,
            pace,
            fights,
            workers,
            running,
            identity: _,
            handled,
            seen,
            homes,
            unread,
            arrivals,
            creations,
            lost,
            beside,
            unread_homes,
            standing_by,
            lease: _,
            removable,
            removed,
            round_began: _,
        } = self;
        for (what, entries) in [
            ("specs handled", handled.len()),
            ("jobs seen", seen.len()),
            ("arrivals", arrivals.len()),
            ("creations that wait", creations.len()),
            ("lost jobs", lost.len()),
            ("jobs that run elsewhere", beside.len()),
            ("jobs that may run elsewhere", unread_homes.len()),
            ("removable jobs", removable.len()),
            ("removed jobs", removed.len()),
            ("jobs in fights", fights.len()),
            ("lowered jobs", cx.lowered().len()),
            ("jobs counted for one pass", cx.gate().len()),
        ] {
            all.note(what, Per::Job, entries);
        }
        for (what, entries) in [
            ("keys queued", queue.len()),
            ("keys paced", pace.len()),
            ("keys that work or wait", slots.len()),
            ("keys standing by", standing_by.len()),
            ("workers", workers.len()),
            ("running keys", running.len()),
        ] {
            all.note(what, Per::Key, entries);
        }
        all.note("homes", Per::Place, homes.len());
        all.note("unread places", Per::Place, unread.len());
        reporter.remembered(&mut all);
        pruning.remembered(&mut all);
        cx.world().remembered(&mut all);
        all
    }
}
