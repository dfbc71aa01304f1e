//! What a line of a settlement file means, and the outcome of reconciling.
