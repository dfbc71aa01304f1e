//! Pages and statement numbers of one account: the closing balance of a page opens the next, and no number is
//! missing or comes twice.

use quanfu_calendar::Datelike;
use quanfu_money::MoneySum;
use quanfu_settlement::{Balance, FindingCode, Proof, ProofKind, Sequence, Verdict};

/// What of a statement tells its place among the others of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub sequence: Sequence,
    pub opening: Option<Balance>,
    pub closing: Option<Balance>,
    pub line: u32,
}

/// A proof, and a finding where something is out of order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub proof: Proof,
    pub finding: Option<(FindingCode, String)>,
}

impl Judgement {
    fn absent() -> Self {
        Self {
            proof: Proof::absent(ProofKind::PageSequence, ""),
            finding: None,
        }
    }

    fn fails(code: FindingCode, expected: String, found: String) -> Self {
        let message = format!("{expected} should come here, found {found}");
        Self {
            proof: Proof::texts(ProofKind::PageSequence, "", expected, found),
            finding: Some((code, message)),
        }
    }
}

impl Page {
    fn number(&self) -> Option<u64> {
        let number = self.sequence.number.as_deref()?;
        number.parse().ok().filter(|&number| number > 0)
    }

    /// `12/1`, as in field 28C.
    pub(super) fn name(&self) -> String {
        match (self.sequence.number.as_deref(), self.sequence.page) {
            (Some(number), Some(page)) => format!("{number}/{page}"),
            (Some(number), None) => number.to_owned(),
            (None, _) => "a page without a number".to_owned(),
        }
    }

    /// Whether the number follows the calendar (day of the year, perhaps with the year before or a count behind).
    fn is_numbered_by_day(&self, number: u64) -> bool {
        [self.opening, self.closing]
            .into_iter()
            .flatten()
            .filter_map(|balance| balance.date)
            .any(|date| {
                let day = u64::from(date.ordinal());
                let year = u64::from(date.year().unsigned_abs());
                number == day
                    || (number >= 1000 && number / 100 == day)
                    || (number % 1000 == day
                        && (number / 1000 == year || number / 1000 == year % 100))
            })
    }

    /// Whether the file says that a page follows this one.
    pub(super) fn is_continued(&self) -> bool {
        self.closing.is_some_and(|closing| closing.is_interim)
    }
}

/// Judges the first page of an account in the file.
pub(super) fn judge_first(page: &Page) -> Judgement {
    let continues = page.opening.is_some_and(|opening| opening.is_interim);
    if !continues {
        return Judgement::absent();
    }
    if page.sequence.page.is_some_and(|page| page > 1) {
        let found = format!("{}, which opens with 60M", page.name());
        return Judgement::fails(FindingCode::PageGap, "the pages before".to_owned(), found);
    }
    let message = format!(
        "{} opens with 60M: it continues a page that is not in this file",
        page.name()
    );
    Judgement {
        finding: Some((FindingCode::PageGap, message)),
        ..Judgement::absent()
    }
}

/// Judges a page by the one before it of the same account and currency.
pub(super) fn judge(before: &Page, page: &Page) -> Judgement {
    let numbers = before.number().zip(page.number());
    let mut proves = false;
    if let Some((last, this)) = numbers {
        proves = true;
        let (last_page, this_page) = (before.sequence.page, page.sequence.page);
        if this == last {
            let next = last_page.unwrap_or(1).saturating_add(1);
            if this_page != Some(next) {
                let code = if this_page.unwrap_or(0) < next {
                    FindingCode::PageRepeated
                } else {
                    FindingCode::PageGap
                };
                let number = page.sequence.number.as_deref().unwrap_or_default();
                return Judgement::fails(code, format!("{number}/{next}"), page.name());
            }
        } else {
            let follows = this == last.saturating_add(1)
                || (page.is_numbered_by_day(this)
                    && before.is_numbered_by_day(last)
                    && this > last)
                || is_new_year(before, page, this);
            let expected = if before.is_continued() {
                Some(format!(
                    "{last}/{}",
                    last_page.unwrap_or(1).saturating_add(1)
                ))
            } else if !follows {
                Some(last.saturating_add(1).to_string())
            } else if this_page.is_some_and(|page| page > 1) {
                Some(format!("{this}/1"))
            } else {
                None
            };
            if let Some(expected) = expected {
                return Judgement::fails(FindingCode::PageGap, expected, page.name());
            }
        }
    }
    let (Some(closed), Some(opened)) = (before.closing, page.opening) else {
        let verdict = if proves {
            Verdict::Holds
        } else {
            Verdict::Absent
        };
        return Judgement {
            proof: Proof {
                verdict,
                ..Proof::absent(ProofKind::PageSequence, "")
            },
            finding: None,
        };
    };
    let sum = |balance: Balance| {
        MoneySum::from_minor(
            i128::from(balance.amount.minor()),
            balance.amount.currency(),
        )
    };
    let proof = Proof::sums(ProofKind::PageSequence, "", sum(closed), sum(opened));
    let finding = proof.fails().then(|| {
        let is_again =
            numbers.is_none() && before.opening == page.opening && before.closing == page.closing;
        let code = if is_again {
            FindingCode::PageRepeated
        } else {
            FindingCode::PageGap
        };
        let message = format!(
            "{} opens with {} where the page before (line {}) closed with {}",
            page.name(),
            opened.amount,
            before.line,
            closed.amount
        );
        (code, message)
    });
    Judgement { proof, finding }
}

/// Whether the numbers begin again with a new year.
fn is_new_year(before: &Page, page: &Page, number: u64) -> bool {
    let year = |balance: Option<Balance>| Some(balance?.date?.year());
    number == 1
        && year(page.closing)
            .zip(year(before.closing))
            .is_some_and(|(this, last)| this > last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_money::{Currency, Money};

    /// `28C opening closing closing-day`, balances with `M` behind them are interim ones.
    fn page(text: &str) -> Page {
        let mut words = text.split(' ');
        let mut next = || words.next().expect("a word of the table");
        let (number, page) = match next().split_once('/') {
            Some((number, page)) => (number, page.parse().ok()),
            None => ("", None),
        };
        let (opening, closing, day) = (next(), next(), next());
        let balance = |text: &str| {
            let minor = text.trim_end_matches('M').parse().ok()?;
            let amount = Money::from_minor(minor, Currency::CNY);
            Some(Balance {
                amount,
                date: day.parse().ok(),
                is_interim: text.ends_with('M'),
            })
        };
        Page {
            sequence: Sequence {
                number: Some(number.to_owned()),
                page,
                last: None,
            },
            opening: balance(opening),
            closing: balance(closing),
            line: 1,
        }
    }

    #[test]
    fn pages_and_statements_follow_each_other_or_are_missing_or_repeated() {
        use Verdict::{Absent, Fails, Holds};
        let (gap, repeated) = (Some("page-gap"), Some("page-repeated"));
        for (name, before, this, verdict, finding) in [
            (
                "next page",
                "7/1 100 150M 2026-03-02",
                "7/2 150M 170 2026-03-02",
                Holds,
                None,
            ),
            (
                "next statement",
                "7/1 100 150 2026-03-02",
                "8/1 150 170 2026-03-03",
                Holds,
                None,
            ),
            (
                "next page, other balance",
                "7/1 100 150M 2026-03-02",
                "7/2 151M 170 2026-03-02",
                Fails,
                gap,
            ),
            (
                "missing page",
                "7/1 100 150M 2026-03-02",
                "7/3 150M 170 2026-03-02",
                Fails,
                gap,
            ),
            (
                "missing last page",
                "7/1 100 150M 2026-03-02",
                "8/1 150 170 2026-03-03",
                Fails,
                gap,
            ),
            (
                "missing first page",
                "7/1 100 150 2026-03-02",
                "8/2 150M 170 2026-03-03",
                Fails,
                gap,
            ),
            (
                "repeated page",
                "7/1 100 150M 2026-03-02",
                "7/1 100 150M 2026-03-02",
                Fails,
                repeated,
            ),
            (
                "repeated number although balances go on",
                "7/1 100 150M 2026-03-02",
                "7/1 150M 170 2026-03-02",
                Fails,
                repeated,
            ),
            (
                "missing statement",
                "7/1 100 150 2026-03-02",
                "9/1 150 170 2026-03-04",
                Fails,
                gap,
            ),
            (
                "statements out of order",
                "8/1 150 170 2026-03-03",
                "7/1 100 150 2026-03-02",
                Fails,
                gap,
            ),
            (
                "new year",
                "365/1 100 150 2025-12-31",
                "1/1 150 170 2026-01-02",
                Holds,
                None,
            ),
            (
                "new number without a new year",
                "12/1 100 150 2026-03-01",
                "1/1 150 170 2026-03-02",
                Fails,
                gap,
            ),
            (
                "numbers by day of the year",
                "61/1 100 150 2026-03-02",
                "63/1 150 170 2026-03-04",
                Holds,
                None,
            ),
            (
                "numbers by day and count",
                "23801/1 100 150 2019-08-26",
                "24101/1 150 170 2019-08-29",
                Holds,
                None,
            ),
            (
                "numbers by year and day",
                "26061/1 100 150 2026-03-02",
                "26063/1 150 170 2026-03-04",
                Holds,
                None,
            ),
            (
                "no numbers, balances go on",
                "0/1 100 150 2026-03-02",
                "0/1 150 170 2026-03-03",
                Holds,
                None,
            ),
            (
                "no numbers, balances do not",
                "0/1 100 150 2026-03-02",
                "0/1 160 170 2026-03-03",
                Fails,
                gap,
            ),
            (
                "no numbers, the same again",
                "0/1 100 150 2026-03-02",
                "0/1 100 150 2026-03-02",
                Fails,
                repeated,
            ),
            (
                "numbers without balances",
                "3/1 - - -",
                "4/1 - - -",
                Holds,
                None,
            ),
            ("neither", "0/1 - - -", "0/1 - - -", Absent, None),
        ] {
            let judgement = judge(&page(before), &page(this));
            assert_eq!(judgement.proof.verdict, verdict, "{name}");
            assert_eq!(
                judgement.finding.map(|(code, _)| code.code()),
                finding,
                "{name}"
            );
        }
    }

    #[test]
    fn a_first_page_that_continues_another_is_told() {
        for (this, verdict, finding) in [
            ("7/1 100 150 2026-03-02", Verdict::Absent, false),
            ("7/1 100M 150 2026-03-02", Verdict::Absent, true),
            ("7/2 100M 150 2026-03-02", Verdict::Fails, true),
            ("7/2 100 150 2026-03-02", Verdict::Absent, false),
        ] {
            let judgement = judge_first(&page(this));
            assert_eq!(
                (judgement.proof.verdict, judgement.finding.is_some()),
                (verdict, finding),
                "{this}"
            );
        }
    }
}
