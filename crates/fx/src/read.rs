//! Rates from files: our own CSV form, and what the readers share.

use crate::rate::read_day;
use crate::{Certainty, Date, FxError, FxRate, ParityQuoting, Quote, RateKind, RmbMarket};
use quanfu_money::{AmountStyle, Currency, Decimal, MoneyError, lexer};

/// What a file of rates said: the rates that could be read and the reasons for the rest, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "`rejected` tells which rows are missing from `rates`"]
pub struct RateReading {
    /// The rates.
    pub rates: Vec<FxRate>,
    /// Why the other rows are none.
    pub rejected: Vec<RateFileError>,
}

/// Why a file is no file of rates, or a row of it no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateFileError {
    /// The file is not UTF-8.
    #[error("line {line}: not UTF-8 text")]
    Encoding {
        /// The first line that is not, counted from 1.
        line: usize,
    },
    /// The first line is not the header that was expected.
    #[error("line 1: found \"{found}\"; the header \"{wanted}\" would be right")]
    Header {
        /// The line found.
        found: String,
        /// What would be right.
        wanted: String,
    },
    /// The document is not JSON of the expected shape.
    #[error("line {line}, column {column}: {why}")]
    Json {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
    /// A field is not what it must be.
    #[error("{place}, field \"{field}\": found \"{found}\"; {wanted} would be right")]
    Field {
        /// The line or record.
        place: String,
        /// The column or member.
        field: String,
        /// The text found.
        found: String,
        /// What would be right.
        wanted: String,
    },
    /// A central parity that is quoted in another way than it is published.
    #[error("{place}: {why}")]
    Quoting {
        /// The line or record.
        place: String,
        /// What was found and what would be right.
        why: String,
    },
    /// The fields make no rate.
    #[error("{place}: {source}")]
    Rate {
        /// The line or record.
        place: String,
        /// Why.
        source: FxError,
    },
}

impl RateFileError {
    /// Every code of this kind of error; the others are those of [`FxError`].
    pub const CODES: &[&str] = &[
        "rate-file-encoding",
        "rate-file-header",
        "rate-file-json",
        "rate-file-field",
        "rate-file-quoting",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encoding { .. } => "rate-file-encoding",
            Self::Header { .. } => "rate-file-header",
            Self::Json { .. } => "rate-file-json",
            Self::Field { .. } => "rate-file-field",
            Self::Quoting { .. } => "rate-file-quoting",
            Self::Rate { source, .. } => source.code(),
        }
    }
}

/// The header of our own form; `,valid_from,valid_until` may follow.
pub const HEADER: &str = "date,base,unit,quote,value,kind,source,certainty";
const VALIDITY: &str = ",valid_from,valid_until";

impl RateReading {
    /// Reads rates from any form that needs no further word: our own CSV, or ChinaMoney's JSON.
    ///
    /// # Errors
    ///
    /// Those of [`RateReading::csv`] and [`RateReading::chinamoney`].
    pub fn any(bytes: &[u8]) -> Result<Self, RateFileError> {
        let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match start.trim_ascii_start().first() {
            Some(b'{') => Self::chinamoney(bytes),
            _ => Self::csv(bytes),
        }
    }

    /// Reads our own form: [`HEADER`], then one rate a line. `CNH` as a currency makes the rate one of the offshore
    /// market. Rates of the source [`crate::CENTRAL_PARITY`] must be quoted as the parity is.
    ///
    /// # Errors
    ///
    /// [`RateFileError::Encoding`], [`RateFileError::Header`]. A row that is no rate is among the rejected.
    ///
    /// ```
    /// use quanfu_fx::{RateReading, RmbMarket};
    /// let file = "date,base,unit,quote,value,kind,source,certainty\n\
    ///             2025-07-16,JPY,100,CNY,4.8134,mid,CFETS central parity,certain\n\
    ///             2025-07-16,MYR,1,CNY,1.6871,mid,CFETS central parity,certain\n\
    ///             2025-07-16,USD,1,CNH,7.1810,mid,made up,illustrative\n";
    /// let read = RateReading::csv(file.as_bytes())?;
    /// assert_eq!(read.rates[1].market(), RmbMarket::Offshore);
    /// assert_eq!(
    ///     read.rejected[0].to_string(),
    ///     "line 3: MYR/CNY for 1: the central parity is CNY/MYR for 1"
    /// );
    /// # Ok::<(), quanfu_fx::RateFileError>(())
    /// ```
    pub fn csv(bytes: &[u8]) -> Result<Self, RateFileError> {
        let text = utf8(bytes)?;
        let mut lines = text.lines();
        let header = lines.next().unwrap_or("");
        let columns = match header.strip_prefix(HEADER) {
            Some("") => 8,
            Some(VALIDITY) => 10,
            _ => {
                return Err(RateFileError::Header {
                    found: shown(header),
                    wanted: HEADER.into(),
                });
            }
        };
        let mut reading = Self::default();
        for (index, line) in lines.enumerate() {
            if line.is_empty() {
                continue;
            }
            let place = format!("line {}", index + 2);
            reading.take(row(&place, line, columns).and_then(|rate| checked(&place, rate)));
        }
        Ok(reading)
    }

    pub(crate) fn take(&mut self, row: Result<FxRate, RateFileError>) {
        match row {
            Ok(rate) => self.rates.push(rate),
            Err(error) => self.rejected.push(error),
        }
    }
}

/// Rates in our own form, which [`RateReading::csv`] reads; with the columns of validity if one of them has days.
pub fn to_csv<'r>(rates: impl IntoIterator<Item = &'r FxRate>) -> String {
    let rates: Vec<&FxRate> = rates.into_iter().collect();
    let with_validity = rates.iter().any(|rate| rate.validity().is_some());
    let mut out = String::from(HEADER);
    if with_validity {
        out.push_str(VALIDITY);
    }
    out.push('\n');
    for rate in rates {
        let source = if rate.source().contains([',', '"']) {
            format!("\"{}\"", rate.source().replace('"', "\"\""))
        } else {
            rate.source().to_owned()
        };
        let cells = [
            rate.as_of().to_string(),
            rate.written(rate.base()),
            rate.unit().to_string(),
            rate.written(rate.quote()),
            rate.value().to_string(),
            rate.kind().name().into(),
            source,
            rate.certainty().name().into(),
        ];
        out.push_str(&cells.join(","));
        if with_validity {
            let days = rate.validity();
            let until = days.and_then(|days| days.until);
            for day in [days.map(|days| days.from), until] {
                out.push(',');
                out.push_str(&day.map_or_else(String::new, |day| day.to_string()));
            }
        }
        out.push('\n');
    }
    out
}

fn row(place: &str, line: &str, columns: usize) -> Result<FxRate, RateFileError> {
    let cells = cells(place, line)?;
    if cells.len() != columns {
        return Err(wrong(
            place,
            "line",
            line,
            &format!("{columns} cells, and not {},", cells.len()),
        ));
    }
    let cell = |index: usize| cells[index].as_str();
    let as_of = day(place, "date", cell(0))?;
    let (base, base_market) = currency(place, "base", cell(1))?;
    let unit = cell(2);
    let unit = unit
        .parse()
        .ok()
        .filter(|number: &u32| number.to_string() == unit)
        .ok_or_else(|| wrong(place, "unit", unit, "1, 10, 100, 1000 or 10000"))?;
    let (quote, quote_market) = currency(place, "quote", cell(3))?;
    let value = value(place, "value", cell(4))?;
    let kind =
        RateKind::from_name(cell(5)).ok_or_else(|| wrong(place, "kind", cell(5), &kinds()))?;
    let source = cell(6);
    let certainty = Certainty::from_name(cell(7)).ok_or_else(|| {
        let wanted = "certain, probable, unsure or illustrative";
        wrong(place, "certainty", cell(7), wanted)
    })?;
    let days = |index: usize, field| match cells.get(index).map(String::as_str) {
        None | Some("") => Ok(None),
        Some(text) => day(place, field, text).map(Some),
    };
    let (from, until) = (days(8, "valid_from")?, days(9, "valid_until")?);
    let make = || {
        let rate = FxRate::new(
            Quote::new(base, unit, quote, value)?,
            kind,
            source,
            as_of,
            certainty,
        )?
        .in_market(base_market.max(quote_market))?;
        match (from, until) {
            (None, None) => Ok(rate),
            (from, until) => rate.valid(from.unwrap_or(as_of), until),
        }
    };
    make().map_err(|source| RateFileError::Rate {
        place: place.into(),
        source,
    })
}

/// A rate that claims to be a central parity is quoted like one.
pub(crate) fn checked(place: &str, rate: FxRate) -> Result<FxRate, RateFileError> {
    if ParityQuoting::claims(&rate) {
        ParityQuoting::check(&rate).map_err(|why| RateFileError::Quoting {
            place: place.into(),
            why,
        })?;
    }
    Ok(rate)
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, RateFileError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| RateFileError::Encoding {
        line: 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count(),
    })
}

pub(crate) fn wrong(place: &str, field: &str, found: &str, wanted: &str) -> RateFileError {
    RateFileError::Field {
        place: place.into(),
        field: field.into(),
        found: shown(found),
        wanted: wanted.into(),
    }
}

/// A text of a file for a message: not longer than a line, without control characters.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

fn kinds() -> String {
    RateKind::ALL.map(RateKind::name).join(", ")
}

pub(crate) fn day(place: &str, field: &str, text: &str) -> Result<Date, RateFileError> {
    read_day(text).map_err(|_| wrong(place, field, text, "a day such as 2025-07-16"))
}

pub(crate) fn value(place: &str, field: &str, text: &str) -> Result<Decimal, RateFileError> {
    lexer::parse_decimal(text.as_bytes(), AmountStyle::PLAIN)
        .map_err(|_| wrong(place, field, text, "a number such as 7.1526"))
}

/// A currency, and the market that its name says.
pub(crate) fn currency(
    place: &str,
    field: &str,
    text: &str,
) -> Result<(Currency, RmbMarket), RateFileError> {
    match Currency::from_code(text) {
        Ok(currency) => Ok((currency, RmbMarket::Onshore)),
        Err(MoneyError::OffshoreRenminbi) => Ok((Currency::CNY, RmbMarket::Offshore)),
        Err(_) => Err(wrong(place, field, text, "a currency code such as USD")),
    }
}

/// The cells of a line of CSV; a cell in double quotes may have commas and doubled quotes.
pub(crate) fn cells(place: &str, line: &str) -> Result<Vec<String>, RateFileError> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let cell = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let cell = &rest[..end];
                rest = &rest[end..];
                cell.to_owned()
            }
            Some(mut inner) => {
                let mut cell = String::new();
                loop {
                    let end = inner.find('"').ok_or_else(|| {
                        wrong(place, "line", line, "a quote that ends on its line")
                    })?;
                    cell.push_str(&inner[..end]);
                    inner = &inner[end + 1..];
                    match inner.strip_prefix('"') {
                        Some(more) => {
                            cell.push('"');
                            inner = more;
                        }
                        None => break,
                    }
                }
                rest = inner;
                cell
            }
        };
        cells.push(cell);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(cells),
            None => return Err(wrong(place, "line", line, "a comma after a quoted cell")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PUBLISHED: &str = include_str!("../testdata/central_parity.csv");

    /// 129 values of six days; see `testdata/SOURCE.md`.
    #[test]
    fn published_central_parities_read_back_to_the_digit() {
        let read = RateReading::any(PUBLISHED.as_bytes()).expect("our own form");
        assert_eq!(read.rejected, []);
        assert_eq!(read.rates.len(), 129);
        assert_eq!(to_csv(&read.rates), PUBLISHED);
        let days = [
            "2024-07-24",
            "2024-09-30",
            "2025-02-25",
            "2025-07-16",
            "2025-09-01",
        ];
        for day in days {
            let of_day = read
                .rates
                .iter()
                .filter(|rate| rate.as_of().to_string() == day);
            assert_eq!(of_day.count(), ParityQuoting::all().len(), "{day}");
        }
        crate::RateTable::new(read.rates).expect("no two rates of one day");
    }

    #[test]
    fn a_row_that_is_no_rate_says_where_and_what_would_be_right() {
        let good = "2025-07-16,USD,1,CNY,7.1526,mid,CFETS central parity,certain";
        for (from, to, code, message) in [
            (
                "2025-07-16",
                "2025-7-16",
                "rate-file-field",
                "line 2, field \"date\": found \"2025-7-16\"; a day such as 2025-07-16 would be right",
            ),
            (
                "USD",
                "usd",
                "rate-file-field",
                "line 2, field \"base\": found \"usd\"; a currency code such as USD would be right",
            ),
            (
                ",1,",
                ",01,",
                "rate-file-field",
                "line 2, field \"unit\": found \"01\"; 1, 10, 100, 1000 or 10000 would be right",
            ),
            (
                ",1,",
                ",7,",
                "rate-unit",
                "line 2: USD/CNY for 7 USD: a rate is for 1, 10, 100, 1000 or 10000 of its base",
            ),
            (
                "7.1526",
                "7,1526",
                "rate-file-field",
                "line 2, field \"line\": found \"2025-07-16,USD,1,CNY,7,1526,mid,CFETS central parity,certain\"; 8 cells, and not 9, would be right",
            ),
            (
                "7.1526",
                "7.1526e0",
                "rate-file-field",
                "line 2, field \"value\": found \"7.1526e0\"; a number such as 7.1526 would be right",
            ),
            (
                "7.1526",
                "0.0000",
                "rate-not-positive",
                "line 2: USD/CNY at 0.0000: a rate is above zero",
            ),
            (
                "mid",
                "middle",
                "rate-file-field",
                "line 2, field \"kind\": found \"middle\"; mid, bid, ask, spot_buy, spot_sell, cash_buy, cash_sell, bank_conversion, applied would be right",
            ),
            (
                "CFETS central parity",
                " ",
                "rate-without-source",
                "line 2: USD/CNY: a rate says where it comes from, in one line that is not empty",
            ),
            (
                "certain",
                "sure",
                "rate-file-field",
                "line 2, field \"certainty\": found \"sure\"; certain, probable, unsure or illustrative would be right",
            ),
            (
                "CFETS",
                "\"CFETS",
                "rate-file-field",
                "line 2, field \"line\": found \"2025-07-16,USD,1,CNY,7.1526,mid,\\\"CFETS central parity,certain\"; a quote that ends on its line would be right",
            ),
            (
                "7.1526",
                "7.15",
                "rate-file-quoting",
                "line 2: 7.15: the central parity of USD/CNY has 4 decimals",
            ),
            (
                "USD,1,CNY,7.1526",
                "CNY,1,USD,0.1398",
                "rate-file-quoting",
                "line 2: CNY/USD for 1: the central parity is USD/CNY for 1",
            ),
            (
                "USD,1,CNY,7.1526",
                "JPY,1,CNY,0.0481",
                "rate-file-quoting",
                "line 2: JPY/CNY for 1: the central parity is JPY/CNY for 100",
            ),
            (
                "USD,1,CNY,7.1526",
                "CNY,100,KRW,193.31",
                "rate-file-quoting",
                "line 2: CNY/KRW for 100: the central parity is CNY/KRW for 1",
            ),
            (
                "USD,1,CNY,7.1526",
                "USD,1,TWD,29.3100",
                "rate-file-quoting",
                "line 2: USD/TWD for 1: there is no central parity of that pair",
            ),
            (
                "USD,1,CNY,7.1526",
                "EUR,1,USD,1.1626",
                "rate-file-quoting",
                "line 2: EUR/USD for 1: there is no central parity of that pair",
            ),
            (
                "USD,1,CNY",
                "CNH,1,CNY",
                "rate-same-currency",
                "line 2: CNY/CNY is no pair: a currency needs no rate to itself",
            ),
            (
                "USD,1,CNY",
                "CNH,1,EUR",
                "rate-file-quoting",
                "line 2: CNY/EUR for 1: the central parity is EUR/CNY for 1",
            ),
        ] {
            let file = format!("{HEADER}\n{}\n", good.replacen(from, to, 1));
            let read = RateReading::csv(file.as_bytes()).expect("the header is right");
            assert_eq!(read.rates, [], "{to}");
            let error = &read.rejected[0];
            assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        }
        for (file, code) in [
            ("", "rate-file-header"),
            ("date,base\n", "rate-file-header"),
            (
                "date,base,unit,quote,value,kind,source,certainty,valid_from\n",
                "rate-file-header",
            ),
        ] {
            let error = RateReading::csv(file.as_bytes()).expect_err(code);
            assert_eq!(error.code(), code);
        }
        let error = RateReading::csv(b"date\n\xFF").expect_err("GBK, perhaps");
        assert_eq!(error, RateFileError::Encoding { line: 2 });
    }

    #[test]
    fn one_bad_row_does_not_cost_the_others_and_offshore_is_kept() {
        let file = format!(
            "\u{feff}{HEADER},valid_from,valid_until\r\n\
             2025-07-16,USD,1,CNH,7.1810,bid,\"a bank, \"\"made up\"\"\",illustrative,2025-07-17,\r\n\
             oops\r\n\r\n\
             2025-07-16,EUR,1,USD,1.1626,mid,made up,illustrative,,2025-07-31\r\n"
        );
        let read = RateReading::any(file.as_bytes()).expect("the header is right");
        assert_eq!((read.rates.len(), read.rejected.len()), (2, 1));
        assert_eq!(read.rates[0].market(), RmbMarket::Offshore);
        assert_eq!(read.rates[0].source(), "a bank, \"made up\"");
        assert_eq!(read.rates[0].starts().to_string(), "2025-07-17");
        assert_eq!(read.rates[1].starts().to_string(), "2025-07-16");
        let again = RateReading::csv(to_csv(&read.rates).as_bytes()).expect("our own text");
        assert_eq!(again.rates, read.rates);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), line in "[\\PC\",]{0,60}") {
            let _ = RateReading::any(&bytes);
            let _ = RateReading::any(format!("{HEADER}\n{line}").as_bytes());
            let _ = RateReading::any(format!("{{{line}").as_bytes());
        }

        #[test]
        fn sources_with_commas_and_quotes_come_back(source in "[a,\" 泉]{1,12}", mantissa in 1_i64..i64::MAX, scale in 0_u32..15) {
            let quote = Quote::new(Currency::USD, 1, Currency::CNY, Decimal::new(mantissa, scale)).expect("a quote");
            let day = read_day("2025-07-16").expect("a day");
            if let Ok(rate) = FxRate::new(quote, RateKind::Mid, source, day, Certainty::Illustrative) {
                let read = RateReading::csv(to_csv([&rate]).as_bytes()).expect("our own text");
                prop_assert_eq!(read.rates, [rate]);
            }
        }
    }
}
