//! What the rules made of a challenge.

use std::collections::{BTreeMap, HashMap};

use quanfu_settlement::challenge::{ClassScore, EdgeScore, SCHEMA, WrongPair, WrongRow};
use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::{
    Book, ChallengeClass, ChallengeDoc, Group, Outcome, Outcomes, RecordId, Rules, Side,
};

use super::Challenge;

/// How many wrong pairs are listed.
const LISTED: usize = 10;

impl Challenge {
    /// Judges what the runs gave: one outcome for each of [`Challenge::days`], in their order. A confirmed group is
    /// right if each of its left rows belongs to each of its right rows.
    ///
    /// # Panics
    ///
    /// If the outcomes are those of other rows.
    #[must_use]
    pub fn judge(&self, rules: &Rules, runs: &[&Outcomes]) -> ChallengeDoc {
        let mut names: Vec<HashMap<RecordId, u32>> = vec![HashMap::new(); rules.sources.len()];
        // for each row of the truth and each run: its group on its own edge
        let mut found: Vec<Vec<Option<u32>>> = Vec::new();
        let mut scores: Vec<BTreeMap<ChallengeClass, ClassScore>> =
            vec![BTreeMap::new(); rules.edges.len()];
        let mut totals = vec![(0, 0); rules.edges.len()];
        let mut wrong_pairs = Kinds::new();
        for (day, run) in self.days.iter().zip(runs) {
            let numbers: Vec<Vec<u32>> = (0..rules.sources.len())
                .map(|source| numbers(&run.books[source], &day.numbers[source], &mut names[source]))
                .collect();
            let mut groups: Vec<Option<u32>> = vec![None; self.truth.len()];
            for (index, (edge, outcomes)) in rules.edges.iter().zip(&run.edges).enumerate() {
                let sides = [edge.left, edge.right];
                for side in [Side::Left, Side::Right] {
                    for (row, outcome) in outcomes.side(side).iter().enumerate() {
                        let number = numbers[sides[side as usize]][row] as usize;
                        if self.truth[number].edge == index {
                            groups[number] = outcome.group;
                        }
                    }
                }
                let look = Look {
                    challenge: self,
                    rules,
                    index,
                    run,
                    numbers: &numbers,
                };
                look.count_wrong(
                    outcomes,
                    &mut scores[index],
                    &mut totals[index],
                    &mut wrong_pairs,
                );
            }
            found.push(groups);
        }
        self.count_pairs(runs, &found, &mut scores);
        let edges = rules
            .edges
            .iter()
            .enumerate()
            .map(|(index, edge)| EdgeScore {
                name: edge.name.clone(),
                left: rules.sources[edge.left].name.clone(),
                right: rules.sources[edge.right].name.clone(),
                classes: std::mem::take(&mut scores[index]).into_values().collect(),
                left_out: self.left_out[index].clone(),
                confirmed_pairs: totals[index].0,
                wrong: totals[index].1,
            });
        let edges: Vec<EdgeScore> = edges.collect();
        ChallengeDoc {
            schema: SCHEMA.to_owned(),
            engine: concat!("quanfu ", env!("CARGO_PKG_VERSION")).to_owned(),
            rules: rules.name.clone(),
            seed: self.seed,
            rows: self.row_count(),
            days: self.days.iter().map(|day| day.as_of).collect(),
            wrong: edges.iter().map(|edge| edge.wrong).sum(),
            edges,
            wrong_pairs: first_of_each(wrong_pairs),
        }
    }

    /// Counts cases, rows, and pairs that belong together by what came of them.
    fn count_pairs(
        &self,
        runs: &[&Outcomes],
        found: &[Vec<Option<u32>>],
        scores: &mut [BTreeMap<ChallengeClass, ClassScore>],
    ) {
        let mut members: Vec<[Vec<usize>; 2]> = vec![Default::default(); self.groups.len()];
        let mut edges = vec![0; self.groups.len()];
        for (number, row) in self.truth.iter().enumerate() {
            let group = row.group as usize;
            edges[group] = row.edge;
            let class = self.groups[group].class;
            score(&mut scores[row.edge], class).rows += 1;
            if !row.is_spare {
                members[group][row.side as usize].push(number);
            }
        }
        let mut last_case = None;
        for (group, [left, right]) in members.iter().enumerate() {
            let planted = self.groups[group];
            let score = score(&mut scores[edges[group]], planted.class);
            if last_case != Some(planted.case) {
                last_case = Some(planted.case);
                score.planted += 1;
            }
            for &l in left {
                for &r in right {
                    let of_run = |(run, groups): (&&Outcomes, &Vec<Option<u32>>)| {
                        let same = groups[l].filter(|_| groups[l] == groups[r])?;
                        let outcomes: &EdgeOutcomes = &run.edges[edges[group]];
                        outcomes
                            .groups
                            .get(same as usize)
                            .map(|group| group.outcome)
                    };
                    // outcomes are listed from the best on
                    score.count(runs.iter().zip(found).filter_map(of_run).min());
                }
            }
        }
    }
}

/// Wrong pairs by edge, rule and classes.
type Kinds = BTreeMap<(usize, Option<u8>, [ChallengeClass; 2]), Vec<WrongPair>>;

/// Some of each kind, so that a common one hides no rare one.
fn first_of_each(kinds: Kinds) -> Vec<WrongPair> {
    let mut kinds: Vec<_> = kinds.into_values().map(Vec::into_iter).collect();
    let mut listed = Vec::new();
    while listed.len() < LISTED {
        let before = listed.len();
        listed.extend(kinds.iter_mut().filter_map(Iterator::next));
        if listed.len() == before {
            break;
        }
    }
    listed.truncate(LISTED);
    listed
}

fn score(
    scores: &mut BTreeMap<ChallengeClass, ClassScore>,
    class: ChallengeClass,
) -> &mut ClassScore {
    scores
        .entry(class)
        .or_insert_with(|| ClassScore::new(class))
}

/// The number in the truth of every row of a book; items carried in are known by their names.
fn numbers(book: &Book, new: &[u32], names: &mut HashMap<RecordId, u32>) -> Vec<u32> {
    let mut new = new.iter();
    let mut all = Vec::with_capacity(book.len() as usize);
    for row in 0..book.len() {
        let id = book.id(row);
        let number = match book.carried(row) {
            Some(_) => names.get(&id),
            None => new.next(),
        };
        all.push(*number.expect("the books hold the rows of this challenge, in their order"));
    }
    assert!(
        new.next().is_none(),
        "the books hold all rows of this challenge"
    );
    for (row, &number) in all.iter().enumerate() {
        names.insert(book.id(row as u32), number);
    }
    all
}

/// One edge of one run.
struct Look<'l> {
    challenge: &'l Challenge,
    rules: &'l Rules,
    index: usize,
    run: &'l Outcomes,
    numbers: &'l [Vec<u32>],
}

impl Look<'_> {
    fn source(&self, side: Side) -> usize {
        let edge = &self.rules.edges[self.index];
        match side {
            Side::Left => edge.left,
            Side::Right => edge.right,
        }
    }

    /// Counts pairs of confirmed and suggested groups that do not belong together.
    fn count_wrong(
        &self,
        outcomes: &EdgeOutcomes,
        scores: &mut BTreeMap<ChallengeClass, ClassScore>,
        (confirmed, wrong): &mut (u64, u64),
        listed: &mut Kinds,
    ) {
        for group in &outcomes.groups {
            let is_confirmed = group.outcome == Outcome::Confirmed;
            if !is_confirmed && group.outcome != Outcome::Suggested {
                continue;
            }
            for &left in outcomes.left_members(group) {
                for &right in outcomes.right_members(group) {
                    *confirmed += u64::from(is_confirmed);
                    if self.belong(left, right) {
                        continue;
                    }
                    let classes = [(Side::Left, left), (Side::Right, right)]
                        .map(|(side, row)| self.class(side, row));
                    for (at, class) in classes.into_iter().enumerate() {
                        if at == 1 && classes[0] == class {
                            continue;
                        }
                        let score = score(scores, class);
                        *if is_confirmed {
                            &mut score.wrong
                        } else {
                            &mut score.wrongly_suggested
                        } += 1;
                    }
                    if is_confirmed {
                        *wrong += 1;
                        // groups are ordered by id
                        let kind = (self.index, group.rule, classes);
                        let listed = listed.entry(kind).or_default();
                        if listed.len() < LISTED {
                            listed.push(self.wrong_pair(group, left, right));
                        }
                    }
                }
            }
        }
    }

    fn number(&self, side: Side, row: u32) -> usize {
        self.numbers[self.source(side)][row as usize] as usize
    }

    fn class(&self, side: Side, row: u32) -> ChallengeClass {
        let truth = self.challenge.truth[self.number(side, row)];
        self.challenge.groups[truth.group as usize].class
    }

    fn belong(&self, left: u32, right: u32) -> bool {
        let [l, r] = [(Side::Left, left), (Side::Right, right)]
            .map(|(side, row)| self.challenge.truth[self.number(side, row)]);
        l.edge == self.index
            && r.edge == self.index
            && l.group == r.group
            && self.class(Side::Left, left) != ChallengeClass::CurrencyOther
    }

    fn wrong_pair(&self, group: &Group, left: u32, right: u32) -> WrongPair {
        let edge = &self.rules.edges[self.index];
        let rule = group.rule.and_then(|rule| edge.rules.get(rule as usize));
        let row = |side: Side, row: u32| {
            let book = &self.run.books[self.source(side)];
            WrongRow {
                source: book.source().to_owned(),
                record: book.id(row),
                class: self.class(side, row),
                amount: book.money(row).amount_text(),
                currency: book.currency(row),
                day: book.accounting_day(row),
            }
        };
        WrongPair {
            edge: edge.name.clone(),
            rule: rule.map(|rule| rule.id.clone()),
            as_of: self.run.as_of,
            group: group.name(),
            members: [group.left, group.right],
            left: row(Side::Left, left),
            right: row(Side::Right, right),
        }
    }
}
