//! Drawing hands of others that reach further: for any rule of a job, and for what is reached for more seldom. The dice are their own,
//! so that the story of a seed without them stays as it is.

use fastrand::Rng;

use crate::hand::{Deed, Hand, Seldom};
use crate::shape::pick;
use crate::sketch::Book;
use crate::story::{Event, What};

/// Dice for the rules that hands reach.
#[derive(Debug)]
pub(crate) struct Hands {
    rng: Rng,
}

impl Hands {
    /// The dice of a seed.
    pub fn of(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed.rotate_left(53) ^ 0x4841_4e44) }
    }

    /// Which of a job's rules a hand reaches; half of the time its first.
    pub fn rule(&mut self) -> u8 {
        let any = self.rng.u8(..);
        if self.rng.bool() { any } else { 0 }
    }

    /// Hands that reach for what is seldom reached for.
    pub fn seldom(&mut self, calm: u32, books: &[Book]) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..self.rng.u8(..5) {
            let book = pick(&mut self.rng, books);
            let names: Vec<&String> = book.jobs.keys().collect();
            if names.is_empty() {
                continue;
            }
            let job = (*pick(&mut self.rng, &names)).clone();
            let deed = Deed::Seldom(*pick(&mut self.rng, &Seldom::ALL));
            let hand = Hand { controller: book.controller.name.clone(), job, deed, rule: self.rule() };
            events.push(Event { at: self.rng.u32(30_000..calm), what: What::Hand(hand) });
        }
        events
    }
}
