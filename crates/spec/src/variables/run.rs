//! Variables that only a run knows: its time, the run before it, the event that started it.

/// How a value can stand in the JSON that a run is given (docs/aws.md, When a rule fires, and with what).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text in which JSON has nothing to escape: it may stand inside a longer one.
    Plain,
    /// Any text. EventBridge escapes it where it is a value of its own, and not inside a longer text.
    Free,
    /// A number, which is made a text: ECS takes nothing else.
    Number,
}

/// What must start the job for the variable to have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Anything.
    Any,
    /// Another job's run, `spec.after`.
    After,
    /// An event, `spec.events`.
    Event,
}

/// One variable of `runTask.overrides`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunVariable {
    /// Where its value is in the event.
    pub path: String,
    /// How it can stand in JSON.
    pub form: Form,
    /// What must start the job.
    pub source: Source,
}

/// What `${after.…}` can name: only what every stopped task has, and no free text.
pub const AFTER: [(&str, &str); 6] = [
    ("after.taskArn", "$.detail.taskArn"),
    ("after.taskDefinitionArn", "$.detail.taskDefinitionArn"),
    ("after.clusterArn", "$.detail.clusterArn"),
    ("after.startedAt", "$.detail.startedAt"),
    ("after.stoppedAt", "$.detail.stoppedAt"),
    ("after.stopCode", "$.detail.stopCode"),
];

/// Members of an event in which there is nothing to escape, and one of S3's: a bucket's name has letters, digits, dots and
/// hyphens.
const PLAIN: [&str; 7] = ["id", "time", "account", "region", "source", "version", "detail.bucket.name"];

/// The longest path that an input transformer takes.
const LONGEST_PATH: usize = 256;

/// Reads a variable's name; none for one that no run knows.
pub fn run_variable(name: &str) -> Option<RunVariable> {
    if name == super::SCHEDULED_TIME {
        return Some(RunVariable { path: "$.time".to_owned(), form: Form::Plain, source: Source::Any });
    }
    if let Some((_, path)) = AFTER.iter().find(|(known, _)| *known == name) {
        return Some(RunVariable { path: (*path).to_owned(), form: Form::Plain, source: Source::After });
    }
    let event = name.strip_prefix("event.")?;
    let (members, form) = match event.strip_suffix(":number") {
        Some(members) => (members, Form::Number),
        None if PLAIN.contains(&event) => (event, Form::Plain),
        None => (event, Form::Free),
    };
    let path = format!("$.{members}");
    let fits = path.len() <= LONGEST_PATH && members.split('.').all(is_member);
    fits.then_some(RunVariable { path, form, source: Source::Event })
}

/// A name, perhaps with indexes: `records[0]`.
fn is_member(text: &str) -> bool {
    let mut parts = text.split('[');
    let name = parts.next().unwrap_or_default();
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    !name.is_empty() && name.bytes().all(letter) && parts.all(|part| part.strip_suffix(']').is_some_and(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_knows_its_time_the_run_before_it_and_the_event() {
        let check = |name: &str, expected: Option<(&str, Form, Source)>| {
            let found = run_variable(name);
            let found = found.as_ref().map(|found| (found.path.as_str(), found.form, found.source));
            assert_eq!(found, expected, "{name}");
        };
        check("scheduledTime", Some(("$.time", Form::Plain, Source::Any)));
        check("after.taskArn", Some(("$.detail.taskArn", Form::Plain, Source::After)));
        check("event.detail.object.key", Some(("$.detail.object.key", Form::Free, Source::Event)));
        check("event.detail.object.size:number", Some(("$.detail.object.size", Form::Number, Source::Event)));
        check("event.resources[0]", Some(("$.resources[0]", Form::Free, Source::Event)));
        check("event.detail-type", Some(("$.detail-type", Form::Free, Source::Event)));
        check("event.detail.bucket.name", Some(("$.detail.bucket.name", Form::Plain, Source::Event)));
        for name in [
            "",
            "event",
            "event.",
            "event.a..b",
            "event.a[x]",
            "event.a[",
            "event.a]",
            "event.a[0]b",
            "event.['x']",
            "event.a b",
            "event.a:b",
            "after.stoppedReason",
            "after.",
            "job",
            "scheduledtime",
        ] {
            check(name, None);
        }
        check(&format!("event.{}", "x".repeat(300)), None);
    }
}
