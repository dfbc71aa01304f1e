//! Writers that are killed, whose disk refuses, or that write at once: nothing acknowledged is lost, nothing is torn.

mod common;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use common::{
    COPY, Folder, Place, Random, acknowledged, note, notes, places, rounds, skipped, stamp,
    write_if_asked, writer,
};
use quanfu_store::Alg;

#[test]
fn writer_of_its_own() {
    write_if_asked();
}

/// Opens and audits a store after something happened to its writer, and looks for what was acknowledged.
fn holds(place: &Place, acks: &BTreeSet<u64>, what: &str) {
    let mut store = place
        .open()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    store
        .audit(None)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let found: Vec<u64> = notes(&mut store);
    let set: BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!(set.len(), found.len(), "{what}: a note is there twice");
    let lost: Vec<_> = acks.difference(&set).collect();
    assert!(lost.is_empty(), "{what}: acknowledged and lost: {lost:?}");
}

/// Kills writers, so many at a time, each after a while of its own.
fn kill(place: &Place, kills: u64, at_once: u64) {
    drop(place.create(Alg::Sha256));
    let mut random = Random(20_170_125 + at_once);
    let (mut acks, mut at_work) = (BTreeSet::new(), 0);
    let mut killed = 0;
    while killed < kills {
        let start = |number: u64| writer(place, (killed + number) * 100_000, 100_000, &[]);
        let children: Vec<_> = (0..at_once.min(kills - killed)).map(start).collect();
        for mut child in children {
            std::thread::sleep(Duration::from_micros(random.below(60_000)));
            child.kill().expect("the writer is killed");
            let (acked, done) = acknowledged(&mut child);
            child.wait().expect("the writer ends");
            assert!(!done);
            at_work += u64::from(!acked.is_empty());
            acks.extend(acked);
            killed += 1;
        }
        if killed % 10 == 0 || kills <= 50 {
            holds(place, &acks, &format!("after {killed} kills"));
        }
    }
    holds(place, &acks, "the end");
    println!(
        "{kills} kills of {at_once} at once, {at_work} of them at work, {} notes acknowledged, none lost: {}",
        acks.len(),
        place.text()
    );
    assert!(
        at_work > kills / 5,
        "the writers were killed before they wrote: {at_work} of {kills}"
    );
}

#[test]
fn a_writer_killed_at_any_instant_loses_nothing_that_it_acknowledged() {
    let folder = Folder::new("kill");
    for place in places(&folder, "kill") {
        kill(&place, rounds("QUANFU_KILLS", 50), 1);
    }
}

#[test]
fn of_several_writers_killed_none_loses_what_it_acknowledged() {
    let folder = Folder::new("kill-many");
    for place in places(&folder, "kill_many") {
        kill(&place, rounds("QUANFU_KILLS", 50), 5);
    }
}

#[test]
fn eight_processes_appending_at_once_leave_a_chain_without_gaps() {
    let folder = Folder::new("race");
    for place in places(&folder, "race") {
        drop(place.create(Alg::Sha256));
        let each = rounds("QUANFU_RACE", 40);
        let start = |number: u64| writer(&place, number * 1_000_000, each, &[]);
        let mut children: Vec<_> = (0..8).map(start).collect();
        let mut acks = BTreeSet::new();
        for child in &mut children {
            let (acked, done) = acknowledged(child);
            assert!(done, "a writer did not come to its end");
            acks.extend(acked);
            child.wait().expect("the writer ends");
        }
        assert_eq!(acks.len() as u64, 8 * each);
        holds(&place, &acks, "eight writers");
        let audited = place.open().expect("a store").audit(None);
        assert_eq!(audited.expect("it holds").events as u64, 8 * each + 1);
    }
}

#[test]
fn eight_hands_making_the_store_at_once_make_one() {
    for round in 0..rounds("QUANFU_BIRTHS", 20) {
        let folder = Folder::new("birth");
        for place in &places(&folder, "birth") {
            std::thread::scope(|scope| {
                for number in 0..8 {
                    scope.spawn(move || {
                        let mut store = place.create(Alg::Sha256);
                        let done = store.remember(&[note(number)], &stamp());
                        done.expect("remembered");
                    });
                }
            });
            let audited = place.open().expect("a store").audit(None);
            assert_eq!(audited.expect("it holds").events, 9, "round {round}");
        }
    }
}

/// Calls of the operating system, by what they do; a name of the library's choosing stands beside its sister.
const CALLS: &[&str] = &[
    "write,pwrite64",
    "fsync,fdatasync",
    "openat,open",
    "ftruncate",
    "rename,renameat,renameat2",
    "unlink,unlinkat",
];

#[test]
fn a_disk_that_refuses_gets_no_acknowledgement_out_of_a_writer() {
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("there is no strace here, so no write, fsync or open was made to fail");
        return;
    }
    let folder = Folder::new("faults");
    let deep = rounds("QUANFU_FAULTS", 5);
    let (mut hit, mut runs, mut from) = (0, 0, 0);
    for calls in CALLS {
        for error in ["ENOSPC", "EIO"] {
            for ever in ["", "+"] {
                let name = calls.split(',').next().unwrap_or_default();
                let path = folder.file(&format!("{name}-{error}-{}.db", ever.len()));
                let place = Place::File(path);
                drop(place.create(Alg::Sha256));
                let file = place.text();
                let mut acks = BTreeSet::new();
                for k in 1..=deep {
                    from += 100;
                    let mut below: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"]
                        .map(String::from)
                        .to_vec();
                    for suffix in ["", "-wal", "-shm", "-journal"] {
                        below.extend(["-P".to_owned(), format!("{file}{suffix}")]);
                    }
                    // a call that this machine does not have is passed over
                    let calls = calls.replace(',', ",?");
                    below.extend(["-e".to_owned(), format!("trace=?{calls}")]);
                    below.extend([
                        "-e".to_owned(),
                        format!("inject=?{calls}:error={error}:when={k}{ever}"),
                    ]);
                    let mut child = writer(&place, from, 4, &below);
                    let (acked, done) = acknowledged(&mut child);
                    let output = child.wait_with_output().expect("the writer ends");
                    let what = format!("{name} {k}{ever} {error}");
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(done && !said.contains("panicked"), "{what}: {said}");
                    runs += 1;
                    hit += u64::from(acked.len() < 4);
                    acks.extend(acked);
                    holds(&place, &acks, &what);
                }
            }
        }
    }
    println!("{hit} of {runs} runs had a call refused that mattered; none lied");
    assert!(hit > 10, "nothing was made to fail: {hit}");
}

/// The command line's part: the making of a store and of a copy, which opens, renames and syncs more than a writer does.
#[test]
fn a_disk_that_refuses_while_a_store_or_a_copy_is_made_leaves_a_whole_one_or_none() {
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("there is no strace here, so no rename was made to fail");
        return;
    }
    let folder = Folder::new("faults-copy");
    let deep = rounds("QUANFU_FAULTS", 5);
    let (mut hit, mut runs) = (0, 0);
    for calls in CALLS {
        for error in ["ENOSPC", "EIO"] {
            for ever in ["", "+"] {
                for k in 1..=deep {
                    let name = calls.split(',').next().unwrap_or_default();
                    let inner =
                        Folder::within(&folder, &format!("{name}-{error}-{}-{k}", ever.len()));
                    let place = Place::File(inner.file("memory.db"));
                    let calls = calls.replace(',', ",?");
                    let mut below: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"]
                        .map(String::from)
                        .to_vec();
                    let mut watched = vec![inner.file("")];
                    for file in ["memory.db", "copy.db", ".copy.db.part"] {
                        for suffix in ["", "-wal", "-shm", "-journal"] {
                            watched.push(inner.file(&format!("{file}{suffix}")));
                        }
                    }
                    for path in watched {
                        let path = path.display().to_string();
                        below.extend(["-P".to_owned(), path.trim_end_matches('/').to_owned()]);
                    }
                    below.extend(["-e".to_owned(), format!("trace=?{calls}")]);
                    below.extend([
                        "-e".to_owned(),
                        format!("inject=?{calls}:error={error}:when={k}{ever}"),
                    ]);
                    let mut child = writer(&place, COPY, 1, &below);
                    let (acked, done) = acknowledged(&mut child);
                    let output = child.wait_with_output().expect("the writer ends");
                    let what = format!("{name} {k}{ever} {error}");
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(done && !said.contains("panicked"), "{what}: {said}");
                    runs += 1;
                    hit += u64::from(acked.len() < 2);
                    // 1: the store was made and has a note; 2: the copy was made
                    if acked.contains(&1) {
                        assert_eq!(notes(&mut place.open().expect(&what)), [COPY], "{what}");
                    }
                    let copy = Place::File(inner.file("copy.db"));
                    match copy.open() {
                        Ok(mut copy) => {
                            copy.audit(None).expect(&what);
                            assert_eq!(notes(&mut copy), [COPY], "{what}");
                        }
                        Err(error) => {
                            assert!(!acked.contains(&2), "{what}: {error}");
                            assert_eq!(error.code(), "store-absent", "{what}: half a copy");
                        }
                    }
                    // what was left lying does not stand in the way
                    drop(place.create(Alg::Sha256));
                    let mut store = place.open().expect(&what);
                    let again = inner.file("again.db");
                    store.backup(&again).expect(&what);
                }
            }
        }
    }
    println!("{hit} of {runs} makings had a call refused that mattered; none left half a store");
    assert!(hit > 10, "nothing was made to fail: {hit}");
}
