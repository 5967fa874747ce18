//! The handle on AWS that the controller holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ecs_etl_emulator::door::{Clock, Hook, InProcess};
use ecs_etl_emulator::{Journal, JournalError, Settings};
use ecs_etl_plan::failure::{Failure, RetryClass};
use ecs_etl_plan::step::Action;
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{AccountId, Region, ScheduleGroup};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::budget::{Bucket, Budget, Meter, Reservation, Urgency};
use crate::call::Call;
use crate::clients::{Clients, PlaceClients, Source};
use crate::direct::Request as _;
use crate::endpoint::Endpoint;
use crate::error::{CallError, Refused};
use crate::operation::{GET_CALLER_IDENTITY, Operation};
use crate::options::{CallRecord, Observer, Options};
use crate::under_way::UnderWay;

/// Why AWS cannot be talked to at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Another process has the embedded AWS of this folder.
    #[error(
        "another ecs-etl uses the embedded AWS in {}: stop that one, work in another directory, or let both talk to one \
         `ecs-etl emulator` with `--endpoint http://HOST:PORT`",
        state.display()
    )]
    InUse {
        /// The folder.
        state: std::path::PathBuf,
    },
    /// The embedded AWS's state cannot be used.
    #[error("cannot open the embedded AWS")]
    Embedded(#[source] JournalError),
}

/// AWS, or what stands in for it. Clones share clients, credentials and budget.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    description: String,
    clients: Clients,
    budget: Budget,
    accounts: Mutex<BTreeMap<Role, Arc<OnceCell<AccountId>>>>,
    groups: GroupsUnderWay,
    observer: Option<Observer>,
    /// The emulator that this process started and ends.
    embedded: Option<InProcess>,
}

/// Groups of schedules whose tags are being read.
pub(crate) type GroupsUnderWay = UnderWay<(AccountId, Region, ScheduleGroup), Result<Tags, Failure>>;

/// Role and external id: who one is does not hang on the Region.
type Role = (Option<String>, Option<String>);

impl Aws {
    /// Gets ready to talk to `endpoint`. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// The embedded AWS cannot be opened.
    pub async fn connect(endpoint: Endpoint, options: Options) -> Result<Self, ConnectError> {
        let Options { limits, share, timeouts, observer, short } = options;
        let description = description(&endpoint);
        let limits = limits.unwrap_or(endpoint.is_limited());
        let (source, embedded) = match endpoint {
            Endpoint::Embedded { state } => {
                let (journal, emulator) = open(state).await?;
                let clock = Clock::system().not_before(emulator.latest());
                let door = InProcess::spawn_with_timer(emulator, Some(journal), clock, Hook::none());
                (Source::InProcess(door.clone()), Some(door))
            }
            Endpoint::InProcess(door) => (Source::InProcess(door), None),
            Endpoint::Url(url) => (Source::Url(url), None),
            Endpoint::Aws => (Source::Aws, None),
        };
        let inner = Inner {
            description,
            clients: Clients::new(source, timeouts, short),
            budget: Budget::new(limits, share),
            accounts: Mutex::default(),
            groups: UnderWay::default(),
            observer,
            embedded,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Which AWS this is, for the first line that every command prints.
    pub fn describe(&self) -> String {
        self.inner.description.clone()
    }

    /// The account that the credentials for `place` belong to, asked once for each role.
    ///
    /// # Errors
    ///
    /// The role cannot be assumed, there are no credentials, or AWS does not answer.
    pub async fn account(&self, place: &Place) -> Result<AccountId, CallError> {
        let cell = Arc::clone(self.accounts().entry(role(place)).or_default());
        let account = cell.get_or_try_init(|| Box::pin(self.ask_account(place))).await?;
        Ok(account.clone())
    }

    async fn ask_account(&self, place: &Place) -> Result<AccountId, Failure> {
        let clients = self.clients(place).await;
        let call = Call {
            operation: GET_CALLER_IDENTITY,
            place,
            resource: "the caller",
            urgency: Urgency::Edit,
            writes: None,
        };
        call.send(self, clients.sts.get_caller_identity().send_by(&clients), |identity| {
            let account = identity.account.ok_or_else(|| Refused::response("the answer names no account"))?;
            AccountId::new(account).map_err(|error| Refused::response(error.to_string()))
        })
        .await
    }

    /// Takes the calls of a whole plan out of the budget, or keeps a place in the line for `ticket`.
    ///
    /// `actions` are those that go to `place`, which is in `account`. With limits off everything is granted.
    pub fn reserve(
        &self,
        place: &Place,
        account: &AccountId,
        actions: &[&Action],
        urgency: Urgency,
        ticket: &str,
    ) -> Reservation {
        let meter = (account.clone(), place.region.clone());
        self.inner.budget.reserve(&meter, ticket, urgency, buckets(actions))
    }

    /// Keeps a place in the line for a plan that is likely to be made, and says until when it waits; none if it could go now.
    ///
    /// Nothing is taken out of the budget: [`Aws::reserve`] does that, under the same ticket.
    pub fn queue(
        &self,
        place: &Place,
        actions: &[&Action],
        urgency: Urgency,
        ticket: &str,
    ) -> Option<(Bucket, Instant)> {
        self.inner.budget.queue(&self.limited(place)?, ticket, urgency, buckets(actions))
    }

    /// When a ticket that waits for the budget has its turn, and for which bucket; none if that is now, or it does not wait.
    pub fn turn(&self, place: &Place, ticket: &str) -> Option<(Bucket, Instant)> {
        self.inner.budget.turn(&self.limited(place)?, ticket)
    }

    /// Gives up a ticket's place in the line, if it has one: its owner needs nothing any more, or something else.
    pub fn withdraw(&self, place: &Place, ticket: &str) {
        if let Some(meter) = self.limited(place) {
            self.inner.budget.withdraw(&meter, ticket);
        }
    }

    /// When the last of all that wait for the budget has its turn, unless more come.
    pub fn last_turn(&self) -> Option<Instant> {
        self.inner.budget.last_turn()
    }

    /// Ends the embedded AWS, if this handle started one, after the requests under way.
    pub async fn close(self) {
        if let Some(embedded) = &self.inner.embedded
            && let Err(error) = embedded.close().await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "the embedded AWS did not keep its state");
        }
    }

    pub(crate) async fn clients(&self, place: &Place) -> PlaceClients {
        self.inner.clients.of(place).await
    }

    pub(crate) async fn dynamodb(&self, region: &Region) -> Option<aws_sdk_dynamodb::Client> {
        self.inner.clients.dynamodb(region).await
    }

    /// The longest that one write can be under way before it is given up.
    pub fn longest_call(&self) -> std::time::Duration {
        self.inner.clients.longest_call()
    }

    /// Waits until a read may go.
    pub(crate) async fn wait_for_turn(&self, call: &Call<'_>) -> Result<(), Failure> {
        let Some(bucket) = call.operation.bucket.filter(|_| self.inner.budget.limits()) else { return Ok(()) };
        // The budget counts by account, so that has to be known first.
        let account = match self.known_account(call.place) {
            Some(account) => account,
            None => match Box::pin(self.account(call.place)).await {
                Ok(account) => account,
                Err(CallError::Failed(failure)) => return Err(failure),
            },
        };
        self.inner.budget.read(&(account, call.place.region.clone()), bucket, call.urgency).await;
        Ok(())
    }

    /// Takes to heart what a failure says about the next calls.
    pub(crate) fn learn(&self, call: &Call<'_>, failure: &Failure) {
        if failure.class == RetryClass::Throttled
            && let (Some(bucket), Some(meter)) = (call.operation.bucket, self.meter(call.place))
        {
            self.inner.budget.throttled(&meter, bucket);
        }
        if matches!(failure.code.as_str(), "ExpiredToken" | "ExpiredTokenException") {
            self.inner.clients.forget(call.place);
        }
    }

    pub(crate) fn observe(&self, record: impl FnOnce() -> CallRecord) {
        if let Some(observer) = &self.inner.observer {
            observer(&record());
        }
    }

    /// The account of `place`, if it was asked for before.
    pub(crate) fn known_account(&self, place: &Place) -> Option<AccountId> {
        self.accounts().get(&role(place)).and_then(|cell| cell.get().cloned())
    }

    fn meter(&self, place: &Place) -> Option<Meter> {
        Some((self.known_account(place)?, place.region.clone()))
    }

    /// The meter of `place`, if calls are limited.
    fn limited(&self, place: &Place) -> Option<Meter> {
        if self.inner.budget.limits() { self.meter(place) } else { None }
    }

    pub(crate) fn groups_under_way(&self) -> &GroupsUnderWay {
        &self.inner.groups
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Role, Arc<OnceCell<AccountId>>>> {
        self.inner.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Aws").field(&self.inner.description).finish()
    }
}

fn buckets(actions: &[&Action]) -> impl Iterator<Item = Bucket> {
    actions.iter().filter_map(|action| Operation::of(action).bucket)
}

fn role(place: &Place) -> Role {
    (place.assume_role_arn.clone(), place.external_id.clone())
}

/// The first line of every command. The SDK honours an endpoint from the environment, so "AWS" alone might not be true.
fn description(endpoint: &Endpoint) -> String {
    match (endpoint, std::env::var("AWS_ENDPOINT_URL")) {
        (Endpoint::Aws, Ok(url)) if !url.is_empty() => {
            let host = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
            format!("AWS, by AWS_ENDPOINT_URL at {host}")
        }
        (Endpoint::Aws | Endpoint::Embedded { .. } | Endpoint::Url(_) | Endpoint::InProcess(_), _) => {
            endpoint.to_string()
        }
    }
}

/// Reads a journal that may be long and waits for a disk: off the runtime.
async fn open(state: std::path::PathBuf) -> Result<(Journal, ecs_etl_emulator::Emulator), ConnectError> {
    let folder = state.clone();
    let opened = tokio::task::spawn_blocking(move || Journal::open(&folder, Settings::default())).await;
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(JournalError::InUse { .. })) => Err(ConnectError::InUse { state }),
        Ok(Err(error)) => Err(ConnectError::Embedded(error)),
        Err(_shutdown) => Err(ConnectError::Embedded(JournalError::Interrupted)),
    }
}
