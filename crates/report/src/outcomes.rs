//! The outcomes table (`quanfu.outcomes/1`) read back, line by line.

use quanfu_settlement::table::HEADER;

/// One line of the table, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct OutcomeRow {
    /// The source.
    pub source: String,
    /// The file; empty for rows of a program.
    pub file: String,
    /// Line in the file.
    pub line: String,
    /// The record's name.
    pub record: String,
    /// The edge.
    pub edge: String,
    /// What came of it.
    pub outcome: String,
    /// Its code, or empty.
    pub code: String,
    /// The group's name, or empty.
    pub group: String,
    /// The rule's id, or empty.
    pub rule: String,
    /// How the rule matches, or empty.
    pub pass: String,
    /// Value date, or empty.
    pub value_date: String,
    /// Signed amount.
    pub amount: String,
    /// Currency.
    pub currency: String,
    /// Right minus left of the group, or empty.
    pub group_difference: String,
    /// Causes, as `fee:-1.20;rounding:0.01`.
    pub cause: String,
    /// Why it is open, or what else is to be known.
    pub note: String,
}

/// Why a text is no outcomes table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct OutcomesError {
    /// Line, counted from 1.
    pub line: u64,
    /// What was found and what would be right.
    pub message: String,
}

/// Calls `each` with every line of a table; a byte order mark in front is passed over.
///
/// # Errors
///
/// [`OutcomesError`] with the first line that is not as the table is written.
pub fn for_each(text: &str, mut each: impl FnMut(OutcomeRow)) -> Result<(), OutcomesError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fail = |line: u64, message: String| OutcomesError { line, message };
    let mut rest = match text
        .strip_prefix(HEADER)
        .and_then(|rest| rest.strip_prefix('\n'))
    {
        Some(rest) => rest,
        None => return Err(fail(1, format!("the header must be {HEADER}"))),
    };
    let mut line = 1;
    while !rest.is_empty() {
        line += 1;
        let mut cells: Vec<String> = Vec::with_capacity(16);
        let (mut cell, mut quoted, mut end) = (String::new(), false, None);
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if quoted && chars.peek().is_some_and(|&(_, next)| next == '"') => {
                    cell.push('"');
                    chars.next();
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(unguarded(&mut cell)),
                '\n' if !quoted => {
                    end = Some(at + 1);
                    break;
                }
                c => cell.push(c),
            }
        }
        let Some(end) = end else {
            return Err(fail(line, "the table ends inside this line".to_owned()));
        };
        cells.push(unguarded(&mut cell));
        let found = cells.len();
        let Ok(
            [
                source,
                file,
                line_text,
                record,
                edge,
                outcome,
                code,
                group,
                rule,
                pass,
                value_date,
                amount,
                currency,
                group_difference,
                cause,
                note,
            ],
        ) = <[String; 16]>::try_from(cells)
        else {
            return Err(fail(line, format!("{found} cells; 16 would be right")));
        };
        each(OutcomeRow {
            source,
            file,
            line: line_text,
            record,
            edge,
            outcome,
            code,
            group,
            rule,
            pass,
            value_date,
            amount,
            currency,
            group_difference,
            cause,
            note,
        });
        rest = &rest[end..];
    }
    Ok(())
}

/// Takes a cell without the `'` that keeps spreadsheets from running it.
fn unguarded(cell: &mut String) -> String {
    let text = std::mem::take(cell);
    match text.strip_prefix('\'') {
        Some(inner)
            if inner.starts_with([
                '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\'',
            ]) =>
        {
            inner.to_owned()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_settlement::table::push_text_cell;

    #[test]
    fn what_the_table_writes_is_read_back() {
        for note in [
            "plain",
            "=1+1",
            "-",
            "a,b",
            "say \"no\"",
            "two\nlines",
            "'=x",
            "＝1",
        ] {
            let mut text =
                format!("\u{feff}{HEADER}\ns,f,7,00,e,break,X,g,r,p,2026-03-02,-1.00,CNY,,,");
            push_text_cell(&mut text, note);
            text.push('\n');
            let mut rows = Vec::new();
            for_each(&text, |row| rows.push(row)).expect("a table");
            assert_eq!(rows.len(), 1);
            assert_eq!(
                (rows[0].amount.as_str(), rows[0].note.as_str()),
                ("-1.00", note)
            );
        }
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        for (text, want) in [
            ("a,b\n".to_owned(), "line 1: the header must be"),
            (
                format!("{HEADER}\na,b\n"),
                "line 2: 2 cells; 16 would be right",
            ),
            (
                format!("{HEADER}\na,\"b"),
                "line 2: the table ends inside this line",
            ),
        ] {
            let error = for_each(&text, |_| {}).expect_err("no table").to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }
}
