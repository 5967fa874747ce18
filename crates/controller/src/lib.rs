//! The loop of ecs-etl: scan and watch the directory, queue, reconcile, report.
//!
//! Start reading at [`reconcile::reconcile`]: one reconcile of one job. [`engine::Engine`] decides when which key has its turn;
//! [`daemon::run`] and [`once::settle`] turn it.

pub mod act;
pub mod admit;
pub mod approval;
pub mod clock;
pub mod context;
pub mod daemon;
pub mod effect;
pub mod engine;
pub mod fight;
pub mod former_prefix;
pub mod gate;
pub mod lock;
pub mod manifests;
pub mod observe;
pub mod once;
pub mod orphans;
pub mod pace;
pub mod preview;
pub mod pruning;
pub mod publish;
pub mod queue;
pub mod reconcile;
pub mod report;
pub mod scan;
pub mod selector;
pub mod settle;
pub mod slots;
pub mod source;
pub mod status;
pub mod sweep;
pub mod tidy;
pub mod verdict;
pub mod watch;
pub mod world;
