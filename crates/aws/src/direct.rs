//! The shortest way of a request to an AWS in this process: the SDK's own words for it and the SDK's own reading of the answer,
//! without what its orchestrator does in between for a network.
//!
//! A simulation makes a million requests a minute if it can, and the orchestrator would take half of its time. Only roles are still
//! assumed through it. `tests/it/direct.rs` holds that by both ways the same is asked, heard, and called the same when it fails.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::interceptors::context::{Error as Failed, Input, InterceptorContext};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse as _, SerializeRequest as _, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_schema::protocol::{ServiceShapeName, ServiceShapeNamespace, SharedClientProtocol};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer, Layer};
use ecs_etl_emulator::door::{Clock, InProcess};

use crate::clients::PlaceClients;
use crate::connector::InProcessConnector;
use crate::convert::unmodelled::Unmodelled;
use crate::in_process::sign;
use crate::options::Timeouts;

/// Asks an AWS in this process without the SDK's orchestrator.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    connector: InProcessConnector,
    clock: Clock,
    credentials: SharedCredentialsProvider,
    region: String,
    patience: Duration,
}

/// A request under way. It is boxed, since everything that waits for it would else be as large as the SDK's futures are, several
/// times over.
pub(crate) type Sending<'a, A, R> = Pin<Box<dyn Future<Output = Result<A, SdkError<R, HttpResponse>>> + Send + 'a>>;

/// A request to AWS, in the SDK's terms.
pub(crate) trait Request: Sized {
    /// What AWS answers.
    type Answer;
    /// What AWS refuses with.
    type Refusal;

    /// Sends it, by the way that the clients of its place have.
    fn send_by(self, clients: &PlaceClients) -> Sending<'_, Self::Answer, Self::Refusal>;
}

/// The requests of a service, by module, operation and builder.
macro_rules! requests {
    ($($sdk:ident $service:literal { $($module:ident $operation:ident $builder:ident $answer:ident $refusal:ident,)+ })+) => {
        $($(
            impl Request for $sdk::operation::$module::builders::$builder {
                type Answer = $sdk::operation::$module::$answer;
                type Refusal = $sdk::operation::$module::$refusal;

                fn send_by(self, clients: &PlaceClients) -> Sending<'_, Self::Answer, Self::Refusal> {
                    static WORDS: OnceLock<Option<FrozenLayer>> = OnceLock::new();
                    let words = WORDS.get_or_init(|| $sdk::operation::$module::$operation::new().config());
                    match (&clients.direct, words) {
                        (Some(direct), Some(words)) => Box::pin(async move {
                            let input = self.as_input().clone().build().map_err(SdkError::construction_failure)?;
                            direct.ask($service, words, Input::erase(input), None).await
                        }),
                        (None, _) | (_, None) => Box::pin(self.send()),
                    }
                }
            }
        )+)+
    };
}

requests! {
    aws_sdk_ecs "ecs" {
        list_task_definitions ListTaskDefinitions ListTaskDefinitionsFluentBuilder
            ListTaskDefinitionsOutput ListTaskDefinitionsError,
        tag_resource TagResource TagResourceFluentBuilder TagResourceOutput TagResourceError,
        untag_resource UntagResource UntagResourceFluentBuilder UntagResourceOutput UntagResourceError,
        deregister_task_definition DeregisterTaskDefinition DeregisterTaskDefinitionFluentBuilder
            DeregisterTaskDefinitionOutput DeregisterTaskDefinitionError,
    }
    aws_sdk_eventbridge "events" {
        list_rules ListRules ListRulesFluentBuilder ListRulesOutput ListRulesError,
        describe_rule DescribeRule DescribeRuleFluentBuilder DescribeRuleOutput DescribeRuleError,
        list_targets_by_rule ListTargetsByRule ListTargetsByRuleFluentBuilder ListTargetsByRuleOutput ListTargetsByRuleError,
        list_tags_for_resource ListTagsForResource ListTagsForResourceFluentBuilder
            ListTagsForResourceOutput ListTagsForResourceError,
        put_rule PutRule PutRuleFluentBuilder PutRuleOutput PutRuleError,
        enable_rule EnableRule EnableRuleFluentBuilder EnableRuleOutput EnableRuleError,
        disable_rule DisableRule DisableRuleFluentBuilder DisableRuleOutput DisableRuleError,
        delete_rule DeleteRule DeleteRuleFluentBuilder DeleteRuleOutput DeleteRuleError,
        put_targets PutTargets PutTargetsFluentBuilder PutTargetsOutput PutTargetsError,
        remove_targets RemoveTargets RemoveTargetsFluentBuilder RemoveTargetsOutput RemoveTargetsError,
        tag_resource TagResource TagResourceFluentBuilder TagResourceOutput TagResourceError,
        untag_resource UntagResource UntagResourceFluentBuilder UntagResourceOutput UntagResourceError,
    }
    aws_sdk_scheduler "scheduler" {
        get_schedule GetSchedule GetScheduleFluentBuilder GetScheduleOutput GetScheduleError,
        list_schedules ListSchedules ListSchedulesFluentBuilder ListSchedulesOutput ListSchedulesError,
        list_tags_for_resource ListTagsForResource ListTagsForResourceFluentBuilder
            ListTagsForResourceOutput ListTagsForResourceError,
        create_schedule_group CreateScheduleGroup CreateScheduleGroupFluentBuilder
            CreateScheduleGroupOutput CreateScheduleGroupError,
        create_schedule CreateSchedule CreateScheduleFluentBuilder CreateScheduleOutput CreateScheduleError,
        update_schedule UpdateSchedule UpdateScheduleFluentBuilder UpdateScheduleOutput UpdateScheduleError,
        delete_schedule DeleteSchedule DeleteScheduleFluentBuilder DeleteScheduleOutput DeleteScheduleError,
    }
    aws_sdk_sts "sts" {
        get_caller_identity GetCallerIdentity GetCallerIdentityFluentBuilder GetCallerIdentityOutput GetCallerIdentityError,
    }
}

/// A request that tells of a task definition, part of which the SDK has no type for.
pub(crate) trait Completed: Sized {
    /// What AWS answers.
    type Answer;
    /// What AWS refuses with.
    type Refusal;

    /// Sends it with that part, and hears that part of the answer.
    fn send_with<'a>(
        self,
        clients: &'a PlaceClients,
        unmodelled: &'a Unmodelled,
    ) -> Sending<'a, Self::Answer, Self::Refusal>;
}

/// Those of ECS, likewise.
macro_rules! completed {
    ($($module:ident $operation:ident $builder:ident $answer:ident $refusal:ident,)+) => {
        $(
            impl Completed for aws_sdk_ecs::operation::$module::builders::$builder {
                type Answer = aws_sdk_ecs::operation::$module::$answer;
                type Refusal = aws_sdk_ecs::operation::$module::$refusal;

                fn send_with<'a>(
                    self,
                    clients: &'a PlaceClients,
                    unmodelled: &'a Unmodelled,
                ) -> Sending<'a, Self::Answer, Self::Refusal> {
                    static WORDS: OnceLock<Option<FrozenLayer>> = OnceLock::new();
                    let words = WORDS.get_or_init(|| aws_sdk_ecs::operation::$module::$operation::new().config());
                    match (&clients.direct, words) {
                        (Some(direct), Some(words)) => Box::pin(async move {
                            let input = self.as_input().clone().build().map_err(SdkError::construction_failure)?;
                            direct.ask("ecs", words, Input::erase(input), Some(unmodelled)).await
                        }),
                        (None, _) | (_, None) => Box::pin(self.customize().interceptor(unmodelled.clone()).send()),
                    }
                }
            }
        )+
    };
}

completed! {
    describe_task_definition DescribeTaskDefinition DescribeTaskDefinitionFluentBuilder
        DescribeTaskDefinitionOutput DescribeTaskDefinitionError,
    register_task_definition RegisterTaskDefinition RegisterTaskDefinitionFluentBuilder
        RegisterTaskDefinitionOutput RegisterTaskDefinitionError,
}

impl Direct {
    /// The short way to `door` for what `config` says of a place.
    pub(crate) fn new(door: &InProcess, config: &SdkConfig, timeouts: Timeouts) -> Option<Self> {
        Some(Self {
            connector: InProcessConnector::new(door.clone()),
            clock: door.clock(),
            credentials: config.credentials_provider()?,
            region: config.region()?.as_ref().to_owned(),
            patience: timeouts.attempt.min(timeouts.operation),
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "an operation's reader makes answers and refusals of its own types: the SDK expects it too"
    )]
    async fn ask<A, R>(
        &self,
        service: &str,
        words: &FrozenLayer,
        input: Input,
        unmodelled: Option<&Unmodelled>,
    ) -> Result<A, SdkError<R, HttpResponse>>
    where
        A: fmt::Debug + Send + Sync + 'static,
        R: Error + fmt::Debug + Send + Sync + 'static,
    {
        let mut config = ConfigBag::base();
        config.push_shared_layer(protocol().clone()).push_shared_layer(words.clone());
        let mut call = InterceptorContext::new(input);
        let exchange = self.exchange(service, &mut call, &mut config, unmodelled);
        let broken = match tokio::time::timeout(self.patience, exchange).await {
            Ok(result) => result.err(),
            Err(elapsed) => Some(OrchestratorError::timeout(elapsed.into())),
        };
        if let Some(error) = broken {
            call.fail(error);
        } else if let (Some(unmodelled), Some(body)) =
            (unmodelled, call.response().and_then(|heard| heard.body().bytes()))
            && call.output_or_error().is_some_and(|read| read.is_ok())
            && let Err(error) = unmodelled.hear(body)
        {
            call.fail(OrchestratorError::other(error));
        }
        // What went wrong is called by what was under way, as the SDK does.
        let answer = call.finalize();
        let answer =
            answer.map_err(|error| error.map_service_error(|refusal| refusal.downcast().expect("a refusal")))?;
        Ok(answer.downcast().expect("an answer"))
    }

    /// Says it, and reads what comes back.
    async fn exchange(
        &self,
        service: &str,
        call: &mut InterceptorContext,
        config: &mut ConfigBag,
        unmodelled: Option<&Unmodelled>,
    ) -> Result<(), OrchestratorError<Failed>> {
        call.enter_serialization_phase();
        let (writer, reader) = (config.load::<SharedRequestSerializer>(), config.load::<SharedResponseDeserializer>());
        let (Some(writer), Some(_), Some(input)) = (writer.cloned(), reader, call.take_input()) else {
            return Err(OrchestratorError::other("the operation has no words"));
        };
        let mut request = writer.serialize_input(input, config).map_err(OrchestratorError::other)?;
        call.set_request(HttpRequest::empty());
        call.enter_before_transmit_phase();
        call.take_request();
        if let Some(unmodelled) = unmodelled {
            unmodelled.say(&mut request).map_err(OrchestratorError::other)?;
        }
        let credentials = self.credentials.provide_credentials().await.map_err(OrchestratorError::other)?;
        sign(&mut request, &credentials, self.clock, &self.region, service).map_err(OrchestratorError::other)?;
        call.enter_transmit_phase();
        let response = self.connector.call(request).await.map_err(OrchestratorError::connector)?;
        let read = config
            .load::<SharedResponseDeserializer>()
            .map(|reader| reader.deserialize_nonstreaming_with_config(&response, config));
        call.set_response(response);
        call.enter_before_deserialization_phase();
        call.enter_deserialization_phase();
        call.set_output_or_error(read.unwrap_or_else(|| Err(OrchestratorError::other("the operation has no reader"))));
        call.enter_after_deserialization_phase();
        Ok(())
    }
}

/// How ECS's requests and answers are written; the other services' operations bring that along.
fn protocol() -> &'static FrozenLayer {
    static PROTOCOL: OnceLock<FrozenLayer> = OnceLock::new();
    PROTOCOL.get_or_init(|| {
        let mut layer = Layer::new("ecs");
        layer.store_put(ServiceShapeName::new("AmazonEC2ContainerServiceV20141113"));
        layer.store_put(ServiceShapeNamespace::new("com.amazonaws.ecs"));
        let protocol = AwsJsonRpcProtocol::aws_json_1_1().with_default_namespace("com.amazonaws.ecs");
        layer.store_put(SharedClientProtocol::new(protocol));
        layer.freeze()
    })
}
