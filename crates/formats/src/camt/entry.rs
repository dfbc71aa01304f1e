//! One `Ntry` of any version: its fields by path, and the entry that they make.

use std::borrow::Cow;

use quanfu_calendar::Date;
use quanfu_money::lexer::{AmountStyle, parse_decimal, parse_money};
use quanfu_money::{Amount, Currency, Money};
use quanfu_settlement::{
    Counterparty, Detail, Entry, EntryAmount, EntryKind, EntryStatus, FindingCode, RefRole,
    References, RowRate, Text,
};

use super::moment::{DateFault, day, moment};
use super::walk::{Fault, Step, Wrong, attribute, local, walk};

/// XML decimals may have a plus and a bare point.
const XML: AmountStyle = AmountStyle {
    plus_sign: true,
    allow_bare_mark: true,
    ..AmountStyle::PLAIN
};

/// Something noticed in an entry.
pub(super) struct Noticed {
    /// What.
    pub code: FindingCode,
    /// Offset in the piece.
    pub at: usize,
    /// In words.
    pub message: String,
}

/// Why an entry cannot be read.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Code of the rejected record.
    pub code: &'static str,
    /// The element, as a path below `Ntry`.
    pub field: &'static str,
    /// Offset of the fault in the piece.
    pub at: usize,
    /// What was found and what would be right.
    pub message: String,
}

impl Refusal {
    fn new(code: &'static str, field: &'static str, at: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            field,
            at,
            message: message.into(),
        }
    }
}

/// A currency as files write it; `true` if an alias was read as the currency that it means.
pub(super) fn currency(code: &str) -> Result<(Currency, bool), quanfu_money::MoneyError> {
    match code {
        "CNH" | "RMB" => Ok((Currency::CNY, true)),
        _ => Currency::from_code(code).map(|currency| (currency, false)),
    }
}

/// Money as XML writes it: never negative, for the side says that.
pub(super) fn money(text: &str, currency: Currency) -> Result<Money, (&'static str, String)> {
    if text.starts_with('-') {
        let message =
            format!("{text:?} is negative; the amount has no sign, CdtDbtInd tells the side");
        return Err(("amount-malformed", message));
    }
    let led = if text.starts_with('.') {
        format!("0{text}").into()
    } else {
        Cow::Borrowed(text)
    };
    parse_money(led.as_bytes(), XML, currency).map_err(|error| (error.code(), error.to_string()))
}

/// Whether a side raises the account.
pub(super) fn is_credit(text: &str) -> Option<bool> {
    match text {
        "CRDT" => Some(true),
        "DBIT" => Some(false),
        _ => None,
    }
}

/// An `xs:boolean`.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Text of one element with the place where it begins in the piece.
#[derive(Clone, Debug, Default)]
struct Field<'p> {
    text: Cow<'p, str>,
    at: usize,
}

/// An amount with the currency that its element names.
#[derive(Clone, Debug, Default)]
struct RawAmount<'p> {
    text: Field<'p>,
    currency: Option<Cow<'p, str>>,
}

#[derive(Default)]
struct Exchange<'p> {
    source: Option<Cow<'p, str>>,
    target: Option<Cow<'p, str>>,
    unit: Option<Cow<'p, str>>,
    rate: Option<Cow<'p, str>>,
}

#[derive(Default)]
struct Charges<'p> {
    total: Option<RawAmount<'p>>,
    records: Vec<(RawAmount<'p>, bool)>,
}

/// `AmtDtls`: amounts before and after exchange.
#[derive(Default)]
struct Amounts<'p> {
    instructed: Option<RawAmount<'p>>,
    transaction: Option<RawAmount<'p>>,
    exchange: Exchange<'p>,
}

#[derive(Default)]
struct RawParty<'p> {
    name: Option<Cow<'p, str>>,
    ultimate: Option<Cow<'p, str>>,
    account: Option<Cow<'p, str>>,
    bic: Option<Cow<'p, str>>,
    member: Option<Cow<'p, str>>,
}

impl<'p> RawParty<'p> {
    fn into_party(self) -> Counterparty<'p> {
        Counterparty {
            name: self.name.or(self.ultimate),
            account: self.account,
            agent: self.bic.or(self.member),
        }
    }
}

/// `BkTxCd`.
#[derive(Default)]
struct RawCode<'p> {
    domain: Option<Cow<'p, str>>,
    family: Option<Cow<'p, str>>,
    sub_family: Option<Cow<'p, str>>,
    proprietary: Option<Cow<'p, str>>,
}

impl<'p> RawCode<'p> {
    fn leaf(&mut self, path: &[&str], text: Cow<'p, str>) {
        match path {
            ["Domn", "Cd"] => self.domain = Some(text),
            ["Domn", "Fmly", "Cd"] => self.family = Some(text),
            ["Domn", "Fmly", "SubFmlyCd"] => self.sub_family = Some(text),
            ["Prtry", "Cd"] => self.proprietary = Some(text),
            _ => {}
        }
    }

    fn written(&self) -> Option<Text<'p>> {
        let Some(domain) = self.domain.as_deref() else {
            return self.proprietary.clone();
        };
        let mut code = domain.to_owned();
        for part in [&self.family, &self.sub_family].into_iter().flatten() {
            code.push('/');
            code.push_str(part);
        }
        Some(Text::Owned(code))
    }

    /// Only what the ISO code list says beyond doubt; everything else is `other`.
    fn kind(&self) -> EntryKind {
        let part = |text: &Option<Cow<'p, str>>| text.as_deref().unwrap_or_default().to_owned();
        let (domain, family, sub_family) = (
            part(&self.domain),
            part(&self.family),
            part(&self.sub_family),
        );
        match (domain.as_str(), family.as_str(), sub_family.as_str()) {
            ("", ..) => EntryKind::Other,
            (_, _, "CHRG" | "FEES" | "COMM") => EntryKind::Fee,
            ("FORX", ..) => EntryKind::Fx,
            ("PMNT", "RCDT" | "ICDT", "RRTN" | "RPCR" | "RIMB" | "OTHR" | "ADJT") => {
                EntryKind::Other
            }
            ("PMNT", "RCDT" | "ICDT", _) => EntryKind::Payment,
            ("CAMT", "CAPL", _) => EntryKind::Transfer,
            _ => EntryKind::Other,
        }
    }
}

/// `TxDtls`, and the same fields where an old version has them at the entry itself.
#[derive(Default)]
struct RawDetail<'p> {
    references: References<'p>,
    /// Numbers that stand in only where a better one is missing.
    tx_id: Option<Cow<'p, str>>,
    amount: Option<RawAmount<'p>>,
    side: Option<Field<'p>>,
    amounts: Amounts<'p>,
    charges: Charges<'p>,
    debtor: RawParty<'p>,
    creditor: RawParty<'p>,
    time: Option<Cow<'p, str>>,
    code: RawCode<'p>,
    remittance: Vec<Cow<'p, str>>,
    additional: Option<Cow<'p, str>>,
}

/// All of an `Ntry` that is kept, as written.
#[derive(Default)]
struct RawEntry<'p> {
    amount: Option<RawAmount<'p>>,
    side: Option<Field<'p>>,
    reversal: Option<Field<'p>>,
    status: Option<Field<'p>>,
    booking: Option<Field<'p>>,
    value: Option<Field<'p>>,
    code: RawCode<'p>,
    servicer_reference: Option<Cow<'p, str>>,
    entry_reference: Option<Cow<'p, str>>,
    batch: Option<Cow<'p, str>>,
    batch_count: Option<Cow<'p, str>>,
    amounts: Amounts<'p>,
    charges: Charges<'p>,
    details: Vec<RawDetail<'p>>,
    additional: Option<Cow<'p, str>>,
}

/// What an entry must know of its surroundings.
pub(super) struct Around<'a> {
    /// Account of the statement.
    pub account: Option<&'a str>,
    /// Levels of nesting above the entry.
    pub depth: usize,
    /// Deepest nesting allowed.
    pub max_depth: usize,
    /// Longest field allowed.
    pub max_field: usize,
}

/// Reads one `Ntry`. The outer error ends the file, the inner one only this record.
pub(super) fn read<'p>(
    piece: &'p str,
    around: &Around<'_>,
    noticed: &mut Vec<Noticed>,
) -> Result<Result<Entry<'p>, Refusal>, Fault> {
    let mut raw = RawEntry::default();
    let mut too_long = None;
    // Qualified names, for matching; local names without `Ntry` and `NtryDtls`, for fields.
    let mut open: Vec<&'p str> = Vec::with_capacity(16);
    let mut path: Vec<&'p str> = Vec::with_capacity(16);
    let mut text = Field::default();
    let mut attributes = "";
    let mut is_leaf = false;
    walk(piece, |step, at| {
        match step {
            Step::Open {
                name,
                attributes: written,
            } => {
                if around.depth + open.len() >= around.max_depth {
                    return Err(Fault {
                        at,
                        what: Wrong::Depth,
                    });
                }
                let name_local = local(name);
                // Version 1 has no NtryDtls around its TxDtls.
                let is_wrapper = open.len() == 1 && name_local == "NtryDtls";
                if !open.is_empty() && !is_wrapper {
                    path.push(name_local);
                    if path.as_slice() == ["TxDtls"] {
                        raw.details.push(RawDetail::default());
                    }
                }
                open.push(name);
                attributes = written;
                text = Field {
                    text: Cow::Borrowed(""),
                    at,
                };
                is_leaf = true;
            }
            Step::Text(more) => {
                if is_leaf {
                    if text.text.is_empty() {
                        text = Field { text: more, at };
                    } else {
                        text.text.to_mut().push_str(&more);
                    }
                    if text.text.len() > around.max_field && too_long.is_none() {
                        too_long = Some(at);
                    }
                }
            }
            Step::Close { name } => {
                if open.pop() != Some(name) {
                    return Err(Fault::form(
                        at,
                        format!("</{name}> closes what is not open"),
                    ));
                }
                if std::mem::take(&mut is_leaf) {
                    raw.leaf(&path, attributes, trimmed(std::mem::take(&mut text)));
                }
                if open.len() > 1 || (open.len() == 1 && local(name) != "NtryDtls") {
                    path.pop();
                }
            }
        }
        Ok(())
    })?;
    if let Some(name) = open.last() {
        return Err(Fault::form(piece.len(), format!("</{name}> is missing")));
    }
    if let Some(at) = too_long {
        let message = format!(
            "a text is longer than the limit of {} bytes",
            around.max_field
        );
        return Ok(Err(Refusal::new("field-too-long", "Ntry", at, message)));
    }
    Ok(raw.into_entry(around, noticed))
}

fn trimmed(field: Field<'_>) -> Field<'_> {
    let Field { text, at } = field;
    let skipped = text.len() - text.trim_start().len();
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    Field {
        text,
        at: at + skipped,
    }
}

impl<'p> RawEntry<'p> {
    fn leaf(&mut self, path: &[&'p str], attributes: &'p str, field: Field<'p>) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        if field.text.is_empty() {
            return;
        }
        match (*first, rest) {
            ("TxDtls", rest) => {
                let detail = self.details.last_mut();
                detail
                    .expect("an open TxDtls made a detail")
                    .leaf(rest, attributes, field);
            }
            ("Amt", []) => self.amount = Some(amount(attributes, field)),
            ("CdtDbtInd", []) => self.side = Some(field),
            ("RvslInd", []) => self.reversal = Some(field),
            ("Sts", [] | ["Cd" | "Prtry"]) => self.status = Some(field),
            ("BookgDt", ["Dt" | "DtTm"]) => self.booking = Some(field),
            ("ValDt", ["Dt" | "DtTm"]) => self.value = Some(field),
            ("AcctSvcrRef", []) => self.servicer_reference = Some(field.text),
            ("NtryRef", []) => self.entry_reference = Some(field.text),
            ("BkTxCd", rest) => self.code.leaf(rest, field.text),
            ("Btch", ["PmtInfId"]) => self.batch = Some(field.text),
            ("Btch", ["MsgId"]) => {
                self.batch.get_or_insert(field.text);
            }
            ("Btch", ["NbOfTxs"]) => self.batch_count = Some(field.text),
            ("AmtDtls", rest) => self.amounts.leaf(rest, attributes, field),
            ("Chrgs", rest) => self.charges.leaf(rest, attributes, field),
            ("AddtlNtryInf", []) => self.additional = Some(field.text),
            _ => {}
        }
    }

    fn into_entry(
        self,
        around: &Around<'_>,
        noticed: &mut Vec<Noticed>,
    ) -> Result<Entry<'p>, Refusal> {
        let credit = self.is_credit()?;
        let money = self.money(credit, noticed)?;
        let status = self.status(noticed)?;
        let is_reversal = match &self.reversal {
            None => false,
            Some(field) => flag(&field.text).ok_or_else(|| {
                let message = format!("{:?} is neither true nor false", field.text);
                Refusal::new("flag-malformed", "RvslInd", field.at, message)
            })?,
        };
        let (booking_date, value_date) = self.dates(noticed)?;
        let single = self.is_single();
        let batch_at = self.amount.as_ref().map_or(0, |amount| amount.text.at);

        let mut entry = Entry::with_amount(EntryAmount::Money(money));
        entry.status = status;
        entry.is_reversal = is_reversal;
        entry.booking_date = booking_date;
        entry.value_date = value_date;
        entry.kind = if is_reversal {
            EntryKind::Reversal
        } else {
            self.code.kind()
        };
        entry.kind_written = self.code.written();
        entry.time = self.booking.as_ref().and_then(|field| moment(&field.text));
        entry.original = self.amounts.original(money);
        entry.rate = self.amounts.exchange.rate();
        entry.fee = self.charges.fee();

        let mut details = self.details.into_iter();
        if single && let Some(mut only) = details.next() {
            if !is_reversal && entry.kind == EntryKind::Other && entry.kind_written.is_none() {
                entry.kind = only.code.kind();
            }
            if entry.kind_written.is_none() {
                entry.kind_written = only.code.written();
            }
            entry.time = only.time.as_deref().and_then(moment).or(entry.time);
            entry.original = entry.original.or_else(|| only.amounts.original(money));
            entry.rate = entry.rate.or_else(|| only.amounts.exchange.rate());
            entry.fee = entry.fee.or_else(|| only.charges.fee());
            let detail = only.finish(credit, money, around.account, noticed);
            if let Some(part) = detail.amount
                && part != money
            {
                noticed.push(detail_sum(batch_at, &part.to_string(), money));
            }
            entry.references = detail.references;
            entry.counterparty = detail.counterparty;
            entry.remittance = detail.remittance;
        } else {
            for mut detail in details {
                entry
                    .details
                    .push(detail.finish(credit, money, around.account, noticed));
            }
            check_sum(&entry.details, money, batch_at, noticed);
        }

        if let Some(reference) = self.servicer_reference {
            entry.references.set(RefRole::Bank, reference);
        }
        if let Some(reference) = self.entry_reference {
            let has_better = entry.references.get(RefRole::Bank).is_some();
            let role = if has_better {
                RefRole::Token
            } else {
                RefRole::Bank
            };
            entry.references.set(role, reference);
        }
        if let Some(batch) = self.batch {
            entry.references.set(RefRole::Batch, batch);
        }
        entry.remittance.extend(self.additional);
        Ok(entry)
    }

    /// Whether the one detail is the entry itself and not one part of many.
    fn is_single(&self) -> bool {
        self.details.len() == 1
            && self
                .batch_count
                .as_deref()
                .is_none_or(|count| matches!(count, "0" | "1"))
    }

    fn is_credit(&self) -> Result<bool, Refusal> {
        let field = self.side.as_ref().ok_or_else(|| {
            Refusal::new(
                "side-unknown",
                "CdtDbtInd",
                0,
                "there is no CdtDbtInd; CRDT or DBIT is right",
            )
        })?;
        is_credit(&field.text).ok_or_else(|| {
            let message = format!("{:?} is no side; CRDT or DBIT is right", field.text);
            Refusal::new("side-unknown", "CdtDbtInd", field.at, message)
        })
    }

    fn money(&self, credit: bool, noticed: &mut Vec<Noticed>) -> Result<Money, Refusal> {
        let Some(amount) = &self.amount else {
            return Err(Refusal::new("amount-missing", "Amt", 0, "there is no Amt"));
        };
        let at = amount.text.at;
        let Some(code) = amount.currency.as_deref() else {
            return Err(Refusal::new(
                "currency-missing",
                "Amt/@Ccy",
                at,
                "Amt names no currency",
            ));
        };
        let (currency, is_alias) = currency(code)
            .map_err(|error| Refusal::new(error.code(), "Amt/@Ccy", at, error.to_string()))?;
        if is_alias {
            let message = format!("{code} is no currency code and was read as {currency}");
            noticed.push(Noticed {
                code: FindingCode::CurrencyAlias,
                at,
                message,
            });
        }
        let money = money(&amount.text.text, currency)
            .map_err(|(code, message)| Refusal::new(code, "Amt", at, message))?;
        signed(money, credit).ok_or_else(|| {
            Refusal::new(
                "amount-overflow",
                "Amt",
                at,
                format!("{money} cannot be turned"),
            )
        })
    }

    fn status(&self, noticed: &mut Vec<Noticed>) -> Result<EntryStatus, Refusal> {
        let Some(field) = &self.status else {
            let message = "there is no Sts; the entry was read as booked".to_owned();
            noticed.push(Noticed {
                code: FindingCode::Dialect,
                at: 0,
                message,
            });
            return Ok(EntryStatus::Booked);
        };
        match field.text.as_ref() {
            "BOOK" => Ok(EntryStatus::Booked),
            "PDNG" => Ok(EntryStatus::Pending),
            "INFO" => Ok(EntryStatus::Information),
            "FUTR" => Ok(EntryStatus::Expected),
            other => {
                let message = format!("{other:?} is no status; BOOK, PDNG, INFO or FUTR is right");
                Err(Refusal::new("status-unknown", "Sts", field.at, message))
            }
        }
    }

    /// Booking and value date. A day that does not exist is left out if the other one is there.
    fn dates(&self, noticed: &mut Vec<Noticed>) -> Result<(Option<Date>, Option<Date>), Refusal> {
        let mut refusals = Vec::new();
        let mut dates = [None, None];
        for (slot, name, field) in [(0, "BookgDt", &self.booking), (1, "ValDt", &self.value)] {
            let Some(field) = field else { continue };
            match day(&field.text) {
                Ok(date) => dates[slot] = Some(date),
                Err(DateFault::Malformed) => {
                    let message =
                        format!("{:?} is no date; such as 2026-03-02 is right", field.text);
                    return Err(Refusal::new("date-malformed", name, field.at, message));
                }
                Err(DateFault::Impossible) => {
                    let message = format!("there is no day {}", field.text);
                    refusals.push(Refusal::new("date-impossible", name, field.at, message));
                }
            }
        }
        if dates == [None, None]
            && let Some(first) = refusals.pop()
        {
            return Err(first);
        }
        noticed.extend(refusals.into_iter().map(|refusal| Noticed {
            code: FindingCode::DateImpossible,
            at: refusal.at,
            message: format!("{}: {}; it was left out", refusal.field, refusal.message),
        }));
        Ok((dates[0], dates[1]))
    }
}

fn signed(money: Money, credit: bool) -> Option<Money> {
    if credit {
        Some(money)
    } else {
        money.checked_neg().ok()
    }
}

fn amount<'p>(attributes: &'p str, text: Field<'p>) -> RawAmount<'p> {
    RawAmount {
        text,
        currency: attribute(attributes, "Ccy"),
    }
}

fn detail_sum(at: usize, found: &str, money: Money) -> Noticed {
    let message = format!("the details add up to {found}, the entry to {money}");
    Noticed {
        code: FindingCode::DetailSum,
        at,
        message,
    }
}

/// Notices details that have amounts, all of them, and do not add up to the entry.
fn check_sum(details: &[Detail<'_>], money: Money, at: usize, noticed: &mut Vec<Noticed>) {
    let amounts: Option<Vec<Money>> = details.iter().map(|detail| detail.amount).collect();
    let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) else {
        return;
    };
    let mut sum = quanfu_money::MoneySum::zero(money.currency());
    if amounts.iter().all(|amount| sum.add(*amount).is_ok())
        && sum.minor() != i128::from(money.minor())
    {
        noticed.push(detail_sum(at, &sum.to_string(), money));
    }
}

impl<'p> RawDetail<'p> {
    fn leaf(&mut self, path: &[&'p str], attributes: &'p str, field: Field<'p>) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        match (*first, rest) {
            ("Refs", [name]) => self.reference(name, field.text),
            ("Amt", []) => self.amount = Some(amount(attributes, field)),
            ("CdtDbtInd", []) => self.side = Some(field),
            ("AmtDtls", rest) => self.amounts.leaf(rest, attributes, field),
            ("Chrgs", rest) => self.charges.leaf(rest, attributes, field),
            ("BkTxCd", rest) => self.code.leaf(rest, field.text),
            ("RltdPties" | "RltdAgts", [role, rest @ ..]) => self.party(role, rest, field.text),
            ("RmtInf", ["Ustrd"])
            | (
                "RmtInf",
                ["Strd", "CdtrRefInf", "Ref" | "CdtrRef"]
                | ["Strd", "RfrdDocInf", "Nb" | "RfrdDocNb"]
                | ["Strd", "AddtlRmtInf"],
            ) => self.remittance.push(field.text),
            ("RltdDts", ["TxDtTm"]) => self.time = Some(field.text),
            ("RltdDts", ["AccptncDtTm"]) => {
                self.time.get_or_insert(field.text);
            }
            ("AddtlTxInf", []) => self.additional = Some(field.text),
            _ => {}
        }
    }

    fn reference(&mut self, name: &str, text: Cow<'p, str>) {
        let role = match name {
            "EndToEndId" => RefRole::EndToEnd,
            "InstrId" => RefRole::Instruction,
            "UETR" => RefRole::Transaction,
            "MndtId" => RefRole::Mandate,
            "AcctSvcrRef" => RefRole::Bank,
            "PmtInfId" => RefRole::Batch,
            "ChqNb" => RefRole::Token,
            "TxId" => {
                self.tx_id = Some(text);
                return;
            }
            _ => return,
        };
        self.references.set(role, text);
    }

    fn party(&mut self, role: &str, path: &[&str], text: Cow<'p, str>) {
        let party = match role {
            "Dbtr" | "DbtrAcct" | "DbtrAgt" | "UltmtDbtr" => &mut self.debtor,
            "Cdtr" | "CdtrAcct" | "CdtrAgt" | "UltmtCdtr" => &mut self.creditor,
            _ => return,
        };
        let slot = match (role, path) {
            ("Dbtr" | "Cdtr", ["Nm"] | ["Pty", "Nm"] | ["Agt", "FinInstnId", "Nm"]) => {
                &mut party.name
            }
            ("UltmtDbtr" | "UltmtCdtr", ["Nm"] | ["Pty", "Nm"]) => &mut party.ultimate,
            (
                "DbtrAcct" | "CdtrAcct",
                ["Id", "IBAN" | "BBAN" | "UPIC"] | ["Id", "Othr" | "PrtryAcct", "Id"],
            ) => &mut party.account,
            (
                "DbtrAgt" | "CdtrAgt",
                ["FinInstnId", "BIC" | "BICFI"] | ["FinInstnId", "CmbndId", "BIC"],
            ) => &mut party.bic,
            ("DbtrAgt" | "CdtrAgt", ["FinInstnId", "ClrSysMmbId", "MmbId" | "Id"]) => {
                &mut party.member
            }
            _ => return,
        };
        slot.get_or_insert(text);
    }

    fn finish(
        &mut self,
        entry_credit: bool,
        entry: Money,
        own_account: Option<&str>,
        noticed: &mut Vec<Noticed>,
    ) -> Detail<'p> {
        let mut references = std::mem::take(&mut self.references);
        if references.get(RefRole::Transaction).is_none()
            && let Some(id) = self.tx_id.take()
        {
            references.set(RefRole::Transaction, id);
        }
        let credit = self
            .side
            .as_ref()
            .and_then(|field| is_credit(&field.text))
            .unwrap_or(entry_credit);
        // Only an amount in the account's currency can be a part of the entry.
        let part = self.amount.as_ref().or(self.amounts.transaction.as_ref());
        let part = part.filter(|part| part.is_in(entry.currency()));
        let amount = match part.map(|part| (money(&part.text.text, entry.currency()), part)) {
            None => None,
            Some((Ok(money), _)) => signed(money, credit),
            Some((Err((_, message)), part)) => {
                let message = format!("the amount of a detail was left out: {message}");
                noticed.push(Noticed {
                    code: FindingCode::Dialect,
                    at: part.text.at,
                    message,
                });
                None
            }
        };
        let (debtor, creditor) = (
            std::mem::take(&mut self.debtor),
            std::mem::take(&mut self.creditor),
        );
        let is_own = |party: &RawParty<'_>| {
            party.account.is_some() && party.account.as_deref() == own_account
        };
        // The other side of a credit is the debtor; the own account, where it is named, decides.
        let other = match (is_own(&debtor), is_own(&creditor)) {
            (true, false) => creditor,
            (false, true) => debtor,
            _ if credit => debtor,
            _ => creditor,
        };
        let mut remittance = std::mem::take(&mut self.remittance);
        remittance.extend(self.additional.take());
        Detail {
            amount,
            references,
            counterparty: other.into_party(),
            remittance,
        }
    }
}

impl RawAmount<'_> {
    fn currency(&self) -> Option<Currency> {
        currency(self.currency.as_deref()?)
            .ok()
            .map(|(currency, _)| currency)
    }

    fn is_in(&self, wanted: Currency) -> bool {
        self.currency() == Some(wanted)
    }

    /// Unrounded, as fees may be finer than the minor unit.
    fn unrounded(&self) -> Option<Amount> {
        let value = parse_decimal(self.text.text.as_bytes(), XML).ok()?;
        Some(Amount::exact(value, self.currency()?))
    }
}

impl<'p> Amounts<'p> {
    fn leaf(&mut self, path: &[&str], attributes: &'p str, field: Field<'p>) {
        match path {
            ["InstdAmt", "Amt"] => self.instructed = Some(amount(attributes, field)),
            ["TxAmt", "Amt"] => self.transaction = Some(amount(attributes, field)),
            [_, "CcyXchg", name] => {
                let slot = match *name {
                    "SrcCcy" => &mut self.exchange.source,
                    "TrgtCcy" => &mut self.exchange.target,
                    "UnitCcy" => &mut self.exchange.unit,
                    "XchgRate" => &mut self.exchange.rate,
                    _ => return,
                };
                slot.get_or_insert(field.text);
            }
            _ => {}
        }
    }

    /// The instructed or transaction amount, if it is in another currency than the entry.
    fn original(&self, entry: Money) -> Option<Money> {
        [&self.instructed, &self.transaction]
            .into_iter()
            .flatten()
            .find_map(|amount| {
                let currency = amount
                    .currency()
                    .filter(|currency| *currency != entry.currency())?;
                let original = money(&amount.text.text, currency).ok()?;
                signed(original, !entry.is_negative())
            })
    }
}

impl Exchange<'_> {
    /// One unit of `UnitCcy` costs `XchgRate` of the other currency. Without `UnitCcy` the direction is not told.
    fn rate(&self) -> Option<RowRate> {
        let read = |code: &Option<Cow<'_, str>>| {
            currency(code.as_deref()?)
                .ok()
                .map(|(currency, _)| currency)
        };
        let base = read(&self.unit)?;
        let others = [read(&self.source), read(&self.target)];
        let quote = others
            .into_iter()
            .flatten()
            .find(|currency| *currency != base)?;
        let value = parse_decimal(self.rate.as_deref()?.as_bytes(), XML).ok()?;
        Some(RowRate {
            base,
            unit: 1,
            quote,
            value,
        })
    }
}

impl<'p> Charges<'p> {
    fn leaf(&mut self, path: &[&str], attributes: &'p str, field: Field<'p>) {
        match path {
            ["TtlChrgsAndTaxAmt"] => self.total = Some(amount(attributes, field)),
            ["Amt"] | ["Rcrd", "Amt"] => self.records.push((amount(attributes, field), false)),
            ["CdtDbtInd"] | ["Rcrd", "CdtDbtInd"] => {
                if let Some((_, credit)) = self.records.last_mut() {
                    *credit = field.text == "CRDT";
                }
            }
            _ => {}
        }
    }

    /// The total as written, else the sum of the charges; one that is credited lowers it.
    fn fee(&self) -> Option<Amount> {
        if let Some(total) = &self.total {
            return total.unrounded();
        }
        let mut sum: Option<Amount> = None;
        for (amount, credit) in &self.records {
            let amount = amount.unrounded()?;
            let amount = if *credit {
                Amount::exact(-amount.value(), amount.currency())
            } else {
                amount
            };
            sum = Some(match sum {
                None => amount,
                Some(sum) => sum.checked_add(amount).ok()?,
            });
        }
        sum
    }
}
