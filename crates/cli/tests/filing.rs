//! Records of filing on the command line: the page about them runs, what is refused leaves no trace, and no view tells
//! what must be masked.

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, plays, quanfu, words};

const MANIFEST: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_page_about_filings_shows_what_its_commands_print() {
    let path = Path::new(MANIFEST).join("../../docs/filing.md");
    let page = fs::read_to_string(&path).expect("the page");
    let folder = Folder::new("filing-page");
    let (_, toml) = page.split_once("```toml\n").expect("a content");
    let (toml, _) = toml.split_once("```").expect("its end");
    folder.write("jn.toml", toml.as_bytes());
    folder.write("agreement.pdf", b"made-up agreement\n");
    folder.write("control.pdf", b"made-up rules of internal control\n");
    assert_eq!(plays("docs/filing.md", folder.path()), 15);
}

/// A record of the session's content, in a folder with its files.
fn begun() -> Folder {
    let folder = Folder::new("filing");
    let files = Path::new(MANIFEST).join("tests/filing");
    folder.copy(&files);
    folder.write("key.bin", &[7; 32]);
    for command in [
        "new jn.json --number N-1 --programme example-5wd --content content.toml",
        "sign jn.json",
        "add jn.json agreement.txt --kind agreement",
        "add jn.json control.txt --kind internal_control",
        "submit jn.json",
    ] {
        assert_eq!(run(&folder, command).exit, 0, "{command}");
    }
    folder
}

/// A command that changes a record.
fn run(folder: &Folder, command: &str) -> common::Said {
    run_as_is(
        folder,
        &format!("filing {command} --on 2026-01-05 --by '李娜娜娜'"),
    )
}

fn run_as_is(folder: &Folder, line: &str) -> common::Said {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    quanfu(folder.path(), &words)
}

#[test]
fn what_is_refused_leaves_the_record_and_its_folder_as_they_were() {
    let folder = begun();
    let record = folder.path().join("jn.json");
    let before = fs::read(&record).expect("a record");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let there = names();
    for (command, code, exit) in [
        (
            "new jn.json --number N-2 --programme example-5wd",
            "usage",
            2,
        ),
        (
            "new no.json --number N-2 --programme jinan-2016",
            "file-io",
            4,
        ),
        (
            "new no.json --number ' ' --programme jinan-2017",
            "filing-unreadable",
            2,
        ),
        ("sign jn.json", "filing-state", 2),
        ("submit jn.json", "filing-state", 2),
        ("approve jn.json 00000000", "filing-content", 2),
        ("approve jn.json sha256:0", "filing-content", 2),
        ("accept jn.json --receipt R", "filing-state", 2),
        ("return jn.json --reason x", "filing-state", 2),
        ("change jn.json --bank B", "filing-state", 2),
        ("renew jn.json --until 2027-01-01", "filing-state", 2),
        ("renew jn.json --until 2027-1-1", "usage", 2),
        ("terminate jn.json --reason ' '", "usage", 2),
        ("edit jn.json --content wrong.toml", "filing-unreadable", 2),
        ("edit jn.json --content absent.toml", "file-io", 4),
        ("edit jn.json --bank-uscc 1", "usage", 2),
        ("add jn.json absent.pdf --kind agreement", "file-io", 4),
        ("start jn.json --store m.db", "usage", 2),
        (
            "start jn.json --programme content.toml",
            "filing-programme",
            2,
        ),
        ("start content.toml", "filing-unreadable", 3),
    ] {
        let said = run(&folder, command);
        let want = format!("error[{code}]");
        assert!(said.err.starts_with(&want), "{command}: {}", said.err);
        assert_eq!((said.exit, said.out.as_str()), (exit, ""), "{command}");
        assert_eq!(fs::read(&record).expect("a record"), before, "{command}");
        assert_eq!(names(), there, "{command}");
    }
    let text = String::from_utf8(before).expect("UTF-8");
    // any changed byte of the file is noticed, and nothing of it is told
    for (at, _) in text.char_indices().step_by(97) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        folder.write("changed.json", &bytes);
        let said = run(&folder, "start changed.json");
        assert!(matches!(said.exit, 2 | 3), "{at}: {}", said.out);
    }
}

#[test]
fn of_many_who_change_a_record_at_once_nobody_is_lost() {
    let folder = begun();
    let events = |text: &str| text.matches("\"seq\"").count();
    let record = folder.path().join("jn.json");
    let before = events(&fs::read_to_string(&record).expect("a record"));
    std::thread::scope(|scope| {
        for n in 0..12 {
            let folder = &folder;
            scope.spawn(move || {
                let said = run(folder, &format!("add jn.json control.txt --kind k{n}"));
                assert_eq!(said.exit, 0, "{}", said.err);
            });
        }
    });
    let text = fs::read_to_string(&record).expect("a record");
    assert_eq!(events(&text), before + 12);
    let said = run_as_is(&folder, "filing list jn.json");
    assert_eq!(said.exit, 0, "{}", said.err);
}

#[test]
fn the_store_has_each_state_of_a_record_without_whole_numbers() {
    let folder = begun();
    for command in [
        "edit jn.json --bank B --store m.db --key key.bin --at 2026-01-05T08:00:00Z",
        "start jn.json --store m.db --key key.bin --at 2026-01-05T08:00:00Z",
    ] {
        let said = run(&folder, command);
        assert_eq!(said.exit, 0, "{}", said.err);
    }
    assert_eq!(
        run(&folder, "start jn.json --store m.db --key key.bin").exit,
        2
    );
    let list = run_as_is(&folder, "store list m.db");
    assert_eq!(
        list.out.matches("quanfu.filing/1").count(),
        2,
        "{}",
        list.out
    );
    let shown = run_as_is(&folder, "store show m.db N-1");
    assert_eq!(shown.exit, 0, "{}", shown.err);
    for canary in [CANARIES[0], CANARIES[1], CANARIES[3]] {
        assert!(!shown.out.contains(canary), "{canary}");
        let bytes = fs::read(folder.path().join("m.db")).expect("a store");
        let found = bytes
            .windows(canary.len())
            .any(|part| part == canary.as_bytes());
        assert!(!found, "{canary}");
    }
    assert_eq!(run_as_is(&folder, "store audit m.db").exit, 0);
}

/// Whole values that stand in a personal field, each in a place of its own.
const CANARIES: [&str; 6] = [
    "6222020200112233445",
    "370100880099",
    "王小明",
    "13812345678",
    "李娜娜娜",
    "赵敏敏敏",
];

#[test]
fn no_view_message_or_export_tells_a_personal_value_unless_it_is_asked_for() {
    let folder = begun();
    let shown = |said: &common::Said, of: &str| {
        for canary in CANARIES {
            let all = format!("{}{}", said.out, said.err);
            assert!(!all.contains(canary), "{of}: {canary}\n{all}");
        }
    };
    let text = fs::read_to_string(folder.path().join("jn.json")).expect("a record");
    assert!(CANARIES[..5].iter().all(|canary| text.contains(canary)));
    // the same values where they do not belong
    for (name, from, to) in [
        ("key.json", "\"person_name\"", "\"王小明\""),
        ("kind.json", "\"13812345678\"", "13812345678"),
        (
            "list.json",
            "\"phone_number\": \"",
            "\"phone_number\": [\"13812345678\"], \"x\": \"",
        ),
        ("schema.json", "quanfu.filing/1", "6222020200112233445"),
        ("digest.json", "sha256:", "13812345678:"),
        ("day.json", "2026-01-05", "13812345678"),
        ("cut.json", "\"events\"", "\"events\": 王小明"),
        ("currency.json", "\"USD\"", "\"13812345678\""),
        ("act.json", "\"sign\"", "\"王小明\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{name}");
        folder.write(name, changed.as_bytes());
    }
    let content = fs::read_to_string(folder.path().join("content.toml")).expect("a content");
    for (name, from, to) in [
        ("a.toml", "person_name", "王小明"),
        ("b.toml", "\"13812345678\"", "13812345678"),
        ("c.toml", "\"USD\"", "\"13812345678\""),
        ("d.toml", "2026-01-01", "\"13812345678\""),
        ("e.toml", "\"Z2002211000010\"", "\"6222020200112233445\""),
        ("f.toml", "[contact]", "[contact] 王小明"),
        ("g.toml", "50000.00", "13812345678."),
        ("h.toml", "\"export_services\"]", "\"王小明\"]"),
        ("i.toml", "[contact]", "[王小明]"),
    ] {
        let changed = content.replacen(from, to, 1);
        assert_ne!(changed, content, "{name}");
        folder.write(name, changed.as_bytes());
        for command in [
            "edit jn.json --content",
            "new no.json --number N --programme jinan-2017 --content",
        ] {
            let said = run(&folder, &format!("{command} {name}"));
            assert_eq!(said.exit, 2, "{name}: {}", said.err);
            shown(&said, name);
        }
    }
    let records = [
        "jn.json",
        "key.json",
        "kind.json",
        "list.json",
        "schema.json",
        "digest.json",
        "day.json",
        "cut.json",
        "currency.json",
        "act.json",
        "content.toml",
    ];
    for lang in ["zh", "en"] {
        for record in records {
            for command in [
                "list R",
                "due R --day 2026-02-01",
                "due R --day 2026-02-01 --format json",
                "due R --day 2026-02-01 --format csv",
                "show R --day 2026-02-01",
                "show R --day 2026-02-01 --format json",
                "export R --day 2026-02-01",
                "export R --day 2026-02-01 --format csv",
                "show jn.json --day 2026-02-01 --programme R",
                "show jn.json --day 2026-02-01 --calendar R",
            ] {
                let line = format!("--lang {lang} filing {}", command.replace('R', record));
                shown(&run_as_is(&folder, &line), &line);
            }
        }
        // each change, where it may happen and where it may not
        for command in [
            "edit R --bank B",
            "add R control.txt --kind x",
            "sign R",
            "start R",
            "submit R",
            "approve R 00000000",
            "accept R --receipt x",
            "return R --reason x",
            "change R --bank B",
            "renew R --until 2027-12-31",
        ] {
            for record in records {
                let line = format!("{} --lang {lang}", command.replace('R', record));
                shown(&run(&folder, &line), &line);
            }
        }
    }
    let line = "filing terminate jn.json --reason x --on 2026-02-02 --by 赵敏敏敏 --store m.db --key key.bin";
    let said = run_as_is(&folder, line);
    assert_eq!(said.exit, 0, "{}", said.err);
    shown(&said, line);
    // and whole where it is asked for
    for command in ["export jn.json --whole", "show jn.json --unmask"] {
        let said = run_as_is(&folder, &format!("filing {command} --day 2026-02-02"));
        let all = CANARIES.iter().all(|canary| said.out.contains(canary));
        assert!(all, "{command}: {}", said.out);
    }
}
