//! Where one thread puts its rows: chains of blocks, one chain for each drawer. A drawer holds the rows of some buckets
//! that follow one another; how many drawers there are is a matter of speed alone.

use std::io;
use std::ops::Range;

use memmap2::MmapMut;
use quanfu_money::Currency;
use quanfu_settlement::Side;

use super::text::{Few, ends, hash, hash_ends, put, upper};
use super::{Kernel, KernelRow, LONGEST, MOST_PARTS, Part, Scratch};
use crate::key::SEPARATOR;

/// Bytes of a block: a row fits whole.
pub(super) const BLOCK: usize = 16 * 1024;

/// How many bytes of each drawer are staged in front of its blocks.
const STAGE: usize = 512;

/// How many blocks are had from the system at once.
const SLAB: usize = 64;

/// Bytes in front of a row's key: lengths and flags, currency, amount.
pub(super) const HEAD: usize = 14;

/// How many bytes are written to the scratch space at once.
const WRITTEN: usize = 256 * 1024;

const NONE: u32 = u32::MAX;

const _: () = assert!(HEAD + (MOST_PARTS + 1) * (LONGEST + 1) <= BLOCK);

/// The rows of one thread.
pub struct Shelf<'k> {
    parts: Vec<Part>,
    scratch: Option<(&'k dyn Scratch, usize)>,
    /// The latest rows of each drawer, close together: most writes meet memory that is in the cache.
    stage: Vec<u8>,
    /// For each drawer, how many bytes are staged.
    staged: Vec<u16>,
    slabs: Vec<MmapMut>,
    /// For each block, the one behind it in its chain.
    next: Vec<u32>,
    /// For each block, how many bytes are used.
    fill: Vec<u16>,
    first: Vec<u32>,
    last: Vec<u32>,
    used: usize,
    /// How many bits of a hash do not tell its drawer.
    shift: u32,
    /// For each drawer, where its rows are in the scratch space and how many bytes stand there.
    spilled: Vec<Vec<(u64, u64)>>,
    totals: [Vec<(Currency, u64, i128)>; 2],
    rows: [u64; 2],
    /// The currencies of the totals, by their fifteen bits.
    currencies: Vec<u16>,
    few: Few,
    /// For texts whose steps change them, and for keys that are put together.
    spare: Vec<u8>,
    key: Vec<u8>,
}

impl<'k> Shelf<'k> {
    /// An empty shelf. With scratch space it keeps at most so many bytes in memory.
    #[must_use]
    pub fn new(kernel: &Kernel, scratch: Option<(&'k dyn Scratch, usize)>) -> Self {
        Self {
            parts: kernel.parts.clone(),
            scratch: scratch.map(|(scratch, bytes)| (scratch, (bytes / BLOCK).max(SLAB))),
            stage: vec![0; kernel.drawers * STAGE],
            staged: vec![0; kernel.drawers],
            slabs: Vec::new(),
            next: Vec::new(),
            fill: Vec::new(),
            first: vec![NONE; kernel.drawers],
            last: vec![NONE; kernel.drawers],
            used: 0,
            shift: 64 - kernel.drawers.trailing_zeros(),
            spilled: vec![Vec::new(); kernel.drawers],
            totals: [Vec::new(), Vec::new()],
            rows: [0; 2],
            currencies: Vec::new(),
            few: Few::default(),
            spare: Vec::new(),
            key: Vec::new(),
        }
    }

    /// A shelf for rows of one drawer, by the next bits of the hash.
    pub(super) fn below(
        kernel: &Kernel,
        scratch: Option<(&'k dyn Scratch, usize)>,
        shift: u32,
        bits: u32,
    ) -> Self {
        let below = Kernel {
            drawers: 1 << bits,
            ..kernel.clone()
        };
        Self {
            shift,
            ..Self::new(&below, scratch)
        }
    }

    /// Puts a row as it is laid out already.
    pub(super) fn put_row(&mut self, hash: u64, row: &[u8]) -> io::Result<()> {
        let drawer = (hash >> self.shift) as usize & (self.first.len() - 1);
        self.room(drawer, row.len())?.copy_from_slice(row);
        Ok(())
    }

    /// The scratch space and how many bytes stay in memory.
    pub(super) fn scratch(&self) -> Option<(&'k dyn Scratch, usize)> {
        let (scratch, blocks) = self.scratch?;
        Some((scratch, blocks * BLOCK))
    }

    /// How many bytes a drawer holds.
    pub(super) fn bytes_of(&self, drawer: usize) -> u64 {
        let pieces = self.spilled[drawer].iter();
        let spilled: u64 = pieces.map(|(_, length)| length).sum();
        let blocks = self.blocks(drawer);
        spilled + blocks.map(|block| block.len() as u64).sum::<u64>()
    }

    /// Hands over a drawer's rows, many whole rows at a time.
    pub(super) fn each_piece(
        &self,
        drawer: usize,
        piece: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some((scratch, _)) = self.scratch {
            for &(at, length) in &self.spilled[drawer] {
                piece.resize(length as usize, 0);
                scratch.read(at, piece)?;
                each(piece)?;
            }
        }
        self.blocks(drawer).try_for_each(each)
    }

    /// Puts a row in its drawer.
    ///
    /// # Errors
    ///
    /// What the scratch space says; a reference or name longer than [`LONGEST`] is `InvalidInput`.
    #[inline(always)]
    pub fn put(&mut self, row: &KernelRow<'_>) -> io::Result<()> {
        let side = row.side as usize;
        let (slot, currency) = self.currency(row.currency);
        // Most keys have eight to sixteen bytes and never leave the registers.
        let short = match (self.parts.as_slice(), row.references) {
            ([part], [text]) => {
                let (kept, to_upper) = part.steps[side].take(text, &mut self.spare);
                let ends = ends(kept).filter(|_| kept.len() <= 16);
                ends.map(|(first, last)| match to_upper {
                    true => (upper(first), upper(last), kept.len()),
                    false => (first, last, kept.len()),
                })
            }
            _ => None,
        };
        match short {
            Some((first, last, length)) => {
                let hash = hash_ends(first, last, length, u64::from(currency));
                let place = self.place(hash, length, true, currency, *row)?;
                place[..8].copy_from_slice(&first.to_le_bytes());
                place[length - 8..length].copy_from_slice(&last.to_le_bytes());
            }
            None => {
                let parts = std::mem::take(&mut self.parts);
                let done = self.put_any(&parts, currency, *row);
                self.parts = parts;
                done?;
            }
        }
        self.rows[side] += 1;
        let total = &mut self.totals[side][slot];
        total.1 += 1;
        total.2 += i128::from(row.minor);
        Ok(())
    }

    /// A currency's place in the totals and its fifteen bits.
    #[inline]
    fn currency(&mut self, currency: Currency) -> (usize, u16) {
        let packed = pack(currency);
        let slot = self.few.find(&self.currencies, packed, |known| *known);
        if slot == self.currencies.len() {
            self.totals[0].push((currency, 0, 0));
            self.totals[1].push((currency, 0, 0));
            self.currencies.push(packed);
        }
        (slot, packed)
    }

    /// A row with a key of any length and number of parts, or without one.
    #[inline(never)]
    fn put_any(&mut self, parts: &[Part], currency: u16, row: KernelRow<'_>) -> io::Result<()> {
        if parts.len() != row.references.len() {
            let message = format!(
                "{} references for a key of {}",
                row.references.len(),
                parts.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (mut key, mut spare) = (std::mem::take(&mut self.key), Vec::new());
        key.clear();
        let mut has_key = true;
        for (index, (part, text)) in parts.iter().zip(row.references).enumerate() {
            if index > 0 {
                key.push(SEPARATOR as u8);
            }
            let (kept, to_upper) = part.steps[row.side as usize].take(text, &mut spare);
            has_key &= !kept.is_empty();
            let start = key.len();
            key.extend_from_slice(kept);
            if to_upper {
                key[start..].make_ascii_uppercase();
            }
        }
        if !has_key {
            key.clear();
        }
        if key.len() > LONGEST * MOST_PARTS + 1 {
            return Err(too_long());
        }
        let hashed = if has_key { key.as_slice() } else { row.name };
        let hash = hash(hashed, u64::from(currency));
        let place = self.place(hash, key.len(), has_key, currency, row);
        let done = place.map(|place| place.copy_from_slice(&key));
        self.key = key;
        done
    }

    /// Makes room for a row in the drawer of its hash and writes all of it but the key, whose place is given.
    #[inline(always)]
    fn place(
        &mut self,
        hash: u64,
        key: usize,
        has_key: bool,
        currency: u16,
        row: KernelRow<'_>,
    ) -> io::Result<&mut [u8]> {
        if row.name.len() > LONGEST {
            return Err(too_long());
        }
        let drawer = (hash >> self.shift) as usize & (self.first.len() - 1);
        let length = HEAD + key + row.name.len();
        let mut from = usize::from(self.staged[drawer]);
        if from + length > STAGE {
            self.flush(drawer)?;
            from = 0;
        }
        let start = drawer * STAGE + from;
        let place = if length <= STAGE {
            self.staged[drawer] = (from + length) as u16;
            &mut self.stage[start..start + length]
        } else {
            self.room(drawer, length)?
        };
        let head = key as u32
            | (row.name.len() as u32) << 12
            | (row.side as u32) << 24
            | u32::from(has_key) << 25;
        place[..4].copy_from_slice(&head.to_le_bytes());
        place[4..6].copy_from_slice(&currency.to_le_bytes());
        place[6..14].copy_from_slice(&row.minor.to_le_bytes());
        put(&mut place[HEAD + key..], row.name);
        Ok(&mut place[HEAD..HEAD + key])
    }

    /// Moves what is staged for a drawer to its blocks.
    fn flush(&mut self, drawer: usize) -> io::Result<()> {
        let length = usize::from(self.staged[drawer]);
        let stage = std::mem::take(&mut self.stage);
        let staged = &stage[drawer * STAGE..][..length];
        let room = self.room(drawer, length);
        let done = room.map(|room| room.copy_from_slice(staged));
        self.stage = stage;
        self.staged[drawer] = 0;
        done
    }

    /// So many bytes at the end of a drawer.
    fn room(&mut self, drawer: usize, length: usize) -> io::Result<&mut [u8]> {
        let mut block = self.last[drawer];
        if block == NONE || self.fill[block as usize] as usize + length > BLOCK {
            block = self.new_block(drawer)?;
        }
        let index = block as usize;
        let from = self.fill[index] as usize;
        self.fill[index] = (from + length) as u16;
        let start = index % SLAB * BLOCK + from;
        Ok(&mut self.slabs[index / SLAB][start..start + length])
    }

    /// Moves everything that is staged to the blocks. To be called behind the last row.
    ///
    /// # Errors
    ///
    /// What the scratch space says.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        (0..self.staged.len()).try_for_each(|drawer| self.flush(drawer))
    }

    /// An empty block at the end of a drawer. Where memory is full, the one that was just filled is written to the
    /// scratch space and used again: what is written is still in the cache, and what came first stays in memory.
    #[cold]
    fn new_block(&mut self, drawer: usize) -> io::Result<u32> {
        let block = match self.free_block()? {
            Some(block) => block,
            None if self.last[drawer] != NONE => {
                let block = self.last[drawer];
                self.write_out(drawer, block)?;
                return Ok(block);
            }
            None => {
                self.spill()?;
                self.free_block()?.unwrap_or(0)
            }
        };
        match self.last[drawer] {
            NONE => self.first[drawer] = block,
            last => self.next[last as usize] = block,
        }
        self.last[drawer] = block;
        Ok(block)
    }

    /// Writes a block to the scratch space and empties it.
    fn write_out(&mut self, drawer: usize, block: u32) -> io::Result<()> {
        if let Some((scratch, _)) = self.scratch {
            let bytes = self.block(block);
            let length = bytes.len() as u64;
            let at = scratch.reserve(length)?;
            scratch.write(at, bytes)?;
            self.spilled[drawer].push((at, length));
            self.fill[block as usize] = 0;
        }
        Ok(())
    }

    fn free_block(&mut self) -> io::Result<Option<u32>> {
        if self.scratch.is_some_and(|(_, most)| self.used >= most) {
            return Ok(None);
        }
        let index = self.used;
        if index == self.next.len() {
            if index.is_multiple_of(SLAB) {
                self.slabs.push(slab()?);
            }
            self.next.push(NONE);
            self.fill.push(0);
        } else {
            self.next[index] = NONE;
            self.fill[index] = 0;
        }
        self.used += 1;
        Ok(Some(index as u32))
    }

    fn block(&self, index: u32) -> &[u8] {
        let index = index as usize;
        let start = index % SLAB * BLOCK;
        &self.slabs[index / SLAB][start..start + self.fill[index] as usize]
    }

    /// Writes all rows to the scratch space, drawer by drawer.
    pub(super) fn spill(&mut self) -> io::Result<()> {
        let Some((scratch, _)) = self.scratch else {
            return Ok(());
        };
        let mut lengths = Vec::with_capacity(self.first.len());
        for drawer in 0..self.first.len() {
            lengths.push(
                self.blocks(drawer)
                    .map(|block| block.len() as u64)
                    .sum::<u64>(),
            );
        }
        let written = lengths.iter().sum();
        let begin = scratch.reserve(written)?;
        let mut bytes = Vec::with_capacity(WRITTEN);
        let mut at = begin;
        for drawer in 0..self.first.len() {
            let mut block = self.first[drawer];
            while block != NONE {
                if bytes.len() + BLOCK > WRITTEN {
                    scratch.write(at, &bytes)?;
                    at += bytes.len() as u64;
                    bytes.clear();
                }
                bytes.extend_from_slice(self.block(block));
                block = self.next[block as usize];
            }
        }
        scratch.write(at, &bytes)?;
        let mut at = begin;
        for (pieces, &length) in self.spilled.iter_mut().zip(&lengths) {
            if length > 0 {
                pieces.push((at, length));
            }
            at += length;
        }
        self.first.fill(NONE);
        self.last.fill(NONE);
        self.used = 0;
        Ok(())
    }

    /// Reads a drawer's rows from the scratch space to the place in `bytes` where the last of `pieces` ends, and adds
    /// theirs to these. What is behind them stays, so that nothing need be set to zero before it is read over.
    pub(super) fn read_spilled(
        &self,
        drawer: usize,
        bytes: &mut Vec<u8>,
        pieces: &mut Vec<Range<usize>>,
    ) -> io::Result<()> {
        let Some((scratch, _)) = self.scratch else {
            return Ok(());
        };
        for &(place, length) in &self.spilled[drawer] {
            let at = pieces.last().map_or(0, |piece| piece.end);
            let end = at + length as usize;
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            scratch.read(place, &mut bytes[at..end])?;
            pieces.push(at..end);
        }
        Ok(())
    }

    /// A drawer's rows in memory, block by block.
    pub(super) fn blocks(&self, drawer: usize) -> impl Iterator<Item = &[u8]> {
        let mut block = self.first[drawer];
        std::iter::from_fn(move || {
            if block == NONE {
                return None;
            }
            let bytes = self.block(block);
            block = self.next[block as usize];
            Some(bytes)
        })
    }

    /// Rows of the left and the right side.
    #[must_use]
    pub fn rows(&self) -> [u64; 2] {
        self.rows
    }

    /// Rows and sums of a side, by currency.
    pub fn totals(&self, side: Side) -> impl Iterator<Item = &(Currency, u64, i128)> {
        self.totals[side as usize]
            .iter()
            .filter(|(_, count, _)| *count > 0)
    }
}

/// Empty memory for many blocks.
fn slab() -> io::Result<MmapMut> {
    let slab = MmapMut::map_anon(SLAB * BLOCK)?;
    // All its pages in one call: met one by one they cost a third of the time that the system takes for a run. Where
    // this is not known, they are met one by one.
    #[cfg(target_os = "linux")]
    let _ = slab.advise(memmap2::Advice::PopulateWrite);
    Ok(slab)
}

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("a reference of more than {LONGEST} bytes"),
    )
}

/// A currency's three letters in fifteen bits.
#[inline]
pub(super) fn pack(currency: Currency) -> u16 {
    let [a, b, c] = currency
        .letters()
        .map(|letter| u16::from(letter.wrapping_sub(b'A') & 31));
    a << 10 | b << 5 | c
}

/// The other way.
pub(super) fn unpack(packed: u16) -> [u8; 3] {
    [10, 5, 0].map(|shift| b'A' + (packed >> shift & 31) as u8)
}
