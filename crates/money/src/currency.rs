//! [`Currency`]: an ISO 4217 code with a known minor unit.

use crate::MoneyError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// A currency of ISO 4217 whose minor unit is known, or a superseded one that old files carry.
///
/// Codes without a minor unit (gold `XAU`, "no currency" `XXX`) are not currencies here, for an amount in
/// them has no whole units to count. `CNH` is none either: it is an offshore market of `CNY`, named on
/// rates and accounts. The order is that of the codes.
///
/// ```
/// use quanfu_money::Currency;
/// let yen: Currency = "JPY".parse()?;
/// assert_eq!(yen.minor_digits(), 0);
/// assert_eq!(yen.to_string(), "JPY");
/// assert!(Currency::from_code("jpy").is_err()); // codes are upper case
/// # Ok::<(), quanfu_money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    digits: u8,
}

macro_rules! currencies {
    ($($code:ident $digits:literal $name:literal,)*) => {
        impl Currency {
            $(
                #[doc = $name]
                pub const $code: Currency = Currency::known(stringify!($code), $digits);
            )*
        }

        #[cfg(test)]
        const NAMED: &[Currency] = &[$(Currency::$code),*];
    };
}

currencies! {
    AED 2 "United Arab Emirates dirham.",
    AUD 2 "Australian dollar.",
    BHD 3 "Bahraini dinar.",
    CAD 2 "Canadian dollar.",
    CHF 2 "Swiss franc.",
    CLF 4 "Unidad de fomento of Chile, four decimals.",
    CNY 2 "Renminbi (人民币); its minor unit is the fen (分).",
    DKK 2 "Danish krone.",
    EUR 2 "Euro.",
    GBP 2 "Pound sterling.",
    HKD 2 "Hong Kong dollar.",
    HUF 2 "Hungarian forint.",
    IDR 2 "Indonesian rupiah.",
    INR 2 "Indian rupee.",
    JPY 0 "Japanese yen, no minor unit in use.",
    KRW 0 "South Korean won, no minor unit in use.",
    KWD 3 "Kuwaiti dinar, three decimals.",
    MOP 2 "Macanese pataca.",
    MXN 2 "Mexican peso.",
    MYR 2 "Malaysian ringgit.",
    NOK 2 "Norwegian krone.",
    NZD 2 "New Zealand dollar.",
    PHP 2 "Philippine peso.",
    PLN 2 "Polish zloty.",
    RUB 2 "Russian rouble.",
    SAR 2 "Saudi riyal.",
    SEK 2 "Swedish krona.",
    SGD 2 "Singapore dollar.",
    THB 2 "Thai baht.",
    TRY 2 "Turkish lira.",
    TWD 2 "New Taiwan dollar.",
    USD 2 "United States dollar.",
    VND 0 "Vietnamese dong, no minor unit in use.",
    ZAR 2 "South African rand.",
}

impl Currency {
    const fn known(code: &str, digits: u8) -> Self {
        let bytes = code.as_bytes();
        assert!(bytes.len() == 3, "a currency code has three letters");
        Self {
            code: [bytes[0], bytes[1], bytes[2]],
            digits,
        }
    }

    /// The currency of a code, as written in ISO 4217: three upper-case letters.
    ///
    /// # Errors
    ///
    /// [`MoneyError::UnknownCurrency`] for any other text, [`MoneyError::NoMinorUnit`] for codes such as
    /// `XAU` and `XXX`, [`MoneyError::OffshoreRenminbi`] for `CNH`.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        let slot = match code.as_bytes() {
            &[a, b, c] => slot(&[a, b, c]).map(|index| ([a, b, c], DIGITS_BY_CODE[index])),
            _ => None,
        };
        match slot {
            Some((code, digits)) if digits <= MAX_DIGITS => Ok(Self { code, digits }),
            Some((_, NO_MINOR_UNIT)) => Err(MoneyError::NoMinorUnit { code: code.into() }),
            _ if code == "CNH" => Err(MoneyError::OffshoreRenminbi),
            _ => Err(MoneyError::UnknownCurrency {
                code: crate::lexer::shown(code.as_bytes()),
            }),
        }
    }

    /// The three letters, such as `CNY`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a currency code is upper-case ASCII")
    }

    /// The three letters as bytes, `A` to `Z`.
    #[must_use]
    #[inline]
    pub const fn letters(&self) -> [u8; 3] {
        self.code
    }

    /// How many decimals the minor unit has: 2 for `CNY`, 0 for `JPY`, 3 for `KWD`.
    #[must_use]
    pub const fn minor_digits(&self) -> u8 {
        self.digits
    }

    /// The three-digit number of ISO 4217: 156 for `CNY`.
    ///
    /// ```
    /// # use quanfu_money::Currency;
    /// assert_eq!(Currency::CNY.numeric(), 156);
    /// assert_eq!(Currency::from_code("DEM")?.numeric(), 276);
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn numeric(&self) -> u16 {
        match iso_currency::Currency::from_code(self.code()) {
            Some(iso) => iso.numeric(),
            None => {
                self.superseded_row()
                    .expect("a currency is in ISO 4217 or in data/superseded.csv")
                    .numeric
            }
        }
    }

    /// For a currency that is no longer in use, where that is written; `None` for one in use.
    ///
    /// ```
    /// # use quanfu_money::Currency;
    /// assert!(Currency::from_code("DEM")?.is_superseded().is_some());
    /// assert!(Currency::CNY.is_superseded().is_none());
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn is_superseded(&self) -> Option<&'static str> {
        self.superseded_row().map(|row| row.source)
    }

    fn superseded_row(&self) -> Option<&'static Superseded> {
        SUPERSEDED.iter().find(|row| row.code == self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_code(s)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize_text(deserializer, "a currency code such as CNY")
    }
}

/// One row of `data/superseded.csv`.
struct Superseded {
    code: &'static str,
    numeric: u16,
    digits: u8,
    source: &'static str,
    #[cfg(test)]
    columns: Vec<&'static str>,
}

static SUPERSEDED: LazyLock<Vec<Superseded>> = LazyLock::new(|| {
    include_str!("../data/superseded.csv")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&'static str> = line.splitn(7, ',').collect();
            let [code, numeric, digits, _, _, _, source] = columns[..] else {
                panic!("data/superseded.csv: seven columns expected in {line}")
            };
            Superseded {
                code,
                numeric: numeric.parse().expect("data/superseded.csv: numeric code"),
                digits: digits.parse().expect("data/superseded.csv: digits"),
                source,
                #[cfg(test)]
                columns,
            }
        })
        .collect()
});

/// The most decimals a currency has: `CLF` and `UYW`.
const MAX_DIGITS: u8 = 4;
const NO_MINOR_UNIT: u8 = 254;
const UNKNOWN: u8 = 255;

/// Minor digits by code, so that a row of a file finds its currency with one look.
static DIGITS_BY_CODE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let mut table = vec![UNKNOWN; 26 * 26 * 26].into_boxed_slice();
    let mut put = |code: &str, digits: u8| {
        let index = code.as_bytes().try_into().ok().and_then(slot);
        table[index.expect("a currency code is three upper-case letters")] = digits;
    };
    for row in SUPERSEDED.iter() {
        put(row.code, row.digits);
    }
    for iso in iso_4217() {
        let digits = iso.exponent().map_or(NO_MINOR_UNIT, |exponent| {
            u8::try_from(exponent).expect("an ISO 4217 exponent is a small number")
        });
        put(iso.code(), digits);
    }
    table
});

/// The rows of ISO 4217. Its numbers have three digits, and each is given once.
fn iso_4217() -> impl Iterator<Item = iso_currency::Currency> {
    (0..1000).filter_map(iso_currency::Currency::from_numeric)
}

/// The place of a code in [`DIGITS_BY_CODE`]; `None` unless it is three upper-case letters.
fn slot(code: &[u8; 3]) -> Option<usize> {
    code.iter().try_fold(0, |index, letter| {
        letter
            .is_ascii_uppercase()
            .then(|| index * 26 + usize::from(letter - b'A'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_currencies_agree_with_the_tables() {
        for &currency in NAMED {
            assert_eq!(Currency::from_code(currency.code()), Ok(currency));
            assert_eq!(currency.is_superseded(), None, "{currency}");
        }
    }

    #[test]
    fn every_code_of_iso_4217_with_a_minor_unit_is_a_currency() {
        let mut without = Vec::new();
        for iso in by_code() {
            match (Currency::from_code(iso.code()), iso.exponent()) {
                (Ok(currency), Some(digits)) => {
                    assert_eq!(u16::from(currency.minor_digits()), digits, "{currency}");
                    assert_eq!(currency.numeric(), iso.numeric(), "{currency}");
                    assert_eq!(currency.to_string().parse(), Ok(currency));
                }
                (Err(MoneyError::NoMinorUnit { code }), None) => without.push(code),
                (found, exponent) => panic!("{}: {found:?}, exponent {exponent:?}", iso.code()),
            }
        }
        let special = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
        assert_eq!(without.join(" "), special);
    }

    /// ISO 4217 List One: the 17 codes without decimals, the 7 with three, the 2 with four.
    #[test]
    fn unusual_minor_units_are_those_of_iso_4217() {
        for (digits, codes) in [
            (
                0,
                "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
            ),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
        ] {
            let found: Vec<&str> = iso_codes()
                .filter(|code| Currency::from_code(code).is_ok_and(|c| c.minor_digits() == digits))
                .collect();
            assert_eq!(found.join(" "), codes, "{digits} decimals");
        }
    }

    #[test]
    fn going_by_number_misses_no_code() {
        let mut by_number: Vec<&str> = iso_4217().map(|iso| iso.code()).collect();
        by_number.sort_unstable();
        assert_eq!(by_number, iso_codes().collect::<Vec<_>>());
    }

    /// ISO 4217 found by trying every code of three letters, the slow twin of [`iso_4217`].
    fn by_code() -> impl Iterator<Item = iso_currency::Currency> {
        (0..26 * 26 * 26u32).filter_map(|n| {
            let letters = [n / 676, n / 26 % 26, n % 26].map(|n| char::from(b'A' + n as u8));
            iso_currency::Currency::from_code(&letters.iter().collect::<String>())
        })
    }

    fn iso_codes() -> impl Iterator<Item = &'static str> {
        by_code().map(|iso| iso.code())
    }

    #[test]
    fn superseded_rows_are_sorted_dated_and_sourced() {
        let codes: Vec<&str> = SUPERSEDED.iter().map(|row| row.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted, "sorted by code, each code once");
        for row in SUPERSEDED.iter() {
            let line = row.columns.join(",");
            let currency = Currency::from_code(row.code).expect("a superseded code is a currency");
            assert_eq!(currency.minor_digits(), row.digits, "{line}");
            assert_eq!(currency.numeric(), row.numeric, "{line}");
            assert_eq!(currency.is_superseded(), Some(row.source), "{line}");
            let [_, _, _, withdrawn, successor, certainty, source] = row.columns[..] else {
                panic!("seven columns: {line}")
            };
            let (year, month) = withdrawn.split_once('-').expect("year-month");
            assert!(
                (1999..=2026).contains(&year.parse().expect("year")),
                "{line}"
            );
            assert!((1..=12).contains(&month.parse().expect("month")), "{line}");
            assert!(Currency::from_code(successor).is_ok(), "{line}");
            assert!(["certain", "probable"].contains(&certainty), "{line}");
            assert!(source.starts_with("ISO 4217"), "{line}");
            assert_eq!(
                certainty == "probable",
                source.contains("general knowledge")
                    || source.contains("JDK")
                    || source.contains("of 2012"),
                "{line}"
            );
        }
    }

    #[test]
    fn codes_that_old_files_carry_are_known() {
        for code in "DEM FRF ITL ATS NLG BEF ESP PTE FIM IEP GRD LUF EEK LVL LTL SKK SIT MTL CYP HRK BGN ROL TRL ANG MRO BYR STD VEF"
            .split(' ')
        {
            let currency = Currency::from_code(code).expect(code);
            assert!(currency.is_superseded().is_some(), "{code}");
        }
    }

    #[test]
    fn other_texts_are_no_currency() {
        for (text, want) in [
            ("", "currency-unknown"),
            ("cny", "currency-unknown"),
            ("Cny", "currency-unknown"),
            (" CNY", "currency-unknown"),
            ("CNYY", "currency-unknown"),
            ("CN", "currency-unknown"),
            ("RMB", "currency-unknown"),
            ("CNX", "currency-unknown"),
            ("156", "currency-unknown"),
            ("元", "currency-unknown"), // three bytes
            ("ＣＮＹ", "currency-unknown"),
            ("CNH", "currency-offshore-renminbi"),
            ("XAU", "currency-without-minor-unit"),
            ("XXX", "currency-without-minor-unit"),
            ("XTS", "currency-without-minor-unit"),
        ] {
            let error = Currency::from_code(text).expect_err(text);
            assert_eq!(error.code(), want, "{text}");
        }
    }

    #[test]
    fn a_currency_is_four_bytes_ordered_by_code_and_written_as_its_code() {
        assert_eq!(size_of::<Currency>(), 4);
        assert!(Currency::CNY < Currency::EUR && Currency::EUR < Currency::USD);
        let json = serde_json::to_string(&Currency::CNY).expect("serialises");
        assert_eq!(json, "\"CNY\"");
        assert_eq!(
            serde_json::from_str::<Currency>(&json).expect("reads"),
            Currency::CNY
        );
        assert!(serde_json::from_str::<Currency>("156").is_err());
    }
}
