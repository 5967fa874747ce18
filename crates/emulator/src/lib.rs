//! The embedded AWS: ECS, EventBridge rules and EventBridge Scheduler as a sans-IO state machine.
//!
//! | module | holds |
//! |---|---|
//! | [`request`], [`reply`] | what goes over the wire |
//! | `emulator` | [`Emulator`]: `handle`, `advance`, `next_due`, `snapshot` |
//! | `model` | AWS's service models: members, types, bounds |
//! | `ecs`, `events`, `scheduler`, `sqs`, `tagging`, `sts` | the operations, one module per service |
//! | `page`, `throttle`, `lag`, `id` | pages of lists, token buckets, lists that run behind, ids of requests and events |
//! | `state`, `journal` | what is remembered, and how it survives the process |
//! | [`firing`], `retry` | ticks of schedules, what they start, and what is tried again |
//! | `settings` | how AWS is to behave where it leaves itself room |
//! | [`door`] | what carries requests and owns the clock: in process, or over HTTP |
//!
//! It is faithful where a controller can tell the difference: what AWS fills in, refuses, pages, reorders and never
//! reuses. Each such rule in the code names the section of `docs/aws.md` that it follows; `docs/emulator.md` lists what
//! is left out.

pub mod door;
pub mod firing;
pub mod reply;
pub mod request;

mod context;
mod ecs;
mod emulator;
mod events;
mod id;
mod journal;
mod lag;
mod model;
mod page;
mod place;
mod retry;
mod scheduler;
mod settings;
mod snapshot;
mod sqs;
mod state;
mod sts;
mod tagging;
mod throttle;

pub use emulator::Emulator;
pub use journal::{Journal, JournalError};
pub use place::{DEFAULT_ACCOUNT, DEFAULT_REGION};
pub use reply::Reply;
pub use request::Request;
pub use settings::Settings;
pub use state::{Change, Entity, Kind};
