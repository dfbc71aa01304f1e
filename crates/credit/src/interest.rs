//! [`Loan`]: a loan by its contract and what happened to it; the interest that accrues on it, day by day, exactly.

use std::collections::BTreeSet;

use quanfu_calendar::{Date, DayCount};
use quanfu_money::{Decimal, Money, MoneySum};
use quanfu_trail::Rational;
use serde::Deserialize;

use crate::error::{Day, money, not_negative};

/// A loan by its contract, its drawdowns, repayments and rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loan {
    /// Its number.
    pub id: String,
    /// The day of the contract.
    pub signed_on: Date,
    /// The day on which it is due; what accrues from then on is overdue or of an extension, and does not count.
    pub due_on: Date,
    /// How its days are counted.
    pub day_count: DayCount,
    /// The export credit policy behind it.
    pub policy: Option<String>,
    /// What was paid out (`true`) and paid back, by day.
    pub flows: Vec<Flow>,
    /// The contract's rate a year as a fraction, from a day on; the first day first.
    pub rates: Vec<(Date, Decimal)>,
}

/// A drawdown or a repayment; the principal changes on its day, before that day counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The day.
    pub on: Date,
    /// How much.
    pub amount: Money,
    /// Whether it was paid back.
    pub is_repayment: bool,
}

/// Days on which principal and rate stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First day.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
    /// What is owed on these days.
    pub principal: Money,
    /// The contract's rate a year as a fraction.
    pub rate: Decimal,
    /// The share of a year that the days are.
    pub year_share: Rational,
}

impl Segment {
    /// Calendar days of the segment.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.until.signed_duration_since(self.from).num_days()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanText {
    id: String,
    signed_on: Day,
    due_on: Day,
    day_count: String,
    policy: Option<String>,
    drawdown: Vec<FlowText>,
    #[serde(default)]
    repayment: Vec<FlowText>,
    rate: Vec<RateText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowText {
    on: Day,
    amount: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateText {
    from: Day,
    rate: String,
}

impl LoanText {
    pub(crate) fn read(self) -> Result<Loan, String> {
        let day_count: DayCount = self.day_count.parse().map_err(|error| format!("{error}"))?;
        let mut flows = Vec::new();
        for (texts, is_repayment) in [(self.drawdown, false), (self.repayment, true)] {
            for text in texts {
                let amount = money(&text.amount)?;
                let on = text.on.0;
                flows.push(Flow {
                    on,
                    amount,
                    is_repayment,
                });
            }
        }
        flows.sort_by_key(|flow| (flow.on, flow.is_repayment));
        let currency = flows
            .first()
            .ok_or("a drawdown is missing")?
            .amount
            .currency();
        let mut owed = MoneySum::zero(currency);
        for flow in &flows {
            let next = if flow.is_repayment {
                owed.checked_sub(flow.amount)
            } else {
                owed.checked_add(flow.amount)
            };
            owed = next.map_err(|error| error.to_string())?;
            if owed.is_negative() {
                return Err(format!("more is paid back by {} than was drawn", flow.on));
            }
            owed.to_money().map_err(|error| error.to_string())?;
        }
        let mut rates = Vec::new();
        for text in self.rate {
            let (from, rate) = (text.from.0, not_negative(&text.rate)?);
            if rate > Decimal::ONE {
                let text = text.rate;
                return Err(format!(
                    "rate {text:?}: a fraction such as \"0.0345\" would be right"
                ));
            }
            if rates.last().is_some_and(|(last, _)| *last >= from) {
                return Err(format!("the rate from {from} stands after a later one"));
            }
            rates.push((from, rate));
        }
        let begins = flows.first().map(|flow| flow.on);
        if rates.first().map(|(from, _)| *from) > begins || rates.is_empty() {
            return Err("no rate holds on the day of the first drawdown".into());
        }
        Ok(Loan {
            id: self.id,
            signed_on: self.signed_on.0,
            due_on: self.due_on.0,
            day_count,
            policy: self.policy,
            flows,
            rates,
        })
    }
}

impl Loan {
    /// The days on which interest accrues by the contract, within a window: from a first day until, not with, a last.
    ///
    /// The day of a drawdown counts, the day of a repayment and the day on which the loan is due do not. Segments also
    /// end where a mark stands.
    ///
    /// # Errors
    ///
    /// In words, if the loan's days cannot be counted as it says.
    pub fn segments(
        &self,
        from: Option<Date>,
        until: Option<Date>,
        at: &[Date],
    ) -> Result<Vec<Segment>, String> {
        let Some(first) = self.flows.first() else {
            return Ok(Vec::new());
        };
        let begin = first.on.max(from.unwrap_or(first.on));
        let end = self.due_on.min(until.unwrap_or(self.due_on));
        let mut marks: BTreeSet<Date> = BTreeSet::from([begin, end]);
        let changes = self.flows.iter().map(|flow| flow.on);
        let changes = changes.chain(self.rates.iter().map(|(from, _)| *from));
        let changes = changes.chain(at.iter().copied());
        marks.extend(changes.filter(|day| begin < *day && *day < end));
        if begin >= end {
            return Ok(Vec::new());
        }
        let marks: Vec<Date> = marks.into_iter().collect();
        let mut segments: Vec<Segment> = Vec::new();
        for pair in marks.windows(2) {
            let (from, until) = (pair[0], pair[1]);
            let mut owed = MoneySum::zero(first.amount.currency());
            for flow in self.flows.iter().filter(|flow| flow.on <= from) {
                let next = if flow.is_repayment {
                    owed.checked_sub(flow.amount)
                } else {
                    owed.checked_add(flow.amount)
                };
                owed = next.map_err(|error| error.to_string())?;
            }
            let principal = owed.to_money().map_err(|error| error.to_string())?;
            let held = self.rates.iter().rev().find(|(begins, _)| *begins <= from);
            let Some(&(_, rate)) = held.filter(|_| !principal.is_zero()) else {
                continue;
            };
            let same = |last: &&mut Segment| {
                last.until == from
                    && last.principal == principal
                    && last.rate == rate
                    && !at.contains(&from)
            };
            let begins = match segments.last_mut().filter(same) {
                Some(last) => last.from,
                None => from,
            };
            if begins != from {
                segments.pop();
            }
            let share = self.day_count.fraction(begins, until);
            let share = share.map_err(|error| error.to_string())?;
            let (num, den) = (i128::from(share.num()), i128::from(share.den()));
            segments.push(Segment {
                from: begins,
                until,
                principal,
                rate,
                year_share: Rational::new(num, den).map_err(|error| error.to_string())?,
            });
        }
        Ok(segments)
    }
}
