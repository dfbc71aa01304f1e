//! Lists the shipped profiles, so that a new one is a new file and no line of code.

use std::fmt::Write as _;
use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let missing = || io::Error::other("a build script runs under cargo");
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(missing)?;
    let folder = Path::new(&root).join("data").join("profiles");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for file in fs::read_dir(&folder)? {
        let path = file?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        writeln!(list, "    include_str!({path:?}),").map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or_else(missing)?;
    fs::write(Path::new(&out).join("profiles.rs"), list)
}
