//! The classes, one function for each family: what is odd about the rows of a case, and which of them belong together.

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_money::Currency;
use quanfu_settlement::rules::{Field, MatchRule, RoundingPer, SourceRole};
use quanfu_settlement::{ChallengeClass, ChallengeGap, EntryKind, RefRole, Side};

use super::Row;
use super::plot::{Cores, LINE, PAYMENT, Plot, REFUND, Spec, Sums, Use};

const SIDES: [Side; 2] = [Side::Left, Side::Right];
const PAYMENTS: [&[EntryKind]; 2] = [PAYMENT, PAYMENT];
const REFUNDS: [&[EntryKind]; 2] = [REFUND, REFUND];

/// A row's amount in minor units and its fee in millionths of them.
type Figure = (i64, Option<i64>);

/// One of several rules, in turn.
fn turn<'r>(rules: &[&'r MatchRule], case: u64) -> Option<&'r MatchRule> {
    let index = case.checked_rem(rules.len() as u64)?;
    rules.get(index as usize).copied()
}

fn joined(parts: &[&Cores]) -> Cores {
    let mut all = Cores::new();
    for part in parts {
        for (&slot, core) in *part {
            all.entry(slot).or_insert_with(|| core.clone());
        }
    }
    all
}

impl<'r> Plot<'r> {
    /// Why a class has no place on this edge, if it has none whatever the texts.
    pub(crate) fn gap(&self, class: ChallengeClass, carries: bool) -> Option<ChallengeGap> {
        use ChallengeClass as C;
        let batch_kinds = self.batch_kinds();
        let missing = |wanted: Use| match wanted {
            Use::Key => ChallengeGap::NoKeyRule,
            Use::Batch => ChallengeGap::NoBatchRule,
            Use::Token => ChallengeGap::NoTokenRule,
        };
        let needs = |wanted: Use, kinds, is_negative| {
            if !self.has_rule(wanted) {
                Some(missing(wanted))
            } else if self.rules_for(wanted, kinds, is_negative).is_empty() {
                Some(ChallengeGap::NoKind)
            } else {
                None
            }
        };
        let key_or_batch = || {
            let key = needs(Use::Key, PAYMENTS, false);
            key.and_then(|key| needs(Use::Batch, batch_kinds, false).map(|_| key))
        };
        if self.currencies().is_empty() {
            return Some(ChallengeGap::NoKind);
        }
        match class {
            C::Plain
            | C::DayShifted
            | C::PartialCaptures
            | C::Instalments
            | C::PaidTwice
            | C::KeyTypo
            | C::KeySwapped
            | C::KeyCut
            | C::KeyInText
            | C::KeyReused
            | C::KeyNeighbour => needs(Use::Key, PAYMENTS, false),
            C::DeliveredTwice | C::OffByOne | C::OneSided => key_or_batch(),
            C::FeeInside => needs(Use::Key, PAYMENTS, false).or_else(|| {
                let has_bank = self.bank().is_some();
                (!has_bank).then_some(ChallengeGap::NoBank)
            }),
            C::RefundPartial | C::RefundOver | C::RefundOrphan => {
                needs(Use::Key, PAYMENTS, false).or_else(|| needs(Use::Key, REFUNDS, true))
            }
            C::Late => key_or_batch().or_else(|| (!carries).then_some(ChallengeGap::NoCarry)),
            C::CurrencyOther => key_or_batch().or_else(|| {
                let several = self.currencies().len() > 1;
                (!several).then_some(ChallengeGap::NoKind)
            }),
            C::TokenOnly | C::EqualAmounts => needs(Use::Token, PAYMENTS, false),
            C::Strangers => {
                let token = needs(Use::Token, PAYMENTS, false);
                token.and_then(|token| match needs(Use::Batch, batch_kinds, false) {
                    // a batch number tells strangers apart
                    None if self.numbered() => Some(ChallengeGap::BatchNumbers),
                    None => None,
                    Some(_) => Some(token),
                })
            }
            C::BatchExact | C::BatchRowMissing | C::BatchTwoLines => {
                needs(Use::Batch, batch_kinds, false)
            }
            C::BatchDrifting => needs(Use::Batch, batch_kinds, false).or_else(|| {
                if self.by_day().is_empty() {
                    Some(ChallengeGap::BatchNumbers)
                } else if !self.pen(self.many()).has_clock() {
                    Some(ChallengeGap::NoTime)
                } else {
                    None
                }
            }),
        }
    }

    fn bank(&self) -> Option<Side> {
        let is_bank = |side: &Side| self.pen(*side).rules.role == SourceRole::Bank;
        [Side::Right, Side::Left].into_iter().find(is_bank)
    }

    fn batch_kinds(&self) -> [&'static [EntryKind]; 2] {
        match self.many() {
            Side::Left => [PAYMENT, LINE],
            Side::Right => [LINE, PAYMENT],
        }
    }

    /// Whether every batch rule has a key that no two batches share.
    fn numbered(&self) -> bool {
        let rules = self.rules_for(Use::Batch, self.batch_kinds(), false);
        let is_numbered = |rule: &&MatchRule| {
            let slots = self.slots_of(rule);
            slots.iter().any(|&slot| !self.slots[slot].is_shared)
        };
        rules.iter().all(is_numbered)
    }

    /// Batch rules whose key is a shop and a day.
    fn by_day(&self) -> Vec<&'r MatchRule> {
        let is_day = |field: &Field| matches!(field, Field::AccountingDay | Field::ValueDate);
        let mut rules = self.rules_for(Use::Batch, self.batch_kinds(), false);
        rules.retain(|rule| {
            let slots = self.slots_of(rule);
            slots.iter().all(|&slot| self.slots[slot].is_shared)
                && rule
                    .on
                    .iter()
                    .any(|on| is_day(&on.left) && is_day(&on.right))
        });
        rules
    }

    /// Plants one case of a class into the stage; `None`: it cannot be written down.
    pub(crate) fn case(&mut self, class: ChallengeClass, case: u64, pool: usize) -> Option<()> {
        use ChallengeClass as C;
        match class {
            C::Plain | C::FeeInside | C::DayShifted | C::PaidTwice => {
                self.single(class, case, pool)
            }
            C::DeliveredTwice | C::OffByOne | C::CurrencyOther | C::OneSided | C::Late => {
                if self.rules_for(Use::Key, PAYMENTS, false).is_empty() {
                    self.batch(class, case)
                } else {
                    self.single(class, case, pool)
                }
            }
            C::PartialCaptures | C::Instalments => self.captures(class, case, pool),
            C::RefundPartial | C::RefundOver | C::RefundOrphan => self.refunds(class, case, pool),
            C::KeyTypo | C::KeySwapped | C::KeyCut | C::KeyInText => {
                self.damaged(class, case, pool)
            }
            C::KeyReused => self.reused(case, pool),
            C::KeyNeighbour => self.neighbours(case, pool),
            C::TokenOnly => self.without_key(1, case, pool, true),
            C::EqualAmounts => self.without_key(2 + case % 2, case, pool, true),
            C::Strangers => {
                if self.rules_for(Use::Token, PAYMENTS, false).is_empty() {
                    self.batch(class, case)
                } else {
                    self.without_key(1, case, pool, false)
                }
            }
            C::BatchExact | C::BatchRowMissing | C::BatchTwoLines => self.batch(class, case),
            C::BatchDrifting => self.drifting(case),
        }
    }

    /// The day on which most cases lie, and the day of its right side under a rule.
    fn days_of(&mut self, rule: &MatchRule) -> [Date; 2] {
        let day = self.days[1 + self.random.below(2) as usize];
        let lag = self.lag(rule);
        [day, self.later(day, lag)]
    }

    fn payment(
        &mut self,
        rule: &MatchRule,
        side: Side,
        sums: &Sums,
        day: Date,
        cores: &Cores,
    ) -> Option<Row> {
        let at = self.at(side, day);
        let spec = Spec {
            side,
            kinds: PAYMENTS,
            minor: sums.minor[side as usize],
            fee: sums.fee[side as usize],
            currency: sums.currency,
            at,
            cores,
        };
        self.row(rule, &spec)
    }

    /// One row of each side.
    fn single(&mut self, class: ChallengeClass, case: u64, pool: usize) -> Option<()> {
        use ChallengeClass as C;
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let shop = self.shop(pool)?;
        let key = self.key(rule)?;
        let cores = joined(&[&key, &shop]);
        let mut sums = self.sums(rule)?;
        let [mut left_day, mut right_day] = self.days_of(rule);
        let odd = SIDES[self.random.below(2) as usize];
        match class {
            C::FeeInside => {
                let bank = self.bank()? as usize;
                let gross = sums.minor[1 - bank];
                sums.minor[bank] = gross - Self::fee(gross);
                sums.fee[bank] = None;
            }
            C::OffByOne => {
                sums.minor[odd as usize] += if self.random.once_in(2) { 1 } else { -1 };
            }
            C::Late => {
                left_day = self.days[2];
                right_day = self.days[3];
                if let Some(window) = rule.window {
                    let lag = 1.clamp(window.from, window.until);
                    right_day = self.later(left_day, lag);
                }
            }
            _ => {}
        }
        let mut left = self.payment(rule, Side::Left, &sums, left_day, &cores)?;
        let mut right = self.payment(rule, Side::Right, &sums, right_day, &cores)?;
        match class {
            C::DayShifted => {
                // seconds before and behind the end of a day
                let end = self.pen(Side::Left).end_of(left_day);
                let next = self.later(right_day, 1);
                let mut row = |side: Side, at: (Date, u32)| {
                    let spec = Spec {
                        side,
                        kinds: PAYMENTS,
                        minor: sums.minor[side as usize],
                        fee: sums.fee[side as usize],
                        currency: sums.currency,
                        at,
                        cores: &cores,
                    };
                    self.row(rule, &spec)
                };
                let (left_at, right_at) = match end {
                    (day, 0) => ((day.pred_opt()?, 86_390), (next, 10)),
                    end => (end, (next, 10)),
                };
                left = row(Side::Left, left_at)?;
                right = row(Side::Right, right_at)?;
            }
            C::Late => {
                right.run = 1;
            }
            C::DeliveredTwice => {
                let mut again = if odd == Side::Left { &left } else { &right }.clone();
                again.is_spare = true;
                self.put(0, again);
            }
            C::PaidTwice => {
                // the order is the left side's
                let mut again = self.payment(rule, Side::Right, &sums, right_day, &cores)?;
                again.is_spare = true;
                self.put(0, again);
            }
            C::CurrencyOther => {
                let mut others = self.currencies();
                others.retain(|currency| *currency != sums.currency);
                sums.currency = *self.random.pick(&others)?;
                right = self.payment(rule, Side::Right, &sums, right_day, &cores)?;
            }
            C::OneSided => {
                let row = if odd == Side::Left { left } else { right };
                self.put(0, row);
                return Some(());
            }
            _ => {}
        }
        self.put(0, left);
        self.put(0, right);
        Some(())
    }

    /// One left row, several right rows.
    fn captures(&mut self, class: ChallengeClass, case: u64, pool: usize) -> Option<()> {
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let shop = self.shop(pool)?;
        let key = self.key(rule)?;
        let cores = joined(&[&key, &shop]);
        let whole = self.sums(rule)?;
        let [day, _] = self.days_of(rule);
        let is_spread = class == ChallengeClass::Instalments;
        let first_day = if is_spread { self.days[0] } else { day };
        let parts = if is_spread { 3 } else { 2 + case % 2 };
        let left = self.payment(rule, Side::Left, &whole, first_day, &cores)?;
        self.put(0, left);
        let mut rest = whole.minor[1];
        for part in (1..=parts as i64).rev() {
            let minor = match part {
                1 => rest,
                _ if is_spread => rest / part,
                _ => self.random.between(rest / 4, rest / 2),
            };
            rest -= minor;
            let mut sums = whole;
            sums.minor[1] = minor;
            sums.fee[1] = whole.fee[1].map(|_| Self::fee(minor) * 1_000_000);
            let day = match usize::try_from(parts as i64 - part) {
                Ok(index) if is_spread => *self.days.get(index)?,
                _ => first_day,
            };
            let row = self.payment(rule, Side::Right, &sums, day, &cores)?;
            self.put(0, row);
        }
        Some(())
    }

    fn refunds(&mut self, class: ChallengeClass, case: u64, pool: usize) -> Option<()> {
        use ChallengeClass as C;
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let back = turn(&self.rules_for(Use::Key, REFUNDS, true), case)?;
        let shop = self.shop(pool)?;
        let key = self.key(rule)?;
        let sums = self.sums(rule)?;
        let [left_day, right_day] = self.days_of(rule);
        if class != C::RefundOrphan {
            let cores = joined(&[&key, &shop]);
            for (side, day) in [(Side::Left, left_day), (Side::Right, right_day)] {
                let row = self.payment(rule, side, &sums, day, &cores)?;
                self.put(0, row);
            }
        }
        // a refund names the order that was paid
        let names_order = |slot: &usize| {
            let slot = &self.slots[*slot];
            SIDES.iter().any(|side| slot.role(*side) == RefRole::Order)
        };
        let of_order: Cores = key
            .iter()
            .filter(|(slot, _)| names_order(slot))
            .map(|(slot, core)| (*slot, core.clone()))
            .collect();
        let count = if class == C::RefundOver { 2 } else { 1 };
        for group in 1..=count {
            let own = self.key(back)?;
            let cores = joined(&[&of_order, &own, &shop]);
            let minor = -match class {
                C::RefundOver => sums.minor[0] * 3 / 4,
                _ => self.random.between(sums.minor[0] / 8, sums.minor[0] / 2),
            };
            for (side, day) in [(Side::Left, left_day), (Side::Right, right_day)] {
                let at = self.at(side, day);
                let spec = Spec {
                    side,
                    kinds: REFUNDS,
                    minor,
                    fee: None,
                    currency: sums.currency,
                    at,
                    cores: &cores,
                };
                let row = self.row(back, &spec)?;
                self.put(group, row);
            }
        }
        Some(())
    }

    /// A pair whose right key is damaged.
    fn damaged(&mut self, class: ChallengeClass, case: u64, pool: usize) -> Option<()> {
        use ChallengeClass as C;
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let shop = self.shop(pool)?;
        let key = self.key(rule)?;
        let (&slot, core) = key.iter().next()?;
        let sums = self.sums(rule)?;
        let [left_day, right_day] = self.days_of(rule);
        let cores = joined(&[&key, &shop]);
        let left = self.payment(rule, Side::Left, &sums, left_day, &cores)?;
        self.put(0, left);
        let (role, steps) = (
            self.slots[slot].role(Side::Right),
            self.slots[slot].steps(Side::Right),
        );
        for _ in 0..12 {
            let wrong = self.wrong(class, core)?;
            if self.is_used(slot, &wrong) {
                continue;
            }
            let at = self.at(Side::Right, right_day);
            let spec = Spec {
                side: Side::Right,
                kinds: PAYMENTS,
                minor: sums.minor[1],
                fee: sums.fee[1],
                currency: sums.currency,
                at,
                cores: &cores,
            };
            let change = |references: &mut BTreeMap<RefRole, String>| {
                let text = references.get_mut(&role)?;
                let right = text.clone();
                *text = if class == C::KeyInText {
                    wrong.replacen(core.as_str(), &right, 1)
                } else {
                    right.replacen(core.as_str(), &wrong, 1)
                };
                if *text == right {
                    // the text is dressed in other letters
                    *text = wrong.clone();
                }
                let compared = super::pen::normalised(text, steps);
                (compared.as_deref() != Some(core.as_str())).then_some(())
            };
            if let Some(row) = self.row_with(rule, &spec, change) {
                self.use_up(slot, wrong);
                self.put(0, row);
                return Some(());
            }
        }
        None
    }

    /// A key that is not quite the right one.
    fn wrong(&mut self, class: ChallengeClass, core: &str) -> Option<String> {
        use ChallengeClass as C;
        let mut chars: Vec<char> = core.chars().collect();
        let last = chars.len().checked_sub(1).filter(|last| *last > 0)?;
        match class {
            C::KeyTypo => {
                let digits: Vec<usize> = (0..=last)
                    .filter(|&at| chars[at].is_ascii_digit())
                    .collect();
                let at = *self.random.pick(&digits)?;
                let digit = chars[at].to_digit(10)?;
                let other = (digit + 1 + self.random.below(9) as u32) % 10;
                chars[at] = char::from_digit(other, 10)?;
            }
            C::KeySwapped => {
                let places: Vec<usize> =
                    (0..last).filter(|&at| chars[at] != chars[at + 1]).collect();
                let at = *self.random.pick(&places)?;
                chars.swap(at, at + 1);
            }
            C::KeyCut => {
                let cut = self.random.between(1, 3) as usize;
                chars.truncate(chars.len().checked_sub(cut).filter(|&left| left > 2)?);
            }
            _ => return Some(format!("PAY {core} OK")),
        }
        Some(chars.into_iter().collect())
    }

    /// Another payment has the key of the first.
    fn reused(&mut self, case: u64, pool: usize) -> Option<()> {
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let key = self.key(rule)?;
        let is_on_both = case % 2 == 1;
        let currency = self.currency()?;
        for group in 0..2 {
            let shop = self.shop(pool)?;
            let cores = joined(&[&key, &shop]);
            let mut sums = self.sums(rule)?;
            sums.currency = currency;
            let [left_day, right_day] = self.days_of(rule);
            for (side, day) in [(Side::Left, left_day), (Side::Right, right_day)] {
                if group == 1 && side == Side::Left && !is_on_both {
                    continue;
                }
                let row = self.payment(rule, side, &sums, day, &cores)?;
                self.put(group, row);
            }
        }
        Some(())
    }

    /// Three keys in a row: the left side has the first two, the right side the last two.
    fn neighbours(&mut self, case: u64, pool: usize) -> Option<()> {
        let rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case)?;
        let shop = self.shop(pool)?;
        let key = self.key(rule)?;
        let (&slot, core) = key.iter().next()?;
        let at = core.rfind(|c: char| c.is_ascii_digit())?;
        let sums = self.sums(rule)?;
        let [left_day, right_day] = self.days_of(rule);
        for number in 0..3u32 {
            let mut key = key.clone();
            let mut text = core.clone();
            text.replace_range(at..=at, &(number + 4).to_string());
            if text != *core && self.is_used(slot, &text) {
                return None;
            }
            self.use_up(slot, text.clone());
            key.insert(slot, text);
            let cores = joined(&[&key, &shop]);
            for (side, day) in [(Side::Left, left_day), (Side::Right, right_day)] {
                let is_there = match side {
                    Side::Left => number < 2,
                    Side::Right => number > 0,
                };
                if is_there {
                    let row = self.payment(rule, side, &sums, day, &cores)?;
                    self.put(number, row);
                }
            }
        }
        Some(())
    }

    /// Rows of one shop, amount and day, the bank's without a key. Strangers do not belong together, and each has a key
    /// of its own to tell: without one nothing in the files tells them from a payment without a key.
    fn without_key(&mut self, pairs: u64, case: u64, pool: usize, related: bool) -> Option<()> {
        let rule = turn(&self.rules_for(Use::Token, PAYMENTS, false), case)?;
        let token = match related && pairs == 1 {
            true => self.shop(pool)?,
            false => self.new_shop()?,
        };
        // a token that is no merchant is the shop
        let own = self.key(rule)?;
        let token = joined(&[&token, &own]);
        let sums = self.sums(rule)?;
        let [left_day, right_day] = self.days_of(rule);
        let keyless = self.bank().unwrap_or(Side::Right);
        let key_rule = turn(&self.rules_for(Use::Key, PAYMENTS, false), case);
        for pair in 0..pairs as u32 {
            for (side, day) in [(Side::Left, left_day), (Side::Right, right_day)] {
                let mut cores = token.clone();
                if let Some(key_rule) = key_rule.filter(|_| side != keyless || !related) {
                    cores = joined(&[&self.key(key_rule)?, &cores]);
                }
                let row = self.payment(rule, side, &sums, day, &cores)?;
                let group = pair * 2 + u32::from(!related && side == Side::Right);
                self.put(group, row);
            }
        }
        Some(())
    }

    /// Rows of a batch at these moments, with their amounts and fees.
    fn members(
        &mut self,
        rule: &MatchRule,
        cores: &Cores,
        currency: Currency,
        moments: &[(Date, u32)],
    ) -> Option<(Vec<Row>, Vec<Figure>)> {
        let side = self.many();
        let (mut rows, mut sums) = (Vec::new(), Vec::new());
        for &at in moments {
            let minor = self.gross();
            let fee = self.pen(side).has_fee().then(|| {
                // fees that are rounded together are written finer than the minor unit
                match rule.rounding_per {
                    RoundingPer::Batch => minor * 6_000,
                    RoundingPer::Row => Self::fee(minor) * 1_000_000,
                }
            });
            let spec = Spec {
                side,
                kinds: self.batch_kinds(),
                minor,
                fee,
                currency,
                at,
                cores,
            };
            rows.push(self.row(rule, &spec)?);
            sums.push((minor, fee));
        }
        Some((rows, sums))
    }

    fn line(
        &mut self,
        rule: &MatchRule,
        cores: &Cores,
        currency: Currency,
        day: Date,
        minor: i64,
    ) -> Option<Row> {
        let side = self.many().other();
        let at = self.at(side, day);
        let spec = Spec {
            side,
            kinds: self.batch_kinds(),
            minor,
            fee: None,
            currency,
            at,
            cores,
        };
        self.row(rule, &spec)
    }

    fn batch(&mut self, class: ChallengeClass, case: u64) -> Option<()> {
        use ChallengeClass as C;
        let mut rules = self.rules_for(Use::Batch, self.batch_kinds(), false);
        if class == C::Strangers {
            let is_shared = |slot: &usize| self.slots[*slot].is_shared;
            rules.retain(|rule| self.slots_of(rule).iter().all(is_shared));
        }
        let rule = turn(&rules, case)?;
        let shop = self.new_shop()?;
        let key = self.key(rule)?;
        let cores = joined(&[&shop, &key]);
        let currency = self.currency()?;
        let lag = self.lag(rule);
        // the left side comes first
        let (day, line_day) = match self.many() {
            Side::Left => (self.days[1], self.later(self.days[1], lag)),
            Side::Right => (self.later(self.days[1], lag), self.days[1]),
        };
        let count = self.random.between(3, 8);
        let side = self.many();
        let moments: Vec<_> = (0..count).map(|_| self.at(side, day)).collect();
        let (mut rows, mut sums) = self.members(rule, &cores, currency, &moments)?;
        if class == C::BatchExact && case.is_multiple_of(3) {
            let at = self.at(side, day);
            let spec = Spec {
                side,
                kinds: REFUNDS,
                minor: -(sums[0].0 / 2),
                fee: None,
                currency,
                at,
                cores: &cores,
            };
            if let Some(row) = self.row(rule, &spec) {
                rows.push(row);
                sums.push((spec.minor, None));
            }
        }
        let lone = rows.len() - 1;
        let mut lines = match class {
            C::BatchRowMissing if case.is_multiple_of(2) => vec![self.paid(rule, &sums[..lone])?],
            // the line is of something else; it is as much as one of the rows
            C::Strangers => vec![self.paid(rule, &sums[..1])?],
            C::BatchTwoLines => {
                let whole = self.paid(rule, &sums)?;
                let first = self.random.between(whole / 4, whole / 2);
                vec![first, whole - first]
            }
            _ => vec![self.paid(rule, &sums)?],
        };
        let mut line_currency = currency;
        match class {
            C::OffByOne => lines[0] += if case.is_multiple_of(2) { 1 } else { -1 },
            C::CurrencyOther => {
                let mut others = self.currencies();
                others.retain(|other| *other != currency);
                line_currency = *self.random.pick(&others)?;
            }
            C::OneSided if case.is_multiple_of(2) => lines.clear(),
            C::OneSided => rows.clear(),
            _ => {}
        }
        for minor in lines {
            let mut line = self.line(rule, &cores, line_currency, line_day, minor)?;
            line.run = usize::from(class == C::Late);
            if class == C::DeliveredTwice {
                let mut again = line.clone();
                again.is_spare = true;
                self.put(0, again);
            }
            self.put(u32::from(class == C::Strangers), line);
        }
        for (index, row) in rows.into_iter().enumerate() {
            let group = match class {
                C::BatchRowMissing if index == lone && case.is_multiple_of(2) => 1,
                C::BatchRowMissing if index == lone => continue,
                _ => 0,
            };
            self.put(group, row);
        }
        Some(())
    }

    /// Three days' batches; rows near the ends of the days are in the batch before or behind.
    fn drifting(&mut self, case: u64) -> Option<()> {
        let rule = turn(&self.by_day(), case)?;
        let cores = self.new_shop()?;
        let currency = self.currency()?;
        let side = self.many();
        let pen = self.pen(side);
        let mut batches: [Vec<(Date, u32)>; 3] = Default::default();
        for (index, batch) in batches.iter_mut().enumerate() {
            for _ in 0..self.random.between(2, 4) {
                let day = self.days[index];
                batch.push(pen.within(day, &mut self.random));
            }
        }
        for end in 0..2 {
            let moment = pen.end_of(self.days[end]);
            let second = self.random.between(1, 900) as u32;
            if case.is_multiple_of(2) {
                // cut late: what counts for the next day is in this batch still
                batches[end].push((moment.0, moment.1 + second.min(86_399 - moment.1)));
            } else {
                // cut early
                let before = match moment {
                    (day, 0) => (day.pred_opt()?, 86_400 - second),
                    (day, cutoff) => (day, cutoff - second.min(cutoff)),
                };
                batches[end + 1].push(before);
            }
        }
        for (index, moments) in batches.iter().enumerate() {
            let (rows, sums) = self.members(rule, &cores, currency, moments)?;
            let paid = self.paid(rule, &sums)?;
            let line = self.line(rule, &cores, currency, self.days[index], paid)?;
            self.put(index as u32, line);
            for row in rows {
                self.put(index as u32, row);
            }
        }
        Some(())
    }
}
