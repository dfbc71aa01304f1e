//! Who has which payments, for people.

use std::fmt::Write as _;

use quanfu_settlement::rules::SourceRole;
use quanfu_settlement::{Presence, ResultDoc};
use quanfu_trail::Lang;

use crate::text::say;
use crate::text::{amount, cut, grouped, inert, left, right};
use crate::{Look, labels};

/// One letter for each role that the rules declare, `-` for one that lacks the payment: `OP-`.
pub(crate) fn letters(doc: &ResultDoc, state: Presence) -> String {
    let declared = |role: &&SourceRole| doc.sources.iter().any(|source| source.role == **role);
    let letter = |role: &SourceRole| match role {
        _ if !state.has(*role) => '-',
        SourceRole::Order => 'O',
        SourceRole::Institution => 'P',
        SourceRole::Bank => 'B',
    };
    SourceRole::ALL
        .iter()
        .filter(declared)
        .map(letter)
        .collect()
}

/// One line for each state, source and currency.
pub(crate) fn table(doc: &ResultDoc, look: &Look, out: &mut String) {
    if doc.presence.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{}{}{}{}{}{}{}{}",
        left(say(look, "持有", "who"), 7),
        left("", 5),
        left(say(look, "状态", "state"), 18),
        left(say(look, "来源", "source"), 9),
        right(say(look, "行数", "rows"), 8),
        right(say(look, "在途", "waiting"), 9),
        right(say(look, "逾期", "overdue"), 9),
        right(say(look, "合计", "sum"), 15),
    );
    for line in &doc.presence {
        let count = |count: u64| match (line.state, count) {
            (Presence::All, _) | (_, 0) => "-".to_owned(),
            (_, count) => grouped(count),
        };
        let mut head = format!(
            "       {}{}{}{}{}{}",
            left(&letters(doc, line.state), 5),
            left(line.state.code(), 18),
            left(&cut(&inert(&line.source), 8), 9),
            right(&grouped(line.rows), 8),
            right(&count(line.waiting), 9),
            right(&count(line.overdue()), 9),
        );
        for (index, total) in line.totals.iter().enumerate() {
            let sum = format!("{} {}", amount(&total.sum), total.currency);
            let _ = write!(out, "{head}{}", right(&sum, 17));
            if index == 0 {
                let _ = write!(out, "  {}", labels::short(line.state.code(), Lang::Zh));
                for (rows, word) in [
                    (line.undecided, say(look, "行未辨认", "undecided")),
                    (line.left_out, say(look, "行不再要求", "not asked")),
                ] {
                    if rows > 0 {
                        let _ = write!(out, ", {} {word}", grouped(rows));
                    }
                }
                head = " ".repeat(65);
            }
            out.push('\n');
        }
    }
}
