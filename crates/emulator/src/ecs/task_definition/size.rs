//! Task-level cpu and memory, which ECS takes as text in several forms (docs/aws.md, Sizes).

use super::super::client;
use crate::reply::Refusal;

/// The task sizes that ECS accepts outside Fargate, in cpu units (docs/aws.md, Sizes of tasks).
const CPU_UNITS: std::ops::RangeInclusive<i64> = 128..=196_608;

/// Units of cpu: `512`, `.5 vCPU`, `0.5vcpu` (docs/aws.md, Sizes).
pub(super) fn cpu_units(given: &str) -> Result<i64, Refusal> {
    let invalid = || client("Invalid 'cpu' setting for task.");
    let units = scaled(given, "vcpu").ok_or_else(invalid)?;
    if CPU_UNITS.contains(&units) { Ok(units) } else { Err(invalid()) }
}

/// Mebibytes of memory: `2048`, `2 GB`, `.5GB` (docs/aws.md, Sizes).
pub(super) fn memory_mebibytes(given: &str) -> Result<i64, Refusal> {
    let mebibytes = scaled(given, "gb").filter(|mebibytes| *mebibytes > 0);
    mebibytes.ok_or_else(|| client("Invalid 'memory' setting for task."))
}

/// A plain whole number, or a decimal one with a unit worth 1024.
fn scaled(given: &str, unit: &str) -> Option<i64> {
    let given = given.trim().to_ascii_lowercase();
    let Some(number) = given.strip_suffix(unit) else {
        return given.bytes().all(|byte| byte.is_ascii_digit()).then(|| given.parse().ok()).flatten();
    };
    let number = number.trim_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let units = number.parse::<f64>().ok()? * 1024.0;
    // A product that is no whole number, or beyond any machine, is no size.
    (units.fract() == 0.0 && units <= 1e9).then_some(units as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_whole_numbers_of_units() {
        let cpu = |given: &str, expected: Option<i64>| assert_eq!(cpu_units(given).ok(), expected, "{given}");
        cpu("256", Some(256));
        cpu(".25 vCPU", Some(256));
        cpu("0.5vcpu", Some(512));
        cpu("1 VCPU", Some(1024));
        cpu("16 vCPU", Some(16_384));
        cpu("192 vCPU", Some(196_608));
        for refused in ["", "1.5", "100", "193 vCPU", "-1", "1 GB", "vCPU", "one", "0.0001 vCPU", ".", "NaN vCPU"] {
            cpu(refused, None);
        }
        let memory = |given: &str, expected: Option<i64>| assert_eq!(memory_mebibytes(given).ok(), expected, "{given}");
        memory("512", Some(512));
        memory("0.5GB", Some(512));
        memory("2 gb", Some(2048));
        for refused in ["", "0", "2 MB", "1e3", "-2 GB", "999999999999 GB"] {
            memory(refused, None);
        }
    }
}
