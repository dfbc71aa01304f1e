//! The result document (`quanfu.result/1`) of a run.

use std::collections::BTreeMap;

use quanfu_money::{Currency, MoneySum};
use quanfu_settlement::book::Item;
use quanfu_settlement::result::{
    Bridge, BridgeLine, CauseRecord, Certificate, Earlier, EarlierInput, EdgeSummary, Embedded,
    GroupCount, Input, Member, Nearest, OpenPosition, OutcomeTotal, ProofRecord, SCHEMA,
    SourceSummary, Total,
};
use quanfu_settlement::{
    Book, BreakCode, Digest, DigestAlg, Group, Measure, Outcome, ResultDoc, Side, StatementHead,
};

use crate::carry::{Due, due};
use crate::compare::figure;
use crate::edge::first_64;
use crate::exchange::is_exchange;
use crate::presence::{PresenceMap, presence};
use crate::request::Reconciled;

/// What a later result says of an earlier one.
pub(crate) fn earlier(doc: &ResultDoc) -> Earlier {
    let own = doc.certificate.inputs.iter().map(|input| EarlierInput {
        source: input.source.clone(),
        identity: input.identity.clone(),
        digest: input.digest,
    });
    let before = doc
        .certificate
        .after
        .iter()
        .flat_map(|after| after.inputs.iter().cloned());
    Earlier {
        as_of: doc.as_of,
        body: doc.certificate.body,
        inputs: own
            .chain(before)
            .filter(|input| !input.identity.is_empty())
            .collect(),
    }
}

pub(crate) fn document(run: &Reconciled, outcomes_table: Option<Digest>) -> ResultDoc {
    let (rules, outcomes) = (&run.rules, &run.outcomes);
    let presence = &presence(rules, outcomes, &run.before);
    let desk = |edge| Desk {
        run,
        edge,
        presence,
    };
    let mut positions: BTreeMap<Outcome, Vec<OpenPosition>> = BTreeMap::new();
    for edge in 0..rules.edges.len() {
        for position in desk(edge).positions() {
            positions
                .entry(position.outcome)
                .or_default()
                .push(position);
        }
    }
    let mut take = |outcome| {
        let mut list = positions.remove(&outcome).unwrap_or_default();
        list.sort_by(|a, b| {
            let order = |p: &OpenPosition| rules.edges.iter().position(|edge| edge.name == p.edge);
            (order(a), a.code, &a.fingerprint).cmp(&(order(b), b.code, &b.fingerprint))
        });
        list
    };
    let zeros = Digest {
        alg: DigestAlg::Sha256,
        bytes: [0; 32],
    };
    ResultDoc {
        schema: SCHEMA.to_owned(),
        engine: concat!("quanfu ", env!("CARGO_PKG_VERSION")).to_owned(),
        rules: rules.name.clone(),
        viewpoint: rules.viewpoint,
        as_of: outcomes.as_of,
        as_of_given: run.as_of_given,
        trusted: outcomes.trusted,
        failed_proofs: rules
            .sources
            .iter()
            .zip(&outcomes.books)
            .flat_map(|(source, book)| failed_proofs(&source.name, book))
            .collect(),
        sources: (0..rules.sources.len())
            .map(|index| source_summary(run, index))
            .collect(),
        edges: (0..rules.edges.len())
            .map(|edge| desk(edge).summary())
            .collect(),
        presence: presence.lines(rules, outcomes),
        balances: run.balances.clone(),
        fee_differences: run.fee_differences(),
        breaks: take(Outcome::Break),
        ambiguous: take(Outcome::Ambiguous),
        suggested: take(Outcome::Suggested),
        carried: take(Outcome::Carried),
        rules_document: Embedded::new(&rules.name, &rules.text),
        profiles: run.profiles.clone(),
        calendar: Embedded::new(run.calendar.name(), run.calendar.to_csv()),
        certificate: Certificate {
            inputs: rules
                .sources
                .iter()
                .zip(&outcomes.books)
                .flat_map(|(source, book)| inputs(&source.name, book))
                .collect(),
            rates: run.rates.clone(),
            outcome_digest: run.table().digest(DigestAlg::Sha256, run.threads),
            outcomes_table,
            after: run.after.clone(),
            supersedes: run.supersedes.clone(),
            decisions: run.decisions.clone(),
            body: zeros,
        },
    }
    .sealed()
}

fn inputs<'b>(source: &'b str, book: &'b Book) -> impl Iterator<Item = Input> + 'b {
    book.files().iter().map(move |file| Input {
        source: source.to_owned(),
        file: file.name.clone(),
        format: file.format.clone(),
        encoding: file.encoding.clone(),
        bytes: file.bytes,
        digest: file.digest,
        identity: file.identity.clone(),
        records: file.records,
        entries: file.entries,
        rejected: file.rejected,
    })
}

/// Id and number of a statement, for people.
fn statement_name(head: &StatementHead) -> Option<String> {
    let parts: Vec<&str> = head
        .id
        .iter()
        .chain(&head.sequence.number)
        .map(String::as_str)
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn failed_proofs(source: &str, book: &Book) -> Vec<ProofRecord> {
    book.proofs()
        .filter(|(_, _, proof)| proof.fails())
        .map(|(file, statement, proof)| ProofRecord {
            source: source.to_owned(),
            file: book
                .files()
                .get(file as usize)
                .map(|file| file.name.clone())
                .unwrap_or_default(),
            statement: statement
                .and_then(|statement| statement_name(&book.statements()[statement as usize].head)),
            kind: proof.kind,
            scope: proof.scope.clone(),
            verdict: proof.verdict,
            expected: proof.expected.as_ref().map(Measure::to_string),
            found: proof.found.as_ref().map(Measure::to_string),
            difference: proof.difference.as_ref().map(Measure::to_string),
        })
        .collect()
}

/// Counts and sums by currency.
#[derive(Default)]
pub(crate) struct Sums(BTreeMap<Currency, (u64, i128)>);

impl Sums {
    pub(crate) fn add(&mut self, book: &Book, row: u32) {
        let money = book.money(row);
        let sum = self.0.entry(money.currency()).or_default();
        sum.0 += 1;
        sum.1 += i128::from(money.minor());
    }

    pub(crate) fn totals(self) -> Vec<Total> {
        self.0
            .into_iter()
            .map(|(currency, (count, sum))| Total {
                currency,
                count,
                sum: text(sum, currency),
            })
            .collect()
    }
}

pub(crate) fn text(minor: i128, currency: Currency) -> String {
    MoneySum::from_minor(minor, currency).amount_text()
}

fn source_summary(run: &Reconciled, index: usize) -> SourceSummary {
    let book = &run.outcomes.books[index];
    let mut sums = Sums::default();
    let mut carried_in = 0;
    for row in 0..book.len() {
        sums.add(book, row);
        carried_in += u64::from(book.carried(row).is_some());
    }
    let entries = u64::from(book.len()) - carried_in;
    let rejected = book.rejected().len() as u64;
    SourceSummary {
        name: run.rules.sources[index].name.clone(),
        role: run.rules.sources[index].role,
        records: entries + rejected,
        entries,
        rejected,
        carried_in,
        totals: sums.totals(),
    }
}

/// One edge of a run.
struct Desk<'a> {
    run: &'a Reconciled,
    edge: usize,
    presence: &'a PresenceMap,
}

impl Desk<'_> {
    fn source(&self, side: Side) -> usize {
        let edge = &self.run.rules.edges[self.edge];
        if side == Side::Left {
            edge.left
        } else {
            edge.right
        }
    }

    fn book(&self, side: Side) -> &Book {
        &self.run.outcomes.books[self.source(side)]
    }

    fn source_name(&self, side: Side) -> String {
        self.run.rules.sources[self.source(side)].name.clone()
    }

    fn summary(&self) -> EdgeSummary {
        let outcomes = &self.run.outcomes.edges[self.edge];
        let rules = &self.run.rules.edges[self.edge];
        let mut totals = Vec::new();
        for side in [Side::Left, Side::Right] {
            let mut by_outcome: BTreeMap<_, Sums> = BTreeMap::new();
            for (row, state) in (0u32..).zip(outcomes.side(side)) {
                by_outcome
                    .entry((state.outcome, state.code))
                    .or_default()
                    .add(self.book(side), row);
            }
            totals.extend(
                by_outcome
                    .into_iter()
                    .map(|((outcome, code), sums)| OutcomeTotal {
                        source: self.source_name(side),
                        outcome,
                        code,
                        totals: sums.totals(),
                    }),
            );
        }
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for group in &outcomes.groups {
            *counts
                .entry((group.rule, group.outcome, group.relation()))
                .or_default() += 1;
        }
        let groups = counts
            .into_iter()
            .map(|((rule, outcome, relation), groups)| {
                let rule = rule.map(|rule| &rules.rules[usize::from(rule)]);
                GroupCount {
                    rule: rule.map(|rule| rule.id.clone()),
                    pass: rule.map(|rule| rule.pass),
                    outcome,
                    relation,
                    groups,
                }
            });
        EdgeSummary {
            name: rules.name.clone(),
            left: self.source_name(Side::Left),
            right: self.source_name(Side::Right),
            outcomes: totals,
            groups: groups.collect(),
            bridges: self.bridges(),
        }
    }

    /// From left to right over the groups that have both sides in one currency.
    fn bridges(&self) -> Vec<Bridge> {
        let outcomes = &self.run.outcomes.edges[self.edge];
        let rules = &self.run.rules.edges[self.edge].rules;
        let mut sums: BTreeMap<Currency, (i128, BTreeMap<&str, i128>, i128)> = BTreeMap::new();
        for group in &outcomes.groups {
            let Some(difference) = group
                .difference
                .filter(|_| group.left > 0 && group.right > 0 && !is_exchange(group))
            else {
                continue;
            };
            // what people decided is told in whole amounts
            let rule = group.rule.map(|rule| &rules[usize::from(rule)]);
            let of = |row: u32| match rule {
                Some(rule) => figure(self.book(Side::Left), row, rule.left_amount, rule.rounding).0,
                None => self.book(Side::Left).money(row).minor().into(),
            };
            let left = outcomes.left_members(group).iter();
            let left: i128 = left.map(|&row| of(row)).sum();
            let sum = sums.entry(difference.currency()).or_default();
            sum.0 += left;
            sum.2 += left + difference.minor();
            for cause in &group.causes {
                *sum.1.entry(&cause.name).or_default() += i128::from(cause.minor);
            }
        }
        let bridge = |(currency, (left, mut causes, right)): (
            Currency,
            (i128, BTreeMap<&str, i128>, i128),
        )| {
            let unexplained = causes.remove("unexplained").unwrap_or(0);
            let lines = causes.into_iter().chain([("unexplained", unexplained)]);
            Bridge {
                currency,
                left: text(left, currency),
                causes: lines
                    .map(|(cause, sum)| BridgeLine {
                        cause: cause.to_owned(),
                        sum: text(sum, currency),
                    })
                    .collect(),
                right: text(right, currency),
            }
        };
        sums.into_iter().map(bridge).collect()
    }

    fn positions(&self) -> Vec<OpenPosition> {
        let outcomes = &self.run.outcomes.edges[self.edge];
        let open = |group: &&Group| {
            matches!(
                group.outcome,
                Outcome::Break | Outcome::Ambiguous | Outcome::Suggested | Outcome::Carried
            )
        };
        let mut all: Vec<OpenPosition> = outcomes
            .groups
            .iter()
            .filter(open)
            .map(|group| self.of_group(group))
            .collect();
        for side in [Side::Left, Side::Right] {
            for (row, state) in (0u32..).zip(outcomes.side(side)) {
                if state.outcome == Outcome::Carried && state.group.is_none() {
                    let name = &self.run.rules.edges[self.edge].name;
                    let id = first_64(&format!("{name}\n{side} {}\n", self.book(side).id(row)));
                    let mut position =
                        self.position(id, state.outcome, vec![self.member(side, row)]);
                    position.code = state.code;
                    self.explain(&mut position, side, row);
                    all.push(position);
                }
            }
        }
        all
    }

    fn member(&self, side: Side, row: u32) -> Member {
        Member {
            side,
            presence: self.presence.of(self.source(side), row),
            item: self.book(side).item(row),
        }
    }

    fn position(&self, id: u64, outcome: Outcome, members: Vec<Member>) -> OpenPosition {
        let since = members
            .iter()
            .filter_map(|member| member.item.accounting_day)
            .min();
        let age = since.and_then(|since| {
            self.run
                .calendar
                .business_days_between(since, self.run.outcomes.as_of)
                .ok()
        });
        OpenPosition {
            fingerprint: format!("{id:016x}"),
            edge: self.run.rules.edges[self.edge].name.clone(),
            outcome,
            code: None,
            rule: None,
            since,
            age_business_days: age.and_then(|age| u32::try_from(age).ok()),
            due: None,
            due_not_determinable: false,
            difference: None,
            causes: Vec::new(),
            search: None,
            alternatives: Vec::new(),
            nearest: None,
            members,
        }
    }

    fn of_group(&self, group: &Group) -> OpenPosition {
        let outcomes = &self.run.outcomes.edges[self.edge];
        let left = outcomes
            .left_members(group)
            .iter()
            .map(|&row| self.member(Side::Left, row));
        let right = outcomes
            .right_members(group)
            .iter()
            .map(|&row| self.member(Side::Right, row));
        let mut position = self.position(group.id, group.outcome, left.chain(right).collect());
        position.code = group.code;
        position.rule = group.rule.map(|rule| {
            self.run.rules.edges[self.edge].rules[usize::from(rule)]
                .id
                .clone()
        });
        position.search = group.search;
        let many = if group.left == 0 {
            Side::Left
        } else {
            Side::Right
        };
        let book = self.book(many);
        let named = |rows: &Vec<u32>| rows.iter().map(|&row| book.id(row)).collect();
        position.alternatives = group.alternatives.iter().map(named).collect();
        position.difference = group.difference.map(|difference| difference.amount_text());
        position.causes = group
            .causes
            .iter()
            .map(|cause| CauseRecord {
                cause: cause.name.clone(),
                amount: text(cause.minor.into(), cause.currency),
                currency: cause.currency,
                note: cause.note.clone(),
            })
            .collect();
        match (outcomes.left_members(group), outcomes.right_members(group)) {
            ([row], []) => self.explain(&mut position, Side::Left, *row),
            ([], [row]) => self.explain(&mut position, Side::Right, *row),
            _ => {}
        }
        if group.code == Some(BreakCode::Partial) {
            let due_of = |side: Side| {
                let (rules, calendar) = (&self.run.rules, &self.run.calendar);
                move |&row: &u32| due(rules, calendar, self.book(side), row)
            };
            let left = outcomes.left_members(group).iter().map(due_of(Side::Left));
            let right = outcomes.right_members(group).iter();
            let together = left.chain(right.map(due_of(Side::Right))).reduce(Due::and);
            position.due = match together {
                Some(Due::On(day)) => Some(day),
                _ => None,
            };
            position.due_not_determinable = together == Some(Due::NotDeterminable);
        }
        position
    }

    /// Adds why a single row is open.
    fn explain(&self, position: &mut OpenPosition, side: Side, row: u32) {
        let Some(why) = self.run.outcomes.edges[self.edge].why(side).get(&row) else {
            return;
        };
        let item = |row: u32| -> Item { self.book(side.other()).item(row) };
        position.due = why.due;
        position.due_not_determinable = why.due_not_determinable;
        position.nearest = Some(Nearest {
            item: why.nearest.map(item),
            failed: why.failed.clone(),
        });
    }
}
