//! [`ReferenceRates`]: published rates such as the loan prime rate (贷款市场报价利率, LPR), by the day of publication.

use std::collections::BTreeMap;

use quanfu_calendar::{Certainty, Date, Dated, DatedTable};
use quanfu_money::Decimal;
use quanfu_settlement::{Digest, DigestAlg};

use crate::application::Records;
use crate::error::{DocumentError, day, decimal};

/// Published rates by name, such as the loan prime rate (贷款市场报价利率). Each holds from the day it was published until the day before the next.
#[derive(Clone, Debug)]
pub struct ReferenceRates {
    tables: BTreeMap<String, DatedTable<Decimal>>,
    /// SHA-256 of the document.
    pub digest: Digest,
}

const HEADER: [&str; 6] = ["name", "from", "until", "percent", "source", "certainty"];

impl ReferenceRates {
    /// The shipped table: the LPR of one year (`LPR1Y`) and of more than five (`LPR5Y`), and the benchmark rates of the
    /// People's Bank for up to one year (`PBC1Y`), one to five (`PBC1to5Y`) and more (`PBC5Yplus`), which are not confirmed.
    ///
    /// ```
    /// let rates = quanfu_credit::ReferenceRates::shipped();
    /// let row = rates.at("LPR1Y", "2024-07-22".parse()?)?;
    /// assert_eq!(row.value.to_string(), "0.0335");
    /// assert!(rates.at("LPR1Y", "2019-08-19".parse()?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../data/rates/reference.csv"))
            .expect("the data of this crate is right: a test reads it")
    }

    /// Reads a table with the columns name, from, until, percent, source, certainty; `until` may be empty in the last
    /// row of a name.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Row`]: also for rows of a name that overlap or leave a gap, and for an LPR that is no
    /// multiple of 0.05 percent.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let wrong = |line: u32, column: &str, message: String| DocumentError::Row {
            line,
            column: column.to_owned(),
            message,
        };
        let mut rows: BTreeMap<String, (u32, Vec<Dated<Decimal>>)> = BTreeMap::new();
        let records = Records {
            text,
            at: 0,
            line: 1,
        };
        for (line, cells) in records {
            let cells = cells.map_err(|message| wrong(line, "", message))?;
            let Ok([name, from, until, percent, source, certainty]) =
                <[String; 6]>::try_from(cells)
            else {
                return Err(wrong(
                    line,
                    "",
                    format!("{} would be right", HEADER.join(", ")),
                ));
            };
            if line == 1 {
                if [name, from, until, percent, source, certainty] != HEADER {
                    return Err(wrong(
                        line,
                        "",
                        format!("{} would be right", HEADER.join(", ")),
                    ));
                }
                continue;
            }
            let from = day(&from).map_err(|message| wrong(line, "from", message))?;
            let until = match until.as_str() {
                "" => None,
                text => Some(day(text).map_err(|message| wrong(line, "until", message))?),
            };
            let value = decimal(&percent).map_err(|message| wrong(line, "percent", message))?;
            if value.scale() > 6 || value > Decimal::ONE_HUNDRED {
                let message =
                    format!("{percent}: at most 100 with at most six decimals would be right");
                return Err(wrong(line, "percent", message));
            }
            let is_step = value
                .checked_rem(Decimal::new(5, 2))
                .is_some_and(|rest| rest.is_zero());
            if name.starts_with("LPR") && !is_step {
                let message = format!("{percent}: an LPR is a multiple of 0.05");
                return Err(wrong(line, "percent", message));
            }
            if source.trim().is_empty() {
                return Err(wrong(line, "source", "it is missing".into()));
            }
            let certainty = match certainty.as_str() {
                "certain" => Certainty::Certain,
                "probable" => Certainty::Probable,
                "unsure" => Certainty::Unsure,
                "illustrative" => Certainty::Illustrative,
                other => {
                    let message = format!(
                        "{other:?}: certain, probable, unsure or illustrative would be right"
                    );
                    return Err(wrong(line, "certainty", message));
                }
            };
            let (_, of_name) = rows.entry(name).or_insert((line, Vec::new()));
            of_name.push(Dated {
                from,
                until,
                value: Decimal::from_i128_with_scale(value.mantissa(), value.scale() + 2)
                    .normalize(),
                source,
                certainty,
            });
        }
        let mut tables = BTreeMap::new();
        for (name, (line, rows)) in rows {
            let table = DatedTable::new(rows);
            let table = table.map_err(|fault| wrong(line, "from", format!("{name}: {fault}")))?;
            tables.insert(name, table);
        }
        Ok(Self {
            tables,
            digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
        })
    }

    /// The rate of a name that is in force on a day, as a fraction.
    ///
    /// # Errors
    ///
    /// In words, if there is no such name or the table does not reach the day.
    pub fn at(&self, name: &str, day: Date) -> Result<&Dated<Decimal>, String> {
        let known = || {
            self.tables
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let table = self.tables.get(name);
        let table = table.ok_or_else(|| format!("no rate {name:?}; there are: {}", known()))?;
        table.at(day).map_err(|fault| format!("{name}: {fault}"))
    }
}
