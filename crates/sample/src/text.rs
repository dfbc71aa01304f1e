//! The files of a day, as text.

use std::fmt::Write as _;

use quanfu_calendar::Date;

use crate::world::{Bill, Fate, Kind, Line, MERCHANTS, Order};
use crate::{Expected, SampleDay, SampleFile};

const RULES: &str = include_str!("rules.toml");

const BILL_HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const BILL_TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// Fen as yuan.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Hundred-thousandths of a yuan as yuan.
fn fee(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:05}", value / 100_000, value % 100_000)
}

fn time((day, second): (Date, u32)) -> String {
    format!(
        "{day} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Collects the truth while a file is written.
struct Truth(Vec<Expected>);

impl Truth {
    fn add(
        &mut self,
        place: (&'static str, &'static str, usize),
        reference: &str,
        edge: &'static str,
        fate: Fate,
        class: &'static str,
    ) {
        let (source, file, line) = place;
        self.0.push(Expected {
            source,
            file,
            line: line as u32,
            reference: reference.to_owned(),
            edge,
            outcome: fate.0,
            code: fate.1,
            class,
        });
    }
}

pub(crate) fn day(
    today: Date,
    orders: &[Order],
    bills: &[Bill],
    lines: &[Line],
    opening: i64,
) -> SampleDay {
    let mut truth = Truth(Vec::new());
    let mut orders = orders.to_vec();
    orders.sort_by(|a, b| (a.at, &a.id, a.kind).cmp(&(b.at, &b.id, b.kind)));
    let mut bills = bills.to_vec();
    bills.sort_by(|a, b| (a.at, &a.id, a.kind).cmp(&(b.at, &b.id, b.kind)));
    let order_text = orders_csv(&orders, &mut truth);
    let bill_text = wechat_csv(&bills, &mut truth);
    let bank_text = bank_sta(today, lines, opening, &mut truth);
    let readme = readme(&truth.0);
    let broken = broken_csv(&order_text);
    let file = |path: &str, text: &str| SampleFile {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    SampleDay {
        files: vec![
            file("orders.csv", &order_text),
            file("wechat.csv", &bill_text),
            file("bank.sta", &bank_text),
            file("rules.toml", RULES),
            file("broken/orders.csv", &broken),
            file("README.md", &readme),
        ],
        rules: RULES.to_owned(),
        truth: truth.0,
        readme,
        business_day: today,
    }
}

fn orders_csv(orders: &[Order], truth: &mut Truth) -> String {
    let mut text = String::from(
        "# made-up orders of a made-up shop\norder_id,paid_at,kind,amount,currency,status,refund_id,merchant\n",
    );
    for (index, order) in orders.iter().enumerate() {
        let kind = match order.kind {
            Kind::Payment => "payment",
            Kind::Refund | Kind::Revoked => "refund",
        };
        let _ = writeln!(
            text,
            "{},{},{kind},{},CNY,{},{},{}",
            order.id,
            time(order.at),
            yuan(order.fen),
            order.status,
            order.refund,
            MERCHANTS[order.merchant],
        );
        let place = ("order", "orders.csv", index + 3);
        truth.add(place, &order.id, "order-psp", order.fate, order.class);
    }
    text
}

fn wechat_csv(bills: &[Bill], truth: &mut Truth) -> String {
    let mut text = format!("\u{feff}{BILL_HEADER}\r\n");
    let (mut settled, mut refunded, mut fees) = (0, 0, 0);
    for (index, bill) in bills.iter().enumerate() {
        let (state, paid, back) = match bill.kind {
            Kind::Payment => ("SUCCESS", bill.fen, 0),
            Kind::Refund => ("REFUND", 0, bill.fen),
            Kind::Revoked => ("REVOKED", 0, bill.fen),
        };
        let is_refund = bill.kind == Kind::Refund;
        let refund_id = if is_refund {
            format!("5030{}", &bill.id[4..])
        } else {
            "0".to_owned()
        };
        let own_refund = if is_refund { &bill.refund } else { "0" };
        let [how, done] = if is_refund {
            ["ORIGINAL", "SUCCESS"]
        } else {
            ["", ""]
        };
        let cells = [
            &time(bill.at),
            "wx0000000000000001",
            MERCHANTS[bill.merchant],
            "0",
            "",
            &bill.id,
            &bill.order,
            "oMadeUpUser",
            "JSAPI",
            state,
            "OTHERS",
            "CNY",
            &yuan(paid),
            "0.00",
            &refund_id,
            own_refund,
            &yuan(back),
            "0.00",
            how,
            done,
            "made-up goods, assorted",
            "",
            &fee(bill.fee()),
            "0.60%",
            &yuan(paid),
            &yuan(back),
            "",
        ];
        let _ = write!(text, "`{}\r\n", cells.join(",`"));
        settled += paid;
        refunded += back;
        fees += bill.fee();
        let place = ("psp", "wechat.csv", index + 2);
        truth.add(place, &bill.id, "order-psp", bill.fate, bill.class);
        truth.add(place, &bill.id, "psp-bank", bill.bank_fate, bill.class);
    }
    let _ = write!(
        text,
        "{BILL_TOTALS}\r\n`{},`{},`{},`0.00,`{},`{},`{}\r\n",
        bills.len(),
        yuan(settled),
        yuan(refunded),
        fee(fees),
        yuan(settled),
        yuan(refunded)
    );
    text
}

/// An amount as SWIFT writes it.
fn swift(fen: i64) -> String {
    yuan(fen.abs()).replace('.', ",")
}

fn bank_sta(today: Date, lines: &[Line], opening: i64, truth: &mut Truth) -> String {
    let mark = |fen: i64| if fen < 0 { 'D' } else { 'C' };
    let first = lines.first().map_or(today, |line| line.day);
    let mut text = format!(
        ":20:MADEUP{}\r\n:25:621000000000012345\r\n:28C:{}/1\r\n:60F:{}{}CNY{}\r\n",
        today.format("%y%m%d"),
        today.format("%j"),
        mark(opening),
        first.format("%y%m%d"),
        swift(opening)
    );
    let mut balance = opening;
    for line in lines {
        balance += line.fen;
        let number = text.matches('\n').count() + 1;
        let _ = write!(
            text,
            ":61:{}{}{}{}{}//{}\r\n:86:{}\r\n",
            line.day.format("%y%m%d%m%d"),
            mark(line.fen),
            swift(line.fen),
            line.code,
            line.owner,
            line.bank,
            line.remark
        );
        let place = ("bank", "bank.sta", number);
        truth.add(place, &line.bank, "psp-bank", line.fate, line.class);
    }
    let _ = write!(
        text,
        ":62F:{}{}CNY{}\r\n-\r\n",
        mark(balance),
        today.format("%y%m%d"),
        swift(balance)
    );
    text
}

/// The first rows of the orders, with what people break in them.
fn broken_csv(orders: &str) -> String {
    let mut text = String::new();
    for (index, line) in orders.lines().take(9).enumerate() {
        let mut line = line.to_owned();
        match index {
            3 => line = line.replacen(",CNY,", "0.5,CNY,", 1),
            5 => line = line.replacen("-01-", "-13-", 1),
            7 => line = line.replacen(",paid,", ",done,", 1),
            _ => {}
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn readme(truth: &[Expected]) -> String {
    let mut text = String::from(
        "# A settlement day to try\n\n\
         Everything here is made up: shop, merchants, orders, accounts, amounts. No line is anybody's.\n\n\
         | file | what it is |\n|---|---|\n\
         | `orders.csv` | the shop's orders (订单) |\n\
         | `wechat.csv` | the institution's bill (渠道账单), laid out as a WeChat Pay trade bill |\n\
         | `bank.sta` | the bank's statement (银行流水), MT940 |\n\
         | `rules.toml` | how they are compared |\n\
         | `broken/orders.csv` | the first orders again, with three bad lines |\n\n\
         ## Commands\n\nIn this folder:\n\n```console\n\
         $ quanfu recon --rules rules.toml order=orders.csv psp=wechat.csv bank=bank.sta -o result.json -o outcomes.csv\n",
    );
    let broken = truth
        .iter()
        .find(|row| row.outcome == quanfu_settlement::Outcome::Break);
    if let Some(row) = broken {
        let _ = writeln!(text, "$ quanfu why result.json {}", row.reference);
    }
    text.push_str(
        "$ quanfu verify result.json orders.csv wechat.csv bank.sta outcomes.csv\n\
         $ quanfu read bank.sta\n\
         $ quanfu read broken/orders.csv\n\
         $ quanfu explain ONLY_CHANNEL\n```\n\n\
         `recon` exits with 1, for there are open items; `verify` with 0; `read broken/orders.csv` with 3. From a checkout of\n\
         the sources, `cargo run --release -q --` stands for `quanfu`.\n\n\
         ## What was planted, and what must come of it\n\n\
         | what | source | edge | rows | outcome | code |\n|---|---|---|---|---|---|\n",
    );
    let mut counts: std::collections::BTreeMap<_, u32> = std::collections::BTreeMap::new();
    for row in truth {
        let code = row.code.map_or("", |code| code.code());
        let key = (row.edge, row.class, row.source, row.outcome.code(), code);
        *counts.entry(key).or_default() += 1;
    }
    for ((edge, class, source, outcome, code), rows) in counts {
        let _ = writeln!(
            text,
            "| {class} | {source} | {edge} | {rows} | {outcome} | {code} |"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{Shares, day, demo_day, next_day};

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
        assert_eq!(demo_day(1), demo_day(1));
        assert_ne!(demo_day(1).files, demo_day(2).files);
        assert_ne!(demo_day(1).files, next_day(1, &Shares::default()).files);
    }

    #[test]
    fn every_row_of_every_file_has_its_truth_on_each_edge_once() {
        let sample = day(7, &Shares::default());
        let places: BTreeSet<_> = sample
            .truth
            .iter()
            .map(|row| (row.file, row.line, row.edge))
            .collect();
        assert_eq!(places.len(), sample.truth.len());
        let text = |path| String::from_utf8(sample.bytes(path).expect("a file").to_vec());
        let rows = |file| sample.truth.iter().filter(|row| row.file == file).count();
        let orders = text("orders.csv").expect("text");
        assert_eq!(rows("orders.csv"), orders.lines().count() - 2);
        let bill = text("wechat.csv").expect("text");
        assert_eq!(rows("wechat.csv"), 2 * (bill.lines().count() - 3));
        let bank = text("bank.sta").expect("text");
        assert_eq!(rows("bank.sta"), bank.matches(":61:").count());
        for row in &sample.truth {
            let text = text(row.file).expect("text");
            let line = text.lines().nth(row.line as usize - 1).expect("a line");
            assert!(line.contains(&row.reference), "{row:?}: {line}");
        }
    }
}
