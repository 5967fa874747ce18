//! The whole, from outside: one program of tests, so that those that wait do so beside each other.

mod aws_cli;
mod bad_input;
mod budgets;
mod daemon;
mod deploy;
mod deviations;
mod differential;
mod first_run;
mod kill;
mod lease;
mod meter;
mod recorded;
mod samples;
mod scenario;
mod service_model;
mod supply_chain;
