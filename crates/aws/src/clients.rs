//! The SDK's clients, one set for each role and Region.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::sdk_config::SharedTimeSource;
use ecs_etl_emulator::door::{Clock, InProcess};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::Region;
use tokio::sync::OnceCell;

use crate::connector::{EmulatorTime, InProcessConnector};
use crate::credentials::RoleCredentials;
use crate::direct::Direct;
use crate::in_process::{Nameless, Unsigned};
use crate::options::Timeouts;

/// The name of our sessions in CloudTrail and in the ARN of an assumed role. Constant: two daemons of one identity look alike on
/// purpose, and a process id says nothing to an auditor.
const SESSION: &str = "ecs-etl";

/// How long to wait for the table of leases.
const LEASE_PATIENCE: Duration = Duration::from_secs(5);

/// Where an in-process request pretends to go; `.invalid` is a name that never resolves.
const IN_PROCESS_URL: &str = "http://embedded.invalid";

/// Which AWS the clients reach.
#[derive(Debug)]
pub(crate) enum Source {
    /// An emulator in this process.
    InProcess(InProcess),
    /// A server that speaks AWS's protocols.
    Url(String),
    /// Amazon's own.
    Aws,
}

/// The clients for one place; clones are cheap.
#[derive(Debug, Clone)]
pub(crate) struct PlaceClients {
    pub(crate) ecs: aws_sdk_ecs::Client,
    pub(crate) events: aws_sdk_eventbridge::Client,
    pub(crate) scheduler: aws_sdk_scheduler::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    /// The short way, where there is one.
    pub(crate) direct: Option<Arc<Direct>>,
}

/// All clients, made when first needed.
#[derive(Debug)]
pub(crate) struct Clients {
    source: Source,
    timeouts: Timeouts,
    /// Whether requests to an AWS in this process take the short way.
    short: bool,
    places: Mutex<BTreeMap<Place, Arc<OnceCell<PlaceClients>>>>,
}

impl Clients {
    pub(crate) fn new(source: Source, timeouts: Timeouts, short: bool) -> Self {
        Self { source, timeouts, short, places: Mutex::default() }
    }

    /// The clients of `place`. Making them asks AWS for nothing yet.
    pub(crate) async fn of(&self, place: &Place) -> PlaceClients {
        let known = self.lock().get(place).map(Arc::clone);
        let cell = known.unwrap_or_else(|| Arc::clone(self.lock().entry(place.clone()).or_default()));
        // Seldom done, and its future is large.
        cell.get_or_init(|| Box::pin(self.make(place))).await.clone()
    }

    /// Forgets the clients of `place` and with them its credentials, which AWS calls expired.
    pub(crate) fn forget(&self, place: &Place) {
        self.lock().remove(place);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Place, Arc<OnceCell<PlaceClients>>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make(&self, place: &Place) -> PlaceClients {
        let mut config = self.config(&place.region).await;
        if let Some(role) = &place.assume_role_arn {
            let mut provider = AssumeRoleProvider::builder(role).session_name(SESSION).configure(&config);
            if let Some(external_id) = &place.external_id {
                provider = provider.external_id(external_id);
            }
            let time = config.time_source().unwrap_or_default();
            let credentials = RoleCredentials::new(provider.build().await, time);
            config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        }
        match &self.source {
            Source::InProcess(door) => {
                let direct = Direct::new(door, &config, self.timeouts).filter(|_| self.short).map(Arc::new);
                in_process(&config, door.clock(), direct)
            }
            Source::Url(_) | Source::Aws => PlaceClients {
                ecs: aws_sdk_ecs::Client::new(&config),
                events: aws_sdk_eventbridge::Client::new(&config),
                scheduler: aws_sdk_scheduler::Client::new(&config),
                sts: aws_sdk_sts::Client::new(&config),
                direct: None,
            },
        }
    }

    /// A client for the table of leases; none in an AWS in this process, which has no DynamoDB.
    pub(crate) async fn dynamodb(&self, region: &Region) -> Option<aws_sdk_dynamodb::Client> {
        match &self.source {
            Source::InProcess(_) => return None,
            Source::Url(_) | Source::Aws => {}
        }
        // A lease has no use for an answer that comes late: it asks again.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(LEASE_PATIENCE)
            .operation_attempt_timeout(LEASE_PATIENCE)
            .operation_timeout(LEASE_PATIENCE)
            .build();
        let config = self.config(region).await.into_builder().timeout_config(timeouts).build();
        Some(aws_sdk_dynamodb::Client::new(&config))
    }

    /// The longest that one call can take, credentials included.
    pub(crate) fn longest_call(&self) -> Duration {
        self.timeouts.operation
    }

    /// What all clients of a Region have in common; the credentials are the ambient ones.
    async fn config(&self, region: &Region) -> SdkConfig {
        let sdk_region = aws_config::Region::new(region.as_str().to_owned());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .operation_attempt_timeout(self.timeouts.attempt)
            .operation_timeout(self.timeouts.operation)
            .build();
        // A bucket of one call a second is no place for hidden attempts: the queue decides when a call is made again.
        let retries = RetryConfig::disabled();
        let base = || {
            SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(sdk_region.clone())
                .retry_config(retries.clone())
                .timeout_config(timeouts.clone())
        };
        match &self.source {
            Source::Aws => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .region(sdk_region.clone())
                    .retry_config(retries.clone())
                    .timeout_config(timeouts.clone());
                if let Ok(name) = AppName::new("ecs-etl") {
                    loader = loader.app_name(name);
                }
                loader.load().await
            }
            Source::Url(url) => base()
                .endpoint_url(url)
                .credentials_provider(stand_in_credentials())
                .time_source(SharedTimeSource::default())
                .build(),
            Source::InProcess(door) => base()
                .endpoint_url(IN_PROCESS_URL)
                .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                    "embedded", "embedded", None,
                )))
                .http_client(InProcessConnector::new(door.clone()))
                .time_source(EmulatorTime(door.clock()))
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .build(),
        }
    }
}

/// Clients of an AWS in this process, which do less for each call.
fn in_process(config: &SdkConfig, clock: Clock, direct: Option<Arc<Direct>>) -> PlaceClients {
    macro_rules! client {
        ($sdk:ident) => {{
            let config = $sdk::config::Builder::from(config).push_auth_scheme(Unsigned(clock)).interceptor(Nameless);
            $sdk::Client::from_conf(config.build())
        }};
    }
    PlaceClients {
        ecs: client!(aws_sdk_ecs),
        events: client!(aws_sdk_eventbridge),
        scheduler: client!(aws_sdk_scheduler),
        sts: client!(aws_sdk_sts),
        direct,
    }
}

/// Credentials for something that is not AWS: those of the environment, for a proxy in front of it; else any, which stand-ins take.
fn stand_in_credentials() -> SharedCredentialsProvider {
    let given = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty());
    if given {
        SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
    } else {
        SharedCredentialsProvider::new(Credentials::from_keys("test", "test", None))
    }
}
