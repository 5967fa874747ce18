use std::fs;
use std::path::Path;

use super::git::Checkout;
use super::{default_source, host_and_path};

#[test]
fn a_remote_is_named_by_host_and_path_alone() {
    let cases = [
        ("https://github.com/acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("https://github.com/acme/etl-jobs", Some("github.com/acme/etl-jobs")),
        ("https://github.com/acme/etl-jobs/", Some("github.com/acme/etl-jobs")),
        ("https://ci:ghp_s3cret@github.com/acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("https://ghp_s3cret@GitHub.com/acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("https://me@acme.example:p@ss@git.acme.example:8443/etl.git", Some("git.acme.example/etl")),
        ("https://git.acme.example/etl.git?token=s3cret#x", Some("git.acme.example/etl")),
        ("git@github.com:acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("github.com:acme/etl-jobs", Some("github.com/acme/etl-jobs")),
        ("git@github.com:/acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("ssh://git@github.com:22/acme/etl-jobs.git", Some("github.com/acme/etl-jobs")),
        ("ssh://git@[2001:db8::1]:2222/etl.git", Some("2001:db8::1/etl")),
        ("git@[2001:db8::1]:etl.git", Some("2001:db8::1/etl")),
        ("git://git.acme.example/~ops/etl.git", Some("git.acme.example/-ops/etl")),
        ("codecommit::ap-northeast-1://ops@etl-jobs", Some("etl-jobs")),
        (
            "https://git-codecommit.ap-northeast-1.amazonaws.com/v1/repos/etl",
            Some("git-codecommit.ap-northeast-1.amazonaws.com/v1/repos/etl"),
        ),
        ("/srv/git/etl.git", None),
        ("../etl.git", None),
        ("./odd:name", None),
        ("file:///srv/git/etl.git", None),
        (r"C:\git\etl", None),
        ("etl", None),
        ("", None),
        ("https://", None),
    ];
    for (url, expected) in cases {
        assert_eq!(host_and_path(url).as_deref(), expected, "{url}");
    }
}

/// The source of a checkout whose `.git/config` holds `config`.
fn check(config: &str, expected: &str) {
    let checkout = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(checkout.path().join(".git")).expect("a repository");
    fs::create_dir_all(checkout.path().join("jobs/daily")).expect("a directory");
    fs::write(checkout.path().join(".git/config"), config).expect("its config");
    assert_eq!(default_source(&checkout.path().join("jobs/daily")), expected, "{config}");
}

#[test]
fn the_remote_is_read_out_of_the_config_as_git_reads_it() {
    let acme = "git.acme.example/etl";
    check("[remote \"origin\"]\n\turl = git@git.acme.example:etl.git\n", acme);
    check("[Remote \"origin\"]\n\tURL=git@git.acme.example:etl.git", acme);
    check("[remote \"origin\"] url = git@git.acme.example:etl.git", acme);
    check("[remote.origin]\nurl = git@git.acme.example:etl.git\n", acme);
    check("[remote \"origin\"]\nurl = \"git@git.acme.example:etl.git\" ; the main one\n", acme);
    check("[remote \"origin\"]\nurl = git@git.acme.\\\nexample:etl.git # continued\n", acme);
    check("[remote \"origin\"]\r\n\turl = git@git.acme.example:etl.git\r\n", acme);
    check("[remote \"fork\"]\nurl = git@fork:etl\n[remote \"origin\"]\nurl = git@git.acme.example:etl.git\n", acme);
    check("[remote \"origin\"]\nurl = git@git.acme.example:etl.git\nurl = git@mirror:etl\n", acme);
    check("[remote \"origin\"]\n# url = git@old:etl\npushurl = git@push:etl\nurl = git@git.acme.example:etl\n", acme);
    check("[remote \"origin\"]\n[branch \"main\"]\nurl = git@elsewhere:etl\n", "none");
    check("[remote \"Origin\"]\nurl = git@elsewhere:etl\n", "none");
    check("[core]\nbare = false\n", "none");
    check("[remote \"origin\nurl = x:y", "none");
    check("", "none");
}

#[test]
fn a_directory_outside_of_git_has_no_source() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(default_source(directory.path()), "none");
    assert_eq!(default_source(&directory.path().join("missing")), "none");
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// The commit of a checkout with these files.
fn head(files: &[(&str, &str)], directory: &str) -> Option<String> {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(root.path().join(directory)).expect("a directory");
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("its directory");
        fs::write(path, content).expect("a file");
    }
    Checkout::holding(&root.path().join(directory)).and_then(|checkout| checkout.head())
}

#[test]
fn the_commit_is_found_wherever_git_may_keep_it() {
    let commit = Some(COMMIT.to_owned());
    let line = format!("{COMMIT}\n");
    let packed = format!("# pack-refs with: peeled fully-peeled sorted\n{OTHER} refs/heads/dev\n{line}");
    let packed = packed.replace(&line, &format!("{COMMIT} refs/heads/main\n^{OTHER}\n"));
    let on_main = (".git/HEAD", "ref: refs/heads/main\n");

    assert_eq!(head(&[(".git/HEAD", &line)], "jobs"), commit, "detached");
    assert_eq!(head(&[on_main, (".git/refs/heads/main", &line)], "jobs"), commit, "a loose branch");
    assert_eq!(head(&[on_main, (".git/packed-refs", &packed)], "jobs"), commit, "a packed branch");
    let loose_wins = [on_main, (".git/refs/heads/main", &line), (".git/packed-refs", &packed.replace(COMMIT, OTHER))];
    assert_eq!(head(&loose_wins, "jobs"), commit, "a loose branch hides a packed one");
    let worktree = [
        ("trees/abc/.git", "gitdir: ../../repo/.git/worktrees/abc\n"),
        ("repo/.git/worktrees/abc/HEAD", "ref: refs/heads/main\n"),
        ("repo/.git/worktrees/abc/commondir", "../..\n"),
        ("repo/.git/refs/heads/main", &line),
    ];
    assert_eq!(head(&worktree, "trees/abc/jobs"), commit, "a linked worktree");

    assert_eq!(head(&[on_main], "jobs"), None, "nothing committed yet");
    assert_eq!(head(&[(".git/HEAD", "ref: refs/heads/.invalid\n")], "jobs"), None, "reftable");
    assert_eq!(head(&[(".git/HEAD", "ref: refs/../../secret\n"), ("secret", &line)], "jobs"), None, "outside");
    assert_eq!(head(&[(".git/HEAD", "nonsense")], "jobs"), None);
    let circle = [(".git/HEAD", "ref: refs/heads/a"), (".git/refs/heads/a", "ref: refs/heads/a")];
    assert_eq!(head(&circle, "jobs"), None, "a circle");
}
