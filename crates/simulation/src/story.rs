//! A story: everything that happens in a history, as data. A seed draws one; a failing one can be made shorter, kept and told.

use serde::{Deserialize, Serialize};

use crate::directory::Damage;
use crate::fault;
use crate::hand::Hand;
use crate::sketch::{Book, Cluster, Controller, Job};

/// Who runs which manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crew {
    /// One controller.
    One,
    /// Two processes of one identity on equal manifests.
    Twins,
    /// Two processes of one identity on different manifests: a mistake.
    Rivals,
    /// Two controllers of different identities, side by side.
    Neighbours,
}

impl Crew {
    /// The directory of each process.
    pub fn directories(self) -> &'static [usize] {
        match self {
            Self::One => &[0],
            Self::Twins => &[0, 0],
            Self::Rivals | Self::Neighbours => &[0, 1],
        }
    }
}

/// How AWS behaves where it leaves itself room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nature {
    /// Seconds that lists are behind.
    pub list_lag: u32,
    /// Seconds that removed targets keep their rule.
    pub targets_linger: u32,
    /// Milliseconds that a registration occupies its family.
    pub registration_takes: u32,
    /// Containers come back in another order.
    pub reorders: bool,
    /// Empty buckets refuse.
    pub throttles: bool,
    /// Seconds until a change of a rule or its targets is seen by the next tick.
    pub changes_take: u32,
}

impl Nature {
    /// AWS in a good mood.
    pub fn kind() -> Self {
        Self {
            list_lag: 0,
            targets_linger: 0,
            registration_takes: 0,
            reorders: false,
            throttles: false,
            changes_take: 0,
        }
    }
}

/// A history, told beforehand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The seed that drew it, which also draws jitter.
    pub seed: u64,
    /// Who runs which manifests.
    pub crew: Crew,
    /// The directories at the beginning.
    pub books: Vec<Book>,
    /// What happens, in order of time.
    pub events: Vec<Event>,
    /// What goes wrong on the wire.
    pub faults: fault::Plan,
    /// How AWS behaves.
    pub nature: Nature,
    /// Whether calls are kept inside the budget.
    pub limits: bool,
    /// Seconds between heartbeats.
    pub heartbeat: u32,
    /// When the storm is over, in milliseconds: from then on nothing happens any more.
    pub calm: u32,
    /// When the history ends, in milliseconds.
    pub end: u32,
    /// The moment it begins on every clock in it; the usual one without it.
    #[serde(default)]
    pub start: Option<String>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since the beginning.
    pub at: u32,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// A commit: all of it shows in the directory at once.
    Edit {
        /// Which directory.
        directory: usize,
        /// What it changes.
        changes: Vec<Change>,
    },
    /// A file is damaged, or mended.
    Damage {
        /// Which directory.
        directory: usize,
        /// Path of the file.
        file: String,
        /// What is wrong with it from now on.
        damage: Option<Damage>,
    },
    /// The directory goes, or comes back.
    Gone {
        /// Which directory.
        directory: usize,
        /// Whether it is away from now on.
        gone: bool,
    },
    /// The directory is emptied, or filled again: a checkout half made.
    Emptied {
        /// Which directory.
        directory: usize,
        /// Whether it is empty from now on.
        emptied: bool,
    },
    /// Somebody else's hand in AWS.
    Hand(Hand),
    /// A process is killed, and comes back.
    Kill {
        /// Which.
        process: usize,
        /// At the nth request from now on; at once without it.
        request: Option<u32>,
        /// Of those that write alone.
        #[serde(default)]
        writes: bool,
        /// Whether that request still takes effect.
        effect: bool,
        /// Whether its status directory survives.
        keeps_disk: bool,
        /// Milliseconds until it starts anew.
        down: u32,
    },
    /// A process is asked to end, and is started anew.
    Stop {
        /// Which.
        process: usize,
        /// Milliseconds until it starts anew.
        down: u32,
    },
    /// The wall clock of a process is off.
    Skew {
        /// Which.
        process: usize,
        /// By so many seconds from now on.
        seconds: i32,
    },
    /// The disk of a process takes no statuses, or does again.
    Disk {
        /// Which.
        process: usize,
        /// Whether it refuses.
        full: bool,
    },
    /// Somebody tells the buses of a directory's places of an event.
    Told {
        /// Which directory.
        directory: usize,
        /// The `source` of the event.
        source: String,
    },
    /// A family and a rule of others were there before.
    Legacy {
        /// `account/region`.
        place: String,
        /// The name of both.
        name: String,
    },
    /// An operator releases what is held, by committing its digest.
    Approve {
        /// In which directory.
        directory: usize,
    },
}

/// A change of a directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A job is written.
    Put(String, Box<Job>),
    /// A job's document is removed.
    Remove(String),
    /// A cluster is written.
    PutCluster(String, Cluster),
    /// A cluster's document is removed.
    RemoveCluster(String),
    /// The controller is written.
    PutController(Box<Controller>),
}

impl Change {
    /// Makes it.
    pub fn apply(&self, book: &mut Book) {
        match self {
            Self::Put(name, job) => {
                book.jobs.insert(name.clone(), Job::clone(job));
            }
            Self::Remove(name) => {
                book.jobs.remove(name);
            }
            Self::PutCluster(name, cluster) => {
                book.clusters.insert(name.clone(), cluster.clone());
            }
            Self::RemoveCluster(name) => {
                book.clusters.remove(name);
            }
            Self::PutController(controller) => {
                // What was released stays released, whatever else is edited.
                let approved = book.controller.approved.take();
                book.controller = Controller { approved, ..Controller::clone(controller) };
            }
        }
    }
}
