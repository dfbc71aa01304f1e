//! Balance reconciliations derived a second time: for each currency, every row of both sides is put in its place.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::Date;
use quanfu_money::{Currency, Decimal};
use quanfu_settlement::balance::{
    AccountRoll, BalanceBasis, BalanceReconciliation, BalanceSide, BalanceVerdict, Movement,
    Outstanding, OutstandingItem, OutstandingKind,
};
use quanfu_settlement::result::BridgeLine;
use quanfu_settlement::rules::{AmountOf, BalanceRules, EdgeRules, MatchRule};
use quanfu_settlement::{
    Balance, BreakCode, EntryStatus, Outcome, RecordId, ResultDoc, Rules, Side,
};

use crate::Fault;
use crate::judge::{Edge, Group, fee};
use crate::rows::{Row, Source, handed_on};
use crate::table::amount;

/// All reconciliations that the rules ask for.
pub(crate) fn derive(
    rules: &Rules,
    sources: &[Source],
    judged: &[Edge],
    previous: Option<&ResultDoc>,
) -> Result<Vec<BalanceReconciliation>, Fault> {
    let mut all = Vec::new();
    for (edge, outcome) in rules.edges.iter().zip(judged) {
        if edge.balances.is_empty() {
            continue;
        }
        let bank = edge.balances[0].bank;
        let mut book = Ledger {
            edge,
            outcome,
            sides: [&sources[edge.left], &sources[edge.right]],
            names: [
                &rules.sources[edge.left].name,
                &rules.sources[edge.right].name,
            ],
            bank,
            currency: Currency::CNY,
            open: BTreeSet::new(),
        };
        let earlier: Vec<&BalanceReconciliation> = previous
            .map_or(&[][..], |doc| &doc.balances)
            .iter()
            .filter(|found| {
                let names = (found.company.source.as_str(), found.bank.source.as_str());
                found.edge == edge.name && names == (book.name(bank.other()), book.name(bank))
            })
            .collect();
        for position in previous.map_or(Vec::new(), handed_on) {
            if position.edge == edge.name {
                let members = position.members.iter();
                book.open
                    .extend(members.map(|member| (member.side, member.item.record)));
            }
        }
        for list in earlier.iter().flat_map(|balance| &balance.outstanding) {
            let side = match list.kind {
                OutstandingKind::CompanyReceived | OutstandingKind::CompanyPaid => bank.other(),
                OutstandingKind::BankReceived | OutstandingKind::BankPaid => bank,
            };
            book.open
                .extend(list.items.iter().map(|item| (side, item.record)));
        }
        for currency in book.currencies(&earlier) {
            let own = |wanted: Option<Currency>| {
                edge.balances.iter().find(|table| table.currency == wanted)
            };
            let Some(table) = own(Some(currency)).or(own(None)) else {
                continue;
            };
            book.currency = currency;
            let before = earlier.iter().find(|found| found.currency == currency);
            all.push(book.reconcile(table, before.copied())?);
        }
    }
    Ok(all)
}

/// An edge in one currency.
struct Ledger<'a> {
    edge: &'a EdgeRules,
    outcome: &'a Edge,
    sides: [&'a Source; 2],
    names: [&'a str; 2],
    bank: Side,
    currency: Currency,
    /// Left and right records that the day before left open on this edge.
    open: BTreeSet<(Side, RecordId)>,
}

/// A balance with its statement's day, number and page.
type Placed = (Option<Date>, Option<u64>, Option<u32>, i128);

/// A side rolled forward.
struct Roll {
    shown: BalanceSide,
    closing: Option<i128>,
    left_out: i128,
    /// Whether nothing known twice differs.
    sound: bool,
}

fn booked(row: &Row) -> i128 {
    match row.status {
        EntryStatus::Booked => row.amount.into(),
        _ => 0,
    }
}

fn is_matched(group: &Group) -> bool {
    !group.left.is_empty()
        && !group.right.is_empty()
        && match group.outcome {
            Outcome::Confirmed => true,
            Outcome::Break => group.rule.is_some() && group.code != Some(BreakCode::Partial),
            _ => false,
        }
}

impl<'a> Ledger<'a> {
    fn name(&self, side: Side) -> &str {
        self.names[side as usize]
    }

    fn rows(&self, side: Side) -> &'a [Row] {
        &self.sides[side as usize].rows
    }

    /// Currencies that are asked for: those named, and with a table for all those that occur.
    fn currencies(&self, earlier: &[&BalanceReconciliation]) -> BTreeSet<Currency> {
        let tables = || self.edge.balances.iter().map(|table| table.currency);
        let mut found: BTreeSet<Currency> = tables().flatten().collect();
        if !tables().any(|currency| currency.is_none()) {
            return found;
        }
        for source in self.sides {
            found.extend(source.rows.iter().map(|row| row.currency));
            for statement in &source.statements {
                let balances = [statement.opening, statement.closing];
                found.extend(balances.iter().flatten().map(|b| b.amount.currency()));
            }
        }
        found.extend(earlier.iter().map(|balance| balance.currency));
        for group in &self.outcome.groups {
            let differences = self.differences(group);
            found.extend(differences.keys().map(|(currency, _)| *currency));
        }
        found
    }

    /// What differs inside a matched group or a reversed pair, bank minus company, by currency and cause; never zero.
    fn differences(&self, group: &Group) -> BTreeMap<(Currency, String), i128> {
        let mut all: BTreeMap<(Currency, String), i128> = BTreeMap::new();
        let mut line = |currency: Currency, cause: &str, minor: i128| {
            let key = (currency, cause.to_owned());
            *all.entry(key).or_default() += minor;
        };
        let members = [(Side::Left, &group.left), (Side::Right, &group.right)];
        let members = members.into_iter().flat_map(|(side, rows)| {
            let sign = if side == self.bank { 1 } else { -1 };
            rows.iter()
                .map(move |&at| (side, sign, &self.rows(side)[at]))
        });
        if group.outcome == Outcome::Reversed {
            for (side, sign, row) in members {
                if row.carried.is_some() && !self.open.contains(&(side, row.id)) {
                    continue; // both sides had it before
                }
                line(row.currency, "reversal", sign * booked(row));
            }
        } else if is_matched(group)
            && let Some(rule) = group.rule.map(|rule| &self.edge.rules[rule])
        {
            let fx = group.is_exchange();
            for (side, sign, row) in members {
                let whole = i128::from(row.amount);
                line(row.currency, "status", sign * (booked(row) - whole));
                let (seen, of) = compared(rule, side, row);
                let name = match (side, rule.left_amount, rule.right_amount) {
                    (Side::Left, AmountOf::Original, _) | (Side::Right, _, AmountOf::Original) => {
                        "fx"
                    }
                    _ => "fee",
                };
                line(row.currency, name, sign * whole);
                line(of, name, -sign * seen);
                if fx || group.difference.is_none() {
                    line(of, if fx { "fx" } else { "unexplained" }, sign * seen);
                }
            }
            if group.difference.is_some() {
                for cause in &group.causes {
                    let sign = if self.bank == Side::Left { -1 } else { 1 };
                    line(cause.currency, &cause.name, sign * cause.minor);
                    if fx {
                        line(cause.currency, "fx", -sign * cause.minor);
                    }
                }
            }
        }
        all.retain(|_, minor| *minor != 0);
        all
    }

    fn reconcile(
        &self,
        table: &BalanceRules,
        before: Option<&BalanceReconciliation>,
    ) -> Result<BalanceReconciliation, Fault> {
        let company_side = self.bank.other();
        let declared = |money: Option<quanfu_money::Money>| money.map(|m| i128::from(m.minor()));
        let company = self.roll(
            company_side,
            before.map(|balance| &balance.company),
            declared(table.company_opening),
            declared(table.company_closing),
        )?;
        let bank = self.roll(
            self.bank,
            before.map(|balance| &balance.bank),
            declared(table.bank_opening),
            declared(table.bank_closing),
        )?;
        let (mut outstanding, mut only) = (Vec::new(), [0i128; 2]);
        for &kind in OutstandingKind::ALL {
            let (side, received) = match kind {
                OutstandingKind::CompanyReceived => (company_side, true),
                OutstandingKind::CompanyPaid => (company_side, false),
                OutstandingKind::BankReceived => (self.bank, true),
                OutstandingKind::BankPaid => (self.bank, false),
            };
            let mut items = self.only(side);
            let theirs = before
                .into_iter()
                .flat_map(|balance| &balance.outstanding)
                .filter(|list| match list.kind {
                    OutstandingKind::CompanyReceived | OutstandingKind::CompanyPaid => {
                        side == company_side
                    }
                    OutstandingKind::BankReceived | OutstandingKind::BankPaid => side == self.bank,
                });
            for item in theirs.flat_map(|list| &list.items) {
                if !self.is_judged(side, item.record) {
                    items.push((item.day, item.record, self.read(&item.amount)?));
                }
            }
            items.retain(|(_, _, minor)| if received { *minor >= 0 } else { *minor < 0 });
            items.sort();
            let sum: i128 = items.iter().map(|item| item.2).sum();
            only[usize::from(side == self.bank)] += sum;
            outstanding.push(Outstanding {
                kind,
                count: items.len() as u64,
                sum: self.text(sum),
                items: items
                    .into_iter()
                    .map(|(day, record, minor)| OutstandingItem {
                        day,
                        record,
                        amount: self.text(minor),
                    })
                    .collect(),
            });
        }
        let mut causes: BTreeMap<String, i128> = BTreeMap::new();
        for group in &self.outcome.groups {
            for ((currency, cause), minor) in self.differences(group) {
                if currency == self.currency {
                    *causes.entry(cause).or_default() += minor;
                }
            }
        }
        for line in before.into_iter().flat_map(|balance| &balance.adjusting) {
            *causes.entry(line.cause.clone()).or_default() += self.read(&line.sum)?;
        }
        let all_causes: i128 = causes.values().sum();
        let unexplained = causes.remove("unexplained").unwrap_or(0);
        causes.retain(|_, minor| *minor != 0);
        let mut adjusting = Vec::new();
        for (cause, minor) in causes {
            let sum = self.text(minor);
            adjusting.push(BridgeLine { cause, sum });
        }
        adjusting.push(BridgeLine {
            cause: "unexplained".to_owned(),
            sum: self.text(unexplained),
        });
        let adjusted_company = company
            .closing
            .map(|minor| minor + only[1] + all_causes + bank.left_out);
        let adjusted_bank = bank.closing.map(|minor| minor + only[0] + company.left_out);
        let difference = match (adjusted_company, adjusted_bank) {
            (Some(company), Some(bank)) => Some(bank - company),
            _ => None,
        };
        let verdict = match difference {
            None => BalanceVerdict::NotDeterminable,
            Some(minor) if minor == 0 && company.sound && bank.sound => BalanceVerdict::Balanced,
            Some(_) => BalanceVerdict::NotBalanced,
        };
        Ok(BalanceReconciliation {
            edge: self.edge.name.clone(),
            currency: self.currency,
            company: company.shown,
            bank: bank.shown,
            outstanding,
            adjusting,
            adjusted_company: adjusted_company.map(|minor| self.text(minor)),
            adjusted_bank: adjusted_bank.map(|minor| self.text(minor)),
            difference: difference.map(|minor| self.text(minor)),
            verdict,
        })
    }

    fn text(&self, minor: i128) -> String {
        amount(minor, self.currency)
    }

    /// A figure of the earlier result.
    fn read(&self, text: &str) -> Result<i128, Fault> {
        let digits = u32::from(self.currency.minor_digits());
        let read = Decimal::from_str_exact(text)
            .ok()
            .filter(|value| value.scale() == digits)
            .map(|value| value.mantissa());
        // Sums beyond 96 bits are no decimal, but a result may hold them.
        let plain = || {
            let whole = text.replacen('.', "", 1);
            let minor: i128 = whole.parse().ok()?;
            (minor.abs() < 1 << 100 && amount(minor, self.currency) == text).then_some(minor)
        };
        read.or_else(plain).ok_or_else(|| {
            let place = format!("balances of edge {} in {}", self.edge.name, self.currency);
            Fault::new(
                "verify-chain",
                place,
                format!("{text:?} in the predecessor"),
            )
        })
    }

    /// Rows that only this side has.
    fn only(&self, side: Side) -> Vec<(Option<Date>, RecordId, i128)> {
        let states = self.outcome.side(side).iter();
        let rows = states.zip(self.rows(side)).filter(|(state, row)| {
            let matched = state
                .group
                .is_some_and(|group| is_matched(&self.outcome.groups[group]));
            let undone = matches!(
                state.outcome,
                Outcome::Duplicate | Outcome::Reversed | Outcome::Excluded
            );
            row.currency == self.currency
                && row.status == EntryStatus::Booked
                && !matched
                && !undone
        });
        rows.map(|(_, row)| (row.day, row.id, row.amount.into()))
            .collect()
    }

    /// Whether a record of the day before is judged on this edge again.
    fn is_judged(&self, side: Side, record: RecordId) -> bool {
        let source = self.sides[side as usize];
        source.by_id.get(&record).is_some_and(|&at| {
            source.rows[at].carried.is_some()
                && self.outcome.side(side)[at].outcome != Outcome::Excluded
        })
    }

    fn roll(
        &self,
        side: Side,
        before: Option<&BalanceSide>,
        declared_opening: Option<i128>,
        declared_closing: Option<i128>,
    ) -> Result<Roll, Fault> {
        let source = self.sides[side as usize];
        let (mut movement, mut left_out) = ((0u64, 0i128), (0u64, 0i128));
        let mut by_account: BTreeMap<Option<&str>, (u64, i128)> = BTreeMap::new();
        for (statement, balance) in source.statements.iter().flat_map(|statement| {
            let balances = [statement.opening, statement.closing];
            balances.into_iter().flatten().map(move |b| (statement, b))
        }) {
            if balance.amount.currency() == self.currency {
                by_account
                    .entry(statement.head.account.as_deref())
                    .or_default();
            }
        }
        for (row, state) in source.rows.iter().zip(self.outcome.side(side)) {
            let counts = row.currency == self.currency
                && row.status == EntryStatus::Booked
                && state.outcome != Outcome::Duplicate;
            let Some(statement) = row.statement.filter(|_| counts) else {
                continue;
            };
            let account = source.statements[statement].head.account.as_deref();
            let mut sums = vec![&mut movement, by_account.entry(account).or_default()];
            if state.outcome == Outcome::Excluded {
                sums.push(&mut left_out);
            }
            for sum in sums {
                *sum = (sum.0 + 1, sum.1 + i128::from(row.amount));
            }
        }
        let mut accounts = Vec::new();
        let (mut first, mut last) = (Some(0i128), Some(0i128));
        let mut sound = true;
        for (account, (count, minor)) in &by_account {
            let opening = self.end(source, *account, true);
            let closing = self.end(source, *account, false);
            let difference = match (opening, closing) {
                (Some(opening), Some(closing)) => Some(closing - minor - opening),
                _ => None,
            };
            sound &= difference.is_none_or(|minor| minor == 0);
            first = first.and_then(|sum| Some(sum + opening?));
            last = last.and_then(|sum| Some(sum + closing?));
            accounts.push(AccountRoll {
                account: account.map(str::to_owned),
                opening: opening.map(|minor| self.text(minor)),
                movement: Movement {
                    count: *count,
                    sum: self.text(*minor),
                },
                closing: closing.map(|minor| self.text(minor)),
                difference: difference.map(|minor| self.text(minor)),
            });
        }
        if accounts.is_empty() {
            (first, last) = (None, None);
        }
        let mut told = declared_opening.map(|minor| (minor, BalanceBasis::Declared));
        if let Some(before) = before {
            if let Some(closing) = &before.closing {
                told = Some((self.read(closing)?, BalanceBasis::Previous));
            }
            left_out.0 += before.left_out.count;
            left_out.1 += self.read(&before.left_out.sum)?;
        }
        let opening = match first {
            Some(minor) => Some((minor, BalanceBasis::Statements)),
            None => told,
        };
        let opening_gap = match (first, told) {
            (Some(minor), Some((other, _))) => Some(minor - other),
            _ => None,
        };
        let ahead = opening.map(|(minor, _)| minor + movement.1);
        let closing = match (last, declared_closing) {
            (Some(minor), _) => Some((minor, BalanceBasis::Statements)),
            (None, Some(minor)) => Some((minor, BalanceBasis::Declared)),
            (None, None) => ahead.map(|minor| (minor, BalanceBasis::Rolled)),
        };
        let closing_gap = match (last, declared_closing) {
            (Some(minor), Some(other)) => Some(minor - other),
            _ => None,
        };
        let difference = match (closing, ahead) {
            (Some((_, BalanceBasis::Rolled)), _) => None,
            (Some((minor, _)), Some(ahead)) => Some(minor - ahead),
            _ => None,
        };
        for gap in [opening_gap, closing_gap, difference] {
            sound &= gap.is_none_or(|minor| minor == 0);
        }
        let text = |minor: Option<i128>| minor.map(|minor| self.text(minor));
        let tally = |(count, minor): (u64, i128)| Movement {
            count,
            sum: self.text(minor),
        };
        Ok(Roll {
            shown: BalanceSide {
                source: self.name(side).to_owned(),
                opening: text(opening.map(|known| known.0)),
                opening_from: opening.map(|known| known.1),
                opening_gap: text(opening_gap),
                movement: tally(movement),
                closing: text(closing.map(|known| known.0)),
                closing_from: closing.map(|known| known.1),
                closing_gap: text(closing_gap),
                roll_difference: text(difference),
                left_out: tally(left_out),
                accounts,
            },
            closing: closing.map(|known| known.0),
            left_out: left_out.1,
            sound,
        })
    }

    /// The opening of an account's first statement, or the closing of its last one; none where several could be it and
    /// they differ.
    fn end(&self, source: &Source, account: Option<&str>, is_opening: bool) -> Option<i128> {
        let mut found: Vec<Placed> = Vec::new();
        for statement in &source.statements {
            let head = &statement.head;
            let balance: Option<Balance> = if is_opening {
                statement.opening
            } else {
                statement.closing
            };
            let balance = balance.filter(|balance| balance.amount.currency() == self.currency);
            if let Some(balance) = balance
                && head.account.as_deref() == account
            {
                let period = head
                    .period
                    .map(|(from, until)| if is_opening { from } else { until });
                let number = head.sequence.number.as_deref();
                found.push((
                    balance.date.or(period),
                    number.and_then(|number| number.parse().ok()),
                    head.sequence.page,
                    balance.amount.minor().into(),
                ));
            }
        }
        // An order counts only where every statement tells its place in it.
        if found.iter().any(|at| at.0.is_none()) {
            found.iter_mut().for_each(|at| at.0 = None);
        }
        if found.iter().any(|at| at.1.is_none()) {
            found.iter_mut().for_each(|at| at.1 = None);
        }
        if found.iter().any(|at| at.2.is_none()) {
            found.iter_mut().for_each(|at| at.2 = None);
        }
        found.sort();
        if !is_opening {
            found.reverse();
        }
        let end = *found.first()?;
        let rivals = found
            .iter()
            .filter(|at| (at.0, at.1, at.2) == (end.0, end.1, end.2));
        let mut figures = rivals.map(|at| at.3);
        figures.all(|minor| minor == end.3).then_some(end.3)
    }
}

/// The figure of a row that the rule compares.
fn compared(rule: &MatchRule, side: Side, row: &Row) -> (i128, Currency) {
    let which = match side {
        Side::Left => rule.left_amount,
        Side::Right => rule.right_amount,
    };
    let whole = (i128::from(row.amount), row.currency);
    match which {
        AmountOf::Amount => whole,
        AmountOf::Net => (whole.0 - fee(row, rule.rounding), row.currency),
        AmountOf::Original => row
            .original
            .map_or(whole, |money| (money.minor().into(), money.currency())),
    }
}
