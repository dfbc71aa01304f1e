//! Writers that are killed, whose disk refuses, or that write at once: nothing acknowledged is lost, nothing is torn.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{
    Folder, Random, acknowledged, new_store, note, notes, rounds, stamp, write_if_asked, writer,
};
use quanfu_store::Store;

#[test]
fn writer_of_its_own() {
    write_if_asked();
}

/// Opens and audits a store after something happened to its writer, and looks for what was acknowledged.
fn holds(path: &Path, acks: &BTreeSet<u64>, what: &str) {
    let mut store = Store::open(path).unwrap_or_else(|error| panic!("{what}: {error}"));
    store
        .audit(None)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let found: Vec<u64> = notes(&mut store);
    let set: BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!(set.len(), found.len(), "{what}: a note is there twice");
    let lost: Vec<_> = acks.difference(&set).collect();
    assert!(lost.is_empty(), "{what}: acknowledged and lost: {lost:?}");
}

#[test]
fn a_writer_killed_at_any_instant_loses_nothing_that_it_acknowledged() {
    let folder = Folder::new("kill");
    let path = folder.file("memory.db");
    drop(new_store(&path));
    let place = path.display().to_string();
    let mut random = Random(20_170_125);
    let (mut acks, mut killed_at_work) = (BTreeSet::new(), 0);
    let kills = rounds("QUANFU_KILLS", 50);
    for round in 0..kills {
        let mut child = writer(&place, round * 100_000, 100_000, &[]);
        std::thread::sleep(Duration::from_micros(random.below(60_000)));
        child.kill().expect("the writer is killed");
        let (acked, done) = acknowledged(&mut child);
        child.wait().expect("the writer ends");
        assert!(!done);
        killed_at_work += u64::from(!acked.is_empty());
        acks.extend(acked);
        if round % 10 == 9 || kills <= 50 {
            holds(&path, &acks, &format!("round {round}"));
        }
    }
    holds(&path, &acks, "the end");
    assert!(
        killed_at_work > kills / 5,
        "the writers were killed before they wrote: {killed_at_work} of {kills}"
    );
    println!(
        "{kills} kills, {} notes acknowledged, none lost",
        acks.len()
    );
}

#[test]
fn eight_processes_appending_at_once_leave_a_chain_without_gaps() {
    let folder = Folder::new("race");
    let path = folder.file("memory.db");
    drop(new_store(&path));
    let place = path.display().to_string();
    let each = rounds("QUANFU_RACE", 40);
    let mut children: Vec<_> = (0..8)
        .map(|number| writer(&place, number * 1_000_000, each, &[]))
        .collect();
    let mut acks = BTreeSet::new();
    for child in &mut children {
        let (acked, done) = acknowledged(child);
        assert!(done, "a writer did not come to its end");
        acks.extend(acked);
        child.wait().expect("the writer ends");
    }
    assert_eq!(acks.len() as u64, 8 * each);
    holds(&path, &acks, "eight writers");
    let audited = Store::open(&path)
        .expect("a store")
        .audit(None)
        .expect("it holds");
    assert_eq!(audited.events as u64, 8 * each + 1);
}

#[test]
fn eight_processes_making_the_store_at_once_make_one() {
    let folder = Folder::new("birth");
    let path = folder.file("memory.db");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut store = new_store(path);
                store
                    .remember(&[note(number)], &stamp())
                    .expect("remembered");
            });
        }
    });
    assert_eq!(
        Store::open(&path)
            .expect("a store")
            .audit(None)
            .expect("it holds")
            .events,
        9
    );
}

#[test]
fn a_disk_that_refuses_gets_no_acknowledgement_out_of_a_writer() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("SKIPPED: there is no strace here, so no write, fsync or open was made to fail");
        return;
    }
    let folder = Folder::new("faults");
    let deep = rounds("QUANFU_FAULTS", 6);
    let (mut hit, mut from) = (0, 0);
    for syscall in [
        "write",
        "pwrite64",
        "fsync",
        "fdatasync",
        "openat",
        "ftruncate",
    ] {
        for error in ["ENOSPC", "EIO"] {
            for ever in ["", "+"] {
                let path = folder.file(&format!("{syscall}-{error}-{}.db", ever.len()));
                drop(new_store(&path));
                let place = path.display().to_string();
                let mut acks = BTreeSet::new();
                for k in 1..=deep {
                    from += 100;
                    let mut below: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"]
                        .map(String::from)
                        .to_vec();
                    for suffix in ["", "-wal", "-shm", "-journal"] {
                        below.extend(["-P".to_owned(), format!("{place}{suffix}")]);
                    }
                    below.extend(["-e".to_owned(), format!("trace={syscall}")]);
                    below.extend([
                        "-e".to_owned(),
                        format!("inject={syscall}:error={error}:when={k}{ever}"),
                    ]);
                    let mut child = writer(&place, from, 4, &below);
                    let (acked, done) = acknowledged(&mut child);
                    let output = child.wait_with_output().expect("the writer ends");
                    let what = format!("{syscall} {k}{ever} {error}");
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(done && !said.contains("panicked"), "{what}: {said}");
                    hit += u64::from(acked.len() < 4);
                    acks.extend(acked);
                    holds(&path, &acks, &what);
                }
            }
        }
    }
    println!("{hit} runs of {} had a write refused; none lied", deep * 24);
    assert!(hit > 10, "nothing was made to fail: {hit}");
}
