//! JSON as block YAML that a person would like to read, and that [`super::read`] reads back to the same value.

use serde_json::Value as Json;
use serde_yaml::{Mapping, Value as Yaml};

/// Characters that YAML's readers and writers do not agree on unless they are escaped.
const DISPUTED: [char; 5] = ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];

/// A key that merges another map, unless it is quoted, which the writer does not do.
const MERGE: &str = "\"<<\":";

/// Writes a JSON value as a block of YAML, ending with a line break.
pub fn emit(value: &Json) -> String {
    let json = value.to_string();
    if json.contains(DISPUTED) || json.contains("\\u") || json.contains(MERGE) {
        return escaped(&json);
    }
    // JSON has nothing that YAML cannot say; if the writer refused all the same, JSON is YAML too.
    serde_yaml::to_string(&ordered(value)).unwrap_or_else(|_refused| escaped(&json))
}

/// The same value with a name first in each map, as a person writes it; the rest in the map's order.
fn ordered(value: &Json) -> Yaml {
    match value {
        Json::Object(map) => {
            let is_name = |entry: &(&String, &Json)| entry.0 == "name";
            let entries = map.iter().filter(is_name).chain(map.iter().filter(|entry| !is_name(entry)));
            Yaml::Mapping(entries.map(|(key, value)| (Yaml::from(key.as_str()), ordered(value))).collect::<Mapping>())
        }
        Json::Array(items) => Yaml::Sequence(items.iter().map(ordered).collect()),
        Json::String(text) => Yaml::from(text.as_str()),
        Json::Bool(value) => Yaml::from(*value),
        Json::Null => Yaml::Null,
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Yaml::from(number),
            (None, Some(number), _) => Yaml::from(number),
            (None, None, Some(number)) => Yaml::from(number),
            (None, None, None) => Yaml::Null,
        },
    }
}

/// JSON, which YAML contains, with everything disputed in escapes.
fn escaped(json: &str) -> String {
    let escape = |text: String, c: char| text.replace(c, &format!("\\u{:04x}", u32::from(c)));
    DISPUTED.into_iter().fold(format!("{json}\n"), escape)
}
