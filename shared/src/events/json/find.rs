//! What serde visits for [`fields`](super::fields) and [`members`].

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Field, Kind, Value, text};

/// Every member of the object `json`, by name.
pub(crate) fn members(json: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                // A name that no text can hold is nobody's.
                members.extend(text(name.get()).map(|name| (name, value.get())));
            }
            Ok(members)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(Members).ok()
}

/// Takes the fields that are looked for out of an object, and out of those inside it on the way to them.
pub(super) struct Object<'f, 'a, const N: usize> {
    pub(super) found: &'f mut [Field<'a>; N],
    /// How far the paths have been followed: empty, or with a dot at its end.
    pub(super) prefix: &'static str,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Object<'_, 'a, N> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for Object<'_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { found, prefix } = self;
        while let Some(member) = map.next_key_seed(Key { found: &*found, prefix })? {
            match member {
                Member::Wanted(place) => {
                    let raw: &'a RawValue = map.next_value()?;
                    found[place].value = Value::Json(raw.get());
                }
                Member::List(place) => found[place].value = map.next_value_seed(List)?,
                Member::Path(prefix) => map.next_value_seed(Object { found, prefix })?,
                Member::Unwanted => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// What a member is to those that are looked for.
enum Member {
    Wanted(usize),
    List(usize),
    /// Something in it is looked for: how far that is on the path.
    Path(&'static str),
    Unwanted,
}

/// Reads a member's name.
struct Key<'f, 'a, const N: usize> {
    found: &'f [Field<'a>; N],
    prefix: &'static str,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Key<'_, 'a, N> {
    type Value = Member;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Member, D::Error> {
        // As bytes: a name may hold half an emoji.
        deserializer.deserialize_bytes(self)
    }
}

impl<const N: usize> Visitor<'_> for Key<'_, '_, N> {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Member, E> {
        let start = self.prefix.len();
        for (place, Field { name, .. }) in self.found.iter().enumerate() {
            let Some(rest) = name.as_bytes().get(start..) else { continue };
            let Some((own, rest)) = rest.split_at_checked(key.len()) else { continue };
            let kind = match rest {
                [] => Member::Wanted(place),
                b"[]" => Member::List(place),
                [b'.', ..] => Member::Path(&name[..=start + key.len()]),
                _ => continue,
            };
            if own == key && name.starts_with(self.prefix) && !key.contains(&b'.') {
                return Ok(kind);
            }
        }
        Ok(Member::Unwanted)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Member, E> {
        self.visit_bytes(key.as_bytes())
    }
}

/// Reads the elements of a list.
struct List;

impl<'a> DeserializeSeed<'a> for List {
    type Value = Value<'a>;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for List {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Value<'a>, A::Error> {
        let mut elements = Vec::new();
        while let Some(raw) = list.next_element::<&'a RawValue>()? {
            elements.push(raw.get());
        }
        Ok(Value::List(elements))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::NoList(Kind::Object))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Boolean))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Number))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Number))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Text))
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'a>, E> {
        Ok(Value::NoList(Kind::Null))
    }
}
