//! The key with a slip: inside a text, cut at one end, or one character wrong.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use quanfu_settlement::rules::{Bounds, Near};
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::graph::Graph;
use super::{Found, Keyed, SAME_DAY, Turn, doubt};
use crate::compare::Figure;
use crate::edge::{BY_KEY, Draft, EdgeJob, in_parallel};
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
        let texts_of = self.texts_of();
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
                    let fits = tells(a, b, texts_of, near.min_chars.into())
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

    /// Which side has texts rather than references: the later in the chain; `None`: the two are alike.
    fn texts_of(&self) -> Option<Side> {
        match self.role(Side::Left).cmp(&self.role(Side::Right)) {
            Ordering::Less => Some(Side::Right),
            Ordering::Greater => Some(Side::Left),
            Ordering::Equal => None,
        }
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
    /// source has a reference that is near to that of the other side. A row that its own number confirmed is no rival of a
    /// slip, unless numbers are so dense where the slip is that the wrong number may well be another payment's own.
    pub(crate) fn doubt_common_slips(
        &self,
        turn: Turn<'_>,
        state: &[Vec<u8>; 2],
        drafts: &mut [Draft],
    ) {
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
            let stems = Stems::new(own, other);
            let book = self.book(side);
            let threads = self.threads.max(1);
            let found = in_parallel(threads, |worker| {
                let mut rivals = index.rivals();
                let mut counts = stems.counts();
                for row in (0..book.len()).skip(worker).step_by(threads) {
                    if let Some(text) = self.near_text(near, side, row) {
                        let has_own = state[side as usize][row as usize] == BY_KEY;
                        index.count(&text, has_own, &mut rivals);
                        stems.count(&text, &mut counts);
                    }
                }
                (rivals, counts)
            });
            let mut rivals = index.rivals();
            let mut counts = stems.counts();
            for (of_worker, counted) in found {
                for (all, one) in rivals.iter_mut().zip(of_worker) {
                    all.add_all(one);
                }
                for (sum, count) in counts.iter_mut().zip(counted) {
                    *sum += count;
                }
            }
            let has_rival = |at: &usize| {
                let is_slip = is_slip(&own[*at], &other[*at]);
                rivals[index.places[other[*at].as_str()]].has_other(&own[*at], is_slip)
            };
            doubted.extend((0..confirmed.len()).filter(has_rival));
            let chance = turn.rule.bounds.chance_millionths;
            doubted.extend((0..confirmed.len()).filter(|&at| stems.is_dense(at, &counts, chance)));
        }
        for at in doubted {
            doubt(&mut drafts[confirmed[at]]);
        }
    }
}

/// Slips by the characters before them: other numbers of the same length with the same beginning tell how many of the
/// numbers that the wrong one could be are taken.
struct Stems<'t> {
    own: &'t [String],
    other: &'t [String],
    /// Lengths and beginnings of wrong numbers, with the place of their count.
    stems: HashMap<(usize, &'t str), usize>,
    /// Texts of both sides of slips, which are not other numbers, with the place of their count.
    texts: HashMap<&'t str, usize>,
    /// How many bytes stems have.
    lengths: BTreeSet<usize>,
}

impl<'t> Stems<'t> {
    fn new(own: &'t [String], other: &'t [String]) -> Self {
        let (mut stems, mut texts) = (HashMap::new(), HashMap::new());
        let mut lengths = BTreeSet::new();
        let mut places = 0..;
        for (a, b) in own.iter().zip(other).filter(|(a, b)| is_slip(a, b)) {
            let stem = &b[..stem(a, b)];
            lengths.insert(stem.len());
            stems
                .entry((b.len(), stem))
                .or_insert_with(|| places.next().unwrap_or_default());
            for text in [a, b] {
                texts
                    .entry(text.as_str())
                    .or_insert_with(|| places.next().unwrap_or_default());
            }
        }
        Self {
            own,
            other,
            stems,
            texts,
            lengths,
        }
    }

    fn counts(&self) -> Vec<u64> {
        vec![0; self.stems.len() + self.texts.len()]
    }

    fn count(&self, text: &str, counts: &mut [u64]) {
        if let Some(&place) = self.texts.get(text) {
            counts[place] += 1;
        }
        let shorter = self.lengths.iter().take_while(|&&end| end < text.len());
        for stem in shorter.filter_map(|&end| text.get(..end)) {
            if let Some(&place) = self.stems.get(&(text.len(), stem)) {
                counts[place] += 1;
            }
        }
    }

    /// Whether so many other numbers stand where the slip is that its wrong number may well be one of them.
    fn is_dense(&self, at: usize, counts: &[u64], chance_millionths: u64) -> bool {
        let (own, other) = (self.own[at].as_str(), self.other[at].as_str());
        let stem = stem(own, other);
        let place = self.stems.get(&(other.len(), &other[..stem]));
        let Some(&place) = place.filter(|_| stem < other.len()) else {
            return false; // cut, not wrong
        };
        let of_text = |text: &str| self.texts.get(text).map_or(0, |&place| counts[place]);
        let mut others = counts[place] - of_text(other);
        if own.len() == other.len() {
            others -= of_text(own);
        }
        let rest = &other[stem..];
        let is_digits = rest.bytes().all(|byte| byte.is_ascii_digit());
        let base: u128 = if is_digits { 10 } else { 16 };
        let room = base.saturating_pow(rest.chars().count() as u32);
        u128::from(others) * 1_000_000 > u128::from(chance_millionths).saturating_mul(room)
    }
}

/// Bytes of the characters that two texts begin with.
fn stem(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// Whether two references tell of one payment: one holds the other as a word of its own, or the text is the reference cut
/// at one end, or there is one slip. A number inside a longer one is another number.
fn tells(left: &str, right: &str, texts_of: Option<Side>, min_chars: usize) -> bool {
    if !are_near(left, right, min_chars) {
        return false;
    }
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    let is_text_short = match texts_of {
        Some(Side::Left) => left.len() < right.len(),
        Some(Side::Right) => right.len() < left.len(),
        None => true,
    };
    let is_cut = is_text_short && (long.starts_with(short) || long.ends_with(short));
    is_slip(short, long) && !long.contains(short) || is_cut || holds_word(long, short)
}

/// Whether a text holds another one that no letter or digit goes on from; zeros before it, and letters before a number of
/// digits only, are its dressing.
fn holds_word(text: &str, word: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_alphanumeric() || c.is_numeric();
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(word).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + word.len()..]);
        let before = before.chars().rev().take_while(|&c| is_of_number(c));
        let mut before = before.skip_while(|&c| c == '0');
        let begins = before.all(|c| is_number && c.is_ascii_alphabetic());
        begins && !after.starts_with(is_of_number)
    })
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

/// Texts by what they share with a near one: themselves less one character, or any part as long as the shortest text that
/// counts; a text that is held by another by the part of it that fewest have, so that common beginnings cost nothing.
struct Slips<'t> {
    texts: Vec<&'t str>,
    /// The place of each text in `texts`.
    places: HashMap<&'t str, usize>,
    min_chars: usize,
    by_lack: HashMap<u64, Vec<usize>>,
    by_rarest: HashMap<u64, Vec<usize>>,
    by_part: HashMap<u64, Vec<usize>>,
}

/// Other texts that are near to one, as many as tell whether there is one but a given one: two.
#[derive(Clone, Default)]
struct Rivals {
    any: Vec<String>,
    /// By a slip, of rows that their own number confirmed.
    settled_slips: Vec<String>,
}

impl Rivals {
    fn add(list: &mut Vec<String>, text: &str) {
        if list.len() < 2 && list.iter().all(|one| one != text) {
            list.push(text.to_owned());
        }
    }

    fn add_all(&mut self, other: Self) {
        for text in other.any {
            Self::add(&mut self.any, &text);
        }
        for text in other.settled_slips {
            Self::add(&mut self.settled_slips, &text);
        }
    }

    fn has_other(&self, own: &str, is_slip: bool) -> bool {
        let settled = self.settled_slips.iter().filter(|_| !is_slip);
        self.any.iter().chain(settled).any(|text| text != own)
    }
}

impl<'t> Slips<'t> {
    fn new(texts: &'t [String], min_chars: usize) -> Self {
        let mut slips = Self {
            texts: Vec::new(),
            places: HashMap::new(),
            min_chars,
            by_lack: HashMap::new(),
            by_rarest: HashMap::new(),
            by_part: HashMap::new(),
        };
        for text in texts {
            let at = slips.texts.len();
            if *slips.places.entry(text).or_insert(at) != at {
                continue;
            }
            slips.texts.push(text);
            each_lack(text, |lack| slips.by_lack.entry(lack).or_default().push(at));
            each_part(text, min_chars, |part| {
                let same = slips.by_part.entry(part).or_default();
                if same.last() != Some(&at) {
                    same.push(at);
                }
            });
        }
        for (at, text) in slips.texts.iter().enumerate() {
            if let Some((_, part)) = slips.rarest(text) {
                slips.by_rarest.entry(part).or_default().push(at);
            }
        }
        slips
    }

    /// The part of a text that fewest texts have, and how many have it.
    fn rarest(&self, text: &str) -> Option<(usize, u64)> {
        let mut rarest: Option<(usize, u64)> = None;
        each_part(text, self.min_chars, |part| {
            let count = self.by_part.get(&part).map_or(0, Vec::len);
            if rarest.is_none_or(|(least, _)| count < least) {
                rarest = Some((count, part));
            }
        });
        rarest
    }

    fn rivals(&self) -> Vec<Rivals> {
        vec![Rivals::default(); self.texts.len()]
    }

    /// Notes a row's text with the texts that it is near to.
    fn count(&self, text: &str, has_own: bool, rivals: &mut [Rivals]) {
        let mut check = |found: Option<&Vec<usize>>| {
            for &at in found.into_iter().flatten() {
                let (near, rivals) = (self.texts[at], &mut rivals[at]);
                if rivals.any.len() < 2 && are_near(text, near, self.min_chars) {
                    let list = match has_own && is_slip(text, near) {
                        true => &mut rivals.settled_slips,
                        false => &mut rivals.any,
                    };
                    Rivals::add(list, text);
                }
            }
        };
        each_lack(text, |lack| check(self.by_lack.get(&lack)));
        each_part(text, self.min_chars, |part| {
            check(self.by_rarest.get(&part))
        });
        // a text that holds this one has all of its parts
        if let Some((_, part)) = self.rarest(text) {
            check(self.by_part.get(&part));
        }
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

/// Hashes of all parts of so many characters.
fn each_part(text: &str, chars: usize, mut each: impl FnMut(u64)) {
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for (start, end) in starts.zip(ends.skip(chars)) {
        each(hash(&text.as_bytes()[start..end], 0));
    }
}
