//! The doors: what carries requests to the emulator and owns the clock it is told about.
//!
//! The state machine itself knows neither time nor sockets. [`InProcess`] is the door of tests, simulations and the
//! embedded endpoint; [`http`] puts a listener in front of one.

mod actor;
mod clock;
mod hook;
pub mod http;
mod in_process;

pub use clock::Clock;
pub use hook::{Call, Conduct, Fault, Hook, Meter, Observer};
pub use in_process::{ConnectionLost, InProcess};
