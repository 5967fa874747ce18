//! Runs the real `ecs-etl` and keeps what it printed, how it ended, how long it took and how much memory it had.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::tools;

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
    /// Most resident memory seen, in bytes; 0 where the system does not tell.
    pub peak_memory: u64,
}

impl Outcome {
    /// Ends the test with everything the program said unless the exit code is `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "exit {:?}, expected {code}\n{self}", self.code);
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "--- exit {:?} after {:?}, peak {} bytes", self.code, self.took, self.peak_memory)?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// The program with an environment that holds nothing of the developer's: no profile, no region, no colour.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(tools::ecs_etl());
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("AWS_ACCESS_KEY_ID", crate::raw::ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// A program that runs; it is killed when dropped before its end.
#[derive(Debug)]
pub struct Running {
    child: Child,
    began: Instant,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    peak_memory: u64,
}

impl Running {
    /// Starts `command`.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        Self { child, began, stdout, stderr, peak_memory: 0 }
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the signal {name} was not sent");
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the program's state").is_none()
    }

    /// Waits for the end, for `limit` at most.
    pub fn wait(mut self, limit: Duration) -> Outcome {
        let deadline = Instant::now() + limit;
        let status = loop {
            self.peak_memory = self.peak_memory.max(peak_memory(self.child.id()));
            if let Some(status) = self.child.try_wait().expect("the program's state") {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap_or_default();
                let outcome = self.outcome(None);
                panic!("the program did not end within {limit:?}\n{outcome}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.outcome(status.code())
    }

    fn outcome(&mut self, code: Option<i32>) -> Outcome {
        let took = self.began.elapsed();
        let text =
            |reader: Option<JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        let stdout = text(self.stdout.take());
        let stderr = text(self.stderr.take());
        Outcome { code, stdout, stderr, took, peak_memory: self.peak_memory }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only when the program has ended, which is what is wanted.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(|_| ()).unwrap_or_default();
    }
}

/// Runs `command` to its end, a minute at most.
pub fn run(command: Command) -> Outcome {
    Running::start(command).wait(Duration::from_secs(60))
}

fn drain(mut pipe: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends the text, no more.
        pipe.read_to_end(&mut bytes).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `VmHWM` of a process: Linux keeps the peak, so reading now and then misses only the very last moments.
fn peak_memory(process: u32) -> u64 {
    let mut text = String::new();
    let read =
        std::fs::File::open(format!("/proc/{process}/status")).and_then(|mut file| file.read_to_string(&mut text));
    let line = read.ok().and_then(|_| text.lines().find_map(|line| line.strip_prefix("VmHWM:")));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
