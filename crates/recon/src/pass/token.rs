//! No key, but an identity token.

use std::collections::{BTreeMap, HashMap};

use quanfu_settlement::rules::Window;
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::graph::Graph;
use super::{Found, Keyed, Keys, SAME_DAY, Turn, doubt};
use crate::compare::Figure;
use crate::edge::EdgeJob;
use crate::error::ReconError;

impl EdgeJob<'_> {
    /// No key, but a token: same figure (or the same but for an explained fee), days within the window, unique both ways,
    /// also among rows that may still wait for what came now.
    /// Rows with and without their fee are looked at together, so that a net amount is a rival of an equal gross one.
    pub(super) fn exact_token(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        let rule = turn.rule;
        if left.is_empty() || right.is_empty() {
            return Ok(());
        }
        let mut by_figure: BTreeMap<Figure, [Vec<Placed>; 2]> = BTreeMap::new();
        for side in [Side::Left, Side::Right] {
            for (at, &row) in keyed.side(side).iter().enumerate() {
                let whole = self.whole(rule, side, row);
                let part = self.part(rule, side, row);
                let mut place = |figure, is_part| {
                    let placed = Placed { at, row, is_part };
                    by_figure.entry(figure).or_default()[side as usize].push(placed);
                };
                place(whole, false);
                if part != whole {
                    place(part, true);
                }
            }
        }
        let window = rule.window.unwrap_or(SAME_DAY);
        let waiting = self.waiting_windows(rule);
        let crowd = self.crowd(turn, keyed);
        let mut graph = Graph::new(left.len() + right.len());
        let mut rivals = Graph::new(left.len() + right.len());
        for [lefts, rights] in by_figure.values() {
            if !lefts.is_empty() && !rights.is_empty() {
                self.link_by_token(&[window], lefts, rights, left.len(), &mut graph);
                self.link_by_token(&waiting, lefts, rights, left.len(), &mut rivals);
            }
        }
        let is_in_pair = rivals.in_pairs();
        let takes_chance = rule.bounds.chance_millionths == 1_000_000;
        for nodes in graph.components() {
            let (lefts, rights) = keyed.rows_of(&nodes);
            if let ([l], [r]) = (&lefts[..], &rights[..]) {
                let compared = self.scales().pair(rule, *l, *r)?;
                let pair = (*l, *r);
                let mut draft = self.judged(turn, compared, true, lefts, rights);
                let has_rival = !is_in_pair[nodes[0]] && !takes_chance;
                if has_rival || self.is_crowded(turn, &crowd, Some(window), 0, pair) {
                    doubt(&mut draft);
                }
                out.drafts.push(draft);
            } else {
                out.drafts.push(self.open_group(
                    turn,
                    Outcome::Ambiguous,
                    BreakCode::AmbiguousToken,
                    &lefts,
                    &rights,
                )?);
            }
        }
        Ok(())
    }

    /// Joins rows of one figure that fit by day and by what their keys say; two figures that both lack a fee do not.
    ///
    /// Rows of one day with the same keys fit the same rows, so classes of them are compared, and a class with a key
    /// only with those that have the same one or none: equal amounts by the thousand cost no more than unequal ones.
    fn link_by_token(
        &self,
        windows: &[Window],
        left: &[Placed],
        right: &[Placed],
        rights_from: usize,
        graph: &mut Graph,
    ) {
        let scales = self.scales();
        let left = self.classes(Side::Left, left);
        let right = self.classes(Side::Right, right);
        let first_key = |class: &TokenClass| class.keys.first().cloned().flatten();
        let (mut without, mut with): (Vec<usize>, HashMap<String, Vec<usize>>) = Default::default();
        for (index, class) in right.iter().enumerate() {
            match first_key(class) {
                None => without.push(index),
                Some(key) => with.entry(key).or_default().push(index),
            }
        }
        let all: Vec<usize> = (0..right.len()).collect();
        for class in &left {
            let candidates = match first_key(class) {
                None => [&all[..], &[]],
                Some(key) => [&without[..], with.get(&key).map_or(&[], Vec::as_slice)],
            };
            for &r in candidates.into_iter().flatten() {
                let other = &right[r];
                let both_lack_a_fee = class.is_part && other.is_part;
                let (a, b) = (class.rows[0].row, other.rows[0].row);
                if !both_lack_a_fee
                    && !self.contradicts(&class.keys, &other.keys)
                    && windows
                        .iter()
                        .any(|&window| scales.in_window(Some(window), a, b))
                {
                    let (l, r) = (class.rows[0].at, rights_from + other.rows[0].at);
                    class
                        .rows
                        .iter()
                        .for_each(|placed| graph.join(placed.at, r));
                    other
                        .rows
                        .iter()
                        .for_each(|placed| graph.join(l, rights_from + placed.at));
                }
            }
        }
    }

    /// Rows by their day, their keys under the rules by key of the edge, and whether their fee is off.
    fn classes(&self, side: Side, rows: &[Placed]) -> Vec<TokenClass> {
        let book = self.book(side);
        let mut classes: BTreeMap<(i32, Keys, bool), Vec<Placed>> = BTreeMap::new();
        for &placed in rows {
            let keys = self.keys(side, placed.row);
            let day = book.accounting_days()[placed.row as usize];
            classes
                .entry((day, keys, placed.is_part))
                .or_default()
                .push(placed);
        }
        classes
            .into_iter()
            .map(|((_, keys, is_part), rows)| TokenClass {
                keys,
                is_part,
                rows,
            })
            .collect()
    }
}

/// A row and its place among those of the key.
#[derive(Clone, Copy)]
struct Placed {
    at: usize,
    row: u32,
    /// Whether its fee is off.
    is_part: bool,
}

/// Rows of one side that fit the same rows of the other side.
struct TokenClass {
    /// The key under each rule by key, where there is one.
    keys: Keys,
    is_part: bool,
    /// The rows, one at least.
    rows: Vec<Placed>,
}
