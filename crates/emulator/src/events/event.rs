//! An event on its way to a target: a tick of a schedule, or what somebody told (docs/aws.md, When a rule fires, and with what).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rule_arn;
use crate::id::id_from;
use crate::place::Place;
use crate::state::Undelivered;

/// One event on its way to one target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub place: &'a Place,
    pub rule: &'a str,
    pub target: &'a str,
    pub what: What<'a>,
    /// When the target is called for the first time.
    pub at: Timestamp,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// The moment came that a schedule names.
    Tick(Timestamp),
    /// This event matched the rule's pattern.
    Told(&'a Value),
}

impl Event<'_> {
    /// What makes the ids that follow from this delivery unlike all others.
    pub(super) fn seed(&self) -> String {
        let Self { place, rule, target, what, at: _ } = self;
        let Place { account, region } = place;
        match what {
            What::Tick(due) => format!("{account}/{region}/{rule}/{target}/{}", due.as_millisecond()),
            What::Told(event) => {
                let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
                format!("{account}/{region}/{rule}/{target}/{id}")
            }
        }
    }

    /// What is to be remembered of it until it is delivered.
    pub(super) fn undelivered(&self) -> Undelivered {
        let (rule, target_id) = (self.rule.to_owned(), self.target.to_owned());
        match self.what {
            What::Tick(due) => Undelivered::RuleTick { rule, target_id, due },
            What::Told(event) => Undelivered::RuleEvent { rule, target_id, event: event.clone() },
        }
    }

    /// The whole event.
    pub(super) fn body(&self) -> Value {
        match self.what {
            What::Tick(_) => MEMBERS.iter().filter_map(|name| Some(((*name).to_owned(), self.member(name)?))).collect(),
            What::Told(event) => event.clone(),
        }
    }

    /// One member of it.
    fn member(&self, name: &str) -> Option<Value> {
        let due = match self.what {
            What::Tick(due) => due,
            What::Told(event) => return event.get(name).cloned(),
        };
        let Self { place, rule, target: _, what: _, at } = self;
        let member = match name {
            "version" => json!("0"),
            "id" => json!(tick_id(place, rule, due)),
            "detail-type" => json!("Scheduled Event"),
            "source" => json!("aws.events"),
            "account" => json!(place.account),
            // When EventBridge made the event, some seconds after the minute that the schedule names.
            "time" => json!(to_the_second(*at)),
            "region" => json!(place.region),
            "resources" => json!([rule_arn(place, rule)]),
            "detail" => json!({}),
            _ => return None,
        };
        Some(member)
    }

    /// What is at a path in it: names between dots, numbers in brackets.
    pub(super) fn at_path(&self, path: &str) -> Option<Value> {
        let mut steps = path.strip_prefix('$')?.split(['.', '[']).filter(|step| !step.is_empty());
        let Some(first) = steps.next() else { return Some(self.body()) };
        let value = self.member(first)?;
        let found = steps.try_fold(&value, |value, step| match step.strip_suffix(']') {
            Some(index) => value.get(index.parse::<usize>().ok()?),
            None => value.get(step),
        });
        found.cloned()
    }
}

/// The members of a Scheduled Event.
const MEMBERS: [&str; 9] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];

/// The id of a tick's event, which is the same for all targets of the rule.
fn tick_id(place: &Place, rule: &str, due: Timestamp) -> String {
    id_from(&format!("event/{}/{}/{rule}/{}", place.account, place.region, due.as_millisecond()))
}

/// A moment as events write their `time`.
pub(crate) fn to_the_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
