//! Decisions of people: replayed to the same bytes, derived again by `verify`, and never a way around a proof.

use std::collections::{BTreeMap, BTreeSet};

use quanfu::report::decisions::{Wish, decision};
use quanfu::report::outcomes::{self, OutcomeRow};
use quanfu::settlement::decision::{
    Act, DecidedCause, Decision, DecisionKind, DecisionLog, DecisionMember,
};
use quanfu::settlement::{Digest, DigestAlg, Limits, Side};
use quanfu::verify::{Candidate, Verification, verify};
use quanfu::{Currency, Day, Reconciled, ResultDoc, Rules};

const RULES: &str = r#"
schema = "quanfu.rules/1"
name = "t"
calendar = "CN"
carry = { business_days = 3 }
[source.shop]
role = "order"
profile = "quanfu-orders"
[source.psp]
role = "institution"
profile = "quanfu-orders"
[[edge]]
left = "shop"
right = "psp"
[[edge.rule]]
id = "K"
pass = "unique_key"
on = ["order"]
same_status = true
window = { days = [0, 1] }
"#;
const HEAD: &str = "order_id,paid_at,amount,currency,status\n";
const AT: &str = "2026-03-05T09:00:00Z";

/// A day with its inputs, result and table.
struct Written {
    shop: String,
    psp: String,
    doc: ResultDoc,
    table: String,
}

type Ran = Result<Reconciled, quanfu::DayError>;

fn reconciled(
    (shop, psp): (&str, &str),
    log: Option<&DecisionLog>,
    after: Option<&ResultDoc>,
    as_of: &str,
    threads: usize,
) -> Ran {
    let mut day = Day::new(Rules::parse(RULES).expect("rules"))
        .file("shop", "shop.csv", shop.as_bytes())
        .file("psp", "psp.csv", psp.as_bytes())
        .as_of(as_of.parse().expect("a day"))
        .threads(threads);
    if let Some(log) = log {
        day = day.decisions(log);
    }
    if let Some(after) = after {
        day = day.after(after);
    }
    day.run()
}

fn run(shop: &str, psp: &str, log: Option<&DecisionLog>, as_of: &str, threads: usize) -> Written {
    let done = reconciled((shop, psp), log, None, as_of, threads).expect("a day");
    written(&done, shop, psp)
}

fn written(done: &Reconciled, shop: &str, psp: &str) -> Written {
    let mut table = String::new();
    done.write_table(|block| table.push_str(block));
    Written {
        shop: shop.to_owned(),
        psp: psp.to_owned(),
        doc: done.document(Some(Digest::of(DigestAlg::Sha256, table.as_bytes()))),
        table,
    }
}

impl Written {
    fn check(&self, further: &[&str]) -> Verification {
        let mut files = vec![
            Candidate::bytes("shop.csv", self.shop.as_bytes()),
            Candidate::bytes("psp.csv", self.psp.as_bytes()),
            Candidate::bytes("table.csv", self.table.as_bytes()),
        ];
        for text in further {
            files.push(Candidate::bytes("further", text.as_bytes()));
        }
        verify(&self.doc.to_json(), &files, &Limits::default()).expect("files in memory")
    }

    fn rows(&self) -> Vec<OutcomeRow> {
        let mut rows = Vec::new();
        outcomes::for_each(&self.table, |row| rows.push(row)).expect("a table");
        rows
    }

    /// Source, line, outcome, code, cause and note of every row.
    fn story(&self) -> Vec<String> {
        let rows = self.rows().into_iter();
        rows.map(|row| {
            let note = row.note.split("; ").next().unwrap_or("").split(' ').take(2);
            let note = note.collect::<Vec<_>>().join(" ");
            let note = if note == "by decision" {
                note
            } else {
                String::new()
            };
            format!(
                "{}{} {} {} {} {note}",
                row.source, row.line, row.outcome, row.code, row.cause
            )
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
        })
        .collect()
    }
}

/// A log with the text of its file.
#[derive(Clone, Default)]
struct Desk {
    log: DecisionLog,
    text: String,
}

impl Desk {
    fn propose(&mut self, decision: Decision) -> Digest {
        self.text += &self.log.propose(decision, "Li Na", AT).expect("a proposal");
        self.log.proposals().last().expect("it was just made").id
    }

    fn decide(&mut self, decision: Decision) -> bool {
        let id = self.propose(decision);
        match self.log.answer(Act::Approve, id, "Zhao Min", None, AT) {
            Ok(line) => {
                self.text += &line;
                true
            }
            Err(error) => {
                assert_eq!(error.code(), "decision-conflict", "{error}");
                false
            }
        }
    }

    fn wish(&mut self, on: &Written, kind: DecisionKind, wish: Wish<'_>) -> bool {
        let made = decision(&on.doc, Some(&on.table), kind, &wish);
        self.decide(made.expect("a decision"))
    }
}

fn day(shop: &[&str], psp: &[&str], log: Option<&DecisionLog>) -> Written {
    let text = |rows: &[&str]| {
        let rows = rows.iter().map(|row| {
            let [order, amount] = row.split(' ').collect::<Vec<_>>()[..] else {
                panic!("order and amount")
            };
            format!("{order},2026-03-02 10:00:00,{amount},CNY,paid\n")
        });
        format!("{HEAD}{}", rows.collect::<String>())
    };
    run(&text(shop), &text(psp), log, "2026-03-20", 2)
}

fn fingerprint<'w>(of: &'w Written, reference: &str) -> &'w str {
    let lists = [
        &of.doc.breaks,
        &of.doc.ambiguous,
        &of.doc.suggested,
        &of.doc.carried,
    ];
    let found = lists.into_iter().flatten().find(|position| {
        let mut members = position.members.iter();
        members.any(|member| {
            member
                .item
                .references
                .values()
                .any(|text| text == reference)
        })
    });
    &found.expect("an open position").fingerprint
}

#[test]
fn each_kind_of_decision_has_its_effect_and_no_other() {
    let shop = ["A 1.00", "B 2.00", "C 5.00", "D 7.00"];
    let psp = ["A 1.00", "X 2.00", "C 4.50", "E 0.01"];
    let before = day(&shop, &psp, None);
    assert_eq!(
        before.story(),
        [
            "shop2 confirmed",
            "shop3 break ONLY_PLATFORM",
            "shop4 break AMOUNT_CHANNEL_LESS unexplained:-0.50",
            "shop5 break ONLY_PLATFORM",
            "psp2 confirmed",
            "psp3 break ONLY_CHANNEL",
            "psp4 break AMOUNT_CHANNEL_LESS unexplained:-0.50",
            "psp5 break ONLY_CHANNEL",
        ]
    );
    let mut desk = Desk::default();
    let seen = Wish {
        reason: "seen",
        ..Wish::default()
    };
    let (b, x) = (fingerprint(&before, "B"), fingerprint(&before, "X"));
    desk.wish(
        &before,
        DecisionKind::Link,
        Wish {
            positions: vec![b, x],
            ..seen.clone()
        },
    );
    let c = fingerprint(&before, "C");
    let wish = Wish {
        positions: vec![c],
        amount: Some("-0.50"),
        cause: Some("rebate"),
        ..seen.clone()
    };
    desk.wish(&before, DecisionKind::WriteOff, wish);
    // one side only: what nobody will ever claim
    let e = fingerprint(&before, "E");
    desk.wish(
        &before,
        DecisionKind::WriteOff,
        Wish {
            positions: vec![e],
            amount: Some("0.01"),
            ..seen.clone()
        },
    );
    let group = before.rows()[0].group.clone();
    desk.wish(
        &before,
        DecisionKind::Unlink,
        Wish {
            group: Some(&group),
            ..seen.clone()
        },
    );
    let d = fingerprint(&before, "D");
    desk.wish(
        &before,
        DecisionKind::Refund,
        Wish {
            positions: vec![d],
            ..seen.clone()
        },
    );
    desk.wish(
        &before,
        DecisionKind::Assign,
        Wish {
            positions: vec![d],
            to: Some("Wang"),
            ..seen.clone()
        },
    );
    let after = day(&shop, &psp, Some(&desk.log));
    assert_eq!(
        after.story(),
        [
            "shop2 break REOPENED by decision",
            "shop3 confirmed by decision",
            "shop4 confirmed rebate:-0.50 by decision",
            "shop5 break ONLY_PLATFORM",
            "psp2 break REOPENED by decision",
            "psp3 confirmed by decision",
            "psp4 confirmed rebate:-0.50 by decision",
            "psp5 confirmed write_off:0.01 by decision",
        ]
    );
    let used = after.doc.certificate.decisions.clone().expect("decisions");
    assert_eq!((used.applied, used.not_of_this_run, used.lines), (4, 0, 12));
    assert_eq!(
        used.log,
        Digest::of(DigestAlg::Sha256, desk.text.as_bytes())
    );
    assert!(
        after.check(&[&desk.text]).holds(),
        "{:?}",
        after.check(&[&desk.text])
    );
    // what was taken apart is linked again
    let members = |row: &OutcomeRow, side| DecisionMember {
        side,
        record: row.record.parse().expect("a record"),
    };
    let rows = after.rows();
    let link = Decision {
        kind: DecisionKind::Link,
        edge: "shop-psp".into(),
        members: vec![
            members(&rows[0], Side::Left),
            members(&rows[4], Side::Right),
        ],
        positions: vec![],
        result: after.doc.certificate.body,
        to: None,
        causes: vec![],
        reason: "it was right".into(),
    };
    let old_text = desk.text.clone();
    assert!(desk.decide(link));
    let again = day(&shop, &psp, Some(&desk.log));
    assert_eq!(again.story()[0], "shop2 confirmed by decision");
    assert_eq!(
        again
            .doc
            .certificate
            .decisions
            .as_ref()
            .expect("decisions")
            .applied,
        4
    );
    assert!(again.check(&[&desk.text]).holds());
    // the longer log holds the lines of the earlier result; the shorter one lacks those of the later
    assert!(after.check(&[&desk.text]).holds());
    assert!(matches!(
        again.check(&[&old_text]),
        Verification::Incomplete(_)
    ));
}

#[test]
fn proposals_alone_and_refused_ones_change_nothing() {
    let before = day(&["A 1.00"], &["B 1.00"], None);
    let mut desk = Desk::default();
    let positions = vec![fingerprint(&before, "A"), fingerprint(&before, "B")];
    let wish = Wish {
        positions,
        reason: "seen",
        ..Wish::default()
    };
    let made = decision(&before.doc, None, DecisionKind::Link, &wish).expect("a decision");
    let first = desk.propose(made.clone());
    assert_eq!(
        day(&["A 1.00"], &["B 1.00"], Some(&desk.log)).story(),
        before.story()
    );
    desk.text += &desk
        .log
        .answer(Act::Refuse, first, "Zhao Min", None, AT)
        .expect("a refusal");
    let refused = day(&["A 1.00"], &["B 1.00"], Some(&desk.log));
    assert_eq!(refused.story(), before.story());
    assert!(refused.check(&[&desk.text]).holds());
    assert!(desk.decide(made));
    assert_ne!(
        day(&["A 1.00"], &["B 1.00"], Some(&desk.log)).story(),
        before.story()
    );
}

#[test]
fn what_the_records_do_not_bear_is_refused() {
    let before = day(&["A 1.00", "C 3.00"], &["B 1.50", "C 2.00"], None);
    let fp = |reference: &str| fingerprint(&before, reference);
    let (a, b, c) = (fp("A"), fp("B"), fp("C"));
    let seen = Wish {
        reason: "seen",
        ..Wish::default()
    };
    for (kind, wish, want) in [
        (
            DecisionKind::Link,
            Wish {
                positions: vec![a, b],
                amount: Some("0.49"),
                ..seen.clone()
            },
            "is 0.50 CNY",
        ),
        (
            DecisionKind::WriteOff,
            Wish {
                positions: vec![c],
                ..seen.clone()
            },
            "wants the amount: -1.00 CNY",
        ),
        (
            DecisionKind::WriteOff,
            Wish {
                positions: vec![c],
                amount: Some("1.00"),
                ..seen.clone()
            },
            "is -1.00 CNY",
        ),
        (
            DecisionKind::Link,
            Wish {
                positions: vec!["ffffffffffffffff"],
                ..seen.clone()
            },
            "has no open position",
        ),
        (
            DecisionKind::Link,
            Wish {
                positions: vec![c],
                records: vec!["0000"],
                ..seen.clone()
            },
            "have no record",
        ),
        (
            DecisionKind::Unlink,
            Wish {
                positions: vec![c],
                ..seen.clone()
            },
            "wants the name of a confirmed group",
        ),
        (
            DecisionKind::Unlink,
            Wish {
                group: Some(c),
                ..seen.clone()
            },
            "is break, not confirmed",
        ),
        (
            DecisionKind::Refund,
            Wish {
                positions: vec![c],
                cause: Some("x"),
                ..seen.clone()
            },
            "no cause and no amount",
        ),
    ] {
        let error = decision(&before.doc, Some(&before.table), kind, &wish).expect_err(want);
        assert!(error.message.contains(want), "{error}");
    }
    // a log made by another program: causes that are not the difference
    let mut desk = Desk::default();
    let wish = Wish {
        positions: vec![a, b],
        ..seen
    };
    let mut made = decision(&before.doc, None, DecisionKind::Link, &wish).expect("a decision");
    assert_eq!(made.causes[0].amount, "0.50");
    made.causes[0].amount = "0.49".into();
    desk.decide(made.clone());
    let inputs = (before.shop.as_str(), before.psp.as_str());
    let refused = reconciled(inputs, Some(&desk.log), None, "2026-03-20", 2);
    let error = refused.expect_err("it does not fit");
    assert_eq!(error.code(), "decision-mismatch");
    assert!(
        error
            .to_string()
            .ends_with("decision:0.49 CNY; right minus left is 0.50 CNY"),
        "{error}"
    );
    // and of another currency
    made.causes = vec![DecidedCause {
        cause: "x".into(),
        amount: "0.50".into(),
        currency: Currency::USD,
    }];
    let mut desk = Desk::default();
    desk.decide(made);
    assert!(reconciled(inputs, Some(&desk.log), None, "2026-03-20", 2).is_err());
}

#[test]
fn an_engine_that_applies_what_does_not_add_up_is_found() {
    let before = day(&["A 1.00"], &["B 1.50"], None);
    let positions = vec![fingerprint(&before, "A"), fingerprint(&before, "B")];
    let wish = Wish {
        positions,
        reason: "seen",
        ..Wish::default()
    };
    let good = decision(&before.doc, None, DecisionKind::Link, &wish).expect("a decision");
    let mut bad = good.clone();
    bad.causes[0].amount = "0.49".into();
    let (mut right, mut wrong) = (Desk::default(), Desk::default());
    assert!(right.decide(good) && wrong.decide(bad));
    let honest = day(&["A 1.00"], &["B 1.50"], Some(&right.log));
    assert!(honest.check(&[&right.text]).holds());
    // everything as it would be if the causes were not weighed
    let name = |desk: &Desk| desk.log.proposals()[0].name();
    let table = honest
        .table
        .replace("decision:0.50", "decision:0.49")
        .replace(&name(&right), &name(&wrong));
    let mut doc = honest.doc.clone();
    for line in doc.edges[0]
        .bridges
        .iter_mut()
        .flat_map(|bridge| &mut bridge.causes)
    {
        line.sum = line.sum.replace("0.50", "0.49");
    }
    // one row of each source, so the lines without their places are in the order of the outcome digest
    let lines: String = table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.splitn(4, ',').collect();
            format!("{},{}\n", cells[0], cells[3])
        })
        .collect();
    doc.certificate.outcome_digest = Digest::of(DigestAlg::Sha256, lines.as_bytes());
    doc.certificate.outcomes_table = Some(Digest::of(DigestAlg::Sha256, table.as_bytes()));
    let doc = claims(doc, |used| used.log = wrong.log.digest());
    let lie = Written {
        shop: honest.shop.clone(),
        psp: honest.psp.clone(),
        doc,
        table,
    };
    match lie.check(&[&wrong.text]) {
        Verification::Fails(fault) => assert_eq!(fault.code, "verify-decision", "{fault}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_decision_about_carried_items_closes_them_the_day_after() {
    let row = |order: &str, on: &str, amount: &str| {
        format!("{HEAD}{order},{on} 10:00:00,{amount},CNY,paid\n")
    };
    let (shop, none) = (row("A", "2026-03-02", "1.00"), HEAD.to_owned());
    let one = run(&shop, &none, None, "2026-03-02", 2);
    let psp = row("X", "2026-03-03", "1.20");
    let plain = reconciled((&none, &psp), None, Some(&one.doc), "2026-03-03", 2).expect("a day");
    let plain = written(&plain, &none, &psp);
    let mut desk = Desk::default();
    let positions = vec![fingerprint(&plain, "A"), fingerprint(&plain, "X")];
    let wish = Wish {
        positions,
        cause: Some("typed_wrong"),
        reason: "seen",
        ..Wish::default()
    };
    assert!(desk.wish(&plain, DecisionKind::Link, wish));
    let two = reconciled(
        (&none, &psp),
        Some(&desk.log),
        Some(&one.doc),
        "2026-03-03",
        2,
    )
    .expect("a day");
    let two = written(&two, &none, &psp);
    assert_eq!(
        two.story(),
        [
            "shop2 confirmed typed_wrong:0.20 by decision",
            "psp2 confirmed typed_wrong:0.20 by decision"
        ]
    );
    assert!(two.check(&[&desk.text, &one.doc.to_json()]).holds());
    // on the first day the bank's row is not there yet: the decision is told as not of that run
    let first = run(&shop, &none, Some(&desk.log), "2026-03-02", 2);
    assert_eq!(first.story(), one.story());
    let used = first.doc.certificate.decisions.clone().expect("decisions");
    assert_eq!((used.applied, used.not_of_this_run), (0, 1));
    assert!(first.check(&[&desk.text]).holds());
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<'p, T>(&mut self, from: &'p [T]) -> Option<&'p T> {
        (!from.is_empty()).then(|| &from[self.below(from.len())])
    }

    fn file(&mut self) -> String {
        let rows = (0..self.below(10)).map(|_| {
            let amount = ["1.00", "1.01", "2.50"][self.below(3)];
            let currency = ["CNY", "CNY", "CNY", "USD"][self.below(4)];
            let status = ["paid", "paid", "paid", "pending"][self.below(4)];
            let (order, day) = (self.below(7), 2 + self.below(3));
            format!("o{order},2026-03-{day:02} 10:00:00,{amount},{currency},{status}\n")
        });
        format!("{HEAD}{}", rows.collect::<String>())
    }

    /// A decision about something in a result, if there is something of its kind.
    fn decision(&mut self, on: &Written) -> Option<Decision> {
        let seen = Wish {
            reason: "seen",
            ..Wish::default()
        };
        let breaks: Vec<&str> = on
            .doc
            .breaks
            .iter()
            .map(|p| p.fingerprint.as_str())
            .collect();
        let unsure = on.doc.ambiguous.iter().chain(&on.doc.suggested);
        let unsure: Vec<&str> = unsure.map(|p| p.fingerprint.as_str()).collect();
        let groups: BTreeSet<String> = on
            .rows()
            .into_iter()
            .filter(|row| row.outcome == "confirmed")
            .map(|row| row.group)
            .collect();
        let groups: Vec<String> = groups.into_iter().collect();
        let all: Vec<&str> = breaks.iter().chain(&unsure).copied().collect();
        let (kind, wish) = match self.below(5) {
            0 => {
                let (a, b) = (*self.pick(&all)?, *self.pick(&all)?);
                (
                    DecisionKind::Link,
                    Wish {
                        positions: vec![a, b],
                        ..seen
                    },
                )
            }
            1 => (
                DecisionKind::Force,
                Wish {
                    positions: vec![*self.pick(&unsure)?],
                    ..seen
                },
            ),
            2 => {
                let positions = vec![*self.pick(&breaks)?];
                let wish = Wish { positions, ..seen };
                // the right amount is in the refusal
                let told = decision(&on.doc, None, DecisionKind::WriteOff, &wish)
                    .err()?
                    .message;
                let amount = told
                    .strip_prefix("write_off wants the amount: ")?
                    .split(' ')
                    .next()?
                    .to_owned();
                let wish = Wish {
                    amount: Some(&amount),
                    ..wish
                };
                return decision(&on.doc, None, DecisionKind::WriteOff, &wish).ok();
            }
            3 => (
                DecisionKind::Refund,
                Wish {
                    positions: vec![*self.pick(&all)?],
                    ..seen
                },
            ),
            _ => {
                let wish = Wish {
                    group: Some(self.pick(&groups)?),
                    ..seen
                };
                return decision(&on.doc, Some(&on.table), DecisionKind::Unlink, &wish).ok();
            }
        };
        decision(&on.doc, None, kind, &wish).ok()
    }
}

/// What `certificate` says of the log is computed anew, as a lying engine would.
fn claims(
    mut doc: ResultDoc,
    change: impl FnOnce(&mut quanfu::settlement::result::Decisions),
) -> ResultDoc {
    change(doc.certificate.decisions.as_mut().expect("decisions"));
    doc.sealed()
}

#[test]
fn laws_hold_for_many_days_with_many_decisions() {
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut applied, mut lies) = (0, 0);
    for seed in 1..400u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (shop, psp) = (dice.file(), dice.file());
        let as_of = ["2026-03-04", "2026-03-20"][dice.below(2)];
        let before = run(&shop, &psp, None, as_of, 2);
        let mut desk = Desk::default();
        let mut latest = run(&shop, &psp, None, as_of, 2);
        for _ in 0..dice.below(6) {
            let Some(made) = dice.decision(&latest) else {
                continue;
            };
            let kind = made.kind.code();
            let is_one_sided = made
                .members
                .iter()
                .all(|member| member.side == made.members[0].side);
            if is_one_sided && matches!(made.kind, DecisionKind::Link | DecisionKind::Force) {
                assert!(desk.log.clone().propose(made, "Li Na", AT).is_err());
                continue;
            }
            let answered = if dice.below(4) > 0 {
                desk.decide(made)
            } else {
                desk.propose(made);
                false
            };
            *kinds.entry(kind).or_default() += u64::from(answered);
            if dice.below(2) == 0 {
                // what is decided next is about a result that has the decisions so far
                latest = run(&shop, &psp, Some(&desk.log), as_of, 2);
            }
        }
        let after = run(&shop, &psp, Some(&desk.log), as_of, 2);
        let used = after.doc.certificate.decisions.clone().expect("decisions");
        applied += used.applied;
        // replaying log and inputs gives the same bytes
        let read = DecisionLog::parse(&desk.text).expect("the log");
        let replayed = run(&shop, &psp, Some(&read), as_of, 1 + dice.below(8));
        assert_eq!(replayed.doc.to_json(), after.doc.to_json(), "seed {seed}");
        assert_eq!(replayed.table, after.table, "seed {seed}");
        // derived again
        let holds = after.check(&[&desk.text]);
        assert!(holds.holds(), "seed {seed}: {holds:?}\n{}", desk.text);
        // nothing is lost and no sum changed
        for (old, new) in before.doc.sources.iter().zip(&after.doc.sources) {
            assert_eq!(old, new, "seed {seed}");
        }
        // who was taken apart and not linked again is alone
        let rows = after.rows();
        let record = |side: Side, id: &str| {
            let source = if side == Side::Left { "shop" } else { "psp" };
            rows.iter()
                .find(|row| row.source == source && row.record == id)
        };
        let mut last: BTreeMap<(Side, String), DecisionKind> = BTreeMap::new();
        for proposal in desk
            .log
            .approved()
            .filter(|proposal| proposal.decision.kind.matters())
        {
            for member in &proposal.decision.members {
                last.insert(
                    (member.side, member.record.to_string()),
                    proposal.decision.kind,
                );
            }
        }
        for ((side, id), kind) in last {
            let row = record(side, &id).expect("a record of the run");
            let mates = rows.iter().filter(|mate| mate.group == row.group).count();
            if kind == DecisionKind::Unlink {
                assert_eq!(
                    (row.code.as_str(), mates),
                    ("REOPENED", 1),
                    "seed {seed}: {id}"
                );
            } else {
                assert_eq!(row.outcome, "confirmed", "seed {seed}: {id}");
            }
            assert!(row.note.starts_with("by decision "), "seed {seed}: {id}");
        }
        if used.applied == 0 {
            continue;
        }
        lies += 1;
        let refuses = |doc: ResultDoc, table: &str, logs: &[&str], what: &str| {
            let lie = Written {
                shop: shop.clone(),
                psp: psp.clone(),
                doc,
                table: table.to_owned(),
            };
            let answer = lie.check(logs);
            assert!(!answer.holds(), "seed {seed}: {what}");
            answer
        };
        // the log is not among the files
        let answer = refuses(after.doc.clone(), &after.table, &[], "no log");
        assert!(matches!(answer, Verification::Incomplete(_)));
        // a result that does not say that it used one
        let mut doc = after.doc.clone();
        doc.certificate.decisions = None;
        refuses(
            doc.clone().sealed(),
            &after.table,
            &[],
            "decisions in secret",
        );
        refuses(
            doc.sealed(),
            &after.table,
            &[&desk.text],
            "decisions in secret",
        );
        // counts
        let doc = claims(after.doc.clone(), |used| used.applied += 1);
        refuses(doc, &after.table, &[&desk.text], "one more applied");
        let doc = claims(after.doc.clone(), |used| used.not_of_this_run += 1);
        refuses(doc, &after.table, &[&desk.text], "one more left out");
        // a result of the rules alone under the log's name, and one of the log under another's
        let mut doc = before.doc.clone();
        doc.certificate.decisions = Some(used.clone());
        refuses(
            doc.sealed(),
            &before.table,
            &[&desk.text],
            "the log was not applied",
        );
        let other = DecisionLog::default();
        let doc = claims(after.doc.clone(), |used| {
            (used.lines, used.log, used.applied) = (0, other.digest(), 0);
            used.not_of_this_run = 0;
        });
        refuses(doc, &after.table, &[], "an empty log");
        // approvals taken out: the same proposals, never approved
        let first = desk.text.lines().next().expect("a line");
        let other = format!("{first}\n");
        let doc = claims(after.doc.clone(), |used| {
            (used.lines, used.log) = (1, Digest::of(DigestAlg::Sha256, other.as_bytes()));
        });
        refuses(doc, &after.table, &[&other], "only proposals");
    }
    for kind in ["link", "force", "write_off", "unlink", "refund"] {
        assert!(kinds.get(kind).copied().unwrap_or(0) > 10, "{kinds:?}");
    }
    assert!(applied > 100 && lies > 80, "{applied} {lies} {kinds:?}");
}
