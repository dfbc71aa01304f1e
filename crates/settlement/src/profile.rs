//! A declarative profile of a CSV file: `quanfu.profile/1`, a TOML document parsed into inert values.
//!
//! A profile says how the file is written (encoding, delimiter, preamble, footer) and which column means what;
//! columns are found by the words of the header, never by position. The reader in `quanfu-formats` interprets it,
//! so a bank's or institution's file is data, not code.
//!
//! ```
//! let profile = quanfu_settlement::Profile::parse(r#"
//! schema = "quanfu.profile/1"
//! name = "my-institution"
//!
//! [columns]
//! time = { name = ["交易时间", "time"], format = ["%Y-%m-%d %H:%M:%S"] }
//! order = ["商户订单号", "order no"]
//! institution = "流水号"
//!
//! [amount]
//! column = "金额"
//!
//! [currency]
//! default = "CNY"
//! "#).unwrap();
//! assert_eq!(profile.references.len(), 2);
//! assert_eq!(profile.references[0].1.names, ["商户订单号", "order no"]);
//! ```

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_money::Currency;
use quanfu_money::lexer::{AmountStyle, DecimalMark, Thousands};
use serde::Deserialize;

use crate::entry::{EntryKind, EntryStatus, Moment, RefRole, closed_list};
use crate::rules::{Pattern, RulesError, parse_zone};

/// Schema name of profiles.
pub const SCHEMA: &str = "quanfu.profile/1";

closed_list! {
    /// How text is read that is not UTF-8.
    TextEncoding {
        /// Not at all: the file must be UTF-8.
        Utf8 = "utf-8",
        /// GB18030, which holds GBK and GB2312.
        Gb18030 = "gb18030",
        /// Windows code page 1252.
        Windows1252 = "windows-1252",
    }
}

closed_list! {
    /// What a written sign means for the effect of an amount.
    Sign {
        /// The sign is the effect: `-1.00` lowers what is owed.
        AsWritten = "as_written",
        /// The sign is turned round.
        Negated = "negated",
        /// Whatever the sign, the effect is plus.
        Plus = "plus",
        /// Whatever the sign, the effect is minus.
        Minus = "minus",
    }
}

closed_list! {
    /// What a footer's figure is compared with.
    Measured {
        /// The number of records.
        Count = "count",
        /// The sum of a column as written.
        Sum = "sum",
    }
}

closed_list! {
    /// Which records a footer line speaks of.
    Effect {
        /// All of them.
        All = "all",
        /// Those whose effect is plus.
        Plus = "plus",
        /// Those whose effect is minus; the sum is written without a sign or with one.
        Minus = "minus",
    }
}

/// A piece of a time format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimePiece {
    /// Exactly this character.
    Literal(char),
    /// A number: which part of the time, fewest and most digits.
    Number(TimePart, u8, u8),
    /// Offset from UTC: `Z`, `+08:00` or `+0800`.
    Offset,
}

closed_list! {
    /// A part of a time.
    TimePart {
        /// `%Y`: year, four digits.
        Year = "year",
        /// `%m`: month, two digits; `%-m`: one or two.
        Month = "month",
        /// `%d`: day of the month.
        Day = "day",
        /// `%H`: hour, 0 to 23.
        Hour = "hour",
        /// `%M`: minute.
        Minute = "minute",
        /// `%S`: second; 60 is read as 59.
        Second = "second",
    }
}

/// How a column writes days or times, such as `%Y-%m-%d %H:%M:%S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    /// The format as written.
    pub text: String,
    /// Its pieces.
    pub pieces: Vec<TimePiece>,
    /// Where the pieces stand if each has one length, behind which only an offset may follow.
    fixed: Option<FixedTime>,
}

/// A time whose pieces have fixed places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FixedTime {
    /// Its literals, with zeros for digits and behind its end.
    shape: [u8; FixedTime::LONGEST],
    /// 0x0F where a digit of the time of day stands, and elsewhere zero.
    free: [u8; FixedTime::LONGEST],
    /// The greatest digit there; elsewhere the greatest half-byte.
    most: [u8; FixedTime::LONGEST],
    /// 0xFF where a literal stands.
    literals: [u8; FixedTime::LONGEST],
    /// 0xFF where a digit stands.
    digits: [u8; FixedTime::LONGEST],
    /// Where each part stands; 0xFF: it is not written.
    places: [u8; TimePart::ALL.len()],
    length: u8,
    has_offset: bool,
}

impl FixedTime {
    const LONGEST: usize = 24;

    fn new(pieces: &[TimePiece]) -> Option<Self> {
        let mut fixed = Self {
            shape: [0; Self::LONGEST],
            free: [0; Self::LONGEST],
            most: [0x0F; Self::LONGEST],
            literals: [0; Self::LONGEST],
            digits: [0; Self::LONGEST],
            places: [0xFF; TimePart::ALL.len()],
            length: 0,
            has_offset: false,
        };
        for piece in pieces {
            if fixed.has_offset {
                return None;
            }
            let at = usize::from(fixed.length);
            let length = match *piece {
                TimePiece::Literal(c) if c.is_ascii() => {
                    *fixed.shape.get_mut(at)? = c as u8;
                    fixed.literals[at] = 0xFF;
                    1
                }
                TimePiece::Number(part, least, most) if least == most => {
                    if fixed.places[part as usize] != 0xFF {
                        return None;
                    }
                    fixed.places[part as usize] = fixed.length;
                    fixed.digits.get_mut(at..at + usize::from(most))?.fill(0xFF);
                    let tens = match part {
                        TimePart::Hour => Some(2),
                        TimePart::Minute | TimePart::Second => Some(5),
                        _ => None,
                    };
                    if let Some(tens) = tens {
                        (fixed.most[at], fixed.most[at + 1]) = (tens, 9);
                        fixed.free[at..at + 2].fill(0x0F);
                    }
                    most
                }
                TimePiece::Offset => {
                    fixed.has_offset = true;
                    0
                }
                _ => return None,
            };
            fixed.length += length;
        }
        (usize::from(fixed.length) <= Self::LONGEST).then_some(fixed)
    }

    /// Whether a text differs from a right one only in digits of the time of day, and these are in their ranges.
    #[inline]
    fn is_like(&self, known: &[u8; Self::LONGEST], text: &[u8; Self::LONGEST]) -> bool {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let (known, text) = (known.as_chunks::<8>().0, text.as_chunks::<8>().0);
        let (most, free) = (self.most.as_chunks::<8>().0, self.free.as_chunks::<8>().0);
        let mut wrong = 0;
        for index in 0..Self::LONGEST / 8 {
            let [known, text, most, free] =
                [known[index], text[index], most[index], free[index]].map(u64::from_le_bytes);
            wrong |= (known ^ text) & !free;
            // A low half-byte above the greatest digit of its place carries into the high bit.
            wrong |=
                ((text & 0x0F0F_0F0F_0F0F_0F0F) + (HIGH - 0x0101_0101_0101_0101 - most)) & HIGH;
        }
        let hours = self.places[TimePart::Hour as usize];
        let hour = usize::from(if hours == 0xFF { 0 } else { hours });
        let text = text.as_flattened();
        let late = hours != 0xFF && text[hour] == b'2' && text[hour + 1] > b'3';
        wrong == 0 && !late
    }

    /// The numbers and the offset, if the text has this very shape.
    #[inline]
    fn read(&self, text: &[u8]) -> Option<([u32; TimePart::ALL.len()], Option<i16>)> {
        let (head, tail) = text.split_at_checked(usize::from(self.length))?;
        let offset = match (self.has_offset, tail) {
            (false, []) => None,
            (true, [b'+', b'0', b'8', b':', b'0', b'0']) => Some(480),
            (true, tail) => match offset(tail)? {
                (minutes, length) if length == tail.len() => Some(minutes),
                _ => return None,
            },
            _ => return None,
        };
        let mut padded = [0; Self::LONGEST];
        let bytes = match text.first_chunk() {
            Some(first) => first,
            None => {
                padded[..head.len()].copy_from_slice(head);
                &padded
            }
        };
        // Eight bytes at a time: literals as they must be, digits from 0x30 on and not beyond 0x39.
        let (words, shapes) = (bytes.as_chunks::<8>().0, self.shape.as_chunks::<8>().0);
        let digits = self.digits.as_chunks::<8>().0;
        let literals = self.literals.as_chunks::<8>().0;
        let masks = words.iter().zip(shapes).zip(digits).zip(literals);
        let mut wrong = 0;
        for (((word, shape), digits), literals) in masks {
            let [word, shape, digits, literals] =
                [word, shape, digits, literals].map(|word| u64::from_le_bytes(*word));
            wrong |= (word ^ shape) & literals;
            wrong |= ((word ^ 0x3030_3030_3030_3030) & 0xF0F0_F0F0_F0F0_F0F0) & digits;
            wrong |= ((word & 0x0F0F_0F0F_0F0F_0F0F) + 0x0606_0606_0606_0606)
                & 0xF0F0_F0F0_F0F0_F0F0
                & digits;
        }
        if wrong != 0 {
            return None;
        }
        let digit = |at: usize| u32::from(bytes.get(at).copied().unwrap_or_default() & 15);
        let pair = |at: usize| digit(at) * 10 + digit(at + 1);
        let mut parts = [0; TimePart::ALL.len()];
        for (part, (value, &place)) in parts.iter_mut().zip(&self.places).enumerate() {
            if place == 0xFF {
                continue;
            }
            let place = usize::from(place);
            *value = pair(place);
            if part == TimePart::Year as usize {
                *value = *value * 100 + pair(place + 2);
            }
        }
        Some((parts, offset))
    }
}

impl TimeFormat {
    /// Reads a format.
    ///
    /// # Errors
    ///
    /// A sentence that names the piece that is not known.
    ///
    /// ```
    /// # use quanfu_settlement::profile::TimeFormat;
    /// let format = TimeFormat::new("%Y/%-m/%-d").unwrap();
    /// assert!(format.read("2026/3/2").is_ok());
    /// assert!(format.read("2026/2/30").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                pieces.push(TimePiece::Literal(c));
                continue;
            }
            let mut letter = chars.next();
            let least = if letter == Some('-') {
                letter = chars.next();
                1
            } else {
                2
            };
            let part = match letter {
                Some('Y') => {
                    pieces.push(TimePiece::Number(TimePart::Year, 4, 4));
                    continue;
                }
                Some('z') => {
                    pieces.push(TimePiece::Offset);
                    continue;
                }
                Some('m') => TimePart::Month,
                Some('d') => TimePart::Day,
                Some('H') => TimePart::Hour,
                Some('M') => TimePart::Minute,
                Some('S') => TimePart::Second,
                _ => {
                    return Err(format!(
                        "format {text:?}: %Y, %m, %d, %H, %M, %S and %z are known, and %-m for one or two digits"
                    ));
                }
            };
            pieces.push(TimePiece::Number(part, least, 2));
        }
        let has = |part| {
            pieces
                .iter()
                .any(|piece| matches!(piece, TimePiece::Number(p, _, _) if *p == part))
        };
        if !(has(TimePart::Year) && has(TimePart::Month) && has(TimePart::Day)) {
            return Err(format!("format {text:?}: it must hold %Y, %m and %d"));
        }
        Ok(Self {
            text: text.to_owned(),
            fixed: FixedTime::new(&pieces),
            pieces,
        })
    }

    /// Whether a text is certainly a time of this format, as it differs from one that is in the time of day only.
    /// `false` says nothing; [`TimeFormat::read`] knows.
    ///
    /// ```
    /// # use quanfu_settlement::profile::TimeFormat;
    /// let format = TimeFormat::new("%Y-%m-%dT%H:%M:%S%z").unwrap();
    /// let known = b"2026-03-02T10:00:00+08:00";
    /// assert!(format.read("2026-03-02T10:00:00+08:00").is_ok());
    /// assert!(format.is_like(known, b"2026-03-02T23:59:07+08:00"));
    /// assert!(!format.is_like(known, b"2026-03-02T24:00:00+08:00"));
    /// assert!(!format.is_like(known, b"2026-03-03T10:00:00+08:00"));
    /// ```
    #[must_use]
    #[inline]
    pub fn is_like(&self, known: &[u8], text: &[u8]) -> bool {
        let Some(fixed) = &self.fixed else {
            return false;
        };
        match (known.first_chunk(), text.first_chunk()) {
            (Some(known_head), Some(head)) if known.len() == text.len() => {
                let tails = known.iter().zip(text).skip(FixedTime::LONGEST);
                fixed.is_like(known_head, head)
                    && tails.fold(0, |other, (a, b)| other | (a ^ b)) == 0
            }
            _ => false,
        }
    }

    /// Reads a time.
    ///
    /// # Errors
    ///
    /// `time-malformed` if the text has another shape, `date-impossible` if there is no such day or time.
    #[inline]
    pub fn read(&self, text: &str) -> Result<Moment, &'static str> {
        const MALFORMED: &str = "time-malformed";
        let fixed = self.fixed.as_ref();
        if let Some((parts, offset)) = fixed.and_then(|fixed| fixed.read(text.as_bytes())) {
            return moment(parts, offset);
        }
        let mut rest = text.as_bytes();
        let mut parts = [0u32; TimePart::ALL.len()];
        let mut offset_minutes = None;
        for piece in &self.pieces {
            match *piece {
                TimePiece::Literal(c) if c.is_ascii() => match rest {
                    [first, after @ ..] if *first == c as u8 => rest = after,
                    _ => return Err(MALFORMED),
                },
                TimePiece::Literal(c) => {
                    let mut buffer = [0; 4];
                    let literal = c.encode_utf8(&mut buffer).as_bytes();
                    rest = rest.strip_prefix(literal).ok_or(MALFORMED)?;
                }
                TimePiece::Number(part, least, most) => {
                    let (mut value, mut taken) = (0u32, 0u8);
                    while taken < most
                        && let [digit @ b'0'..=b'9', after @ ..] = rest
                    {
                        value = value * 10 + u32::from(digit - b'0');
                        rest = after;
                        taken += 1;
                    }
                    if taken < least {
                        return Err(MALFORMED);
                    }
                    parts[part as usize] = value;
                }
                TimePiece::Offset => {
                    let (minutes, length) = offset(rest).ok_or(MALFORMED)?;
                    offset_minutes = Some(minutes);
                    rest = rest.get(length..).ok_or(MALFORMED)?;
                }
            }
        }
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        moment(parts, offset_minutes)
    }
}

fn moment(
    parts: [u32; TimePart::ALL.len()],
    offset_minutes: Option<i16>,
) -> Result<Moment, &'static str> {
    let [year, month, day, hour, minute, second] = parts;
    let date = i32::try_from(year).ok();
    let date = date.and_then(|year| Date::from_ymd_opt(year, month, day));
    match date {
        Some(date) if hour < 24 && minute < 60 && second <= 60 => Ok(Moment {
            date,
            second: hour * 3600 + minute * 60 + second.min(59),
            offset_minutes,
        }),
        _ => Err("date-impossible"),
    }
}

/// Minutes east of UTC and the length of the text that says so.
fn offset(text: &[u8]) -> Option<(i16, usize)> {
    let (sign, digits) = match text {
        [b'Z', ..] => return Some((0, 1)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (digits, length) = match digits {
        [a, b, b':', c, d, ..] => ([*a, *b, *c, *d], 6),
        [a, b, c, d, ..] => ([*a, *b, *c, *d], 5),
        _ => return None,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |tens: u8, ones: u8| i16::from(tens - b'0') * 10 + i16::from(ones - b'0');
    let (hours, minutes) = (number(digits[0], digits[1]), number(digits[2], digits[3]));
    (hours <= 18 && minutes < 60).then_some((sign * (hours * 60 + minutes), length))
}

/// A column, by the words that its header may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The words; the first that the header has is taken.
    pub names: Vec<String>,
    /// Whether a file may lack it.
    pub optional: bool,
    /// Cell texts that mean "nothing", apart from the empty one.
    pub blank: Vec<String>,
    /// How days or times are written.
    pub formats: Vec<TimeFormat>,
}

/// Words of a column and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words<T> {
    /// The column, if the file has one.
    pub column: Option<Column>,
    /// Words that are the whole cell.
    pub words: BTreeMap<String, T>,
    /// Words that a cell begins with, asked where no whole word fits; the longest comes first.
    pub begins: Vec<(String, T)>,
    /// What a record without the column, or with an empty cell, is.
    pub default: T,
}

impl<T: Copy> Words<T> {
    /// What a filled cell means, if the profile names it.
    #[must_use]
    pub fn meaning(&self, cell: &str) -> Option<T> {
        let begins = || {
            self.begins
                .iter()
                .find(|(start, _)| cell.starts_with(start.as_str()))
        };
        let whole = self.words.get(cell).copied();
        whole.or_else(|| begins().map(|&(_, value)| value))
    }

    /// All words, for messages.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let begins = self.begins.iter().map(|(start, _)| start.as_str());
        self.words.keys().map(String::as_str).chain(begins)
    }
}

/// How the effect of a record is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountColumns {
    /// One column with a sign.
    Signed {
        /// The column.
        column: Column,
        /// What its sign means.
        sign: Sign,
    },
    /// One column without a sign, and a word that gives the direction.
    Directed {
        /// The column.
        column: Column,
        /// The column of the word.
        direction: Column,
        /// Words for plus.
        plus: Vec<String>,
        /// Words for minus.
        minus: Vec<String>,
    },
    /// A column for each direction; exactly one of them is filled. A zero beside a filled one is allowed.
    Split {
        /// What raises.
        plus: Column,
        /// What lowers, with or without a sign.
        minus: Column,
    },
    /// The column depends on the kind of record.
    ByKind(Vec<(EntryKind, Column, Sign)>),
}

/// The amount before exchange and the rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalColumns {
    /// The amount before exchange.
    pub amount: Column,
    /// Its currency.
    pub currency: Column,
    /// The rate, if the file has one.
    pub rate: Option<Column>,
    /// How many units of the base the rate is for.
    pub unit: u32,
    /// Whether the rate's base is the currency before exchange (`unit original = rate settled`).
    pub base_is_original: bool,
}

/// A figure of a summary row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterTotal {
    /// Its words in the summary's header.
    pub column: Column,
    /// What it is compared with.
    pub measured: Measured,
    /// For sums: the column of the records.
    pub of: Option<Column>,
}

/// A line of the footer that holds figures in running text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterLine {
    /// Its first group is a count, its second (if it has one) a sum.
    pub pattern: Pattern,
    /// Which records it speaks of.
    pub of: Effect,
}

/// What stands before the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preamble {
    /// Account or merchant number.
    pub account: Option<Pattern>,
    /// First day.
    pub from: Option<(Pattern, TimeFormat)>,
    /// Last day; `true`: the moment written is no longer part of the period.
    pub until: Option<(Pattern, TimeFormat, bool)>,
}

/// A token taken from a text column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnToken {
    /// The role that it gets.
    pub role: RefRole,
    /// The column.
    pub column: Column,
    /// A bounded regular expression: its first group, or all of the first match.
    pub pattern: Pattern,
}

/// How one kind of CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as rules refer to it.
    pub name: String,
    /// What kind of file it describes, in a sentence.
    pub title: String,
    /// The document as it was parsed, verbatim.
    pub text: String,
    /// How text is read that is not UTF-8.
    pub encoding: TextEncoding,
    /// What separates cells: an ASCII character.
    pub delimiter: u8,
    /// Whether cells may be quoted with `"`.
    pub quoted: bool,
    /// Whether a quoted cell may hold line ends.
    pub multiline: bool,
    /// What every cell of a record begins with, if anything; cells are split in front of it only.
    pub cell_prefix: Option<String>,
    /// What lines outside the records begin with, if anything.
    pub comment: Option<String>,
    /// Within how many lines the header must stand.
    pub header_within: u32,
    /// Whether the last line must end with a line end, so that a cut in it is seen.
    pub final_line_end: bool,
    /// Whether a file is the whole of one merchant's days, so that two files of the same are one delivered twice.
    pub whole_days: bool,
    /// Minutes east of UTC of times without an offset; none: the rules say.
    pub zone_minutes: Option<i16>,
    /// What stands before the header.
    pub preamble: Preamble,
    /// Time of the transaction.
    pub time: Option<Column>,
    /// Value date; where there is none, the day of the time.
    pub value_date: Option<Column>,
    /// Booking date.
    pub booking_date: Option<Column>,
    /// References by role.
    pub references: Vec<(RefRole, Column)>,
    /// Name of the other side.
    pub counterparty_name: Option<Column>,
    /// Account of the other side.
    pub counterparty_account: Option<Column>,
    /// Remittance lines.
    pub remittance: Vec<Column>,
    /// Kind of movement.
    pub kind: Words<EntryKind>,
    /// How far it has come.
    pub status: Words<EntryStatus>,
    /// Currency: words beside the ISO codes, which are always known; the default is for files without a column.
    pub currency_column: Option<Column>,
    /// Words for currencies.
    pub currency_words: BTreeMap<String, Currency>,
    /// Currency of records that name none.
    pub currency_default: Option<Currency>,
    /// How amounts are written.
    pub style: AmountStyle,
    /// A mark in front of amounts, such as `¥`, that says nothing.
    pub currency_mark: Option<String>,
    /// Where the amount stands.
    pub amount: AmountColumns,
    /// Fee and what its sign means: plus lowers what the merchant gets.
    pub fee: Option<(Column, Sign)>,
    /// Amount before exchange.
    pub original: Option<OriginalColumns>,
    /// The balance after each record.
    pub balance: Option<Column>,
    /// Tokens taken from text.
    pub tokens: Vec<ColumnToken>,
    /// The summary's figures; its header line begins with the first one's word.
    pub totals: Vec<FooterTotal>,
    /// Footer lines with figures.
    pub footer_lines: Vec<FooterLine>,
    /// The line that ends a whole file.
    pub end_marker: Option<String>,
}

impl Profile {
    /// Every column of the records, in the order in which a reader looks for them.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        let amount: Vec<&Column> = match &self.amount {
            AmountColumns::Signed { column, .. } => vec![column],
            AmountColumns::Directed {
                column, direction, ..
            } => vec![column, direction],
            AmountColumns::Split { plus, minus } => vec![plus, minus],
            AmountColumns::ByKind(columns) => columns.iter().map(|(_, c, _)| c).collect(),
        };
        let original = self.original.iter();
        let original = original.flat_map(|o| [Some(&o.amount), Some(&o.currency), o.rate.as_ref()]);
        let single = [
            &self.time,
            &self.value_date,
            &self.booking_date,
            &self.counterparty_name,
            &self.counterparty_account,
            &self.kind.column,
            &self.status.column,
            &self.currency_column,
            &self.balance,
        ];
        single
            .into_iter()
            .filter_map(Option::as_ref)
            .chain(amount)
            .chain(self.references.iter().map(|(_, column)| column))
            .chain(&self.remittance)
            .chain(self.fee.iter().map(|(column, _)| column))
            .chain(original.flatten())
            .chain(self.tokens.iter().map(|token| &token.column))
            .chain(self.totals.iter().filter_map(|total| total.of.as_ref()))
    }

    /// Reads a profile and checks all that can be checked without a file.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] with the place and what would be right.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let document: Document =
            toml::from_str(text).map_err(|error| ProfileError::from_toml(&error, text))?;
        document.profile(text)
    }
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not TOML, an unknown key, a missing key, a value of the wrong type.
    #[error("line {line}, column {column}: {message}")]
    Document {
        /// Line, counted from 1.
        line: u32,
        /// Column in characters, counted from 1.
        column: u32,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The document is well formed and says something that cannot be.
    #[error("{place}: {message}")]
    Meaning {
        /// Where, such as `amount`.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl ProfileError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["profile-document", "profile-meaning"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document { .. } => "profile-document",
            Self::Meaning { .. } => "profile-meaning",
        }
    }

    fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        match RulesError::from_toml(error, text) {
            RulesError::Document {
                line,
                column,
                message,
            } => Self::Document {
                line,
                column,
                message,
            },
            RulesError::Meaning { place, message } => Self::Meaning { place, message },
        }
    }
}

fn meaning(place: impl Into<String>, message: impl Into<String>) -> ProfileError {
    ProfileError::Meaning {
        place: place.into(),
        message: message.into(),
    }
}

// The document's own shape; everything below turns it into the values above.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    name: String,
    #[serde(default)]
    title: String,
    /// Where the layout was read, and how sure it is: for people.
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    file: FileText,
    #[serde(default)]
    preamble: PreambleText,
    columns: BTreeMap<String, toml::Value>,
    #[serde(default)]
    kind: WordsText,
    #[serde(default)]
    status: WordsText,
    #[serde(default)]
    currency: CurrencyText,
    amount: AmountText,
    fee: Option<FeeText>,
    original: Option<OriginalText>,
    #[serde(default)]
    token: Vec<TokenText>,
    #[serde(default)]
    footer: FooterText,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FileText {
    encoding: Option<TextEncoding>,
    delimiter: Option<String>,
    quoted: Option<bool>,
    #[serde(default)]
    multiline: bool,
    cell_prefix: Option<String>,
    comment: Option<String>,
    header_within: Option<u32>,
    #[serde(default)]
    final_line_end: bool,
    #[serde(default)]
    whole_days: bool,
    zone: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PreambleText {
    account: Option<String>,
    from: Option<PeriodText>,
    until: Option<PeriodText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodText {
    pattern: String,
    format: String,
    #[serde(default)]
    exclusive: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WordsText {
    column: Option<ColumnText>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    begins: BTreeMap<String, Vec<String>>,
    default: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CurrencyText {
    column: Option<ColumnText>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    default: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ColumnText {
    One(String),
    Several(Vec<String>),
    Whole(ColumnWhole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnWhole {
    name: NamesText,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    blank: Vec<String>,
    #[serde(default)]
    format: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NamesText {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountText {
    column: Option<ColumnText>,
    sign: Option<Sign>,
    direction: Option<ColumnText>,
    #[serde(default)]
    plus_words: Vec<String>,
    #[serde(default)]
    minus_words: Vec<String>,
    plus: Option<ColumnText>,
    minus: Option<ColumnText>,
    #[serde(default)]
    by_kind: BTreeMap<EntryKind, ByKindText>,
    decimal: Option<String>,
    thousands: Option<String>,
    unit: Option<String>,
    #[serde(default)]
    full_width: bool,
    #[serde(default)]
    plus_sign: bool,
    mark: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByKindText {
    column: ColumnText,
    sign: Sign,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeText {
    column: ColumnText,
    sign: Option<Sign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginalText {
    amount: ColumnText,
    currency: ColumnText,
    rate: Option<ColumnText>,
    unit: Option<u32>,
    base: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenText {
    role: RefRole,
    column: ColumnText,
    pattern: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FooterText {
    #[serde(default)]
    total: Vec<TotalText>,
    #[serde(default)]
    line: Vec<LineText>,
    end_marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalText {
    column: ColumnText,
    measure: Measured,
    of: Option<ColumnText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineText {
    pattern: String,
    of: Effect,
}

fn column(text: ColumnText, place: &str) -> Result<Column, ProfileError> {
    let whole = match text {
        ColumnText::One(name) => ColumnWhole::named(vec![name]),
        ColumnText::Several(names) => ColumnWhole::named(names),
        ColumnText::Whole(whole) => whole,
    };
    let names = match whole.name {
        NamesText::One(name) => vec![name],
        NamesText::Several(names) => names,
    };
    if names.is_empty()
        || names
            .iter()
            .any(|name| name.trim() != name || name.is_empty())
    {
        return Err(meaning(
            place,
            "a column needs one name or more, each without blanks around it",
        ));
    }
    let formats = whole.format.iter().map(|format| TimeFormat::new(format));
    Ok(Column {
        names,
        optional: whole.optional,
        blank: whole.blank,
        formats: formats
            .collect::<Result<_, _>>()
            .map_err(|message| meaning(place, message))?,
    })
}

impl ColumnWhole {
    fn named(names: Vec<String>) -> Self {
        Self {
            name: NamesText::Several(names),
            optional: false,
            blank: Vec::new(),
            format: Vec::new(),
        }
    }
}

fn pattern(text: &str, place: &str) -> Result<Pattern, ProfileError> {
    Pattern::new(text).map_err(|message| meaning(place, message))
}

fn currency(code: &str, place: &str) -> Result<Currency, ProfileError> {
    Currency::from_code(code).map_err(|error| meaning(place, error.to_string()))
}

/// Turns `{ meaning = [words] }` round, so that a word leads to its meaning; a word has one.
fn words<T: Copy>(
    text: BTreeMap<String, Vec<String>>,
    place: &str,
    meaning_of: impl Fn(&str) -> Option<T>,
    known: &str,
) -> Result<BTreeMap<String, T>, ProfileError> {
    let mut found = BTreeMap::new();
    for (name, list) in text {
        let value = meaning_of(&name)
            .ok_or_else(|| meaning(place, format!("{name:?} is not known; known are: {known}")))?;
        for word in list {
            if found.insert(word.clone(), value).is_some() {
                return Err(meaning(
                    place,
                    format!("the word {word:?} has two meanings"),
                ));
            }
        }
    }
    Ok(found)
}

fn codes<T: Copy>(all: &[T], code: impl Fn(T) -> &'static str) -> String {
    all.iter()
        .map(|&value| code(value))
        .collect::<Vec<_>>()
        .join(", ")
}

fn word_list<T: Copy>(
    text: WordsText,
    place: &str,
    all: &[T],
    code: impl Fn(T) -> &'static str,
    or: T,
) -> Result<Words<T>, ProfileError> {
    let known = codes(all, &code);
    let value_of = |name: &str| all.iter().copied().find(|&value| code(value) == name);
    if text.column.is_none() && !(text.words.is_empty() && text.begins.is_empty()) {
        return Err(meaning(place, "words without a column that holds them"));
    }
    let default = match &text.default {
        None => or,
        Some(name) => value_of(name)
            .ok_or_else(|| meaning(place, format!("{name:?} is not known; known are: {known}")))?,
    };
    let begins = words(text.begins, place, value_of, &known)?;
    let mut begins: Vec<(String, T)> = begins.into_iter().collect();
    begins.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    Ok(Words {
        column: text.column.map(|text| column(text, place)).transpose()?,
        words: words(text.words, place, value_of, &known)?,
        begins,
        default,
    })
}

impl AmountText {
    fn style(&self) -> Result<AmountStyle, ProfileError> {
        let place = "amount";
        let decimal = match self.decimal.as_deref() {
            None | Some("point") => DecimalMark::Point,
            Some("comma") => DecimalMark::Comma,
            Some(other) => {
                return Err(meaning(
                    place,
                    format!("decimal = {other:?}; \"point\" or \"comma\" would be right"),
                ));
            }
        };
        let thousands = match self.thousands.as_deref() {
            None | Some("none") => Thousands::None,
            Some("comma") => Thousands::Comma,
            Some("point") => Thousands::Point,
            Some("space") => Thousands::Space,
            Some("apostrophe") => Thousands::Apostrophe,
            Some(other) => {
                return Err(meaning(
                    place,
                    format!(
                        "thousands = {other:?}; \"none\", \"comma\", \"point\", \"space\" or \"apostrophe\" would be right"
                    ),
                ));
            }
        };
        let minor_units = match self.unit.as_deref() {
            None | Some("major") => false,
            Some("minor") => true,
            Some(other) => {
                return Err(meaning(
                    place,
                    format!("unit = {other:?}; \"major\" or \"minor\" would be right"),
                ));
            }
        };
        let style = AmountStyle {
            decimal,
            thousands,
            full_width_digits: self.full_width,
            minor_units,
            plus_sign: self.plus_sign,
            ..AmountStyle::PLAIN
        };
        if !style.is_consistent() {
            return Err(meaning(
                place,
                "the decimal mark and the thousands mark are the same",
            ));
        }
        Ok(style)
    }

    fn columns(self, has_kinds: bool) -> Result<AmountColumns, ProfileError> {
        let place = "amount";
        let split = self.plus.is_some() || self.minus.is_some();
        let by_kind = !self.by_kind.is_empty();
        let ways = [self.column.is_some(), split, by_kind];
        if ways.into_iter().filter(|&way| way).count() != 1 {
            return Err(meaning(
                place,
                "one of `column`, `plus` with `minus`, or `by_kind` would be right",
            ));
        }
        if self.sign.is_some() && (self.column.is_none() || self.direction.is_some()) {
            return Err(meaning(place, "`sign` goes with `column` alone"));
        }
        if by_kind {
            if !has_kinds {
                return Err(meaning(place, "`by_kind` needs `[kind]` with a column"));
            }
            let columns = self.by_kind.into_iter();
            let columns = columns
                .map(|(kind, text)| Ok((kind, column(text.column, place)?, text.sign)))
                .collect::<Result<_, ProfileError>>()?;
            return Ok(AmountColumns::ByKind(columns));
        }
        if let (Some(plus), Some(minus)) = (self.plus, self.minus) {
            return Ok(AmountColumns::Split {
                plus: column(plus, place)?,
                minus: column(minus, place)?,
            });
        }
        let Some(text) = self.column else {
            return Err(meaning(place, "`plus` and `minus` go together"));
        };
        let amount = column(text, place)?;
        match self.direction {
            None if self.plus_words.is_empty() && self.minus_words.is_empty() => {
                Ok(AmountColumns::Signed {
                    column: amount,
                    sign: self.sign.unwrap_or(Sign::AsWritten),
                })
            }
            Some(direction) if !self.plus_words.is_empty() && !self.minus_words.is_empty() => {
                Ok(AmountColumns::Directed {
                    column: amount,
                    direction: column(direction, place)?,
                    plus: self.plus_words,
                    minus: self.minus_words,
                })
            }
            _ => Err(meaning(
                place,
                "`direction`, `plus_words` and `minus_words` go together",
            )),
        }
    }
}

impl Document {
    fn profile(self, text: &str) -> Result<Profile, ProfileError> {
        if self.schema != SCHEMA {
            return Err(meaning(
                "schema",
                format!("found {:?}; {SCHEMA:?} would be right", self.schema),
            ));
        }
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_name) {
            return Err(meaning(
                "name",
                format!(
                    "found {:?}; lower-case letters, digits, `-`, `_` and `.` would be right",
                    self.name
                ),
            ));
        }
        let delimiter = match self.file.delimiter.as_deref() {
            None => b',',
            Some(text) => match text.as_bytes() {
                &[byte]
                    if byte.is_ascii()
                        && !byte.is_ascii_alphanumeric()
                        && !b"\"\r\n".contains(&byte) =>
                {
                    byte
                }
                _ => {
                    return Err(meaning(
                        "file.delimiter",
                        format!(
                            "found {text:?}; one ASCII mark such as \",\" or \"\\t\" would be right"
                        ),
                    ));
                }
            },
        };
        let quoted = self.file.quoted.unwrap_or(self.file.cell_prefix.is_none());
        if self.file.multiline && !quoted {
            return Err(meaning(
                "file.multiline",
                "only quoted cells can hold line ends: `quoted = true` would be right",
            ));
        }
        if quoted && self.file.cell_prefix.is_some() {
            return Err(meaning(
                "file.cell_prefix",
                "cells have a prefix or quotes, not both",
            ));
        }
        let header_within = self.file.header_within.unwrap_or(50);
        if !(1..=1000).contains(&header_within) {
            return Err(meaning("file.header_within", "1 to 1000 would be right"));
        }
        let zone_minutes = match &self.file.zone {
            None => None,
            Some(text) => Some(parse_zone(text).ok_or_else(|| {
                meaning(
                    "file.zone",
                    format!("found {text:?}; \"+08:00\" would be right"),
                )
            })?),
        };
        let period = |text: PeriodText, place: &str| -> Result<_, ProfileError> {
            let format = TimeFormat::new(&text.format).map_err(|why| meaning(place, why))?;
            Ok((pattern(&text.pattern, place)?, format, text.exclusive))
        };
        let preamble = Preamble {
            account: match &self.preamble.account {
                None => None,
                Some(text) => Some(pattern(text, "preamble.account")?),
            },
            from: match self.preamble.from {
                None => None,
                Some(text) if text.exclusive => {
                    return Err(meaning("preamble.from", "only `until` can be exclusive"));
                }
                Some(text) => {
                    let (pattern, format, _) = period(text, "preamble.from")?;
                    Some((pattern, format))
                }
            },
            until: match self.preamble.until {
                None => None,
                Some(text) => Some(period(text, "preamble.until")?),
            },
        };
        let mut profile = Profile {
            name: self.name,
            title: self.title,
            text: text.to_owned(),
            encoding: self.file.encoding.unwrap_or(TextEncoding::Utf8),
            delimiter,
            quoted,
            multiline: self.file.multiline,
            cell_prefix: self.file.cell_prefix.filter(|prefix| !prefix.is_empty()),
            comment: self.file.comment.filter(|comment| !comment.is_empty()),
            header_within,
            final_line_end: self.file.final_line_end,
            whole_days: self.file.whole_days,
            zone_minutes,
            preamble,
            time: None,
            value_date: None,
            booking_date: None,
            references: Vec::new(),
            counterparty_name: None,
            counterparty_account: None,
            remittance: Vec::new(),
            kind: word_list(
                self.kind,
                "kind",
                EntryKind::ALL,
                EntryKind::code,
                EntryKind::Payment,
            )?,
            status: word_list(
                self.status,
                "status",
                EntryStatus::ALL,
                EntryStatus::code,
                EntryStatus::Booked,
            )?,
            currency_column: match self.currency.column {
                None => None,
                Some(text) => Some(column(text, "currency")?),
            },
            currency_words: BTreeMap::new(),
            currency_default: match &self.currency.default {
                None => None,
                Some(code) => Some(currency(code, "currency")?),
            },
            style: self.amount.style()?,
            currency_mark: self.amount.mark.clone().filter(|mark| !mark.is_empty()),
            amount: AmountColumns::ByKind(Vec::new()),
            fee: match self.fee {
                None => None,
                Some(fee) => Some((
                    column(fee.column, "fee")?,
                    fee.sign.unwrap_or(Sign::AsWritten),
                )),
            },
            original: None,
            balance: None,
            tokens: Vec::new(),
            totals: Vec::new(),
            footer_lines: Vec::new(),
            end_marker: self.footer.end_marker.filter(|marker| !marker.is_empty()),
        };
        profile.amount = self.amount.columns(profile.kind.column.is_some())?;
        for (code, list) in self.currency.words {
            let value = currency(&code, "currency.words")?;
            for word in list {
                if profile.currency_words.insert(word.clone(), value).is_some() {
                    return Err(meaning(
                        "currency.words",
                        format!("the word {word:?} means two currencies"),
                    ));
                }
            }
        }
        if profile.currency_column.is_none() && !profile.currency_words.is_empty() {
            return Err(meaning(
                "currency.words",
                "words without a column that holds them",
            ));
        }
        if let Some(text) = self.original {
            profile.original = Some(original(text)?);
        }
        for (name, value) in self.columns {
            profile.place(&name, value)?;
        }
        profile.references.sort_by_key(|&(role, _)| role);
        for text in self.token {
            profile.tokens.push(ColumnToken {
                role: text.role,
                column: column(text.column, "token")?,
                pattern: pattern(&text.pattern, "token")?,
            });
        }
        if self.footer.total.len() > 16 {
            return Err(meaning("footer.total", "a summary has at most 16 figures"));
        }
        for total in self.footer.total {
            let place = "footer.total";
            let of = total.of.map(|text| column(text, place)).transpose()?;
            if (total.measure == Measured::Sum) != of.is_some() {
                return Err(meaning(
                    place,
                    "`of` names the column of a sum, and goes with no count",
                ));
            }
            profile.totals.push(FooterTotal {
                column: column(total.column, place)?,
                measured: total.measure,
                of,
            });
        }
        if !self.footer.line.is_empty() && profile.comment.is_none() {
            return Err(meaning(
                "footer.line",
                "footer lines are told from records by `file.comment`, which is not given",
            ));
        }
        for line in self.footer.line {
            profile.footer_lines.push(FooterLine {
                pattern: pattern(&line.pattern, "footer.line")?,
                of: line.of,
            });
        }
        if profile.time.is_none() && profile.value_date.is_none() && profile.booking_date.is_none()
        {
            return Err(meaning(
                "columns",
                "a record needs a day: `time`, `value_date` or `booking_date` would be right",
            ));
        }
        for column in [&profile.time, &profile.value_date, &profile.booking_date] {
            if column
                .as_ref()
                .is_some_and(|column| column.formats.is_empty())
            {
                return Err(meaning(
                    "columns",
                    "a day or time needs its `format`, such as [\"%Y-%m-%d\"]",
                ));
            }
        }
        if profile.currency_column.is_none() && profile.currency_default.is_none() {
            return Err(meaning(
                "currency",
                "`column` or `default` must tell the currency",
            ));
        }
        Ok(profile)
    }
}

fn original(text: OriginalText) -> Result<OriginalColumns, ProfileError> {
    let place = "original";
    let unit = text.unit.unwrap_or(1);
    if unit != 1 && unit != 100 {
        return Err(meaning(place, "a rate is for 1 or 100 units"));
    }
    Ok(OriginalColumns {
        amount: column(text.amount, place)?,
        currency: column(text.currency, place)?,
        rate: text.rate.map(|text| column(text, place)).transpose()?,
        unit,
        base_is_original: match text.base.as_deref() {
            None | Some("original") => true,
            Some("settled") => false,
            Some(other) => {
                return Err(meaning(
                    place,
                    format!("base = {other:?}; \"original\" or \"settled\" would be right"),
                ));
            }
        },
    })
}

impl Profile {
    /// Puts a column of `[columns]` where it belongs.
    fn place(&mut self, name: &str, value: toml::Value) -> Result<(), ProfileError> {
        let place = format!("columns.{name}");
        let bad = |error: toml::de::Error| meaning(place.clone(), error.message().to_owned());
        if name == "remittance" {
            let lines: Vec<ColumnText> = value.try_into().map_err(bad)?;
            self.remittance = lines
                .into_iter()
                .map(|text| column(text, &place))
                .collect::<Result<_, _>>()?;
            return Ok(());
        }
        let found = column(value.try_into().map_err(bad)?, &place)?;
        let slot = match name {
            "time" => &mut self.time,
            "value_date" => &mut self.value_date,
            "booking_date" => &mut self.booking_date,
            "counterparty_name" => &mut self.counterparty_name,
            "counterparty_account" => &mut self.counterparty_account,
            "balance" => &mut self.balance,
            _ => {
                let role = RefRole::from_code(name).ok_or_else(|| {
                    meaning(
                        place,
                        format!(
                            "not known; known are: time, value_date, booking_date, counterparty_name, \
                             counterparty_account, remittance, balance, {}",
                            codes(RefRole::ALL, RefRole::code)
                        ),
                    )
                })?;
                self.references.push((role, found));
                return Ok(());
            }
        };
        *slot = Some(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMATS: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d",
        "%Y%m%d%H%M%S",
        "%d.%m.%Y %H:%M",
    ];

    /// A time of a format, some of its characters changed.
    fn texts() -> impl Strategy<Value = (usize, String)> {
        let time = (
            0..FORMATS.len(),
            1990u32..2040,
            0u32..14,
            0u32..33,
            0u32..26,
            0u32..62,
        );
        let zone = prop::sample::select(vec!["+08:00", "Z", "-0330", "+8", ""]);
        let change = prop::option::of((
            0usize..26,
            prop::sample::select(vec!['0', '3', '9', ':', 'x', ' ', '年']),
        ));
        (time, 0u32..62, zone, change).prop_map(
            |((which, year, month, day, hour, minute), second, zone, change)| {
                let mut text = FORMATS[which]
                    .replace("%Y", &format!("{year:04}"))
                    .replace("%m", &format!("{month:02}"))
                    .replace("%d", &format!("{day:02}"))
                    .replace("%H", &format!("{hour:02}"))
                    .replace("%M", &format!("{minute:02}"))
                    .replace("%S", &format!("{second:02}"))
                    .replace("%z", zone);
                if let Some((at, c)) = change {
                    let rest: String = text.chars().skip(at + 1).collect();
                    text = text.chars().take(at).chain([c]).collect::<String>() + &rest;
                }
                (which, text)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn eight_bytes_at_a_time_read_what_pieces_read((which, text) in texts(), known in texts()) {
            let format = TimeFormat::new(FORMATS[which]).expect("a format of this test");
            prop_assert!(format.fixed.is_some());
            let plain = TimeFormat { fixed: None, ..format.clone() };
            let read = plain.read(&text);
            prop_assert_eq!(format.read(&text), read);
            let is_known = known.0 == which && plain.read(&known.1).is_ok();
            if is_known && format.is_like(known.1.as_bytes(), text.as_bytes()) {
                prop_assert!(read.is_ok(), "{} like {}", text, known.1);
            }
            // A text like itself but for the time of day comes up too seldom by chance.
            if plain.read(&text).is_ok() && text.len() > 20 {
                for (at, c) in (11..19).flat_map(|at| "01234569".chars().map(move |c| (at, c))) {
                    let mut near = text.clone();
                    if near.is_char_boundary(at) && near.is_char_boundary(at + 1) {
                        near.replace_range(at..=at, &c.to_string());
                        prop_assert!(!format.is_like(text.as_bytes(), near.as_bytes()) || plain.read(&near).is_ok());
                    }
                }
            }
        }
    }
}
