//! Reading a JSON body as a shape: wrong types are refused, unknown members and nulls fall away (docs/aws.md, On the wire).

use serde_json::{Map, Value};

use super::{Model, Shape};
use crate::reply::Refusal;

/// Reads `value` as the shape of that name.
///
/// # Errors
///
/// `SerializationException` with the words that AWS's JSON 1.1 front end uses (docs/aws.md, On the wire).
pub(crate) fn cast(model: &Model, shape: &str, value: Value) -> Result<Value, Refusal> {
    match (model.shape(shape), value) {
        (None, value) => Ok(value),
        (Some(Shape::Structure(members)), Value::Object(mut given)) => {
            let mut out = Map::new();
            for member in members {
                match given.remove_entry(member.name) {
                    None | Some((_, Value::Null)) => {}
                    Some((name, value)) => {
                        out.insert(name, cast(model, member.shape, value)?);
                    }
                }
            }
            Ok(Value::Object(out))
        }
        (Some(Shape::Map { value: shape, .. }), Value::Object(given)) => {
            let present = given.into_iter().filter(|(_, value)| !value.is_null());
            let cast = present.map(|(key, value)| Ok((key, cast(model, shape, value)?)));
            Ok(Value::Object(cast.collect::<Result<_, Refusal>>()?))
        }
        (Some(Shape::List { member, .. }), Value::Array(given)) => {
            let present = given.into_iter().filter(|value| !value.is_null());
            Ok(Value::Array(present.map(|value| cast(model, member, value)).collect::<Result<_, _>>()?))
        }
        (Some(Shape::String { .. } | Shape::Blob), value @ Value::String(_))
        | (Some(Shape::Boolean), value @ Value::Bool(_))
        | (Some(Shape::Timestamp), value @ Value::Number(_)) => Ok(value),
        (Some(Shape::Integer { .. }), Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64));
            match whole {
                Some(whole) if i32::try_from(whole).is_ok() => Ok(Value::from(whole)),
                Some(_) | None => Err(serialization(format!("{number} can not be converted to an Integer"))),
            }
        }
        (Some(expected), value) => Err(mismatch(expected, &value)),
    }
}

/// Follows docs/aws.md, On the wire.
fn mismatch(expected: &Shape, found: &Value) -> Refusal {
    match found {
        Value::Object(_) => serialization("Start of structure or map found where not expected."),
        Value::Array(_) => serialization("Start of list found where not expected."),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => match expected {
            Shape::Structure(_) | Shape::List { .. } | Shape::Map { .. } => serialization("Unexpected field type"),
            Shape::String { .. } => serialization(format!("{} can not be converted to a String", token(found))),
            Shape::Integer { .. } => serialization(format!("{} can not be converted to an Integer", token(found))),
            Shape::Blob => serialization(format!("{} can not be converted to a Blob", token(found))),
            Shape::Timestamp => serialization(format!("{} can not be converted to a Timestamp", token(found))),
            Shape::Boolean => serialization(format!("{} can not be converted to a Boolean", token(found))),
        },
    }
}

/// AWS's parser names JSON's tokens, not its types.
fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// Follows docs/aws.md, On the wire.
fn serialization(message: impl Into<String>) -> Refusal {
    Refusal::new("SerializationException", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Service;

    fn read(body: Value) -> Result<Value, String> {
        let model = Model::of(Service::Ecs).unwrap();
        cast(model, "RegisterTaskDefinitionRequest", body).map_err(|refusal| refusal.message)
    }

    #[test]
    fn unknown_members_and_nulls_fall_away() {
        let body =
            json!({"family": "a", "cpu": null, "volums": [], "containerDefinitions": [{"name": "m", "nam": 1}, null]});
        assert_eq!(read(body), Ok(json!({"family": "a", "containerDefinitions": [{"name": "m"}]})));
    }

    #[test]
    fn wrong_types_are_refused_in_the_words_of_aws() {
        let check = |body: Value, message: &str| assert_eq!(read(body), Err(message.to_owned()));
        check(json!({"family": 1}), "NUMBER_VALUE can not be converted to a String");
        check(json!({"family": {}}), "Start of structure or map found where not expected.");
        check(json!({"containerDefinitions": {}}), "Start of structure or map found where not expected.");
        check(json!({"containerDefinitions": "x"}), "Unexpected field type");
        check(json!({"containerDefinitions": [{"memory": "512"}]}), "STRING_VALUE can not be converted to an Integer");
        check(json!({"containerDefinitions": [{"memory": 1.5}]}), "1.5 can not be converted to an Integer");
        check(
            json!({"containerDefinitions": [{"memory": 5_000_000_000_i64}]}),
            "5000000000 can not be converted to an Integer",
        );
        check(
            json!({"containerDefinitions": [{"essential": "true"}]}),
            "STRING_VALUE can not be converted to a Boolean",
        );
    }
}
