//! The second verifier (`crates/verify/python`) at work beside the first: one process for all questions of a test.
#![allow(dead_code)] // not every test keeps files for its questions

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use quanfu_testkit::house;
use serde_json::{Value, json};

/// What it said of one question.
pub struct Answer {
    /// What was asked, in the test's words.
    pub label: String,
    /// `holds`, `fails` or `incomplete`.
    pub verdict: String,
    /// Why.
    pub message: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} => {} {}", self.label, self.verdict, self.message)
    }
}

/// The running verifier, or nobody where Python or `b3sum` is missing.
pub struct Second(Option<Running>);

struct Running {
    child: Child,
    questions: ChildStdin,
    answers: JoinHandle<Vec<String>>,
    labels: Vec<String>,
    folder: PathBuf,
}

impl Second {
    /// Starts it; the files' names and bytes serve all questions.
    pub fn start(test: &str) -> Self {
        let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
        for tool in ["python3", "b3sum"] {
            if !has(tool) {
                let is_needed = std::env::var_os("QUANFU_SECOND_VERIFIER").is_some();
                assert!(
                    !is_needed,
                    "no {tool} here: the second verifier cannot be asked"
                );
                println!("no {tool} here: the second verifier is not asked");
                return Self(None);
            }
        }
        let folder = house::root().join("target/second").join(test);
        std::fs::create_dir_all(&folder).expect("a folder in target");
        let mut child = Command::new("python3")
            .arg(house::root().join("crates/verify/python/quanfu_verify.py"))
            .arg("--batch")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 was found");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self(Some(Running {
            questions: child.stdin.take().expect("piped"),
            answers: std::thread::spawn(move || output.lines().map_while(Result::ok).collect()),
            labels: Vec::new(),
            child,
            folder,
        }))
    }

    /// Keeps a file for questions; gives its path.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Value {
        let Some(running) = &self.0 else {
            return Value::Null;
        };
        let path = running.folder.join(name);
        std::fs::write(&path, bytes).expect("a file in target");
        json!(path)
    }

    /// Asks whether a result holds, with files that were kept or are texts, and readings that were kept.
    pub fn ask(&mut self, label: String, result: &str, files: &[Value], readings: &[Value]) {
        let Some(running) = &mut self.0 else { return };
        let question =
            json!({ "result": { "text": result }, "files": files, "readings": readings });
        // one piece: a pipe takes every piece with a call of its own
        let line = format!("{question}\n");
        let written = running.questions.write_all(line.as_bytes());
        written.expect("the second verifier reads on");
        running.labels.push(label);
    }

    /// All answers, in the order of the questions.
    pub fn finish(self) -> Vec<Answer> {
        let Some(mut running) = self.0 else {
            return Vec::new();
        };
        drop(running.questions);
        let lines = running.answers.join().expect("answers are read");
        running.child.wait().expect("it ends with its questions");
        assert_eq!(lines.len(), running.labels.len(), "one answer a question");
        let answers = running.labels.into_iter().zip(lines).map(|(label, line)| {
            let line: Value = serde_json::from_str(&line).expect("an answer is JSON");
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            Answer {
                label,
                verdict: text("verdict"),
                message: text("message"),
            }
        });
        answers.collect()
    }
}
