//! [`Evidence`]: what the user knows about the parties of original transactions, by order number.

use std::collections::BTreeMap;

use quanfu_codes::{AccountNumber, BopCode, Country, PersonName};

use super::party::{IdKind, IdNumber, Party, PartyKind};

/// The header of a file of evidence.
pub const HEADER: &str = "order,kind,name,id_kind,id_number,account_number,country,orderer_id,authenticated,bop_code,remark";

/// What is known about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The real party (真实交易主体).
    pub payer: Party,
    /// Identity number of who ordered; empty if not known.
    pub orderer_id: IdNumber,
    /// Whether a state body authenticated the identity; `None`: not known.
    pub authenticated: Option<bool>,
    /// Purpose as a code of the balance of payments.
    pub code: Option<BopCode>,
    /// Remark that goes with the purpose.
    pub remark: String,
}

/// A row that is no evidence. It names no value, as values may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column \"{column}\": {why}")]
pub struct EvidenceError {
    /// Line, counted from 1.
    pub line: usize,
    /// The column; empty if it is about the line.
    pub column: &'static str,
    /// What would be right.
    pub why: String,
}

/// Evidence by order number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    rows: BTreeMap<String, EvidenceRow>,
    /// Rows that are none, in file order.
    pub rejected: Vec<EvidenceError>,
}

impl Evidence {
    /// Reads CSV without quotes under [`HEADER`]. A bad row costs no other; an order that stands twice keeps its first row,
    /// and the second is rejected.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`] for another header.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(EvidenceError {
                line: 1,
                column: "",
                why: format!("the header {HEADER} would be right"),
            });
        }
        let mut evidence = Self::default();
        for (line, text) in lines.filter(|(_, text)| !text.is_empty()) {
            let row =
                read(text).and_then(|(order, row)| match evidence.rows.contains_key(&order) {
                    true => Err(("order", "this order stood above already".to_owned())),
                    false => Ok((order, row)),
                });
            match row {
                Ok((order, row)) => drop(evidence.rows.insert(order, row)),
                Err((column, why)) => evidence.rejected.push(EvidenceError { line, column, why }),
            }
        }
        Ok(evidence)
    }

    /// What is known about an order.
    #[must_use]
    pub fn of(&self, order: &str) -> Option<&EvidenceRow> {
        self.rows.get(order)
    }

    /// How many orders it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn read(text: &str) -> Result<(String, EvidenceRow), (&'static str, String)> {
    let cells: Vec<&str> = text.split(',').map(str::trim).collect();
    let found = cells.len();
    let Ok(
        [
            order,
            kind,
            name,
            id_kind,
            id_number,
            account_number,
            country,
            orderer_id,
            authenticated,
            code,
            remark,
        ],
    ) = <[&str; 11]>::try_from(cells)
    else {
        return Err(("", format!("{found} cells; 11 would be right")));
    };
    if order.is_empty() {
        return Err(("order", "an order number is missing".to_owned()));
    }
    let kind = PartyKind::ALL.iter().find(|known| known.code() == kind);
    let kind = kind.ok_or_else(|| ("kind", one_of(PartyKind::ALL, PartyKind::code)))?;
    let id_kind = match id_kind {
        "" => None,
        text => Some(
            IdKind::ALL
                .iter()
                .copied()
                .find(|known| known.code() == text)
                .ok_or_else(|| ("id_kind", one_of(IdKind::ALL, IdKind::code)))?,
        ),
    };
    let authenticated = match authenticated {
        "yes" => Some(true),
        "no" => Some(false),
        "" => None,
        _ => {
            return Err((
                "authenticated",
                "yes, no or nothing would be right".to_owned(),
            ));
        }
    };
    let country = match country {
        "" => None,
        text => Some(text.parse::<Country>().map_err(|_| {
            let why = "3 capital letters (ISO 3166 alpha-3) would be right";
            ("country", why.to_owned())
        })?),
    };
    let code = match code {
        "" => None,
        text => Some(
            text.parse::<BopCode>()
                .map_err(|_| ("bop_code", "6 digits would be right".to_owned()))?,
        ),
    };
    let payer = Party {
        kind: *kind,
        name: PersonName::new(name),
        id_kind,
        id_number: IdNumber::new(id_number),
        account_number: AccountNumber::new(account_number),
        country,
    };
    let row = EvidenceRow {
        payer,
        orderer_id: IdNumber::new(orderer_id),
        authenticated,
        code,
        remark: remark.to_owned(),
    };
    Ok((order.to_owned(), row))
}

fn one_of<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> String {
    let names: Vec<&str> = all.iter().map(|one| code(*one)).collect();
    format!("{} would be right", names.join(" or "))
}
