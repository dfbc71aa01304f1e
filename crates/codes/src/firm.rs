//! Identifiers of firms and banks. They are public, so they show themselves.

use quanfu_calendar::{Date, Datelike};

use crate::digits::{base36, mod97};
use crate::{CodeError, identifier};

identifier! {
    /// Unified social credit code (统一社会信用代码, GB 32100-2015) of an organisation: 18 characters, of which 9 to 17 are
    /// its organisation code.
    Uscc, "unified social credit code", "18 characters of 0-9 and A-Z without I, O, S, V, Z",
    |text| text.len() == 18 && text.bytes().all(|byte| uscc_value(byte).is_some())
}

const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn uscc_value(byte: u8) -> Option<u32> {
    let place = USCC_ALPHABET.iter().position(|&known| known == byte)?;
    u32::try_from(place).ok()
}

impl Uscc {
    /// Whether the check character holds. A change of any one character is caught.
    ///
    /// ```
    /// use quanfu_codes::Uscc;
    /// assert!("91110000600037341L".parse::<Uscc>()?.check().is_ok());
    /// assert!("91110000600037341K".parse::<Uscc>()?.check().is_err()); // the form is right
    /// # Ok::<(), quanfu_codes::CodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        let (body, last) = self.as_str().split_at(17);
        let mut weight = 1;
        let mut sum = 0;
        for byte in body.bytes() {
            sum += uscc_value(byte).unwrap_or(0) * weight;
            weight = weight * 3 % 31;
        }
        let want = USCC_ALPHABET[((31 - sum % 31) % 31) as usize];
        holds(last.as_bytes() == [want], Self::KIND)
    }

    /// The organisation code inside. That its own check character does not hold is a reason to look, not to refuse.
    #[must_use]
    pub fn organisation(&self) -> OrganisationCode {
        OrganisationCode(self.as_str()[8..17].to_owned())
    }
}

identifier! {
    /// Organisation code (组织机构代码, GB 11714): 8 characters and a check character, written without a hyphen.
    OrganisationCode, "organisation code", "8 characters of 0-9 and A-Z, then a digit or X",
    |text| text.len() == 9
        && text.bytes().take(8).all(is_upper_or_digit)
        && text.bytes().skip(8).all(|byte| byte.is_ascii_digit() || byte == b'X')
}

impl OrganisationCode {
    /// Whether the check character holds. A change of any one digit into another is caught, not of every letter.
    ///
    /// # Errors
    ///
    /// [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
        let (body, last) = self.as_str().split_at(8);
        let terms = body.bytes().zip(WEIGHTS);
        let sum: u32 = terms
            .map(|(byte, weight)| base36(byte).unwrap_or(0) * weight)
            .sum();
        let want = b"0X987654321"[(sum % 11) as usize]; // 11 - sum mod 11, where 11 is 0 and 10 is X
        holds(last.as_bytes() == [want], Self::KIND)
    }
}

identifier! {
    /// Legal entity identifier (ISO 17442).
    Lei, "LEI", "18 characters of 0-9 and A-Z, then 2 digits",
    |text| text.len() == 20
        && text.bytes().take(18).all(is_upper_or_digit)
        && text.bytes().skip(18).all(|byte| byte.is_ascii_digit())
}

impl Lei {
    /// Whether the check digits hold. A change of one digit or one letter into another is caught.
    ///
    /// # Errors
    ///
    /// [`CodeError::CheckDigit`].
    pub fn check(&self) -> Result<(), CodeError> {
        // MOD 97-10 makes 02 to 98; 00, 01 and 99 have the same remainder and are never made
        let made = !["00", "01", "99"].contains(&&self.as_str()[18..]);
        holds(made && mod97(self.as_str().bytes()) == Some(1), Self::KIND)
    }
}

identifier! {
    /// Business identifier code of a bank (ISO 9362). It has no check digit.
    Bic, "BIC", "8 or 11 characters: 4 letters or digits, 2 letters, 2 and perhaps 3 letters or digits",
    |text| matches!(text.len(), 8 | 11)
        && text.bytes().all(is_upper_or_digit)
        && text.bytes().skip(4).take(2).all(|byte| byte.is_ascii_uppercase())
}

identifier! {
    /// Unique end-to-end transaction reference: a UUID of version 4 in lower case. It has no check digit.
    Uetr, "UETR", "a UUID of version 4 in lower case",
    |text| {
        let shape = b"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
        text.len() == shape.len() && text.bytes().zip(shape).all(|(byte, want)| match want {
            b'x' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            b'y' => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            want => byte == *want,
        })
    }
}

identifier! {
    /// Customs code of a firm (海关编码): 4 region, zone type, firm type, 4 sequence. It has no check digit that we know.
    CustomsFirmCode, "customs code of a firm", "6 digits and 4 characters of 0-9 and A-Z",
    |text| text.len() == 10
        && text.bytes().take(6).all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && text.bytes().skip(6).all(is_upper_or_digit)
}

identifier! {
    /// CNAPS code of a bank (联行号): 3 bank, 4 area, 4 serial, 1 check. How the check digit is computed is not confirmed,
    /// so only the form can be checked.
    CnapsCode, "CNAPS code", "12 digits",
    |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

identifier! {
    /// Number of a payment licence (支付业务许可证). No check digit is known.
    PaymentLicence, "payment licence", "Z and 13 digits",
    |text| text.len() == 14
        && text.starts_with('Z')
        && text.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

identifier! {
    /// Number of a balance-of-payments declaration (涉外收支申报号码): 12 digits of the institution (6 region, 4 institution,
    /// 2 sequence), day as YYMMDD, 4 of serial. It has no check digit.
    BopNumber, "BoP declaration number", "18 digits with a day as YYMMDD, then 4 characters of 0-9 and A-Z",
    |text| text.len() == 22
        && text.bytes().take(18).all(|byte| byte.is_ascii_digit())
        && text.bytes().skip(18).all(is_upper_or_digit)
        && day_of(&text[12..18]).is_some()
}

impl BopNumber {
    /// The number of an institution, a day of this century and a serial.
    ///
    /// # Errors
    ///
    /// [`CodeError::Form`].
    ///
    /// ```
    /// use quanfu_codes::BopNumber;
    /// let number = BopNumber::compose("370100000101", "2025-12-31".parse().unwrap(), "N001")?;
    /// assert_eq!(number.to_string(), "370100000101251231N001");
    /// assert_eq!(number.institution(), "370100000101");
    /// assert_eq!(number.day().map(|day| day.to_string()).as_deref(), Some("2025-12-31"));
    /// # Ok::<(), quanfu_codes::CodeError>(())
    /// ```
    pub fn compose(institution: &str, day: Date, serial: &str) -> Result<Self, CodeError> {
        let (year, month, of_month) = (day.year(), day.month(), day.day());
        if !(2000..2100).contains(&year) || institution.len() != 12 {
            return Err(Self::form());
        }
        format!(
            "{institution}{:02}{month:02}{of_month:02}{serial}",
            year - 2000
        )
        .parse()
    }

    /// The 12 digits of the institution.
    #[must_use]
    pub fn institution(&self) -> &str {
        &self.as_str()[..12]
    }

    /// The day, of this century.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        day_of(&self.as_str()[12..18])
    }
}

identifier! {
    /// Code of a cross-border transaction in the balance of payments (涉外收支交易编码).
    BopCode, "BoP transaction code", "6 digits",
    |text| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

identifier! {
    /// A country as ISO 3166 alpha-3, as the balance of payments writes it.
    Country, "country", "3 capital letters (ISO 3166 alpha-3)",
    |text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

identifier! {
    /// A currency as customs write it (JGS-20): 142 is renminbi. Not the number of ISO 4217.
    CustomsCurrency, "currency of customs", "3 digits",
    |text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

identifier! {
    /// A country as customs write it (JGS-20): 3 digits. Not a code of ISO 3166.
    CustomsCountry, "country of customs", "3 digits",
    |text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn day_of(yymmdd: &str) -> Option<Date> {
    let part = |at: usize| yymmdd.get(at..at + 2)?.parse::<u32>().ok();
    let year = i32::try_from(part(0)?).ok()?;
    Date::from_ymd_opt(2000 + year, part(2)?, part(4)?)
}

pub(crate) fn is_upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

pub(crate) fn holds(right: bool, kind: &'static str) -> Result<(), CodeError> {
    if right {
        Ok(())
    } else {
        Err(CodeError::CheckDigit { kind })
    }
}
