//! Requests of EventBridge Scheduler, which has methods, paths and queries where the others have a target (its model: `rest-json`).

use serde_json::{Map, Value};

use crate::wire::Message;

/// Members of an input that stand in the query, and how they are called there; a name beside an operation is for that one only.
const QUERY: &[(&str, &str, &str)] = &[
    ("ListSchedules", "GroupName", "ScheduleGroup"),
    ("ListSchedules", "NamePrefix", "NamePrefix"),
    ("ListSchedules", "State", "State"),
    ("ListSchedules", "MaxResults", "MaxResults"),
    ("ListSchedules", "NextToken", "NextToken"),
    ("ListScheduleGroups", "NamePrefix", "NamePrefix"),
    ("ListScheduleGroups", "MaxResults", "MaxResults"),
    ("ListScheduleGroups", "NextToken", "NextToken"),
    ("GetSchedule", "GroupName", "groupName"),
    ("DeleteSchedule", "GroupName", "groupName"),
    ("DeleteSchedule", "ClientToken", "clientToken"),
    ("DeleteScheduleGroup", "ClientToken", "clientToken"),
    ("UntagResource", "TagKeys", "TagKeys"),
];

/// The request of an operation with this input, not signed yet; an operation that Scheduler has not ends the test.
pub fn request(operation: &str, input: &Value) -> Message {
    let (method, resource, label) = match operation {
        "ListSchedules" => ("GET", "schedules", None),
        "CreateSchedule" => ("POST", "schedules", Some("Name")),
        "GetSchedule" => ("GET", "schedules", Some("Name")),
        "UpdateSchedule" => ("PUT", "schedules", Some("Name")),
        "DeleteSchedule" => ("DELETE", "schedules", Some("Name")),
        "ListScheduleGroups" => ("GET", "schedule-groups", None),
        "CreateScheduleGroup" => ("POST", "schedule-groups", Some("Name")),
        "GetScheduleGroup" => ("GET", "schedule-groups", Some("Name")),
        "DeleteScheduleGroup" => ("DELETE", "schedule-groups", Some("Name")),
        "TagResource" => ("POST", "tags", Some("ResourceArn")),
        "ListTagsForResource" => ("GET", "tags", Some("ResourceArn")),
        "UntagResource" => ("DELETE", "tags", Some("ResourceArn")),
        other => panic!("Scheduler has no {other}"),
    };
    let mut path = format!("/{resource}");
    let (mut body, mut query) = (Map::new(), Vec::new());
    for (member, value) in input.as_object().into_iter().flatten() {
        if label == Some(member.as_str()) {
            path.push('/');
            path.push_str(&encoded(value));
        } else if let Some((_, _, name)) = QUERY.iter().find(|(of, known, _)| *of == operation && known == member) {
            let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
            query.extend(values.into_iter().map(|value| format!("{name}={}", encoded(value))));
        } else {
            body.insert(member.clone(), value.clone());
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = if body.is_empty() { String::new() } else { Value::Object(body).to_string() };
    Message::request(method, &path, &[("content-type", "application/json")], body)
}

/// A text or number with each byte that has a meaning in a URL as its hexadecimal digits.
fn encoded(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
