//! The steps of a computed figure: rule, source, inputs, formula, exact and rounded value.
