//! Tables that keep the keys they don't know in `rest`. By `#[serde(flatten)]` alone serde would hold every value of such a
//! table, and of all tables in it, in a form of its own first: with tables in tables, several times over.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Gives tables their serde by way of what is derived for them with `#[serde(remote = "Self")]`; their last field is
/// `#[serde(flatten, skip_deserializing)] rest: toml::Table`.
macro_rules! open_tables {
    ($($table:ty),*) => {$(
        impl serde::Serialize for $table {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$table>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $table {
            fn deserialize<D: serde::Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
                let mut rest = toml::Table::new();
                let known = <$table>::deserialize($crate::store::open_table::OpenTable { table, rest: &mut rest })?;
                Ok(Self { rest, ..known })
            }
        }
    )*};
}
pub(super) use open_tables;

/// Shows a derived visitor only the keys that it asks for, and puts all others aside.
pub(super) struct OpenTable<'r, D> {
    pub table: D,
    pub rest: &'r mut toml::Table,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OpenTable<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.table.deserialize_map(Sorter { visitor, known, rest: self.rest })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.table.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Sorter<'r, V> {
    visitor: V,
    known: &'static [&'static str],
    rest: &'r mut toml::Table,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Sorter<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(KnownKeys { map, known: self.known, rest: self.rest })
    }
}

struct KnownKeys<'r, A> {
    map: A,
    known: &'static [&'static str],
    rest: &'r mut toml::Table,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownKeys<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, mut seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.map.next_key_seed(KeySeed { seed, known: self.known })? {
                None => return Ok(None),
                Some(Key::Known(key)) => return Ok(Some(key)),
                Some(Key::Unknown(unused, name)) => {
                    self.rest.insert(name, self.map.next_value()?);
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

struct KeySeed<K> {
    seed: K,
    known: &'static [&'static str],
}

/// A key as the derived visitor has it, or its name and the seed that it didn't use.
enum Key<V, K> {
    Known(V),
    Unknown(K, String),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<K> {
    type Value = Key<K::Value, K>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for KeySeed<K> {
    type Value = Key<K::Value, K>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        if !self.known.contains(&name) {
            return Ok(Key::Unknown(self.seed, name.to_owned()));
        }
        let key: StrDeserializer<'_, E> = name.into_deserializer();
        self.seed.deserialize(key).map(Key::Known)
    }
}
