//! Sources that want the process down, or are not what they say: refused or read, quickly, and what is written can be read.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own data should stop")]
#![expect(clippy::disallowed_methods, reason = "tests read their data and measure time")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecs_etl_import::{File, Found, ImportError, Options, manifests};
use ecs_etl_import::{cloudformation, copilot, ecschedule, ecspresso, terraform};
use ecs_etl_spec::directory;

type Reader = fn(&File<'_>) -> Result<Found, ImportError>;

const READERS: [(&str, Reader); 5] = [
    ("cloudformation", |file| cloudformation::read(file, Some("eu-west-1"))),
    ("copilot", |file| copilot::read(file, Some("prod"))),
    ("ecschedule", |file| {
        ecschedule::read(file, std::slice::from_ref(file)).or_else(|_error| ecschedule::read(file, &[]))
    }),
    ("ecspresso", |file| ecspresso::read(std::slice::from_ref(file), None)),
    ("terraform", terraform::read),
];

/// As long as one source may take in a build that is not optimised, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Imports a text with every reader; what comes out can be read.
fn survives(what: &str, text: &[u8]) {
    for (source, read) in READERS {
        let start = Instant::now();
        imported(&format!("{what} as {source}"), read, text);
        assert!(start.elapsed() < PATIENCE, "{what} takes {source} {:?}", start.elapsed());
    }
}

fn imported(what: &str, read: Reader, text: &[u8]) {
    let Ok(found) = read(&File { name: "input", bytes: text }) else { return };
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let import = manifests(found, &Options { now, controller: None, region: None, cluster: None });
    let files: Vec<directory::File<'_>> = import
        .manifests
        .iter()
        .map(|manifest| directory::File { path: &manifest.path, bytes: manifest.text.as_bytes() })
        .collect();
    let loaded = directory::load(&files, now);
    assert!(loaded.unreadable.is_empty(), "{what}: {:?}", loaded.unreadable);
    assert_eq!(loaded.jobs.len() + loaded.blocked.len(), import.jobs.len(), "{what}");
}

fn inputs() -> Vec<(Reader, PathBuf)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut inputs = Vec::new();
    for (source, read) in READERS {
        for case in std::fs::read_dir(data.join(source)).unwrap() {
            let files = std::fs::read_dir(case.unwrap().path()).unwrap().map(|file| file.unwrap().path());
            let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("input");
            inputs.extend(files.filter(named).map(|path| (read, path)));
        }
    }
    inputs
}

#[test]
fn bombs_are_refused_in_no_time() {
    let aliases =
        (1..12).map(|line| format!("a{line}: &a{line} [{}]\n", vec![format!("*a{}", line - 1); 10].join(", ")));
    let bomb = format!("a0: &a0 [x, x]\n{}", aliases.collect::<String>());
    survives("an alias bomb", bomb.as_bytes());
    survives("a rule that is an alias bomb", format!("rules:\n- name: x\n{}", bomb.replace("\na", "\n  a")).as_bytes());
    survives("brackets", "[".repeat(200_000).as_bytes());
    survives("braces", format!("{{\"rules\": {}", "{\"a\":".repeat(200_000)).as_bytes());
    survives(
        "deep JSON",
        format!("{{\"a\": \"{}\", \"values\": {}", "x".repeat(200_000), "[".repeat(100_000)).as_bytes(),
    );
    survives("templates", format!("rules: [{}]", "{{ env `X` }}, ".repeat(4_000)).as_bytes());
    survives(
        "different templates",
        (0..4_000).map(|n| format!("{{{{ env `X{n}` }}}}\n")).collect::<String>().as_bytes(),
    );
    survives("a large file", "a: b\n".repeat(1 << 20).as_bytes());
    survives("no text", &[0xff, 0xfe, 0, 1, 2, 3]);
    survives("nothing", b"");
}

#[test]
fn what_one_part_is_used_for_many_times_stays_within_bounds() {
    let refs = "!Ref P, ".repeat(5_000);
    let text = format!(
        "Parameters: {{P: {{Type: String, Default: \"{}\"}}}}\nResources:\n  T: {{Type: AWS::ECS::TaskDefinition, Properties: {{Family: f, ContainerDefinitions: [{{Name: a, Command: [{refs}]}}]}}}}\n",
        "x".repeat(4000)
    );
    let rules: String = (1..400).map(|n| format!("  R{n}: {{Type: AWS::Events::Rule, Properties: {{Name: r{n}, ScheduleExpression: rate({n} days), Targets: [{{EcsParameters: {{TaskDefinitionArn: !Ref T}}}}]}}}}\n")).collect();
    let start = Instant::now();
    let text = format!("{text}{rules}");
    let found = cloudformation::read(&File { name: "input", bytes: text.as_bytes() }, None).unwrap();
    let full = found.runs.iter().filter(|run| run.task_definition.is_some()).count();
    assert!(full > 100 && full < 399, "{full} of {} runs have the task definition", found.runs.len());
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn a_source_with_any_line_missing_or_doubled_is_refused_or_becomes_readable_manifests() {
    for (read, path) in inputs() {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for index in 0..lines.len() {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, line)| *line).collect();
            let mut doubled = lines.clone();
            doubled.insert(index, lines[index]);
            for changed in [without, doubled] {
                imported(&format!("{} around line {}", path.display(), index + 1), read, changed.join("\n").as_bytes());
            }
        }
    }
}

#[test]
fn a_source_with_strange_text_anywhere_is_refused_or_becomes_readable_manifests() {
    for (read, path) in inputs() {
        let text = std::fs::read_to_string(&path).unwrap();
        for strange in ["\u{85}", "\u{2028}", "日本", "FILL_IN(", "${", "{{", "<t>", ": ", "#", "'"] {
            for (at, _) in text.match_indices(['a', ':']).step_by(23) {
                let (before, after) = text.split_at(at);
                imported(
                    &format!("{} with {strange:?} at {at}", path.display()),
                    read,
                    format!("{before}{strange}{after}").as_bytes(),
                );
            }
        }
    }
}
