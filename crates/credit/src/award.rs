//! [`Award`]: what a firm gets, with every step; [`Assessment`]: all awards of a programme and all that got nothing.

use std::collections::BTreeMap;

use quanfu_calendar::{Certainty, Date};
use quanfu_money::Money;
use quanfu_settlement::Digest;
use quanfu_trail::Trail;
use serde::{Deserialize, Serialize};

use crate::application::Key;
use crate::reason::Reason;

/// The schema of an assessment.
pub const SCHEMA: &str = "quanfu.award/1";

/// The awards of a programme, what got nothing, and the budget. The JSON form is `quanfu.award/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Assessment {
    /// `quanfu.award/1`.
    pub schema: String,
    /// The programme.
    pub programme: ProgrammeMark,
    /// The day of the assessment, as it was given.
    pub day: Date,
    /// The other files that figures came from, with their digests.
    pub files: Vec<FileMark>,
    /// The budget.
    pub budget: BudgetMark,
    /// The awards, by firm.
    pub awards: Vec<Award>,
    /// What got nothing, by firm, application and item.
    pub refused: Vec<Refusal>,
    /// Rows of the files that could not be read, in words.
    pub unread: Vec<String>,
    /// What each rule of the programme did.
    pub coverage: Vec<CoverageRow>,
}

/// Which programme it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeMark {
    /// Its id.
    pub id: String,
    /// The support year.
    pub year: String,
    /// What it is called.
    pub title: String,
    /// `real`, `real-partial` or `illustrative`.
    pub status: String,
    /// Digest of the document.
    pub digest: String,
    /// What the sources did not show.
    pub unseen: Vec<String>,
    /// Public notice before money is paid; none: not stated.
    pub notice: Option<NoticeMark>,
}

/// How long the public notice (公示) runs, and how its days are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeMark {
    /// So many days, 1 to 366.
    pub days: u32,
    /// The calendar whose working days they are; none: all days count.
    pub calendar: Option<String>,
    /// Whether the day on which it opens counts.
    pub counts_opening_day: bool,
    /// Where it is written.
    pub source: String,
    /// How sure that is.
    pub certainty: Certainty,
}

/// A file that figures came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMark {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
}

impl FileMark {
    /// A file by its name and digest.
    #[must_use]
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self {
            name: name.into(),
            digest: digest.to_string(),
        }
    }
}

/// What became of the budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetMark {
    /// All of it; none: unlimited.
    pub total: Option<Money>,
    /// How it is shared out.
    pub method: String,
    /// What all firms could get.
    pub eligible: Money,
    /// What they get.
    pub paid: Money,
    /// What is left; none: unlimited.
    pub unspent: Option<Money>,
    /// The budgets of classes, in the order of the programme; none: one budget for all.
    pub classes: Vec<ClassBudgetMark>,
}

/// What became of the budget of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassBudgetMark {
    /// The class.
    pub class: String,
    /// All of it.
    pub total: Money,
    /// What the firms of the class could get.
    pub eligible: Money,
    /// What they get.
    pub paid: Money,
    /// What is left.
    pub unspent: Money,
}

/// What a firm gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// Programme, year, day and firm.
    pub id: String,
    /// The firm.
    pub enterprise: String,
    /// Its name.
    pub name: String,
    /// Who is paid: the firm, or the insurer that paid for it.
    pub payee: String,
    /// The firm's class.
    pub class: String,
    /// The applications, by number.
    pub applications: Vec<String>,
    /// What each line gives.
    pub lines: Vec<AwardLine>,
    /// What the firm could get.
    pub eligible: Money,
    /// What it gets out of the budget.
    pub paid: Money,
    /// Paid over eligible as a fraction; none: nothing was eligible.
    pub fraction: Option<String>,
    /// The least sure of all figures that were used.
    pub certainty: Certainty,
    /// How the budget came to what is paid; no step where the budget is unlimited.
    pub trail: Trail,
}

/// What a line gives to a firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardLine {
    /// The line.
    pub line: String,
    /// The layer of government that pays it.
    pub layer: Option<String>,
    /// The items that count.
    pub items: Vec<ItemMark>,
    /// What the line could give.
    pub eligible: Money,
    /// What it gives.
    pub paid: Money,
    /// How the eligible amount came about.
    pub trail: Trail,
}

/// An item that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemMark {
    /// The application.
    pub application: String,
    /// The item in it.
    pub item: String,
    /// What it is known by.
    pub keys: Vec<Key>,
}

/// An item that got nothing, or nothing from one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The firm.
    pub enterprise: String,
    /// The application.
    pub application: String,
    /// The item.
    pub item: String,
    /// The line; none: all of them.
    pub line: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What it was, in words and figures.
    pub detail: String,
    /// Where the rule is written, if one is behind it.
    pub source: Option<String>,
}

/// What a rule of a programme did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageRow {
    /// The rule, such as `line premium, cap 1`.
    pub rule: String,
    /// Where it is written.
    pub source: String,
    /// How often it decided something.
    pub count: u64,
    /// How much money it decided: what a rate gave, what a cap, floor or budget took away.
    pub amount: Money,
}

impl Assessment {
    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut bytes = Vec::new();
        let written = self.write_json(&mut bytes);
        written.expect("an assessment is plain values, and memory takes them");
        String::from_utf8(bytes).expect("JSON is text")
    }

    /// Writes the JSON form piece by piece: that of 100,000 firms with their steps has hundreds of megabytes.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Reads the JSON form and replays every step of it.
    ///
    /// # Errors
    ///
    /// In words: another schema, a shape that is not right, a step that does not give its figure.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!(
                "schema {:?}; {SCHEMA:?} would be right",
                read.schema
            ));
        }
        read.replay()?;
        Ok(read)
    }

    /// Holds each class's budget against the awards of the class, and all of them against the whole.
    fn replay_classes(&self) -> Result<(), String> {
        let budget = &self.budget;
        let Some(total) = budget.total.filter(|_| !budget.classes.is_empty()) else {
            return Ok(());
        };
        // Of each class: eligible, paid.
        let mut sums: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
        for award in &self.awards {
            let (eligible, paid) = sums.entry(&award.class).or_default();
            *eligible += i128::from(award.eligible.minor());
            *paid += i128::from(award.paid.minor());
        }
        let mut whole = 0;
        for mark in &budget.classes {
            let minor = |money: Money| i128::from(money.minor());
            let found = sums.remove(mark.class.as_str()).unwrap_or_default();
            let ties = found == (minor(mark.eligible), minor(mark.paid))
                && minor(mark.paid) + minor(mark.unspent) == minor(mark.total)
                && !mark.unspent.is_negative();
            if !ties {
                return Err(format!(
                    "class {}: the awards do not sum to what its budget says",
                    mark.class
                ));
            }
            whole += minor(mark.total);
        }
        if whole != i128::from(total.minor()) || !sums.is_empty() {
            return Err("the budgets of the classes are not the whole budget".into());
        }
        Ok(())
    }

    /// Computes every step again and holds each amount against its last step.
    ///
    /// # Errors
    ///
    /// In words, with the award, of the first step that does not give its figure, or of sums that do not tie.
    pub fn replay(&self) -> Result<(), String> {
        let sum = |pick: fn(&Award) -> Money| {
            self.awards
                .iter()
                .map(|award| i128::from(pick(award).minor()))
                .sum::<i128>()
        };
        let (eligible, paid) = (sum(|award| award.eligible), sum(|award| award.paid));
        let budget = &self.budget;
        let of_budget = (
            i128::from(budget.eligible.minor()),
            i128::from(budget.paid.minor()),
        );
        let left = budget.total.map(|total| i128::from(total.minor()) - paid);
        if (eligible, paid) != of_budget
            || left != budget.unspent.map(|unspent| i128::from(unspent.minor()))
        {
            return Err("the awards do not sum to what the budget says".into());
        }
        self.replay_classes()?;
        for award in &self.awards {
            let wrong = |what: &dyn std::fmt::Display| format!("award {}: {what}", award.id);
            let ends_with = |trail: &Trail, amount: Money| -> Result<(), String> {
                trail.replay().map_err(|error| wrong(&error))?;
                let Some(last) = trail.0.last() else {
                    return Ok(());
                };
                let figure = last.rounded.as_ref().unwrap_or(&last.exact);
                let number = figure.split(' ').next().unwrap_or_default();
                let found = number.parse::<quanfu_trail::Rational>();
                let want = amount.amount_text().parse::<quanfu_trail::Rational>();
                if found.is_err() || found != want {
                    return Err(wrong(&format!(
                        "the last step gives {figure}, the award says {amount}"
                    )));
                }
                Ok(())
            };
            let (mut eligible, mut paid) = (0, 0);
            for line in &award.lines {
                ends_with(&line.trail, line.eligible)?;
                eligible += i128::from(line.eligible.minor());
                paid += i128::from(line.paid.minor());
            }
            ends_with(&award.trail, award.paid)?;
            if (eligible, paid)
                != (
                    i128::from(award.eligible.minor()),
                    i128::from(award.paid.minor()),
                )
            {
                return Err(wrong(&"its lines do not sum to it"));
            }
        }
        Ok(())
    }
}
