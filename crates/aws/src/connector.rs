//! The SDK's way to the embedded AWS: an HTTP client without a socket.
//!
//! Only the wire is replaced, and the signature that goes over it (`in_process`). JSON, error codes, paging and timeouts are those
//! of the shipped client, so what holds here holds over the network.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::TimeSource;
use ecs_etl_emulator::door::{Clock, InProcess};
use ecs_etl_emulator::{Reply, Request};

/// Carries requests to an emulator in this process.
#[derive(Debug, Clone)]
pub(crate) struct InProcessConnector {
    door: InProcess,
}

impl InProcessConnector {
    pub(crate) fn new(door: InProcess) -> Self {
        Self { door }
    }
}

impl HttpClient for InProcessConnector {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcessConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let door = self.door.clone();
        HttpConnectorFuture::new(async move {
            let request = to_emulator(&request)?;
            let reply = door.call(request).await.map_err(|lost| ConnectorError::io(lost.into()))?;
            to_sdk(reply)
        })
    }
}

fn to_emulator(request: &HttpRequest) -> Result<Request, ConnectorError> {
    let uri: http::Uri =
        request.uri().parse().map_err(|error: http::uri::InvalidUri| ConnectorError::user(error.into()))?;
    let body = request.body().bytes().ok_or_else(|| ConnectorError::user("a streamed body".into()))?;
    Ok(Request {
        method: request.method().to_owned(),
        path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.to_vec(),
    })
}

fn to_sdk(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let response =
        response.body(SdkBody::from(reply.body)).map_err(|error| ConnectorError::other(error.into(), None))?;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The emulator's own clock for the SDK's signatures and the life of its credentials: under a paused runtime, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EmulatorTime(pub(crate) Clock);

impl TimeSource for EmulatorTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.now().into()
    }
}
