//! Figures of rows compared: equal, explained by causes, or not.

use quanfu_calendar::BusinessCalendar;
use quanfu_money::{Currency, MoneySum, Rounding};
use quanfu_settlement::book::FEE_GRAIN;
use quanfu_settlement::rules::{AmountOf, Explain, MatchRule, RoundingPer, SourceRole, Window};
use quanfu_settlement::{Book, BreakCode, Cause};

use crate::error::ReconError;
use crate::exchange::Rates;

/// A figure in minor units.
pub(crate) type Figure = (i128, Currency);

/// What came of comparing both sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared {
    pub difference: Option<MoneySum>,
    pub causes: Vec<Cause>,
    /// `None`: every unit of the difference is explained.
    pub code: Option<BreakCode>,
}

/// The figure of a row that a rule compares.
pub(crate) fn figure(book: &Book, row: u32, which: AmountOf, rounding: Rounding) -> Figure {
    let money = book.money(row);
    match which {
        AmountOf::Amount => (money.minor().into(), money.currency()),
        AmountOf::Net => (
            i128::from(money.minor()) - fee(book, row, rounding).unwrap_or(0),
            money.currency(),
        ),
        AmountOf::Original => {
            let money = book.original(row).unwrap_or(money);
            (money.minor().into(), money.currency())
        }
    }
}

/// A row's fee in whole minor units.
pub(crate) fn fee(book: &Book, row: u32, rounding: Rounding) -> Option<i128> {
    book.fee_grains(row)
        .map(|grains| round_fee(grains.into(), rounding))
}

pub(crate) fn round_fee(grains: i128, rounding: Rounding) -> i128 {
    rounding
        .divide(grains, FEE_GRAIN.into())
        .expect("a fee is far below the range of 128 bits")
}

pub(crate) fn cause(name: &str, minor: i128, currency: Currency) -> Option<Cause> {
    Some(Cause {
        name: name.to_owned(),
        minor: i64::try_from(minor).ok()?,
        currency,
        note: None,
    })
}

/// A difference as one unexplained cause; zero has none.
pub(crate) fn unexplained(
    difference: Option<MoneySum>,
    edge: &str,
) -> Result<Vec<Cause>, ReconError> {
    let Some(difference) = difference.filter(|difference| difference.minor() != 0) else {
        return Ok(Vec::new());
    };
    let cause = cause("unexplained", difference.minor(), difference.currency());
    Ok(vec![cause.ok_or_else(|| ReconError::TooLarge {
        edge: edge.to_owned(),
    })?])
}

/// The first tolerance that covers a difference.
fn tolerance(rule: &MatchRule, minor: i128, currency: Currency) -> Option<Cause> {
    let fits = rule.tolerances.iter().find(|tolerance| {
        minor.unsigned_abs() <= u128::from(tolerance.max_minor)
            && tolerance.currency.is_none_or(|c| c == currency)
    })?;
    cause(&fits.cause, minor, currency)
}

/// Both sides of an edge with what comparing needs.
pub(crate) struct Scales<'a> {
    pub edge: &'a str,
    pub left: &'a Book,
    pub right: &'a Book,
    pub left_role: SourceRole,
    pub right_role: SourceRole,
    pub calendar: &'a BusinessCalendar,
    pub rates: Option<&'a Rates<'a>>,
}

impl Scales<'_> {
    /// Right minus left of the compared figures, where both sides are there in one currency.
    pub(crate) fn difference(
        &self,
        rule: &MatchRule,
        left: &[u32],
        right: &[u32],
    ) -> Option<MoneySum> {
        let (mut sum, mut common) = (0i128, None);
        if left.is_empty() || right.is_empty() {
            return None;
        }
        for (book, rows, which, sign) in [
            (self.left, left, rule.left_amount, -1),
            (self.right, right, rule.right_amount, 1),
        ] {
            for &row in rows {
                let (minor, currency) = figure(book, row, which, rule.rounding);
                if *common.get_or_insert(currency) != currency {
                    return None;
                }
                sum += sign * minor; // at most 2^32 rows of 2^65
            }
        }
        common.map(|currency| MoneySum::from_minor(sum, currency))
    }

    /// Whether two rows' accounting days lie within a window; without a window they always do.
    pub(crate) fn in_window(&self, window: Option<Window>, left: u32, right: u32) -> bool {
        let Some(window) = window else { return true };
        if !window.business_days {
            let (l, r) = (
                self.left.accounting_days()[left as usize],
                self.right.accounting_days()[right as usize],
            );
            let known = l != i32::MIN && r != i32::MIN;
            return known
                && (i64::from(window.from)..=i64::from(window.until))
                    .contains(&(i64::from(r) - i64::from(l)));
        }
        let (Some(l), Some(r)) = (
            self.left.accounting_day(left),
            self.right.accounting_day(right),
        ) else {
            return false;
        };
        self.calendar
            .business_days_between(l, r)
            .is_ok_and(|days| (window.from..=window.until).contains(&days))
    }

    /// Compares one row of each side.
    pub(crate) fn pair(
        &self,
        rule: &MatchRule,
        left: u32,
        right: u32,
    ) -> Result<Compared, ReconError> {
        let l = figure(self.left, left, rule.left_amount, rule.rounding);
        let r = figure(self.right, right, rule.right_amount, rule.rounding);
        if l.1 != r.1 {
            return Ok(self.across(rule, left, right, l, r));
        }
        let (minor, currency) = (r.0 - l.0, l.1);
        let difference = Some(MoneySum::from_minor(minor, currency));
        if minor == 0 {
            return Ok(Compared {
                difference,
                ..Compared::default()
            });
        }
        let explained = |causes| {
            Ok(Compared {
                difference,
                causes,
                code: None,
            })
        };
        let (left_fee, right_fee) = (
            fee(self.left, left, rule.rounding),
            fee(self.right, right, rule.rounding),
        );
        let mut fees = Vec::new();
        if rule.explain.contains(&Explain::Fee) {
            fees.extend(left_fee.map(|fee| -fee));
            fees.extend(right_fee);
            fees.retain(|fee| *fee != 0);
        }
        if fees.contains(&minor)
            && let Some(cause) = cause("fee", minor, currency)
        {
            return explained(vec![cause]);
        }
        if let Some(cause) = tolerance(rule, minor, currency) {
            return explained(vec![cause]);
        }
        // the fee that leaves the least to the tolerance, whichever side has it
        fees.sort_unstable_by_key(|fee| ((minor - fee).unsigned_abs(), fee.unsigned_abs()));
        for part in fees {
            if let (Some(fee), Some(rest)) = (
                cause("fee", part, currency),
                tolerance(rule, minor - part, currency),
            ) {
                return explained(vec![fee, rest]);
            }
        }
        let fees_differ = self.left.fee_grains(left).is_some()
            && self.right.fee_grains(right).is_some()
            && self.left.money(left) == self.right.money(right)
            && self.left.fee_grains(left) != self.right.fee_grains(right);
        let code = if fees_differ {
            BreakCode::FeeDiff
        } else {
            self.more_or_less(l.0, r.0)
        };
        Ok(Compared {
            difference,
            causes: unexplained(difference, self.edge)?,
            code: Some(code),
        })
    }

    /// Compares all rows of a key: equal sums, or apart by the fees of one side and a tolerance.
    pub(crate) fn group(
        &self,
        rule: &MatchRule,
        left: &[u32],
        right: &[u32],
    ) -> Result<Compared, ReconError> {
        let Some(difference) = self.difference(rule, left, right) else {
            return Ok(Compared {
                code: Some(BreakCode::CurrencyMismatch),
                ..Compared::default()
            });
        };
        let (minor, currency) = (difference.minor(), difference.currency());
        let too_large = || ReconError::TooLarge {
            edge: self.edge.to_owned(),
        };
        let mut fees = vec![0];
        if rule.explain.contains(&Explain::Fee) {
            let sum = |book: &Book, rows: &[u32]| -> i128 {
                let fees = rows
                    .iter()
                    .filter_map(|&row| book.fee_grains(row))
                    .map(i128::from);
                match rule.rounding_per {
                    RoundingPer::Row => fees.map(|grains| round_fee(grains, rule.rounding)).sum(),
                    RoundingPer::Batch => round_fee(fees.sum(), rule.rounding),
                }
            };
            fees.extend([-sum(self.left, left), sum(self.right, right)]);
        }
        // the fees that leave the least to a tolerance, whichever side has them
        fees.sort_unstable_by_key(|fee| ((minor - fee).unsigned_abs(), fee.unsigned_abs()));
        let explains =
            |fee: &&i128| **fee == minor || tolerance(rule, minor - **fee, currency).is_some();
        if let Some(&fee) = fees.iter().find(explains) {
            let mut causes = Vec::new();
            if fee != 0 {
                causes.push(cause("fee", fee, currency).ok_or_else(too_large)?);
            }
            if fee != minor {
                causes.extend(tolerance(rule, minor - fee, currency));
            }
            return Ok(Compared {
                difference: Some(difference),
                causes,
                code: None,
            });
        }
        let sum = |book: &Book, rows: &[u32], which| -> i128 {
            rows.iter()
                .map(|&row| figure(book, row, which, rule.rounding).0)
                .sum()
        };
        let (l, r) = (
            sum(self.left, left, rule.left_amount),
            sum(self.right, right, rule.right_amount),
        );
        Ok(Compared {
            difference: Some(difference),
            causes: unexplained(Some(difference), self.edge)?,
            code: Some(self.more_or_less(l, r)),
        })
    }

    /// Whether the channel has more or less than the book, by size.
    fn more_or_less(&self, left: i128, right: i128) -> BreakCode {
        let (book, channel) = if self.right_role < self.left_role {
            (right, left)
        } else {
            (left, right)
        };
        if channel.unsigned_abs() > book.unsigned_abs() {
            BreakCode::AmountChannelMore
        } else {
            BreakCode::AmountChannelLess
        }
    }

    /// Compares a batch: `many` rows of one side with the line, or lines, of the other.
    pub(crate) fn batch(
        &self,
        rule: &MatchRule,
        left: &[u32],
        right: &[u32],
        many_is_left: bool,
    ) -> Result<Compared, ReconError> {
        let Some(difference) = self.difference(rule, left, right) else {
            return Ok(Compared {
                code: Some(BreakCode::CurrencyMismatch),
                ..Compared::default()
            });
        };
        let currency = difference.currency();
        let too_large = || ReconError::TooLarge {
            edge: self.edge.to_owned(),
        };
        let mut causes = Vec::new();
        let mut rest = difference.minor();
        if rule.explain.contains(&Explain::Fee) {
            let (book, rows) = if many_is_left {
                (self.left, left)
            } else {
                (self.right, right)
            };
            let fees = rows
                .iter()
                .filter_map(|&row| book.fee_grains(row))
                .map(i128::from);
            let total: i128 = match rule.rounding_per {
                RoundingPer::Row => fees.map(|grains| round_fee(grains, rule.rounding)).sum(),
                RoundingPer::Batch => round_fee(fees.sum(), rule.rounding),
            };
            let minor = if many_is_left { -total } else { total };
            if minor != 0 {
                causes.push(cause("fee", minor, currency).ok_or_else(too_large)?);
                rest -= minor;
            }
        }
        let mut code = None;
        if rest != 0 {
            match tolerance(rule, rest, currency) {
                Some(cause) => causes.push(cause),
                None => {
                    causes.push(cause("unexplained", rest, currency).ok_or_else(too_large)?);
                    code = Some(BreakCode::BatchNetDiff);
                }
            }
        }
        Ok(Compared {
            difference: Some(difference),
            causes,
            code,
        })
    }
}
