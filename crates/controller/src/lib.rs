//! The loop of ecs-etl: scan and watch the directory, queue, reconcile, report.
//!
//! Start reading at [`reconcile::reconcile`]: one reconcile of one job. [`engine::Engine`] decides when which key has its turn;
//! [`daemon::run`] and [`once::settle`] turn it.

mod act;
mod admit;
mod adopted;
pub mod approval;
pub mod clock;
pub mod context;
pub mod daemon;
mod effect;
pub mod engine;
mod fight;
mod former_prefix;
mod gate;
pub mod lease;
pub mod lock;
mod lowered;
pub mod manifests;
mod observe;
pub mod once;
mod orphans;
mod pace;
mod presume;
pub mod preview;
pub mod pruning;
pub mod publish;
pub mod queue;
pub mod reconcile;
pub mod remembered;
pub mod report;
pub mod scan;
pub mod seams;
pub mod selector;
pub mod settle;
pub mod shard;
mod slots;
pub mod source;
pub mod status;
mod sweep;
mod tidy;
pub mod verdict;
pub mod watch;
mod went;
mod world;
