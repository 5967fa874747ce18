//! A plan in the making.

use ecs_etl_spec::job::Place;

use crate::step::{Action, Because, Step};

/// Steps in order, most of them in the place the job lives in.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    place: &'a Place,
    steps: Vec<Step>,
}

impl<'a> Draft<'a> {
    /// An empty plan for a job that lives in `place`.
    pub fn new(place: &'a Place) -> Self {
        Self { place, steps: Vec::new() }
    }

    /// Adds a step where the job lives, and returns its index.
    pub fn push(&mut self, action: Action, because: Because) -> usize {
        self.push_in(None, action, because)
    }

    /// Adds a step elsewhere, if elsewhere is given.
    pub fn push_in(&mut self, elsewhere: Option<&Place>, action: Action, because: Because) -> usize {
        let place = elsewhere.unwrap_or(self.place).clone();
        self.steps.push(Step { place, action, because });
        self.steps.len() - 1
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}
