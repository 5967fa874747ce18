//! Signals, and two processes at once. Nothing here sleeps: each step waits for a line or a connection.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::world::{BINARY, directory, ecs_etl, isolated, job};

/// A process whose standard error is read line by line; it does not outlive the test.
struct Running {
    child: Child,
    lines: BufReader<ChildStderr>,
}

impl Running {
    fn start(dir: &Path, args: &[&str]) -> Self {
        let mut command = isolated(BINARY, dir);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Self { child, lines }
    }

    /// Reads lines until one holds `text`.
    fn wait_for(&mut self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let start = all.len();
            assert!(self.lines.read_line(&mut all).unwrap() > 0, "no {text:?} in:\n{all}");
            if all[start..].contains(text) {
                return all[start..].to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for the end: its exit status and what it printed.
    fn end(mut self) -> (ExitStatus, String) {
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (self.child.wait().unwrap(), out)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
    }
}

fn one_job() -> tempfile::TempDir {
    directory(&[("job.yaml", job("one", "A", "b"))])
}

/// A server that takes connections and never answers.
fn silence() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_daemon_looks_at_sighup_and_ends_well_at_sigterm() {
    let dir = one_job();
    let mut daemon = Running::start(dir.path(), &["run"]);
    daemon.wait_for("Converged");
    daemon.signal("HUP");
    daemon.wait_for("SIGHUP");
    daemon.signal("TERM");
    daemon.wait_for("stopped");
    let (status, _) = daemon.end();
    assert_eq!(status.code(), Some(0));
    let status = ecs_etl(dir.path(), &["status", "--exit-code"]);
    assert_eq!(status.status.code(), Some(0));
    assert!(String::from_utf8(status.stdout).unwrap().contains("finished"));
}

#[test]
fn who_holds_the_directories_is_named_to_whoever_comes_second() {
    let dir = one_job();
    let mut daemon = Running::start(dir.path(), &["run"]);
    daemon.wait_for("Converged");
    let error = |args: &[&str]| {
        let output = ecs_etl(dir.path(), args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for args in [
        &["apply"][..],
        &["plan"],
        &["status", "--live"],
        &["emulator", "--state", ".ecs-etl", "--listen", "127.0.0.1:0"],
    ] {
        let error = error(args);
        assert!(error.contains(".ecs-etl") && error.contains("another"), "{args:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
    }
    let error = error(&["run"]);
    assert!(error.contains(&format!("pid {}", daemon.child.id())) && error.contains("--status-dir"), "{error}");
    daemon.signal("TERM");
    assert_eq!(daemon.end().0.code(), Some(0));
}

#[test]
fn an_apply_that_is_interrupted_says_so_and_fails() {
    let dir = one_job();
    let (listener, url) = silence();
    let mut apply = Running::start(dir.path(), &["apply", "--endpoint", &url]);
    let connection = listener.accept().unwrap();
    apply.signal("INT");
    apply.wait_for("shutting down");
    let interrupted = Instant::now();
    drop((connection, listener));
    let (status, out) = apply.end();
    assert_eq!(status.code(), Some(1), "{out}");
    assert!(out.contains("interrupted, run it again to go on"), "{out}");
    assert!(interrupted.elapsed() < Duration::from_secs(20), "what is in flight is bounded");
}

#[test]
fn a_second_signal_ends_at_once() {
    let dir = one_job();
    let (listener, url) = silence();
    let mut apply = Running::start(dir.path(), &["apply", "--endpoint", &url]);
    let _connection = listener.accept().unwrap();
    apply.signal("INT");
    apply.wait_for("shutting down");
    let interrupted = Instant::now();
    apply.signal("INT");
    assert_eq!(apply.end().0.code(), Some(130));
    assert!(interrupted.elapsed() < Duration::from_secs(5), "nothing is waited for");
}

#[test]
fn the_emulator_names_its_address_first_and_keeps_its_state() {
    let dir = one_job();
    let serve = || {
        let mut server = Running::start(dir.path(), &["emulator", "--listen", "127.0.0.1:0", "--state", "deep/state"]);
        let mut line = String::new();
        BufReader::new(server.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://")).unwrap().to_owned();
        (server, url)
    };
    for expected in ["1 of 1 job ready: 1 changed, 0 as they were", "1 of 1 job ready: 0 changed, 1 as they were"] {
        let (server, url) = serve();
        let apply = ecs_etl(dir.path(), &["apply", "--endpoint", &url]);
        let out = String::from_utf8(apply.stdout).unwrap();
        assert!(out.contains(expected), "{out}");
        server.signal("TERM");
        assert_eq!(server.end().0.code(), Some(0));
    }
}

#[test]
fn rules_fire_while_one_watches_when_the_emulator_is_in_a_hurry() {
    let dir = one_job();
    let args = ["emulator", "--listen", "127.0.0.1:0", "--speed", "86400"];
    let mut server = Running::start(dir.path(), &args);
    let mut line = String::new();
    BufReader::new(server.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("time runs 86400 times as fast"), "{line}");
    let url = line.split([' ', ',']).find(|word| word.starts_with("http://")).unwrap();
    let apply = ecs_etl(dir.path(), &["apply", "--endpoint", url]);
    assert_eq!(apply.status.code(), Some(0), "{}", String::from_utf8_lossy(&apply.stderr));
    let fired = server.wait_for("rule fired");
    assert!(fired.contains("tasks=1"), "{fired}");
    server.signal("TERM");
    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let dir = one_job();
    let (listener, _) = silence();
    let address = listener.local_addr().unwrap().to_string();
    let output = ecs_etl(dir.path(), &["emulator", "--listen", &address]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
}
