//! What identifiers have in common: a form, one spelling, and serde by that spelling.

/// An identifier that shows itself: parsed by its form, printed as it was written.
macro_rules! identifier {
    ($(#[$meta:meta])* $type:ident, $kind:literal, $want:literal, $form:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// The identifier as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        $crate::text::parsed!($type, $kind, $want, $form);

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use identifier;

/// Parsing by form; the error never holds the text.
macro_rules! parsed {
    ($type:ident, $kind:literal, $want:literal, $form:expr) => {
        impl $type {
            /// What it is, as errors name it.
            pub const KIND: &'static str = $kind;

            fn form() -> $crate::CodeError {
                $crate::CodeError::Form {
                    kind: $kind,
                    want: $want,
                }
            }
        }

        /// By form alone; `check` asks for the check digits, where the kind has some.
        impl std::str::FromStr for $type {
            type Err = $crate::CodeError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let form: fn(&str) -> bool = $form;
                if text.is_ascii() && form(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Self::form())
                }
            }
        }
    };
}
pub(crate) use parsed;
