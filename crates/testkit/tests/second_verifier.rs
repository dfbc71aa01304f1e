//! What the second verifier (`crates/verify/python`) knows by itself: currencies, and TOML where Python has none.

use std::collections::BTreeMap;
use std::process::Command;

use quanfu::Currency;
use quanfu_testkit::house;

/// What a few lines of Python print with the verifier's modules at hand; `None` without Python.
fn python(program: &str) -> Option<String> {
    let done = Command::new("python3")
        .arg("-c")
        .arg(program)
        .env("PYTHONPATH", house::root().join("crates/verify/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(house::root())
        .output();
    let Ok(done) = done else {
        println!("no python3 here: nothing is asked");
        return None;
    };
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn it_knows_the_same_currencies_with_the_same_decimals() {
    let told = python("import quanfu_read, json; print(json.dumps(quanfu_read.DIGITS))");
    let Some(told) = told else { return };
    let told: BTreeMap<String, u8> = serde_json::from_str(&told).expect("JSON");
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes = letters().flat_map(|a| letters().map(move |b| (a, b)));
    let codes = codes.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}")));
    let known = codes.filter_map(|code| {
        let digits = Currency::from_code(&code).ok()?.minor_digits();
        Some((code, digits))
    });
    assert_eq!(told, known.collect());
}

#[test]
fn its_own_toml_reads_rules_and_profiles_as_a_whole_reader_does() {
    let mut files = house::files("crates", &[".toml"]);
    files.extend(house::files("benches", &[".toml"]));
    files.retain(|path| {
        let text = house::text(path);
        ["rules", "profile"]
            .iter()
            .any(|kind| text.contains(&format!("schema = \"quanfu.{kind}/1\"")))
    });
    assert!(files.len() > 8, "{files:?}");
    let list = serde_json::to_string(&files).expect("names are text");
    let program = format!(
        "import quanfu_read\n\
         try:\n    import tomllib\n\
         except ImportError:\n    tomllib = None\n\
         for path in {list}:\n    \
             text = open(path, encoding='utf-8').read()\n    \
             own = quanfu_read.SmallToml(text).document()\n    \
             assert tomllib is None or own == tomllib.loads(text), path\n"
    );
    python(&program);
}
