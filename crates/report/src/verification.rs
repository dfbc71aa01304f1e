//! What came of verifying a result.

use std::fmt::Write as _;

use quanfu_trail::Lang;
use quanfu_verify::Verification;
use serde::Serialize;

use crate::text::{grouped, inert, paint, pretty};
use crate::{Look, labels};

/// The answer for a terminal.
#[must_use]
pub fn table(verification: &Verification, look: &Look) -> String {
    let say = |zh: &'static str, en: &'static str| match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let mut out = String::new();
    match verification {
        Verification::Holds(checked) => {
            let _ = writeln!(
                out,
                "{}: {} {}, {} {}, {} {}, {} {}, {} {}",
                paint(look, "32", say("成立", "holds")),
                grouped(checked.files),
                say("个输入文件", "input files"),
                grouped(checked.records),
                say("条记录", "records"),
                grouped(checked.lines),
                say("行明细", "lines of the table"),
                grouped(checked.groups),
                say("组", "groups"),
                grouped(checked.open_positions),
                say("项未决", "open positions"),
            );
        }
        Verification::Fails(fault) => {
            let _ = writeln!(
                out,
                "{}[{}]: {}: {}",
                paint(look, "31", say("不成立", "does not hold")),
                fault.code,
                inert(&fault.place),
                inert(&fault.message)
            );
            if let Some(label) = labels::label(fault.code, look.lang) {
                let _ = writeln!(out, "  {}\n  > {}", label.long, label.advice);
            }
        }
        Verification::Incomplete(missing) => {
            let _ = writeln!(
                out,
                "{}",
                paint(
                    look,
                    "33",
                    say("无法判断：缺少文件", "cannot be told: files are missing")
                )
            );
            for file in missing {
                let digest = file
                    .digest
                    .map_or("-".to_owned(), |digest| digest.to_string());
                let _ = writeln!(out, "  {} {} {digest}", file.what, inert(&file.name));
            }
        }
    }
    out
}

/// The answer as one JSON document.
#[must_use]
pub fn json(verification: &Verification) -> String {
    #[derive(Serialize)]
    struct Checked {
        files: u64,
        records: u64,
        lines: u64,
        groups: u64,
        open_positions: u64,
    }
    #[derive(Serialize)]
    struct Fault<'a> {
        code: &'static str,
        place: &'a str,
        message: &'a str,
    }
    #[derive(Serialize)]
    struct Missing<'a> {
        what: &'static str,
        name: &'a str,
        digest: Option<String>,
    }
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        verdict: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        checked: Option<Checked>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<Fault<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missing: Vec<Missing<'a>>,
    }
    let mut doc = Doc {
        schema: "quanfu.verification/1",
        verdict: "holds",
        checked: None,
        fault: None,
        missing: Vec::new(),
    };
    match verification {
        Verification::Holds(checked) => {
            doc.checked = Some(Checked {
                files: checked.files,
                records: checked.records,
                lines: checked.lines,
                groups: checked.groups,
                open_positions: checked.open_positions,
            });
        }
        Verification::Fails(fault) => {
            doc.verdict = "fails";
            doc.fault = Some(Fault {
                code: fault.code,
                place: &fault.place,
                message: &fault.message,
            });
        }
        Verification::Incomplete(missing) => {
            doc.verdict = "incomplete";
            let missing = missing.iter().map(|file| Missing {
                what: file.what,
                name: &file.name,
                digest: file.digest.map(|digest| digest.to_string()),
            });
            doc.missing = missing.collect();
        }
    }
    pretty(&doc)
}
