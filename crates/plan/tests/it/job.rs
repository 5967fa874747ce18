//! Jobs as tests write them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_plan::lower::lower;
use ecs_etl_spec::adopt::Adopt;
use ecs_etl_spec::job::{BoundJob, DeletionPolicy, Job, OnScheduler, Origin, Place, Retry};
use ecs_etl_spec::name::{AccountId, ClusterName, ControllerName, Digest, Family, JobName, Prefix, Region, RuleName};
use ecs_etl_spec::pattern::EventPattern;
use ecs_etl_spec::schedule::{Schedule, Zone};
use ecs_etl_spec::shapes::{ContainerDefinition, Packed, RunTask, TaskDefinition};
use ecs_etl_spec::trigger::{After, Notify, Outcome, Runs};
use jiff::Timestamp;

pub const ACCOUNT: &str = "123456789012";

/// What a test says of a job; everything else is fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub name: &'static str,
    pub image: String,
    pub schedules: Vec<&'static str>,
    pub list: bool,
    pub suspend: bool,
    pub disabled: bool,
    pub labels: BTreeMap<String, String>,
    pub moved_from: Option<&'static str>,
    pub source: &'static str,
    pub place: Place,
    pub retain: bool,
    pub run_task: RunTask,
    pub after: Vec<After>,
    pub events: Vec<EventPattern>,
    pub notify: Vec<Notify>,
    pub scheduler: Option<OnScheduler>,
    /// The time at which it is lowered.
    pub now: Timestamp,
    pub adopt: Adopt,
    /// What the task definition says beside name and image.
    pub content: TaskDefinition,
}

pub fn place(region: &str) -> Place {
    Place { region: Region::new(region).unwrap(), assume_role_arn: None, external_id: None }
}

/// A job with one daily schedule.
pub fn job() -> Spec {
    Spec {
        name: "sales",
        image: "sales:1".to_owned(),
        schedules: vec!["cron(0 2 * * ? *)"],
        list: false,
        suspend: false,
        disabled: false,
        labels: BTreeMap::new(),
        moved_from: None,
        source: "git.example.com/etl",
        place: place("eu-west-1"),
        retain: false,
        run_task: RunTask::default(),
        after: Vec::new(),
        events: Vec::new(),
        notify: Vec::new(),
        scheduler: None,
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
        adopt: Adopt::default(),
        content: TaskDefinition::default(),
    }
}

impl Spec {
    pub fn image(mut self, image: &str) -> Self {
        self.image = image.to_owned();
        self
    }

    pub fn schedule(mut self, schedule: &'static str) -> Self {
        (self.schedules, self.list) = (vec![schedule], false);
        self
    }

    pub fn list(mut self, schedules: &[&'static str]) -> Self {
        (self.schedules, self.list) = (schedules.to_vec(), true);
        self
    }

    /// Starts it after the runs of another job.
    pub fn after(mut self, job: &str, on: Outcome) -> Self {
        let upstream =
            Runs { ecs_cluster: "analytics".to_owned(), group: None, container: job.to_owned(), family: None };
        self.after.push(After { job: JobName::new(job).unwrap(), on, upstream });
        self
    }

    /// Starts it on events of a pattern.
    pub fn on_event(mut self, pattern: serde_json::Value) -> Self {
        self.events.push(EventPattern::of(pattern.as_object().unwrap()));
        self
    }

    pub fn notify(mut self, on: Outcome, target: &str) -> Self {
        self.notify.push(Notify { on, target: target.to_owned(), role_arn: None });
        self
    }

    /// Puts its schedules into EventBridge Scheduler, in a time zone.
    pub fn in_zone(mut self, zone: &str) -> Self {
        self.scheduler = Some(OnScheduler {
            time_zone: Zone::new(zone).unwrap(),
            start_date: None,
            end_date: None,
            flexible_time_window_minutes: None,
            role_arn: "scheduler".to_owned(),
        });
        self
    }

    /// Says when its schedules begin and end.
    pub fn between(mut self, start: Option<&str>, end: Option<&str>) -> Self {
        let scheduler = self.scheduler.as_mut().unwrap();
        scheduler.start_date = start.map(|at| at.parse().unwrap());
        scheduler.end_date = end.map(|at| at.parse().unwrap());
        self
    }

    /// Leaves it without a schedule.
    pub fn unscheduled(mut self) -> Self {
        (self.schedules, self.list) = (Vec::new(), false);
        self
    }

    /// Takes over a rule for each schedule, as far as there are any, and a family.
    pub fn adopting(mut self, rules: &[&str], family: Option<&str>) -> Self {
        let expressions =
            self.schedules.iter().map(|schedule| Schedule::parse(schedule).unwrap().expression().to_owned());
        let rules = rules.iter().map(|rule| RuleName::new(*rule).unwrap());
        self.adopt = Adopt {
            family: family.map(|family| Family::new(family).unwrap()),
            schedules: expressions.zip(rules).collect(),
            ..Adopt::default()
        };
        self
    }

    pub fn suspended(mut self) -> Self {
        self.suspend = true;
        self
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub fn moved_from(mut self, old: &'static str) -> Self {
        self.moved_from = Some(old);
        self
    }

    pub fn at(mut self, region: &str) -> Self {
        self.place = place(region);
        self
    }

    pub fn bound(&self) -> BoundJob {
        let mut task_definition = self.content.clone();
        let containers = task_definition.container_definitions.get_or_insert_default();
        if containers.is_empty() {
            containers.push(ContainerDefinition::default());
        }
        (containers[0].name, containers[0].image) = (Some(self.name.to_owned()), Some(self.image.clone()));
        let mut schedules: Vec<Schedule> = self.schedules.iter().map(|s| Schedule::parse(s).unwrap()).collect();
        schedules.sort();
        let job = Job {
            name: JobName::new(self.name).unwrap(),
            origin: Origin { file: "jobs.yaml".to_owned(), line: 1 },
            tags: Arc::new(self.labels.clone()),
            labels: Arc::new(self.labels.clone()),
            reconcile_disabled: self.disabled,
            moved_from: self.moved_from.map(|old| JobName::new(old).unwrap()),
            deletion_policy: if self.retain { DeletionPolicy::Retain } else { DeletionPolicy::Delete },
            cluster: ClusterName::new("analytics").unwrap(),
            place: self.place.clone(),
            ecs_cluster: "analytics".to_owned(),
            drain: false,
            schedules,
            schedule_is_list: self.list,
            scheduler: self.scheduler.clone(),
            after: self.after.clone(),
            events: self.events.clone(),
            notify: self.notify.clone(),
            adopt: self.adopt.clone(),
            suspend: self.suspend,
            retry: Retry { maximum_event_age_seconds: 3600, maximum_attempts: 185 },
            dead_letter_queue_arn: None,
            role_arn: Some("events".to_owned()),
            task_definition: Packed::of(&task_definition).unwrap(),
            run_task: Packed::of(&self.run_task).unwrap(),
            runs: Runs::of("analytics", &task_definition, &self.run_task, &self.adopt),
            open: BTreeMap::new(),
            digest: Digest::of(format!("{self:?}").as_bytes()),
        };
        let region = self.place.region.as_str();
        BoundJob {
            job: Arc::new(job),
            account: AccountId::new(ACCOUNT).unwrap(),
            task_definition,
            run_task: self.run_task.clone(),
            cluster_arn: format!("arn:aws:ecs:{region}:{ACCOUNT}:cluster/analytics"),
            role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/events")),
            scheduler_role_arn: self.scheduler.as_ref().map(|_| format!("arn:aws:iam::{ACCOUNT}:role/scheduler")),
            notify: self.notify.clone(),
            tags: self.labels.clone(),
        }
    }

    pub fn desired(&self) -> Desired {
        let identity = identity(self.source);
        lower(&self.bound(), &identity, &Prefix::new("etl-").unwrap(), self.now).unwrap()
    }
}

pub fn identity(source: &str) -> Identity {
    Identity { controller: ControllerName::new("prod").unwrap(), source: source.to_owned() }
}
