//! What is asked of a history at its end.

use super::Stage;
use crate::judge::{end_state, without_tags};
use crate::sketch::Book;
use crate::story::{Crew, Nature, Story};
use crate::world::State;

impl Stage<'_> {
    /// After hours of calm, all is as it should be.
    pub(super) fn rests(&self) {
        let millis = self.world.millis();
        let mut state = self.world.state();
        let State { judge, mirror, .. } = &mut *state;
        judge.at_rest(millis, mirror);
    }

    /// A process that knows nothing takes the place of all others, and finds nothing to do.
    pub(super) async fn twin(&mut self) {
        for process in 0..self.players.len() {
            let Some(player) = self.players.get_mut(process) else { continue };
            player.fate = (if process == 0 { 1000 } else { i32::MAX.unsigned_abs() }, false);
            self.fell(process);
        }
        let end = self.world.millis() + 20 * 60_000;
        self.until(end).await;
        let mut state = self.world.state();
        let since = end - 20 * 60_000;
        let State { judge, mirror, .. } = &mut *state;
        judge.twin(since, end, mirror);
    }

    /// The same manifests on an empty AWS, without a fault: what they make there is what must be here.
    pub(super) async fn direct_path(&self) {
        let directories = self.world.state().directories.clone();
        let books: Vec<Book> = directories.iter().map(|directory| directory.book.clone()).collect();
        let story = Story {
            events: Vec::new(),
            faults: crate::fault::Plan::none(),
            nature: Nature::kind(),
            limits: false,
            calm: 0,
            end: 10 * 60_000,
            books,
            ..self.story.clone()
        };
        let mut direct = Stage::new(&story, None, false, self.capture.clone());
        Box::pin(direct.perform()).await;
        let there = direct.world.state();
        let mut here = self.world.state();
        let millis = self.world.millis();
        for (index, directory) in directories.iter().enumerate() {
            let settled = here.judge.settled(index, millis, &here.mirror);
            let (this, other) = (end_state(&here.mirror, directory), end_state(&there.mirror, directory));
            for job in settled.iter().filter(|(_, free)| **free).map(|(job, _)| job) {
                let shared = story.books.iter().filter(|other| other.jobs.contains_key(job)).count() > 1;
                let (mut this, mut other) = (this.get(job).cloned(), other.get(job).cloned());
                if here.judge.may_bear_others_tags(index, job, millis) {
                    (this, other) = (this.map(|rows| without_tags(&rows)), other.map(|rows| without_tags(&rows)));
                }
                if (!shared || story.crew == Crew::Twins) && this != other {
                    let what = format!(
                        "{job} is not what the direct path makes of it: {}",
                        first_difference(this.as_ref(), other.as_ref())
                    );
                    here.judge.accuse("independence", millis, what);
                }
            }
        }
    }
}

/// Where two end states of a job part, for a person.
fn first_difference(here: Option<&Vec<serde_json::Value>>, there: Option<&Vec<serde_json::Value>>) -> String {
    fn walk(here: &serde_json::Value, there: &serde_json::Value, path: &str) -> Option<String> {
        use serde_json::Value;
        match (here, there) {
            _ if here == there => None,
            (Value::Object(one), Value::Object(other)) => one.keys().chain(other.keys()).find_map(|key| {
                let null = Value::Null;
                walk(one.get(key).unwrap_or(&null), other.get(key).unwrap_or(&null), &format!("{path}/{key}"))
            }),
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
                .iter()
                .zip(other)
                .enumerate()
                .find_map(|(index, (one, other))| walk(one, other, &format!("{path}/{index}"))),
            _ => Some(format!("{path} is {here} here and {there} there")),
        }
    }
    let array =
        |state: Option<&Vec<serde_json::Value>>| state.map_or(serde_json::Value::Null, |rows| rows.clone().into());
    walk(&array(here), &array(there), "").unwrap_or_default()
}
