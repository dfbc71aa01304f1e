//! No key, but an identity token.

use std::collections::{BTreeMap, HashMap};

use quanfu_settlement::rules::Window;
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::{Found, Keyed, Keys, SAME_DAY, Turn};
use crate::compare::{Compared, Scales, figure};
use crate::edge::EdgeJob;
use crate::error::ReconError;

impl EdgeJob<'_> {
    /// No key, but a token: same figure, days within the window, unique both ways.
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
        let scales = self.scales();
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        let mut by_figure: BTreeMap<_, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for &row in left {
            by_figure
                .entry(figure(self.left, row, rule.left_amount, rule.rounding))
                .or_default()
                .0
                .push(row);
        }
        for &row in right {
            by_figure
                .entry(figure(self.right, row, rule.right_amount, rule.rounding))
                .or_default()
                .1
                .push(row);
        }
        for (lefts, rights) in by_figure
            .into_values()
            .filter(|(l, r)| !l.is_empty() && !r.is_empty())
        {
            for (lefts, rights) in self.token_components(&scales, window, &lefts, &rights) {
                if let ([l], [r]) = (&lefts[..], &rights[..]) {
                    let difference = scales.difference(rule, &[*l], &[*r]);
                    let compared = Compared {
                        difference,
                        ..Compared::default()
                    };
                    out.drafts
                        .push(self.judged(turn, compared, true, lefts, rights));
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
        }
        Ok(())
    }

    /// Rows of one figure that hang together: each fits one of the other side, by day and by what their keys say.
    ///
    /// Rows of one day with the same keys fit the same rows, so classes of them are compared, and a class with a key
    /// only with those that have the same one or none: equal amounts by the thousand cost no more than unequal ones.
    fn token_components(
        &self,
        scales: &Scales<'_>,
        window: Option<Window>,
        left: &[u32],
        right: &[u32],
    ) -> Vec<(Vec<u32>, Vec<u32>)> {
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
        let mut graph = Graph::new(left.len() + right.len());
        for (l, class) in left.iter().enumerate() {
            let candidates = match first_key(class) {
                None => [&all[..], &[]],
                Some(key) => [&without[..], with.get(&key).map_or(&[], Vec::as_slice)],
            };
            for &r in candidates.into_iter().flatten() {
                let other = &right[r];
                if !self.contradicts(&class.keys, &other.keys)
                    && scales.in_window(window, class.rows[0], other.rows[0])
                {
                    graph.join(l, left.len() + r);
                }
            }
        }
        let components = graph.components().into_iter().map(|nodes| {
            let mut found = (Vec::new(), Vec::new());
            for node in nodes {
                match left.get(node) {
                    Some(class) => found.0.extend(&class.rows),
                    None => found.1.extend(&right[node - left.len()].rows),
                }
            }
            found.0.sort_unstable();
            found.1.sort_unstable();
            found
        });
        components.collect()
    }

    /// Rows by their day and their keys under the rules by key of the edge.
    fn classes(&self, side: Side, rows: &[u32]) -> Vec<TokenClass> {
        let book = self.book(side);
        let mut classes: BTreeMap<(i32, Keys), Vec<u32>> = BTreeMap::new();
        for &row in rows {
            let keys = self.keys(side, row);
            let day = book.accounting_days()[row as usize];
            classes.entry((day, keys)).or_default().push(row);
        }
        let classes = classes.into_iter();
        classes
            .map(|((_, keys), rows)| TokenClass { keys, rows })
            .collect()
    }
}

/// Rows of one side that fit the same rows of the other side.
struct TokenClass {
    /// The key under each rule by key, where there is one.
    keys: Keys,
    /// The rows, one at least.
    rows: Vec<u32>,
}

/// What hangs together.
pub(super) struct Graph {
    parent: Vec<usize>,
    joined: Vec<bool>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            parent: (0..nodes).collect(),
            joined: vec![false; nodes],
        }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        self.joined[a] = true;
        self.joined[b] = true;
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    /// The components of more than one node, by their lowest node.
    pub(super) fn components(mut self) -> Vec<Vec<usize>> {
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for node in 0..self.parent.len() {
            if self.joined[node] {
                let root = self.root(node);
                found.entry(root).or_default().push(node);
            }
        }
        found.into_values().collect()
    }
}
