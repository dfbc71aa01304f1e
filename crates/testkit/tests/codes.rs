//! Codes that are born above the labels.

use quanfu::report::{Lang, labels::label};

#[test]
fn every_error_of_the_paved_path_and_of_the_command_line_has_its_texts() {
    let of_commands = [
        "usage",
        "output",
        "result-document",
        "outcomes-document",
        "record-unknown",
    ];
    for code in quanfu::DayError::CODES.iter().chain(&of_commands) {
        for lang in [Lang::Zh, Lang::En] {
            assert!(
                label(code, lang).is_some_and(|label| !label.advice.is_empty()),
                "{code} {lang}"
            );
        }
    }
}
