//! What people and programs see: one view for each result, as text for a terminal, as JSON, or as CSV.
//!
//! Every view is a pure function into a text: no file, no clock, no terminal. Views for people take a [`Look`] and
//! mask account numbers and names; data views ([`reading::json`], [`result::jsonl`] and so on) are complete.
//!
//! ```
//! use quanfu_report::{Lang, labels};
//!
//! let label = labels::label("ONLY_CHANNEL", Lang::Zh).unwrap();
//! assert_eq!(label.short, "渠道单边");
//! ```

pub mod award;
mod balance;
pub mod bridge;
pub mod calendar;
pub mod case;
pub mod challenge;
pub mod decisions;
pub mod declaration;
pub mod difference;
pub mod exchange;
pub mod filing;
pub mod labels;
pub mod outcomes;
mod presence;
pub mod price;
pub mod programme;
pub mod rates;
pub mod reading;
pub mod result;
mod schema;
mod text;
pub mod verification;
pub mod why;

pub use quanfu_trail::Lang;

/// How a view for people looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Language of sentences; codes and names stay as they are.
    pub lang: Lang,
    /// Whether account numbers and names are shown whole.
    pub unmask: bool,
    /// Whether to colour with ANSI escapes. Colour is never the only sign.
    pub colour: bool,
}

impl Default for Look {
    /// English, masked, without colour.
    fn default() -> Self {
        Self {
            lang: Lang::En,
            unmask: false,
            colour: false,
        }
    }
}

/// The page about a code: what it is, what it means, what to do; in both languages, the wanted one first.
#[must_use]
pub fn explain(code: &str, look: &Look) -> Option<String> {
    let order = match look.lang {
        Lang::Zh => [Lang::Zh, Lang::En],
        Lang::En => [Lang::En, Lang::Zh],
    };
    let mut page = String::new();
    for lang in order {
        let label = labels::label(code, lang)?;
        if page.is_empty() {
            page = format!("{} ({})\n", label.code, label.kind);
        }
        page.push_str(&format!("\n  {}\n  {}\n", label.short, label.long));
        if !label.advice.is_empty() {
            page.push_str(&format!("  > {}\n", label.advice));
        }
    }
    Some(page)
}
