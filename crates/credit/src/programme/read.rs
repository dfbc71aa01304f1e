//! The document's own shape, and the checks on the way from it to a [`Programme`].

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::Certainty;
use quanfu_money::{Currency, Decimal, Money, Rounding};
use quanfu_settlement::{Digest, DigestAlg};
use serde::Deserialize;
use toml::Spanned;

use super::worked::WorkedText;
use super::{
    Base, Budget, BudgetMethod, Cap, CapGroup, CapPer, Class, ClassBudget, EVERY_FIRM, Floor, Fx,
    FxMode, Gate, Line, Method, Notice, Op, Programme, RateRow, Reference, RoundingAt,
    RoundingRules, SCHEMA, Stacking, Status, Window, WindowTest, class_fault, rate_fault,
};
use crate::error::{Day, DocumentError, decimal, line_of, not_negative, yuan};
use crate::fact::{Condition, ConditionText};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: Spanned<String>,
    id: Spanned<String>,
    year: String,
    title: String,
    status: Status,
    authority: AuthorityText,
    #[serde(default)]
    unseen: Vec<String>,
    refs: Vec<RefText>,
    window: WindowText,
    #[serde(default)]
    eligibility: EligibilityText,
    #[serde(default)]
    class: Vec<ClassText>,
    line: Vec<LineText>,
    #[serde(default)]
    cap_group: Vec<CapGroupText>,
    fx: Option<FxText>,
    stacking: Option<StackingText>,
    rounding: RoundingText,
    budget: BudgetText,
    #[serde(default)]
    applicant: ApplicantText,
    #[serde(default)]
    process: ProcessText,
    #[serde(default)]
    test: Vec<WorkedText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityText {
    region: String,
    bodies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefText {
    id: Spanned<String>,
    doc: String,
    #[serde(default)]
    clause: String,
    seen: Option<Day>,
    certainty: CertaintyText,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CertaintyText {
    Seen,
    Reported,
    Unverified,
    Illustrative,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowText {
    from: Option<Day>,
    to: Option<Spanned<Day>>,
    test: WindowTest,
    apply_from: Option<Day>,
    apply_to: Option<Spanned<Day>>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EligibilityText {
    #[serde(default)]
    gates: Vec<GateText>,
    #[serde(default)]
    documents: Vec<String>,
    #[serde(default)]
    requires_receipt: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GateText {
    when: ConditionText,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassText {
    id: Spanned<String>,
    #[serde(default)]
    when: Vec<ConditionText>,
    #[serde(default)]
    any: Vec<ConditionText>,
    #[serde(default)]
    otherwise: bool,
    eligible: Option<bool>,
    from: Option<Day>,
    until: Option<Day>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineText {
    id: Spanned<String>,
    kind: KindText,
    base: Base,
    method: Option<MethodText>,
    reference_rate: Option<ReferenceRateText>,
    #[serde(default)]
    products: Vec<String>,
    layer: Option<Spanned<String>>,
    rate: Vec<RateText>,
    #[serde(default)]
    cap: Vec<CapText>,
    min_payable: Option<FloorText>,
    #[serde(default)]
    requires_policy_link: bool,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindText {
    PremiumSubsidy,
    FeeSubsidy,
    InterestDiscount,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MethodText {
    Share,
    Points,
    PointsCappedByReference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceRateText {
    name: String,
    add: String,
    day: ReferenceDayText,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReferenceDayText {
    Contract,
    Segment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateText {
    from: Option<Day>,
    until: Option<Day>,
    class: Option<Spanned<String>>,
    market: Option<String>,
    product: Option<String>,
    ceiling: Option<String>,
    applied: Option<String>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapText {
    per: CapPer,
    amount: Option<String>,
    #[serde(default)]
    when: Vec<ConditionText>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FloorText {
    op: FloorOpText,
    amount: String,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FloorOpText {
    Gt,
    Ge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapGroupText {
    id: Spanned<String>,
    lines: Vec<Spanned<String>>,
    amount: Option<String>,
    #[serde(default)]
    when: Vec<ConditionText>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FxText {
    mode: Spanned<FxModeText>,
    date: Option<Day>,
    #[serde(default)]
    if_unpublished: UnpublishedText,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FxModeText {
    ParityOnPaymentDate,
    ParityOnInvoiceDate,
    ParityOnFixedDate,
    RateInApplication,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnpublishedText {
    #[default]
    Refuse,
    Previous,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StackingText {
    #[serde(default)]
    layers: Vec<String>,
    joint_ceiling: Option<String>,
    #[serde(default)]
    on: Vec<String>,
    #[serde(default)]
    same_item_once: Vec<String>,
    #[serde(default)]
    requires_prior_support: bool,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundingText {
    unit: UnitText,
    mode: Rounding,
    at: RoundingAt,
    order: Spanned<Vec<String>>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitText {
    Fen,
    Yuan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetText {
    total: Spanned<String>,
    method: BudgetMethodText,
    weight: Option<String>,
    #[serde(default)]
    priority: Vec<Spanned<String>>,
    #[serde(default)]
    class: Vec<ClassBudgetText>,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassBudgetText {
    id: Spanned<String>,
    total: String,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BudgetMethodText {
    ProRata,
    WaterFill,
    Priority,
    FirstCome,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicantText {
    #[serde(default)]
    mode: ApplicantMode,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApplicantMode {
    #[default]
    Enterprise,
    InsurerGroup,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessText {
    notice: Option<NoticeText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeText {
    days: u32,
    unit: NoticeUnitText,
    calendar: Option<String>,
    first: NoticeFirstText,
    #[serde(rename = "ref")]
    reference: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NoticeUnitText {
    CalendarDay,
    WorkingDay,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NoticeFirstText {
    OpeningDay,
    NextDay,
}

/// Knows the text, so that every complaint has its line.
struct Reader<'t> {
    text: &'t str,
    references: BTreeMap<String, Reference>,
}

impl Reader<'_> {
    fn wrong<T>(
        &self,
        at: &Spanned<T>,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> DocumentError {
        DocumentError::Meaning {
            line: line_of(self.text, at.span().start),
            place: place.into(),
            message: message.into(),
        }
    }

    fn reference(&self, name: Spanned<String>, place: &str) -> Result<String, DocumentError> {
        if self.references.contains_key(name.get_ref()) {
            return Ok(name.into_inner());
        }
        let known: Vec<&str> = self.references.keys().map(String::as_str).collect();
        let message = format!(
            "no [[refs]] has the id {:?}; there are: {}",
            name.get_ref(),
            known.join(", ")
        );
        Err(self.wrong(&name, format!("{place}, ref"), message))
    }

    fn conditions(
        &self,
        texts: Vec<ConditionText>,
        at: &Spanned<String>,
        place: &str,
    ) -> Result<Vec<Condition>, DocumentError> {
        let read = texts.into_iter().map(ConditionText::read);
        read.collect::<Result<_, _>>()
            .map_err(|message| self.wrong(at, place, message))
    }

    fn share(
        &self,
        text: Option<String>,
        at: &Spanned<String>,
        place: &str,
    ) -> Result<Option<Decimal>, DocumentError> {
        let Some(text) = text else { return Ok(None) };
        let share = not_negative(&text).map_err(|message| self.wrong(at, place, message))?;
        if share > Decimal::ONE {
            let message = format!(
                "{text} is more than the whole; a fraction such as \"0.20\" would be right"
            );
            return Err(self.wrong(at, place, message));
        }
        Ok(Some(share))
    }

    fn cap(
        &self,
        per: CapPer,
        amount: Option<String>,
        when: Vec<ConditionText>,
        reference: Spanned<String>,
        place: &str,
    ) -> Result<Cap, DocumentError> {
        let amount = amount.map(|text| yuan(&text)).transpose();
        Ok(Cap {
            per,
            amount: amount.map_err(|message| self.wrong(&reference, place, message))?,
            when: self.conditions(when, &reference, place)?,
            reference: self.reference(reference, place)?,
        })
    }

    fn window(&self, read: WindowText) -> Result<Window, DocumentError> {
        let day = |day: Option<Day>| day.map(|day| day.0);
        for (name, from, to) in [
            ("to", &read.from, &read.to),
            ("apply_to", &read.apply_from, &read.apply_to),
        ] {
            if let (Some(from), Some(to)) = (from, to)
                && to.get_ref().0 < from.0
            {
                let message = format!("it ends before it begins, on {}", from.0);
                return Err(self.wrong(to, format!("window, {name}"), message));
            }
        }
        Ok(Window {
            from: day(read.from),
            to: day(read.to.map(Spanned::into_inner)),
            test: read.test,
            apply_from: day(read.apply_from),
            apply_to: day(read.apply_to.map(Spanned::into_inner)),
            reference: self.reference(read.reference, "window")?,
        })
    }

    fn class(&self, text: ClassText) -> Result<Class, DocumentError> {
        let place = format!("class {}", text.id.get_ref());
        let when = self.conditions(text.when, &text.id, &place)?;
        let any = self.conditions(text.any, &text.id, &place)?;
        if text.otherwise != (when.is_empty() && any.is_empty()) {
            let message = "either conditions (`when`, `any`) or `otherwise = true` would be right";
            return Err(self.wrong(&text.id, place, message));
        }
        let (from, until) = (text.from.map(|day| day.0), text.until.map(|day| day.0));
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            let message = format!("it ends on {until}, before it begins");
            return Err(self.wrong(&text.id, place, message));
        }
        let reference = self.reference(text.reference, &place)?;
        Ok(Class {
            id: text.id.into_inner(),
            when,
            any,
            otherwise: text.otherwise,
            eligible: text.eligible.unwrap_or(true),
            from,
            until,
            reference,
        })
    }

    fn rate(
        &self,
        row: RateText,
        classes: &[Class],
        place: &str,
    ) -> Result<RateRow, DocumentError> {
        if let Some(class) = &row.class
            && class.get_ref() != EVERY_FIRM
            && !classes.iter().any(|known| known.id == *class.get_ref())
        {
            let known: Vec<&str> = classes.iter().map(|class| class.id.as_str()).collect();
            let (found, known) = (class.get_ref(), known.join(", "));
            return Err(self.wrong(
                class,
                place,
                format!("no class {found:?}; there are: {known}"),
            ));
        }
        let ceiling = self.share(row.ceiling, &row.reference, place)?;
        let applied = self.share(row.applied, &row.reference, place)?;
        if let (Some(ceiling), Some(applied)) = (ceiling, applied)
            && applied > ceiling
        {
            let message = format!("applied {applied} is above the ceiling {ceiling}");
            return Err(self.wrong(&row.reference, place, message));
        }
        let named = |name: Option<String>| name.filter(|name| name != EVERY_FIRM);
        Ok(RateRow {
            from: row.from.map(|day| day.0),
            until: row.until.map(|day| day.0),
            class: named(row.class.map(Spanned::into_inner)),
            market: named(row.market),
            product: named(row.product),
            ceiling,
            applied,
            reference: self.reference(row.reference, place)?,
        })
    }

    fn line(
        &self,
        text: LineText,
        classes: &[Class],
        layers: &[String],
    ) -> Result<Line, DocumentError> {
        let (id, base) = (text.id, text.base);
        let place = format!("line {}", id.get_ref());
        let kind = match base {
            Base::PremiumPaid => KindText::PremiumSubsidy,
            Base::FeePaid => KindText::FeeSubsidy,
            Base::InterestPaid | Base::InterestAccrued => KindText::InterestDiscount,
        };
        if text.kind != kind {
            let message = format!("base {} is of another kind", base.name());
            return Err(self.wrong(&id, place, message));
        }
        let method = text.method.unwrap_or(MethodText::Share);
        let accrues = base == Base::InterestAccrued;
        let method = match (method, text.reference_rate) {
            (MethodText::Share, None) => Method::Share,
            (MethodText::Points, None) if accrues => Method::Points,
            (MethodText::PointsCappedByReference, Some(rate)) if accrues => {
                Method::PointsCappedByReference {
                    name: rate.name,
                    add: decimal(&rate.add).map_err(|message| self.wrong(&id, &place, message))?,
                    at_contract: matches!(rate.day, ReferenceDayText::Contract),
                }
            }
            _ => {
                let message = "points are for base interest_accrued, and reference_rate is for \
                               points_capped_by_reference alone, which wants it";
                return Err(self.wrong(&id, place, message));
            }
        };
        if let Some(layer) = &text.layer
            && !layers.contains(layer.get_ref())
        {
            let name = layer.get_ref();
            let message = format!("layer {name:?} is not among the layers of [stacking]");
            return Err(self.wrong(layer, place, message));
        }
        let at = format!("{place}, rate");
        let rates = text
            .rate
            .into_iter()
            .map(|row| self.rate(row, classes, &at));
        let rates = rates.collect::<Result<Vec<_>, _>>()?;
        let at = format!("{place}, cap");
        let caps = text.cap.into_iter();
        let caps = caps.map(|cap| self.cap(cap.per, cap.amount, cap.when, cap.reference, &at));
        let caps = caps.collect::<Result<Vec<_>, _>>()?;
        let floor = match text.min_payable {
            None => None,
            Some(floor) => {
                let place = format!("{place}, min_payable");
                let amount = yuan(&floor.amount)
                    .map_err(|message| self.wrong(&floor.reference, &place, message))?;
                let mut amounts = caps.iter().filter_map(|cap| cap.amount);
                if let Some(low) = amounts.find(|cap| cap.minor() < amount.minor()) {
                    let message =
                        format!("{amount} is above a cap of {low}, so that nothing could be paid");
                    return Err(self.wrong(&floor.reference, place, message));
                }
                Some(Floor {
                    amount,
                    inclusive: matches!(floor.op, FloorOpText::Ge),
                    reference: self.reference(floor.reference, &place)?,
                })
            }
        };
        Ok(Line {
            reference: self.reference(text.reference, &place)?,
            id: id.into_inner(),
            base,
            method,
            products: text.products,
            layer: text.layer.map(Spanned::into_inner),
            rates,
            caps,
            floor,
            requires_policy: text.requires_policy_link,
        })
    }

    fn fx(&self, read: FxText) -> Result<Fx, DocumentError> {
        let mode = match (read.mode.get_ref(), read.date) {
            (FxModeText::ParityOnPaymentDate, None) => FxMode::PaymentDate,
            (FxModeText::ParityOnInvoiceDate, None) => FxMode::InvoiceDate,
            (FxModeText::ParityOnFixedDate, Some(day)) => FxMode::FixedDate(day.0),
            (FxModeText::RateInApplication, None) => FxMode::InApplication,
            _ => {
                let message = "`date` goes with parity_on_fixed_date, and with no other mode";
                return Err(self.wrong(&read.mode, "fx, mode", message));
            }
        };
        Ok(Fx {
            mode,
            previous_serves: matches!(read.if_unpublished, UnpublishedText::Previous),
            reference: Some(self.reference(read.reference, "fx")?),
        })
    }

    fn notice(&self, read: NoticeText) -> Result<Notice, DocumentError> {
        let place = "process, notice";
        let refuse = |message: String| Err(self.wrong(&read.reference, place, message));
        if !(1..=366).contains(&read.days) {
            return refuse(format!("{} days; 1 to 366 would be right", read.days));
        }
        match (read.unit, &read.calendar) {
            (NoticeUnitText::CalendarDay, None) => {}
            (NoticeUnitText::WorkingDay, Some(name)) => {
                // A calendar of the user's own may have any name; a joint one is of several.
                if name.trim().is_empty() {
                    return refuse(
                        "calendar is empty; a name such as \"CN\" would be right".into(),
                    );
                }
            }
            _ => {
                let message = "`calendar` goes with unit working_day, and with no other";
                return refuse(message.into());
            }
        }
        Ok(Notice {
            days: read.days,
            calendar: read.calendar,
            counts_opening_day: matches!(read.first, NoticeFirstText::OpeningDay),
            reference: self.reference(read.reference, place)?,
        })
    }

    fn order(&self, order: &Spanned<Vec<String>>) -> Result<Vec<Op>, DocumentError> {
        let names = Op::ALL.map(Op::name).join(", ");
        let refuse = |message: String| self.wrong(order, "rounding, order", message);
        let mut steps = Vec::new();
        for name in order.get_ref() {
            let step = Op::ALL.into_iter().find(|step| step.name() == name);
            let unknown = || refuse(format!("no step {name:?}; the steps are {names}"));
            let step = step.ok_or_else(unknown)?;
            if steps.contains(&step) {
                return Err(refuse(format!("step {name:?} stands twice")));
            }
            steps.push(step);
        }
        let ends = (steps.first(), steps.last());
        if steps.len() != Op::ALL.len() || ends != (Some(&Op::Rate), Some(&Op::Budget)) {
            return Err(refuse(format!(
                "each of {names} once, rate first and budget last, would be right"
            )));
        }
        Ok(steps)
    }

    /// The budgets of classes: none, or one for every class that gets something.
    fn class_budgets(
        &self,
        read: Vec<ClassBudgetText>,
        classes: &[Class],
        decimals: u8,
    ) -> Result<Vec<ClassBudget>, DocumentError> {
        let place = "budget, class";
        let eligible = classes.iter().filter(|class| class.eligible);
        let mut ids: BTreeSet<&str> = eligible.map(|class| class.id.as_str()).collect();
        let mut budgets = Vec::new();
        let last = read.last().map(|budget| budget.id.clone());
        for budget in read {
            let id = budget.id.get_ref();
            if !ids.remove(id.as_str()) {
                let message = format!("{id:?} is no eligible class, or stands twice");
                return Err(self.wrong(&budget.id, place, message));
            }
            let total = yuan(&budget.total);
            let total = total.map_err(|message| self.wrong(&budget.id, place, message))?;
            if decimals == 0 && total.minor() % 100 != 0 {
                let message = "whole yuan would be right, because the unit of rounding is yuan";
                return Err(self.wrong(&budget.id, place, message));
            }
            budgets.push(ClassBudget {
                class: id.clone(),
                total,
                reference: self.reference(budget.reference, place)?,
            });
        }
        if let (Some(at), Some(missing)) = (last, ids.first()) {
            let message = format!("class {missing:?} has no budget");
            return Err(self.wrong(&at, place, message));
        }
        Ok(budgets)
    }

    fn budget(
        &self,
        read: BudgetText,
        classes: &[Class],
        decimals: u8,
    ) -> Result<Budget, DocumentError> {
        let refuse = |message: String| self.wrong(&read.total, "budget", message);
        let by_class = self.class_budgets(read.class, classes, decimals)?;
        let total = match (read.total.get_ref().as_str(), by_class.as_slice()) {
            ("unlimited", []) => None,
            ("by_class", [_, ..]) => {
                let mut sum = Money::zero(Currency::CNY);
                for budget in &by_class {
                    let next = sum.checked_add(budget.total);
                    sum = next.map_err(|error| refuse(error.to_string()))?;
                }
                Some(sum)
            }
            ("by_class", []) | (_, [_, ..]) => {
                let message = "budgets of classes (`class`) go with total = \"by_class\"";
                return Err(refuse(message.into()));
            }
            (text, []) => Some(yuan(text).map_err(refuse)?),
        };
        if matches!(read.method, BudgetMethodText::Priority) && !by_class.is_empty() {
            let message = "classes with budgets of their own have no priority";
            return Err(refuse(message.into()));
        }
        if decimals == 0 && total.is_some_and(|total| total.minor() % 100 != 0) {
            return Err(refuse(
                "whole yuan would be right, because the unit of rounding is yuan".into(),
            ));
        }
        let method = match (read.method, &read.weight, read.priority.as_slice()) {
            (BudgetMethodText::ProRata, None, []) => BudgetMethod::ProRata,
            (BudgetMethodText::FirstCome, None, []) => BudgetMethod::FirstCome,
            (BudgetMethodText::WaterFill, Some(weight), []) => BudgetMethod::WaterFill {
                weight: weight.clone(),
            },
            (BudgetMethodText::Priority, None, order) => {
                let eligible = classes.iter().filter(|class| class.eligible);
                let mut ids: BTreeSet<&str> = eligible.map(|class| class.id.as_str()).collect();
                for class in order {
                    if !ids.remove(class.get_ref().as_str()) {
                        let name = class.get_ref();
                        let message = format!("{name:?} is no eligible class, or stands twice");
                        return Err(self.wrong(class, "budget, priority", message));
                    }
                }
                if let Some(missing) = ids.first() {
                    return Err(refuse(format!(
                        "class {missing:?} is missing from `priority`"
                    )));
                }
                let classes = order.iter().map(|class| class.get_ref().clone());
                BudgetMethod::Priority {
                    classes: classes.collect(),
                }
            }
            _ => {
                return Err(refuse(
                    "`weight` goes with method water_fill, `priority` with method priority".into(),
                ));
            }
        };
        Ok(Budget {
            total,
            classes: by_class,
            method,
            reference: self.reference(read.reference, "budget")?,
        })
    }
}

/// The first of several ids that stands twice.
fn twice<'s>(mut ids: impl Iterator<Item = &'s Spanned<String>>) -> Option<&'s Spanned<String>> {
    let mut seen = BTreeSet::new();
    ids.find(|id| !seen.insert(id.get_ref()))
}

pub(super) fn programme(text: &str) -> Result<Programme, DocumentError> {
    let document: Document =
        toml::from_str(text).map_err(|error| DocumentError::from_toml(&error, text))?;
    let mut reader = Reader {
        text,
        references: BTreeMap::new(),
    };
    if document.schema.get_ref() != SCHEMA {
        let found = document.schema.get_ref();
        let message = format!("found {found:?}; {SCHEMA:?} would be right");
        return Err(reader.wrong(&document.schema, "schema", message));
    }
    // A class may be drawn anew from a day on, under the same id and with days.
    let class_twice = document.class.iter().enumerate().find(|(index, class)| {
        document.class[..*index].iter().any(|before| {
            before.id.get_ref() == class.id.get_ref()
                && (before.until.is_none() || class.from.is_none())
        })
    });
    for (place, id) in [
        ("refs", twice(document.refs.iter().map(|row| &row.id))),
        ("class", class_twice.map(|(_, class)| &class.id)),
        ("line", twice(document.line.iter().map(|row| &row.id))),
        (
            "cap_group",
            twice(document.cap_group.iter().map(|row| &row.id)),
        ),
    ] {
        if let Some(id) = id {
            let message = format!("id {:?} stands twice", id.get_ref());
            return Err(reader.wrong(id, place, message));
        }
    }
    for row in document.refs {
        if row.doc.trim().is_empty() {
            let message = "doc is empty; the document's name would be right";
            return Err(reader.wrong(&row.id, "refs", message));
        }
        let reference = Reference {
            document: row.doc,
            clause: row.clause,
            seen: row.seen.map(|day| day.0),
            certainty: match row.certainty {
                CertaintyText::Seen => Certainty::Certain,
                CertaintyText::Reported => Certainty::Probable,
                CertaintyText::Unverified => Certainty::Unsure,
                CertaintyText::Illustrative => Certainty::Illustrative,
            },
        };
        reader.references.insert(row.id.into_inner(), reference);
    }
    let status = document.status;
    if status == Status::RealPartial && document.unseen.is_empty() {
        let message = "status real-partial wants `unseen` to say what the sources did not show";
        return Err(reader.wrong(&document.id, "unseen", message));
    }
    let mut certainties = reader.references.values().map(|found| found.certainty);
    if status != Status::Illustrative && certainties.any(|found| found == Certainty::Illustrative) {
        let message = "a reference is illustrative, so the status can only be that too";
        return Err(reader.wrong(&document.id, "status", message));
    }
    let window = reader.window(document.window)?;
    let mut gates = Vec::new();
    for gate in document.eligibility.gates {
        let place = "eligibility, gates";
        let condition = gate.when.read();
        gates.push(Gate {
            condition: condition
                .map_err(|message| reader.wrong(&gate.reference, place, message))?,
            reference: reader.reference(gate.reference, place)?,
        });
    }
    let first_class = document.class.first().map(|class| class.id.clone());
    let classes = document.class.into_iter().map(|class| reader.class(class));
    let classes = classes.collect::<Result<Vec<_>, _>>()?;
    if let (Some(first), Some(fault)) = (&first_class, class_fault(&classes)) {
        return Err(reader.wrong(first, "class", fault));
    }
    let stacking = match document.stacking {
        None => Stacking::default(),
        Some(read) => Stacking {
            joint_ceiling: reader.share(read.joint_ceiling, &read.reference, "stacking")?,
            layers: read.layers,
            on: read.on,
            excludes: read.same_item_once,
            requires_prior: read.requires_prior_support,
            reference: Some(reader.reference(read.reference, "stacking")?),
        },
    };
    let mut lines: Vec<Line> = Vec::new();
    for line in document.line {
        let id = line.id.clone();
        let place = format!("line {}", id.get_ref());
        let line = reader.line(line, &classes, &stacking.layers)?;
        if let Some(fault) = rate_fault(&line, &classes, &window) {
            return Err(reader.wrong(&id, format!("{place}, rate"), fault));
        }
        let shares_items = |other: &&Line| {
            let product = |product| line.products.contains(product);
            other.base.item_kind() == line.base.item_kind()
                && (other.layer.is_none() || line.layer.is_none() || other.layer == line.layer)
                && (other.products.is_empty()
                    || line.products.is_empty()
                    || other.products.iter().any(product))
        };
        if let Some(other) = lines.iter().find(shares_items) {
            let message = format!(
                "line {:?} pays for the same items; other products or another layer would be right",
                other.id
            );
            return Err(reader.wrong(&id, place, message));
        }
        lines.push(line);
    }
    if lines.is_empty() {
        return Err(reader.wrong(&document.id, "line", "there is none"));
    }
    let mut cap_groups = Vec::new();
    for group in document.cap_group {
        let place = format!("cap_group {}", group.id.get_ref());
        for line in &group.lines {
            if !lines.iter().any(|known| known.id == *line.get_ref()) {
                let message = format!("no line {:?}", line.get_ref());
                return Err(reader.wrong(line, place, message));
            }
        }
        let (per, reference) = (CapPer::EnterpriseYear, group.reference);
        let cap = reader.cap(per, group.amount, group.when, reference, &place)?;
        cap_groups.push(CapGroup {
            id: group.id.into_inner(),
            lines: group.lines.into_iter().map(Spanned::into_inner).collect(),
            cap,
        });
    }
    let fx = document.fx.map(|read| reader.fx(read)).transpose()?;
    let rounding = RoundingRules {
        decimals: match document.rounding.unit {
            UnitText::Fen => 2,
            UnitText::Yuan => 0,
        },
        mode: document.rounding.mode,
        at: document.rounding.at,
        order: reader.order(&document.rounding.order)?,
        reference: reader.reference(document.rounding.reference, "rounding")?,
    };
    let notice = document.process.notice.map(|read| reader.notice(read));
    let notice = notice.transpose()?;
    let mut tests = Vec::new();
    for test in document.test {
        let at = test.name.clone();
        let place = format!("test {:?}", at.get_ref());
        let known = |name: &str| name == "total" || lines.iter().any(|line| line.id == name);
        let test = test.read(known);
        tests.push(test.map_err(|message| reader.wrong(&at, place, message))?);
    }
    Ok(Programme {
        budget: reader.budget(document.budget, &classes, rounding.decimals)?,
        id: document.id.into_inner(),
        year: document.year,
        title: document.title,
        status,
        region: document.authority.region,
        bodies: document.authority.bodies,
        references: reader.references,
        unseen: document.unseen,
        window,
        gates,
        documents: document.eligibility.documents,
        classes,
        lines,
        cap_groups,
        fx: fx.unwrap_or(Fx {
            mode: FxMode::None,
            previous_serves: false,
            reference: None,
        }),
        stacking,
        rounding,
        is_insurer_group: matches!(document.applicant.mode, ApplicantMode::InsurerGroup),
        requires_receipt: document.eligibility.requires_receipt,
        notice,
        tests,
        digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
    })
}
