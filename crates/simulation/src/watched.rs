//! The controller's seams, with somebody who counts what it remembers.

use std::sync::Arc;
use std::time::Duration;

use ecs_etl_controller::context::Interrupted;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::pruning::Knowledge;
use ecs_etl_controller::reconcile::Outcome;
use ecs_etl_controller::remembered::Remembered;
use ecs_etl_controller::seams::Seams;
use ecs_etl_plan::step::Plan;

use crate::world::World;

/// Lets pass what others do, and tells the judge of what is remembered.
#[derive(Debug)]
pub(crate) struct Watched {
    world: Arc<World>,
    process: usize,
    seams: Arc<dyn Seams>,
}

impl Watched {
    /// Watches a process whose seams are `seams`.
    pub fn new(world: Arc<World>, process: usize, seams: Arc<dyn Seams>) -> Self {
        Self { world, process, seams }
    }
}

impl Seams for Watched {
    fn manifests(&self, manifests: &mut Manifests) {
        self.seams.manifests(manifests);
    }

    fn plan(&self, plan: &mut Plan) {
        self.seams.plan(plan);
    }

    fn outcome(&self, outcome: &mut Result<Outcome, Interrupted>) {
        self.seams.outcome(outcome);
    }

    fn wait(&self, wait: Duration) -> Duration {
        self.seams.wait(wait)
    }

    fn forgets_failures(&self) -> bool {
        self.seams.forgets_failures()
    }

    fn forgets_jobs(&self) -> bool {
        self.seams.forgets_jobs()
    }

    fn names_fights(&self) -> bool {
        self.seams.names_fights()
    }

    fn deletion(&self, knowledge: &mut Knowledge) {
        self.seams.deletion(knowledge);
    }

    fn remembers(&self, count: &dyn Fn() -> Remembered) {
        // Before, nothing is asked of it.
        let is_calm = self.world.state().judge.is_calm(self.world.millis());
        if is_calm {
            let remembered = count();
            self.world.state().judge.remembers(self.process, remembered);
        }
    }
}
