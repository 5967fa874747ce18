//! Carries a sequence out on one server.

use serde_json::Value;

use super::sequence::Call;
use crate::canonical::Outcome;
use crate::raw::{ACCOUNT, ApiError, Aws, REGION};
use crate::server::Server;

/// Pages of one list before it is taken to have no end.
const MOST_PAGES: usize = 50;

/// Empties the server, makes the calls, and gives what each came to.
pub fn run(server: &Server, calls: &[Call]) -> Vec<Outcome> {
    server.reset();
    let aws = Aws::new(server.address());
    let mut ids: Vec<(String, String)> = Vec::new();
    let mut outcomes = Vec::new();
    for call in calls {
        let answer = all_pages(&aws, call, &with_ids(&call.body, &ids));
        ids.extend(started(call.number, answer.as_ref().ok()));
        outcomes.push(Outcome::of(answer, &ids));
    }
    outcomes
}

/// The ids of the tasks that an answer to call `number` tells of as new, each with its name in a sequence.
pub fn started(number: usize, answer: Option<&Value>) -> Vec<(String, String)> {
    let tasks = answer.and_then(|answer| answer["tasks"].as_array()).into_iter().flatten();
    let arns = tasks.filter_map(|task| task["taskArn"].as_str()).enumerate();
    arns.map(|(n, arn)| (arn.to_owned(), format!("@task:{number}:{n}"))).collect()
}

/// What is asked, with the server's own ids for the names of tasks; a task that was not started there is one that never
/// was.
pub fn with_ids(body: &Value, ids: &[(String, String)]) -> Value {
    match body {
        Value::String(text) if text.starts_with("@task:") => match ids.iter().find(|(_, name)| name == text) {
            Some((id, _)) => id.as_str().into(),
            None => format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/none/00000000000000000000000000000000").into(),
        },
        Value::Array(items) => items.iter().map(|item| with_ids(item, ids)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), with_ids(value, ids))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}

/// One answer with the entries of all pages, and whether one was longer than asked for.
fn all_pages(aws: &Aws, call: &Call, body: &Value) -> Result<Value, ApiError> {
    let mut answer = aws.try_call(&call.service, &call.operation, body)?;
    let limit = ["Limit", "maxResults", "MaxResults"].iter().find_map(|name| body.get(*name)).and_then(Value::as_u64);
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return Ok(answer) };
    let mut longest = entries(&answer);
    for _ in 0..MOST_PAGES {
        let Some((name, token)) = take_token(&mut answer) else {
            answer["pageTooLong"] = (longest > limit).into();
            return Ok(answer);
        };
        let mut next = body.clone();
        next[name] = token;
        let page = aws.try_call(&call.service, &call.operation, &next)?;
        longest = longest.max(entries(&page));
        for (member, value) in page.as_object().into_iter().flatten() {
            match (answer.get_mut(member).and_then(Value::as_array_mut), value) {
                (Some(all), Value::Array(more)) => all.extend(more.iter().cloned()),
                _ => answer[member] = value.clone(),
            }
        }
    }
    Ok("a list without an end".into())
}

fn entries(answer: &Value) -> usize {
    answer.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_array().map(Vec::len)).sum()
}

fn take_token(answer: &mut Value) -> Option<(String, Value)> {
    let members = answer.as_object_mut()?;
    ["NextToken", "nextToken"].iter().find_map(|name| {
        let token = members.remove(*name)?;
        let empty = token.is_null() || token == "";
        (!empty).then(|| ((*name).to_owned(), token))
    })
}
