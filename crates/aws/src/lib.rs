//! The only crate of ecs-etl that names the AWS SDK: observe, act, classify, and the call budget.
//!
//! | module | holds |
//! |---|---|
//! | `endpoint`, `options`, `aws` | which AWS, how it is called, and [`Aws`], the handle on it |
//! | `look`, `listing`, `act` | questions and writes |
//! | `answer`, `pages` | AWS's answers, checked and in our words; lists, whole or failed |
//! | `call`, `error`, `redact` | the one way in which AWS is called; what a failed call means, without the secrets it sent |
//! | `budget` | a share of AWS's throttle buckets and the line before them |
//! | `clients`, `credentials`, `connector` | the SDK's clients by role and Region; assumed roles; the wire to the embedded AWS |
//! | `direct` | the short way to the embedded AWS, past the SDK's orchestrator, for simulations |
//! | `convert` | shapes to the SDK's types and back, generated |
//!
//! Nothing is retried here, the SDK's own retries are off, and nothing is cached but clients, credentials and account numbers:
//! when to try again is the controller's decision, what is known of AWS its memory.

mod act;
mod answer;
mod aws;
mod budget;
mod call;
mod clients;
mod connector;
pub mod convert;
mod credentials;
mod direct;
mod endpoint;
mod error;
mod in_process;
mod lease;
mod listing;
mod look;
mod operation;
mod options;
mod pages;
mod redact;
mod under_way;

pub use answer::{Answer, Done};
pub use aws::{Aws, ConnectError};
pub use budget::{Bucket, Rate, Reservation, Share, ShareError, Urgency};
pub use endpoint::{EMBEDDED_STATE, Endpoint, EndpointError};
pub use error::CallError;
pub use lease::{LEASE_KEY, LEASE_OPERATIONS, LeaseItem, LeaseTable, LeaseTableError};
pub use listing::ListedSchedule;
pub use look::ActiveRevisions;
pub use operation::{OPERATIONS, Operation};
pub use options::{CallRecord, Observer, Options, Timeouts};
