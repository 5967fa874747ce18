//! Wrong controllers.

use std::sync::Arc;

use ecs_etl_controller::seams::{AsItIs, Seams};
use ecs_etl_emulator::door::Call;
use ecs_etl_emulator::{Reply, Request};

/// A wrong controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Placeholder.
    Nothing,
}

impl Mutant {
    /// Inner seams.
    pub fn seams(self) -> Arc<dyn Seams> {
        Arc::new(AsItIs)
    }

    /// Sent instead.
    pub fn sends(&self, _call: &Call, request: Request) -> Request {
        request
    }

    /// Arrives instead.
    pub fn arrives(&self, _call: &Call, _request: &Request, reply: Reply) -> Reply {
        reply
    }
}
