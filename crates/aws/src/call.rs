//! One call to AWS: its turn in the budget, its failure, its line in the log.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use ecs_etl_plan::failure::{Failure, RetryClass, Service};
use ecs_etl_plan::step::Action;
use ecs_etl_spec::job::Place;
use tokio::time::Instant;

use crate::aws::Aws;
use crate::budget::Urgency;
use crate::error::{Refused, Subject};
use crate::lease::REFUSED;
use crate::operation::Operation;
use crate::options::CallRecord;

/// A call about to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    pub(crate) place: &'a Place,
    /// What it acts on, for the log and for failures.
    pub(crate) resource: &'a str,
    pub(crate) urgency: Urgency,
    /// What it writes, if it writes: a failure must not repeat its secrets.
    pub(crate) writes: Option<&'a Action>,
}

impl Call<'_> {
    /// Sends `request` and reads its answer with `read`; the one way in which AWS is called.
    ///
    /// A read waits here for its turn in the budget; a write has its turn already, by a reservation for the whole plan.
    pub(crate) async fn send<T, E, U>(
        &self,
        aws: &Aws,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        read: impl FnOnce(T) -> Result<U, Refused>,
    ) -> Result<U, Failure>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
    {
        if !self.operation.mutating {
            aws.wait_for_turn(self).await?;
        }
        let subject = self.subject();
        let start = Instant::now();
        let (result, request_id) = match request.await {
            Ok(output) => {
                let request_id = output.request_id().map(str::to_owned);
                let result = read(output).map_err(|refused| subject.refused(refused, request_id.as_deref()));
                (result, request_id)
            }
            Err(error) => (Err(subject.failed(&error)), error.request_id().map(str::to_owned)),
        };
        self.finished(aws, start, result.as_ref().err(), request_id.as_deref());
        result
    }

    /// The failure of a call that was never made, for what it was to say.
    pub(crate) fn unsaid(&self, why: impl Into<String>) -> Failure {
        self.subject().refused(Refused::request(why), None)
    }

    fn subject(&self) -> Subject<'_> {
        let role = self.place.assume_role_arn.as_deref();
        Subject { operation: self.operation, resource: self.resource, role, writes: self.writes }
    }

    fn finished(&self, aws: &Aws, start: Instant, failure: Option<&Failure>, request_id: Option<&str>) {
        let duration = start.elapsed();
        self.log(aws, duration, failure, request_id);
        if let Some(failure) = failure {
            aws.learn(self, failure);
        }
        aws.observe(|| CallRecord {
            operation: self.operation,
            region: self.place.region.clone(),
            resource: self.resource.to_owned(),
            code: failure.map(|failure| failure.code.clone()),
            duration,
        });
    }

    fn log(&self, aws: &Aws, duration: std::time::Duration, failure: Option<&Failure>, request_id: Option<&str>) {
        let operation = self.operation.name;
        let resource = self.resource;
        let region = self.place.region.as_str();
        let account = aws.known_account(self.place);
        let account = account.as_ref().map(|account| account.as_str());
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match failure {
            Some(Failure { class: RetryClass::NotFound, .. }) | None if !self.operation.mutating => {
                tracing::debug!(operation, resource, account, region, request_id, duration_ms, "aws call");
            }
            // A lease is renewed day and night, and changes nothing that a job has.
            None if self.operation.service == Service::DynamoDb => {
                tracing::debug!(operation, resource, account, region, request_id, duration_ms, "aws call");
            }
            Some(Failure { code, .. }) if code == REFUSED => {
                tracing::debug!(operation, resource, account, region, request_id, duration_ms, code, "aws call");
            }
            None => tracing::info!(operation, resource, account, region, request_id, duration_ms, "aws call"),
            Some(Failure { operation, resource, code, message, class, ambiguous, .. }) => {
                let class = tracing::field::debug(class);
                tracing::warn!(
                    operation,
                    resource,
                    account,
                    region,
                    request_id,
                    duration_ms,
                    code,
                    class,
                    ambiguous,
                    error = message,
                    "aws call"
                );
            }
        }
    }
}
