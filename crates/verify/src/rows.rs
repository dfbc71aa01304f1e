//! The inputs read again, into plain rows.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use quanfu_calendar::{Date, Datelike as _};
use quanfu_formats::Options;
use quanfu_money::{Currency, Decimal, Money};
use quanfu_settlement::book::Item;
use quanfu_settlement::result::{Input, OpenPosition};
use quanfu_settlement::rules::{SourceRules, TokenFrom};
use quanfu_settlement::{
    Balance, BreakCode, Digest, DigestAlg, Entry, EntryAmount, EntryKind, EntryStatus, FileHead,
    Finding, Limits, Profile, Proof, ProofKind, RecordId, RefRole, Rejected, ResultDoc, RowRate,
    Rules, Sink, SourceFile, StatementHead, StatementTail, Verdict,
};

use crate::{Candidate, Fault, Stop, VerifyError, fees};

/// A readable record, or an item carried in.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub id: RecordId,
    pub file: String,
    pub line: u32,
    /// Index of the statement; `None` for carried items.
    pub statement: Option<usize>,
    pub amount: i64,
    pub currency: Currency,
    pub kind: EntryKind,
    pub status: EntryStatus,
    pub is_reversal: bool,
    pub value_date: Option<Date>,
    /// Accounting day.
    pub day: Option<Date>,
    pub instant: Option<i64>,
    /// Millionths of a minor unit.
    pub fee: Option<i128>,
    pub original: Option<Money>,
    pub rate: Option<RowRate>,
    pub references: Vec<(RefRole, String)>,
    /// The item that it was carried in as.
    pub carried: Option<Item>,
}

impl Row {
    pub(crate) fn reference(&self, role: RefRole) -> Option<&str> {
        self.references
            .iter()
            .find(|(r, _)| *r == role)
            .map(|(_, text)| text.as_str())
    }

    pub(crate) fn money(&self) -> Money {
        Money::from_minor(self.amount, self.currency)
    }
}

/// A rejected record.
#[derive(Clone, Debug)]
pub(crate) struct RejectedRow {
    pub id: RecordId,
    pub file: String,
    /// Index of the file.
    pub file_index: usize,
    pub line: u32,
    pub code: &'static str,
    pub message: String,
}

/// A statement, for deciding on duplicates and for its balances.
#[derive(Clone, Debug)]
pub(crate) struct StatementFacts {
    pub file: usize,
    pub head: StatementHead,
    pub proofs: Vec<Proof>,
    pub opening: Option<Balance>,
    pub closing: Option<Balance>,
}

/// A source read again.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub rows: Vec<Row>,
    pub rejected: Vec<RejectedRow>,
    pub files: Vec<SourceFile>,
    /// Names of the files at the time of the run.
    pub file_names: Vec<String>,
    pub statements: Vec<StatementFacts>,
    pub by_id: HashMap<RecordId, usize>,
}

impl Source {
    /// All proofs that speak of a statement: its own and its file's.
    pub(crate) fn proofs_of(&self, statement: usize) -> impl Iterator<Item = &Proof> {
        let facts = &self.statements[statement];
        facts.proofs.iter().chain(
            self.files
                .get(facts.file)
                .into_iter()
                .flat_map(|file| &file.proofs),
        )
    }

    /// Whether a proof on sums, counts, balances or digests of the row's statement or file fails.
    pub(crate) fn control_fails(&self, row: &Row) -> bool {
        row.statement.is_some_and(|statement| {
            self.proofs_of(statement).any(|proof| {
                proof.verdict == Verdict::Fails
                    && !matches!(proof.kind, ProofKind::PageSequence | ProofKind::EndMarker)
            })
        })
    }
}

/// Where the inputs are.
pub(crate) struct Shelf<'s, 'f> {
    pub files: &'s [Candidate<'f>],
    pub places: &'s [(Digest, usize)],
    pub profiles: &'s [Profile],
    pub limits: &'s Limits,
}

/// Reads one source again and compares what the certificate says of its files.
pub(crate) fn read_source(
    rules: &Rules,
    index: usize,
    inputs: &[&Input],
    previous: Option<&ResultDoc>,
    shelf: &Shelf<'_, '_>,
) -> Result<Source, Stop> {
    let source_rules = &rules.sources[index];
    let mut reader = RowSink {
        rules: source_rules,
        roles: rules.roles_of(index),
        limits: shelf.limits,
        seen: HashMap::new(),
        pending_file: String::new(),
        source: Source {
            rows: Vec::new(),
            rejected: Vec::new(),
            files: Vec::new(),
            file_names: Vec::new(),
            statements: Vec::new(),
            by_id: HashMap::new(),
        },
    };
    if let Some(previous) = previous {
        reader.carry_in(previous)?;
    }
    let profile = match &source_rules.profile {
        None => None,
        Some(name) => {
            let found = shelf
                .profiles
                .iter()
                .chain(quanfu_formats::shipped_profiles())
                .find(|p| p.name == *name);
            Some(found.ok_or_else(|| {
                Fault::new(
                    "verify-embedded",
                    format!("source {}", source_rules.name),
                    format!("profile {name:?} is neither embedded nor shipped"),
                )
            })?)
        }
    };
    let options = Options {
        strict: false,
        profile,
        profiles: shelf.profiles,
        limits: shelf.limits.clone(),
        digest: inputs
            .first()
            .map_or(DigestAlg::Blake3, |input| input.digest.alg),
    };
    let mut done: Vec<Digest> = Vec::new();
    for input in inputs {
        if done.contains(&input.digest) {
            continue; // a further member of an archive that was read as a whole
        }
        done.push(input.digest);
        let place = shelf
            .places
            .iter()
            .find(|(digest, _)| *digest == input.digest);
        let file = &shelf.files[place.expect("all inputs were found before").1];
        let opened = (file.open)().map_err(|source| {
            Stop::Io(VerifyError {
                file: file.name.clone(),
                source,
            })
        })?;
        let options = Options {
            digest: input.digest.alg,
            ..options.clone()
        };
        quanfu_formats::read(&input.file, opened, &options, &mut reader).map_err(|error| {
            Fault::new(
                "verify-input",
                format!("input {}", input.file),
                error.to_string(),
            )
        })?;
    }
    let mut source = reader.source;
    if source.files.len() != inputs.len() {
        let message = format!(
            "{} files are named; reading gives {}",
            inputs.len(),
            source.files.len()
        );
        return Err(Fault::new(
            "verify-input",
            format!("source {}", source_rules.name),
            message,
        )
        .into());
    }
    let mut names = HashMap::new();
    for (input, file) in inputs.iter().zip(&source.files) {
        let place = format!("input {}", input.file);
        let differs = |what: &str, found: &dyn std::fmt::Display, must: &dyn std::fmt::Display| {
            Fault::new(
                "verify-input",
                place.clone(),
                format!("{what} is given as {found}; reading gives {must}"),
            )
        };
        let counts = [
            ("bytes", input.bytes, file.bytes),
            ("records", input.records, file.records),
            ("entries", input.entries, file.entries),
            ("rejected", input.rejected, file.rejected),
        ];
        for (what, found, must) in counts {
            if found != must {
                return Err(differs(what, &found, &must).into());
            }
        }
        for (what, found, must) in [
            ("format", &input.format, &file.format),
            ("encoding", &input.encoding, &file.encoding),
            ("identity", &input.identity, &file.identity),
        ] {
            if found != must {
                return Err(differs(what, found, must).into());
            }
        }
        if input.digest != file.digest {
            return Err(differs("digest", &input.digest, &file.digest).into());
        }
        names.insert(file.name.clone(), input.file.clone());
    }
    source.file_names = inputs.iter().map(|input| input.file.clone()).collect();
    let rename = |name: &mut String| {
        if let Some(given) = names.get(name) {
            name.clone_from(given);
        }
    };
    source
        .rows
        .iter_mut()
        .filter(|row| row.carried.is_none())
        .for_each(|row| rename(&mut row.file));
    source
        .rejected
        .iter_mut()
        .for_each(|row| rename(&mut row.file));
    source.by_id = source
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| (row.id, index))
        .collect();
    Ok(source)
}

struct RowSink<'r> {
    rules: &'r SourceRules,
    roles: Vec<RefRole>,
    limits: &'r Limits,
    seen: HashMap<u64, u32>,
    pending_file: String,
    source: Source,
}

/// Positions whose records are records of the next day too: carried ones, then breaks that consist of one record or
/// came in part.
pub(crate) fn handed_on(doc: &ResultDoc) -> Vec<&OpenPosition> {
    let mut found: Vec<_> = doc.carried.iter().collect();
    let goes_on =
        |found: &&OpenPosition| found.code == Some(BreakCode::Partial) || found.members.len() == 1;
    found.extend(doc.breaks.iter().filter(goes_on));
    found
}

fn fault(place: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault::new("verify-chain", place, message)
}

impl RowSink<'_> {
    fn carry_in(&mut self, previous: &ResultDoc) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        for position in handed_on(previous) {
            for member in &position.members {
                let item = &member.item;
                if item.source != self.rules.name || !seen.insert(item.record) {
                    continue;
                }
                let place = format!("carried item {}", item.record);
                let money: Money = format!("{} {}", item.amount, item.currency)
                    .parse()
                    .map_err(|_| {
                        fault(
                            &place,
                            format!("amount {:?} {}", item.amount, item.currency),
                        )
                    })?;
                let fee = match &item.fee {
                    None => None,
                    Some(text) => {
                        let fee = Decimal::from_str_exact(text)
                            .map_err(|_| fault(&place, format!("fee {text:?}")))?;
                        Some(
                            grains(fee, item.currency)
                                .ok_or_else(|| fault(&place, format!("fee {text:?}")))?,
                        )
                    }
                };
                let rate = item
                    .rate
                    .as_deref()
                    .map(str::parse)
                    .transpose()
                    .map_err(|message: String| fault(&place, message))?;
                let seen = self.seen.entry(item.record.digest).or_insert(0);
                *seen = item.record.nth.max(*seen);
                self.source.rows.push(Row {
                    id: item.record,
                    file: item.file.clone(),
                    line: item.line,
                    statement: None,
                    amount: money.minor(),
                    currency: item.currency,
                    kind: item.kind,
                    status: item.status,
                    is_reversal: item.is_reversal,
                    value_date: item.value_date,
                    day: item.accounting_day,
                    instant: item.instant,
                    fee,
                    original: item.original,
                    rate,
                    references: item
                        .references
                        .iter()
                        .map(|(role, text)| (*role, text.clone()))
                        .collect(),
                    carried: Some(item.clone()),
                });
            }
        }
        Ok(())
    }

    fn name_record(&mut self, raw: &[u8]) -> RecordId {
        let digest = Digest::of(DigestAlg::Sha256, raw).bytes;
        let digest = digest[..8]
            .iter()
            .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let nth = self.seen.entry(digest).or_insert(0);
        *nth += 1;
        RecordId { digest, nth: *nth }
    }

    /// The row of an entry, or the code and message of the reason why it cannot be one.
    fn row(&self, entry: &Entry<'_>) -> Result<Row, (&'static str, String)> {
        let money = match &entry.amount {
            EntryAmount::Money(money) => *money,
            EntryAmount::Written(text) => {
                let Some(currency) = self.rules.currency else {
                    return Err((
                        "record-no-currency",
                        format!(
                            "the record has no currency: `currency = \"...\"` for source {:?} in the rules would tell it",
                            self.rules.name
                        ),
                    ));
                };
                let amount = Decimal::from_str_exact(text)
                    .ok()
                    .and_then(|amount| Money::exact(amount, currency).ok());
                amount.ok_or_else(|| {
                    (
                        "record-amount",
                        format!(
                            "amount {:?} is no amount of {currency}",
                            text.as_ref() as &str
                        ),
                    )
                })?
            }
        };
        let currency = money.currency();
        let fee = match entry.fee {
            None => None, // the schedule's, once the day is known
            Some(fee) => {
                let kept = (fee.currency() == currency)
                    .then(|| grains(fee.value(), currency))
                    .flatten();
                Some(kept.ok_or_else(|| ("record-fee", format!("fee {fee} cannot be kept: at most six digits beyond the minor unit of {currency}, in that currency, would be right")))?)
            }
        };
        let token_role = |role: RefRole| self.rules.tokens.iter().any(|token| token.role == role);
        let limit = self.limits.key_bytes;
        let mut references = Vec::new();
        for (role, text) in entry.references.iter() {
            if token_role(role) || !self.roles.contains(&role) {
                continue;
            }
            if text.len() > limit {
                return Err((
                    "key-too-long",
                    format!(
                        "reference {role} has {} bytes; the limit is {limit}",
                        text.len()
                    ),
                ));
            }
            references.push((role, text.to_owned()));
        }
        for token in &self.rules.tokens {
            let text = match token.from {
                TokenFrom::Remittance => Some(entry.remittance.join(" ")),
                TokenFrom::CounterpartyName => {
                    entry.counterparty.name.as_deref().map(str::to_owned)
                }
                TokenFrom::KindWritten => entry.kind_written.as_deref().map(str::to_owned),
                TokenFrom::Owner => entry.references.get(RefRole::Owner).map(str::to_owned),
                TokenFrom::Bank => entry.references.get(RefRole::Bank).map(str::to_owned),
                TokenFrom::EndToEnd => entry.references.get(RefRole::EndToEnd).map(str::to_owned),
            };
            let hit = text.as_deref().and_then(|text| token.pattern.find(text));
            let is_given = references.iter().any(|(role, _)| *role == token.role);
            let hit = hit.filter(|hit| !hit.is_empty() && hit.len() <= limit);
            if let Some(hit) = hit.filter(|_| !is_given) {
                references.push((token.role, hit.to_owned()));
            }
        }
        let value_date = entry.value_date.or(entry.booking_date);
        let (day, instant) = match entry.time {
            None => (value_date, None),
            Some(time) => {
                let zone = i64::from(self.rules.zone_minutes) * 60;
                let offset = time
                    .offset_minutes
                    .map_or(zone, |minutes| i64::from(minutes) * 60);
                let days = i64::from(time.date.num_days_from_ce()) - 719_163;
                let instant = days * 86_400 + i64::from(time.second) - offset;
                let local = instant + zone;
                let late = self
                    .rules
                    .cutoff_second
                    .is_some_and(|cutoff| local.rem_euclid(86_400) >= i64::from(cutoff));
                let number = local.div_euclid(86_400) + 719_163 + i64::from(late);
                (
                    i32::try_from(number)
                        .ok()
                        .and_then(Date::from_num_days_from_ce_opt),
                    Some(instant),
                )
            }
        };
        let rate = fees::row_of(self.rules, entry.kind, currency, day);
        let fee = match (fee, rate) {
            (None, Some(rate)) => {
                let kept = fees::due(rate, money.minor()).and_then(fees::kept);
                Some(kept.ok_or_else(|| ("record-fee", format!("fee by {:?} cannot be kept: at most six digits beyond the minor unit of {currency}, in that currency, would be right", rate.document)))?)
            }
            (fee, _) => fee,
        };
        Ok(Row {
            id: RecordId { digest: 0, nth: 0 },
            file: self.pending_file.clone(),
            line: entry.at.line,
            statement: self.source.statements.len().checked_sub(1),
            amount: money.minor(),
            currency,
            kind: entry.kind,
            status: entry.status,
            is_reversal: entry.is_reversal,
            value_date,
            day,
            instant,
            fee,
            original: entry.original,
            rate: entry.rate,
            references,
            carried: None,
        })
    }
}

/// A fee in millionths of a minor unit, if it fits there.
fn grains(fee: Decimal, currency: Currency) -> Option<i128> {
    let fee = fee.normalize();
    let zeros = (u32::from(currency.minor_digits()) + 6).checked_sub(fee.scale())?;
    let grains = fee.mantissa().checked_mul(10i128.checked_pow(zeros)?)?;
    i64::try_from(grains)
        .ok()
        .filter(|&grains| grains != i64::MIN)
        .map(i128::from)
}

impl Sink for RowSink<'_> {
    fn begin_file(&mut self, head: &FileHead) {
        self.pending_file.clone_from(&head.name);
    }

    fn begin_statement(&mut self, head: &StatementHead) {
        let file = self.source.files.len();
        self.source.statements.push(StatementFacts {
            file,
            head: head.clone(),
            proofs: Vec::new(),
            opening: head.opening,
            closing: None,
        });
    }

    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        let line = entry.at.line;
        match self.row(&entry) {
            Ok(mut row) => {
                row.id = self.name_record(raw);
                self.source.rows.push(row);
            }
            Err((code, message)) => {
                let id = self.name_record(raw);
                let file = self.pending_file.clone();
                self.source.rejected.push(RejectedRow {
                    id,
                    file,
                    file_index: self.source.files.len(),
                    line,
                    code,
                    message,
                });
            }
        }
        ControlFlow::Continue(())
    }

    fn rejected(&mut self, why: Rejected, raw: &[u8]) -> ControlFlow<()> {
        let id = self.name_record(raw);
        let file = self.pending_file.clone();
        self.source.rejected.push(RejectedRow {
            id,
            file,
            file_index: self.source.files.len(),
            line: why.at.line,
            code: why.code,
            message: why.message,
        });
        ControlFlow::Continue(())
    }

    fn finding(&mut self, _finding: Finding) {}

    fn end_statement(&mut self, tail: &StatementTail) {
        if let Some(statement) = self.source.statements.last_mut() {
            statement.proofs.clone_from(&tail.proofs);
            statement.opening = statement.opening.or(tail.opening);
            statement.closing = tail.closing;
        }
    }

    fn end_file(&mut self, file: &SourceFile) {
        self.source.files.push(file.clone());
    }
}
