//! What happens in two days of an invented shop company, and what must come of it.

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_settlement::{BreakCode, Outcome};

use crate::random::Random;
use crate::{SampleDay, Shares, text};

/// Merchant numbers of the three shops.
pub(crate) const MERCHANTS: [&str; 3] = ["1900000101", "1900000102", "1900000103"];

/// From this second of the day on, a payment counts for the next day.
const CUTOFF: u32 = 22 * 3600 + 30 * 60;

/// What must come of a row on an edge.
pub(crate) type Fate = (Outcome, Option<BreakCode>);

const CONFIRMED: Fate = (Outcome::Confirmed, None);
const CARRIED: Fate = (Outcome::Carried, Some(BreakCode::Cutoff));

const fn broken(code: BreakCode) -> Fate {
    (Outcome::Break, Some(code))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Payment,
    Refund,
    Revoked,
}

/// A row of the shop's orders.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub at: (Date, u32),
    pub id: String,
    pub kind: Kind,
    /// Signed by effect.
    pub fen: i64,
    pub status: &'static str,
    pub refund: String,
    pub merchant: usize,
    pub class: &'static str,
    pub fate: Fate,
}

/// A row of the institution's bill.
#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub at: (Date, u32),
    pub id: String,
    pub order: String,
    pub kind: Kind,
    /// Without a sign.
    pub fen: i64,
    pub refund: String,
    pub merchant: usize,
    pub class: &'static str,
    pub fate: Fate,
    /// On the edge to the bank.
    pub bank_fate: Fate,
}

impl Bill {
    /// Fee in hundred-thousandths of a yuan: 0.60 %, given back with a refund.
    pub(crate) fn fee(&self) -> i64 {
        match self.kind {
            Kind::Payment => self.fen * 6,
            Kind::Refund | Kind::Revoked => -self.fen * 6,
        }
    }

    fn effect(&self) -> i64 {
        match self.kind {
            Kind::Payment => self.fen,
            Kind::Refund | Kind::Revoked => -self.fen,
        }
    }

    fn accounting_day(&self) -> Date {
        let (day, second) = self.at;
        if second < CUTOFF { day } else { next(day) }
    }
}

/// A line of the bank statement.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub day: Date,
    /// Signed by effect.
    pub fen: i64,
    pub code: &'static str,
    pub owner: String,
    pub bank: String,
    pub remark: String,
    pub class: &'static str,
    pub fate: Fate,
}

fn next(day: Date) -> Date {
    day.succ_opt().unwrap_or(day)
}

pub(crate) struct World {
    random: Random,
    /// The business day, and one long before it.
    today: Date,
    past: Date,
    serial: u32,
    orders: Vec<Order>,
    bills: Vec<Bill>,
    lines: Vec<Line>,
    shares: Shares,
    /// What the next day brings.
    next_orders: Vec<Order>,
    next_bills: Vec<Bill>,
}

impl World {
    pub(crate) fn new(seed: u64, shares: &Shares) -> Self {
        let day = |d| Date::from_ymd_opt(2017, 1, d).unwrap_or(Date::MIN);
        let mut world = Self {
            random: Random::new(seed),
            today: day(25),
            past: day(17),
            serial: 0,
            orders: Vec::new(),
            bills: Vec::new(),
            lines: Vec::new(),
            shares: shares.clone(),
            next_orders: Vec::new(),
            next_bills: Vec::new(),
        };
        world.happen();
        world.settle();
        world
    }

    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn order_id(&mut self, day: Date) -> String {
        let serial = self.serial();
        let noise = self.random.below(0xFFFF);
        format!("JN{}{serial:06}{noise:04X}", day.format("%y%m%d"))
    }

    fn fen(&mut self) -> i64 {
        self.random.between(990, 68_800)
    }

    fn before_cutoff(&mut self) -> u32 {
        self.random.below(u64::from(CUTOFF) - 6 * 3600) as u32 + 6 * 3600
    }

    fn behind_cutoff(&mut self) -> u32 {
        CUTOFF + self.random.below(u64::from(86_400 - CUTOFF)) as u32
    }

    fn merchant(&mut self) -> usize {
        self.random.below(MERCHANTS.len() as u64) as usize
    }

    /// A payment as both sides see it.
    fn payment(&mut self, at: (Date, u32), class: &'static str, fate: Fate) -> (Order, Bill) {
        let (id, fen, merchant) = (self.order_id(at.0), self.fen(), self.merchant());
        let order = Order {
            at,
            id: id.clone(),
            kind: Kind::Payment,
            fen,
            status: "paid",
            refund: String::new(),
            merchant,
            class,
            fate,
        };
        let bill = Bill {
            at: (at.0, (at.1 + 1).min(86_399)),
            id: self.institution_id(at.0),
            order: id,
            kind: Kind::Payment,
            fen,
            refund: String::new(),
            merchant,
            class,
            fate,
            bank_fate: CONFIRMED,
        };
        // Both sides see the payment on the same side of the cut-off.
        let bill = if (at.1 < CUTOFF) == (bill.at.1 < CUTOFF) {
            bill
        } else {
            Bill { at, ..bill }
        };
        (order, bill)
    }

    fn institution_id(&mut self, day: Date) -> String {
        let serial = self.serial();
        format!(
            "42000000{}{:012}",
            day.format("%Y%m%d"),
            7_000_000_000 + u64::from(serial) * 9_973
        )
    }

    fn both(&mut self, (order, bill): (Order, Bill)) {
        self.orders.push(order);
        self.bills.push(bill);
    }

    fn refund_of(
        &mut self,
        order: &Order,
        bill: &Bill,
        class: &'static str,
        fate: Fate,
    ) -> (Order, Bill) {
        let serial = self.serial();
        let refund = format!("TK{}{serial:06}", order.at.0.format("%y%m%d"));
        let fen = self.random.between(1, order.fen);
        let second = (bill.at.1 + 60).min(CUTOFF - 1);
        let at = (bill.at.0, second);
        let refund_order = Order {
            at,
            kind: Kind::Refund,
            fen: -fen,
            status: "refunded",
            refund: refund.clone(),
            class,
            fate,
            ..order.clone()
        };
        let refund_bill = Bill {
            at,
            kind: Kind::Refund,
            fen,
            refund,
            class,
            fate,
            ..bill.clone()
        };
        (refund_order, refund_bill)
    }

    fn happen(&mut self) {
        let (today, past) = (self.today, self.past);
        let shares = self.shares.clone();
        for (count, day, class) in [
            (shares.payments, today, "agrees"),
            (shares.late_bill, past, "agrees (late bill)"),
        ] {
            for _ in 0..count {
                let at = (day, self.before_cutoff());
                let pair = self.payment(at, class, CONFIRMED);
                self.both(pair);
            }
        }
        for _ in 0..shares.behind_cutoff {
            let at = (today, self.behind_cutoff());
            let (order, mut bill) = self.payment(at, "behind the cut-off", CONFIRMED);
            bill.bank_fate = CARRIED;
            self.both((order, bill));
        }
        for _ in 0..shares.refunds {
            let at = (today, self.before_cutoff());
            let (order, bill) = self.payment(at, "agrees", CONFIRMED);
            let refund = self.refund_of(&order, &bill, "refund agrees", CONFIRMED);
            self.both((order, bill));
            self.both(refund);
        }
        for _ in 0..shares.order_only_fresh {
            let at = (today, self.before_cutoff());
            let (order, bill) = self.payment(at, "order only, fresh", CARRIED);
            self.orders.push(order);
            let late = Bill {
                at: (next(today), bill.at.1),
                class: "came a day late",
                fate: CONFIRMED,
                ..bill
            };
            self.next_bills.push(late);
        }
        for _ in 0..shares.order_only_old {
            let at = (past, self.before_cutoff());
            let (order, _) = self.payment(at, "order only, old", broken(BreakCode::OnlyPlatform));
            self.orders.push(order);
        }
        for _ in 0..shares.channel_only_fresh {
            let at = (today, self.before_cutoff());
            let (order, bill) = self.payment(at, "channel only, fresh", CARRIED);
            self.bills.push(bill);
            self.next_orders.push(Order {
                class: "came a day late",
                fate: CONFIRMED,
                ..order
            });
        }
        for _ in 0..shares.channel_only_old {
            let at = (past, self.before_cutoff());
            let (_, bill) = self.payment(at, "channel only, old", broken(BreakCode::OnlyChannel));
            self.bills.push(bill);
        }
        for _ in 0..shares.refund_unknown {
            let at = (past, self.before_cutoff());
            let (order, bill) = self.payment(at, "agrees (late bill)", CONFIRMED);
            let fate = broken(BreakCode::RefundMislink);
            let (_, refund) = self.refund_of(&order, &bill, "refund the shop does not know", fate);
            self.both((order, bill));
            self.bills.push(refund);
        }
        for (count, sign, class, code) in [
            (
                shares.more,
                1,
                "channel has more",
                BreakCode::AmountChannelMore,
            ),
            (
                shares.less,
                -1,
                "channel has less",
                BreakCode::AmountChannelLess,
            ),
        ] {
            for _ in 0..count {
                let at = (today, self.before_cutoff());
                let (order, mut bill) = self.payment(at, class, broken(code));
                bill.fen += sign * self.random.between(1, 900);
                self.both((order, bill));
            }
        }
        for _ in 0..shares.pending {
            let at = (today, self.before_cutoff());
            let fate = broken(BreakCode::StatusMismatch);
            let (order, bill) = self.payment(at, "pending in the shop", fate);
            self.both((
                Order {
                    status: "pending",
                    ..order
                },
                bill,
            ));
        }
        for _ in 0..shares.paid_twice {
            let at = (today, self.before_cutoff());
            let fate = broken(BreakCode::DuplicatePayment);
            let (order, bill) = self.payment(at, "paid twice", fate);
            let again = Bill {
                id: self.institution_id(today),
                ..bill.clone()
            };
            self.both((order, bill));
            self.bills.push(again);
        }
        for _ in 0..shares.exported_twice {
            let at = (today, self.before_cutoff());
            let fate = (Outcome::Ambiguous, Some(BreakCode::AmbiguousKey));
            let (order, bill) = self.payment(at, "order exported twice", fate);
            self.orders.push(order.clone());
            self.both((order, bill));
        }
        for _ in 0..shares.revoked {
            let at = (today, self.before_cutoff());
            let fate = (Outcome::Reversed, Some(BreakCode::ReversedPair));
            let (order, bill) = self.payment(at, "revoked", fate);
            let bill = Bill {
                bank_fate: fate,
                ..bill
            };
            let revoked = Bill {
                kind: Kind::Revoked,
                at: (bill.at.0, (bill.at.1 + 30).min(CUTOFF - 1)),
                ..bill.clone()
            };
            self.bills.extend([bill, revoked]);
            self.orders.push(Order {
                status: "closed",
                fate: (Outcome::Excluded, None),
                ..order
            });
        }
        for _ in 0..shares.closed {
            let at = (today, self.before_cutoff());
            let (order, _) = self.payment(at, "closed without payment", (Outcome::Excluded, None));
            self.orders.push(Order {
                status: "closed",
                ..order
            });
        }
        // The next day has a life of its own.
        for _ in 0..shares.payments.div_ceil(8) {
            let at = (next(today), self.before_cutoff());
            let (order, bill) = self.payment(at, "agrees", CONFIRMED);
            self.next_orders.push(order);
            self.next_bills.push(bill);
        }
    }

    /// The bank pays each merchant's accounting day in one sum.
    fn settle(&mut self) {
        let mut short = self.shares.short_batch;
        let (days, mut lines) = (batches(&self.bills), Vec::new());
        for ((day, merchant), (net, fees)) in days {
            if day > self.today {
                continue;
            }
            let mut line = payout(day, merchant, net, fees);
            if short && day == self.past {
                short = false;
                line.fen -= self.random.between(100, 30_000);
                line.class = "batch paid short";
                line.fate = broken(BreakCode::BatchNetDiff);
                for bill in &mut self.bills {
                    let is_of = bill.accounting_day() == day && bill.merchant == merchant;
                    if is_of && bill.bank_fate == CONFIRMED {
                        bill.bank_fate = line.fate;
                    }
                }
            }
            lines.push(line);
        }
        for (count, day, class, fate) in [
            (
                self.shares.bank_only_fresh,
                self.today,
                "bank only, fresh",
                CARRIED,
            ),
            (
                self.shares.bank_only_old,
                self.past,
                "bank only, old",
                broken(BreakCode::OnlyBank),
            ),
        ] {
            for _ in 0..count {
                let serial = self.serial();
                lines.push(Line {
                    day,
                    fen: self.random.between(5_000, 90_000),
                    code: "NTRF",
                    owner: format!("UNKNOWN{serial:05}"),
                    bank: format!("B{}{serial:06}", day.format("%y%m%d")),
                    remark: "INWARD TRANSFER".to_owned(),
                    class,
                    fate,
                });
            }
        }
        let serial = self.serial();
        lines.push(Line {
            day: self.today,
            fen: -1_500,
            code: "NCHG",
            owner: "NONREF".to_owned(),
            bank: format!("B{}{serial:06}", self.today.format("%y%m%d")),
            remark: "ACCOUNT SERVICE CHARGE".to_owned(),
            class: "bank's own charge",
            fate: (Outcome::Excluded, None),
        });
        lines.sort_by(|a, b| (a.day, &a.bank).cmp(&(b.day, &b.bank)));
        self.lines = lines;
    }

    pub(crate) fn first_day(self) -> SampleDay {
        text::day(
            self.today,
            &self.orders,
            &self.bills,
            &self.lines,
            10_000_000,
        )
    }

    pub(crate) fn second_day(self) -> SampleDay {
        let today = next(self.today);
        let late = self
            .bills
            .iter()
            .filter(|bill| bill.accounting_day() == today);
        let mut due: Vec<Bill> = late.cloned().collect();
        due.extend(self.next_bills.iter().cloned());
        let lines: Vec<Line> = batches(&due)
            .into_iter()
            .map(|((day, merchant), (net, fees))| payout(day, merchant, net, fees))
            .collect();
        let opening = 10_000_000 + self.lines.iter().map(|line| line.fen).sum::<i64>();
        text::day(today, &self.next_orders, &self.next_bills, &lines, opening)
    }
}

/// Net fen and fees of each accounting day and merchant.
fn batches(bills: &[Bill]) -> BTreeMap<(Date, usize), (i64, i64)> {
    let mut batches: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    // What was revoked the same day never gets into a batch: a merchant with nothing else is paid nothing.
    for bill in bills
        .iter()
        .filter(|bill| bill.bank_fate.0 != Outcome::Reversed)
    {
        let batch = batches
            .entry((bill.accounting_day(), bill.merchant))
            .or_default();
        batch.0 += bill.effect();
        batch.1 += bill.fee();
    }
    batches
}

/// One sum for a merchant's accounting day: payments less refunds less fees, these rounded half up as a whole.
fn payout(day: Date, merchant: usize, net: i64, fees: i64) -> Line {
    let whole = fees.div_euclid(1_000) + i64::from(fees.rem_euclid(1_000) >= 500);
    Line {
        day,
        fen: net - whole,
        code: "NTRF",
        owner: format!("ST{}{merchant}", day.format("%Y%m%d")),
        bank: format!("B{}00000{merchant}", day.format("%y%m%d")),
        remark: format!("WECHAT PAY SETTLEMENT MCH{}", MERCHANTS[merchant]),
        class: "agrees",
        fate: CONFIRMED,
    }
}
