//! The key with a slip: inside a text, cut at one end, or one character wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use quanfu_settlement::rules::{Bounds, Near};
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::graph::Graph;
use super::{Found, Keyed, SAME_DAY, Turn, doubt};
use crate::compare::Figure;
use crate::edge::{Draft, EdgeJob, in_parallel};
use crate::error::ReconError;
use crate::kernel::hash;
use crate::key::push_field;

impl EdgeJob<'_> {
    /// Rows of the same figure (or the same but for an explained fee) whose references are near, unique both ways.
    pub(super) fn near_key(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        let Some(near) = &turn.rule.near else {
            return Ok(());
        };
        if left.is_empty() || right.is_empty() {
            return Ok(());
        }
        let texts = |side: Side| -> Vec<Option<String>> {
            let rows = keyed.side(side).iter();
            rows.map(|&row| self.near_text(near, side, row)).collect()
        };
        let (left_texts, right_texts) = (texts(Side::Left), texts(Side::Right));
        let mut by_figure: BTreeMap<Figure, [Vec<usize>; 2]> = BTreeMap::new();
        for (side, texts) in [(Side::Left, &left_texts), (Side::Right, &right_texts)] {
            for (at, &row) in keyed.side(side).iter().enumerate() {
                if texts[at].is_none() {
                    continue;
                }
                let whole = self.whole(turn.rule, side, row);
                let part = self.part(turn.rule, side, row);
                by_figure.entry(whole).or_default()[side as usize].push(at);
                if part != whole {
                    by_figure.entry(part).or_default()[side as usize].push(at);
                }
            }
        }
        let scales = self.scales();
        let window = Some(turn.rule.window.unwrap_or(SAME_DAY));
        let mut graph = Graph::new(left.len() + right.len());
        for [lefts, rights] in by_figure.values() {
            if lefts.len() as u64 * rights.len() as u64 > Bounds::PAIRS {
                out.undecided
                    .extend(lefts.iter().map(|&l| (Side::Left, left[l])));
                out.undecided
                    .extend(rights.iter().map(|&r| (Side::Right, right[r])));
                continue;
            }
            for &l in lefts {
                for &r in rights {
                    let (Some(a), Some(b)) = (&left_texts[l], &right_texts[r]) else {
                        continue;
                    };
                    let fits = are_near(a, b, near.min_chars.into())
                        && scales.in_window(window, left[l], right[r])
                        && scales.pair(turn.rule, left[l], right[r])?.code.is_none();
                    if fits {
                        graph.join(l, left.len() + r);
                    }
                }
            }
        }
        for (lefts, rights) in graph.rows(keyed) {
            out.drafts.push(match (&lefts[..], &rights[..]) {
                ([l], [r]) => self.pair(turn, *l, *r)?,
                _ => self.open_group(
                    turn,
                    Outcome::Ambiguous,
                    BreakCode::AmbiguousToken,
                    &lefts,
                    &rights,
                )?,
            });
        }
        Ok(())
    }

    fn near_text(&self, near: &Near, side: Side, row: u32) -> Option<String> {
        let (field, steps) = match side {
            Side::Left => (&near.on.left, &near.on.left_normalise),
            Side::Right => (&near.on.right, &near.on.right_normalise),
        };
        let mut text = String::new();
        push_field(field, steps, self.book(side), row, &mut text).then_some(text)
    }

    /// Where numbers stand close together a near one is no evidence: a pair is confirmed only if no other row of either
    /// source, whatever came of it, has a reference that is near to that of the other side.
    pub(crate) fn doubt_common_slips(&self, turn: Turn<'_>, drafts: &mut [Draft]) {
        let Some(near) = &turn.rule.near else { return };
        let confirmed: Vec<usize> = (0..drafts.len())
            .filter(|&at| drafts[at].group.outcome == Outcome::Confirmed)
            .collect();
        if confirmed.is_empty() {
            return;
        }
        let texts: [Vec<String>; 2] = [Side::Left, Side::Right].map(|side| {
            let row = |draft: &Draft| match side {
                Side::Left => draft.left[0],
                Side::Right => draft.right[0],
            };
            let texts = confirmed
                .iter()
                .map(|&at| self.near_text(near, side, row(&drafts[at])));
            texts.map(Option::unwrap_or_default).collect()
        });
        let mut doubted: HashSet<usize> = HashSet::new();
        for side in [Side::Left, Side::Right] {
            let (own, other) = (&texts[side as usize], &texts[side.other() as usize]);
            let index = Slips::new(other, near.min_chars.into());
            let book = self.book(side);
            let threads = self.threads.max(1);
            let found = in_parallel(threads, |worker| {
                let mut found: HashSet<usize> = HashSet::new();
                for row in (0..book.len()).skip(worker).step_by(threads) {
                    if let Some(text) = self.near_text(near, side, row) {
                        index.for_each_near(&text, |at| {
                            if own[at] != text {
                                found.insert(at);
                            }
                        });
                    }
                }
                found
            });
            doubted.extend(found.into_iter().flatten());
        }
        for at in doubted {
            doubt(&mut drafts[confirmed[at]]);
        }
    }
}

/// Whether two texts are the same but for a slip: one holds the other, or one character is wrong, lacking, too much, or
/// changed places with the next. The shorter one must have so many characters.
pub(super) fn are_near(a: &str, b: &str, min_chars: usize) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let has_chars = |text: &str| text.len() >= min_chars && text.chars().count() >= min_chars;
    has_chars(short) && has_chars(long) && (long.contains(short) || is_slip(short, long))
}

fn is_slip(a: &str, b: &str) -> bool {
    let same = |(a, b): &(char, char)| a == b;
    let head: usize = a
        .chars()
        .zip(b.chars())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let (a, b) = (&a[head..], &b[head..]);
    let tail: usize = a
        .chars()
        .rev()
        .zip(b.chars().rev())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let mut a = a[..a.len() - tail].chars();
    let mut b = b[..b.len() - tail].chars();
    match (
        [a.next(), a.next(), a.next()],
        [b.next(), b.next(), b.next()],
    ) {
        ([_, None, _], [_, None, _]) => true,
        ([Some(a1), Some(a2), None], [Some(b1), Some(b2), None]) => a1 == b2 && a2 == b1,
        _ => false,
    }
}

/// Texts by what they share with a near one: themselves less one character, their beginnings, and any part as long as
/// the shortest text that counts.
struct Slips<'t> {
    texts: &'t [String],
    min_chars: usize,
    by_lack: HashMap<u64, Vec<usize>>,
    by_start: HashMap<u64, Vec<usize>>,
    by_part: HashMap<u64, Vec<usize>>,
}

impl<'t> Slips<'t> {
    fn new(texts: &'t [String], min_chars: usize) -> Self {
        let mut slips = Self {
            texts,
            min_chars,
            by_lack: HashMap::new(),
            by_start: HashMap::new(),
            by_part: HashMap::new(),
        };
        for (at, text) in texts.iter().enumerate() {
            each_lack(text, |lack| slips.by_lack.entry(lack).or_default().push(at));
            each_part(text, min_chars, |place, part| {
                if place == 0 {
                    slips.by_start.entry(part).or_default().push(at);
                }
                slips.by_part.entry(part).or_default().push(at);
            });
        }
        slips
    }

    fn for_each_near(&self, text: &str, mut each: impl FnMut(usize)) {
        let mut check = |found: Option<&Vec<usize>>| {
            for &at in found.into_iter().flatten() {
                if are_near(text, &self.texts[at], self.min_chars) {
                    each(at);
                }
            }
        };
        each_lack(text, |lack| check(self.by_lack.get(&lack)));
        each_part(text, self.min_chars, |place, part| {
            check(self.by_start.get(&part));
            if place == 0 {
                check(self.by_part.get(&part));
            }
        });
    }
}

/// Hashes of a text, and of it less each one of its characters.
fn each_lack(text: &str, mut each: impl FnMut(u64)) {
    each(hash(text.as_bytes(), 0));
    let mut less = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        less.clear();
        less.push_str(&text[..at]);
        less.push_str(&text[at + c.len_utf8()..]);
        each(hash(less.as_bytes(), 0));
    }
}

/// Hashes of all parts of so many characters, with their place.
fn each_part(text: &str, chars: usize, mut each: impl FnMut(usize, u64)) {
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .skip(chars);
    for (place, (start, end)) in starts.zip(ends).enumerate() {
        each(place, hash(&text.as_bytes()[start..end], 0));
    }
}
