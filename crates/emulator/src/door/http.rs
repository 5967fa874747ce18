//! The HTTP door: a listener in front of an [`InProcess`] door, for `aws --endpoint-url` and every other client.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::in_process::InProcess;
use crate::reply::Reply;
use crate::request::Request;

/// The largest body that is read; AWS's own requests stay far below.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// Serves `door` on `listener` until `stop` is cancelled, then answers what is under way and returns.
///
/// The door stays open: closing it, and with it the journal, is its owner's.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(listener: TcpListener, door: InProcess, stop: CancellationToken) -> std::io::Result<()> {
    let app = Router::new().fallback(forward).layer(DefaultBodyLimit::max(LARGEST_BODY)).with_state(door);
    axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn forward(
    State(door): State<InProcess>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let headers = headers.iter().filter_map(|(name, value)| {
        // A header that is no text says nothing to AWS's protocols.
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let request = Request {
        method: method.as_str().to_owned(),
        path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    match door.call(request).await {
        Ok(reply) => response(reply),
        Err(error) => response(Reply::error(500, "InternalFailure", &error.to_string())),
    }
}

fn response(reply: Reply) -> Response<Body> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_else(|_| {
        // Only an injected reply can have headers that HTTP does not allow.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
