//! Buckets to groups, lines, totals and digests.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use quanfu_money::Currency;
use quanfu_settlement::groups::{Bucket, GroupClass};
use quanfu_settlement::{Digest, DigestAlg, Hasher};

use super::shelf::{BLOCK, HEAD, pack, unpack};
use super::text::{Few, hash, hash_ends, same};
use super::{BUCKETS, Kernel, Scratch, Shelf};
use crate::key::SEPARATOR;

/// How many rows are looked at before they are settled, so that their memory is there when they come.
const AHEAD: usize = 32;

/// A byte near the end of most rows.
const BEHIND: usize = 44;

/// How many settled drawers may wait for an earlier one.
const WAITING: usize = 8;

/// How many bytes of lines are handed over at once where a drawer is too big for memory.
const WRITTEN: usize = 1 << 20;

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
    /// How many rows it stands for.
    count: u64,
    /// Their sum; without a key, the amount of each.
    minor: i128,
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
        let mut row = Self {
            side: (head >> 24 & 1) as usize,
            has_key: head >> 25 & 1 == 1,
            currency: u16::from_le_bytes([bytes[4], bytes[5]]),
            count: 1,
            minor: i128::from(i64::from_le_bytes(minor)),
            key: &[],
            name: &[],
        };
        let mut at = HEAD;
        if head >> 26 & 1 == 1 {
            let mut wide = [0; 16];
            row.count = u64::from_le_bytes(minor);
            wide.copy_from_slice(&bytes[HEAD..HEAD + 16]);
            row.minor = i128::from_le_bytes(wide);
            at += 16;
        }
        row.key = &bytes[at..at + key];
        row.name = &bytes[at + key..at + key + name];
        (row, at + key + name)
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

/// A row as most are, where the bytes behind it are in reach: it stands for itself, its key has eight to sixteen bytes,
/// its name at most 32 and its amount, not negative, at most eight digits. Copies need not look at lengths.
struct Common<'b> {
    /// One, or zero for no row.
    count: u8,
    side: usize,
    currency: u16,
    minor: u32,
    key: usize,
    name: usize,
    /// Key and name, and what follows.
    text: &'b [u8; COMMON],
}

/// Most bytes of key and name together in a common row.
const COMMON: usize = 48;

/// For each length of a text, which of the bytes that begin with it are its own.
static MASKS: [[u64; COMMON / 8]; COMMON + 1] = {
    let mut masks = [[0; COMMON / 8]; COMMON + 1];
    let mut length = 0;
    while length <= COMMON {
        let mut at = 0;
        while at < length {
            masks[length][at / 8] |= 0xFF << (at % 8 * 8);
            at += 1;
        }
        length += 1;
    }
    masks
};

/// The high bit of every byte that is below the minus sign, as all special characters are and few others.
#[inline]
fn low(word: u64) -> u64 {
    word.wrapping_sub(0x2D2D_2D2D_2D2D_2D2D) & !word & 0x8080_8080_8080_8080
}

impl<'b> Common<'b> {
    const NONE: Common<'static> = Common {
        count: 0,
        side: 0,
        currency: 0,
        minor: 0,
        key: 0,
        name: 0,
        text: &[0; COMMON],
    };

    #[inline]
    fn at(bytes: &'b [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let text = rest.first_chunk()?;
        let mut word = [0; 8];
        word.copy_from_slice(&head[..8]);
        let word = u64::from_le_bytes(word);
        let (key, name) = (word as usize & 0xFFF, (word >> 12) as usize & 0xFFF);
        let mut minor = [0; 8];
        minor.copy_from_slice(&head[6..]);
        let minor = u64::from_le_bytes(minor);
        let is_common =
            word >> 25 & 3 == 1 && (8..=16).contains(&key) && name <= 32 && minor < 100_000_000;
        is_common.then_some(Self {
            count: 1,
            side: (word >> 24 & 1) as usize,
            currency: (word >> 32) as u16,
            minor: minor as u32,
            key,
            name,
            text,
        })
    }

    /// Whether key and name can stand in the list as they are.
    #[inline]
    fn is_plain(&self) -> bool {
        let Some(masks) = MASKS.get(self.key + self.name) else {
            return false;
        };
        let words = self.text.as_chunks::<8>().0.iter().zip(masks);
        words.fold(0, |found, (word, mask)| {
            found | (low(u64::from_le_bytes(*word)) & mask)
        }) == 0
    }

    #[inline]
    fn key(&self) -> (u64, u64, usize) {
        let end: &[u8] = &self.text[self.key - 8..self.key];
        let mut last = [0; 8];
        last.copy_from_slice(end);
        let mut first = [0; 8];
        first.copy_from_slice(&self.text[..8]);
        (
            u64::from_le_bytes(first),
            u64::from_le_bytes(last),
            self.key,
        )
    }
}

/// The hash of the row at the beginning of these bytes, and its length.
#[inline]
fn measure(bytes: &[u8]) -> (u64, usize) {
    match Common::at(bytes) {
        Some(row) => {
            let (first, last, length) = row.key();
            let hash = hash_ends(first, last, length, u64::from(row.currency));
            (hash, HEAD + row.key + row.name)
        }
        None => {
            let (row, length) = Row::at(bytes);
            (row.hash(), length)
        }
    }
}

/// Bytes of a line of common rows: at most 32 for its class, 16 and 64 for key and names, nine for each amount, 17 for
/// what stands between them, and what is written behind an amount.
const LINE: usize = 160;

/// A line in the making, in place: nothing is read back that was just written.
struct Line<'t> {
    bytes: &'t mut [u8; LINE],
    at: usize,
}

impl Line<'_> {
    /// The first `length` of these bytes; the others are written over.
    #[inline(always)]
    fn push<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        self.bytes[self.at..self.at + N].copy_from_slice(bytes);
        self.at += length;
    }
}

/// All rows of a drawer: in the blocks of the shelves, and behind them what was read back.
struct Rows<'b> {
    blocks: Vec<&'b [u8]>,
    bytes: &'b [u8],
    /// Where whole rows stand in these bytes.
    pieces: &'b [Range<usize>],
}

impl<'b> Rows<'b> {
    /// The row at a place and what lies behind it.
    #[inline]
    fn at(&self, place: u32) -> &'b [u8] {
        let place = place as usize;
        match self.blocks.get(place / BLOCK) {
            Some(block) => &block[place % BLOCK..],
            None => &self.bytes[place - self.blocks.len() * BLOCK..],
        }
    }

    /// Each piece with the place of its first row.
    fn pieces(&self) -> impl Iterator<Item = (u32, &'b [u8])> {
        let blocks = self.blocks.iter().enumerate();
        let blocks = blocks.map(|(index, block)| ((index * BLOCK) as u32, *block));
        let behind = self.blocks.len() * BLOCK;
        let pieces = self.pieces.iter();
        blocks.chain(pieces.map(move |piece| {
            let place = behind + piece.start;
            (place as u32, &self.bytes[piece.clone()])
        }))
    }
}

/// The rows of a drawer as they are found: in the shelves' blocks, or read back.
struct Gathered<'b> {
    blocks: Vec<&'b [u8]>,
    bytes: Vec<u8>,
    pieces: Vec<Range<usize>>,
}

fn gather<'b>(
    shelves: &'b [Shelf<'_>],
    drawer: usize,
    desk: &mut Desk,
) -> io::Result<Gathered<'b>> {
    let mut bytes = std::mem::take(&mut desk.bytes);
    let (mut pieces, mut blocks) = (Vec::new(), Vec::new());
    for shelf in shelves {
        shelf.read_spilled(drawer, &mut bytes, &mut pieces)?;
        blocks.extend(shelf.blocks(drawer));
    }
    Ok(Gathered {
        blocks,
        bytes,
        pieces,
    })
}

/// Rows added up by side and key; rows without a key, by all that they are.
#[derive(Default)]
struct Heap {
    rows: HashMap<Vec<u8>, (u64, i128, Vec<u8>)>,
    bytes: u64,
    wanted: Vec<u8>,
}

impl Heap {
    fn add(&mut self, row: &Row<'_>) {
        let wanted = &mut self.wanted;
        wanted.clear();
        wanted.push(row.side as u8 | u8::from(row.has_key) << 1);
        wanted.extend_from_slice(&row.currency.to_le_bytes());
        if row.has_key {
            wanted.extend_from_slice(row.key);
        } else {
            wanted.extend_from_slice(&row.minor.to_le_bytes());
            wanted.extend_from_slice(row.name);
        }
        if let Some((count, sum, name)) = self.rows.get_mut(wanted.as_slice()) {
            *count += row.count;
            if row.has_key {
                *sum += row.minor;
                if row.name < name.as_slice() {
                    row.name.clone_into(name);
                }
            }
            return;
        }
        // What the map itself needs for an entry is about as much as a short row.
        self.bytes += (wanted.len() + row.name.len() + 128) as u64;
        let new = (row.count, row.minor, row.name.to_vec());
        self.rows.insert(wanted.clone(), new);
    }

    /// Hands over every row with its hash, in no order.
    fn empty(&mut self, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut row = Vec::new();
        for (known, (count, sum, name)) in self.rows.drain() {
            let has_key = known[0] >> 1 == 1;
            let key = if has_key { &known[3..] } else { &[] };
            let head = key.len() as u32
                | (name.len() as u32) << 12
                | u32::from(known[0] & 1) << 24
                | u32::from(has_key) << 25
                | 1 << 26;
            row.clear();
            row.extend_from_slice(&head.to_le_bytes());
            row.extend_from_slice(&known[1..3]);
            row.extend_from_slice(&count.to_le_bytes());
            row.extend_from_slice(&sum.to_le_bytes());
            row.extend_from_slice(key);
            row.extend_from_slice(&name);
            each(Row::at(&row).0.hash(), &row)?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// Takes lines, or rows as they lie on shelves.
type Taker<'t> = dyn FnMut(&[u8]) -> io::Result<()> + 't;

/// The lines of a drawer as they are written, and the accounts of its buckets.
struct Page<'o> {
    alg: DigestAlg,
    text: Vec<u8>,
    /// How many bytes of the text the bucket at hand has taken in.
    taken: usize,
    hasher: Hasher,
    bucket: usize,
    rows: [u64; 2],
    lines: u64,
    bytes: u64,
    done: Vec<Bucket>,
    /// Takes lines before the drawer is finished.
    out: Option<&'o mut Taker<'o>>,
}

impl Page<'_> {
    fn new(alg: DigestAlg, text: Vec<u8>, bucket: usize) -> Self {
        Self {
            alg,
            text,
            taken: 0,
            hasher: Hasher::new(alg),
            bucket,
            rows: [0; 2],
            lines: 0,
            bytes: 0,
            done: Vec::new(),
            out: None,
        }
    }

    fn take_in(&mut self) {
        let new = &self.text[self.taken..];
        self.hasher.update(new);
        self.bytes += new.len() as u64;
        self.taken = self.text.len();
    }

    /// Goes on to a later bucket.
    #[inline]
    fn turn_to(&mut self, bucket: usize) {
        while self.bucket < bucket {
            self.take_in();
            let hasher = std::mem::replace(&mut self.hasher, Hasher::new(self.alg));
            self.done.push(Bucket {
                rows: std::mem::take(&mut self.rows),
                lines: std::mem::take(&mut self.lines),
                bytes: std::mem::take(&mut self.bytes),
                digest: hasher.finish(),
            });
            self.bucket += 1;
        }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.take_in();
        if let Some(out) = &mut self.out {
            out(&self.text)?;
            self.text.clear();
            self.taken = 0;
        }
        Ok(())
    }

    /// Hands over lines if they are many and somebody takes them now.
    #[inline]
    fn hand_over_full(&mut self) -> io::Result<()> {
        if self.out.is_some() && self.text.len() > WRITTEN {
            self.hand_over()?;
        }
        Ok(())
    }

    /// What is left of the text, and the buckets before this one.
    fn finish(mut self, end: usize) -> io::Result<(Vec<u8>, Vec<Bucket>)> {
        self.turn_to(end);
        self.hand_over()?;
        Ok((self.text, self.done))
    }
}

/// What one thread uses again and again.
#[derive(Default)]
struct Desk {
    bytes: Vec<u8>,
    found: Vec<(u64, u32)>,
    order: Vec<(u64, u32)>,
    currencies: Currencies,
    /// What each class is called, with a comma, and how long that is; 0: too long for a line of common rows.
    words: [([u8; 32], usize); GroupClass::ALL.len()],
}

impl Desk {
    fn new(kernel: &Kernel) -> Self {
        let mut desk = Self::default();
        for (word, &class) in desk.words.iter_mut().zip(GroupClass::ALL) {
            let name = kernel.class_name(class) + ",";
            if let Some(place) = word.0.get_mut(..name.len()) {
                place.copy_from_slice(name.as_bytes());
                word.1 = name.len();
            }
        }
        desk
    }
}

/// A currency that groups of this thread have.
struct Known {
    packed: u16,
    digits: u8,
    letters: [u8; 3],
    /// By class.
    tallies: [Tally; GroupClass::ALL.len()],
}

/// The currencies that groups of a thread have.
#[derive(Default)]
struct Currencies {
    known: Vec<Known>,
    few: Few,
}

impl Currencies {
    #[inline]
    fn get(&mut self, packed: u16) -> &mut Known {
        let place = self.few.find(&self.known, packed, |known| known.packed);
        if place == self.known.len() {
            self.known.push(Known {
                packed,
                digits: currency(packed).map_or(0, |known| known.minor_digits()),
                letters: unpack(packed),
                tallies: Default::default(),
            });
        }
        &mut self.known[place]
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    groups: u64,
    sums: [i128; 2],
}

impl Tally {
    #[inline]
    fn add(&mut self, groups: u64, sums: [i128; 2]) {
        self.groups += groups;
        self.sums[0] += sums[0];
        self.sums[1] += sums[1];
    }
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

    /// Writes lines of a drawer that is not finished, as soon as those before it are written.
    fn write_part(&self, drawer: usize, lines: &[u8]) -> io::Result<()> {
        let mut state = lock(&self.state);
        while state.failed.is_none() && state.next < drawer {
            state = self
                .turn
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.failed.is_some() {
            return Err(io::Error::other(
                "another part of the list could not be written",
            ));
        }
        (state.write)(lines)
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
        shelves: Vec<Shelf<'_>>,
        threads: usize,
        write: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> io::Result<Settled> {
        let scratch = shelves.first().and_then(Shelf::scratch);
        // A quarter of a thread's memory; without a bound, as many bytes as places can count.
        let most = scratch.map_or(1 << 31, |(_, bytes)| bytes as u64 / 4);
        self.settle_within(most, shelves, threads, write)
    }

    /// The same, with at most so many bytes of a drawer taken at once.
    fn settle_within(
        &self,
        most: u64,
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
        let free_bits = 64 - self.drawers.trailing_zeros();
        let scratch = shelves.first().and_then(Shelf::scratch);
        let next = AtomicUsize::new(0);
        let buckets: Mutex<Vec<(usize, Vec<Bucket>)>> = Mutex::new(Vec::new());
        let totals: Mutex<Totals> = Mutex::new(BTreeMap::new());
        let work = || {
            let mut desk = Desk::new(self);
            let mut done = Vec::new();
            loop {
                let drawer = next.fetch_add(1, Ordering::Relaxed);
                if drawer >= self.drawers {
                    break;
                }
                let Some(text) = queue.begin(drawer) else {
                    break;
                };
                let each = BUCKETS / self.drawers;
                let mut write = |lines: &[u8]| queue.write_part(drawer, lines);
                let mut page = Page::new(self.alg, text, drawer * each);
                let size: u64 = shelves.iter().map(|shelf| shelf.bytes_of(drawer)).sum();
                let settled = if size <= most {
                    let rows = gather(&shelves, drawer, &mut desk);
                    rows.and_then(|rows| self.settle_rows(rows, free_bits, &mut desk, &mut page))
                } else {
                    // Its lines may be more than memory holds: they are handed over as they come, in their turn.
                    page.out = Some(&mut write);
                    let read = |each: &mut Taker<'_>| {
                        let mut piece = Vec::new();
                        shelves
                            .iter()
                            .try_for_each(|shelf| shelf.each_piece(drawer, &mut piece, each))
                    };
                    self.settle_big(&read, (free_bits, most), scratch, &mut desk, &mut page)
                };
                match settled.and_then(|()| page.finish((drawer + 1) * each)) {
                    Ok((text, buckets)) => {
                        done.push((drawer, buckets));
                        queue.put(drawer, text);
                    }
                    Err(error) => queue.fail(error),
                }
            }
            lock(&buckets).extend(done);
            let mut all = lock(&totals);
            for known in desk.currencies.known {
                let tallies = GroupClass::ALL.iter().zip(known.tallies);
                for (&class, tally) in tallies.filter(|(_, tally)| tally.groups > 0) {
                    let total = all.entry((class.code(), known.packed));
                    let (_, total) = total.or_insert((class, Tally::default()));
                    total.add(tally.groups, tally.sums);
                }
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

    /// Groups rows of which the first bits of the hash are the same, and writes their lines.
    fn settle_rows(
        &self,
        all: Gathered<'_>,
        free_bits: u32,
        desk: &mut Desk,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        let rows = Rows {
            blocks: all.blocks,
            bytes: &all.bytes,
            pieces: &all.pieces,
        };
        sort_rows(&rows, free_bits, desk);
        let order = std::mem::take(&mut desk.order);
        let sorted = &order[..desk.found.len()];
        let row = |place: u32| Row::at(rows.at(place)).0;
        let (mut ahead, mut settled, mut touched) = (sorted.chunks(AHEAD), 0, 0);
        let mut reached = 0;
        for same in sorted.chunk_by(|a, b| a.0 == b.0) {
            settled += same.len();
            while reached < settled {
                // Many at once, for the processor can wait for all of them together; a row lies in two lines of cache.
                let next = ahead.next().unwrap_or_default();
                for &(_, place) in next {
                    let row = rows.at(place);
                    touched ^= row[HEAD - 1] ^ row.get(BEHIND).copied().unwrap_or_default();
                }
                reached += AHEAD;
            }
            page.turn_to((same[0].0 >> 52) as usize);
            if same.len() <= 2 && self.common_line(&rows, same, desk, page).is_some() {
                page.hand_over_full()?;
                continue;
            }
            let first = row(same[0].1);
            let mut group = Group::of(&first);
            let is_one_group = first.has_key
                && same[1..].iter().all(|&(_, place)| {
                    let member = row(place);
                    let is_of = member.is_of(&first);
                    if is_of {
                        group.add(&member);
                    }
                    is_of
                });
            if is_one_group {
                self.line(&first, &group, desk, page)?;
                continue;
            }
            // Rows without a key, or keys that only share their hash.
            let mut members: Vec<Row<'_>> = same.iter().map(|&(_, place)| row(place)).collect();
            members.sort_unstable_by(|a, b| {
                let by_group = a.group().cmp(&b.group());
                by_group.then_with(|| (a.side, a.name, a.minor).cmp(&(b.side, b.name, b.minor)))
            });
            for members in members.chunk_by(|a, b| a.is_of(b)) {
                let mut first = members[0];
                if !first.has_key {
                    let count = std::mem::replace(&mut first.count, 1);
                    for _ in 0..count {
                        self.line(&first, &Group::of(&first), desk, page)?;
                    }
                    continue;
                }
                let mut group = Group::of(&first);
                members[1..].iter().for_each(|member| group.add(member));
                self.line(&first, &group, desk, page)?;
            }
        }
        std::hint::black_box(touched);
        desk.order = order;
        desk.bytes = all.bytes;
        Ok(())
    }

    /// Settles rows that are more than memory holds: rows of one key are added up as they come, and what is still too
    /// much is put on a shelf of its own by the next bits of the hash.
    fn settle_big(
        &self,
        read: &dyn Fn(&mut Taker<'_>) -> io::Result<()>,
        (free_bits, most): (u32, u64),
        scratch: Option<(&dyn Scratch, usize)>,
        desk: &mut Desk,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        let bits = free_bits.min(8);
        let mut heap = Heap::default();
        let mut shelf: Option<Shelf<'_>> = None;
        let share = scratch.map(|(scratch, bytes)| (scratch, bytes / 2));
        read(&mut |rows| {
            let mut at = 0;
            while at < rows.len() {
                let (row, length) = Row::at(&rows[at..]);
                heap.add(&row);
                at += length;
                if heap.bytes > most && bits > 0 {
                    let shelf = shelf
                        .get_or_insert_with(|| Shelf::below(self, share, free_bits - bits, bits));
                    heap.empty(|hash, row| shelf.put_row(hash, row))?;
                }
            }
            Ok(())
        })?;
        let Some(mut shelf) = shelf else {
            let mut bytes = std::mem::take(&mut desk.bytes);
            bytes.clear();
            heap.empty(|_, row| {
                bytes.extend_from_slice(row);
                Ok(())
            })?;
            let rows = Gathered {
                blocks: Vec::new(),
                pieces: std::iter::once(0..bytes.len()).collect(),
                bytes,
            };
            return self.settle_rows(rows, free_bits, desk, page);
        };
        heap.empty(|hash, row| shelf.put_row(hash, row))?;
        drop(heap);
        shelf.finish()?;
        let shelves = [shelf];
        for drawer in 0..1 << bits {
            if shelves[0].bytes_of(drawer) <= most {
                let rows = gather(&shelves, drawer, desk)?;
                self.settle_rows(rows, free_bits - bits, desk, page)?;
            } else {
                let read =
                    |each: &mut Taker<'_>| shelves[0].each_piece(drawer, &mut Vec::new(), each);
                self.settle_big(&read, (free_bits - bits, most), scratch, desk, page)?;
            }
        }
        Ok(())
    }

    fn line(
        &self,
        first: &Row<'_>,
        group: &Group<'_>,
        desk: &mut Desk,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        let text = &mut page.text;
        let class = group.class(first.has_key);
        let known = desk.currencies.get(first.currency);
        known.tallies[class as usize].add(1, group.sums);
        let digits = known.digits;
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
        page.lines += 1;
        page.rows[0] += group.rows[0];
        page.rows[1] += group.rows[1];
        page.hand_over_full()
    }

    /// The line of one or two common rows that are a group, one of a side. `None`: nothing was written.
    ///
    /// Nine of ten lines are such; written in one piece they take half the instructions of [`Kernel::line`].
    #[inline]
    fn common_line(
        &self,
        rows: &Rows<'_>,
        same: &[(u64, u32)],
        desk: &mut Desk,
        page: &mut Page<'_>,
    ) -> Option<()> {
        let first = Common::at(rows.at(same.first()?.1)).filter(Common::is_plain)?;
        let second = match same.get(1) {
            None => Common::NONE,
            Some(&(_, place)) => {
                let second = Common::at(rows.at(place)).filter(Common::is_plain)?;
                let is_pair = first.side != second.side
                    && first.currency == second.currency
                    && first.key() == second.key();
                is_pair.then_some(second)?
            }
        };
        // Which row comes first nobody can guess: it is looked up.
        let (pair, left) = ([&first, &second], first.side & 1);
        let sides = [pair[left], pair[1 - left]];
        let (minor, counts) = (sides.map(|row| row.minor), sides.map(|row| row.count));
        let class = match counts {
            [1, 1] if minor[0] == minor[1] => GroupClass::Matched,
            [1, 1] => GroupClass::AmountDiff,
            [1, _] => GroupClass::LeftOnly,
            _ => GroupClass::RightOnly,
        };
        let known = desk.currencies.get(first.currency);
        if known.digits > 6 || desk.words[class as usize].1 == 0 {
            return None;
        }
        known.tallies[class as usize].add(1, minor.map(i128::from));
        let [a, b, c] = known.letters;
        let digits = u32::from(known.digits);
        let start = page.text.len();
        page.text.extend_from_slice(&[0; LINE]);
        let bytes = page.text.last_chunk_mut::<LINE>()?;
        let mut line = Line { bytes, at: 0 };
        let word = &desk.words[class as usize];
        line.push(&word.0, word.1);
        let mut key = [0; 16];
        key.copy_from_slice(&first.text[..16]);
        line.push(&key, first.key);
        line.push(&[b',', a, b, c, b','], 5);
        for row in sides {
            // A key has at most sixteen bytes.
            let mut name = [0; 32];
            name.copy_from_slice(&row.text[row.key..row.key + 32]);
            line.push(&name, row.name);
            line.push(b",", 1);
        }
        line.push(&[b'0' + counts[0], b',', b'0' + counts[1]], 3);
        for row in sides {
            let (number, length) = short_number(row.minor, digits);
            line.push(b",", 1);
            line.push(&number, length * usize::from(row.count));
        }
        line.push(b"\n", 1);
        let end = start + line.at;
        page.text.truncate(end);
        page.lines += 1;
        page.rows[0] += u64::from(counts[0]);
        page.rows[1] += u64::from(counts[1]);
        Some(())
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
            let (hash, length) = measure(rest);
            found.push((hash, *place));
            *place += length as u32;
            *rest = &rest[length..];
        }
    }
    // Hashes are spread evenly, unless somebody chose the keys: one pass by the next bits leaves runs of a few rows.
    let bits = found
        .len()
        .max(2)
        .ilog2()
        .saturating_sub(1)
        .clamp(1, 14)
        .min(free_bits);
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
        self.rows[row.side] += row.count;
        self.sums[row.side] += row.minor;
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
    let (words, rest) = bytes.as_chunks::<8>();
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
    let (digits, length) = short_number(number, u32::from(decimals));
    let start = text.len();
    text.extend_from_slice(&digits);
    text.truncate(start + length);
}

/// A number of at most eight digits with at most six decimals, and how many bytes count.
///
/// Inlined by force: handed back in memory it would be read before it is there, 2 % of a run.
#[inline(always)]
fn short_number(number: u32, decimals: u32) -> ([u8; 16], usize) {
    // Eight digits at once, the first in the lowest byte: split into fours, twos and ones side by side.
    let (high, low) = (u64::from(number / 10_000), u64::from(number % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    let ones = tens | (twos - 10 * tens) << 8;
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
    (line.to_le_bytes(), length as usize)
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
    use quanfu_settlement::{Rules, Side};

    use super::super::KernelRow;
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

    fn kernel() -> Kernel {
        let rules = "schema = \"quanfu.rules/1\"\nname = \"keys\"\ncalendar = \"CN\"\n[source.a]\nrole = \"order\"\n\
                     [source.b]\nrole = \"bank\"\n[[edge]]\nleft = \"a\"\nright = \"b\"\n[[edge.rule]]\nid = \"K\"\n\
                     pass = \"unique_key\"\non = [\"order\", \"currency\"]\n";
        let rules = Rules::parse(rules).expect("rules of this test");
        let kernel = Kernel::new(&rules, DigestAlg::Blake3).expect("a key run");
        kernel.expecting(0)
    }

    /// The list and what it comes to, of rows that are `same` in so many ways, with this bound for a drawer.
    fn run(rows: &[(Side, String, String, i64)], most: u64, threads: usize) -> (Vec<u8>, Settled) {
        let kernel = kernel();
        let mut shelves: Vec<Shelf<'_>> = (0..threads).map(|_| Shelf::new(&kernel, None)).collect();
        for (index, (side, key, name, minor)) in rows.iter().enumerate() {
            let row = KernelRow {
                side: *side,
                references: &[key.as_bytes()],
                name: name.as_bytes(),
                currency: Currency::CNY,
                minor: *minor,
            };
            shelves[index % threads]
                .put(&row)
                .expect("no scratch space");
        }
        let mut list = Vec::new();
        let settled = kernel.settle_within(most, shelves, threads, &mut |lines| {
            list.extend_from_slice(lines);
            Ok(())
        });
        (list, settled.expect("no scratch space"))
    }

    /// Two rows alone have too little behind them to be common: they are written the long way.
    #[test]
    fn common_lines_are_those_written_the_long_way() {
        let mut rows = Vec::new();
        let specials = [",", "\"", "\u{1f}", " ", "-", "~"];
        for (number, special) in specials.into_iter().enumerate() {
            for at in 0..36 {
                let (mut key, mut name) =
                    (format!("KEY-{at:08}-XY{number}"), format!("NAME-{at:015}"));
                match at {
                    0..16 => key.replace_range(at..=at, special),
                    _ => name.replace_range(at - 16..=at - 16, special),
                }
                let minor = 10_i64.pow(at as u32 * 7 % 9) + at as i64 - 20;
                let other = minor + (at as i64 % 4 / 3);
                rows.push(vec![(Side::Left, key.clone(), name.clone(), minor)]);
                if at % 5 > 0 {
                    let row = (Side::Right, key, format!("R{name}"), other);
                    let rows = rows.last_mut().expect("was put there");
                    rows.insert(at % 2, row);
                }
            }
        }
        let lines = |list: Vec<u8>| {
            let list = String::from_utf8(list).expect("text");
            list.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let mut alone: Vec<String> = rows
            .iter()
            .flat_map(|rows| lines(run(rows, u64::MAX, 1).0))
            .collect();
        // The last rows of a drawer are written the long way too: these stand behind all others.
        let mut rows = rows.concat();
        let behind = (0..3_000).map(|n| (Side::Left, format!("Z{n:09}"), "Z".repeat(40), 1));
        rows.extend(behind);
        let mut all = lines(run(&rows, u64::MAX, 1).0);
        all.retain(|line| !line.contains(",Z0"));
        alone.sort();
        all.sort();
        let differs = alone.iter().zip(&all).find(|(alone, all)| alone != all);
        assert_eq!(differs, None);
        assert_eq!(alone.len(), all.len());
    }

    #[test]
    fn keys_that_only_share_their_hash_are_groups_of_their_own() {
        // The hash does not tell its two halves apart once they are mixed with its constants.
        let mixed = super::super::text::swapped(16);
        let byte = |at: usize, lead: u8| {
            let fits = |byte: &u8| *byte >= b'-' && byte ^ mixed[at] >= b'-';
            (lead..=0xFF).find(fits).expect("a byte that stays plain")
        };
        let first: [u8; 8] = std::array::from_fn(|at| byte(at, b'A'));
        let last: [u8; 8] = std::array::from_fn(|at| byte(at, b'a'));
        let swap = |half: [u8; 8]| -> [u8; 8] { std::array::from_fn(|at| half[at] ^ mixed[at]) };
        let one = [first, last].concat();
        let other = [swap(last), swap(first)].concat();
        let currency = u64::from(pack(Currency::CNY));
        assert_ne!(one, other);
        assert_eq!(hash(&one, currency), hash(&other, currency));
        let kernel = kernel();
        let mut shelf = Shelf::new(&kernel, None);
        let mut put = |side, key: &[u8], minor| {
            let (references, name) = ([key], &b"a-name-of-some-length"[..]);
            let currency = Currency::CNY;
            let references = &references[..];
            let row = KernelRow {
                side,
                references,
                name,
                currency,
                minor,
            };
            shelf.put(&row).expect("no scratch space");
        };
        put(Side::Left, &one, 5);
        put(Side::Right, &other, 5);
        // So that the bytes of both rows are followed by others.
        let behind = (0..9_000).map(|n| format!("behind-{n:07}"));
        behind.for_each(|key| put(Side::Left, key.as_bytes(), 7));
        let settled = kernel.settle(vec![shelf], 1, &mut |_| Ok(()));
        let totals = settled.expect("no scratch space").totals;
        let groups: Vec<_> = totals.iter().map(|sum| (sum.class, sum.groups)).collect();
        assert_eq!(
            groups,
            [(GroupClass::LeftOnly, 9_001), (GroupClass::RightOnly, 1)]
        );
    }

    #[test]
    fn a_drawer_too_big_is_settled_in_parts_to_the_same_bytes() {
        let currency = u64::from(pack(Currency::CNY));
        let keys = (0..60_000).map(|n| format!("K{:07}", n * 31));
        let crowded = keys.filter(|key| hash(key.as_bytes(), currency) >> 60 == 5);
        let mut rows = Vec::new();
        for (n, key) in crowded.enumerate() {
            let minor = n as i64 * 977 % 10_007;
            rows.push((Side::Left, key.clone(), format!("L{n}"), minor));
            rows.push((
                Side::Right,
                key.clone(),
                format!("R{n}"),
                minor - (n % 9 / 8) as i64,
            ));
            if n % 50 == 0 {
                rows.push((Side::Right, key, format!("Q{n}"), minor));
            }
        }
        for n in 0..3_000 {
            rows.push((Side::Left, "THE-SAME-KEY".to_owned(), format!("S{n}"), n));
            rows.push((Side::Right, String::new(), format!("N{}", n % 5), n % 3));
            rows.push((Side::Right, "short".to_owned(), "T".to_owned(), -n));
        }
        let whole = run(&rows, u64::MAX, 1);
        assert!(
            whole
                .1
                .buckets
                .iter()
                .map(|bucket| bucket.lines)
                .sum::<u64>()
                > 6_000
        );
        rows.reverse();
        for (most, threads) in [(100_000, 2), (20_000, 1), (20_000, 3), (4_000, 1)] {
            let parts = run(&rows, most, threads);
            assert!(
                parts.0 == whole.0,
                "the list with {most} bytes at once is another one"
            );
            assert_eq!(parts.1, whole.1, "{most} bytes, {threads} threads");
        }
    }
}
