//! One record's cells to an entry.

use std::borrow::Cow;

use quanfu_calendar::Date;
use quanfu_codes::mask_name;
use quanfu_money::lexer::{parse_decimal, parse_minor};
use quanfu_money::{Amount, Currency, Decimal, Money};
use quanfu_settlement::profile::{Sign, TimeFormat};
use quanfu_settlement::{
    Entry, EntryAmount, EntryKind, EntryStatus, Limits, Moment, RefRole, RowRate,
};

use super::cells::Cells;
use super::header::{AmountPlaces, Place, Plan};
use crate::encoding::escaped;

/// How many characters of a wrong cell are shown.
const SHOWN: usize = 64;

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) struct Refusal {
    pub code: &'static str,
    /// Cell at fault; none: the line as a whole, from this byte on.
    pub cell: Option<usize>,
    pub byte: usize,
    pub message: String,
}

impl Refusal {
    fn cell(code: &'static str, place: Place<'_>, message: impl Into<String>) -> Self {
        Self {
            code,
            cell: Some(place.index),
            byte: 0,
            message: message.into(),
        }
    }

    /// Where a day or an amount should be, a text without digits may be a name: it is shown masked.
    pub(super) fn hide_name(&mut self, cell: &str) {
        let wants_digits = self.code.starts_with("time-")
            || self.code.starts_with("date-")
            || self.code.starts_with("amount-");
        let cell = cell.trim();
        let is_name = cell
            .chars()
            .all(|c| c.is_alphabetic() || c == ' ' || c == '\u{b7}')
            && cell.chars().any(|c| c == ' ' || !c.is_ascii());
        if wants_digits && is_name && !cell.is_empty() {
            self.message = self.message.replace(cell, &mask_name(cell));
        }
    }

    pub(super) fn line(code: &'static str, byte: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            cell: None,
            byte,
            message: message.into(),
        }
    }
}

/// What was noticed in a record that could be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Noticed {
    /// `CNH` or `RMB` was read as `CNY`.
    Alias,
    /// A kind's word that the profile does not name.
    Kind(String),
}

/// A record that could be read.
#[derive(Debug)]
pub(super) struct Record<'t> {
    pub entry: Entry<'t>,
    pub money: Money,
    /// The balance behind it, if the cell is filled.
    pub balance: Option<Money>,
    pub noticed: Option<Noticed>,
}

/// Reads a record whose cells are split.
pub(super) fn read<'t>(
    text: &'t str,
    cells: &Cells,
    plan: &Plan<'_>,
    limits: &Limits,
) -> Result<Record<'t>, Refusal> {
    let row = Row { text, cells, plan };
    if text.len() > limits.field_bytes {
        let (index, length) = cells.longest();
        if length > limits.field_bytes {
            return Err(Refusal {
                code: "field-too-long",
                cell: Some(index),
                byte: 0,
                message: format!("{length} bytes; the limit is {}", limits.field_bytes),
            });
        }
    }
    let mut noticed = None;
    let (kind, kind_written) = row.kind(&mut noticed);
    let status = row.status()?;
    let currency = row.currency(plan.currency, plan.profile.currency_default, &mut noticed)?;
    let time = row.moment(plan.time, "time-malformed")?;
    let value_date = row.moment(plan.value_date, "date-malformed")?;
    let booking_date = row.moment(plan.booking_date, "date-malformed")?;
    let value_date: Option<Date> = value_date.or(time).map(|moment| moment.date);
    let booking_date = booking_date.map(|moment| moment.date);
    if value_date.is_none() && booking_date.is_none() {
        let place = [plan.value_date, plan.time, plan.booking_date];
        return Err(match place.into_iter().flatten().next() {
            Some(place) => Refusal::cell(
                "date-malformed",
                place,
                "the cell is empty; a record needs its day",
            ),
            None => Refusal::line("date-malformed", 0, "the record has no day"),
        });
    }
    let money = row.amount(kind, currency)?;
    let mut entry = Entry::with_amount(EntryAmount::Money(money));
    entry.kind = kind;
    entry.kind_written = kind_written;
    entry.status = status;
    entry.is_reversal = kind == EntryKind::Reversal;
    entry.value_date = value_date.or(booking_date);
    entry.booking_date = booking_date;
    entry.time = time.map(|moment| Moment {
        offset_minutes: moment.offset_minutes.or(plan.profile.zone_minutes),
        ..moment
    });
    for &(role, place) in &plan.references {
        if let Some(text) = row.filled(place) {
            entry.references.set(role, text);
        }
    }
    entry.counterparty.name = plan.counterparty_name.and_then(|place| row.filled(place));
    entry.counterparty.account = plan
        .counterparty_account
        .and_then(|place| row.filled(place));
    for &place in &plan.remittance {
        entry.remittance.extend(row.filled(place));
    }
    for (token, place) in plan.profile.tokens.iter().zip(&plan.tokens) {
        let text = place.and_then(|place| row.filled(place));
        if let Some(found) = text.as_deref().and_then(|text| token.pattern.find(text)) {
            entry.references.set(token.role, found.to_owned());
        }
    }
    if let Some((place, sign)) = plan.fee
        && let Some(cell) = row.filled(place)
    {
        let value = row.decimal(place, &cell, currency)?;
        let value = match sign {
            Sign::AsWritten => value,
            Sign::Negated => -value,
            Sign::Plus => value.abs(),
            Sign::Minus => -value.abs(),
        };
        entry.fee = Some(Amount::exact(value, currency));
    }
    if let Some([amount, currency_place, rate]) = plan.original {
        row.original(
            &mut entry,
            money,
            [amount, currency_place, rate],
            &mut noticed,
        )?;
    }
    let balance = match plan.balance {
        None => None,
        Some(place) => match row.filled(place) {
            None => None,
            Some(cell) => Some(row.money(place, &cell, currency)?),
        },
    };
    Ok(Record {
        entry,
        money,
        balance,
        noticed,
    })
}

struct Row<'r, 't, 'p> {
    text: &'t str,
    cells: &'r Cells,
    plan: &'r Plan<'p>,
}

impl<'t> Row<'_, 't, '_> {
    fn cell(&self, place: Place<'_>) -> Cow<'t, str> {
        self.cells.get(self.text, place.index)
    }

    /// A cell that says something.
    fn filled(&self, place: Place<'_>) -> Option<Cow<'t, str>> {
        let cell = self.cell(place);
        let is_blank = cell.is_empty() || place.column.blank.iter().any(|blank| *blank == cell);
        (!is_blank).then_some(cell)
    }

    fn kind(&self, noticed: &mut Option<Noticed>) -> (EntryKind, Option<Cow<'t, str>>) {
        let words = &self.plan.profile.kind;
        let Some(cell) = self.plan.kind.and_then(|place| self.filled(place)) else {
            return (words.default, None);
        };
        match words.meaning(&cell) {
            Some(kind) => (kind, Some(cell)),
            None => {
                *noticed = Some(Noticed::Kind(escaped(&cell, SHOWN)));
                (EntryKind::Other, Some(cell))
            }
        }
    }

    fn status(&self) -> Result<EntryStatus, Refusal> {
        let words = &self.plan.profile.status;
        let Some(place) = self.plan.status else {
            return Ok(words.default);
        };
        let Some(cell) = self.filled(place) else {
            return Ok(words.default);
        };
        words.meaning(&cell).ok_or_else(|| {
            Refusal::cell(
                "status-unknown",
                place,
                format!(
                    "{:?} is no status of this file; known are: {}",
                    escaped(&cell, SHOWN),
                    list(words.all())
                ),
            )
        })
    }

    fn currency(
        &self,
        place: Option<Place<'_>>,
        default: Option<Currency>,
        noticed: &mut Option<Noticed>,
    ) -> Result<Currency, Refusal> {
        let filled = place.and_then(|place| Some((place, self.filled(place)?)));
        let Some((place, cell)) = filled else {
            return match (default, place) {
                (Some(currency), _) => Ok(currency),
                (None, Some(place)) => Err(Refusal::cell(
                    "currency-missing",
                    place,
                    "the cell is empty; a code such as CNY would be right",
                )),
                (None, None) => Err(Refusal::line(
                    "currency-missing",
                    0,
                    "the record names no currency",
                )),
            };
        };
        if let Some(&currency) = self.plan.profile.currency_words.get(cell.as_ref()) {
            return Ok(currency);
        }
        if matches!(cell.as_ref(), "CNH" | "RMB") {
            noticed.get_or_insert(Noticed::Alias);
            return Ok(Currency::CNY);
        }
        Currency::from_code(&cell).map_err(|error| {
            let code = match error.code() {
                "currency-without-minor-unit" => "currency-without-minor-unit",
                _ => "currency-unknown",
            };
            Refusal::cell(code, place, error.to_string())
        })
    }

    fn moment(
        &self,
        place: Option<Place<'_>>,
        malformed: &'static str,
    ) -> Result<Option<Moment>, Refusal> {
        let Some(place) = place else { return Ok(None) };
        let Some(cell) = self.filled(place) else {
            return Ok(None);
        };
        let formats = &place.column.formats;
        let mut code = malformed;
        for format in formats {
            match format.read(&cell) {
                Ok(moment) => return Ok(Some(moment)),
                Err("date-impossible") => code = "date-impossible",
                Err(_) => {}
            }
        }
        let shown = escaped(&cell, SHOWN);
        let message = if code == "date-impossible" {
            format!("there is no such day or time: {shown:?}")
        } else {
            let formats = list(formats.iter().map(|format: &TimeFormat| &format.text));
            format!("{shown:?} has another shape than {formats}")
        };
        Err(Refusal::cell(code, place, message))
    }

    /// A cell's text without the mark that says nothing.
    fn unmarked<'c>(&self, cell: &'c str) -> &'c str {
        match &self.plan.profile.currency_mark {
            None => cell,
            Some(mark) => match cell.strip_prefix(mark.as_str()) {
                Some(rest) => rest.trim_start(),
                None => cell,
            },
        }
    }

    fn money(&self, place: Place<'_>, cell: &str, currency: Currency) -> Result<Money, Refusal> {
        let text = self.unmarked(cell);
        parse_minor(
            text.as_bytes(),
            self.plan.profile.style,
            currency.minor_digits(),
        )
        .map(|parsed| Money::from_minor(parsed.minor, currency))
        .map_err(|error| Refusal::cell(error.code(), place, error.to_string()))
    }

    fn decimal(
        &self,
        place: Place<'_>,
        cell: &str,
        currency: Currency,
    ) -> Result<Decimal, Refusal> {
        let style = self.plan.profile.style;
        let text = self.unmarked(cell);
        let value = parse_decimal(text.as_bytes(), style)
            .map_err(|error| Refusal::cell(error.code(), place, error.to_string()))?;
        if !style.minor_units {
            return Ok(value);
        }
        let unit = Decimal::new(1, u32::from(currency.minor_digits()));
        value
            .checked_mul(unit)
            .ok_or_else(|| Refusal::cell("amount-overflow", place, "more than an amount can hold"))
    }

    fn required(&self, place: Place<'_>) -> Result<Cow<'t, str>, Refusal> {
        self.filled(place).ok_or_else(|| {
            Refusal::cell(
                "amount-empty",
                place,
                "the cell is empty; the record's amount would stand here",
            )
        })
    }

    fn signed(&self, place: Place<'_>, sign: Sign, currency: Currency) -> Result<Money, Refusal> {
        let cell = self.required(place)?;
        let money = self.money(place, &cell, currency)?;
        with_sign(money, sign, place)
    }

    fn amount(&self, kind: EntryKind, currency: Currency) -> Result<Money, Refusal> {
        match &self.plan.amount {
            AmountPlaces::Signed(place, sign) => self.signed(*place, *sign, currency),
            AmountPlaces::Directed {
                amount,
                direction,
                plus,
                minus,
            } => {
                let word = self.cell(*direction);
                let sign = if plus.iter().any(|known| *known == word) {
                    Sign::AsWritten
                } else if minus.iter().any(|known| *known == word) {
                    Sign::Negated
                } else {
                    let known = list(plus.iter().chain(*minus));
                    let shown = escaped(&word, SHOWN);
                    return Err(Refusal::cell(
                        "side-unknown",
                        *direction,
                        format!("{shown:?} is no direction of this file; known are: {known}"),
                    ));
                };
                let money = self.signed(*amount, Sign::AsWritten, currency)?;
                if money.is_negative() {
                    return Err(Refusal::cell(
                        "amount-malformed",
                        *amount,
                        "an amount beside a direction has no sign",
                    ));
                }
                with_sign(money, sign, *amount)
            }
            AmountPlaces::Split { plus, minus } => {
                let side = |place: Place<'_>| -> Result<Option<Money>, Refusal> {
                    match self.filled(place) {
                        None => Ok(None),
                        Some(cell) => self.money(place, &cell, currency).map(Some),
                    }
                };
                let (raises, lowers) = (side(*plus)?, side(*minus)?);
                match (raises, lowers) {
                    (None, None) => Err(Refusal::cell(
                        "amount-empty",
                        *plus,
                        "neither of the two amount cells is filled",
                    )),
                    (Some(plus_money), Some(lowers))
                        if !plus_money.is_zero() && !lowers.is_zero() =>
                    {
                        Err(Refusal::cell(
                            "amount-malformed",
                            *minus,
                            "both amount cells are filled; a record has one effect",
                        ))
                    }
                    (Some(money), _) if !money.is_zero() => {
                        if money.is_negative() {
                            return Err(Refusal::cell(
                                "amount-malformed",
                                *plus,
                                "what raises is written without a minus sign",
                            ));
                        }
                        Ok(money)
                    }
                    (_, Some(money)) => with_sign(money, Sign::Minus, *minus),
                    (Some(money), None) => Ok(money),
                }
            }
            AmountPlaces::ByKind(kinds) => {
                let found = kinds.iter().find(|(known, _, _)| *known == kind);
                match (found, self.plan.kind) {
                    (Some((_, place, sign)), _) => self.signed(*place, *sign, currency),
                    (None, Some(place)) => {
                        let word = escaped(&self.cell(place), SHOWN);
                        let known = list(self.plan.profile.kind.all());
                        Err(Refusal::cell(
                            "kind-unknown",
                            place,
                            format!(
                                "{word:?} tells no amount column of this file; known are: {known}"
                            ),
                        ))
                    }
                    (None, None) => Err(Refusal::line(
                        "kind-unknown",
                        0,
                        "the record's kind tells no amount column",
                    )),
                }
            }
        }
    }

    fn original(
        &self,
        entry: &mut Entry<'t>,
        money: Money,
        [amount, currency, rate]: [Option<Place<'_>>; 3],
        noticed: &mut Option<Noticed>,
    ) -> Result<(), Refusal> {
        let Some(original) = &self.plan.profile.original else {
            return Ok(());
        };
        let Some(amount) = amount.and_then(|place| Some((place, self.filled(place)?))) else {
            return Ok(());
        };
        let (place, cell) = amount;
        let before = self.currency(currency, None, noticed)?;
        let value = self.money(place, &cell, before)?;
        // The amount before exchange has the effect of the record, whatever sign it is written with.
        let sign = if money.is_negative() {
            Sign::Minus
        } else {
            Sign::Plus
        };
        entry.original = Some(with_sign(value, sign, place)?);
        if let Some((place, cell)) = rate.and_then(|place| Some((place, self.filled(place)?))) {
            let value = parse_decimal(cell.as_bytes(), self.plan.profile.style)
                .map_err(|error| Refusal::cell(error.code(), place, error.to_string()))?;
            if value <= Decimal::ZERO {
                return Err(Refusal::cell(
                    "amount-malformed",
                    place,
                    format!("a rate of {value}; more than zero would be right"),
                ));
            }
            let settled = money.currency();
            let (base, quote) = if original.base_is_original {
                (before, settled)
            } else {
                (settled, before)
            };
            entry.rate = Some(RowRate {
                base,
                unit: original.unit,
                quote,
                value,
            });
        }
        Ok(())
    }
}

fn with_sign(money: Money, sign: Sign, place: Place<'_>) -> Result<Money, Refusal> {
    let turned = match sign {
        Sign::AsWritten => return Ok(money),
        Sign::Plus => money.checked_abs(),
        Sign::Negated => money.checked_neg(),
        Sign::Minus => money.checked_abs().and_then(Money::checked_neg),
    };
    turned.map_err(|error| Refusal::cell("amount-overflow", place, error.to_string()))
}

fn list<S: AsRef<str>>(words: impl Iterator<Item = S>) -> String {
    let words: Vec<String> = words.map(|word| format!("{:?}", word.as_ref())).collect();
    words.join(", ")
}

/// The role by which a file that is the whole of a merchant's days says whose days they are.
pub(super) const WHOSE: RefRole = RefRole::Merchant;
