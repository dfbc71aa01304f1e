//! The document's summary and open positions derived a second time and compared.

use std::collections::BTreeMap;
use std::fmt::Debug;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_money::Currency;
use quanfu_settlement::book::Item;
use quanfu_settlement::result::{
    Bridge, BridgeLine, CauseRecord, GroupCount, Member, OpenPosition, OutcomeTotal, ProofRecord,
    ResultDoc, SourceSummary, Total,
};
use quanfu_settlement::rules::Field;
use quanfu_settlement::{
    BreakCode, Measure, Outcome, Proof, Reason, Relation, Rules, Side, Verdict,
};

use crate::Fault;
use crate::judge::{Due, Edge, Group, due};
use crate::key::{field, key};
use crate::presence::States;
use crate::rows::{Row, Source};
use crate::table::amount;

/// Compares everything but the embedded texts and the table; gives the number of open positions.
pub(crate) fn compare(
    doc: &ResultDoc,
    rules: &Rules,
    sources: &[Source],
    judged: &[Edge],
    presence: &States,
    calendar: &BusinessCalendar,
) -> Result<u64, Fault> {
    if doc.sources.len() != sources.len() || doc.edges.len() != judged.len() {
        return Err(Fault::new(
            "verify-summary",
            "summary",
            "it has other sources or edges than the rules",
        ));
    }
    for (index, source) in sources.iter().enumerate() {
        let want = summary(rules, index, source);
        same(
            "verify-summary",
            &format!("sources[{index}]"),
            &doc.sources[index],
            &want,
        )?;
    }
    let failed: Vec<ProofRecord> = sources
        .iter()
        .enumerate()
        .flat_map(|(index, source)| failed_proofs(&rules.sources[index].name, source))
        .collect();
    same_set(
        "verify-summary",
        "failed_proofs",
        &doc.failed_proofs,
        &failed,
    )?;
    let trusted = failed.is_empty() && sources.iter().all(|source| source.rejected.is_empty());
    same("verify-summary", "trusted", &doc.trusted, &trusted)?;
    for (index, edge) in judged.iter().enumerate() {
        let place = format!("edges[{index}]");
        let found = &doc.edges[index];
        let edge_rules = &rules.edges[index];
        let names = (
            &edge_rules.name,
            &rules.sources[edge_rules.left].name,
            &rules.sources[edge_rules.right].name,
        );
        same(
            "verify-summary",
            &place,
            &(&found.name, &found.left, &found.right),
            &names,
        )?;
        in_order(
            "verify-summary",
            &format!("{place}.outcomes"),
            &found.outcomes,
            &outcome_totals(rules, index, sources, edge),
        )?;
        in_order(
            "verify-summary",
            &format!("{place}.groups"),
            &found.groups,
            &group_counts(rules, index, edge),
        )?;
        in_order(
            "verify-summary",
            &format!("{place}.bridges"),
            &found.bridges,
            &bridges(edge),
        )?;
    }
    let lists = [
        ("breaks", Outcome::Break, &doc.breaks),
        ("ambiguous", Outcome::Ambiguous, &doc.ambiguous),
        ("suggested", Outcome::Suggested, &doc.suggested),
        ("carried", Outcome::Carried, &doc.carried),
    ];
    let mut count = 0;
    for (name, outcome, found) in lists {
        let mut want: BTreeMap<(String, String), OpenPosition> = BTreeMap::new();
        for (index, edge) in judged.iter().enumerate() {
            let desk = Desk {
                doc,
                rules,
                index,
                sources,
                edge,
                presence,
                calendar,
            };
            for position in desk.positions(outcome) {
                want.insert(
                    (position.edge.clone(), position.fingerprint.clone()),
                    position,
                );
            }
        }
        let order = |position: &OpenPosition| {
            let mut edges = rules.edges.iter();
            let edge = edges.position(|edge| edge.name == position.edge);
            (edge, position.code, position.fingerprint.clone())
        };
        if !found.is_sorted_by_key(order) {
            let message = "they stand by edge, code and fingerprint";
            return Err(Fault::new("verify-open-positions", name, message));
        }
        for position in found {
            let place = format!("{name}, {} on edge {}", position.fingerprint, position.edge);
            let key = (position.edge.clone(), position.fingerprint.clone());
            let Some(mut must) = want.remove(&key) else {
                return Err(Fault::new(
                    "verify-open-positions",
                    place,
                    "the inputs give no such position, or it stands here twice",
                ));
            };
            must.nearest.clone_from(&position.nearest);
            must.alternatives.clone_from(&position.alternatives);
            same("verify-open-positions", &place, position, &must)?;
            let index = rules
                .edges
                .iter()
                .position(|edge| edge.name == position.edge)
                .expect("the edge was just found");
            let desk = Desk {
                doc,
                rules,
                index,
                sources,
                edge: &judged[index],
                presence,
                calendar,
            };
            desk.check_nearest(position).map_err(|message| {
                Fault::new(
                    "verify-open-positions",
                    format!("{place}, nearest"),
                    message,
                )
            })?;
            desk.check_alternatives(position).map_err(|message| {
                let place = format!("{place}, alternatives");
                Fault::new("verify-open-positions", place, message)
            })?;
            count += 1;
        }
        if let Some(((edge, fingerprint), _)) = want.into_iter().next() {
            let place = format!("{name}, {fingerprint} on edge {edge}");
            return Err(Fault::new(
                "verify-open-positions",
                place,
                "the inputs give this position; the document lacks it",
            ));
        }
    }
    Ok(count)
}

/// Compares lists whose order is fixed.
pub(crate) fn in_order<T: PartialEq + Debug>(
    code: &'static str,
    name: &str,
    found: &[T],
    must: &[T],
) -> Result<(), Fault> {
    for (index, (found, must)) in found.iter().zip(must).enumerate() {
        same(code, &format!("{name}[{index}]"), found, must)?;
    }
    same(code, name, &found.len(), &must.len())
}

fn same<T: PartialEq + Debug>(
    code: &'static str,
    place: &str,
    found: &T,
    must: &T,
) -> Result<(), Fault> {
    if found == must {
        return Ok(());
    }
    Err(Fault::new(
        code,
        place,
        format!("found {found:?}; the inputs give {must:?}"),
    ))
}

fn same_set<T: PartialEq + Debug>(
    code: &'static str,
    place: &str,
    found: &[T],
    must: &[T],
) -> Result<(), Fault> {
    if let Some(stray) = found.iter().find(|item| !must.contains(item)) {
        return Err(Fault::new(
            code,
            place,
            format!("found {stray:?}; the inputs do not give it"),
        ));
    }
    if let Some(lacking) = must.iter().find(|item| !found.contains(item)) {
        return Err(Fault::new(
            code,
            place,
            format!("the inputs give {lacking:?}; it is lacking"),
        ));
    }
    if found.len() != must.len() {
        return Err(Fault::new(code, place, "something stands here twice"));
    }
    Ok(())
}

fn totals<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<Total> {
    let mut sums: BTreeMap<Currency, (u64, i128)> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.currency).or_default();
        sum.0 += 1;
        sum.1 += i128::from(row.amount);
    }
    sums.into_iter()
        .map(|(currency, (count, sum))| Total {
            currency,
            count,
            sum: amount(sum, currency),
        })
        .collect()
}

fn summary(rules: &Rules, index: usize, source: &Source) -> SourceSummary {
    let carried = source
        .rows
        .iter()
        .filter(|row| row.carried.is_some())
        .count() as u64;
    let entries = source.rows.len() as u64 - carried;
    let rejected = source.rejected.len() as u64;
    SourceSummary {
        name: rules.sources[index].name.clone(),
        role: rules.sources[index].role,
        records: entries + rejected,
        entries,
        rejected,
        carried_in: carried,
        totals: totals(source.rows.iter()),
    }
}

fn failed_proofs(name: &str, source: &Source) -> Vec<ProofRecord> {
    let record = |file: usize, statement: Option<String>, proof: &Proof| ProofRecord {
        source: name.to_owned(),
        file: source.file_names.get(file).cloned().unwrap_or_default(),
        statement,
        kind: proof.kind,
        scope: proof.scope.clone(),
        verdict: proof.verdict,
        expected: proof.expected.as_ref().map(Measure::to_string),
        found: proof.found.as_ref().map(Measure::to_string),
        difference: proof.difference.as_ref().map(Measure::to_string),
    };
    let of_files = source
        .files
        .iter()
        .enumerate()
        .flat_map(|(file, facts)| facts.proofs.iter().map(move |proof| (file, None, proof)));
    let of_statements = source.statements.iter().flat_map(|statement| {
        let name = statement_name(&statement.head);
        statement
            .proofs
            .iter()
            .map(move |proof| (statement.file, name.clone(), proof))
    });
    of_files
        .chain(of_statements)
        .filter(|(_, _, proof)| proof.verdict == Verdict::Fails)
        .map(|(file, statement, proof)| record(file, statement, proof))
        .collect()
}

fn statement_name(head: &quanfu_settlement::StatementHead) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(head.id.clone());
    parts.extend(head.sequence.number.clone());
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn outcome_totals(
    rules: &Rules,
    index: usize,
    sources: &[Source],
    edge: &Edge,
) -> Vec<OutcomeTotal> {
    let mut all = Vec::new();
    for (side, at) in [
        (Side::Left, rules.edges[index].left),
        (Side::Right, rules.edges[index].right),
    ] {
        let mut by_outcome: BTreeMap<(Outcome, Option<BreakCode>), Vec<&Row>> = BTreeMap::new();
        for (row, state) in sources[at].rows.iter().zip(edge.side(side)) {
            by_outcome
                .entry((state.outcome, state.code))
                .or_default()
                .push(row);
        }
        for ((outcome, code), rows) in by_outcome {
            let source = rules.sources[at].name.clone();
            all.push(OutcomeTotal {
                source,
                outcome,
                code,
                totals: totals(rows.into_iter()),
            });
        }
    }
    all
}

fn relation(group: &Group) -> Relation {
    match (group.left.len(), group.right.len()) {
        (0, _) | (_, 0) => Relation::OneSided,
        (1, 1) => Relation::OneToOne,
        (1, _) => Relation::OneToMany,
        (_, 1) => Relation::ManyToOne,
        _ => Relation::ManyToMany,
    }
}

fn group_counts(rules: &Rules, index: usize, edge: &Edge) -> Vec<GroupCount> {
    let mut counts: BTreeMap<(Option<usize>, Outcome, Relation), u64> = BTreeMap::new();
    for group in &edge.groups {
        *counts
            .entry((group.rule, group.outcome, relation(group)))
            .or_default() += 1;
    }
    let rule = |rule: Option<usize>| rule.map(|rule| &rules.edges[index].rules[rule]);
    counts
        .into_iter()
        .map(|((at, outcome, relation), groups)| GroupCount {
            rule: rule(at).map(|rule| rule.id.clone()),
            pass: rule(at).map(|rule| rule.pass),
            outcome,
            relation,
            groups,
        })
        .collect()
}

/// From left to right: groups of both sides in one currency.
fn bridges(edge: &Edge) -> Vec<Bridge> {
    let mut sums: BTreeMap<Currency, (i128, BTreeMap<String, i128>, i128)> = BTreeMap::new();
    for group in &edge.groups {
        let (Some((_, currency)), Some((left, right))) = (group.difference, group.figures) else {
            continue;
        };
        let sum = sums.entry(currency).or_default();
        sum.0 += left;
        sum.2 += right;
        for cause in &group.causes {
            *sum.1.entry(cause.name.clone()).or_default() += cause.minor;
        }
    }
    sums.into_iter()
        .map(|(currency, (left, mut causes, right))| {
            let unexplained = causes.remove("unexplained").unwrap_or(0);
            let line = |(cause, sum): (String, i128)| BridgeLine {
                cause,
                sum: amount(sum, currency),
            };
            let last = line(("unexplained".to_owned(), unexplained));
            Bridge {
                currency,
                left: amount(left, currency),
                causes: causes.into_iter().map(line).chain([last]).collect(),
                right: amount(right, currency),
            }
        })
        .collect()
}

/// One edge's positions.
struct Desk<'a> {
    doc: &'a ResultDoc,
    rules: &'a Rules,
    index: usize,
    sources: &'a [Source],
    edge: &'a Edge,
    presence: &'a States,
    calendar: &'a BusinessCalendar,
}

impl Desk<'_> {
    fn source(&self, side: Side) -> (usize, &Source) {
        let edge = &self.rules.edges[self.index];
        let at = if side == Side::Left {
            edge.left
        } else {
            edge.right
        };
        (at, &self.sources[at])
    }

    fn positions(&self, outcome: Outcome) -> Vec<OpenPosition> {
        let mut found = Vec::new();
        if outcome == Outcome::Carried {
            found.extend(self.carried(Side::Left));
            found.extend(self.carried(Side::Right));
        }
        let groups = self.edge.groups.iter();
        let groups = groups.filter(|group| group.outcome == outcome);
        found.extend(groups.map(|group| self.of_group(group)));
        found
    }

    fn member(&self, side: Side, row: usize) -> Member {
        let (at, source) = self.source(side);
        Member {
            side,
            presence: self.presence[at][row].map(|(state, _)| state),
            item: item(&self.rules.sources[at].name, &source.rows[row]),
        }
    }

    fn age(&self, since: Option<Date>) -> Option<u32> {
        self.calendar
            .business_days_between(since?, self.doc.as_of)
            .ok()
            .and_then(|days| u32::try_from(days).ok())
    }

    fn of_group(&self, group: &Group) -> OpenPosition {
        let mut members: Vec<Member> = Vec::new();
        for (side, rows) in [(Side::Left, &group.left), (Side::Right, &group.right)] {
            let mut own: Vec<Member> = rows.iter().map(|&row| self.member(side, row)).collect();
            own.sort_by_key(|member| member.item.record);
            members.extend(own);
        }
        let since = members
            .iter()
            .filter_map(|member| member.item.accounting_day)
            .min();
        // what a rule decided waits only if a part is still to come
        let (due, due_not_determinable) = match (&group.left[..], &group.right[..]) {
            (left, right) if group.code == Some(BreakCode::Partial) => {
                let left = left.iter().map(|&row| self.due(Side::Left, row));
                let right = right.iter().map(|&row| self.due(Side::Right, row));
                let all: Vec<_> = left.chain(right).collect();
                if all.contains(&(None, false)) {
                    (None, false)
                } else {
                    let first = all.iter().filter_map(|(day, _)| *day).min();
                    (first, first.is_none())
                }
            }
            _ if group.rule.is_some() => (None, false),
            ([row], []) => self.due(Side::Left, *row),
            ([], [row]) => self.due(Side::Right, *row),
            _ => (None, false),
        };
        OpenPosition {
            fingerprint: format!("{:016x}", group.id),
            edge: self.rules.edges[self.index].name.clone(),
            outcome: group.outcome,
            code: group.code,
            rule: group
                .rule
                .map(|rule| self.rules.edges[self.index].rules[rule].id.clone()),
            since,
            age_business_days: self.age(since),
            due,
            due_not_determinable,
            difference: group
                .difference
                .map(|(minor, currency)| amount(minor, currency)),
            causes: group
                .causes
                .iter()
                .map(|cause| CauseRecord {
                    cause: cause.name.clone(),
                    amount: amount(cause.minor, cause.currency),
                    currency: cause.currency,
                    note: cause.note.clone(),
                })
                .collect(),
            search: group.search,
            alternatives: Vec::new(),
            nearest: None,
            members,
        }
    }

    fn due(&self, side: Side, row: usize) -> (Option<Date>, bool) {
        match due(self.rules, self.calendar, &self.source(side).1.rows[row]) {
            Due::None => (None, false),
            Due::On(day) => (Some(day), false),
            Due::NotDeterminable => (None, true),
        }
    }

    fn carried(&self, side: Side) -> Vec<OpenPosition> {
        let states = self.edge.side(side).iter().enumerate();
        let rows =
            states.filter(|(_, state)| state.outcome == Outcome::Carried && state.group.is_none());
        rows.map(|(row, state)| {
            let member = self.member(side, row);
            let since = member.item.accounting_day;
            let (due, due_not_determinable) = self.due(side, row);
            let name = &self.rules.edges[self.index].name;
            OpenPosition {
                fingerprint: format!(
                    "{:016x}",
                    crate::judge::first_64(&format!("{name}\n{side} {}\n", member.item.record))
                ),
                edge: name.clone(),
                outcome: state.outcome,
                code: state.code,
                rule: None,
                since,
                age_business_days: self.age(since),
                due,
                due_not_determinable,
                difference: None,
                causes: Vec::new(),
                search: None,
                alternatives: Vec::new(),
                nearest: None,
                members: vec![member],
            }
        })
        .collect()
    }

    /// Checks the sets that are said to fit a line: each does, and they are two, or one that others lay claim to.
    fn check_alternatives(&self, position: &OpenPosition) -> Result<(), String> {
        let mut groups = self.edge.groups.iter();
        let group = groups.find(|group| format!("{:016x}", group.id) == position.fingerprint);
        let Some(fit) = group.and_then(|group| group.fit.as_ref()) else {
            return if position.alternatives.is_empty() {
                Ok(())
            } else {
                Err("only a line that several sets fit has alternatives".into())
            };
        };
        let sets = &position.alternatives;
        let known = if fit.sets == 0 {
            1..=2
        } else {
            fit.sets..=fit.sets
        };
        if !known.contains(&sets.len()) || (sets.len() == 2 && sets[0] >= sets[1]) {
            return Err(format!("{} sets stand there, or out of order", sets.len()));
        }
        for set in sets {
            if !set.windows(2).all(|pair| pair[0] < pair[1]) || !fit.takes(set) {
                return Err(format!("{set:?} does not tie with the line"));
            }
        }
        Ok(())
    }

    /// Checks the nearest candidate of a position: it is a row of the other side, and what is said of the two is so.
    fn check_nearest(&self, position: &OpenPosition) -> Result<(), String> {
        let Some(nearest) = &position.nearest else {
            return Ok(());
        };
        let [member] = &position.members[..] else {
            return Err("a position of several records has no nearest candidate".into());
        };
        let other = member.side.other();
        let (at, source) = self.source(other);
        let candidate = match &nearest.item {
            None => None,
            Some(found) => {
                let row = source
                    .by_id
                    .get(&found.record)
                    .ok_or_else(|| format!("{} is no record of the other side", found.record))?;
                let must = item(&self.rules.sources[at].name, &source.rows[*row]);
                if *found != must {
                    return Err(format!("found {found:?}; the inputs give {must:?}"));
                }
                Some(*row)
            }
        };
        match &nearest.failed {
            None => Err("no predicate is named".into()),
            Some(failed) => {
                let own = self.source(member.side).1.by_id.get(&member.item.record);
                let own = own.ok_or("the record is not among the inputs")?;
                self.check_failed(member.side, *own, candidate, failed)
            }
        }
    }

    /// Checks what a failed predicate says of a row and its candidate: both texts are what the rows have, and they
    /// are not such that the predicate would hold.
    fn check_failed(
        &self,
        side: Side,
        own: usize,
        candidate: Option<usize>,
        failed: &Reason,
    ) -> Result<(), String> {
        if failed.holds {
            return Err("a predicate that failed is told as one that holds".into());
        }
        let (own_text, other_text) = match side {
            Side::Left => (&failed.left, &failed.right),
            Side::Right => (&failed.right, &failed.left),
        };
        let texts = |side: Side, row: usize| -> Vec<String> {
            let (_, source) = self.source(side);
            let row_values = &source.rows[row];
            match failed.predicate.as_str() {
                "key" => self.key_texts(side, row_values),
                "status" => vec![row_values.status.to_string()],
                "kind" => vec![row_values.kind.to_string()],
                "amount" => vec![row_values.money().to_string()],
                "window" => vec![
                    row_values
                        .day
                        .map(|day| day.to_string())
                        .unwrap_or_default(),
                ],
                "state" => vec![self.edge.side(side)[row].outcome.to_string()],
                _ => Vec::new(),
            }
        };
        if !texts(side, own).contains(own_text) {
            return Err(format!(
                "the record's {} is not {own_text:?}",
                failed.predicate
            ));
        }
        match candidate {
            None if failed.predicate == "key" && other_text.is_empty() => Ok(()),
            None => Err(format!(
                "without a candidate nothing can be said of its {}",
                failed.predicate
            )),
            Some(row) if !texts(side.other(), row).contains(other_text) => Err(format!(
                "the candidate's {} is not {other_text:?}",
                failed.predicate
            )),
            Some(_) if own_text == other_text && failed.predicate != "state" => {
                Err(format!("the {} of both is {own_text:?}", failed.predicate))
            }
            Some(_) => Ok(()),
        }
    }

    /// Every text that may stand for a row's key: that of each rule, or of the rule's references only, or nothing.
    fn key_texts(&self, side: Side, row: &Row) -> Vec<String> {
        let mut texts = vec![String::new()];
        for rule in &self.rules.edges[self.index].rules {
            texts.extend(key(rule, side, row).map(|parts| parts.join(" ")));
            let references = rule.on.iter().filter_map(|on| {
                let (of_side, steps) = match side {
                    Side::Left => (&on.left, &on.left_normalise),
                    Side::Right => (&on.right, &on.right_normalise),
                };
                matches!(of_side, Field::Reference(_)).then(|| field(of_side, steps, row))
            });
            let references: Option<Vec<String>> = references.collect();
            texts.extend(references.map(|parts| parts.join(" ")));
        }
        texts
    }
}

/// A row with its data, as results keep open items.
fn item(source: &str, row: &Row) -> Item {
    if let Some(item) = &row.carried {
        return item.clone();
    }
    Item {
        source: source.to_owned(),
        record: row.id,
        file: row.file.clone(),
        line: row.line,
        amount: row.money().amount_text(),
        currency: row.currency,
        fee: row.fee.map(|grains| fee_text(grains, row.currency)),
        original: row.original,
        rate: row.rate.map(|rate| rate.to_string()),
        kind: row.kind,
        status: row.status,
        is_reversal: row.is_reversal,
        value_date: row.value_date,
        accounting_day: row.day,
        instant: row.instant,
        references: row.references.iter().cloned().collect(),
    }
}

/// Millionths of a minor unit as text: at least the currency's decimals, no zeros beyond.
pub(crate) fn fee_text(grains: i128, currency: Currency) -> String {
    let digits = usize::from(currency.minor_digits());
    let mut text = format!("{:0width$}", grains.unsigned_abs(), width = digits + 7);
    text.insert(text.len() - digits - 6, '.');
    let point = text.find('.').unwrap_or(0);
    while text.ends_with('0') && text.len() > point + 1 + digits {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if grains < 0 {
        text.insert(0, '-');
    }
    text
}
