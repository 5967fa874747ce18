//! Near misses: what somebody who wrote this most likely meant.

use crate::shapes::members;

/// Names listed in an error when none is near.
const MOST_NAMES: usize = 12;

/// "did you mean" for the nearest name, or the list of names if it is short.
pub fn among<'n>(written: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    let near = nearest(written, names.clone()).map(|near| format!("did you mean `{near}`?"));
    near.or_else(|| list(names))
}

/// The same for a field of a document: where none is near, another place may have one of this very name, or the field
/// was cut short.
pub fn field<'n>(written: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    if nearest(written, names.clone()).is_some() {
        return among(written, names);
    }
    let elsewhere = place(written).map(|place| format!("`{written}` is a field of {place}"));
    let whole = || begun(written, names.clone()).map(|name| format!("did you mean `{name}`?"));
    elsewhere.or_else(whole).or_else(|| list(names))
}

/// Where AWS's shapes have a field of this name.
fn place(field: &str) -> Option<&'static str> {
    const PLACES: [(&str, &str); 3] =
        [("TaskDefinition", "`taskDefinition`"), ("ContainerDefinition", "a container"), ("RunTask", "`runTask`")];
    PLACES.into_iter().find(|(structure, _)| members::find(structure, field).is_some()).map(|(_, place)| place)
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let all: Vec<String> = names.take(MOST_NAMES + 1).map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => None,
        1 => Some(format!("expected {}", all.concat())),
        2..=MOST_NAMES => Some(format!("expected one of {}", all.join(", "))),
        _ => None,
    }
}

/// The shortest name that begins like this: `env` for `environment`.
fn begun<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = plain(written);
    let begins = |name: &&str| plain.len() >= 3 && self::plain(name).starts_with(&plain);
    names.filter(begins).min_by_key(|name| name.len())
}

/// The name nearest to what was written, if it is near enough to be meant.
pub fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = plain(written);
    // Beyond this it is no typing slip, and the distance costs time.
    if plain.is_empty() || plain.len() > 100 {
        return None;
    }
    names
        .filter_map(|name| {
            let other = self::plain(name);
            let distance = strsim::osa_distance(&plain, &other);
            let allowed = (plain.chars().count().max(other.chars().count()) / 3).clamp(1, 3);
            let plural = plain.strip_suffix('s') == Some(&other) || other.strip_suffix('s') == Some(&plain);
            (distance <= allowed && distance < plain.chars().count() || plural).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// Letters and digits in lower case: `entry_point` and `EntryPoint` are both near to `entryPoint`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_found_and_a_stranger_is_not() {
        let names = ["entryPoint", "environment", "environmentFiles", "image", "cpu", "name", "memory"];
        let cases = [
            ("entrypoint", Some("entryPoint")),
            ("entry_point", Some("entryPoint")),
            ("EntryPoint", Some("entryPoint")),
            ("enviroment", Some("environment")),
            ("images", Some("image")),
            ("cpus", Some("cpu")),
            ("nmae", Some("name")),
            ("schedule", None),
            ("x", None),
            ("", None),
        ];
        for (written, expected) in cases {
            assert_eq!(nearest(written, names.into_iter()), expected, "{written}");
        }
    }

    #[test]
    fn a_field_that_is_near_to_none_may_be_at_home_elsewhere() {
        let spec = ["cluster", "schedule", "taskDefinition", "runTask", "roleArn"];
        let cases = [
            ("launchType", "`launchType` is a field of `runTask`"),
            ("cpu", "`cpu` is a field of `taskDefinition`"),
            ("image", "`image` is a field of a container"),
            ("scedule", "did you mean `schedule`?"),
            ("task", "did you mean `taskDefinition`?"),
            ("cron", "expected one of `cluster`, `schedule`, `taskDefinition`, `runTask`, `roleArn`"),
        ];
        for (written, expected) in cases {
            assert_eq!(field(written, spec.into_iter()).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn a_short_list_of_names_is_shown_whole() {
        assert_eq!(among("zzz", ["a1", "b2"].into_iter()).as_deref(), Some("expected one of `a1`, `b2`"));
        assert_eq!(among("zzz", std::iter::repeat_n("name", 40)), None);
    }
}
