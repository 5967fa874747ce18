//! Reading a pattern's JSON, with the reasons for which EventBridge refuses one (docs/aws.md, Event patterns).

use serde_json::{Map, Value};

use super::cidr::Block;
use super::numeric::Range;
use super::test::{Part, Test};
use super::wildcard::Wildcard;
use super::{Field, Pattern};

/// The name under which a list of objects means that one of them is enough.
const OR: &str = "$or";

/// The names of comparisons; an `$or` over fields of such names is a field itself.
const COMPARISONS: [&str; 8] =
    ["exists", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "cidr", "anything-but"];

/// How many combinations of alternatives there are at most (guide).
const MOST_ALTERNATIVES: usize = 1000;

/// Reads a whole pattern.
///
/// # Errors
///
/// The reason, as it stands behind "Reason: " in EventBridge's refusal.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "Filter is not valid JSON".to_owned())?;
    let Value::Object(members) = &value else { return Err("Filter is not an object".to_owned()) };
    let mut fields = Vec::new();
    let mut alternatives = object(members, "", &mut fields)?;
    for alternative in &mut alternatives {
        alternative.sort_by_key(|field| fields.get(*field).map(|field| field.path.as_str()));
    }
    Ok(Pattern { fields, alternatives })
}

/// The ways to fulfil an object: one of the sets of fields that are given back.
fn object(members: &Map<String, Value>, above: &str, fields: &mut Vec<Field>) -> Result<Vec<Vec<usize>>, String> {
    if members.is_empty() {
        return Err("Empty objects are not allowed".to_owned());
    }
    let mut ways = vec![Vec::new()];
    for (name, value) in members {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let here = match (value, alternatives(name, value)) {
            (_, Some(objects)) => {
                let mut here = Vec::new();
                for members in objects {
                    here.extend(object(members, above, fields)?);
                }
                here
            }
            (Value::Object(members), None) => object(members, &path, fields)?,
            (Value::Array(values), None) => {
                fields.push(Field { path, tests: tests(values)? });
                vec![vec![fields.len() - 1]]
            }
            (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), None) => {
                return Err(format!("\"{name}\" must be an object or an array"));
            }
        };
        if ways.len().saturating_mul(here.len()) > MOST_ALTERNATIVES {
            return Err(format!("Rule has more than {MOST_ALTERNATIVES} combinations of $or"));
        }
        let with = |way: &Vec<usize>| here.iter().map(|more| [way.as_slice(), more].concat()).collect::<Vec<_>>();
        ways = ways.iter().flat_map(with).collect();
    }
    Ok(ways)
}

/// The objects of an `$or`, if this member is one and no field of that name (docs/aws.md, Event patterns).
fn alternatives<'a>(name: &str, value: &'a Value) -> Option<Vec<&'a Map<String, Value>>> {
    let values = value.as_array().filter(|values| name == OR && values.len() > 1)?;
    let objects: Option<Vec<_>> = values.iter().map(Value::as_object).collect();
    let is_comparison = |members: &&Map<String, Value>| members.keys().any(|name| COMPARISONS.contains(&name.as_str()));
    objects.filter(|objects| !objects.iter().any(is_comparison))
}

fn tests(values: &[Value]) -> Result<Vec<Test>, String> {
    if values.is_empty() {
        return Err("Empty arrays are not allowed".to_owned());
    }
    let test = |value: &Value| match value {
        Value::Null => Ok(Test::Null),
        Value::Bool(value) => Ok(Test::Bool(*value)),
        Value::Number(_) | Value::String(_) => {
            plain(value).ok_or_else(|| "Match value must be a number or a string".to_owned())
        }
        Value::Object(members) => comparison(members),
        Value::Array(_) => Err("Match value must be String, number, true, false, or null".to_owned()),
    };
    values.iter().map(test).collect()
}

/// A text or a number that a value must equal.
fn plain(value: &Value) -> Option<Test> {
    match value {
        Value::String(text) => Some(Test::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(Test::Number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The only member of an object that stands for a comparison.
fn only(members: &Map<String, Value>) -> Result<(&str, &Value), String> {
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        (None, _) => Err("Empty objects are not allowed".to_owned()),
        (Some(_), Some(_)) => Err("Only one key allowed in match expression".to_owned()),
    }
}

fn comparison(members: &Map<String, Value>) -> Result<Test, String> {
    let (name, value) = only(members)?;
    let must_be_text = || format!("{name} match pattern must be a string");
    match name {
        "exists" => {
            let expected = value.as_bool().ok_or("exists match pattern must be either true or false.")?;
            Ok(Test::Exists(expected))
        }
        "prefix" => part(value).map(Test::Prefix).ok_or_else(must_be_text),
        "suffix" => part(value).map(Test::Suffix).ok_or_else(must_be_text),
        "equals-ignore-case" => {
            let text = value.as_str().ok_or_else(must_be_text)?;
            Ok(Test::EqualsIgnoreCase(text.to_lowercase()))
        }
        "wildcard" => Ok(Test::Wildcard(Wildcard::read(value.as_str().ok_or_else(must_be_text)?)?)),
        "numeric" => {
            let words = value.as_array().ok_or("Value of numeric must be an array.")?;
            Ok(Test::Numeric(Range::read(words)?))
        }
        // EventBridge's own words, prefix and all.
        "cidr" => Ok(Test::Cidr(Block::read(value.as_str().ok_or("prefix match pattern must be a string")?)?)),
        "anything-but" => anything_but(value).map(Test::AnythingBut),
        unknown => Err(format!("Unrecognized match type {unknown}")),
    }
}

/// How a text begins or ends: a text, or `{"equals-ignore-case": TEXT}`.
fn part(value: &Value) -> Option<Part> {
    match value {
        Value::String(text) => Some(Part::Exactly(text.clone())),
        Value::Object(members) if members.len() == 1 => {
            let text = members.get("equals-ignore-case")?.as_str()?;
            Some(Part::InAnyCase(text.to_lowercase()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a value must not be.
fn anything_but(value: &Value) -> Result<Vec<Test>, String> {
    let single = || "Value of anything-but must be an array or single string/number value.".to_owned();
    match value {
        Value::String(_) | Value::Number(_) => plain(value).map(|test| vec![test]).ok_or_else(single),
        Value::Null | Value::Bool(_) => Err(single()),
        Value::Array(values) if values.is_empty() => Err("Empty arrays are not allowed".to_owned()),
        Value::Array(values) => {
            let tests: Option<Vec<Test>> = values.iter().map(plain).collect();
            let tests = tests.ok_or("Inside anything but list, start|null|boolean is not supported.")?;
            let texts = values.iter().filter(|value| value.is_string()).count();
            if texts != 0 && texts != values.len() {
                return Err("Inside anything but list, either all values are number or string, mixed type is not \
                            supported"
                    .to_owned());
            }
            Ok(tests)
        }
        Value::Object(members) => {
            let (name, value) = only(members)?;
            if matches!(value, Value::Object(_)) {
                return Err(single());
            }
            excluded(name, value)
        }
    }
}

/// The comparisons of an anything-but, with one text or several.
fn excluded(name: &str, value: &Value) -> Result<Vec<Test>, String> {
    let read: fn(&str) -> Result<Test, String> = match name {
        "prefix" => |text| affix(text).map(Test::Prefix),
        "suffix" => |text| affix(text).map(Test::Suffix),
        "equals-ignore-case" => |text| Ok(Test::EqualsIgnoreCase(text.to_lowercase())),
        "wildcard" => |text| Wildcard::read(text).map(Test::Wildcard),
        unknown => return Err(format!("Unsupported anything-but pattern: {unknown}")),
    };
    let must_be_text = || match name {
        "equals-ignore-case" => {
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.".to_owned()
        }
        "wildcard" => "wildcard match pattern must be a string".to_owned(),
        _ => "prefix/suffix match pattern must be a string".to_owned(),
    };
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    if values.is_empty() {
        return Err("Empty arrays are not allowed".to_owned());
    }
    values.iter().map(|value| read(value.as_str().ok_or_else(must_be_text)?)).collect()
}

/// Everything begins and ends with nothing, so excluding that would exclude everything.
fn affix(text: &str) -> Result<Part, String> {
    if text.is_empty() { Err("Null prefix/suffix not allowed".to_owned()) } else { Ok(Part::Exactly(text.to_owned())) }
}
