//! Sequences of calls about a few resources, each from a seed.

use std::fmt;

use serde_json::Value;

use super::{choose_ecs, choose_events, choose_scheduler};
use crate::deviations::Deviation;
use crate::random::Random;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `ecs`, `events`, `scheduler`, `tagging` or `sts`.
    pub service: String,
    /// AWS's name of the operation.
    pub operation: String,
    /// What is asked. A text `@task:N:K` stands for the K-th task that call N of this sequence started.
    pub body: Value,
    /// The families, rules, schedules, groups and clusters that it is about; none for a call about all there are.
    pub subjects: Vec<&'static str>,
    /// Where it stands in the sequence that its seed gives; stays when others are left out.
    pub number: usize,
}

impl Call {
    /// `service:Operation`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        !["Describe", "List", "Get"].iter().any(|read| self.operation.starts_with(read))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3} {} {}", self.number, self.name(), self.body)
    }
}

/// The experiment of an entry of the table, as a sequence.
pub fn experiment(entry: &Deviation) -> Vec<Call> {
    let calls = entry.calls.iter().flatten().enumerate();
    calls
        .map(|(number, (name, body))| {
            let (service, operation) = name.split_once(':').expect("a call reads service:Operation");
            let subjects = vec!["experiment"];
            Call { service: service.to_owned(), operation: operation.to_owned(), body: body.clone(), subjects, number }
        })
        .collect()
}

/// The sequence of a seed: 10 to 40 calls.
pub fn generate(seed: u64) -> Vec<Call> {
    let mut random = Random::new(seed);
    let mut calls: Vec<Call> = Vec::new();
    for number in 0..random.between(10, 40) {
        let (service, operation, body, subjects) = match random.below(26) {
            0..=3 => choose_ecs::register(&mut random),
            4..=6 => choose_ecs::revisions(&mut random),
            7 => choose_ecs::tags(&mut random, &calls),
            8 | 9 => choose_ecs::tasks(&mut random, &calls),
            10 => choose_ecs::places(&mut random),
            11..=13 => choose_events::put_rule(&mut random),
            14..=16 => choose_events::rules(&mut random),
            17 => choose_events::tags(&mut random),
            18 | 19 => choose_events::targets(&mut random, &calls),
            20..=23 => choose_scheduler::schedules(&mut random, &calls),
            _ => choose_scheduler::groups(&mut random, &calls),
        };
        let (service, operation) = (service.to_owned(), operation.to_owned());
        calls.push(Call { service, operation, body, subjects, number });
    }
    calls
}

/// Service, operation, body and subjects of a call.
pub type Made = (&'static str, &'static str, Value, Vec<&'static str>);

/// Whether `make` came last of the calls that make and end `subject`.
pub fn exists(before: &[Call], subject: &str, make: &str, end: &str) -> bool {
    let about = before.iter().filter(|call| call.subjects.contains(&subject));
    about.rev().find(|call| call.operation == make || call.operation == end).is_some_and(|call| call.operation == make)
}
