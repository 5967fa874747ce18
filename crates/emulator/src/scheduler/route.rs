//! Where a request goes by its method and path, and what of its input stands there (docs/aws.md, Scheduler).

use serde_json::{Map, Value};

use crate::reply::Refusal;
use crate::request::{Request, percent_decoded};

/// An operation, and the member of its input that the path ends with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub operation: &'static str,
    label: Option<(&'static str, &'a str)>,
}

/// Members that are put into the query, by the names that they have there.
const QUERY: [(&str, &str); 8] = [
    ("groupName", "GroupName"),
    ("ScheduleGroup", "GroupName"),
    ("clientToken", "ClientToken"),
    ("NamePrefix", "NamePrefix"),
    ("State", "State"),
    ("NextToken", "NextToken"),
    ("MaxResults", "MaxResults"),
    ("TagKeys", "TagKeys"),
];

/// The operation that a request asks for, if it is one of Scheduler's.
pub(crate) fn route<'a>(method: &str, path: &'a str) -> Option<Route<'a>> {
    let path = path.split('?').next().unwrap_or_default().strip_prefix('/')?;
    let (resource, rest) = path.split_once('/').unwrap_or((path, ""));
    let (operation, label) = match (resource, rest.is_empty(), method) {
        ("schedules", true, "GET") => ("ListSchedules", None),
        ("schedules", false, "POST") => ("CreateSchedule", Some("Name")),
        ("schedules", false, "GET") => ("GetSchedule", Some("Name")),
        ("schedules", false, "PUT") => ("UpdateSchedule", Some("Name")),
        ("schedules", false, "DELETE") => ("DeleteSchedule", Some("Name")),
        ("schedule-groups", true, "GET") => ("ListScheduleGroups", None),
        ("schedule-groups", false, "POST") => ("CreateScheduleGroup", Some("Name")),
        ("schedule-groups", false, "GET") => ("GetScheduleGroup", Some("Name")),
        ("schedule-groups", false, "DELETE") => ("DeleteScheduleGroup", Some("Name")),
        ("tags", false, "POST") => ("TagResource", Some("ResourceArn")),
        ("tags", false, "GET") => ("ListTagsForResource", Some("ResourceArn")),
        ("tags", false, "DELETE") => ("UntagResource", Some("ResourceArn")),
        _ => return None,
    };
    Some(Route { operation, label: label.map(|member| (member, rest)) })
}

/// The input of a request: its body, with what stands in path and query (docs/aws.md, Scheduler).
///
/// # Errors
///
/// `SerializationException` for a body that is no JSON object.
pub(crate) fn input(request: &Request) -> Result<Value, Refusal> {
    let mut input = if request.body.is_empty() {
        Map::new()
    } else {
        let body = serde_json::from_slice(&request.body);
        body.map_err(|_| Refusal::new("SerializationException", "The body is no JSON object."))?
    };
    if let Some((member, value)) = route(&request.method, &request.path).and_then(|route| route.label) {
        input.insert(member.to_owned(), Value::from(percent_decoded(value)));
    }
    for (name, value) in request.query() {
        let Some((_, member)) = QUERY.iter().find(|(known, _)| *known == name) else { continue };
        match *member {
            "MaxResults" => {
                // What is no number is left for the model to refuse.
                let number = value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from);
                input.insert((*member).to_owned(), number);
            }
            "TagKeys" => match input.entry(*member).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(keys) => keys.push(Value::from(value)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {}
            },
            _ => {
                input.insert((*member).to_owned(), Value::from(value));
            }
        }
    }
    Ok(Value::Object(input))
}
