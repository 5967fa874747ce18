use std::collections::BTreeSet;
use std::fs::{self, FileTimes, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use super::{Limits, RootState, Scan, look_again, scan};

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (path, content) in files {
        write(root.path(), path, content);
    }
    root
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a path below the root")).expect("its directory");
    fs::write(path, content).expect("a file");
}

fn look(root: &Path) -> Scan {
    scan(root, None, &Limits::default())
}

fn paths(scan: &Scan) -> Vec<&str> {
    scan.files.keys().map(String::as_str).collect()
}

/// The one problem of the scan of `root`.
fn problem(root: &Path) -> (String, String) {
    let scan = look(root);
    assert!(!scan.is_complete());
    assert_eq!(scan.problems.len(), 1, "{:?}", scan.problems);
    scan.problems.into_iter().next().expect("one problem")
}

#[test]
fn yaml_files_are_found_at_any_depth_and_hidden_names_are_not() {
    let root = tree(&[
        ("a.yaml", "1"),
        ("team/b.yml", "2"),
        ("team/deep/er/c.yaml", "3"),
        ("odd.yaml/d.yaml", "4"),
        (".hidden.yaml", "x"),
        (".git/e.yaml", "x"),
        ("README.md", "x"),
        ("f.yaml~", "x"),
        ("g.YAML", "x"),
        ("yaml", "x"),
    ]);
    let scan = look(root.path());
    assert_eq!(paths(&scan), ["a.yaml", "odd.yaml/d.yaml", "team/b.yml", "team/deep/er/c.yaml"]);
    assert_eq!(*scan.files["team/b.yml"].bytes, *b"2");
    assert!(scan.is_complete());
}

#[test]
fn an_empty_directory_is_complete() {
    let root = tree(&[]);
    let scan = look(root.path());
    assert!(scan.is_complete() && scan.files.is_empty());
}

#[test]
fn a_missing_directory_is_missing_and_not_empty() {
    let root = tree(&[]);
    let scan = look(&root.path().join("jobs"));
    assert!(matches!(&scan.root, RootState::Missing { why } if why.contains("No such file")), "{:?}", scan.root);
    assert!(!scan.is_complete());
    assert_eq!(scan.shortcomings().len(), 1);
}

#[test]
fn a_directory_that_is_a_file_is_told_apart() {
    let root = tree(&[("jobs", "x")]);
    let scan = look(&root.path().join("jobs"));
    assert_eq!(scan.root, RootState::NotADirectory);
    assert!(!scan.is_complete());
}

#[test]
fn links_to_files_and_directories_are_followed() {
    let elsewhere = tree(&[("shared/x.yaml", "1")]);
    let root = tree(&[("real/a.yaml", "2")]);
    symlink(elsewhere.path().join("shared"), root.path().join("linked")).expect("a link");
    symlink("real/a.yaml", root.path().join("b.yaml")).expect("a link");
    let scan = look(root.path());
    assert_eq!(paths(&scan), ["b.yaml", "linked/x.yaml", "real/a.yaml"]);
    assert!(scan.is_complete());
}

#[test]
fn a_mounted_config_map_is_read_through_its_links_once() {
    let root = tree(&[("..2026_11_23/a.yaml", "1"), ("..2026_11_23/b.yaml", "2")]);
    symlink("..2026_11_23", root.path().join("..data")).expect("a link");
    for name in ["a.yaml", "b.yaml"] {
        symlink(Path::new("..data").join(name), root.path().join(name)).expect("a link");
    }
    let scan = look(root.path());
    assert_eq!(paths(&scan), ["a.yaml", "b.yaml"]);
    assert_eq!(scan.revision.as_deref(), Some("..2026_11_23"));
    assert!(scan.is_complete());
}

#[test]
fn the_revision_is_what_the_root_link_leads_to() {
    let parent = tree(&[("worktrees/0a1b2c/jobs.yaml", "1")]);
    symlink("worktrees/0a1b2c", parent.path().join("repo")).expect("a link");
    assert_eq!(look(&parent.path().join("repo")).revision.as_deref(), Some("0a1b2c"));
}

#[test]
fn the_revision_is_the_commit_of_the_checkout() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let root = tree(&[(".git/HEAD", commit), ("jobs/a.yaml", "1")]);
    assert_eq!(look(&root.path().join("jobs")).revision.as_deref(), Some(commit));
}

#[test]
fn a_link_loop_is_a_problem_and_the_rest_is_read() {
    let root = tree(&[("a.yaml", "1"), ("team/b.yaml", "2")]);
    symlink("..", root.path().join("team/up")).expect("a link");
    let scan = look(root.path());
    assert_eq!(paths(&scan), ["a.yaml", "team/b.yaml"]);
    let why = "a link that leads back to the manifest directory itself";
    assert_eq!(scan.problems.into_iter().collect::<Vec<_>>(), [("team/up".to_owned(), why.to_owned())]);
}

#[test]
fn a_link_to_itself_is_a_problem() {
    let root = tree(&[]);
    symlink("a.yaml", root.path().join("a.yaml")).expect("a link");
    let (path, why) = problem(root.path());
    assert_eq!(path, "a.yaml");
    assert!(why.contains("Too many levels of symbolic links"), "{why}");
}

#[test]
fn a_link_to_nothing_is_a_problem() {
    let root = tree(&[]);
    symlink("gone", root.path().join("team")).expect("a link");
    assert_eq!(problem(root.path()), ("team".to_owned(), "a link to gone, which does not exist".to_owned()));
}

#[test]
fn links_that_multiply_end_at_the_limit() {
    let root = tree(&[]);
    for level in 0..20 {
        fs::create_dir(root.path().join(level.to_string())).expect("a directory");
        for link in ["a", "b", "c"] {
            let to = root.path().join((level + 1).to_string());
            symlink(to, root.path().join(level.to_string()).join(link)).expect("a link");
        }
    }
    write(root.path(), "20/x.yaml", "1");
    let scan = scan(root.path(), None, &Limits { entries: 10_000, ..Limits::default() });
    assert_eq!(scan.problems["."], "it holds more than 10000 entries; the rest was not read");
}

#[test]
fn a_pipe_is_never_opened() {
    let root = tree(&[("b.yaml", "1")]);
    let pipe = root.path().join("a.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(problem(root.path()), ("a.yaml".to_owned(), "it is a named pipe, not a file".to_owned()));
    // Even when it took a file's place after the walk had looked.
    let reading = super::read(&pipe, 100);
    assert!(matches!(&reading, super::Reading::Refused(why) if why.contains("named pipe")), "{reading:?}");
}

#[test]
fn sockets_and_devices_are_problems_by_their_kind() {
    let root = tree(&[]);
    let _listener = UnixListener::bind(root.path().join("a.yaml")).expect("a socket");
    assert_eq!(problem(root.path()).1, "it is a socket, not a file");

    let root = tree(&[]);
    symlink("/dev/zero", root.path().join("a.yaml")).expect("a link");
    assert_eq!(problem(root.path()).1, "it is a device, not a file");
}

#[test]
fn an_odd_thing_that_is_not_named_yaml_is_nobodys_business() {
    let root = tree(&[("a.yaml", "1")]);
    let _listener = UnixListener::bind(root.path().join("agent")).expect("a socket");
    assert!(look(root.path()).is_complete());
}

#[test]
fn a_huge_file_is_a_problem_and_is_not_read() {
    let root = tree(&[("b.yaml", "1")]);
    let huge = fs::File::create(root.path().join("a.yaml")).expect("a file");
    huge.set_len(100 << 30).expect("a sparse file");
    let start = Instant::now();
    let (path, why) = problem(root.path());
    assert_eq!((path.as_str(), why.as_str()), ("a.yaml", "it is 107374182400 bytes; a manifest file may have 1048576"));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_file_without_permission_is_a_problem_with_the_systems_words() {
    let root = tree(&[("a.yaml", "1"), ("b.yaml", "2"), ("closed/c.yaml", "3")]);
    fs::set_permissions(root.path().join("a.yaml"), Permissions::from_mode(0o000)).expect("closed");
    fs::set_permissions(root.path().join("closed"), Permissions::from_mode(0o000)).expect("closed");
    let scan = look(root.path());
    fs::set_permissions(root.path().join("closed"), Permissions::from_mode(0o700)).expect("open again");
    // Root reads everything, so there is nothing to see then but that it is read.
    if fs::File::open(root.path().join("a.yaml")).is_ok() {
        assert_eq!(paths(&scan), ["a.yaml", "b.yaml", "closed/c.yaml"]);
    } else {
        assert_eq!(paths(&scan), ["b.yaml"]);
        assert!(scan.problems["a.yaml"].contains("Permission denied"));
        assert!(scan.problems["closed"].contains("Permission denied"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_while_it_is_read_is_a_problem_with_the_systems_words() {
    let root = tree(&[("b.yaml", "2")]);
    // Nothing is mapped at address zero, so reading there fails, whoever reads.
    symlink("/proc/self/mem", root.path().join("a.yaml")).expect("a link");
    let (path, why) = problem(root.path());
    assert_eq!(path, "a.yaml");
    assert!(why.contains("Input/output error"), "{why}");
}

#[test]
fn a_name_that_is_not_utf_8_is_a_problem_where_it_matters() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let root = tree(&[("a.yaml", "1")]);
    fs::write(root.path().join(OsStr::from_bytes(b"caf\xe9.txt")), "x").expect("a file");
    assert!(look(root.path()).is_complete());
    fs::write(root.path().join(OsStr::from_bytes(b"caf\xe9.yaml")), "x").expect("a file");
    assert_eq!(problem(root.path()), (r"caf\xe9.yaml".to_owned(), "its name is not valid UTF-8".to_owned()));
}

#[test]
fn what_lies_beyond_a_limit_is_said() {
    let root = tree(&[("a.yaml", "11"), ("b.yaml", "22"), ("c/d/e.yaml", "33")]);
    let with = |limits: Limits| scan(root.path(), None, &limits).problems;
    let limits = Limits::default();
    assert_eq!(with(Limits { files: 2, ..limits })["."], "it holds more than 2 manifest files; the rest was not read");
    assert_eq!(
        with(Limits { total_bytes: 4, ..limits })["."],
        "its manifests have more than 4 bytes; the rest was not read"
    );
    assert_eq!(with(Limits { file_bytes: 1, ..limits })["a.yaml"], "it is 2 bytes; a manifest file may have 1");
    assert_eq!(with(Limits { depth: 2, ..limits })["c/d"], "it is nested more than 2 directories deep");
    assert!(with(Limits { files: 3, total_bytes: 6, file_bytes: 2, depth: 3, entries: 5 }).is_empty());
}

#[test]
fn a_thousand_problems_are_named_and_the_files_between_them_are_read() {
    let root = tree(&[("zz.yaml", "1")]);
    for n in 0..1500 {
        symlink("gone", root.path().join(format!("{n:04}.yaml"))).expect("a link");
    }
    let scan = look(root.path());
    assert_eq!(paths(&scan), ["zz.yaml"]);
    assert_eq!(scan.problems.len(), 1001);
    assert_eq!(scan.problems["."], "more than 1000 paths below it cannot be read; only the first are named");
}

fn set_age(path: &Path, age: Duration) {
    let file = OpenOptions::new().write(true).open(path).expect("the file");
    file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).expect("its times");
}

#[test]
fn a_file_written_just_before_the_last_scan_is_read_again() {
    let root = tree(&[("a.yaml", "1")]);
    let first = look(root.path());
    assert!(!first.files["a.yaml"].stamp_settled);
    let second = scan(root.path(), Some(&first), &Limits::default());
    assert!(Arc::ptr_eq(&first.files["a.yaml"].bytes, &second.files["a.yaml"].bytes), "equal bytes are kept once");
}

#[test]
fn a_file_with_a_settled_stamp_is_not_read_again_until_the_stamp_changes() {
    let root = tree(&[("a.yaml", "1")]);
    let mut first = look(root.path());
    // As if the scan had been made long after the write; the bytes are a mark that shows whether they were read again.
    let file = first.files.get_mut("a.yaml").expect("the file");
    file.stamp_settled = true;
    file.bytes = Arc::from(*b"mark");
    let second = scan(root.path(), Some(&first), &Limits::default());
    assert_eq!(*second.files["a.yaml"].bytes, *b"mark");

    set_age(&root.path().join("a.yaml"), Duration::from_secs(3600));
    let third = scan(root.path(), Some(&first), &Limits::default());
    assert_eq!(*third.files["a.yaml"].bytes, *b"1");
}

#[test]
fn a_stamp_is_settled_two_seconds_after_the_last_write() {
    let root = tree(&[("a.yaml", "1")]);
    let metadata = fs::metadata(root.path().join("a.yaml")).expect("the file");
    let stamp = super::Stamp::of(&metadata);
    let written = metadata.modified().expect("a time");
    assert!(!stamp.is_settled(written));
    assert!(!stamp.is_settled(written + Duration::from_secs(2)));
    assert!(stamp.is_settled(written + Duration::from_secs(4)));
    assert!(!stamp.is_settled(written - Duration::from_secs(3600)), "a clock behind the file server's");
}

#[test]
fn every_directory_that_matters_is_named_for_watching() {
    let elsewhere = tree(&[("x.yaml", "1")]);
    let root = tree(&[("team/b.yaml", "2"), (".cache/c.yaml", "3")]);
    symlink(elsewhere.path().join("x.yaml"), root.path().join("x.yaml")).expect("a link");
    let scan = look(root.path());
    let named: Vec<_> = scan.directories.values().cloned().collect();
    let real = |path: &Path| fs::canonicalize(path).expect("it exists");
    for wanted in [root.path(), &root.path().join("team"), elsewhere.path()] {
        assert!(named.contains(&real(wanted)), "{} in {named:?}", wanted.display());
    }
    assert!(!named.contains(&real(&root.path().join(".cache"))));
}

/// A second look at these paths alone, held to what a look at everything says.
fn again(root: &Path, last: &Scan, paths: &[&str]) -> Option<Scan> {
    let paths: BTreeSet<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let seen = look_again(root, last, &paths, &Limits::default());
    if let Some(seen) = &seen {
        assert_eq!(*seen, scan(root, Some(last), &Limits::default()));
    }
    seen
}

#[test]
fn a_second_look_at_what_moved_sees_what_a_look_at_everything_sees() {
    let root = tree(&[("a.yaml", "1"), ("team/b.yaml", "2"), ("c.yaml", "3")]);
    let last = look(root.path());
    assert!(again(root.path(), &last, &["a.yaml", "team/b.yaml"]).is_some());
    assert!(again(root.path(), &last, &["gone.yaml"]).is_some(), "what was away is still away");
    write(root.path(), "team/b.yaml", "22");
    let seen = again(root.path(), &last, &["team/b.yaml"]).expect("one plain file");
    assert_eq!(*seen.files["team/b.yaml"].bytes, *b"22");
}

#[test]
fn where_a_second_look_at_what_moved_will_not_do_everything_is_looked_at() {
    let root = tree(&[("a.yaml", "1"), ("b.yaml", "2"), ("c.yaml", "3")]);
    let last = look(root.path());
    assert!(again(root.path(), &last, &["."]).is_none(), "the directory itself");
    write(root.path(), "new.yaml", "4");
    assert!(again(root.path(), &last, &["new.yaml"]).is_none(), "it came back");
    fs::remove_file(root.path().join("a.yaml")).expect("removed");
    assert!(again(root.path(), &last, &["a.yaml"]).is_none(), "it went away");
    fs::remove_file(root.path().join("b.yaml")).expect("removed");
    symlink(root.path().join("c.yaml"), root.path().join("b.yaml")).expect("a link");
    assert!(again(root.path(), &last, &["b.yaml"]).is_none(), "a link");
    let many: Vec<String> = (0..101).map(|n| format!("{n}.yaml")).collect();
    assert!(again(root.path(), &last, &many.iter().map(String::as_str).collect::<Vec<_>>()).is_none(), "many");
    drop(root);
}

#[test]
fn a_directory_that_was_put_in_another_s_place_is_looked_at_as_a_whole() {
    let above = tree(&[("now/a.yaml", "1"), ("next/a.yaml", "2")]);
    let root = above.path().join("now");
    let last = look(&root);
    fs::rename(&root, above.path().join("old")).expect("renamed");
    fs::rename(above.path().join("next"), &root).expect("renamed");
    assert!(again(&root, &last, &["a.yaml"]).is_none());
}
