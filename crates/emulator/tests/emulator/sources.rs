//! Where the rules come from: each refusal and each filled-in value names a section of `docs/aws.md`, and each section named is there.

use std::fs;
use std::path::{Path, PathBuf};

/// How code names a section.
const CITATION: &str = "docs/aws.md, ";

/// What makes a refusal, or fills in a value.
const RULES: &[&str] = &[
    "Refusal::new(",
    "client(",
    "invalid(",
    "validation(",
    "serialization(",
    "default(&mut",
    "or_insert_with(|| json",
];

/// Folders that hold rules of AWS; the doors and the journal are the emulator's own.
const OWN: &[&str] = &["door", "journal.rs", "tests.rs"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Rust files below a folder, with their text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The text of comments that run over several lines, on one line.
fn unwrapped(text: &str) -> String {
    let bare = |line: &str| line.trim_start().trim_start_matches(['/', '!']).trim().to_owned();
    text.lines().map(bare).collect::<Vec<_>>().join(" ")
}

fn headings() -> Vec<String> {
    let page = fs::read_to_string(repository().join("docs/aws.md")).unwrap();
    let headings = page.lines().filter(|line| line.starts_with("## ") || line.starts_with("### "));
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    headings
        .map(|line| line.trim_start_matches('#').trim())
        .map(|line| line[number(line)..].trim().to_owned())
        .collect()
}

/// Functions with what stands above them, as `(name, text)`.
fn functions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let is_function = words.starts_with("fn ") || (words.starts_with("pub") && words.contains(" fn "));
        let Some((_, name)) = words.split_once("fn ").filter(|_| is_function) else { continue };
        let indent = &line[..line.len() - words.len()];
        let above = lines[..start].iter().rev().take_while(|line| line.trim_start().starts_with(['/', '#'])).count();
        let long = lines[start..].iter().position(|line| *line == format!("{indent}}}")).unwrap_or(0);
        let name = name.split(['(', '<']).next().unwrap_or_default().to_owned();
        found.push((name, lines[start - above..=start + long].join("\n")));
    }
    found
}

#[test]
fn every_section_that_code_names_is_a_heading_of_the_page() {
    let headings = headings();
    let mut wrong = Vec::new();
    let mut cited = 0;
    for (path, text) in sources(&repository().join("crates")) {
        if path.ends_with("sources.rs") {
            continue;
        }
        let text = unwrapped(&text);
        for (at, _) in text.match_indices(CITATION) {
            let rest = &text[at + CITATION.len()..];
            let names = |heading: &String| {
                rest.strip_prefix(heading.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            };
            cited += 1;
            if !headings.iter().any(names) {
                wrong.push(format!("{}: {}", path.display(), rest.chars().take(40).collect::<String>()));
            }
        }
    }
    assert!(wrong.is_empty(), "no such sections:\n{}", wrong.join("\n"));
    assert!(cited > 100, "only {cited} citations were found");
}

#[test]
fn every_function_that_refuses_or_fills_in_names_its_source() {
    let mut without = Vec::new();
    let mut rules = 0;
    for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        if path.components().any(|part| OWN.iter().any(|own| part.as_os_str() == *own)) {
            continue;
        }
        for (name, function) in functions(&text) {
            if RULES.iter().any(|rule| function.contains(rule)) {
                rules += 1;
                if !unwrapped(&function).contains(CITATION) {
                    without.push(format!("{}: {name}", path.display()));
                }
            }
        }
    }
    assert!(without.is_empty(), "rules without a source:\n{}", without.join("\n"));
    assert!(rules > 80, "only {rules} functions with rules were found");
}
