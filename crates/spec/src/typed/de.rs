//! A serde deserializer over the tree, whose errors know where they happened and what was expected.

use std::fmt;

use serde::de::{self, DeserializeSeed, Expected, IntoDeserializer, Unexpected, Visitor};

use crate::path::Segment;
use crate::yaml::{Mark, Node, Value, shown};

/// Why a value does not fit.
#[derive(Debug)]
pub enum Cause {
    /// A key that the structure does not have.
    UnknownField { field: String, expected: &'static [&'static str] },
    /// A word that the enumeration does not have.
    UnknownVariant { variant: String, expected: &'static [&'static str] },
    /// A value of another kind, or out of range. Values themselves are not shown: they may be secret.
    Type { found: String, expected: String },
    /// A member that must be there.
    Missing { field: &'static str },
    /// What a structure's own reading says.
    Other { message: String },
}

/// An error with its path, innermost part first.
#[derive(Debug)]
pub struct Error {
    /// Why.
    pub cause: Cause,
    /// Path from the value that was asked for, innermost part first.
    pub path: Vec<Segment>,
    /// Where it stands.
    pub at: Option<Mark>,
}

impl Error {
    fn new(cause: Cause) -> Self {
        Self { cause, path: Vec::new(), at: None }
    }

    fn inside(mut self, segment: Segment, at: Mark) -> Self {
        self.path.push(segment);
        self.at.get_or_insert(at);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.cause)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Cause::Other { message: message.to_string() })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Cause::Type { found: kind(found).to_owned(), expected: in_words(&expected.to_string()) })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Signed(n) => n.to_string(),
            Unexpected::Unsigned(n) => n.to_string(),
            Unexpected::Bool(_)
            | Unexpected::Float(_)
            | Unexpected::Char(_)
            | Unexpected::Str(_)
            | Unexpected::Bytes(_)
            | Unexpected::Unit
            | Unexpected::Option
            | Unexpected::NewtypeStruct
            | Unexpected::Seq
            | Unexpected::Map
            | Unexpected::Enum
            | Unexpected::UnitVariant
            | Unexpected::NewtypeVariant
            | Unexpected::TupleVariant
            | Unexpected::StructVariant
            | Unexpected::Other(_) => kind(found).to_owned(),
        };
        Self::new(Cause::Type { found, expected: in_words(&expected.to_string()) })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Cause::UnknownField { field: field.to_owned(), expected })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Cause::UnknownVariant { variant: variant.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Cause::Missing { field })
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq | Unexpected::TupleVariant => "a list",
        Unexpected::Map | Unexpected::StructVariant | Unexpected::NewtypeStruct => "a mapping",
        Unexpected::Enum | Unexpected::UnitVariant | Unexpected::NewtypeVariant | Unexpected::Other(_) => {
            "something else"
        }
    }
}

/// serde's and Rust's words for what was expected, in a manifest's words.
fn in_words(expected: &str) -> String {
    let integer = |least: String, most: String| format!("a whole number from {least} to {most}");
    match expected {
        "u8" => integer(u8::MIN.to_string(), u8::MAX.to_string()),
        "u16" => integer(u16::MIN.to_string(), u16::MAX.to_string()),
        "u32" => integer(u32::MIN.to_string(), u32::MAX.to_string()),
        "i32" => integer(i32::MIN.to_string(), i32::MAX.to_string()),
        "u64" | "i64" | "usize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        _ if expected.starts_with("struct ") || expected.starts_with("a map ") => "a mapping".to_owned(),
        _ => shown(expected),
    }
}

/// Reads a [`Node`].
#[derive(Clone, Copy)]
pub struct NodeDeserializer<'n> {
    node: &'n Node,
}

impl<'n> NodeDeserializer<'n> {
    /// A deserializer for `node`.
    pub fn new(node: &'n Node) -> Self {
        Self { node }
    }

    fn located<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|mut error| {
            error.at.get_or_insert(self.node.at);
            error
        })
    }
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(text) | Value::Open { shown: text, .. } => visitor.visit_str(text),
            Value::Sequence(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Mapping(map) => visitor.visit_map(Entries { entries: map.iter(), value: None }),
        };
        self.located(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match self.node.text() {
            Some(text) => {
                let text: de::value::StrDeserializer<'_, Error> = text.into_deserializer();
                de::Deserializer::deserialize_enum(text, name, variants, visitor)
            }
            None => Err(Error::new(Cause::Type {
                found: self.node.value.kind().to_owned(),
                expected: "a string".to_owned(),
            })),
        };
        self.located(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

struct Items<'n> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(NodeDeserializer { node })
            .map(Some)
            .map_err(|error| error.inside(Segment::Index(index), node.at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'n> {
    entries: std::collections::btree_map::Iter<'n, String, crate::yaml::Entry>,
    value: Option<(&'n String, &'n Node)>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, entry)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, &entry.node));
        let text: de::value::StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|error| error.inside(Segment::Key(key.clone()), entry.key_at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, node)) = self.value.take() else {
            return Err(Error::new(Cause::Other { message: "a value was asked for before its key".to_owned() }));
        };
        seed.deserialize(NodeDeserializer { node }).map_err(|error| error.inside(Segment::Key(key.clone()), node.at))
    }
}
