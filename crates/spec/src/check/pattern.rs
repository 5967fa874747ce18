//! Event patterns: what EventBridge would refuse, and what it would take but nobody means (docs/aws.md, Event patterns).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::problem::{Problem, Problems};
use crate::path;
use crate::pattern::{EventPattern, MAX_LENGTH};
use crate::suggest;

/// What an object in a list of values may say.
const MATCHERS: [&str; 8] =
    ["prefix", "suffix", "anything-but", "numeric", "exists", "wildcard", "equals-ignore-case", "cidr"];

/// Members that every event has.
const MEMBERS: [&str; 9] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];

/// With more of them in one text EventBridge has been seen to refuse the pattern as too complex; where it draws the line is
/// not documented.
const MANY_WILDCARDS: usize = 5;

/// Says what is wrong with an event pattern; paths are below it.
pub fn event_pattern(pattern: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Problems::default();
    if pattern.is_empty() {
        problems.error("", "an empty pattern matches nothing that can be meant").help("name at least a `source`");
    }
    let characters = EventPattern::of(pattern).as_str().chars().count();
    if characters > MAX_LENGTH {
        problems.error("", format!("{characters} characters as JSON; EventBridge takes at most {MAX_LENGTH}"));
    }
    for key in pattern.keys().filter(|key| !MEMBERS.contains(&key.as_str()) && *key != "$or") {
        let message = "no event has such a member, so nothing matches".to_owned();
        problems.warning(key.as_str(), message).help = suggest::among(key, MEMBERS.into_iter());
    }
    if !pattern.is_empty() && !pattern.contains_key("source") && !pattern.contains_key("$or") {
        let message = "without `source` it matches events of every service and of this job's own runs";
        problems.warning("", message).help("name the source, such as `source: [aws.s3]`");
    }
    object(&mut problems, &mut String::new(), pattern);
    problems.into_sorted()
}

fn object(problems: &mut Problems, at: &mut String, members: &Map<String, Value>) {
    for (key, value) in members {
        let length = at.len();
        path::push_key(at, key);
        match value {
            Value::Array(branches) if key == "$or" => alternatives(problems, at, branches),
            Value::Array(values) => list(problems, at, values),
            Value::Object(inner) if inner.is_empty() => {
                problems.error(at.as_str(), "an empty object matches nothing").help("leave the field out");
            }
            Value::Object(inner) => object(problems, at, inner),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                problems
                    .error(at.as_str(), "expected a list of values or an object")
                    .help("write the value in brackets");
            }
        }
        at.truncate(length);
    }
}

/// `$or`: each branch is a pattern of its own.
fn alternatives(problems: &mut Problems, at: &mut String, branches: &[Value]) {
    if branches.len() < 2 {
        problems.error(at.as_str(), "expected at least two alternatives");
    }
    for (index, branch) in branches.iter().enumerate() {
        let length = at.len();
        at.push_str(&format!("[{index}]"));
        match branch {
            Value::Object(members) if !members.is_empty() => object(problems, at, members),
            Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                problems.error(at.as_str(), "expected an object with at least one field");
            }
        }
        at.truncate(length);
    }
}

fn list(problems: &mut Problems, at: &mut String, values: &[Value]) {
    if values.is_empty() {
        problems.error(at.as_str(), "an empty list matches nothing, and EventBridge refuses it");
    }
    for (index, value) in values.iter().enumerate() {
        let length = at.len();
        at.push_str(&format!("[{index}]"));
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Array(_) => {
                problems.error(at.as_str(), "a list within a list is not allowed here");
            }
            Value::Object(matcher) => self::matcher(problems, at, matcher),
        }
        at.truncate(length);
    }
}

fn matcher(problems: &mut Problems, at: &str, matcher: &Map<String, Value>) {
    let mut members = matcher.iter();
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        problems.error(at, "expected exactly one way to match, such as `prefix`");
        return;
    };
    let refused = match name.as_str() {
        "prefix" | "suffix" => affix(value),
        "equals-ignore-case" => text(value, "`equals-ignore-case` takes a string"),
        "wildcard" => wildcard(problems, at, value),
        "anything-but" => anything_but(problems, at, value),
        "numeric" => numeric(value),
        "exists" => (!value.is_boolean()).then(|| "`exists` takes true or false".to_owned()),
        "cidr" => cidr(value),
        _ => {
            let message = format!("there is no way to match called `{}`", crate::yaml::shown(name));
            problems.error(at, message).help = suggest::among(name, MATCHERS.into_iter());
            return;
        }
    };
    if let Some(message) = refused {
        problems.error(at, message);
    }
}

fn text(value: &Value, message: &str) -> Option<String> {
    (!value.is_string()).then(|| message.to_owned())
}

/// `prefix` and `suffix`: a text, or one that is matched whatever its case.
fn affix(value: &Value) -> Option<String> {
    let folded = value.as_object().filter(|inner| inner.len() == 1);
    let value = folded.and_then(|inner| inner.get("equals-ignore-case")).unwrap_or(value);
    text(value, "`prefix` and `suffix` take a string")
}

fn wildcard(problems: &mut Problems, at: &str, value: &Value) -> Option<String> {
    let Some(text) = value.as_str() else { return Some("`wildcard` takes a string".to_owned()) };
    let plain = text.replace("\\\\", "").replace("\\*", "");
    if plain.contains("**") {
        return Some("two `*` in a row are not allowed".to_owned());
    }
    if plain.contains('\\') {
        return Some("a backslash stands before `*` or another backslash only".to_owned());
    }
    let stars = plain.matches('*').count();
    if stars >= MANY_WILDCARDS {
        problems.warning(at, format!("EventBridge may refuse {stars} `*` in one text as too complex"));
    }
    None
}

fn anything_but(problems: &mut Problems, at: &str, value: &Value) -> Option<String> {
    const VALUES: &str = "`anything-but` takes a string, a number, a list of either, or one way to match strings";
    match value {
        Value::String(_) | Value::Number(_) => None,
        Value::Array(values) => {
            let alike = values.iter().all(Value::is_string) || values.iter().all(Value::is_number);
            (values.is_empty() || !alike).then(|| "`anything-but` takes a list of strings or one of numbers".to_owned())
        }
        Value::Object(inner) => {
            let mut members = inner.iter();
            let (Some((name, value)), None) = (members.next(), members.next()) else { return Some(VALUES.to_owned()) };
            let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            match name.as_str() {
                _ if texts.is_empty() => Some(VALUES.to_owned()),
                "wildcard" => texts.iter().find_map(|text| wildcard(problems, at, text)),
                "equals-ignore-case" => texts.iter().find_map(|value| text(value, "expected strings only")),
                "prefix" | "suffix" => texts.iter().find_map(|value| match value.as_str() {
                    Some("") => Some(format!("an empty `{name}` is not allowed here")),
                    Some(_) => None,
                    None => Some(format!("`{name}` takes a string")),
                }),
                _ => Some(VALUES.to_owned()),
            }
        }
        Value::Null | Value::Bool(_) => Some(VALUES.to_owned()),
    }
}

/// `["=", 5]`, `[">", 0]` or `[">=", 0, "<", 5]`.
fn numeric(value: &Value) -> Option<String> {
    const BOUND: f64 = 5.0e9;
    let form = || Some("`numeric` takes a comparison or a range: `[\">=\", 0, \"<\", 100]`".to_owned());
    let Some(parts) = value.as_array() else { return form() };
    let number = |value: &Value| value.as_f64().is_some_and(|number| number.abs() <= BOUND);
    let ordered = match parts.as_slice() {
        [operator, bound] if number(bound) => matches!(operator.as_str(), Some("=" | "<" | "<=" | ">" | ">=")),
        [lower, least, upper, most] if number(least) && number(most) => {
            let operators = matches!(lower.as_str(), Some(">" | ">=")) && matches!(upper.as_str(), Some("<" | "<="));
            operators && least.as_f64() < most.as_f64()
        }
        _ => false,
    };
    if ordered { None } else { form() }
}

fn cidr(value: &Value) -> Option<String> {
    let form = || Some("`cidr` takes a block such as `10.0.0.0/24`".to_owned());
    let Some((address, bits)) = value.as_str().and_then(|text| text.split_once('/')) else { return form() };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return form(),
    };
    if bits.parse::<u8>().is_ok_and(|bits| bits <= most) { None } else { form() }
}
