//! What somebody wants the containers of a task to do, since none of them really runs: `exit=1,after=30s`. Also what
//! RunTask is to answer, since nothing is short here.
//!
//! It is said in the environment of a container, by the task definition or by the overrides of a run, and means nothing
//! to AWS (docs/emulator.md).

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::super::{items, text};
use super::answer::Answer;
use crate::state::{Course, Script};

/// The variable that says it.
const VARIABLE: &str = "ECS_ETL_EMULATE";

/// Why a container does not start, where nobody says why.
const CANNOT_START: &str = "CannotStartContainerError: the task was told so";

/// What is said to one container.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    exit_code: i32,
    runs_for: Option<SignedDuration>,
    fails_to_start: Option<String>,
    answer: Option<Answer>,
}

/// What is said to a task.
#[derive(Debug)]
pub(super) struct Told {
    /// What RunTask is to answer.
    pub answer: Option<Answer>,
    /// How the task is to fare.
    pub course: Script,
}

/// What is said to the containers of a task; `None` if nothing is.
pub(super) fn of(definition: &Map<String, Value>, overrides: &Value) -> Option<Told> {
    let containers = definition.get("containerDefinitions").and_then(Value::as_array)?;
    let said: Vec<Option<Said>> = containers.iter().map(|container| said(container, overrides)).collect();
    if said.iter().all(Option::is_none) {
        return None;
    }
    let fails_to_start = said.iter().flatten().find_map(|said| said.fails_to_start.clone());
    let answer = said.iter().flatten().find_map(|said| said.answer.clone());
    let course = |(container, said): (&Value, Option<Said>)| {
        let Said { exit_code, runs_for, fails_to_start: _, answer: _ } = said.unwrap_or_default();
        let essential = container.get("essential").and_then(Value::as_bool).unwrap_or(true);
        Course { runs_for, exit_code, essential }
    };
    let course = Script { fails_to_start, containers: containers.iter().zip(said).map(course).collect() };
    Some(Told { answer, course })
}

fn said(container: &Value, overrides: &Value) -> Option<Said> {
    let over = items(overrides, "containerOverrides").iter().find(|over| over.get("name") == container.get("name"));
    let words = [over, Some(container)].into_iter().flatten().find_map(|told| {
        let variable = items(told, "environment").iter().find(|variable| text(variable, "name") == Some(VARIABLE));
        variable.and_then(|variable| text(variable, "value"))
    })?;
    let said = read(words);
    if said.is_none() {
        tracing::warn!(words, variable = VARIABLE, "this does not say how a container is to fare");
    }
    said
}

/// Reads `exit=CODE`, `after=DURATION`, `start=fails` or `start=REASON`, and `run=CODE` or `run=REASON` with `times=COUNT`,
/// `for=DURATION` or `until=MOMENT` behind it, with commas between them.
fn read(words: &str) -> Option<Said> {
    let mut said = Said::default();
    for word in words.split(',').map(str::trim) {
        match word.split_once('=')? {
            ("exit", code) => said.exit_code = code.parse::<u8>().ok()?.into(),
            ("after", time) => said.runs_for = Some(duration(time)?),
            ("start", "fails") => said.fails_to_start = Some(CANNOT_START.to_owned()),
            ("start", reason) if !reason.is_empty() => said.fails_to_start = Some(reason.to_owned()),
            ("run", code) => said.answer = Some(Answer::read(code)?),
            ("times", count) => said.answer.as_mut()?.times = Some(count.parse().ok()?),
            ("for", time) => said.answer.as_mut()?.lasts = Some(duration(time)?),
            ("until", moment) => said.answer.as_mut()?.until = Some(moment.parse().ok()?),
            _ => return None,
        }
    }
    Some(said)
}

fn duration(time: &str) -> Option<SignedDuration> {
    time.parse().ok().filter(|time: &SignedDuration| !time.is_negative())
}

impl Script {
    /// How long the task runs: until the first container ends that it needs; `usual` is how long others run.
    pub(super) fn runs_for(&self, usual: SignedDuration) -> SignedDuration {
        let essential = self.containers.iter().filter(|course| course.essential);
        essential.map(|course| course.runs_for.unwrap_or(usual)).min().unwrap_or(usual)
    }

    /// What a container exits with in a task that runs for `ran` in all.
    pub(super) fn exit_code(&self, container: usize, ran: SignedDuration, usual: SignedDuration) -> i32 {
        match self.containers.get(container) {
            Some(course) if course.runs_for.unwrap_or(usual) <= ran => course.exit_code,
            // It was still running when the task ended, and was told to stop.
            Some(_) => super::shown::TOLD_TO_STOP,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_a_container_fares() {
        let check = |words: &str, expected: Option<(i32, Option<i64>, Option<&str>)>| {
            let said = read(words)
                .map(|said| (said.exit_code, said.runs_for.map(|duration| duration.as_secs()), said.fails_to_start));
            assert_eq!(said, expected.map(|(code, secs, why)| (code, secs, why.map(str::to_owned))), "{words}");
        };
        check("exit=1", Some((1, None, None)));
        check("exit=137, after=2m", Some((137, Some(120), None)));
        check("after=1h 30m", Some((0, Some(5400), None)));
        check("start=fails", Some((0, None, Some(CANNOT_START))));
        check("start=CannotPullContainerError: no", Some((0, None, Some("CannotPullContainerError: no"))));
        check("exit=256", None);
        check("exit=-1", None);
        check("after=soon", None);
        check("after=-5s", None);
        check("run=ThrottlingException,times=2,exit=1", Some((1, None, None)));
        check("run=ServerException, for=10m, after=5s", Some((0, Some(5), None)));
        check("run=RESOURCE:CPU,until=2026-01-02T03:00:00Z", Some((0, None, None)));
        check("run=capacity", Some((0, None, None)));
        check("run=SomeException", None);
        check("run=ServerException,times=-1", None);
        check("times=2", None);
        check("for=10m,run=ServerException", None);
        check("crash", None);
        check("", None);
    }
}
