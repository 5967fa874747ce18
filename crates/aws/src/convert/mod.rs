//! Shapes to the SDK's types and back; [`ecs`] and [`events`] are generated (`cargo xtask codegen`).
//!
//! Nothing is lost but what the SDK itself cannot carry, and that is a short list: fields it does not box (a
//! container's `cpu`, a strategy's `weight` and `base`, the two `Enable…` of EcsParameters, a ResourceRequirement's
//! `value`) come back as zero, false or empty where they were absent, which the normaliser takes for equal. Members
//! that this version of the SDK does not know at all travel past it, see [`unmodelled`].

// The SDK marks inference accelerators deprecated; a live task definition may still have them.
#[expect(deprecated, reason = "a task definition registered long ago still has inference accelerators")]
pub mod ecs;
pub mod events;
pub mod scheduler;
#[cfg(test)]
mod tests;
pub mod unmodelled;

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::error::operation::BuildError;

/// Why a shape cannot be said to AWS.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// AWS requires a member that is absent.
    #[error("`{path}` is required")]
    Missing {
        /// The member, such as `containerDefinitions[0].ulimits[1].softLimit`.
        path: String,
    },
    /// The SDK requires something that the service model does not.
    #[error("the SDK refuses the request")]
    Build(#[from] BuildError),
}

impl ConvertError {
    fn missing(member: &str) -> Self {
        Self::Missing { path: member.to_owned() }
    }

    /// The error as seen from the structure that holds `member`.
    fn within(self, member: &str) -> Self {
        match self {
            Self::Missing { path } => Self::Missing { path: format!("{member}.{path}") },
            Self::Build(error) => Self::Build(error),
        }
    }
}

/// A shape that the SDK has a type for.
pub trait ToSdk {
    /// The SDK's type.
    type Sdk;

    /// The shape as the SDK says it.
    ///
    /// # Errors
    ///
    /// A member that AWS requires is missing; the error names its path.
    fn to_sdk(&self) -> Result<Self::Sdk, ConvertError>;
}

/// A shape that can be read off the SDK's type `S`.
pub trait FromSdk<S> {
    /// The shape of what AWS answered.
    fn from_sdk(sdk: S) -> Self;
}

fn need<T>(member: &str, value: &Option<T>) -> Result<(), ConvertError> {
    if value.is_some() { Ok(()) } else { Err(ConvertError::missing(member)) }
}

fn one<T: ToSdk>(member: &str, value: &Option<T>) -> Result<Option<T::Sdk>, ConvertError> {
    value.as_ref().map(|value| value.to_sdk().map_err(|e| e.within(member))).transpose()
}

fn list<T: ToSdk>(member: &str, values: &Option<Vec<T>>) -> Result<Option<Vec<T::Sdk>>, ConvertError> {
    let Some(values) = values else { return Ok(None) };
    let entry = |(i, value): (usize, &T)| value.to_sdk().map_err(|e| e.within(&format!("{member}[{i}]")));
    values.iter().enumerate().map(entry).collect::<Result<_, _>>().map(Some)
}

fn map(values: &Option<BTreeMap<String, String>>) -> Option<HashMap<String, String>> {
    values.as_ref().map(|values| values.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn word<W: for<'a> From<&'a str>>(value: Option<&str>) -> Option<W> {
    value.map(W::from)
}

fn words<W: for<'a> From<&'a str>>(values: &Option<Vec<String>>) -> Option<Vec<W>> {
    values.as_ref().map(|values| values.iter().map(|value| W::from(value)).collect())
}

fn all<S, T: FromSdk<S>>(values: Vec<S>) -> Vec<T> {
    values.into_iter().map(T::from_sdk).collect()
}
