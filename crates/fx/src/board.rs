//! [`Board`]: the shape of a table of rates in which each line is one foreign currency.

use crate::read::{cells, checked, currency, day, utf8, value, wrong};
use crate::{Certainty, Date, FxRate, Quote, RateFileError, RateKind, RateReading, RmbMarket};
use quanfu_money::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a table such as "100 foreign = x CNY", or a bank's board (牌价), is to be read: unit and direction are data.
///
/// The table is CSV with a header; columns that are not named here are passed over. In serde, a member of the shape
/// that is not known is an error.
///
/// ```
/// use quanfu_fx::Board;
///
/// let shape: Board = serde_json::from_str(r#"{
///     "source": "made up", "certainty": "illustrative", "unit": 100, "inverse": ["MYR"],
///     "day": "2025-07-16", "currency_column": "currency", "values": {"mid": "mid"}
/// }"#)?;
/// let read = shape.read("currency,mid\nUSD,715.26\nMYR,59.275\n".as_bytes())?;
/// assert_eq!(read.rates[0].quoted().to_string(), "100 USD = 715.26 CNY");
/// assert_eq!(read.rates[1].quoted().to_string(), "100 CNY = 59.275 MYR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Where the table is published.
    pub source: String,
    /// How sure it is that the table is read rightly.
    pub certainty: Certainty,
    /// Which renminbi it prices.
    #[serde(default)]
    pub market: RmbMarket,
    /// How many of the base currency its prices are for: 1, 10, 100, 1000 or 10000.
    pub unit: u32,
    /// The currencies that are priced the other way: so many foreign for `unit` yuan.
    #[serde(default)]
    pub inverse: Vec<Currency>,
    /// The day of all rows, as `2025-07-16`; left out where a column has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The column with the day of each row, as `2025-07-16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_column: Option<String>,
    /// The column with the foreign currency.
    pub currency_column: String,
    /// What the table calls a currency, where that is not its code, such as `美元`.
    #[serde(default)]
    pub names: BTreeMap<String, Currency>,
    /// The columns of prices: the kind, and the name of its column.
    pub values: BTreeMap<RateKind, String>,
    /// Texts in place of a price that say there is none, such as `--`; an empty cell always does.
    #[serde(default)]
    pub none: Vec<String>,
}

impl Board {
    /// Reads a table of this shape.
    ///
    /// # Errors
    ///
    /// [`RateFileError::Encoding`]; [`RateFileError::Header`] if a column is not there or there twice;
    /// [`RateFileError::Field`] if the shape gives not one of day and column of days. A cell that is no rate is among
    /// the rejected.
    pub fn read(&self, bytes: &[u8]) -> Result<RateReading, RateFileError> {
        let text = utf8(bytes)?;
        let mut lines = text.lines();
        let header = lines.next().unwrap_or("");
        let columns = cells("line 1", header)?;
        let find = |wanted: &str| {
            let mut places = columns.iter().enumerate();
            let first = places.find(|(_, name)| *name == wanted);
            match (first, places.find(|(_, name)| *name == wanted)) {
                (Some((index, _)), None) => Ok(index),
                _ => Err(RateFileError::Header {
                    found: header.chars().take(200).collect(),
                    wanted: format!("{wanted}, once,"),
                }),
            }
        };
        let currency_at = find(&self.currency_column)?;
        let day_at = match (&self.day, &self.day_column) {
            (Some(_), None) => None,
            (None, Some(column)) => Some(find(column)?),
            _ => {
                let wanted = "either a day or a column of days";
                return Err(wrong("the shape", "day", "", wanted));
            }
        };
        let mut values_at = Vec::new();
        for (&kind, column) in &self.values {
            values_at.push((kind, column, find(column)?));
        }
        let mut reading = RateReading::default();
        for (index, line) in lines.enumerate() {
            if line.is_empty() {
                continue;
            }
            let place = format!("line {}", index + 2);
            let begin = || {
                let row = cells(&place, line)?;
                if row.len() != columns.len() {
                    let wanted = format!("{} cells, and not {},", columns.len(), row.len());
                    return Err(wrong(&place, "line", line, &wanted));
                }
                let name = &row[currency_at];
                let foreign = match self.names.get(name) {
                    Some(&foreign) => foreign,
                    None => currency(&place, &self.currency_column, name)?.0,
                };
                let as_of = match (day_at, &self.day) {
                    (Some(at), _) => day(&place, &columns[at], &row[at])?,
                    (None, all) => day("the shape", "day", all.as_deref().unwrap_or_default())?,
                };
                Ok((row, foreign, as_of))
            };
            match begin() {
                Ok((row, foreign, as_of)) => {
                    for &(kind, column, at) in &values_at {
                        let cell = row[at].as_str();
                        if !cell.is_empty() && self.none.iter().all(|none| none != cell) {
                            let read = value(&place, column, cell);
                            let rate = read.and_then(|value| {
                                let quote = self.quote(foreign, value);
                                let rate = quote
                                    .and_then(|quote| self.rate(quote, kind, as_of))
                                    .map_err(|source| RateFileError::Rate {
                                        place: place.clone(),
                                        source,
                                    })?;
                                checked(&place, rate)
                            });
                            reading.take(rate);
                        }
                    }
                }
                Err(error) => reading.rejected.push(error),
            }
        }
        Ok(reading)
    }

    fn quote(
        &self,
        foreign: Currency,
        value: quanfu_money::Decimal,
    ) -> Result<Quote, crate::FxError> {
        if self.inverse.contains(&foreign) {
            Quote::new(Currency::CNY, self.unit, foreign, value)
        } else {
            Quote::new(foreign, self.unit, Currency::CNY, value)
        }
    }

    fn rate(&self, quote: Quote, kind: RateKind, as_of: Date) -> Result<FxRate, crate::FxError> {
        FxRate::new(quote, kind, self.source.clone(), as_of, self.certainty)?.in_market(self.market)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_money::{Money, Rounding};

    /// Invented figures in the shape of a bank's board: 100 foreign in yuan, four sides, Chinese names.
    #[test]
    fn a_bank_s_board_is_read_by_its_shape() {
        let shape = r#"{
            "source": "a bank's board, made up", "certainty": "illustrative", "unit": 100,
            "day_column": "日期", "currency_column": "货币",
            "names": {"美元": "USD", "日元": "JPY"}, "none": ["--"],
            "values": {"spot_buy": "现汇买入价", "spot_sell": "现汇卖出价", "cash_buy": "现钞买入价"}
        }"#;
        let shape: Board = serde_json::from_str(shape).expect("a shape");
        let table = "货币,现汇买入价,现钞买入价,现汇卖出价,日期\n\
                     美元,716.10,710.28,719.12,2025-07-16\n\
                     日元,4.8012,--,4.8365,2025-07-16\n\
                     THB,22.01,,22.19,2025-07-16\n\
                     美金,1,1,1,2025-07-16\n\
                     日元,4.8012,0,-4.8,2025-07-16\n\
                     日元,4.8012,2025-07-16\n";
        let read = shape.read(table.as_bytes()).expect("the columns are there");
        let rates: Vec<String> = read
            .rates
            .iter()
            .map(|rate| format!("{} {}", rate.kind().name(), rate.quoted()))
            .collect();
        assert_eq!(
            rates[..7],
            [
                "spot_buy 100 USD = 716.10 CNY",
                "spot_sell 100 USD = 719.12 CNY",
                "cash_buy 100 USD = 710.28 CNY",
                "spot_buy 100 JPY = 4.8012 CNY",
                "spot_sell 100 JPY = 4.8365 CNY",
                "spot_buy 100 THB = 22.01 CNY",
                "spot_sell 100 THB = 22.19 CNY",
            ]
        );
        let messages: Vec<String> = read.rejected.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "line 5, field \"货币\": found \"美金\"; a currency code such as USD would be right",
                "line 6: JPY/CNY at -4.8: a rate is above zero",
                "line 6: JPY/CNY at 0: a rate is above zero",
                "line 7, field \"line\": found \"日元,4.8012,2025-07-16\"; 5 cells, and not 3, would be right",
            ]
        );
    }

    #[test]
    fn a_shape_must_fit_its_table() {
        let shape = |extra: &str| {
            let text = format!(
                r#"{{"source":"made up","certainty":"illustrative","unit":1,"currency_column":"c","values":{{"mid":"v"}}{extra}}}"#
            );
            serde_json::from_str::<Board>(&text)
        };
        let of_day = shape(r#","day":"2025-07-16""#).expect("a shape");
        for (shape, table, want) in [
            (
                &of_day,
                "c\n",
                "line 1: found \"c\"; the header \"v, once,\" would be right",
            ),
            (
                &of_day,
                "c,v,v\n",
                "line 1: found \"c,v,v\"; the header \"v, once,\" would be right",
            ),
            (
                &of_day,
                "",
                "line 1: found \"\"; the header \"c, once,\" would be right",
            ),
            (
                &shape("").expect("a shape"),
                "c,v\n",
                "the shape, field \"day\": found \"\"; either a day or a column of days would be right",
            ),
        ] {
            let error = shape.read(table.as_bytes()).expect_err(want);
            assert_eq!(error.to_string(), want);
        }
        assert!(shape(r#","units":1"#).is_err());
        let unit = Board { unit: 3, ..of_day };
        let read = unit.read(b"c,v\nUSD,1\n").expect("columns are there");
        assert_eq!(read.rejected[0].code(), "rate-unit");
    }

    #[test]
    fn a_rate_for_a_hundred_values_like_the_native_one() {
        let shape: Board = serde_json::from_str(
            r#"{"source":"made up","certainty":"illustrative","unit":100,"inverse":["KRW","MYR"],
                "day":"2025-07-16","currency_column":"c","values":{"mid":"v"}}"#,
        )
        .expect("a shape");
        let table = "c,v\nUSD,715.26\nJPY,4.8134\nKRW,19331\nMYR,59.275\n";
        let read = shape.read(table.as_bytes()).expect("columns are there");
        let native = RateReading::csv(include_bytes!("../testdata/central_parity.csv"));
        let native = native.expect("our own form").rates;
        for rate in &read.rates {
            let pair = [rate.base(), rate.quote()];
            let own = native
                .iter()
                .find(|own| [own.base(), own.quote()] == pair && own.as_of() == rate.as_of())
                .expect("one of that day");
            for side in pair {
                let money = Money::from_minor(123_456_789, side);
                assert_eq!(
                    rate.quoted().convert(money, Rounding::HalfUp),
                    own.quoted().convert(money, Rounding::HalfUp)
                );
            }
        }
    }
}
