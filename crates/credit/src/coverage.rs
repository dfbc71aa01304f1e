//! What each rule of a programme did in an assessment: how often it decided, and how much money.

use std::collections::BTreeMap;

use quanfu_money::{Currency, Money, Rounding};
use quanfu_trail::Rational;

use crate::award::CoverageRow;
use crate::programme::Programme;

/// Counts by rule; amounts in fen, each rounded half up for itself.
pub(crate) struct Coverage {
    counts: BTreeMap<String, (u64, i128)>,
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
            counts: rules.map(|(rule, _)| (rule, (0, 0))).collect(),
        }
    }

    /// A rule decided something, and so much money, in yuan.
    pub(crate) fn hit(&mut self, rule: &str, amount: Option<Rational>) {
        let fen = amount.and_then(|amount| {
            let fen = amount.checked_mul(Rational::whole(100)).ok()?;
            Rounding::HalfUp
                .divide(fen.numerator(), fen.denominator())
                .ok()
        });
        let count = self
            .counts
            .get_mut(rule)
            .expect("every rule that can decide is listed");
        count.0 += 1;
        count.1 = count.1.saturating_add(fen.unwrap_or(0));
    }

    pub(crate) fn rows(&self, programme: &Programme) -> Vec<CoverageRow> {
        let rows = rules(programme).into_iter().map(|(rule, reference)| {
            let (count, fen) = self.counts.get(&rule).copied().unwrap_or_default();
            let minor = i64::try_from(fen).unwrap_or(i64::MAX);
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
