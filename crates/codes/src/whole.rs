//! The whole value of a masked type in a document: `#[serde(with = "quanfu_codes::whole")]` on the field.

use serde::{Deserialize, Deserializer, Serializer};

/// A masked type that can be written whole where a field says so.
pub trait Whole: Sized {
    /// The value itself.
    fn whole(&self) -> &str;

    /// The type from a value as a document has it.
    ///
    /// # Errors
    ///
    /// What would be right, without the text found.
    fn from_whole(text: &str) -> Result<Self, String>;
}

/// Writes the value itself.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Whole, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.whole())
}

/// Reads the value itself.
///
/// # Errors
///
/// Those of the deserializer and of [`Whole::from_whole`].
pub fn deserialize<'de, T: Whole, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    T::from_whole(&text).map_err(serde::de::Error::custom)
}
