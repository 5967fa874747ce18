//! Whatever lies in the directory: a clear error at once and in little memory, the other jobs go on, nothing is deleted.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecs_etl_tests::program::Outcome;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

/// The target is one second in the release profile on a quiet machine; a dev build on a busy one gets five.
const TIME: Duration = Duration::from_secs(5);
/// The target, in bytes, whatever the build.
const MEMORY: u64 = 100 * 1024 * 1024;

/// Plants `name` beside a good job and a job that was removed, and applies.
fn check(name: &str, plant: impl FnOnce(&Path) -> io::Result<()>) {
    let world = Workspace::new(Kind::Emulator);
    for job in ["good", "gone"] {
        world.write_job(&Job::daily(job));
    }
    world.apply();
    world.remove("gone.yaml");
    assert!(plant(&world.manifest(name)).is_ok(), "{name} was not planted");

    world.write_job(&Job { image: "example.com/good:2".to_owned(), ..Job::daily("good") });
    let (outcome, calls) = world.run(&["apply", "manifests", "--prune", "--yes"]);
    let outcome = outcome.expect_code(1);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{outcome}\n{calls}");
    assert!(world.aws.rule("etl-gone").is_some(), "{outcome}");
    is_modest(name, &outcome);

    let (outcome, _) = world.run(&["validate", "manifests"]);
    is_modest(name, &outcome.expect_code(1));
}

fn is_modest(name: &str, outcome: &Outcome) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains(name), "{name} is not named\n{outcome}");
    assert!(!said.contains("panicked"), "{outcome}");
    assert!(said.len() < 100_000, "{} bytes are no clear error", said.len());
    assert!(
        !said.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
        "control characters are shown as they are"
    );
    assert!(outcome.took < TIME, "it took {:?}\n{outcome}", outcome.took);
    assert!(outcome.peak_memory < MEMORY, "it took {} bytes\n{outcome}", outcome.peak_memory);
}

fn text(text: impl AsRef<[u8]>) -> impl FnOnce(&Path) -> io::Result<()> {
    move |path| fs::write(path, text)
}

#[test]
fn a_yaml_bomb_is_defused() {
    let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..40 {
        let below = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![below; 9].join(", "));
    }
    check("bomb.yaml", text(bomb));
}

#[test]
fn a_bomb_of_merge_keys_is_defused() {
    let mut bomb = "a0: &a0 {k0: 1}\n".to_owned();
    for level in 1..5_000 {
        bomb += &format!("a{level}: &a{level} {{<<: *a{}, k{level}: 1}}\n", level - 1);
    }
    check("bomb.yaml", text(bomb));
}

#[test]
fn nesting_without_end_is_refused() {
    check("sequences.yaml", text("[".repeat(100_000)));
    check("mappings.yaml", text("{a: ".repeat(100_000)));
    check("dashes.yaml", text("- ".repeat(100_000)));
    check("pairs.yaml", text("? ".repeat(100_000)));
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused() {
    check("huge.yaml", text("a: b\n".repeat(20 << 20)));
    check("sparse.yaml", |path| fs::File::create(path)?.set_len(100 << 20));
}

#[test]
fn documents_without_end_are_refused() {
    check("documents.yaml", text("---\na: b\n".repeat(200_000)));
}

#[test]
fn what_is_no_text_is_refused() {
    check("latin-1.yaml", text(b"kind: EtlJob # caf\xe9\n"));
    check("binary.yaml", |path| {
        fs::copy("/proc/self/exe", path).and_then(|_| fs::File::options().write(true).open(path)?.set_len(65_536))
    });
    check("nul.yaml", text(b"apiVersion: ecs-etl/v1\nkind: \0\n"));
    check("escape.yaml", text("apiVersion: ecs-etl/v1\nkind: \"\\e[31mEtlJob\\a\"\n"));
    check("utf-16.yaml", |path| {
        let utf_16: Vec<u8> = "\u{feff}kind: EtlJob\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(path, utf_16)
    });
}

#[test]
fn what_is_no_yaml_of_ours_is_refused() {
    check("tabs.yaml", text("apiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata:\n\tname: tabs\n"));
    check("keys.yaml", text(Job::daily("keys").to_string().replace("spec:\n", "spec:\n  cluster: analytics\n")));
    check("scalar.yaml", text("just a sentence\n"));
    check("torn.yaml", text("apiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata: {name: \"torn"));
    check("long-name.yaml", text(Job::daily(&"x".repeat(1 << 20)).to_string()));
}

#[test]
fn what_is_no_file_is_passed_over_with_an_error() {
    check("fifo.yaml", |path| {
        let made = Command::new("mkfifo").arg(path).status()?;
        if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo failed")) }
    });
    check("loop.yaml", |path| symlink(path, path));
    check("dangling.yaml", |path| symlink("/nowhere/at/all", path));
    check("around", |path| symlink(".", path));
}

#[test]
fn what_may_not_be_read_is_named() {
    check("secret.yaml", |path| {
        fs::write(path, Job::daily("secret").to_string())?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o000))?;
        if fs::read(path).is_err() {
            return Ok(());
        }
        // Root may read everything; then only what is not there cannot be read.
        fs::remove_file(path)?;
        symlink("/proc/self/no-such-file", path)
    });
}

#[test]
fn a_directory_that_is_none_is_named() {
    let world = Workspace::new(Kind::Emulator);
    fs::write(world.folder().join("a-file"), "kind: EtlJob").expect("a file");
    for (dir, also) in [("nowhere", "nowhere"), ("a-file", "a-file")] {
        for command in ["validate", "apply"] {
            let (outcome, calls) = world.run(&[command, dir]);
            is_modest(also, &outcome.expect_code(1));
            assert!(calls.mutating().is_empty(), "{calls}");
        }
    }
}
