//! One source's records in columns of integers: what matching reads.
//!
//! A book is filled by a reader (it is a [`Sink`] through [`BookBuilder`]) or from rows of a program's own
//! with [`Book::from_rows`]. Rejected records have a row in [`Book::rejected`], so nothing is lost.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::ControlFlow;

use quanfu_calendar::{Date, Datelike as _};
use quanfu_money::{Currency, Decimal, Money};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestAlg};
use crate::entry::{At, Entry, EntryAmount, EntryKind, EntryStatus, Moment, RefRole, RowRate};
use crate::finding::{Finding, FindingCode, Rejected, Severity};
use crate::limits::Limits;
use crate::proof::Proof;
use crate::reading::{FileHead, Sink, SourceFile};
use crate::rules::{SourceRules, Token, TokenFrom};
use crate::statement::{StatementHead, StatementTail};

/// Millionths of a minor unit: the grain in which fees are kept (WeChat's fees have five decimals).
pub const FEE_GRAIN: i64 = 1_000_000;

/// A record's name: the first 64 bits of the SHA-256 of its bytes, and which of several equal records it is.
///
/// Written as 16 hex digits, with `-2` for the second of equal records, `-3` for the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    /// The first eight bytes of the digest, big-endian.
    pub digest: u64,
    /// 1 for the first of equal records of a source.
    pub nth: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)?;
        if self.nth > 1 {
            write!(f, "-{}", self.nth)
        } else {
            Ok(())
        }
    }
}

impl std::str::FromStr for RecordId {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{s:?} is not a record id: 16 hex digits, and -2, -3 ... for equal records, would be right"
            )
        };
        let (hex, nth) = match s.split_once('-') {
            Some((hex, nth)) => (hex, nth.parse().ok().filter(|&n| n > 1).ok_or_else(bad)?),
            None => (s, 1),
        };
        let lower = hex
            .bytes()
            .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        if hex.len() != 16 || !lower {
            return Err(bad());
        }
        Ok(Self {
            digest: u64::from_str_radix(hex, 16).map_err(|_| bad())?,
            nth,
        })
    }
}

impl Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Texts of one column, one after the other in one buffer; an empty text means "none".
#[derive(Clone, Debug, Default)]
pub struct TextColumn {
    bytes: String,
    ends: Vec<u64>,
}

impl TextColumn {
    /// The text of a row, if it has one.
    #[must_use]
    pub fn get(&self, row: u32) -> Option<&str> {
        let row = row as usize;
        let end = *self.ends.get(row)? as usize;
        let start = if row == 0 {
            0
        } else {
            self.ends[row - 1] as usize
        };
        let text = &self.bytes[start..end];
        (!text.is_empty()).then_some(text)
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.bytes
            .truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    fn push(&mut self, rows_before: usize, text: &str) {
        self.ends.resize(rows_before, self.bytes.len() as u64);
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u64);
    }
}

/// A statement as the book knows it: its rows stand together.
#[derive(Clone, Debug)]
pub struct BookStatement {
    /// Index into [`Book::files`].
    pub file: u32,
    /// What was known before its entries.
    pub head: StatementHead,
    /// What was known after them.
    pub tail: StatementTail,
    /// First row.
    pub first_row: u32,
    /// One past the last row.
    pub end_row: u32,
}

/// A rejected record as the book knows it.
#[derive(Clone, Debug)]
pub struct RejectedRow {
    /// Index into [`Book::files`].
    pub file: u32,
    /// Its name.
    pub id: RecordId,
    /// Why it could not be read.
    pub why: Rejected,
}

/// An item taken over from an earlier result: what its row needs to be matched again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The source's name.
    pub source: String,
    /// The record's name.
    pub record: RecordId,
    /// File that it stood in.
    pub file: String,
    /// Line that it stood on, counted from 1; 0 for rows of a program.
    pub line: u32,
    /// Signed amount, at the currency's full scale.
    pub amount: String,
    /// Currency.
    pub currency: Currency,
    /// Fee as written, if the record has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
    /// Amount before exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Money>,
    /// The record's own rate, as `100 JPY = 4.8134 CNY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// What kind of movement it is.
    pub kind: EntryKind,
    /// How far it had come.
    pub status: EntryStatus,
    /// Whether it undoes an earlier record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reversal: bool,
    /// Value date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<Date>,
    /// Accounting day by the source's zone and cut-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounting_day: Option<Date>,
    /// Seconds since 1970-01-01T00:00:00Z, if the record has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant: Option<i64>,
    /// References by role.
    pub references: BTreeMap<RefRole, String>,
}

/// Why a row cannot enter a book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The record has no currency and the source's rules name none.
    #[error(
        "the record has no currency: `currency = \"...\"` for source {source_name:?} in the rules would tell it"
    )]
    NoCurrency {
        /// The source.
        source_name: String,
    },
    /// The written amount does not fit the currency that the rules name.
    #[error("amount {text:?} is no amount of {currency}")]
    Amount {
        /// As written.
        text: String,
        /// The currency that the rules name.
        currency: Currency,
    },
    /// The fee is finer than a millionth of a minor unit, too large, or of another currency.
    #[error(
        "fee {text} cannot be kept: at most six digits beyond the minor unit of {currency}, in that currency, would be right"
    )]
    Fee {
        /// As read.
        text: String,
        /// The record's currency.
        currency: Currency,
    },
    /// A key field is longer than the limit.
    #[error("reference {role} has {bytes} bytes; the limit is {limit}")]
    KeyTooLong {
        /// Which reference.
        role: RefRole,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More rows, files or currencies than the limit.
    #[error("source {source_name:?} has more {what} than the limit of {limit}")]
    TooMany {
        /// The source.
        source_name: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl BookError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "record-no-currency",
        "record-amount",
        "record-fee",
        "key-too-long",
        "too-many",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCurrency { .. } => "record-no-currency",
            Self::Amount { .. } => "record-amount",
            Self::Fee { .. } => "record-fee",
            Self::KeyTooLong { .. } => "key-too-long",
            Self::TooMany { .. } => "too-many",
        }
    }
}

/// One source's records in columns.
#[derive(Clone, Debug, Default)]
pub struct Book {
    source: String,
    currencies: Vec<Currency>,
    files: Vec<SourceFile>,
    statements: Vec<BookStatement>,
    rejected: Vec<RejectedRow>,
    findings: Vec<(u32, Finding)>,
    amount: Vec<i64>,
    currency: Vec<u8>,
    kind: Vec<EntryKind>,
    status: Vec<EntryStatus>,
    reversal: Vec<bool>,
    value_day: Vec<i32>,
    accounting_day: Vec<i32>,
    instant: Vec<i64>,
    line: Vec<u32>,
    byte: Vec<u64>,
    len: Vec<u32>,
    statement: Vec<u32>,
    digest: Vec<u64>,
    nth: BTreeMap<u32, u32>,
    fee: Vec<i64>,
    references: BTreeMap<RefRole, TextColumn>,
    fx: BTreeMap<u32, (Option<Money>, Option<RowRate>)>,
    carried: BTreeMap<u32, Item>,
}

const NO_DAY: i32 = i32::MIN;
const NO_INSTANT: i64 = i64::MIN;
const NO_FEE: i64 = i64::MIN;

fn day_number(date: Date) -> i32 {
    date.num_days_from_ce()
}

impl Book {
    /// A book from a program's own rows: no file, no format. `rows` are in the program's order; the record's
    /// name comes from its values, so equal rows get `-2`, `-3`.
    ///
    /// # Errors
    ///
    /// [`BookError`] with the index of the row that cannot be kept.
    pub fn from_rows<'a>(
        rules: &SourceRules,
        rows: impl IntoIterator<Item = Entry<'a>>,
        limits: &Limits,
    ) -> Result<Self, (usize, BookError)> {
        let mut builder = BookBuilder::new(rules.clone(), limits.clone());
        builder.begin_rows();
        for (index, entry) in rows.into_iter().enumerate() {
            let content = canonical_row(&entry);
            builder
                .push(entry, content.as_bytes())
                .map_err(|error| (index, error))?;
        }
        Ok(builder.finish())
    }

    /// The source's name.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Number of rows (readable records and items carried in).
    #[must_use]
    pub fn len(&self) -> u32 {
        self.amount.len() as u32 // bounded by `Limits::rows`, a u32
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.amount.is_empty()
    }

    /// The currencies that occur, in order of appearance; [`Book::currency_index`] points here.
    #[must_use]
    pub fn currencies(&self) -> &[Currency] {
        &self.currencies
    }

    /// The files read, in the order given.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The statements, in the order read.
    #[must_use]
    pub fn statements(&self) -> &[BookStatement] {
        &self.statements
    }

    /// The records that could not be read.
    #[must_use]
    pub fn rejected(&self) -> &[RejectedRow] {
        &self.rejected
    }

    /// What was noticed while reading, with the index of the file.
    #[must_use]
    pub fn findings(&self) -> &[(u32, Finding)] {
        &self.findings
    }

    /// Column of signed amounts in minor units.
    #[must_use]
    pub fn amounts(&self) -> &[i64] {
        &self.amount
    }

    /// Index of a row's currency in [`Book::currencies`].
    #[must_use]
    pub fn currency_index(&self, row: u32) -> u8 {
        self.currency[row as usize]
    }

    /// A row's currency.
    #[must_use]
    pub fn currency(&self, row: u32) -> Currency {
        self.currencies[self.currency[row as usize] as usize]
    }

    /// A row's signed amount.
    #[must_use]
    pub fn money(&self, row: u32) -> Money {
        Money::from_minor(self.amount[row as usize], self.currency(row))
    }

    /// A row's kind.
    #[must_use]
    pub fn kind(&self, row: u32) -> EntryKind {
        self.kind[row as usize]
    }

    /// A row's status.
    #[must_use]
    pub fn status(&self, row: u32) -> EntryStatus {
        self.status[row as usize]
    }

    /// Whether a row undoes an earlier one.
    #[must_use]
    pub fn is_reversal(&self, row: u32) -> bool {
        self.reversal[row as usize]
    }

    /// A row's value date.
    #[must_use]
    pub fn value_date(&self, row: u32) -> Option<Date> {
        to_date(self.value_day[row as usize])
    }

    /// A row's accounting day: its local day in the source's zone, the next one from the cut-off (日切) on;
    /// without a time of day the value date, or else the booking date.
    #[must_use]
    pub fn accounting_day(&self, row: u32) -> Option<Date> {
        to_date(self.accounting_day[row as usize])
    }

    /// Accounting days as day numbers (1 = 0001-01-01), `i32::MIN` where there is none.
    #[must_use]
    pub fn accounting_days(&self) -> &[i32] {
        &self.accounting_day
    }

    /// Value dates as day numbers (1 = 0001-01-01), `i32::MIN` where there is none.
    #[must_use]
    pub fn value_days(&self) -> &[i32] {
        &self.value_day
    }

    /// Seconds since 1970-01-01T00:00:00Z, where the row has a time.
    #[must_use]
    pub fn instant(&self, row: u32) -> Option<i64> {
        Some(self.instant[row as usize]).filter(|&second| second != NO_INSTANT)
    }

    /// Fee in millionths of a minor unit ([`FEE_GRAIN`]), where the row has one.
    #[must_use]
    pub fn fee_grains(&self, row: u32) -> Option<i64> {
        self.fee
            .get(row as usize)
            .copied()
            .filter(|&fee| fee != NO_FEE)
    }

    /// Amount before exchange.
    #[must_use]
    pub fn original(&self, row: u32) -> Option<Money> {
        self.fx.get(&row).and_then(|fx| fx.0)
    }

    /// The row's own rate.
    #[must_use]
    pub fn rate(&self, row: u32) -> Option<RowRate> {
        self.fx.get(&row).and_then(|fx| fx.1)
    }

    /// A reference of a row.
    #[must_use]
    pub fn reference(&self, row: u32, role: RefRole) -> Option<&str> {
        self.references.get(&role)?.get(row)
    }

    /// The roles that any row of this book has.
    pub fn roles(&self) -> impl Iterator<Item = RefRole> + '_ {
        self.references.keys().copied()
    }

    /// A row's name.
    #[must_use]
    pub fn id(&self, row: u32) -> RecordId {
        RecordId {
            digest: self.digest[row as usize],
            nth: self.nth.get(&row).copied().unwrap_or(1),
        }
    }

    /// Column of record digests (first 64 bits).
    #[must_use]
    pub fn digests(&self) -> &[u64] {
        &self.digest
    }

    /// Where a row stands in its file.
    #[must_use]
    pub fn at(&self, row: u32) -> At {
        let row = row as usize;
        At {
            line: self.line[row],
            byte: self.byte[row],
            len: self.len[row],
        }
    }

    /// Index of a row's statement in [`Book::statements`]; `None` for items carried in.
    #[must_use]
    pub fn statement_of(&self, row: u32) -> Option<u32> {
        Some(self.statement[row as usize]).filter(|&s| s != u32::MAX)
    }

    /// Name of the file that a row stands in (for items carried in: stood in); empty for rows of a program.
    #[must_use]
    pub fn file_name(&self, row: u32) -> &str {
        match self.carried.get(&row) {
            Some(item) => &item.file,
            None => self
                .statement_of(row)
                .and_then(|s| self.files.get(self.statements[s as usize].file as usize))
                .map_or("", |file| &file.name),
        }
    }

    /// The item that a row was carried in as, if it comes from an earlier result.
    #[must_use]
    pub fn carried(&self, row: u32) -> Option<&Item> {
        self.carried.get(&row)
    }

    /// A row with its data, as results keep open items.
    #[must_use]
    pub fn item(&self, row: u32) -> Item {
        if let Some(item) = self.carried.get(&row) {
            return item.clone();
        }
        let currency = self.currency(row);
        Item {
            source: self.source.clone(),
            record: self.id(row),
            file: self.file_name(row).to_owned(),
            line: self.line[row as usize],
            amount: self.money(row).amount_text(),
            currency,
            fee: self
                .fee_grains(row)
                .map(|grains| fee_text(grains, currency)),
            original: self.original(row),
            rate: self.rate(row).map(|rate| rate.to_string()),
            kind: self.kind(row),
            status: self.status(row),
            is_reversal: self.is_reversal(row),
            value_date: self.value_date(row),
            accounting_day: self.accounting_day(row),
            instant: self.instant(row),
            references: self
                .references
                .iter()
                .filter_map(|(&role, column)| Some((role, column.get(row)?.to_owned())))
                .collect(),
        }
    }
}

fn to_date(day: i32) -> Option<Date> {
    if day == NO_DAY {
        None
    } else {
        Date::from_num_days_from_ce_opt(day)
    }
}

impl fmt::Display for RowRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} = {} {}",
            self.unit, self.base, self.value, self.quote
        )
    }
}

impl std::str::FromStr for RowRate {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("{s:?} is not a rate: `100 JPY = 4.8134 CNY` would be right");
        let mut words = s.split(' ');
        let mut word = || words.next().ok_or_else(bad);
        let unit = word()?.parse().map_err(|_| bad())?;
        let base = word()?.parse().map_err(|_| bad())?;
        if word()? != "=" {
            return Err(bad());
        }
        let value = Decimal::from_str_exact(word()?).map_err(|_| bad())?;
        let quote = word()?.parse().map_err(|_| bad())?;
        if words.next().is_some() {
            return Err(bad());
        }
        Ok(Self {
            base,
            unit,
            quote,
            value,
        })
    }
}

/// Text of a fee in millionths of a minor unit, without trailing zeros beyond the currency's scale.
#[must_use]
pub fn fee_text(grains: i64, currency: Currency) -> String {
    let scale = u32::from(currency.minor_digits()) + 6;
    let mut text = Decimal::from_i128_with_scale(i128::from(grains), scale).to_string();
    let keep = usize::from(currency.minor_digits());
    if let Some(point) = text.find('.') {
        let least = if keep == 0 { point } else { point + 1 + keep };
        while text.len() > least && text.ends_with('0') {
            text.pop();
        }
        if text.ends_with('.') {
            text.pop();
        }
    }
    text
}

/// A fee in millionths of a minor unit; `None` if it is finer than that or too large.
#[must_use]
pub fn fee_grains(fee: Decimal, currency: Currency) -> Option<i64> {
    let scale = u32::from(currency.minor_digits()) + 6;
    let fee = fee.normalize();
    if fee.scale() > scale {
        return None;
    }
    let factor = 10i128.checked_pow(scale - fee.scale())?;
    i64::try_from(fee.mantissa().checked_mul(factor)?)
        .ok()
        .filter(|&grains| grains != NO_FEE)
}

/// Text form of a row's values, for the names of rows that no file holds.
fn canonical_row(entry: &Entry<'_>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let amount = match &entry.amount {
        EntryAmount::Money(money) => money.to_string(),
        EntryAmount::Written(written) => written.to_string(),
    };
    let time = entry
        .time
        .map(|t| format!("{} {} {:?}", t.date, t.second, t.offset_minutes));
    let _ = write!(
        text,
        "{amount}\u{1f}{}\u{1f}{}\u{1f}{:?}\u{1f}{:?}\u{1f}{time:?}\u{1f}{:?}\u{1f}{:?}\u{1f}{:?}\u{1f}{}",
        entry.kind,
        entry.status,
        entry.value_date,
        entry.booking_date,
        entry.fee,
        entry.original,
        entry.rate,
        entry.is_reversal,
    );
    for (role, reference) in entry.references.iter() {
        let _ = write!(text, "\u{1f}{role}={reference}");
    }
    for line in &entry.remittance {
        let _ = write!(text, "\u{1f}{line}");
    }
    text
}

/// A point that a [`BookBuilder`] can go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookMark {
    rows: u32,
    files: usize,
    statements: usize,
    rejected: usize,
    findings: usize,
}

/// Fills a [`Book`], as a [`Sink`] of readers or row by row.
pub struct BookBuilder {
    book: Book,
    rules: SourceRules,
    limits: Limits,
    seen: HashMap<u64, u32>,
    wanted: Option<Vec<RefRole>>,
    stop: Option<BookError>,
    last_currency: Option<(Currency, u8)>,
}

impl fmt::Debug for BookBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookBuilder")
            .field("source", &self.book.source)
            .field("rows", &self.book.len())
            .finish()
    }
}

impl BookBuilder {
    /// The fee, in grains, that the source's schedule has for a record that names none.
    fn due_fee(&self, entry: &Entry<'_>, money: Money) -> Result<Option<i64>, BookError> {
        if self.rules.fees.is_empty() {
            return Ok(None);
        }
        let Some(day) = self.rules.days_of(entry).accounting_day else {
            return Ok(None);
        };
        let mut rates = self.rules.fees.iter();
        let Some(rate) = rates.find(|rate| rate.is_for(entry.kind, money.currency(), day)) else {
            return Ok(None);
        };
        let grains = rate
            .fee_of(money.minor())
            .and_then(|fee| fee.checked_mul(FEE_GRAIN.into()));
        let kept = grains.and_then(|grains| i64::try_from(grains).ok());
        kept.map(Some).ok_or_else(|| BookError::Fee {
            text: format!("by {:?}", rate.document),
            currency: money.currency(),
        })
    }

    /// An empty book of a source with these rules (its zone, cut-off, currency and tokens).
    #[must_use]
    pub fn new(rules: SourceRules, limits: Limits) -> Self {
        let book = Book {
            source: rules.name.clone(),
            ..Book::default()
        };
        Self {
            book,
            rules,
            limits,
            seen: HashMap::new(),
            wanted: None,
            stop: None,
            last_currency: None,
        }
    }

    /// Keeps references of these roles only; without this call all are kept.
    #[must_use]
    pub fn with_roles(mut self, roles: Vec<RefRole>) -> Self {
        self.wanted = Some(roles);
        self
    }

    /// Begins a run of rows that no file holds. [`BookBuilder::push`] then adds them.
    pub fn begin_rows(&mut self) {
        self.begin_statement(&StatementHead::default());
    }

    /// Adds the items that an earlier result carried over, before anything else.
    ///
    /// # Errors
    ///
    /// A sentence naming the item whose text is damaged.
    pub fn push_carried(&mut self, item: &Item) -> Result<(), String> {
        let bad = |what: &str| {
            format!(
                "carried item {} of source {}: unreadable {what}",
                item.record, item.source
            )
        };
        let money = format!("{} {}", item.amount, item.currency)
            .parse::<Money>()
            .map_err(|_| bad("amount"))?;
        let fee = match &item.fee {
            Some(text) => {
                let fee = Decimal::from_str_exact(text).map_err(|_| bad("fee"))?;
                Some(fee_grains(fee, item.currency).ok_or_else(|| bad("fee"))?)
            }
            None => None,
        };
        let rate = item
            .rate
            .as_deref()
            .map(str::parse::<RowRate>)
            .transpose()
            .map_err(|_| bad("rate"))?;
        let row = self.book.len();
        let currency = self
            .currency_index(money.currency())
            .map_err(|error| error.to_string())?;
        for (&role, text) in &item.references {
            self.book
                .references
                .entry(role)
                .or_default()
                .push(row as usize, text);
        }
        let book = &mut self.book;
        book.amount.push(money.minor());
        book.currency.push(currency);
        book.kind.push(item.kind);
        book.status.push(item.status);
        book.reversal.push(item.is_reversal);
        book.value_day
            .push(item.value_date.map_or(NO_DAY, day_number));
        book.accounting_day
            .push(item.accounting_day.map_or(NO_DAY, day_number));
        book.instant.push(item.instant.unwrap_or(NO_INSTANT));
        book.line.push(item.line);
        book.byte.push(0);
        book.len.push(0);
        book.statement.push(u32::MAX);
        book.digest.push(item.record.digest);
        if item.record.nth > 1 {
            book.nth.insert(row, item.record.nth);
        }
        if let Some(fee) = fee {
            book.fee.resize(row as usize, NO_FEE);
            book.fee.push(fee);
        }
        if item.original.is_some() || rate.is_some() {
            book.fx.insert(row, (item.original, rate));
        }
        book.carried.insert(row, item.clone());
        let seen = self.seen.entry(item.record.digest).or_insert(0);
        *seen = item.record.nth.max(*seen);
        Ok(())
    }

    /// Adds one row of a program's own; its values name it. [`BookBuilder::begin_rows`] comes before the first.
    ///
    /// # Errors
    ///
    /// [`BookError`]; the book is as before.
    pub fn push_row(&mut self, entry: Entry<'_>) -> Result<(), BookError> {
        let content = canonical_row(&entry);
        self.push(entry, content.as_bytes())
    }

    /// Adds one record. `raw` are its bytes, which name it.
    ///
    /// # Errors
    ///
    /// [`BookError`]; the book is as before.
    pub fn push(&mut self, entry: Entry<'_>, raw: &[u8]) -> Result<(), BookError> {
        let source_name = || self.rules.name.clone();
        if self.book.len() >= self.limits.rows {
            return Err(BookError::TooMany {
                source_name: source_name(),
                what: "rows",
                limit: self.limits.rows.into(),
            });
        }
        let money = match &entry.amount {
            EntryAmount::Money(money) => *money,
            EntryAmount::Written(text) => {
                let currency = self.rules.currency.ok_or_else(|| BookError::NoCurrency {
                    source_name: source_name(),
                })?;
                Decimal::from_str_exact(text)
                    .ok()
                    .and_then(|amount| Money::exact(amount, currency).ok())
                    .ok_or_else(|| BookError::Amount {
                        text: text.to_string(),
                        currency,
                    })?
            }
        };
        let fee = match entry.fee {
            Some(fee) => {
                let bad = || BookError::Fee {
                    text: fee.to_string(),
                    currency: money.currency(),
                };
                if fee.currency() != money.currency() {
                    return Err(bad());
                }
                Some(fee_grains(fee.value(), money.currency()).ok_or_else(bad)?)
            }
            None => self.due_fee(&entry, money)?,
        };
        let limit = self.limits.key_bytes;
        for (role, text) in entry.references.iter() {
            if text.len() > limit && self.keeps(role) {
                return Err(BookError::KeyTooLong {
                    role,
                    bytes: text.len(),
                    limit,
                });
            }
        }
        let currency = self.currency_index(money.currency())?;
        let row = self.book.len();
        let days = self.rules.days_of(&entry);
        for (role, text) in entry.references.iter() {
            if self.keeps(role) {
                self.book
                    .references
                    .entry(role)
                    .or_default()
                    .push(row as usize, text);
            }
        }
        for (index, token) in self.rules.tokens.iter().enumerate() {
            // of several tokens of a role the first that is found counts
            let earlier = &self.rules.tokens[..index];
            let is_found = |token: &Token| {
                token
                    .find(&entry)
                    .is_some_and(|text| !text.is_empty() && text.len() <= limit)
            };
            if earlier
                .iter()
                .any(|other| other.role == token.role && is_found(other))
            {
                continue;
            }
            if let Some(text) = token.find(&entry)
                && text.len() <= limit
            {
                self.book
                    .references
                    .entry(token.role)
                    .or_default()
                    .push(row as usize, &text);
            }
        }
        let digest = record_digest(raw);
        let nth = self.seen.entry(digest).and_modify(|n| *n += 1).or_insert(1);
        let book = &mut self.book;
        if *nth > 1 {
            book.nth.insert(row, *nth);
        }
        book.amount.push(money.minor());
        book.currency.push(currency);
        book.kind.push(entry.kind);
        book.status.push(entry.status);
        book.reversal.push(entry.is_reversal);
        book.value_day.push(
            entry
                .value_date
                .or(entry.booking_date)
                .map_or(NO_DAY, day_number),
        );
        book.accounting_day
            .push(days.accounting_day.map_or(NO_DAY, day_number));
        book.instant.push(days.instant.unwrap_or(NO_INSTANT));
        book.line.push(entry.at.line);
        book.byte.push(entry.at.byte);
        book.len.push(entry.at.len);
        book.statement
            .push((book.statements.len() as u32).wrapping_sub(1));
        book.digest.push(digest);
        if let Some(fee) = fee {
            book.fee.resize(row as usize, NO_FEE);
            book.fee.push(fee);
        }
        if entry.original.is_some() || entry.rate.is_some() {
            book.fx.insert(row, (entry.original, entry.rate));
        }
        if let Some(statement) = book.statements.last_mut() {
            statement.end_row = row + 1;
        }
        Ok(())
    }

    fn keeps(&self, role: RefRole) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&role))
            && !self.rules.tokens.iter().any(|token| token.role == role)
    }

    fn currency_index(&mut self, currency: Currency) -> Result<u8, BookError> {
        if let Some((last, index)) = self.last_currency
            && last == currency
        {
            return Ok(index);
        }
        let known = self.book.currencies.iter().position(|&c| c == currency);
        let index = known.unwrap_or(self.book.currencies.len());
        let limit = self.limits.currencies.min(255);
        if index >= limit {
            return Err(BookError::TooMany {
                source_name: self.rules.name.clone(),
                what: "currencies",
                limit: limit as u64,
            });
        }
        if known.is_none() {
            self.book.currencies.push(currency);
        }
        let index = index as u8; // below 255, checked above
        self.last_currency = Some((currency, index));
        Ok(index)
    }

    /// Notes how far the book has come, so that a file that turns out to be unfit can be taken out again.
    #[must_use]
    pub fn mark(&self) -> BookMark {
        BookMark {
            rows: self.book.len(),
            files: self.book.files.len(),
            statements: self.book.statements.len(),
            rejected: self.book.rejected.len(),
            findings: self.book.findings.len(),
        }
    }

    /// Takes out all that came since `mark`.
    pub fn rollback(&mut self, mark: BookMark) {
        let book = &mut self.book;
        let rows = mark.rows as usize;
        let gone = book.digest[rows..].iter().copied();
        let gone_rejected = book.rejected[mark.rejected..]
            .iter()
            .map(|rejected| rejected.id.digest);
        for digest in gone.chain(gone_rejected) {
            if let Some(count) = self.seen.get_mut(&digest) {
                *count -= 1;
                if *count == 0 {
                    self.seen.remove(&digest);
                }
            }
        }
        book.files.truncate(mark.files);
        book.statements.truncate(mark.statements);
        book.rejected.truncate(mark.rejected);
        book.findings.truncate(mark.findings);
        book.amount.truncate(rows);
        book.currency.truncate(rows);
        book.kind.truncate(rows);
        book.status.truncate(rows);
        book.reversal.truncate(rows);
        book.value_day.truncate(rows);
        book.accounting_day.truncate(rows);
        book.instant.truncate(rows);
        book.line.truncate(rows);
        book.byte.truncate(rows);
        book.len.truncate(rows);
        book.statement.truncate(rows);
        book.digest.truncate(rows);
        book.fee.truncate(rows);
        book.nth.split_off(&mark.rows);
        book.fx.split_off(&mark.rows);
        for column in book.references.values_mut() {
            column.truncate(rows);
        }
        self.stop = None;
    }

    /// Notes that a file was given twice; its rows are taken out again by [`BookBuilder::rollback`].
    pub fn note_same_file(&mut self, name: &str, first: &str) {
        let message = format!("{name} has the same bytes as {first} and is left out");
        self.finding(Finding::new(
            Severity::Warning,
            FindingCode::SameFileTwice,
            0,
            message,
        ));
    }

    /// The book so far.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Why the builder told a reader to stop, if it did.
    #[must_use]
    pub fn stopped(&self) -> Option<&BookError> {
        self.stop.as_ref()
    }

    /// The book.
    #[must_use]
    pub fn finish(mut self) -> Book {
        for column in self.book.references.values_mut() {
            column
                .ends
                .resize(self.book.amount.len(), column.bytes.len() as u64);
        }
        self.book
    }
}

/// The first 64 bits of the SHA-256 of a record's bytes.
#[must_use]
pub fn record_digest(raw: &[u8]) -> u64 {
    let digest = Digest::of(DigestAlg::Sha256, raw);
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest.bytes[..8]);
    u64::from_be_bytes(first)
}

impl Sink for BookBuilder {
    fn begin_file(&mut self, _head: &FileHead) {}

    fn begin_statement(&mut self, head: &StatementHead) {
        let row = self.book.len();
        self.book.statements.push(BookStatement {
            file: self.book.files.len() as u32,
            head: head.clone(),
            tail: StatementTail::default(),
            first_row: row,
            end_row: row,
        });
    }

    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        let at = entry.at;
        match self.push(entry, raw) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error @ BookError::TooMany { .. }) => {
                self.stop = Some(error);
                ControlFlow::Break(())
            }
            Err(error) => {
                let why = Rejected {
                    code: error.code(),
                    at,
                    line: at.line,
                    column: 0,
                    field: "".into(),
                    message: error.to_string(),
                };
                self.rejected(why, raw)
            }
        }
    }

    fn rejected(&mut self, why: Rejected, raw: &[u8]) -> ControlFlow<()> {
        let digest = record_digest(raw);
        let nth = self.seen.entry(digest).and_modify(|n| *n += 1).or_insert(1);
        let id = RecordId { digest, nth: *nth };
        self.book.rejected.push(RejectedRow {
            file: self.book.files.len() as u32,
            id,
            why,
        });
        ControlFlow::Continue(())
    }

    fn finding(&mut self, finding: Finding) {
        if self.book.findings.len() < self.limits.findings_listed {
            self.book
                .findings
                .push((self.book.files.len() as u32, finding));
        }
    }

    fn end_statement(&mut self, tail: &StatementTail) {
        if let Some(statement) = self.book.statements.last_mut() {
            statement.tail = tail.clone();
        }
    }

    fn end_file(&mut self, file: &SourceFile) {
        self.book.files.push(file.clone());
    }
}

impl Book {
    /// Every proof of the book's files and statements with the file's index and, for a statement's proof, the
    /// statement's index.
    pub fn proofs(&self) -> impl Iterator<Item = (u32, Option<u32>, &Proof)> {
        let of_files = self.files.iter().enumerate().flat_map(|(file, source)| {
            source
                .proofs
                .iter()
                .map(move |proof| (file as u32, None, proof))
        });
        let of_statements = self
            .statements
            .iter()
            .enumerate()
            .flat_map(|(index, statement)| {
                statement
                    .tail
                    .proofs
                    .iter()
                    .map(move |proof| (statement.file, Some(index as u32), proof))
            });
        of_files.chain(of_statements)
    }
}

/// Seconds since 1970-01-01T00:00:00Z of a moment, with `zone_minutes` where it has no offset of its own.
#[must_use]
pub fn instant_of(moment: Moment, zone_minutes: i16) -> i64 {
    const EPOCH_DAY: i64 = 719_163; // 1970-01-01 counted from 0001-01-01 = 1
    let offset = i64::from(moment.offset_minutes.unwrap_or(zone_minutes)) * 60;
    (i64::from(day_number(moment.date)) - EPOCH_DAY) * 86_400 + i64::from(moment.second) - offset
}

struct Days {
    accounting_day: Option<Date>,
    instant: Option<i64>,
}

impl SourceRules {
    fn days_of(&self, entry: &Entry<'_>) -> Days {
        let Some(time) = entry.time else {
            return Days {
                accounting_day: entry.value_date.or(entry.booking_date),
                instant: None,
            };
        };
        let instant = instant_of(time, self.zone_minutes);
        let local = instant + i64::from(self.zone_minutes) * 60;
        let (day, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let late = self
            .cutoff_second
            .is_some_and(|cutoff| second >= i64::from(cutoff));
        let day = i32::try_from(day + 719_163 + i64::from(late)).ok();
        Days {
            accounting_day: day.and_then(Date::from_num_days_from_ce_opt),
            instant: Some(instant),
        }
    }
}

impl Token {
    fn find<'t>(&self, entry: &'t Entry<'_>) -> Option<Cow<'t, str>> {
        let text: Cow<'t, str> = match self.from {
            TokenFrom::Remittance => match entry.remittance.as_slice() {
                [one] => Cow::Borrowed(one),
                lines => Cow::Owned(lines.join(" ")),
            },
            TokenFrom::CounterpartyName => Cow::Borrowed(entry.counterparty.name.as_deref()?),
            TokenFrom::KindWritten => Cow::Borrowed(entry.kind_written.as_deref()?),
            TokenFrom::Owner => Cow::Borrowed(entry.references.get(RefRole::Owner)?),
            TokenFrom::Bank => Cow::Borrowed(entry.references.get(RefRole::Bank)?),
            TokenFrom::EndToEnd => Cow::Borrowed(entry.references.get(RefRole::EndToEnd)?),
        };
        match text {
            Cow::Borrowed(text) => self.pattern.find(text).map(Cow::Borrowed),
            Cow::Owned(text) => self
                .pattern
                .find(&text)
                .map(|hit| Cow::Owned(hit.to_owned())),
        }
    }
}
