//! What this process has cost so far, as the kernel counts it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};

/// Ticks of the processor clock in a second, as Linux shows them to programs whatever the kernel's own are.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process that asks.
pub const OWN: &str = "self";

/// Seconds of CPU, in the program and in the kernel on its behalf, that a process has used.
///
/// # Errors
///
/// There is no such process, or no `/proc`.
pub fn cpu_seconds(process: &str) -> anyhow::Result<f64> {
    let stat = read(process, "stat")?;
    // The name stands in parentheses and may hold anything; what follows it is numbers.
    let (_, numbers) = stat.rsplit_once(") ").context("/proc/PID/stat without a name")?;
    let mut numbers = numbers.split(' ').skip(11);
    let mut ticks = || -> anyhow::Result<f64> {
        let word = numbers.next().context("/proc/PID/stat ends too early")?;
        Ok(word.parse::<f64>()?)
    };
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// The most memory that a process has had at once, in bytes.
///
/// # Errors
///
/// There is no such process, or no `/proc`.
pub fn peak_memory(process: &str) -> anyhow::Result<u64> {
    memory(process, "VmHWM:")
}

/// The memory that a process has now, in bytes.
///
/// # Errors
///
/// There is no such process, or no `/proc`.
pub fn memory_now(process: &str) -> anyhow::Result<u64> {
    memory(process, "VmRSS:")
}

fn memory(process: &str, field: &str) -> anyhow::Result<u64> {
    let status = read(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or_else(|| anyhow!("no {field}"))?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

fn read(process: &str, file: &str) -> anyhow::Result<String> {
    let path = Path::new("/proc").join(process).join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
