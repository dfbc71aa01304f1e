//! Keys: the fields that a rule compares, normalised into bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use quanfu_settlement::rules::{Field, MatchRule, Normaliser};
use quanfu_settlement::{Book, Side};
use unicode_normalization::UnicodeNormalization as _;

/// Between the fields of a key; normalised texts may hold it only if the file did, and then on both sides.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Writes a row's key under a rule to the end of `out`. `false`, with `out` as before: a field is missing.
pub(crate) fn push_key(
    rule: &MatchRule,
    side: Side,
    book: &Book,
    row: u32,
    out: &mut String,
) -> bool {
    let before = out.len();
    for on in &rule.on {
        let (field, steps) = match side {
            Side::Left => (&on.left, &on.left_normalise),
            Side::Right => (&on.right, &on.right_normalise),
        };
        if !push_field(field, steps, book, row, out) {
            out.truncate(before);
            return false;
        }
        out.push(SEPARATOR);
    }
    true
}

/// Writes one field. `false`: it is missing.
pub(crate) fn push_field(
    field: &Field,
    steps: &[Normaliser],
    book: &Book,
    row: u32,
    out: &mut String,
) -> bool {
    let start = out.len();
    match field {
        Field::Reference(role) => match book.reference(row, *role) {
            Some(text) if steps.is_empty() => out.push_str(text),
            Some(text) => match normalised(text, steps) {
                Some(text) => out.push_str(&text),
                None => return false,
            },
            None => return false,
        },
        Field::Currency => out.push_str(book.currency(row).code()),
        Field::Kind => out.push_str(book.kind(row).code()),
        Field::AccountingDay => match book.accounting_day(row) {
            Some(day) => write!(out, "{day}").expect("a String takes everything"),
            None => return false,
        },
        Field::ValueDate => match book.value_date(row) {
            Some(day) => write!(out, "{day}").expect("a String takes everything"),
            None => return false,
        },
    }
    if !matches!(field, Field::Reference(_)) && !steps.is_empty() {
        let text = normalised(&out[start..], steps).map(Cow::into_owned);
        out.truncate(start);
        match text {
            Some(text) => out.push_str(&text),
            None => return false,
        }
    }
    out.len() > start
}

fn normalised<'t>(text: &'t str, steps: &[Normaliser]) -> Option<Cow<'t, str>> {
    let mut text = Cow::Borrowed(text);
    for step in steps {
        text = match (step, text) {
            (Normaliser::Upper, Cow::Borrowed(text))
                if !text.bytes().any(|c| c.is_ascii_lowercase()) =>
            {
                Cow::Borrowed(text)
            }
            (Normaliser::Upper, mut text) => {
                text.to_mut().make_ascii_uppercase();
                text
            }
            (Normaliser::StripMarks, text) => {
                let marks = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '.' | '/');
                if text.contains(marks) {
                    Cow::Owned(text.replace(marks, ""))
                } else {
                    text
                }
            }
            (Normaliser::Nfkc, text) if text.is_ascii() => text,
            (Normaliser::Nfkc, text) => Cow::Owned(text.nfkc().collect()),
            (Normaliser::UpperUnicode, text) => Cow::Owned(text.to_uppercase()),
            (Normaliser::LettersAndDigits, text) => {
                if text.chars().all(char::is_alphanumeric) {
                    text
                } else {
                    Cow::Owned(text.chars().filter(|c| c.is_alphanumeric()).collect())
                }
            }
            (Normaliser::PadZeros(chars), text) => {
                let lacking = usize::from(*chars).saturating_sub(text.chars().count());
                if lacking == 0 || text.is_empty() {
                    text
                } else {
                    Cow::Owned("0".repeat(lacking) + &text)
                }
            }
            (Normaliser::DropWords(words), mut text) => {
                for word in words.iter().filter(|word| !word.is_empty()) {
                    if text.contains(word.as_str()) {
                        text = Cow::Owned(text.replace(word.as_str(), ""));
                    }
                }
                text
            }
            (step, Cow::Borrowed(text)) => Cow::Borrowed(part(text, step)?),
            (step, Cow::Owned(text)) => Cow::Owned(part(&text, step)?.to_owned()),
        };
    }
    Some(text)
}

/// Steps that keep a part of the text.
fn part<'t>(text: &'t str, step: &Normaliser) -> Option<&'t str> {
    Some(match step {
        Normaliser::Trim => text.trim(),
        Normaliser::StripLeadingZeros => {
            let rest = text.trim_start_matches('0');
            if rest.is_empty() {
                &text[text.len().saturating_sub(1)..]
            } else {
                rest
            }
        }
        Normaliser::StripPrefix(prefix) => text.strip_prefix(prefix.as_str()).unwrap_or(text),
        Normaliser::StripSuffix(suffix) => text.strip_suffix(suffix.as_str()).unwrap_or(text),
        Normaliser::Pattern(pattern) => return pattern.find(text),
        // those that write a new text are done by `normalised`
        Normaliser::Upper
        | Normaliser::StripMarks
        | Normaliser::Nfkc
        | Normaliser::UpperUnicode
        | Normaliser::LettersAndDigits
        | Normaliser::PadZeros(_)
        | Normaliser::DropWords(_) => text,
    })
}

/// A key as people read it.
pub(crate) fn shown(key: &str) -> String {
    key.trim_end_matches(SEPARATOR).replace(SEPARATOR, " ")
}

/// The steps on bytes. `None`: they leave no key.
pub(crate) fn normalised_bytes<'t>(text: &'t [u8], steps: &[Normaliser]) -> Option<Cow<'t, [u8]>> {
    let text = std::str::from_utf8(text).ok()?;
    Some(match normalised(text, steps)? {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
