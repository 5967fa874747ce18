//! The embedded AWS as its clients see it: requests in, replies out, time as the tests please.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;

mod chains;
mod clusters;
mod consistency;
mod doors;
mod events;
mod firing;
mod garbage;
mod histories;
mod http;
mod identity;
mod invocations;
mod journals;
mod lifecycle;
mod normalisation;
mod pages;
mod patterns;
mod queues;
mod refusals;
mod retries;
mod rules;
mod scheduler;
mod schedules;
mod sources;
mod tagging;
mod targets;
mod tasks;
mod throttles;
mod wire;
