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

/// Words of a command line; single quotes keep blanks.
pub fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A page with what its commands print in place of what it says that they print, and how many there are. They run in the
/// order of the page, one after the other in the same folder. A `…` on a line of its own stands for lines that are left
/// out; what stands around it must come in that order. A block without any output says nothing about it: its commands
/// end well or with open items.
pub fn played(page: &str, folder: &Path) -> (String, usize) {
    let (mut out, mut rest, mut commands) = (String::new(), page, 0);
    let mut place = folder.to_owned();
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("```").expect("a block ends");
        out.push_str(&format!("{before}```console\n"));
        let says_nothing = block.lines().all(|line| line.starts_with("$ "));
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            out.push_str(&format!("{line}\n"));
            let mut wanted = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                wanted.push(line);
            }
            if let Some(to) = line.strip_prefix("$ cd ") {
                place = folder.join(to);
            }
            let Some(command) = line.strip_prefix("$ quanfu ") else {
                continue;
            };
            commands += 1;
            let words = words(command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let said = quanfu(&place, &words);
            let mut all = format!("{}{}", said.out, said.err);
            if said.exit > 0 {
                all.push_str(&format!("exit {}\n", said.exit));
            }
            if says_nothing || wanted.contains(&"…") {
                assert!(said.exit <= 1, "{command}: {all}");
                let mut left = all.as_str();
                for line in wanted {
                    out.push_str(&format!("{line}\n"));
                    if line == "…" {
                        continue;
                    }
                    let at = left.find(line);
                    let at = at.unwrap_or_else(|| panic!("{command}: no line {line:?} in\n{all}"));
                    left = &left[at + line.len()..];
                }
                continue;
            }
            out.push_str(&all);
        }
        out.push_str("```");
        rest = after;
    }
    (out + rest, commands)
}

/// Plays a page of the docs in a folder; `BLESS` writes it anew.
pub fn plays(page: &str, folder: &Path) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(page);
    let text = fs::read_to_string(&path).expect("the page");
    let (found, commands) = played(&text, folder);
    same_as(&path, &found);
    commands
}
