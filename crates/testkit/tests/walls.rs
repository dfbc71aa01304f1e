//! Crates lean on lower floors only, as the map in `crates/README.md` draws them.

use std::collections::BTreeMap;

use quanfu_testkit::house;
use toml::{Table, Value};

/// The floor of each crate, from the map: 0 is the ground.
fn floors() -> BTreeMap<String, usize> {
    let mut rows = house::table(&house::text("crates/README.md"), "floor");
    rows.reverse();
    let mut floors = BTreeMap::new();
    for (floor, row) in rows.iter().enumerate() {
        for name in row[1].split(", ") {
            let before = floors.insert(name.to_owned(), floor);
            assert_eq!(before, None, "the map has {name} on two floors");
        }
    }
    floors
}

/// The manifest of a crate; the facade's is the root's.
fn manifest(name: &str) -> (String, Table) {
    let path = match name {
        "quanfu" => "Cargo.toml".to_owned(),
        name => format!("crates/{name}/Cargo.toml"),
    };
    let manifest = house::text(&path).parse().expect("cargo reads it too");
    (path, manifest)
}

/// The tables of dependencies that count, also those for one target only.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    for part in std::iter::once(manifest).chain(targets.filter_map(Value::as_table)) {
        for kind in ["dependencies", "build-dependencies"] {
            let table = part.get(kind).and_then(Value::as_table);
            for (name, value) in table.into_iter().flatten() {
                found.push((name.clone(), value.clone()));
            }
        }
    }
    found
}

/// What breaks a wall, given the floors and the crates of the house that each crate leans on.
fn broken(floors: &BTreeMap<String, usize>, leans: &[(&str, &str)]) -> Vec<String> {
    leans
        .iter()
        .filter(|(upper, lower)| floors[*lower] >= floors[*upper])
        .map(|(upper, lower)| {
            let (high, low) = (floors[*upper], floors[*lower]);
            format!("{upper} (floor {high}) leans on {lower} (floor {low})")
        })
        .collect()
}

#[test]
fn crates_lean_on_lower_floors_only() {
    let floors = floors();
    let mut leans = Vec::new();
    for name in floors.keys() {
        let (path, manifest) = manifest(name);
        for (dependency, _) in dependencies(&manifest) {
            let other = match dependency.as_str() {
                "quanfu" => "quanfu",
                other => match other.strip_prefix("quanfu-") {
                    Some(other) => other,
                    None => continue,
                },
            };
            assert!(
                floors.contains_key(other),
                "{path}: {other} is not on the map"
            );
            leans.push((name.clone(), other.to_owned()));
        }
    }
    assert!(leans.len() > 20, "the manifests were read: {leans:?}");
    let leans: Vec<_> = leans
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(broken(&floors, &leans), Vec::<String>::new());
}

#[test]
fn leaning_on_a_neighbour_or_upwards_is_seen() {
    let floors = floors();
    let leans = [
        ("recon", "verify"),
        ("money", "cli"),
        ("recon", "money"),
        ("cli", "cli"),
    ];
    assert_eq!(broken(&floors, &leans).len(), 3);
}

#[test]
fn the_map_shows_every_crate_once_and_no_other() {
    let on_floors: Vec<String> = floors().into_keys().collect();
    assert_eq!(on_floors, house::crates(), "floors");
    let listed = house::table(&house::text("crates/README.md"), "crate");
    let mut listed: Vec<String> = listed.into_iter().map(|row| row[0].clone()).collect();
    listed.sort();
    assert_eq!(listed, house::crates(), "crates");
}

#[test]
fn every_manifest_follows_the_house() {
    for name in house::crates() {
        let (path, manifest) = manifest(&name);
        let package = &manifest["package"];
        let want = if name == "quanfu" {
            name.clone()
        } else {
            format!("quanfu-{name}")
        };
        assert_eq!(package["name"].as_str(), Some(want.as_str()), "{path}");
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let from_workspace = package[key].get("workspace") == Some(&Value::Boolean(true));
            assert!(from_workspace, "{path}: {key}.workspace = true");
        }
        let lints = manifest["lints"].get("workspace");
        assert_eq!(
            lints,
            Some(&Value::Boolean(true)),
            "{path}: lints.workspace = true"
        );
        for (dependency, value) in dependencies(&manifest) {
            let from_workspace = value.get("workspace") == Some(&Value::Boolean(true));
            assert!(
                from_workspace,
                "{path}: {dependency} takes its version from the root"
            );
        }
    }
    let (_, root) = manifest("quanfu");
    let lint = &root["workspace"]["lints"]["rust"]["unsafe_code"];
    assert_eq!(lint.as_str(), Some("forbid"), "unsafe code is forbidden");
    let profile = &root["profile"]["release"]["overflow-checks"];
    assert_eq!(
        profile.as_bool(),
        Some(true),
        "overflow is checked in release"
    );
}

#[test]
fn the_facade_has_a_module_for_every_crate_below_it() {
    let floors = floors();
    let facade = house::text("crates/quanfu/lib.rs");
    for (name, floor) in &floors {
        if *floor < floors["quanfu"] {
            let line = format!("pub use quanfu_{name} as {name};");
            assert!(
                facade.contains(&line),
                "crates/quanfu/lib.rs wants {line:?}"
            );
        }
    }
}
