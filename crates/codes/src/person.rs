//! Identifiers of persons and their accounts. They are personal data: they show themselves masked, everywhere.

use quanfu_calendar::Date;

use crate::digits::{luhn, mod97};
use crate::firm::{holds, is_upper_or_digit};
use crate::{
    CodeError, CodeTable, TableError, mask_account, mask_ends, masked, masked_text, parsed,
};

/// The whole value in a document, of the form of its kind.
macro_rules! parsed_whole {
    ($type:ident) => {
        impl crate::whole::Whole for $type {
            fn whole(&self) -> &str {
                &self.0
            }

            fn from_whole(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error: CodeError| error.to_string())
            }
        }
    };
}

/// Number of a resident's identity card (公民身份号码, GB 11643), shown as `1****************X`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentId(String);

masked!(ResidentId, mask_identity);
parsed_whole!(ResidentId);
parsed! {
    ResidentId, "resident identity number", "17 digits, then a digit or X (the old form of 15 digits is out of use)",
    |text| text.len() == 18
        && text.bytes().take(17).all(|byte| byte.is_ascii_digit())
        && text.bytes().skip(17).all(|byte| byte.is_ascii_digit() || byte == b'X')
}

impl ResidentId {
    /// Whether the date of birth is a day and the check character holds. A change of any one digit is caught.
    ///
    /// ```
    /// use quanfu_codes::ResidentId;
    /// let id: ResidentId = "11010519491231002X".parse()?;
    /// assert!(id.check().is_ok());
    /// assert_eq!(id.to_string(), "1****************X");
    /// # Ok::<(), quanfu_codes::CodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CodeError::BirthDate`], [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        if self.born().is_none() {
            return Err(CodeError::BirthDate { kind: Self::KIND });
        }
        let (body, last) = self.0.split_at(17);
        let mut weight = 2;
        let mut sum = 0;
        for byte in body.bytes().rev() {
            sum += u32::from(byte - b'0') * weight;
            weight = weight * 2 % 11;
        }
        let want = b"10X98765432"[(sum % 11) as usize];
        holds(last.as_bytes() == [want], Self::KIND)
    }

    /// The date of birth, if it is a day.
    #[must_use]
    pub fn born(&self) -> Option<Date> {
        let part = |from: usize, until: usize| self.0.get(from..until)?.parse::<u32>().ok();
        let year = i32::try_from(part(6, 10)?).ok()?;
        Date::from_ymd_opt(year, part(10, 12)?, part(12, 14)?).filter(|_| year > 0)
    }
}

/// Number of a bank card (银行卡号), shown as `6200********0005`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankCard(String);

masked!(BankCard, mask_account);
parsed_whole!(BankCard);
parsed! {
    BankCard, "bank card number", "12 to 19 digits",
    |text| (12..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl BankCard {
    /// Whether the check digit holds (Luhn). A change of any one digit is caught.
    ///
    /// # Errors
    ///
    /// [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        holds(luhn(&self.0), Self::KIND)
    }

    /// Whether it begins as the cards of UnionPay do.
    #[must_use]
    pub fn is_unionpay(&self) -> bool {
        self.0.starts_with("62")
    }
}

/// International bank account number (ISO 13616), without blanks, shown as `DE89**************3000`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban(String);

masked!(Iban, mask_account);
parsed_whole!(Iban);
parsed! {
    Iban, "IBAN", "2 letters, 2 digits, and 11 to 30 letters or digits, without blanks",
    |text| (15..=34).contains(&text.len())
        && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && text.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit())
        && text.bytes().skip(4).all(is_upper_or_digit)
}

impl Iban {
    /// Whether the check digits hold. A change of one digit or one letter into another is caught.
    ///
    /// # Errors
    ///
    /// [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        let (head, rest) = self.0.split_at(4);
        // MOD 97-10 makes 02 to 98; 00, 01 and 99 have the same remainder and are never made
        let made = !["00", "01", "99"].contains(&&head[2..]);
        let remainder = mod97(rest.bytes().chain(head.bytes()));
        holds(made && remainder == Some(1), Self::KIND)
    }

    /// Whether it is as long as the account numbers of its country are by a table, such as [`CodeTable::iban_lengths`].
    ///
    /// # Errors
    ///
    /// [`TableError::Unknown`] for a country that the table does not have; [`CodeError::Length`].
    pub fn check_length(
        &self,
        lengths: &CodeTable,
        day: Date,
    ) -> Result<Result<(), CodeError>, TableError> {
        let row = lengths.at(&self.0[..2], day)?;
        let found = self.0.len();
        Ok(match row.value.parse() {
            Ok(want) if want != found => Err(CodeError::Length {
                kind: Self::KIND,
                found,
                want,
            }),
            _ => Ok(()),
        })
    }
}

/// Number of a telephone, shown as `138****5678`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

masked_text!(Phone, mask_phone);

/// The number with its first and its last character shown, and nothing of one shorter than four characters.
#[must_use]
pub fn mask_identity(number: &str) -> String {
    if number.chars().count() < 4 {
        mask_ends(number, 0, 0)
    } else {
        mask_ends(number, 1, 1)
    }
}

/// A text with the numbers in it masked that may be a person's: of 11 digits from 13 to 19 on, as mobile phones have, of 15 to
/// 19 digits, as cards and identities have, and of 17 digits and an X. A number that goes on behind a decimal point is none,
/// nor is one behind a letter, as references are written.
///
/// ```
/// use quanfu_codes::mask_numbers;
/// assert_eq!(mask_numbers("call 13912345678"), "call 139****5678");
/// assert_eq!(mask_numbers("11010519491231002X"), "1****************X");
/// assert_eq!(mask_numbers("6222020200112233445"), "6222***********3445");
/// for none in ["20260302103000", "13912345678.00", "QF13912345678"] {
///     assert_eq!(mask_numbers(none), none);
/// }
/// ```
#[must_use]
pub fn mask_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let has_x = digits == 17 && number[digits..].starts_with(['X', 'x']);
        let (number, after) = number.split_at(digits + usize::from(has_x));
        let mut following = after.chars();
        let is_amount =
            following.next() == Some('.') && following.next().is_some_and(|c| c.is_ascii_digit());
        let is_reference = before.ends_with(|c: char| c.is_ascii_alphanumeric());
        let is_phone = number.len() == 11 && matches!(number.as_bytes()[..2], [b'1', b'3'..=b'9']);
        out.push_str(before);
        match number.len() {
            _ if is_amount || is_reference => out.push_str(number),
            11 if is_phone => out.push_str(&mask_phone(number)),
            15 | 18 => out.push_str(&mask_identity(number)),
            16 | 17 | 19 => out.push_str(&mask_account(number)),
            _ => out.push_str(number),
        }
        rest = after;
    }
    out + rest
}

/// The number with its first three and last four characters shown; only the last two of one shorter than eleven.
#[must_use]
pub fn mask_phone(number: &str) -> String {
    match number.chars().count() {
        11.. => mask_ends(number, 3, 4),
        4.. => mask_ends(number, 0, 2),
        _ => mask_ends(number, 0, 0),
    }
}
