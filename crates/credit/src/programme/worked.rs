//! Worked cases of a programme, in its own document.

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money};
use quanfu_settlement::{Digest, DigestAlg};
use serde::Deserialize;
use toml::Spanned;

use super::Programme;
use crate::application::{Application, FactText, Item, ItemKind, ItemText};
use crate::assess::{Context, assess};
use crate::award::Assessment;
use crate::error::yuan;
use crate::fact::{Fact, Facts, Wanted};
use crate::interest::{Loan, LoanText};
use crate::reason::Reason;
use crate::receipt::Receipts;

/// A worked case: what is asked for, and what each line gives before the budget.
///
/// What a case does not say is so that nothing stands in the way: gates are passed, documents are there, days are the
/// first of the window.
#[derive(Clone, Debug)]
pub struct Worked {
    /// What it shows.
    pub name: String,
    facts: Facts,
    items: Vec<Item>,
    loans: Vec<Loan>,
    expect: BTreeMap<String, Money>,
    refused: Vec<Reason>,
}

/// What came of a worked case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkedResult {
    /// What it shows.
    pub name: String,
    /// What differs from the document, in words; empty: nothing.
    pub differs: Vec<String>,
    /// What the programme gives, with every step; none: it could not be assessed, and `differs` says why.
    pub assessed: Option<Assessment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkedText {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    facts: BTreeMap<String, FactText>,
    item: Vec<ItemText>,
    #[serde(default)]
    loan: Vec<LoanText>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
    #[serde(default)]
    refused: Vec<String>,
}

impl WorkedText {
    pub(super) fn read(self, is_line: impl Fn(&str) -> bool) -> Result<Worked, String> {
        let mut facts = Facts::new();
        for (name, text) in self.facts {
            facts.insert(name, text.read()?);
        }
        let mut items = Vec::new();
        for (index, mut text) in self.item.into_iter().enumerate() {
            text.id.get_or_insert_with(|| (index + 1).to_string());
            if text.invoice.is_none() && text.kind != Some(ItemKind::Interest) {
                text.invoice = Some(format!("worked-{}", index + 1));
            }
            if text.payment.is_none() {
                text.payment = Some(format!("worked-{}", index + 1));
            }
            let item = text.read();
            items.push(
                item.map_err(|(field, message)| format!("item {}, {field}: {message}", index + 1))?,
            );
        }
        let loans = self.loan.into_iter().map(LoanText::read);
        let mut expect = BTreeMap::new();
        for (line, text) in self.expect {
            if !is_line(&line) {
                return Err(format!(
                    "expect names {line:?}, which is no line; `total` is all lines"
                ));
            }
            expect.insert(line, yuan(&text)?);
        }
        let mut refused = Vec::new();
        for code in self.refused {
            let reason = Reason::ALL.iter().find(|reason| reason.code() == code);
            refused.push(*reason.ok_or_else(|| format!("no reason {code:?}"))?);
        }
        if expect.is_empty() && refused.is_empty() {
            return Err("it expects nothing; `expect` or `refused` would be right".into());
        }
        Ok(Worked {
            name: self.name.into_inner(),
            facts,
            items,
            loans: loans.collect::<Result<_, _>>()?,
            expect,
            refused,
        })
    }
}

impl Programme {
    /// Runs the worked cases of the document; of the context only rates of exchange and of reference count.
    #[must_use]
    pub fn run_tests(&self, context: &Context<'_>) -> Vec<WorkedResult> {
        let context = Context {
            earlier: &[],
            policies: &[],
            receipts: Some(&Receipts::as_named()),
            ..*context
        };
        self.tests
            .iter()
            .map(|test| self.run_test(test, &context))
            .collect()
    }

    fn run_test(&self, test: &Worked, context: &Context<'_>) -> WorkedResult {
        let day = self.window.from.or(self.window.to).unwrap_or(Date::MIN);
        let mut facts = test.facts.clone();
        for gate in &self.gates {
            let passing = match &gate.condition.wanted {
                Wanted::Yes(yes) => Some(Fact::Yes(*yes)),
                Wanted::OneOf(words) => words.first().cloned().map(Fact::Word),
                Wanted::Within { .. } => None,
            };
            if let Some(passing) = passing {
                facts.entry(gate.condition.fact.clone()).or_insert(passing);
            }
        }
        let items = test.items.iter().cloned().enumerate();
        let items = items.map(|(place, mut item)| {
            item.invoice_on.get_or_insert(day);
            item.paid_on.get_or_insert(day);
            item.policy_from.get_or_insert(day);
            if item.kind == ItemKind::Interest {
                item.from.get_or_insert(day);
                item.until = item.until.or(day.succ_opt());
                item.policy.get_or_insert_with(|| "worked".into());
            }
            if self.requires_receipt {
                item.receipt
                    .get_or_insert_with(|| format!("worked {place}"));
            }
            item
        });
        let paper = Digest::of(DigestAlg::Sha256, b"");
        let application = Application {
            id: "worked".into(),
            enterprise: "worked".into(),
            name: "worked".into(),
            group_applicant: self.is_insurer_group.then(|| "worked".into()),
            filed_on: self
                .window
                .apply_from
                .or(self.window.apply_to)
                .unwrap_or(day),
            facts,
            documents: self
                .documents
                .iter()
                .map(|kind| (kind.clone(), paper))
                .collect(),
            items: items.collect(),
            loans: test.loans.clone(),
        };
        let mut differs = Vec::new();
        let mut assessed = None;
        match assess(self, &[application], context) {
            Err(error) => differs.push(error.to_string()),
            Ok(done) => {
                if let Err(fault) = done.replay() {
                    differs.push(fault);
                }
                let award = done.awards.first();
                for (line, want) in &test.expect {
                    let found = award.and_then(|award| match line.as_str() {
                        "total" => Some(award.eligible),
                        line => award
                            .lines
                            .iter()
                            .find(|found| found.line == line)
                            .map(|line| line.eligible),
                    });
                    let found = found.unwrap_or(Money::zero(Currency::CNY));
                    if found != *want {
                        differs.push(format!("{line}: {found}, the document says {want}"));
                    }
                }
                let mut found: Vec<Reason> =
                    done.refused.iter().map(|refusal| refusal.reason).collect();
                let mut want = test.refused.clone();
                found.sort_unstable();
                want.sort_unstable();
                if found != want {
                    let names = |reasons: &[Reason]| {
                        let names: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
                        if names.is_empty() {
                            "nothing".to_owned()
                        } else {
                            names.join(", ")
                        }
                    };
                    differs.push(format!(
                        "refused {}, the document says {}",
                        names(&found),
                        names(&want)
                    ));
                }
                assessed = Some(done);
            }
        }
        WorkedResult {
            name: test.name.clone(),
            differs,
            assessed,
        }
    }
}
