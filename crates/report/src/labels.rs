//! What people read for every stable code, in Chinese and English, from one data file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use quanfu_trail::Lang;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    kind: String,
    zh: [String; 3],
    en: [String; 3],
}

static LABELS: LazyLock<BTreeMap<String, Texts>> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/labels.toml"))
        .expect("the label data of this crate is right: a test reads it")
});

/// The texts of a code in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The code as it is written everywhere.
    pub code: &'static str,
    /// What the code is of: `error`, `finding`, `proof`, `verdict`, `outcome`, `break`, `presence`, `balance`, `pass`,
    /// `decision`, `fault`, `class`, `gap`, `reason` or `mismatch`.
    pub kind: &'static str,
    /// A word or two.
    pub short: &'static str,
    /// What it means.
    pub long: &'static str,
    /// What to do about it; empty where nothing is to be done.
    pub advice: &'static str,
}

/// The texts of a code; letter case and `_` for `-` make no difference.
#[must_use]
pub fn label(code: &str, lang: Lang) -> Option<Label> {
    let plain = plain(code);
    let labels: &'static BTreeMap<String, Texts> = &LABELS;
    let (code, texts) = labels
        .iter()
        .find(|(known, _)| self::plain(known) == plain)?;
    let [short, long, advice] = match lang {
        Lang::Zh => &texts.zh,
        Lang::En => &texts.en,
    };
    Some(Label {
        code,
        kind: &texts.kind,
        short,
        long,
        advice,
    })
}

/// The word or two for a code; the code itself where there is none.
#[must_use]
pub fn short(code: &str, lang: Lang) -> &str {
    label(code, lang).map_or(code, |label| label.short)
}

/// Every code that has a label.
pub fn codes() -> impl Iterator<Item = &'static str> {
    let labels: &'static BTreeMap<String, Texts> = &LABELS;
    labels.keys().map(String::as_str)
}

/// Codes that look like a mistyped one, the nearest first, at most three.
#[must_use]
pub fn suggestions(code: &str) -> Vec<&'static str> {
    let wanted = plain(code);
    let mut near: Vec<(usize, &'static str)> = codes()
        .map(|known| (distance(&wanted, &plain(known)), known))
        .filter(|(distance, known)| *distance <= 3 || plain(known).contains(&wanted))
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, code)| code).collect()
}

fn plain(code: &str) -> String {
    code.to_ascii_lowercase().replace('_', "-")
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(from != to))
                .min(above + 1)
                .min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_settlement::balance::{BalanceBasis, BalanceVerdict, OutstandingKind};
    use quanfu_settlement::decision::DecisionKind;
    use quanfu_settlement::{
        BreakCode, ChallengeClass, ChallengeGap, FindingCode, Outcome, PassKind, Presence,
        ProofKind, Verdict,
    };
    use std::collections::BTreeSet;

    /// Codes of the doors, which this crate cannot see.
    const OF_DOORS: &[&str] = &[
        "usage",
        "output",
        "result-document",
        "outcomes-document",
        "record-unknown",
        "unknown-source",
        "unknown-profile",
        "unknown-calendar",
        "carried-damaged",
        "keyrun-io",
        "same-file",
        "credit-application",
        "credit-award",
        "credit-policy",
        "restore-input",
        "declaration-document",
        "declaration-otherwise",
        "declarant-document",
        "evidence-document",
        "list-document",
        "several-currencies",
        "one-sided",
    ];

    #[test]
    fn every_code_of_the_house_has_its_texts_and_no_text_is_for_nothing() {
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        for list in [
            quanfu_money::AmountError::CODES,
            quanfu_money::MoneyError::CODES,
            quanfu_calendar::CalendarError::CODES,
            quanfu_calendar::DatedError::CODES,
            quanfu_calendar::DayCountError::CODES,
            quanfu_calendar::UnknownConvention::CODES,
            quanfu_calendar::ValueDateError::CODES,
            quanfu_trail::TrailError::CODES,
            quanfu_fx::CustomsError::CODES,
            quanfu_codes::CodeError::CODES,
            quanfu_codes::TableError::CODES,
            quanfu_codes::ParameterError::CODES,
            quanfu_filing::ProgrammeError::CODES,
            quanfu_filing::Refusal::CODES,
            quanfu_filing::RestoreError::CODES,
            quanfu_filing::Unsound::CODES,
            quanfu_fx::FxError::CODES,
            quanfu_fx::RateFileError::CODES,
            quanfu_fx::TableError::CODES,
            quanfu_credit::DocumentError::CODES,
            quanfu_credit::budget::BudgetError::CODES,
            quanfu_credit::lifecycle::CaseError::CODES,
            quanfu_credit::lifecycle::GuardError::CODES,
            quanfu_formats::FileError::CODES,
            quanfu_pricing::PricingError::CODES,
            quanfu_pricing::PricingRulesError::CODES,
            quanfu_pricing::QuoteError::CODES,
            quanfu_pricing::ListError::CODES,
            quanfu_formats::REJECTED_CODES,
            quanfu_settlement::BookError::CODES,
            quanfu_settlement::rules::RulesError::CODES,
            quanfu_settlement::ProfileError::CODES,
            quanfu_settlement::DecisionError::CODES,
            quanfu_recon::ReconError::CODES,
            quanfu_verify::Fault::CODES,
            quanfu_store::StoreError::CODES,
            OF_DOORS,
        ] {
            wanted.extend(list);
        }
        wanted.extend(BreakCode::ALL.iter().map(|code| code.code()));
        let declared = quanfu_filing::declaration::FindingKind::ALL.iter();
        wanted.extend(declared.map(|code| code.code()));
        wanted.extend(FindingCode::ALL.iter().map(|code| code.code()));
        wanted.extend(ProofKind::ALL.iter().map(|code| code.code()));
        wanted.extend(Verdict::ALL.iter().map(|code| code.code()));
        wanted.extend(Outcome::ALL.iter().map(|code| code.code()));
        wanted.extend(Presence::ALL.iter().map(|code| code.code()));
        wanted.extend(BalanceVerdict::ALL.iter().map(|code| code.code()));
        wanted.extend(BalanceBasis::ALL.iter().map(|code| code.code()));
        wanted.extend(OutstandingKind::ALL.iter().map(|code| code.code()));
        wanted.extend(PassKind::ALL.iter().map(|code| code.code()));
        wanted.extend(DecisionKind::ALL.iter().map(|code| code.code()));
        wanted.extend(ChallengeClass::ALL.iter().map(|code| code.code()));
        wanted.extend(ChallengeGap::ALL.iter().map(|code| code.code()));
        wanted.extend(quanfu_credit::Reason::ALL.iter().map(|code| code.code()));
        wanted.extend(
            quanfu_credit::LimitMismatch::ALL
                .iter()
                .map(|code| code.code()),
        );
        let known: BTreeSet<&str> = codes().collect();
        let missing: Vec<_> = wanted.difference(&known).collect();
        let useless: Vec<_> = known.difference(&wanted).collect();
        assert!(
            missing.is_empty() && useless.is_empty(),
            "missing {missing:?}, useless {useless:?}"
        );
        for code in known {
            for lang in [Lang::Zh, Lang::En] {
                let label = label(code, lang).expect("it is known");
                assert!(
                    !label.short.is_empty() && !label.long.is_empty(),
                    "{code} {lang}"
                );
                if label.kind == "presence" && code != "ALL" {
                    assert!(!label.advice.is_empty(), "{code} {lang}: what to do");
                }
                if label.kind == "break" && code != "REVERSED_PAIR" {
                    assert!(!label.advice.is_empty(), "{code} {lang}: what to do");
                }
            }
            let zh = label(code, Lang::Zh).expect("it is known").long;
            assert!(
                zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{code}: {zh}"
            );
        }
    }

    #[test]
    fn a_mistyped_code_leads_to_its_neighbours() {
        assert_eq!(suggestions("amount-to-fine"), ["amount-too-fine"]);
        assert_eq!(suggestions("only_chanel"), ["ONLY_CHANNEL"]);
        assert!(suggestions("zzzzzz").is_empty());
        assert_eq!(
            label("only-channel", Lang::En).map(|l| l.code),
            Some("ONLY_CHANNEL")
        );
    }
}
