//! One edge while it is planted: its rules, keys that were given out, and rows in the making.

use std::collections::{BTreeMap, HashSet};

use quanfu_calendar::Date;
use quanfu_money::Currency;
use quanfu_settlement::rules::{
    AmountOf, EdgeRules, Explain, Field, MatchRule, Normaliser, On, Rules, SourceRole,
};
use quanfu_settlement::{EntryKind, EntryStatus, PassKind, RefRole, Side};

use super::Row;
use super::pen::{Draft, Pen, dressed, normalised};
use crate::random::Random;

/// Kinds of a payment, the likeliest first.
pub(crate) const PAYMENT: &[EntryKind] = &[
    EntryKind::Payment,
    EntryKind::Transfer,
    EntryKind::Payout,
    EntryKind::Other,
];
/// Kinds of the bank's line for a batch.
pub(crate) const LINE: &[EntryKind] = &[
    EntryKind::Payout,
    EntryKind::Payment,
    EntryKind::Transfer,
    EntryKind::Other,
];
/// Kinds of a refund.
pub(crate) const REFUND: &[EntryKind] = &[EntryKind::Refund];

/// What a rule is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Key,
    Batch,
    Token,
}

/// What a pass is good for. Nothing is planted for passes that look for what others left: they are tried by all that is
/// planted for those.
fn use_of(pass: PassKind) -> Option<Use> {
    match pass {
        PassKind::UniqueKey | PassKind::KeyGroup => Some(Use::Key),
        PassKind::NetBatch => Some(Use::Batch),
        PassKind::ExactToken | PassKind::Assignment => Some(Use::Token),
        PassKind::RunBatch | PassKind::Subset | PassKind::NearKey => None,
    }
}

fn by_kind(rule: &MatchRule) -> bool {
    let is_kind = |on: &On| (&on.left, &on.right) == (&Field::Kind, &Field::Kind);
    rule.on.iter().any(is_kind)
}

/// A field of keys that both sides take from a reference, with the steps of both.
#[derive(Clone, Debug)]
pub(crate) struct Slot<'r> {
    pub on: &'r On,
    roles: [RefRole; 2],
    /// Whether many payments have the same text, as a merchant's number.
    pub is_shared: bool,
}

impl<'r> Slot<'r> {
    fn new(on: &'r On) -> Option<Self> {
        let (Field::Reference(left), Field::Reference(right)) = (&on.left, &on.right) else {
            return None;
        };
        let roles = [*left, *right];
        Some(Self {
            on,
            roles,
            is_shared: roles.contains(&RefRole::Merchant),
        })
    }

    pub(crate) fn role(&self, side: Side) -> RefRole {
        self.roles[side as usize]
    }

    pub(crate) fn steps(&self, side: Side) -> &'r [Normaliser] {
        match side {
            Side::Left => &self.on.left_normalise,
            Side::Right => &self.on.right_normalise,
        }
    }
}

/// Compared texts by the number of their slot.
pub(crate) type Cores = BTreeMap<usize, String>;

/// Amounts of a payment on both sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    pub currency: Currency,
    /// By side.
    pub minor: [i64; 2],
    /// By side, in millionths of a minor unit.
    pub fee: [Option<i64>; 2],
}

/// What a row is to be.
#[derive(Clone, Debug)]
pub(crate) struct Spec<'c> {
    pub side: Side,
    /// By side.
    pub kinds: [&'c [EntryKind]; 2],
    pub minor: i64,
    pub fee: Option<i64>,
    pub currency: Currency,
    pub at: (Date, u32),
    pub cores: &'c Cores,
}

/// One edge while it is planted.
pub(crate) struct Plot<'r> {
    pub index: usize,
    pub edge: &'r EdgeRules,
    pub pens: [&'r Pen<'r>; 2],
    pub random: Random,
    /// Four business days that follow each other; the first run is of the third, the second of the fourth.
    pub days: [Date; 4],
    pub slots: Vec<Slot<'r>>,
    shops: Vec<Cores>,
    used: HashSet<(usize, String)>,
    serial: u64,
    /// Rows of the case in the making, with the number of their group in the case.
    pub stage: Vec<(u32, Row)>,
}

impl<'r> Plot<'r> {
    pub(crate) fn new(
        rules: &'r Rules,
        index: usize,
        pens: [&'r Pen<'r>; 2],
        random: Random,
        days: [Date; 4],
    ) -> Self {
        let edge = &rules.edges[index];
        let mut slots: Vec<Slot<'r>> = Vec::new();
        for on in edge.rules.iter().flat_map(|rule| &rule.on) {
            if let Some(slot) = Slot::new(on)
                && !slots.iter().any(|known| known.on == on)
            {
                slots.push(slot);
            }
        }
        Self {
            index,
            edge,
            pens,
            random,
            days,
            slots,
            shops: Vec::new(),
            used: HashSet::new(),
            serial: 0,
            stage: Vec::new(),
        }
    }

    pub(crate) fn pen(&self, side: Side) -> &'r Pen<'r> {
        self.pens[side as usize]
    }

    /// Rules of one use that let rows of these kinds through on both sides.
    pub(crate) fn rules_for(
        &self,
        wanted: Use,
        kinds: [&[EntryKind]; 2],
        is_negative: bool,
    ) -> Vec<&'r MatchRule> {
        let rules = self.edge.rules.iter().filter(|rule| {
            use_of(rule.pass) == Some(wanted) && self.kinds(rule, kinds, is_negative).is_some()
        });
        rules.collect()
    }

    pub(crate) fn has_rule(&self, wanted: Use) -> bool {
        let mut rules = self.edge.rules.iter();
        rules.any(|rule| use_of(rule.pass) == Some(wanted))
    }

    /// The side whose rows a batch rule adds up: the one that is no bank.
    pub(crate) fn many(&self) -> Side {
        if self.pen(Side::Left).rules.role == SourceRole::Bank {
            Side::Right
        } else {
            Side::Left
        }
    }

    /// The kinds that rows of a rule can have on a side, out of these: what the filters let through and the source
    /// knows.
    fn passing(
        &self,
        rule: &MatchRule,
        side: Side,
        kinds: &[EntryKind],
        is_negative: bool,
    ) -> Vec<EntryKind> {
        let pen = self.pen(side);
        // who does not know refunds books them as payments of the other sign
        let kinds = if kinds.iter().any(|kind| pen.knows(*kind)) {
            kinds
        } else {
            PAYMENT
        };
        let (edge, own) = match side {
            Side::Left => (&self.edge.left_where, &rule.left_where),
            Side::Right => (&self.edge.right_where, &rule.right_where),
        };
        let passes = |kind: &EntryKind| {
            let listed = |list: &[EntryKind]| list.is_empty() || list.contains(kind);
            listed(&edge.kind) && listed(&own.kind) && pen.takes(*kind, is_negative)
        };
        kinds.iter().copied().filter(passes).collect()
    }

    /// The kinds that rows of a rule have on both sides.
    fn kinds(
        &self,
        rule: &MatchRule,
        kinds: [&[EntryKind]; 2],
        is_negative: bool,
    ) -> Option<[EntryKind; 2]> {
        let left = self.passing(rule, Side::Left, kinds[0], is_negative);
        let right = self.passing(rule, Side::Right, kinds[1], is_negative);
        if by_kind(rule) {
            let both = left.iter().find(|kind| right.contains(kind))?;
            return Some([*both, *both]);
        }
        Some([*left.first()?, *right.first()?])
    }

    fn kind(
        &self,
        rule: &MatchRule,
        side: Side,
        kinds: [&[EntryKind]; 2],
        is_negative: bool,
    ) -> Option<EntryKind> {
        if by_kind(rule) {
            return Some(self.kinds(rule, kinds, is_negative)?[side as usize]);
        }
        let own = self.passing(rule, side, kinds[side as usize], is_negative);
        own.first().copied()
    }

    /// Statuses that pass on both sides: the same one if there is one.
    fn status(&self, rule: &MatchRule, side: Side) -> Option<EntryStatus> {
        let passes = |side: Side, status: &EntryStatus| {
            let (edge, own) = match side {
                Side::Left => (&self.edge.left_where, &rule.left_where),
                Side::Right => (&self.edge.right_where, &rule.right_where),
            };
            let listed = |list: &[EntryStatus]| list.is_empty() || list.contains(status);
            listed(&edge.status) && listed(&own.status) && self.pen(side).has_status(*status)
        };
        let all = || EntryStatus::ALL.iter();
        let both = all().find(|s| passes(Side::Left, s) && passes(Side::Right, s));
        both.or_else(|| all().find(|s| passes(side, s))).copied()
    }

    /// By how many days the right side comes later: as near to none as the rule's window lets.
    pub(crate) fn lag(&self, rule: &MatchRule) -> i32 {
        rule.window
            .map_or(0, |window| 0.clamp(window.from, window.until))
    }

    /// A day some days later.
    pub(crate) fn later(&self, day: Date, days: i32) -> Date {
        let moved = quanfu_calendar::Datelike::num_days_from_ce(&day).checked_add(days);
        moved
            .and_then(Date::from_num_days_from_ce_opt)
            .unwrap_or(day)
    }

    /// Currencies that both sides can hold, the commonest first.
    pub(crate) fn currencies(&self) -> Vec<Currency> {
        ["CNY", "USD", "HKD", "JPY", "EUR", "KWD"]
            .into_iter()
            .filter_map(|code| Currency::from_code(code).ok())
            .chain(self.pens.iter().filter_map(|pen| pen.rules.currency))
            .chain(
                self.pens
                    .iter()
                    .filter_map(|pen| pen.profile?.currency_default),
            )
            .filter(|currency| self.pens.iter().all(|pen| pen.has_currency(*currency)))
            .collect()
    }

    pub(crate) fn currency(&mut self) -> Option<Currency> {
        let all = self.currencies();
        let common = self.random.below(10) < 6;
        if common {
            all.first().copied()
        } else {
            self.random.pick(&all).copied()
        }
    }

    /// An amount of 2^10 to 2^22 minor units; small and large ones are about as likely.
    pub(crate) fn gross(&mut self) -> i64 {
        let least = 1i64 << self.random.between(10, 21);
        self.random.between(least, 2 * least - 1)
    }

    /// The fee of an amount in whole minor units: 0.6 %.
    pub(crate) fn fee(gross: i64) -> i64 {
        (gross * 6 + 500) / 1000
    }

    /// The side whose rows have a fee, if there is one.
    pub(crate) fn fee_side(&self) -> Option<Side> {
        [Side::Left, Side::Right]
            .into_iter()
            .find(|side| self.pen(*side).has_fee())
    }

    /// Amounts that agree under a rule.
    pub(crate) fn sums(&mut self, rule: &MatchRule) -> Option<Sums> {
        let currency = self.currency()?;
        let gross = self.gross();
        let mut sums = Sums {
            currency,
            minor: [gross; 2],
            fee: [None; 2],
        };
        if let Some(side) = self.fee_side() {
            let fee = Self::fee(gross);
            sums.fee[side as usize] = Some(fee * 1_000_000);
            if Self::figure_of(rule, side) == AmountOf::Net {
                sums.minor[side.other() as usize] = gross - fee;
            }
        }
        Some(sums)
    }

    pub(crate) fn figure_of(rule: &MatchRule, side: Side) -> AmountOf {
        match side {
            Side::Left => rule.left_amount,
            Side::Right => rule.right_amount,
        }
    }

    /// What the bank pays for these rows under a batch rule.
    pub(crate) fn paid(&self, rule: &MatchRule, rows: &[(i64, Option<i64>)]) -> Option<i64> {
        use quanfu_settlement::rules::RoundingPer;
        let round = |grains: i128| rule.rounding.divide(grains, 1_000_000).ok();
        let fees = || rows.iter().filter_map(|(_, fee)| fee.map(i128::from));
        let by_row = || fees().map(round).sum::<Option<i128>>();
        let mut sum: i128 = rows.iter().map(|(minor, _)| i128::from(*minor)).sum();
        if Self::figure_of(rule, self.many()) == AmountOf::Net {
            sum -= by_row()?;
        }
        if rule.explain.contains(&Explain::Fee) {
            sum -= match rule.rounding_per {
                RoundingPer::Row => by_row()?,
                RoundingPer::Batch => round(fees().sum())?,
            };
        }
        i64::try_from(sum).ok()
    }

    // Keys.

    /// Numbers of a rule's slots.
    pub(crate) fn slots_of(&self, rule: &MatchRule) -> Vec<usize> {
        let of_rule = |slot: &&Slot<'_>| rule.on.contains(slot.on);
        let slots = self.slots.iter();
        let slots = slots.enumerate().filter(|(_, slot)| of_rule(slot));
        slots.map(|(index, _)| index).collect()
    }

    /// A compared text that was not given out yet.
    pub(crate) fn fresh(&mut self, index: usize) -> Option<String> {
        for _ in 0..40 {
            let Some(core) = self.made_up(index) else {
                continue;
            };
            let slot = &self.slots[index];
            let both = [Side::Left, Side::Right]
                .into_iter()
                .all(|side| dressed(&core, slot.steps(side), &mut self.random).is_some());
            if both && self.used.insert((index, core.clone())) {
                return Some(core);
            }
        }
        None
    }

    /// Whether a compared text was given out.
    pub(crate) fn is_used(&self, slot: usize, core: &str) -> bool {
        self.used.contains(&(slot, core.to_owned()))
    }

    /// Notes that a compared text is given out.
    pub(crate) fn use_up(&mut self, slot: usize, core: String) {
        self.used.insert((slot, core));
    }

    fn made_up(&mut self, index: usize) -> Option<String> {
        let slot = self.slots[index].clone();
        for side in [Side::Left, Side::Right] {
            if let Some(text) = self.pen(side).content(slot.role(side), &mut self.random)? {
                return normalised(&text, slot.steps(side));
            }
        }
        for side in [Side::Left, Side::Right] {
            let steps = slot.steps(side);
            for (at, step) in steps.iter().enumerate() {
                if let Normaliser::Pattern(pattern) = step {
                    let shape = super::pattern::Shape::parse(pattern.as_str())?;
                    let text = shape.text(&mut self.random, None)?;
                    return normalised(pattern.find(&text)?, &steps[at + 1..]);
                }
            }
        }
        let digits = self.random.below(10_000_000_000);
        Some(if slot.is_shared {
            format!("19{:08}", digits % 100_000_000)
        } else {
            let letter = char::from(b'A' + self.random.below(8) as u8);
            format!("{letter}{digits:010}")
        })
    }

    /// Fresh texts for all slots of a rule that are not shared; for all of them if all are shared.
    pub(crate) fn key(&mut self, rule: &MatchRule) -> Option<Cores> {
        let mut own = self.slots_of(rule);
        if own.iter().any(|&index| !self.slots[index].is_shared) {
            own.retain(|&index| !self.slots[index].is_shared);
        }
        let mut cores = Cores::new();
        for index in own {
            let core = self.fresh(index)?;
            cores.insert(index, core);
        }
        Some(cores)
    }

    /// The shared texts of a shop that no other rows have.
    pub(crate) fn new_shop(&mut self) -> Option<Cores> {
        let mut cores = Cores::new();
        for index in 0..self.slots.len() {
            if !self.slots[index].is_shared {
                continue;
            }
            let twin = cores.iter().find(|(other, _)| {
                let (own, other) = (&self.slots[index], &self.slots[**other]);
                own.roles[0] == other.roles[0] || own.roles[1] == other.roles[1]
            });
            let core = match twin {
                Some((_, core)) => core.clone(),
                None => self.fresh(index)?,
            };
            cores.insert(index, core);
        }
        Some(cores)
    }

    /// One of the shops that many rows have.
    pub(crate) fn shop(&mut self, pool: usize) -> Option<Cores> {
        if self.shops.len() < pool {
            let shop = self.new_shop()?;
            self.shops.push(shop);
        }
        self.random.pick(&self.shops).cloned()
    }

    /// The references of a row with these compared texts.
    fn references(&mut self, side: Side, cores: &Cores) -> Option<BTreeMap<RefRole, String>> {
        let mut all: BTreeMap<RefRole, String> = BTreeMap::new();
        for (&index, core) in cores {
            let slot = self.slots[index].clone();
            let (role, steps) = (slot.role(side), slot.steps(side));
            match all.get(&role) {
                Some(text) if normalised(text, steps).as_ref() != Some(core) => return None,
                Some(_) => {}
                None => {
                    all.insert(role, dressed(core, steps, &mut self.random)?);
                }
            }
        }
        Some(all)
    }

    // Rows.

    /// A row of a rule, not staged yet.
    pub(crate) fn row(&mut self, rule: &MatchRule, spec: &Spec<'_>) -> Option<Row> {
        self.row_with(rule, spec, |_| Some(()))
    }

    /// A row whose references are changed before it is written down.
    pub(crate) fn row_with(
        &mut self,
        rule: &MatchRule,
        spec: &Spec<'_>,
        change: impl Fn(&mut BTreeMap<RefRole, String>) -> Option<()>,
    ) -> Option<Row> {
        let pen = self.pen(spec.side);
        let is_negative = spec.minor < 0;
        let kind = self.kind(rule, spec.side, spec.kinds, is_negative)?;
        let status = self.status(rule, spec.side)?;
        for _ in 0..8 {
            let Some(mut references) = self.references(spec.side, spec.cores) else {
                continue;
            };
            change(&mut references)?;
            if let Some(role) = pen.serial {
                self.serial += 1;
                references.insert(role, format!("S{}{:08}", self.index, self.serial));
            }
            let draft = Draft {
                references,
                minor: spec.minor,
                currency: spec.currency,
                fee: spec.fee,
                kind,
                status,
                date: spec.at.0,
                second: spec.at.1,
            };
            if let Some(entry) = pen.write(&draft, &mut self.random) {
                return Some(Row {
                    edge: self.index,
                    side: spec.side,
                    group: 0,
                    is_spare: false,
                    run: 0,
                    entry,
                });
            }
        }
        None
    }

    pub(crate) fn put(&mut self, group: u32, row: Row) {
        self.stage.push((group, row));
    }

    /// A moment of an accounting day for a side.
    pub(crate) fn at(&mut self, side: Side, day: Date) -> (Date, u32) {
        let pen = self.pen(side);
        pen.within(day, &mut self.random)
    }
}
