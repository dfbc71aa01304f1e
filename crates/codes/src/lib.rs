//! Identifiers and masking of personal data.
