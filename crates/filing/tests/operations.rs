//! Random lives of records against a small model that shares nothing with them.
//!
//! `QUANFU_OPERATIONS` sets the number of operations; 10,000 unless it is set.

use quanfu_calendar::Date;
use quanfu_filing::*;
use quanfu_settlement::{Digest, DigestAlg};

/// Numbers that look random, the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }
}

/// What the model knows of a record: small numbers only. Days are those after `2026-01-01`.
#[derive(Debug, Default)]
struct Model {
    is_signed: bool,
    is_started: bool,
    is_over: bool,
    /// 0 open, 1 filed, 2 accepted, 3 returned.
    progress: u8,
    forward: Option<u64>,
    signed: u64,
    started: u64,
    cause: u64,
    filed: u64,
    until: u64,
    papers: u64,
    matters: usize,
}

impl Model {
    fn is_open(&self) -> bool {
        matches!(self.progress, 0 | 3)
    }

    fn runs(&self) -> bool {
        self.is_signed && !self.is_over
    }

    /// The code with which an operation is refused; `None`: it happens.
    fn refuses(&self, act: u64, who: u64, on: u64, until: u64, same: bool) -> Option<&'static str> {
        let state = |legal: bool| (!legal).then_some("filing-state");
        let order = |legal: bool| (!legal).then_some("filing-day");
        match act {
            0 => state(self.is_open()),
            1 => state(!self.is_signed),
            2 => state(self.is_signed && !self.is_started && !self.is_over)
                .or(order(on >= self.signed)),
            3 if self.papers < 2 => Some("filing-incomplete"),
            3 => state(self.is_signed && self.is_open() && self.forward.is_none()),
            4 if self.papers < 2 => Some("filing-incomplete"),
            4 => state(self.forward.is_some())
                .or((self.forward == Some(who)).then_some("filing-person"))
                .or((!same).then_some("filing-content"))
                .or(order(on >= self.signed && on >= self.cause)),
            5 | 6 => state(self.progress == 1).or(order(on >= self.filed)),
            7 => state(self.runs() && self.progress == 2).or(order(on >= self.signed)),
            8 => state(self.runs() && self.progress == 2).or(order(
                on >= self.signed && until >= on && until >= self.until,
            )),
            9 => state(self.runs()).or(order(on >= self.signed && on >= self.started)),
            _ => Some("filing-state"),
        }
    }

    fn happens(&mut self, act: u64, who: u64, on: u64, until: u64, papers: u64) {
        match act {
            0 => (self.forward, self.papers, self.until) = (None, papers, 0),
            1 => (self.is_signed, self.signed) = (true, on),
            2 => (self.is_started, self.started) = (true, on),
            3 => self.forward = Some(who),
            4 => (self.forward, self.progress, self.filed) = (None, 1, on),
            5 => self.progress = 2,
            6 => self.progress = 3,
            7 => {
                (self.progress, self.cause, self.papers, self.until) = (0, on, papers, 0);
                self.matters += 1;
            }
            8 => {
                (self.progress, self.cause, self.until) = (0, on, until);
                self.matters += 1;
            }
            _ => {
                (self.is_over, self.progress, self.cause, self.forward) = (true, 0, on, None);
                self.matters += 1;
            }
        }
    }
}

fn content(papers: u64, tag: u64) -> Box<Content> {
    let mut content = Content::default();
    content.bank.name = "Made-up Bank".into();
    content.institution.name = format!("Made-up Pay {tag}");
    content.agreement.number = "A-1".into();
    let kinds = ["agreement", "internal_control"].into_iter();
    content.attachments = kinds
        .take(papers as usize)
        .map(|kind| Attachment {
            kind: kind.into(),
            name: format!("{kind}.pdf"),
            bytes: tag,
            digest: Digest::of(DigestAlg::Sha256, format!("{kind}{tag}").as_bytes()),
        })
        .collect();
    Box::new(content)
}

#[test]
fn random_operations_happen_or_are_refused_as_a_small_model_says() {
    let operations: u64 = std::env::var("QUANFU_OPERATIONS").map_or(10_000, |text| {
        text.parse().expect("QUANFU_OPERATIONS is a number")
    });
    let rules = Programme::shipped();
    let rules = rules.iter().find(|known| known.id == "example-5wd");
    let rules = rules.expect("a programme of ours");
    let first: Date = "2026-01-01".parse().expect("a day");
    let day = |n: u64| first.iter_days().nth(n as usize).expect("a day");
    // two persons in three spellings
    let names = ["Li Na", "Zhao Min", "ＬＩ　 na "];
    let mut dice = Dice(20_260_101);
    let mut counts = std::collections::BTreeMap::<(&str, &str), u64>::new();
    let mut done = 0;
    while done < operations {
        let papers = dice.below(3);
        let mut filing =
            Filing::new(rules, "JN-1", *content(papers, 0), first, names[0]).expect("a record");
        let mut model = Model {
            papers,
            matters: 1,
            ..Model::default()
        };
        let mut now = 0;
        for _ in 0..24 {
            done += 1;
            // a quarter of the acts at random, the others the one that a life would go on with
            let act = match (dice.below(4), &model) {
                (0, _) => dice.below(11),
                (
                    _,
                    Model {
                        is_signed: false, ..
                    },
                ) => 1,
                (_, Model { papers: ..2, .. }) => 0,
                (
                    1,
                    Model {
                        is_started: false, ..
                    },
                ) => 2,
                (
                    _,
                    Model {
                        forward: Some(_), ..
                    },
                ) => 4,
                (_, Model { progress: 1, .. }) => 5 + dice.below(2),
                (1, Model { progress: 2, .. }) => 9,
                (_, Model { progress: 2, .. }) => 7 + dice.below(2),
                _ => 3,
            };
            let who = dice.below(3);
            // time goes on, and sometimes back
            now += dice.below(3);
            let on = if dice.below(8) == 0 {
                dice.below(now + 1)
            } else {
                now
            };
            let until = dice.below(60);
            let papers = if dice.below(4) == 0 { dice.below(3) } else { 2 };
            let (tag, same) = (dice.below(3), dice.below(8) > 0);
            let released = if same {
                filing.state().content
            } else {
                Digest::of(DigestAlg::Sha256, b"another")
            };
            let wish = match act {
                0 => Act::Edit {
                    content: content(papers, tag),
                },
                1 => Act::Sign,
                2 => Act::Start,
                3 => Act::Submit,
                4 => Act::Approve { content: released },
                5 => Act::Accept {
                    receipt: "R".into(),
                },
                6 => Act::Return { reason: "r".into() },
                7 => Act::Change {
                    content: content(papers, tag),
                },
                8 => Act::Renew { until: day(until) },
                9 => Act::Terminate { reason: "t".into() },
                _ => Act::New {
                    number: "JN-1".into(),
                    programme: rules.id.clone(),
                    content: content(2, 0),
                },
            };
            let name = wish.name();
            let before = filing.to_json();
            let came = filing.apply(rules, wish, day(on), names[who as usize]);
            let came = came.err().map(|refusal| refusal.code());
            let want = model.refuses(act, who % 2, on, until, same);
            assert_eq!(came, want, "operation {done}: {name}, {model:?}");
            *counts.entry((name, came.unwrap_or("done"))).or_default() += 1;
            if came.is_some() {
                assert_eq!(filing.to_json(), before, "operation {done}: {name}");
                continue;
            }
            model.happens(act, who % 2, on, until, papers);
            let courses = filing.state().courses().count();
            assert_eq!(courses, model.matters, "operation {done}: {name}");
        }
        let text = filing.to_json();
        let read = Filing::from_json(&text).expect("what was written is read");
        assert_eq!((read.to_json(), &read), (text, &filing));
        // each filing was put forward by one person and released by another
        let mut forward = None;
        for event in filing.events() {
            let person = u64::from(event.by.reveal() == names[1]);
            match event.act {
                Act::Submit => forward = Some(person),
                Act::Approve { .. } => assert_eq!(forward, Some(1 - person), "event {}", event.seq),
                _ => {}
            }
        }
    }
    println!("{done} operations: {counts:#?}");
    if operations >= 10_000 {
        let missing: Vec<_> = [
            ("approve", "filing-person"),
            ("approve", "filing-content"),
            ("approve", "filing-day"),
            ("approve", "filing-state"),
            ("submit", "filing-incomplete"),
            ("renew", "filing-day"),
            ("start", "filing-day"),
            ("accept", "filing-day"),
            ("terminate", "done"),
            ("change", "done"),
            ("renew", "done"),
            ("return", "done"),
            ("new", "filing-state"),
        ]
        .into_iter()
        .filter(|key| !counts.contains_key(key))
        .collect();
        assert_eq!(missing, []);
    }
}
