//! Field 61, one movement: `6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]` and a line of supplementary details `[34x]`.

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money};
use quanfu_settlement::EntryAmount;

use super::amount;
use super::date::{Written, nearest};
use super::record::{Part, Span, Text};

/// Longest reference of the standard.
const REFERENCE: usize = 16;

/// What is wrong with a field, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: &'static str,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// Ways in which a field was read although the standard has it otherwise; each is told once a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quirk {
    AmountStyle,
    AmountWrapped,
    ValueDateLong,
    TypeMissing,
    TypeOdd,
    ReferenceMissing,
    ReferenceLong,
}

/// Debit or credit, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Whether the account grows: `C`, `RD`, `EC`.
    pub is_credit: bool,
    /// `RC`, `RD`.
    pub is_reversal: bool,
    /// `EC`, `ED`.
    pub is_expected: bool,
}

/// Field 61 as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub value_date: Option<Date>,
    pub booking_date: Option<Date>,
    /// Line and column of a date that does not exist, and its digits.
    pub impossible: Option<(u32, &'a str)>,
    /// Column and digits of an entry date whose year is worth a word.
    pub inferred: Option<(u32, &'a str)>,
    pub mark: Mark,
    pub amount: EntryAmount<'static>,
    /// Such as `NTRF`; empty if it is missing.
    pub type_code: &'a str,
    /// The account owner's reference; empty for `NONREF`.
    pub owner: &'a str,
    /// What old Rabobank files write behind the 16 characters of the reference.
    pub behind_owner: &'a str,
    /// The bank's reference; empty for `NONREF`.
    pub bank: &'a str,
    /// Index of the first span behind what is told here: supplementary details.
    pub rest: usize,
    /// What was read although it is written otherwise.
    pub quirks: [Option<Quirk>; 4],
}

/// Reads field 61 of a record.
pub(super) fn read<'a>(text: Text<'a>, currency: Option<Currency>) -> Result<Line<'a>, Fault> {
    let written = |span: &Span| span.part == Part::Line && !text.of(span).trim_ascii().is_empty();
    let first = text.spans.iter().position(written).unwrap_or(0);
    let mut at = Cursor::new(text, first);
    let mut quirks = Quirks::default();
    at.skip_blanks();
    let dates = dates(&mut at, &mut quirks)?;
    at.skip_blanks();
    let mark = mark(&mut at)?;
    at.skip_blanks();
    let mut rest = first + 1;
    if at.is_at_end()
        && let Some(next) = text.spans.iter().skip(rest).position(written)
    {
        at = Cursor::new(text, rest + next);
        rest += next + 1;
        at.skip_blanks();
        quirks.add(Quirk::AmountWrapped);
    }
    let amount = read_amount(&mut at, mark, currency, &mut quirks)?;
    at.skip_blanks();
    let type_code = type_code(&mut at, &mut quirks);
    let (owner, behind_owner, mut bank) = references(at.rest(), &mut quirks);
    // Some banks break the line in front of the bank's reference.
    if bank.is_empty()
        && let Some(span) = text.spans.get(rest)
        && span.part == Part::Line
        && let Some(found) = text.of(span).strip_prefix("//")
    {
        bank = real(found);
        rest += 1;
    }
    Ok(Line {
        value_date: dates.value,
        booking_date: dates.booking,
        impossible: dates.impossible,
        inferred: dates.inferred,
        mark,
        amount,
        type_code,
        owner,
        behind_owner,
        bank,
        rest,
        quirks: quirks.all,
    })
}

#[derive(Default)]
struct Quirks {
    all: [Option<Quirk>; 4],
}

impl Quirks {
    fn add(&mut self, quirk: Quirk) {
        if let Some(free) = self.all.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(quirk);
        }
    }
}

struct Dates<'a> {
    value: Option<Date>,
    booking: Option<Date>,
    impossible: Option<(u32, &'a str)>,
    inferred: Option<(u32, &'a str)>,
}

fn dates<'a>(at: &mut Cursor<'a>, quirks: &mut Quirks) -> Result<Dates<'a>, Fault> {
    let rest = at.rest();
    let run = rest.bytes().take_while(u8::is_ascii_digit).count();
    let column = at.column();
    let Some(digits) = rest.get(..run).filter(|_| matches!(run, 6 | 8 | 10)) else {
        let found = shown(rest);
        return Err(at.fault(
            "date-malformed",
            format!("{found} does not begin with a value date: right is YYMMDD, perhaps MMDD, then C or D"),
        ));
    };
    let written = if run == 8 {
        quirks.add(Quirk::ValueDateLong);
        Written::ccyymmdd(digits.as_bytes())
    } else {
        digits
            .get(..6)
            .and_then(|digits| Written::yymmdd(digits.as_bytes()))
    };
    let Some(written) = written else {
        return Err(at.fault(
            "date-malformed",
            format!("\"{digits}\" is no value date: right is YYMMDD, perhaps with MMDD behind it"),
        ));
    };
    at.take(run);
    let value = written.date();
    let mmdd = digits.get(6..).filter(|_| run == 10);
    let mut dates = Dates {
        value,
        booking: None,
        impossible: None,
        inferred: None,
    };
    if value.is_none() {
        dates.impossible = Some((column, digits.get(..6).unwrap_or(digits)));
    }
    if let Some(mmdd) = mmdd {
        let found = written
            .near()
            .and_then(|near| nearest(mmdd.as_bytes(), near));
        match found {
            Some(dated) => {
                dates.booking = Some(dated.date);
                dates.inferred = dated.inferred.then_some((column + 6, mmdd));
            }
            None if value.is_some() => dates.impossible = Some((column + 6, mmdd)),
            None => {}
        }
    }
    if dates.value.is_none() && dates.booking.is_none() {
        return Err(Fault {
            code: "date-impossible",
            line: at.line,
            column,
            message: format!(
                "\"{digits}\" names no day that exists, and there is no other date to stand on"
            ),
        });
    }
    Ok(dates)
}

fn mark(at: &mut Cursor<'_>) -> Result<Mark, Fault> {
    let (length, is_credit, is_reversal, is_expected) = match at.rest().as_bytes() {
        [b'R', b'C', ..] => (2, false, true, false),
        [b'R', b'D', ..] => (2, true, true, false),
        [b'E', b'C', ..] => (2, true, false, true),
        [b'E', b'D', ..] => (2, false, false, true),
        [b'C', ..] => (1, true, false, false),
        [b'D', ..] => (1, false, false, false),
        _ => {
            let message = format!(
                "{} does not begin with a debit or credit mark: right is C, D, RC, RD, EC or ED",
                shown(at.rest())
            );
            return Err(at.fault("side-unknown", message));
        }
    };
    at.take(length);
    // The funds code is the third letter of the currency; it says nothing that the balances do not say.
    if at
        .rest()
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphabetic)
    {
        at.take(1);
    }
    Ok(Mark {
        is_credit,
        is_reversal,
        is_expected,
    })
}

fn read_amount(
    at: &mut Cursor<'_>,
    mark: Mark,
    currency: Option<Currency>,
    quirks: &mut Quirks,
) -> Result<EntryAmount<'static>, Fault> {
    let rest = at.rest();
    let length = rest
        .bytes()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b',' | b'.'))
        .count();
    let written = rest.get(..length).unwrap_or_default();
    if written.is_empty() {
        let (code, found) = match rest.trim_end() {
            "" => ("amount-empty", "nothing".to_owned()),
            _ => ("amount-malformed", shown(rest)),
        };
        let message = format!(
            "{found} stands where the amount should: right is digits with a decimal comma, such as 1234,50"
        );
        return Err(at.fault(code, message));
    }
    // `1E5,00` is not 1 with a reference: an amount without a mark ends where a type code or nothing follows.
    let behind = rest.get(length..).unwrap_or_default();
    let is_marked = written.contains([',', '.']);
    if !is_marked
        && behind.starts_with(|c: char| c.is_ascii_alphabetic())
        && !begins_with_type(behind)
    {
        let message = format!(
            "{} is no amount: right is digits with a decimal comma, such as 1234,50",
            shown(rest)
        );
        return Err(at.fault("amount-malformed", message));
    }
    let Some(currency) = currency else {
        let digits = amount::digits(written.as_bytes())
            .map_err(|error| at.fault(error.code(), error.to_string()))?;
        at.take(length);
        let sign = if mark.is_credit { "" } else { "-" };
        return Ok(EntryAmount::Written(format!("{sign}{digits}").into()));
    };
    let read = amount::read(written.as_bytes(), currency)
        .map_err(|error| at.fault(error.code(), format!("{error} of {currency}")))?;
    at.take(length);
    if read.dialect {
        quirks.add(Quirk::AmountStyle);
    }
    // Amounts are never negative here, so the other sign always fits.
    let minor = if mark.is_credit {
        read.minor
    } else {
        -read.minor
    };
    Ok(EntryAmount::Money(Money::from_minor(minor, currency)))
}

/// `S` and three digits, or `N` or `F` and three characters; what else there is belongs to the reference.
fn type_code<'a>(at: &mut Cursor<'a>, quirks: &mut Quirks) -> &'a str {
    let rest = at.rest();
    if rest.starts_with("NONREF") || rest.trim_end().is_empty() || rest.starts_with("//") {
        quirks.add(Quirk::TypeMissing);
        return "";
    }
    let is_type = begins_with_type(rest);
    let is_other = || {
        rest.get(4..).is_some_and(|rest| rest.starts_with("NONREF"))
            && rest
                .bytes()
                .take(4)
                .all(|byte| byte.is_ascii_alphanumeric())
    };
    if is_type {
        return at.take(4).trim_end();
    }
    if is_other() {
        quirks.add(Quirk::TypeOdd);
        return at.take(4);
    }
    quirks.add(Quirk::TypeMissing);
    ""
}

/// Whether a text begins with a type code of the standard.
fn begins_with_type(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'S', a, b, c, ..] => [a, b, c]
            .iter()
            .all(|byte| byte.is_ascii_digit() || **byte == b' '),
        [b'N' | b'F', a, b, c, ..] => [a, b, c]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || **byte == b' '),
        _ => false,
    }
}

/// The owner's reference, what old files write behind it, and the bank's reference.
fn references<'a>(rest: &'a str, quirks: &mut Quirks) -> (&'a str, &'a str, &'a str) {
    let (owner, bank) = rest.split_once("//").unwrap_or((rest, ""));
    let mut behind = "";
    let mut owner = owner;
    if owner.len() > REFERENCE && owner.trim_end().len() > REFERENCE {
        match (owner.get(..REFERENCE), owner.get(REFERENCE..)) {
            // A padded reference, and a name behind it.
            (Some(reference), Some(name)) if reference.ends_with(' ') => {
                owner = reference;
                behind = name.trim();
            }
            _ => quirks.add(Quirk::ReferenceLong),
        }
    }
    if bank.trim_end().len() > REFERENCE {
        quirks.add(Quirk::ReferenceLong);
    }
    if owner.trim().is_empty() {
        quirks.add(Quirk::ReferenceMissing);
    }
    (real(owner), behind, real(bank))
}

/// A reference, or nothing for words that stand for none or point to field 86.
fn real(reference: &str) -> &str {
    let reference = reference.trim();
    match reference {
        "NONREF" | "EREF" | "EREF+" | "KREF" | "KREF+" | "PREF" | "MARF" => "",
        _ => reference,
    }
}

/// The beginning of a text in quotes, for messages.
pub(super) fn shown(text: &str) -> String {
    format!("\"{}\"", crate::encoding::escaped(text.trim_end(), 24))
}

/// A place in one line.
struct Cursor<'a> {
    text: &'a str,
    position: usize,
    line: u32,
    before: u32,
}

impl<'a> Cursor<'a> {
    fn new(text: Text<'a>, index: usize) -> Self {
        let span = text.spans.get(index);
        Self {
            text: span.map_or("", |span| text.of(span)),
            position: 0,
            line: span.map_or(0, |span| span.number),
            before: span.map_or(0, |span| span.before),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Takes `length` bytes, which end at a character's end.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.position += taken.len();
        taken
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn column(&self) -> u32 {
        let characters = self
            .text
            .get(..self.position)
            .map_or(0, |text| text.chars().count());
        self.before + characters as u32 + 1
    }

    fn fault(&self, code: &'static str, message: String) -> Fault {
        Fault {
            code,
            line: self.line,
            column: self.column(),
            message,
        }
    }
}
