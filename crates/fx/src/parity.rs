//! Central parity (中间价): how each of its currencies is quoted.

use crate::{Certainty, FxRate, RateKind};
use quanfu_money::Currency;
use std::fmt;
use std::sync::LazyLock;

/// The source of a rate that is the central parity (人民币汇率中间价) of the China Foreign Exchange Trade System; its
/// rates of kind `mid` are held to their [`ParityQuoting`] when they are read.
pub const CENTRAL_PARITY: &str = "CFETS central parity";

/// How the central parity of one currency is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParityQuoting {
    /// The name of the pair, such as `100JPY/CNY`.
    pub pair: &'static str,
    /// The currency that is priced.
    pub base: Currency,
    /// How many of it are priced.
    pub unit: u32,
    /// The currency of the price.
    pub quote: Currency,
    /// How many decimals the price has.
    pub decimals: u32,
    /// How sure pair, unit and direction are.
    pub direction: Certainty,
    /// How sure the decimals are.
    pub decimals_certainty: Certainty,
}

impl ParityQuoting {
    /// All currencies of the central parity, in the order of its table.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &QUOTINGS
    }

    /// How the parity of a currency other than `CNY` is published.
    #[must_use]
    pub fn of(currency: Currency) -> Option<&'static Self> {
        let mut all = Self::all().iter();
        all.find(|own| (own.base == currency || own.quote == currency) && currency != Currency::CNY)
    }

    /// How the pair of a name is published.
    #[must_use]
    pub fn named(pair: &str) -> Option<&'static Self> {
        Self::all().iter().find(|own| own.pair == pair)
    }

    /// What is wrong with a rate that claims to be a central parity: a currency that has none, the wrong direction,
    /// unit or number of decimals.
    ///
    /// # Errors
    ///
    /// What was found and what would be right, in words.
    pub fn check(rate: &FxRate) -> Result<(), String> {
        let foreign = if rate.base() == Currency::CNY {
            rate.quote()
        } else {
            rate.base()
        };
        let found = format!("{}/{} for {}", rate.base(), rate.quote(), rate.unit());
        let Some(own) = Self::of(foreign).filter(|own| {
            [own.base, own.quote] == [rate.base(), rate.quote()]
                || [own.quote, own.base] == [rate.base(), rate.quote()]
        }) else {
            return Err(format!("{found}: there is no central parity of that pair"));
        };
        if (own.base, own.unit) != (rate.base(), rate.unit()) {
            return Err(format!(
                "{found}: the central parity is {} for {}",
                own, own.unit
            ));
        }
        if own.decimals != rate.value().scale() {
            return Err(format!(
                "{}: the central parity of {own} has {} decimals",
                rate.value(),
                own.decimals
            ));
        }
        Ok(())
    }

    /// Whether a rate claims to be a central parity.
    pub(crate) fn claims(rate: &FxRate) -> bool {
        rate.source() == CENTRAL_PARITY && rate.kind() == RateKind::Mid
    }
}

impl fmt::Display for ParityQuoting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

static QUOTINGS: LazyLock<Vec<ParityQuoting>> = LazyLock::new(|| {
    let currency = |code| Currency::from_code(code).expect("data/central_parity.csv: currency");
    let number = |text: &str| text.parse().expect("data/central_parity.csv: number");
    let certainty =
        |text| crate::read::certainty(text).expect("data/central_parity.csv: certainty");
    include_str!("../data/central_parity.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let [pair, base, unit, quote, decimals, direction, own] =
                line.split(',').collect::<Vec<_>>()[..]
            else {
                panic!("data/central_parity.csv: seven columns expected in {line}")
            };
            ParityQuoting {
                pair,
                base: currency(base),
                unit: number(unit),
                quote: currency(quote),
                decimals: number(decimals),
                direction: certainty(direction),
                decimals_certainty: certainty(own),
            }
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_25_currencies_of_the_parity_are_quoted_as_published() {
        let all = ParityQuoting::all();
        assert_eq!(all.len(), 25);
        for own in all {
            let unit = if own.unit == 1 {
                String::new()
            } else {
                own.unit.to_string()
            };
            assert_eq!(own.pair, format!("{unit}{own}"));
            assert!(own.base == Currency::CNY || own.quote == Currency::CNY);
            let foreign = if own.base == Currency::CNY {
                own.quote
            } else {
                own.base
            };
            assert_eq!(ParityQuoting::of(foreign), Some(own));
            assert_eq!(ParityQuoting::named(own.pair), Some(own));
        }
        let in_yuan = all.iter().filter(|own| own.quote == Currency::CNY);
        assert_eq!(
            in_yuan.map(|own| own.decimals).collect::<Vec<_>>(),
            [4, 4, 4, 5, 4, 4, 4, 4, 4, 4]
        );
        assert_eq!(ParityQuoting::of(Currency::CNY), None);
        assert_eq!(ParityQuoting::of(Currency::TWD), None);
    }
}
