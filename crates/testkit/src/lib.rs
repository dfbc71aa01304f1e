//! Generators, cases and campaigns for the project's own tests.
//!
//! [`house`] is for tests over the source itself: walls, glossary, words that must not occur.

pub mod house;
