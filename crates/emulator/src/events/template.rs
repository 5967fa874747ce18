//! Input transformers: a template whose placeholders are all known (docs/aws.md, When a rule fires, and with what).

use serde_json::Value;

use super::{text, validation};
use crate::reply::Refusal;

/// What a template may name without a path of its own.
const PREDEFINED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// Refuses a transformer that EventBridge would refuse; a path that leads nowhere is not refused (docs/aws.md, Runs).
pub(super) fn check(id: &str, transformer: &Value) -> Result<(), Refusal> {
    let template = text(transformer, "InputTemplate").unwrap_or_default();
    let empty = serde_json::Map::new();
    let paths = transformer.get("InputPathsMap").and_then(Value::as_object).unwrap_or(&empty);
    if !paths.values().filter_map(Value::as_str).all(is_path) {
        return Err(bad_path(id));
    }
    for name in placeholders(template) {
        if !paths.contains_key(name) && !PREDEFINED.contains(&name) {
            return Err(validation(format!("InputTemplate for target {id} contains invalid placeholder {name}.")));
        }
        if name == "aws.events.event.json" && !template.trim_start().starts_with('{') {
            return Err(validation(format!(
                "InputTemplate for target {id} contains placeholder {name} valid only for JSON template."
            )));
        }
    }
    Ok(())
}

/// Whether EventBridge takes this for a JSON path: from `$` on, by dots, with brackets around numbers only.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('$') && !path.contains("['") && !path.contains("[\"")
}

/// Follows docs/aws.md, Rules and targets.
pub(super) fn bad_path(id: &str) -> Refusal {
    validation(format!("InputPath for target {id} is invalid."))
}

/// The names between angle brackets; a bracket that opens no name is text.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.match_indices('<').filter_map(|(at, _)| placeholder(template.get(at..)?))
}

/// The name that a text starting with an angle bracket opens with.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_placeholder_has_a_path_or_is_predefined() {
        let check = |template: &str, expected: Option<&str>| {
            let transformer = json!({"InputPathsMap": {"t": "$.time", "x": "$.nowhere[0]"}, "InputTemplate": template});
            let message = check("job", &transformer).err().map(|refusal| refusal.message);
            assert_eq!(message.as_deref(), expected, "{template}");
        };
        check(r#"{"at": <t>, "x": "<x>"}"#, None);
        check(r#""rule <aws.events.rule-name> at <aws.events.event.ingestion-time>""#, None);
        check(r#""1 < 2 and <a b> and <""#, None);
        check("<u>", Some("InputTemplate for target job contains invalid placeholder u."));
        check(
            "<t><aws.events.none>",
            Some("InputTemplate for target job contains invalid placeholder aws.events.none."),
        );
    }
}
