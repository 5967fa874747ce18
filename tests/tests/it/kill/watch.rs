//! Looks over the daemon's shoulder all the time: status files, and targets of rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ecs_etl_tests::raw::Aws;
use serde_json::{Value, json};

/// What was looked at, or what was wrong.
type Seen = Result<Count, String>;

/// How much was looked at.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    /// Status files that were read.
    pub files: usize,
    /// Rules whose targets were read.
    pub rules: usize,
}

/// A thread that looks until it is told to stop.
pub struct Watch {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    /// Looks at all status directories below `folder`, and at what `aws` holds.
    pub fn start(folder: PathBuf, aws: Aws) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let mut count = Count::default();
            while !seen.load(Ordering::SeqCst) {
                count.files += status_files(&folder)?;
                count.rules += rules(&aws)?;
                thread::sleep(Duration::from_millis(20));
            }
            Ok(count)
        });
        Self { stopped, thread }
    }

    /// Ends the thread; ends the test if it saw something wrong.
    pub fn stop(self) -> Count {
        self.stopped.store(true, Ordering::SeqCst);
        match self.thread.join() {
            Ok(Ok(count)) => count,
            Ok(Err(problem)) => panic!("{problem}"),
            Err(_) => panic!("the watch came to an end of its own"),
        }
    }
}

/// Every status file that is there is whole.
fn status_files(folder: &Path) -> Result<usize, String> {
    let mut files = 0;
    let directories = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for directory in directories.filter(|path| path.to_string_lossy().contains("/status-")) {
        for file in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || !name.ends_with(".json") {
                continue;
            }
            // It may be gone again: its job was removed.
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let value: Value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}\n{text}", file.display()))?;
            let kind = if name == "_controller.json" { "EtlControllerStatus" } else { "EtlJobStatus" };
            if value["kind"] != kind {
                return Err(format!("{} is no {kind}: {text}", file.display()));
            }
            files += 1;
        }
    }
    Ok(files)
}

/// No rule has two targets that start the job.
fn rules(aws: &Aws) -> Result<usize, String> {
    let names = aws.rule_names("etl-");
    for name in &names {
        // It may be gone again.
        let Ok(answer) = aws.try_call("events", "ListTargetsByRule", &json!({"Rule": name})) else { continue };
        let targets = answer["Targets"].as_array().cloned().unwrap_or_default();
        let ours = targets.iter().filter(|target| target["EcsParameters"]["TaskDefinitionArn"].is_string()).count();
        if ours > 1 {
            return Err(format!("{name} starts its job twice: {targets:#?}"));
        }
    }
    Ok(names.len())
}
