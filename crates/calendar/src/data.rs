//! Our own small tables: a header, then rows whose cells hold no comma.

use crate::Certainty;

/// The rows below the header, all of `N` cells.
///
/// # Panics
///
/// If a row has other cells: tests read every table of ours.
pub(crate) fn rows<const N: usize>(text: &str) -> Vec<[&str; N]> {
    let cells = |line| {
        let mut cells = str::split(line, ',');
        let row =
            std::array::from_fn(|_| cells.next().expect("a row of our table has all its cells"));
        assert_eq!(cells.next(), None, "a row of our table has no further cell");
        row
    };
    text.lines().skip(1).map(cells).collect()
}

/// A certainty of our tables.
///
/// # Panics
///
/// If there is none of this name: tests read every table of ours.
pub(crate) fn certain(name: &str) -> Certainty {
    Certainty::from_name(name).expect("a certainty of our table has its name")
}
