//! What a file's own figures prove: totals of its footer, and the balance behind each record.

use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_settlement::profile::{Effect, FooterLine, FooterTotal, Measured};
use quanfu_settlement::{Balance, Proof, ProofKind};

/// Decimals that column sums are kept with: finer than any bill writes.
const DIGITS: u8 = 6;

/// A figure of a footer, as exact as it was written.
#[derive(Clone, Copy, Debug)]
struct Figure {
    /// In units of [`DIGITS`] decimals; in minor units where the style writes these.
    value: i128,
    /// Decimals as written.
    decimals: usize,
}

fn figure(text: &str, style: AmountStyle) -> Option<Figure> {
    let parsed = parse_minor(text.trim().as_bytes(), style, DIGITS).ok()?;
    Some(Figure {
        value: i128::from(parsed.minor),
        decimals: parsed.decimals,
    })
}

/// Sums of one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    count: u64,
    sum: i128,
}

/// The chain of balances of one currency.
#[derive(Clone, Copy, Debug)]
struct Chain {
    currency: Currency,
    first: (Money, Money),
    last: (Money, Money),
    /// Effect of records behind the last balance that had none of their own.
    pending: i128,
    /// First link that does not hold when read downwards, and when read upwards: expected, found.
    down: Option<(i128, i128)>,
    up: Option<(i128, i128)>,
    breaks: [u64; 2],
}

/// Everything that is added up while a file is read.
#[derive(Debug)]
pub(super) struct Tally {
    style: AmountStyle,
    plus: Way,
    minus: Way,
    sums: Vec<i128>,
    currencies: Vec<Currency>,
    chains: Vec<Chain>,
}

impl Tally {
    pub(super) fn new(style: AmountStyle, totals: usize) -> Self {
        Self {
            style,
            plus: Way::default(),
            minus: Way::default(),
            sums: vec![0; totals],
            currencies: Vec::new(),
            chains: Vec::new(),
        }
    }

    /// The amount in a column that a footer sums, for [`Tally::add_to_total`]; empty cells add nothing.
    pub(super) fn parse_total(&self, cell: &str) -> Result<i64, quanfu_money::AmountError> {
        if cell.is_empty() {
            return Ok(0);
        }
        parse_minor(cell.as_bytes(), self.style, DIGITS).map(|parsed| parsed.minor)
    }

    pub(super) fn add_to_total(&mut self, total: usize, value: i64) {
        if let Some(sum) = self.sums.get_mut(total) {
            *sum += i128::from(value);
        }
    }

    pub(super) fn record(&mut self, money: Money, balance: Option<Money>) {
        let way = if money.is_negative() {
            &mut self.minus
        } else {
            &mut self.plus
        };
        way.count += 1;
        way.sum += i128::from(money.minor());
        if self.currencies.last() != Some(&money.currency())
            && !self.currencies.contains(&money.currency())
        {
            self.currencies.push(money.currency());
        }
        self.link(money, balance);
    }

    fn link(&mut self, money: Money, balance: Option<Money>) {
        let currency = money.currency();
        let chain = self
            .chains
            .iter_mut()
            .find(|chain| chain.currency == currency);
        match (chain, balance) {
            (Some(chain), None) => chain.pending += i128::from(money.minor()),
            (None, None) => {}
            (None, Some(balance)) => self.chains.push(Chain {
                currency,
                first: (money, balance),
                last: (money, balance),
                pending: 0,
                down: None,
                up: None,
                breaks: [0; 2],
            }),
            (Some(chain), Some(balance)) => {
                let minor = |money: Money| i128::from(money.minor());
                let (before, behind) = (minor(chain.last.1), minor(balance));
                let downwards = before + chain.pending + minor(money);
                if downwards != behind {
                    chain.down.get_or_insert((downwards, behind));
                    chain.breaks[0] += 1;
                }
                let upwards = behind + chain.pending + minor(chain.last.0);
                if upwards != before {
                    chain.up.get_or_insert((upwards, before));
                    chain.breaks[1] += 1;
                }
                chain.last = (money, balance);
                chain.pending = 0;
            }
        }
    }

    fn only_currency(&self) -> Option<Currency> {
        match self.currencies.as_slice() {
            &[currency] => Some(currency),
            _ => None,
        }
    }

    /// Whether each record's balance follows from its neighbour's, with the opening and closing balance if so.
    pub(super) fn running_balance(&self) -> (Vec<Proof>, Option<(Balance, Balance)>) {
        let kind = ProofKind::RunningBalance;
        if self.chains.is_empty() {
            return (vec![Proof::absent(kind, "")], None);
        }
        let mut proofs = Vec::new();
        let mut ends = None;
        for chain in &self.chains {
            let sum = |minor| MoneySum::from_minor(minor, chain.currency);
            let closing = i128::from(chain.last.1.minor()) + chain.pending;
            let worse = if chain.breaks[1] < chain.breaks[0] {
                chain.up
            } else {
                chain.down
            };
            // A single balance says nothing about any other.
            let is_single = chain.first == chain.last;
            let (expected, found) = match worse {
                None => (closing, closing),
                Some(link) => link,
            };
            proofs.push(if is_single && self.plus.count + self.minus.count > 1 {
                Proof::absent(kind, chain.currency.code())
            } else {
                Proof::sums(kind, "", sum(expected), sum(found))
            });
            if worse.is_none() && self.chains.len() == 1 && chain.pending == 0 {
                let (oldest, newest) = if chain.down.is_none() {
                    (chain.first, chain.last)
                } else {
                    (chain.last, chain.first)
                };
                let balance = |amount| Balance {
                    amount,
                    date: None,
                    is_interim: false,
                };
                let opening = oldest.1.checked_sub(oldest.0).ok();
                ends = opening.map(|opening| (balance(opening), balance(newest.1)));
            }
        }
        (proofs, ends)
    }

    /// Compares one figure of the summary; `None`: it has fewer decimals than the sum of its column.
    pub(super) fn total(
        &self,
        total: &FooterTotal,
        index: usize,
        scope: &str,
        cell: &str,
        records: u64,
    ) -> Option<Proof> {
        if total.measured == Measured::Count {
            let kind = ProofKind::ControlCount;
            return Some(match count(cell) {
                Some(declared) => Proof::counts(kind, scope, declared, records),
                None => Proof::texts(kind, scope, cell, records.to_string()),
            });
        }
        let found = *self.sums.get(index)?;
        let Some(declared) = figure(cell, self.style) else {
            return Some(Proof::texts(
                ProofKind::ControlSum,
                scope,
                cell,
                plain(found),
            ));
        };
        self.compare(scope, declared, found)
    }

    fn compare(&self, scope: &str, declared: Figure, found: i128) -> Option<Proof> {
        let kind = ProofKind::ControlSum;
        let unit = |digits: usize| 10i128.pow(u32::from(DIGITS).saturating_sub(digits as u32));
        if !self.style.minor_units && found % unit(declared.decimals) != 0 {
            // The declared figure is coarser than the column: how it was rounded, the file does not say.
            return None;
        }
        if let Some(currency) = self.only_currency() {
            let unit = if self.style.minor_units {
                1
            } else {
                unit(usize::from(currency.minor_digits()))
            };
            if declared.value % unit == 0 && found % unit == 0 {
                let sum = |value: i128| MoneySum::from_minor(value / unit, currency);
                return Some(Proof::sums(kind, scope, sum(declared.value), sum(found)));
            }
        }
        Some(Proof::texts(
            kind,
            scope,
            plain(declared.value),
            plain(found),
        ))
    }

    /// Compares the figures of a footer line.
    pub(super) fn line(&self, line: &FooterLine, text: &str) -> Option<Vec<Proof>> {
        let groups = line.pattern.groups(text)?;
        let way = match line.of {
            Effect::Plus => self.plus,
            Effect::Minus => self.minus,
            Effect::All => Way {
                count: self.plus.count + self.minus.count,
                sum: self.plus.sum + self.minus.sum,
            },
        };
        let scope = line.of.code();
        let mut groups = groups.into_iter();
        let declared = groups.next().and_then(count)?;
        let mut proofs = vec![Proof::counts(
            ProofKind::ControlCount,
            scope,
            declared,
            way.count,
        )];
        if let Some(text) = groups.next() {
            let declared = figure(text, self.style)?.value;
            // Without a record there is no currency to count in; a declared zero then agrees.
            let proof = match self.only_currency() {
                None if declared == 0 && self.currencies.is_empty() => {
                    Proof::texts(ProofKind::ControlSum, scope, "0", "0")
                }
                None => Proof::absent(ProofKind::ControlSum, scope),
                Some(currency) => {
                    let unit = match self.style.minor_units {
                        true => 1,
                        false => {
                            10i128.pow(u32::from(DIGITS - currency.minor_digits().min(DIGITS)))
                        }
                    };
                    let found = match line.of {
                        Effect::Minus => way.sum.abs(),
                        _ => way.sum,
                    };
                    let declared = match line.of {
                        Effect::Minus => declared.abs(),
                        _ => declared,
                    };
                    if declared % unit == 0 {
                        let sum = |minor| MoneySum::from_minor(minor, currency);
                        Proof::sums(
                            ProofKind::ControlSum,
                            scope,
                            sum(declared / unit),
                            sum(found),
                        )
                    } else {
                        Proof::texts(
                            ProofKind::ControlSum,
                            scope,
                            plain(declared),
                            plain(found * unit),
                        )
                    }
                }
            };
            proofs.push(proof);
        }
        Some(proofs)
    }
}

/// A count; some bills write `20.0`.
fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// A figure as decimal text without zeros at its end.
fn plain(value: i128) -> String {
    let unit = 10u128.pow(u32::from(DIGITS));
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs();
    let text = format!(
        "{sign}{}.{:0width$}",
        digits / unit,
        digits % unit,
        width = usize::from(DIGITS)
    );
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
