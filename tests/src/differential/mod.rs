//! The same random calls to our emulator and to another stand-in, and every difference explained or a fault.
//!
//! A sequence follows from its seed ([`sequence`]). It is carried out on each server ([`drive`]); the answers are
//! compared in canonical form ([`compare`]); what differs is excused by the table of deviations ([`excuse`]) or is
//! reported with the shortest sequence that still shows it ([`shrink`]).

pub mod choose_ecs;
pub mod choose_events;
pub mod choose_scheduler;
pub mod compare;
pub mod content;
pub mod drive;
pub mod excuse;
pub mod judge;
pub mod rules;
pub mod schedules;
pub mod sequence;
pub mod shrink;
pub mod task_definitions;
