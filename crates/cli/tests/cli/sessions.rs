//! Sessions at a shell, each a file of `tests/sessions`: files to begin with, then commands and what they print.
//!
//! `SNAPSHOTS=overwrite cargo test` writes down what they print now. Times, ages and paths are replaced by words.

use std::fs;
use std::path::Path;
use std::process::Output;

use snapbox::Data;

use crate::world::isolated;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sessions");

#[test]
fn every_session_goes_as_it_is_written() {
    let mut files: Vec<_> = fs::read_dir(SESSIONS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10, "{files:?}");
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = files.iter().map(|file| (file, scope.spawn(|| play(file)))).collect();
        let failed = running.into_iter().filter_map(|(file, session)| session.join().err().map(|_| file));
        failed.map(|file| file.display().to_string()).collect()
    });
    assert_eq!(failures, [""; 0]);
}

/// Plays a session in a directory of its own, and compares.
fn play(file: &Path) {
    let written = fs::read_to_string(file).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut played = String::new();
    let mut rest = written.as_str();
    while let Some((name, body, after)) = next_file(rest) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
        rest = after;
    }
    played.push_str(&written[..written.len() - rest.len()]);
    for line in rest.lines() {
        if line.starts_with('#') || line.starts_with("-- ") || line.is_empty() {
            played.push_str(line);
            played.push('\n');
        } else if let Some(command) = line.strip_prefix("$ ") {
            let output = isolated("sh", dir.path()).env("ECS_ETL_LOG", "off").args(["-c", command]).output().unwrap();
            played
                .push_str(&format!("{line}\n{}", transcript(&output, dir.path(), command.starts_with("ecs-etl next"))));
        }
    }
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(Data::text(played), Data::read_from(file, Some(snapbox::data::DataFormat::Text)).raw());
}

/// The first `-- name --` section: its name, its body, and what follows.
fn next_file(text: &str) -> Option<(&str, &str, &str)> {
    let (header, body) = text.split_once('\n')?;
    let name = header.strip_prefix("-- ")?.strip_suffix(" --").filter(|name| *name != "session")?;
    let end = body.find("\n-- ").map(|end| end + 1)?;
    let (body, rest) = body.split_at(end);
    Some((name, body, rest.strip_prefix("-- session --\n").unwrap_or(rest)))
}

/// Standard output, standard error behind `! `, and the exit code unless it is 0; word for word if `exact`.
fn transcript(output: &Output, dir: &Path, exact: bool) -> String {
    let mut text = String::new();
    for (mark, stream) in [("> ", &output.stdout), ("! ", &output.stderr)] {
        for line in String::from_utf8_lossy(stream).lines() {
            let line = if exact { line.to_owned() } else { normal(line, dir) };
            text.push_str(format!("{mark}{line}").trim_end());
            text.push('\n');
        }
    }
    match output.status.code() {
        Some(0) => {}
        code => text.push_str(&format!("exit {}\n", code.map_or("by signal".to_owned(), |code| code.to_string()))),
    }
    text
}

/// A line with words in place of what differs from run to run.
fn normal(line: &str, dir: &Path) -> String {
    let line = line.replace(&dir.display().to_string(), "[DIR]");
    let line = replaced(&line, "dddd-dd-ddTdd:dd:dd*Z", "[TIME]");
    // As wide as it was, so that tables stay in line.
    let line = replaced(&line, "dddd-dd-dd dd:dd", "YYYY-MM-DD hh:mm");
    let line = format!("{line} ");
    let ages = [(" ds ", " 0s "), (" ds,", " 0s,"), (" dds  ", " 0s   "), (" dds,", " 0s,"), (" dds ", " 0s ")];
    ages.iter().fold(line, |line, (form, word)| replaced(&line, form, word)).trim_end().to_owned()
}

/// Replaces every text of this form, in which `d` stands for a digit and `*` for as many digits and points as there are.
fn replaced(line: &str, form: &str, word: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let (taken, said) = match fit(rest.as_bytes(), form) {
            Some(length) => (length, word),
            None => (character.len_utf8(), &rest[..character.len_utf8()]),
        };
        result.push_str(said);
        rest = &rest[taken..];
    }
    result
}

/// How much of the beginning of a text has this form.
fn fit(text: &[u8], form: &str) -> Option<usize> {
    let mut at = 0;
    for form in form.bytes() {
        match form {
            b'*' => at += text[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count(),
            b'd' if text.get(at)?.is_ascii_digit() => at += 1,
            other if *text.get(at)? == other => at += 1,
            _ => return None,
        }
    }
    Some(at)
}
