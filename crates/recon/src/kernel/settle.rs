//! Buckets to groups, lines, totals and digests.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use quanfu_money::Currency;
use quanfu_settlement::groups::{Bucket, GroupClass};
use quanfu_settlement::{Digest, Hasher};

use super::shelf::{BLOCK, HEAD, pack, unpack};
use super::text::{hash, same};
use super::{BUCKETS, Kernel, Shelf};
use crate::key::SEPARATOR;

/// How many rows ahead of the one at hand are looked at, so that their memory is there when they come.
const AHEAD: usize = 24;

/// How many settled drawers may wait for an earlier one.
const WAITING: usize = 16;

/// Sums of one class and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumOf {
    /// The class.
    pub class: GroupClass,
    /// The currency.
    pub currency: Currency,
    /// How many groups.
    pub groups: u64,
    /// Sums of left and right rows, in minor units.
    pub sums: [i128; 2],
}

/// All buckets settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Each bucket, in order.
    pub buckets: Vec<Bucket>,
    /// Digest of the buckets' digests.
    pub digest: Digest,
    /// Ordered by class name and currency.
    pub totals: Vec<SumOf>,
}

/// A row in a bucket's bytes.
#[derive(Clone, Copy)]
struct Row<'b> {
    side: usize,
    has_key: bool,
    currency: u16,
    minor: i64,
    key: &'b [u8],
    name: &'b [u8],
}

impl<'b> Row<'b> {
    /// The row at the beginning of these bytes, and its length.
    #[inline]
    fn at(bytes: &'b [u8]) -> (Self, usize) {
        let word = |from: usize| {
            [
                bytes[from],
                bytes[from + 1],
                bytes[from + 2],
                bytes[from + 3],
            ]
        };
        let head = u32::from_le_bytes(word(0));
        let (key, name) = ((head & 0xFFF) as usize, (head >> 12 & 0xFFF) as usize);
        let mut minor = [0; 8];
        minor.copy_from_slice(&bytes[6..14]);
        let row = Self {
            side: (head >> 24 & 1) as usize,
            has_key: head >> 25 & 1 == 1,
            currency: u16::from_le_bytes([bytes[4], bytes[5]]),
            minor: i64::from_le_bytes(minor),
            key: &bytes[HEAD..HEAD + key],
            name: &bytes[HEAD + key..HEAD + key + name],
        };
        (row, HEAD + key + name)
    }

    #[inline]
    fn hash(&self) -> u64 {
        let hashed = if self.has_key { self.key } else { self.name };
        hash(hashed, u64::from(self.currency))
    }

    /// Whether two rows with keys are of one group.
    #[inline]
    fn is_of(&self, other: &Self) -> bool {
        self.has_key
            && other.has_key
            && self.currency == other.currency
            && same(self.key, other.key)
    }

    /// What the rows of a group have in common.
    #[inline]
    fn group(&self) -> (bool, &'b [u8], u16) {
        (self.has_key, self.key, self.currency)
    }
}

/// All rows of a drawer: in the blocks of the shelves, or all in one piece if some of them were read back.
struct Rows<'b> {
    blocks: Vec<&'b [u8]>,
    bytes: &'b [u8],
}

impl<'b> Rows<'b> {
    /// The row at a place and what lies behind it.
    #[inline]
    fn at(&self, place: u32) -> &'b [u8] {
        let place = place as usize;
        if self.bytes.is_empty() {
            &self.blocks[place / BLOCK][place % BLOCK..]
        } else {
            &self.bytes[place..]
        }
    }

    /// Each piece with the place of its first row.
    fn pieces(&self) -> impl Iterator<Item = (u32, &'b [u8])> {
        let blocks = self.blocks.iter().enumerate();
        let blocks = blocks.map(|(index, block)| ((index * BLOCK) as u32, *block));
        blocks.chain([(0, self.bytes)])
    }
}

/// What one thread uses again and again.
#[derive(Default)]
struct Desk {
    bytes: Vec<u8>,
    found: Vec<(u64, u32)>,
    order: Vec<(u64, u32)>,
    totals: Vec<((GroupClass, u16), Tally)>,
    digits: Vec<(u16, u8)>,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    groups: u64,
    sums: [i128; 2],
}

/// Sums by the name of the class and currency.
type Totals = BTreeMap<(&'static str, u16), (GroupClass, Tally)>;

/// Lines are handed over in the order of drawers.
struct Queue<'w> {
    state: Mutex<State<'w>>,
    turn: Condvar,
}

struct State<'w> {
    next: usize,
    waiting: BTreeMap<usize, Vec<u8>>,
    spare: Vec<Vec<u8>>,
    write: &'w mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    failed: Option<io::Error>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue<'_> {
    /// An empty text to write into; `None` if somebody failed.
    fn begin(&self, bucket: usize) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        while state.failed.is_none() && bucket >= state.next + WAITING {
            state = self
                .turn
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.failed.is_some() {
            return None;
        }
        let mut text = state.spare.pop().unwrap_or_default();
        text.clear();
        Some(text)
    }

    fn put(&self, bucket: usize, text: Vec<u8>) {
        let mut state = lock(&self.state);
        state.waiting.insert(bucket, text);
        let state = &mut *state;
        while state.failed.is_none()
            && let Some(text) = state.waiting.remove(&state.next)
        {
            if !text.is_empty() {
                state.failed = (state.write)(&text).err();
            }
            state.spare.push(text);
            state.next += 1;
        }
        self.turn.notify_all();
    }

    fn fail(&self, error: io::Error) {
        lock(&self.state).failed.get_or_insert(error);
        self.turn.notify_all();
    }
}

impl Kernel {
    /// Settles all buckets on so many threads and hands over the list's lines, without a header, in order.
    ///
    /// # Errors
    ///
    /// What the scratch space or `write` says.
    pub fn settle(
        &self,
        mut shelves: Vec<Shelf<'_>>,
        threads: usize,
        write: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> io::Result<Settled> {
        for shelf in &mut shelves {
            shelf.finish()?;
        }
        let queue = Queue {
            state: Mutex::new(State {
                next: 0,
                waiting: BTreeMap::new(),
                spare: Vec::new(),
                write,
                failed: None,
            }),
            turn: Condvar::new(),
        };
        let next = AtomicUsize::new(0);
        let buckets: Mutex<Vec<(usize, Vec<Bucket>)>> = Mutex::new(Vec::new());
        let totals: Mutex<Totals> = Mutex::new(BTreeMap::new());
        let work = || {
            let mut desk = Desk::default();
            let mut done = Vec::new();
            loop {
                let drawer = next.fetch_add(1, Ordering::Relaxed);
                if drawer >= self.drawers {
                    break;
                }
                let Some(mut text) = queue.begin(drawer) else {
                    break;
                };
                match self.drawer(drawer, &shelves, &mut desk, &mut text) {
                    Ok(settled) => {
                        done.push((drawer, settled));
                        queue.put(drawer, text);
                    }
                    Err(error) => queue.fail(error),
                }
            }
            lock(&buckets).extend(done);
            let mut all = lock(&totals);
            for ((class, currency), tally) in desk.totals {
                let total = all.entry((class.code(), currency));
                let (_, total) = total.or_insert((class, Tally::default()));
                total.groups += tally.groups;
                total.sums[0] += tally.sums[0];
                total.sums[1] += tally.sums[1];
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.max(1) {
                scope.spawn(work);
            }
            work();
        });
        let state = queue.state.into_inner();
        if let Some(error) = state.unwrap_or_else(PoisonError::into_inner).failed {
            return Err(error);
        }
        let mut buckets = buckets.into_inner().unwrap_or_else(PoisonError::into_inner);
        buckets.sort_by_key(|(index, _)| *index);
        let mut hasher = Hasher::new(self.alg);
        for bucket in buckets.iter().flat_map(|(_, buckets)| buckets) {
            hasher.update(&bucket.digest.bytes);
        }
        let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        let totals = totals
            .into_iter()
            .filter_map(|((_, packed), (class, tally))| {
                Some(SumOf {
                    class,
                    currency: currency(packed)?,
                    groups: tally.groups,
                    sums: tally.sums,
                })
            });
        Ok(Settled {
            digest: hasher.finish(),
            totals: totals.collect(),
            buckets: buckets
                .into_iter()
                .flat_map(|(_, buckets)| buckets)
                .collect(),
        })
    }

    fn drawer(
        &self,
        drawer: usize,
        shelves: &[Shelf<'_>],
        desk: &mut Desk,
        text: &mut Vec<u8>,
    ) -> io::Result<Vec<Bucket>> {
        let mut bytes = std::mem::take(&mut desk.bytes);
        bytes.clear();
        let mut blocks = Vec::new();
        for shelf in shelves {
            shelf.read_spilled(drawer, &mut bytes)?;
            blocks.extend(shelf.blocks(drawer));
        }
        if !bytes.is_empty() {
            blocks
                .drain(..)
                .for_each(|block| bytes.extend_from_slice(block));
        }
        let rows = Rows {
            blocks,
            bytes: &bytes,
        };
        sort_rows(&rows, 64 - self.drawers.trailing_zeros(), desk);
        let order = std::mem::take(&mut desk.order);
        let each = BUCKETS / self.drawers;
        let mut buckets = Vec::with_capacity(each);
        let mut rest = &order[..desk.found.len()];
        for bucket in drawer * each..(drawer + 1) * each {
            let count = rest.partition_point(|&(hash, _)| (hash >> 52) as usize <= bucket);
            let (mine, others) = rest.split_at(count);
            rest = others;
            let start = text.len();
            let (counts, lines) = self.settle_rows(&rows, mine, desk, text);
            let written = &text[start..];
            buckets.push(Bucket {
                rows: counts,
                lines,
                bytes: written.len() as u64,
                digest: Digest::of(self.alg, written),
            });
        }
        desk.order = order;
        desk.bytes = bytes;
        Ok(buckets)
    }

    /// Groups rows, which are in the order of their hashes, and writes their lines.
    fn settle_rows(
        &self,
        all: &Rows<'_>,
        order: &[(u64, u32)],
        desk: &mut Desk,
        text: &mut Vec<u8>,
    ) -> ([u64; 2], u64) {
        let row = |place: u32| Row::at(all.at(place)).0;
        let (mut rows, mut lines) = ([0u64; 2], 0u64);
        let mut emit = |first: &Row<'_>, group: &Group<'_>| {
            rows[0] += group.rows[0];
            rows[1] += group.rows[1];
            lines += 1;
            self.line(first, group, desk, text);
        };
        let mut ahead = order.iter().skip(AHEAD);
        let mut touched = 0;
        for same in order.chunk_by(|a, b| a.0 == b.0) {
            for &(_, place) in ahead.by_ref().take(same.len()) {
                touched ^= all.at(place)[HEAD - 1];
            }
            let first = row(same[0].1);
            let mut group = Group::of(&first);
            let is_one_group = same[1..].iter().all(|&(_, place)| {
                let member = row(place);
                let is_of = member.is_of(&first);
                if is_of {
                    group.add(&member);
                }
                is_of
            });
            if is_one_group {
                emit(&first, &group);
                continue;
            }
            // Rows without a key, or keys that only share their hash.
            let mut members: Vec<Row<'_>> = same.iter().map(|&(_, place)| row(place)).collect();
            members.sort_unstable_by(|a, b| {
                let by_group = a.group().cmp(&b.group());
                by_group.then_with(|| (a.side, a.name, a.minor).cmp(&(b.side, b.name, b.minor)))
            });
            for members in members.chunk_by(|a, b| a.is_of(b)) {
                let mut group = Group::of(&members[0]);
                members[1..].iter().for_each(|member| group.add(member));
                emit(&members[0], &group);
            }
        }
        std::hint::black_box(touched);
        (rows, lines)
    }

    fn line(&self, first: &Row<'_>, group: &Group<'_>, desk: &mut Desk, text: &mut Vec<u8>) {
        let class = group.class(first.has_key);
        let place = desk
            .totals
            .iter()
            .position(|(known, _)| *known == (class, first.currency));
        let place = place.unwrap_or_else(|| {
            desk.totals
                .push(((class, first.currency), Tally::default()));
            desk.totals.len() - 1
        });
        let tally = &mut desk.totals[place].1;
        tally.groups += 1;
        tally.sums[0] += group.sums[0];
        tally.sums[1] += group.sums[1];
        let known = desk
            .digits
            .iter()
            .find(|(known, _)| *known == first.currency);
        let digits = match known {
            Some(&(_, digits)) => digits,
            None => {
                let digits = currency(first.currency).map_or(0, |known| known.minor_digits());
                desk.digits.push((first.currency, digits));
                digits
            }
        };
        match class {
            GroupClass::LeftOnly => push_name(text, &self.names[0]),
            GroupClass::RightOnly => push_name(text, &self.names[1]),
            class => push_small(text, class.code().as_bytes()),
        }
        text.push(b',');
        push_cell(text, first.key);
        text.push(b',');
        text.extend_from_slice(&unpack(first.currency));
        text.push(b',');
        push_cell(text, group.names[0].unwrap_or_default());
        text.push(b',');
        push_cell(text, group.names[1].unwrap_or_default());
        text.push(b',');
        push_number(text, i128::from(group.rows[0]), 0);
        text.push(b',');
        push_number(text, i128::from(group.rows[1]), 0);
        for side in [0, 1] {
            text.push(b',');
            if group.rows[side] > 0 {
                push_number(text, group.sums[side], digits);
            }
        }
        text.push(b'\n');
    }

    /// What a class is called in lists and totals.
    #[must_use]
    pub fn class_name(&self, class: GroupClass) -> String {
        match class {
            GroupClass::LeftOnly => format!("{}_only", self.names[0]),
            GroupClass::RightOnly => format!("{}_only", self.names[1]),
            class => class.code().to_owned(),
        }
    }
}

fn currency(packed: u16) -> Option<Currency> {
    let letters = unpack(packed);
    let code = std::str::from_utf8(&letters).ok()?;
    let currency = Currency::from_code(code).ok()?;
    (pack(currency) == packed).then_some(currency)
}

/// Writes the places of rows in the order of their hashes, of which the first bits are all the same.
fn sort_rows(rows: &Rows<'_>, free_bits: u32, desk: &mut Desk) {
    let Desk { order, found, .. } = desk;
    found.clear();
    // Four pieces at a time, for the processor can wait for the memory of all four at once.
    let mut pieces = rows.pieces();
    let mut open: [(u32, &[u8]); 4] = [(0, &[]); 4];
    let mut is_done = false;
    while !is_done {
        is_done = true;
        for (place, rest) in &mut open {
            if rest.is_empty() {
                match pieces.next() {
                    Some(piece) => (*place, *rest) = piece,
                    None => continue,
                }
            }
            is_done = false;
            if rest.is_empty() {
                continue;
            }
            let (row, length) = Row::at(rest);
            found.push((row.hash(), *place));
            *place += length as u32;
            *rest = &rest[length..];
        }
    }
    // Hashes are spread evenly, unless somebody chose the keys: one pass by the next bits leaves runs of a few rows.
    let bits = found.len().max(2).ilog2().saturating_sub(2).clamp(1, 14);
    let slot = |hash: u64| (hash >> (free_bits - bits)) as usize & ((1 << bits) - 1);
    let mut starts = vec![0u32; (1 << bits) + 1];
    for &(hash, _) in &*found {
        starts[slot(hash) + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    if order.len() < found.len() {
        order.resize(found.len(), (0, 0));
    }
    let mut ends = starts.clone();
    for &row in &*found {
        let end = &mut ends[slot(row.0)];
        order[*end as usize] = row;
        *end += 1;
    }
    for bounds in starts.windows(2) {
        order[bounds[0] as usize..bounds[1] as usize].sort_unstable();
    }
}

/// A group as it grows.
struct Group<'b> {
    rows: [u64; 2],
    sums: [i128; 2],
    names: [Option<&'b [u8]>; 2],
}

impl<'b> Group<'b> {
    fn of(first: &Row<'b>) -> Self {
        let mut group = Self {
            rows: [0; 2],
            sums: [0; 2],
            names: [None; 2],
        };
        group.add(first);
        group
    }

    #[inline]
    fn add(&mut self, row: &Row<'b>) {
        self.rows[row.side] += 1;
        self.sums[row.side] += i128::from(row.minor);
        let least = &mut self.names[row.side];
        if least.is_none_or(|least| row.name < least) {
            *least = Some(row.name);
        }
    }

    fn class(&self, has_key: bool) -> GroupClass {
        match self.rows {
            _ if !has_key => GroupClass::NoRef,
            [left, right] if left > 1 || right > 1 => GroupClass::Duplicate,
            [_, 0] => GroupClass::LeftOnly,
            [0, _] => GroupClass::RightOnly,
            _ if self.sums[0] == self.sums[1] => GroupClass::Matched,
            _ => GroupClass::AmountDiff,
        }
    }
}

fn push_name(text: &mut Vec<u8>, name: &str) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"_only");
}

/// A short text, copied without a call where it is as long as most are.
#[inline]
fn push_small(text: &mut Vec<u8>, bytes: &[u8]) {
    let start = text.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>())
        && bytes.len() <= 32
    {
        text.extend_from_slice(first);
        text.truncate(start + bytes.len() - 16);
        text.extend_from_slice(last);
    } else {
        text.extend_from_slice(bytes);
    }
}

/// A cell of CSV; parts of a key are joined by a blank.
#[inline]
fn push_cell(text: &mut Vec<u8>, bytes: &[u8]) {
    // All special characters are below the minus sign, and few others are.
    let (words, rest) = bytes.as_chunks::<8>();
    let low = |word: u64| word.wrapping_sub(0x2D2D_2D2D_2D2D_2D2D) & !word & 0x8080_8080_8080_8080;
    let found = words
        .iter()
        .fold(0, |found, word| found | low(u64::from_le_bytes(*word)));
    if found != 0 || rest.iter().any(|&byte| byte < b'-') {
        push_special(text, bytes);
    } else {
        push_small(text, bytes);
    }
}

const SEPARATED: u8 = SEPARATOR as u8;

fn push_special(text: &mut Vec<u8>, bytes: &[u8]) {
    let is_quoted = bytes
        .iter()
        .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if is_quoted {
        text.push(b'"');
    }
    for &byte in bytes {
        match byte {
            SEPARATED => text.push(b' '),
            b'"' => text.extend_from_slice(b"\"\""),
            byte => text.push(byte),
        }
    }
    if is_quoted {
        text.push(b'"');
    }
}

/// A number with so many decimals.
#[inline]
fn push_number(text: &mut Vec<u8>, number: i128, decimals: u8) {
    match u32::try_from(number) {
        Ok(digit @ 0..10) if decimals == 0 => text.push(b'0' + digit as u8),
        Ok(short @ 0..100_000_000) => push_short(text, short, decimals),
        _ => push_long(text, number, decimals),
    }
}

/// A number of at most eight digits.
#[inline]
fn push_short(text: &mut Vec<u8>, number: u32, decimals: u8) {
    if decimals > 6 {
        return push_long(text, i128::from(number), decimals);
    }
    // Eight digits at once, the first in the lowest byte: split into fours, twos and ones side by side.
    let (high, low) = (u64::from(number / 10_000), u64::from(number % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    let ones = tens | (twos - 10 * tens) << 8;
    let decimals = u32::from(decimals);
    let zeros = (ones.trailing_zeros() / 8).min(7 - decimals);
    let digits = (ones | 0x3030_3030_3030_3030) >> (zeros * 8);
    let whole = 8 - zeros - decimals;
    let below = (1u128 << (whole * 8)) - 1;
    let digits = u128::from(digits);
    let line = if decimals == 0 {
        digits
    } else {
        digits & below | u128::from(b'.') << (whole * 8) | (digits & !below) << 8
    };
    let length = 8 - zeros + u32::from(decimals > 0);
    let start = text.len();
    text.extend_from_slice(&line.to_le_bytes());
    text.truncate(start + length as usize);
}

fn push_long(text: &mut Vec<u8>, number: i128, decimals: u8) {
    let mut digits = [b'0'; 64];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    let (mut written, decimals) = (0, usize::from(decimals));
    while rest > 0 || written <= decimals {
        if written == decimals && decimals > 0 {
            at -= 1;
            digits[at] = b'.';
        }
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        written += 1;
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    text.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quanfu_money::MoneySum;

    use super::*;

    #[test]
    fn numbers_are_written_as_money_writes_them() {
        let mut numbers: Vec<i128> = (0..9).map(|power| 10i128.pow(power)).collect();
        numbers.extend([
            0,
            7,
            99,
            100,
            12_345_678,
            99_999_999,
            100_000_000,
            i128::from(i64::MAX),
            -5,
        ]);
        numbers.extend(numbers.clone().iter().map(|number| number - 1));
        for number in numbers {
            for currency in [Currency::CNY, Currency::JPY, currency_of("KWD")] {
                let mut text = Vec::new();
                push_number(&mut text, number, currency.minor_digits());
                let want = MoneySum::from_minor(number, currency).amount_text();
                assert_eq!(String::from_utf8_lossy(&text), want);
            }
        }
    }

    fn currency_of(code: &str) -> Currency {
        Currency::from_code(code).expect("a currency of ISO 4217")
    }

    proptest! {
        #[test]
        fn any_number_is_written_right(number in -1_000_000_000_000i128..1_000_000_000_000, digits in 0u8..4) {
            let mut text = Vec::new();
            push_number(&mut text, number, digits);
            let text = String::from_utf8_lossy(&text).replace('.', "");
            prop_assert_eq!(text.parse::<i128>().ok(), Some(number));
        }
    }
}
