//! Balance reconciliation (余额调节表) for people: company in one column, bank in the other.

use std::fmt::Write as _;

use quanfu_codes::mask_account;
use quanfu_settlement::ResultDoc;
use quanfu_settlement::balance::{
    BalanceBasis, BalanceReconciliation, BalanceSide, BalanceVerdict, OutstandingKind,
};

use crate::text::say;
use crate::text::{amount, cut, grouped, inert, left, paint, right};
use crate::{Look, labels};

/// All reconciliations of a result.
pub(crate) fn table(doc: &ResultDoc, look: &Look, out: &mut String) {
    for balance in &doc.balances {
        out.push('\n');
        one(balance, look, out);
    }
}

/// A line of the table: what it is, how many rows, the company's figure, the bank's figure, and where they come from.
fn line(out: &mut String, what: &str, count: &str, sides: [&str; 2], note: &str) {
    let text = format!(
        "       {}{}{}{}  {note}",
        left(&cut(what, 31), 32),
        right(count, 7),
        right(sides[0], 17),
        right(sides[1], 17),
    );
    let _ = writeln!(out, "{}", text.trim_end());
}

fn one(balance: &BalanceReconciliation, look: &Look, out: &mut String) {
    let (company, bank) = (&balance.company, &balance.bank);
    let _ = writeln!(
        out,
        "{}{}{}{}",
        left(say(look, "余额", "money"), 7),
        left(
            &cut(
                &format!("{} {}", inert(&balance.edge), balance.currency),
                38
            ),
            39
        ),
        right(&side_name(company, say(look, "企业", "company")), 17),
        right(&side_name(bank, say(look, "银行", "bank")), 17),
    );
    let figure = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), amount);
    let from = |company: Option<BalanceBasis>, bank: Option<BalanceBasis>| {
        let word = |basis: Option<BalanceBasis>| {
            basis.map_or("-", |basis| labels::short(basis.code(), look.lang))
        };
        format!("{} | {}", word(company), word(bank))
    };
    line(
        out,
        say(look, "期初余额", "opening"),
        "",
        [&figure(&company.opening), &figure(&bank.opening)],
        &from(company.opening_from, bank.opening_from),
    );
    line(
        out,
        say(look, "本日发生额", "movement of the day"),
        &grouped(company.movement.count + bank.movement.count),
        [&amount(&company.movement.sum), &amount(&bank.movement.sum)],
        "",
    );
    line(
        out,
        say(look, "期末余额", "closing"),
        "",
        [&figure(&company.closing), &figure(&bank.closing)],
        &from(company.closing_from, bank.closing_from),
    );
    for (what, of) in [
        (
            say(look, "! 期初不符", "! opening differs"),
            [&company.opening_gap, &bank.opening_gap],
        ),
        (
            say(look, "! 期末不符", "! closing differs"),
            [&company.closing_gap, &bank.closing_gap],
        ),
        (
            say(look, "! 滚动不符", "! does not roll forward"),
            [&company.roll_difference, &bank.roll_difference],
        ),
    ] {
        if of
            .iter()
            .any(|gap| gap.as_deref().is_some_and(is_some_money))
        {
            line(out, what, "", [&figure(of[0]), &figure(of[1])], "");
        }
    }
    for (side, at) in [(company, 0), (bank, 1)] {
        accounts(side, at, look, out);
    }
    for kind in [
        OutstandingKind::BankReceived,
        OutstandingKind::BankPaid,
        OutstandingKind::CompanyReceived,
        OutstandingKind::CompanyPaid,
    ] {
        let found = balance.outstanding.iter().find(|found| found.kind == kind);
        let Some(found) = found else { continue };
        let sum = amount(&found.sum);
        let of_bank = matches!(
            kind,
            OutstandingKind::BankReceived | OutstandingKind::BankPaid
        );
        let sides = if of_bank {
            [&sum[..], ""]
        } else {
            ["", &sum[..]]
        };
        let what = labels::short(kind.code(), look.lang);
        line(out, what, &grouped(found.count), sides, "");
    }
    for cause in &balance.adjusting {
        let what = format!(
            "{} {}",
            say(look, "差额", "difference:"),
            inert(&cause.cause)
        );
        line(out, &what, "", [&amount(&cause.sum), ""], "");
    }
    let left_out = [&bank.left_out, &company.left_out];
    if left_out.iter().any(|movement| movement.count > 0) {
        line(
            out,
            say(look, "规则不参与的行", "left out by the rules"),
            &grouped(left_out[0].count + left_out[1].count),
            [&amount(&left_out[0].sum), &amount(&left_out[1].sum)],
            "",
        );
    }
    let sound = balance.verdict == BalanceVerdict::Balanced;
    let verdict = labels::short(balance.verdict.code(), look.lang);
    line(
        out,
        say(look, "调节后余额", "adjusted"),
        "",
        [
            &figure(&balance.adjusted_company),
            &figure(&balance.adjusted_bank),
        ],
        "",
    );
    let _ = writeln!(
        out,
        "       {}{}{}  {}",
        left(say(look, "差额（银行减企业）", "bank minus company"), 39),
        right("", 17),
        right(&figure(&balance.difference), 17),
        paint(look, if sound { "32" } else { "31" }, verdict),
    );
}

fn side_name(side: &BalanceSide, word: &str) -> String {
    cut(&format!("{word} {}", inert(&side.source)), 16)
}

/// Whether an amount text is more than zeros.
fn is_some_money(text: &str) -> bool {
    text.bytes().any(|c| (b'1'..=b'9').contains(&c))
}

/// Where a side has several accounts, the closing of each.
fn accounts(side: &BalanceSide, at: usize, look: &Look, out: &mut String) {
    if side.accounts.len() < 2 {
        return;
    }
    for account in &side.accounts {
        let name = match account.account.as_deref() {
            None => "-".to_owned(),
            Some(number) if look.unmask => inert(number),
            Some(number) => inert(&mask_account(number)),
        };
        let closing = account.closing.as_deref().map_or("-".to_owned(), amount);
        let sides = if at == 0 {
            [&closing[..], ""]
        } else {
            ["", &closing[..]]
        };
        let note = match &account.difference {
            Some(difference) if is_some_money(difference) => {
                format!("! {}", amount(difference))
            }
            _ => String::new(),
        };
        line(
            out,
            &format!("  {name}"),
            &grouped(account.movement.count),
            sides,
            &note,
        );
    }
}
