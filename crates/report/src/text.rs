//! Small things that all views for terminals share.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{Lang, Look};

/// A word in the language that people read.
pub(crate) fn say<'t>(look: &Look, zh: &'t str, en: &'t str) -> &'t str {
    match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// A document as programs read it.
pub(crate) fn pretty(doc: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(doc);
    let mut text = text.expect("the document holds no map with keys other than text");
    text.push('\n');
    text
}

/// Pads a text to a display width, on its right. One that is too wide keeps a blank from what follows.
pub(crate) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", blanks(text, width))
}

/// Pads a text to a display width, on its left. One that is too wide keeps a blank from what stands before it.
pub(crate) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", blanks(text, width))
}

fn blanks(text: &str, width: usize) -> String {
    let missing = match text.width() {
        wide if wide > width => 1,
        own => width - own,
    };
    " ".repeat(missing)
}

/// The text with at most so many columns; what is cut is told by `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        let mut longer = out.clone();
        longer.push(c);
        if longer.width() + 1 > width {
            break;
        }
        out = longer;
    }
    out.push('…');
    out
}

/// A whole number with commas between groups of three.
pub(crate) fn grouped(number: impl ToString) -> String {
    amount(&number.to_string())
}

/// An amount text with commas between groups of three.
pub(crate) fn amount(text: &str) -> String {
    quanfu_money::grouped(text)
}

/// A share in percent with two digits, cut and never rounded up to 100.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// Makes text that comes from a file safe to show: no control characters.
pub(crate) fn inert(text: &str) -> String {
    text.chars()
        .map(|c| {
            let moves = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}'..='\u{200F}');
            if c.is_control() || moves { '\u{FFFD}' } else { c }
        })
        .collect()
}

/// [`inert`], line by line.
pub(crate) fn inert_lines(text: &str) -> String {
    text.lines().map(|line| inert(line) + "\n").collect()
}

/// Colours a word, if colours are wanted: `31` red, `32` green, `33` yellow, `1` bold.
pub(crate) fn paint(look: &Look, colour: &str, text: &str) -> String {
    if look.colour {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_shares_never_flatter() {
        for (text, want) in [
            ("0.00", "0.00"),
            ("-1234.50", "-1,234.50"),
            ("999", "999"),
            ("1000000", "1,000,000"),
        ] {
            assert_eq!(amount(text), want);
        }
        assert_eq!(percent(99_999, 100_000), "99.99 %");
        assert_eq!(percent(1, 0), "-");
        assert_eq!(percent(3, 3), "100.00 %");
    }

    #[test]
    fn widths_are_those_of_a_terminal() {
        assert_eq!(left("渠道", 6), "渠道  ");
        let wide = left("1,190", 4) + &right("4,488,428.00 CNY", 15);
        assert_eq!(wide, "1,190  4,488,428.00 CNY");
        assert_eq!(cut("渠道单边", 5), "渠道…");
        assert_eq!(inert("a\u{1b}[31m\u{202e}b"), "a\u{fffd}[31m\u{fffd}b");
    }
}
