//! Exact factors of a conversion, multiplied and divided once: in 128 bits if they hold it, else in 512.

use quanfu_money::Rounding;
use std::cmp::Ordering;

/// What an amount of minor units is multiplied with on its way: `num / den`, each a list of factors above zero.
///
/// A route has at most two rates, one spread and the step that is rounded to, so four factors are enough: a rate has at
/// most 120 bits to either side (10^36: 28 decimals, 4 of the minor unit, 4 of the unit), a spread 21, an amount 63, a
/// step 63. That is 387 bits, so 512 hold every amount at every rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Factors {
    num: [u128; Self::MOST],
    den: [u128; Self::MOST],
    used: usize,
}

impl Factors {
    const MOST: usize = 4;

    /// No factor: an amount stays as it is.
    pub(crate) const ONE: Self = Self {
        num: [1; Self::MOST],
        den: [1; Self::MOST],
        used: 0,
    };

    /// One factor more.
    pub(crate) fn times(mut self, (num, den): (u128, u128)) -> Self {
        assert!(
            self.used < Self::MOST,
            "a route has at most two rates, a spread and a step"
        );
        self.num[self.used] = num;
        self.den[self.used] = den;
        self.used += 1;
        self
    }

    /// The factors the other way round.
    pub(crate) const fn inverse(self) -> Self {
        Self {
            num: self.den,
            den: self.num,
            used: self.used,
        }
    }

    /// `minor * num / den`, rounded once; `None` if that leaves an `i64`.
    pub(crate) fn round(&self, minor: i64, rounding: Rounding) -> Option<i64> {
        match self.narrow(minor) {
            Some((num, den)) => i64::try_from(rounding.divide(num, den).ok()?).ok(),
            None => self.round_wide(minor, rounding),
        }
    }

    fn narrow(&self, minor: i64) -> Option<(i128, i128)> {
        let product = |start: i128, factors: &[u128]| {
            factors.iter().try_fold(start, |product, &factor| {
                product.checked_mul(i128::try_from(factor).ok()?)
            })
        };
        Some((
            product(i128::from(minor), &self.num[..self.used])?,
            product(1, &self.den[..self.used])?,
        ))
    }

    fn round_wide(&self, minor: i64, rounding: Rounding) -> Option<i64> {
        let product =
            |start: Wide, factors: &[u128]| factors.iter().fold(start, |all, &f| all.times(f));
        let num = product(Wide::from(u128::from(minor.unsigned_abs())), &self.num);
        let den = product(Wide::from(1), &self.den);
        let (quotient, rest) = num.divide(den)?;
        let negative = minor < 0;
        let mut quotient = i128::from(quotient);
        if rest != Wide::from(0) {
            let half = rest.times(2).cmp(&den);
            if rounding.leaves_zero(negative, quotient % 2 != 0, half) {
                quotient += 1;
            }
        }
        i64::try_from(if negative { -quotient } else { quotient }).ok()
    }
}

/// A whole number of up to 512 bits, its limbs of 64 bits least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide([u64; 8]);

impl Wide {
    fn from(number: u128) -> Self {
        let mut limbs = [0; 8];
        limbs[0] = number as u64;
        limbs[1] = (number >> 64) as u64;
        Self(limbs)
    }

    /// The product; [`Factors`] are too few to leave 512 bits.
    fn times(self, factor: u128) -> Self {
        let low = self.times_limb(factor as u64);
        let mut high = self.times_limb((factor >> 64) as u64);
        assert_eq!(high.0[7], 0, "factors of a route stay below 512 bits");
        high.0.rotate_right(1);
        low.plus(high)
    }

    fn times_limb(self, factor: u64) -> Self {
        let mut limbs = [0; 8];
        let mut carry = 0;
        for (limb, own) in limbs.iter_mut().zip(self.0) {
            let product = u128::from(own) * u128::from(factor) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        assert_eq!(carry, 0, "factors of a route stay below 512 bits");
        Self(limbs)
    }

    fn plus(self, other: Self) -> Self {
        let mut limbs = [0; 8];
        let mut carry = 0;
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let sum = u128::from(a) + u128::from(b) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        assert_eq!(carry, 0, "factors of a route stay below 512 bits");
        Self(limbs)
    }

    /// The difference from a number that is not greater.
    fn minus(self, other: Self) -> Self {
        let mut limbs = [0; 8];
        let mut borrow = 0;
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let whole = (1 << 64) + u128::from(a) - u128::from(b) - borrow;
            *limb = whole as u64;
            borrow = 1 - (whole >> 64);
        }
        assert_eq!(borrow, 0, "only a smaller number is taken away");
        Self(limbs)
    }

    fn halved(self) -> Self {
        let mut limbs = [0; 8];
        for (index, limb) in limbs.iter_mut().enumerate() {
            let above = self.0.get(index + 1).copied().unwrap_or(0);
            *limb = self.0[index] >> 1 | above << 63;
        }
        Self(limbs)
    }

    /// Quotient and rest; `None` if the quotient needs more than 64 bits. Long division, bit by bit.
    fn divide(self, den: Self) -> Option<(u64, Self)> {
        let mut part = den.times(1 << 64);
        if self.cmp(&part) != Ordering::Less {
            return None;
        }
        let (mut quotient, mut rest) = (0, self);
        for _ in 0..64 {
            part = part.halved();
            quotient <<= 1;
            if rest.cmp(&part) != Ordering::Less {
                rest = rest.minus(part);
                quotient |= 1;
            }
        }
        Some((quotient, rest))
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_factors_stay_below_512_bits() {
        let most = Factors::ONE
            .times((10_u128.pow(36), 1))
            .times((10_u128.pow(36), 1))
            .times((1_999_999, 1));
        assert_eq!(most.round(i64::MIN, Rounding::HalfUp), None);
        assert_eq!(most.inverse().round(i64::MIN, Rounding::HalfUp), Some(0));
        assert_eq!(most.inverse().round(i64::MIN, Rounding::Floor), Some(-1));
    }

    proptest! {
        #[test]
        fn both_widths_round_alike(
            minor in any::<i64>(), a in 1..u128::from(u32::MAX), b in 1..u128::from(u32::MAX), c in 1..u128::from(u32::MAX),
        ) {
            let factors = Factors::ONE.times((a, b)).times((1, c));
            for rounding in Rounding::ALL {
                prop_assert_eq!(factors.round(minor, rounding), factors.round_wide(minor, rounding));
            }
        }

        #[test]
        fn wide_numbers_divide_as_narrow_ones(num in any::<u128>(), den in 1..u128::MAX) {
            let found = Wide::from(num).divide(Wide::from(den));
            let want = u64::try_from(num / den).ok();
            prop_assert_eq!(found, want.map(|quotient| (quotient, Wide::from(num % den))));
        }

        #[test]
        fn what_was_multiplied_divides_again(a in any::<u128>(), b in 1..u128::MAX, q in any::<u64>(), rest in any::<u128>()) {
            let den = Wide::from(a | 1).times(b);
            let num = den.times(u128::from(q)).plus(Wide::from(rest % b));
            prop_assert_eq!(num.divide(den), Some((q, Wide::from(rest % b))));
        }
    }
}
