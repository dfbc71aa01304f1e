//! The log of decisions as a file: appended to and never rewritten, by one process at a time, and whole or refused.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Folder, quanfu};

const AT: &str = "2017-01-26T09:00:00Z";

fn day() -> Folder {
    let folder = Folder::new("decide");
    assert_eq!(quanfu(folder.path(), &["demo", "."]).exit, 0);
    let said = quanfu(
        folder.path(),
        &[
            "recon",
            "--rules",
            "rules.toml",
            "order=orders.csv",
            "psp=wechat.csv",
            "bank=bank.sta",
            "-q",
            "-o",
            "day.json",
        ],
    );
    assert_eq!(said.exit, 1, "{}", said.err);
    folder
}

fn propose<'a>(by: &'a str, log: &'a str) -> Vec<&'a str> {
    vec![
        "decide",
        "propose",
        log,
        "--result",
        "day.json",
        "--kind",
        "refund",
        "--position",
        "ca57081d",
        "--by",
        by,
        "--reason",
        "paid twice",
        "--at",
        AT,
    ]
}

fn answer<'a>(act: &'a str, id: &'a str, by: &'a str, log: &'a str) -> Vec<&'a str> {
    vec!["decide", act, log, id, "--by", by, "--at", AT]
}

#[test]
fn lines_are_only_ever_added() {
    let folder = day();
    let log = folder.path().join("log.jsonl");
    let mut before = Vec::new();
    for arguments in [
        propose("Li Na", "log.jsonl"),
        answer("approve", "line:1", "Zhao Min", "log.jsonl"),
        propose("Zhao Min", "log.jsonl"),
        answer("refuse", "line:3", "Li Na", "log.jsonl"),
    ] {
        let said = quanfu(folder.path(), &arguments);
        assert_eq!(said.exit, 0, "{}", said.err);
        assert!(
            said.err.contains("quanfu authenticates nobody"),
            "{}",
            said.err
        );
        let after = fs::read(&log).expect("the log");
        assert!(after.starts_with(&before) && after.ends_with(b"\n"));
        let new = &after[before.len()..];
        assert_eq!(new.iter().filter(|byte| **byte == b'\n').count(), 1);
        before = after;
    }
    // what is refused leaves no byte, and no file where there was none
    for (arguments, exit) in [
        (answer("approve", "line:3", "Wang Wei", "log.jsonl"), 2),
        (answer("approve", "line:9", "Wang Wei", "log.jsonl"), 2),
        (answer("approve", "line:1", "", "log.jsonl"), 2),
        (propose("Li\u{200b}Na", "log.jsonl"), 2),
        (propose(" ", "new.jsonl"), 2),
        (answer("approve", "line:1", "Wang Wei", "new.jsonl"), 4),
    ] {
        let said = quanfu(folder.path(), &arguments);
        assert_eq!(said.exit, exit, "{arguments:?}: {}", said.err);
        assert_eq!(fs::read(&log).expect("the log"), before);
        assert!(!folder.path().join("new.jsonl").exists());
    }
}

#[test]
fn a_log_that_was_cut_or_changed_is_refused_by_every_command_with_its_line() {
    let folder = day();
    for arguments in [
        propose("Li Na", "log.jsonl"),
        answer("approve", "line:1", "Zhao Min", "log.jsonl"),
        propose("Zhao Min", "log.jsonl"),
    ] {
        assert_eq!(quanfu(folder.path(), &arguments).exit, 0);
    }
    let text = fs::read_to_string(folder.path().join("log.jsonl")).expect("the log");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let recon = [
        "recon",
        "--rules",
        "rules.toml",
        "order=orders.csv",
        "psp=wechat.csv",
        "bank=bank.sta",
        "--decisions",
        "bad.jsonl",
        "-o",
        "out.json",
    ];
    for (bad, code, line) in [
        (text[..text.len() - 1].to_owned(), "decision-torn", 3),
        (text[..text.len() - 40].to_owned(), "decision-torn", 3),
        ([lines[0], lines[2]].concat(), "decision-chain", 2),
        ([lines[1], lines[2]].concat(), "decision-chain", 1),
        ([lines[1], lines[0], lines[2]].concat(), "decision-chain", 1),
        (
            text.replace("paid twice", "paid twicf"),
            "decision-chain",
            1,
        ),
        (
            text.replacen("\"seq\":1", "\"seq\":1,\"more\":1", 1),
            "decision-unreadable",
            1,
        ),
        (
            text.replacen("{\"schema\"", "{ \"schema\"", 1),
            "decision-unreadable",
            1,
        ),
    ] {
        folder.write("bad.jsonl", bad.as_bytes());
        for arguments in [
            vec!["decide", "check", "bad.jsonl"],
            vec!["decide", "list", "bad.jsonl"],
            propose("Li Na", "bad.jsonl"),
            answer("approve", "line:3", "Li Na", "bad.jsonl"),
            recon.to_vec(),
        ] {
            let said = quanfu(folder.path(), &arguments);
            assert_eq!(said.exit, 3, "{code} {arguments:?}: {}", said.err);
            let want = format!("error[{code}]: bad.jsonl: line {line}: ");
            assert!(said.err.starts_with(&want), "{want}{}", said.err);
            let left = fs::read_to_string(folder.path().join("bad.jsonl")).expect("the log");
            assert_eq!(
                left, bad,
                "nothing is added to a bad log, and nothing repaired"
            );
            assert!(!folder.path().join("out.json").exists());
        }
    }
    // a log is not written over by a result
    let mut over = recon.to_vec();
    (over[7], over[9]) = ("log.json", "log.json");
    folder.write("log.json", text.as_bytes());
    assert_eq!(quanfu(folder.path(), &over).exit, 2);
}

#[test]
fn many_at_once_write_whole_lines_in_one_chain() {
    let folder = day();
    let mut running = Vec::new();
    for at in 0..8 {
        let by = format!("Person {at}");
        let child = Command::new(env!("CARGO_BIN_EXE_quanfu"))
            .args(propose(&by, "log.jsonl"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command runs");
        running.push(child);
    }
    let exits: Vec<i32> = running
        .into_iter()
        .map(|mut child| {
            child
                .wait()
                .expect("it ends")
                .code()
                .expect("no signal ends it")
        })
        .collect();
    assert_eq!(exits, [0; 8]);
    let text = fs::read_to_string(folder.path().join("log.jsonl")).expect("the log");
    assert_eq!(text.lines().count(), 8);
    let checked = quanfu(folder.path(), &["decide", "check", "log.jsonl"]);
    assert_eq!(checked.exit, 0, "{}", checked.err);
}
