//! [`Declaration`]: neutral records of receipts and payments (RCPMIS), of the balance of payments (BoP), and of every
//! original transaction behind them in the name of its real party.
//!
//! The fields are those that the trade speaks of. No authority's format on the wire is followed, and none is claimed.

mod declarant;
mod evidence;
mod party;
mod review;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use quanfu_calendar::Date;
use quanfu_codes::{BopCode, BopNumber, CnapsCode, PersonName, Phone, whole};
use quanfu_money::Money;
use quanfu_settlement::table::push_text_cell;
use quanfu_settlement::{Digest, DigestAlg};
use serde::{Deserialize, Serialize};

use crate::list::closed_list;
use crate::restored::{
    Batch, Change, Difference, Original, OriginalKind, Place, RestoreError, Restored, written,
};

pub use declarant::{Declarant, DeclarantError, Grade, Reporter, SCHEMA as DECLARANT_SCHEMA};
pub use evidence::{Evidence, EvidenceError, EvidenceRow, HEADER as EVIDENCE_HEADER};
pub use party::{IdKind, IdNumber, Party, PartyKind};
pub use review::{
    Basis, Due, Finding, FindingKind, ListError, Listed, NegativeList, Review, Reviewed, Standing,
    Told, UserList,
};

/// Schema name of a declaration.
pub const SCHEMA: &str = "quanfu.declaration/1";

closed_list! {
    /// Which way money went.
    Direction {
        /// Received from abroad.
        Receipt = "receipt",
        /// Paid abroad.
        Payment = "payment",
    }
}

closed_list! {
    /// What is done with a declaration of the balance of payments.
    Action {
        /// A new one.
        Add = "add",
        /// One that was made is changed.
        Change = "change",
        /// One that was made is withdrawn.
        Delete = "delete",
    }
}

closed_list! {
    /// What a receipt or payment is apart from its purpose.
    Nature {
        /// Paid in advance.
        Prepayment = "prepayment",
        /// Money given back.
        Refund = "refund",
        /// Neither.
        Other = "other",
    }
}

/// A purpose and what of the amount it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The purpose as a code of the balance of payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<BopCode>,
    /// The amount.
    pub amount: Money,
    /// Remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// How a record hangs together with the originals behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Name of the batch.
    pub batch: String,
    /// How many originals there are.
    pub count: u64,
    /// Their sum.
    pub sum: Money,
    /// Charges between their sum and the amount; what lowers the amount is negative.
    pub charges: Money,
}

/// A receipt or payment in renminbi, as the cross-border receipt and payment system (RCPMIS) knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptPayment {
    /// Our reference.
    pub reference: String,
    /// Bank that reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporting_bank: Option<CnapsCode>,
    /// Which way the money went.
    pub direction: Direction,
    /// Value date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<Date>,
    /// The resident subject, with its account.
    pub subject: Party,
    /// The other side, with its account.
    pub counterparty: Party,
    /// BIC or name of its bank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub counterparty_bank: String,
    /// The amount, without a sign.
    pub amount: Money,
    /// Where it was priced in another currency: that amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced: Option<Money>,
    /// What it is for; the lines make the amount.
    pub lines: Vec<Line>,
    /// For a prepayment: after how many days goods are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepayment_days: Option<u32>,
    /// Numbers of customs declarations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customs_declarations: Vec<String>,
    /// Clearing channel.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel: String,
    /// For a refund: the record that it gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<String>,
    /// For a grade that asks for it: number of the registration that was made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// The originals behind it.
    pub link: Link,
    /// Day on which it was reported, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_on: Option<Date>,
}

/// A part of a BoP amount and the account that it went to or came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The amount.
    pub amount: Money,
    /// The account.
    #[serde(with = "whole")]
    pub account_number: quanfu_codes::AccountNumber,
}

/// A declaration for the balance of payments (国际收支申报).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bop {
    /// What is done.
    pub action: Action,
    /// Why it is changed or withdrawn.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Declaration number (申报号码).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<BopNumber>,
    /// Which way the money went.
    pub direction: Direction,
    /// Day on which the money was credited or paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<Date>,
    /// Who declares.
    pub subject: Party,
    /// The other side, with its country.
    pub counterparty: Party,
    /// The whole amount, without a sign.
    pub amount: Money,
    /// What of it was exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchanged: Option<Part>,
    /// What of it was kept in the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Part>,
    /// What of it is anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Part>,
    /// How it is settled.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Number at the bank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bank_reference: String,
    /// Charges of banks in the country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domestic_charges: Option<Money>,
    /// Charges of banks abroad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_charges: Option<Money>,
    /// What it is apart from its purpose.
    pub nature: Nature,
    /// What it is for; the lines make the amount.
    pub lines: Vec<Line>,
    /// Whether the goods are under customs supervision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_customs_supervision: Option<bool>,
    /// Who made it.
    #[serde(with = "whole", default = "no_name")]
    pub reporter: PersonName,
    /// Telephone of who made it.
    #[serde(with = "whole", rename = "phone_number", default = "no_phone")]
    pub phone: Phone,
    /// The originals behind it.
    pub link: Link,
    /// Day on which it was declared, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_on: Option<Date>,
}

fn no_name() -> PersonName {
    PersonName::new("")
}

fn no_phone() -> Phone {
    Phone::new("")
}

/// Who ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orderer {
    /// Identity number; never empty.
    #[serde(with = "whole")]
    pub id_number: IdNumber,
}

/// An original transaction in the name of its real party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The batch that it was settled in.
    pub batch: String,
    /// The record's name.
    pub record: String,
    /// What it is.
    pub kind: OriginalKind,
    /// Order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// For a refund: what it gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<String>,
    /// Its own day; without one, rules are asked for the value date of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// Amount: receipts +, payments -.
    pub amount: Money,
    /// The real party; none where the evidence knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Party>,
    /// Who ordered, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orderer: Option<Orderer>,
    /// Whether a state body authenticated the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
    /// Purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<BopCode>,
    /// Remark that goes with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// Records of receipts and payments, of the balance of payments, and the originals behind them (`quanfu.declaration/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Always `quanfu.declaration/1`.
    pub schema: String,
    /// Business day of the reconciliation.
    pub as_of: Date,
    /// `body` of the restored declaration that it was made from.
    pub restored: Digest,
    /// Receipts and payments, by batch.
    pub receipts_payments: Vec<ReceiptPayment>,
    /// The balance of payments, by batch.
    pub bop: Vec<Bop>,
    /// The originals, by batch.
    pub details: Vec<Detail>,
}

/// Why a text is no declaration. It shows no text of the document, as that may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct DeclarationError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub why: &'static str,
}

impl Declaration {
    /// A draft: what the restored declaration, the declarant and the evidence tell. What nobody told stays empty, and
    /// [`Declaration::review`] names it.
    ///
    /// # Errors
    ///
    /// [`RestoreError::TooLarge`] for a batch whose originals or charges sum to more than an amount can hold.
    pub fn draft(
        restored: &Restored,
        declarant: &Declarant,
        evidence: &Evidence,
    ) -> Result<Self, RestoreError> {
        let mut draft = Self {
            schema: SCHEMA.to_owned(),
            as_of: restored.as_of,
            restored: restored.body,
            receipts_payments: Vec::new(),
            bop: Vec::new(),
            details: Vec::new(),
        };
        for batch in &restored.batches {
            let charges: i128 = batch.charges.iter().map(|one| i128::from(one.minor)).sum();
            let large = || RestoreError::TooLarge {
                group: batch.group.clone(),
            };
            let sum = i64::try_from(batch.explained() - charges).map_err(|_| large())?;
            let charges = i64::try_from(charges).map_err(|_| large())?;
            let minor = batch.settled_minor.checked_abs().ok_or_else(large)?;
            let amount = batch.money(minor);
            let direction = match batch.settled_minor < 0 {
                true => Direction::Payment,
                false => Direction::Receipt,
            };
            let link = Link {
                batch: batch.group.clone(),
                count: batch.count,
                sum: batch.money(sum),
                charges: batch.money(charges),
            };
            let line = Line {
                code: declarant.code.clone(),
                amount,
                remark: declarant.remark.clone(),
            };
            let kept = (!declarant.subject.account_number.reveal().is_empty()).then(|| Part {
                amount,
                account_number: declarant.subject.account_number.clone(),
            });
            let reporter = declarant.reporter.as_ref();
            let bank_reference = match &batch.actual[..] {
                [one] => one.place.record.clone(),
                _ => String::new(),
            };
            draft.receipts_payments.push(ReceiptPayment {
                reference: batch.group.clone(),
                reporting_bank: declarant.reporting_bank.clone(),
                direction,
                value_date: batch.value_date,
                subject: declarant.subject.clone(),
                counterparty: declarant.counterparty.clone(),
                counterparty_bank: declarant.counterparty_bank.clone(),
                amount,
                priced: None,
                lines: vec![line.clone()],
                prepayment_days: None,
                customs_declarations: Vec::new(),
                channel: declarant.channel.clone(),
                refund_of: None,
                registration: None,
                link: link.clone(),
                reported_on: None,
            });
            draft.bop.push(Bop {
                action: Action::Add,
                reason: String::new(),
                number: None,
                direction,
                value_date: batch.value_date,
                subject: declarant.subject.clone(),
                counterparty: declarant.counterparty.clone(),
                amount,
                exchanged: None,
                kept,
                other: None,
                method: declarant.method.clone(),
                bank_reference,
                domestic_charges: None,
                foreign_charges: None,
                nature: Nature::Other,
                lines: vec![line],
                under_customs_supervision: declarant.under_customs_supervision,
                reporter: reporter.map_or_else(no_name, |one| one.name.clone()),
                phone: reporter.map_or_else(no_phone, |one| one.phone.clone()),
                link,
                reported_on: None,
            });
            for original in &batch.originals {
                let known = original.order.as_deref().or(original.refunds.as_deref());
                let known = known.and_then(|order| evidence.of(order));
                draft.details.push(Detail {
                    batch: batch.group.clone(),
                    record: original.place.record.clone(),
                    kind: original.kind,
                    order: original.order.clone(),
                    refunds: original.refunds.clone(),
                    day: original.day,
                    amount: batch.money(original.minor),
                    payer: known.map(|row| row.payer.clone()),
                    orderer: known
                        .map(|row| row.orderer_id.clone())
                        .filter(|id_number| !id_number.reveal().is_empty())
                        .map(|id_number| Orderer { id_number }),
                    authenticated: known.and_then(|row| row.authenticated),
                    code: known
                        .and_then(|row| row.code.clone())
                        .or_else(|| declarant.code.clone()),
                    remark: known
                        .map(|row| row.remark.clone())
                        .filter(|remark| !remark.is_empty())
                        .unwrap_or_else(|| declarant.remark.clone()),
                });
            }
        }
        Ok(draft)
    }

    /// Where this is not as the restored declaration that it was made from; sorted. Parties and purposes are not compared:
    /// the restored declaration knows none.
    #[must_use]
    pub fn fits(&self, restored: &Restored) -> Vec<Difference> {
        let mut found = BTreeSet::new();
        if self.restored != restored.body || self.as_of != restored.as_of {
            found.insert(Difference {
                group: String::new(),
                place: None,
                change: Change::Changed,
            });
        }
        let batches = restored.batches.iter();
        let batches: BTreeMap<&str, &Batch> =
            batches.map(|batch| (batch.group.as_str(), batch)).collect();
        let forms = [
            self.receipts_payments
                .iter()
                .map(|one| (&one.link, one.amount, one.direction, one.value_date))
                .collect::<Vec<_>>(),
            self.bop
                .iter()
                .map(|one| (&one.link, one.amount, one.direction, one.value_date))
                .collect(),
        ];
        for form in forms {
            let mut records = BTreeSet::new();
            let mut note = |group: &str, change| {
                found.insert(Difference {
                    group: group.to_owned(),
                    place: None,
                    change,
                });
            };
            for (link, amount, direction, value_date) in form {
                let once = records.insert(link.batch.as_str());
                let Some(batch) = batches.get(link.batch.as_str()).filter(|_| once) else {
                    note(&link.batch, Change::Added);
                    continue;
                };
                let signed = match direction {
                    Direction::Receipt => i128::from(amount.minor()),
                    Direction::Payment => -i128::from(amount.minor()),
                };
                let charges: i128 = batch.charges.iter().map(|one| i128::from(one.minor)).sum();
                let same = signed == i128::from(batch.settled_minor)
                    && i128::from(link.charges.minor()) == charges
                    && i128::from(link.sum.minor()) == batch.explained() - charges
                    && link.count == batch.count
                    && value_date == batch.value_date
                    && [amount, link.sum, link.charges]
                        .iter()
                        .all(|m| m.currency() == batch.currency);
                if !same {
                    note(&link.batch, Change::Changed);
                }
            }
            for group in batches.keys().filter(|group| !records.contains(*group)) {
                note(group, Change::Missing);
            }
        }
        let key = |batch: &str, record: &str| (batch.to_owned(), record.to_owned());
        let mut wanted: BTreeMap<(String, String), VecDeque<(&Batch, &Original)>> = BTreeMap::new();
        for batch in &restored.batches {
            for original in &batch.originals {
                let key = key(&batch.group, &original.place.record);
                wanted.entry(key).or_default().push_back((batch, original));
            }
        }
        for detail in &self.details {
            let known = wanted.get_mut(&key(&detail.batch, &detail.record));
            let known = known.and_then(VecDeque::pop_front);
            let change = match known {
                None => Change::Added,
                Some((batch, original))
                    if detail.amount == batch.money(original.minor)
                        && detail.kind == original.kind
                        && detail.order == original.order
                        && detail.refunds == original.refunds
                        && detail.day == original.day =>
                {
                    continue;
                }
                Some(_) => Change::Changed,
            };
            let place = known.map_or_else(
                || Place {
                    record: detail.record.clone(),
                    file: String::new(),
                    line: 0,
                },
                |(_, original)| original.place.clone(),
            );
            found.insert(Difference {
                group: detail.batch.clone(),
                place: Some(place),
                change,
            });
        }
        for (batch, original) in wanted.into_values().flatten() {
            found.insert(Difference {
                group: batch.group.clone(),
                place: Some(original.place.clone()),
                change: Change::Missing,
            });
        }
        found.into_iter().collect()
    }

    /// The declaration as JSON, whole: with two blanks of indent and a final line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(self)
    }

    /// Reads a declaration; unknown keys are errors. What is wrong with its meaning is asked with [`Declaration::review`].
    ///
    /// # Errors
    ///
    /// [`DeclarationError`].
    pub fn from_json(text: &str) -> Result<Self, DeclarationError> {
        let read = serde_json::from_str::<Self>(text).map_err(|error| DeclarationError {
            line: error.line(),
            column: error.column(),
            why: match error.classify() {
                serde_json::error::Category::Data => "not a field or value of a declaration",
                serde_json::error::Category::Eof => "the text ends too early",
                _ => "no JSON",
            },
        })?;
        if read.schema != SCHEMA {
            return Err(DeclarationError {
                line: 1,
                column: 1,
                why: "the schema is not quanfu.declaration/1",
            });
        }
        Ok(read)
    }

    /// Digest of the document as written.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(DigestAlg::Sha256, self.to_json().as_bytes())
    }

    /// One line for each original, with its party whole, and with purpose and batch.
    #[must_use]
    pub fn details_csv(&self) -> String {
        let mut text = String::from(
            "batch,record,kind,order,refunds,day,amount,currency,payer_kind,payer,id_kind,id_number,account_number,country,\
             orderer_id,authenticated,bop_code,remark\n",
        );
        for one in &self.details {
            let payer = one.payer.as_ref();
            let of = |field: fn(&Party) -> &str| payer.map_or("", field);
            let day = one.day.map(|day| day.to_string()).unwrap_or_default();
            let currency = one.amount.currency();
            let cells: [&str; 18] = [
                &one.batch,
                &one.record,
                one.kind.code(),
                one.order.as_deref().unwrap_or_default(),
                one.refunds.as_deref().unwrap_or_default(),
                &day,
                &one.amount.amount_text(),
                currency.code(),
                of(|party| party.kind.code()),
                of(|party| party.name.reveal()),
                of(|party| party.id_kind.map_or("", IdKind::code)),
                of(|party| party.id_number.reveal()),
                of(|party| party.account_number.reveal()),
                of(|party| party.country.as_ref().map_or("", |c| c.as_str())),
                one.orderer
                    .as_ref()
                    .map_or("", |orderer| orderer.id_number.reveal()),
                match one.authenticated {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "",
                },
                one.code.as_ref().map_or("", |code| code.as_str()),
                &one.remark,
            ];
            push_line(&mut text, &cells, &[6]);
        }
        text
    }

    /// One line for each record of receipts and payments or of the balance of payments, with its first purpose.
    #[must_use]
    pub fn records_csv(&self) -> String {
        let mut text = String::from(
            "form,batch,direction,value_date,amount,currency,subject,subject_id,account_number,counterparty,country,\
             bop_code,remark,number,originals,originals_sum,charges,reported_on\n",
        );
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let mut push = |form: &str,
                        direction: Direction,
                        dates: [Option<Date>; 2],
                        amount: Money,
                        parties: [&Party; 2],
                        lines: &[Line],
                        number: &str,
                        link: &Link| {
            let line = lines.first();
            let [subject, other] = parties;
            let currency = amount.currency();
            let cells: [&str; 18] = [
                form,
                &link.batch,
                direction.code(),
                &day(dates[0]),
                &amount.amount_text(),
                currency.code(),
                subject.name.reveal(),
                subject.id_number.reveal(),
                subject.account_number.reveal(),
                other.name.reveal(),
                other.country.as_ref().map_or("", |c| c.as_str()),
                line.and_then(|line| line.code.as_ref())
                    .map_or("", |code| code.as_str()),
                line.map_or("", |line| line.remark.as_str()),
                number,
                &link.count.to_string(),
                &link.sum.amount_text(),
                &link.charges.amount_text(),
                &day(dates[1]),
            ];
            push_line(&mut text, &cells, &[4, 15, 16]);
        };
        for one in &self.receipts_payments {
            let parties = [&one.subject, &one.counterparty];
            let dates = [one.value_date, one.reported_on];
            push(
                "receipt_payment",
                one.direction,
                dates,
                one.amount,
                parties,
                &one.lines,
                "",
                &one.link,
            );
        }
        for one in &self.bop {
            let parties = [&one.subject, &one.counterparty];
            let dates = [one.value_date, one.reported_on];
            let number = one.number.as_ref().map_or("", |number| number.as_str());
            push(
                "bop",
                one.direction,
                dates,
                one.amount,
                parties,
                &one.lines,
                number,
                &one.link,
            );
        }
        text
    }
}

/// A line of cells, made inert for spreadsheets but for amounts, which may be negative.
fn push_line(text: &mut String, cells: &[&str], amounts: &[usize]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        if amounts.contains(&index) {
            text.push_str(cell);
        } else {
            push_text_cell(text, cell);
        }
    }
    text.push('\n');
}
