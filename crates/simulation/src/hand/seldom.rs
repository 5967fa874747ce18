//! What hands reach for more seldom: words of a target, patterns, tags of ours, and the group of a schedule.

use serde_json::{Map, Value, json};

use super::{Deed, Place, Stranger, group_path};
use crate::mirror::{Key, Rule};
use crate::sketch::set;

impl Stranger {
    /// Does it to one rule or schedule of ours.
    pub(super) async fn reaches_seldom(&self, deed: Deed, place: &Place, key: &Key) {
        let Some(rule) = self.world.state().mirror.rules.get(key).cloned() else { return };
        match deed {
            Deed::Retry => self.retarget(place, key, &rule, |target| drop(target.remove("RetryPolicy"))).await,
            Deed::Role => {
                let role = format!("arn:aws:iam::{}:role/theirs", place.0);
                let change = |target: &mut Map<String, Value>| drop(target.insert("RoleArn".to_owned(), json!(role)));
                self.retarget(place, key, &rule, change).await;
            }
            Deed::Input => {
                let change = |target: &mut Map<String, Value>| {
                    target.remove("InputTransformer");
                    target.insert("Input".to_owned(), json!("{}"));
                };
                self.retarget(place, key, &rule, change).await;
            }
            Deed::Repattern if !rule.pattern.is_empty() => {
                let pattern = json!({"source": ["somebody.else"]}).to_string();
                let state = if rule.enabled { "ENABLED" } else { "DISABLED" };
                let put = json!({"Name": key.1, "EventPattern": pattern, "State": state});
                self.events(place, "PutRule", put).await;
            }
            // A schedule has no tags.
            Deed::Relabel if !rule.is_scheduled() => {
                let arn = format!("arn:aws:events:{}:{}:rule/{}", place.1, place.0, key.1);
                let tags = json!([{"Key": "cluster", "Value": "somebody's"}]);
                self.events(place, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
            }
            Deed::Respec => {
                if let Some(name) = rule.pins().next() {
                    let arn = format!("arn:aws:ecs:{}:{}:task-definition/{name}", place.1, place.0);
                    let tags = json!([{"key": "ecs-etl/spec", "value": "v1:somebody"}]);
                    self.ecs(place, "TagResource", json!({"resourceArn": arn, "tags": tags})).await;
                }
            }
            Deed::TagGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                let tags = json!({"Tags": [{"Key": "cost-centre", "Value": "42"}]});
                self.scheduler(place, "POST", &group_path(place, group), &tags).await;
            }
            Deed::UntagGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                let path = format!("{}?TagKeys=ecs-etl%2Fcontroller", group_path(place, group));
                self.scheduler(place, "DELETE", &path, &Value::Null).await;
            }
            Deed::DeleteGroup => {
                let Some((group, _)) = key.1.split_once('/') else { return };
                self.scheduler(place, "DELETE", &format!("/schedule-groups/{group}"), &Value::Null).await;
            }
            Deed::Repattern
            | Deed::Relabel
            | Deed::Disable
            | Deed::Enable
            | Deed::Reschedule
            | Deed::RemoveTarget
            | Deed::Repin
            | Deed::AddStray
            | Deed::AddTheirs
            | Deed::DeleteRule
            | Deed::Deregister
            | Deed::Tag
            | Deed::Unmark
            | Deed::Pause
            | Deed::Resume
            | Deed::RegisterInOurs
            | Deed::ClashRule
            | Deed::Beside
            | Deed::Burst => {}
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
