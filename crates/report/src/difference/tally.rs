//! Outcomes tables as sorted columns, and the comparison of one edge.

use std::collections::BTreeMap;

use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_settlement::result::{EdgeSummary, OpenPosition};
use quanfu_settlement::{Digest, Outcome, RecordId, ResultDoc};

use super::{
    DifferenceError, EdgeDifference, Elsewhere, GroupChange, GroupClass, GroupFacts, GroupSum,
    Moved, MovedSum, Pair, PositionChange, PositionClass, PositionFacts, PositionSum, SourceSum,
    Standing, Sum, TotalChange, open,
};
use crate::outcomes::{OutcomesError, for_each};
use crate::result::at_stake;

/// A record on an edge.
struct Line {
    edge: u32,
    source: u32,
    record: RecordId,
    outcome: Outcome,
    code: u32,
    /// 0: none.
    group: u64,
    money: Option<Money>,
}

/// A group of the table.
struct Group {
    confirmed: bool,
    facts: GroupFacts,
}

/// Texts that occur again and again, by number.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        let known = self.0.iter().position(|known| known == word);
        let at = known.unwrap_or_else(|| {
            self.0.push(word.to_owned());
            self.0.len() - 1
        });
        at as u32 // a table has a few edges, sources and codes
    }

    fn find(&self, word: &str) -> Option<u32> {
        let at = self.0.iter().position(|known| known == word)?;
        Some(at as u32)
    }
}

/// A table, by edge, source and record.
pub(super) struct Tally {
    words: Words,
    lines: Vec<Line>,
    groups: BTreeMap<(u32, u64), Group>,
}

impl Tally {
    /// Reads a table; without `excluded`, rows that an edge leaves out are passed over.
    pub(super) fn of(
        which: &'static str,
        doc: &ResultDoc,
        table: &str,
        excluded: bool,
    ) -> Result<Self, DifferenceError> {
        let named = doc.certificate.outcomes_table;
        if named.is_none_or(|named| named != Digest::of(named.alg, table.as_bytes())) {
            return Err(DifferenceError::NotItsTable { which });
        }
        let mut tally = Self {
            words: Words::default(),
            lines: Vec::new(),
            groups: BTreeMap::new(),
        };
        let mut number = 1;
        let mut wrong: Option<OutcomesError> = None;
        let read = for_each(table, |row| {
            number += 1;
            if wrong.is_some() {
                return;
            }
            let mut fail = |message: String| {
                wrong = Some(OutcomesError {
                    line: number,
                    message,
                });
            };
            let record = match row.record.parse::<RecordId>() {
                Ok(record) => record,
                Err(message) => return fail(message),
            };
            let Some(outcome) = Outcome::from_code(&row.outcome) else {
                return fail(format!("{:?} is no outcome", row.outcome));
            };
            if outcome == Outcome::Excluded && !excluded {
                return;
            }
            let group = match row.group.as_str() {
                "" => 0,
                text => match u64::from_str_radix(text, 16) {
                    Ok(group) => group,
                    Err(_) => return fail(format!("{text:?} is no name of a group")),
                },
            };
            let money = if row.currency.is_empty() {
                None
            } else {
                let money = row.currency.parse::<Currency>().ok().and_then(|currency| {
                    let style = AmountStyle::PLAIN;
                    let digits = currency.minor_digits();
                    let parsed = parse_minor(row.amount.as_bytes(), style, digits).ok()?;
                    Some(Money::from_minor(parsed.minor, currency))
                });
                if money.is_none() {
                    return fail(format!("{:?} is no amount", row.amount));
                }
                money
            };
            let edge = tally.words.number(&row.edge);
            if group != 0 {
                tally.groups.entry((edge, group)).or_insert_with(|| Group {
                    confirmed: outcome == Outcome::Confirmed,
                    facts: GroupFacts {
                        rule: row.rule,
                        difference: row.group_difference,
                        cause: row.cause,
                    },
                });
            }
            tally.lines.push(Line {
                edge,
                source: tally.words.number(&row.source),
                record,
                outcome,
                code: tally.words.number(&row.code),
                group,
                money,
            });
        });
        if let Some(error) = read.err().or(wrong) {
            return Err(DifferenceError::Table { which, error });
        }
        // by name, so that the lines of two tables come in one order
        let words = &tally.words.0;
        let key = |line: &Line| {
            let word = |at: u32| words[at as usize].as_str();
            (word(line.edge), word(line.source), line.record)
        };
        tally.lines.sort_by(|a, b| key(a).cmp(&key(b)));
        Ok(tally)
    }

    fn word(&self, at: u32) -> &str {
        &self.words.0[at as usize]
    }

    fn key<'t>(&'t self, line: &Line) -> (&'t str, RecordId) {
        (self.word(line.source), line.record)
    }

    /// The lines of an edge, by source and record.
    fn of_edge(&self, edge: &str) -> &[Line] {
        let before = self.lines.partition_point(|l| self.word(l.edge) < edge);
        let until = self.lines.partition_point(|l| self.word(l.edge) <= edge);
        &self.lines[before..until]
    }

    fn standing(&self, line: &Line) -> Standing {
        Standing {
            outcome: line.outcome,
            code: self.word(line.code).to_owned(),
            group: if line.group == 0 {
                String::new()
            } else {
                format!("{:016x}", line.group)
            },
        }
    }

    fn find(&self, edge: &str, source: &str, record: RecordId) -> Option<&Line> {
        let lines = self.of_edge(edge);
        let at = lines.binary_search_by(|line| self.key(line).cmp(&(source, record)));
        at.ok().map(|at| &lines[at])
    }
}

/// Counts and sums by currency.
#[derive(Clone, Copy, Default)]
struct Adding {
    count: u64,
    minor: i128,
}

impl Adding {
    fn add(&mut self, minor: i128) {
        self.count += 1;
        self.minor += minor;
    }

    fn sum(self, currency: Currency) -> Sum {
        Sum {
            count: self.count,
            sum: text(self.minor, currency),
        }
    }
}

fn text(minor: i128, currency: Currency) -> String {
    MoneySum::from_minor(minor, currency).amount_text()
}

/// Compares what two results say of an edge.
pub(super) fn edge(
    name: &str,
    old: &ResultDoc,
    new: &ResultDoc,
    tallies: Option<&Pair<Tally>>,
) -> Result<EdgeDifference, DifferenceError> {
    let summaries = Pair {
        old: old.edges.iter().find(|edge| edge.name == name),
        new: new.edges.iter().find(|edge| edge.name == name),
    };
    let (groups, moved, moved_sums) = match tallies {
        Some(tallies) => {
            let (moved, sums) = moved(name, tallies);
            (groups(name, tallies), moved, sums)
        }
        None => Default::default(),
    };
    let (positions, same_positions) = positions(name, old, new, tallies);
    Ok(EdgeDifference {
        edge: name.to_owned(),
        is_there: Pair {
            old: summaries.old.is_some(),
            new: summaries.new.is_some(),
        },
        totals: totals(summaries)?,
        group_sums: group_sums(&groups),
        moved_sums,
        position_sums: position_sums(&positions),
        groups,
        moved,
        positions,
        same_positions,
    })
}

/// A sum of a document, at the currency's full scale and of any size.
fn minor(which: &'static str, text: &str, currency: Currency) -> Result<i128, DifferenceError> {
    let digits = usize::from(currency.minor_digits());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let read = (decimals.len() == digits)
        .then(|| format!("{whole}{decimals}").parse::<i128>().ok())
        .flatten();
    read.ok_or_else(|| DifferenceError::Sum {
        which,
        text: text.to_owned(),
        currency,
    })
}

fn totals(summaries: Pair<Option<&EdgeSummary>>) -> Result<Vec<TotalChange>, DifferenceError> {
    type Key = (String, Outcome, Option<String>, Currency);
    let mut sums: BTreeMap<Key, Pair<Adding>> = BTreeMap::new();
    for (which, summary) in [("old", summaries.old), ("new", summaries.new)] {
        for total in summary.iter().flat_map(|summary| &summary.outcomes) {
            for of in &total.totals {
                let code = total.code.map(|code| code.code().to_owned());
                let key = (total.source.clone(), total.outcome, code, of.currency);
                let both = sums.entry(key).or_default();
                let one = if which == "old" {
                    &mut both.old
                } else {
                    &mut both.new
                };
                one.count += of.count;
                one.minor += minor(which, &of.sum, of.currency)?;
            }
        }
    }
    let changed = sums
        .into_iter()
        .filter(|(_, both)| (both.old.count, both.old.minor) != (both.new.count, both.new.minor));
    let changed = changed.map(|((source, outcome, code, currency), both)| TotalChange {
        source,
        outcome,
        code,
        currency,
        rows: Pair {
            old: both.old.sum(currency),
            new: both.new.sum(currency),
        },
        change: text(both.new.minor - both.old.minor, currency),
    });
    Ok(changed.collect())
}

/// Groups that are confirmed in one result only, or in both in two ways.
fn groups(edge: &str, tallies: &Pair<Tally>) -> Vec<GroupChange> {
    let both = [&tallies.old, &tallies.new];
    let facts = |tally: &Tally, id: u64| {
        let edge = tally.words.find(edge)?;
        let group = tally
            .groups
            .get(&(edge, id))
            .filter(|group| group.confirmed)?;
        Some(group.facts.clone())
    };
    // rows of all groups that are confirmed somewhere; of groups confirmed in both, those of the new result
    struct Found {
        class: Option<GroupClass>,
        facts: Pair<Option<GroupFacts>>,
        known: bool,
        rows: BTreeMap<(String, Currency), Adding>,
    }
    let mut found: BTreeMap<u64, Found> = BTreeMap::new();
    for (at, tally) in both.into_iter().enumerate() {
        let other = both[1 - at];
        for line in tally.of_edge(edge) {
            if line.group == 0 || line.outcome != Outcome::Confirmed {
                continue;
            }
            let group = found.entry(line.group).or_insert_with(|| {
                let facts = Pair {
                    old: facts(&tallies.old, line.group),
                    new: facts(&tallies.new, line.group),
                };
                let class = match (&facts.old, &facts.new) {
                    (Some(old), Some(new)) if old == new => None,
                    (Some(_), Some(_)) => Some(GroupClass::Explained),
                    (Some(_), None) => Some(GroupClass::Lost),
                    (None, _) => Some(GroupClass::New),
                };
                Found {
                    class,
                    facts,
                    known: false,
                    rows: BTreeMap::new(),
                }
            });
            let is_twice = group.facts.old.is_some() && group.facts.new.is_some() && at == 0;
            if group.class.is_none() || is_twice {
                continue;
            }
            let source = tally.word(line.source);
            group.known |= other.find(edge, source, line.record).is_some();
            if let Some(money) = line.money {
                let key = (source.to_owned(), money.currency());
                let rows = group.rows.entry(key).or_default();
                rows.add(money.minor().into());
            }
        }
    }
    let changed = found.into_iter().filter_map(|(id, group)| {
        let class = match (group.class?, group.known) {
            (GroupClass::Lost, false) => GroupClass::Gone,
            (GroupClass::New, false) => GroupClass::Arrived,
            (class, _) => class,
        };
        let rows = group.rows.into_iter();
        let rows = rows.map(|((source, currency), rows)| SourceSum {
            source,
            currency,
            rows: rows.sum(currency),
        });
        Some(GroupChange {
            group: format!("{id:016x}"),
            class,
            facts: group.facts,
            rows: rows.collect(),
        })
    });
    changed.collect()
}

fn group_sums(groups: &[GroupChange]) -> Vec<GroupSum> {
    let mut sums: BTreeMap<(GroupClass, &str, Currency), (u64, Adding)> = BTreeMap::new();
    for group in groups {
        for of in &group.rows {
            let sum = sums
                .entry((group.class, &of.source, of.currency))
                .or_default();
            sum.0 += 1;
            sum.1.count += of.rows.count;
            // written above from minor units, so it is read back
            sum.1.minor += minor("new", &of.rows.sum, of.currency).unwrap_or(0);
        }
    }
    let sums = sums.into_iter();
    let sums = sums.map(|((class, source, currency), (groups, rows))| GroupSum {
        class,
        groups,
        rows: SourceSum {
            source: source.to_owned(),
            currency,
            rows: rows.sum(currency),
        },
    });
    sums.collect()
}

/// Records that both tables have and that stand elsewhere.
fn moved(edge: &str, tallies: &Pair<Tally>) -> (Vec<Moved>, Vec<MovedSum>) {
    let mut all = Vec::new();
    type Key = (String, Currency, Outcome, String, Outcome, String);
    let mut sums: BTreeMap<Key, Adding> = BTreeMap::new();
    let (before, after) = (&tallies.old, &tallies.new);
    // both are in one order
    let mut others = after.of_edge(edge).iter().peekable();
    for line in before.of_edge(edge) {
        let key = before.key(line);
        while others.next_if(|other| after.key(other) < key).is_some() {}
        let Some(now) = others.next_if(|other| after.key(other) == key) else {
            continue;
        };
        let same = (line.outcome, line.group) == (now.outcome, now.group)
            && before.word(line.code) == after.word(now.code);
        if same {
            continue;
        }
        let source = before.word(line.source);
        let standing = Pair {
            old: before.standing(line),
            new: after.standing(now),
        };
        if let Some(money) = line.money {
            let key = (
                source.to_owned(),
                money.currency(),
                standing.old.outcome,
                standing.old.code.clone(),
                standing.new.outcome,
                standing.new.code.clone(),
            );
            sums.entry(key).or_default().add(money.minor().into());
        }
        all.push(Moved {
            source: source.to_owned(),
            record: line.record.to_string(),
            currency: line
                .money
                .map_or(String::new(), |money| money.currency().to_string()),
            amount: line
                .money
                .map_or(String::new(), |money| money.amount_text()),
            standing,
        });
    }
    let sums = sums.into_iter();
    let sums = sums.map(
        |((source, currency, old, old_code, new, new_code), rows)| MovedSum {
            outcome: Pair { old, new },
            code: Pair {
                old: old_code,
                new: new_code,
            },
            rows: SourceSum {
                source,
                currency,
                rows: rows.sum(currency),
            },
        },
    );
    (all, sums.collect())
}

/// Positions that are not open in both in the same way, and how many are.
fn positions(
    edge: &str,
    old: &ResultDoc,
    new: &ResultDoc,
    tallies: Option<&Pair<Tally>>,
) -> (Vec<PositionChange>, u64) {
    let mut all: BTreeMap<&str, Pair<Option<&OpenPosition>>> = BTreeMap::new();
    for position in open(old, edge) {
        all.entry(&position.fingerprint).or_default().old = Some(position);
    }
    for position in open(new, edge) {
        all.entry(&position.fingerprint).or_default().new = Some(position);
    }
    let mut same = 0;
    let mut changed = Vec::new();
    for (fingerprint, both) in all {
        let (class, elsewhere) = match (both.old, both.new) {
            (Some(before), Some(now)) => {
                if !alike(before, now) {
                    (PositionClass::Changed, Vec::new())
                } else if before.age_business_days == now.age_business_days {
                    same += 1;
                    continue;
                } else {
                    (PositionClass::Aged, Vec::new())
                }
            }
            (Some(position), None) => {
                let elsewhere = elsewhere(position, tallies.map(|tallies| &tallies.new));
                let closed = tallies.is_none() || !elsewhere.is_empty();
                let class = if closed {
                    PositionClass::Closed
                } else {
                    PositionClass::Gone
                };
                (class, elsewhere)
            }
            (None, Some(position)) => {
                let elsewhere = elsewhere(position, tallies.map(|tallies| &tallies.old));
                let opened = tallies.is_none() || !elsewhere.is_empty();
                let class = if opened {
                    PositionClass::Opened
                } else {
                    PositionClass::Arrived
                };
                (class, elsewhere)
            }
            (None, None) => continue,
        };
        changed.push(PositionChange {
            fingerprint: fingerprint.to_owned(),
            class,
            facts: Pair {
                old: both.old.map(facts),
                new: both.new.map(facts),
            },
            elsewhere,
        });
    }
    (changed, same)
}

/// Whether two positions of one name are the same but for their age and for the names of files.
fn alike(a: &OpenPosition, b: &OpenPosition) -> bool {
    let nearest = |position: &OpenPosition| {
        let nearest = position.nearest.as_ref()?;
        let record = nearest.item.as_ref().map(|item| item.record);
        Some((record, nearest.failed.clone()))
    };
    a.outcome == b.outcome
        && (a.code, &a.rule, &a.difference) == (b.code, &b.rule, &b.difference)
        && a.causes == b.causes
        && (a.since, a.due, a.due_not_determinable) == (b.since, b.due, b.due_not_determinable)
        && nearest(a) == nearest(b)
}

/// Where the records of a position stand in the other result.
fn elsewhere(position: &OpenPosition, other: Option<&Tally>) -> Vec<Elsewhere> {
    let mut found: BTreeMap<Standing, u64> = BTreeMap::new();
    for member in other.iter().flat_map(|_| &position.members) {
        let item = &member.item;
        let line = other.and_then(|tally| {
            let line = tally.find(&position.edge, &item.source, item.record)?;
            Some(tally.standing(line))
        });
        if let Some(standing) = line {
            *found.entry(standing).or_default() += 1;
        }
    }
    let found = found.into_iter();
    found
        .map(|(standing, records)| Elsewhere { records, standing })
        .collect()
}

fn facts(position: &OpenPosition) -> PositionFacts {
    let stake = at_stake(position);
    let first = position.members.first();
    PositionFacts {
        outcome: position.outcome,
        code: position.code.map(|code| code.code().to_owned()),
        since: position.since,
        age_business_days: position.age_business_days,
        due: position.due,
        records: position.members.len() as u64,
        reference: first.and_then(|member| member.item.references.values().next().cloned()),
        amount: stake.map(|stake| stake.amount_text()),
        currency: stake.map(MoneySum::currency),
    }
}

fn position_sums(positions: &[PositionChange]) -> Vec<PositionSum> {
    let mut sums: BTreeMap<(PositionClass, Option<Currency>), (u64, Pair<i128>)> = BTreeMap::new();
    for position in positions {
        let Pair { old, new } = &position.facts;
        let currency = new
            .as_ref()
            .or(old.as_ref())
            .and_then(|facts| facts.currency);
        let stake = |facts: &Option<PositionFacts>| {
            let text = facts.as_ref()?.amount.as_deref()?;
            minor("new", text, currency?).ok()
        };
        let sum = sums.entry((position.class, currency)).or_default();
        sum.0 += 1;
        sum.1.old += stake(old).unwrap_or(0);
        sum.1.new += stake(new).unwrap_or(0);
    }
    let sums = sums.into_iter();
    sums.map(|((class, currency), (positions, minor))| {
        let written = |minor| currency.map_or(String::new(), |currency| text(minor, currency));
        PositionSum {
            class,
            currency,
            positions,
            at_stake: Pair {
                old: written(minor.old),
                new: written(minor.new),
            },
        }
    })
    .collect()
}
