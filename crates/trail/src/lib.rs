//! The steps of a computed figure: rule, source, inputs, formula, exact and rounded value.
//!
//! A figure that somebody answers for comes with a [`Trail`]. Its steps are values, so a program can check
//! them with [`Trail::replay`], which computes each formula again in exact fractions; text for people is
//! rendered from them in one place, [`Trail::render`].

mod error;
mod formula;
mod rational;
mod render;
mod step;

pub use error::TrailError;
pub use formula::evaluate;
pub use rational::Rational;
pub use render::{Lang, UnknownLang, certainty_label};
pub use step::{Step, Trail};
