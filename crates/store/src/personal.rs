//! Personal values at rest: masked and with a keyed digest; whole only in a vault of the embedder.
//!
//! A document is kept with a mark in the place of each personal value. The value's row has its mask, its keyed digest
//! (HMAC) and a salted digest of both. The chain covers the salted digest alone, so that mask, keyed digest and
//! salt can be erased later and the chain still holds. Nothing of a value that is kept can be found by trying numbers
//! without the key.

use std::fmt;

use quanfu_codes::{mask_account, mask_identity, mask_name, mask_phone};

use crate::chain::{Alg, Frame};
use crate::document::DECLARATION;
use crate::error::StoreError;
use crate::sql::{Row, Sql};

/// Keys of JSON documents below which every text is personal: names, identity, card, account and phone numbers.
pub const PERSONAL_KEYS: &[&str] = &[
    "account_number",
    "bank_card",
    "card_number",
    "contact",
    "iban",
    "id_number",
    "passport_number",
    "person_name",
    "phone",
    "phone_number",
    "resident_id",
];

/// Keys that are personal in documents of one schema only.
pub const PERSONAL_KEYS_OF: &[(&str, &[&str])] = &[(DECLARATION, &["name", "reporter"])];

/// The mask of a value by the words of its key; of what is not known, as little shows as of an identity number.
fn mask(kind: &str, value: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if has(&["account", "card", "iban"]) {
        mask_account(value)
    } else if has(&["phone", "mobile"]) {
        mask_phone(value)
    } else if has(&["name", "reporter"]) {
        mask_name(value)
    } else {
        mask_identity(value)
    }
}

/// Stands before the number of a personal value, as it is written in JSON; no document may hold it by itself.
const MARK: &str = "\"\\u0001personal:";

/// The key of keyed digests (HMAC), at least 32 bytes; never shown.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key of these bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Vault`] if there are less than 32.
    pub fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() < 32 {
            let why = format!(
                "the key has {} bytes; 32 or more would be right",
                bytes.len()
            );
            return Err(StoreError::Vault { why });
        }
        Ok(Self(bytes.to_owned()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// Where an embedder keeps whole values (保管库): a place of its own with rights and keys of its own.
pub trait Vault {
    /// Keeps a value under a token; doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// Why it cannot; the document is then not remembered.
    fn keep(&mut self, token: &str, value: &str) -> Result<(), String>;

    /// The value of a token; `None` if it has none, or no longer.
    ///
    /// # Errors
    ///
    /// Why it cannot tell.
    fn value(&self, token: &str) -> Result<Option<String>, String>;

    /// Forgets a value; one that it does not have is forgotten already.
    ///
    /// # Errors
    ///
    /// Why it cannot; the purge then does not take place.
    fn forget(&mut self, token: &str) -> Result<(), String>;
}

/// Key and vault.
#[derive(Default)]
pub(crate) struct Guard {
    pub(crate) key: Option<Key>,
    pub(crate) vault: Option<Box<dyn Vault + Send>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vault = self.vault.is_some();
        f.debug_struct("Guard")
            .field("key", &self.key)
            .field("vault", &vault)
            .finish()
    }
}

/// A personal value as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) kind: String,
    pub(crate) masked: String,
    pub(crate) hmac: String,
}

impl Kept {
    pub(crate) fn digest(&self, alg: Alg, salt: &str) -> String {
        let mut frame = Frame::default();
        frame
            .text(salt)
            .text(&self.kind)
            .text(&self.masked)
            .text(&self.hmac);
        alg.digest(frame.bytes())
    }

    pub(crate) fn row(
        &self,
        seq: i64,
        n: i64,
        alg: Alg,
        sql: &mut dyn Sql,
    ) -> Result<Row, StoreError> {
        let salt = sql.salt()?;
        let digest = self.digest(alg, &salt);
        let texts = [&self.kind, &digest, &self.masked, &self.hmac, &salt];
        let texts = texts.into_iter().map(|text| text.as_str().into());
        Ok([seq.into(), n.into()].into_iter().chain(texts).collect())
    }
}

/// A document without its personal values, and these, whole, in their order.
pub(crate) struct Hidden {
    pub(crate) body: String,
    /// The nearest key above each, and the value.
    pub(crate) values: Vec<(String, String)>,
}

/// Puts marks in the place of all texts that stand under a personal key, also in objects and lists below it.
pub(crate) fn hide(text: &str, keys: &[String]) -> Result<Hidden, StoreError> {
    let wrong = |why: &str| StoreError::Document {
        why: why.to_owned(),
    };
    if text.contains(MARK) {
        return Err(wrong(
            "the document holds marks of a store; the one before it was remembered would be right",
        ));
    }
    let mut hidden = Hidden {
        body: String::with_capacity(text.len()),
        values: Vec::new(),
    };
    // For each open object or list: the key that it stands under, if that is personal or below a personal one.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut under: Option<String> = None;
    let (mut at, mut from) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => open.push(under.clone()),
            b'}' | b']' => under = open.pop().flatten(),
            b',' => under = open.last().cloned().flatten(),
            b'"' => {
                let end = end_of_text(bytes, at).ok_or_else(|| wrong("a text does not end"))?;
                // as a reader of JSON takes it: a key may be written with escapes
                let value: String = serde_json::from_str(&text[at..end])
                    .map_err(|_| wrong("a text is not JSON"))?;
                if text[end..].trim_start().starts_with(':') {
                    let is_below = open.last().is_some_and(Option::is_some);
                    under = (is_below || keys.contains(&value)).then_some(value);
                } else if let Some(kind) = &under {
                    hidden.body.push_str(&text[from..at]);
                    let mark = format!("{MARK}{}\"", hidden.values.len());
                    hidden.body.push_str(&mark);
                    hidden.values.push((kind.clone(), value));
                    from = end;
                }
                at = end;
                continue;
            }
            b'0'..=b'9' | b'-' if under.is_some() => {
                return Err(wrong("a personal value is a number; a text would be right"));
            }
            _ => {}
        }
        at += 1;
    }
    hidden.body.push_str(&text[from..]);
    Ok(hidden)
}

/// The place after the text that begins at `at`.
fn end_of_text(bytes: &[u8], at: usize) -> Option<usize> {
    let mut place = at + 1;
    loop {
        match bytes.get(place)? {
            b'\\' => place += 2,
            b'"' => return Some(place + 1),
            _ => place += 1,
        }
    }
}

/// What stands in the store for these values.
pub(crate) fn kept(
    values: &[(String, String)],
    key: &Key,
    alg: Alg,
) -> Result<Vec<Kept>, StoreError> {
    let one = |(kind, value): &(String, String)| {
        let mut frame = Frame::default();
        frame.text(kind).text(value);
        Ok(Kept {
            kind: kind.clone(),
            masked: mask(kind, value),
            hmac: alg.keyed(&key.0, frame.bytes())?,
        })
    };
    values.iter().map(one).collect()
}

/// Puts something in the place of each mark.
pub(crate) fn show(
    body: &str,
    mut value: impl FnMut(usize) -> Result<String, StoreError>,
) -> Result<String, StoreError> {
    let mut pieces = body.split(MARK);
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let wrong = || StoreError::damaged("a document", "a mark of a personal value is not one");
        let (number, rest) = piece.split_once('"').ok_or_else(wrong)?;
        let value = value(number.parse().map_err(|_| wrong())?)?;
        text.push_str(&serde_json::Value::String(value).to_string());
        text.push_str(rest);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_below_personal_keys_are_hidden_and_come_back() {
        let keys = vec!["id_number".to_owned(), "cards".to_owned()];
        for (text, values) in [
            (
                r#"{"id_number":"11010519491231002X","n":1}"#,
                vec!["11010519491231002X"],
            ),
            (
                r#"{ "cards" : [ "62\"22", "4111" ], "note": "id_number" }"#,
                vec!["62\"22", "4111"],
            ),
            (
                r#"{"a":{"cards":{"first":"1","more":["2","3"]},"b":"x"},"c":"y"}"#,
                vec!["1", "2", "3"],
            ),
            (
                r#"{"id_number":null,"a":"id_number","b":["cards"]}"#,
                vec![],
            ),
            (r#"["id_number","x"]"#, vec![]),
            (r#"{"x":"\\","id_number":"\u4e2d"}"#, vec!["中"]),
            (r#"{"id\u005fnumber":"110105","x":"y"}"#, vec!["110105"]),
        ] {
            let hidden = hide(text, &keys).expect(text);
            let found: Vec<&str> = hidden
                .values
                .iter()
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(found, values, "{text}");
            for value in values {
                assert!(
                    !hidden.body.contains(value) || value.len() < 3,
                    "{}",
                    hidden.body
                );
            }
            let back = show(&hidden.body, |n| Ok(hidden.values[n].1.clone())).expect(text);
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            assert_eq!(json(&back), json(text));
        }
        for text in [
            r#"{"id_number":1}"#,
            "{\"a\":\"\\u0001personal:0\"}",
            r#"{"a"#,
        ] {
            assert!(hide(text, &keys).is_err(), "{text}");
        }
    }
}
