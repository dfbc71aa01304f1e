//! One `Stmt`, `Rpt` or `Ntfctn`: what it declares of itself, and what its entries prove of that.

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_settlement::{
    Balance, Entry, EntryStatus, Finding, FindingCode, Measure, Proof, ProofKind, Sequence,
    Severity, StatementHead, StatementTail, Verdict,
};

use super::Message;
use super::entry::{currency, flag, is_credit, money};
use super::moment::day;

/// A balance as written.
#[derive(Clone, Debug, Default)]
struct RawBalance {
    code: String,
    sub_type: String,
    amount: String,
    currency: Option<String>,
    side: String,
    date: String,
    line: u32,
}

/// One of `TxsSummry`'s totals.
#[derive(Clone, Debug, Default)]
struct RawTotal {
    count: Option<String>,
    sum: Option<String>,
    line: u32,
}

/// The net of `TtlNtries`.
#[derive(Clone, Debug, Default)]
struct RawNet {
    amount: Option<String>,
    side: Option<String>,
}

/// What a statement says before, between and after its entries.
#[derive(Clone, Debug, Default)]
pub(super) struct StatementText {
    /// Line of its first tag.
    pub line: u32,
    id: Option<String>,
    account: Option<String>,
    currency: Option<String>,
    number: Option<String>,
    legal_number: Option<String>,
    pub(super) page: Option<u32>,
    pub(super) last: Option<bool>,
    created: Option<Date>,
    from: Option<Date>,
    to: Option<Date>,
    copy: Option<(String, u32)>,
    balances: Vec<RawBalance>,
    all: RawTotal,
    credits: RawTotal,
    debits: RawTotal,
    net: RawNet,
    notes: Vec<String>,
}

impl StatementText {
    pub(super) fn new(line: u32) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    /// An element below the statement begins.
    pub(super) fn open(&mut self, path: &[&str], line: u32) {
        if path == ["Bal"] {
            self.balances.push(RawBalance {
                line,
                ..RawBalance::default()
            });
        }
    }

    /// Text of an element below the statement.
    pub(super) fn leaf(&mut self, path: &[&str], text: &str, ccy: Option<&str>, line: u32) {
        if text.is_empty() {
            return;
        }
        let own = || Some(text.to_owned());
        match path {
            ["Id"] => self.id = own(),
            ["Acct", "Id", "IBAN" | "BBAN" | "UPIC"]
            | ["Acct", "Id", "Othr" | "PrtryAcct", "Id"] => {
                self.account.get_or_insert_with(|| text.to_owned());
            }
            ["Acct", "Ccy"] => self.currency = own(),
            ["ElctrncSeqNb"] => self.number = own(),
            ["LglSeqNb"] => self.legal_number = own(),
            ["StmtPgntn" | "RptPgntn" | "NtfctnPgntn", "PgNb"] => self.page = text.parse().ok(),
            ["StmtPgntn" | "RptPgntn" | "NtfctnPgntn", "LastPgInd"] => self.last = flag(text),
            ["CreDtTm"] => self.created = day(text).ok(),
            ["FrToDt", "FrDtTm" | "FrDt"] => self.from = day(text).ok(),
            ["FrToDt", "ToDtTm" | "ToDt"] => self.to = day(text).ok(),
            ["CpyDplctInd"] => self.copy = Some((text.to_owned(), line)),
            ["Bal", rest @ ..] => {
                if let Some(balance) = self.balances.last_mut() {
                    balance.leaf(rest, text, ccy);
                }
            }
            ["TxsSummry", "TtlNtries", "TtlNetNtryAmt"]
            | ["TxsSummry", "TtlNtries", "TtlNetNtry", "Amt"] => self.net.amount = own(),
            ["TxsSummry", "TtlNtries", "CdtDbtInd"]
            | ["TxsSummry", "TtlNtries", "TtlNetNtry", "CdtDbtInd"] => self.net.side = own(),
            ["TxsSummry", total, field @ ("NbOfNtries" | "Sum")] => {
                let total = match *total {
                    "TtlNtries" => &mut self.all,
                    "TtlCdtNtries" => &mut self.credits,
                    "TtlDbtNtries" => &mut self.debits,
                    _ => return,
                };
                total.line = line;
                *(if *field == "Sum" {
                    &mut total.sum
                } else {
                    &mut total.count
                }) = own();
            }
            ["AddtlStmtInf" | "AddtlRptInf" | "AddtlNtfctnInf"] => self.notes.push(text.to_owned()),
            _ => {}
        }
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(super) fn sequence(&self) -> Sequence {
        let number = self.number.as_ref().or(self.legal_number.as_ref());
        Sequence {
            number: number.cloned(),
            page: self.page,
            last: self.last,
        }
    }

    /// What the statement is, apart from its bytes: its number, or its id where it has none.
    pub(super) fn name(&self) -> &str {
        let number = self
            .number
            .as_ref()
            .or(self.legal_number.as_ref())
            .or(self.id.as_ref());
        number.map_or("", String::as_str)
    }

    /// The day that the statement closes, or that it was made on.
    pub(super) fn closes_on(&self) -> Option<Date> {
        let closing = self.balances.iter().find(|balance| balance.code == "CLBD");
        closing
            .and_then(|balance| day(&balance.date).ok())
            .or(self.to)
            .or(self.created)
    }

    fn account_currency(&self) -> Option<Currency> {
        let codes = self.currency.as_deref().into_iter();
        let codes = codes.chain(self.balances.iter().filter_map(|b| b.currency.as_deref()));
        codes
            .into_iter()
            .find_map(|code| currency(code).ok())
            .map(|(currency, _)| currency)
    }

    /// What is known so far, at the first entry or at the end.
    pub(super) fn head(&self) -> StatementHead {
        StatementHead {
            id: self.id.clone(),
            account: self.account.clone(),
            currency: self.account_currency(),
            sequence: self.sequence(),
            period: self.from.zip(self.to),
            opening: self.balances().opening,
            line: self.line,
        }
    }

    /// The balances by their part in the statement.
    fn balances(&self) -> Balances {
        let mut found = Balances::default();
        let mut interim = Vec::new();
        let mut previous = None;
        for raw in &self.balances {
            let is_page = raw.sub_type == "INTM";
            let Ok(balance) = raw.read(is_page) else {
                continue;
            };
            match raw.code.as_str() {
                "OPBD" => found.opening = found.opening.or(Some(balance)),
                "PRCD" => previous = previous.or(Some(balance)),
                "CLBD" => found.closing = Some(balance),
                "ITBD" => interim.push(Balance {
                    is_interim: true,
                    ..balance
                }),
                "CLAV" | "FWAV" | "OPAV" | "ITAV" => found.available.push(balance),
                _ => {}
            }
        }
        found.opening = found.opening.or(previous);
        // Statements in pages open and close at interim balances.
        let mut interim = interim.into_iter();
        if found.opening.is_none() && (found.closing.is_some() || interim.len() == 2) {
            found.opening = interim.next();
        }
        if found.closing.is_none() {
            found.closing = interim.next();
        }
        found
    }

    /// What the statement says at its end, and what its entries prove.
    pub(super) fn tail(
        &self,
        head: &StatementHead,
        tally: &Tally,
        message: Message,
        findings: &mut Vec<Finding>,
    ) -> StatementTail {
        for raw in &self.balances {
            if let Err(fault) = raw.read(false) {
                let message = format!("the balance {} cannot be read: {fault}", raw.code);
                findings.push(Finding::new(
                    Severity::Error,
                    FindingCode::Dialect,
                    raw.line,
                    message,
                ));
            }
        }
        if let Some((copy, line)) = &self.copy {
            let message = format!("the statement says that it is a copy or duplicate ({copy})");
            findings.push(Finding::new(
                Severity::Warning,
                FindingCode::DeclaredCopy,
                *line,
                message,
            ));
        }
        let balances = self.balances();
        let mut proofs = vec![match (balances.opening, balances.closing) {
            // An interim balance of a running day need not fit the entries of one report.
            (Some(opening), Some(closing))
                if message == Message::Statement || !closing.is_interim =>
            {
                tally.balance(opening.amount, closing.amount)
            }
            _ => Proof::absent(ProofKind::Balance, ""),
        }];
        self.control_proofs(tally, &mut proofs, findings);
        let currency = self.account_currency().or(tally.all.currency);
        StatementTail {
            currency: currency.filter(|_| head.currency.is_none()),
            opening: balances.opening.filter(|_| head.opening.is_none()),
            closing: balances.closing,
            available: balances.available,
            notes: self.notes.clone(),
            proofs,
        }
    }

    fn control_proofs(&self, tally: &Tally, proofs: &mut Vec<Proof>, findings: &mut Vec<Finding>) {
        let before = proofs.len();
        let groups = [
            ("all entries", &self.all, tally.records, &tally.all),
            (
                "credit entries",
                &self.credits,
                tally.credits,
                &tally.credit,
            ),
            ("debit entries", &self.debits, tally.debits, &tally.debit),
        ];
        for (scope, total, found_count, found_sum) in groups {
            if let Some(count) = &total.count {
                proofs.push(match count.parse() {
                    Ok(count) => Proof::counts(ProofKind::ControlCount, scope, count, found_count),
                    Err(_) => {
                        unreadable(ProofKind::ControlCount, scope, count, total.line, findings)
                    }
                });
            }
            if let Some(sum) = &total.sum {
                proofs.push(self.sum_proof(scope, sum, true, found_sum, total.line, findings));
            }
        }
        if let Some(net) = &self.net.amount {
            let is_credit = self.net.side.as_deref().and_then(is_credit).unwrap_or(true);
            let line = self.all.line;
            proofs.push(self.sum_proof("net", net, is_credit, &tally.net, line, findings));
        }
        if proofs.len() == before {
            proofs.push(Proof::absent(ProofKind::ControlSum, ""));
        }
    }

    fn sum_proof(
        &self,
        scope: &'static str,
        declared: &str,
        is_credit: bool,
        found: &Sum,
        line: u32,
        findings: &mut Vec<Finding>,
    ) -> Proof {
        let kind = ProofKind::ControlSum;
        let Some(currency) = found.currency.or(self.account_currency()) else {
            return Proof::absent(kind, scope);
        };
        let Ok(expected) = money(declared, currency) else {
            return unreadable(kind, scope, declared, line, findings);
        };
        let expected = i128::from(expected.minor());
        let expected = MoneySum::from_minor(if is_credit { expected } else { -expected }, currency);
        match found.sum(currency) {
            Some(found) => Proof::sums(kind, scope, expected, found),
            None => several_currencies(kind, scope, expected),
        }
    }
}

fn unreadable(
    kind: ProofKind,
    scope: &str,
    text: &str,
    line: u32,
    findings: &mut Vec<Finding>,
) -> Proof {
    let message = format!(
        "the declared {} of {scope} cannot be read: {text:?}",
        match kind {
            ProofKind::ControlCount => "count",
            _ => "sum",
        }
    );
    findings.push(Finding::new(
        Severity::Warning,
        FindingCode::Dialect,
        line,
        message,
    ));
    Proof::absent(kind, scope)
}

fn several_currencies(kind: ProofKind, scope: &str, expected: MoneySum) -> Proof {
    Proof {
        kind,
        scope: scope.to_owned(),
        verdict: Verdict::Fails,
        expected: Some(Measure::Money(expected)),
        found: Some(Measure::Text("entries in other currencies".to_owned())),
        difference: None,
    }
}

#[derive(Default)]
struct Balances {
    opening: Option<Balance>,
    closing: Option<Balance>,
    available: Vec<Balance>,
}

impl RawBalance {
    fn leaf(&mut self, path: &[&str], text: &str, ccy: Option<&str>) {
        match path {
            ["Tp", "CdOrPrtry", "Cd" | "Prtry"] | ["Tp", "Cd" | "Prtry"] => {
                text.clone_into(&mut self.code)
            }
            ["Tp", "SubTp", "Cd"] => text.clone_into(&mut self.sub_type),
            ["Amt"] => {
                text.clone_into(&mut self.amount);
                self.currency = ccy.map(str::to_owned);
            }
            ["CdtDbtInd"] => text.clone_into(&mut self.side),
            ["Dt", "Dt" | "DtTm"] => text.clone_into(&mut self.date),
            _ => {}
        }
    }

    fn read(&self, is_interim: bool) -> Result<Balance, String> {
        let code = self
            .currency
            .as_deref()
            .ok_or("its Amt names no currency")?;
        let (currency, _) = currency(code).map_err(|error| error.to_string())?;
        let amount = money(&self.amount, currency).map_err(|(_, message)| message)?;
        let is_credit = is_credit(&self.side)
            .ok_or_else(|| format!("{:?} is no side; CRDT or DBIT is right", self.side))?;
        let amount = if is_credit {
            amount
        } else {
            Money::from_minor(
                amount.minor().checked_neg().ok_or("it is too large")?,
                currency,
            )
        };
        Ok(Balance {
            amount,
            date: day(&self.date).ok(),
            is_interim,
        })
    }
}

/// A sum over entries that should all have one currency.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    currency: Option<Currency>,
    minor: i128,
    is_mixed: bool,
}

impl Sum {
    fn add(&mut self, minor: i128, currency: Currency) {
        let same = *self.currency.get_or_insert(currency) == currency;
        match self.minor.checked_add(minor) {
            Some(sum) if same => self.minor = sum,
            _ => self.is_mixed = true,
        }
    }

    /// The sum, if there is nothing in another currency.
    fn sum(&self, currency: Currency) -> Option<MoneySum> {
        let fits = !self.is_mixed && self.currency.is_none_or(|own| own == currency);
        fits.then_some(MoneySum::from_minor(self.minor, currency))
    }
}

/// Running counts and sums of a statement's entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    records: u64,
    credits: u64,
    debits: u64,
    /// Amounts without sign.
    all: Sum,
    credit: Sum,
    debit: Sum,
    /// Signed.
    net: Sum,
    /// Signed, booked entries only.
    booked: Sum,
}

impl Tally {
    pub(super) fn entry(&mut self, entry: &Entry<'_>) {
        self.records += 1;
        let Some(money) = entry.money() else { return };
        let (minor, currency) = (i128::from(money.minor()), money.currency());
        // A debit of zero has no sign left; it counts as a credit of zero, which changes no sum.
        if minor >= 0 {
            self.credits += 1;
            self.credit.add(minor, currency);
        } else {
            self.debits += 1;
            self.debit.add(-minor, currency);
        }
        self.all.add(minor.abs(), currency);
        self.net.add(minor, currency);
        if entry.status == EntryStatus::Booked {
            self.booked.add(minor, currency);
        }
    }

    pub(super) fn rejected(&mut self) {
        self.records += 1;
    }

    /// Opening balance + booked entries = closing balance.
    fn balance(&self, opening: Money, closing: Money) -> Proof {
        let expected = MoneySum::from(closing);
        let booked = self.booked.sum(opening.currency());
        match booked.and_then(|booked| booked.checked_add(opening).ok()) {
            Some(found) => Proof::sums(ProofKind::Balance, "", expected, found),
            None => several_currencies(ProofKind::Balance, "", expected),
        }
    }
}
