//! CPU and memory sizes, written as AWS accepts them: `512`, `"512"`, `".5 vCPU"`, `"1 GB"`.
//!
//! A vCPU is 1,024 CPU units and a GB is 1,024 MiB (docs/aws.md, Normalisation).

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

const PER_VCPU: u64 = 1024;
const PER_GB: u64 = 1024;

/// CPU units of `512`, `.5 vCPU` or `1vcpu`; none if the text is no size or comes to no whole unit.
pub fn cpu_units(text: &str) -> Option<u32> {
    size(text, "vcpu", PER_VCPU)
}

/// MiB of `2048`, `2 GB` or `.5GB`; none if the text is no size or comes to no whole MiB.
pub fn memory_mib(text: &str) -> Option<u32> {
    size(text, "gb", PER_GB)
}

fn size(text: &str, unit: &str, per_unit: u64) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let units = match text.strip_suffix(unit) {
        Some(number) => scaled(number.trim_end(), per_unit)?,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    u32::try_from(units).ok()
}

/// `number` times `factor` where that is whole, in integers: 0.1 is no binary fraction.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || whole.len() > 9 || fraction.len() > 6 || !digits(whole) || !digits(fraction)
    {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let value: u64 = format!("0{whole}{fraction}").parse().ok()?;
    let product = value * factor;
    product.is_multiple_of(scale).then_some(product / scale)
}

/// Reads a task-level `cpu`: text as it stands, or a number of CPU units.
pub fn task_cpu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TaskSize(CPU)).map(Some)
}

/// Reads a task-level `memory`: text as it stands, or a number of MiB.
pub fn task_memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TaskSize(MEMORY)).map(Some)
}

/// Reads a container's `cpu` as CPU units.
pub fn container_cpu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    deserializer.deserialize_any(ContainerSize(CPU, cpu_units)).map(Some)
}

/// Reads a container's `memory` or `memoryReservation` as MiB.
pub fn container_memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    deserializer.deserialize_any(ContainerSize(MEMORY, memory_mib)).map(Some)
}

const CPU: &str = "CPU units such as 512 or \".5 vCPU\"";
const MEMORY: &str = "MiB such as 512 or \"1 GB\"";

struct TaskSize(&'static str);

impl Visitor<'_> for TaskSize {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

struct ContainerSize(&'static str, fn(&str) -> Option<u32>);

impl Visitor<'_> for ContainerSize {
    type Value = i32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i32, E> {
        let size = (self.1)(text).and_then(|size| i32::try_from(size).ok());
        size.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// JSON Schema of a task-level `cpu`.
pub fn task_cpu_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "examples": ["512", ".5 vCPU"] })
}

/// JSON Schema of a task-level `memory`.
pub fn task_memory_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "examples": ["1024", "1 GB"] })
}

/// JSON Schema of a container's `cpu`.
pub fn container_cpu_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "string"], "pattern": "^[0-9]+$|^[0-9]*[.]?[0-9]+ ?[vV][cC][pP][uU]$" })
}

/// JSON Schema of a container's `memory` and `memoryReservation`.
pub fn container_memory_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "string"], "pattern": "^[0-9]+$|^[0-9]*[.]?[0-9]+ ?[gG][bB]$" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_aws_reads_them() {
        let cpu = [("512", Some(512)), (".5 vCPU", Some(512)), ("1vcpu", Some(1024)), ("0.25 VCPU", Some(256))];
        for (text, units) in cpu {
            assert_eq!(cpu_units(text), units, "{text}");
        }
        let memory = [("2048", Some(2048)), ("2 GB", Some(2048)), (".5GB", Some(512)), ("244 gb", Some(249_856))];
        for (text, mib) in memory {
            assert_eq!(memory_mib(text), mib, "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_size_is_none() {
        for text in ["", ".", "vCPU", "-1", "1.5", "1 GB", "0.3 vCPU", "1e3", "1 2", "99999999999 vCPU", "٣"] {
            assert_eq!(cpu_units(text), None, "{text}");
        }
        for text in ["", "GB", "1 vCPU", "512 MB", "0.3 GB", "-1 GB"] {
            assert_eq!(memory_mib(text), None, "{text}");
        }
    }
}
