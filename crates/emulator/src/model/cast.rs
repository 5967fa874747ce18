//! Reading a JSON body as a shape: wrong types are refused, unknown members and nulls fall away (docs/aws.md, On the wire).

use serde_json::Value;

use super::{Index, Model, Shape};
use crate::reply::Refusal;

/// Reads `value` as the shape of that name.
///
/// # Errors
///
/// `SerializationException` with the words that AWS's JSON 1.1 front end uses (docs/aws.md, On the wire).
pub(crate) fn cast(model: &Model, shape: &str, mut value: Value) -> Result<Value, Refusal> {
    into(model, model.index(shape), &mut value)?;
    Ok(value)
}

/// The same in place (docs/aws.md, On the wire).
fn into(model: &Model, shape: Index, value: &mut Value) -> Result<(), Refusal> {
    match (model.shape(shape), value) {
        (None, _) => Ok(()),
        (Some(Shape::Structure(members)), Value::Object(given)) => {
            given.retain(|name, value| !value.is_null() && members.get(name).is_some());
            let shape = |name: &str| members.get(name).and_then(|member| member.shape);
            given.iter_mut().try_for_each(|(name, value)| into(model, shape(name), value))
        }
        (Some(Shape::Map { value: shape, .. }), Value::Object(given)) => {
            given.retain(|_, value| !value.is_null());
            given.values_mut().try_for_each(|value| into(model, *shape, value))
        }
        (Some(Shape::List { member, .. }), Value::Array(given)) => {
            given.retain(|value| !value.is_null());
            given.iter_mut().try_for_each(|value| into(model, *member, value))
        }
        (Some(Shape::String { .. } | Shape::Blob), Value::String(_))
        | (Some(Shape::Boolean), Value::Bool(_))
        | (Some(Shape::Timestamp), Value::Number(_)) => Ok(()),
        (Some(Shape::Integer { .. }), Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64));
            match whole {
                Some(whole) if i32::try_from(whole).is_ok() => {
                    *number = whole.into();
                    Ok(())
                }
                Some(_) | None => Err(serialization(format!("{number} can not be converted to an Integer"))),
            }
        }
        (Some(expected), value) => Err(mismatch(expected, value)),
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
