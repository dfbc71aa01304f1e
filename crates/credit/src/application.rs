//! [`Application`]: what a firm, or an insurer for many firms, asks support for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use quanfu_calendar::Date;
use quanfu_money::{Decimal, Money};
use quanfu_settlement::Digest;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::error::{Day, DocumentError, day, line_of, money, not_negative};
use crate::fact::{Fact, Facts};
use crate::interest::{Loan, LoanText};

/// The schema of an application.
pub const SCHEMA: &str = "quanfu.application/1";

/// What a firm asks support for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its number.
    pub id: String,
    /// Stable id of the firm, such as its unified social credit code.
    pub enterprise: String,
    /// The firm's name.
    pub name: String,
    /// The insurer that applies for the firm, if it does.
    pub group_applicant: Option<String>,
    /// The day it was filed.
    pub filed_on: Date,
    /// What is said of the firm.
    pub facts: Facts,
    /// Digests of the documents by their kind.
    pub documents: BTreeMap<String, Digest>,
    /// What was paid.
    pub items: Vec<Item>,
    /// The loans that interest items name.
    pub loans: Vec<Loan>,
}

/// What an item is a payment of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Premium of an export credit insurance.
    Premium,
    /// A fee, such as for a credit report on a buyer.
    Fee,
    /// Interest of a loan.
    Interest,
}

impl ItemKind {
    /// The text form, such as `premium`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Premium => "premium",
            Self::Fee => "fee",
            Self::Interest => "interest",
        }
    }
}

/// What kind of interest was paid; all but the first are never supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterestKind {
    /// Interest by the contract.
    #[default]
    Normal,
    /// Interest on what is overdue (逾期利息).
    Overdue,
    /// Penalty interest (罚息).
    Penalty,
    /// Interest on interest (复利).
    Compound,
    /// Interest of an extension (展期).
    Extension,
}

impl InterestKind {
    /// The text form, such as `normal`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Overdue => "overdue",
            Self::Penalty => "penalty",
            Self::Compound => "compound",
            Self::Extension => "extension",
        }
    }
}

/// One payment that support is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name in the application.
    pub id: String,
    /// What it is a payment of.
    pub kind: ItemKind,
    /// What was paid, less refunds.
    pub amount: Money,
    /// Who issued the invoice, or lent the money.
    pub issuer: Option<String>,
    /// Number of the invoice.
    pub invoice: Option<String>,
    /// Day of the invoice.
    pub invoice_on: Option<Date>,
    /// Number of the payment; a payment of several invoices has a part, as in `P1#2`.
    pub payment: Option<String>,
    /// Day it was paid.
    pub paid_on: Option<Date>,
    /// The policy.
    pub policy: Option<String>,
    /// First day of the policy.
    pub policy_from: Option<Date>,
    /// The market, as the programme calls it.
    pub market: Option<String>,
    /// The product, as the programme calls it.
    pub product: Option<String>,
    /// The loan, of interest.
    pub loan: Option<String>,
    /// First day that the interest is for.
    pub from: Option<Date>,
    /// The day on which the interest ends; it does not count itself.
    pub until: Option<Date>,
    /// What kind of interest it is.
    pub interest: InterestKind,
    /// Renminbi for one of the item's currency, where the application says so.
    pub rate: Option<Decimal>,
    /// The reconciled receipt that shows the payment; a receipt of several items has a part, as in `39b8ae13584dd369#2`.
    pub receipt: Option<String>,
    /// Other support received for the same item.
    pub support: Vec<Support>,
}

/// Other support received for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// Who gave it, such as `province`.
    pub from: String,
    /// How much, in renminbi.
    pub amount: Money,
}

impl Item {
    /// What an item of a firm is known by wherever it is claimed: its invoice and its payment, or the days of a loan; and
    /// its receipt.
    ///
    /// A loan is known by the firm and its number, and by its lender and its number where the lender is named. Blanks and
    /// letter case make no difference.
    #[must_use]
    pub fn keys(&self, enterprise: &str) -> Vec<Key> {
        let mut keys = self.own_keys(enterprise);
        if let Some(receipt) = &self.receipt {
            keys.push(Key::Paper(format!("receipt {}", plain(receipt))));
        }
        keys
    }

    /// The same without its receipt, which alone does not tell it from another.
    fn own_keys(&self, enterprise: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        if let Some(invoice) = &self.invoice {
            let issuer = self.issuer.as_deref().unwrap_or_default();
            keys.push(Key::Paper(format!(
                "invoice {}/{}",
                plain(issuer),
                plain(invoice)
            )));
        }
        if let Some(payment) = &self.payment {
            keys.push(Key::Paper(format!("payment {}", plain(payment))));
        }
        if let (Some(loan), Some(from), Some(until)) = (&self.loan, self.from, self.until) {
            let lender = self.issuer.as_deref().map(|lender| ("lender ", lender));
            for (what, whose) in [("", enterprise)].into_iter().chain(lender) {
                keys.push(Key::Interest {
                    loan: format!("{what}{}/{}", plain(whose), plain(loan)),
                    from,
                    until,
                });
            }
        }
        keys
    }
}

/// A payment or receipt without its part.
pub(crate) fn whole(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}

/// A name without blanks, in capital letters: however it is typed, it is the same.
pub(crate) fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace());
    kept.flat_map(char::to_uppercase).collect()
}

/// What an item is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// An invoice, a payment or a receipt.
    Paper(String),
    /// The days of a loan's interest.
    Interest {
        /// Whose loan, a firm's or a lender's, and its number.
        loan: String,
        /// First day.
        from: Date,
        /// The day after the last.
        until: Date,
    },
}

impl Key {
    /// The payment or receipt that this is, or is a part of.
    fn whole(&self) -> Option<&str> {
        match self {
            Self::Paper(text) if text.starts_with("payment ") || text.starts_with("receipt ") => {
                Some(whole(text))
            }
            _ => None,
        }
    }

    /// Whether they are the same, a whole and its part, or days of one loan that meet.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Interest { loan, from, until },
                Self::Interest {
                    loan: other,
                    from: begins,
                    until: ends,
                },
            ) => loan == other && from < ends && begins < until,
            (Self::Paper(text), Self::Paper(found)) => {
                let is_whole = |whole: &str| whole == text || whole == found;
                text == found || self.whole() == other.whole() && self.whole().is_some_and(is_whole)
            }
            _ => false,
        }
    }
}

/// What was claimed, by the keys of the items.
#[derive(Debug)]
pub(crate) struct ByKey<'k, T>(BTreeMap<(bool, &'k str), Vec<(&'k Key, T)>>);

impl<'k, T> ByKey<'k, T> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn add(&mut self, key: &'k Key, claim: T) {
        // All days of a loan stand together.
        let name = match key {
            Key::Paper(text) => (false, text.as_str()),
            Key::Interest { loan, .. } => (true, loan.as_str()),
        };
        self.0.entry(name).or_default().push((key, claim));
    }

    /// What is claimed under a key that meets this one.
    pub(crate) fn meeting<'s>(&'s self, key: &'s Key) -> impl Iterator<Item = &'s T> {
        let (name, whole) = match key {
            Key::Paper(text) => ((false, text.as_str()), key.whole()),
            Key::Interest { loan, .. } => ((true, loan.as_str()), None),
        };
        let is_part = whole.is_some_and(|whole| whole != name.1);
        let of_whole = whole.filter(|_| is_part);
        let of_whole = of_whole.and_then(|whole| self.0.get(&(false, whole)));
        let parts = whole.filter(|_| !is_part).into_iter().flat_map(|whole| {
            let after = self
                .0
                .range((Bound::Excluded((false, whole)), Bound::Unbounded));
            after
                .take_while(move |((_, name), _)| name.starts_with(whole))
                .map(|(_, claims)| claims)
        });
        let all = self.0.get(&name).into_iter().chain(of_whole).chain(parts);
        let meets = all.flatten().filter(move |(other, _)| key.meets(other));
        meets.map(|(_, claim)| claim)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Paper(text) => f.write_str(text),
            Self::Interest { loan, from, until } => write!(f, "interest {loan} {from}..{until}"),
        }
    }
}

/// Applications of a file, and the rows that could not be read.
#[derive(Clone, Debug, Default)]
#[must_use = "`rejected` tells which rows are missing from `applications`"]
pub struct Applications {
    /// Those that could be read, by their number.
    pub applications: Vec<Application>,
    /// Rows that could not, in the order of the file.
    pub rejected: Vec<DocumentError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: Spanned<String>,
    id: Spanned<String>,
    enterprise: String,
    name: String,
    group_applicant: Option<String>,
    filed_on: Day,
    #[serde(default)]
    facts: BTreeMap<String, Spanned<FactText>>,
    #[serde(default)]
    documents: BTreeMap<String, Spanned<String>>,
    item: Vec<Spanned<ItemText>>,
    #[serde(default)]
    loan: Vec<Spanned<LoanText>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum FactText {
    Yes(bool),
    Text(String),
}

impl FactText {
    pub(crate) fn read(&self) -> Result<Fact, String> {
        match self {
            Self::Yes(yes) => Ok(Fact::Yes(*yes)),
            Self::Text(text) => Fact::parse(text),
        }
    }
}

/// An item as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemText {
    pub(crate) id: Option<String>,
    pub(crate) kind: Option<ItemKind>,
    pub(crate) amount: Option<String>,
    issuer: Option<String>,
    pub(crate) invoice: Option<String>,
    invoice_on: Option<Day>,
    pub(crate) payment: Option<String>,
    paid_on: Option<Day>,
    policy: Option<String>,
    policy_from: Option<Day>,
    market: Option<String>,
    product: Option<String>,
    pub(crate) loan: Option<String>,
    from: Option<Day>,
    until: Option<Day>,
    interest: Option<InterestKind>,
    rate: Option<String>,
    receipt: Option<String>,
    #[serde(default)]
    support: Vec<SupportText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupportText {
    from: String,
    amount: String,
}

impl ItemText {
    /// The item; the error has the field and what is wrong with it.
    pub(crate) fn read(self) -> Result<Item, (&'static str, String)> {
        let missing = |name| (name, "it is missing".to_owned());
        let day = |day: Option<Day>| day.map(|day| day.0);
        let id = self.id.ok_or_else(|| missing("item"))?;
        let kind = self.kind.ok_or_else(|| missing("kind"))?;
        let amount = self.amount.ok_or_else(|| missing("amount"))?;
        let mut support = Vec::new();
        for text in self.support {
            let amount = money(&text.amount).map_err(|message| ("support", message))?;
            if amount.currency() != quanfu_money::Currency::CNY {
                return Err(("support", format!("{amount}: renminbi would be right")));
            }
            support.push(Support {
                from: text.from,
                amount,
            });
        }
        let rate = self.rate.map(|text| not_negative(&text)).transpose();
        let item = Item {
            id,
            kind,
            amount: money(&amount).map_err(|message| ("amount", message))?,
            issuer: self.issuer,
            invoice: self.invoice,
            invoice_on: day(self.invoice_on),
            payment: self.payment,
            paid_on: day(self.paid_on),
            policy: self.policy,
            policy_from: day(self.policy_from),
            market: self.market,
            product: self.product,
            loan: self.loan,
            from: day(self.from),
            until: day(self.until),
            interest: self.interest.unwrap_or_default(),
            rate: rate.map_err(|message| ("rate", message))?,
            receipt: self.receipt,
            support,
        };
        if let (Some(from), Some(until)) = (item.from, item.until)
            && until <= from
        {
            return Err(("until", format!("{until} is not after {from}")));
        }
        if item.own_keys("").is_empty() {
            let message = "an invoice, a payment, or a loan with from and until would be right: \
                           nothing tells this item from another";
            return Err(("invoice", message.to_owned()));
        }
        Ok(item)
    }
}

/// Reads the TOML of one application.
///
/// # Errors
///
/// [`DocumentError`] with the line and what would be right.
pub fn from_toml(text: &str) -> Result<Application, DocumentError> {
    let document: Document =
        toml::from_str(text).map_err(|error| DocumentError::from_toml(&error, text))?;
    let wrong = |offset: usize, place: String, message: String| DocumentError::Meaning {
        line: line_of(text, offset),
        place,
        message,
    };
    if document.schema.get_ref() != SCHEMA {
        let found = document.schema.get_ref();
        let message = format!("found {found:?}; {SCHEMA:?} would be right");
        return Err(wrong(
            document.schema.span().start,
            "schema".into(),
            message,
        ));
    }
    let mut facts = Facts::new();
    for (name, fact) in document.facts {
        let read = fact.get_ref().read();
        let place = || format!("facts, {name}");
        let read = read.map_err(|message| wrong(fact.span().start, place(), message))?;
        facts.insert(name, read);
    }
    let mut documents = BTreeMap::new();
    for (kind, digest) in document.documents {
        let read = digest.get_ref().parse::<Digest>();
        let place = format!("documents, {kind}");
        let read = read.map_err(|error| wrong(digest.span().start, place, error.to_string()))?;
        documents.insert(kind, read);
    }
    let mut items: Vec<Item> = Vec::new();
    for (index, item) in document.item.into_iter().enumerate() {
        let at = item.span().start;
        let place = |field: &str| format!("item {}, {field}", index + 1);
        let item = item.into_inner().read();
        let item = item.map_err(|(field, message)| wrong(at, place(field), message))?;
        if items.iter().any(|other| other.id == item.id) {
            let message = format!("id {:?} stands twice", item.id);
            return Err(wrong(at, place("id"), message));
        }
        items.push(item);
    }
    let mut loans: Vec<Loan> = Vec::new();
    for (index, loan) in document.loan.into_iter().enumerate() {
        let at = loan.span().start;
        let place = format!("loan {}", index + 1);
        let loan = loan.into_inner().read();
        let loan = loan.map_err(|message| wrong(at, place.clone(), message))?;
        if loans.iter().any(|other| other.id == loan.id) {
            return Err(wrong(at, place, format!("id {:?} stands twice", loan.id)));
        }
        loans.push(loan);
    }
    Ok(Application {
        id: document.id.into_inner(),
        enterprise: document.enterprise,
        name: document.name,
        group_applicant: document.group_applicant,
        filed_on: document.filed_on.0,
        facts,
        documents,
        items,
        loans,
    })
}

/// The columns of the CSV form; beside them stand `fact:NAME` and `document:KIND`.
pub const COLUMNS: &[&str] = &[
    "application",
    "enterprise",
    "name",
    "group_applicant",
    "filed_on",
    "item",
    "kind",
    "amount",
    "issuer",
    "invoice",
    "invoice_on",
    "payment",
    "paid_on",
    "policy",
    "policy_from",
    "market",
    "product",
    "loan",
    "from",
    "until",
    "interest",
    "rate",
    "receipt",
    "support_from",
    "support_amount",
];

/// Reads a table of items, one row each; rows of one application say the same of its firm.
///
/// A row that cannot be read costs no other row; it is among `rejected`.
///
/// # Errors
///
/// [`DocumentError::Row`] on line 1 for a header that has an unknown column, one twice, or one too few.
pub fn from_csv(text: &str) -> Result<Applications, DocumentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Records {
        text,
        at: 0,
        line: 1,
    };
    let (_, header) = records.next().unwrap_or((1, Ok(Vec::new())));
    let wrong = |line: u32, column: &str, message: String| DocumentError::Row {
        line,
        column: column.to_owned(),
        message,
    };
    let header = header.map_err(|message| wrong(1, "", message))?;
    let mut seen = BTreeSet::new();
    for name in &header {
        let known = COLUMNS.contains(&name.as_str())
            || name
                .strip_prefix("fact:")
                .is_some_and(|name| !name.is_empty())
            || name
                .strip_prefix("document:")
                .is_some_and(|name| !name.is_empty());
        if !known {
            let message = format!(
                "no such column; the columns are {}, fact:NAME and document:KIND",
                COLUMNS.join(", ")
            );
            return Err(wrong(1, name, message));
        }
        if !seen.insert(name.as_str()) {
            return Err(wrong(1, name, "it stands twice".into()));
        }
    }
    for name in [
        "application",
        "enterprise",
        "name",
        "filed_on",
        "item",
        "kind",
        "amount",
    ] {
        if !seen.contains(name) {
            return Err(wrong(1, name, "the column is missing".into()));
        }
    }
    let mut found = Applications::default();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids: BTreeSet<(String, String)> = BTreeSet::new();
    for (line, cells) in records {
        let read = cells
            .map_err(|message| (String::new(), message))
            .and_then(|cells| {
                if cells.len() == header.len() {
                    row(&header, cells)
                } else {
                    let message = format!("{} cells; {} would be right", cells.len(), header.len());
                    Err((String::new(), message))
                }
            });
        let added = read.and_then(|mut application| {
            let item = application.items.first().map(|item| item.id.clone());
            let key = (application.id.clone(), item.unwrap_or_default());
            if ids.contains(&key) {
                let message = format!("item {:?} of application {:?} stands twice", key.1, key.0);
                return Err(("item".to_owned(), message));
            }
            match places.get(&application.id) {
                None => {
                    places.insert(application.id.clone(), found.applications.len());
                    found.applications.push(application);
                }
                Some(&place) => {
                    let known = &mut found.applications[place];
                    let items = std::mem::take(&mut application.items);
                    let others = std::mem::take(&mut known.items);
                    let says_the_same = *known == application;
                    known.items = others;
                    if !says_the_same {
                        let message = format!(
                            "an earlier row of application {:?} says something else of the firm, its facts or documents",
                            known.id
                        );
                        return Err(("application".to_owned(), message));
                    }
                    known.items.extend(items);
                }
            }
            ids.insert(key);
            Ok(())
        });
        if let Err((column, message)) = added {
            found.rejected.push(wrong(line, &column, message));
        }
    }
    found.applications.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// One row as an application with one item.
fn row(header: &[String], cells: Vec<String>) -> Result<Application, (String, String)> {
    let mut cells: BTreeMap<&str, String> = header
        .iter()
        .map(String::as_str)
        .zip(cells)
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    let (mut facts, mut documents) = (Facts::new(), BTreeMap::new());
    for name in header {
        let Some((kind, rest)) = name.split_once(':') else {
            continue;
        };
        let Some(cell) = cells.remove(name.as_str()) else {
            continue;
        };
        let wrong = |message| (name.clone(), message);
        if kind == "fact" {
            facts.insert(rest.to_owned(), Fact::parse(&cell).map_err(wrong)?);
        } else {
            let digest = cell.parse::<Digest>();
            let digest = digest.map_err(|error| wrong(error.to_string()))?;
            documents.insert(rest.to_owned(), digest);
        }
    }
    let mut take = |name: &'static str| cells.remove(name);
    let must = |name: &'static str, cell: Option<String>| {
        cell.ok_or_else(|| (name.to_owned(), "it is missing".to_owned()))
    };
    let read_day = |name: &'static str, cell: Option<String>| match cell {
        None => Ok(None),
        Some(text) => day(&text)
            .map(|day| Some(Day(day)))
            .map_err(|message| (name.to_owned(), message)),
    };
    let kind = match take("kind").as_deref() {
        None => None,
        Some("premium") => Some(ItemKind::Premium),
        Some("fee") => Some(ItemKind::Fee),
        Some("interest") => Some(ItemKind::Interest),
        Some(other) => {
            let message = format!("{other:?}: premium, fee or interest would be right");
            return Err(("kind".to_owned(), message));
        }
    };
    let interest = match take("interest").as_deref() {
        None | Some("normal") => InterestKind::Normal,
        Some("overdue") => InterestKind::Overdue,
        Some("penalty") => InterestKind::Penalty,
        Some("compound") => InterestKind::Compound,
        Some("extension") => InterestKind::Extension,
        Some(other) => {
            let message = format!(
                "{other:?}: normal, overdue, penalty, compound or extension would be right"
            );
            return Err(("interest".to_owned(), message));
        }
    };
    let support = match (take("support_from"), take("support_amount")) {
        (None, None) => Vec::new(),
        (Some(from), Some(amount)) => vec![SupportText { from, amount }],
        _ => {
            let message = "support_from and support_amount go together".to_owned();
            return Err(("support_from".to_owned(), message));
        }
    };
    let item = ItemText {
        id: take("item"),
        kind,
        amount: take("amount"),
        issuer: take("issuer"),
        invoice: take("invoice"),
        invoice_on: read_day("invoice_on", take("invoice_on"))?,
        payment: take("payment"),
        paid_on: read_day("paid_on", take("paid_on"))?,
        policy: take("policy"),
        policy_from: read_day("policy_from", take("policy_from"))?,
        market: take("market"),
        product: take("product"),
        loan: take("loan"),
        from: read_day("from", take("from"))?,
        until: read_day("until", take("until"))?,
        interest: Some(interest),
        rate: take("rate"),
        receipt: take("receipt"),
        support,
    };
    let item = item
        .read()
        .map_err(|(field, message)| (field.to_owned(), message))?;
    let filed_on = must("filed_on", take("filed_on"))?;
    Ok(Application {
        id: must("application", take("application"))?,
        enterprise: must("enterprise", take("enterprise"))?,
        name: must("name", take("name"))?,
        group_applicant: take("group_applicant"),
        filed_on: day(&filed_on).map_err(|message| ("filed_on".to_owned(), message))?,
        facts,
        documents,
        items: vec![item],
        loans: Vec::new(),
    })
}

/// The records of a CSV text with the line they begin on; cells in quotes may hold commas and line ends.
pub(crate) struct Records<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: usize,
    pub(crate) line: u32,
}

impl Iterator for Records<'_> {
    type Item = (u32, Result<Vec<String>, String>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.text.get(self.at..)?;
        // Empty lines are no records, however many there are.
        while let Some(after) = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')) {
            self.at += rest.len() - after.len();
            self.line += 1;
            rest = after;
        }
        if matches!(rest, "" | "\r") {
            return None;
        }
        let begins = self.line;
        let (mut cells, mut cell, mut quoted, mut was_quoted) =
            (Vec::new(), String::new(), false, false);
        let mut fault = None;
        let mut chars = rest.char_indices().peekable();
        let mut length = rest.len();
        while let Some((index, c)) = chars.next() {
            self.line += u32::from(c == '\n');
            match c {
                '"' if quoted => match chars.peek() {
                    Some((_, '"')) => {
                        chars.next();
                        cell.push('"');
                    }
                    _ => quoted = false,
                },
                c if quoted => cell.push(c),
                '"' if cell.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
                ',' => {
                    cells.push(std::mem::take(&mut cell));
                    was_quoted = false;
                }
                '\n' => {
                    length = index + 1;
                    break;
                }
                '\r' if matches!(chars.peek(), Some((_, '\n')) | None) => {}
                _ if c == '"' || was_quoted => {
                    fault =
                        Some("a quote in the middle of a cell; \"\" within quotes would be right");
                }
                c => cell.push(c),
            }
        }
        self.at += length;
        cells.push(cell);
        if quoted {
            fault = Some("a quote is not closed");
        }
        Some((
            begins,
            fault.map_or(Ok(cells), |fault| Err(fault.to_owned())),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "application,enterprise,name,filed_on,item,kind,amount,invoice,paid_on,fact:new\n";

    #[test]
    fn a_million_empty_lines_are_no_records() {
        let text = format!(
            "a,b\n{}1,\r\n{}\r\n2,\n\r",
            "\n".repeat(1_000_000),
            "\r\n".repeat(7)
        );
        let (text, at, line) = (text.as_str(), 0, 1);
        let records: Vec<_> = Records { text, at, line }
            .map(|(line, cells)| (line, cells.map(|cells| cells.concat())))
            .collect();
        let want = [(1, "ab"), (1_000_002, "1"), (1_000_011, "2")];
        assert_eq!(
            records,
            want.map(|(line, cells)| (line, Ok(cells.to_owned())))
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_no_other_and_says_why() {
        let rows = "A1,E1,\"Firm, one\",2024-01-31,1,premium,10.00 CNY,I1,2023-05-04,true\n\
                    A1,E1,\"Firm, one\",2024-01-31,2,premium,10.0 CNY,I2,,true\n\
                    A1,E1,Firm two,2024-01-31,3,premium,10.00 CNY,I3,,true\n\
                    A2,E2,B,2024-1-31,1,premium,1.00 CNY,I4,,\n\
                    A2,E2,B,2024-01-31,1,premium,1.001 CNY,I4,,\n\
                    A2,E2,B,2024-01-31,1,gift,1.00 CNY,I4,,\n\
                    A2,E2,B,2024-01-31,1,fee,1.00 CNY,,,\n\
                    A2,E2,B,2024-01-31,1,fee,-1.00 CNY,I4,,\n\
                    A2,E2,B,2024-01-31,1,fee,1.00 CNY,I5\n\
                    A2,E2,B,2024-01-31,1,fee,1.00 CNY,I5,2024-01-02,false\n\
                    A2,E2,B,2024-01-31,1,fee,1.00 CNY,I5,2024-01-02,false\n";
        let read = from_csv(&format!("{HEAD}{rows}")).expect("a header");
        let items: Vec<usize> = read.applications.iter().map(|a| a.items.len()).collect();
        assert_eq!(items, [2, 1]);
        let said: Vec<String> = read.rejected.iter().map(ToString::to_string).collect();
        let want = [
            (4, "application", "says something else"),
            (5, "filed_on", "2024-01-31 would be right"),
            (6, "amount", "finer"),
            (7, "kind", "premium, fee or interest"),
            (8, "invoice", "nothing tells this item"),
            (9, "amount", "below zero"),
            (10, "", "8 cells; 10 would be right"),
            (12, "item", "stands twice"),
        ];
        assert_eq!(said.len(), want.len(), "{said:#?}");
        for (said, (line, column, message)) in said.iter().zip(want) {
            assert!(
                said.starts_with(&format!("line {line}, column {column:?}")),
                "{said}"
            );
            assert!(said.contains(message), "{said}");
        }
    }

    #[test]
    fn a_header_is_complete_and_known() {
        for (header, message) in [
            ("application,colour\n", "no such column"),
            ("application,application\n", "stands twice"),
            ("application\n", "is missing"),
            ("", "is missing"),
        ] {
            let error = from_csv(header).expect_err(header).to_string();
            assert!(error.contains(message), "{header:?}: {error}");
        }
    }

    #[test]
    fn an_invoice_is_the_same_however_it_is_typed() {
        let key = |invoice: &str| {
            let text = ItemText {
                id: Some("1".into()),
                kind: Some(ItemKind::Premium),
                amount: Some("1.00 CNY".into()),
                invoice: Some(invoice.into()),
                ..ItemText::default()
            };
            text.read().map(|item| item.keys("E")).ok()
        };
        assert_eq!(key("ab 12"), key("AB12"));
        assert_ne!(key("AB13"), key("AB12"));
    }
}
