//! Short texts: hashing, comparing and copying them without a call where they are as long as most are.

use quanfu_settlement::rules::Normaliser;

use crate::key::normalised_bytes;

const K: [u64; 3] = [
    0x9E37_79B9_7F4A_7C15,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
];

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The first and the last eight bytes of a text of at least eight, as numbers.
#[inline]
pub(super) fn ends(text: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (text.first_chunk()?, text.last_chunk()?);
    Some((u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
}

/// The hash of a text of eight to sixteen bytes from its ends.
#[inline]
pub(super) fn hash_ends(first: u64, last: u64, length: usize, seed: u64) -> u64 {
    let state = fold(first ^ K[0], last ^ K[1] ^ length as u64);
    fold(state ^ K[2], seed ^ K[1])
}

/// What the halves of a text of so many bytes are mixed with to be each other's in the hash.
#[cfg(test)]
pub(super) fn swapped(length: usize) -> [u8; 8] {
    (K[0] ^ K[1] ^ length as u64).to_le_bytes()
}

/// A fixed 64-bit hash of a text and a number. It only places rows and sorts them there; equality compares the bytes.
#[inline]
pub(crate) fn hash(text: &[u8], seed: u64) -> u64 {
    match ends(text) {
        Some((first, last)) if text.len() <= 16 => hash_ends(first, last, text.len(), seed),
        _ => hash_any(text, seed),
    }
}

fn hash_any(text: &[u8], seed: u64) -> u64 {
    let mut state = seed ^ K[2];
    let (chunks, rest) = text.as_chunks::<8>();
    for chunk in chunks {
        state = fold(state ^ u64::from_le_bytes(*chunk), K[1]) ^ state.rotate_left(23);
    }
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    let last = u64::from_le_bytes(word);
    hash_ends(state, last, text.len(), seed)
}

/// Letters `a` to `z` among eight bytes to upper case.
#[inline]
pub(super) fn upper(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let low = word & !HIGH;
    // The high bit of a byte says: at least `a`; more than `z`; beyond ASCII.
    let from_a = low + (0x80 - b'a' as u64) * ONES;
    let past_z = low + (0x7F - b'z' as u64) * ONES;
    let letters = from_a & !past_z & !word & HIGH;
    word ^ letters >> 2
}

/// Finds one of a few currencies without a guess at which comes next, which would be wrong for every third row.
#[derive(Clone, Debug)]
pub(super) struct Few {
    /// By the last two letters, where the currency that was found by them last stands.
    places: Vec<u8>,
}

impl Default for Few {
    fn default() -> Self {
        let places = vec![0; 1 << 10];
        Self { places }
    }
}

impl Few {
    /// Where a currency, by its fifteen bits, stands among `all`; the length of `all` if it is not there.
    #[inline]
    pub(super) fn find<T>(&mut self, all: &[T], packed: u16, of: impl Fn(&T) -> u16) -> usize {
        let place = &mut self.places[usize::from(packed) & 0x3FF];
        match all.get(usize::from(*place)) {
            Some(known) if of(known) == packed => usize::from(*place),
            _ => {
                let found = all.iter().position(|known| of(known) == packed);
                let found = found.unwrap_or(all.len());
                *place = u8::try_from(found).unwrap_or(0);
                found
            }
        }
    }
}

/// How many zeros (the digit) a text begins with.
#[inline]
pub(super) fn leading_zeros(text: &[u8]) -> usize {
    match text.first_chunk() {
        Some(first) => {
            let other = u64::from_le_bytes(*first) ^ 0x3030_3030_3030_3030;
            match other.trailing_zeros() / 8 {
                8 => 8 + text[8..].iter().take_while(|&&byte| byte == b'0').count(),
                zeros => zeros as usize,
            }
        }
        None => text.iter().take_while(|&&byte| byte == b'0').count(),
    }
}

/// Whether two texts are the same.
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (ends(a), ends(b)) {
        (Some(a), Some(b_ends)) if b.len() <= 16 => a == b_ends,
        _ => a == b,
    }
}

/// Copies a text to the beginning of a place that is long enough.
#[inline]
pub(super) fn put(place: &mut [u8], text: &[u8]) {
    if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>())
        && text.len() <= 32
    {
        place[..16].copy_from_slice(first);
        place[text.len() - 16..text.len()].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
        && text.len() <= 16
    {
        place[..8].copy_from_slice(first);
        place[text.len() - 8..text.len()].copy_from_slice(last);
    } else {
        place[..text.len()].copy_from_slice(text);
    }
}

/// Steps before keys are compared, laid out so that the common ones need no look at each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Steps {
    /// This prefix off, leading zeros off, letters to upper case.
    Common {
        /// The prefix, may be empty.
        prefix: Vec<u8>,
        /// Its first eight bytes as a number, and which bits of it count.
        begins: (u64, u64),
        /// Whether leading zeros go.
        zeros: bool,
        /// Whether letters are changed.
        upper: bool,
    },
    /// Others.
    Other(Vec<Normaliser>),
}

impl Steps {
    pub(super) fn new(steps: &[Normaliser]) -> Self {
        let (mut prefix, mut zeros, mut upper) = (Vec::new(), false, false);
        for step in steps {
            match step {
                // Behind the others a prefix would see a changed text.
                Normaliser::StripPrefix(text) if prefix.is_empty() && !zeros && !upper => {
                    prefix = text.as_bytes().to_vec();
                }
                Normaliser::Upper => upper = true,
                Normaliser::StripLeadingZeros => zeros = true,
                _ => return Self::Other(steps.to_vec()),
            }
        }
        let mut word = [0; 8];
        let mut mask = [0; 8];
        for (index, &byte) in prefix.iter().take(8).enumerate() {
            (word[index], mask[index]) = (byte, 0xFF);
        }
        Self::Common {
            begins: (u64::from_le_bytes(word), u64::from_le_bytes(mask)),
            prefix,
            zeros,
            upper,
        }
    }

    /// What is left of a text, and whether letters are still to be changed. Other steps write into `spare`.
    #[inline]
    pub(super) fn take<'t>(&self, text: &'t [u8], spare: &'t mut Vec<u8>) -> (&'t [u8], bool) {
        match self {
            Self::Common {
                prefix,
                begins,
                zeros,
                upper,
            } => {
                let is_prefixed = match text.first_chunk() {
                    Some(first) if prefix.len() <= 8 => {
                        u64::from_le_bytes(*first) & begins.1 == begins.0
                    }
                    _ => text.starts_with(prefix),
                };
                let mut kept = if is_prefixed {
                    &text[prefix.len()..]
                } else {
                    text
                };
                if *zeros {
                    let zeros = leading_zeros(kept);
                    kept = &kept[zeros.min(kept.len().saturating_sub(1))..];
                }
                (kept, *upper)
            }
            Self::Other(steps) => {
                spare.clear();
                if let Some(text) = normalised_bytes(text, steps) {
                    spare.extend_from_slice(&text);
                }
                (spare, false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_texts_are_treated_as_all_texts(text in "[ -~é]{0,40}", zeros in 0usize..20, tail in "[0-9a-f]{0,30}") {
            let bytes = text.as_bytes();
            let mut place = vec![0; 64];
            put(&mut place, bytes);
            prop_assert_eq!(&place[..bytes.len()], bytes);
            prop_assert!(same(bytes, bytes));
            let word: [u8; 8] = std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(b'{'));
            prop_assert_eq!(upper(u64::from_le_bytes(word)).to_le_bytes().to_vec(), word.to_ascii_uppercase());
            let padded = format!("{}{tail}", "0".repeat(zeros));
            prop_assert_eq!(leading_zeros(padded.as_bytes()), padded.len() - padded.trim_start_matches('0').len());
        }

        #[test]
        fn steps_are_those_of_the_matching_rules(text in "(qf|ICBC/|Q)?0{0,18}[0-9a-zé]{0,20}", which in 0usize..6) {
            let steps = [
                vec![Normaliser::StripPrefix("qf".into()), Normaliser::Upper, Normaliser::StripLeadingZeros],
                vec![Normaliser::Upper, Normaliser::StripPrefix("QF".into())],
                vec![Normaliser::StripLeadingZeros, Normaliser::StripPrefix("qf".into())],
                vec![Normaliser::StripMarks, Normaliser::Trim],
                vec![Normaliser::StripPrefix("ICBC/".into()), Normaliser::StripLeadingZeros],
                vec![],
            ];
            let steps = &steps[which];
            let want = normalised_bytes(text.as_bytes(), steps).unwrap_or_default();
            let mut spare = Vec::new();
            let (kept, upper) = Steps::new(steps).take(text.as_bytes(), &mut spare);
            let kept = if upper { kept.to_ascii_uppercase() } else { kept.to_vec() };
            prop_assert_eq!(kept, want.to_vec());
        }
    }
}
