//! Findings, shown in the text they are about.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::scan::{Scan, WHOLE};
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
        Some((source, span)) => Group::with_title(level.primary_title(title))
            .element(Snippet::source(source).path(found.file.as_str()).annotation(AnnotationKind::Primary.span(span))),
        None => Group::with_title(level.primary_title(format!("{}: {title}", found.file))),
    };
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::styled().render(&[group])
}

/// Bytes of the word that a finding points at.
fn span(source: &str, found: &Diagnostic) -> Option<std::ops::Range<usize>> {
    let line_index = usize::try_from(found.line).ok()?.checked_sub(1)?;
    let start: usize = source.split_inclusive('\n').take(line_index).map(str::len).sum();
    let line = source.get(start..)?.split('\n').next()?;
    let column = usize::try_from(found.column).ok()?.saturating_sub(1);
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    let word = line.get(offset..)?.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    Some(start + offset..start + offset + word.len())
}
