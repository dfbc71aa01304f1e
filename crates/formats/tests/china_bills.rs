//! Public samples of Chinese banks' and wallets' exports, read by profiles of this test: a declarative profile serves
//! any of them, and what cannot be read is rejected with its place.
//!
//! The samples are anonymised by hand, so balances of some do not tie: the table fixes each verdict and difference. They
//! are found through the variable `QUANFU_CORPORA`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quanfu_formats::{Options, read_all};
use quanfu_settlement::{Profile, ProofKind};

/// File, and what follows `schema` and `name` in its profile.
const FILES: &[(&str, &str)] = &[
    (
        "boc/debit/example-boc-records.csv",
        "[columns]\nvalue_date = { name = \"记账日期\", format = [\"%Y-%m-%d\"] }\nbalance = \"余额\"\n\
         counterparty_name = \"对方账户名\"\n[currency]\ncolumn = \"币别\"\nwords = { CNY = [\"人民币\"] }\n\
         [amount]\ncolumn = \"金额\"\nthousands = \"comma\"\n",
    ),
    (
        "cmb/debit/example-cmb-records.csv",
        "[columns]\nvalue_date = { name = \"记账日期\", format = [\"%Y-%m-%d\"] }\nbalance = \"联机余额\"\n\
         [currency]\ncolumn = \"货币\"\n[amount]\ncolumn = \"交易金额\"\nthousands = \"comma\"\n",
    ),
    (
        "bocom_debit/example-bocom_debit-records.csv",
        "[columns]\nvalue_date = { name = \"交易日期\", format = [\"%Y-%m-%d\"] }\nbalance = \"余额\"\n\
         counterparty_account = \"对方账号\"\n[currency]\ndefault = \"CNY\"\n\
         [amount]\ncolumn = \"交易金额\"\ndirection = \"借贷\"\nplus_words = [\"贷 Cr\"]\nminus_words = [\"借 Dr\"]\n",
    ),
    // The balances of this sample are letters.
    (
        "icbc/debit-v2/example-icbc-debit-v2-records.csv",
        "[columns]\nvalue_date = { name = \"交易日期\", format = [\"%Y-%m-%d\"] }\n\
         [currency]\ncolumn = \"记账币种\"\nwords = { CNY = [\"人民币\"] }\n\
         [amount]\nplus = \"记账金额(收入)\"\nminus = \"记账金额(支出)\"\nthousands = \"comma\"\n",
    ),
    (
        "cgb_credit/example-cgb_credit-records.csv",
        "[columns]\nvalue_date = { name = \"入账日期\", format = [\"%Y/%m/%d\"] }\n\
         [currency]\ncolumn = \"入账货币\"\nwords = { CNY = [\"人民币\"] }\n\
         [amount]\ncolumn = \"入账金额\"\nsign = \"negated\"\n",
    ),
    (
        "alipay/example-alipay-records.csv",
        "[file]\nencoding = \"gb18030\"\n[columns]\ntime = { name = \"交易时间\", format = [\"%Y-%m-%d %H:%M:%S\"] }\n\
         institution = \"交易订单号\"\norder = \"商家订单号\"\n[currency]\ndefault = \"CNY\"\n\
         [amount]\ncolumn = \"金额\"\ndirection = \"收/支\"\nplus_words = [\"收入\"]\nminus_words = [\"支出\"]\n",
    ),
    (
        "wechat/example-wechat-records.csv",
        "[columns]\ntime = { name = \"交易时间\", format = [\"%Y-%m-%d %H:%M:%S\"] }\ninstitution = \"交易单号\"\n\
         order = \"商户单号\"\n[currency]\ndefault = \"CNY\"\n\
         [amount]\ncolumn = \"金额(元)\"\nmark = \"¥\"\ndirection = \"收/支\"\nplus_words = [\"收入\"]\nminus_words = [\"支出\"]\n",
    ),
    (
        "hsbchk/debit/example-hsbchk-debit-records.csv",
        "[columns]\nvalue_date = { name = \"Date\", format = [\"%d/%m/%Y\"] }\nbalance = \"Balance\"\n\
         [currency]\ncolumn = \"Billing currency\"\n[amount]\ncolumn = \"Billing amount\"\nthousands = \"comma\"\n",
    ),
    (
        "abc_debit/example-abc_debit-records.csv",
        "[columns]\nvalue_date = { name = \"交易日期\", format = [\"%Y%m%d\"] }\nbalance = \"本次余额\"\n\
         bank = \"日 志 号\"\n[currency]\ndefault = \"CNY\"\n[amount]\ncolumn = \"交易金额\"\nplus_sign = true\n",
    ),
];

#[test]
fn every_sample_is_read_as_the_table_says() {
    let Some(corpora) = std::env::var_os("QUANFU_CORPORA").map(PathBuf::from) else {
        println!("skipped: QUANFU_CORPORA names no folder with sample files");
        return;
    };
    let mut found = String::from(
        "file,encoding,records,entries,rejected,sum,balance,difference,first_rejected\n",
    );
    for (name, rest) in FILES {
        let text = format!("schema = \"quanfu.profile/1\"\nname = \"sample\"\n{rest}");
        let profile = Profile::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let bytes = std::fs::read(corpora.join("china-bills-deg").join(name)).expect("a sample");
        let options = Options {
            profile: Some(&profile),
            ..Options::default()
        };
        let reading =
            read_all(name, bytes.as_slice(), &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let file = &reading.files[0];
        let entries = || {
            file.statements
                .iter()
                .flat_map(|statement| &statement.entries)
        };
        let sum: i64 = entries()
            .filter_map(|entry| entry.money())
            .map(|money| money.minor())
            .sum();
        let balance = file
            .proofs()
            .find(|proof| proof.kind == ProofKind::RunningBalance);
        let balance = balance.expect("a profile always tells of it");
        let first = file.rejected.first();
        let _ = writeln!(
            found,
            "{name},{},{},{},{},{sum},{},{},{}",
            file.file.encoding,
            file.file.records,
            file.file.entries,
            file.file.rejected,
            balance.verdict,
            balance
                .difference
                .as_ref()
                .map_or(String::new(), ToString::to_string),
            first.map_or(String::new(), |r| format!(
                "{}:{} {} {}",
                r.line, r.column, r.code, r.field
            )),
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/china_bills.csv");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).expect("the table can be written");
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default());
}
