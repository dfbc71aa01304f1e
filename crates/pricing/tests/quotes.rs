//! What can happen to a quote, told a second time by a small model.

mod common;

use common::{dollar, item, money, rules};
use proptest::prelude::*;
use quanfu_pricing::{
    Instant, PartKind, PriceQuote, QuoteAction, QuoteError, QuoteState, QuoteTerms, Receipt,
};

const ACTIONS: [QuoteAction; 5] = QuoteAction::ALL;

fn at(second: u32) -> Instant {
    let start: Instant = "2026-03-02T09:00:00+08:00".parse().expect("an instant");
    start.plus(second).expect("soon after")
}

/// A quote made at second 0.
fn quote(valid_seconds: u32, lock_seconds: u32, uses: u32) -> PriceQuote {
    let price = rules("[buyer.USD]\nmarkup_bps = 150")
        .foreign(&item("199.00 CNY", ""), &dollar("7.1526"))
        .expect("a price");
    let terms = QuoteTerms {
        valid_seconds,
        lock_seconds,
        uses,
    };
    PriceQuote::new("Q1", price, terms, at(0)).expect("a quote")
}

#[test]
fn a_quote_goes_its_way_or_says_why_it_cannot() {
    use QuoteAction::{Cancel, Expire, Firm, Lock, Use};
    type Way<'a> = &'a [(QuoteAction, u32)];
    let cases: [(u32, Way<'_>, Result<QuoteState, &str>); 16] = [
        (
            1,
            &[(Firm, 0), (Lock, 59), (Use, 158)],
            Ok(QuoteState::Used),
        ),
        (
            1,
            &[(Firm, 0), (Lock, 60)],
            Err(
                "quote Q1 cannot lock at 2026-03-02T09:01:00+08:00: it lasted until 2026-03-02T09:01:00+08:00",
            ),
        ),
        (
            1,
            &[(Firm, 60)],
            Err(
                "quote Q1 cannot firm at 2026-03-02T09:01:00+08:00: it lasted until 2026-03-02T09:01:00+08:00",
            ),
        ),
        (
            1,
            &[(Firm, 0), (Lock, 59), (Use, 159)],
            Err(
                "quote Q1 cannot use at 2026-03-02T09:02:39+08:00: it lasted until 2026-03-02T09:02:39+08:00",
            ),
        ),
        (
            1,
            &[(Lock, 0)],
            Err("quote Q1 is indicative and cannot lock"),
        ),
        (1, &[(Use, 0)], Err("quote Q1 is indicative and cannot use")),
        (
            1,
            &[(Firm, 0), (Use, 1)],
            Err("quote Q1 is firm and cannot use"),
        ),
        (
            1,
            &[(Firm, 0), (Firm, 1)],
            Err("quote Q1 is firm and cannot firm"),
        ),
        (
            1,
            &[(Firm, 9), (Lock, 8)],
            Err(
                "quote Q1 cannot lock at 2026-03-02T09:00:08+08:00: it last changed at 2026-03-02T09:00:09+08:00",
            ),
        ),
        (
            1,
            &[(Firm, 0), (Lock, 1), (Use, 2), (Use, 3)],
            Err("quote Q1 is used and cannot use"),
        ),
        (
            1,
            &[(Firm, 0), (Lock, 1), (Use, 2), (Cancel, 3)],
            Err("quote Q1 is used and cannot cancel"),
        ),
        (2, &[(Firm, 0), (Lock, 1), (Use, 2)], Ok(QuoteState::Locked)),
        (
            2,
            &[(Firm, 0), (Lock, 1), (Use, 2), (Use, 3), (Use, 4)],
            Err("quote Q1 is used and cannot use"),
        ),
        (
            1,
            &[(Expire, 59)],
            Err(
                "quote Q1 does not expire at 2026-03-02T09:00:59+08:00: it lasts until 2026-03-02T09:01:00+08:00",
            ),
        ),
        (1, &[(Firm, 0), (Expire, 60)], Ok(QuoteState::Expired)),
        (
            1,
            &[(Firm, 0), (Lock, 1), (Cancel, 500)],
            Ok(QuoteState::Cancelled),
        ),
    ];
    for (uses, way, want) in cases {
        let mut quote = quote(60, 100, uses);
        let (last, before) = way.split_last().expect("a way");
        for &(action, second) in before {
            quote
                .apply(action, at(second))
                .expect("the way until then is right");
        }
        let was = quote.clone();
        let found = quote.apply(last.0, at(last.1));
        match (&found, want) {
            (Ok(state), Ok(want)) => assert_eq!((*state, quote.state()), (want, want)),
            (Err(error), Err(want)) => {
                assert_eq!(error.to_string(), want);
                assert!(QuoteError::CODES.contains(&error.code()));
                assert_eq!(quote, was, "what cannot be leaves the quote as it was");
            }
            _ => panic!("{way:?}: {found:?} where {want:?} was wanted"),
        }
    }
}

#[test]
fn what_was_used_is_tied_to_its_price_and_nothing_else_is() {
    let mut quote = quote(60, 100, 1);
    let settled = Receipt {
        rate: dollar("7.0601"),
        fees: money("0.00 CNY"),
        received: money("199.38 CNY"),
    };
    let error = quote.tie(&settled).map_err(|error| error.to_string());
    assert_eq!(
        error,
        Err("quote Q1 is indicative and was never used: there is nothing to settle".into())
    );
    for (action, second) in [
        (QuoteAction::Firm, 0),
        (QuoteAction::Lock, 1),
        (QuoteAction::Use, 2),
    ] {
        quote.apply(action, at(second)).expect("the way of a quote");
    }
    // 28.24 dollars: 201.99 at the quote's rate, 199.38 at the settlement's.
    let tie = quote.tie(&settled).expect("it was used");
    assert_eq!(tie.part(PartKind::FxDifference), money("-2.61 CNY"));
    assert_eq!(tie.part(PartKind::Unexplained), money("0.00 CNY"));
    let json = serde_json::to_value(&quote).expect("serialises");
    assert_eq!(
        (&json["state"], &json["valid_until"]),
        (&"used".into(), &"2026-03-02T09:01:41+08:00".into())
    );
}

/// The model: what is allowed where, by a table, and three numbers.
struct Model {
    state: &'static str,
    until: u32,
    last: u32,
    used: u32,
}

impl Model {
    const ALLOWED: [(&'static str, &'static str, &'static str); 9] = [
        ("indicative", "firm", "firm"),
        ("indicative", "expire", "expired"),
        ("indicative", "cancel", "cancelled"),
        ("firm", "lock", "locked"),
        ("firm", "expire", "expired"),
        ("firm", "cancel", "cancelled"),
        ("locked", "use", "used"),
        ("locked", "expire", "expired"),
        ("locked", "cancel", "cancelled"),
    ];

    fn apply(&mut self, action: &str, second: u32, lock: u32, uses: u32) -> bool {
        let Some((.., next)) = Self::ALLOWED
            .iter()
            .find(|(from, what, _)| *from == self.state && *what == action)
        else {
            return false;
        };
        let over = second >= self.until;
        if second < self.last || (action == "expire") != over && action != "cancel" {
            return false;
        }
        match action {
            "lock" => self.until = second + lock,
            "use" => self.used += 1,
            _ => {}
        }
        self.last = second;
        if action != "use" || self.used == uses {
            self.state = next;
        }
        true
    }
}

proptest! {
    #[test]
    fn a_quote_does_what_the_model_does(
        valid in 1_u32..60, lock in 1_u32..60, uses in 1_u32..4,
        steps in prop::collection::vec((0_usize..5, 0_u32..12, any::<bool>()), 0..14),
    ) {
        let mut quote = quote(valid, lock, uses);
        let mut model = Model { state: "indicative", until: valid, last: 0, used: 0 };
        let mut second = 0;
        for (action, later, back) in steps {
            let action = ACTIONS[action];
            second += later;
            let when = if back { second / 2 } else { second };
            let before = quote.clone();
            let done = quote.apply(action, at(when)).is_ok();
            prop_assert_eq!(done, model.apply(action.name(), when, lock, uses), "{} at {}", action, when);
            if !done {
                prop_assert_eq!(&quote, &before);
            }
            prop_assert_eq!(quote.state().name(), model.state);
            prop_assert_eq!(quote.uses(), (uses, model.used));
            prop_assert!(model.used <= uses);
        }
    }
}
