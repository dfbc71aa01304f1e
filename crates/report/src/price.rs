//! Prices: one with its parts and steps, and a whole list priced anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quanfu_money::Money;
use quanfu_pricing::{
    Basis, FixedSide, ForeignPrice, NewPrice, Offer, PriceRules, Repriced, RmbPrice,
};
use quanfu_trail::{Lang, Trail};
use serde::Serialize;

use crate::text::{amount, grouped, inert, inert_lines, left, pretty, right};
use crate::{Look, labels};

/// Schema name of one price.
pub const SCHEMA: &str = "quanfu.price/1";
/// Schema name of a list.
pub const LIST_SCHEMA: &str = "quanfu.prices/1";
/// How many rows of a list a person is shown.
const SHOWN: usize = 50;

/// One price for a program: the offer with all parts and steps.
#[must_use]
pub fn json(rules: &PriceRules, offer: &Offer) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        rules: &'a str,
        #[serde(flatten)]
        offer: &'a Offer,
    }
    let (schema, rules) = (SCHEMA, rules.name.as_str());
    pretty(&Doc {
        schema,
        rules,
        offer,
    })
}

/// One price for people: what is payable and the sum that leads to it, with its steps if they are wanted.
#[must_use]
pub fn table(rules: &PriceRules, offer: &Offer, steps: bool, look: &Look) -> String {
    let mut sheet = Sheet {
        lang: look.lang,
        out: String::new(),
    };
    let mut trails: Vec<&Trail> = vec![offer.trail()];
    match offer {
        Offer::Renminbi { price, shown } => {
            sheet.of_renminbi(rules, price);
            if let Some(shown) = shown {
                let text = match look.lang {
                    Lang::En => shown.to_string(),
                    Lang::Zh => format!("{shown}（仅供参考，不作支付依据）"),
                };
                let _ = writeln!(sheet.out, "\n{}", inert(&text));
                trails.push(shown.trail());
            }
        }
        Offer::Foreign { price, disclosure } => {
            sheet.of_foreign(rules, price);
            if let Some(told) = disclosure {
                let base = &told.base_rate;
                let (unit, currency) = (base.unit(), base.base());
                let (rate, over) = (&told.customer_rate, told.over_reference_bps);
                let reference = &told.reference_rate;
                let (source, day) = (inert(reference.source()), reference.as_of());
                let quoted = reference.quoted();
                let _ = match look.lang {
                    Lang::En => writeln!(
                        sheet.out,
                        "\nthe buyer's rate is {unit} {currency} = {rate}, {over} bps above {quoted} ({source}, {day})"
                    ),
                    Lang::Zh => writeln!(
                        sheet.out,
                        "\n买方汇率 {unit} {currency} = {rate}，比 {quoted}（{source}，{day}）高 {over} 个基点"
                    ),
                };
                trails.push(&told.trail);
            }
        }
    }
    let mut out = sheet.out;
    if steps {
        let mut all: Vec<_> = trails.iter().flat_map(|trail| trail.0.clone()).collect();
        let margin = match offer {
            Offer::Renminbi { price, .. } => price.margin(),
            Offer::Foreign { price, .. } => price.margin.as_ref(),
        };
        all.extend(margin.map(|margin| margin.step.clone()));
        out.push('\n');
        out.push_str(&inert_lines(&Trail(all).render(look.lang)));
    }
    out
}

/// A sum, line by line.
struct Sheet {
    lang: Lang,
    out: String,
}

impl Sheet {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn line(&mut self, sign: char, label: &str, money: Money, note: &str) {
        let figure = right(&amount(&money.amount_text()), 18);
        let label = left(&inert(label), 26);
        let line = format!(
            "{sign} {label}{figure} {}  {}",
            money.currency(),
            inert(note)
        );
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// The title, and the lines from the list price to what is due.
    fn due(
        &mut self,
        rules: &PriceRules,
        payable: Money,
        parts: (Money, Money, &[quanfu_pricing::ChargedFee]),
    ) {
        let (list, due, fees) = parts;
        let (by, name) = (self.say("规则", "rules"), inert(&rules.name));
        let figure = amount(&payable.amount_text());
        let _ = writeln!(self.out, "{figure} {}  ({by} {name})\n", payable.currency());
        self.line(' ', self.say("标价", "list price"), list, "");
        let buyers =
            |fee: &&quanfu_pricing::ChargedFee| fee.bearer == quanfu_pricing::Bearer::Buyer;
        for fee in fees.iter().filter(buyers) {
            let label = format!("{} {}", self.say("费用", "fee"), fee.name);
            self.line(
                '+',
                &label,
                fee.amount,
                self.say("买方承担", "borne by the buyer"),
            );
        }
        self.line('=', self.say("应收", "due"), due, "");
    }

    fn margin(&mut self, margin: Option<&quanfu_pricing::Margin>, buffer_bps: Option<u32>) {
        if let Some(margin) = margin {
            let wanted = margin.wanted.amount_text();
            let note = match (self.lang, buffer_bps) {
                (Lang::En, Some(bps)) => {
                    format!("at least {wanted}, after an adverse move of {bps} bps")
                }
                (Lang::Zh, Some(bps)) => format!("至少 {wanted}，汇率不利变动 {bps} 个基点之后"),
                (Lang::En, None) => format!("at least {wanted}"),
                (Lang::Zh, None) => format!("至少 {wanted}"),
            };
            self.line(' ', self.say("毛利", "margin"), margin.kept, &note);
        }
    }

    fn of_renminbi(&mut self, rules: &PriceRules, price: &RmbPrice) {
        let list = price.item().map_or(price.payable(), |item| item.list());
        self.due(
            rules,
            price.payable(),
            (list, price.payable(), price.fees()),
        );
        self.margin(price.margin(), None);
        let words = self.say(
            "计价、开票、结算均为人民币，不发生兑换。",
            "Priced, invoiced and settled in renminbi; nothing is converted.",
        );
        let _ = writeln!(self.out, "\n{words}");
    }

    fn of_foreign(&mut self, rules: &PriceRules, price: &ForeignPrice) {
        self.due(
            rules,
            price.price,
            (price.item.list(), price.due, &price.fees),
        );
        let points = price.terms.points;
        let note = format!(
            "{} + n * {}, {}",
            points.ending().amount_text(),
            points.step(),
            points.rounding()
        );
        self.line(
            '+',
            self.say("取价位", "price points"),
            price.residue,
            &note,
        );
        let note = format!("{} bps", price.terms.markup_bps);
        self.line('+', self.say("加价", "markup"), price.markup, &note);
        let rate = &price.rate;
        let note = format!(
            "{}, {}, {}, {}, {}",
            rate.quoted(),
            rate.source(),
            rate.kind().name(),
            rate.as_of(),
            rate.certainty().name()
        );
        self.line(
            '=',
            self.say("按中间价折合", "worth at mid"),
            price.at_mid,
            &note,
        );
        let (gross, side) = match price.fixed {
            FixedSide::Source => (
                price.at_mid,
                self.say("买方金额固定", "the buyer's amount is fixed"),
            ),
            FixedSide::Target => (
                price.due,
                self.say("卖方金额固定", "the seller's amount is fixed"),
            ),
        };
        let less =
            |from: Money, to: Money| Money::from_minor(from.minor() - to.minor(), from.currency());
        if price.fixed == FixedSide::Target {
            let kept = less(price.at_mid, price.due);
            self.line(
                '-',
                self.say("兑换方留存", "kept by who converts"),
                kept,
                "",
            );
        }
        let fees = less(gross, price.expected);
        if !fees.is_zero() {
            self.line('-', self.say("全部费用", "all fees"), fees, "");
        }
        self.line('=', self.say("预计到账", "expected"), price.expected, side);
        let buffer = (price.fixed == FixedSide::Source).then_some(price.terms.buffer_bps);
        self.margin(price.margin.as_ref(), buffer);
        if price.price != price.unguarded {
            let words = self.say("为保毛利，价格上调自", "Raised to keep the margin, from");
            let _ = writeln!(self.out, "\n{words} {}.", price.unguarded);
        }
    }
}

/// What a list is about.
#[derive(Clone, Copy, Debug)]
pub struct ListView<'a> {
    /// The rows.
    pub rows: &'a [Repriced],
    /// What they were priced from.
    pub now: Basis<'a>,
    /// What the old prices came from, if that is known.
    pub before: Option<Basis<'a>>,
}

impl ListView<'_> {
    /// How many rows have no price.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.rows.iter().filter(|row| row.new.is_err()).count()
    }
}

/// The word for what happened to a row: its causes, `unchanged`, or the code of why it has no price.
fn cause(row: &Repriced) -> String {
    match &row.new {
        Err(error) => error.code().into(),
        Ok(new) if new.causes.is_empty() => "unchanged".into(),
        Ok(new) => {
            let names: Vec<&str> = new.causes.iter().map(|cause| cause.name()).collect();
            names.join("+")
        }
    }
}

/// What happened to a row in words; codes of errors stay.
fn cause_text(row: &Repriced, look: &Look) -> String {
    let zh = |name: &'static str| match name {
        "new" => "新价",
        "rate" => "汇率",
        "rule" => "规则",
        "guard" => "毛利保护",
        "other" => "其他",
        "held" => "维持原价",
        other => other,
    };
    match (look.lang, &row.new) {
        (Lang::En, _) | (_, Err(_)) => cause(row),
        (Lang::Zh, Ok(new)) if new.causes.is_empty() => "不变".into(),
        (Lang::Zh, Ok(new)) => {
            let names: Vec<&str> = new.causes.iter().map(|cause| zh(cause.name())).collect();
            names.join("+")
        }
    }
}

/// A list for people: how many rows changed and why, and the first of them.
#[must_use]
pub fn list_table(view: &ListView<'_>, look: &Look) -> String {
    let zh = look.lang == Lang::Zh;
    let mut out = String::new();
    let (rows, name, day) = (
        grouped(view.rows.len()),
        inert(&view.now.rules.name),
        view.now.on,
    );
    let _ = match zh {
        true => write!(out, "{rows} 行，{day}，规则 {name}"),
        false => write!(out, "{rows} rows on {day}, rules {name}"),
    };
    if let Some(before) = view.before {
        let (day, name) = (before.on, inert(&before.rules.name));
        let _ = match zh {
            true => write!(out, "；此前 {day}，规则 {name}"),
            false => write!(out, "; before: {day}, rules {name}"),
        };
    }
    out.push_str("\n\n");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in view.rows {
        *counts.entry(cause_text(row, look)).or_default() += 1;
    }
    for (cause, count) in &counts {
        let short = match cause.starts_with("price-") {
            true => format!("  {}", labels::short(cause, look.lang)),
            false => String::new(),
        };
        let _ = writeln!(
            out,
            "{}{}{short}",
            left(cause, 24),
            right(&grouped(count), 9)
        );
    }
    let told: Vec<&Repriced> = view
        .rows
        .iter()
        .filter(|row| cause(row) != "unchanged")
        .collect();
    if !told.is_empty() {
        let heads = match zh {
            true => ["商品", "买方", "原价", "新价", "变动", "原因"],
            false => ["sku", "buyer", "old", "new", "change", "cause"],
        };
        out.push('\n');
        line(&mut out, heads.map(str::to_owned));
    }
    for row in told.iter().take(SHOWN) {
        let money = |money: Option<Money>| {
            money.map_or("-".into(), |money| {
                format!("{} {}", amount(&money.amount_text()), money.currency())
            })
        };
        let new = row.new.as_ref().ok();
        let change = new.and_then(|new| new.change.map(|change| change.total()));
        let change = change.map_or("-".into(), |change| amount(&change.amount_text()));
        let cells = [
            inert(&row.sku),
            row.buyer.to_string(),
            money(row.old),
            money(new.map(|new| new.price)),
            change,
            cause_text(row, look),
        ];
        line(&mut out, cells);
    }
    if told.len() > SHOWN {
        let more = grouped(told.len() - SHOWN);
        let _ = match zh {
            true => writeln!(out, "另有 {more} 行"),
            false => writeln!(out, "and {more} rows more"),
        };
    }
    out
}

fn line(out: &mut String, [sku, buyer, old, new, change, cause]: [String; 6]) {
    let line = format!(
        "{}{} {} {} {}  {cause}",
        left(&crate::text::cut(&sku, 20), 22),
        left(&buyer, 6),
        right(&old, 16),
        right(&new, 16),
        right(&change, 12),
    );
    out.push_str(line.trim_end());
    out.push('\n');
}

/// A list for a program: every row with the parts of its change and the steps of its price.
#[must_use]
pub fn list_json(view: &ListView<'_>) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        rules: &'a str,
        on: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        rows: Vec<Row<'a>>,
    }
    #[derive(Serialize)]
    struct Row<'a> {
        sku: &'a str,
        #[serde(flatten)]
        item: quanfu_pricing::Item,
        buyer: quanfu_money::Currency,
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<Money>,
        #[serde(skip_serializing_if = "Option::is_none")]
        price: Option<Money>,
        #[serde(skip_serializing_if = "Option::is_none")]
        calculated: Option<Money>,
        #[serde(skip_serializing_if = "Option::is_none")]
        change: Option<Parts>,
        cause: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
        /// The steps of `calculated`.
        #[serde(skip_serializing_if = "Option::is_none")]
        trail: Option<Trail>,
    }
    #[derive(Serialize)]
    struct Parts {
        rate: Money,
        rule: Money,
        guard: Money,
        other: Money,
        /// The step of each part.
        trail: Trail,
    }
    let row = |row: &'_ Repriced| -> (Option<NewPrice>, Option<String>) {
        match &row.new {
            Ok(new) => (Some(new.clone()), None),
            Err(error) => (None, Some(error.to_string())),
        }
    };
    let rows = view.rows.iter().map(|priced| {
        let (new, refused) = row(priced);
        let Basis { rules, rates, on } = view.now;
        let offer = new
            .as_ref()
            .and_then(|_| rules.offer(&priced.item, priced.buyer, rates, on).ok());
        Row {
            sku: &priced.sku,
            item: priced.item,
            buyer: priced.buyer,
            old: priced.old,
            price: new.as_ref().map(|new| new.price),
            calculated: new.as_ref().map(|new| new.calculated),
            change: new.as_ref().and_then(|new| new.change).map(|change| Parts {
                rate: change.rate,
                rule: change.rule,
                guard: change.guard,
                other: change.other,
                trail: change.trail(),
            }),
            cause: cause(priced),
            refused,
            trail: offer.map(|offer| offer.trail().clone()),
        }
    });
    pretty(&Doc {
        schema: LIST_SCHEMA,
        rules: &view.now.rules.name,
        on: view.now.on.to_string(),
        before: view.before.map(|before| before.on.to_string()),
        rows: rows.collect(),
    })
}
