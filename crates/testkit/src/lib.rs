//! Generators, cases and campaigns for the project's own tests.
//!
//! [`house`] is for tests over the source itself: walls, glossary, words that must not occur. [`fuzz`] holds the
//! properties that fuzz targets call and that ordinary tests replay.

pub mod fuzz;
pub mod house;
