//! Fee schedules (手续费标准): what a contract says that a record's fee is, as rows of the rules with days and document.

use quanfu_calendar::Date;
use quanfu_money::{AmountStyle, Currency, Decimal, Money, Rounding, lexer};
use serde::{Deserialize, Serialize};

use crate::book::RecordId;
use crate::entry::EntryKind;
use crate::rules::{RulesError, meaning};

/// One row of a schedule: the fee of a record of these kinds and this currency on these accounting days is `percent` of
/// the amount and `fixed`, rounded to a minor unit, at least `min` and at most `max`, with the sign of the amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeRate {
    /// First accounting day.
    pub from: Date,
    /// Last accounting day; none: until further notice.
    pub until: Option<Date>,
    /// The kinds of records that it is for.
    pub kinds: Vec<EntryKind>,
    /// The currency.
    pub currency: Currency,
    /// Share of the amount, in percent: 0 to 100.
    pub percent: Decimal,
    /// For each record.
    pub fixed: Money,
    /// Least fee.
    pub min: Option<Money>,
    /// Greatest fee.
    pub max: Option<Money>,
    /// How the fee becomes whole minor units.
    pub rounding: Rounding,
    /// The document that says so.
    pub document: String,
}

impl FeeRate {
    /// Whether the row speaks of such a record.
    #[must_use]
    pub fn is_for(&self, kind: EntryKind, currency: Currency, day: Date) -> bool {
        self.currency == currency
            && self.kinds.contains(&kind)
            && self.from <= day
            && self.until.is_none_or(|until| day <= until)
    }

    /// The fee of an amount in minor units, of the row's currency; `None` beyond 128 bits.
    #[must_use]
    pub fn fee_of(&self, minor: i64) -> Option<i128> {
        let size = i128::from(minor).abs();
        let whole = 10_i128
            .checked_pow(self.percent.scale())?
            .checked_mul(100)?;
        let share = size.checked_mul(self.percent.mantissa())?;
        let exact = share.checked_add(i128::from(self.fixed.minor()).checked_mul(whole)?)?;
        let mut fee = self.rounding.divide(exact, whole).ok()?;
        if let Some(min) = self.min {
            fee = fee.max(i128::from(min.minor()));
        }
        if let Some(max) = self.max {
            fee = fee.min(i128::from(max.minor()));
        }
        Some(if minor < 0 { -fee } else { fee })
    }
}

/// A record whose fee is not what its source's schedule says (手续费差异): to be claimed, or the contract to be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeDifference {
    /// The source.
    pub source: String,
    /// The file.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// The record.
    pub record: RecordId,
    /// Its accounting day.
    pub accounting_day: Date,
    /// What it is.
    pub kind: EntryKind,
    /// Its amount, signed.
    pub amount: String,
    /// Its currency.
    pub currency: Currency,
    /// The fee that it names.
    pub charged: String,
    /// The fee by the schedule.
    pub due: String,
    /// Charged, rounded as the schedule rounds, less due.
    pub difference: String,
    /// The document of the schedule's row.
    pub document: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeeText {
    from: String,
    until: Option<String>,
    kind: Vec<EntryKind>,
    currency: String,
    percent: Option<String>,
    fixed: Option<String>,
    min: Option<String>,
    max: Option<String>,
    rounding: Rounding,
    document: String,
}

/// The rows of a source's schedule, checked: no two are for one record.
pub(crate) fn schedule(texts: &[FeeText], place: &str) -> Result<Vec<FeeRate>, RulesError> {
    let mut rows: Vec<FeeRate> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let place = format!("{place}, fee {}", index + 1);
        let row = rate(text, &place)?;
        let twice = rows.iter().position(|other| {
            other.currency == row.currency
                && other.kinds.iter().any(|kind| row.kinds.contains(kind))
                && other.until.is_none_or(|until| row.from <= until)
                && row.until.is_none_or(|until| other.from <= until)
        });
        if let Some(other) = twice {
            let message = format!(
                "it holds for records of which fee {} speaks too; days, kinds or currencies must keep them apart",
                other + 1
            );
            return Err(meaning(place, message));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn rate(text: &FeeText, place: &str) -> Result<FeeRate, RulesError> {
    let day = |name: &str, text: &str| {
        let found = text.parse::<Date>().ok();
        found.filter(|day| day.to_string() == text).ok_or_else(|| {
            let message = format!("{name} {text:?} is no day; \"2026-01-01\" would be right");
            meaning(place, message)
        })
    };
    let currency = Currency::from_code(&text.currency);
    let currency = currency.map_err(|error| meaning(place, error.to_string()))?;
    let decimal = |name: &str, text: &str| {
        let found = lexer::parse_decimal(text.as_bytes(), AmountStyle::PLAIN).ok();
        found
            .filter(|found| *found >= Decimal::ZERO)
            .ok_or_else(|| {
                let message =
                    format!("{name} {text:?} is no number from 0 on; \"0.6\" would be right");
                meaning(place, message)
            })
    };
    let money = |name: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => {
            let exact = Money::exact(decimal(name, text)?, currency);
            let exact = exact.map_err(|error| meaning(place, format!("{name}: {error}")))?;
            Ok(Some(exact))
        }
    };
    let percent = match &text.percent {
        Some(text) => decimal("percent", text)?.normalize(),
        None => Decimal::ZERO,
    };
    if percent > Decimal::ONE_HUNDRED || percent.scale() > 12 {
        let message =
            format!("percent {percent}: at most 100, with at most twelve decimals, would be right");
        return Err(meaning(place, message));
    }
    let row = FeeRate {
        from: day("from", &text.from)?,
        until: text
            .until
            .as_deref()
            .map(|text| day("until", text))
            .transpose()?,
        kinds: text.kind.clone(),
        currency,
        percent,
        fixed: money("fixed", &text.fixed)?.unwrap_or(Money::from_minor(0, currency)),
        min: money("min", &text.min)?,
        max: money("max", &text.max)?,
        rounding: text.rounding,
        document: text.document.clone(),
    };
    let wrong = if row.until.is_some_and(|until| until < row.from) {
        "it ends before it begins"
    } else if row.kinds.is_empty() {
        "it is for no kind of record; kind = [\"payment\"] would be right"
    } else if text.percent.is_none() && text.fixed.is_none() {
        "it says neither percent nor fixed"
    } else if row.document.trim().is_empty() {
        "it names no document; the contract and its clause would be right"
    } else if let (Some(min), Some(max)) = (row.min, row.max)
        && min.minor() > max.minor()
    {
        "min is greater than max"
    } else {
        return Ok(row);
    };
    Err(meaning(place, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    fn rules(rows: &str) -> Result<Rules, RulesError> {
        Rules::parse(&format!(
            "schema = \"quanfu.rules/1\"\nname = \"fees\"\ncalendar = \"CN\"\n[source.psp]\nrole = \"institution\"\n{rows}\n\
             [source.bank]\nrole = \"bank\"\n[[edge]]\nleft = \"psp\"\nright = \"bank\"\n[[edge.rule]]\nid = \"B\"\n\
             pass = \"net_batch\"\non = [\"batch\"]\nexplain = [\"fee\"]\n"
        ))
    }

    fn row(more: &str) -> String {
        format!(
            "[[source.psp.fee]]\nfrom = \"2026-01-01\"\nkind = [\"payment\"]\ncurrency = \"CNY\"\nrounding = \"half_up\"\ndocument = \"made up\"\n{more}\n"
        )
    }

    #[test]
    fn a_fee_is_a_share_and_a_fixed_part_within_bounds_with_the_sign_of_the_amount() {
        for (more, amount, want) in [
            ("percent = \"0.6\"", 1_990, 12), // 11.94 fen
            ("percent = \"0.6\"", -1_990, -12),
            ("percent = \"0.6\"", 0, 0),
            ("percent = \"0.25\"", 200, 1), // half a fen, away from zero
            ("percent = \"0.6\"\nfixed = \"0.10\"", 1_990, 22),
            ("fixed = \"0.10\"", 1, 10),
            ("percent = \"0.6\"\nmin = \"0.01\"", 10, 1),
            ("percent = \"0.6\"\nmax = \"25.00\"", 100_000_000, 2_500),
            ("percent = \"100\"", i64::MAX, i128::from(i64::MAX)),
        ] {
            let rules = rules(&row(more)).expect(more);
            let fee = rules
                .sources
                .iter()
                .flat_map(|source| &source.fees)
                .next()
                .expect("a row");
            assert_eq!(fee.fee_of(amount), Some(want), "{more}, {amount}");
        }
    }

    #[test]
    fn rows_that_cannot_be_meant_are_refused_with_what_would_be_right() {
        let second = |from: &str, more: &str| {
            row("percent = \"0.6\"") + &row(more).replace("2026-01-01", from)
        };
        for (rows, want) in [
            (row(""), "neither percent nor fixed"),
            (row("percent = \"-1\""), "from 0 on"),
            (row("percent = \"101\""), "at most 100"),
            (row("percent = \"6e-1\""), "from 0 on"),
            (row("fixed = \"0.001\""), "finer"),
            (
                row("percent = \"1\"\nmin = \"2.00\"\nmax = \"1.00\""),
                "min is greater",
            ),
            (
                row("percent = \"1\"\nuntil = \"2025-12-31\""),
                "ends before",
            ),
            (
                row("percent = \"1\"").replace("2026-01-01", "2026-1-1"),
                "is no day",
            ),
            (
                row("percent = \"1\"").replace("made up", " "),
                "no document",
            ),
            (
                row("percent = \"1\"").replace("[\"payment\"]", "[]"),
                "no kind",
            ),
            (
                second("2026-07-01", "percent = \"0.5\""),
                "fee 1 speaks too",
            ),
        ] {
            let error = rules(&rows).expect_err(&rows).to_string();
            assert!(error.contains(want), "{error}");
        }
        let apart = row("percent = \"0.6\"\nuntil = \"2026-06-30\"")
            + &row("percent = \"0.5\"").replace("2026-01-01", "2026-07-01");
        assert!(rules(&apart).is_ok());
    }
}
