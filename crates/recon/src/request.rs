//! What a run is asked and what it gives.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_fx::RateTable;
use quanfu_money::MoneySum;
use quanfu_settlement::balance::{BalanceReconciliation, BalanceVerdict};
use quanfu_settlement::book::{FEE_GRAIN, Item, fee_text};
use quanfu_settlement::fees::FeeDifference;
use quanfu_settlement::result::{Decisions, Earlier, Embedded, OpenPosition, RatesInput};
use quanfu_settlement::rules::SourceRules;
use quanfu_settlement::{
    Book, BreakCode, DecisionLog, Digest, Outcome, OutcomeTable, Outcomes, RecordId, RefRole,
    ResultDoc, Rules, Side,
};

use crate::balance::balances;
use crate::decide::in_force;
use crate::document;
use crate::duplicate::{SourceFacts, source_facts};
use crate::edge::EdgeJob;
use crate::error::ReconError;
use crate::exchange::Rates;
use crate::presence::{Before, before};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done; a step is one rule of one edge.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
}

/// What to reconcile.
pub struct Request<'a> {
    rules: &'a Rules,
    books: Vec<Book>,
    calendar: &'a BusinessCalendar,
    as_of: Option<Date>,
    threads: usize,
    previous: Option<&'a ResultDoc>,
    supersedes: Option<&'a ResultDoc>,
    decisions: Option<&'a DecisionLog>,
    rates: Option<(&'a RateTable, RatesInput)>,
    profiles: Vec<Embedded>,
    progress: Option<&'a (dyn Fn(Progress) -> ControlFlow<()> + Sync)>,
}

impl<'a> Request<'a> {
    /// Books in the order of the rules' sources; one thread; the latest day of all rows as business day.
    #[must_use]
    pub fn new(rules: &'a Rules, books: Vec<Book>, calendar: &'a BusinessCalendar) -> Self {
        Self {
            rules,
            books,
            calendar,
            as_of: None,
            threads: 1,
            previous: None,
            supersedes: None,
            decisions: None,
            rates: None,
            profiles: Vec::new(),
            progress: None,
        }
    }

    /// On this business day.
    #[must_use]
    pub fn with_as_of(mut self, day: Date) -> Self {
        self.as_of = Some(day);
        self
    }

    /// On this many threads; the result is the same for any number.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Following an earlier result. Its carried items must be in the books (see [`carried_items`]).
    #[must_use]
    pub fn with_previous(mut self, previous: &'a ResultDoc) -> Self {
        self.previous = Some(previous);
        self
    }

    /// In place of an earlier result of the same day.
    #[must_use]
    pub fn with_supersedes(mut self, earlier: &'a ResultDoc) -> Self {
        self.supersedes = Some(earlier);
        self
    }

    /// With what people decided: applied before the rules.
    #[must_use]
    pub fn with_decisions(mut self, log: &'a DecisionLog) -> Self {
        self.decisions = Some(log);
        self
    }

    /// With the table of rates that the rules name, and what the certificate says of its file.
    #[must_use]
    pub fn with_rates(mut self, table: &'a RateTable, file: RatesInput) -> Self {
        self.rates = Some((table, file));
        self
    }

    /// With the profiles that the user gave, to be embedded in the result.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Vec<Embedded>) -> Self {
        self.profiles = profiles;
        self
    }

    /// Calling this before each rule; `Break` stops the run.
    #[must_use]
    pub fn with_progress(mut self, call: &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync)) -> Self {
        self.progress = Some(call);
        self
    }
}

/// How the work was spread; no part of any result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rows that each worker took, added up over all rules.
    pub rows_by_worker: Vec<usize>,
}

/// A day reconciled.
#[derive(Clone, Debug)]
pub struct Reconciled {
    pub(crate) rules: Rules,
    pub(crate) outcomes: Outcomes,
    pub(crate) balances: Vec<BalanceReconciliation>,
    pub(crate) before: Before,
    pub(crate) calendar: BusinessCalendar,
    pub(crate) as_of_given: bool,
    pub(crate) after: Option<Earlier>,
    pub(crate) supersedes: Option<Earlier>,
    pub(crate) decisions: Option<Decisions>,
    pub(crate) rates: Option<RatesInput>,
    pub(crate) profiles: Vec<Embedded>,
    /// For rendering; no part of any result.
    pub(crate) threads: usize,
    stats: Stats,
}

impl Reconciled {
    /// What came of every record.
    #[must_use]
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The outcomes table (`quanfu.outcomes/1`).
    #[must_use]
    pub fn table(&self) -> OutcomeTable<'_> {
        OutcomeTable::new(&self.outcomes, &self.rules)
    }

    /// Calls `each` with the outcomes table, many lines at a time, header first.
    pub fn write_table(&self, each: impl FnMut(&str)) {
        self.table().for_each_block(self.threads, each);
    }

    /// The result document (`quanfu.result/1`), sealed. `outcomes_table` is the digest of the table as written, if it was.
    #[must_use]
    pub fn document(&self, outcomes_table: Option<Digest>) -> ResultDoc {
        document::document(self, outcomes_table)
    }

    /// Whether no proof of an input fails and no record was rejected.
    #[must_use]
    pub fn trusted(&self) -> bool {
        self.outcomes.trusted
    }

    /// Balance reconciliations (余额调节表) that the rules ask for.
    #[must_use]
    pub fn balances(&self) -> &[BalanceReconciliation] {
        &self.balances
    }

    /// Records whose fee is not that of their source's schedule, by source, then as in the files; copies of a record are
    /// left out, and so are items carried in, whose day has told it.
    #[must_use]
    pub fn fee_differences(&self) -> Vec<FeeDifference> {
        let mut found = Vec::new();
        for (index, source) in self.rules.sources.iter().enumerate() {
            if source.fees.is_empty() {
                continue;
            }
            let book = &self.outcomes.books[index];
            let is_copy = |row: u32| {
                let edges = self.rules.edges.iter().zip(&self.outcomes.edges);
                let mut sides = edges.flat_map(|(edge, outcomes)| {
                    let left = (edge.left == index).then_some(&outcomes.left);
                    left.into_iter()
                        .chain((edge.right == index).then_some(&outcomes.right))
                });
                sides.any(|side| side[row as usize].outcome == Outcome::Duplicate)
            };
            let rows = (0..book.len()).filter(|&row| book.carried(row).is_none() && !is_copy(row));
            found.extend(rows.filter_map(|row| fee_difference(source, book, row)));
        }
        found
    }

    /// Whether a person must look: something is suggested, ambiguous or broken, balances do not agree, or a fee is not
    /// what the contract says. Carried items are not overdue.
    #[must_use]
    pub fn has_open(&self) -> bool {
        let open = |row: &quanfu_settlement::RowOutcome| {
            matches!(
                row.outcome,
                Outcome::Suggested | Outcome::Ambiguous | Outcome::Break
            )
        };
        let rows = |edge: &quanfu_settlement::outcome::EdgeOutcomes| {
            edge.left.iter().chain(&edge.right).any(open)
        };
        let apart =
            |balance: &BalanceReconciliation| balance.verdict == BalanceVerdict::NotBalanced;
        self.outcomes.edges.iter().any(rows)
            || self.balances.iter().any(apart)
            || !self.fee_differences().is_empty()
    }

    /// How the work was spread over threads.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

/// What a record's own fee is apart from that of its source's schedule.
fn fee_difference(source: &SourceRules, book: &Book, row: u32) -> Option<FeeDifference> {
    let (money, kind) = (book.money(row), book.kind(row));
    let (charged, day) = (book.fee_grains(row)?, book.accounting_day(row)?);
    let mut rates = source.fees.iter();
    let rate = rates.find(|rate| rate.is_for(kind, money.currency(), day))?;
    let due = rate.fee_of(money.minor())?;
    let rounded = rate
        .rounding
        .divide(charged.into(), FEE_GRAIN.into())
        .ok()?;
    let text = |minor: i128| MoneySum::from_minor(minor, money.currency()).amount_text();
    (rounded != due).then(|| FeeDifference {
        source: source.name.clone(),
        file: book.file_name(row).to_owned(),
        line: book.at(row).line,
        record: book.id(row),
        accounting_day: day,
        kind,
        amount: money.amount_text(),
        currency: money.currency(),
        charged: fee_text(charged, money.currency()),
        due: text(due),
        difference: text(rounded - due),
        document: rate.document.clone(),
    })
}

/// The positions of a result whose records go into the next day: what is carried, and of what is overdue the breaks of
/// one record and those that lack a part. What comes late is matched with them as if it had come in time.
pub(crate) fn handed_on(previous: &ResultDoc) -> impl Iterator<Item = &OpenPosition> {
    let alone = |position: &&OpenPosition| {
        position.members.len() == 1 || position.code == Some(BreakCode::Partial)
    };
    previous
        .carried
        .iter()
        .chain(previous.breaks.iter().filter(alone))
}

/// The items of a source that go from an earlier result into the next day, each once: what is carried, then what is
/// overdue.
#[must_use]
pub fn carried_items<'d>(previous: &'d ResultDoc, source: &str) -> Vec<&'d Item> {
    let mut seen: HashSet<RecordId> = HashSet::new();
    let members = handed_on(previous)
        .flat_map(|position| &position.members)
        .map(|member| &member.item);
    members
        .filter(|item| item.source == source && seen.insert(item.record))
        .collect()
}

/// The reference roles that a source's book must keep.
#[must_use]
pub fn roles_needed(rules: &Rules, source: &str) -> Vec<RefRole> {
    rules
        .source_index(source)
        .map(|index| rules.roles_of(index))
        .unwrap_or_default()
}

/// Reconciles.
///
/// # Errors
///
/// [`ReconError`]; nothing of a result is left behind.
pub fn reconcile(request: Request<'_>) -> Result<Reconciled, ReconError> {
    let Request {
        rules,
        books,
        calendar,
        as_of,
        threads,
        previous,
        supersedes,
        decisions,
        rates,
        profiles,
        progress,
    } = request;
    for (index, source) in rules.sources.iter().enumerate() {
        if books
            .get(index)
            .is_none_or(|book| book.source() != source.name)
            || books.len() != rules.sources.len()
        {
            return Err(ReconError::BooksMismatch {
                source_name: source.name.clone(),
            });
        }
    }
    // A payment behind the cut-off counts for the next day, but that day is not in the files.
    let latest = |book: &Book| {
        let days = book.value_days().iter().zip(book.accounting_days());
        let days =
            days.map(|(&value, &accounting)| if value == i32::MIN { accounting } else { value });
        days.filter(|&day| day != i32::MIN).max()
    };
    let day = match as_of {
        Some(day) => day,
        None => {
            let latest = books.iter().filter_map(latest).max();
            latest
                .and_then(Date::from_num_days_from_ce_opt)
                .ok_or(ReconError::NoDay)?
        }
    };
    let (rate_table, rates_file) = rates.unzip();
    let rates = Rates::new(rules.rates.as_ref(), rate_table, calendar)?;
    check_chain(rules, &books, day, previous, supersedes)?;
    let facts: Vec<SourceFacts> = books
        .iter()
        .enumerate()
        .map(|(index, book)| source_facts(rules, index, book))
        .collect();
    let steps: usize = rules.edges.iter().map(|edge| edge.rules.len()).sum();
    let done = AtomicUsize::new(0);
    let tick = || {
        let step = Progress {
            done: done.fetch_add(1, Ordering::Relaxed),
            of: steps,
        };
        progress.map_or(ControlFlow::Continue(()), |call| call(step))
    };
    let worked: Vec<AtomicUsize> = (0..threads.max(1)).map(|_| AtomicUsize::new(0)).collect();
    let applied = AtomicU64::new(0);
    let mut edges = Vec::new();
    for edge in &rules.edges {
        let (left, right) = (&books[edge.left], &books[edge.right]);
        let here: HashSet<(Side, RecordId)> = previous
            .into_iter()
            .flat_map(handed_on)
            .filter(|position| position.edge == edge.name)
            .flat_map(|position| {
                position
                    .members
                    .iter()
                    .map(|member| (member.side, member.item.record))
            })
            .collect();
        let carried_here = |side: Side, row: u32| {
            let book = if side == Side::Left { left } else { right };
            here.contains(&(side, book.id(row)))
        };
        let job = EdgeJob {
            rules,
            edge,
            left,
            right,
            left_facts: &facts[edge.left],
            right_facts: &facts[edge.right],
            calendar,
            rates: rates.as_ref(),
            as_of: day,
            threads,
            carried_here: &carried_here,
            decisions,
            applied: &applied,
            worked: &worked,
            tick: &tick,
        };
        edges.push(job.judge()?);
    }
    let trusted = books.iter().all(|book| {
        book.rejected().is_empty() && book.proofs().all(|(_, _, proof)| !proof.fails())
    });
    let outcomes = Outcomes {
        as_of: day,
        edges,
        trusted,
        books,
    };
    Ok(Reconciled {
        rules: rules.clone(),
        balances: balances(rules, &outcomes, previous)?,
        before: before(rules, &outcomes.books, previous),
        outcomes,
        calendar: calendar.clone(),
        as_of_given: as_of.is_some(),
        after: previous.map(document::earlier),
        supersedes: supersedes.map(document::earlier),
        decisions: decisions.map(|log| {
            let applied = applied.into_inner();
            Decisions {
                lines: log.lines(),
                log: log.digest(),
                applied,
                not_of_this_run: (in_force(log).len() as u64).saturating_sub(applied),
            }
        }),
        rates: rates_file,
        profiles,
        threads,
        stats: Stats {
            rows_by_worker: worked.into_iter().map(AtomicUsize::into_inner).collect(),
        },
    })
}

/// A file belongs to one result of a chain; delivered again with other bytes it needs a result that supersedes.
fn check_chain(
    rules: &Rules,
    books: &[Book],
    day: Date,
    previous: Option<&ResultDoc>,
    supersedes: Option<&ResultDoc>,
) -> Result<(), ReconError> {
    if let Some(earlier) = supersedes {
        let follows = |doc: Option<&Earlier>| doc.map(|doc| doc.body);
        let mismatch = |what: String| Err(ReconError::SupersedesMismatch { what });
        if earlier.as_of != day {
            return mismatch(format!("is of {}, the run of {day}", earlier.as_of));
        }
        if follows(earlier.certificate.after.as_ref())
            != previous.map(|previous| previous.certificate.body)
        {
            return mismatch("follows another result than this run".to_owned());
        }
    }
    for (source, book) in rules.sources.iter().zip(books) {
        let mut own: Vec<(&str, Digest)> = Vec::new();
        for file in book.files().iter().filter(|file| !file.identity.is_empty()) {
            let redelivered = || ReconError::Redelivered {
                file: file.name.clone(),
                source_name: source.name.clone(),
                identity: file.identity.clone(),
            };
            if own
                .iter()
                .any(|(identity, digest)| *identity == file.identity && *digest != file.digest)
            {
                return Err(redelivered());
            }
            own.push((&file.identity, file.digest));
            let Some(previous) = previous else { continue };
            for before in document::earlier(previous).inputs {
                if before.source == source.name && before.identity == file.identity {
                    if before.digest == file.digest {
                        return Err(ReconError::AlreadyReconciled {
                            file: file.name.clone(),
                            source_name: source.name.clone(),
                            day: previous.as_of,
                        });
                    }
                    return Err(redelivered());
                }
            }
        }
    }
    Ok(())
}
