//! Runs the command in folders of their own.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{count}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file of the test");
    }

    pub fn copy(&self, from: &Path) {
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_owned();
            if path.is_dir() {
                let below = Self(self.0.join(&name));
                fs::create_dir_all(&below.0).expect("a folder");
                below.copy(&path);
                std::mem::forget(below);
            } else {
                fs::copy(&path, self.0.join(&name)).expect("a copy");
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a command wrote and how it ended.
pub struct Said {
    pub out: String,
    pub err: String,
    pub exit: i32,
}

/// Runs `quanfu` with these arguments in a folder, without anything of the environment that changes its looks.
pub fn quanfu(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_quanfu"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", "C")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command writes UTF-8");
    Said {
        out: text(output.stdout),
        err: text(output.stderr),
        exit: output.status.code().expect("no signal ends the command"),
    }
}

/// Compares with a file of the repository; with `BLESS` set, writes it.
pub fn same_as(path: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found).expect("the expected text can be written");
        return;
    }
    let want = fs::read_to_string(path).unwrap_or_default();
    assert!(
        want == found,
        "{} is not what came out; BLESS=1 writes it anew:\n{found}",
        path.display()
    );
}
