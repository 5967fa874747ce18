//! What hands reach for more seldom: words of a target, patterns, tags of ours, and the group of a schedule.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Place, Stranger, group_path, revision_arn, role_of_theirs, rule_arn};
use crate::mirror::{Key, Rule};
use crate::sketch::set;

/// Such deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seldom {
    /// Takes the retry policy off our target.
    Retry,
    /// Lets our target be called under another role.
    Role,
    /// Gives our target another input.
    Input,
    /// Gives a rule that waits for events another pattern.
    Repattern,
    /// Changes a tag that a rule has from the manifest.
    Relabel,
    /// Changes the digest on the revision that is pinned.
    Respec,
    /// Adds a tag of their own to the group of a schedule.
    TagGroup,
    /// Takes our mark off the group of a schedule.
    UntagGroup,
    /// Deletes the group of a schedule with all that is in it.
    DeleteGroup,
}

impl Seldom {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Retry,
        Self::Role,
        Self::Input,
        Self::Repattern,
        Self::Relabel,
        Self::Respec,
        Self::TagGroup,
        Self::UntagGroup,
        Self::DeleteGroup,
    ];
}

impl Stranger {
    /// Does it to one rule or schedule of ours.
    pub(super) async fn reaches_seldom(&self, deed: Seldom, place: &Place, key: &Key) {
        let Some(rule) = self.world.state().mirror.rules.get(key).cloned() else { return };
        match deed {
            Seldom::Retry => self.retarget(place, key, &rule, |target| drop(target.remove("RetryPolicy"))).await,
            Seldom::Role => {
                let role = json!(role_of_theirs(place));
                let change = |target: &mut Map<String, Value>| drop(target.insert("RoleArn".to_owned(), role));
                self.retarget(place, key, &rule, change).await;
            }
            Seldom::Input => {
                let change = |target: &mut Map<String, Value>| {
                    target.remove("InputTransformer");
                    target.insert("Input".to_owned(), json!("{}"));
                };
                self.retarget(place, key, &rule, change).await;
            }
            Seldom::Repattern if !rule.pattern.is_empty() => {
                let pattern = json!({"source": ["somebody.else"]}).to_string();
                let state = if rule.enabled { "ENABLED" } else { "DISABLED" };
                let put = json!({"Name": key.1, "EventPattern": pattern, "State": state});
                self.events(place, "PutRule", put).await;
            }
            // A schedule has no tags.
            Seldom::Relabel if !rule.is_scheduled() => {
                let arn = rule_arn(place, &key.1);
                let tags = json!([{"Key": "cluster", "Value": "somebody's"}]);
                self.events(place, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
            }
            Seldom::Respec => {
                if let Some(name) = rule.pins().next() {
                    let arn = revision_arn(place, &name);
                    let tags = json!([{"key": "ecs-etl/spec", "value": "v1:somebody"}]);
                    self.ecs(place, "TagResource", json!({"resourceArn": arn, "tags": tags})).await;
                }
            }
            Seldom::TagGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                let tags = json!({"Tags": [{"Key": "cost-centre", "Value": "42"}]});
                self.scheduler(place, "POST", &group_path(place, group), &tags).await;
            }
            Seldom::UntagGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                let path = format!("{}?TagKeys=ecs-etl%2Fcontroller", group_path(place, group));
                self.scheduler(place, "DELETE", &path, &Value::Null).await;
            }
            Seldom::DeleteGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                self.scheduler(place, "DELETE", &format!("/schedule-groups/{group}"), &Value::Null).await;
            }
            // Neither has a rule of the other kind.
            Seldom::Repattern | Seldom::Relabel => {}
        }
    }

    /// Puts our target again, with one of its words changed.
    async fn retarget(&self, place: &Place, key: &Key, rule: &Rule, change: impl FnOnce(&mut Map<String, Value>)) {
        let Some(mut target) = rule.targets.get(rule.target_id()).cloned() else { return };
        if let Some(members) = target.as_object_mut() {
            change(members);
        }
        if let Some((_, name)) = key.1.split_once('/') {
            let mut members = rule.row.get("members").cloned().unwrap_or_default();
            set(&mut members, "Target", Some(target));
            return self.scheduler(place, "PUT", &format!("/schedules/{name}"), &members).await;
        }
        set(&mut target, "Id", Some(json!(rule.target_id())));
        self.events(place, "PutTargets", json!({"Rule": key.1, "Targets": [target]})).await;
    }
}
