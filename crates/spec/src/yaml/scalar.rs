//! What an unquoted scalar means: the YAML 1.2 core schema, with one exception.
//!
//! A whole number with a leading zero (`0123`, or the account id `012345678901`) stays text: YAML 1.1 reads it as
//! octal, 1.2 as decimal, and whoever wrote it most likely meant the digits.

use super::node::Value;

/// Resolves a plain scalar.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Some(hex) = text.strip_prefix("0x") {
        return radix(hex, 16);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return radix(octal, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if leading_zero {
        return None;
    }
    if whole {
        // Beyond 64 bits no field of ours has a use for the number; the text at least stays what was written.
        return text.strip_prefix('+').unwrap_or(text).parse().ok().map(Value::Int);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::Float)
}

fn radix(digits: &str, base: u32) -> Option<Value> {
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, base).ok().map(Value::Int) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let text = |t: &str| Value::String(t.to_owned());
        let cases = [
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("nULL", text("nULL")),
            ("true", Value::Bool(true)),
            ("yes", text("yes")),
            ("no", text("no")),
            ("on", text("on")),
            ("0", Value::Int(0)),
            ("-7", Value::Int(-7)),
            ("+7", Value::Int(7)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("0123", text("0123")),
            ("012345678901", text("012345678901")),
            ("123456789012", Value::Int(123_456_789_012)),
            ("1:30", text("1:30")),
            ("1_000", text("1_000")),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            (".5 vCPU", text(".5 vCPU")),
            (".", text(".")),
            ("-", text("-")),
            ("1.4.2", text("1.4.2")),
            (".inf", text(".inf")),
            ("1e999", text("1e999")),
            ("0x+1", text("0x+1")),
            ("99999999999999999999", text("99999999999999999999")),
            ("2018-01-01", text("2018-01-01")),
        ];
        for (input, expected) in cases {
            assert_eq!(resolve(input), expected, "{input}");
        }
    }
}
