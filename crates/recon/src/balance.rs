//! Balance reconciliation (余额调节表) of the edges that the rules ask for; what its figures mean is told in
//! `quanfu_settlement::balance`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use quanfu_calendar::Date;
use quanfu_money::Currency;
use quanfu_settlement::balance::{
    AccountRoll, BalanceBasis, BalanceReconciliation, BalanceSide, BalanceVerdict, Movement,
    Outstanding, OutstandingItem, OutstandingKind,
};
use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::result::BridgeLine;
use quanfu_settlement::rules::{AmountOf, BalanceRules, EdgeRules};
use quanfu_settlement::{
    Book, BreakCode, EntryStatus, Group, Outcome, Outcomes, RecordId, ResultDoc, Rules, Side,
};

use crate::compare::figure;
use crate::document::text;
use crate::error::ReconError;
use crate::exchange::is_exchange;
use crate::request::handed_on;

/// The reconciliations, by edge and currency.
pub(crate) fn balances(
    rules: &Rules,
    outcomes: &Outcomes,
    previous: Option<&ResultDoc>,
) -> Result<Vec<BalanceReconciliation>, ReconError> {
    let mut all = Vec::new();
    for (edge, judged) in rules.edges.iter().zip(&outcomes.edges) {
        let Some(first) = edge.balances.first() else {
            continue;
        };
        let mut desk = Desk {
            edge,
            judged,
            bank: first.bank,
            books: [&outcomes.books[edge.left], &outcomes.books[edge.right]],
            open_before: Default::default(),
        };
        let names = [first.bank.other(), first.bank].map(|side| desk.book(side).source());
        let own = |balance: &&BalanceReconciliation| {
            balance.edge == edge.name && [&*balance.company.source, &*balance.bank.source] == names
        };
        let earlier: Vec<&BalanceReconciliation> = previous
            .iter()
            .flat_map(|doc| &doc.balances)
            .filter(own)
            .collect();
        let carried = previous.iter().copied().flat_map(handed_on);
        for position in carried.filter(|position| position.edge == edge.name) {
            for member in &position.members {
                desk.open_before[member.side as usize].insert(member.item.record);
            }
        }
        for items in earlier.iter().flat_map(|balance| &balance.outstanding) {
            let side = desk.side_of(items.kind) as usize;
            desk.open_before[side].extend(items.items.iter().map(|item| item.record));
        }
        let mut accounts = [desk.accounts(Side::Left), desk.accounts(Side::Right)];
        let mut sheets = desk.sheets(&mut accounts);
        let mut currencies: BTreeSet<Currency> = edge
            .balances
            .iter()
            .filter_map(|table| table.currency)
            .collect();
        let general = edge.balances.iter().find(|table| table.currency.is_none());
        if general.is_some() {
            currencies.extend(sheets.keys());
            currencies.extend(
                accounts
                    .iter()
                    .flat_map(|side| side.keys().map(|key| key.0)),
            );
            currencies.extend(earlier.iter().map(|balance| balance.currency));
        }
        for currency in currencies {
            let table = edge.balances.iter();
            let table = table
                .filter(|table| table.currency == Some(currency))
                .chain(general)
                .next();
            let Some(table) = table else { continue };
            let mut sheet = sheets.remove(&currency).unwrap_or_default();
            let before = earlier.iter().find(|balance| balance.currency == currency);
            let mut closings = [None, None];
            if let Some(before) = before {
                closings = desk.bring_forward(before, &mut sheet).ok_or_else(|| {
                    ReconError::EarlierDamaged {
                        what: format!("balances of edge {} in {currency}", edge.name),
                    }
                })?;
            }
            all.push(desk.reconcile(table, currency, sheet, &accounts, closings));
        }
    }
    Ok(all)
}

/// A count and a sum.
#[derive(Clone, Copy, Default)]
struct Tally {
    count: u64,
    minor: i128,
}

impl Tally {
    fn add(&mut self, minor: i128) {
        self.count += 1;
        self.minor += minor;
    }

    fn movement(self, currency: Currency) -> Movement {
        Movement {
            count: self.count,
            sum: text(self.minor, currency),
        }
    }
}

/// What one side of an edge has in one currency.
#[derive(Default)]
struct Half {
    movement: Tally,
    left_out: Tally,
    /// Day, name and amount of what only this side has.
    outstanding: Vec<(Option<Date>, RecordId, i128)>,
}

/// An edge in one currency: left, right, and what differs inside groups.
#[derive(Default)]
struct Sheet {
    halves: [Half; 2],
    adjusting: BTreeMap<String, i128>,
}

/// A balance with what tells its place among the statements of its account: day, number, page.
type Placed = (Option<Date>, Option<u64>, Option<u32>, i128);

/// One account of a source in one currency.
#[derive(Default)]
struct Account {
    movement: Tally,
    openings: Vec<Placed>,
    closings: Vec<Placed>,
}

type Accounts = BTreeMap<(Currency, Option<String>), Account>;

/// Where a statement stands among those of its account: day, number, page.
type Place = (Option<Date>, Option<u64>, Option<u32>);

/// The balance of the first or of the last statement. Nothing where their places do not tell which that is.
fn at_end(
    placed: &[Placed],
    end: fn(&mut dyn Iterator<Item = Place>) -> Option<Place>,
) -> Option<i128> {
    // What some statements do not tell gives the others no order.
    let days = placed.iter().all(|at| at.0.is_some());
    let numbers = placed.iter().all(|at| at.1.is_some());
    let pages = placed.iter().all(|at| at.2.is_some());
    let place = |at: &Placed| -> Place {
        (
            at.0.filter(|_| days),
            at.1.filter(|_| numbers),
            at.2.filter(|_| pages),
        )
    };
    let end = end(&mut placed.iter().map(place))?;
    let found: BTreeSet<i128> = placed
        .iter()
        .filter(|at| place(at) == end)
        .map(|at| at.3)
        .collect();
    match found.len() {
        1 => found.first().copied(),
        _ => None,
    }
}

/// One edge of a run.
struct Desk<'a> {
    edge: &'a EdgeRules,
    judged: &'a EdgeOutcomes,
    bank: Side,
    books: [&'a Book; 2],
    /// Records that were outstanding on this edge before the day.
    open_before: [HashSet<RecordId>; 2],
}

impl<'a> Desk<'a> {
    fn book(&self, side: Side) -> &'a Book {
        self.books[side as usize]
    }

    /// Whether a group's rows are one movement on both sides: nobody has to look, or it is known what is wrong.
    fn ties(group: &Group) -> bool {
        let both = group.left > 0 && group.right > 0;
        let is_whole = group.code != Some(BreakCode::Partial);
        both && (group.outcome == Outcome::Confirmed
            || group.outcome == Outcome::Break && group.rule.is_some() && is_whole)
    }

    /// Balances that the statements of a side declare.
    fn accounts(&self, side: Side) -> Accounts {
        let mut accounts = Accounts::new();
        for statement in self.book(side).statements() {
            let (head, tail) = (&statement.head, &statement.tail);
            let number = head.sequence.number.as_ref();
            let number = number.and_then(|number| number.parse::<u64>().ok());
            let page = head.sequence.page;
            let (from, until) = (head.period.map(|p| p.0), head.period.map(|p| p.1));
            if let Some(opening) = head.opening.or(tail.opening) {
                let key = (opening.amount.currency(), head.account.clone());
                let minor = i128::from(opening.amount.minor());
                let place = (opening.date.or(from), number, page, minor);
                accounts.entry(key).or_default().openings.push(place);
            }
            if let Some(closing) = tail.closing {
                let key = (closing.amount.currency(), head.account.clone());
                let minor = i128::from(closing.amount.minor());
                let place = (closing.date.or(until), number, page, minor);
                accounts.entry(key).or_default().closings.push(place);
            }
        }
        accounts
    }

    /// Every booked row in its place, by currency; accounts move with it.
    fn sheets(&self, accounts: &mut [Accounts; 2]) -> BTreeMap<Currency, Sheet> {
        let mut sheets: BTreeMap<Currency, Sheet> = BTreeMap::new();
        for side in [Side::Left, Side::Right] {
            let book = self.book(side);
            for (row, state) in (0u32..).zip(self.judged.side(side)) {
                let currency = book.currency(row);
                let half = &mut sheets.entry(currency).or_default().halves[side as usize];
                let Some(minor) = moved(book, row).filter(|_| state.outcome != Outcome::Duplicate)
                else {
                    continue;
                };
                let statement = book.statement_of(row);
                if let Some(statement) = statement {
                    half.movement.add(minor);
                    let head = &book.statements()[statement as usize].head;
                    let key = (currency, head.account.clone());
                    let account = accounts[side as usize].entry(key).or_default();
                    account.movement.add(minor);
                }
                let group = state.group.map(|group| &self.judged.groups[group as usize]);
                match state.outcome {
                    Outcome::Excluded if statement.is_some() => half.left_out.add(minor),
                    Outcome::Carried | Outcome::Ambiguous | Outcome::Suggested | Outcome::Break
                        if !group.is_some_and(Self::ties) =>
                    {
                        let item = (book.accounting_day(row), book.id(row), minor);
                        half.outstanding.push(item);
                    }
                    _ => {}
                }
            }
        }
        for group in &self.judged.groups {
            if Self::ties(group) || group.outcome == Outcome::Reversed {
                self.adjust(group, &mut sheets);
            }
        }
        sheets
    }

    /// Adds what differs inside a group, bank minus company, by cause.
    fn adjust(&self, group: &Group, sheets: &mut BTreeMap<Currency, Sheet>) {
        let mut lines: BTreeMap<(Currency, &str), i128> = BTreeMap::new();
        let mut put =
            |currency, cause, minor| *lines.entry((currency, cause)).or_default() += minor;
        let rule = group.rule.map(|rule| &self.edge.rules[usize::from(rule)]);
        let is_fx = is_exchange(group);
        for side in [Side::Left, Side::Right] {
            let book = self.book(side);
            let sign = if side == self.bank { 1 } else { -1 };
            let rows = match side {
                Side::Left => self.judged.left_members(group),
                Side::Right => self.judged.right_members(group),
            };
            for &row in rows {
                let currency = book.currency(row);
                let amount = i128::from(book.amounts()[row as usize]);
                let moved = moved(book, row).unwrap_or(0);
                let Some(rule) = rule else {
                    // A half that both sides had before is no longer open: the other half undoes it on one side only.
                    let is_settled = book.statement_of(row).is_none()
                        && !self.open_before[side as usize].contains(&book.id(row));
                    if !is_settled {
                        put(currency, "reversal", sign * moved);
                    }
                    continue;
                };
                put(currency, "status", sign * (moved - amount));
                let which = match side {
                    Side::Left => rule.left_amount,
                    Side::Right => rule.right_amount,
                };
                let (shown, of) = figure(book, row, which, rule.rounding);
                match which {
                    AmountOf::Amount => {}
                    AmountOf::Net => put(currency, "fee", sign * (amount - shown)),
                    AmountOf::Original => {
                        put(currency, "fx", sign * amount);
                        put(of, "fx", -sign * shown);
                    }
                }
                if is_fx || group.difference.is_none() {
                    let cause = if is_fx { "fx" } else { "unexplained" };
                    put(of, cause, sign * shown);
                }
            }
        }
        if group.difference.is_some() {
            let sign = if self.bank == Side::Right { 1 } else { -1 };
            for cause in &group.causes {
                put(cause.currency, &cause.name, sign * i128::from(cause.minor));
                if is_fx {
                    // told apart from the exchange itself
                    put(cause.currency, "fx", -sign * i128::from(cause.minor));
                }
            }
        }
        for ((currency, cause), minor) in lines.into_iter().filter(|(_, minor)| *minor != 0) {
            let sheet = sheets.entry(currency).or_default();
            *sheet.adjusting.entry(cause.to_owned()).or_default() += minor;
        }
    }

    /// Takes over what the day before left behind; gives the closing balances of left and right. `None`: its texts are
    /// damaged.
    fn bring_forward(
        &self,
        before: &BalanceReconciliation,
        sheet: &mut Sheet,
    ) -> Option<[Option<i128>; 2]> {
        let currency = before.currency;
        let mut closings = [None, None];
        for side in [Side::Left, Side::Right] {
            let half = &mut sheet.halves[side as usize];
            let of_side = if side == self.bank {
                &before.bank
            } else {
                &before.company
            };
            half.left_out.count = half.left_out.count.checked_add(of_side.left_out.count)?;
            half.left_out.minor += minor(&of_side.left_out.sum, currency)?;
            if let Some(closing) = &of_side.closing {
                closings[side as usize] = Some(minor(closing, currency)?);
            }
            // An item that is judged on this edge again is not brought forward, whatever comes of it.
            let book = self.book(side);
            let judged: HashSet<RecordId> = (0u32..)
                .zip(self.judged.side(side))
                .take_while(|(row, _)| book.statement_of(*row).is_none())
                .filter(|(_, state)| state.outcome != Outcome::Excluded)
                .map(|(row, _)| book.id(row))
                .collect();
            for items in before
                .outstanding
                .iter()
                .filter(|items| self.side_of(items.kind) == side)
            {
                for item in items
                    .items
                    .iter()
                    .filter(|item| !judged.contains(&item.record))
                {
                    let amount = minor(&item.amount, currency)?;
                    half.outstanding.push((item.day, item.record, amount));
                }
            }
        }
        for line in &before.adjusting {
            let sum = minor(&line.sum, currency)?;
            *sheet.adjusting.entry(line.cause.clone()).or_default() += sum;
        }
        Some(closings)
    }

    fn side_of(&self, kind: OutstandingKind) -> Side {
        match kind {
            OutstandingKind::BankReceived | OutstandingKind::BankPaid => self.bank,
            OutstandingKind::CompanyReceived | OutstandingKind::CompanyPaid => self.bank.other(),
        }
    }

    fn reconcile(
        &self,
        table: &BalanceRules,
        currency: Currency,
        sheet: Sheet,
        accounts: &[Accounts; 2],
        closings: [Option<i128>; 2],
    ) -> BalanceReconciliation {
        let Sheet {
            halves,
            mut adjusting,
        } = sheet;
        let roll = |side: Side| {
            let is_bank = side == self.bank;
            let (opening, closing) = if is_bank {
                (table.bank_opening, table.bank_closing)
            } else {
                (table.company_opening, table.company_closing)
            };
            Rolled::new(
                &halves[side as usize],
                accounts[side as usize].range((currency, None)..).map_while(
                    |((of, number), account)| (*of == currency).then_some((number, account)),
                ),
                closings[side as usize],
                [opening, closing].map(|money| money.map(|money| i128::from(money.minor()))),
            )
        };
        let (company, bank) = (roll(self.bank.other()), roll(self.bank));
        let mut sums = [0i128; 2];
        let outstanding = OutstandingKind::ALL.iter().map(|&kind| {
            let side = self.side_of(kind);
            let is_received = matches!(
                kind,
                OutstandingKind::CompanyReceived | OutstandingKind::BankReceived
            );
            let own = halves[side as usize].outstanding.iter();
            let mut own: Vec<_> = own
                .filter(|(_, _, minor)| (*minor >= 0) == is_received)
                .copied()
                .collect();
            own.sort_unstable();
            let sum = own.iter().map(|(_, _, minor)| minor).sum();
            sums[usize::from(side == self.bank)] += sum;
            Outstanding {
                kind,
                count: own.len() as u64,
                sum: text(sum, currency),
                items: own
                    .into_iter()
                    .map(|(day, record, minor)| OutstandingItem {
                        day,
                        record,
                        amount: text(minor, currency),
                    })
                    .collect(),
            }
        });
        let outstanding = outstanding.collect();
        let [company_only, bank_only] = sums;
        let unexplained = adjusting.remove("unexplained").unwrap_or(0);
        adjusting.retain(|_, sum| *sum != 0);
        let adjustment: i128 = adjusting.values().sum::<i128>() + unexplained;
        let lines = adjusting
            .into_iter()
            .chain([("unexplained".to_owned(), unexplained)]);
        let adjusting = lines
            .map(|(cause, sum)| BridgeLine {
                cause,
                sum: text(sum, currency),
            })
            .collect();
        let left_out = |side: Side| halves[side as usize].left_out.minor;
        let adjusted_company = company
            .closing
            .map(|closing| closing + bank_only + adjustment + left_out(self.bank));
        let adjusted_bank = bank
            .closing
            .map(|closing| closing + company_only + left_out(self.bank.other()));
        let difference = adjusted_bank
            .zip(adjusted_company)
            .map(|(bank, company)| bank - company);
        let verdict = match difference {
            None => BalanceVerdict::NotDeterminable,
            Some(0) if company.is_sound() && bank.is_sound() => BalanceVerdict::Balanced,
            Some(_) => BalanceVerdict::NotBalanced,
        };
        let shown = |minor: Option<i128>| minor.map(|minor| text(minor, currency));
        BalanceReconciliation {
            edge: self.edge.name.clone(),
            currency,
            company: company.shown(self.book(self.bank.other()), currency),
            bank: bank.shown(self.book(self.bank), currency),
            outstanding,
            adjusting,
            adjusted_company: shown(adjusted_company),
            adjusted_bank: shown(adjusted_bank),
            difference: shown(difference),
            verdict,
        }
    }
}

/// An account rolled forward: number, opening, movement, closing.
type AccountOf = (Option<String>, Option<i128>, Tally, Option<i128>);

/// A side's balance rolled forward.
struct Rolled {
    opening: Option<i128>,
    opening_from: Option<BalanceBasis>,
    opening_gap: Option<i128>,
    movement: Tally,
    closing: Option<i128>,
    closing_from: Option<BalanceBasis>,
    closing_gap: Option<i128>,
    difference: Option<i128>,
    left_out: Tally,
    accounts: Vec<AccountOf>,
}

impl Rolled {
    fn new<'a>(
        half: &Half,
        accounts: impl Iterator<Item = (&'a Option<String>, &'a Account)>,
        before: Option<i128>,
        [opening, closing]: [Option<i128>; 2],
    ) -> Self {
        let accounts: Vec<AccountOf> = accounts
            .map(|(number, account)| {
                let first = at_end(&account.openings, |places| places.min());
                let last = at_end(&account.closings, |places| places.max());
                (number.clone(), first, account.movement, last)
            })
            .collect();
        let sum = |of: fn(&AccountOf) -> Option<i128>| -> Option<i128> {
            let sum = accounts.iter().map(of).sum::<Option<i128>>();
            sum.filter(|_| !accounts.is_empty())
        };
        let (first, last) = (sum(|account| account.1), sum(|account| account.3));
        let other = before
            .map(|minor| (minor, BalanceBasis::Previous))
            .or(opening.map(|minor| (minor, BalanceBasis::Declared)));
        let opened = first
            .map(|minor| (minor, BalanceBasis::Statements))
            .or(other);
        let rolled = opened.map(|(minor, _)| (minor + half.movement.minor, BalanceBasis::Rolled));
        let closed = last
            .map(|minor| (minor, BalanceBasis::Statements))
            .or(closing.map(|minor| (minor, BalanceBasis::Declared)))
            .or(rolled);
        let is_rolled = closed.is_some_and(|(_, from)| from == BalanceBasis::Rolled);
        Self {
            opening: opened.map(|(minor, _)| minor),
            opening_from: opened.map(|(_, from)| from),
            opening_gap: first.zip(other).map(|(first, (other, _))| first - other),
            movement: half.movement,
            closing: closed.map(|(minor, _)| minor),
            closing_from: closed.map(|(_, from)| from),
            closing_gap: last.zip(closing).map(|(last, declared)| last - declared),
            difference: closed
                .zip(rolled)
                .filter(|_| !is_rolled)
                .map(|((closed, _), (rolled, _))| closed - rolled),
            left_out: half.left_out,
            accounts,
        }
    }

    /// Whether nothing that is known contradicts itself.
    fn is_sound(&self) -> bool {
        let known = [self.opening_gap, self.closing_gap, self.difference];
        let of_accounts = self.accounts.iter().map(account_difference);
        known
            .into_iter()
            .chain(of_accounts)
            .all(|difference| difference.unwrap_or(0) == 0)
    }

    fn shown(self, book: &Book, currency: Currency) -> BalanceSide {
        let shown = |minor: Option<i128>| minor.map(|minor| text(minor, currency));
        let account = |account: AccountOf| {
            let difference = account_difference(&account);
            let (number, opening, movement, closing) = account;
            AccountRoll {
                account: number,
                opening: shown(opening),
                movement: movement.movement(currency),
                closing: shown(closing),
                difference: shown(difference),
            }
        };
        BalanceSide {
            source: book.source().to_owned(),
            opening: shown(self.opening),
            opening_from: self.opening_from,
            opening_gap: shown(self.opening_gap),
            movement: self.movement.movement(currency),
            closing: shown(self.closing),
            closing_from: self.closing_from,
            closing_gap: shown(self.closing_gap),
            roll_difference: shown(self.difference),
            left_out: self.left_out.movement(currency),
            accounts: self.accounts.into_iter().map(account).collect(),
        }
    }
}

/// Closing minus opening and movement of an account.
fn account_difference((_, opening, movement, closing): &AccountOf) -> Option<i128> {
    opening
        .zip(*closing)
        .map(|(opening, closing)| closing - opening - movement.minor)
}

/// The amount by which a row moved its balance: nothing before it is booked.
fn moved(book: &Book, row: u32) -> Option<i128> {
    (book.status(row) == EntryStatus::Booked).then(|| i128::from(book.amounts()[row as usize]))
}

/// A figure of an earlier result in minor units; `None` if it is none of this currency, or beyond all reason.
fn minor(text: &str, currency: Currency) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = whole
        .bytes()
        .chain(decimals.bytes())
        .all(|c| c.is_ascii_digit());
    if !is_plain || decimals.len() != usize::from(currency.minor_digits()) {
        return None;
    }
    let minor: i128 = format!("{whole}{decimals}").parse().ok()?;
    let signed = if text.starts_with('-') { -minor } else { minor };
    (minor < 1 << 100).then_some(signed) // so that sums of them stay far below 128 bits
}
