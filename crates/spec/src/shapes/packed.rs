//! A shape kept as its JSON.
//!
//! A task definition has some two hundred members, of which a job says ten. As a struct it takes room for all of them, as JSON for
//! the ten; and of ten thousand jobs, hardly any is looked into at a time.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A shape of AWS as its JSON. Two are equal if their shapes are: a shape is written in one way only.
pub struct Packed<T> {
    json: Arc<str>,
    shape: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// Packs a shape.
    ///
    /// # Errors
    ///
    /// None that one of AWS's shapes could cause: they are made of objects with text keys, lists and scalars.
    pub fn of(shape: &T) -> serde_json::Result<Self> {
        Ok(Self { json: serde_json::to_string(shape)?.into(), shape: PhantomData })
    }

    /// The shape.
    ///
    /// # Errors
    ///
    /// None, as long as what a shape is written as can be read: the round trip is tested for all of them.
    pub fn open(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.json)
    }
}

impl<T> Packed<T> {
    /// The JSON.
    pub fn as_json(&self) -> &str {
        &self.json
    }
}

impl<T> Clone for Packed<T> {
    fn clone(&self) -> Self {
        Self { json: Arc::clone(&self.json), shape: PhantomData }
    }
}

impl<T> PartialEq for Packed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl<T> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

/// As the shape itself is.
impl<T> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(&self.json).map_err(S::Error::custom)?;
        value.serialize(serializer)
    }
}
