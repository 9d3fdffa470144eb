//! The members of a JSON object, each still as text: what is not asked for is never parsed.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::error::{Error, Result};

/// The members in their order. A list, since answers have few of them and few of these are asked for.
#[derive(Debug, Default)]
pub struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Checks that a text is JSON, and finds its members.
    ///
    /// # Errors
    /// [`Error::BadAnswer`]
    pub fn parse(text: &'a str) -> Result<Self> {
        if !text.trim_start().starts_with('{') {
            let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
            return if is_json { Ok(Self::default()) } else { Err(not_json(text)) };
        }
        serde_json::from_str(text).map_err(|_| not_json(text))
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.read(name)
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<Value> {
        let (name, rest) = pointer
            .strip_prefix('/')?
            .split_once('/')
            .map_or((pointer.get(1..)?, None), |(name, rest)| (name, Some(rest)));
        match rest {
            None => self.get(name),
            Some(rest) => self.read::<Members>(name)?.at(&format!("/{rest}")),
        }
    }

    /// The member of this name, as what is wanted of it; `None` too where it is something else.
    pub(super) fn read<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.text(name)?.get()).ok()
    }

    /// The text of the member of this name: of two, the last one counts.
    pub(super) fn text(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rfind(|(member, _)| member == name).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A member's name, copied only where it is written with escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn not_json(text: &str) -> Error {
    let start = text.trim_start();
    let problem = if start.starts_with('<') {
        "it is an HTML page"
    } else if start.starts_with(['{', '[']) {
        "it breaks off or is no valid JSON"
    } else {
        "it is no JSON"
    };
    Error::BadAnswer { problem: problem.to_owned() }
}
