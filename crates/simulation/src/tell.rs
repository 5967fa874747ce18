//! Telling a story to a person: who takes part, what happens when, and which promise is broken how.

use std::fmt::Write as _;

use crate::directory::Damage;
use crate::history::Report;
use crate::judge::{Broken, promise};
use crate::log::clock;
use crate::story::{Change, Event, Story, What};

/// How many of the last lines of the log are told.
const LAST: usize = 40;

/// The whole of it.
pub fn tell(story: &Story, report: &Report) -> String {
    let mut text = format!("Seed {}: {:?}, {:?}\n", story.seed, story.crew, story.nature);
    for (index, book) in story.books.iter().enumerate() {
        let controller = &book.controller;
        put(
            &mut text,
            format_args!(
                "  directory {index}: controller {}, grace {} s, at most {} deletions, max changes {:?}",
                controller.name, controller.grace, controller.max_deletions, controller.max_changes
            ),
        );
        for (name, job) in &book.jobs {
            let suspended = if job.suspend { ", suspended" } else { "" };
            put(
                &mut text,
                format_args!("    {name} in {}: {:?}{suspended}, version {}", job.cluster, job.schedules, job.version),
            );
        }
    }
    put(&mut text, format_args!("What happens:"));
    for event in &story.events {
        put(&mut text, format_args!("  {} {}", clock(i64::from(event.at)), happening(event)));
    }
    if !report.faults.is_empty() {
        put(&mut text, format_args!("{} faults on the wire.", report.faults.len()));
    }
    // Ticks, reads and what a person turns on for more are in the log, for who asks for it.
    let tells = |line: &str| !line.starts_with("tick ") && !line.starts_with("DEBUG ");
    let lines: Vec<_> = report.lines.iter().filter(|(_, line)| tells(line.trim_start())).collect();
    if !lines.is_empty() {
        put(&mut text, format_args!("The last that was seen:"));
    }
    for (millis, line) in lines.iter().skip(lines.len().saturating_sub(LAST)) {
        put(&mut text, format_args!("  {} {}", clock(*millis), line.chars().take(240).collect::<String>()));
    }
    match &report.broken {
        Some(Broken { oracle, millis, what }) => {
            put(&mut text, format_args!("Broken at {}: {} ({oracle})", clock(*millis), promise(oracle)));
            put(&mut text, format_args!("  {what}"));
        }
        None => put(&mut text, format_args!("Every promise was kept.")),
    }
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    writeln!(text, "{line}").unwrap_or_default();
}

fn happening(event: &Event) -> String {
    match &event.what {
        What::Edit { directory, changes } => {
            let changes: Vec<String> = changes.iter().map(change).collect();
            format!("a commit in directory {directory}: {}", changes.join(", "))
        }
        What::Damage { directory, file, damage: Some(damage) } => {
            let how = match damage {
                Damage::Broken => "is no YAML any more",
                Damage::Half(_) => "is half written",
                Damage::Unreadable => "may not be read",
                Damage::Twice => "is there twice",
            };
            format!("{file} of directory {directory} {how}")
        }
        What::Damage { directory, file, damage: None } => format!("{file} of directory {directory} is mended"),
        What::Gone { directory, gone: true } => format!("directory {directory} goes away"),
        What::Gone { directory, gone: false } => format!("directory {directory} is back"),
        What::Emptied { directory, emptied: true } => format!("directory {directory} is emptied"),
        What::Emptied { directory, emptied: false } => format!("directory {directory} is filled again"),
        What::Hand(hand) => {
            let rule = if hand.rule == 0 { String::new() } else { format!(", its rule {}", hand.rule) };
            format!("a stranger's hand on {}'s {}{rule}: {:?}", hand.controller, hand.job, hand.deed)
        }
        What::Kill { process, request: None, keeps_disk, down, .. } => {
            format!("process {process} is killed{}, back after {} s", disk(*keeps_disk), f64::from(*down) / 1000.0)
        }
        What::Kill { process, request: Some(nth), writes, effect, keeps_disk, down } => {
            let when = if *effect { "after" } else { "before" };
            let what = if *writes { "write" } else { "request" };
            format!(
                "process {process} is to be killed {when} its {what} {nth} from now{}, back after {} s",
                disk(*keeps_disk),
                f64::from(*down) / 1000.0
            )
        }
        What::Stop { process, down } => {
            format!("process {process} is asked to end, back after {} s", f64::from(*down) / 1000.0)
        }
        What::Disk { process, full: true } => format!("the disk of process {process} is full"),
        What::Disk { process, full: false } => format!("the disk of process {process} has room again"),
        What::Skew { process, seconds } => format!("the clock of process {process} is {seconds} s off"),
        What::Told { directory, source } => format!("an event of {source} in the places of directory {directory}"),
        What::Legacy { place, name } => format!("family and rule {name} of others are in {place}"),
        What::Approve { directory } => format!("an operator approves what directory {directory}'s controller holds"),
    }
}

fn disk(keeps: bool) -> &'static str {
    if keeps { "" } else { " with its disk" }
}

fn change(change: &Change) -> String {
    match change {
        Change::Put(name, job) => {
            let former = job.moved_from.as_ref().map(|former| format!(", which was {former}")).unwrap_or_default();
            let invalid = if job.invalid { ", invalid" } else { "" };
            let suspended = if job.suspend { ", suspended" } else { "" };
            format!(
                "{name}{former} in {} at {:?}, version {}{suspended}{invalid}",
                job.cluster, job.schedules, job.version
            )
        }
        Change::Remove(name) => format!("{name} removed"),
        Change::PutCluster(name, cluster) => {
            format!("cluster {name} with default {}, drain {}", cluster.shared, cluster.drain)
        }
        Change::RemoveCluster(name) => format!("cluster {name} removed"),
        Change::PutController(controller) => format!(
            "controller {} with grace {} s, at most {} deletions, max changes {:?}, {} revisions, resync every {} s",
            controller.name,
            controller.grace,
            controller.max_deletions,
            controller.max_changes,
            controller.keep_revisions,
            controller.resync
        ),
    }
}
