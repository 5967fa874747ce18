//! What the SDK's clients leave out when AWS is in this process: a signature that nobody checks, and headers that nobody reads.
//!
//! The embedded AWS reads account and Region off a request's credential scope, so that much is written as if it were signed.

use aws_credential_types::Credentials;
use aws_runtime::auth::sigv4::SCHEME_ID;
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign};
use aws_smithy_runtime_api::client::identity::{Identity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use ecs_etl_emulator::door::Clock;

/// Stands in for Signature Version 4: says who asks and where, without the sums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsigned(pub(crate) Clock);

impl AuthScheme for Unsigned {
    fn scheme_id(&self) -> AuthSchemeId {
        SCHEME_ID
    }

    fn identity_resolver(&self, resolvers: &dyn GetIdentityResolver) -> Option<SharedIdentityResolver> {
        resolvers.identity_resolver(SCHEME_ID)
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

impl Sign for Unsigned {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        identity: &Identity,
        _endpoint: AuthSchemeEndpointConfig<'_>,
        _components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        let credentials = identity.data::<Credentials>().ok_or("no credentials")?;
        let region = config.load::<SigningRegion>().ok_or("no Region to sign for")?;
        let service = config.load::<SigningName>().ok_or("no service to sign for")?;
        sign(request, credentials, self.0, region.as_ref(), service.as_ref())
    }
}

/// Says who asks and where.
///
/// # Errors
///
/// What it says cannot stand in a header.
pub(crate) fn sign(
    request: &mut HttpRequest,
    credentials: &Credentials,
    clock: Clock,
    region: &str,
    service: &str,
) -> Result<(), BoxError> {
    let (key, day) = (credentials.access_key_id(), clock.now().strftime("%Y%m%d"));
    let scope = format!("AWS4-HMAC-SHA256 Credential={key}/{day}/{region}/{service}/aws4_request");
    let headers = request.headers_mut();
    headers.try_insert("authorization", scope)?;
    if let Some(token) = credentials.session_token() {
        headers.try_insert("x-amz-security-token", token.to_owned())?;
    }
    Ok(())
}

/// Leaves out what a request tells AWS of its client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nameless;

#[dyn_dispatch_hint]
impl Intercept for Nameless {
    fn name(&self) -> &'static str {
        "Nameless"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const WHY: &str = "the embedded AWS does not read it";
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<UserAgentInterceptor>(WHY));
        state.store_put(disable_interceptor::<InvocationIdInterceptor>(WHY));
        state.store_put(disable_interceptor::<RequestInfoInterceptor>(WHY));
        Ok(())
    }
}
