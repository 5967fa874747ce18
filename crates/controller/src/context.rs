//! What a reconcile is given: AWS, the time, the settings, and what is remembered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ecs_etl_aws::{Aws, CallError};
use ecs_etl_plan::decide::{Decision, Policy, decide};
use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_plan::failure::Failure;
use ecs_etl_plan::lower::lower;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::prune::Held;
use ecs_etl_spec::job::{Job, Place, Prune};
use ecs_etl_spec::name::{AccountId, Digest, JobName, Prefix, ScheduleGroup};
use jiff::Timestamp;

use crate::adopted::Adopted;
use crate::clock::Clock;
use crate::gate::Gate;
use crate::lease::Seat;
use crate::lowered::{Lowered, Terms};
use crate::seams::{AsItIs, Seams};
use crate::shard::Parting;
use crate::world::{Names, World};

/// What the EtlController and the command line say, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whose resources are ours.
    pub identity: Identity,
    /// What every family and rule name starts with.
    pub prefix: Prefix,
    /// What jobs take over under other names than their own.
    pub adopted: Adopted,
    /// Which part of the directory is this controller's.
    pub parting: Arc<Parting>,
    /// What decisions need to know.
    pub policy: Policy,
    /// Deletion caps and grace.
    pub prune: Prune,
    /// How many existing jobs may change in one pass.
    pub max_changes: Option<u32>,
    /// Time between two resyncs.
    pub resync: Duration,
    /// The set released by the manifest.
    pub approved: Option<Digest>,
}

/// Shared by every reconcile.
#[derive(Debug)]
pub struct Context {
    /// The way to AWS.
    pub aws: Aws,
    /// The time.
    pub clock: Clock,
    /// What is remembered; losing it costs calls, never safety.
    world: Mutex<World>,
    gate: Mutex<Gate>,
    lowered: Mutex<Lowered>,
    accounts: Mutex<BTreeSet<AccountId>>,
    /// Groups of schedules that were seen. What is in them goes on to start jobs, whoever we are meanwhile and whether or not a document
    /// names the place: that they cannot be read is no proof that nothing is there.
    groups: Mutex<BTreeSet<(Place, ScheduleGroup)>>,
    /// Jobs that left something behind which was known to be this shard's.
    parted: Mutex<BTreeSet<(Place, JobName)>>,
    settings: RwLock<Arc<Settings>>,
    /// The lease that allows writing; none where none is needed.
    lease: OnceLock<Arc<Seat>>,
    seams: Arc<dyn Seams>,
}

/// Why a reconcile stopped before the job was converged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Interrupted {
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The call budget wants it to come back later.
    #[error("the budget of {bucket} is used up for now; its turn is expected at {}", .expected.strftime("%FT%TZ"))]
    Budget {
        /// Bucket that is empty.
        bucket: String,
        /// How long until its turn.
        wait: Duration,
        /// When that is.
        expected: Timestamp,
    },
    /// Other jobs of the pass are still being looked at, so that the changes can be counted.
    #[error("the changes of this pass are being counted")]
    Counting,
    /// More jobs would change than `maxChanges` allows.
    #[error("{}; approve {} to go on", .0.why, .0.digest)]
    Held(Held),
    /// Another controller holds the lease, or may.
    #[error("another controller holds the lease; this one only looks")]
    Standby,
    /// The plan broke one of its own rules and was not carried out: a defect of ecs-etl.
    #[error("the plan was refused: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// Decision and facts do not come together: a defect of ecs-etl.
    #[error("decision and facts do not come together")]
    Undecided,
    /// The worker panicked: a defect of ecs-etl.
    #[error("the work on it broke off")]
    Panicked,
    /// Whether what a job left behind is ours cannot be read.
    #[error("{0}")]
    Doubtful(String),
    /// The job cannot be bound to its account.
    #[error("{0}")]
    Unbound(String),
}

impl From<CallError> for Interrupted {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl Context {
    /// A context that remembers nothing yet.
    pub fn new(aws: Aws, clock: Clock, settings: Settings) -> Self {
        Self {
            aws,
            clock,
            world: Mutex::new(World::default()),
            gate: Mutex::new(Gate::default()),
            lowered: Mutex::default(),
            accounts: Mutex::default(),
            groups: Mutex::default(),
            parted: Mutex::default(),
            settings: RwLock::new(Arc::new(settings)),
            lease: OnceLock::new(),
            seams: Arc::new(AsItIs),
        }
    }

    /// Allows writing only while a lease is held, from now on and for good. False if it needs one already.
    pub fn write_only_with(&self, seat: Arc<Seat>) -> bool {
        self.lease.set(seat).is_ok()
    }

    /// The lease that allows writing; none where none is needed.
    pub fn lease(&self) -> Option<&Arc<Seat>> {
        self.lease.get()
    }

    /// Stops a write that must not begin: another controller holds the lease, or may.
    pub(crate) fn may_write(&self) -> Result<(), Interrupted> {
        match self.lease() {
            Some(seat) if !seat.may_write() => Err(Interrupted::Standby),
            Some(_) | None => Ok(()),
        }
    }

    /// The same, with what passes bent on its way.
    #[must_use]
    pub fn with_seams(self, seams: Arc<dyn Seams>) -> Self {
        Self { seams, ..self }
    }

    /// Where what passes may be bent.
    pub(crate) fn seams(&self) -> &dyn Seams {
        self.seams.as_ref()
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts new settings in force. A new identity or prefix means other resources: what was remembered is forgotten.
    pub fn set_settings(&self, settings: Settings) {
        let before = self.settings();
        if before.identity != settings.identity || before.prefix != settings.prefix {
            *self.world() = World::default();
        }
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// What is remembered. Never held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names under which a job's resources may be found in a place; none if they would be longer than AWS allows.
    pub fn names(&self, place: &Place, job: &JobName) -> Option<Names> {
        let settings = self.settings();
        self.world().names(&settings, place, job)
    }

    /// The count of changes in this pass. Never held across an await.
    pub fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account that a place is in.
    pub async fn account(&self, place: &Place) -> Result<AccountId, Interrupted> {
        let account = self.aws.account(place).await?;
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone());
        Ok(account)
    }

    /// Whether what a job left in a place was known to be this shard's when that was last told; `told` tells it anew.
    pub(crate) fn recall(&self, place: &Place, job: &JobName, told: Option<bool>) -> bool {
        let mut parted = self.parted.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (place.clone(), job.clone());
        match told {
            Some(true) => {
                parted.insert(key);
                true
            }
            Some(false) => {
                parted.remove(&key);
                false
            }
            None => parted.contains(&key),
        }
    }

    /// Takes note of a group of schedules that is there.
    pub(crate) fn saw_group(&self, place: &Place, group: &ScheduleGroup) {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).insert((place.clone(), group.clone()));
    }

    /// Whether a group of schedules was ever seen in a place, so that schedules of ours may be there.
    pub(crate) fn has_seen_group(&self, place: &Place, group: &ScheduleGroup) -> bool {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).contains(&(place.clone(), group.clone()))
    }

    /// Accounts seen so far.
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Decides what a job needs, on these facts and now.
    pub fn decide(&self, desired: &Desired, facts: &Observed) -> Decision {
        decide(desired, facts, &self.settings().policy, self.clock.now())
    }

    /// Lowers a job to AWS's terms, in its account: once, until it changes.
    pub async fn desired(&self, job: &Arc<Job>) -> Result<Arc<Desired>, Interrupted> {
        let account = self.account(&job.place).await?;
        let settings = self.settings();
        let terms = Terms { account, identity: settings.identity.clone(), prefix: settings.prefix.clone() };
        if let Some(desired) = self.lowered().get(job, &terms) {
            return Ok(desired);
        }
        let bound = job.bind(&terms.account).map_err(|error| Interrupted::Unbound(error.to_string()))?;
        let desired = lower(&bound, &terms.identity, &terms.prefix, self.clock.now())
            .map_err(|error| Interrupted::Unbound(error.to_string()))?;
        let desired = Arc::new(desired);
        self.lowered().keep(job, terms, &desired);
        Ok(desired)
    }

    /// What jobs were lowered to. Never held across an await.
    pub(crate) fn lowered(&self) -> MutexGuard<'_, Lowered> {
        self.lowered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
