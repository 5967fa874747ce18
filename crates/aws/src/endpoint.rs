//! Which AWS is talked to.

use std::fmt;
use std::path::PathBuf;

use ecs_etl_emulator::door::InProcess;

/// Where the embedded AWS keeps its state: below the working directory, so that commands run one after another see one AWS.
pub const EMBEDDED_STATE: &str = ".ecs-etl";

/// An AWS to talk to.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// The emulator inside this process, with its state in a folder.
    Embedded {
        /// The folder.
        state: PathBuf,
    },
    /// Amazon's own, with the ambient credentials.
    Aws,
    /// Something that speaks AWS's protocols at a URL: another emulator, a proxy.
    Url(String),
    /// An emulator that the caller runs: tests and simulations.
    InProcess(InProcess),
}

/// Why text names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is none of the words and no URL.
    #[error("{0:?} is no endpoint: write `embedded`, `aws`, or a URL such as `http://127.0.0.1:5000`")]
    Unknown(String),
    /// It is a URL, but not of a server.
    #[error("{0:?} is no URL of a server: write it as `http://HOST:PORT`")]
    Url(String),
    /// It holds a user name or a password, which would end up in logs.
    #[error("an endpoint's URL must not hold a user name or a password")]
    UserInfo,
}

impl Endpoint {
    /// Reads `embedded`, `aws` or an HTTP URL, as `--endpoint` and `EtlController` have it.
    ///
    /// # Errors
    ///
    /// The text is none of them.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        match text {
            "embedded" => return Ok(Self::Embedded { state: PathBuf::from(EMBEDDED_STATE) }),
            "aws" => return Ok(Self::Aws),
            _ => {}
        }
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Err(EndpointError::Unknown(text.chars().take(80).collect()));
        }
        let bad_url = || EndpointError::Url(text.chars().take(200).collect());
        if text.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let uri: http::Uri = text.parse().map_err(|_syntax| bad_url())?;
        if uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
            return Err(bad_url());
        }
        Ok(Self::Url(text.trim_end_matches('/').to_owned()))
    }

    /// Whether the call budget is on unless somebody says otherwise.
    pub fn is_limited(&self) -> bool {
        matches!(self, Self::Aws)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { state } => write!(f, "embedded AWS, state in {}", state.display()),
            Self::Aws => f.write_str("AWS"),
            Self::Url(url) => f.write_str(url),
            Self::InProcess(_) => f.write_str("embedded AWS, in memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, EndpointError>) {
        let actual = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
        assert_eq!(actual, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn an_endpoint_is_a_word_or_a_url() {
        check("embedded", Ok("embedded AWS, state in .ecs-etl"));
        check("aws", Ok("AWS"));
        check("http://127.0.0.1:5000", Ok("http://127.0.0.1:5000"));
        check("https://aws.example:8443/base/", Ok("https://aws.example:8443/base"));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in ["", "AWS", "embeded", "localhost:5000", "ftp://x"] {
            check(text, Err(EndpointError::Unknown(text.to_owned())));
        }
        for text in ["http://", "http:///path", "http://a b", "http://host?x=1"] {
            check(text, Err(EndpointError::Url(text.to_owned())));
        }
        check("http://user:secret@host", Err(EndpointError::UserInfo));
    }
}
