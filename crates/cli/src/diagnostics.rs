//! Findings, shown in the text they are about.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::scan::{Scan, WHOLE};
use ecs_etl_plan::normalise::secrets;
use ecs_etl_spec::diagnostic::{Diagnostic, Severity};

use crate::output::Terminal;

/// Prints every finding, and every file of `dir` that could not be read.
pub fn print(dir: &Path, scan: &Scan, manifests: &Manifests, terminal: &mut Terminal) -> anyhow::Result<()> {
    for found in &manifests.directory.diagnostics {
        terminal.line(picture(scan, found))?;
    }
    let told = |file: &str| manifests.directory.diagnostics.iter().any(|found| found.file == file);
    let dir = dir.display().to_string();
    for (file, why) in manifests.incomplete.iter().filter(|(file, _)| !told(file)) {
        let file = if file == WHOLE { &dir } else { file };
        terminal.line(
            Renderer::styled().render(&[Group::with_title(Level::ERROR.primary_title(format!("{file}: {why}")))]),
        )?;
    }
    Ok(())
}

fn picture(scan: &Scan, found: &Diagnostic) -> String {
    let level = match found.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title =
        if found.path.is_empty() { found.message.clone() } else { format!("{}: {}", found.path, found.message) };
    let source = scan.files.get(&found.file).and_then(|file| std::str::from_utf8(&file.bytes).ok());
    let mut group = match source.and_then(|source| Some((source, span(source, found)?))) {
        Some((source, span)) if !holds_a_secret(source, &span, &found.path) => Group::with_title(
            level.primary_title(title),
        )
        .element(Snippet::source(source).path(found.file.as_str()).annotation(AnnotationKind::Primary.span(span))),
        Some(_) => Group::with_title(level.primary_title(title)).element(place(found)),
        None => Group::with_title(level.primary_title(format!("{}: {title}", found.file))),
    };
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::styled().render(&[group])
}

/// Where a finding is, without the text there.
fn place(found: &Diagnostic) -> Origin<'_> {
    let number = |number: u32| usize::try_from(number).unwrap_or_default();
    Origin::path(found.file.as_str()).line(number(found.line)).char_column(number(found.column))
}

/// Whether the line that would be shown may hold the value of an environment variable or something else that is secret: plans
/// are printed where many read them, such as a CI log.
fn holds_a_secret(source: &str, span: &Range<usize>, path: &str) -> bool {
    let start = source.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let names_a_variable =
        ["environment", "value:"].iter().any(|word| line.contains(word)) || path.contains("environment");
    names_a_variable || secrets::mask_text(line) != line
}

/// Bytes of the word that a finding points at.
fn span(source: &str, found: &Diagnostic) -> Option<Range<usize>> {
    let line_index = usize::try_from(found.line).ok()?.checked_sub(1)?;
    let start: usize = source.split_inclusive('\n').take(line_index).map(str::len).sum();
    let line = source.get(start..)?.split('\n').next()?;
    let column = usize::try_from(found.column).ok()?.saturating_sub(1);
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    let word = line.get(offset..)?.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    Some(start + offset..start + offset + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, word: &str, path: &str, hidden: bool) {
        let start = source.find(word).unwrap();
        assert_eq!(holds_a_secret(source, &(start..start + word.len()), path), hidden, "{source:?} {path}");
    }

    #[test]
    fn a_line_that_may_hold_a_secret_is_not_shown() {
        check("a: 1\nentrypoint: [x]\n", "entrypoint", "spec.entrypoint", false);
        check("environment: [{name: TOKEN, value: [x]}]", "[x]", "", true);
        check("- name: TOKEN\n  value: [x]\n", "value", "", true);
        check("  - x\n", "x", "containerDefinitions[0].environment[0].name", true);
        check("command: [--password=hunter2, x y]\n", "command", "spec", true);
        check("password: {a: b}\nimage: 1\n", "image", "spec", false);
    }
}
