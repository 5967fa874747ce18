//! JSON with EventBridge's placeholders.

use serde_json::Value;

/// Parses JSON in which `<name>` may stand for a value: EventBridge puts the value there, quoted if need be, so a
/// placeholder means the same with quotes as without. None if the text is not JSON even so.
pub(super) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&quoted(text))).ok()
}

/// Puts quotes around placeholders that stand outside of any.
fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 8);
    let (mut in_string, mut escaped) = (false, false);
    for letter in text.chars() {
        if in_string {
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            json.push(letter);
        } else {
            in_string = letter == '"';
            match letter {
                '<' => json.push_str("\"<"),
                '>' => json.push_str(">\""),
                _ => json.push(letter),
            }
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_placeholder_is_the_same_with_and_without_quotes() {
        for text in [r#"{"value": <t>, "a<b": "\" <c>"}"#, r#"{"value": "<t>", "a<b": "\" <c>"}"#] {
            assert_eq!(parse(text), Some(json!({"value": "<t>", "a<b": "\" <c>"})), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in ["", "plain <t>", "{", "<t", r#"{"a": <t}"#] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
