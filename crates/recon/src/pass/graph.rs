//! Which rows hang together.

use std::collections::BTreeMap;

use super::Keyed;

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

    /// For each node, whether it hangs together with at most one other.
    pub(super) fn in_pairs(mut self) -> Vec<bool> {
        let roots: Vec<usize> = (0..self.parent.len()).map(|node| self.root(node)).collect();
        let mut sizes = vec![0u32; roots.len()];
        roots.iter().for_each(|&root| sizes[root] += 1);
        roots.iter().map(|&root| sizes[root] <= 2).collect()
    }

    /// The same as rows of a key, of which the left ones are the first nodes.
    pub(super) fn rows(self, keyed: Keyed<'_>) -> Vec<(Vec<u32>, Vec<u32>)> {
        self.components()
            .iter()
            .map(|nodes| keyed.rows_of(nodes))
            .collect()
    }
}
