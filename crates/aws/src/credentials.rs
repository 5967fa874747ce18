//! The credentials of an assumed role, shared by the clients of a place.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_types::sdk_config::SharedTimeSource;
use tokio::sync::Mutex;

/// So long before they expire, credentials are renewed: no call is under way longer.
const MARGIN: Duration = Duration::from_secs(300);

/// Assumes a role once for all clients of a place, and again before the session ends.
///
/// The SDK keeps credentials per client; without this, each of them would assume the role for itself.
#[derive(Debug)]
pub(crate) struct RoleCredentials {
    provider: AssumeRoleProvider,
    time: SharedTimeSource,
    held: Mutex<Option<Credentials>>,
}

impl RoleCredentials {
    pub(crate) fn new(provider: AssumeRoleProvider, time: SharedTimeSource) -> Self {
        Self { provider, time, held: Mutex::default() }
    }

    /// Who asks meanwhile waits for the one call under way; a failure is not kept.
    async fn credentials(&self) -> Result {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| self.lasts(credentials)) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await?;
        *held = Some(fresh.clone());
        Ok(fresh)
    }

    fn lasts(&self, credentials: &Credentials) -> bool {
        credentials.expiry().is_none_or(|expiry| self.time.now() + MARGIN < expiry)
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
