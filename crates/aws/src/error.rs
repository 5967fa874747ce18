//! What the SDK makes of a failed call, as a [`Failure`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId as _;
use ecs_etl_plan::failure::{CONNECTION, CREDENTIALS, Failure, REQUEST, RESPONSE, TIMEOUT, classify};
use ecs_etl_plan::step::Action;

use crate::operation::{ASSUME_ROLE, Operation};
use crate::redact::redacted;

/// A call that did not do what it was for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// AWS refused it, or never answered.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl CallError {
    /// What failed.
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Failed(failure) => failure,
        }
    }
}

/// How much of a message is kept: enough for AWS's longest sentences, too little to fill a terminal.
const MESSAGE: usize = 600;

/// What a call was, for its failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) operation: Operation,
    pub(crate) resource: &'a str,
    /// The role that is assumed for it.
    pub(crate) role: Option<&'a str>,
    /// What it writes, if it writes: AWS may repeat it, the failure must not repeat its secrets.
    pub(crate) writes: Option<&'a Action>,
}

/// Why an answer that came is not what was asked for: a refusal inside a 200, or no answer of AWS at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
    /// AWS said itself that nothing was done.
    pub(crate) without_effect: bool,
}

impl Refused {
    /// The answer is no answer to this question.
    pub(crate) fn response(message: impl Into<String>) -> Self {
        Self { code: RESPONSE.to_owned(), message: message.into(), without_effect: false }
    }

    /// The call cannot be made from what it was given.
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self { code: REQUEST.to_owned(), message: message.into(), without_effect: true }
    }

    /// An entry of a batch was refused.
    pub(crate) fn entry(code: Option<&str>, message: impl Into<String>) -> Self {
        Self { code: code.unwrap_or(RESPONSE).to_owned(), message: message.into(), without_effect: true }
    }
}

impl Subject<'_> {
    /// The failure that an answer of AWS stands for.
    pub(crate) fn refused(&self, refused: Refused, request_id: Option<&str>) -> Failure {
        let Refused { code, message, without_effect } = refused;
        self.failure(code, &message, request_id, None, !without_effect)
    }

    /// The failure that the SDK reports.
    pub(crate) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let request_id = error.request_id();
        match error {
            SdkError::ConstructionFailure(_) => self.failure(REQUEST.to_owned(), &chain(error), None, None, false),
            SdkError::TimeoutError(_) => self.failure(TIMEOUT.to_owned(), "no answer in time", request_id, None, true),
            SdkError::DispatchFailure(dispatch) => self.not_dispatched(dispatch),
            SdkError::ResponseError(response) => {
                let status = response.raw().status().as_u16();
                // Only the chain: the raw answer may repeat what was asked, secrets included.
                let message = format!("the answer (HTTP {status}) cannot be read: {}", chain(error));
                self.failure(RESPONSE.to_owned(), &message, request_id, None, true)
            }
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let (code, message) = match (service.err().code(), service.err().message()) {
                    (Some(code), Some(message)) => (code.to_owned(), message.to_owned()),
                    (Some(code), None) => (code.to_owned(), "AWS gives no reason".to_owned()),
                    (None, _) => (RESPONSE.to_owned(), format!("HTTP {status} without an error code of AWS")),
                };
                self.failure(code, &message, request_id, Some(status), status >= 500)
            }
            // The SDK may add kinds; nothing is known of their effect.
            _ => self.failure(CONNECTION.to_owned(), &chain(error), request_id, None, true),
        }
    }

    fn not_dispatched(&self, dispatch: &DispatchFailure) -> Failure {
        let Some(connector) = dispatch.as_connector_error() else {
            return self.failure(CONNECTION.to_owned(), "the call could not be sent", None, None, true);
        };
        if let Some(credentials) = find::<CredentialsError>(connector) {
            return self.without_credentials(credentials);
        }
        if dispatch.is_user() {
            return self.failure(REQUEST.to_owned(), &chain(connector), None, None, false);
        }
        if dispatch.is_timeout() {
            return self.failure(TIMEOUT.to_owned(), &chain(connector), None, None, true);
        }
        let refused = find::<std::io::Error>(connector)
            .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
        self.failure(CONNECTION.to_owned(), &chain(connector), None, None, !refused)
    }

    /// No credentials: nothing was sent. If a role was to be assumed, it is STS's refusal that counts.
    fn without_credentials(&self, error: &CredentialsError) -> Failure {
        if let Some(assume) = find::<SdkError<AssumeRoleError, HttpResponse>>(error) {
            let resource = self.role.unwrap_or("the role of the ambient credentials");
            return Subject { operation: ASSUME_ROLE, resource, role: None, writes: None }.failed(assume);
        }
        self.failure(CREDENTIALS.to_owned(), &chain(error), None, None, false)
    }

    fn failure(
        &self,
        code: String,
        message: &str,
        request_id: Option<&str>,
        status: Option<u16>,
        may_have_happened: bool,
    ) -> Failure {
        let Operation { service, name, mutating, .. } = self.operation;
        Failure {
            operation: name,
            resource: self.resource.to_owned(),
            class: classify(service, name, &code, message, status),
            code,
            message: match self.writes {
                Some(action) => shown(&redacted(message, action)),
                None => shown(message),
            },
            request_id: request_id.map(str::to_owned),
            ambiguous: mutating && may_have_happened,
        }
    }
}

/// The first error of type `T` in a chain of sources.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The messages of an error and its sources, each once.
///
/// `DisplayErrorContext` would add a debug print of it all, raw answer and its secrets included.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// A message that can be shown: one line, no control characters, not too long.
fn shown(message: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = message.chars().take(MESSAGE).map(clean).collect();
    if message.chars().nth(MESSAGE).is_some() {
        text.push('…');
    }
    text
}
