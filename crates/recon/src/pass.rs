//! The ways of matching, one file each. Each sees the open rows of one key and makes groups of them.

mod assignment;
mod batch;
mod crowd;
mod graph;
mod group;
mod key;
mod near;
mod run;
mod subset;
mod token;

use quanfu_settlement::outcome::Search;
use quanfu_settlement::rules::{AmountOf, Decide, Explain, MatchRule, SourceRole, Window};
use quanfu_settlement::{BreakCode, Outcome, PassKind, Side};

use crate::compare::{Compared, Figure, fee, figure};
use crate::edge::{Draft, EdgeJob};
use crate::error::ReconError;
use crate::key::push_key;

/// The rows of one key.
#[derive(Clone, Copy)]
pub(crate) struct Keyed<'k> {
    pub left: &'k [u32],
    pub right: &'k [u32],
}

impl<'k> Keyed<'k> {
    fn side(&self, side: Side) -> &'k [u32] {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// The rows of nodes in rising order, of which the left rows are the first.
    fn rows_of(&self, nodes: &[usize]) -> (Vec<u32>, Vec<u32>) {
        let lefts = self.left.len();
        let (left, right) = nodes.split_at(nodes.partition_point(|&node| node < lefts));
        let left = left.iter().map(|&node| self.left[node]);
        let right = right.iter().map(|&node| self.right[node - lefts]);
        (left.collect(), right.collect())
    }
}

/// One rule at work.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'r> {
    /// Its index in the edge.
    pub index: u8,
    pub rule: &'r MatchRule,
    /// Steps that the search for one line may take.
    pub nodes: u64,
}

/// What a pass made of the rows of some keys.
#[derive(Default)]
pub(crate) struct Found {
    pub drafts: Vec<Draft>,
    /// Rows whose search ended at its bounds; they stay open.
    pub undecided: Vec<(Side, u32)>,
}

/// Distance of days of the passes without a key, unless the rule names another: the same day.
const SAME_DAY: Window = Window {
    from: 0,
    until: 0,
    business_days: false,
};

impl EdgeJob<'_> {
    /// Lets the rule's pass decide on the rows of one key.
    pub(crate) fn decide(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        match turn.rule.pass {
            PassKind::UniqueKey => self.unique_key(turn, keyed, out),
            PassKind::KeyGroup => self.key_group(turn, keyed, out),
            PassKind::NetBatch => self.net_batch(turn, keyed, out),
            PassKind::RunBatch => self.run_batch(turn, keyed, out),
            PassKind::ExactToken => self.exact_token(turn, keyed, out),
            PassKind::NearKey => self.near_key(turn, keyed, out),
            PassKind::Assignment => self.assignment(turn, keyed, out),
            PassKind::Subset => self.subset(turn, keyed, out),
        }
    }

    /// Which side has the one line for several rows.
    pub(crate) fn single(&self, rule: &MatchRule) -> Side {
        let default = if self.role(Side::Left) == SourceRole::Bank {
            Side::Left
        } else {
            Side::Right
        };
        rule.single.unwrap_or(default)
    }

    /// Whether every row of one side lies within the window of every row of the other.
    fn all_in_window(&self, rule: &MatchRule, keyed: Keyed<'_>) -> bool {
        let ends = |side: Side| {
            let days = self.book(side).accounting_days();
            let day = |row: &&u32| days[**row as usize];
            let rows = keyed.side(side);
            Some((*rows.iter().min_by_key(day)?, *rows.iter().max_by_key(day)?))
        };
        let (Some(left), Some(right)) = (ends(Side::Left), ends(Side::Right)) else {
            return true;
        };
        let scales = self.scales();
        // the farthest apart, either way; a row without a day is the earliest and lies in no window
        [(left.0, right.1), (left.1, right.0), (left.0, right.0)]
            .into_iter()
            .all(|(l, r)| scales.in_window(rule.window, l, r))
    }

    /// The windows of all rules by token that have this key, each wider by the days that an item may be carried: what
    /// lies in one of them may be what a row waits for.
    fn waiting_windows(&self, rule: &MatchRule) -> Vec<Window> {
        let carried = self.rules.carry_business_days.unwrap_or(0);
        let carried = i32::try_from(carried).unwrap_or(i32::MAX);
        let of_token =
            |other: &&MatchRule| other.pass == PassKind::ExactToken && other.on == rule.on;
        let windows = self.edge.rules.iter().filter(of_token).map(|rule| {
            let window = rule.window.unwrap_or(SAME_DAY);
            Window {
                from: window.from.saturating_sub(carried),
                until: window.until.saturating_add(carried),
                ..window
            }
        });
        windows.collect()
    }

    /// Whether a rule by key of the edge tells the two rows apart.
    fn contradicts(&self, left: &Keys, right: &Keys) -> bool {
        let mut keys = left.iter().zip(right);
        keys.any(|(l, r)| l.is_some() && r.is_some() && l != r)
    }

    /// The keys of a row under the rules by key of the edge.
    fn keys(&self, side: Side, row: u32) -> Keys {
        let by_key = self.edge.rules.iter().filter(|rule| rule.pass.is_by_key());
        let key = |rule: &MatchRule| {
            let mut text = String::new();
            push_key(rule, side, self.book(side), row, &mut text).then_some(text)
        };
        by_key.map(key).collect()
    }

    /// The figure that a row of several brings to the sum: less its own fee, if fees explain.
    fn part(&self, rule: &MatchRule, side: Side, row: u32) -> Figure {
        let which = match side {
            Side::Left => rule.left_amount,
            Side::Right => rule.right_amount,
        };
        let (minor, currency) = figure(self.book(side), row, which, rule.rounding);
        let deducted = rule.explain.contains(&Explain::Fee) && which != AmountOf::Original;
        let own_fee = if deducted {
            fee(self.book(side), row, rule.rounding).unwrap_or(0)
        } else {
            0
        };
        (minor - own_fee, currency)
    }

    /// The figure of a line.
    fn whole(&self, rule: &MatchRule, side: Side, row: u32) -> Figure {
        let which = match side {
            Side::Left => rule.left_amount,
            Side::Right => rule.right_amount,
        };
        figure(self.book(side), row, which, rule.rounding)
    }

    /// How many rows a line says it stands for.
    fn counted(&self, rule: &MatchRule, side: Side, row: u32) -> Option<u64> {
        self.book(side).reference(row, rule.count?)?.parse().ok()
    }

    /// Whether a search found one row of several for one line that does not say that it stands for one: that may as well
    /// be a stranger's.
    fn is_lone(&self, turn: Turn<'_>, lines: &[u32], rows: usize, search: Search) -> bool {
        let single = self.single(turn.rule);
        rows == 1
            && search.pool > 1
            && lines.len() == 1
            && self.counted(turn.rule, single, lines[0]).is_none()
            && turn.rule.bounds.chance_millionths != 1_000_000
    }

    /// A group that a search found: the only one within its bounds.
    fn searched(
        &self,
        turn: Turn<'_>,
        search: Search,
        is_sure: bool,
        left: Vec<u32>,
        right: Vec<u32>,
    ) -> Result<Draft, ReconError> {
        let many_is_left = self.single(turn.rule) == Side::Right;
        let compared = self
            .scales()
            .batch(turn.rule, &left, &right, many_is_left)?;
        let mut draft = self.judged(turn, compared, true, left, right);
        if !is_sure {
            doubt(&mut draft);
        }
        draft.group.search = Some(search);
        Ok(draft)
    }

    /// A line that several sets of rows fit.
    fn undetermined(
        &self,
        turn: Turn<'_>,
        search: Search,
        line: u32,
        mut alternatives: Vec<Vec<u32>>,
    ) -> Draft {
        let single = self.single(turn.rule);
        let book = self.book(single.other());
        for rows in &mut alternatives {
            rows.sort_unstable_by_key(|&row| book.id(row));
        }
        alternatives.sort_by_key(|rows| rows.iter().map(|&row| book.id(row)).collect::<Vec<_>>());
        alternatives.dedup();
        let mut draft = self.one_sided(
            single,
            vec![line],
            Outcome::Ambiguous,
            BreakCode::AmbiguousSubset,
        );
        draft.group.rule = Some(turn.index);
        draft.group.search = Some(search);
        draft.group.alternatives = alternatives;
        draft
    }

    /// Turns a comparison into a group.
    pub(crate) fn judged(
        &self,
        turn: Turn<'_>,
        compared: Compared,
        in_window: bool,
        left: Vec<u32>,
        right: Vec<u32>,
    ) -> Draft {
        let over_refunded = |side: Side, rows: &[u32]| {
            rows.iter()
                .any(|row| self.facts(side).over_refunded.contains(row))
        };
        let (outcome, code) = match compared.code {
            Some(code) => (Outcome::Break, Some(code)),
            None if over_refunded(Side::Left, &left) || over_refunded(Side::Right, &right) => {
                (Outcome::Break, Some(BreakCode::RefundMislink))
            }
            None if !in_window => (Outcome::Suggested, Some(BreakCode::DateOutsideWindow)),
            None if turn.rule.decide == Decide::Suggest => {
                (Outcome::Suggested, Some(BreakCode::RuleSuggests))
            }
            None => (Outcome::Confirmed, None),
        };
        let mut draft = self.draft(outcome, code, Some(turn.index), left, right);
        draft.group.difference = compared.difference;
        draft.group.causes = compared.causes;
        draft
    }
}

/// Makes a confirmed group a suggestion: it is the only one that fits, and may well be chance.
pub(crate) fn doubt(draft: &mut Draft) {
    if draft.group.outcome == Outcome::Confirmed {
        draft.group.outcome = Outcome::Suggested;
        draft.group.code = Some(BreakCode::WeakEvidence);
    }
}

/// The keys of a row under the rules by key of an edge, where it has them.
type Keys = Vec<Option<String>>;

/// How many of so many sets would tie by chance with a line of that amount, in millionths, rounded up: a sum of the
/// line's size falls on any figure from one to the line's own about equally often.
fn chance_millionths(sets: u64, tolerance: u64, target: i128) -> u64 {
    let hits = u128::from(sets).saturating_mul(2 * u128::from(tolerance) + 1);
    let millionths = hits
        .saturating_mul(1_000_000)
        .div_ceil(target.unsigned_abs().max(1));
    u64::try_from(millionths).unwrap_or(u64::MAX)
}

/// The greatest tolerance of a rule for a currency.
fn tolerance_for(rule: &MatchRule, currency: quanfu_money::Currency) -> u64 {
    let fits = rule
        .tolerances
        .iter()
        .filter(|tolerance| tolerance.currency.is_none_or(|c| c == currency));
    fits.map(|tolerance| tolerance.max_minor).max().unwrap_or(0)
}
