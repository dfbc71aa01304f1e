//! What each rule of a programme did in an assessment: how often it decided, and how much money.

use std::collections::BTreeMap;

use quanfu_money::{Currency, Money, Rounding};
use quanfu_trail::Rational;

use crate::award::CoverageRow;
use crate::programme::Programme;

/// Counts by rule, and exact sums of money.
pub(crate) struct Coverage {
    counts: BTreeMap<String, (u64, Sum)>,
}

/// A sum of fractions of a fen, by denominator: numerators of one denominator add up whatever the others are.
#[derive(Clone, Default)]
struct Sum(BTreeMap<i128, i128>);

impl Sum {
    fn add(&mut self, yuan: Rational) {
        let (num, den) = (yuan.numerator(), yuan.denominator());
        let (num, den) = match yuan.checked_mul(Rational::whole(100)) {
            Ok(fen) => (fen.numerator(), fen.denominator()),
            // beyond what an assessment computes with
            Err(_) => (half_up(num, den).saturating_mul(100), 1),
        };
        let numerators = self.0.entry(den).or_default();
        *numerators = numerators.saturating_add(num);
    }

    /// In fen, rounded half up once; what has no common denominator within range is rounded for itself.
    fn rounded(&self) -> i128 {
        let (mut whole, mut rest) = (0i128, Rational::whole(0));
        for (&den, &num) in &self.0 {
            whole = whole.saturating_add(num.div_euclid(den));
            let part = Rational::new(num.rem_euclid(den), den);
            match part.and_then(|part| rest.checked_add(part)) {
                Ok(sum) => rest = sum,
                Err(_) => whole = whole.saturating_add(half_up(num.rem_euclid(den), den)),
            }
        }
        whole.saturating_add(half_up(rest.numerator(), rest.denominator()))
    }
}

fn half_up(num: i128, den: i128) -> i128 {
    Rounding::HalfUp.divide(num, den).unwrap_or(0)
}

/// Every rule of a programme with its reference, in the order of the document.
fn rules(programme: &Programme) -> Vec<(String, Option<&String>)> {
    let window = Some(&programme.window.reference);
    let stacking = programme.stacking.reference.as_ref();
    let mut rules = vec![
        ("window".to_owned(), window),
        ("window, apply".to_owned(), window),
    ];
    if !programme.documents.is_empty() {
        rules.push(("documents".into(), None));
    }
    for (index, gate) in programme.gates.iter().enumerate() {
        rules.push((format!("gate {}", index + 1), Some(&gate.reference)));
    }
    for class in &programme.classes {
        let rule = format!("class {}", class.id);
        if !rules.iter().any(|(known, _)| *known == rule) {
            rules.push((rule, Some(&class.reference)));
        }
    }
    rules.push(("receipts".into(), None));
    rules.push(("claimed twice".into(), None));
    rules.push(("interest, exclude".into(), None));
    rules.push(("interest, paid".into(), None));
    for line in &programme.lines {
        for (index, row) in line.rates.iter().enumerate() {
            rules.push((
                format!("line {}, rate {}", line.id, index + 1),
                Some(&row.reference),
            ));
        }
        for (index, cap) in line.caps.iter().enumerate() {
            rules.push((
                format!("line {}, cap {}", line.id, index + 1),
                Some(&cap.reference),
            ));
        }
        if let Some(floor) = &line.floor {
            rules.push((
                format!("line {}, min_payable", line.id),
                Some(&floor.reference),
            ));
        }
    }
    for group in &programme.cap_groups {
        rules.push((
            format!("cap_group {}", group.id),
            Some(&group.cap.reference),
        ));
    }
    if stacking.is_some() {
        for rule in ["joint_ceiling", "same_item_once", "requires_prior_support"] {
            rules.push((format!("stacking, {rule}"), stacking));
        }
    }
    rules.push(("rounding".into(), Some(&programme.rounding.reference)));
    rules.push(("budget".into(), Some(&programme.budget.reference)));
    rules
}

impl Coverage {
    pub(crate) fn new(programme: &Programme) -> Self {
        let rules = rules(programme).into_iter();
        Self {
            counts: rules
                .map(|(rule, _)| (rule, <(u64, Sum)>::default()))
                .collect(),
        }
    }

    /// A rule decided something, and so much money, in yuan.
    pub(crate) fn hit(&mut self, rule: &str, amount: Option<Rational>) {
        let count = self
            .counts
            .get_mut(rule)
            .expect("every rule that can decide is listed");
        count.0 += 1;
        if let Some(amount) = amount {
            count.1.add(amount);
        }
    }

    pub(crate) fn rows(&self, programme: &Programme) -> Vec<CoverageRow> {
        let rows = rules(programme).into_iter().map(|(rule, reference)| {
            let (count, sum) = self.counts.get(&rule).cloned().unwrap_or_default();
            let minor = i64::try_from(sum.rounded()).unwrap_or(i64::MAX);
            CoverageRow {
                source: reference.map_or(String::new(), |reference| programme.source(reference)),
                rule,
                count,
                amount: Money::from_minor(minor, Currency::CNY),
            }
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_rounded_once() {
        let of = |yuan: &[(i128, i128)]| {
            let mut sum = Sum::default();
            for &(num, den) in yuan {
                sum.add(Rational::new(num, den).unwrap_or(Rational::whole(0)));
            }
            sum.rounded()
        };
        assert_eq!(of(&[(1, 300), (1, 300), (1, 300)]), 1);
        assert_eq!(of(&[(4, 1_000); 3]), 1); // 0.4 fen each, 1.2 fen
        assert_eq!(of(&[(5, 1_000); 3]), 2); // 0.5 fen each, 1.5 fen
        assert_eq!(of(&[(1, 300), (1, 600)]), 1); // a third and a sixth are a half
        assert_eq!(of(&[(-5, 1_000), (1, 100)]), 1); // half a fen is left
        assert_eq!(of(&[]), 0);
        // denominators without a common one within range: none is lost
        let far = 1_i128 << 100;
        assert_eq!(of(&[(far - 2, far - 1), (far - 4, far - 3)]), 200);
        assert_eq!(of(&[(i128::MAX - 1, i128::MAX)]), 100);
    }
}
