//! Duplicates and reversals inside one source.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use quanfu_money::Currency;
use quanfu_settlement::rules::{Field, Filter, MatchRule};
use quanfu_settlement::{
    Book, EntryKind, EntryStatus, Measure, Proof, ProofKind, RefRole, Rules, Side, Verdict,
};

use crate::kernel::hash;
use crate::key::{push_field, push_key};

/// What is known of a source's rows before any edge is looked at.
#[derive(Debug, Default)]
pub(crate) struct SourceFacts {
    /// Further copies of a record that was delivered more than once; one set for each record.
    pub duplicates: Vec<Vec<u32>>,
    /// Rows of identities that moved money more than once: a balance or total proves it.
    pub paid_twice: HashSet<u32>,
    /// Pairs that undo each other.
    pub reversed: Vec<[u32; 2]>,
    /// Refunds that together give back more than was paid.
    pub over_refunded: HashSet<u32>,
    /// Statements of which a total, balance or digest fails.
    pub damaged: HashSet<u32>,
}

fn moves_money(kind: ProofKind) -> bool {
    matches!(
        kind,
        ProofKind::Balance
            | ProofKind::RunningBalance
            | ProofKind::ControlSum
            | ProofKind::ControlCount
    )
}

/// Proofs of a statement and of its file.
fn proofs_of(book: &Book, statement: u32) -> impl Iterator<Item = &Proof> {
    let own = &book.statements()[statement as usize];
    let of_file = book
        .files()
        .get(own.file as usize)
        .into_iter()
        .flat_map(|file| &file.proofs);
    own.tail.proofs.iter().chain(of_file)
}

/// How the rows of a source are told apart.
enum Identity<'r> {
    Declared(&'r [Field]),
    Key(&'r MatchRule, Side, [&'r Filter; 2]),
    None,
}

impl<'r> Identity<'r> {
    fn of(rules: &'r Rules, source: usize) -> Self {
        if !rules.sources[source].identity.is_empty() {
            return Self::Declared(&rules.sources[source].identity);
        }
        for edge in &rules.edges {
            for (side, at, filter) in [
                (Side::Left, edge.left, &edge.left_where),
                (Side::Right, edge.right, &edge.right_where),
            ] {
                if at == source
                    && let Some(rule) = edge.rules.iter().find(|rule| rule.pass.is_by_key())
                {
                    let own = if side == Side::Left {
                        &rule.left_where
                    } else {
                        &rule.right_where
                    };
                    return Self::Key(rule, side, [filter, own]);
                }
            }
        }
        Self::None
    }

    fn push(&self, book: &Book, row: u32, out: &mut String) -> bool {
        match self {
            Self::Declared(fields) => fields.iter().all(|field| {
                let there = push_field(field, &[], book, row, out);
                out.push('\u{1f}');
                there
            }),
            Self::Key(rule, side, filters) => {
                filters
                    .iter()
                    .all(|filter| filter.passes(book.kind(row), book.status(row)))
                    && push_key(rule, *side, book, row, out)
            }
            Self::None => false,
        }
    }
}

/// Finds out what can be told of a source by itself.
pub(crate) fn source_facts(rules: &Rules, source: usize, book: &Book) -> SourceFacts {
    let mut facts = SourceFacts {
        reversed: reversals(book),
        ..SourceFacts::default()
    };
    for statement in 0..book.statements().len() as u32 {
        let fails = |proof: &Proof| {
            proof.fails() && !matches!(proof.kind, ProofKind::PageSequence | ProofKind::EndMarker)
        };
        if proofs_of(book, statement).any(fails) {
            facts.damaged.insert(statement);
        }
    }
    let sets = equal_sets(rules, source, book, &facts.reversed);
    let statements_of = |rows: &[u32]| {
        rows.iter()
            .map(|&row| book.statement_of(row))
            .collect::<Option<BTreeSet<u32>>>()
    };
    let mut surplus: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for rows in &sets {
        if let Some(statements) = statements_of(rows)
            && let (1, Some(&statement)) = (statements.len(), statements.first())
        {
            surplus.entry(statement).or_default().extend(&rows[1..]);
        }
    }
    let tied: HashSet<u32> = surplus
        .iter()
        .filter(|(statement, rows)| ties_without(book, **statement, rows))
        .map(|(s, _)| *s)
        .collect();
    for rows in sets {
        let Some(statements) = statements_of(&rows) else {
            continue;
        };
        let names: BTreeSet<String> = statements
            .iter()
            .map(|&statement| name(book, statement))
            .collect();
        if names.len() == statements.len()
            && statements.iter().all(|&statement| holds(book, statement))
        {
            facts.paid_twice.extend(rows);
        } else if statements.len() == 1
            && statements.iter().all(|statement| tied.contains(statement))
        {
            facts.duplicates.push(rows[1..].to_vec());
        }
    }
    let gone = facts
        .duplicates
        .iter()
        .flatten()
        .chain(facts.reversed.iter().flatten());
    facts.over_refunded = over_refunded(book, &gone.copied().collect());
    facts
}

/// What tells statements apart.
fn name(book: &Book, statement: u32) -> String {
    let head = &book.statements()[statement as usize].head;
    format!(
        "{:?} {:?} {:?} {:?}",
        head.id, head.account, head.sequence, head.opening
    )
}

/// Whether a statement's totals or balances hold, at least one of them being there.
fn holds(book: &Book, statement: u32) -> bool {
    let mut any = false;
    for proof in proofs_of(book, statement).filter(|proof| moves_money(proof.kind)) {
        match proof.verdict {
            Verdict::Holds => any = true,
            Verdict::Fails => return false,
            Verdict::Absent => {}
        }
    }
    any
}

/// Whether every failing total and balance of a statement holds exactly once these rows are left out.
fn ties_without(book: &Book, statement: u32, rows: &[u32]) -> bool {
    let mut any = false;
    for proof in proofs_of(book, statement).filter(|proof| moves_money(proof.kind) && proof.fails())
    {
        any = true;
        let ties = match &proof.difference {
            Some(Measure::Count(count)) => *count == rows.len() as i128,
            Some(Measure::Money(sum)) => {
                let same = rows
                    .iter()
                    .filter(|&&row| book.currency(row) == sum.currency());
                let out: i128 = same.map(|&row| i128::from(book.money(row).minor())).sum();
                // a declared sum may count outflows as positive
                sum.minor() == out || (proof.kind == ProofKind::ControlSum && sum.minor() == -out)
            }
            _ => false,
        };
        if !ties {
            return false;
        }
    }
    any
}

/// Rows of one identity, currency, amount and kind, where there is more than one; each set in file order.
fn equal_sets(rules: &Rules, source: usize, book: &Book, reversed: &[[u32; 2]]) -> Vec<Vec<u32>> {
    let identity = Identity::of(rules, source);
    let gone: HashSet<u32> = reversed.iter().flatten().copied().collect();
    // first the hashes only: most rows are alone
    let mut text = String::new();
    let mut hashes: Vec<(u64, u32)> = Vec::with_capacity(book.len() as usize);
    for row in 0..book.len() {
        text.clear();
        if book.carried(row).is_none()
            && !gone.contains(&row)
            && identity.push(book, row, &mut text)
        {
            hashes.push((hash(text.as_bytes(), 0), row));
        }
    }
    hashes.sort_unstable();
    let mut sets: BTreeMap<(String, Currency, i64, EntryKind), Vec<u32>> = BTreeMap::new();
    for run in hashes
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|run| run.len() > 1)
    {
        for &(_, row) in run {
            text.clear();
            identity.push(book, row, &mut text);
            let money = book.money(row);
            sets.entry((
                text.clone(),
                money.currency(),
                money.minor(),
                book.kind(row),
            ))
            .or_default()
            .push(row);
        }
    }
    sets.into_values().filter(|rows| rows.len() > 1).collect()
}

fn is_reversal(book: &Book, row: u32) -> bool {
    book.is_reversal(row) || book.kind(row) == EntryKind::Reversal
}

/// Pairs that undo each other: opposite amounts, linked by a reference, unique both ways.
fn reversals(book: &Book) -> Vec<[u32; 2]> {
    let reversing: Vec<u32> = (0..book.len())
        .filter(|&row| is_reversal(book, row))
        .collect();
    if reversing.is_empty() {
        return Vec::new();
    }
    let wanted: HashSet<(u8, i64)> = reversing
        .iter()
        .filter_map(|&row| {
            Some((
                book.currency_index(row),
                book.money(row).minor().checked_neg()?,
            ))
        })
        .collect();
    let mut by_amount: HashMap<(u8, i64), Vec<u32>> = HashMap::new();
    for row in (0..book.len()).filter(|&row| !is_reversal(book, row)) {
        let key = (book.currency_index(row), book.money(row).minor());
        if wanted.contains(&key) {
            by_amount.entry(key).or_default().push(row);
        }
    }
    let mut pairs = Vec::new();
    let mut claims: HashMap<u32, u32> = HashMap::new();
    for row in reversing {
        let Some(opposite) = book.money(row).minor().checked_neg() else {
            continue;
        };
        let originals = by_amount
            .get(&(book.currency_index(row), opposite))
            .map_or(&[][..], Vec::as_slice);
        let mut linked = originals
            .iter()
            .copied()
            .filter(|&original| is_linked(book, row, original));
        if let (Some(original), None) = (linked.next(), linked.next()) {
            pairs.push([row, original]);
            *claims.entry(original).or_default() += 1;
        }
    }
    pairs.retain(|[_, original]| claims.get(original) == Some(&1));
    pairs
}

/// Refunds whose payments are in the same source, by order number or by the number of the original, and which together
/// are more than these.
fn over_refunded(book: &Book, gone: &HashSet<u32>) -> HashSet<u32> {
    let of_kind =
        |kind| (0..book.len()).filter(move |&row| book.kind(row) == kind && !gone.contains(&row));
    let refunds = || of_kind(EntryKind::Refund);
    if refunds().next().is_none() {
        return HashSet::new();
    }
    let is_booked = |row: &u32| book.status(*row) == EntryStatus::Booked;
    // an original may be named by any number of a payment; its payments are those of its order
    let mut orders: HashMap<&str, Option<&str>> = HashMap::new();
    let mut sums: HashMap<(&str, u8), (i128, i128, Vec<u32>)> = HashMap::new();
    for row in of_kind(EntryKind::Payment).filter(is_booked) {
        let Some(order) = book.reference(row, RefRole::Order) else {
            continue;
        };
        for role in [RefRole::Institution, RefRole::Bank] {
            if let Some(text) = book.reference(row, role) {
                let known = orders.entry(text).or_insert(Some(order));
                if *known != Some(order) {
                    *known = None; // one number, two orders: it names neither
                }
            }
        }
        sums.entry((order, book.currency_index(row))).or_default().0 +=
            i128::from(book.money(row).minor());
    }
    for row in refunds().filter(is_booked) {
        let original = book.reference(row, RefRole::Original);
        let order = original.and_then(|text| orders.get(text).copied().flatten());
        let named = original.filter(|text| sums.contains_key(&(text, book.currency_index(row))));
        let order = order.or(named).or(book.reference(row, RefRole::Order));
        if let Some(order) = order
            && let Some(sum) = sums.get_mut(&(order, book.currency_index(row)))
        {
            sum.1 += i128::from(book.money(row).minor());
            sum.2.push(row);
        }
    }
    let over = sums.into_values().filter(|(paid, back, _)| {
        (*paid > 0 && *back < 0 && -back > *paid) || (*paid < 0 && *back > 0 && *back > -paid)
    });
    over.flat_map(|(_, _, rows)| rows).collect()
}

fn is_linked(book: &Book, reversal: u32, original: u32) -> bool {
    let named = book.reference(reversal, RefRole::Original);
    let names_it = named.is_some()
        && [RefRole::Institution, RefRole::Bank, RefRole::Order]
            .iter()
            .any(|&role| book.reference(original, role) == named);
    names_it
        || [
            RefRole::Bank,
            RefRole::Institution,
            RefRole::Owner,
            RefRole::EndToEnd,
        ]
        .iter()
        .any(|&role| {
            let text = book.reference(reversal, role);
            text.is_some_and(|text| text != "NONREF") && text == book.reference(original, role)
        })
}
