//! Strict reading: a text is not a number, null is nothing at all, and a structure is no list.
//!
//! YAML and serde meet each other half-way in places where a manifest would then mean something else than it says: a
//! plain `null` read as text is the word "null", a number read as text loses its zeros, and a derived structure takes
//! a list for its members in order. Each of these is an error here, at the path where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A value that is read from its own type only.
pub trait Strict<'de>: Deserialize<'de> {
    /// What an error says was expected.
    const EXPECTED: &'static str = "a map";

    /// Reads the value; the default is right for a structure and takes nothing but a map.
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapOnly(PhantomData))
    }
}

/// Reads a member that is there, for `#[serde(deserialize_with)]` on an `Option` whose default is absent.
///
/// # Errors
///
/// Null, and any other type than `T`, are refused.
pub fn given<'de, D: Deserializer<'de>, T: Strict<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::strict(deserializer).map(Some)
}

struct MapOnly<T>(PhantomData<T>);

impl<'de, T: Strict<'de>> Visitor<'de> for MapOnly<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Strict<'de> for String {
    const EXPECTED: &'static str = "a string";

    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

/// What an error says where a text was meant and YAML saw something else.
const IN_QUOTES: &str = "a string (write it in quotes)";

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Signed(number), &IN_QUOTES))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Unsigned(number), &IN_QUOTES))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Float(number), &IN_QUOTES))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Bool(truth), &IN_QUOTES))
    }
}

impl<'de> Strict<'de> for i32 {
    const EXPECTED: &'static str = "an integer";

    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(i32::EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &"a 32-bit integer"))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &"a 32-bit integer"))
    }
}

impl<'de> Strict<'de> for bool {
    const EXPECTED: &'static str = "true or false";

    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Truth)
    }
}

struct Truth;

impl Visitor<'_> for Truth {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(bool::EXPECTED)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<bool, E> {
        Ok(truth)
    }
}

/// Reads one entry of a list or a map strictly.
struct Entry<T>(PhantomData<T>);

impl<'de, T: Strict<'de>> DeserializeSeed<'de> for Entry<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::strict(deserializer)
    }
}

impl<'de, T: Strict<'de>> Strict<'de> for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(List(PhantomData))
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Strict<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Vec::<T>::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(Entry(PhantomData))? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl<'de, T: Strict<'de>> Strict<'de> for BTreeMap<String, T> {
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Map(PhantomData))
    }
}

struct Map<T>(PhantomData<T>);

impl<'de, T: Strict<'de>> Visitor<'de> for Map<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BTreeMap<String, T>, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key_seed(Entry::<String>(PhantomData))? {
            entries.insert(key, map.next_value_seed(Entry(PhantomData))?);
        }
        Ok(entries)
    }
}
