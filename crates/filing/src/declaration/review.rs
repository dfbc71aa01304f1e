//! [`Review`]: what a declaration lacks, what does not add up, and which limits and deadlines it meets, by dated rows.
//!
//! A finding is something to look at, never a verdict of law. What no row tells is not determinable, and never "in order".

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{BusinessCalendar, Certainty, Date};
use quanfu_codes::{CodeTable, Flow, ParameterRow, Parameters};
use quanfu_fx::{RateTable, Route, Spread, Terms};
use quanfu_money::{Currency, Money, MoneySum, Rounding};

use super::{
    Action, Bop, Declarant, Declaration, Detail, Direction, Line, Link, Nature, Party,
    ReceiptPayment,
};
use crate::deadline::Deadline;
use crate::list::closed_list;
use crate::restored::OriginalKind;

closed_list! {
    /// What a finding is about.
    FindingKind {
        /// A field that is needed is empty.
        FieldMissing = "declare-field",
        /// A declaration number has another institution or day than its record.
        Number = "declare-number",
        /// Purposes do not make the amount, or have another currency.
        Lines = "declare-lines",
        /// What was exchanged, kept and other does not make the amount.
        Parts = "declare-parts",
        /// A purpose is not in the table of codes on that day.
        Code = "declare-code",
        /// A purpose whose code is one of the other direction.
        CodeDirection = "declare-code-direction",
        /// A refund whose remark does not begin with the word for it.
        RefundRemark = "declare-refund-remark",
        /// The originals of a batch are not those that its record counts.
        Details = "declare-details",
        /// Nobody is named, or the number of the identity is missing where it is asked for.
        Identity = "declare-identity",
        /// The number of the identity is not of its form, or its check digit does not hold.
        IdentityForm = "declare-identity-form",
        /// Who pays is not who ordered, and no state body authenticated the identity.
        Payer = "declare-payer",
        /// An original has no order number: nothing shows the trade.
        Order = "declare-order",
        /// One transaction is beyond a limit.
        Limit = "declare-limit",
        /// A party's transactions of a year are beyond a limit.
        Annual = "declare-annual",
        /// A party's transactions of some days pass a limit that each of them keeps.
        Split = "declare-split",
        /// A party is on a list that the user gave.
        Listed = "declare-listed",
        /// The last day for reporting is over.
        Overdue = "declare-overdue",
        /// A credit grade asks for what is not there, or is not in its table.
        Grade = "declare-grade",
        /// No row or rate tells, so it was not checked.
        NotDeterminable = "declare-not-determinable",
    }
}

closed_list! {
    /// How a finding stands.
    Standing {
        /// To be looked at.
        Open = "open",
        /// Nobody can tell.
        NotDeterminable = "not_determinable",
    }
}

/// A row or rate that a finding or deadline rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Basis {
    /// The row, such as `fx_single_limit@2019-04-29`, or the rate with its day.
    pub row: String,
    /// What it says.
    pub value: String,
    /// Where it stands.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Basis {
    fn of(row: &ParameterRow) -> Self {
        Self {
            row: row.id(),
            value: format!("{} {}", row.value, row.unit),
            source: row.source.clone(),
            certainty: row.certainty,
        }
    }
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Told {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// A sentence in both languages, with values of the place where it stands.
macro_rules! told {
    ($en:literal, $zh:literal) => {
        Told {
            en: format!($en),
            zh: format!($zh),
        }
    };
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The record, batch or order.
    pub place: String,
    /// What was found, in both languages. Personal values in it are masked.
    pub text: Told,
    /// How many records it stands for.
    pub count: u64,
    /// What it rests on.
    pub basis: Vec<Basis>,
}

impl Finding {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.kind {
            FindingKind::NotDeterminable => Standing::NotDeterminable,
            _ => Standing::Open,
        }
    }
}

/// Until when a record must be reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The batch.
    pub batch: String,
    /// `receipt_payment` or `bop`.
    pub form: &'static str,
    /// The deadline, or why nobody can tell.
    pub deadline: Deadline,
    /// The row that gives it.
    pub basis: Option<Basis>,
    /// Day on which it was reported.
    pub reported_on: Option<Date>,
}

/// What a review found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// Sorted by kind and place.
    pub findings: Vec<Finding>,
    /// One for each record, by batch and form.
    pub dues: Vec<Due>,
}

/// An entry of a list that a party is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The list.
    pub list: String,
    /// By what: `name`, `id_number`, `account_number` or `country`.
    pub by: &'static str,
}

/// A negative list (负面清单) that a house keeps or buys. A hit is a finding, never a verdict of law.
pub trait NegativeList {
    /// The entry that a party is on, on a day.
    fn hit(&self, party: &Party, day: Date) -> Option<Listed>;
}

/// Name of a list, and the first and last day on which it has a value.
type ListRow = (String, Option<Date>, Option<Date>);

/// A list from a file: `by,value,list,from,until`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserList {
    rows: BTreeMap<(&'static str, String), Vec<ListRow>>,
}

impl std::fmt::Debug for UserList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserList({} values)", self.rows.len())
    }
}

/// A line that is no entry of a list. It shows no value, as values may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ListError {
    /// Line, counted from 1.
    pub line: usize,
    /// What would be right.
    pub why: &'static str,
}

/// By what a party is looked for.
const BY: [&str; 4] = ["name", "id_number", "account_number", "country"];

/// Case and blanks make no other name.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace());
    kept.flat_map(char::to_uppercase).collect()
}

impl UserList {
    /// Reads CSV without quotes under the header `by,value,list,from,until`.
    ///
    /// # Errors
    ///
    /// [`ListError`] with the first line that is no entry: a list is used whole or not at all.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut list = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            let wrong = |why| ListError { line, why };
            if line == 1 {
                if text != "by,value,list,from,until" {
                    return Err(wrong("the header by,value,list,from,until would be right"));
                }
                continue;
            }
            if text.is_empty() {
                continue;
            }
            let cells: Vec<&str> = text.split(',').map(str::trim).collect();
            let [by, value, name, from, until] = cells[..] else {
                return Err(wrong("5 cells would be right"));
            };
            let by = BY.into_iter().find(|known| *known == by);
            let by = by.ok_or(wrong(
                "name, id_number, account_number or country would be right",
            ))?;
            if plain(value).is_empty() || name.is_empty() {
                return Err(wrong("a value and the name of its list would be right"));
            }
            let day = |text: &str| match text {
                "" => Ok(None),
                text => text
                    .parse()
                    .map(Some)
                    .map_err(|_| wrong("days as YYYY-MM-DD would be right")),
            };
            let entry = (name.to_owned(), day(from)?, day(until)?);
            list.rows.entry((by, plain(value))).or_default().push(entry);
        }
        Ok(list)
    }
}

impl NegativeList for UserList {
    fn hit(&self, party: &Party, day: Date) -> Option<Listed> {
        let country = party
            .country
            .as_ref()
            .map_or("", |country| country.as_str());
        let values = [
            party.name.reveal(),
            party.id_number.reveal(),
            party.account_number.reveal(),
            country,
        ];
        BY.into_iter().zip(values).find_map(|(by, value)| {
            let value = plain(value);
            let rows = self.rows.get(&(by, value))?;
            let holds = |(_, from, until): &&ListRow| {
                from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
            };
            let (list, ..) = rows.iter().find(holds)?;
            let list = list.clone();
            Some(Listed { list, by })
        })
    }
}

/// What a declaration is held against.
#[derive(Clone, Copy)]
pub struct Review<'r> {
    /// The day on which it is asked.
    pub day: Date,
    /// Limits and deadlines.
    pub parameters: &'r Parameters,
    /// Codes of the balance of payments.
    pub codes: &'r CodeTable,
    /// Credit grades.
    pub grades: &'r CodeTable,
    /// Working days.
    pub calendar: &'r BusinessCalendar,
    /// Rates for limits in another currency.
    pub rates: &'r RateTable,
    /// Which of them.
    pub terms: Terms<'r>,
    /// Parameters that are limits of one transaction. Which ones apply is for the user to say.
    pub single_limits: &'r [String],
    /// Parameters that are limits of a party's calendar year.
    pub annual_limits: &'r [String],
    /// Days within which transactions of one party are looked at together; `None`: by the parameter `split_window_days`.
    pub split_days: Option<u32>,
    /// Lists of parties.
    pub lists: &'r [&'r dyn NegativeList],
    /// Who declares, for grades.
    pub declarant: Option<&'r Declarant>,
    /// Earlier declarations: their originals count to the year.
    pub earlier: &'r [Declaration],
}

impl std::fmt::Debug for Review<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Review")
            .field("day", &self.day)
            .finish_non_exhaustive()
    }
}

/// The word with which the remark of a refund begins.
const REFUND_WORDS: [&str; 2] = ["退款", "refund"];

/// How amounts of one currency become another's on a day, or why they cannot.
type Way = Result<(Route, Basis), Told>;

struct Reviewer<'r> {
    review: &'r Review<'r>,
    findings: Vec<Finding>,
    /// What is not determinable, with how many records it leaves unchecked.
    unknown: BTreeMap<Told, u64>,
    routes: BTreeMap<(Currency, Currency, Date), Way>,
}

impl Declaration {
    /// What is to be looked at, and until when records must be reported.
    #[must_use]
    pub fn review(&self, review: &Review<'_>) -> Reviewed {
        let mut reviewer = Reviewer {
            review,
            findings: Vec::new(),
            unknown: BTreeMap::new(),
            routes: BTreeMap::new(),
        };
        let mut dues = Vec::new();
        let mut links: BTreeMap<&str, (u64, i128, BTreeSet<Currency>)> = BTreeMap::new();
        for detail in &self.details {
            let link = links.entry(&detail.batch).or_default();
            link.0 += 1;
            link.1 += i128::from(detail.amount.minor());
            link.2.insert(detail.amount.currency());
        }
        let linked = |link: &Link| links.get(link.batch.as_str());
        for record in &self.receipts_payments {
            reviewer.receipt_payment(record, linked(&record.link));
            dues.push(reviewer.due_of_record(record));
        }
        for bop in &self.bop {
            reviewer.bop(bop, linked(&bop.link));
            dues.push(reviewer.due_of_bop(bop));
        }
        let batches = self
            .receipts_payments
            .iter()
            .map(|one| one.link.batch.as_str());
        let batches: BTreeSet<&str> = batches.collect();
        for batch in links.keys().filter(|batch| !batches.contains(*batch)) {
            reviewer.note(
                FindingKind::Details,
                batch,
                told!(
                    "originals of a batch without a record",
                    "批次有原始交易而无记录"
                ),
            );
        }
        let days = self.receipts_payments.iter();
        let days = days.filter_map(|one| Some((one.link.batch.as_str(), one.value_date?)));
        let days: BTreeMap<&str, Date> = days.collect();
        let day_of = |detail: &Detail| {
            let of_batch = days.get(detail.batch.as_str()).copied();
            detail.day.or(of_batch).unwrap_or(self.as_of)
        };
        let details: Vec<(Date, &Detail)> =
            self.details.iter().map(|one| (day_of(one), one)).collect();
        for (day, detail) in &details {
            reviewer.detail(*day, detail);
        }
        reviewer.single_limits(&details);
        reviewer.by_party(&details);
        reviewer.grades(self);
        dues.sort_by(|a, b| (&a.batch, a.form).cmp(&(&b.batch, b.form)));
        for due in &dues {
            reviewer.due(due);
        }
        Reviewed {
            findings: reviewer.finish(),
            dues,
        }
    }
}

impl Reviewer<'_> {
    fn finish(mut self) -> Vec<Finding> {
        for (text, count) in std::mem::take(&mut self.unknown) {
            self.findings.push(Finding {
                kind: FindingKind::NotDeterminable,
                place: String::new(),
                text,
                count,
                basis: Vec::new(),
            });
        }
        self.findings.sort();
        self.findings
    }

    fn note(&mut self, kind: FindingKind, place: &str, text: Told) {
        self.note_by(kind, place, text, Vec::new());
    }

    fn note_by(&mut self, kind: FindingKind, place: &str, text: Told, basis: Vec<Basis>) {
        self.findings.push(Finding {
            kind,
            place: place.to_owned(),
            text,
            count: 1,
            basis,
        });
    }

    fn unknown(&mut self, text: Told) {
        *self.unknown.entry(text).or_default() += 1;
    }

    fn needed(&mut self, place: &str, fields: &[(&str, bool)]) {
        for (field, is_there) in fields {
            if !is_there {
                self.note(
                    FindingKind::FieldMissing,
                    place,
                    told!("{field} is missing", "缺少 {field}"),
                );
            }
        }
    }

    fn parties(&mut self, place: &str, day: Option<Date>, subject: &Party, other: &Party) {
        self.needed(
            place,
            &[
                ("subject.name", !subject.name.reveal().is_empty()),
                ("subject.id_number", subject.has_identity()),
                (
                    "subject.account_number",
                    !subject.account_number.reveal().is_empty(),
                ),
                ("counterparty.name", !other.name.reveal().is_empty()),
                ("counterparty.country", other.country.is_some()),
            ],
        );
        if subject.has_identity()
            && let Err(why) = subject.check_identity()
        {
            let number = &subject.id_number;
            let text = told!(
                "subject {number}: {why}",
                "主体 {number}：号码不合其种类（{why}）"
            );
            self.note(FindingKind::IdentityForm, place, text);
        }
        let day = day.unwrap_or(self.review.day);
        for (who, party) in [("subject", subject), ("counterparty", other)] {
            self.listed(place, who, party, day);
        }
    }

    fn listed(&mut self, place: &str, who: &str, party: &Party, day: Date) {
        for list in self.review.lists {
            if let Some(hit) = list.hit(party, day) {
                let (name, list, by) = (&party.name, &hit.list, hit.by);
                let text = told!(
                    "{who} {name} is on list {list:?} by {by}",
                    "{who} {name} 在名单 {list:?} 上（按 {by}）"
                );
                self.note(FindingKind::Listed, place, text);
            }
        }
    }

    fn lines(
        &mut self,
        place: &str,
        day: Option<Date>,
        flow: Option<Flow>,
        amount: Money,
        lines: &[Line],
    ) {
        let sum: i128 = lines
            .iter()
            .map(|line| i128::from(line.amount.minor()))
            .sum();
        let one_currency = lines
            .iter()
            .all(|line| line.amount.currency() == amount.currency());
        if sum != i128::from(amount.minor()) || !one_currency {
            let found = MoneySum::from_minor(sum, amount.currency());
            let text = told!(
                "purposes make {found}, the amount is {amount}",
                "各交易编码合计 {found}，金额为 {amount}"
            );
            self.note(FindingKind::Lines, place, text);
        }
        for (index, line) in lines.iter().enumerate() {
            match &line.code {
                None => {
                    let text = told!("a purpose has no code", "缺少交易编码");
                    self.note(FindingKind::FieldMissing, place, text);
                }
                Some(code) => {
                    self.code(
                        place,
                        &format!("lines[{index}].code"),
                        code.as_str(),
                        day,
                        flow,
                    );
                }
            }
        }
    }

    /// `flow` is the direction of the money; none where no source says under which direction's code it stands.
    fn code(
        &mut self,
        place: &str,
        field: &str,
        code: &str,
        day: Option<Date>,
        flow: Option<Flow>,
    ) {
        let codes = self.review.codes;
        let table = codes.name();
        let Ok(row) = codes.at(code, day.unwrap_or(self.review.day)) else {
            let text = told!(
                "purpose {code} is not in table {table} on that day",
                "交易编码 {code} 当日不在编码表 {table} 中"
            );
            return self.note(FindingKind::Code, place, text);
        };
        if let (Some(of_code), Some(flow)) = (row.direction, flow)
            && of_code != flow
        {
            let (is, wanted) = (of_code.name(), flow.name());
            let (is_zh, wanted_zh) = (of_code.zh(), flow.zh());
            let name = match row.zh.as_str() {
                "" => String::new(),
                zh => format!("（{zh}）"),
            };
            let text = told!(
                "{field} {code} is a code of {is}; the money is {wanted}",
                "{field} {code}{name} 是{is_zh}编码；款项是{wanted_zh}"
            );
            let basis = Basis {
                row: format!("{table} {code}"),
                value: is.to_owned(),
                source: row.source.clone(),
                certainty: row.certainty,
            };
            self.note_by(FindingKind::CodeDirection, place, text, vec![basis]);
        }
    }

    fn link(
        &mut self,
        place: &str,
        direction: Direction,
        amount: Money,
        link: &Link,
        found: Option<&(u64, i128, BTreeSet<Currency>)>,
    ) {
        let none = (0, 0, BTreeSet::new());
        let (count, sum, currencies) = found.unwrap_or(&none);
        let currency = amount.currency();
        let same = link.sum.currency() == currency && link.charges.currency() == currency;
        if !same || currencies.iter().any(|one| *one != currency) {
            self.note(
                FindingKind::Details,
                place,
                told!(
                    "amount, originals and charges have several currencies",
                    "金额、原始交易与费用币种不一"
                ),
            );
            return;
        }
        if *count != link.count || *sum != i128::from(link.sum.minor()) {
            let found = MoneySum::from_minor(*sum, currency);
            let (wanted, wanted_sum) = (link.count, link.sum);
            let text = told!(
                "{count} originals of {found}; {wanted} of {wanted_sum} are declared",
                "原始交易 {count} 笔 {found}；申报 {wanted} 笔 {wanted_sum}"
            );
            self.note(FindingKind::Details, place, text);
        }
        let signed = match direction {
            Direction::Receipt => i128::from(amount.minor()),
            Direction::Payment => -i128::from(amount.minor()),
        };
        if i128::from(link.sum.minor()) + i128::from(link.charges.minor()) != signed {
            let (sum, charges) = (link.sum, link.charges);
            let text = told!(
                "originals of {sum} and charges of {charges} do not make {amount}",
                "原始交易 {sum} 与费用 {charges} 不等于 {amount}"
            );
            self.note(FindingKind::Details, place, text);
        }
    }

    fn receipt_payment(
        &mut self,
        record: &ReceiptPayment,
        found: Option<&(u64, i128, BTreeSet<Currency>)>,
    ) {
        let place = format!("receipt_payment {}", record.reference);
        self.needed(
            &place,
            &[
                ("reporting_bank", record.reporting_bank.is_some()),
                ("value_date", record.value_date.is_some()),
                ("channel", !record.channel.is_empty()),
                ("counterparty_bank", !record.counterparty_bank.is_empty()),
                ("lines", !record.lines.is_empty()),
            ],
        );
        self.parties(
            &place,
            record.value_date,
            &record.subject,
            &record.counterparty,
        );
        let flow = Some(flow(record.direction)).filter(|_| record.refund_of.is_none());
        self.lines(
            &place,
            record.value_date,
            flow,
            record.amount,
            &record.lines,
        );
        self.link(&place, record.direction, record.amount, &record.link, found);
        if record.amount.currency() != Currency::CNY && record.priced.is_none() {
            self.note(
                FindingKind::FieldMissing,
                &place,
                told!("the amount is not in renminbi", "金额不是人民币"),
            );
        }
    }

    fn bop(&mut self, bop: &Bop, found: Option<&(u64, i128, BTreeSet<Currency>)>) {
        let place = format!("bop {}", bop.link.batch);
        self.needed(
            &place,
            &[
                ("number", bop.number.is_some()),
                ("value_date", bop.value_date.is_some()),
                ("method", !bop.method.is_empty()),
                ("bank_reference", !bop.bank_reference.is_empty()),
                (
                    "under_customs_supervision",
                    bop.under_customs_supervision.is_some(),
                ),
                ("reporter", !bop.reporter.reveal().is_empty()),
                ("phone_number", !bop.phone.reveal().is_empty()),
                ("lines", !bop.lines.is_empty()),
                (
                    "reason",
                    bop.action == Action::Add || !bop.reason.is_empty(),
                ),
            ],
        );
        if let (Some(number), Some(date)) = (&bop.number, bop.value_date)
            && number.day() != Some(date)
        {
            let text = told!(
                "number {number} has another day than {date}",
                "申报号码 {number} 的日期不是 {date}"
            );
            self.note(FindingKind::Number, &place, text);
        }
        let institution = self
            .review
            .declarant
            .and_then(|one| one.institution.as_deref());
        if let (Some(number), Some(institution)) = (&bop.number, institution)
            && number.institution() != institution
        {
            let text = told!(
                "number {number} is not of institution {institution}",
                "申报号码 {number} 不属于机构 {institution}"
            );
            self.note(FindingKind::Number, &place, text);
        }
        self.parties(&place, bop.value_date, &bop.subject, &bop.counterparty);
        let flow = Some(flow(bop.direction)).filter(|_| bop.nature != Nature::Refund);
        self.lines(&place, bop.value_date, flow, bop.amount, &bop.lines);
        self.link(&place, bop.direction, bop.amount, &bop.link, found);
        let parts = [&bop.exchanged, &bop.kept, &bop.other];
        let parts: Vec<Money> = parts
            .into_iter()
            .flatten()
            .map(|part| part.amount)
            .collect();
        let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
        let one_currency = parts
            .iter()
            .all(|part| part.currency() == bop.amount.currency());
        if sum != i128::from(bop.amount.minor()) || !one_currency {
            let found = MoneySum::from_minor(sum, bop.amount.currency());
            let amount = bop.amount;
            let text = told!(
                "exchanged, kept and other make {found}, the amount is {amount}",
                "结汇、现汇与其他合计 {found}，金额为 {amount}"
            );
            self.note(FindingKind::Parts, &place, text);
        }
        if bop.nature == Nature::Refund {
            let begins = |line: &Line| {
                let remark = line.remark.to_lowercase();
                REFUND_WORDS.iter().any(|word| remark.starts_with(word))
            };
            if !bop.lines.iter().all(begins) {
                self.note(
                    FindingKind::RefundRemark,
                    &place,
                    told!(
                        "the remark of a refund begins with 退款",
                        "退款的附言应以“退款”开头"
                    ),
                );
            }
        }
    }

    fn due_of_record(&self, record: &ReceiptPayment) -> Due {
        self.due_by(
            &record.link.batch,
            "receipt_payment",
            record.value_date,
            "rcpmis_receipt_days",
            record.reported_on,
        )
    }

    /// Receipts have a deadline of their own; payments are declared with the application, for which no row gives days.
    fn due_of_bop(&self, bop: &Bop) -> Due {
        let name = match bop.direction {
            Direction::Receipt => "bop_receipt_days",
            Direction::Payment => "bop_payment_days",
        };
        self.due_by(
            &bop.link.batch,
            "bop",
            bop.value_date,
            name,
            bop.reported_on,
        )
    }

    fn due_by(
        &self,
        batch: &str,
        form: &'static str,
        from: Option<Date>,
        name: &str,
        reported_on: Option<Date>,
    ) -> Due {
        let none = || Deadline::NotDeterminable(crate::NotDeterminable::NoDeadline);
        let counted = from.and_then(|from| {
            let counted =
                Deadline::by_parameter(from, name, self.review.parameters, self.review.calendar);
            let (deadline, _) = counted.ok()?;
            let row = self.review.parameters.at(name, from).ok().map(Basis::of);
            Some((deadline, row))
        });
        let (deadline, basis) = counted.unwrap_or_else(|| (none(), None));
        Due {
            batch: batch.to_owned(),
            form,
            deadline,
            basis,
            reported_on,
        }
    }

    fn due(&mut self, due: &Due) {
        let Some(last) = due.deadline.due() else {
            if due.reported_on.is_none() {
                let form = due.form;
                self.unknown(told!(
                    "until when records of {form} must be reported",
                    "{form} 的申报期限"
                ));
            }
            return;
        };
        let day = due.reported_on.unwrap_or(self.review.day);
        if day > last {
            let text = match due.reported_on {
                Some(day) => told!("due {last}, reported {day}", "期限 {last}，{day} 申报"),
                None => told!(
                    "due {last}, not reported on {day}",
                    "期限 {last}，至 {day} 未申报"
                ),
            };
            let place = format!("{} {}", due.form, due.batch);
            self.note_by(
                FindingKind::Overdue,
                &place,
                text,
                due.basis.iter().cloned().collect(),
            );
        }
    }

    fn detail(&mut self, day: Date, detail: &Detail) {
        let place = format!("original {}", detail.record);
        if detail.order.is_none() && detail.refunds.is_none() {
            self.note(
                FindingKind::Order,
                &place,
                told!("no order number shows the trade", "没有订单号证明交易"),
            );
        }
        match &detail.code {
            None => self.note(
                FindingKind::FieldMissing,
                &place,
                told!("bop_code is missing", "缺少 bop_code"),
            ),
            Some(code) => {
                let flow = match detail.kind {
                    OriginalKind::Refund => None,
                    _ if detail.amount.minor() < 0 => Some(Flow::Expenditure),
                    _ => Some(Flow::Income),
                };
                self.code(&place, "bop_code", code.as_str(), Some(day), flow);
            }
        }
        let Some(payer) = &detail.payer else {
            self.note(
                FindingKind::Identity,
                &place,
                told!("the real party is not known", "真实交易主体未知"),
            );
            return;
        };
        if payer.name.reveal().is_empty() {
            self.note(
                FindingKind::Identity,
                &place,
                told!("the real party has no name", "真实交易主体没有名称"),
            );
        }
        if payer.has_identity() {
            if let Err(why) = payer.check_identity() {
                let (name, number) = (&payer.name, &payer.id_number);
                let text = told!(
                    "{name} {number}: {why}",
                    "{name} {number}：号码不合其种类（{why}）"
                );
                self.note(FindingKind::IdentityForm, &place, text);
            }
        } else {
            self.identity_threshold(&place, day, detail);
        }
        self.listed(&place, "payer", payer, day);
        if detail.authenticated != Some(true) && detail.kind == OriginalKind::Payment {
            let orderer = detail.orderer.as_ref().map(|orderer| &orderer.id_number);
            let Some(orderer) = orderer.filter(|_| payer.has_identity()) else {
                return self.unknown(told!(
                    "whether who pays is who ordered: an identity is not known",
                    "付款人是否订购人：身份未知"
                ));
            };
            if plain(orderer.reveal()) != plain(payer.id_number.reveal()) {
                let number = &payer.id_number;
                let text = told!(
                    "{number} paid, {orderer} ordered",
                    "{number} 付款，{orderer} 订购"
                );
                self.note(FindingKind::Payer, &place, text);
            }
        }
    }

    /// From the threshold of its currency on, an identity is asked for.
    fn identity_threshold(&mut self, place: &str, day: Date, detail: &Detail) {
        let name = match detail.amount.currency() {
            Currency::CNY => "remitter_identity_cny",
            Currency::USD => "remitter_identity_usd",
            other => {
                self.unknown(told!(
                    "whether an identity is asked for: no threshold in {other}",
                    "是否须核验身份：没有 {other} 的起点"
                ));
                return;
            }
        };
        let Ok(row) = self.review.parameters.at(name, day) else {
            self.unknown(told!(
                "whether an identity is asked for: {name} has no row on that day",
                "是否须核验身份：{name} 当日没有参数"
            ));
            return;
        };
        let Ok(threshold) = Money::exact(row.value, detail.amount.currency()) else {
            let id = row.id();
            return self.unknown(told!(
                "whether an identity is asked for: {id} is no amount",
                "是否须核验身份：{id} 不是金额"
            ));
        };
        if detail.amount.minor().unsigned_abs() >= threshold.minor().unsigned_abs() {
            let amount = detail.amount;
            let text = told!(
                "{amount} without an identity number",
                "{amount}，无身份号码"
            );
            self.note_by(FindingKind::Identity, place, text, vec![Basis::of(row)]);
        }
    }

    /// An amount in the currency of a limit, rounded up so that nothing beyond it seems to keep it, and the rate used.
    fn in_currency(
        &mut self,
        money: Money,
        to: Currency,
        day: Date,
    ) -> Result<(Money, Option<Basis>), Told> {
        let from = money.currency();
        if from == to {
            return Ok((money, None));
        }
        let review = self.review;
        let route = self.routes.entry((from, to, day)).or_insert_with(|| {
            let route = review.rates.route(from, to, None, day, &review.terms);
            let route = route.map_err(|_| {
                told!(
                    "no rate of {from}/{to} for {day}",
                    "没有 {day} 的 {from}/{to} 汇率"
                )
            })?;
            let rate = route
                .rates()
                .next()
                .ok_or_else(|| told!("no rate of {from}/{to}", "没有 {from}/{to} 汇率"))?;
            let basis = Basis {
                row: format!("{}@{}", rate.quoted(), rate.as_of()),
                value: rate.kind().name().to_owned(),
                source: rate.source().to_owned(),
                certainty: rate.certainty(),
            };
            Ok((route, basis))
        });
        let (route, basis) = route.as_ref().map_err(Clone::clone)?;
        let converted = route.convert(money, Spread::NONE, Rounding::Up);
        let converted = converted.map_err(|error| told!("{error}", "无法折算：{error}"))?;
        Ok((converted.to, Some(basis.clone())))
    }

    /// The limit that a parameter gives for a day, with its row.
    fn limit(&self, name: &str, day: Date) -> Result<(Money, Basis), Told> {
        let row = self.review.parameters.at(name, day);
        let row = row.map_err(|error| told!("limit {name}: {error}", "限额 {name}：{error}"))?;
        let currency = Currency::from_code(&row.unit);
        let currency = currency.map_err(|_| {
            told!(
                "limit {name}: its unit is no currency",
                "限额 {name}：单位不是币种"
            )
        })?;
        let limit = Money::exact(row.value, currency);
        let limit = limit.map_err(|_| {
            told!(
                "limit {name}: finer than its currency",
                "限额 {name}：细于币种的最小单位"
            )
        })?;
        Ok((limit, Basis::of(row)))
    }

    fn single_limits(&mut self, details: &[(Date, &Detail)]) {
        for name in self.review.single_limits {
            for (day, detail) in details
                .iter()
                .filter(|(_, one)| one.kind == OriginalKind::Payment)
            {
                let compared = self.limit(name, *day).and_then(|(limit, basis)| {
                    let found = self.in_currency(detail.amount, limit.currency(), *day)?;
                    Ok((limit, basis, found))
                });
                match compared {
                    Err(why) => self.unknown(why),
                    Ok((limit, row, (found, rate))) => {
                        if found.minor().unsigned_abs() > limit.minor().unsigned_abs() {
                            let place = format!("original {}", detail.record);
                            let amount = detail.amount;
                            let text = match amount == found {
                                true => told!("{found} are beyond {limit}", "{found} 超过 {limit}"),
                                false => told!(
                                    "{amount} are {found}, beyond {limit}",
                                    "{amount} 折合 {found}，超过 {limit}"
                                ),
                            };
                            let basis = std::iter::once(row).chain(rate).collect();
                            self.note_by(FindingKind::Limit, &place, text, basis);
                        }
                    }
                }
            }
        }
    }

    /// Limits of a year and splitting, by the identity of the real party.
    fn by_party(&mut self, details: &[(Date, &Detail)]) {
        if self.review.annual_limits.is_empty() && self.review.single_limits.is_empty() {
            return;
        }
        let mut parties: BTreeMap<String, Vec<(Date, &Detail, bool)>> = BTreeMap::new();
        let payments = |one: &&Detail| one.kind == OriginalKind::Payment;
        let earlier = self.review.earlier.iter().flat_map(|other| {
            let details = other.details.iter();
            details.map(|one| (one.day.unwrap_or(other.as_of), one, false))
        });
        let ours = details.iter().map(|(day, one)| (*day, *one, true));
        for (day, detail, is_ours) in earlier.chain(ours).filter(|(_, one, _)| payments(one)) {
            let payer = detail.payer.as_ref().filter(|payer| payer.has_identity());
            match payer {
                Some(payer) => {
                    let key = plain(payer.id_number.reveal());
                    parties.entry(key).or_default().push((day, detail, is_ours));
                }
                None => self.unknown(told!(
                    "limits of a party: its identity is not known",
                    "主体限额：身份未知"
                )),
            }
        }
        for of_party in parties.values_mut() {
            of_party.sort_by(|a, b| (a.0, &a.1.record).cmp(&(b.0, &b.1.record)));
            for name in self.review.annual_limits {
                self.annual(name, of_party);
            }
            for name in self.review.single_limits {
                self.split(name, of_party);
            }
        }
    }

    fn annual(&mut self, name: &str, of_party: &[(Date, &Detail, bool)]) {
        let mut years: BTreeMap<i32, Vec<(Date, &Detail, bool)>> = BTreeMap::new();
        for one in of_party {
            let year = quanfu_calendar::Datelike::year(&one.0);
            years.entry(year).or_default().push(*one);
        }
        for (year, rows) in years {
            let Some(&(last, _, _)) = rows.last().filter(|_| rows.iter().any(|one| one.2)) else {
                continue;
            };
            let (limit, row) = match self.limit(name, last) {
                Ok(known) => known,
                Err(why) => {
                    self.unknown(why);
                    continue;
                }
            };
            let mut sum = 0i128;
            let mut rates = BTreeSet::new();
            for (day, detail, _) in &rows {
                match self.in_currency(detail.amount, limit.currency(), *day) {
                    Ok((found, rate)) => {
                        sum += i128::from(found.minor()).abs();
                        rates.extend(rate);
                    }
                    Err(why) => self.unknown(why),
                }
            }
            if sum > i128::from(limit.minor()) {
                let sum = MoneySum::from_minor(sum, limit.currency());
                let count = rows.len();
                let text = told!(
                    "{count} transactions of {year} make {sum}, beyond {limit}",
                    "{year} 年 {count} 笔合计 {sum}，超过 {limit}"
                );
                let basis = std::iter::once(row).chain(rates).collect();
                self.note_by(FindingKind::Annual, &party_name(&rows), text, basis);
            }
        }
    }

    /// Windows of so many days in which a party's transactions, each within the limit, are together beyond it. Of windows
    /// that overlap the first is told.
    fn split(&mut self, name: &str, of_party: &[(Date, &Detail, bool)]) {
        // each row in the limit's currency with its rate, if it can be told and keeps the limit by itself
        let mut rows = Vec::with_capacity(of_party.len());
        for (day, detail, _) in of_party {
            let row = self.limit(name, *day).and_then(|(limit, _)| {
                let found = self.in_currency(detail.amount, limit.currency(), *day)?;
                Ok((limit, found))
            });
            // what cannot be told is told with the limit of one transaction
            let row = row.ok().filter(|(limit, (found, _))| {
                found.minor().unsigned_abs() <= limit.minor().unsigned_abs()
            });
            rows.push(row.map(|(_, found)| found));
        }
        let value = |index: usize, currency: Currency| {
            let row = rows[index]
                .as_ref()
                .filter(|(found, _)| found.currency() == currency);
            row.map_or(0, |(found, _)| i128::from(found.minor()).abs())
        };
        // the window [start, end) moves over the rows, so that each is added and taken out once
        let (mut start, mut end, mut sum) = (0, 0, 0i128);
        let mut of_sum = None;
        while let Some(&(first, _, _)) = of_party.get(start) {
            let Ok((limit, limit_row)) = self.limit(name, first) else {
                start += 1;
                (end, sum) = (start, 0);
                continue;
            };
            let (days, window) = match self.window(first) {
                Ok(known) => known,
                Err(why) => {
                    self.unknown(why);
                    start += 1;
                    (end, sum) = (start, 0);
                    continue;
                }
            };
            let currency = limit.currency();
            if of_sum != Some(currency) {
                (of_sum, end, sum) = (Some(currency), start, 0);
            }
            let is_in = |index: usize| {
                let other = of_party.get(index);
                other.is_some_and(|(day, ..)| (*day - first).num_days() < i64::from(days))
            };
            while is_in(end) {
                sum += value(end, currency);
                end += 1;
            }
            while end > start && !is_in(end - 1) {
                end -= 1;
                sum -= value(end, currency);
            }
            if sum > i128::from(limit.minor()) {
                let taken: Vec<usize> = (start..end)
                    .filter(|&index| value(index, currency) > 0)
                    .collect();
                if taken.len() > 1 && taken.iter().any(|&index| of_party[index].2) {
                    let count = taken.len();
                    let rates = taken
                        .iter()
                        .filter_map(|&index| rows[index].as_ref()?.1.clone());
                    let basis: BTreeSet<Basis> =
                        [limit_row, window].into_iter().chain(rates).collect();
                    let sum = MoneySum::from_minor(sum, currency);
                    let text = told!(
                        "{count} transactions within {days} days from {first} make {sum}, beyond {limit} together",
                        "自 {first} 起 {days} 日内 {count} 笔合计 {sum}，共同超过 {limit}"
                    );
                    let party = party_name(&of_party[start..]);
                    let basis = basis.into_iter().collect();
                    self.note_by(FindingKind::Split, &party, text, basis);
                    start = end;
                }
            }
            if start == end {
                sum = 0;
            } else {
                sum -= value(start, currency);
                start += 1;
            }
        }
    }

    fn window(&self, day: Date) -> Result<(u32, Basis), Told> {
        if let Some(days) = self.review.split_days {
            let basis = Basis {
                row: "split_window_days".to_owned(),
                value: format!("{days} calendar_days"),
                source: "given by the user".to_owned(),
                certainty: Certainty::Certain,
            };
            return Ok((days, basis));
        }
        let row = self.review.parameters.at("split_window_days", day);
        let row = row.map_err(|error| told!("splitting: {error}", "拆分：{error}"))?;
        let days = row
            .whole("calendar_days")
            .map_err(|error| told!("splitting: {error}", "拆分：{error}"))?;
        Ok((days, Basis::of(row)))
    }

    /// A grade alters nothing but what its table names; everything else about it is not determinable.
    fn grades(&mut self, declaration: &Declaration) {
        let Some(declarant) = self.review.declarant else {
            return;
        };
        for grade in &declarant.grades {
            let key = format!("{}/{}", grade.authority, grade.grade);
            let row = match self.review.grades.at(&key, declaration.as_of) {
                Ok(row) => row,
                Err(error) => {
                    let text = told!("{error}", "信用等级 {key} 当日不在表中：{error}");
                    self.note(FindingKind::Grade, &key, text);
                    continue;
                }
            };
            let basis = Basis {
                row: format!("credit-grade {key}"),
                value: row.value.clone(),
                source: row.source.clone(),
                certainty: row.certainty,
            };
            match row.value.as_str() {
                "simple" => {}
                "quota" => self.quota(declaration, declarant, &key, basis),
                "register_first" => {
                    for record in &declaration.receipts_payments {
                        if record.registration.is_none() {
                            let place = format!("receipt_payment {}", record.reference);
                            let text = told!(
                                "grade {key}: registration is missing",
                                "信用等级 {key}：缺少事前登记"
                            );
                            self.note_by(FindingKind::Grade, &place, text, vec![basis.clone()]);
                        }
                    }
                }
                _ => self.unknown(told!("what grade {key} alters", "信用等级 {key} 的影响")),
            }
        }
    }

    fn quota(&mut self, declaration: &Declaration, declarant: &Declarant, key: &str, basis: Basis) {
        let Some(quota) = declarant.quota else {
            return self.unknown(told!(
                "grade {key}: what is left of the quota",
                "信用等级 {key}：剩余额度"
            ));
        };
        let mut sum = 0i128;
        for record in &declaration.receipts_payments {
            if record.amount.currency() == quota.currency() {
                sum += i128::from(record.amount.minor());
            } else {
                self.unknown(told!(
                    "grade {key}: the quota is in another currency",
                    "信用等级 {key}：额度为另一币种"
                ));
            }
        }
        if sum > i128::from(quota.minor()) {
            let sum = MoneySum::from_minor(sum, quota.currency());
            let text = told!(
                "grade {key}: {sum} are beyond the quota of {quota}",
                "信用等级 {key}：{sum} 超过额度 {quota}"
            );
            self.note_by(FindingKind::Grade, key, text, vec![basis]);
        }
    }
}

fn flow(direction: Direction) -> Flow {
    match direction {
        Direction::Receipt => Flow::Income,
        Direction::Payment => Flow::Expenditure,
    }
}

/// The party of these rows, masked.
fn party_name(rows: &[(Date, &Detail, bool)]) -> String {
    let payer = rows
        .first()
        .and_then(|(_, detail, _)| detail.payer.as_ref());
    payer.map_or_else(String::new, |payer| {
        format!("{} {}", payer.name, payer.id_number)
    })
}
