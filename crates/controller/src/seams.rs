//! Where what the controller knows and wants can be bent on its way, to see whether anybody would notice a worse controller.
//!
//! The shipped program lets everything pass as it is ([`AsItIs`]). A simulation that must not let any wrong controller survive
//! puts wrong ones here, made of data and not of patches.

use std::fmt;
use std::time::Duration;

use ecs_etl_plan::step::Plan;

use crate::context::Interrupted;
use crate::manifests::Manifests;
use crate::pruning::Knowledge;
use crate::reconcile::Outcome;
use crate::remembered::Remembered;

/// What passes, and may be bent.
pub trait Seams: fmt::Debug + Send + Sync {
    /// What the directory says, before anything is made of it.
    fn manifests(&self, manifests: &mut Manifests) {
        let Manifests { .. } = manifests;
    }

    /// A plan that is about to be carried out.
    fn plan(&self, plan: &mut Plan) {
        let Plan { .. } = plan;
    }

    /// What a reconcile of a job came to.
    fn outcome(&self, outcome: &mut Result<Outcome, Interrupted>) {
        let (Ok(_) | Err(_)) = outcome;
    }

    /// How long a key that failed waits.
    fn wait(&self, wait: Duration) -> Duration {
        wait
    }

    /// Whether a key that succeeded, or has a new spec, starts to count its failures anew.
    fn forgets_failures(&self) -> bool {
        true
    }

    /// Whether what was known of jobs that nobody wants any more is forgotten.
    fn forgets_jobs(&self) -> bool {
        true
    }

    /// Whether the status says that somebody else keeps undoing what is repaired.
    fn names_fights(&self) -> bool {
        true
    }

    /// Told with each heartbeat: `_count` counts what is remembered, for whoever wants to know.
    fn remembers(&self, _count: &dyn Fn() -> Remembered) {}

    /// What the rules of deletion are asked with.
    fn deletion(&self, knowledge: &mut Knowledge) {
        let Knowledge { .. } = knowledge;
    }
}

/// Everything passes as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsItIs;

impl Seams for AsItIs {}
