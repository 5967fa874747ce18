//! What every reply must look like, whatever was asked.

use ecs_etl_emulator::{Reply, Request};
use serde_json::Value;

/// Checks a reply and gives its request id.
pub fn sound(request: &Request, reply: &Reply) -> String {
    let text = std::str::from_utf8(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"));
    assert!(matches!(reply.status, 200 | 400), "{request:?}: {reply:?}");
    let id = reply.header("x-amzn-requestid").unwrap_or_else(|| panic!("no request id: {reply:?}"));
    assert!(id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{id}");
    match reply.header("content-type") {
        Some("application/x-amz-json-1.1") => json(reply.status, text),
        Some("text/xml") => {
            xml(text);
            assert!(text.contains(&format!("<RequestId>{id}</RequestId>")), "{text} is not of {id}");
        }
        other => panic!("a reply of type {other:?}: {reply:?}"),
    }
    id.to_owned()
}

fn json(status: u16, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(value.is_object(), "{text}");
    if status != 200 {
        assert!(value["__type"].as_str().is_some_and(|code| !code.is_empty()), "a refusal without a code: {text}");
        assert!(value["message"].is_string(), "a refusal without a message: {text}");
    }
}

/// Ends in a panic unless `text` is elements within elements, with nothing in between that a parser would trip over.
fn xml(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        characters(before);
        let (tag, after) = after.split_once('>').unwrap_or_else(|| panic!("a tag has no end: {text}"));
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{text}"),
            None => {
                let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
                assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a tag has no name: {text}");
                characters(attributes);
                open.push(name);
            }
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.is_empty(), "{text}");
}

/// XML 1.0 takes no control characters, however they are written, and no bare `&`.
fn characters(text: &str) {
    let controls = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let stray = |c: char| controls(c) || matches!(c, '\u{FFFE}' | '\u{FFFF}' | '>');
    assert!(!text.contains(stray), "{text:?}");
    for reference in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|name| reference.starts_with(name));
        assert!(known, "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_xml_is_seen() {
        let sound = |text: &'static str| std::panic::catch_unwind(|| xml(text)).is_ok();
        for text in ["<a></a>", "<a x=\"y\"><b>c &lt; d</b></a>"] {
            assert!(sound(text), "{text}");
        }
        for text in ["<a>", "</a>", "<a><b></a></b>", "<a>b & c</a>", "<a>\u{1}</a>", "<a></a>b", "<a&></a&>", "<a"] {
            assert!(!sound(text), "{text}");
        }
    }
}
