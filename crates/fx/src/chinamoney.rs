//! ChinaMoney's JSON of the central parity: the latest day (`ccpr.json`), and days of the past (`CcprHisNew`).

use crate::read::{checked, day, utf8, value, wrong};
use crate::{
    CENTRAL_PARITY, Certainty, FxRate, ParityQuoting, Quote, RateFileError, RateKind, RateReading,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Answer {
    head: Option<Head>,
    data: Option<Data>,
    records: Option<Vec<Record>>,
}

#[derive(Deserialize)]
struct Head {
    rep_code: Option<Value>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "lastDate")]
    last_date: Option<Value>,
    head: Option<Vec<Value>>,
    searchlist: Option<Vec<Value>>,
    #[serde(rename = "pageTotal")]
    page_total: Option<Value>,
}

/// Members that are not named here are passed over; one that is there twice makes the document none.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "vrtEName")]
    pair: Option<Value>,
    price: Option<Value>,
    date: Option<Value>,
    values: Option<Vec<Value>>,
}

/// What a day without a value has in its place.
const NONE: &str = "---";

impl RateReading {
    /// Reads what ChinaMoney answers: `data.lastDate` and `records` of `vrtEName` and `price` for the latest day, or
    /// the pairs in `data.head` or `data.searchlist` and `records` of `date` and `values` for days of the past. Values
    /// are text there; a number is refused, for it may have been through a float. An answer that says it is one page of
    /// several is read, and the pages that may be missing are among the rejected.
    ///
    /// # Errors
    ///
    /// [`RateFileError::Encoding`], [`RateFileError::Json`], and [`RateFileError::Field`] for what the whole answer
    /// lacks. A record that is no rate is among the rejected.
    ///
    /// ```
    /// use quanfu_fx::RateReading;
    /// let answer = r#"{"data": {"lastDate": "2026-02-06 9:15"},
    ///                  "records": [{"vrtEName": "100JPY/CNY", "price": "4.4367"}]}"#;
    /// let read = RateReading::chinamoney(answer.as_bytes())?;
    /// assert_eq!(read.rates[0].quoted().to_string(), "100 JPY = 4.4367 CNY");
    /// assert_eq!(read.rates[0].as_of().to_string(), "2026-02-06");
    /// # Ok::<(), quanfu_fx::RateFileError>(())
    /// ```
    pub fn chinamoney(bytes: &[u8]) -> Result<Self, RateFileError> {
        let answer: Answer =
            serde_json::from_str(utf8(bytes)?).map_err(|error| RateFileError::Json {
                line: error.line(),
                column: error.column(),
                why: reason(&error),
            })?;
        let lacks = |field: &str, wanted: &str| wrong("the answer", field, "", wanted);
        if let Some(code) = answer.head.and_then(|head| head.rep_code) {
            let found = text("head", "rep_code", Some(&code))?;
            if found != "200" {
                return Err(wrong("head", "rep_code", found, "200"));
            }
        }
        let data = answer.data.ok_or_else(|| lacks("data", "an object"))?;
        let records = answer.records.ok_or_else(|| lacks("records", "a list"))?;
        let mut reading = match data.head.or(data.searchlist) {
            Some(pairs) => history(&pairs, &records),
            None => latest(data.last_date.as_ref(), &records),
        }?;
        let pages = data.page_total.map(|pages| match pages {
            Value::String(text) => text,
            other => other.to_string(),
        });
        if let Some(pages) = pages.filter(|pages| !["0", "1", "", "null"].contains(&pages.as_str()))
        {
            let wanted = "1, for rows of other pages are missing,";
            reading
                .rejected
                .push(wrong("data", "pageTotal", &pages, wanted));
        }
        Ok(reading)
    }
}

/// What serde_json says, without the place that it puts behind.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

fn latest(last_date: Option<&Value>, records: &[Record]) -> Result<RateReading, RateFileError> {
    let moment = text("data", "lastDate", last_date)?;
    let published = moment.split_once(' ').map_or(moment, |(day, _time)| day);
    day("data", "lastDate", published)?;
    let mut reading = RateReading::default();
    for (index, record) in records.iter().enumerate() {
        let place = format!("records[{index}]");
        let read = || {
            let pair = text(&place, "vrtEName", record.pair.as_ref())?;
            let price = text(&place, "price", record.price.as_ref())?;
            parity(&place, ("vrtEName", pair), ("price", price), published)
        };
        reading.take(read());
    }
    Ok(reading)
}

fn history(pairs: &[Value], records: &[Record]) -> Result<RateReading, RateFileError> {
    let mut names = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        names.push(text(
            "the list of pairs",
            &format!("[{index}]"),
            Some(pair),
        )?);
    }
    let mut reading = RateReading::default();
    for (index, record) in records.iter().enumerate() {
        let place = format!("records[{index}]");
        let row = || {
            let date = text(&place, "date", record.date.as_ref())?;
            let values = record.values.as_deref().unwrap_or_default();
            if values.len() != names.len() {
                let wanted = format!("{} values, one for each pair,", names.len());
                return Err(wrong(&place, "values", &values.len().to_string(), &wanted));
            }
            Ok((date, values))
        };
        let (date, values) = match row() {
            Ok(row) => row,
            Err(error) => {
                reading.rejected.push(error);
                continue;
            }
        };
        for (column, (name, value)) in names.iter().zip(values).enumerate() {
            let field = format!("values[{column}]");
            match text(&place, &field, Some(value)) {
                Ok(NONE) => {}
                Ok(value) => {
                    reading.take(parity(&place, ("pair", name), (&field, value), date));
                }
                Err(error) => reading.rejected.push(error),
            }
        }
    }
    Ok(reading)
}

/// One central parity, its pair found by name.
fn parity(
    place: &str,
    pair: (&str, &str),
    price: (&str, &str),
    date: &str,
) -> Result<FxRate, RateFileError> {
    let own = ParityQuoting::named(pair.1).ok_or_else(|| {
        wrong(
            place,
            pair.0,
            pair.1,
            "a pair of the parity such as 100JPY/CNY",
        )
    })?;
    let as_of = day(place, "date", date)?;
    let value = value(place, price.0, price.1)?;
    let rate = Quote::new(own.base, own.unit, own.quote, value).and_then(|quote| {
        FxRate::new(
            quote,
            RateKind::Mid,
            CENTRAL_PARITY,
            as_of,
            Certainty::Certain,
        )
    });
    rate.map_err(|source| RateFileError::Rate {
        place: place.into(),
        source,
    })
    .and_then(|rate| checked(place, rate))
}

fn text<'v>(place: &str, field: &str, value: Option<&'v Value>) -> Result<&'v str, RateFileError> {
    match value {
        Some(Value::String(text)) => Ok(text),
        other => {
            let found = other.map_or_else(String::new, Value::to_string);
            Err(wrong(place, field, &found, "text in double quotes"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RateTable;

    const LATEST: &str = include_str!("../testdata/ccpr.json");
    const HISTORY: &str = include_str!("../testdata/ccpr_history.json");
    const PUBLISHED: &str = include_str!("../testdata/central_parity.csv");

    #[test]
    fn both_answers_say_what_was_published() {
        let published = RateReading::csv(PUBLISHED.as_bytes()).expect("our own form");
        let published = RateTable::new(published.rates).expect("one rate a day");
        let mut rates = Vec::new();
        for (answer, count) in [(LATEST, 4), (HISTORY, 125)] {
            let read = RateReading::any(answer.as_bytes()).expect("an answer");
            assert_eq!(read.rejected, []);
            assert_eq!(read.rates.len(), count);
            rates.extend(read.rates);
        }
        assert_eq!(RateTable::new(rates).expect("one rate a day"), published);
    }

    #[test]
    fn an_answer_of_several_pages_says_that_rows_may_be_missing() {
        let with = |pages: &str| {
            let text = HISTORY.replacen(
                "\"data\":{",
                &format!("\"data\":{{\"pageTotal\":{pages},"),
                1,
            );
            RateReading::chinamoney(text.as_bytes()).expect("an answer")
        };
        for pages in ["1", "\"1\"", "0", "null"] {
            assert_eq!(with(pages).rejected, [], "{pages}");
        }
        for pages in ["3", "\"3\""] {
            let read = with(pages);
            assert_eq!(read.rates.len(), 125);
            assert_eq!(
                read.rejected[0].to_string(),
                "data, field \"pageTotal\": found \"3\"; 1, for rows of other pages are missing, would be right"
            );
        }
    }

    #[test]
    fn what_is_no_answer_says_where() {
        for (from, to, message) in [
            (
                "\"200\"",
                "\"500\"",
                "head, field \"rep_code\": found \"500\"; 200 would be right",
            ),
            (
                "2026-02-06 9:15",
                "today",
                "data, field \"lastDate\": found \"today\"; a day such as 2025-07-16 would be right",
            ),
            (
                "\"lastDate\"",
                "\"lastdate\"",
                "data, field \"lastDate\": found \"\"; text in double quotes would be right",
            ),
            (
                "\"records\"",
                "\"record\"",
                "the answer, field \"records\": found \"\"; a list would be right",
            ),
            (
                "\"price\": \"6.9590\"",
                "\"price\": \"6.9590\", \"price\": \"7\"",
                "line 14, column 29: duplicate field `price`",
            ),
        ] {
            let changed = LATEST.replacen(from, to, 1);
            assert_ne!(changed, LATEST);
            let error = RateReading::chinamoney(changed.as_bytes()).expect_err(to);
            assert_eq!(error.to_string(), message);
        }
        let error = RateReading::chinamoney(b"{").expect_err("cut off");
        assert_eq!(error.code(), "rate-file-json");
        let deep = "[".repeat(100_000);
        let error =
            RateReading::chinamoney(format!("{{\"data\":{deep}").as_bytes()).expect_err("deep");
        assert_eq!(error.code(), "rate-file-json");
    }

    #[test]
    fn a_record_that_is_no_parity_does_not_cost_the_others() {
        for (from, to, message) in [
            // A price as a number may have lost its zero: 6.959.
            (
                "\"6.9590\"",
                "6.9590",
                "records[0], field \"price\": found \"6.959\"; text in double quotes would be right",
            ),
            (
                "\"6.9590\"",
                "\"6.959\"",
                "records[0]: 6.959: the central parity of USD/CNY has 4 decimals",
            ),
            (
                "100JPY/CNY",
                "JPY/CNY",
                "records[2], field \"vrtEName\": found \"JPY/CNY\"; a pair of the parity such as 100JPY/CNY would be right",
            ),
            (
                "\"0.89080\"",
                "\"0\"",
                "records[3]: HKD/CNY at 0: a rate is above zero",
            ),
            (
                "\"0.89080\"",
                "\"\"",
                "records[3], field \"price\": found \"\"; a number such as 7.1526 would be right",
            ),
        ] {
            let changed = LATEST.replacen(from, to, 1);
            assert_ne!(changed, LATEST);
            let read = RateReading::chinamoney(changed.as_bytes()).expect("an answer");
            assert_eq!((read.rates.len(), read.rejected.len()), (3, 1));
            assert_eq!(read.rejected[0].to_string(), message);
        }
        let changed = HISTORY
            .replacen("\"7.1072\"", "\"---\"", 1)
            .replacen("[\"7.1526\",", "[", 1)
            .replacen("2024-07-24", "2024/07/24", 1);
        let read = RateReading::chinamoney(changed.as_bytes()).expect("an answer");
        let messages: Vec<String> = read.rejected.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages[0],
            "records[1], field \"values\": found \"24\"; 25 values, one for each pair, would be right"
        );
        assert_eq!(
            messages.len(),
            26,
            "one day has too few values, one is no day"
        );
        assert!(messages[1].starts_with("records[4], field \"date\""));
        assert!(read.rates.len() >= 74);
    }
}
