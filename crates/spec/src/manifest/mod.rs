//! The documents as they are written: every field may be absent, nothing is resolved.
//!
//! These structures are also the source of the JSON Schema, so their comments are what an editor shows.

mod cluster;
mod controller;
mod job;
mod metadata;
mod trigger;

pub use cluster::ClusterSpec;
pub use controller::ControllerSpec;
pub use job::{JobSpec, ScheduleSpec};
pub use metadata::{MOVED_FROM, Metadata, OURS, RECONCILE};
pub use trigger::{AfterSpec, EventSpec, NotifySpec};

/// The `apiVersion` of every document of ours.
pub const API_VERSION: &str = "ecs-etl/v1";

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A job: task definition and schedule.
    Job,
    /// Where jobs run, and what they share.
    Cluster,
    /// Identity and rules of the controller.
    Controller,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Job, Kind::Cluster, Kind::Controller];

    /// The word under `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Job => "EtlJob",
            Kind::Cluster => "EtlCluster",
            Kind::Controller => "EtlController",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
