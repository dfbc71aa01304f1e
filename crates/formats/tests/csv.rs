//! CSV files by profiles: the shipped ones on samples of their layouts, and everything that may be wrong.

use std::collections::BTreeSet;
use std::io::Read;

use proptest::prelude::*;
use quanfu_formats::{FileError, Options, read_all, shipped_profiles};
use quanfu_settlement::{
    Entry, FileReading, FindingCode, Profile, Proof, ProofKind, RefRole, Verdict,
};

fn sample(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/");
    std::fs::read(format!("{path}{name}")).expect("the sample is part of the crate")
}

const SAMPLES: [&str; 4] = [
    "wechat-trade.csv",
    "alipay-account.csv",
    "alipay-trade.csv",
    "orders.csv",
];

fn read(name: &str, bytes: &[u8]) -> Result<FileReading, FileError> {
    let mut reading = read_all(name, bytes, &Options::default())?;
    Ok(reading.files.remove(0))
}

fn read_by(profile: &Profile, bytes: &[u8]) -> Result<FileReading, FileError> {
    let options = Options {
        profile: Some(profile),
        ..Options::default()
    };
    let mut reading = read_all("f.csv", bytes, &options)?;
    Ok(reading.files.remove(0))
}

fn shown(entry: &Entry<'_>) -> String {
    let reference = |role| entry.references.get(role).unwrap_or("-").to_owned();
    format!(
        "{} {} {} {} order {} fee {}",
        entry
            .value_date
            .map_or("-".to_owned(), |day| day.to_string()),
        entry
            .money()
            .map_or("-".to_owned(), |money| money.to_string()),
        entry.kind,
        entry.status,
        reference(RefRole::Order),
        entry.fee.map_or("-".to_owned(), |fee| fee.amount_text()),
    )
}

fn proof(proof: &Proof) -> String {
    let text = |measure: &Option<quanfu_settlement::Measure>| {
        measure.as_ref().map_or("-".to_owned(), ToString::to_string)
    };
    format!(
        "{} {} {} {} {}",
        proof.kind,
        proof.scope,
        proof.verdict,
        text(&proof.expected),
        text(&proof.found)
    )
    .replace("  ", " ")
}

fn proofs(file: &FileReading) -> Vec<String> {
    file.proofs().map(proof).collect()
}

fn rejected(file: &FileReading) -> Vec<String> {
    let rejected = file.rejected.iter();
    rejected
        .map(|r| {
            format!(
                "{}:{} {} {}: {}",
                r.line, r.column, r.code, r.field, r.message
            )
        })
        .collect()
}

#[test]
fn every_shipped_profile_can_be_read_and_says_what_it_is() {
    let names: BTreeSet<&str> = shipped_profiles().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names.len(), shipped_profiles().len(), "names are unique");
    for profile in shipped_profiles() {
        assert!(!profile.title.is_empty(), "{}", profile.name);
    }
}

#[test]
fn a_wechat_bill_is_read_with_fees_refunds_and_its_summary_proved() {
    let file = read("bill.csv", &sample("wechat-trade.csv")).expect("read");
    assert_eq!(file.file.encoding, "utf-8");
    let entries: Vec<String> = file.statements[0].entries.iter().map(shown).collect();
    assert_eq!(
        entries,
        [
            "2026-03-02 19.90 CNY payment booked order A-1001 fee 0.11940",
            "2026-03-02 95.00 CNY payment booked order A-1002 fee 0.57000",
            "2026-03-02 -9.90 CNY refund booked order A-1001 fee -0.05940",
            "2026-03-02 -5.00 CNY reversal booked order A-1003 fee 0.00000",
        ]
    );
    let refund = &file.statements[0].entries[2];
    assert_eq!(refund.references.get(RefRole::Refund), Some("R-1001"));
    assert_eq!(refund.remittance, ["红枣, 500g"], "a comma inside a cell");
    assert_eq!(
        proofs(&file),
        [
            "running_balance absent - -",
            "control_count 总交易单数 holds 4 4",
            "control_sum 应结订单总金额 holds 114.90 CNY 114.90 CNY",
            "control_sum 退款总金额 holds 14.90 CNY 14.90 CNY",
            "control_sum 充值券退款总金额 holds 0.00 CNY 0.00 CNY",
            "control_sum 手续费总金额 holds 0.63 CNY 0.63 CNY",
            "control_sum 订单总金额 holds 119.90 CNY 119.90 CNY",
            "control_sum 申请退款总金额 holds 14.90 CNY 14.90 CNY",
            "end_marker holds footer footer",
        ]
    );
    assert_eq!(
        file.file.identity,
        "wechat-pay-trade 1900000001 2026-03-02..2026-03-02"
    );
}

#[test]
fn a_wechat_bill_of_the_old_layout_with_full_width_colons_is_read_too() {
    let text = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\n\
                `2014-11-10 16：33：45,`wx1,`10000100,`0,`1000,`1001,`A-1,`u,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`a, b,`,`0,`0.60%\n\
                `2014-11-10 16：46：14,`wx1,`10000100,`0,`1000,`1002,`A-2,`u,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`c,`,`0,`0.60%\n\
                总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额\n`2,`0.02,`0.0,`0.0,`0\n";
    let file = read("bill.csv", text.as_bytes()).expect("read");
    let entries: Vec<String> = file.statements[0].entries.iter().map(shown).collect();
    assert_eq!(
        entries,
        [
            "2014-11-10 0.01 CNY payment booked order A-1 fee 0",
            "2014-11-10 0.01 CNY payment booked order A-2 fee 0",
        ]
    );
    let controls: Vec<&Proof> = file
        .proofs()
        .filter(|proof| proof.kind != ProofKind::RunningBalance)
        .collect();
    assert!(
        controls.iter().all(|proof| proof.verdict == Verdict::Holds),
        "{:?}",
        proofs(&file)
    );
    assert_eq!(controls.len(), 6);
}

#[test]
fn an_alipay_account_detail_is_proved_row_by_row_and_by_its_footer() {
    let file = read("detail.csv", &sample("alipay-account.csv")).expect("read");
    assert_eq!(file.file.encoding, "gb18030");
    let statement = &file.statements[0];
    assert_eq!(
        statement.head.account.as_deref(),
        Some("20880000000000010156")
    );
    let (first, last) = statement.head.period.expect("a period");
    assert_eq!(
        (first.to_string(), last.to_string()),
        ("2026-03-02".into(), "2026-03-02".into())
    );
    let entries: Vec<String> = statement.entries.iter().map(shown).collect();
    assert_eq!(
        entries,
        [
            "2026-03-02 19.90 CNY payment booked order A-1001 fee -",
            "2026-03-02 -0.12 CNY fee booked order A-1001 fee -",
            "2026-03-02 95.00 CNY payment booked order A-1002 fee -",
            "2026-03-02 -9.90 CNY refund booked order A-1001 fee -",
        ]
    );
    assert_eq!(
        proofs(&file),
        [
            "running_balance holds 1104.88 CNY 1104.88 CNY",
            "control_count minus holds 2 2",
            "control_sum minus holds 10.02 CNY 10.02 CNY",
            "control_count plus holds 2 2",
            "control_sum plus holds 114.90 CNY 114.90 CNY",
            "end_marker holds footer footer",
        ]
    );
    assert_eq!(
        statement
            .opening()
            .map(|balance| balance.amount.to_string()),
        Some("1000.00 CNY".into())
    );
}

#[test]
fn an_alipay_trade_detail_keeps_its_footer_as_text() {
    let file = read("detail.csv", &sample("alipay-trade.csv")).expect("read");
    let entries: Vec<String> = file.statements[0].entries.iter().map(shown).collect();
    assert_eq!(
        entries,
        [
            "2026-03-02 19.90 CNY payment booked order A-1001 fee 0.12",
            "2026-03-02 -9.90 CNY refund booked order A-1001 fee 0.00",
        ]
    );
    assert!(file.proofs().all(|proof| proof.verdict == Verdict::Absent));
    assert_eq!(file.statements[0].tail.notes.len(), 3);
    let codes: Vec<_> = file.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [FindingCode::FooterUnknown]);
}

#[test]
fn a_copied_and_renamed_profile_reads_the_same() {
    for (name, shipped) in [
        ("wechat-trade.csv", "wechat-pay-trade"),
        ("alipay-account.csv", "alipay-account"),
        ("alipay-trade.csv", "alipay-trade"),
        ("orders.csv", "quanfu-orders"),
    ] {
        let bytes = sample(name);
        let own = read(name, &bytes).expect("read");
        assert_eq!(own.file.format, shipped);
        let profile = shipped_profiles().iter().find(|p| p.name == shipped);
        let text = &profile.expect("it is shipped").text;
        let copy = text.replace(&format!("\"{shipped}\""), "\"my-own\"");
        let copied = read_by(&Profile::parse(&copy).expect("a copy"), &bytes).expect("read");
        assert_eq!(own.statements, copied.statements, "{name}");
        assert_eq!(own.rejected, copied.rejected, "{name}");
        assert_eq!(copied.file.format, "my-own");
    }
}

/// A cut file is an error, has rejected records or a failing proof, or is a file that is complete by its own format:
/// then no proof of its end holds, and `allowed` says so.
#[test]
fn a_file_cut_at_any_byte_never_passes_as_whole() {
    for name in SAMPLES {
        let bytes = sample(name);
        let whole = read(name, &bytes).expect("read").file.entries;
        let mut complete = Vec::new();
        for cut in 0..bytes.len() {
            let Ok(file) = read(name, &bytes[..cut]) else {
                continue;
            };
            assert_eq!(file.file.entries + file.file.rejected, file.file.records);
            if file.file.rejected == 0 && !file.proofs().any(Proof::fails) {
                let end = file.proofs().find(|p| p.kind == ProofKind::EndMarker);
                let end = end.map(|proof| proof.verdict);
                if end == Some(Verdict::Holds) {
                    // Only the line behind the last figure may be missing, or a part of its line end.
                    assert_eq!(file.file.entries, whole, "{name} cut at {cut}");
                } else {
                    assert_eq!(end, Some(Verdict::Absent), "{name} cut at {cut}");
                }
                complete.push((bytes.len() - cut, file.file.entries));
            }
        }
        let entries: BTreeSet<u64> = complete.iter().map(|&(_, entries)| entries).collect();
        let entries: Vec<u64> = entries.into_iter().collect();
        match name {
            // The summary must be there: what passes is cut within or behind its last figure.
            "wechat-trade.csv" => assert_eq!(entries, [4], "{complete:?}"),
            // Both footer lines must be there: what passes is cut in the line behind them, or in the unit behind the
            // last figure.
            "alipay-account.csv" => assert_eq!(entries, [4], "{complete:?}"),
            // Nothing in the next two layouts tells how many records there are: each whole line makes a whole file.
            "alipay-trade.csv" => assert_eq!(entries, [0, 1, 2], "{complete:?}"),
            // Of these, our own layout demands a line end behind each line.
            _ => {
                let lines: Vec<usize> = complete.iter().map(|&(left, _)| left).collect();
                assert_eq!(entries, [0, 1, 2]);
                assert_eq!(lines.len(), 3, "line ends only: {complete:?}");
            }
        }
    }
}

#[test]
fn a_row_with_a_fault_is_rejected_with_its_place_and_costs_no_other() {
    let head = "order_id,paid_at,kind,amount,currency,status,refund_id,merchant\n";
    let good = "A-1,2026-03-02 09:00:00,payment,19.90,CNY,paid,,M1\n";
    for (row, want) in [
        (
            "A-2,2026-03-02 09:00:00,payment,19.905,CNY,paid,,M1",
            "3:33 amount-too-fine amount: \"19.905\" is finer than the minor unit (2 decimals)",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1e5,CNY,paid,,M1",
            "3:33 amount-malformed amount: \"1e5\" is no amount at character 2: right is digits with a decimal point, such as 1234.50",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,99999999999999999999,CNY,paid,,M1",
            "3:33 amount-overflow amount: \"99999999999999999999\" is more than an amount can hold",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,-0.00,CNY,paid,,M1",
            "3:33 amount-negative-zero amount: \"-0.00\" is a negative zero: zero is written without a sign",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,,CNY,paid,,M1",
            "3:33 amount-empty amount: the cell is empty; the record's amount would stand here",
        ),
        (
            "A-2,2026-02-30 09:00:00,payment,1.00,CNY,paid,,M1",
            "3:5 date-impossible paid_at: there is no such day or time: \"2026-02-30 09:00:00\"",
        ),
        (
            "A-2,2026-02-03 24:00:00,payment,1.00,CNY,paid,,M1",
            "3:5 date-impossible paid_at: there is no such day or time: \"2026-02-03 24:00:00\"",
        ),
        (
            "A-2,02/03/2026,payment,1.00,CNY,paid,,M1",
            "3:5 time-malformed paid_at: \"02/03/2026\" has another shape than \"%Y-%m-%d %H:%M:%S\", \"%Y-%m-%dT%H:%M:%S\", \"%Y-%m-%dT%H:%M:%S%z\", \"%Y-%m-%d\"",
        ),
        (
            "A-2,,payment,1.00,CNY,paid,,M1",
            "3:5 date-malformed paid_at: the cell is empty; a record needs its day",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1.00,CNX,paid,,M1",
            "3:38 currency-unknown currency: \"CNX\" is no currency code of ISO 4217 (three upper-case letters, such as CNY)",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1.00,,paid,,M1",
            "3:38 currency-missing currency: the cell is empty; a code such as CNY would be right",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1.00,CNY,done,,M1",
            "3:42 status-unknown status: \"done\" is no status of this file; known are: \"cancelled\", \"closed\", \"failed\", \"paid\", \"pending\", \"refunded\"",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1.00,CNY,paid,M1",
            "3:1 row-width line: the line has 7 cells, the header 8",
        ),
        (
            "A-2,2026-03-02 09:00:00,payment,1.00,CNY,paid,,M1,x",
            "3:1 row-width line: the line has 9 cells, the header 8",
        ),
        (
            "\"A-2\"x,2026-03-02 09:00:00,payment,1.00,CNY,paid,,M1",
            "3:6 line-malformed line: text stands behind a closing quote",
        ),
    ] {
        let text = format!("{head}{good}{row}\n{good}");
        let file = read("orders.csv", text.as_bytes()).expect(row);
        assert_eq!(rejected(&file), [want], "{row}");
        assert_eq!((file.file.entries, file.file.records), (2, 3), "{row}");
    }
}

#[test]
fn a_character_cut_in_front_of_a_delimiter_rejects_its_row_only() {
    let bytes = sample("alipay-account.csv");
    // The second byte of 枣 in the first record is taken away: its first byte stands in front of the TAB.
    let jujube = [0xD4, 0xE6, b'\t'];
    let at = bytes
        .windows(3)
        .position(|w| w == jujube)
        .expect("it is in the sample");
    let mut damaged = bytes.clone();
    damaged.remove(at + 1);
    let file = read("f.csv", &damaged).expect("read");
    assert_eq!((file.file.entries, file.file.rejected), (3, 1));
    let fault = &file.rejected[0];
    assert_eq!((fault.code, fault.line), ("text-undecodable", 6));
    assert!(file.proofs().any(Proof::fails), "the missing row is seen");
}

#[test]
fn text_in_the_wrong_encoding_is_never_read_as_something_else() {
    // UTF-8 saved copies read as well as the delivered GB18030; a Latin-1 copy has no known header.
    let (utf8, _, _) = encoding_rs::GB18030
        .decode(&sample("alipay-account.csv"))
        .into_owned_parts();
    let file = read("f.csv", utf8.as_bytes()).expect("read");
    assert_eq!(
        (file.file.encoding.as_str(), file.file.entries),
        ("utf-8", 4)
    );
    let utf16: Vec<u8> = utf8.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_bom = [&[0xFF, 0xFE][..], &utf16].concat();
    assert_eq!(
        read("f.csv", &with_bom).map_err(|e| e.code()).err(),
        Some("file-utf16")
    );
}

trait OwnedParts {
    fn into_owned_parts(self) -> (String, &'static str, bool);
}

impl OwnedParts
    for (
        std::borrow::Cow<'_, str>,
        &'static encoding_rs::Encoding,
        bool,
    )
{
    fn into_owned_parts(self) -> (String, &'static str, bool) {
        (self.0.into_owned(), self.1.name(), self.2)
    }
}

fn profile(extra: &str) -> Profile {
    let text = format!(
        "schema = \"quanfu.profile/1\"\nname = \"test\"\n{extra}\n\
         [currency]\ndefault = \"CNY\"\n"
    );
    match Profile::parse(&text) {
        Ok(profile) => profile,
        Err(error) => panic!("{error}\n{text}"),
    }
}

const DAY: &str = "[columns]\nvalue_date = { name = \"day\", format = [\"%Y-%m-%d\"] }\n";

#[test]
fn a_missing_column_is_told_with_what_the_header_has() {
    let profile = profile(&format!(
        "{DAY}order = \"no\"\n[amount]\ncolumn = [\"amount\", \"金额\"]"
    ));
    let error =
        read_by(&profile, b"made by hand\nday,no,sum\n2026-03-02,A,1.00\n").expect_err("refused");
    assert_eq!(
        error.to_string(),
        "f.csv, line 2: no column \"amount / 金额\"; the header has: day, no, sum"
    );
    let error = read_by(&profile, b"a;b\nc;d\n").expect_err("refused");
    assert_eq!(
        error.to_string(),
        "f.csv, line 0: no header in the first 50 lines; profile test looks for the columns day, amount, no"
    );
    let error = read_by(&profile, b"day,no,amount,amount\n").expect_err("refused");
    assert_eq!(
        error.to_string(),
        "f.csv, line 1: the header has the column \"amount\" twice; which one is meant, nobody can say"
    );
}

#[test]
fn effects_are_told_by_sign_by_word_by_column_or_by_kind() {
    let cases: [(&str, &str, &[&str], &[&str]); 4] = [
        (
            "[amount]\ncolumn = \"a\"\nsign = \"negated\"",
            "day,a\n2026-03-02,1.00\n2026-03-02,-2.00\n",
            &["-1.00 CNY", "2.00 CNY"],
            &[],
        ),
        (
            "[amount]\ncolumn = \"a\"\ndirection = \"w\"\nplus_words = [\"收入\", \"贷\"]\nminus_words = [\"支出\"]\nmark = \"¥\"",
            "day,a,w\n2026-03-02,¥1.00,收入\n2026-03-02,2.00,支出\n2026-03-02,3.00,/\n2026-03-02,-4.00,支出\n",
            &["1.00 CNY", "-2.00 CNY"],
            &[
                "4:17 side-unknown w: \"/\" is no direction of this file; known are: \"收入\", \"贷\", \"支出\"",
                "5:12 amount-malformed a: an amount beside a direction has no sign",
            ],
        ),
        (
            "[amount]\nplus = \"in\"\nminus = \"out\"",
            "day,in,out\n2026-03-02,1.00,\n2026-03-02,,2.00\n2026-03-02,0.00,-3.00\n2026-03-02,4.00,0.00\n\
             2026-03-02,1.00,1.00\n2026-03-02,,\n2026-03-02,-1.00,\n",
            &["1.00 CNY", "-2.00 CNY", "-3.00 CNY", "4.00 CNY"],
            &[
                "6:17 amount-malformed out: both amount cells are filled; a record has one effect",
                "7:12 amount-empty in: neither of the two amount cells is filled",
                "8:12 amount-malformed in: what raises is written without a minus sign",
            ],
        ),
        (
            "[kind]\ncolumn = \"k\"\nwords = { payment = [\"P\"], refund = [\"R\"] }\n\
             [amount.by_kind]\npayment = { column = \"a\", sign = \"as_written\" }\nrefund = { column = \"b\", sign = \"minus\" }",
            "day,k,a,b\n2026-03-02,P,1.00,\n2026-03-02,R,,2.00\n2026-03-02,X,1.00,1.00\n",
            &["1.00 CNY", "-2.00 CNY"],
            &[
                "4:12 kind-unknown k: \"X\" tells no amount column of this file; known are: \"P\", \"R\"",
            ],
        ),
    ];
    for (extra, text, amounts, refused) in cases {
        let file = read_by(&profile(&format!("{DAY}{extra}")), text.as_bytes()).expect(extra);
        let entries = file.statements[0].entries.iter();
        let found: Vec<String> = entries
            .map(|e| e.money().expect("money").to_string())
            .collect();
        assert_eq!(found, amounts, "{extra}");
        assert_eq!(rejected(&file), refused, "{extra}");
    }
}

#[test]
fn amounts_are_read_in_the_style_of_the_profile_and_no_other() {
    for (style, cell, want) in [
        (
            "decimal = \"comma\"\nthousands = \"point\"",
            "1.234,56",
            Ok(123_456),
        ),
        (
            "decimal = \"comma\"\nthousands = \"point\"",
            "1,234.56",
            Err("amount-malformed"),
        ),
        ("unit = \"minor\"", "1990", Ok(1_990)),
        ("unit = \"minor\"", "19.90", Err("amount-malformed")),
        ("full_width = true", "１９．９０", Ok(1_990)),
        ("", "１９．９０", Err("amount-malformed")),
        ("mark = \"¥\"", "¥ 19.90", Ok(1_990)),
        ("", "¥19.90", Err("amount-malformed")),
        ("thousands = \"comma\"", "12,34.00", Err("amount-grouping")),
        ("thousands = \"comma\"", "1,234.00", Ok(123_400)),
        ("plus_sign = true", "+1.00", Ok(100)),
        ("", "+1.00", Err("amount-malformed")),
        ("", "1_000", Err("amount-malformed")),
        ("", "1.00E+27", Err("amount-malformed")),
    ] {
        let profile = profile(&format!("{DAY}[amount]\ncolumn = \"a\"\n{style}"));
        let text = format!("day,a\n2026-03-02,\"{cell}\"\n");
        let file = read_by(&profile, text.as_bytes()).expect(cell);
        let entry = file.statements[0].entries.first();
        let got = match entry {
            Some(entry) => Ok(entry.money().expect("money").minor()),
            None => Err(file.rejected[0].code),
        };
        assert_eq!(got, want, "{style} {cell}");
    }
}

#[test]
fn records_that_run_over_lines_are_read_where_the_profile_allows_it() {
    let base = format!("{DAY}order = \"no\"\nremittance = [\"text\"]\n[amount]\ncolumn = \"a\"");
    let text = "day,no,text,a\r\n2026-03-02,A,\"one\r\ntwo \"\"three\"\"\",1.00\r\n2026-03-02,B,x,2.00\r\n";
    let joined = read_by(
        &profile(&format!("[file]\nmultiline = true\n{base}")),
        text.as_bytes(),
    );
    let joined = joined.expect("read");
    let entries = &joined.statements[0].entries;
    assert_eq!(entries[0].remittance, ["one\r\ntwo \"three\""]);
    assert_eq!((entries[0].at.line, entries[1].at.line), (2, 4));
    let raw = &text.as_bytes()[entries[0].at.byte as usize..][..entries[0].at.len as usize];
    assert!(raw.starts_with(b"2026-03-02,A") && raw.ends_with(b"1.00"));
    let plain = read_by(&profile(&base), text.as_bytes()).expect("read");
    assert_eq!((plain.file.entries, plain.file.rejected), (1, 2));
    assert_eq!(
        rejected(&plain)[0],
        "2:14 line-malformed line: a quote is opened here and never closed"
    );
}

#[test]
fn a_running_balance_is_proved_downwards_or_upwards_and_a_gap_is_an_amount() {
    let profile = profile(&format!("{DAY}balance = \"b\"\n[amount]\ncolumn = \"a\""));
    let down = ["1.00,101.00", "2.00,103.00", "-3.00,100.00", "4.00,104.00"];
    let lines = |rows: &[&str]| {
        let rows: Vec<String> = rows
            .iter()
            .map(|row| format!("2026-03-02,{row}\n"))
            .collect();
        format!("day,a,b\n{}", rows.concat())
    };
    let mut up = down;
    up.reverse();
    for (rows, want) in [
        (down.to_vec(), "running_balance holds 104.00 CNY 104.00 CNY"),
        (up.to_vec(), "running_balance holds 101.00 CNY 101.00 CNY"),
        (
            vec![down[0], down[2], down[3]],
            "running_balance fails 98.00 CNY 100.00 CNY",
        ),
        (
            vec![down[0], "2.00,", down[2], down[3]],
            "running_balance holds 104.00 CNY 104.00 CNY",
        ),
        (
            vec![down[0], "x,103.00", down[2], down[3]],
            "running_balance fails 98.00 CNY 100.00 CNY",
        ),
    ] {
        let file = read_by(&profile, lines(&rows).as_bytes()).expect("read");
        assert_eq!(proofs(&file)[0], want, "{rows:?}");
    }
}

#[test]
fn an_end_marker_holds_only_where_nothing_follows_it() {
    let profile = profile(&format!(
        "{DAY}[amount]\ncolumn = \"a\"\n[footer]\nend_marker = \"<END>\""
    ));
    for (end, want) in [
        ("<END>\n", "end_marker holds <END> <END>"),
        ("<END>", "end_marker holds <END> <END>"),
        ("", "end_marker fails <END> "),
        ("<EN", "end_marker fails <END> "),
        (
            "<END>\n2026-03-02,2.00\n",
            "end_marker fails <END> <END>, and records behind it from line 4",
        ),
    ] {
        let text = format!("day,a\n2026-03-02,1.00\n{end}");
        let file = read_by(&profile, text.as_bytes()).expect("read");
        assert_eq!(
            proofs(&file).last().map(String::as_str),
            Some(want),
            "{end}"
        );
    }
}

#[test]
fn totals_that_do_not_tie_fail_by_their_difference() {
    let text = String::from_utf8(sample("wechat-trade.csv")).expect("UTF-8");
    for (from, to, want) in [
        (
            "`4,`114.90",
            "`5,`114.90",
            "control_count 总交易单数 fails 5 4",
        ),
        (
            "`4,`114.90",
            "`4,`114.91",
            "control_sum 应结订单总金额 fails 114.91 CNY 114.90 CNY",
        ),
        (
            "`0.63000",
            "`0.63001",
            "control_sum 手续费总金额 fails 0.63001 0.63",
        ),
        ("`0.63000", "`0.6", "control_sum 手续费总金额 absent - -"),
        (
            "`0.63000",
            "`n/a",
            "control_sum 手续费总金额 fails n/a 0.63",
        ),
    ] {
        let file = read("f.csv", text.replace(from, to).as_bytes()).expect("read");
        assert!(
            proofs(&file).contains(&want.to_owned()),
            "{to}: {:?}",
            proofs(&file)
        );
    }
}

#[test]
fn exchange_currency_words_and_tokens_are_taken_from_their_columns() {
    let profile = Profile::parse(
        "schema = \"quanfu.profile/1\"\nname = \"x\"\n[columns]\n\
         value_date = { name = \"day\", format = [\"%Y/%-m/%-d\"] }\nremittance = [\"text\"]\n\
         [currency]\ncolumn = \"ccy\"\nwords = { CNY = [\"人民币\"] }\n[amount]\ncolumn = \"a\"\n\
         [original]\namount = \"oa\"\ncurrency = \"oc\"\nrate = \"r\"\nunit = 100\n\
         [[token]]\nrole = \"merchant\"\ncolumn = \"text\"\npattern = 'MCH(\\d+)'\n",
    )
    .expect("a profile");
    let text = "day,text,ccy,a,oa,oc,r\n2026/3/2,x MCH77 y,人民币,-48.20,1000,JPY,4.8200\n2026/3/2,,CNH,1.00,,,\n";
    let file = read_by(&profile, text.as_bytes()).expect("read");
    let first = &file.statements[0].entries[0];
    assert_eq!(first.references.get(RefRole::Merchant), Some("77"));
    assert_eq!(
        first.original.map(|m| m.to_string()),
        Some("-1000 JPY".into())
    );
    assert_eq!(
        first.rate.map(|r| r.to_string()),
        Some("100 JPY = 4.8200 CNY".into())
    );
    let codes: Vec<_> = file.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, [FindingCode::CurrencyAlias]);
}

/// Hands out its bytes in pieces of changing size.
struct Slow<'b>(&'b [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_file_is_read_or_refused_the_same_however_it_arrives(
        which in 0..SAMPLES.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 0..6),
    ) {
        let mut bytes = sample(SAMPLES[which]);
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let quick = read("f.csv", &bytes).map_err(|error| error.to_string());
        let slow = read_all("f.csv", Slow(&bytes, 0), &Options::default());
        let slow = slow.map(|mut reading| reading.files.remove(0)).map_err(|error| error.to_string());
        if let Ok(file) = &quick {
            let listed: u64 = file.statements.iter().map(|s| s.entries.len() as u64).sum();
            prop_assert_eq!(file.file.records, listed + file.rejected.len() as u64);
        }
        prop_assert_eq!(quick, slow);
    }
}
