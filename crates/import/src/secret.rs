//! Values that look secret: they are written as they were found, and said to be there.

use ecs_etl_plan::normalise::secrets;
use ecs_etl_spec::fill_in;
use serde_json::Value as Json;

use crate::write::below;

/// The paths of values in `part` that look secret; `part` stands at `path` of a manifest.
pub fn paths(part: &Json, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    differing(part, &secrets::mask("", part), path, &mut found);
    found
}

fn differing(value: &Json, masked: &Json, path: &str, found: &mut Vec<String>) {
    match (value, masked) {
        (Json::Object(value), Json::Object(masked)) => {
            for (key, value) in value {
                if let Some(masked) = masked.get(key) {
                    differing(value, masked, &below(path, key), found);
                }
            }
        }
        (Json::Array(value), Json::Array(masked)) => {
            for (index, (value, masked)) in value.iter().zip(masked).enumerate() {
                differing(value, masked, &format!("{path}[{index}]"), found);
            }
        }
        (Json::String(text), masked) => {
            // What is still to be filled in is no secret yet.
            if masked.as_str() != Some(text) && !fill_in::is_open(text) {
                found.push(path.to_owned());
            }
        }
        (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_), _) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_secret_is_found_by_path() {
        let part = json!({"containerDefinitions": [{
            "command": ["run", "--password", "hunter2"],
            "environment": [
                {"name": "DB_PASSWORD", "value": "x"},
                {"name": "API_TOKEN", "value": "FILL_IN(must_env API_TOKEN)"},
                {"name": "LEVEL", "value": "info"},
            ],
            "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:::parameter/token"}],
        }]});
        let expected = ["t.containerDefinitions[0].command[2]", "t.containerDefinitions[0].environment[0].value"];
        assert_eq!(paths(&part, "t"), expected);
    }
}
