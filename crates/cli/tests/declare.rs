//! `quanfu declare`: what was changed by hand is found with its place, no personal value is shown to people, the schemas
//! are those that are published, and the page of the docs runs as it stands.

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, Said, plays, quanfu, same_as};
use quanfu::sample::{Shares, next_day};

const FILES: [&str; 3] = ["outcomes.csv", "wechat.csv", "bank.sta"];

/// A demo day that was reconciled, restored, drafted.
fn restored() -> Folder {
    let folder = Folder::new("declare");
    let run = |arguments: &[&str], exit: i32| {
        let said = quanfu(folder.path(), arguments);
        assert_eq!(said.exit, exit, "{arguments:?}: {}", said.err);
    };
    run(&["demo", "day"], 0);
    for name in ["orders.csv", "wechat.csv", "bank.sta", "rules.toml"] {
        let bytes = fs::read(folder.path().join("day").join(name)).expect("a file of the demo");
        folder.write(name, &bytes);
    }
    folder.copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/declare"));
    run(
        &[
            "recon",
            "--rules",
            "rules.toml",
            "order=orders.csv",
            "psp=wechat.csv",
            "bank=bank.sta",
            "-o",
            "result.json",
            "-o",
            "outcomes.csv",
        ],
        1,
    );
    let restore = [
        "declare",
        "restore",
        "result.json",
        FILES[0],
        FILES[1],
        FILES[2],
    ];
    run(&[&restore[..], &["-o", "restored.json"]].concat(), 0);
    folder
}

fn text(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a text")
}

fn check(folder: &Folder, document: &str, anew: bool) -> Said {
    let mut arguments = vec!["declare", "check", document];
    if anew {
        arguments.push("result.json");
        arguments.extend(FILES);
    }
    quanfu(folder.path(), &arguments)
}

#[test]
fn what_was_changed_by_hand_is_found_with_its_place() {
    let folder = restored();
    let whole = text(&folder, "restored.json");
    let said = check(&folder, "restored.json", true);
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
    assert!(!said.out.contains("declaration-"), "{}", said.out);
    // one original, as it is written
    let start = whole
        .find("        {\n          \"record\": \"004932365e889ed4\"")
        .expect("an original");
    let end = start + whole[start..].find("        },\n").expect("its end") + "        },\n".len();
    let one = &whole[start..end];
    let place = "batch 39b8ae13584dd369: record 004932365e889ed4 (wechat.csv:496)";
    for (changed, kinds, told) in [
        (
            whole.replacen(one, "", 1),
            &[
                "declaration-body",
                "declaration-sum",
                "declaration-count",
                "declaration-fee",
            ][..],
            format!("{place} is missing"),
        ),
        (
            whole.replacen(one, &format!("{one}{one}"), 1),
            &["declaration-body", "declaration-sum", "declaration-twice"],
            format!("{place} is added"),
        ),
        (
            whole.replacen(one, &one.replacen("186.78", "186.87", 1), 1),
            &["declaration-body", "declaration-sum"],
            format!("{place} is changed"),
        ),
    ] {
        folder.write("changed.json", changed.as_bytes());
        for anew in [false, true] {
            let said = check(&folder, "changed.json", anew);
            assert_eq!(said.exit, 3);
            for kind in kinds {
                assert!(said.out.contains(kind), "{kind}\n{}", said.out);
            }
            assert_eq!(said.out.contains(&told), anew, "{told}\n{}", said.out);
        }
        let said = quanfu(
            folder.path(),
            &[
                "declare",
                "draft",
                "changed.json",
                "--declarant",
                "house.toml",
            ],
        );
        assert!(
            said.exit == 3 && said.err.contains("declaration-body"),
            "{}",
            said.err
        );
    }
    // out of the outcomes table: the result no longer names it
    let table = text(&folder, "outcomes.csv");
    let line = table
        .lines()
        .find(|line| line.contains("004932365e889ed4"))
        .expect("a line");
    folder.write(
        "outcomes.csv",
        table.replacen(&format!("{line}\n"), "", 1).as_bytes(),
    );
    let said = check(&folder, "restored.json", true);
    assert!(
        said.exit == 3 && said.err.contains("restore-input"),
        "{}",
        said.err
    );
}

#[test]
fn what_the_day_before_carried_is_restored_with_its_result() {
    let folder = restored();
    for file in next_day(20_170_125, &Shares::default()).files {
        folder.write(&format!("next/{}", file.path), &file.bytes);
    }
    let recon = [
        "recon",
        "--rules",
        "rules.toml",
        "order=next/orders.csv",
        "psp=next/wechat.csv",
        "bank=next/bank.sta",
        "--after",
        "result.json",
        "-o",
        "next.json",
        "-o",
        "next.csv",
    ];
    assert!(quanfu(folder.path(), &recon).exit <= 1);
    let restore = [
        "declare",
        "restore",
        "next.json",
        "next.csv",
        "next/wechat.csv",
        "next/bank.sta",
    ];
    let said = quanfu(folder.path(), &restore);
    assert!(
        said.exit == 3 && said.err.contains("the result of the day before"),
        "{}",
        said.err
    );
    let said = quanfu(
        folder.path(),
        &[&restore[..], &["result.json", "-o", "next-restored.json"]].concat(),
    );
    assert_eq!(said.exit, 0, "{}", said.err);
}

const CANARIES: &[&str] = &[
    "虚构支付有限公司",
    "91350100M000100Y43",
    "6222020200112233445",
    "Made-up Abroad Ltd",
    "DE89370400440532013000",
    "李四光",
    "13812345678",
    "张三丰",
    "11010519491231002X",
    "6200000000000005",
    "王五一",
    "440524188001010015",
];

#[test]
fn no_subcommand_shows_a_person_whole_to_people() {
    let folder = restored();
    let draft = [
        "declare",
        "draft",
        "restored.json",
        "--declarant",
        "house.toml",
        "--evidence",
        "parties.csv",
        "-o",
        "d.json",
    ];
    let list: String = CANARIES
        .iter()
        .map(|one| format!("name,{one},l,,\nid_number,{one},l,,\n"))
        .collect();
    folder.write(
        "all.csv",
        format!("by,value,list,from,until\n{list}").as_bytes(),
    );
    let check = [
        "declare",
        "check",
        "d.json",
        "restored.json",
        "--declarant",
        "house.toml",
        "--list",
        "all.csv",
        "--limit",
        "house_single",
        "--annual",
        "house_year",
        "--parameters",
        "limits.csv",
        "--split-days",
        "9",
    ];
    let broken = text(&folder, "house.toml").replacen("kind = \"firm\"", "kind = \"张三丰\"", 1);
    folder.write("broken.toml", broken.as_bytes());
    let by_house = [
        "declare",
        "draft",
        "restored.json",
        "--declarant",
        "broken.toml",
    ];
    for (arguments, exit) in [
        (draft.to_vec(), 3),
        (check.to_vec(), 1),
        ([&check[..], &["--format", "json"]].concat(), 1),
        ([&["--lang", "zh"], &check[..]].concat(), 1),
        (by_house.to_vec(), 2),
        (vec!["declare", "check", "parties.csv"], 3),
        (
            vec!["declare", "check", "d.json", "--list", "parties.csv"],
            3,
        ),
        (vec!["declare", "export", "house.toml"], 3),
    ] {
        let said = quanfu(folder.path(), &arguments);
        assert_eq!(said.exit, exit, "{arguments:?}: {}", said.err);
        for canary in CANARIES {
            assert!(
                !said.out.contains(canary),
                "{arguments:?}: stdout shows {canary}"
            );
            assert!(
                !said.err.contains(canary),
                "{arguments:?}: stderr shows {canary}"
            );
        }
    }
    // data is whole
    let lists: String = ["originals", "records"]
        .iter()
        .map(|list| {
            quanfu(
                folder.path(),
                &["declare", "export", "d.json", "--list", list],
            )
            .out
        })
        .collect();
    let data = lists + &text(&folder, "d.json");
    for canary in CANARIES {
        assert!(data.contains(canary), "{canary}");
    }
}

#[test]
fn a_store_keeps_no_value_of_a_person_whole_and_audits_the_rest() {
    let folder = restored();
    folder.write("key.bin", &[7; 32]);
    let draft = quanfu(
        folder.path(),
        &[
            "declare",
            "draft",
            "restored.json",
            "--declarant",
            "house.toml",
            "--evidence",
            "parties.csv",
            "-o",
            "d.json",
        ],
    );
    assert!(
        text(&folder, "d.json").contains(CANARIES[5]),
        "{}",
        draft.err
    );
    for alg in ["sha256", "sm3"] {
        let store = format!("{alg}.db");
        let add = [
            "store",
            "add",
            &store,
            "d.json",
            "restored.json",
            "--by",
            "a clerk",
            "--key",
            "key.bin",
            "--alg",
            alg,
        ];
        let said = quanfu(folder.path(), &add);
        assert_eq!(said.exit, 0, "{}", said.err);
        let said = quanfu(folder.path(), &["store", "audit", &store]);
        assert_eq!(said.exit, 0, "{}", said.err);
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        let files = files.map(|file| file.expect("a file").path());
        let mut read = 0;
        for file in files.filter(|file| file.to_string_lossy().contains(&store)) {
            let bytes = std::fs::read(&file).expect("a file");
            read += bytes.len();
            for canary in CANARIES {
                let is_there = bytes
                    .windows(canary.len())
                    .any(|part| part == canary.as_bytes());
                assert!(!is_there, "{}: {canary}", file.display());
            }
        }
        assert!(read > 10_000, "{read} bytes of {store}");
        // again changes nothing
        let head = quanfu(folder.path(), &["store", "head", &store]).out;
        assert_eq!(quanfu(folder.path(), &add).exit, 0);
        assert_eq!(quanfu(folder.path(), &["store", "head", &store]).out, head);
    }
}

#[test]
fn the_published_schemas_are_those_that_documents_keep() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    let views = [
        (
            "quanfu.restored-1",
            quanfu::report::declaration::restored_schema(),
        ),
        (
            "quanfu.declaration-1",
            quanfu::report::declaration::declaration_schema(),
        ),
    ];
    for (name, schema) in views {
        same_as(&docs.join(format!("{name}.schema.json")), &schema);
    }
}

#[test]
fn the_page_of_the_docs_runs_as_it_stands() {
    let folder = restored();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/declarations.md");
    let page = fs::read_to_string(page).expect("the page");
    // a file is named above its block
    let mut parts = page.split("\n```");
    let mut before = parts.next().unwrap_or_default();
    for (index, part) in parts.enumerate() {
        let name = before.lines().last().unwrap_or_default();
        let name = name.strip_prefix('`').and_then(|name| name.split_once('`'));
        let block = part.split_once('\n');
        if let (0, Some((name, _)), Some((_, body))) = (index % 2, name, block) {
            folder.write(name, format!("{body}\n").as_bytes());
        }
        before = part;
    }
    assert!(plays("docs/declarations.md", folder.path()) >= 5);
}
