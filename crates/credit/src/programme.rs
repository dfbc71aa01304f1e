//! [`Programme`]: one document of a city as data, and what can be wrong with it before any application is read.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{Certainty, Date, Dated, DatedError, DatedTable};
use quanfu_money::{Decimal, Money, Rounding};
use quanfu_settlement::Digest;
use serde::Deserialize;

use crate::application::ItemKind;
use crate::fact::{Condition, Fact, Facts, Wanted};

mod read;
mod worked;

pub use worked::{Worked, WorkedResult};

/// The schema of a programme.
pub const SCHEMA: &str = "quanfu.programme/1";

/// A support programme (扶持政策): inert rules, checked.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Stable id.
    pub id: String,
    /// The support year, such as `2024`; caps per year count under it.
    pub year: String,
    /// What it is called in its place.
    pub title: String,
    /// How much of it is real.
    pub status: Status,
    /// Where it holds.
    pub region: String,
    /// The offices that run it.
    pub bodies: Vec<String>,
    /// The documents and clauses that figures name.
    pub references: BTreeMap<String, Reference>,
    /// What the sources did not show, in words; said in every output.
    pub unseen: Vec<String>,
    /// Which items count by their day.
    pub window: Window,
    /// What must hold of every firm.
    pub gates: Vec<Gate>,
    /// The documents that an application must have.
    pub documents: Vec<String>,
    /// Classes of firms; none: all firms are alike.
    pub classes: Vec<Class>,
    /// What is paid for, in order.
    pub lines: Vec<Line>,
    /// Caps over several lines, in order.
    pub cap_groups: Vec<CapGroup>,
    /// How amounts of other currencies become renminbi.
    pub fx: Fx,
    /// How this support stands beside other support.
    pub stacking: Stacking,
    /// Where and how figures are rounded, and the order of the steps.
    pub rounding: RoundingRules,
    /// The money there is.
    pub budget: Budget,
    /// Whether an insurer applies for many firms, having paid their premium.
    pub is_insurer_group: bool,
    /// Whether each item must name a reconciled receipt.
    pub requires_receipt: bool,
    /// Public notice before money is paid; none: not stated.
    pub notice: Option<Notice>,
    /// Worked cases of the document.
    pub tests: Vec<Worked>,
    /// SHA-256 of the document.
    pub digest: Digest,
}

/// How long the public notice (公示) runs, and how its days are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// So many days, 1 to 366.
    pub days: u32,
    /// The calendar whose working days they are, such as `CN`; none: all days count.
    pub calendar: Option<String>,
    /// Whether the day on which it opens counts.
    pub counts_opening_day: bool,
    /// Where it is written.
    pub reference: String,
}

/// How much of a programme is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All of it was read in its document.
    Real,
    /// Some of it was read; what was not is among [`Programme::unseen`] or has no figure.
    RealPartial,
    /// Made up.
    Illustrative,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Real, Self::RealPartial, Self::Illustrative];

    /// The text form: `real`, `real-partial`, `illustrative`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::RealPartial => "real-partial",
            Self::Illustrative => "illustrative",
        }
    }
}

/// Where a figure is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The document.
    pub document: String,
    /// The clause in it.
    pub clause: String,
    /// The day it was read; none: not read.
    pub seen: Option<Date>,
    /// How sure it is that the clause says so.
    pub certainty: Certainty,
}

/// Which day of an item the window asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowTest {
    /// The day of the invoice.
    InvoiceDate,
    /// The day it was paid.
    PaymentDate,
    /// The first day of the policy.
    PolicyStart,
    /// The days that the interest is for.
    InterestPeriod,
}

impl WindowTest {
    /// The text form, such as `invoice_date`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvoiceDate => "invoice_date",
            Self::PaymentDate => "payment_date",
            Self::PolicyStart => "policy_start",
            Self::InterestPeriod => "interest_period",
        }
    }
}

/// Which items and applications count by their day; both ends of each range belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// First day; none: not stated.
    pub from: Option<Date>,
    /// Last day; none: not stated.
    pub to: Option<Date>,
    /// Which day is asked about.
    pub test: WindowTest,
    /// First day to apply; none: not stated.
    pub apply_from: Option<Date>,
    /// Last day to apply; none: not stated.
    pub apply_to: Option<Date>,
    /// Where it is written.
    pub reference: String,
}

/// What must hold of every firm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The condition.
    pub condition: Condition,
    /// Where it is written.
    pub reference: String,
}

/// A class of firms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub id: String,
    /// Conditions that must all hold.
    pub when: Vec<Condition>,
    /// Conditions of which one must hold, if there are any.
    pub any: Vec<Condition>,
    /// Whether it takes all firms that no other class takes.
    pub otherwise: bool,
    /// Whether firms of the class get anything.
    pub eligible: bool,
    /// First day of filing on which the class is so drawn; none: from the beginning.
    pub from: Option<Date>,
    /// Last such day; none: until further notice.
    pub until: Option<Date>,
    /// Where it is written.
    pub reference: String,
}

/// What a line pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Premium that was paid: a premium subsidy (保费补助).
    PremiumPaid,
    /// A fee that was paid, such as for credit reports.
    FeePaid,
    /// Interest that was paid in the window.
    InterestPaid,
    /// Interest that accrued in the window, by the loan, never more than was paid: an interest discount (融资贴息).
    InterestAccrued,
}

impl Base {
    /// The text form, such as `premium_paid`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PremiumPaid => "premium_paid",
            Self::FeePaid => "fee_paid",
            Self::InterestPaid => "interest_paid",
            Self::InterestAccrued => "interest_accrued",
        }
    }

    /// The kind of item that counts.
    #[must_use]
    pub fn item_kind(self) -> ItemKind {
        match self {
            Self::PremiumPaid => ItemKind::Premium,
            Self::FeePaid => ItemKind::Fee,
            Self::InterestPaid | Self::InterestAccrued => ItemKind::Interest,
        }
    }
}

/// How an interest discount is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// A share of what was paid or accrued.
    Share,
    /// So many points a year on the principal.
    Points,
    /// A share of the contract rate or of a reference rate and some points, whichever is lower.
    PointsCappedByReference {
        /// Name of the reference rate, such as `LPR1Y`.
        name: String,
        /// What is added to it, as a fraction.
        add: Decimal,
        /// Whether the reference is that of the contract's day; else of each segment's first day.
        at_contract: bool,
    },
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub id: String,
    /// What it pays for.
    pub base: Base,
    /// How an interest discount is measured; a share for all others.
    pub method: Method,
    /// Products it is for; none named: all.
    pub products: Vec<String>,
    /// The layer of government that pays it, if there are several.
    pub layer: Option<String>,
    /// The rates.
    pub rates: Vec<RateRow>,
    /// The caps.
    pub caps: Vec<Cap>,
    /// What is paid at least.
    pub floor: Option<Floor>,
    /// Whether the interest must be of a loan with an export credit policy.
    pub requires_policy: bool,
    /// Where it is written.
    pub reference: String,
}

/// A rate for some firms and items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRow {
    /// First day of an item; none: from the beginning.
    pub from: Option<Date>,
    /// Last day of an item; none: until further notice.
    pub until: Option<Date>,
    /// Class of firms; none: all.
    pub class: Option<String>,
    /// Market of the item; none: all.
    pub market: Option<String>,
    /// Product of the item; none: all.
    pub product: Option<String>,
    /// At most this (不超过), as a fraction; none: not stated or not seen.
    pub ceiling: Option<Decimal>,
    /// The rate that is applied, as a fraction; none: not determinable, and nothing is computed.
    pub applied: Option<Decimal>,
    /// Where it is written.
    pub reference: String,
}

impl RateRow {
    fn is_for(&self, class: &str, market: Option<&str>, product: Option<&str>) -> bool {
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        fits(&self.class, Some(class)) && fits(&self.market, market) && fits(&self.product, product)
    }
}

/// What a cap counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapPer {
    /// Each item.
    Item,
    /// A firm's support year, with what was awarded earlier.
    EnterpriseYear,
}

impl CapPer {
    /// The text form, such as `enterprise_year`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::EnterpriseYear => "enterprise_year",
        }
    }
}

/// No more than this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// What it counts together.
    pub per: CapPer,
    /// The amount; none: not determinable, and nothing is computed.
    pub amount: Option<Money>,
    /// For which firms; no condition: all.
    pub when: Vec<Condition>,
    /// Where it is written.
    pub reference: String,
}

/// A cap over several lines: each line gets what the earlier ones left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapGroup {
    /// Its name.
    pub id: String,
    /// The lines.
    pub lines: Vec<String>,
    /// The cap.
    pub cap: Cap,
}

/// A smallest amount that is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The amount.
    pub amount: Money,
    /// Whether the amount itself is paid.
    pub inclusive: bool,
    /// Where it is written.
    pub reference: String,
}

/// How amounts of other currencies become renminbi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fx {
    /// The way.
    pub mode: FxMode,
    /// Whether the last rate before a day without one serves; else there is none.
    pub previous_serves: bool,
    /// Where it is written; none: nothing says so, and only renminbi is taken.
    pub reference: Option<String>,
}

/// The rate that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FxMode {
    /// None: only renminbi is taken.
    None,
    /// The central parity of the day it was paid.
    PaymentDate,
    /// The central parity of the day of the invoice.
    InvoiceDate,
    /// The central parity of one day for all.
    FixedDate(Date),
    /// The rate that the item says.
    InApplication,
}

/// How this support stands beside other support.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stacking {
    /// The layers of government, in the order in which they pay.
    pub layers: Vec<String>,
    /// All support together is at most this share of the cost.
    pub joint_ceiling: Option<Decimal>,
    /// Programmes whose items may be claimed here too; `*`: all.
    pub on: Vec<String>,
    /// Sources of other support that exclude an item.
    pub excludes: Vec<String>,
    /// Whether an item must have other support already.
    pub requires_prior: bool,
    /// Where it is written; none: nothing is said.
    pub reference: Option<String>,
}

/// Where figures are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingAt {
    /// Each item and each segment of interest, and again the line.
    Segment,
    /// A line once.
    LineTotal,
    /// A firm's lines so that their sum is rounded once.
    EnterpriseTotal,
}

/// Where and how figures are rounded, and the order of the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundingRules {
    /// Decimals of the smallest unit: 2 for fen, 0 for yuan.
    pub decimals: u8,
    /// How.
    pub mode: Rounding,
    /// Where.
    pub at: RoundingAt,
    /// The steps, each once; `rate` first and `budget` last.
    pub order: Vec<Op>,
    /// Where it is written.
    pub reference: String,
}

/// A step of the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Base times rate.
    Rate,
    /// To the unit.
    Round,
    /// Less than the joint ceiling with other support.
    DeductOtherSupport,
    /// The caps of the line.
    LineCap,
    /// The caps over several lines.
    EnterpriseCap,
    /// The smallest amount that is paid.
    MinPayable,
    /// The share of the budget.
    Budget,
}

impl Op {
    /// All steps.
    pub const ALL: [Self; 7] = [
        Self::Rate,
        Self::Round,
        Self::DeductOtherSupport,
        Self::LineCap,
        Self::EnterpriseCap,
        Self::MinPayable,
        Self::Budget,
    ];

    /// The text form, such as `line_cap`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Round => "round",
            Self::DeductOtherSupport => "deduct_other_support",
            Self::LineCap => "line_cap",
            Self::EnterpriseCap => "enterprise_cap",
            Self::MinPayable => "min_payable",
            Self::Budget => "budget",
        }
    }
}

/// The money there is and how it is shared out if it is too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// All of it; none: unlimited.
    pub total: Option<Money>,
    /// The budgets of classes, which are all of it together; none: one budget for all.
    pub classes: Vec<ClassBudget>,
    /// The way, within each class that has a budget of its own.
    pub method: BudgetMethod,
    /// Where it is written.
    pub reference: String,
}

/// The budget of one class of firms; what is left of it goes to no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassBudget {
    /// The class.
    pub class: String,
    /// Its money.
    pub total: Money,
    /// Where it is written.
    pub reference: String,
}

/// How a budget is shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetMethod {
    /// All by one fraction (按比例核减), units left over by largest remainder.
    ProRata,
    /// By weight, nobody above what is eligible, what that frees to the others.
    WaterFill {
        /// The fact whose number is the weight.
        weight: String,
    },
    /// Class after class, the last one reached by one fraction.
    Priority {
        /// The classes, first to last.
        classes: Vec<String>,
    },
    /// By the day on which a firm's last application was filed, firms of one day by one fraction.
    FirstCome,
}

impl BudgetMethod {
    /// The text forms of all methods.
    pub const NAMES: [&'static str; 4] = ["pro_rata", "water_fill", "priority", "first_come"];

    /// The text form, such as `pro_rata`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ProRata => "pro_rata",
            Self::WaterFill { .. } => "water_fill",
            Self::Priority { .. } => "priority",
            Self::FirstCome => "first_come",
        }
    }
}

/// The class of a programme without classes.
pub const EVERY_FIRM: &str = "*";

impl Programme {
    /// Parses a programme and checks all that can be checked without applications.
    ///
    /// # Errors
    ///
    /// [`DocumentError`](crate::DocumentError) with the line and what would be right.
    pub fn parse(text: &str) -> Result<Self, crate::DocumentError> {
        read::programme(text)
    }

    /// How sure a reference is; a made-up programme makes all its figures made up.
    #[must_use]
    pub fn certainty(&self, reference: &str) -> Certainty {
        match (self.status, self.references.get(reference)) {
            (Status::Illustrative, _) => Certainty::Illustrative,
            (_, Some(reference)) => reference.certainty,
            (_, None) => Certainty::Unsure,
        }
    }

    /// The public notice with its source and certainty.
    #[must_use]
    pub fn notice_mark(&self) -> Option<crate::award::NoticeMark> {
        let notice = self.notice.as_ref()?;
        Some(crate::award::NoticeMark {
            days: notice.days,
            calendar: notice.calendar.clone(),
            counts_opening_day: notice.counts_opening_day,
            source: self.source(&notice.reference),
            certainty: self.certainty(&notice.reference),
        })
    }

    /// A reference as one text: document, clause.
    #[must_use]
    pub fn source(&self, reference: &str) -> String {
        match self.references.get(reference) {
            Some(found) if found.clause.is_empty() => found.document.clone(),
            Some(found) => format!("{}, {}", found.document, found.clause),
            None => reference.to_owned(),
        }
    }
}

impl Class {
    /// Whether a firm filing on a day is in the class by its own conditions; not asked of `otherwise`.
    fn takes(&self, facts: &Facts) -> Result<bool, (String, crate::fact::Unanswered)> {
        let ask = |condition: &Condition| {
            let answer = condition.holds(facts);
            answer.map_err(|why| (condition.fact.clone(), why))
        };
        for condition in &self.when {
            if !ask(condition)? {
                return Ok(false);
            }
        }
        let mut one = self.any.is_empty();
        for condition in &self.any {
            one |= ask(condition)?;
        }
        Ok(one)
    }

    fn is_of(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// The classes that take a firm on a day; right is exactly one.
pub(crate) fn classes_of<'c>(
    classes: &'c [Class],
    facts: &Facts,
    day: Date,
) -> Result<Vec<&'c Class>, (String, crate::fact::Unanswered)> {
    let mut taken = Vec::new();
    for class in classes {
        if !class.otherwise && class.is_of(day) && class.takes(facts)? {
            taken.push(class);
        }
    }
    if taken.is_empty() {
        taken.extend(
            classes
                .iter()
                .filter(|class| class.otherwise && class.is_of(day)),
        );
    }
    Ok(taken)
}

/// The row of a line for an item, if one holds.
pub(crate) fn rate_of<'l>(
    line: &'l Line,
    class: &str,
    market: Option<&str>,
    product: Option<&str>,
    day: Option<Date>,
) -> Option<(usize, &'l RateRow)> {
    line.rates.iter().enumerate().find(|(_, row)| {
        let in_time = |day| {
            row.from.is_none_or(|from| from <= day) && row.until.is_none_or(|until| day <= until)
        };
        // Without a day only a row without days can be meant.
        let timely = day.map_or(row.from.is_none() && row.until.is_none(), in_time);
        timely && row.is_for(class, market, product)
    })
}

/// A firm that is in no class or in two, in words; `None` if every firm is in exactly one on every day.
fn class_fault(classes: &[Class]) -> Option<String> {
    /// More combinations than this are not tried; no document comes near.
    const MOST: usize = 1 << 18;
    let mut values: BTreeMap<&str, Vec<Fact>> = BTreeMap::new();
    let conditions = || {
        classes
            .iter()
            .flat_map(|class| class.when.iter().chain(&class.any))
    };
    for condition in conditions() {
        let facts = values.entry(&condition.fact).or_default();
        match &condition.wanted {
            Wanted::Yes(_) => facts.extend([Fact::Yes(true), Fact::Yes(false)]),
            Wanted::OneOf(words) => {
                facts.extend(words.iter().cloned().map(Fact::Word));
                facts.push(Fact::Word("…".into()));
            }
            Wanted::Within {
                currency,
                low,
                high,
            } => {
                let mut marks: BTreeSet<Decimal> = BTreeSet::from([Decimal::ZERO]);
                for other in conditions().filter(|other| other.fact == condition.fact) {
                    if let Wanted::Within { low, high, .. } = &other.wanted {
                        marks.extend(low.iter().chain(high).map(|(bound, _)| *bound));
                    }
                }
                marks.extend(low.iter().chain(high).map(|(bound, _)| *bound));
                let marks: Vec<Decimal> = marks.into_iter().collect();
                // Each bound, a number between two of them, and one above all.
                for (index, &mark) in marks.iter().enumerate() {
                    facts.push(Fact::Number(mark, *currency));
                    let beyond = match marks.get(index + 1) {
                        Some(next) => mark.checked_add(*next)?.checked_div(Decimal::TWO)?,
                        None => mark.checked_add(Decimal::ONE)?,
                    };
                    facts.push(Fact::Number(beyond, *currency));
                }
            }
        }
    }
    for facts in values.values_mut() {
        let mut seen = Vec::new();
        facts.retain(|fact| {
            let is_new = !seen.contains(fact);
            seen.push(fact.clone());
            is_new
        });
    }
    let count = values
        .values()
        .map(Vec::len)
        .try_fold(1_usize, usize::checked_mul);
    let Some(count) = count.filter(|&count| count <= MOST) else {
        return Some(
            "more conditions than can be checked for gaps; fewer facts would be right".into(),
        );
    };
    let mut days: BTreeSet<Date> = classes.iter().filter_map(|class| class.from).collect();
    days.extend(classes.iter().filter_map(|class| class.until?.succ_opt()));
    days.insert(Date::MIN);
    for day in days {
        for mut index in 0..count {
            let mut firm = Facts::new();
            for (name, facts) in &values {
                firm.insert((*name).to_owned(), facts[index % facts.len()].clone());
                index /= facts.len();
            }
            let taken: Vec<&str> = match classes_of(classes, &firm, day) {
                Ok(taken) => taken.iter().map(|class| class.id.as_str()).collect(),
                Err((fact, _)) => {
                    return Some(format!("conditions ask different kinds of fact {fact:?}"));
                }
            };
            if taken.len() != 1 {
                let firm: Vec<String> = firm
                    .iter()
                    .map(|(name, fact)| format!("{name} = {fact}"))
                    .collect();
                let on = if day == Date::MIN {
                    String::new()
                } else {
                    format!(" that files on {day}")
                };
                let (which, right) = match taken.as_slice() {
                    [] => ("no class".to_owned(), "classes without a gap"),
                    _ => (
                        format!("classes {}", taken.join(" and ")),
                        "classes that do not overlap",
                    ),
                };
                return Some(format!(
                    "a firm with {}{on} is in {which}; {right} would be right",
                    firm.join(", ")
                ));
            }
        }
    }
    None
}

/// What is wrong with the rates of a line, in words.
fn rate_fault(line: &Line, classes: &[Class], window: &Window) -> Option<String> {
    let named = |pick: fn(&RateRow) -> &Option<String>| -> Vec<Option<&str>> {
        let mut names: BTreeSet<Option<&str>> =
            line.rates.iter().map(|row| pick(row).as_deref()).collect();
        if names.len() > 1 {
            // Beside named ones, `*` is for all others too.
            names.remove(&None);
            if line.rates.iter().any(|row| pick(row).is_none()) {
                names.insert(Some("…"));
            }
        }
        names.into_iter().collect()
    };
    let mut ids: Vec<&str> = classes
        .iter()
        .filter(|class| class.eligible)
        .map(|class| class.id.as_str())
        .collect();
    ids.dedup();
    if classes.is_empty() {
        ids.push(EVERY_FIRM);
    }
    for class in ids {
        for market in named(|row| &row.market) {
            for product in named(|row| &row.product) {
                let which = || {
                    let part = |name: &str, value: Option<&str>| {
                        value.map_or(String::new(), |value| format!(", {name} {value}"))
                    };
                    format!(
                        "class {class}{}{}",
                        part("market", market),
                        part("product", product)
                    )
                };
                let rows = line
                    .rates
                    .iter()
                    .filter(|row| row.is_for(class, market, product));
                let rows: Vec<Dated<()>> = rows
                    .map(|row| Dated {
                        from: row.from.unwrap_or(Date::MIN),
                        until: row.until,
                        value: (),
                        source: String::new(),
                        certainty: Certainty::Certain,
                    })
                    .collect();
                if rows.is_empty() {
                    return Some(format!(
                        "{} has no rate; a row without `applied` says that it is not known",
                        which()
                    ));
                }
                let table = match DatedTable::new(rows) {
                    Ok(table) => table,
                    Err(DatedError::Overlap { day }) if day == Date::MIN => {
                        return Some(format!("{} has two rates; one would be right", which()));
                    }
                    Err(fault) => return Some(format!("{}: {fault}", which())),
                };
                for day in [window.from, window.to].into_iter().flatten() {
                    if let Err(fault) = table.at(day) {
                        return Some(format!("{}: {fault}, which the window has", which()));
                    }
                }
            }
        }
    }
    None
}
