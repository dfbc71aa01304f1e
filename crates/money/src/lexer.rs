//! Amounts in files, read strictly: an [`AmountStyle`] says what one file may write, and nothing else passes.
//!
//! Never accepted, whatever the style: exponents (`1e5`), underscores, blanks around the amount, negative
//! zero, `NaN`, `.5`, a digit finer than asked for (`19.901` for `CNY`; `19.900` is fine, for trailing zeros
//! are not precision), and whatever does not fit. Nothing is ever rounded or dropped.
//!
//! ```
//! use quanfu_money::lexer::{AmountStyle, DecimalMark, Thousands, parse_minor};
//!
//! assert_eq!(parse_minor(b"-1234.5", AmountStyle::PLAIN, 2)?.minor, -123_450);
//!
//! const GERMAN: AmountStyle = AmountStyle {
//!     decimal: DecimalMark::Comma,
//!     thousands: Thousands::Point,
//!     ..AmountStyle::PLAIN
//! };
//! assert_eq!(parse_minor(b"1.234,56", GERMAN, 2)?.minor, 123_456);
//! let error = parse_minor(b"1.234,56", AmountStyle::PLAIN, 2).unwrap_err();
//! assert_eq!(error.code(), "amount-malformed");
//! # Ok::<(), quanfu_money::AmountError>(())
//! ```

use crate::{Currency, Decimal, Money};
use std::fmt;

/// The mark between whole units and decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecimalMark {
    /// `1234.50`
    Point,
    /// `1234,50`
    Comma,
}

/// The mark between groups of three digits, where a file may write one. It may also be left out, but where
/// it is written, every group must have three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thousands {
    /// No mark is allowed.
    None,
    /// `1,234,567`
    Comma,
    /// `1.234.567`
    Point,
    /// `1 234 567`, with a space, a no-break space or a narrow no-break space.
    Space,
    /// `1'234'567`
    Apostrophe,
}

/// How one file, or one column of it, writes amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmountStyle {
    /// The mark before the decimals.
    pub decimal: DecimalMark,
    /// The mark between groups of three.
    pub thousands: Thousands,
    /// Whether full-width digits, marks and signs (`１２．５０`) may stand for the ASCII ones.
    pub full_width_digits: bool,
    /// Whether the number counts minor units (`1990` for 19.90 yuan); then no decimal mark may occur.
    pub minor_units: bool,
    /// Whether `+` may lead.
    pub plus_sign: bool,
    /// Whether the decimal mark must be written, as in SWIFT amounts (`100,`).
    pub mark_required: bool,
    /// Whether the mark may stand without decimals after it, as in SWIFT amounts (`100,`).
    pub allow_bare_mark: bool,
}

impl AmountStyle {
    /// Digits, perhaps a leading `-`, perhaps a point and decimals: `-1234.50`.
    pub const PLAIN: Self = Self {
        decimal: DecimalMark::Point,
        thousands: Thousands::None,
        full_width_digits: false,
        minor_units: false,
        plus_sign: false,
        mark_required: false,
        allow_bare_mark: false,
    };

    /// SWIFT amounts (field format `15d`): a mandatory comma, decimals optional: `1234,`.
    pub const SWIFT: Self = Self {
        decimal: DecimalMark::Comma,
        mark_required: true,
        allow_bare_mark: true,
        ..Self::PLAIN
    };

    /// Whole minor units (分): `1990` for 19.90 yuan.
    pub const MINOR_UNITS: Self = Self {
        minor_units: true,
        ..Self::PLAIN
    };

    /// Whether the style can be read without doubt: the two marks differ, and an integer needs no mark.
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        let clash = matches!(
            (self.decimal, self.thousands),
            (DecimalMark::Point, Thousands::Point) | (DecimalMark::Comma, Thousands::Comma)
        );
        !clash && !(self.minor_units && (self.mark_required || self.allow_bare_mark))
    }

    const fn mark(&self) -> u8 {
        match self.decimal {
            DecimalMark::Point => b'.',
            DecimalMark::Comma => b',',
        }
    }
}

impl fmt::Display for AmountStyle {
    /// What is right in this style, with an example, for error messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minor_units {
            return f.write_str("whole minor units, such as 123450");
        }
        let mark = char::from(self.mark());
        let group = match self.thousands {
            Thousands::None => "",
            Thousands::Comma => ",",
            Thousands::Point => ".",
            Thousands::Space => " ",
            Thousands::Apostrophe => "'",
        };
        let name = match self.decimal {
            DecimalMark::Point => "point",
            DecimalMark::Comma => "comma",
        };
        write!(
            f,
            "digits with a decimal {name}, such as 1{group}234{mark}50"
        )?;
        if self.mark_required {
            write!(f, " or 1234{mark}")?;
        }
        Ok(())
    }
}

/// An amount that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Whole minor units.
    pub minor: i64,
    /// How many decimals were written, trailing zeros included.
    pub decimals: usize,
}

/// Why the text of an amount cannot be read.
///
/// The text found is carried escaped and cut after 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// There is no text.
    #[error("the amount is empty")]
    Empty,
    /// A character stands where the style has none.
    #[error("\"{found}\" is no amount at character {at}: right is {style}")]
    Malformed {
        /// The text found.
        found: String,
        /// The place of the first wrong character, counted from 1; one past the end if something is missing.
        at: usize,
        /// The style that was asked for.
        style: AmountStyle,
    },
    /// The thousands marks do not make groups of three.
    #[error("\"{found}\" has thousands marks that do not make groups of three: right is {style}")]
    Grouping {
        /// The text found.
        found: String,
        /// The style that was asked for.
        style: AmountStyle,
    },
    /// A digit other than zero is finer than the minor unit.
    #[error("\"{found}\" is finer than the minor unit ({digits} decimals)")]
    TooFine {
        /// The text found.
        found: String,
        /// The decimals that fit.
        digits: u8,
    },
    /// The amount does not fit.
    #[error("\"{found}\" is more than an amount can hold")]
    Overflow {
        /// The text found.
        found: String,
    },
    /// `-0.00`: zero has no sign, so the sign says that something else was lost.
    #[error("\"{found}\" is a negative zero: zero is written without a sign")]
    NegativeZero {
        /// The text found.
        found: String,
    },
}

impl AmountError {
    /// Every code that [`AmountError::code`] can give.
    pub const CODES: &[&str] = &[
        "amount-empty",
        "amount-malformed",
        "amount-grouping",
        "amount-too-fine",
        "amount-overflow",
        "amount-negative-zero",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "amount-empty",
            Self::Malformed { .. } => "amount-malformed",
            Self::Grouping { .. } => "amount-grouping",
            Self::TooFine { .. } => "amount-too-fine",
            Self::Overflow { .. } => "amount-overflow",
            Self::NegativeZero { .. } => "amount-negative-zero",
        }
    }
}

/// Reads an amount as whole minor units of a currency with `digits` decimals (at most 18).
///
/// # Errors
///
/// An [`AmountError`] for whatever the style does not allow, or what is finer than `digits` decimals, or
/// beyond an `i64`.
///
/// ```
/// # use quanfu_money::lexer::{AmountStyle, parse_minor};
/// assert_eq!(parse_minor(b"19.900", AmountStyle::PLAIN, 2)?.minor, 1_990);
/// assert_eq!(parse_minor(b"19.901", AmountStyle::PLAIN, 2).unwrap_err().code(), "amount-too-fine");
/// assert_eq!(parse_minor(b"1234,", AmountStyle::SWIFT, 2)?.minor, 123_400);
/// # Ok::<(), quanfu_money::AmountError>(())
/// ```
pub fn parse_minor(bytes: &[u8], style: AmountStyle, digits: u8) -> Result<Parsed, AmountError> {
    if let Some(parsed) = parse_short(bytes, style, digits) {
        return Ok(parsed);
    }
    let read = Read::all(bytes, style)?;
    let minor = read.minor(bytes, style, digits)?;
    let minor = i64::try_from(minor).map_err(|_| overflow(bytes))?;
    Ok(Parsed {
        minor,
        decimals: read.written_decimals,
    })
}

/// Reads an amount as [`Money`].
///
/// # Errors
///
/// Those of [`parse_minor`].
pub fn parse_money(
    bytes: &[u8],
    style: AmountStyle,
    currency: Currency,
) -> Result<Money, AmountError> {
    let parsed = parse_minor(bytes, style, currency.minor_digits())?;
    Ok(Money::from_minor(parsed.minor, currency))
}

/// Reads an amount with all its decimals, for fields that may be finer than the minor unit.
///
/// Written trailing zeros are kept as far as the decimal's 28 digits go. In a style with
/// [`AmountStyle::minor_units`] the number is the count of minor units.
///
/// # Errors
///
/// An [`AmountError`] for whatever the style does not allow, or what needs more than a decimal's 96 bits and
/// 28 decimals.
///
/// ```
/// # use quanfu_money::lexer::{AmountStyle, parse_decimal};
/// assert_eq!(parse_decimal(b"0.11940", AmountStyle::PLAIN)?.to_string(), "0.11940");
/// # Ok::<(), quanfu_money::AmountError>(())
/// ```
pub fn parse_decimal(bytes: &[u8], style: AmountStyle) -> Result<Decimal, AmountError> {
    const MAX_SCALE: u32 = Decimal::MAX_SCALE;
    let read = Read::all(bytes, style)?;
    let (mut mantissa, mut scale) = (read.mantissa, read.scale);
    for _ in 0..read.zeros {
        match mantissa.checked_mul(10) {
            Some(longer) if longer < 1 << 96 && scale < MAX_SCALE => mantissa = longer,
            _ => break,
        }
        scale += 1;
    }
    let mantissa = read.signed(mantissa).ok_or_else(|| overflow(bytes))?;
    if scale > MAX_SCALE {
        return Err(overflow(bytes));
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| overflow(bytes))
}

/// Like [`parse_minor`], for sums that an `i64` may not hold.
pub(crate) fn parse_wide(
    bytes: &[u8],
    style: AmountStyle,
    digits: u8,
) -> Result<i128, AmountError> {
    Read::all(bytes, style)?.minor(bytes, style, digits)
}

/// Powers of ten that a u64 holds, by exponent up to 18.
pub(crate) const POW10: [u64; 19] = {
    let mut powers = [1; 19];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// The fast path: up to 18 ASCII bytes without thousands marks. `None` means that [`Read::all`] decides.
#[inline]
fn parse_short(bytes: &[u8], style: AmountStyle, digits: u8) -> Option<Parsed> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if unsigned.len() > 18 {
        return None;
    }
    let mark = style.mark();
    let mut value = 0_u64;
    let mut mark_at = None;
    for (index, &byte) in unsigned.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            value = value * 10 + u64::from(digit);
        } else if byte == mark && mark_at.is_none() && index > 0 {
            mark_at = Some(index);
        } else {
            return None;
        }
    }
    let decimals = match mark_at {
        Some(at) => unsigned.len() - at - 1,
        None => 0,
    };
    let marked_as_styled = match mark_at {
        Some(_) => !style.minor_units && (decimals > 0 || style.allow_bare_mark),
        None => !style.mark_required,
    };
    if unsigned.is_empty() || !marked_as_styled || (negative && value == 0) {
        return None;
    }
    if !style.minor_units {
        let missing = usize::from(digits).checked_sub(decimals)?;
        value = value.checked_mul(*POW10.get(missing)?)?;
    }
    let minor = i64::try_from(value).ok()?;
    Some(Parsed {
        minor: if negative { -minor } else { minor },
        decimals,
    })
}

/// The slow and complete path: the number as written, without its trailing zeros after the mark.
struct Read {
    negative: bool,
    mantissa: u128,
    /// Decimals in `mantissa`.
    scale: u32,
    /// Zeros written after those.
    zeros: u32,
    written_decimals: usize,
    /// Whether a digit did not fit into `mantissa`; reported only if the shape is right.
    too_long: bool,
}

impl Read {
    fn all(bytes: &[u8], style: AmountStyle) -> Result<Self, AmountError> {
        if bytes.is_empty() {
            return Err(AmountError::Empty);
        }
        let malformed = |at: usize| AmountError::Malformed {
            found: shown(bytes),
            at: String::from_utf8_lossy(&bytes[..at]).chars().count() + 1,
            style,
        };
        let grouping = || AmountError::Grouping {
            found: shown(bytes),
            style,
        };
        let mut read = Self {
            negative: false,
            mantissa: 0,
            scale: 0,
            zeros: 0,
            written_decimals: 0,
            too_long: false,
        };
        let mut digits_before = 0_usize; // digits before the mark
        let mut first_is_zero = false;
        let mut group: Option<usize> = None; // digits since the last thousands mark
        let mut mark_at = None;
        let mut at = 0;
        while at < bytes.len() {
            let (symbol, width) = Symbol::at(&bytes[at..], style);
            match symbol {
                Symbol::Minus if at == 0 => read.negative = true,
                Symbol::Plus if at == 0 && style.plus_sign => {}
                Symbol::Digit(digit) if mark_at.is_none() => {
                    first_is_zero |= digits_before == 0 && digit == 0;
                    digits_before += 1;
                    group = group.map(|length| length + 1);
                    read.push(digit);
                }
                Symbol::Digit(0) => {
                    read.written_decimals += 1;
                    read.zeros = read.zeros.saturating_add(1);
                }
                Symbol::Digit(digit) => {
                    read.written_decimals += 1;
                    for _ in 0..read.zeros {
                        read.push(0);
                    }
                    read.push(digit);
                    read.scale = read.scale.saturating_add(read.zeros).saturating_add(1);
                    read.zeros = 0;
                }
                Symbol::Mark if mark_at.is_none() && digits_before > 0 && !style.minor_units => {
                    mark_at = Some(at);
                }
                Symbol::Thousands if mark_at.is_none() && digits_before > 0 => {
                    let fits = match group {
                        None => digits_before <= 3 && !first_is_zero,
                        Some(length) => length == 3,
                    };
                    if !fits {
                        return Err(grouping());
                    }
                    group = Some(0);
                }
                _ => return Err(malformed(at)),
            }
            at += width;
        }
        if group.is_some_and(|length| length != 3) {
            return Err(grouping());
        }
        let bare_mark = mark_at.is_some() && read.written_decimals == 0;
        if digits_before == 0
            || (bare_mark && !style.allow_bare_mark)
            || (mark_at.is_none() && style.mark_required)
        {
            return Err(malformed(bytes.len()));
        }
        if read.too_long {
            return Err(overflow(bytes));
        }
        if read.negative && read.mantissa == 0 {
            return Err(AmountError::NegativeZero {
                found: shown(bytes),
            });
        }
        Ok(read)
    }

    fn push(&mut self, digit: u8) {
        let longer = self.mantissa.checked_mul(10);
        match longer.and_then(|longer| longer.checked_add(u128::from(digit))) {
            Some(longer) => self.mantissa = longer,
            None => self.too_long = true,
        }
    }

    fn signed(&self, magnitude: u128) -> Option<i128> {
        if self.negative {
            0_i128.checked_sub_unsigned(magnitude)
        } else {
            i128::try_from(magnitude).ok()
        }
    }

    fn minor(&self, bytes: &[u8], style: AmountStyle, digits: u8) -> Result<i128, AmountError> {
        let missing = if style.minor_units {
            0
        } else {
            let too_fine = || AmountError::TooFine {
                found: shown(bytes),
                digits,
            };
            u32::from(digits)
                .checked_sub(self.scale)
                .ok_or_else(too_fine)?
        };
        10_u128
            .checked_pow(missing)
            .and_then(|factor| self.mantissa.checked_mul(factor))
            .and_then(|magnitude| self.signed(magnitude))
            .ok_or_else(|| overflow(bytes))
    }
}

/// What one character of an amount means in a style.
#[derive(Clone, Copy)]
enum Symbol {
    Digit(u8),
    Mark,
    Thousands,
    Minus,
    Plus,
    Other,
}

impl Symbol {
    /// The first symbol of a text that is not empty, and its length in bytes.
    fn at(bytes: &[u8], style: AmountStyle) -> (Self, usize) {
        match *bytes {
            // Full-width forms of `!` to `_` are U+FF01 to U+FF3F: EF BC 81 to EF BC BF.
            [0xEF, 0xBC, third @ 0x81..=0xBF, ..] if style.full_width_digits => {
                (Self::ascii(third - 0x81 + b'!', style), 3)
            }
            [0xC2, 0xA0, ..] if style.thousands == Thousands::Space => (Self::Thousands, 2),
            [0xE2, 0x80, 0xAF, ..] if style.thousands == Thousands::Space => (Self::Thousands, 3),
            [byte, ..] => (Self::ascii(byte, style), 1),
            [] => (Self::Other, 1),
        }
    }

    fn ascii(byte: u8, style: AmountStyle) -> Self {
        match (byte, style.thousands) {
            (b'0'..=b'9', _) => Self::Digit(byte - b'0'),
            (b'-', _) => Self::Minus,
            (b'+', _) => Self::Plus,
            _ if byte == style.mark() => Self::Mark,
            (b',', Thousands::Comma)
            | (b'.', Thousands::Point)
            | (b' ', Thousands::Space)
            | (b'\'', Thousands::Apostrophe) => Self::Thousands,
            _ => Self::Other,
        }
    }
}

fn overflow(bytes: &[u8]) -> AmountError {
    AmountError::Overflow {
        found: shown(bytes),
    }
}

/// Text from a file made safe to print: control characters escaped, at most 64 characters.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 64;
    // Four bytes a character at most, so a huge field is not decoded in full.
    let head = &bytes[..bytes.len().min(4 * MOST + 4)];
    let text = String::from_utf8_lossy(head);
    let mut shown: String = text
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().count() > MOST {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GERMAN: AmountStyle = AmountStyle {
        decimal: DecimalMark::Comma,
        thousands: Thousands::Point,
        allow_bare_mark: true,
        ..AmountStyle::PLAIN
    };

    /// The styles of `testdata/amounts.tsv`, by the name of their column.
    const STYLES: [(&str, AmountStyle); 8] = [
        ("plain", AmountStyle::PLAIN),
        ("swift", AmountStyle::SWIFT),
        (
            "english",
            AmountStyle {
                thousands: Thousands::Comma,
                plus_sign: true,
                ..AmountStyle::PLAIN
            },
        ),
        ("german", GERMAN),
        (
            "spaced",
            AmountStyle {
                decimal: DecimalMark::Comma,
                thousands: Thousands::Space,
                ..AmountStyle::PLAIN
            },
        ),
        (
            "swiss",
            AmountStyle {
                thousands: Thousands::Apostrophe,
                ..AmountStyle::PLAIN
            },
        ),
        (
            "full_width",
            AmountStyle {
                thousands: Thousands::Comma,
                full_width_digits: true,
                ..AmountStyle::PLAIN
            },
        ),
        ("minor_units", AmountStyle::MINOR_UNITS),
    ];

    #[test]
    fn texts_of_amounts_are_read_as_the_table_says() {
        let table = include_str!("../testdata/amounts.tsv");
        let mut rows = table.lines().filter(|line| !line.starts_with('#'));
        let header: Vec<&str> = rows.next().expect("a header").split('\t').collect();
        let styles: Vec<&str> = STYLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(header[1..], styles);
        let mut texts = 0;
        for row in rows {
            let columns: Vec<&str> = row.split('\t').collect();
            let quoted = columns[0]
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            let text = unescaped(quoted.expect("the text is quoted"));
            for ((name, style), want) in STYLES.iter().zip(&columns[1..]) {
                let found = match parse_minor(text.as_bytes(), *style, 2) {
                    Ok(parsed) => parsed.minor.to_string(),
                    Err(error) => error.code().trim_start_matches("amount-").to_string(),
                };
                assert_eq!(found, *want, "{} in style {name}", columns[0]);
                assert_eq!(columns.len(), STYLES.len() + 1, "{row}");
            }
            texts += 1;
        }
        assert!(texts >= 200, "{texts} texts");
    }

    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '\\' {
                out.push(character);
                continue;
            }
            match rest.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('u') => {
                    let hex: String = rest.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&hex, 16).expect("four hex digits");
                    out.push(char::from_u32(code).expect("a character"));
                }
                other => out.extend(other),
            }
        }
        out
    }

    #[test]
    fn the_currency_decides_what_is_too_fine() {
        for (text, currency, want) in [
            ("1.5", Currency::JPY, Err("amount-too-fine")),
            ("1.0", Currency::JPY, Ok(1)),
            ("1.", Currency::JPY, Err("amount-malformed")),
            ("100", Currency::JPY, Ok(100)),
            ("1.234", Currency::KWD, Ok(1_234)),
            ("1.2345", Currency::KWD, Err("amount-too-fine")),
            ("1.2345", Currency::CLF, Ok(12_345)),
            ("1", Currency::CLF, Ok(10_000)),
            ("922337203685477.5807", Currency::CLF, Ok(i64::MAX)),
            (
                "922337203685477.5808",
                Currency::CLF,
                Err("amount-overflow"),
            ),
            ("-922337203685477.5808", Currency::CLF, Ok(i64::MIN)),
            ("9223372036854775.807", Currency::KWD, Ok(i64::MAX)),
            ("19.900", Currency::CNY, Ok(1_990)), // trailing zeros are not precision
        ] {
            let found = parse_money(text.as_bytes(), AmountStyle::PLAIN, currency);
            let found = found.map(Money::minor).map_err(|error| error.code());
            assert_eq!(found, want, "{text} {currency}");
        }
    }

    #[test]
    fn unrounded_amounts_keep_every_written_digit() {
        for (text, style, want) in [
            ("0.11940", AmountStyle::PLAIN, Ok("0.11940")),
            ("-0.5", AmountStyle::PLAIN, Ok("-0.5")),
            ("0.00000", AmountStyle::PLAIN, Ok("0.00000")),
            ("-0.00000", AmountStyle::PLAIN, Err("amount-negative-zero")),
            ("1234,", AmountStyle::SWIFT, Ok("1234")),
            ("1.234,5600", GERMAN, Ok("1234.5600")),
            ("1990", AmountStyle::MINOR_UNITS, Ok("1990")),
            ("1e5", AmountStyle::PLAIN, Err("amount-malformed")),
            ("1_000", AmountStyle::PLAIN, Err("amount-malformed")),
            (
                "79228162514264337593543950335",
                AmountStyle::PLAIN,
                Ok("79228162514264337593543950335"),
            ),
            (
                "79228162514264337593543950336",
                AmountStyle::PLAIN,
                Err("amount-overflow"),
            ),
            // Zeros that do not fit say nothing, so leaving them out loses nothing.
            (
                "79228162514264337593543950335.00",
                AmountStyle::PLAIN,
                Ok("79228162514264337593543950335"),
            ),
            (
                "7922816251426433759354395033.50",
                AmountStyle::PLAIN,
                Ok("7922816251426433759354395033.5"),
            ),
            (
                "79228162514264337593543950335.1",
                AmountStyle::PLAIN,
                Err("amount-overflow"),
            ),
            (
                "0.0000000000000000000000000001",
                AmountStyle::PLAIN,
                Ok("0.0000000000000000000000000001"),
            ),
            (
                "0.00000000000000000000000000001",
                AmountStyle::PLAIN,
                Err("amount-overflow"),
            ),
            (
                "0.10000000000000000000000000000000",
                AmountStyle::PLAIN,
                Ok("0.1000000000000000000000000000"),
            ),
        ] {
            let found = parse_decimal(text.as_bytes(), style);
            let found = found
                .map(|value| value.to_string())
                .map_err(|error| error.code());
            assert_eq!(found, want.map(String::from), "{text}");
        }
    }

    #[test]
    fn errors_name_what_was_found_and_what_is_right() {
        for (text, style, want) in [
            ("", AmountStyle::PLAIN, "the amount is empty"),
            (
                "1,5",
                AmountStyle::PLAIN,
                "\"1,5\" is no amount at character 2: right is digits with a decimal point, such as 1234.50",
            ),
            (
                "１２元5",
                STYLES[6].1,
                "\"１２元5\" is no amount at character 3: right is digits with a decimal point, such as 1,234.50",
            ),
            (
                "100",
                AmountStyle::SWIFT,
                "\"100\" is no amount at character 4: right is digits with a decimal comma, such as 1234,50 or 1234,",
            ),
            (
                "12.34",
                AmountStyle::MINOR_UNITS,
                "\"12.34\" is no amount at character 3: right is whole minor units, such as 123450",
            ),
            (
                "1.23,4",
                GERMAN,
                "\"1.23,4\" has thousands marks that do not make groups of three: right is digits with a decimal \
                 comma, such as 1.234,50",
            ),
            (
                "1.005",
                AmountStyle::PLAIN,
                "\"1.005\" is finer than the minor unit (2 decimals)",
            ),
            (
                "99999999999999999999",
                AmountStyle::PLAIN,
                "\"99999999999999999999\" is more than an amount can hold",
            ),
            (
                "-0.00",
                AmountStyle::PLAIN,
                "\"-0.00\" is a negative zero: zero is written without a sign",
            ),
            (
                "1\u{1b}[2J\u{202e}",
                AmountStyle::PLAIN,
                "\"1\\u{1b}[2J\\u{202e}\" is no amount at character 2: right is digits with a decimal point, such \
                 as 1234.50",
            ),
        ] {
            let error = parse_minor(text.as_bytes(), style, 2).expect_err(text);
            assert_eq!(error.to_string(), want);
            assert!(
                AmountError::CODES.contains(&error.code()),
                "{}",
                error.code()
            );
        }
    }

    #[test]
    fn a_huge_field_makes_a_short_message() {
        let huge = "元".repeat(1_000_000);
        let error = parse_minor(huge.as_bytes(), AmountStyle::PLAIN, 2).expect_err("no digits");
        assert!(error.to_string().chars().count() < 200);
        let zeros = format!("{}1", "0".repeat(1_000_000));
        assert_eq!(
            parse_minor(zeros.as_bytes(), AmountStyle::PLAIN, 2).map(|parsed| parsed.minor),
            Ok(100)
        );
        let zeros = format!("1.{}", "0".repeat(1_000_000));
        assert_eq!(
            parse_minor(zeros.as_bytes(), AmountStyle::PLAIN, 2).map(|parsed| parsed.minor),
            Ok(100)
        );
    }

    #[test]
    fn styles_whose_marks_clash_are_not_consistent() {
        assert!(STYLES.iter().all(|(_, style)| style.is_consistent()));
        for (decimal, thousands) in [
            (DecimalMark::Point, Thousands::Point),
            (DecimalMark::Comma, Thousands::Comma),
        ] {
            let style = AmountStyle {
                decimal,
                thousands,
                ..AmountStyle::PLAIN
            };
            assert!(!style.is_consistent());
            // Even so nothing is guessed: the mark is the decimal one, and occurs once.
            assert!(parse_minor(b"1.234.567", style, 2).is_err());
            assert!(parse_minor(b"1,234,567", style, 2).is_err());
        }
    }

    /// The oracle: cuts the text apart as strings and leaves the arithmetic to the standard library.
    fn oracle(text: &str, style: AmountStyle, digits: u8) -> Option<i64> {
        let text: String = text
            .chars()
            .map(|c| match c {
                '\u{FF01}'..='\u{FF3F}' if style.full_width_digits => {
                    char::from_u32(u32::from(c) - 0xFF01 + 0x21).expect("an ASCII character")
                }
                '\u{A0}' | '\u{202F}' if style.thousands == Thousands::Space => ' ',
                c => c,
            })
            .collect();
        let (negative, text) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) if style.plus_sign => (false, rest),
            _ => (false, text.as_str()),
        };
        let (whole, decimals) = match text.split_once(char::from(style.mark())) {
            Some(_) if style.minor_units => return None,
            Some((_, "")) if !style.allow_bare_mark => return None,
            Some((whole, decimals)) => (whole, decimals),
            None if style.mark_required => return None,
            None => (text, ""),
        };
        let groups: Vec<&str> = match style.thousands {
            Thousands::None => vec![whole],
            Thousands::Comma => whole.split(',').collect(),
            Thousands::Point => whole.split('.').collect(),
            Thousands::Space => whole.split(' ').collect(),
            Thousands::Apostrophe => whole.split('\'').collect(),
        };
        if groups.len() > 1
            && (groups[0].is_empty()
                || groups[0].len() > 3
                || groups[0].starts_with('0')
                || groups[1..].iter().any(|group| group.len() != 3))
        {
            return None;
        }
        let whole = groups.concat();
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let decimals_needed = decimals.trim_end_matches('0');
        if whole.is_empty() || !all_digits(&whole) || !all_digits(decimals) {
            return None;
        }
        let places = if style.minor_units {
            0
        } else {
            usize::from(digits)
        };
        if decimals_needed.len() > places {
            return None;
        }
        let number = format!("{whole}{decimals_needed:0<places$}");
        if negative && number.bytes().all(|byte| byte == b'0') {
            return None;
        }
        format!("{}{number}", if negative { "-" } else { "" })
            .parse()
            .ok()
    }

    fn styles() -> impl Strategy<Value = AmountStyle> {
        use DecimalMark as D;
        use Thousands as T;
        (
            prop::sample::select(vec![D::Point, D::Comma]),
            prop::sample::select(vec![T::None, T::Comma, T::Point, T::Space, T::Apostrophe]),
            any::<[bool; 5]>(),
        )
            .prop_map(
                |(decimal, thousands, [full, minor, plus, required, bare])| AmountStyle {
                    decimal,
                    thousands,
                    full_width_digits: full,
                    minor_units: minor,
                    plus_sign: plus,
                    mark_required: required,
                    allow_bare_mark: bare,
                },
            )
            .prop_filter("consistent", AmountStyle::is_consistent)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn texts_like_amounts_are_read_as_the_oracle_reads_them(
            text in "[-+]?([0-9]{1,20}|[0-9]{1,4}([,. '\u{a0}\u{202f}][0-9]{2,4}){1,3}|[０-９]{1,4})([.,．，][0-9０-９]{0,6})?",
            style in styles(),
            digits in 0_u8..5,
        ) {
            let found = parse_minor(text.as_bytes(), style, digits).ok().map(|parsed| parsed.minor);
            prop_assert_eq!(found, oracle(&text, style, digits));
        }

        #[test]
        fn any_text_is_read_as_the_oracle_reads_it_or_refused(
            text in prop_oneof!["[-+0-9.,' eE_x０．，－]{0,24}", any::<String>()],
            style in styles(),
            digits in 0_u8..5,
        ) {
            let found = parse_minor(text.as_bytes(), style, digits).ok().map(|parsed| parsed.minor);
            prop_assert_eq!(found, oracle(&text, style, digits));
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            style in styles(),
            digits in any::<u8>(),
        ) {
            let _ = parse_minor(&bytes, style, digits);
            let _ = parse_decimal(&bytes, style);
        }

        #[test]
        fn the_fast_path_and_the_complete_one_agree(
            text in "-?[0-9]{1,19}([.,][0-9]{0,5})?",
            style in styles(),
            digits in 0_u8..5,
        ) {
            if let Some(fast) = parse_short(text.as_bytes(), style, digits) {
                let read = Read::all(text.as_bytes(), style).expect("the fast path read it");
                let minor = read.minor(text.as_bytes(), style, digits).expect("the fast path read it");
                prop_assert_eq!(i128::from(fast.minor), minor);
                prop_assert_eq!(fast.decimals, read.written_decimals);
            }
        }

        #[test]
        fn decimals_and_minor_units_of_one_text_agree(
            text in "-?[0-9]{1,14}(\\.[0-9]{1,4})?",
            digits in 0_u8..5,
        ) {
            let minor = parse_minor(text.as_bytes(), AmountStyle::PLAIN, digits);
            let value = parse_decimal(text.as_bytes(), AmountStyle::PLAIN);
            match (minor, value) {
                (Ok(parsed), Ok(value)) => {
                    prop_assert_eq!(Decimal::new(parsed.minor, u32::from(digits)), value);
                }
                (Err(AmountError::TooFine { .. }), Ok(value)) => {
                    prop_assert!(value.normalize().scale() > u32::from(digits));
                }
                (Err(minor), Err(value)) => prop_assert_eq!(minor.code(), value.code()),
                (minor, value) => prop_assert!(false, "{:?} {:?}", minor, value),
            }
        }
    }
}
