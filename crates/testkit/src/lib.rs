//! Generators, cases and campaigns for the project's own tests.
