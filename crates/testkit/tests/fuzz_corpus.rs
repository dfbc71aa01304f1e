//! Every file of the fuzz corpus, replayed; every property has a target and first files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use quanfu_testkit::fuzz::ALL;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder of the repository");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

#[test]
fn every_file_of_the_corpus_keeps_its_property() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let properties: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        properties,
        names(&root.join("fuzz_targets")),
        "a target for each property"
    );
    for (name, property) in ALL {
        let mut files = 0;
        for entry in fs::read_dir(root.join("corpus").join(name)).expect("first files") {
            let path = entry.expect("an entry").path();
            property(&fs::read(&path).expect("a file"));
            files += 1;
        }
        assert!(files > 0, "{name} has no first files");
    }
}
