use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::read::Fault;
use super::*;

fn stream(text: &str) -> build::Stream {
    read(0, text.as_bytes(), Limits::default())
}

fn only(text: &str) -> Document {
    let mut stream = stream(text);
    assert_eq!((stream.documents.len(), &stream.fault), (1, &None), "{text}");
    stream.documents.remove(0)
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::String(text) | Value::Open { shown: text, .. } => json!(text),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(map) => map.iter().map(|(key, entry)| (key.clone(), json(&entry.node))).collect(),
    }
}

fn fault(text: &[u8]) -> Fault {
    read(7, text, Limits::default()).fault.unwrap()
}

#[test]
fn keys_and_values_know_their_line_and_column_in_characters() {
    let document = only("é: {ü: [1, \"x\"]}\nb:\n  - c\n");
    let place = |node: &Node| (node.at.line, node.at.column);
    let entry = document.root.entry("é").unwrap();
    assert_eq!((entry.key_at.line, entry.key_at.column), (1, 1));
    assert_eq!(place(&entry.node), (1, 4));
    let list = entry.node.get("ü").unwrap();
    assert_eq!(place(&list.sequence().unwrap()[1]), (1, 12));
    assert_eq!(place(&document.root.get("b").unwrap().sequence().unwrap()[0]), (3, 5));
}

#[test]
fn places_are_counted_as_an_editor_counts_and_are_never_beyond_the_end() {
    for (text, expected) in
        [("a: 1\nkey", (2, 4)), ("a: [\n", (2, 1)), ("a: 1\rb: 2\r\nkey", (2, 4)), ("a: \u{e9}\nb: [", (2, 5))]
    {
        let at = fault(text.as_bytes()).at;
        assert_eq!((at.line, at.column), expected, "{text:?}");
    }
}

#[test]
fn merge_keys_bring_in_what_the_mapping_does_not_say() {
    let cases = [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", json!({"x": 1, "y": 3})),
        ("a: &a {x: 1}\nb: {y: 3, <<: *a}", json!({"x": 1, "y": 3})),
        ("a: [&a {x: 1}, &c {x: 2, y: 2}]\nb: {<<: [*a, *c]}", json!({"x": 1, "y": 2})),
        ("a: &a {x: 1}\nc: &c {<<: *a, z: 1}\nb: {<<: *c}", json!({"x": 1, "z": 1})),
        ("b: {\"<<\": text}", json!({"<<": "text"})),
        ("a: &a {x: {p: 1}}\nb: {<<: *a, x: {q: 2}}", json!({"x": {"q": 2}})),
    ];
    for (text, expected) in cases {
        assert_eq!(json(only(text).root.get("b").unwrap()), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_a_problem_of_its_document_with_a_path() {
    let cases = [
        ("a: {b: 1, b: 2}", "a.b", "the key `b` is here twice; the first is at 1:5"),
        ("a: [{b: 1}, {c: 1, c: 2}]", "a[1].c", "the key `c` is here twice; the first is at 1:14"),
        ("a: &x {k: v}\nb: {<<: *x, <<: *x}", "b[\"<<\"]", "the key `<<` is here twice; the first is at 2:5"),
        ("a: {1: x}", "a", "a key must be a string, this is a number"),
        ("a: {[x]: y}", "a", "a key must be a string, this is a list"),
        ("a: {<<: x}", "a", "`<<` takes a mapping or a list of mappings"),
        ("a: !x b", "a", "the tag `!x` means nothing here"),
        ("a: !!int b", "a", "`!!int` does not fit this value"),
        ("a: !!binary aGk=", "a", "`!!binary` does not fit this value"),
    ];
    for (text, path, message) in cases {
        let problems = only(text).problems;
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!((problems[0].path.as_str(), problems[0].message.as_str()), (path, message), "{text}");
    }
}

#[test]
fn core_tags_are_obeyed() {
    let document = only("[!!str 1, !!int \"2\", !!float 3, !!bool \"true\", !!null \"\", ! 4, !!seq [], !!map {}]");
    assert_eq!(json(&document.root), json!(["1", 2, 3.0, true, null, "4", [], {}]));
    assert_eq!(document.problems, []);
}

#[test]
fn each_document_begins_where_its_first_key_stands() {
    let stream = stream("# head\na: 1\n---\n\n# more\nb: 2\n--- c\n...\n---\n");
    let lines: Vec<u32> = stream.documents.iter().map(|document| document.root.at.line).collect();
    assert_eq!((lines, stream.fault), (vec![2, 6, 7], None));
}

#[test]
fn an_anchor_is_forgotten_at_the_end_of_its_document() {
    let stream = stream("a: &x 1\n---\nb: *x\n");
    assert_eq!(stream.documents.len(), 1);
    assert_eq!(stream.fault.unwrap().message, "the anchor of this alias is not complete in this document");
}

#[test]
fn what_is_no_text_is_refused_at_its_place() {
    let cases: [(&[u8], (u32, u32), &str); 6] = [
        (b"a: b\nc: \xff", (2, 4), "a byte that is not UTF-8"),
        (b"a: \0", (1, 4), "the control character \\u{0} is not allowed in YAML"),
        (b"a: \x1b[31m", (1, 4), "the control character \\u{1b} is not allowed in YAML"),
        (b"\xfe\xff\0a", (0, 0), "the file is UTF-16; UTF-8 was expected"),
        (b"a: &x [*x]", (1, 8), "the anchor of this alias is not complete in this document"),
        (b"a:\n\tb: c", (2, 2), "not YAML: "),
    ];
    for (bytes, (line, column), message) in cases {
        let fault = fault(bytes);
        assert_eq!((fault.at.file, fault.at.line, fault.at.column), (7, line, column), "{fault:?}");
        assert!(fault.message.starts_with(message), "{fault:?}");
    }
}

#[test]
fn each_budget_has_its_words() {
    let limits = Limits { bytes: 300, depth: 3, documents: 2, nodes: 20, text: 60 };
    let cases = [
        ("x".repeat(301), "the file has 301 bytes; at most 300 are read"),
        ("[[[[a]]]]".to_owned(), "nested more than 3 levels deep"),
        ("a\n---\nb\n---\nc".to_owned(), "more than 2 documents in one file"),
        (format!("[{}]", "a, ".repeat(30)), "more than 20 values in one file"),
        (format!("[{0}, {0}]", "a".repeat(40)), "more than 60 bytes of text in one file"),
        ("a: &a [b, b, b, b, b]\nc: [*a, *a]".to_owned(), "aliases repeat more than a manifest may hold"),
    ];
    for (text, message) in cases {
        assert_eq!(read(0, text.as_bytes(), limits).fault.unwrap().message, message);
    }
}

#[test]
fn what_is_shown_of_a_manifest_is_short_and_obeyed_by_no_terminal() {
    let cases = [
        ("plain".to_owned(), "plain".to_owned()),
        ("a\x1b[31mb\nc\u{202e}d".to_owned(), "a\\u{1b}[31mb\\nc\\u{202e}d".to_owned()),
        ("x".repeat(100), format!("{}…", "x".repeat(60))),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&text), expected);
    }
}

#[test]
fn what_is_emitted_is_what_a_person_would_write() {
    let value = json!({
        "a": {"list": ["x", {"b": 1, "c": [true, null], "name": "main"}, [], {}], "empty": ""},
        "words": ["no", "null", "1", "1.4.2", "a: b", "# x", "/bin/bash", "é", "x\ny", "-x", "${a}", "10:30"],
    });
    let expected = "\
a:
  empty: ''
  list:
  - x
  - name: main
    b: 1
    c:
    - true
    - null
  - []
  - {}
words:
- no
- 'null'
- '1'
- 1.4.2
- 'a: b'
- '# x'
- /bin/bash
- é
- |-
  x
  y
- -x
- ${a}
- 10:30
";
    assert_eq!(emit(&value), expected);
}

fn any_json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        any::<String>(),
        "[-?:,#&*!|>'\"%@`{}\\[\\] \\n\\t~.0-9a-z]{0,12}",
        prop::sample::select(vec!["true", "null", "~", "0x1f", "1e5", "-", "---", "...", "<<", "=", "a: b", "\u{85}"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_emitted_reads_back(value in any_json()) {
        let text = emit(&value);
        let stream = read(0, text.as_bytes(), Limits::default());
        prop_assert_eq!(&stream.fault, &None, "{}", text);
        // An empty document is left out.
        let back = stream.documents.first().map_or(Json::Null, |document| json(&document.root));
        prop_assert_eq!(back, value, "{}", text);
    }
}

#[test]
fn tags_of_others_are_kept_only_where_they_are_asked_for() {
    let text = "a: !Ref x\nb: !Sub [c, {d: !GetAtt e.f}]\ng: !If\n- 1\nh: !!str 2\n";
    let kept = read_with(0, text.as_bytes(), Limits::default(), Tags::Kept);
    assert_eq!((kept.documents[0].problems.len(), &kept.fault), (0, &None));
    let expected = json!({
        "a": {"!Ref": "x"},
        "b": {"!Sub": ["c", {"d": {"!GetAtt": "e.f"}}]},
        "g": {"!If": [1]},
        "h": "2",
    });
    assert_eq!(json(&kept.documents[0].root), expected);
    let refused = only(text);
    assert_eq!(refused.problems.len(), 4);
    assert_eq!(json(&refused.root), json!({"a": "x", "b": ["c", {"d": "e.f"}], "g": [1], "h": "2"}));
}
