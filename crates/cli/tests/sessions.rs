//! Sessions at the terminal, as files: each `$ quanfu …` with what it writes and its exit code.
//!
//! `BLESS=1` writes the files anew; then read the difference.

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, plays, quanfu, same_as, words};
use quanfu::sample::{Shares, next_day};

/// A demo day in `day/` and the day after it in `next/`.
/// An order that is captured in parts over two days.
const PARTS: [(&str, &str); 6] = [
    (
        "rules.toml",
        "schema = \"quanfu.rules/1\"\nname = \"parts\"\ncalendar = \"CN\"\ncarry = { business_days = 3 }\n\
         [source.shop]\nrole = \"order\"\nprofile = \"parts\"\n[source.psp]\nrole = \"institution\"\nprofile = \"parts\"\n\
         [[edge]]\nleft = \"shop\"\nright = \"psp\"\n[[edge.rule]]\nid = \"P1\"\npass = \"key_group\"\non = [\"order\"]\npartial = \"right\"\n",
    ),
    (
        "parts.toml",
        "schema = \"quanfu.profile/1\"\nname = \"parts\"\n[columns]\nvalue_date = { name = \"day\", format = [\"%Y-%m-%d\"] }\norder = \"order\"\n\
         [kind]\ndefault = \"payment\"\n[status]\ndefault = \"booked\"\n[currency]\ndefault = \"CNY\"\n[amount]\ncolumn = \"amount\"\n",
    ),
    (
        "shop1.csv",
        "day,order,amount\n2026-03-02,A,100.00\n2026-03-02,B,50.00\n",
    ),
    (
        "psp1.csv",
        "day,order,amount\n2026-03-02,A,60.00\n2026-03-02,B,50.00\n",
    ),
    ("shop2.csv", "day,order,amount\n2026-03-03,C,5.00\n"),
    (
        "psp2.csv",
        "day,order,amount\n2026-03-03,A,40.00\n2026-03-03,C,5.00\n",
    ),
];

fn days() -> Folder {
    let folder = Folder::new("session");
    assert_eq!(quanfu(folder.path(), &["demo", "day"]).exit, 0);
    let next = next_day(20_170_125, &Shares::default());
    for file in next.files {
        folder.write(&format!("next/{}", file.path), &file.bytes);
    }
    let order = fs::read_to_string(folder.path().join("day/orders.csv")).expect("orders");
    folder.write(
        "day/orders-again.csv",
        order.replacen(",paid,", ",pending,", 1).as_bytes(),
    );
    let bill = fs::read_to_string(folder.path().join("day/wechat.csv")).expect("a bill");
    folder.write(
        "day/wechat-again.csv",
        bill.replacen("made-up goods", "made-up wares", 1)
            .as_bytes(),
    );
    for (path, figures) in [
        ("balance", "company_opening = \"100000.00\""),
        (
            "wrong",
            "company_opening = \"100000.00\"\nbank_closing = \"302000.00\"",
        ),
    ] {
        let rules = fs::read_to_string(folder.path().join("day/rules.toml")).expect("rules");
        let table = format!("{rules}\n[[edge.balance]]\ncurrency = \"CNY\"\n{figures}\n");
        folder.write(&format!("{path}.toml"), table.as_bytes());
    }
    let rules = fs::read_to_string(folder.path().join("day/rules.toml")).expect("rules");
    folder.write("fees.toml", format!("{rules}\n{FEES}").as_bytes());
    folder.write("day/empty.csv", b"");
    for (name, lines) in [
        (
            "canada",
            "2025-01-01,covers,2025-12-31,\n2025-07-01,holiday,Canada Day,\n",
        ),
        (
            "house",
            "2026-08-01,known,house notice,certain\n2026-09-03,covers,2026-09-03,\n2026-09-03,holiday,house,\n",
        ),
        (
            "wrong",
            "2026-09-03,covers,2026-09-03,\n2026-09-03,feast,house,\n",
        ),
    ] {
        let text = format!("date,kind,name,class\n{lines}");
        folder.write(&format!("calendars/{name}.csv"), text.as_bytes());
    }
    let credit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../credit/testdata");
    for name in [
        "claims.csv",
        "loan.toml",
        "parity.csv",
        "policy.toml",
        "gap.toml",
        "budget.csv",
        "classes.csv",
        "receipts.toml",
    ] {
        let bytes = fs::read(credit.join(name)).expect("a file of the credit session");
        folder.write(&format!("credit/{name}"), &bytes);
    }
    let filing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filing");
    for name in [
        "content.toml",
        "wrong.toml",
        "agreement.txt",
        "control.txt",
        "sealed.txt",
    ] {
        let bytes = fs::read(filing.join(name)).expect("a file of the filing session");
        folder.write(&format!("filing/{name}"), &bytes);
    }
    folder.write("filing/key.bin", &[7; 32]);
    folder.write("day/key.bin", &[7; 32]);
    folder.write(
        "day/filing.json",
        b"{\"schema\": \"made-up.filing/1\", \"number\": \"JN-2017-001\", \"id_number\": \"11010519491231002X\"}\n",
    );
    for (name, text) in PARTS {
        folder.write(&format!("parts/{name}"), text.as_bytes());
    }
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches");
    for name in ["rules/bench", "profiles/institution", "profiles/bank"] {
        let text = fs::read(benches.join(format!("{name}.toml"))).expect("a file of the benches");
        let name = name.replace('/', "-");
        folder.write(&format!("challenge/{name}.toml"), &text);
    }
    folder.write("challenge/keys.toml", KEYS);
    folder.write("keys/rules.toml", KEYS);
    folder.write("keys/bank.toml", BANK);
    folder.write(
        "keys/shop.csv",
        b"order_id,paid_at,amount,currency,status\nA1,2026-03-02 10:00:00,19.90,CNY,paid\n\
          A2,2026-03-02 10:00:01,5,USD,paid\nA3,2026-03-02 10:00:02,7.00,CNY,paid\n\
          A3,2026-03-02 10:00:03,7.00,CNY,paid\nA4,2026-03-02 10:00:04,1.234,CNY,paid\n",
    );
    folder.write(
        "keys/bank.csv",
        b"serial,day,order,amount,currency\nB1,2026-03-02,a1,19.90,CNY\nB2,2026-03-02,A2,4.99,USD\n\
          B3,2026-03-02,A9,\"8.00\",CNY\nB4,2026-03-02,,100,JPY\n",
    );
    let declare = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/declare");
    for name in ["house.toml", "parties.csv", "list.csv", "limits.csv"] {
        let bytes = fs::read(declare.join(name)).expect("a file of the declare session");
        folder.write(&format!("declare/{name}"), &bytes);
    }
    folder.write("price/rules.toml", PRICING.as_bytes());
    let other = PRICING.replace("markup_bps = 150", "markup_bps = 300");
    folder.write("price/dearer.toml", other.as_bytes());
    let refuses = PRICING.replace("\"raise\"", "\"refuse\"");
    folder.write("price/refuses.toml", refuses.as_bytes());
    let wrong = PRICING.replace("step = \"1.00\"", "step = 1.00");
    folder.write("price/wrong.toml", wrong.as_bytes());
    folder.write("price/rates.csv", PRICE_RATES);
    folder.write("price/items.csv", ITEMS);
    let rates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fx/testdata");
    for name in ["central_parity.csv", "ccpr.json"] {
        let text = fs::read(rates.join(name)).expect("published rates");
        folder.write(&format!("rates/{name}"), &text);
    }
    folder.write("rates/made-up.csv", RATES);
    folder.write("fx/rules.toml", EXCHANGE.as_bytes());
    let own = EXCHANGE.replace("\nrates = \"right\"", "");
    let own = own.split("\n[rates]").next().expect("a text").to_owned();
    folder.write("fx/own.toml", own.as_bytes());
    folder.write("fx/rates.csv", DAILY_RATES);
    folder.write(
        "fx/orders.csv",
        b"order_id,paid_at,amount,currency,status\n\
          F1,2026-03-02 10:00:00,100.00,USD,paid\nF2,2026-03-02 10:01:00,200.00,USD,paid\n\
          F3,2026-03-02 10:02:00,1.10,USD,paid\nF4,2026-03-02 10:03:00,50.00,USD,paid\n\
          F5,2026-03-02 10:04:00,80.00,USD,paid\nF6,2026-03-02 10:05:00,481.34,CNY,paid\n",
    );
    folder.write("fx/bill.toml", EXCHANGE_BILL.as_bytes());
    folder.write(
        "fx/bill.csv",
        b"no,order,time,settled,currency,original,of,rate,fee\n\
          P1,F1,2026-03-02T10:00:01,715.26,CNY,100.00,USD,7.1526,\n\
          P2,F2,2026-03-02T10:01:01,1421.44,CNY,200.00,USD,7.1072,\n\
          P3,F3,2026-03-02T10:02:01,7.86,CNY,1.10,USD,7.1526,\n\
          P4,F4,2026-03-02T10:03:01,346.90,CNY,49.00,USD,7.1526,-3.58\n\
          P5,F5,2026-03-02T10:04:01,560.00,CNY,80.00,USD,7.1526,\n\
          P6,F6,2026-03-02T10:05:01,10000,JPY,,,,\n",
    );
    folder.write(
        "rates/wrong.csv",
        b"date,base,unit,quote,value,kind,source,certainty\n\
          2025-07-16,MYR,1,CNY,1.6871,mid,CFETS central parity,certain\n\
          2025-07-16,USD,1,CNY,7.1526,mid,CFETS central parity,certain\n",
    );
    folder
}

/// Orders in dollars that an institution settles in yuan.
const EXCHANGE: &str = r#"schema = "quanfu.rules/1"
name = "exchange"
calendar = "CN"

[source.shop]
role = "order"
profile = "quanfu-orders"

[source.psp]
role = "institution"
profile = "exchange-bill"

[[edge]]
left = "shop"
right = "psp"

[[edge.rule]]
id = "K1"
pass = "unique_key"
on = ["order"]
explain = ["fx", "fee"]
rates = "right"

[rates]
source = "house rates, made up"
max_business_days = 2
"#;

const EXCHANGE_BILL: &str = r#"schema = "quanfu.profile/1"
name = "exchange-bill"
title = "made up"
[file]
header_within = 1
[columns]
time = { name = "time", format = ["%Y-%m-%dT%H:%M:%S"] }
order = "order"
institution = "no"
[kind]
default = "payment"
[currency]
column = "currency"
[amount]
column = "settled"
[fee]
column = "fee"
[original]
amount = "original"
currency = "of"
rate = "rate"
unit = 1
base = "original"
"#;

const DAILY_RATES: &[u8] = b"date,base,unit,quote,value,kind,source,certainty\n\
    2026-02-27,USD,1,CNY,7.1072,mid,\"house rates, made up\",illustrative\n\
    2026-02-27,JPY,100,CNY,4.8134,mid,\"house rates, made up\",illustrative\n\
    2026-03-02,USD,1,CNY,7.1526,mid,\"house rates, made up\",illustrative\n";

const FEES: &str = r#"
[[source.psp.fee]]
from = "2017-01-20"
kind = ["payment", "refund"]
currency = "CNY"
percent = "0.6"
max = "4.10"
rounding = "half_up"
document = "made-up contract, clause 3"
"#;

const PRICING: &str = r#"
schema = "quanfu.pricing/1"
name = "shop abroad"
rates = "CFETS central parity"
reference = "made-up reference"

[[fee]]
name = "service"
bearer = "buyer"
bps = 100

[[fee]]
name = "channel"
bearer = "seller"
bps = 60
amount = "0.30 CNY"

[guard]
min_margin_bps = 500
breach = "raise"

[list]
hysteresis_bps = 100

[buyer.USD]
markup_bps = 150
buffer_bps = 200
step = "1.00"
ending = "0.99"

[buyer.EUR]
pays = "CNY"
"#;

/// The rates of 2025-07-16 are central parities as published; the others are made up.
const PRICE_RATES: &[u8] = b"date,base,unit,quote,value,kind,source,certainty
2025-07-16,USD,1,CNY,7.1526,mid,CFETS central parity,certain
2025-07-16,EUR,1,CNY,8.3157,mid,CFETS central parity,certain
2025-07-16,USD,1,CNY,7.1700,mid,made-up reference,illustrative
2025-07-18,USD,1,CNY,6.9000,mid,CFETS central parity,illustrative
2025-07-18,EUR,1,CNY,8.3000,mid,CFETS central parity,illustrative
";

const ITEMS: &[u8] = b"sku,list_cny,cost_cny,buyer,price
A-1,199.00,120.00,USD,29.99
A-2,199.00,198.00,USD,30.99
A-3,1999.00,1200.00,USD,287.99
A-4,35.00,,USD,5.99
A-5,88.00,40.00,,
A-6,free,40.00,,
";

const RATES: &[u8] = b"date,base,unit,quote,value,kind,source,certainty,valid_from,valid_until\n\
    2025-07-16,USD,1,CNH,7.1810,mid,made up,illustrative,,\n\
    2025-07-16,USD,1,CNY,7.1600,mid,a contract (made up),illustrative,2025-07-17,2025-07-31\n\
    2026-02-24,CNY,1,MYR,0.59000,mid,CFETS central parity,illustrative,,\n";

const KEYS: &[u8] = br#"
schema = "quanfu.rules/1"
name = "keys"
calendar = "CN"
[source.shop]
role = "order"
profile = "quanfu-orders"
[source.bank]
role = "bank"
profile = "bank"
[[edge]]
left = "shop"
right = "bank"
[[edge.rule]]
id = "K1"
pass = "unique_key"
on = [{ left = "order", right = "order", right_normalise = ["upper"] }, "currency"]
"#;

const BANK: &[u8] = br#"
schema = "quanfu.profile/1"
name = "bank"
[columns]
value_date = { name = "day", format = ["%Y-%m-%d"] }
order = "order"
bank = "serial"
[amount]
column = "amount"
[currency]
column = "currency"
"#;

fn play(script: &str, folder: &Path) -> String {
    let mut out = String::new();
    let mut place = folder.to_owned();
    let mut salted = false;
    for line in script.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            out.push_str(&format!("# {text}\n\n"));
        } else if let Some(to) = line.strip_prefix("$ cd ") {
            place = folder.join(to);
            out.push_str(&format!("$ cd {to}\n\n"));
        } else if let Some(command) = line.strip_prefix("$ quanfu") {
            let words = words(command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let said = quanfu(&place, &words);
            out.push_str(&format!("$ quanfu{command}\n"));
            // salts of personal values are random, and with them the heads of a store that has some
            salted |= command.contains(" --key ");
            for line in said.out.split_inclusive('\n') {
                match line.rsplit_once(':') {
                    Some((head, _)) if salted && head.contains(":sha256") => {
                        out.push_str(&format!("{head}:…\n"));
                    }
                    _ => out.push_str(line),
                }
            }
            for line in said.err.lines() {
                out.push_str(&format!("! {line}\n"));
            }
            out.push_str(&format!("exit {}\n\n", said.exit));
        }
    }
    out
}

#[test]
fn a_users_calendar_is_laid_over_the_chinese_one_and_goes_into_the_result() {
    let days = days();
    let shop = "order_id,paid_at,amount,currency,status\nA1,2026-03-02 10:00:00,19.90,CNY,paid\n";
    days.write("keys/one.csv", shop.as_bytes());
    let run = |arguments: &[&str]| {
        let said = quanfu(&days.path().join("keys"), arguments);
        assert!(said.exit <= 1, "{}", said.err);
    };
    let files = [
        "shop=one.csv",
        "bank=bank.csv",
        "--profile",
        "bank.toml",
        "-o",
        "day.json",
    ];
    let mut recon = vec![
        "recon",
        "--rules",
        "rules.toml",
        "--calendar",
        "../calendars/house.csv",
    ];
    recon.extend(files);
    run(&recon);
    let text = fs::read_to_string(days.path().join("keys/day.json")).expect("a result");
    assert!(
        text.contains("2026-09-03,holiday,house,"),
        "the calendar is in the result"
    );
    run(&["verify", "day.json", "one.csv", "bank.csv"]);
    // any calendar of ours can be named by the rules
    let rules = String::from_utf8_lossy(KEYS).replace("\"CN\"", "\"CN-FX+HK\"");
    days.write("keys/joint.toml", rules.as_bytes());
    let mut recon = vec!["recon", "--rules", "joint.toml"];
    recon.extend(&files[..4]);
    recon.extend(["-o", "joint.json"]);
    run(&recon);
    run(&["verify", "joint.json", "one.csv", "bank.csv"]);
}

#[test]
fn sessions_run_as_they_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("sessions")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    assert!(names.len() >= 5);
    for path in names {
        let script = fs::read_to_string(&path).expect("a session");
        let days = days();
        same_as(&path, &play(&script, days.path()));
    }
}

#[test]
fn every_command_of_the_demos_page_runs_and_ends_as_the_page_says() {
    let folder = Folder::new("page");
    assert_eq!(quanfu(folder.path(), &["demo", "day"]).exit, 0);
    let page = fs::read_to_string(folder.path().join("day/README.md")).expect("the page");
    let commands: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("$ quanfu "))
        .collect();
    assert_eq!(commands.len(), 6);
    for command in commands {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = quanfu(&folder.path().join("day"), &words);
        let want = match words[0] {
            "recon" => 1,
            "read" if command.contains("broken") => 3,
            _ => 0,
        };
        assert_eq!(said.exit, want, "{command}: {}", said.err);
    }
}

#[test]
fn the_commands_of_readme_and_of_the_stores_page_run_in_the_demos_folder() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let block = |page: &str, kind: &str| {
        let text = fs::read_to_string(house.join(page)).expect("a page");
        let (_, rest) = text.split_once(&format!("```{kind}\n")).expect("a block");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    for (page, commands) in [
        ("README.md", 9),
        ("README.zh-CN.md", 9),
        ("docs/store.md", 9),
    ] {
        let folder = Folder::new("readme");
        assert_eq!(quanfu(folder.path(), &["demo", "try"]).exit, 0);
        folder.write("rates.csv", block("README.md", "csv").as_bytes());
        folder.write("pricing.toml", block("docs/pricing.md", "toml").as_bytes());
        assert_eq!(plays(page, folder.path()), commands, "{page}");
    }
}

#[test]
fn data_on_stdout_is_complete_and_the_same_as_in_files() {
    let folder = days();
    let day = folder.path().join("day");
    let recon = |more: &[&str]| {
        let mut all = vec![
            "recon",
            "--rules",
            "rules.toml",
            "order=orders.csv",
            "psp=wechat.csv",
            "bank=bank.sta",
        ];
        all.extend(more);
        quanfu(&day, &all)
    };
    let wrote = recon(&["-o", "r.json", "-o", "r.csv"]);
    assert_eq!(wrote.exit, 1);
    let csv = fs::read_to_string(day.join("r.csv")).expect("a table");
    assert_eq!(
        csv.strip_prefix('\u{feff}'),
        Some(recon(&["--format", "csv"]).out.as_str())
    );
    let lines = recon(&["--format", "jsonl"]).out;
    let doc: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(day.join("r.json")).expect("a result"))
            .expect("JSON");
    let open: usize = ["breaks", "ambiguous", "suggested", "carried"]
        .iter()
        .map(|key| doc[key].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(lines.lines().count(), open);
    for line in lines.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
    for threads in ["1", "8"] {
        assert_eq!(
            recon(&["--format", "json", "--threads", threads]).out,
            recon(&["--format", "json"]).out
        );
    }
    assert_eq!(recon(&["-q", "--format", "csv"]).err, "");
}

#[test]
fn nothing_half_written_is_left_and_inputs_are_never_overwritten() {
    let folder = days();
    let day = folder.path().join("day");
    let before: Vec<_> = fs::read_dir(&day)
        .expect("files")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    for (arguments, exit) in [
        (vec!["-o", "no/such/folder/r.json"], 4),
        (vec!["-o", "r.xls"], 2),
        (vec!["-o", "orders.csv"], 2),
        (vec!["-o", "r.json", "-o", "r.json"], 2),
        (vec!["-o", "r.csv", "-o", "no/r.json"], 4),
    ] {
        let mut all = vec![
            "recon",
            "--rules",
            "rules.toml",
            "order=orders.csv",
            "psp=wechat.csv",
            "bank=bank.sta",
        ];
        all.extend(&arguments);
        let said = quanfu(&day, &all);
        assert_eq!(said.exit, exit, "{arguments:?}: {}", said.err);
        let after: Vec<_> = fs::read_dir(&day)
            .expect("files")
            .map(|e| e.expect("an entry").file_name())
            .collect();
        assert_eq!(before, after, "{arguments:?}");
    }
}

/// Terminal text with escapes for colours, as a picture.
fn svg(text: &str) -> String {
    const LINE: usize = 17;
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let lines: Vec<&str> = text.lines().collect();
    let height = lines.len() * LINE + 24;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" font-family=\"ui-monospace, \
         SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>\n"
    );
    for (index, line) in lines.iter().enumerate() {
        let y = index * LINE + 26;
        out.push_str(&format!(
            "<text x=\"14\" y=\"{y}\" fill=\"#d6d9e0\" xml:space=\"preserve\">"
        ));
        for (part, piece) in line.split("\u{1b}[").enumerate() {
            if part == 0 {
                out.push_str(&escape(piece));
                continue;
            }
            let (code, piece) = piece.split_once('m').unwrap_or(("0", piece));
            let style = match code {
                "31" => "fill=\"#ff7b72\"",
                "32" => "fill=\"#7ee787\"",
                "33" => "fill=\"#e3b341\"",
                "1" => "font-weight=\"bold\" fill=\"#ffffff\"",
                _ => "",
            };
            if style.is_empty() {
                out.push_str(&escape(piece));
            } else {
                out.push_str(&format!("<tspan {style}>{}</tspan>", escape(piece)));
            }
        }
        out.push_str("</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

#[test]
fn the_picture_in_the_readme_is_what_the_demo_writes() {
    let folder = Folder::new("picture");
    let said = quanfu(folder.path(), &["demo", "try", "--color", "always"]);
    let shown: Vec<&str> = said.out.lines().take(38).collect();
    let text = format!("$ quanfu demo try\n{}\n…", shown.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/terminal.svg");
    same_as(&path, &svg(&text));
}

#[test]
fn the_published_schema_is_the_one_that_readings_keep() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/schema/quanfu.reading-1.schema.json");
    same_as(&path, &quanfu::report::reading::schema());
}

#[test]
fn receipts_are_those_that_a_result_confirms() {
    let folder = days();
    let mut recon = vec!["recon", "--rules", "day/rules.toml", "order=day/orders.csv"];
    recon.extend(["psp=day/wechat.csv", "bank=day/bank.sta", "-o", "r.json"]);
    recon.extend(["-o", "r.csv"]);
    assert_eq!(quanfu(folder.path(), &recon).exit, 1);
    let assess = |table: &str| {
        let mut all = vec!["credit", "assess", "--programme", "city-markets"];
        all.extend(["--day", "2025-04-01", "--receipts", "r.json", table]);
        all.push("credit/receipts.toml");
        quanfu(folder.path(), &all)
    };
    let said = assess("r.csv");
    assert_eq!((said.exit, said.err.as_str()), (1, ""));
    for line in [
        "paid 400.00\n",
        "R-1/2: RECEIPT_NOT_CONFIRMED receipt not confirmed (78ec06f3717e1214: break on psp-bank, 2017-01-25)",
        "R-1/3: RECEIPT_NOT_CONFIRMED receipt not confirmed (0000000000000000: no result has it)",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let said = assess("credit/claims.csv");
    assert_eq!((said.exit, said.out.as_str()), (3, ""));
    assert!(said.err.contains("not the table that the result names"));
}

#[test]
fn an_event_that_is_refused_leaves_the_case_as_it_was() {
    let folder = days();
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = ["credit", "case"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        quanfu(folder.path(), &all).exit
    };
    let submit = [
        "event",
        "c.json",
        "submit",
        "--on",
        "2025-03-01",
        "--by",
        "E-ETA",
    ];
    let paper = ["--application", "credit/claims.csv", "--id", "JN-007"];
    let firm = ["--programme", "jinan-illustrative", "--enterprise", "E-ETA"];
    assert_eq!(run(&[&["new", "c.json"][..], &firm].concat()), 0);
    assert_eq!(run(&[&submit[..], &paper].concat()), 0);
    let path = folder.path().join("c.json");
    let before = fs::read(&path).expect("a case");
    let files = || fs::read_dir(folder.path()).expect("files").count();
    let count = files();
    for (arguments, exit) in [
        (["approve", "--on", "2025-03-02", "--by", "head"], 1),
        (["accept", "--on", "2025-02-28", "--by", "clerk"], 1),
        (["accept", "--on", "2025-03-02", "--by", " "], 1),
        (["return", "--on", "2025-03-02", "--by", "clerk"], 1),
        (["propose", "--on", "2025-03-02", "--by", "clerk"], 2),
        (["accept", "--on", "2025-3-2", "--by", "clerk"], 2),
    ] {
        assert_eq!(
            run(&[&["event", "c.json"][..], &arguments].concat()),
            exit,
            "{arguments:?}"
        );
        assert_eq!(fs::read(&path).expect("a case"), before, "{arguments:?}");
        assert_eq!(files(), count, "{arguments:?}");
    }
    fs::write(&path, [&before[..], b" "].concat()).expect("changed by hand");
    assert_eq!(
        run(&[
            "event",
            "c.json",
            "accept",
            "--on",
            "2025-03-02",
            "--by",
            "clerk"
        ]),
        3
    );
}

#[test]
fn the_published_schema_is_the_one_that_awards_keep() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/quanfu.award-1.schema.json");
    same_as(&path, &quanfu::report::award::schema());
}

/// Each block ```` ```console ```` of the page is a part of one session.
#[test]
fn the_page_about_support_shows_what_the_commands_write() {
    let days = days();
    assert!(plays("docs/credit.md", days.path()) > 8);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/credit.md");
    let page = fs::read_to_string(&path).expect("the page");
    for reason in quanfu::credit::Reason::ALL {
        assert!(page.contains(&format!("| `{reason}` |")), "{reason}");
    }
}
