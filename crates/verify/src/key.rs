//! Keys of rows, by the rules' fields and normalisers.

use quanfu_settlement::Side;
use quanfu_settlement::rules::{Field, Filter, MatchRule, Normaliser};

use unicode_normalization::UnicodeNormalization as _;

use crate::rows::Row;

/// A row's key under a rule: its texts, or `None` if a reference, date or pattern is missing.
pub(crate) fn key(rule: &MatchRule, side: Side, row: &Row) -> Option<Vec<String>> {
    rule.on
        .iter()
        .map(|on| match side {
            Side::Left => field(&on.left, &on.left_normalise, row),
            Side::Right => field(&on.right, &on.right_normalise, row),
        })
        .collect()
}

/// One field of a row, in its compared form.
pub(crate) fn field(field: &Field, steps: &[Normaliser], row: &Row) -> Option<String> {
    let text = match field {
        Field::Reference(role) => row.reference(*role)?.to_owned(),
        Field::Currency => row.currency.code().to_owned(),
        Field::Kind => row.kind.code().to_owned(),
        Field::AccountingDay => row.day?.to_string(),
        Field::ValueDate => row.value_date?.to_string(),
    };
    normalised(text, steps)
}

/// A text after its steps; `None` if nothing is left.
pub(crate) fn normalised(mut text: String, steps: &[Normaliser]) -> Option<String> {
    for step in steps {
        text = match step {
            Normaliser::Trim => text.trim().to_owned(),
            Normaliser::Upper => text.to_ascii_uppercase(),
            Normaliser::StripLeadingZeros => {
                let rest = text.trim_start_matches('0');
                if rest.is_empty() && !text.is_empty() {
                    "0".to_owned()
                } else {
                    rest.to_owned()
                }
            }
            Normaliser::StripMarks => text
                .chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '.' | '/'))
                .collect(),
            Normaliser::Nfkc => text.nfkc().collect(),
            Normaliser::UpperUnicode => text.to_uppercase(),
            Normaliser::LettersAndDigits => text.chars().filter(|c| c.is_alphanumeric()).collect(),
            Normaliser::PadZeros(chars) => {
                if text.is_empty() {
                    return None;
                }
                while text.chars().count() < usize::from(*chars) {
                    text.insert(0, '0');
                }
                text
            }
            Normaliser::DropWords(words) => words
                .iter()
                .filter(|word| !word.is_empty())
                .fold(text, |text, word| text.split(word.as_str()).collect()),
            Normaliser::StripSuffix(suffix) => text
                .strip_suffix(suffix.as_str())
                .unwrap_or(&text)
                .to_owned(),
            Normaliser::StripPrefix(prefix) => text
                .strip_prefix(prefix.as_str())
                .unwrap_or(&text)
                .to_owned(),
            Normaliser::Pattern(pattern) => pattern.find(&text)?.to_owned(),
        };
    }
    (!text.is_empty()).then_some(text)
}

/// Whether a row passes a filter.
pub(crate) fn passes(filter: &Filter, row: &Row) -> bool {
    (filter.kind.is_empty() || filter.kind.contains(&row.kind))
        && (filter.status.is_empty() || filter.status.contains(&row.status))
}
