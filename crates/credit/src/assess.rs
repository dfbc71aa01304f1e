//! [`assess`]: a programme run over applications.
//!
//! All applications of a firm are one claim, so that splitting it gains nothing. What is refused is refused item by
//! item with its reason; what is left goes through the steps in the order that the programme says.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{BusinessCalendar, Certainty, Date};
use quanfu_fx::{RateTable, Staleness, Terms};
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_trail::{Rational, Step, Trail};

use crate::application::{Application, ByKey, InterestKind, Item, ItemKind, Key};
use crate::award::{
    Assessment, Award, AwardLine, BudgetMark, ClassBudgetMark, FileMark, ItemMark, ProgrammeMark,
    Refusal, SCHEMA,
};
use crate::budget::{
    Claim, Share, Source, amount_text, largest_remainder, share_out, share_out_by_class,
};
use crate::coverage::Coverage;
use crate::fact::{Condition, Facts, Unanswered};
use crate::policy::Policy;
use crate::programme::{
    Base, BudgetMethod, CapPer, Class, EVERY_FIRM, FxMode, Line, Method, Op, Programme, RoundingAt,
    WindowTest, classes_of, rate_of,
};
use crate::reason::Reason;
use crate::receipt::Receipts;
use crate::reference::ReferenceRates;

/// What an assessment needs beside programme and applications.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The day of the assessment.
    pub day: Date,
    /// Rates of exchange.
    pub rates: &'c RateTable,
    /// Reference rates of interest.
    pub reference: &'c ReferenceRates,
    /// The business days of the central parity, for a programme that lets the last published rate serve.
    pub calendar: &'c BusinessCalendar,
    /// Earlier assessments, of this programme and of others.
    pub earlier: &'c [Assessment],
    /// Policies, if there are any, that items and loans may name.
    pub policies: &'c [Policy],
    /// The files that the figures above came from.
    pub files: &'c [FileMark],
    /// Rows of these files that could not be read, in words; the assessment carries them on.
    pub unread: &'c [String],
    /// Results of reconciliation that confirm receipts, if any were given.
    pub receipts: Option<&'c Receipts>,
}

/// Why something gets nothing: the reason, the detail, and where the rule is written.
type Because = (Reason, String, Option<String>);

fn because(reason: Reason, detail: impl Into<String>) -> Because {
    (reason, detail.into(), None)
}

/// Runs a programme over applications, in any order.
///
/// Every item of every application ends in the line of an award or in a refusal.
///
/// # Errors
///
/// [`BudgetError`](crate::budget::BudgetError) if all awards together are more than an amount can hold.
pub fn assess(
    programme: &Programme,
    applications: &[Application],
    context: &Context<'_>,
) -> Result<Assessment, crate::budget::BudgetError> {
    let mut run = Run {
        programme,
        context,
        ledger: Ledger::new(programme, context.earlier),
        refused: Vec::new(),
        coverage: Coverage::new(programme),
    };
    let mut firms: BTreeMap<&str, Vec<&Application>> = BTreeMap::new();
    for application in applications {
        firms
            .entry(&application.enterprise)
            .or_default()
            .push(application);
    }
    let mut claims: Vec<Firm<'_>> = Vec::new();
    for (enterprise, mut applications) in firms {
        applications.sort_by(|a, b| (a.filed_on, &a.id).cmp(&(b.filed_on, &b.id)));
        claims.extend(run.firm(enterprise, &applications));
    }
    run.refuse_doubles(&mut claims);
    let mut awards: Vec<(Award, u64, Date)> = Vec::new();
    for firm in &claims {
        if let Some(award) = run.award(firm) {
            awards.push((award, firm.weight, firm.filed_on));
        }
    }
    let budget = run.share_out(&mut awards)?;
    let programme_mark = ProgrammeMark {
        id: programme.id.clone(),
        year: programme.year.clone(),
        title: programme.title.clone(),
        status: programme.status.name().to_owned(),
        digest: programme.digest.to_string(),
        unseen: programme.unseen.clone(),
        notice: programme.notice_mark(),
    };
    run.refused.sort();
    Ok(Assessment {
        schema: SCHEMA.to_owned(),
        programme: programme_mark,
        day: context.day,
        files: context.files.to_vec(),
        unread: context.unread.to_vec(),
        budget,
        awards: awards.into_iter().map(|(award, ..)| award).collect(),
        refused: run.refused,
        coverage: run.coverage.rows(programme),
    })
}

/// A firm with the items that are still asked for.
struct Firm<'a> {
    enterprise: &'a str,
    name: &'a str,
    payee: String,
    class: String,
    facts: Facts,
    filed_on: Date,
    weight: u64,
    claimed: Vec<Claimed<'a>>,
}

/// An item with its application.
#[derive(Clone)]
struct Claimed<'a> {
    application: &'a Application,
    item: &'a Item,
    keys: Vec<Key>,
    /// What earlier awards that may be stacked on gave for it.
    awarded: Money,
    has_award: bool,
}

impl Claimed<'_> {
    fn name(&self) -> String {
        format!("application {} item {}", self.application.id, self.item.id)
    }

    /// The papers that show it, for the inputs of a step.
    fn papers(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        format!("({}: {})", self.name(), keys.join(", "))
    }
}

struct Run<'r> {
    programme: &'r Programme,
    context: &'r Context<'r>,
    ledger: Ledger<'r>,
    refused: Vec<Refusal>,
    coverage: Coverage,
}

/// What earlier awards paid for, by what the items are known by.
struct Ledger<'l> {
    paid: ByKey<'l, Paid<'l>>,
    /// What this programme gave a firm from a line in this year, in fen.
    given: BTreeMap<(&'l str, &'l str), i128>,
}

/// An item of an earlier award that paid something.
#[derive(Clone, Copy)]
struct Paid<'l> {
    award: &'l Award,
    line: &'l AwardLine,
    item: &'l ItemMark,
    /// Whether it may be claimed again here.
    stacks: bool,
}

impl<'l> Ledger<'l> {
    fn new(programme: &Programme, earlier: &'l [Assessment]) -> Self {
        let mut ledger = Self {
            paid: ByKey::new(),
            given: BTreeMap::new(),
        };
        for assessment in earlier {
            let id = &assessment.programme.id;
            let mut on = programme.stacking.on.iter();
            let stacks = *id != programme.id && on.any(|on| on == "*" || on == id);
            for award in &assessment.awards {
                for line in award.lines.iter().filter(|line| !line.paid.is_zero()) {
                    if *id == programme.id && assessment.programme.year == programme.year {
                        let given = ledger
                            .given
                            .entry((&award.enterprise, &line.line))
                            .or_default();
                        *given += i128::from(line.paid.minor());
                    }
                    for item in &line.items {
                        let paid = Paid {
                            award,
                            line,
                            item,
                            stacks,
                        };
                        for key in &item.keys {
                            ledger.paid.add(key, paid);
                        }
                    }
                }
            }
        }
        ledger
    }
}

/// The figure of a line on its way through the steps.
struct Figure<'a> {
    line: &'a Line,
    /// Yuan.
    amount: Rational,
    /// What the items cost, in yuan.
    cost: Rational,
    items: Vec<&'a Claimed<'a>>,
    is_rounded: bool,
    steps: Vec<Step>,
    /// The amount after the last step.
    paid: Money,
}

/// One term of a line's base.
struct Term {
    value: Rational,
    cost: Rational,
    input: String,
    row: usize,
}

impl<'r> Run<'r> {
    fn refuse(
        &mut self,
        enterprise: &str,
        claimed: &Claimed<'_>,
        line: Option<&str>,
        why: Because,
    ) {
        let (reason, detail, reference) = why;
        self.refused.push(Refusal {
            enterprise: enterprise.to_owned(),
            application: claimed.application.id.clone(),
            item: claimed.item.id.clone(),
            line: line.map(str::to_owned),
            reason,
            detail,
            source: reference.map(|reference| self.programme.source(&reference)),
        });
    }

    /// The firm's items that pass all that is asked of firm, application and item; `None` if none does.
    fn firm<'a>(
        &mut self,
        enterprise: &'a str,
        applications: &[&'a Application],
    ) -> Option<Firm<'a>> {
        let mut claimed = Vec::new();
        for application in applications {
            let refusal = self.of_application(application);
            for item in &application.items {
                let item = Claimed {
                    application,
                    item,
                    keys: item.keys(enterprise),
                    awarded: Money::zero(Currency::CNY),
                    has_award: false,
                };
                match &refusal {
                    Some(why) => self.refuse(enterprise, &item, None, why.clone()),
                    None => claimed.push(item),
                }
            }
        }
        let last = claimed.last()?.application;
        let filed_on = last.filed_on;
        let answer = self.of_firm(&claimed, filed_on);
        let (facts, class, weight) = match answer {
            Ok(answer) => answer,
            Err(why) => {
                for item in &claimed {
                    self.refuse(enterprise, item, None, why.clone());
                }
                return None;
            }
        };
        let mut kept = Vec::new();
        for mut item in claimed {
            self.find_awards(&mut item);
            match self.of_item(&item) {
                Some(why) => self.refuse(enterprise, &item, None, why),
                None => kept.push(item),
            }
        }
        kept.sort_by(|a, b| {
            let key = |c: &Claimed<'a>| (c.application.filed_on, &c.application.id, &c.item.id);
            key(a).cmp(&key(b))
        });
        let first = kept.first()?.application;
        Some(Firm {
            enterprise,
            name: &first.name,
            payee: match &last.group_applicant {
                Some(insurer) => insurer.clone(),
                None => enterprise.to_owned(),
            },
            class,
            facts,
            filed_on,
            weight,
            claimed: kept,
        })
    }

    fn of_application(&mut self, application: &Application) -> Option<Because> {
        let programme = self.programme;
        if application.group_applicant.is_some() != programme.is_insurer_group {
            let detail = match &application.group_applicant {
                Some(insurer) => format!("filed by {insurer} for the firm"),
                None => "filed by the firm itself".to_owned(),
            };
            return Some(because(Reason::WrongApplicant, detail));
        }
        let (window, filed) = (&programme.window, application.filed_on);
        let early = window.apply_from.is_some_and(|from| filed < from);
        let late = window.apply_to.is_some_and(|to| filed > to);
        if early || late {
            let end = |day: Option<Date>| day.map_or("…".to_owned(), |day| day.to_string());
            let detail = format!(
                "filed on {filed}; the time is {} to {}",
                end(window.apply_from),
                end(window.apply_to)
            );
            self.coverage.hit("window, apply", None);
            return Some((Reason::FiledOutside, detail, Some(window.reference.clone())));
        }
        let mut documents = programme.documents.iter();
        let missing = documents.find(|kind| !application.documents.contains_key(*kind))?;
        self.coverage.hit("documents", None);
        Some(because(Reason::DocumentMissing, missing.clone()))
    }

    /// What the firm's applications say of it together, its class and its weight.
    fn of_firm(
        &mut self,
        claimed: &[Claimed<'_>],
        filed_on: Date,
    ) -> Result<(Facts, String, u64), Because> {
        let programme = self.programme;
        let mut facts = Facts::new();
        let payees: BTreeSet<_> = claimed
            .iter()
            .map(|item| &item.application.group_applicant)
            .collect();
        if payees.len() > 1 {
            let detail = "several insurers apply for the firm";
            return Err(because(Reason::FactsDiffer, detail));
        }
        for item in claimed {
            for (name, fact) in &item.application.facts {
                let known = facts.entry(name.clone()).or_insert_with(|| fact.clone());
                if known != fact {
                    return Err(because(
                        Reason::FactsDiffer,
                        format!("{name}: {known} and {fact}"),
                    ));
                }
            }
        }
        let missing = |condition: &Condition, why: Unanswered, reference: &str| {
            let detail = match (why, facts.get(&condition.fact)) {
                (Unanswered::OtherKind, Some(found)) => format!("{found}; asked is {condition}"),
                _ => format!("{}; asked is {condition}", condition.fact),
            };
            (Reason::FactMissing, detail, Some(reference.to_owned()))
        };
        for (index, gate) in programme.gates.iter().enumerate() {
            let answer = gate.condition.holds(&facts);
            if !answer.map_err(|why| missing(&gate.condition, why, &gate.reference))? {
                self.coverage.hit(&format!("gate {}", index + 1), None);
                let found = facts
                    .get(&gate.condition.fact)
                    .map_or(String::new(), ToString::to_string);
                let detail = format!(
                    "{} = {found}; asked is {}",
                    gate.condition.fact, gate.condition
                );
                return Err((Reason::GateNotMet, detail, Some(gate.reference.clone())));
            }
        }
        let class = if programme.classes.is_empty() {
            EVERY_FIRM.to_owned()
        } else {
            let taken = classes_of(&programme.classes, &facts, filed_on);
            let taken = taken.map_err(|(fact, _)| because(Reason::FactMissing, fact))?;
            // The loading checks leave exactly one for all numbers, words and days.
            let class: &Class = taken
                .first()
                .ok_or_else(|| because(Reason::FactMissing, "class"))?;
            self.coverage.hit(&format!("class {}", class.id), None);
            if !class.eligible {
                let reference = Some(class.reference.clone());
                return Err((Reason::ClassNotEligible, class.id.clone(), reference));
            }
            class.id.clone()
        };
        let mut weight = 0;
        if let BudgetMethod::WaterFill { weight: name } = &programme.budget.method {
            let found = match facts.get(name) {
                Some(crate::fact::Fact::Number(value, _)) if value.scale() <= 2 => {
                    let hundredths = 10_i128.pow(2 - value.scale());
                    value.mantissa().checked_mul(hundredths)
                }
                _ => None,
            };
            let found = found.and_then(|found| u64::try_from(found).ok());
            let detail = || format!("{name}: a number with at most two decimals is the weight");
            weight = found.ok_or_else(|| because(Reason::FactMissing, detail()))?;
        }
        Ok((facts, class, weight))
    }

    /// What earlier awards of programmes that may be stacked on gave for an item.
    fn find_awards(&self, claimed: &mut Claimed<'_>) {
        let mut counted: Vec<*const AwardLine> = Vec::new();
        for paid in claimed
            .keys
            .iter()
            .flat_map(|key| self.ledger.paid.meeting(key))
        {
            if paid.stacks && !counted.contains(&std::ptr::from_ref(paid.line)) {
                counted.push(paid.line);
                claimed.has_award = true;
                // The whole line: what of it was for this item is not known.
                if let Ok(sum) = claimed.awarded.checked_add(paid.line.paid) {
                    claimed.awarded = sum;
                }
            }
        }
    }

    fn of_item(&mut self, claimed: &Claimed<'_>) -> Option<Because> {
        let (programme, item) = (self.programme, claimed.item);
        let window = &programme.window;
        if item.kind == ItemKind::Interest && item.interest != InterestKind::Normal {
            self.coverage.hit("interest, exclude", None);
            return Some(because(Reason::InterestExcluded, item.interest.name()));
        }
        if item.paid_on.is_none() {
            return Some(because(Reason::NotPaid, "no day of payment"));
        }
        let takes = |line: &Line| takes(line, item);
        let Some(line) = programme.lines.iter().find(|line| takes(line)) else {
            let product = item.product.as_deref().unwrap_or("-");
            let detail = format!("{}, product {product}", item.kind.name());
            return Some(because(Reason::NoLine, detail));
        };
        let reference = Some(window.reference.clone());
        let end = |day: Option<Date>| day.map_or("…".to_owned(), |day| day.to_string());
        let span = format!("{} to {}", end(window.from), end(window.to));
        let (first, last) = days_of(window.test, item);
        match (first, last) {
            (Some(first), Some(last)) => {
                let before = |day: Date| window.from.is_some_and(|from| day < from);
                let after = |day: Date| window.to.is_some_and(|to| day > to);
                if before(last) || after(first) {
                    self.coverage.hit("window", None);
                    let detail = format!("{first}; the window is {span}");
                    return Some((Reason::OutsideWindow, detail, reference));
                }
                // What accrues outside is left out by the loan; what was paid for both cannot be told apart.
                if (before(first) || after(last)) && line.base != Base::InterestAccrued {
                    self.coverage.hit("window", None);
                    let detail = format!("{first} to {last}; the window is {span}");
                    return Some((Reason::PartlyOutside, detail, reference));
                }
            }
            _ if window.from.is_some() || window.to.is_some() => {
                return Some((Reason::DayMissing, window.test.name().to_owned(), reference));
            }
            _ => {}
        }
        match (&item.receipt, self.context.receipts) {
            (Some(receipt), Some(receipts)) => {
                if let Some(fault) = receipts.fault(receipt) {
                    self.coverage.hit("receipts", None);
                    return Some(because(Reason::ReceiptNotConfirmed, fault));
                }
            }
            (Some(receipt), None) if programme.requires_receipt => {
                let detail = format!("{receipt}: no result was given");
                return Some(because(Reason::ReceiptNotConfirmed, detail));
            }
            (None, _) if programme.requires_receipt => {
                return Some(because(Reason::ReceiptMissing, ""));
            }
            _ => {}
        }
        let stacking = &programme.stacking;
        let mut sources = item.support.iter().map(|support| &support.from);
        if let Some(source) = sources.find(|from| stacking.excludes.contains(from)) {
            self.coverage.hit("stacking, same_item_once", None);
            let reference = stacking.reference.clone();
            return Some((Reason::SupportedAlready, source.clone(), reference));
        }
        let has_support =
            claimed.has_award || item.support.iter().any(|support| !support.amount.is_zero());
        if stacking.requires_prior && !has_support {
            self.coverage.hit("stacking, requires_prior_support", None);
            let reference = stacking.reference.clone();
            return Some((Reason::PriorSupportMissing, String::new(), reference));
        }
        None
    }

    /// Refuses what was claimed in an earlier award, by two firms, or twice by one.
    ///
    /// Within a firm the first of two stands; between two firms neither does, because nobody can tell whose it is.
    fn refuse_doubles(&mut self, firms: &mut [Firm<'_>]) {
        let mut doubles: BTreeMap<(usize, usize), String> = BTreeMap::new();
        for (firm_index, firm) in firms.iter().enumerate() {
            for (index, claimed) in firm.claimed.iter().enumerate() {
                for key in &claimed.keys {
                    let mut before = self.ledger.paid.meeting(key).filter(|paid| !paid.stacks);
                    if let Some(Paid { award, item, .. }) = before.next() {
                        let by = format!(
                            "{key}: award {} application {} item {}",
                            award.id, item.application, item.item
                        );
                        doubles.entry((firm_index, index)).or_insert(by);
                    }
                }
            }
        }
        let mut now: ByKey<'_, (usize, usize)> = ByKey::new();
        let mut left: Vec<(usize, usize, &Key)> = Vec::new();
        for (firm_index, firm) in firms.iter().enumerate() {
            for (index, claimed) in firm.claimed.iter().enumerate() {
                if doubles.contains_key(&(firm_index, index)) {
                    continue;
                }
                for key in &claimed.keys {
                    now.add(key, (firm_index, index));
                    left.push((firm_index, index, key));
                }
            }
        }
        for (firm, index, key) in left {
            // Items stand in the order of filing, so within a firm the first is the one that stands.
            let mut others = now.meeting(key);
            let other = others.find(|(other, other_index)| *other != firm || *other_index < index);
            if let Some(&(other_firm, other)) = other {
                let other_firm: &Firm<'_> = &firms[other_firm];
                let by = format!(
                    "{key}: firm {} {}",
                    other_firm.enterprise,
                    other_firm.claimed[other].name()
                );
                doubles.entry((firm, index)).or_insert(by);
            }
        }
        for (firm_index, firm) in firms.iter_mut().enumerate() {
            let claimed = std::mem::take(&mut firm.claimed);
            for (index, item) in claimed.into_iter().enumerate() {
                match doubles.remove(&(firm_index, index)) {
                    Some(detail) => {
                        self.coverage.hit("claimed twice", None);
                        self.refuse(
                            firm.enterprise,
                            &item,
                            None,
                            because(Reason::ClaimedTwice, detail),
                        );
                    }
                    None => firm.claimed.push(item),
                }
            }
        }
    }

    /// The firm's award before the budget; `None` if no line has an item left.
    fn award(&mut self, firm: &Firm<'_>) -> Option<Award> {
        let programme = self.programme;
        let mut figures: Vec<Figure<'_>> = Vec::new();
        for line in &programme.lines {
            let items: Vec<&Claimed<'_>> = firm
                .claimed
                .iter()
                .filter(|claimed| takes(line, claimed.item))
                .collect();
            if !items.is_empty() {
                figures.extend(self.figure(firm, line, items));
            }
        }
        let done = self.through_steps(firm, &mut figures);
        if let Err((line, why)) = done {
            // One figure that cannot be computed leaves the others of the firm without their place: all are refused.
            let detail = (why.0, format!("line {line}: {}", why.1), why.2);
            for figure in &figures {
                for item in &figure.items {
                    self.refuse(firm.enterprise, item, Some(&figure.line.id), detail.clone());
                }
            }
            return None;
        }
        let mut lines = Vec::new();
        let mut eligible = Money::zero(Currency::CNY);
        for figure in figures {
            let amount = figure.paid;
            eligible = eligible
                .checked_add(amount)
                .expect("the steps have seen that it fits");
            lines.push(AwardLine {
                line: figure.line.id.clone(),
                layer: figure.line.layer.clone(),
                items: figure
                    .items
                    .iter()
                    .map(|claimed| ItemMark {
                        application: claimed.application.id.clone(),
                        item: claimed.item.id.clone(),
                        keys: claimed.keys.clone(),
                    })
                    .collect(),
                eligible: amount,
                paid: amount,
                trail: Trail(figure.steps),
            });
        }
        let applications: BTreeSet<String> = lines
            .iter()
            .flat_map(|line| line.items.iter().map(|item| item.application.clone()))
            .collect();
        let steps = lines.iter().flat_map(|line| &line.trail.0);
        let certainty = steps.map(|step| step.certainty).max();
        (!lines.is_empty()).then(|| Award {
            id: format!(
                "{}/{}/{}/{}",
                programme.id, programme.year, self.context.day, firm.enterprise
            ),
            enterprise: firm.enterprise.to_owned(),
            name: firm.name.to_owned(),
            payee: firm.payee.clone(),
            class: firm.class.clone(),
            applications: applications.into_iter().collect(),
            eligible,
            paid: eligible,
            fraction: None,
            certainty: certainty.unwrap_or(Certainty::Unsure),
            trail: Trail::default(),
            lines,
        })
    }

    fn step(
        &self,
        rule: &str,
        reference: &str,
        inputs: Vec<(String, String)>,
        formula: String,
        exact: Rational,
    ) -> Step {
        Step {
            rule: rule.to_owned(),
            source: self.programme.source(reference),
            certainty: self.programme.certainty(reference),
            inputs,
            formula,
            exact: format!("{exact} CNY"),
            rounded: None,
            rounding: None,
        }
    }

    /// The base of a line and its first figure, base times rate; items for which it cannot be had are refused.
    fn figure<'a>(
        &mut self,
        firm: &Firm<'a>,
        line: &'a Line,
        items: Vec<&'a Claimed<'a>>,
    ) -> Option<Figure<'a>>
    where
        'r: 'a,
    {
        let mut steps = Vec::new();
        let (mut terms, mut kept) = (Vec::new(), Vec::new());
        let mut limit: Option<(Rational, Vec<(String, String)>)> = None;
        if line.base == Base::InterestAccrued {
            let mut loans: BTreeMap<(&str, &str), Vec<&'a Claimed<'a>>> = BTreeMap::new();
            for item in items {
                let loan = item.item.loan.as_deref().unwrap_or_default();
                loans
                    .entry((&item.application.id, loan))
                    .or_default()
                    .push(item);
            }
            let mut paid = (Rational::whole(0), Vec::new());
            for ((_, loan), items) in loans {
                match self.loan_terms(firm, line, loan, &items, &mut steps) {
                    Ok(found) => {
                        for item in &items {
                            let figure = yuan_of(item.item.amount);
                            let sum = figure.and_then(|figure| paid.0.checked_add(figure));
                            paid.0 = sum.unwrap_or(paid.0);
                            let input = format!("{} {}", item.item.amount, item.papers());
                            paid.1.push((format!("paid_{}", paid.1.len() + 1), input));
                        }
                        terms.extend(found);
                        kept.extend(items);
                    }
                    Err(why) => {
                        for item in &items {
                            self.refuse(firm.enterprise, item, Some(&line.id), why.clone());
                        }
                    }
                }
            }
            limit = Some(paid);
        } else {
            for item in items {
                match self.item_term(firm, line, item, &mut steps) {
                    Ok(term) => {
                        terms.push(term);
                        kept.push(item);
                    }
                    Err(why) => self.refuse(firm.enterprise, item, Some(&line.id), why),
                }
            }
        }
        if kept.is_empty() {
            return None;
        }
        let figure = self.first_figure(firm, line, terms, limit, &mut steps);
        match figure {
            Ok((amount, cost)) => Some(Figure {
                line,
                amount,
                cost,
                items: kept,
                is_rounded: false,
                steps,
                paid: Money::zero(Currency::CNY),
            }),
            Err(why) => {
                for item in kept {
                    self.refuse(firm.enterprise, item, Some(&line.id), why.clone());
                }
                None
            }
        }
    }

    /// What an item that was paid adds to the base, in renminbi.
    fn item_term(
        &self,
        firm: &Firm<'_>,
        line: &Line,
        claimed: &Claimed<'_>,
        steps: &mut Vec<Step>,
    ) -> Result<Term, Because> {
        let item = claimed.item;
        if line.requires_policy {
            let loan = claimed
                .application
                .loans
                .iter()
                .find(|loan| Some(&loan.id) == item.loan.as_ref());
            let policy = item
                .policy
                .as_ref()
                .or(loan.and_then(|loan| loan.policy.as_ref()));
            self.policy_link(policy, line)?;
        }
        let (day, _) = days_of(self.programme.window.test, item);
        let row = self.row(
            firm,
            line,
            item.market.as_deref(),
            item.product.as_deref(),
            day,
        )?;
        let mut value = yuan_of(item.amount).map_err(not_computable)?;
        let mut input = format!("{} {}", item.amount, claimed.papers());
        if item.amount.currency() != Currency::CNY {
            let step = self.conversion(claimed)?;
            value = step.replay().map_err(not_computable)?;
            let figure = step.rounded.as_ref().unwrap_or(&step.exact);
            if let Some(rounded) = &step.rounded {
                value = number_of(rounded).map_err(not_computable)?;
            }
            input = format!("{figure} {}", claimed.papers());
            steps.push(step);
        }
        Ok(Term {
            value,
            cost: value,
            input,
            row,
        })
    }

    /// The rate's row for an item, which must have a rate that is known.
    fn row(
        &self,
        firm: &Firm<'_>,
        line: &Line,
        market: Option<&str>,
        product: Option<&str>,
        day: Option<Date>,
    ) -> Result<usize, Because> {
        let found = rate_of(line, &firm.class, market, product, day);
        let (index, row) = found.ok_or_else(|| {
            let part = |name, value: Option<&str>| format!("{name} {}", value.unwrap_or("-"));
            let day = day.map_or("-".to_owned(), |day| day.to_string());
            let detail = format!(
                "class {}, {}, {}, day {day}",
                firm.class,
                part("market", market),
                part("product", product)
            );
            (Reason::NoRate, detail, Some(line.reference.clone()))
        })?;
        if row.applied.is_none() {
            let detail = match row.ceiling {
                Some(ceiling) => {
                    format!("at most {ceiling}; the rate that is applied is not known")
                }
                None => "the rate is not known".to_owned(),
            };
            return Err((
                Reason::RateNotDetermined,
                detail,
                Some(row.reference.clone()),
            ));
        }
        Ok(index)
    }

    fn policy_link(&self, policy: Option<&String>, line: &Line) -> Result<(), Because> {
        let refuse =
            |detail: String| Err((Reason::PolicyMissing, detail, Some(line.reference.clone())));
        match policy {
            None => refuse("no policy is named".into()),
            Some(id) => {
                let policies = self.context.policies;
                if policies.is_empty() || policies.iter().any(|policy| policy.id == *id) {
                    Ok(())
                } else {
                    refuse(format!("policy {id} is not among the policies"))
                }
            }
        }
    }

    /// An amount of another currency in renminbi.
    fn conversion(&self, claimed: &Claimed<'_>) -> Result<Step, Because> {
        let (programme, item) = (self.programme, claimed.item);
        let currency = item.amount.currency();
        let reference = programme.fx.reference.clone();
        let none = |detail: String| (Reason::NoExchangeRate, detail, reference.clone());
        let mut inputs = vec![(
            "amount".to_owned(),
            format!("{} {}", item.amount, claimed.papers()),
        )];
        let day = match programme.fx.mode {
            FxMode::None => return Err(none(format!("{currency}: the programme says no way"))),
            FxMode::PaymentDate => item.paid_on,
            FxMode::InvoiceDate => item.invoice_on,
            FxMode::FixedDate(day) => Some(day),
            FxMode::InApplication => {
                let rate = item
                    .rate
                    .ok_or_else(|| none(format!("{currency}: the item has no rate")))?;
                inputs.push((
                    "rate".to_owned(),
                    format!("{rate} CNY (as the application says)"),
                ));
                let exact = yuan_of(item.amount)
                    .and_then(|amount| amount.checked_mul(rate.to_string().parse()?));
                let exact = exact.map_err(not_computable)?;
                let reference = reference.as_deref().unwrap_or_default();
                return self.at_segment(self.step(
                    "fx-conversion",
                    reference,
                    inputs,
                    "amount * rate".into(),
                    exact,
                ));
            }
        };
        let day = day.ok_or_else(|| none("the item has not the day of its rate".into()))?;
        let staleness = if programme.fx.previous_serves {
            Staleness::PreviousPublished {
                max_business_days: 0,
                calendar: self.context.calendar,
            }
        } else {
            Staleness::Exact
        };
        let terms = Terms {
            staleness,
            ..Terms::MID
        };
        let found = self
            .context
            .rates
            .find(currency, Currency::CNY, day, &terms);
        let found = found.map_err(|error| none(error.to_string()))?;
        let rate = found.rate;
        inputs.push((
            "rate".into(),
            format!(
                "{} {} ({}, {})",
                rate.value(),
                rate.quote(),
                rate.source(),
                rate.as_of()
            ),
        ));
        inputs.push(("unit".into(), format!("{} {}", rate.unit(), rate.base())));
        let formula = if rate.base() == currency {
            "amount * rate / unit"
        } else {
            "amount * unit / rate"
        };
        let exact = quanfu_trail::evaluate(formula, &inputs).map_err(not_computable)?;
        let reference = reference.unwrap_or_default();
        let mut step = self.step("fx-conversion", &reference, inputs, formula.into(), exact);
        step.certainty = step.certainty.max(rate.certainty());
        self.at_segment(step)
    }

    /// Rounds a step where each segment is rounded.
    fn at_segment(&self, mut step: Step) -> Result<Step, Because> {
        if self.programme.rounding.at == RoundingAt::Segment {
            let exact = number_of(&step.exact).map_err(not_computable)?;
            let (rounded, text) = self.rounded(exact, 2)?;
            if rounded != exact {
                step.rounded = Some(text);
                step.rounding = Some(self.programme.rounding.mode.name().to_owned());
            }
        }
        Ok(step)
    }

    /// A figure rounded as the programme says, to so many decimals, with its text.
    fn rounded(&self, exact: Rational, decimals: u8) -> Result<(Rational, String), Because> {
        round(exact, decimals, self.programme.rounding.mode)
    }

    /// What the days of a loan add to the base.
    fn loan_terms(
        &self,
        firm: &Firm<'_>,
        line: &Line,
        id: &str,
        items: &[&Claimed<'_>],
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Term>, Because> {
        let window = &self.programme.window;
        let first = items
            .first()
            .ok_or_else(|| because(Reason::LoanMissing, id))?;
        let loan = first.application.loans.iter().find(|loan| loan.id == id);
        let loan = loan.ok_or_else(|| because(Reason::LoanMissing, format!("loan {id:?}")))?;
        let in_renminbi = loan
            .flows
            .iter()
            .all(|flow| flow.amount.currency() == Currency::CNY)
            && items
                .iter()
                .all(|item| item.item.amount.currency() == Currency::CNY);
        if !in_renminbi {
            let detail = format!("loan {id}: interest that accrues is computed in renminbi only");
            return Err(because(Reason::LoanMissing, detail));
        }
        if line.requires_policy {
            let policy = loan.policy.as_ref().or(first.item.policy.as_ref());
            self.policy_link(policy, line)?;
        }
        let mut marks: Vec<Date> = line.rates.iter().filter_map(|row| row.from).collect();
        marks.extend(line.rates.iter().filter_map(|row| row.until?.succ_opt()));
        let until = window.to.and_then(|to| to.succ_opt());
        let segments = loan.segments(window.from, until, &marks);
        let segments = segments.map_err(|why| because(Reason::NotComputable, why))?;
        if segments.is_empty() {
            let detail = format!("loan {id} has no day in the window");
            return Err((
                Reason::OutsideWindow,
                detail,
                Some(window.reference.clone()),
            ));
        }
        let (market, product) = (first.item.market.as_deref(), first.item.product.as_deref());
        let mut terms = Vec::new();
        let mut own = Vec::new();
        for segment in segments {
            let row = self.row(firm, line, market, product, Some(segment.from))?;
            let mut inputs = vec![
                (
                    "principal".to_owned(),
                    format!("{} (loan {id})", segment.principal),
                ),
                (
                    "year_share".to_owned(),
                    format!(
                        "{} ({} days, {} until {}, {})",
                        segment.year_share,
                        segment.days(),
                        segment.from,
                        segment.until,
                        loan.day_count
                    ),
                ),
            ];
            let contract = (
                "rate".to_owned(),
                format!("{} (of the contract)", segment.rate),
            );
            let mut certainty = Certainty::Certain;
            let (rule, formula) = match &line.method {
                Method::Points => ("principal-days", "principal * year_share"),
                Method::Share => {
                    inputs.push(contract);
                    ("interest", "principal * rate * year_share")
                }
                Method::PointsCappedByReference {
                    name,
                    add,
                    at_contract,
                } => {
                    let day = if *at_contract {
                        loan.signed_on
                    } else {
                        segment.from
                    };
                    let found = self.context.reference.at(name, day);
                    let found = found.map_err(|why| because(Reason::NoReferenceRate, why))?;
                    certainty = found.certainty;
                    inputs.push(contract);
                    inputs.push((
                        "reference".into(),
                        format!("{} ({name} on {day}, {})", found.value, found.source),
                    ));
                    inputs.push(("add".into(), add.to_string()));
                    (
                        "interest-up-to-reference",
                        "principal * min(rate, reference + add) * year_share",
                    )
                }
            };
            let exact = quanfu_trail::evaluate(formula, &inputs).map_err(not_computable)?;
            let mut step = self.step(rule, &line.reference, inputs, formula.into(), exact);
            step.certainty = step.certainty.max(certainty);
            let step = self.at_segment(step)?;
            let figure = step.rounded.clone().unwrap_or_else(|| step.exact.clone());
            let value = number_of(&figure).map_err(not_computable)?;
            let cost = match line.method {
                Method::Points => {
                    let rate = segment.rate.to_string().parse::<Rational>();
                    rate.and_then(|rate| value.checked_mul(rate))
                        .map_err(not_computable)?
                }
                Method::Share | Method::PointsCappedByReference { .. } => value,
            };
            terms.push(Term {
                value,
                cost,
                input: format!("{figure} (loan {id}, from {})", segment.from),
                row,
            });
            own.push(step);
        }
        steps.extend(own);
        Ok(terms)
    }

    /// Base and rate: the first figure of a line and what its items cost.
    fn first_figure(
        &mut self,
        firm: &Firm<'_>,
        line: &Line,
        terms: Vec<Term>,
        limit: Option<(Rational, Vec<(String, String)>)>,
        steps: &mut Vec<Step>,
    ) -> Result<(Rational, Rational), Because> {
        let item_cap = self.caps_of(firm, &line.caps, &format!("line {}", line.id))?;
        let item_caps: Vec<(usize, Money, &str)> = item_cap
            .into_iter()
            .filter(|(at, ..)| line.caps[*at].per == CapPer::Item)
            .collect();
        let mut cost = Rational::whole(0);
        for term in &terms {
            cost = cost.checked_add(term.cost).map_err(not_computable)?;
        }
        let is_share = line.method != Method::Points;
        if let Some((paid, _)) = &limit {
            cost = smaller(cost, *paid)?;
        }
        // One base for each rate, or one for each item where each item has a cap.
        let mut groups: Vec<(usize, Vec<Term>)> = Vec::new();
        for term in terms {
            match groups
                .iter_mut()
                .find(|(row, _)| *row == term.row && item_caps.is_empty())
            {
                Some((_, of_row)) => of_row.push(term),
                None => groups.push((term.row, vec![term])),
            }
        }
        let mut inputs = Vec::new();
        let mut products = Vec::new();
        let single = groups.len() == 1;
        let mut bases = Vec::new();
        for (number, (row, of_row)) in groups.iter().enumerate() {
            let mut sum = Rational::whole(0);
            let mut terms = Vec::new();
            for (place, term) in of_row.iter().enumerate() {
                sum = sum.checked_add(term.value).map_err(not_computable)?;
                terms.push((format!("item_{}", place + 1), term.input.clone()));
            }
            let names: Vec<String> = terms.iter().map(|(name, _)| name.clone()).collect();
            let formula = names.join(" + ");
            steps.push(self.step("eligible-base", &line.reference, terms, formula, sum));
            bases.push((*row, sum, number + 1));
        }
        // Interest is never supported beyond what was paid; with one base this is its own step.
        if let Some((paid, papers)) = limit.as_ref().filter(|_| is_share) {
            let mut all = Rational::whole(0);
            let mut terms = Vec::new();
            for (_, sum, number) in &bases {
                all = all.checked_add(*sum).map_err(not_computable)?;
                terms.push((format!("base_{number}"), format!("{sum} CNY")));
            }
            let names = |terms: &[(String, String)]| {
                let names: Vec<&str> = terms.iter().map(|(name, _)| name.as_str()).collect();
                names.join(" + ")
            };
            let least = smaller(all, *paid)?;
            if least != all {
                if !single {
                    let detail = "less was paid than accrued, at several rates: which of it was paid is not known";
                    return Err(because(Reason::NotComputable, detail));
                }
                let cut = all.checked_sub(least).map_err(not_computable)?;
                self.coverage.hit("interest, paid", Some(cut));
                bases[0].1 = least;
            }
            let formula = format!("min({}, {})", names(&terms), names(papers));
            terms.extend(papers.iter().cloned());
            steps.push(self.step("interest-paid", &line.reference, terms, formula, least));
        }
        let mut reference = line.reference.clone();
        let mut certainty = Certainty::Certain;
        let mut exact = Rational::whole(0);
        for (row_index, sum, number) in &bases {
            let row = &line.rates[*row_index];
            let applied = row
                .applied
                .ok_or_else(|| because(Reason::RateNotDetermined, ""))?;
            let rate: Rational = applied.to_string().parse().map_err(not_computable)?;
            let suffix = if single {
                String::new()
            } else {
                format!("_{number}")
            };
            inputs.push((format!("base{suffix}"), format!("{sum} CNY")));
            inputs.push((
                format!("rate{suffix}"),
                format!("{applied} ({})", self.programme.source(&row.reference)),
            ));
            certainty = certainty.max(self.programme.certainty(&row.reference));
            let mut product = sum.checked_mul(rate).map_err(not_computable)?;
            let mut formula = format!("base{suffix} * rate{suffix}");
            for (at, cap, cap_reference) in &item_caps {
                let name = format!("item_cap_{}", at + 1);
                if !inputs.iter().any(|(known, _)| *known == name) {
                    inputs.push((
                        name.clone(),
                        format!("{cap} ({})", self.programme.source(cap_reference)),
                    ));
                }
                let cap = yuan_of(*cap).map_err(not_computable)?;
                let capped = smaller(product, cap)?;
                if capped != product {
                    let cut = product.checked_sub(capped).map_err(not_computable)?;
                    self.coverage
                        .hit(&format!("line {}, cap {}", line.id, at + 1), Some(cut));
                }
                product = capped;
                formula = format!("min({formula}, {name})");
            }
            let rule = format!("line {}, rate {}", line.id, row_index + 1);
            self.coverage.hit(&rule, Some(product));
            exact = exact.checked_add(product).map_err(not_computable)?;
            products.push(formula);
            if single {
                reference = row.reference.clone();
            }
        }
        let mut formula = products.join(" + ");
        if let Some((paid, papers)) = limit.filter(|_| !is_share) {
            let names: Vec<&str> = papers.iter().map(|(name, _)| name.as_str()).collect();
            formula = format!("min({formula}, {})", names.join(" + "));
            exact = smaller(exact, paid)?;
            inputs.extend(papers);
        }
        let mut step = self.step(Op::Rate.name(), &reference, inputs, formula, exact);
        step.certainty = step.certainty.max(certainty);
        steps.push(step);
        Ok((exact, cost))
    }

    /// The caps that are for a firm: place in the list, amount, reference. One that is not known stops all.
    fn caps_of<'l>(
        &self,
        firm: &Firm<'_>,
        caps: &'l [crate::programme::Cap],
        place: &str,
    ) -> Result<Vec<(usize, Money, &'l str)>, Because> {
        let mut found = Vec::new();
        for (index, cap) in caps.iter().enumerate() {
            let mut is_for = true;
            for condition in &cap.when {
                let answer = condition.holds(&firm.facts).map_err(|_| {
                    let detail = format!("{}; asked is {condition}", condition.fact);
                    (Reason::FactMissing, detail, Some(cap.reference.clone()))
                })?;
                is_for &= answer;
            }
            if is_for {
                let amount = cap.amount.ok_or_else(|| {
                    let detail = format!("{place}: the cap is not known");
                    (
                        Reason::CapNotDetermined,
                        detail,
                        Some(cap.reference.clone()),
                    )
                })?;
                found.push((index, amount, cap.reference.as_str()));
            }
        }
        Ok(found)
    }

    /// What earlier awards of this programme and year gave a firm from these lines, in yuan.
    fn earlier(&self, firm: &Firm<'_>, lines: &[&str]) -> Result<Rational, Because> {
        let given = lines
            .iter()
            .filter_map(|line| self.ledger.given.get(&(firm.enterprise, *line)));
        Rational::new(given.sum(), 100).map_err(not_computable)
    }

    /// Takes all lines of a firm through the steps in the programme's order; the error names the line.
    fn through_steps(
        &mut self,
        firm: &Firm<'_>,
        figures: &mut [Figure<'_>],
    ) -> Result<(), (String, Because)> {
        let programme = self.programme;
        for op in &programme.rounding.order {
            let mut before = (Rational::whole(0), Rational::whole(0));
            for place in 0..figures.len() {
                let id = figures[place].line.id.clone();
                let done = match op {
                    Op::Rate | Op::Budget => Ok(()),
                    Op::Round => self.round_line(&mut figures[place], &mut before),
                    Op::DeductOtherSupport => self.deduct(figures, place),
                    Op::LineCap => self.line_caps(firm, &mut figures[place]),
                    Op::EnterpriseCap => self.group_caps(firm, figures, place),
                    Op::MinPayable => self.floor(&mut figures[place]),
                };
                done.map_err(|why| (id, why))?;
            }
        }
        let mut sum = Money::zero(Currency::CNY);
        for figure in figures {
            let paid =
                money_of(figure.amount).and_then(|paid| Some((paid, sum.checked_add(paid).ok()?)));
            let id = || {
                (
                    figure.line.id.clone(),
                    because(Reason::NotComputable, "more than an amount can hold"),
                )
            };
            (figure.paid, sum) = paid.ok_or_else(id)?;
        }
        Ok(())
    }

    /// Takes a step of a line; after rounding the figure stays whole, what is over is cut.
    fn take(&mut self, figure: &mut Figure<'_>, mut step: Step, rule: &str) -> Result<(), Because> {
        let exact = number_of(&step.exact).map_err(not_computable)?;
        let mut next = exact;
        if figure.is_rounded {
            let decimals = self.programme.rounding.decimals;
            let (cut, text) = round(exact, decimals, quanfu_money::Rounding::Down)?;
            if cut != exact {
                step.rounded = Some(text);
                step.rounding = Some(quanfu_money::Rounding::Down.name().to_owned());
                next = cut;
            }
        }
        if next != figure.amount {
            let change = figure.amount.checked_sub(next).map_err(not_computable)?;
            self.coverage.hit(rule, Some(change));
        }
        figure.amount = next;
        figure.steps.push(step);
        Ok(())
    }

    fn round_line(
        &mut self,
        figure: &mut Figure<'_>,
        before: &mut (Rational, Rational),
    ) -> Result<(), Because> {
        let rules = &self.programme.rounding;
        let mut inputs = vec![("amount".to_owned(), format!("{} CNY", figure.amount))];
        let (mut exact, mut formula) = (figure.amount, "amount");
        if rules.at == RoundingAt::EnterpriseTotal {
            // The firm's sum is rounded: each line gets what its running sum rounds to, less what was given.
            inputs.push(("before".into(), format!("{} CNY", before.0)));
            inputs.push(("given".into(), format!("{} CNY", before.1)));
            formula = "amount + before - given";
            let sum = figure
                .amount
                .checked_add(before.0)
                .map_err(not_computable)?;
            exact = sum.checked_sub(before.1).map_err(not_computable)?;
        }
        let (rounded, text) = self.rounded(exact, rules.decimals)?;
        let mut step = self.step(
            Op::Round.name(),
            &rules.reference,
            inputs,
            formula.into(),
            exact,
        );
        step.rounded = Some(text);
        step.rounding = Some(rules.mode.name().to_owned());
        before.0 = before
            .0
            .checked_add(figure.amount)
            .map_err(not_computable)?;
        before.1 = before.1.checked_add(rounded).map_err(not_computable)?;
        self.coverage.hit("rounding", None);
        figure.amount = rounded;
        figure.is_rounded = true;
        figure.steps.push(step);
        Ok(())
    }

    fn deduct(&mut self, figures: &mut [Figure<'_>], place: usize) -> Result<(), Because> {
        let stacking = &self.programme.stacking;
        let Some(ceiling) = stacking.joint_ceiling else {
            return Ok(());
        };
        let (earlier, rest) = figures.split_at_mut(place);
        let Some(figure) = rest.first_mut() else {
            return Ok(());
        };
        let mut cost = ("cost".to_owned(), format!("{} CNY", figure.cost));
        if figure.is_rounded {
            // A rounded amount is held against a cost that is rounded alike: nobody pays a part of a fen.
            let (rounded, text) = self.rounded(figure.cost, 2)?;
            if rounded != figure.cost {
                cost.1 = format!("{text} (of {})", figure.cost);
            }
        }
        let mut inputs = vec![
            ("amount".to_owned(), format!("{} CNY", figure.amount)),
            ("ceiling".to_owned(), ceiling.to_string()),
            cost,
        ];
        let mut names = Vec::new();
        for claimed in &figure.items {
            let mut declared = MoneySum::zero(Currency::CNY);
            for support in &claimed.item.support {
                declared = declared
                    .checked_add(support.amount)
                    .map_err(not_computable)?;
            }
            let declared = declared.to_money().map_err(not_computable)?;
            // What a loaded award gave is likely among what was declared: the greater counts, never both.
            let counts = if declared.minor() >= claimed.awarded.minor() {
                declared
            } else {
                claimed.awarded
            };
            if !counts.is_zero() {
                let name = format!("other_{}", names.len() + 1);
                inputs.push((name.clone(), format!("{counts} {}", claimed.papers())));
                names.push(name);
            }
        }
        for other in earlier.iter() {
            let same =
                |item: &&&Claimed<'_>| other.items.iter().any(|other| std::ptr::eq(*other, **item));
            if figure.items.iter().any(|item| same(&item)) {
                let name = format!("other_{}", names.len() + 1);
                inputs.push((
                    name.clone(),
                    format!("{} CNY (line {})", other.amount, other.line.id),
                ));
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push("0".to_owned());
        }
        let formula = format!(
            "min(amount, max(0, ceiling * cost - ({})))",
            names.join(" + ")
        );
        let exact = quanfu_trail::evaluate(&formula, &inputs).map_err(not_computable)?;
        let reference = stacking.reference.clone().unwrap_or_default();
        let step = self.step(
            Op::DeductOtherSupport.name(),
            &reference,
            inputs,
            formula,
            exact,
        );
        self.take(figure, step, "stacking, joint_ceiling")
    }

    fn line_caps(&mut self, firm: &Firm<'_>, figure: &mut Figure<'_>) -> Result<(), Because> {
        let line = figure.line;
        let place = format!("line {}", line.id);
        for (index, cap, reference) in self.caps_of(firm, &line.caps, &place)? {
            if line.caps[index].per != CapPer::EnterpriseYear {
                continue;
            }
            let earlier = self.earlier(firm, &[&line.id])?;
            let step = self.cap_step(
                Op::LineCap,
                figure.amount,
                cap,
                reference,
                earlier,
                Rational::whole(0),
            )?;
            self.take(
                figure,
                step,
                &format!("line {}, cap {}", line.id, index + 1),
            )?;
        }
        Ok(())
    }

    fn cap_step(
        &self,
        op: Op,
        amount: Rational,
        cap: Money,
        reference: &str,
        earlier: Rational,
        used: Rational,
    ) -> Result<Step, Because> {
        let mut inputs = vec![
            ("amount".to_owned(), format!("{amount} CNY")),
            ("cap".to_owned(), cap.to_string()),
        ];
        let mut formula = "min(amount, cap)".to_owned();
        let mut less = Vec::new();
        for (name, figure) in [("earlier", earlier), ("used", used)] {
            if figure != Rational::whole(0) {
                inputs.push((name.to_owned(), format!("{figure} CNY")));
                less.push(name);
            }
        }
        if !less.is_empty() {
            formula = format!("min(amount, max(0, cap - {}))", less.join(" - "));
        }
        let exact = quanfu_trail::evaluate(&formula, &inputs).map_err(not_computable)?;
        Ok(self.step(op.name(), reference, inputs, formula, exact))
    }

    fn group_caps(
        &mut self,
        firm: &Firm<'_>,
        figures: &mut [Figure<'_>],
        place: usize,
    ) -> Result<(), Because> {
        let (before, rest) = figures.split_at_mut(place);
        let Some(figure) = rest.first_mut() else {
            return Ok(());
        };
        for group in self
            .programme
            .cap_groups
            .iter()
            .filter(|group| group.lines.contains(&figure.line.id))
        {
            let lines: Vec<&str> = group.lines.iter().map(String::as_str).collect();
            let caps = self.caps_of(
                firm,
                std::slice::from_ref(&group.cap),
                &format!("cap_group {}", group.id),
            )?;
            for (_, cap, reference) in caps {
                let earlier = self.earlier(firm, &lines)?;
                let mut used = Rational::whole(0);
                for other in before
                    .iter()
                    .filter(|other| lines.contains(&other.line.id.as_str()))
                {
                    used = used.checked_add(other.amount).map_err(not_computable)?;
                }
                let step = self.cap_step(
                    Op::EnterpriseCap,
                    figure.amount,
                    cap,
                    reference,
                    earlier,
                    used,
                )?;
                self.take(figure, step, &format!("cap_group {}", group.id))?;
            }
        }
        Ok(())
    }

    fn floor(&mut self, figure: &mut Figure<'_>) -> Result<(), Because> {
        let Some(floor) = &figure.line.floor else {
            return Ok(());
        };
        let inputs = vec![
            ("amount".to_owned(), format!("{} CNY", figure.amount)),
            ("smallest".to_owned(), floor.amount.to_string()),
        ];
        let formula = if floor.inclusive {
            "at_least(amount, smallest)"
        } else {
            "above(amount, smallest)"
        };
        let exact = quanfu_trail::evaluate(formula, &inputs).map_err(not_computable)?;
        let step = self.step(
            Op::MinPayable.name(),
            &floor.reference,
            inputs,
            formula.into(),
            exact,
        );
        let rule = format!("line {}, min_payable", figure.line.id);
        self.take(figure, step, &rule)
    }

    /// Shares out the budget over the awards and each award over its lines.
    fn share_out(
        &mut self,
        awards: &mut [(Award, u64, Date)],
    ) -> Result<BudgetMark, crate::budget::BudgetError> {
        let budget = &self.programme.budget;
        let mut eligible = MoneySum::zero(Currency::CNY);
        for (award, ..) in awards.iter() {
            eligible = eligible
                .checked_add(award.eligible)
                .map_err(|_| crate::budget::BudgetError::Range)?;
        }
        let eligible = eligible
            .to_money()
            .map_err(|_| crate::budget::BudgetError::Range)?;
        let mut mark = BudgetMark {
            total: budget.total,
            method: budget.method.name().to_owned(),
            eligible,
            paid: eligible,
            unspent: None,
            classes: Vec::new(),
        };
        if let Some(total) = budget.total {
            let claims: Vec<Claim> = awards
                .iter()
                .map(|(award, weight, filed_on)| Claim {
                    id: award.enterprise.clone(),
                    eligible: award.eligible,
                    weight: *weight,
                    class: award.class.clone(),
                    filed_on: *filed_on,
                })
                .collect();
            let source = |reference: &str| Source {
                source: self.programme.source(reference),
                certainty: self.programme.certainty(reference),
            };
            let decimals = self.programme.rounding.decimals;
            let shared = if budget.classes.is_empty() {
                let source = source(&budget.reference);
                vec![share_out(
                    total,
                    &claims,
                    &budget.method,
                    decimals,
                    &source,
                )?]
            } else {
                let budgets = budget.classes.iter();
                let budgets: Vec<_> = budgets
                    .map(|of| (of.class.clone(), of.total, source(&of.reference)))
                    .collect();
                share_out_by_class(&budgets, &claims, &budget.method, decimals)?
            };
            let mut paid = Money::zero(Currency::CNY);
            for part in &shared {
                let sum = paid.checked_add(part.paid);
                paid = sum.map_err(|_| crate::budget::BudgetError::Range)?;
            }
            mark.paid = paid;
            mark.unspent = total.checked_sub(paid).ok();
            for (of, part) in budget.classes.iter().zip(&shared) {
                let mut eligible = Money::zero(Currency::CNY);
                for claim in claims.iter().filter(|claim| claim.class == of.class) {
                    let sum = eligible.checked_add(claim.eligible);
                    eligible = sum.map_err(|_| crate::budget::BudgetError::Range)?;
                }
                mark.classes.push(ClassBudgetMark {
                    class: of.class.clone(),
                    total: of.total,
                    eligible,
                    paid: part.paid,
                    unspent: part.unspent,
                });
            }
            let mut shares: Vec<Share> = shared.into_iter().flat_map(|part| part.shares).collect();
            shares.sort_by(|a, b| a.id.cmp(&b.id));
            // Both stand in the order of the firms.
            for ((award, ..), share) in awards.iter_mut().zip(shares) {
                assert_eq!(
                    award.enterprise, share.id,
                    "awards and shares stand in one order"
                );
                award.paid = share.paid;
                award.certainty = award.certainty.max(share.step.certainty);
                award.trail.0.push(share.step);
                let unit: i64 = if decimals == 0 { 100 } else { 1 };
                let parts: Vec<i128> = award
                    .lines
                    .iter()
                    .map(|line| i128::from(line.eligible.minor() / unit))
                    .collect();
                let whole = i128::from(share.paid.minor() / unit);
                for (line, (part, _)) in
                    award.lines.iter_mut().zip(largest_remainder(whole, &parts))
                {
                    let minor = i64::try_from(part * i128::from(unit))
                        .expect("a part is at most the whole");
                    line.paid = Money::from_minor(minor, Currency::CNY);
                }
                if award.paid != award.eligible {
                    let cut = award.eligible.minor() - award.paid.minor();
                    self.coverage
                        .hit("budget", Rational::new(i128::from(cut), 100).ok());
                }
            }
        }
        for (award, ..) in awards.iter_mut() {
            let (paid, eligible) = (
                i128::from(award.paid.minor()),
                i128::from(award.eligible.minor()),
            );
            let fraction = Rational::new(paid, eligible).ok();
            award.fraction =
                fraction.map(|share| format!("{}/{}", share.numerator(), share.denominator()));
        }
        Ok(mark)
    }
}

fn takes(line: &Line, item: &Item) -> bool {
    let product = |product: &String| line.products.contains(product);
    line.base.item_kind() == item.kind
        && (line.products.is_empty() || item.product.as_ref().is_some_and(product))
}

/// First and last day of an item that the window asks about.
fn days_of(test: WindowTest, item: &Item) -> (Option<Date>, Option<Date>) {
    let day = match test {
        WindowTest::InvoiceDate => item.invoice_on,
        WindowTest::PaymentDate => item.paid_on,
        WindowTest::PolicyStart => item.policy_from,
        WindowTest::InterestPeriod => {
            return (item.from, item.until.and_then(|until| until.pred_opt()));
        }
    };
    (day, day)
}

fn not_computable(error: impl std::fmt::Display) -> Because {
    because(Reason::NotComputable, error.to_string())
}

fn smaller(a: Rational, b: Rational) -> Result<Rational, Because> {
    let order = a.checked_cmp(b).map_err(not_computable)?;
    Ok(if order.is_le() { a } else { b })
}

/// The number of a text such as `12.50 CNY (paper)`.
fn number_of(text: &str) -> Result<Rational, quanfu_trail::TrailError> {
    text.split(' ').next().unwrap_or_default().parse()
}

/// An amount as a fraction of whole units of its currency.
fn yuan_of(money: Money) -> Result<Rational, quanfu_trail::TrailError> {
    let major = 10_i128.pow(u32::from(money.currency().minor_digits()));
    Rational::new(i128::from(money.minor()), major)
}

/// A figure rounded to so many decimals, with its text.
fn round(
    exact: Rational,
    decimals: u8,
    mode: quanfu_money::Rounding,
) -> Result<(Rational, String), Because> {
    let units = 10_i128.pow(u32::from(decimals));
    let scaled = exact
        .checked_mul(Rational::whole(units))
        .map_err(not_computable)?;
    let whole = mode.divide(scaled.numerator(), scaled.denominator());
    let rounded = Rational::new(whole.map_err(not_computable)?, units).map_err(not_computable)?;
    Ok((rounded, amount_text(rounded, decimals)))
}

/// A whole number of fen as money.
fn money_of(figure: Rational) -> Option<Money> {
    let fen = figure.checked_mul(Rational::whole(100)).ok()?;
    let minor = i64::try_from(fen.numerator())
        .ok()
        .filter(|_| fen.denominator() == 1)?;
    Some(Money::from_minor(minor, Currency::CNY))
}
