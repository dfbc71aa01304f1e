//! Random operations, against a model that has next to no code.

mod common;

use common::{Folder, Place, Random, note, places, rounds, stamp};
use quanfu_store::{Alg, Document, Head, Key, Store};

/// What a file holds, byte by byte; a server is asked for its events instead.
fn content(place: &Place) -> Vec<u8> {
    match place {
        Place::File(path) => {
            let mut all = std::fs::read(path).expect("the file");
            // a refused write may have touched the index of the journal, never the journal
            all.extend(std::fs::read(format!("{}-wal", path.display())).unwrap_or_default());
            all
        }
        #[cfg(feature = "postgres")]
        Place::Database(_) => {
            let events = place.open().expect("a store").events().expect("events");
            format!("{events:?}").into_bytes()
        }
    }
}

#[test]
fn random_operations_agree_with_a_model_and_refused_ones_leave_no_trace() {
    let all = rounds("QUANFU_OPERATIONS", 10_000);
    let first = rounds("QUANFU_SEED", 20_260_302);
    for round in 0..all / EACH {
        let folder = Folder::new("model");
        for place in places(&folder, "model") {
            // a server takes longer to answer
            if matches!(place, Place::File(_)) || round % 5 == 0 {
                one_round(&place, first + round);
            }
        }
    }
    println!("{all} operations in all");
}

/// Operations on one store.
const EACH: u64 = 2_000;

fn one_round(place: &Place, seed: u64) {
    #[derive(Clone)]
    struct Known {
        number: u64,
        until: Option<u64>,
        erased: bool,
    }
    let keyed = |store: Store| store.keyed(Key::new(&[9; 32]).expect("a key"));
    let mut store = keyed(place.create(Alg::Sha256));
    let mut random = Random(seed);
    let mut model: Vec<Known> = Vec::new();
    let mut heads: Vec<Head> = Vec::new();
    let mut events = 1;
    let day = |number: u64| format!("20{:02}-12-31", 26 + number);
    let person = |number: u64, until: Option<u64>| {
        let text = format!(
            r#"{{"schema":"made-up.filing/1","number":"{number}","id_number":"1101051949{number:08}"}}"#
        );
        let document = Document::parse(&text).expect("one");
        match until {
            Some(until) => document.retained_until(day(until).parse().expect("a day")),
            None => document,
        }
    };
    for step in 0..EACH {
        match random.below(12) {
            0..=4 => {
                let number = random.below(EACH / 2);
                let until = (random.below(3) > 0).then(|| random.below(10));
                let done = store
                    .remember(&[person(number, until)], &stamp())
                    .expect("remembered");
                let is_new = !model.iter().any(|known| known.number == number);
                assert_eq!(done[0].is_new, is_new, "seed {seed}, step {step}");
                if is_new {
                    model.push(Known {
                        number,
                        until,
                        erased: false,
                    });
                    events += 1;
                }
            }
            5 if random.below(20) == 0 => {
                let until = random.below(10);
                let due =
                    |known: &Known| !known.erased && known.until.is_some_and(|day| day <= until);
                let want = model.iter().filter(|known| due(known)).count();
                let purged = store
                    .purge(day(until).parse().expect("a day"), &stamp())
                    .expect("purged");
                assert_eq!(purged.values, want, "seed {seed}, step {step}");
                model
                    .iter_mut()
                    .filter(|known| due(known))
                    .for_each(|known| known.erased = true);
                events += i64::from(want > 0);
            }
            6 | 7 => {
                let before = (store.head().expect("a head"), content(place));
                let number = EACH + step;
                let refused = match random.below(3) {
                    0 => place
                        .open()
                        .expect("a store")
                        .remember(&[person(number, None)], &stamp())
                        .is_err(),
                    1 => {
                        let marked = r#"{"schema":"a/1","id_number":"x","b":"\u0001personal:0"}"#;
                        let marked = Document::parse(marked).expect("it is JSON");
                        store.remember(&[note(number), marked], &stamp()).is_err()
                    }
                    _ => {
                        let number_in_place = r#"{"schema":"a/1","id_number":110105194912310021}"#;
                        let document = Document::parse(number_in_place).expect("it is JSON");
                        store.remember(&[note(number), document], &stamp()).is_err()
                    }
                };
                assert!(refused);
                let after = (store.head().expect("a head"), content(place));
                assert_eq!(
                    after, before,
                    "seed {seed}, step {step}: a refusal left a trace"
                );
            }
            8 if random.below(10) == 0 => store = keyed(place.open().expect("a store")),
            9 if random.below(10) == 0 => heads.push(store.head().expect("a head")),
            _ => {
                let Some(known) = model.get(random.below(model.len().max(1) as u64) as usize)
                else {
                    continue;
                };
                let text = store
                    .document(&known.number.to_string())
                    .expect("it is there");
                assert_eq!(
                    text.contains("\"id_number\":\"*\""),
                    known.erased,
                    "seed {seed}, step {step}"
                );
            }
        }
        assert_eq!(
            store.head().expect("a head").events,
            events,
            "seed {seed}, step {step}"
        );
    }
    for head in &heads {
        store.audit(Some(head)).expect("it goes on from every head");
    }
    assert_eq!(store.documents().expect("documents").len(), model.len());
}
