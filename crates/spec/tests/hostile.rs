//! Input that wants the process down: refused, quickly, in little memory, in words that can be shown.

#![expect(clippy::disallowed_methods, reason = "tests measure time and memory")]

use std::time::{Duration, Instant};

use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::directory::{Directory, File, load};
use jiff::Timestamp;
use proptest::prelude::*;

const GOOD: &str = "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: analytics}
spec: {region: ap-northeast-1, eventsRoleArn: events}
---
apiVersion: ecs-etl/v1
kind: EtlJob
metadata: {name: good}
spec:
  cluster: analytics
  schedule: '@daily'
  taskDefinition: {containerDefinitions: [{image: 'x:1', memory: 512}]}
";

fn load_all(files: &[(&str, &[u8])]) -> Directory {
    let files: Vec<File<'_>> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    load(&files, Timestamp::UNIX_EPOCH)
}

/// An alias bomb: each line repeats the one before it ten times.
fn bomb(lines: usize) -> String {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for line in 1..lines {
        let aliases = vec![format!("*a{}", line - 1); 10].join(", ");
        text.push_str(&format!("a{line}: &a{line} [{aliases}]\n"));
    }
    text
}

/// Merge keys that each bring in the one before it, twice.
fn merge_bomb(lines: usize) -> String {
    let mut text = "a0: &a0 {k: v}\n".to_owned();
    for line in 1..lines {
        text.push_str(&format!("a{line}: &a{line} {{x{line}: *a{0}, <<: [*a{0}, *a{0}]}}\n", line - 1));
    }
    text
}

fn long_text_bomb() -> String {
    let mut text = format!("a: &a \"{}\"\nb:\n", "x".repeat(60_000));
    for _ in 0..10_000 {
        text.push_str("- *a\n");
    }
    text
}

fn block_nesting(depth: usize) -> String {
    (0..depth).map(|level| format!("{}k:\n", " ".repeat(level))).collect()
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let deep = 100_000;
    vec![
        ("an alias bomb of a few lines", bomb(9).into_bytes()),
        ("an alias bomb of 60 KB", bomb(1100).into_bytes()),
        ("a bomb of merge keys", merge_bomb(1000).into_bytes()),
        ("a long text repeated", long_text_bomb().into_bytes()),
        ("an alias of itself", b"a: &a [*a]".to_vec()),
        ("100,000 open lists", "[".repeat(deep).into_bytes()),
        ("100,000 closed lists", ("[".repeat(deep) + &"]".repeat(deep)).into_bytes()),
        ("100,000 open mappings", "{a: ".repeat(deep).into_bytes()),
        ("100,000 open mappings of mappings", "{".repeat(deep).into_bytes()),
        ("100,000 lists on one line", "- ".repeat(deep).into_bytes()),
        ("100,000 explicit keys", "? ".repeat(deep).into_bytes()),
        ("a thousand levels of indentation", block_nesting(1000).into_bytes()),
        ("127 lists and a megabyte", ("[".repeat(127) + &"a,".repeat(400_000)).into_bytes()),
        ("a million commas", ("[".to_owned() + &"a,".repeat(500_000)).into_bytes()),
        ("a flow mapping of a megabyte", ("{".to_owned() + &"a: 1,".repeat(200_000)).into_bytes()),
        ("different keys of a megabyte", {
            let keys: String = (0..90_000).map(|key| format!("k{key}: 1\n")).collect();
            keys.into_bytes()
        }),
        ("anchors of a megabyte", "&a ".repeat(340_000).into_bytes()),
        ("many anchors", (0..60_000).map(|n| format!("- &a{n} x\n")).collect::<String>().into_bytes()),
        ("tags of a megabyte", "!a ".repeat(340_000).into_bytes()),
        ("colons", ":".repeat(1_000_000).into_bytes()),
        ("dashes", "-".repeat(1_000_000).into_bytes()),
        ("documents", "---\n".repeat(250_000).into_bytes()),
        ("small documents", "--- a\n".repeat(150_000).into_bytes()),
        ("blank lines", "\n".repeat(1_000_000).into_bytes()),
        ("spaces", " ".repeat(1_000_000).into_bytes()),
        ("comments", "#\n".repeat(500_000).into_bytes()),
        ("a quote that never ends", ("a: \"".to_owned() + &"x\n".repeat(500_000)).into_bytes()),
        ("a text block of a megabyte", ("a: |\n".to_owned() + &" x\n".repeat(300_000)).into_bytes()),
        ("a plain text of many lines", ("a: b\n".to_owned() + &"  x\n".repeat(250_000)).into_bytes()),
        ("directives", "%YAML 1.2\n".repeat(100_000).into_bytes()),
        ("tag directives", (0..50_000).map(|n| format!("%TAG !t{n}! tag:x\n")).collect::<String>().into_bytes()),
        ("two megabytes", vec![b'a'; 2 << 20]),
        ("no UTF-8", vec![0xc3, 0x28, 0xff]),
        ("UTF-16", b"\xff\xfea\0:\0 \0b\0".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec()),
        ("NUL in a value", b"a: b\0c".to_vec()),
        ("a tab for indentation", b"a:\n\tb: c".to_vec()),
    ]
}

#[test]
fn hostile_files_cost_little_and_stop_nobody_else() {
    for (what, bytes) in hostile() {
        let files: [(&str, &[u8]); 2] = [("bad.yaml", &bytes), ("good.yaml", GOOD.as_bytes())];
        let mut directory = load_all(&[]);
        // Other work on the machine can slow one try, not three.
        let took = (0..3).map(|_| {
            let start = Instant::now();
            directory = load_all(&files);
            start.elapsed()
        });
        let took = took.into_iter().find(|took| *took < Duration::from_secs(1));
        assert!(took.is_some(), "{what} takes more than a second");
        assert_eq!(directory.jobs.len(), 1, "{what} stops the job beside it");
        assert!(directory.controller_problem.is_none(), "{what}");
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        println!("peak {peak}");
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 100 * 1024, "{peak}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        load_all(&[("a.yaml", &bytes)]);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "([-?:,\\[\\]{}#&*!|>'\"%@`<~$ \\n\\t]|a: |- |<<: |&a |\\*a |\\$\\{|---\\n|é|null|1e3){0,60}") {
        load_all(&[("a.yaml", text.as_bytes())]);
    }

    #[test]
    fn no_edit_of_a_good_file_panics_or_loses_the_file(at in 0..GOOD.len(), cut in 0..40_usize, put in "[-?:,\\[\\]{}#&*!|>'\"\\n a0~$]{0,6}") {
        let mut text = GOOD.to_owned();
        let end = (at + cut).min(text.len());
        text.replace_range(at..end, &put);
        let directory = load_all(&[("a.yaml", text.as_bytes())]);
        // Whatever became of the job, it is known, or the file shields it, or the document was made into another one.
        let told = directory.jobs.len() + directory.blocked.len() + directory.unreadable.len() > 0
            || directory.diagnostics.iter().any(|diagnostic| diagnostic.severity >= Severity::Note)
            || !text.contains("good");
        prop_assert!(told, "{text}");
    }
}
