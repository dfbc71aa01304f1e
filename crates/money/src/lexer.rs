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
                    read.push(digit).ok_or_else(|| overflow(bytes))?;
                }
                Symbol::Digit(0) => {
                    read.written_decimals += 1;
                    read.zeros = read.zeros.saturating_add(1);
                }
                Symbol::Digit(digit) => {
                    read.written_decimals += 1;
                    for _ in 0..read.zeros {
                        read.push(0).ok_or_else(|| overflow(bytes))?;
                    }
                    read.push(digit).ok_or_else(|| overflow(bytes))?;
                    read.scale += read.zeros + 1;
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
        if read.negative && read.mantissa == 0 {
            return Err(AmountError::NegativeZero {
                found: shown(bytes),
            });
        }
        Ok(read)
    }

    fn push(&mut self, digit: u8) -> Option<()> {
        self.mantissa = self
            .mantissa
            .checked_mul(10)?
            .checked_add(u128::from(digit))?;
        Some(())
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
