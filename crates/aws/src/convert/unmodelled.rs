//! Members of a task definition that the service model has and this version of the SDK does not.
//!
//! The SDK's types lag behind the service model by weeks. What they cannot hold is put into the body of the request
//! just before it is signed, and read from the body of the answer beside the SDK's own reading. One [`Unmodelled`] goes with
//! one request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::strict::Strict as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::ecs::UNMODELLED;

/// Carries a task definition's unmodelled members past the SDK, there and back.
///
/// ```text
/// let unmodelled = Unmodelled::of(&shape)?;
/// let answer = request.customize().interceptor(unmodelled.clone()).send().await?;
/// let shape = unmodelled.complete(TaskDefinition::from_sdk(answer.task_definition))?;
/// ```
#[derive(Debug, Clone, Default)]
pub struct Unmodelled {
    sent: Map<String, Value>,
    seen: Arc<Mutex<Map<String, Value>>>,
}

/// Why unmodelled members could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum UnmodelledError {
    /// The body of the request is not JSON, or a stream.
    #[error("the request has no body to complete")]
    NoBody,
    /// A body or member is not what the service model says.
    #[error("members unknown to the SDK cannot be read")]
    Json(#[from] serde_json::Error),
}

/// Names of the members within a task definition.
fn names() -> impl Iterator<Item = &'static str> {
    UNMODELLED.iter().filter_map(|member| member.strip_prefix("TaskDefinition."))
}

fn pick(object: &Map<String, Value>) -> Map<String, Value> {
    names().filter_map(|name| Some((name.to_owned(), object.get(name)?.clone()))).collect()
}

/// An answer that tells of a task definition.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    task_definition: Option<Picked>,
}

/// The unmodelled members of a task definition; the others are passed over.
#[derive(Default)]
struct Picked(Map<String, Value>);

impl<'de> Deserialize<'de> for Picked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Picked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task definition")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if names().any(|unmodelled| unmodelled == name) {
                self.0.insert(name, members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(self)
    }
}

impl Unmodelled {
    /// What a request to register `shape` has to carry.
    ///
    /// # Errors
    ///
    /// None in practice: a shape is always JSON.
    pub fn of(shape: &TaskDefinition) -> Result<Self, UnmodelledError> {
        let value = serde_json::to_value(shape)?;
        Ok(Self { sent: value.as_object().map(pick).unwrap_or_default(), seen: Arc::default() })
    }

    /// The task definition with what the answer said beside the SDK's own reading.
    ///
    /// # Errors
    ///
    /// A member is not what the service model says.
    pub fn complete(&self, shape: TaskDefinition) -> Result<TaskDefinition, UnmodelledError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_empty() {
            return Ok(shape);
        }
        let mut value = serde_json::to_value(shape)?;
        if let Value::Object(members) = &mut value {
            members.extend(seen.clone());
        }
        Ok(TaskDefinition::strict(value)?)
    }

    /// Puts what the SDK has no words for into the body of a request.
    ///
    /// # Errors
    ///
    /// The body is no JSON, or a stream.
    pub(crate) fn say(&self, request: &mut HttpRequest) -> Result<(), UnmodelledError> {
        if self.sent.is_empty() {
            return Ok(());
        }
        let body = self.completed(request.body().bytes().ok_or(UnmodelledError::NoBody)?)?;
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }

    /// Reads what the body of an answer says beside the SDK's own reading.
    ///
    /// # Errors
    ///
    /// It is no answer that tells of a task definition.
    pub(crate) fn hear(&self, body: &[u8]) -> Result<(), UnmodelledError> {
        let answer: Answer = serde_json::from_slice(body)?;
        let seen = answer.task_definition.unwrap_or_default().0;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    fn completed(&self, body: &[u8]) -> Result<Vec<u8>, UnmodelledError> {
        let mut members: Map<String, Value> = serde_json::from_slice(body)?;
        members.extend(self.sent.clone());
        Ok(serde_json::to_vec(&members)?)
    }
}

impl Intercept for Unmodelled {
    fn name(&self) -> &'static str {
        "Unmodelled"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(self.say(context.request_mut())?)
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(body) = context.response().body().bytes().filter(|_| context.output_or_error().is_ok()) else {
            return Ok(());
        };
        Ok(self.hear(body)?)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use serde_json::json;

    use super::*;
    use crate::convert::{FromSdk as _, ecs};

    /// An ECS that answers RegisterTaskDefinition with what it was asked.
    #[derive(Debug, Clone, Default)]
    struct Echo(Arc<Mutex<Vec<Value>>>);

    impl HttpConnector for Echo {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body = request.body().bytes().unwrap();
            assert_eq!(request.headers().get("content-length"), Some(body.len().to_string().as_str()));
            let asked: Value = serde_json::from_slice(body).unwrap();
            let answer = json!({ "taskDefinition": asked }).to_string();
            self.0.lock().unwrap().push(asked);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer))))
        }
    }

    impl HttpClient for Echo {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    async fn register(value: Value) -> (Value, Value) {
        let echo = Echo::default();
        let config = aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::for_tests())
            .http_client(echo.clone())
            .build();
        let shape: TaskDefinition = serde_json::from_value(value).unwrap();
        let request = aws_sdk_ecs::Client::from_conf(config).register_task_definition().family("etl-a");
        let unmodelled = Unmodelled::of(&shape).unwrap();
        let request = ecs::register(request, &shape).unwrap().customize().interceptor(unmodelled.clone());
        let answer = request.send().await.unwrap().task_definition.unwrap();
        let back = unmodelled.complete(TaskDefinition::from_sdk(answer)).unwrap();
        let asked = echo.0.lock().unwrap().remove(0);
        (asked, serde_json::to_value(back).unwrap())
    }

    #[tokio::test]
    async fn what_the_sdk_does_not_know_is_sent_and_read_all_the_same() {
        let value = json!({
            "containerDefinitions": [{"name": "main", "image": "a:1", "cpu": 0}],
            "trustedExecutionConfiguration": {"isolationMode": "CONFIDENTIAL_SANDBOX", "attestationPolicy": "eA=="},
        });
        let (asked, back) = register(value.clone()).await;
        assert_eq!(asked["trustedExecutionConfiguration"], value["trustedExecutionConfiguration"]);
        assert_eq!(asked["family"], "etl-a");
        assert_eq!(back, value);
    }

    #[tokio::test]
    async fn what_the_sdk_knows_is_left_to_it() {
        let value = json!({"containerDefinitions": [{"name": "main", "image": "a:1", "cpu": 0}]});
        let (asked, back) = register(value.clone()).await;
        assert_eq!(asked, json!({"family": "etl-a", "containerDefinitions": value["containerDefinitions"]}));
        assert_eq!(back, value);
    }
}
