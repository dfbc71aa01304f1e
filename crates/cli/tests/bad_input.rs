//! Bad input of every kind: one clear error each, the exit code that the help names, and nothing half-written.

mod common;

use std::fs;
use std::io::Write;

use common::{Folder, quanfu};

const ORDERS: &str =
    "order_id,paid_at,amount,currency,status,merchant\nA-1,2026-03-02 10:00:00,19.90,CNY,paid,M\n";
const BANK: &str = ":20:D\r\n:25:12345678\r\n:28C:1/1\r\n:60F:C260302CNY100,00\r\n:61:2603020302C19,90NTRFA-1//B77\r\n:62F:C260302CNY119,90\r\n-\r\n";
const RULES: &str = "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\n[source.shop]\nrole = \"order\"\n\
    profile = \"quanfu-orders\"\n[source.bank]\nrole = \"bank\"\n[[edge]]\nleft = \"shop\"\nright = \"bank\"\n[[edge.rule]]\n\
    id = \"K1\"\npass = \"unique_key\"\non = [{ left = \"order\", right = \"owner\" }]\n";

fn folder() -> Folder {
    let folder = Folder::new("bad");
    folder.write("orders.csv", ORDERS.as_bytes());
    folder.write("bank.sta", BANK.as_bytes());
    folder.write("rules.toml", RULES.as_bytes());
    folder
}

/// Runs the day of a folder; gives what stderr said and the exit code, after looking that nothing was left behind on
/// an error.
fn recon(folder: &Folder) -> (String, i32) {
    let arguments = [
        "recon",
        "--rules",
        "rules.toml",
        "shop=orders.csv",
        "bank=bank.sta",
        "-o",
        "r.json",
        "-o",
        "r.csv",
    ];
    let said = quanfu(folder.path(), &arguments);
    let names = fs::read_dir(folder.path()).expect("a folder");
    let written = names
        .filter(|entry| {
            let name = entry.as_ref().expect("an entry").file_name();
            let name = name.to_string_lossy().into_owned();
            name.starts_with("r.") || name.ends_with(".part")
        })
        .count();
    let is_error = said.err.contains("error[");
    assert_eq!(written, if is_error { 0 } else { 2 }, "{}", said.err);
    (said.err, said.exit)
}

#[test]
fn the_day_itself_is_sound() {
    let folder = folder();
    let (said, exit) = recon(&folder);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn a_source_that_is_no_sound_file_is_one_error() {
    let gz = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).expect("in memory");
        packer.finish().expect("in memory")
    };
    let bomb = gz(&[BANK.as_bytes(), &vec![b'\n'; 64 << 20]].concat());
    let doctype = b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><Document><BkToCstmrStmt/></Document>";
    let utf16: Vec<u8> = [0xFFu8, 0xFE]
        .into_iter()
        .chain("abc".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let nested = gz(&gz(BANK.as_bytes()));
    let long = [BANK.as_bytes(), &vec![b'x'; 2 << 20]].concat();
    for (bytes, code, exit) in [
        (b"".as_slice(), "file-empty", 3),
        (b" \r\n\t", "file-empty", 3),
        (b"\x00\x01\x02\x03", "file-unknown", 3),
        (b"hello", "file-unknown", 3),
        (&bomb, "file-limit", 3),
        (doctype, "file-doctype", 3),
        (&utf16, "file-utf16", 3),
        (&nested, "file-archive", 3),
        (&BANK.as_bytes()[..60], "file-structure", 3),
        (&long, "file-limit", 3),
        (b"PK\x03\x04 and no archive", "file-archive", 3),
    ] {
        let folder = folder();
        folder.write("bank.sta", bytes);
        let (said, got) = recon(&folder);
        let shown = &bytes[..bytes.len().min(40)];
        if said.contains("error[") {
            assert!(
                said.starts_with(&format!("error[{code}]: bank.sta")),
                "{shown:?}: {said}"
            );
        } else {
            assert_eq!(code, "file-structure", "{shown:?}: {said}");
        }
        assert_eq!(got, exit, "{shown:?}: {said}");
    }
}

#[test]
fn missing_files_and_folders_cannot_be_run() {
    let folder = folder();
    fs::remove_file(folder.path().join("bank.sta")).expect("removed");
    assert_eq!(recon(&folder).1, 4);
    fs::create_dir(folder.path().join("bank.sta")).expect("a folder");
    let (said, exit) = recon(&folder);
    assert!(said.starts_with("error[file-io]: bank.sta"), "{said}");
    assert_eq!(exit, 4);
}

#[test]
fn rules_with_a_fault_are_refused_with_their_place() {
    for (from, to, want) in [
        (
            "pass = ",
            "pas = ",
            "rules.toml: line 14, column 1: unknown field `pas`",
        ),
        (
            "unique_key",
            "uniqe_key",
            "rules.toml: line 14, column 8: unknown variant `uniqe_key`, expected one of",
        ),
        (
            "\"K1\"",
            "\"K1\"\nid = \"K2\"",
            "rules.toml: line 14, column 1: duplicate key",
        ),
        (
            "right = \"bank\"",
            "right = \"bnk\"",
            "rules.toml: edge: source \"bnk\" is not declared; declared are: bank, shop",
        ),
        (
            "quanfu.rules/1",
            "quanfu.rules/9",
            "rules.toml: schema: found \"quanfu.rules/9\"; \"quanfu.rules/1\" would be right",
        ),
        (
            "profile = \"quanfu-orders\"",
            "profile = \"quanfu-order\"",
            "source \"shop\" wants profile \"quanfu-order\", which is not among: ",
        ),
        (
            "calendar = \"CN\"",
            "calendar = \"XX\"",
            "the rules want calendar \"XX\"",
        ),
        (
            "on = [",
            "tolerance = [{ max_minor = 5 }]\non = [",
            "rules.toml: edge shop-bank, rule K1: a tolerance",
        ),
    ] {
        let folder = folder();
        assert!(RULES.contains(from));
        folder.write("rules.toml", RULES.replacen(from, to, 1).as_bytes());
        let (said, exit) = recon(&folder);
        assert!(said.contains(want), "{to}: {said}");
        assert_eq!(exit, 2, "{to}: {said}");
    }
}

#[test]
fn a_bad_row_is_rejected_and_told_and_the_result_is_not_trusted() {
    for (from, to, want) in [
        (
            "19.90",
            "19.905",
            "rejected[amount-too-fine]: orders.csv:2:25: amount:",
        ),
        (
            "19.90",
            "99999999999999999999",
            "rejected[amount-overflow]: orders.csv:2:25: amount:",
        ),
        (
            "2026-03-02",
            "2026-02-30",
            "rejected[date-impossible]: orders.csv:2:5: paid_at:",
        ),
        (
            ",CNY",
            ",XXQ",
            "rejected[currency-unknown]: orders.csv:2:31: currency:",
        ),
        (
            ",paid,",
            ",done,",
            "rejected[status-unknown]: orders.csv:2:35: status:",
        ),
        (",M\n", "\n", "rejected[row-width]: orders.csv:2:1: line:"),
        (
            ",M\n",
            ",M",
            "rejected[line-malformed]: orders.csv:2:41: line:",
        ),
    ] {
        let folder = folder();
        let (head, row) = ORDERS.split_once('\n').expect("a header");
        folder.write(
            "orders.csv",
            format!("{head}\n{}", row.replacen(from, to, 1)).as_bytes(),
        );
        let (said, exit) = recon(&folder);
        assert!(said.contains(want), "{to}: {said}");
        assert_eq!(exit, 3, "{to}: {said}");
        let doc = fs::read_to_string(folder.path().join("r.json")).expect("a result");
        assert!(doc.contains("\"trusted\": false") && doc.contains("\"rejected\": 1"));
        let table = fs::read_to_string(folder.path().join("r.csv")).expect("a table");
        assert_eq!(table.matches(",rejected,").count(), 1, "{table}");
    }
}

#[test]
fn an_unknown_column_is_named_with_the_header() {
    let folder = folder();
    folder.write(
        "orders.csv",
        ORDERS.replacen("amount", "total", 1).as_bytes(),
    );
    let (said, exit) = recon(&folder);
    assert!(
        said.contains("error[file-missing-column]: orders.csv, line 1: no column \"amount\"; the header has: order_id, paid_at, total,"),
        "{said}"
    );
    assert_eq!(exit, 3);
}

#[test]
fn text_of_files_cannot_act_on_the_terminal() {
    let folder = folder();
    folder.write(
        "orders.csv",
        ORDERS.replacen("A-1", "\u{1b}[2J\u{202e}A-1", 1).as_bytes(),
    );
    let said = quanfu(
        folder.path(),
        &[
            "recon",
            "--rules",
            "rules.toml",
            "shop=orders.csv",
            "bank=bank.sta",
        ],
    );
    for text in [&said.out, &said.err] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
    let read = quanfu(folder.path(), &["read", "orders.csv"]);
    assert!(!read.out.contains('\u{1b}'));
}

/// A number of a person in a column where it has no place is told by line and column, and not printed.
#[test]
fn a_persons_number_in_the_wrong_column_is_not_printed() {
    let numbers = ["11010519491231002X", "13912345678", "6222020200112233445"];
    let mut lines = vec!["order_id,paid_at,amount,currency,status,kind,merchant".to_owned()];
    let good = [
        "A-1",
        "2026-03-02 10:00:00",
        "19.90",
        "CNY",
        "paid",
        "payment",
        "M",
    ];
    for column in 1..6 {
        for number in numbers
            .iter()
            .copied()
            .chain(["\u{6b27}\u{9633}\u{5efa}\u{56fd}"])
        {
            let mut cells = good;
            cells[column] = number;
            lines.push(cells.join(","));
        }
    }
    let folder = folder();
    folder.write("orders.csv", (lines.join("\n") + "\n").as_bytes());
    // the file itself may begin with one
    folder.write("unknown.txt", numbers.join(" ").as_bytes());
    for arguments in [
        &["read", "orders.csv"][..],
        &["read", "--strict", "orders.csv"],
        &["read", "--lang", "zh", "orders.csv"],
        &["read", "--format", "json", "orders.csv"],
        &["read", "unknown.txt"],
        &[
            "recon",
            "--rules",
            "rules.toml",
            "shop=orders.csv",
            "bank=bank.sta",
            "-o",
            "r.json",
            "-o",
            "r.csv",
        ],
        &["why", "r.json", "A-1"],
    ] {
        let said = quanfu(folder.path(), arguments);
        let json = arguments.contains(&"json");
        for number in numbers {
            // as JSON the whole record is handed on, for programs
            let told = said
                .out
                .lines()
                .filter(|line| !json || line.contains("\"message\""));
            let told = told
                .chain(said.err.lines())
                .find(|line| line.contains(number));
            assert_eq!(told, None, "{arguments:?}");
        }
    }
    let said = quanfu(folder.path(), &["read", "orders.csv"]);
    for told in [
        "orders.csv:2:5 time-malformed: paid_at: \"1****************X\" has",
        "orders.csv:3:5 time-malformed: paid_at: \"139****5678\" has",
        "orders.csv:4:5 time-malformed: paid_at: \"6222***********3445\" has",
        "orders.csv:5:5 time-malformed: paid_at: \"\u{6b27}***\" has",
        "orders.csv:6:25 amount-malformed: amount: \"1****************X\" is no amount at character 18",
        "\"139****5678\" is no status of this file",
        "\"139****5678\" is no kind that profile",
    ] {
        assert!(
            said.out.contains(told) || said.err.contains(told),
            "{told} in {}{}",
            said.out,
            said.err
        );
    }
    let result = fs::read_to_string(folder.path().join("r.json")).expect("a result");
    let result = result.replace("13912345678.00", ""); // an amount like any other
    for number in numbers {
        assert!(!result.contains(number), "{number}");
    }
}
