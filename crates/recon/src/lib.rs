//! Matches entries, explains what is left, certifies that nothing was lost.
